/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The columns of the table of links: what each shows, how rows compare in it, and which fit on a screen. */
#ifndef QLINKCTL_WATCH_COLUMNS_H
#define QLINKCTL_WATCH_COLUMNS_H

#include "table.h"

/* From left to right. */
enum column {
	COLUMN_LINK,
	COLUMN_STATE,
	COLUMN_SOURCE,
	COLUMN_EPOCH,
	COLUMN_STOCK,
	COLUMN_STOCK_TREND,
	COLUMN_REFILL,
	COLUMN_PERIOD,
	COLUMN_REKEYS,
	COLUMN_MBIT,
	COLUMN_MBIT_TREND,
	COLUMN_SEALED,
	COLUMN_FILL,
	COLUMN_PEER,
	COLUMN_N
};

/* Room for the text of a column that is no trend, with its final NUL. */
#define COLUMN_TEXT	64

/**
 * struct columns - how wide each column is, in cells; 0 for one that does not fit
 */
struct columns {
	/** @width: of each */
	unsigned int width[COLUMN_N];
};

/**
 * column_heading() - tell what is above a column
 * @column: the column
 *
 * Return: one word.
 */
const char *column_heading(enum column column);

/**
 * column_width() - tell how wide a column is where there is room
 * @column: the column
 *
 * Return: cells.
 */
unsigned int column_width(enum column column);

/**
 * column_is_right() - tell whether the values of a column are at its right
 * @column: the column
 *
 * Return: true for numbers.
 */
bool column_is_right(enum column column);

/**
 * column_find() - find a column that rows can be sorted by
 * @name: its heading, in any case, with or without its unit
 * @column: filled in
 *
 * Return: 0, or %-ENOENT.
 */
int column_find(const char *name, enum column *column);

/**
 * column_step() - find the next column that rows can be sorted by
 * @from: a column
 * @step: 1 for the next one at the right, -1 at the left
 *
 * Return: the column; the last one is followed by the first.
 */
enum column column_step(enum column from, int step);

/**
 * column_text() - write what a column shows of a link
 * @column: the column, no trend
 * @row: the link
 * @text: gets the value, not padded
 */
void column_text(enum column column, const struct table_row *row, char text[COLUMN_TEXT]);

/**
 * column_compare() - compare two links
 * @column: what by
 * @a: a link
 * @b: another
 *
 * Names compare as people count: qlink2 is before qlink10. Of states, the worst comes first, and of numbers the greatest.
 *
 * Return: below 0 if @a comes first, above 0 if @b does; 0 if they are the same.
 */
int column_compare(enum column column, const struct table_row *a, const struct table_row *b);

/**
 * columns_fit() - choose the columns that a screen has room for
 * @columns: filled in
 * @table: its names decide how wide the first column is
 * @width: of the screen, in cells
 */
void columns_fit(struct columns *columns, const struct table *table, unsigned int width);

#endif
