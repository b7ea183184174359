/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What of a table is on the screen: a pure state machine, driven by keys and by tables. */
#ifndef QLINKCTL_WATCH_VIEW_H
#define QLINKCTL_WATCH_VIEW_H

#include "columns.h"

#define VIEW_FILTER_BYTES	48
/* Shortest and longest time between two statuses. */
#define VIEW_DELAY_LEAST_MS	100
#define VIEW_DELAY_MOST_MS	3600000

/* What is on the screen. */
enum view_mode {
	VIEW_MODE_LIST,
	/* the list, while a filter is typed */
	VIEW_MODE_FILTER,
	/* all about one link */
	VIEW_MODE_DETAIL,
	VIEW_MODE_HELP,
};

/* Keys without a character; all others are their ASCII character. */
enum view_key {
	VIEW_KEY_UP = 0x100,
	VIEW_KEY_DOWN,
	VIEW_KEY_LEFT,
	VIEW_KEY_RIGHT,
	VIEW_KEY_PAGE_UP,
	VIEW_KEY_PAGE_DOWN,
	VIEW_KEY_HOME,
	VIEW_KEY_END,
	VIEW_KEY_ENTER,
	VIEW_KEY_ESCAPE,
	VIEW_KEY_BACKSPACE,
	VIEW_KEY_OTHER,
};

/**
 * struct view - what of a table is on the screen
 *
 * The chosen link is in the list unless the list is empty, and is on the screen. It stays the same link while the
 * list is sorted anew, as long as it is listed; but the first place is that of whichever link is the first.
 */
struct view {
	/** @mode: what is on the screen */
	enum view_mode mode;

	/** @height: lines that the list, the details or the help have */
	size_t height;

	/** @order: rows of the table that are listed, in this order */
	size_t *order;

	/** @n: how many */
	size_t n;

	/** @chosen: place of the chosen link in @order */
	size_t chosen;

	/** @first: place of the first link on the screen */
	size_t first;

	/** @device: name of the chosen link, empty before the first */
	char device[COLUMN_TEXT];

	/** @sort: what the list is sorted by */
	enum column sort;

	/** @is_reversed: the last comes first */
	bool is_reversed;

	/** @only_problems: only links that are not protected are listed */
	bool only_problems;

	/** @filter: only links with this text in device, peer, state or source are listed */
	char filter[VIEW_FILTER_BYTES];

	/** @old_filter: what Escape brings back while a filter is typed */
	char old_filter[VIEW_FILTER_BYTES];

	/** @is_paused: the screen stays as it is */
	bool is_paused;

	/** @delay_ms: time between two statuses */
	unsigned int delay_ms;

	/** @text_first: first line of the details or the help on the screen */
	size_t text_first;

	/** @text_lines: how many lines they have */
	size_t text_lines;

	/** @is_over: the user has had enough */
	bool is_over;
};

/**
 * view_update() - list the links of a table
 * @view: the view
 * @table: the table
 *
 * Call this for each new table, and after each key.
 *
 * Return: 0, or %-ENOMEM; then nothing is listed.
 */
int view_update(struct view *view, const struct table *table);

/**
 * view_key() - act on a key
 * @view: the view
 * @key: enum view_key, or a character
 */
void view_key(struct view *view, int key);

/**
 * view_resize() - take another height
 * @view: the view
 * @height: lines for the list
 */
void view_resize(struct view *view, size_t height);

/**
 * view_row() - find the chosen link
 * @view: the view
 * @table: the table that it was updated with
 *
 * Return: the link, or %NULL if none is listed.
 */
const struct table_row *view_row(const struct view *view, const struct table *table);

/**
 * view_free() - free what a view has
 * @view: the view
 */
void view_free(struct view *view);

#endif
