/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qlinkd -a: checks an audit log and prints what it found. */
#ifndef QLINKD_VERIFY_H
#define QLINKD_VERIFY_H

#include <stdint.h>

/**
 * struct verify_options - what to check
 */
struct verify_options {
	/** @folder: path of the log */
	const char *folder;

	/** @certificate: PEM file of the agent's certificate, or %NULL for that of @config */
	const char *certificate;

	/** @config: path of the agent's configuration; it need not exist */
	const char *config;

	/** @first: number of the first file that must be there, from 1 on */
	uint64_t first;
};

/**
 * verify_log() - check a log, print a summary, and every break on standard error
 * @options: what to check
 *
 * Return: exit status: 0 for a whole log, else 1.
 */
int verify_log(const struct verify_options *options);

#endif
