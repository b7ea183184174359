// SPDX-License-Identifier: GPL-2.0-or-later
/* What of a table is on the screen: a pure state machine, driven by keys and by tables. */
#include "view.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- the list --- */

static bool is_listed(const struct view *view, const struct table_row *row)
{
	/* The details must not become another link's because this one has recovered. */
	if (view->mode == VIEW_MODE_DETAIL && !strcmp(row->device, view->device))
		return true;
	if (view->only_problems && row->state == TABLE_STATE_PROTECTED)
		return false;
	return !view->filter[0] || strcasestr(row->device, view->filter) || strcasestr(row->peer, view->filter) ||
	       strcasestr(table_state_name(row->state), view->filter) || strcasestr(row->source, view->filter);
}

struct order_by {
	const struct view *view;
	const struct table *table;
};

/* Links that are the same stay in the order of their names, so that rows do not jump. */
static int compare(const void *a, const void *b, void *arg)
{
	const struct order_by *by = arg;
	const struct table_row *rows = by->table->rows;
	size_t at[2] = { *(const size_t *)a, *(const size_t *)b };
	int order = column_compare(by->view->sort, &rows[at[0]], &rows[at[1]]);

	if (order)
		return by->view->is_reversed ? -order : order;
	order = column_compare(COLUMN_LINK, &rows[at[0]], &rows[at[1]]);
	return order ? order : (at[0] > at[1]) - (at[0] < at[1]);
}

/* Keep the chosen link on the screen, and no line empty that could have a link. */
static void scroll(struct view *view)
{
	size_t most = view->n > view->height ? view->n - view->height : 0;

	if (view->chosen >= view->n)
		view->chosen = view->n ? view->n - 1 : 0;
	if (view->first > view->chosen)
		view->first = view->chosen;
	if (view->height && view->first + view->height <= view->chosen)
		view->first = view->chosen - view->height + 1;
	if (view->first > most)
		view->first = most;
}

/* Who is at the top stays there, to see which link is the first. */
static void find_chosen(struct view *view, const struct table *table)
{
	bool is_at_top = !view->chosen && view->mode != VIEW_MODE_DETAIL, is_there = is_at_top;
	const struct table_row *row;
	size_t i;

	for (i = 0; i < view->n && !is_there; i++) {
		is_there = !strcmp(table->rows[view->order[i]].device, view->device);
		if (is_there)
			view->chosen = i;
	}
	if (view->mode == VIEW_MODE_DETAIL && !is_there)
		view->mode = VIEW_MODE_LIST;
	scroll(view);
	row = view_row(view, table);
	if (row)
		snprintf(view->device, sizeof(view->device), "%s", row->device);
}

int view_update(struct view *view, const struct table *table)
{
	struct order_by by = { view, table };
	size_t *order = reallocarray(view->order, table->n + 1, sizeof(*order)), i;

	view->n = 0;
	if (!order)
		return -ENOMEM;
	view->order = order;
	for (i = 0; i < table->n; i++) {
		if (is_listed(view, &table->rows[i]))
			order[view->n++] = i;
	}
	qsort_r(order, view->n, sizeof(*order), compare, &by);
	find_chosen(view, table);
	return 0;
}

const struct table_row *view_row(const struct view *view, const struct table *table)
{
	return view->n ? &table->rows[view->order[view->chosen]] : NULL;
}

void view_resize(struct view *view, size_t height)
{
	view->height = height;
	scroll(view);
}

void view_free(struct view *view)
{
	free(view->order);
	view->order = NULL;
	view->n = 0;
}

/* --- moving --- */

/* Move a place among @n, of which @height are on the screen; false for a key that does not move. */
static bool move(size_t *at, size_t n, size_t height, int key)
{
	size_t page = height > 1 ? height - 1 : 1, last = n ? n - 1 : 0;

	switch (key) {
	case VIEW_KEY_UP:
	case 'k':
		*at -= *at > 0;
		break;
	case VIEW_KEY_DOWN:
	case 'j':
		*at += *at < last;
		break;
	case VIEW_KEY_PAGE_UP:
		*at -= page < *at ? page : *at;
		break;
	case VIEW_KEY_PAGE_DOWN:
	case ' ':
		*at = last - *at > page ? *at + page : last;
		break;
	case VIEW_KEY_HOME:
	case 'g':
		*at = 0;
		break;
	case VIEW_KEY_END:
	case 'G':
		*at = last;
		break;
	default:
		return false;
	}
	return true;
}

/* The list is still the one that the user sees, so the name of the new place is looked up at the next update. */
static void choose(struct view *view)
{
	view->device[0] = '\0';
	scroll(view);
}

/* --- keys --- */

static void sort_by(struct view *view, enum column column)
{
	view->sort = column;
	view->is_reversed = false;
}

static void change_delay(struct view *view, bool is_shorter)
{
	unsigned int ms = is_shorter ? view->delay_ms / 2 : view->delay_ms * 2;

	if (ms >= VIEW_DELAY_LEAST_MS && ms <= VIEW_DELAY_MOST_MS)
		view->delay_ms = ms;
}

static void open_text(struct view *view, enum view_mode mode)
{
	view->mode = mode;
	view->text_first = 0;
	view->text_lines = 0;
}

static void start_filter(struct view *view)
{
	view->mode = VIEW_MODE_FILTER;
	memcpy(view->old_filter, view->filter, sizeof(view->filter));
}

/* Keys that mean the same wherever they are pressed; false for others. */
static bool common_key(struct view *view, int key)
{
	switch (key) {
	case 'p':
		view->is_paused = !view->is_paused;
		break;
	case '+':
	case '-':
		change_delay(view, key == '-');
		break;
	default:
		return false;
	}
	return true;
}

static void list_key(struct view *view, int key)
{
	if (move(&view->chosen, view->n, view->height, key)) {
		choose(view);
		return;
	}
	switch (key) {
	case VIEW_KEY_LEFT:
	case '<':
		sort_by(view, column_step(view->sort, -1));
		break;
	case VIEW_KEY_RIGHT:
	case '>':
		sort_by(view, column_step(view->sort, 1));
		break;
	case VIEW_KEY_ENTER:
		if (view->n)
			open_text(view, VIEW_MODE_DETAIL);
		break;
	case VIEW_KEY_ESCAPE:
		view->filter[0] = '\0';
		view->only_problems = false;
		break;
	case '/':
		start_filter(view);
		break;
	case 'r':
		view->is_reversed = !view->is_reversed;
		break;
	case '!':
		view->only_problems = !view->only_problems;
		break;
	case 'h':
	case '?':
		open_text(view, VIEW_MODE_HELP);
		break;
	case 'q':
		view->is_over = true;
		break;
	}
}

static void filter_key(struct view *view, int key)
{
	size_t len = strlen(view->filter);

	switch (key) {
	case VIEW_KEY_ENTER:
		view->mode = VIEW_MODE_LIST;
		break;
	case VIEW_KEY_ESCAPE:
		memcpy(view->filter, view->old_filter, sizeof(view->filter));
		view->mode = VIEW_MODE_LIST;
		break;
	case VIEW_KEY_BACKSPACE:
		if (len)
			view->filter[len - 1] = '\0';
		break;
	default:
		if (key >= ' ' && key < 0x7f && len < sizeof(view->filter) - 1) {
			view->filter[len] = (char)key;
			view->filter[len + 1] = '\0';
		} else if (move(&view->chosen, view->n, view->height, key)) {
			choose(view);
		}
	}
}

/* Details and help scroll by lines; the first line on the screen moves. */
static void text_key(struct view *view, int key)
{
	size_t n = view->text_lines > view->height ? view->text_lines - view->height + 1 : 1;

	if (move(&view->text_first, n, view->height, key))
		return;
	if (key == VIEW_KEY_ESCAPE || key == VIEW_KEY_ENTER || key == VIEW_KEY_LEFT || key == 'q' ||
	    key == 'h' || key == '?')
		view->mode = VIEW_MODE_LIST;
}

void view_key(struct view *view, int key)
{
	if (view->mode == VIEW_MODE_FILTER)
		filter_key(view, key);
	else if (common_key(view, key))
		return;
	else if (view->mode == VIEW_MODE_LIST)
		list_key(view, key);
	else
		text_key(view, key);
}
