/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the commands of qlinkctl share: options, complaints, devices, JSON. */
#ifndef QLINKCTL_CTL_H
#define QLINKCTL_CTL_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "libqlink/qlink.h"

/* What qlinkctl exits with. */
enum ctl_exit {
	/* done */
	CTL_OK = 0,
	/* the kernel refused, or a device or a file is not as it must be */
	CTL_FAILED = 1,
	/* the command line is wrong */
	CTL_USAGE = 2,
};

/**
 * struct ctl - one run of qlinkctl
 */
struct ctl {
	/** @nl: the socket, once ctl_open() was called */
	struct qlink_nl *nl;

	/** @json: print JSON */
	bool json;

	/** @control: socket of qlinkd, %NULL for the usual one */
	const char *control;

	/** @all_counters: print counters that are 0 too; JSON has all anyway */
	bool all_counters;
};

/**
 * struct ctl_command - one row of a table of commands
 */
struct ctl_command {
	/** @name: the word on the command line */
	const char *name;

	/** @run: does it; arguments behind the word, %NULL behind the last */
	int (*run)(struct ctl *ctl, int argc, char **argv);
};

/**
 * ctl_usage() - complain about the command line on standard error
 * @format: value, rule, place
 *
 * Return: %CTL_USAGE.
 */
__attribute__((format(printf, 1, 2)))
int ctl_usage(const char *format, ...);

/**
 * ctl_fail() - complain about anything else on standard error
 * @format: value, rule, place
 *
 * Return: %CTL_FAILED.
 */
__attribute__((format(printf, 1, 2)))
int ctl_fail(const char *format, ...);

/**
 * ctl_warn() - say on standard error what is no error
 * @format: value, rule, place
 */
__attribute__((format(printf, 1, 2)))
void ctl_warn(const char *format, ...);

/**
 * ctl_dispatch() - run the command that a word names
 * @ctl: passed to the command
 * @commands: the table; a row without a name ends it
 * @what: what the words of the table are, for the complaint
 * @argc: arguments, the word first
 * @argv: likewise
 *
 * Return: what the command returned, or %CTL_USAGE.
 */
int ctl_dispatch(struct ctl *ctl, const struct ctl_command *commands,
		 const char *what, int argc, char **argv);

/**
 * ctl_open() - open the socket, unless it is open
 * @ctl: keeps it
 *
 * Return: %CTL_OK, or %CTL_FAILED after a complaint.
 */
int ctl_open(struct ctl *ctl);

/**
 * ctl_device() - look up a device, and open the socket
 * @ctl: keeps the socket
 * @name: name of the device
 * @ifindex: where its index goes
 *
 * Return: %CTL_OK, or %CTL_FAILED after a complaint.
 */
int ctl_device(struct ctl *ctl, const char *name, uint32_t *ifindex);

/**
 * ctl_refused() - complain about what the kernel refused
 * @device: name of the device, or %NULL for all
 * @error: why
 *
 * Return: %CTL_FAILED.
 */
int ctl_refused(const char *device, const struct qlink_error *error);

/**
 * ctl_print_json() - print a value on a line and give it back
 * @value: the value, which is taken over; %NULL for out of memory
 *
 * Return: %CTL_OK, or %CTL_FAILED after a complaint.
 */
int ctl_print_json(json_t *value);

#endif
