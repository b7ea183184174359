// SPDX-License-Identifier: GPL-2.0-or-later
/* The table of links with rates that "qlinkctl top" prints. */
#include "qlinkctl/agent.h"

#include <stdio.h>
#include <string.h>

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

/* The row of the link, between two statuses. */
static const char *row(json_t *now, json_t *before)
{
	static char text[1024];
	FILE *file = fmemopen(text, sizeof(text), "w");

	agent_print_top(now, before, file);
	fclose(file);
	json_decref(now);
	json_decref(before);
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
