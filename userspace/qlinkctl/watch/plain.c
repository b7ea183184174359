// SPDX-License-Identifier: GPL-2.0-or-later
/* A table of links as plain lines, for scripts. */
#include "plain.h"

static void print_cell(enum column column, const char *text, FILE *to)
{
	int width = (int)column_width(column);

	fprintf(to, column_is_right(column) ? "%s%*s" : "%s%-*s", column ? " " : "", width, text);
}

/* The columns that scripts have always had: no trend, and no peer. */
static bool is_plain(enum column column)
{
	return column != COLUMN_STOCK_TREND && column != COLUMN_MBIT_TREND && column != COLUMN_PEER;
}

void plain_print(const struct table *table, const size_t *order, FILE *to)
{
	char text[COLUMN_TEXT];
	enum column column;
	size_t i;

	for (column = 0; column < COLUMN_N; column++) {
		if (is_plain(column))
			print_cell(column, column_heading(column), to);
	}
	fputc('\n', to);
	for (i = 0; i < table->n; i++) {
		for (column = 0; column < COLUMN_N; column++) {
			if (!is_plain(column))
				continue;
			column_text(column, &table->rows[order ? order[i] : i], text);
			print_cell(column, text, to);
		}
		fputc('\n', to);
	}
}
