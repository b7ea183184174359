/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qlinkctl record: show what keys that are gone were used for. */
#ifndef QLINKCTL_RECORD_H
#define QLINKCTL_RECORD_H

#include <stdio.h>

#include "ctl.h"

/**
 * record_run() - qlinkctl record show DEV [after N]
 * @ctl: this run
 * @argc: arguments after the command
 * @argv: likewise
 *
 * Return: an enum ctl_exit.
 */
int record_run(struct ctl *ctl, int argc, char **argv);

/**
 * record_json() - a record as qlinkctl(8) documents it
 * @record: the record
 *
 * Return: the object, which the caller frees; %NULL if memory is short.
 */
json_t *record_json(const struct qlink_record *record);

/**
 * record_text() - write a table of records for people, with how many are missing
 * @after: number of the record before the first
 * @records: in the order of their numbers
 * @n: how many
 * @to: where it goes
 */
void record_text(uint64_t after, const struct qlink_record *records, size_t n,
		 FILE *to);

#endif
