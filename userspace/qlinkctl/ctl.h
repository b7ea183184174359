/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the commands of qlinkctl share: options, error messages, devices, JSON. */
#ifndef QLINKCTL_CTL_H
#define QLINKCTL_CTL_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "libqlink/qlink.h"

/* What qlinkctl exits with. */
enum ctl_exit {
	/* success */
	CTL_OK = 0,
	/* the kernel refused, or something is wrong with a device or a file */
	CTL_FAILED = 1,
	/* the command line is wrong */
	CTL_USAGE = 2,
	/* a change was put back after it had been made; only of apply */
	CTL_PUT_BACK = 3,
};

/**
 * struct ctl_top - options of the command top, as they were given; %NULL where they were not
 */
struct ctl_top {
	/** @times: how often */
	const char *times;

	/** @delay: seconds between two times */
	const char *delay;

	/** @sort: heading of a column */
	const char *sort;

	/** @batch: plain lines, also on a terminal */
	bool batch;
};

/**
 * struct ctl_change - options of the commands apply, confirm and rollback, as they were given
 */
struct ctl_change {
	/** @pending: folder of a change that waits, %NULL for the usual one */
	const char *pending;

	/** @confirm: seconds to wait for "qlinkctl confirm", %NULL for not at all */
	const char *confirm;

	/** @check: change nothing */
	bool check;

	/** @prune: what the document does not name goes */
	bool prune;

	/** @replace: take over files that were written by hand */
	bool replace;

	/** @if_protected: confirm by itself when links are as well protected as before */
	bool if_protected;

	/** @if_interrupted: put back only what nobody looks after */
	bool if_interrupted;
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

	/** @folder: where links are declared, %NULL for the usual one */
	const char *folder;

	/** @dry_run: change nothing; for the command reload */
	bool dry_run;

	/** @all_counters: also print counters that are 0; JSON always has them */
	bool all_counters;

	/** @top: options of the command top */
	struct ctl_top top;

	/** @config: file of the agent, %NULL for the usual one */
	const char *config;

	/** @with_state: also export state */
	bool with_state;

	/** @yang: have monitor print notifications of qlink.yang */
	bool yang;

	/** @change: options of the commands apply, confirm and rollback */
	struct ctl_change change;
};

/**
 * struct ctl_command - one row of a table of commands
 */
struct ctl_command {
	/** @name: the word on the command line */
	const char *name;

	/** @run: runs the command; its arguments follow the word, %NULL follows the last */
	int (*run)(struct ctl *ctl, int argc, char **argv);
};

/**
 * ctl_usage() - print an error of the command line on standard error
 * @format: value, rule, place
 *
 * Return: %CTL_USAGE.
 */
__attribute__((format(printf, 1, 2)))
int ctl_usage(const char *format, ...);

/**
 * ctl_fail() - print any other error on standard error
 * @format: value, rule, place
 *
 * Return: %CTL_FAILED.
 */
__attribute__((format(printf, 1, 2)))
int ctl_fail(const char *format, ...);

/**
 * ctl_warn() - print something that is not an error on standard error
 * @format: value, rule, place
 */
__attribute__((format(printf, 1, 2)))
void ctl_warn(const char *format, ...);

/**
 * ctl_dispatch() - run the command that a word names
 * @ctl: passed to the command
 * @commands: the table; a row without a name ends it
 * @what: what the words of the table are, for the error message
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
 * Return: %CTL_OK, or %CTL_FAILED after an error message.
 */
int ctl_open(struct ctl *ctl);

/**
 * ctl_device() - look up a device, and open the socket
 * @ctl: keeps the socket
 * @name: name of the device
 * @ifindex: where its index goes
 *
 * Return: %CTL_OK, or %CTL_FAILED after an error message.
 */
int ctl_device(struct ctl *ctl, const char *name, uint32_t *ifindex);

/**
 * ctl_refused() - print why the kernel refused a request
 * @device: name of the device, or %NULL for all
 * @error: why
 *
 * Return: %CTL_FAILED.
 */
int ctl_refused(const char *device, const struct qlink_error *error);

/**
 * ctl_print_json() - print a value on one line and free it
 * @value: the value; %NULL for out of memory
 *
 * Return: %CTL_OK, or %CTL_FAILED after an error message.
 */
int ctl_print_json(json_t *value);

#endif
