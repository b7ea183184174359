/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All that the status says of one link, as text for a screen. */
#ifndef QLINKCTL_WATCH_DETAIL_H
#define QLINKCTL_WATCH_DETAIL_H

#include <stdio.h>

#include "table.h"

/**
 * detail_print() - write all about a link
 * @table: the table that it is from, which knows the connection to its peer
 * @row: the link
 * @width: cells of a line, which trends fill
 * @utf8: draw trends with block elements, not with ASCII
 * @to: where it goes
 */
void detail_print(const struct table *table, const struct table_row *row, unsigned int width, bool utf8, FILE *to);

#endif
