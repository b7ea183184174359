// SPDX-License-Identifier: GPL-2.0-or-later
/* "qlinkctl top": rates, plain lines, trends, columns, and what keys do to the screen. */
#include "qlinkctl/watch/view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qlinkctl/watch/detail.h"
#include "qlinkctl/watch/plain.h"
#include "tap.h"

/* A status with one link, as qlinkd answers it. */
static json_t *status(unsigned int uptime_ms, unsigned int stock, unsigned int sent, const char *parcels)
{
	static const char format[] =
		"{\"uptime_ms\": %u, \"links\": [{\"device\": \"qlink0\", \"protection\": \"protected\", \"stock\": %u, "
		"\"period_ms\": 100, \"tx\": {\"epoch\": 7, \"source\": \"hybrid\", \"kmes\": 2, \"rekeys\": %u, \"bytes\": %u, "
		"\"sealed_bytes\": %u}, \"rx\": {\"rekeys\": 0, \"bytes\": 0, \"sealed_bytes\": 0}, \"parcels\": %s}]}";
	char text[512];
	json_t *object;

	snprintf(text, sizeof(text), format, uptime_ms, stock, sent / 100, sent * 1000, sent * 1032, parcels);
	object = json_loads(text, 0, NULL);
	CHECK(object, "%s is no JSON", text);
	return object;
}

static void take(struct table *table, json_t *object)
{
	CHECK_NUMBER("table_take()", table_take(table, object), 0);
}

/* --- plain lines --- */

/* The row of the link, between two statuses. */
static const char *row(json_t *now, json_t *before)
{
	static char text[1024];
	FILE *file = fmemopen(text, sizeof(text), "w");
	struct table table = { 0 };

	if (before)
		take(&table, before);
	take(&table, now);
	plain_print(&table, NULL, file);
	fclose(file);
	table_free(&table);
	CHECK(strchr(text, '\n'), "one line only: %s", text);
	return strchr(text, '\n') + 1;
}

TEST(rates_are_of_the_time_between_two_statuses)
{
	CHECK_TEXT("2 s, 2000 frames", row(status(3000, 90, 3000, "null"), status(1000, 100, 1000, "null")),
		   "qlink0          protected  hybrid2            7       90     -5.0       100     10.0      8.000"
		   "      8.256      -\n");
	CHECK_TEXT("the first", row(status(3000, 90, 3000, "null"), NULL),
		   "qlink0          protected  hybrid2            7       90     +0.0       100      0.0      0.000"
		   "      0.000      -\n");
	CHECK_TEXT("the agent was started anew", row(status(1000, 90, 3000, "null"), status(9000, 80, 1000, "null")),
		   "qlink0          protected  hybrid2            7       90     +0.0       100      0.0      0.000"
		   "      0.000      -\n");
	CHECK_TEXT("the device was made anew", row(status(3000, 90, 0, "null"), status(1000, 90, 9000, "null")),
		   "qlink0          protected  hybrid2            7       90     +0.0       100      0.0      0.000"
		   "      0.000      -\n");
}

/* An agent with many links reads each of them less often than it is asked. */
TEST(rates_stay_until_the_device_is_read_again)
{
	static const struct {
		unsigned int uptime_ms, read_ms, bytes;
		double mbit;
	} rows[] = {
		{ 1000, 900, 0, 0 }, { 2000, 900, 0, 0 }, { 5000, 4900, 4000000, 8 }, { 6000, 4900, 4000000, 8 },
		{ 7000, 4900, 4000000, 8 }, { 9000, 8900, 4000000, 0 }, { 9500, 9400, 5000000, 16 },
	};
	struct table table = { 0 };
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		take(&table, json_pack("{s:i, s:[{s:s, s:s, s:i, s:{s:i}}]}", "uptime_ms", rows[i].uptime_ms, "links", "device",
				       "qlink0", "protection", "protected", "read_ms", rows[i].read_ms, "tx", "bytes",
				       rows[i].bytes));
		CHECK(table.rows[0].mbit == rows[i].mbit, "after %u ms: got %g, want %g", rows[i].uptime_ms,
		      table.rows[0].mbit, rows[i].mbit);
	}
	take(&table, json_pack("{s:i, s:[{s:s, s:n}]}", "uptime_ms", 9700, "links", "device", "qlink0", "read_ms"));
	CHECK(table.rows[0].mbit == 0, "without a device: %g", table.rows[0].mbit);
	table_free(&table);
}

TEST(fill_is_that_of_the_parcels_sent_meanwhile)
{
	static const struct {
		const char *before, *now, *fill;
	} rows[] = {
		{ "{\"bytes\": 1000, \"pad_bytes\": 1000}", "{\"bytes\": 3000, \"pad_bytes\": 1500}", "  75.0\n" },
		{ "{\"bytes\": 0, \"pad_bytes\": 0}", "{\"bytes\": 1400, \"pad_bytes\": 1400}", "   0.0\n" },
		{ "{\"bytes\": 1000, \"pad_bytes\": 1000}", "{\"bytes\": 1000, \"pad_bytes\": 1000}", "     -\n" },
		/* The device was made anew. */
		{ "{\"bytes\": 9000, \"pad_bytes\": 9000}", "{\"bytes\": 1000, \"pad_bytes\": 0}", "     -\n" },
		{ "{\"bytes\": 9000, \"pad_bytes\": 0}", "null", "     -\n" },
	};
	const char *text;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		text = row(status(2000, 0, 0, rows[i].now), status(1000, 0, 0, rows[i].before));
		CHECK_TEXT(rows[i].now, text + strlen(text) - strlen(rows[i].fill), rows[i].fill);
	}
}

/* Scripts cut these lines by their columns. */
TEST(plain_headings_stay_as_they_are)
{
	char text[1024];
	FILE *file = fmemopen(text, sizeof(text), "w");
	struct table table = { 0 };

	plain_print(&table, NULL, file);
	fclose(file);
	CHECK_TEXT("headings", text, "LINK            STATE      SOURCE         EPOCH    STOCK REFILL/s PERIOD/ms "
		   "REKEYS/s     Mbit/s     SEALED FILL/%\n");
}

/* --- trends --- */

TEST(trends_are_drawn_from_0_to_the_greatest_value_shown)
{
	static const struct {
		const char *why;
		double values[6];
		unsigned int n, width;
		const char *utf8, *ascii;
	} rows[] = {
		{ "nothing yet", { 0 }, 0, 3, "   ", "   " },
		{ "blank where there was no look", { 7, 7 }, 2, 4, "  ██", "  ##" },
		{ "all 0", { 0, 0, 0 }, 3, 3, "▁▁▁", "___" },
		{ "even steps", { 1, 2, 3, 5, 6, 7 }, 6, 6, "▂▃▄▆▇█", ".:-+*#" },
		{ "a little is not 0", { 0, 1, 1000 }, 3, 3, "▁▂█", "_.#" },
		{ "only what is shown counts", { 1000, 1, 2 }, 3, 2, "▅█", "=#" },
		{ "a negative value is 0", { -5, 5 }, 2, 2, "▁█", "_#" },
	};
	char text[SPARK_BYTES(8)];
	unsigned int i, v;

	for (i = 0; i < COUNT(rows); i++) {
		struct spark spark = { .n = 0 };

		for (v = 0; v < rows[i].n; v++)
			spark_add(&spark, rows[i].values[v]);
		spark_write(&spark, rows[i].width, true, text, sizeof(text));
		CHECK_TEXT(rows[i].why, text, rows[i].utf8);
		spark_write(&spark, rows[i].width, false, text, sizeof(text));
		CHECK_TEXT(rows[i].why, text, rows[i].ascii);
	}
}

TEST(trends_forget_the_oldest_value)
{
	struct spark spark = { .n = 0 };
	char text[SPARK_BYTES(2)];
	unsigned int i;

	spark_add(&spark, 1e6);
	for (i = 0; i < SPARK_VALUES; i++)
		spark_add(&spark, i % 2 ? 7 : 0);
	CHECK_NUMBER("greatest", spark_most(&spark, SPARK_VALUES), 7);
	spark_write(&spark, 2, false, text, sizeof(text));
	CHECK_TEXT("newest", text, "_#");
}

TEST(trends_follow_a_link_that_moves_in_the_list)
{
	static const char *const lists[] = {
		"{\"uptime_ms\": 1000, \"links\": [{\"device\": \"a\", \"stock\": 1}, {\"device\": \"b\", \"stock\": 5}]}",
		"{\"uptime_ms\": 2000, \"links\": [{\"device\": \"new\"}, {\"device\": \"b\", \"stock\": 6}, {\"device\": \"a\", \"stock\": 2}]}",
	};
	struct table table = { 0 };
	size_t i;

	for (i = 0; i < COUNT(lists); i++)
		take(&table, json_loads(lists[i], 0, NULL));
	CHECK_NUMBER("links", table.n, 3);
	CHECK_NUMBER("stocks of the new link", table.rows[0].stocks.n, 1);
	CHECK_NUMBER("stocks of b", table.rows[1].stocks.n, 2);
	CHECK_NUMBER("greatest stock of b", spark_most(&table.rows[1].stocks, 9), 6);
	CHECK_NUMBER("greatest stock of a", spark_most(&table.rows[2].stocks, 9), 2);
	CHECK_NUMBER("refill of a", table.rows[2].refill, 1);
	table_free(&table);
}

/* --- columns --- */

/* The headings of the columns that fit, and how many cells they take with a blank between them. */
static const char *fitting(unsigned int width, unsigned int *taken)
{
	static char text[256];
	struct table_row link = { .device = "qlink0" };
	struct table table = { .rows = &link, .n = 1 };
	struct columns columns;
	enum column column;

	columns_fit(&columns, &table, width);
	*taken = 0;
	text[0] = '\0';
	for (column = 0; column < COLUMN_N; column++) {
		if (!columns.width[column])
			continue;
		*taken += columns.width[column] + !!*taken;
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s ", column_heading(column));
	}
	return text;
}

TEST(columns_that_matter_most_are_on_a_narrow_screen)
{
	static const struct {
		unsigned int width;
		const char *headings;
	} rows[] = {
		{ 20, "LINK STATE " },
		{ 40, "LINK STATE SOURCE STOCK " },
		{ 80, "LINK STATE SOURCE STOCK TREND PERIOD/ms Mbit/s TREND " },
		{ 120, "LINK STATE SOURCE STOCK TREND REFILL/s PERIOD/ms REKEYS/s Mbit/s TREND SEALED PEER " },
		{ 200, "LINK STATE SOURCE EPOCH STOCK TREND REFILL/s PERIOD/ms REKEYS/s Mbit/s TREND SEALED FILL/% PEER " },
	};
	unsigned int taken;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		CHECK_TEXT("headings", fitting(rows[i].width, &taken), rows[i].headings);
		CHECK(taken <= rows[i].width, "%u cells in %u", taken, rows[i].width);
	}
	for (i = 1; i < 300; i++) {
		fitting((unsigned int)i, &taken);
		CHECK(taken <= i, "%u cells in %zu", taken, i);
	}
	fitting(200, &taken);
	CHECK(taken >= 199, "trends leave %u cells empty", 200 - taken);
}

TEST(a_column_is_found_by_its_heading)
{
	enum column column;

	CHECK_NUMBER("stock", column_find("stock", &column), 0);
	CHECK_NUMBER("stock", column, COLUMN_STOCK);
	CHECK_NUMBER("mbit", column_find("mbit", &column), 0);
	CHECK_NUMBER("mbit", column, COLUMN_MBIT);
	CHECK_NUMBER("MBIT/S", column_find("MBIT/S", &column), 0);
	CHECK(column_find("trend", &column), "links cannot be sorted by a trend");
	CHECK(column_find("", &column), "nothing is not a column");
	CHECK(column_find("stockings", &column), "stockings");
}

/* --- what keys do --- */

/* Each tenth link is degraded, each hundredth blocked; the stock of qlink7 is 7. */
static json_t *many_links(unsigned int n)
{
	json_t *object = json_pack("{s:i, s:o}", "uptime_ms", 1000, "links", json_array());
	unsigned int i;
	char name[16];

	for (i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "qlink%u", i);
		json_array_append_new(json_object_get(object, "links"),
				      json_pack("{s:s, s:s, s:s, s:i}", "device", name, "peer", i < 500 ? "oslo" : "bergen",
						"protection", i % 100 == 99 ? "blocked" : i % 10 == 9 ? "degraded" : "protected",
						"stock", (int)i));
	}
	return object;
}

static struct table table;
static struct view view;

static void look_at(unsigned int n, size_t height)
{
	table_free(&table);
	view_free(&view);
	memset(&view, 0, sizeof(view));
	view.delay_ms = 1000;
	take(&table, many_links(n));
	view_resize(&view, height);
	view_update(&view, &table);
}

static void press(int key)
{
	view_key(&view, key);
	view_update(&view, &table);
	if (!view.n)
		return;
	CHECK(view.chosen < view.n, "place %zu of %zu", view.chosen, view.n);
	CHECK(view.first <= view.chosen && view.chosen < view.first + view.height,
	      "place %zu is not among %zu from %zu on", view.chosen, view.height, view.first);
	CHECK(view.n < view.height || view.first + view.height <= view.n, "empty lines below the last link");
}

static void type(const char *keys)
{
	while (*keys)
		press(*keys++);
}

static const char *chosen(void)
{
	const struct table_row *at = view_row(&view, &table);

	return at ? at->device : "(none)";
}

static void finish(void)
{
	table_free(&table);
	view_free(&view);
}

TEST(a_thousand_links_scroll)
{
	static const struct {
		int key;
		const char *chosen;
		size_t first;
		const char *why;
	} rows[] = {
		{ VIEW_KEY_UP, "qlink0", 0, "nothing is above the first" },
		{ VIEW_KEY_DOWN, "qlink1", 0, "on the same screen" },
		{ VIEW_KEY_PAGE_DOWN, "qlink19", 1, "one line of the screen before stays" },
		{ ' ', "qlink37", 19, "as page down" },
		{ VIEW_KEY_PAGE_UP, "qlink19", 19, "already on the screen" },
		{ VIEW_KEY_PAGE_UP, "qlink1", 1, "a screen up" },
		{ VIEW_KEY_PAGE_UP, "qlink0", 0, "the first" },
		{ VIEW_KEY_END, "qlink999", 981, "the last" },
		{ VIEW_KEY_DOWN, "qlink999", 981, "nothing is below it" },
		{ VIEW_KEY_PAGE_DOWN, "qlink999", 981, "nothing is below it" },
		{ 'k', "qlink998", 981, "as up" },
		{ VIEW_KEY_HOME, "qlink0", 0, "the first" },
		{ 'G', "qlink999", 981, "as end" },
		{ 'g', "qlink0", 0, "as home" },
		{ 'j', "qlink1", 0, "as down" },
	};
	size_t i;

	look_at(1000, 19);
	CHECK_NUMBER("degraded", table.n_in[TABLE_STATE_DEGRADED], 90);
	CHECK_NUMBER("blocked", table.n_in[TABLE_STATE_BLOCKED], 10);
	for (i = 0; i < COUNT(rows); i++) {
		press(rows[i].key);
		CHECK_TEXT(rows[i].why, chosen(), rows[i].chosen);
		CHECK_NUMBER(rows[i].why, view.first, rows[i].first);
	}
	finish();
}

TEST(a_screen_of_any_height_has_the_chosen_link)
{
	static const size_t heights[] = { 1, 2, 19, 999, 1000, 5000, 3 };
	size_t i;

	look_at(1000, 19);
	press(VIEW_KEY_END);
	for (i = 0; i < COUNT(heights); i++) {
		view_resize(&view, heights[i]);
		press(VIEW_KEY_UP);
		press(VIEW_KEY_PAGE_UP);
		press(VIEW_KEY_PAGE_DOWN);
	}
	view_resize(&view, 0);
	view_update(&view, &table);
	CHECK(view_row(&view, &table), "no link is chosen without a line");
	finish();
}

TEST(sorting_keeps_the_chosen_link)
{
	look_at(1000, 19);
	type("jj");
	CHECK_TEXT("chosen", chosen(), "qlink2");
	press(VIEW_KEY_RIGHT);
	CHECK_NUMBER("sorted by", view.sort, COLUMN_STATE);
	CHECK_TEXT("chosen", chosen(), "qlink2");
	CHECK_NUMBER("after the blocked and degraded ones", view.chosen, 102);
	press('g');
	CHECK_TEXT("the worst, by name", chosen(), "qlink99");
	while (view.sort != COLUMN_STOCK)
		press('>');
	CHECK(view.first + view.height > view.chosen, "on the screen");
	press('g');
	CHECK_TEXT("the greatest stock", chosen(), "qlink999");
	press('r');
	CHECK_TEXT("the first place stays chosen", chosen(), "qlink0");
	press('j');
	press('r');
	CHECK_TEXT("still chosen", chosen(), "qlink1");
	CHECK_NUMBER("the last but one now", view.chosen, 998);
	press('r');
	while (view.sort != COLUMN_LINK)
		press(VIEW_KEY_LEFT);
	CHECK(!view.is_reversed, "another column begins in its own order");
	CHECK_TEXT("second by number", table.rows[view.order[2]].device, "qlink2");
	finish();
}

TEST(a_filter_lists_what_matches)
{
	look_at(1000, 19);
	type("/Ink99");
	CHECK_NUMBER("listed while it is typed", view.n, 11);
	CHECK_TEXT("chosen", chosen(), "qlink99");
	type("q");
	CHECK_NUMBER("a q is a letter here", view.n, 0);
	CHECK(!view.is_over, "it does not end the program");
	CHECK_TEXT("chosen", chosen(), "(none)");
	press(VIEW_KEY_BACKSPACE);
	press(VIEW_KEY_ENTER);
	CHECK_NUMBER("mode", view.mode, VIEW_MODE_LIST);
	CHECK_NUMBER("listed", view.n, 11);
	type("/x");
	press(VIEW_KEY_ESCAPE);
	CHECK_TEXT("given up", view.filter, "Ink99");
	press(VIEW_KEY_ESCAPE);
	CHECK_NUMBER("without a filter", view.n, 1000);
	type("/bergen");
	press(VIEW_KEY_ENTER);
	CHECK_NUMBER("of this peer", view.n, 500);
	type("!");
	CHECK_NUMBER("that have a problem", view.n, 50);
	press(VIEW_KEY_ESCAPE);
	CHECK_NUMBER("all", view.n, 1000);
	type("/0123456789012345678901234567890123456789012345678901234567890");
	CHECK_NUMBER("a long filter is cut off", strlen(view.filter), VIEW_FILTER_BYTES - 1);
	finish();
}

TEST(details_stay_with_their_link)
{
	json_t *next = many_links(1000);

	look_at(1000, 19);
	type("!");
	CHECK_TEXT("a problem", chosen(), "qlink9");
	press(VIEW_KEY_ENTER);
	CHECK_NUMBER("mode", view.mode, VIEW_MODE_DETAIL);
	json_object_set_new(json_array_get(json_object_get(next, "links"), 9), "protection", json_string("protected"));
	take(&table, next);
	view_update(&view, &table);
	CHECK_TEXT("it has recovered", chosen(), "qlink9");
	CHECK_NUMBER("mode", view.mode, VIEW_MODE_DETAIL);
	press('q');
	CHECK_NUMBER("mode", view.mode, VIEW_MODE_LIST);
	CHECK(!view.is_over, "q leaves the details first");
	CHECK_TEXT("the problem at its place", chosen(), "qlink19");
	press(VIEW_KEY_ENTER);
	take(&table, many_links(10));
	view_update(&view, &table);
	CHECK_NUMBER("the link is gone", view.mode, VIEW_MODE_LIST);
	press('q');
	CHECK(view.is_over, "q ends it");
	finish();
}

TEST(long_text_scrolls_by_lines)
{
	look_at(3, 19);
	press('h');
	view.text_lines = 24;
	press(VIEW_KEY_UP);
	CHECK_NUMBER("top", view.text_first, 0);
	press(VIEW_KEY_END);
	CHECK_NUMBER("the last line is at the bottom", view.text_first, 5);
	press(VIEW_KEY_DOWN);
	CHECK_NUMBER("end", view.text_first, 5);
	press('?');
	CHECK_NUMBER("mode", view.mode, VIEW_MODE_LIST);
	finish();
}

TEST(the_delay_has_limits)
{
	unsigned int i;

	look_at(3, 19);
	press('p');
	CHECK(view.is_paused, "paused");
	press('p');
	CHECK(!view.is_paused, "not paused");
	for (i = 0; i < 40; i++)
		press('-');
	CHECK(view.delay_ms >= VIEW_DELAY_LEAST_MS, "%u ms", view.delay_ms);
	for (i = 0; i < 40; i++)
		press('+');
	CHECK(view.delay_ms <= VIEW_DELAY_MOST_MS, "%u ms", view.delay_ms);
	finish();
}

/* --- details --- */

TEST(details_have_what_the_status_says)
{
	static const char text[] =
		"{\"uptime_ms\": 1000, \"peers\": [{\"name\": \"site-b\", \"connected\": false, \"why\": \"refused: the certificate of the peer is not signed by the CA of the configuration\"}], \"links\": ["
		"{\"device\": \"qlink0\", \"id\": 7, \"peer\": \"site-b\", \"policy\": \"pqc-only\", \"phase\": \"no-peer\", "
		"\"protection\": \"blocked\", \"why\": \"no keys\", \"stock\": 3, \"usable\": 2, "
		"\"tx\": {\"epoch\": 5, \"source\": \"qkd\", \"kmes\": 3, \"staged\": 4}, "
		"\"kmes\": [{\"name\": \"rack\", \"health\": \"down\", \"why\": \"timed out\", \"stock\": 3, \"counters\": {\"hung\": 2, \"other\": 0}}], "
		"\"counters\": {\"sessions\": 1, \"tx_keys\": {}, \"violations\": 0}}]}";
	static const char *const parts[] = {
		"link         qlink0 to site-b, id 7\n", "state        blocked, agreement no-peer\n             no keys\n",
		"peer         site-b, not connected\n             refused: the certificate of the peer is not\n"
		"             signed by the CA of the configuration\n", "tx           epoch 5 qkd3, 0 ms old, 4 staged\n",
		"stock        3 QKD keys, 2 of them usable now", "kme          rack is down, 3 keys in stock\n             timed out\n",
		"             hung 2\n", "counters     sessions 1\n", "     #\n",
	};
	char got[8192] = "";
	FILE *file = fmemopen(got, sizeof(got), "w");
	struct table one = { 0 };
	size_t i;

	take(&one, json_loads(text, 0, NULL));
	detail_print(&one, &one.rows[0], 56, false, file);
	fclose(file);
	for (i = 0; i < COUNT(parts); i++)
		CHECK(strstr(got, parts[i]), "\"%s\" is not in:\n%s", parts[i], got);
	CHECK(!strstr(got, "other 0") && !strstr(got, "violations"), "counters that are 0:\n%s", got);
	table_free(&one);
}
