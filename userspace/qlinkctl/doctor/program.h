/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs programs that show the state of the machine: ip, nft, modinfo, systemctl, qlinkd -n. */
#ifndef QLINKCTL_DOCTOR_PROGRAM_H
#define QLINKCTL_DOCTOR_PROGRAM_H

#include <jansson.h>

/**
 * struct program_result - what a program has said
 */
struct program_result {
	/** @status: its exit status; 127 if it is not installed, -1 if it did not end in time or was killed */
	int status;

	/** @out: its standard output, never %NULL after program_run(); the caller frees it */
	char *out;

	/** @err: the first line of its standard error */
	char err[400];
};

/**
 * program_run() - run a program until it ends, for 10 s at most
 * @argv: its name and arguments, ended by %NULL; it is looked for in the folders of the system only
 * @result: filled in
 */
void program_run(const char *const *argv, struct program_result *result);

/**
 * program_json() - run a program that prints JSON
 * @argv: as for program_run()
 * @why: gets the reason of a failure
 * @room: at @why
 *
 * Return: the JSON, which the caller frees; %NULL after a failure.
 */
json_t *program_json(const char *const *argv, char *why, size_t room);

#endif
