/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A table of links as plain lines, for scripts. */
#ifndef QLINKCTL_WATCH_PLAIN_H
#define QLINKCTL_WATCH_PLAIN_H

#include <stdio.h>

#include "columns.h"

/**
 * plain_print() - write a table of links with rates
 * @table: the table
 * @order: all rows in their order, or %NULL for that of the table
 * @to: where it goes
 */
void plain_print(const struct table *table, const size_t *order, FILE *to);

#endif
