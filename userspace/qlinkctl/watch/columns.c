// SPDX-License-Identifier: GPL-2.0-or-later
/* The columns of the table of links: what each shows, how rows compare in it, and which fit on a screen. */
#include "columns.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* How far trends grow on a wide screen. */
#define TREND_MOST	60
#define LINK_LEAST	4

static const struct {
	const char *heading;
	unsigned int width;
	bool is_right;
} list[] = {
	[COLUMN_LINK] = { "LINK", 15, false },
	[COLUMN_STATE] = { "STATE", 10, false },
	[COLUMN_SOURCE] = { "SOURCE", 7, false },
	[COLUMN_EPOCH] = { "EPOCH", 12, true },
	[COLUMN_STOCK] = { "STOCK", 8, true },
	[COLUMN_STOCK_TREND] = { "TREND", 8, false },
	[COLUMN_REFILL] = { "REFILL/s", 8, true },
	[COLUMN_PERIOD] = { "PERIOD/ms", 9, true },
	[COLUMN_REKEYS] = { "REKEYS/s", 8, true },
	[COLUMN_MBIT] = { "Mbit/s", 10, true },
	[COLUMN_MBIT_TREND] = { "TREND", 8, false },
	[COLUMN_SEALED] = { "SEALED", 10, true },
	[COLUMN_FILL] = { "FILL/%", 6, true },
	[COLUMN_PEER] = { "PEER", 16, false },
};

/* What matters most comes first; what does not fit is left out, and so is all after it. */
static const enum column by_weight[] = {
	COLUMN_LINK, COLUMN_STATE, COLUMN_SOURCE, COLUMN_STOCK, COLUMN_MBIT, COLUMN_STOCK_TREND, COLUMN_MBIT_TREND,
	COLUMN_PERIOD, COLUMN_REFILL, COLUMN_REKEYS, COLUMN_PEER, COLUMN_SEALED, COLUMN_FILL, COLUMN_EPOCH,
};

const char *column_heading(enum column column)
{
	return list[column].heading;
}

unsigned int column_width(enum column column)
{
	return list[column].width;
}

bool column_is_right(enum column column)
{
	return list[column].is_right;
}

static bool is_trend(enum column column)
{
	return column == COLUMN_STOCK_TREND || column == COLUMN_MBIT_TREND;
}

int column_find(const char *name, enum column *column)
{
	size_t len;

	for (*column = 0; *column < COLUMN_N; (*column)++) {
		len = strcspn(list[*column].heading, "/");
		if (is_trend(*column))
			continue;
		if (!strcasecmp(name, list[*column].heading) ||
		    (strlen(name) == len && !strncasecmp(name, list[*column].heading, len)))
			return 0;
	}
	return -ENOENT;
}

enum column column_step(enum column from, int step)
{
	do
		from = (enum column)(((int)from + step + COLUMN_N) % COLUMN_N);
	while (is_trend(from));
	return from;
}

void column_text(enum column column, const struct table_row *row, char text[COLUMN_TEXT])
{
	switch (column) {
	case COLUMN_LINK: snprintf(text, COLUMN_TEXT, "%s", row->device); break;
	case COLUMN_STATE: snprintf(text, COLUMN_TEXT, "%s", table_state_name(row->state)); break;
	case COLUMN_SOURCE: snprintf(text, COLUMN_TEXT, "%s", row->source); break;
	case COLUMN_EPOCH: snprintf(text, COLUMN_TEXT, "%lld", row->epoch); break;
	case COLUMN_STOCK: snprintf(text, COLUMN_TEXT, "%lld", row->stock); break;
	case COLUMN_REFILL: snprintf(text, COLUMN_TEXT, "%+.1f", row->refill); break;
	case COLUMN_PERIOD: snprintf(text, COLUMN_TEXT, "%lld", row->period_ms); break;
	case COLUMN_REKEYS: snprintf(text, COLUMN_TEXT, "%.1f", row->rekeys); break;
	case COLUMN_MBIT: snprintf(text, COLUMN_TEXT, "%.3f", row->mbit); break;
	case COLUMN_SEALED: snprintf(text, COLUMN_TEXT, "%.3f", row->sealed_mbit); break;
	case COLUMN_FILL: snprintf(text, COLUMN_TEXT, row->fill < 0 ? "-" : "%.1f", row->fill); break;
	case COLUMN_PEER: snprintf(text, COLUMN_TEXT, "%s", row->peer); break;
	case COLUMN_STOCK_TREND:
	case COLUMN_MBIT_TREND:
	case COLUMN_N:
		text[0] = '\0';
	}
}

/* The greater one first. */
static int compare_numbers(double a, double b)
{
	return (a < b) - (a > b);
}

int column_compare(enum column column, const struct table_row *a, const struct table_row *b)
{
	switch (column) {
	case COLUMN_STATE: return compare_numbers(a->state, b->state);
	case COLUMN_SOURCE: return strcmp(a->source, b->source);
	case COLUMN_EPOCH: return compare_numbers((double)a->epoch, (double)b->epoch);
	case COLUMN_STOCK: return compare_numbers((double)a->stock, (double)b->stock);
	case COLUMN_REFILL: return compare_numbers(a->refill, b->refill);
	case COLUMN_PERIOD: return compare_numbers((double)a->period_ms, (double)b->period_ms);
	case COLUMN_REKEYS: return compare_numbers(a->rekeys, b->rekeys);
	case COLUMN_MBIT: return compare_numbers(a->mbit, b->mbit);
	case COLUMN_SEALED: return compare_numbers(a->sealed_mbit, b->sealed_mbit);
	case COLUMN_FILL: return compare_numbers(a->fill, b->fill);
	case COLUMN_PEER: return strverscmp(a->peer, b->peer);
	case COLUMN_LINK:
	case COLUMN_STOCK_TREND:
	case COLUMN_MBIT_TREND:
	case COLUMN_N:
		break;
	}
	return strverscmp(a->device, b->device);
}

static unsigned int longest_name(const struct table *table)
{
	size_t i, len, most = LINK_LEAST;

	for (i = 0; i < table->n; i++) {
		len = strlen(table->rows[i].device);
		if (len > most)
			most = len;
	}
	return most < list[COLUMN_LINK].width ? (unsigned int)most : list[COLUMN_LINK].width;
}

/* What is left over makes the trends longer, both alike. */
static void grow_trends(struct columns *columns, unsigned int left)
{
	unsigned int *stock = &columns->width[COLUMN_STOCK_TREND], *mbit = &columns->width[COLUMN_MBIT_TREND];
	unsigned int each = left / (*mbit ? 2 : 1);

	if (!*stock)
		return;
	*stock = *stock + each < TREND_MOST ? *stock + each : TREND_MOST;
	if (*mbit)
		*mbit = *mbit + each < TREND_MOST ? *mbit + each : TREND_MOST;
}

void columns_fit(struct columns *columns, const struct table *table, unsigned int width)
{
	unsigned int left = width, need;
	size_t i;

	memset(columns, 0, sizeof(*columns));
	for (i = 0; i < COLUMN_N; i++) {
		need = by_weight[i] == COLUMN_LINK ? longest_name(table) : list[by_weight[i]].width;
		/* A blank parts two columns. */
		if (need + !!i > left)
			break;
		columns->width[by_weight[i]] = need;
		left -= need + !!i;
	}
	grow_trends(columns, left);
}
