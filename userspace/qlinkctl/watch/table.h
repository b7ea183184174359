/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The links of a status, with what has changed since the status before. */
#ifndef QLINKCTL_WATCH_TABLE_H
#define QLINKCTL_WATCH_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "libqlink/parse.h"
#include "spark.h"

/* How well a link is protected. */
enum table_state {
	TABLE_STATE_PROTECTED,
	TABLE_STATE_DEGRADED,
	TABLE_STATE_BLOCKED,
	/* the agent cannot read the device */
	TABLE_STATE_UNKNOWN,
	TABLE_STATE_N
};

/**
 * struct table_row - a link
 *
 * Its texts belong to the status that it is from.
 */
struct table_row {
	/** @link: the link in the status */
	const json_t *link;

	/** @device: name of the device */
	const char *device;

	/** @peer: name of the peer */
	const char *peer;

	/** @state: how well it is protected */
	enum table_state state;

	/** @source: of the key that seals, "-" for none */
	const char *source;

	/** @source_room: for @source, where the status does not have this text */
	char source_room[QLINK_SOURCE_TEXT];

	/** @epoch: of the key that seals */
	long long epoch;

	/** @stock: QKD keys */
	long long stock;

	/** @period_ms: how long each key is to be used */
	long long period_ms;

	/** @read_ms: uptime of the agent when it read the counters: not for each status */
	long long read_ms;

	/** @refill: keys a second by which the stock grows or, below 0, shrinks */
	double refill;

	/** @rekeys: a second, of both directions */
	double rekeys;

	/** @mbit: Mbit of plaintext a second, of both directions */
	double mbit;

	/** @sealed_mbit: the same in sealed frames */
	double sealed_mbit;

	/** @fill: how much of the parcels was not padding, in percent; below 0 without parcels */
	double fill;

	/** @stocks: the last stocks */
	struct spark stocks;

	/** @rates: the last values of @mbit */
	struct spark rates;
};

/**
 * struct table - all links
 */
struct table {
	/** @status: as qlinkd answered it, %NULL before the first */
	json_t *status;

	/** @rows: the links, in the order of the configuration */
	struct table_row *rows;

	/** @n: how many */
	size_t n;

	/** @n_in: how many are in each state */
	size_t n_in[TABLE_STATE_N];
};

/**
 * table_state_name() - name a state, as qlinkd does
 * @state: the state
 *
 * Return: a word.
 */
const char *table_state_name(enum table_state state);

/**
 * table_take() - go on to the next status
 * @table: zero, or with the status before
 * @status: the status, which belongs to the table from now on
 *
 * Return: 0, or %-ENOMEM; then the table is as it was.
 */
int table_take(struct table *table, json_t *status);

/**
 * table_free() - free what a table has, and make it zero
 * @table: the table
 */
void table_free(struct table *table);

#endif
