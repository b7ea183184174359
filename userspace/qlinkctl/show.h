/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qlinkctl show: show links, for people and for scripts. */
#ifndef QLINKCTL_SHOW_H
#define QLINKCTL_SHOW_H

#include <net/if.h>
#include <stdio.h>

#include "ctl.h"

/**
 * show_run() - qlinkctl show [DEV]
 * @ctl: this run
 * @argc: arguments after the command
 * @argv: likewise
 *
 * Return: an enum ctl_exit.
 */
int show_run(struct ctl *ctl, int argc, char **argv);

/**
 * show_lower() - get the name of the lower device of a link
 * @link: the link
 * @name: room for it
 *
 * Return: @name, or %NULL if the link has none, or has it in another network namespace.
 */
const char *show_lower(const struct qlink_link *link, char name[IF_NAMESIZE]);

/**
 * show_json() - a link as qlinkctl(8) documents it
 * @link: the link
 * @lower: name of the lower device, or %NULL if it has none here
 *
 * Return: the object, which the caller frees; %NULL if memory is short.
 */
json_t *show_json(const struct qlink_link *link, const char *lower);

/**
 * show_text() - write a link for people
 * @link: the link
 * @lower: name of the lower device, or %NULL if it has none here
 * @all_counters: also write counters that are 0
 * @to: where it goes
 */
void show_text(const struct qlink_link *link, const char *lower,
	       bool all_counters, FILE *to);

#endif
