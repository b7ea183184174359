// SPDX-License-Identifier: GPL-2.0-or-later
/* The links of a status, with what has changed since the status before. */
#include "table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "members.h"

static const char *const state_names[] = {
	[TABLE_STATE_PROTECTED] = "protected",
	[TABLE_STATE_DEGRADED] = "degraded",
	[TABLE_STATE_BLOCKED] = "blocked",
	[TABLE_STATE_UNKNOWN] = "unknown",
};

const char *table_state_name(enum table_state state)
{
	return state_names[state];
}

static enum table_state read_state(const json_t *link)
{
	const char *name = member_text(link, "protection", "unknown");
	enum table_state state;

	for (state = 0; state < TABLE_STATE_UNKNOWN; state++) {
		if (!strcmp(name, state_names[state]))
			break;
	}
	return state;
}

/* --- rates --- */

/* The growth of a counter in a second. A counter that shrinks is of a device that was made anew. */
static double growth(const json_t *now, const json_t *before, const char *name, double seconds)
{
	long long grown = member_both(now, name) - member_both(before, name);

	return grown > 0 ? (double)grown / seconds : 0;
}

static double stock_growth(const json_t *now, const json_t *before, double seconds)
{
	return (double)(member_number(now, "stock") - member_number(before, "stock")) / seconds;
}

/* How much of the parcels sent since an earlier status was not padding, in percent; -1 if none were sent. */
static double fill(const json_t *now, const json_t *before)
{
	const json_t *parcels = json_object_get(now, "parcels");
	const json_t *earlier = json_object_get(before, "parcels");
	long long bytes = member_number(parcels, "bytes") - member_number(earlier, "bytes");
	long long pad = member_number(parcels, "pad_bytes") - member_number(earlier, "pad_bytes");

	if (member_number(parcels, "sent") < member_number(earlier, "sent") || bytes <= 0 || pad < 0 || pad > bytes)
		return -1;
	return 100.0 * (double)(bytes - pad) / (double)bytes;
}

/*
 * The agent of many links reads each of them more rarely than it is asked for its status. Until it does, the rates
 * stay as they are: they are not 0, and then several times as high.
 */
static void keep_rates(struct table_row *row, const struct table_row *before)
{
	row->rekeys = before->rekeys;
	row->mbit = before->mbit;
	row->sealed_mbit = before->sealed_mbit;
	row->fill = before->fill;
}

static void set_rates(struct table_row *row, const struct table_row *before)
{
	double seconds = (double)(row->read_ms - before->read_ms) / 1000;

	row->rekeys = growth(row->link, before->link, "rekeys", seconds);
	row->mbit = growth(row->link, before->link, "bytes", seconds) * 8 / 1e6;
	row->sealed_mbit = growth(row->link, before->link, "sealed_bytes", seconds) * 8 / 1e6;
}

/* Go on from the row before, of the same agent, so many seconds ago. */
static void follow(struct table_row *row, const struct table_row *before, double seconds)
{
	row->refill = stock_growth(row->link, before->link, seconds);
	if (row->read_ms > before->read_ms)
		set_rates(row, before);
	else if (row->state != TABLE_STATE_UNKNOWN)
		keep_rates(row, before);
	spark_add(&row->rates, row->mbit);
}

/* --- rows --- */

/* The agent lists its links in the same order each time, so that the row before is mostly at the same place. */
static const struct table_row *find_before(const struct table *table, const char *device, size_t at)
{
	size_t i;

	if (at < table->n && !strcmp(table->rows[at].device, device))
		return &table->rows[at];
	for (i = 0; i < table->n; i++) {
		if (!strcmp(table->rows[i].device, device))
			return &table->rows[i];
	}
	return NULL;
}

static void fill_row(struct table_row *row, const json_t *link, const struct table_row *before, long long uptime_ms,
		     double seconds)
{
	const json_t *tx = json_object_get(link, "tx"), *read = json_object_get(link, "read_ms");

	row->link = link;
	row->device = member_text(link, "device", "?");
	row->peer = member_text(link, "peer", "?");
	row->state = read_state(link);
	row->source = member_source(tx, "-", row->source_room);
	row->epoch = member_number(tx, "epoch");
	row->stock = member_number(link, "stock");
	row->period_ms = member_number(link, "period_ms");
	/* An agent of an earlier version does not say it. */
	row->read_ms = json_is_integer(read) ? json_integer_value(read) : uptime_ms;
	row->fill = fill(link, before ? before->link : NULL);
	if (before) {
		row->stocks = before->stocks;
		row->rates = before->rates;
	}
	spark_add(&row->stocks, (double)row->stock);
	/* The agent may have been started anew. */
	if (before && seconds > 0)
		follow(row, before, seconds);
}

int table_take(struct table *table, json_t *status)
{
	const json_t *links = json_object_get(status, "links"), *link;
	long long uptime_ms = member_number(status, "uptime_ms");
	double seconds = (double)(uptime_ms - member_number(table->status, "uptime_ms")) / 1000;
	struct table next = { .status = status };
	const struct table_row *before;
	size_t i;

	next.rows = calloc(json_array_size(links) + 1, sizeof(*next.rows));
	if (!next.rows)
		return -ENOMEM;
	json_array_foreach(links, i, link) {
		before = find_before(table, member_text(link, "device", "?"), i);
		fill_row(&next.rows[i], link, before, uptime_ms, seconds);
		next.n_in[next.rows[i].state]++;
		next.n++;
	}
	table_free(table);
	*table = next;
	return 0;
}

void table_free(struct table *table)
{
	free(table->rows);
	json_decref(table->status);
	memset(table, 0, sizeof(*table));
}
