/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A check of one KME, as an administrator asks for it: its status and, if wanted, one key. */
#ifndef QLINKD_CHECK_H
#define QLINKD_CHECK_H

#include <jansson.h>

#include "agent.h"

struct check;

/**
 * check_start() - begin to check a KME
 * @check: where it goes; the caller frees it with check_free()
 * @agent: whose configuration and credentials are used; must outlive @check
 * @name: of the KME in the configuration
 * @device: of the link as which it is asked; %NULL: the first one that uses it
 * @takes_key: also take one key, which neither end will use
 * @done: called once, from the loop, with the report, which it owns; may free @check
 * @arg: for @done
 * @why: filled in on failure
 *
 * Asks by a connection of its own. What the links know about the KME and the keys that they hold
 * do not change.
 *
 * Return: 0, or a negative errno: %-ENOENT if there is no such KME, or no such link uses it.
 */
int check_start(struct check **check, const struct agent *agent, const char *name,
		const char *device, bool takes_key, void (*done)(void *arg, json_t *report), void *arg,
		struct qlink_why *why);

/**
 * check_free() - end a check, also one that runs
 * @check: from check_start(), or %NULL
 */
void check_free(struct check *check);

#endif
