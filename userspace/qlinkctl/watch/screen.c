// SPDX-License-Identifier: GPL-2.0-or-later
/* The terminal: draws a view with ncurses, and reads keys. */
#include "screen.h"

#include <curses.h>
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <wchar.h>
#include <wctype.h>

#include <term.h>
/* It has macros for the names of capabilities. */
#undef columns

#include "detail.h"
#include "members.h"

/* Two lines above the headings, two below the list. */
#define LIST_Y		3
#define FOOT		2
#define LINE_BYTES	1024
/* How long a lone Escape waits for the rest of a key's sequence. */
#define ESCAPE_MS	25
#define EXPIRY_DAYS	30

enum pair {
	PAIR_PROTECTED = 1,
	PAIR_DEGRADED,
	PAIR_BLOCKED,
};

static SCREEN *terminal;
static bool has_utf8, has_colour;

/* --- start and end --- */

static void use_colours(void)
{
	const char *no_color = getenv("NO_COLOR");

	has_colour = has_colors() && !(no_color && *no_color) && start_color() != ERR;
	if (!has_colour)
		return;
	use_default_colors();
	init_pair(PAIR_PROTECTED, COLOR_GREEN, -1);
	init_pair(PAIR_DEGRADED, COLOR_YELLOW, -1);
	init_pair(PAIR_BLOCKED, COLOR_RED, -1);
}

int screen_open(struct qlink_why *why)
{
	const char *name = getenv("TERM");
	const char *move;

	/* Not LC_NUMERIC: a point stays a point. */
	setlocale(LC_CTYPE, "");
	has_utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8");
	terminal = newterm(NULL, stdout, stdin);
	move = terminal ? tigetstr("cup") : NULL;
	if (!move || move == (char *)-1) {
		screen_close();
		return qlink_refuse(why, -ENOTTY, "TERM \"%s\": not a terminal with a cursor that moves; "
				    "\"qlinkctl top -b\" prints plain lines", name ? name : "");
	}
	set_escdelay(ESCAPE_MS);
	cbreak();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	curs_set(0);
	use_colours();
	return 0;
}

void screen_close(void)
{
	if (!terminal)
		return;
	endwin();
	delscreen(terminal);
	terminal = NULL;
}

/* --- keys --- */

static const struct {
	int curses, key;
} keys[] = {
	{ KEY_UP, VIEW_KEY_UP }, { KEY_DOWN, VIEW_KEY_DOWN }, { KEY_LEFT, VIEW_KEY_LEFT },
	{ KEY_RIGHT, VIEW_KEY_RIGHT }, { KEY_PPAGE, VIEW_KEY_PAGE_UP }, { KEY_NPAGE, VIEW_KEY_PAGE_DOWN },
	{ KEY_HOME, VIEW_KEY_HOME }, { KEY_END, VIEW_KEY_END }, { KEY_ENTER, VIEW_KEY_ENTER },
	{ '\r', VIEW_KEY_ENTER }, { '\n', VIEW_KEY_ENTER }, { 27, VIEW_KEY_ESCAPE },
	{ KEY_BACKSPACE, VIEW_KEY_BACKSPACE }, { 127, VIEW_KEY_BACKSPACE }, { '\b', VIEW_KEY_BACKSPACE },
};

static size_t list_height(void)
{
	return LINES > LIST_Y + FOOT ? (size_t)(LINES - LIST_Y - FOOT) : 0;
}

int screen_key(struct view *view)
{
	int got = getch();
	size_t i;

	if (got == ERR)
		return -1;
	if (got == KEY_RESIZE)
		view_resize(view, list_height());
	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (keys[i].curses == got)
			return keys[i].key;
	}
	return got < KEY_MIN ? got : VIEW_KEY_OTHER;
}

/* --- lines --- */

/* Characters of a text in the locale's encoding; where it is not valid, each other byte is a question mark. */
static size_t decode(const char *text, wchar_t *to, size_t room)
{
	mbstate_t state = { 0 };
	size_t n = 0, got;

	while (*text && n < room) {
		got = mbrtowc(&to[n], text, strlen(text), &state);
		if (got == 0 || got > strlen(text)) {
			memset(&state, 0, sizeof(state));
			to[n] = L'?';
			got = 1;
		}
		/* What comes from elsewhere must not move the cursor. */
		if (!iswprint((wint_t)to[n]) || wcwidth(to[n]) < 1)
			to[n] = L'?';
		text += got;
		n++;
	}
	return n;
}

/* Write text at a place, cut off at the right of the screen; return where it ends. */
__attribute__((format(printf, 3, 4)))
static int put(int y, int x, const char *format, ...)
{
	char text[LINE_BYTES];
	wchar_t wide[LINE_BYTES];
	int cells = 0;
	va_list ap;
	size_t n, i;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	if (y < 0 || y >= LINES || x < 0 || x >= COLS)
		return x;
	n = decode(text, wide, LINE_BYTES);
	for (i = 0; i < n && x + cells + wcwidth(wide[i]) <= COLS; i++)
		cells += wcwidth(wide[i]);
	mvaddnwstr(y, x, wide, (int)i);
	return x + cells;
}

static attr_t attribute_of(enum table_state state)
{
	static const attr_t plain[] = { A_NORMAL, A_BOLD, A_BOLD, A_BOLD };
	static const short pairs[] = { PAIR_PROTECTED, PAIR_DEGRADED, PAIR_BLOCKED, PAIR_BLOCKED };

	return plain[state] | (has_colour ? COLOR_PAIR(pairs[state]) : 0);
}

static void put_time(char *to, size_t size, long long seconds)
{
	if (seconds >= 86400)
		snprintf(to, size, "%lld d %lld h", seconds / 86400, seconds % 86400 / 3600);
	else if (seconds >= 3600)
		snprintf(to, size, "%lld h %lld min", seconds / 3600, seconds % 3600 / 60);
	else
		snprintf(to, size, "%lld min %lld s", seconds / 60, seconds % 60);
}

/* --- head --- */

static void draw_summary(const struct table *table)
{
	enum table_state state;
	char up[40];
	int x;

	put_time(up, sizeof(up), member_number(table->status, "uptime_ms") / 1000);
	x = put(0, 0, "agent %s, up %s; %zu link%s:", member_text(table->status, "name", "?"), up, table->n,
	    table->n == 1 ? "" : "s");
	for (state = 0; state < TABLE_STATE_N; state++) {
		if (!table->n_in[state])
			continue;
		attron(attribute_of(state));
		x = put(0, x, " %zu %s", table->n_in[state], table_state_name(state));
		attroff(attribute_of(state));
	}
}

static size_t count_connected(const json_t *peers)
{
	const json_t *peer;
	size_t i, n = 0;

	json_array_foreach(peers, i, peer)
		n += json_is_true(json_object_get(peer, "connected"));
	return n;
}

/* When the first certificate expires, in days; %LLONG_MAX without any. */
static long long days_left(const json_t *status)
{
	long long first = 0, at;
	const json_t *item;
	size_t i;

	json_array_foreach(json_object_get(status, "certificates"), i, item) {
		at = member_number(item, "not_after");
		if (at && (!first || at < first))
			first = at;
	}
	return first ? (first - (long long)time(NULL)) / 86400 : EXPIRY_DAYS;
}

/* What the user would want to know first: that this is old, then what is wrong besides links. */
static void draw_news(const struct view *view, const struct table *table, const char *trouble)
{
	const json_t *peers = json_object_get(table->status, "peers");
	const char *audit = member_text(json_object_get(table->status, "audit"), "why", NULL);
	long long days = days_left(table->status);
	int x;

	if (trouble) {
		attron(A_REVERSE);
		put(1, 0, "%s; trying again", trouble);
		attroff(A_REVERSE);
		return;
	}
	x = put(1, 0, "%zu of %zu peer%s connected; every %g s%s", count_connected(peers), json_array_size(peers),
		json_array_size(peers) == 1 ? "" : "s", view->delay_ms / 1000.0, view->is_paused ? ", PAUSED" : "");
	attron(attribute_of(TABLE_STATE_DEGRADED));
	if (audit)
		put(1, x, "; audit log: %s", audit);
	else if (days < 0)
		put(1, x, "; a certificate has expired");
	else if (days < EXPIRY_DAYS)
		put(1, x, "; a certificate expires in %lld d", days);
	attroff(attribute_of(TABLE_STATE_DEGRADED));
}

/* --- list --- */

static void draw_headings(const struct view *view, const struct columns *columns)
{
	enum column column;
	int x = 0;

	attron(A_REVERSE);
	put(LIST_Y - 1, 0, "%*s", COLS, "");
	for (column = 0; column < COLUMN_N; column++) {
		const char *heading = column_heading(column);
		int width = (int)columns->width[column];

		if (!width)
			continue;
		if (column == view->sort)
			attron(A_BOLD | A_UNDERLINE);
		put(LIST_Y - 1, x + (column_is_right(column) ? width - (int)strlen(heading) : 0), "%s", heading);
		attroff(A_BOLD | A_UNDERLINE);
		x += width + 1;
	}
	attroff(A_REVERSE);
}

static void draw_trend(int y, int x, const struct spark *spark, unsigned int width)
{
	char bars[SPARK_BYTES(SPARK_VALUES)];

	spark_write(spark, width, has_utf8, bars, sizeof(bars));
	put(y, x, "%s", bars);
}

static void draw_cell(int y, int x, enum column column, unsigned int width, const struct table_row *row)
{
	char text[COLUMN_TEXT];

	if (column == COLUMN_STOCK_TREND || column == COLUMN_MBIT_TREND) {
		draw_trend(y, x, column == COLUMN_STOCK_TREND ? &row->stocks : &row->rates, width);
		return;
	}
	column_text(column, row, text);
	if (column_is_right(column))
		put(y, x, "%*.*s", (int)width, (int)width, text);
	else
		put(y, x, "%-*.*s", (int)width, (int)width, text);
}

static void draw_row(int y, const struct columns *columns, const struct table_row *row, bool is_chosen)
{
	enum column column;
	attr_t attribute;
	int x = 0;

	if (is_chosen) {
		attron(A_REVERSE);
		put(y, 0, "%*s", COLS, "");
	}
	for (column = 0; column < COLUMN_N; column++) {
		if (!columns->width[column])
			continue;
		attribute = column == COLUMN_STATE && !is_chosen ? attribute_of(row->state) : 0;
		attron(attribute);
		draw_cell(y, x, column, columns->width[column], row);
		attroff(attribute);
		x += (int)columns->width[column] + 1;
	}
	attroff(A_REVERSE);
}

static void draw_list(const struct view *view, const struct table *table)
{
	struct columns columns;
	size_t i;

	columns_fit(&columns, table, (unsigned int)COLS);
	draw_headings(view, &columns);
	for (i = 0; i < view->height && view->first + i < view->n; i++)
		draw_row(LIST_Y + (int)i, &columns, &table->rows[view->order[view->first + i]],
			 view->first + i == view->chosen);
	if (!view->n)
		put(LIST_Y, 0, "%s", table->n ? "no link matches; Esc lists all of them" : "the agent has no links");
}

/* --- text --- */

static const char help[] =
"Up, Down, k, j      choose a link; in text, scroll\n"
"PgUp, PgDn, Space   a screen up or down\n"
"Home, End, g, G     the first, the last\n"
"Enter               all about the chosen link; Esc goes back\n"
"/                   filter by device, peer, state or source; Esc removes it\n"
"!                   only links that are not protected\n"
"Left, Right, <, >   sort by another column, which is underlined\n"
"r                   reverse the order\n"
"p                   pause\n"
"+, -                double or halve the time between two looks\n"
"q, Ctrl-C           quit\n"
"\n"
"STATE      protected: sealed under the best source that the link accepts\n"
"           degraded: sealed, but not as well as that\n"
"           blocked: no frame leaves\n"
"SOURCE     of the key that seals: hybrid, qkd, pqc or static\n"
"STOCK      QKD keys in stock; REFILL/s, how many more or fewer each second\n"
"PERIOD/ms  how long each key is to be used\n"
"REKEYS/s   keys replaced, in both directions\n"
"Mbit/s     plaintext of both directions; SEALED, the same in sealed frames\n"
"FILL/%     how much of the parcels was not padding\n"
"TREND      of the column at its left; each bar is one look, its scale begins at 0\n";

/* Draw the lines of a text that are on the screen. */
static void draw_text(struct view *view, char *text)
{
	char *line, *rest = text;
	size_t n = 0;

	while ((line = strsep(&rest, "\n")) && (rest || *line)) {
		if (n >= view->text_first && n - view->text_first < view->height)
			put(LIST_Y + (int)(n - view->text_first), 0, "%s", line);
		n++;
	}
	view->text_lines = n;
}

static void draw_detail(struct view *view, const struct table *table)
{
	const struct table_row *row = view_row(view, table);
	char *text = NULL;
	size_t size;
	FILE *to = row ? open_memstream(&text, &size) : NULL;

	if (!to)
		return;
	detail_print(table, row, (unsigned int)COLS, has_utf8, to);
	if (!fclose(to))
		draw_text(view, text);
	free(text);
}

static void draw_help(struct view *view)
{
	char text[sizeof(help)];

	memcpy(text, help, sizeof(help));
	draw_text(view, text);
}

/* --- foot --- */

/* Where in the list or the text this is. */
static void draw_place(const struct view *view, const struct table *table)
{
	bool is_text = view->mode == VIEW_MODE_DETAIL || view->mode == VIEW_MODE_HELP;
	size_t n = is_text ? view->text_lines : view->n, first = is_text ? view->text_first : view->first;
	size_t last = first + view->height < n ? first + view->height : n;
	char text[80];

	snprintf(text, sizeof(text), " %zu-%zu of %zu%s", n ? first + 1 : 0, last, n,
		 !is_text && view->n < table->n ? " matching" : "");
	put(LINES - 2, COLS - (int)strlen(text), "%s", text);
}

/* The problem of the chosen link, if it has one. */
static void draw_chosen(const struct view *view, const struct table *table)
{
	const struct table_row *row = view_row(view, table);
	const char *why = row ? member_text(row->link, "why", NULL) : NULL;

	if (!row)
		return;
	attron(attribute_of(row->state));
	put(LINES - 2, 0, "%s to %s: %s, agreement %s%s%s", row->device, row->peer, table_state_name(row->state),
	    member_text(row->link, "phase", "?"), why ? ": " : "", why ? why : "");
	attroff(attribute_of(row->state));
}

static void draw_foot(const struct view *view, const struct table *table)
{
	int y = LINES - 1;

	draw_chosen(view, table);
	draw_place(view, table);
	switch (view->mode) {
	case VIEW_MODE_FILTER:
		put(y, 0, "filter: %s_   Enter keeps it, Esc does not", view->filter);
		break;
	case VIEW_MODE_LIST:
		put(y, 0, "q quit  Enter details  / filter%s%s  < > sort by  r reverse  ! problems%s  h help",
		    view->filter[0] ? " " : "", view->filter, view->only_problems ? " only" : "");
		break;
	case VIEW_MODE_DETAIL:
	case VIEW_MODE_HELP:
		put(y, 0, "Esc back  Up Down PgUp PgDn scroll  p pause");
	}
}

/* --- all --- */

void screen_draw(struct view *view, const struct table *table, const char *trouble)
{
	view_resize(view, list_height());
	erase();
	if (LINES <= LIST_Y + FOOT || COLS < 20) {
		put(0, 0, "too small: q quits");
		refresh();
		return;
	}
	if (table->status)
		draw_summary(table);
	draw_news(view, table, trouble);
	if (view->mode == VIEW_MODE_DETAIL)
		draw_detail(view, table);
	else if (view->mode == VIEW_MODE_HELP)
		draw_help(view);
	else if (table->status)
		draw_list(view, table);
	draw_foot(view, table);
	refresh();
}
