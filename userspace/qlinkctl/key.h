/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qlinkctl key: install, delete and list the keys of a link. */
#ifndef QLINKCTL_KEY_H
#define QLINKCTL_KEY_H

#include <stdio.h>

#include "ctl.h"

/**
 * key_run() - qlinkctl key add|del|show …
 * @ctl: this run
 * @argc: arguments after the command
 * @argv: likewise
 *
 * Return: an enum ctl_exit.
 */
int key_run(struct ctl *ctl, int argc, char **argv);

/**
 * rotate_run() - qlinkctl rotate DEV
 * @ctl: this run
 * @argc: arguments after the command
 * @argv: likewise
 *
 * Return: an enum ctl_exit.
 */
int rotate_run(struct ctl *ctl, int argc, char **argv);

/**
 * key_json() - a key as qlinkctl(8) documents it
 * @key: the key
 *
 * Return: the object, which the caller frees; %NULL if memory is short.
 */
json_t *key_json(const struct qlink_key *key);

/**
 * key_text() - write a table of keys for people
 * @keys: the keys
 * @n: how many
 * @to: where it goes
 */
void key_text(const struct qlink_key *keys, size_t n, FILE *to);

#endif
