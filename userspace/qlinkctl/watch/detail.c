// SPDX-License-Identifier: GPL-2.0-or-later
/* All that the status says of one link, as text for a screen. */
#include "detail.h"

#include <string.h>

#include "members.h"

/* What stands left of all values. */
#define LABEL		13
/* Values have at least so much room, however narrow the screen is. */
#define VALUE_LEAST	20

static const char *yes_no(const json_t *object, const char *name)
{
	return json_is_true(json_object_get(object, name)) ? "yes" : "no";
}

/* The problem of something, on lines of its own that end at blanks; nothing without a problem. */
static void print_why(const json_t *object, unsigned int width, FILE *to)
{
	size_t room = width > LABEL + VALUE_LEAST ? width - LABEL : VALUE_LEAST, len;
	const char *why = member_text(object, "why", "");

	while (*why) {
		len = strlen(why);
		if (len > room) {
			for (len = room; len && why[len] != ' '; len--)
				;
			if (!len)
				len = room;
		}
		fprintf(to, "%*s%.*s\n", LABEL, "", (int)len, why);
		why += len;
		why += strspn(why, " ");
	}
}

static void print_peer(const json_t *status, const char *name, unsigned int width, FILE *to)
{
	const json_t *peer;
	size_t i;

	json_array_foreach(json_object_get(status, "peers"), i, peer) {
		if (strcmp(member_text(peer, "name", ""), name))
			continue;
		fprintf(to, "peer         %s, %s\n", name,
			json_is_true(json_object_get(peer, "connected")) ? "connected" : "not connected");
		print_why(peer, width, to);
	}
}

static void print_terms(const json_t *link, FILE *to)
{
	fprintf(to, "policy       %s here, %s at the peer\n", member_text(link, "policy", "?"),
		member_text(link, "peer_policy", "unknown"));
	fprintf(to, "             suite %lld, psk %s, chain-required %s\n", member_number(link, "suite"), yes_no(link, "psk"), yes_no(link, "chain_required"));
	if (json_is_true(json_object_get(link, "mix")))
		fprintf(to, "mix          at least %lld KMEs in a key\n", member_number(link, "mix_least"));
	fprintf(to, "new keys     %s, each used for %lld ms\n", member_text(link, "source", "none"),
		member_number(link, "period_ms"));
}

static void print_ring(const char *name, const json_t *ring, FILE *to)
{
	char source[QLINK_SOURCE_TEXT];

	fprintf(to, "%s           epoch %lld %s, %lld ms old, %lld staged\n", name, member_number(ring, "epoch"),
		member_source(ring, "(none)", source), member_number(ring, "age_ms"), member_number(ring, "staged"));
	fprintf(to, "             %lld rekeys, %lld frames, %lld bytes\n", member_number(ring, "rekeys"),
		member_number(ring, "frames"), member_number(ring, "bytes"));
}

/* A line of figures, and below it the bars with the greatest value that they show. */
static void print_trend(const char *label, const struct spark *spark, unsigned int width, bool utf8, FILE *to)
{
	unsigned int cells = width > LABEL + VALUE_LEAST ? width - LABEL : VALUE_LEAST;
	char bars[SPARK_BYTES(SPARK_VALUES)];

	if (cells > SPARK_VALUES)
		cells = SPARK_VALUES;
	spark_write(spark, cells, utf8, bars, sizeof(bars));
	fprintf(to, "%-*s%s\n", LABEL, label, bars);
	fprintf(to, "%-*sthe highest bar is %.6g\n", LABEL, "", spark_most(spark, cells));
}

static void print_counters(const char *label, const json_t *counters, FILE *to)
{
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)counters, name, value) {
		if (!json_integer_value(value))
			continue;
		fprintf(to, "%-*s%s %lld\n", LABEL, label, name, (long long)json_integer_value(value));
		label = "";
	}
}

static void print_kme(const json_t *kme, unsigned int width, FILE *to)
{
	const json_t *tls = json_object_get(kme, "tls");

	fprintf(to, "kme          %s is %s, %lld keys in stock\n", member_text(kme, "name", "?"),
		member_text(kme, "health", "?"), member_number(kme, "stock"));
	print_why(kme, width, to);
	if (json_is_object(tls))
		fprintf(to, "             TLS %s, %s, %s, with %s\n", member_text(tls, "version", "?"),
			member_text(tls, "group", "?"), member_text(tls, "suite", "?"), member_text(tls, "subject", "?"));
	print_counters("", json_object_get(kme, "counters"), to);
}

void detail_print(const struct table *table, const struct table_row *row, unsigned int width, bool utf8, FILE *to)
{
	const json_t *link = row->link, *kme;
	size_t i;

	fprintf(to, "link         %s to %s, id %lld\n", row->device, row->peer, member_number(link, "id"));
	fprintf(to, "state        %s, agreement %s\n", table_state_name(row->state), member_text(link, "phase", "?"));
	print_why(link, width, to);
	print_peer(table->status, row->peer, width, to);
	print_terms(link, to);
	print_ring("tx", json_object_get(link, "tx"), to);
	print_ring("rx", json_object_get(link, "rx"), to);
	fprintf(to, "rates        %.3f Mbit/s, %.3f sealed; %.1f rekeys/s\n", row->mbit, row->sealed_mbit, row->rekeys);
	if (row->fill >= 0)
		fprintf(to, "parcels      %.1f %% full\n", row->fill);
	print_trend("Mbit/s", &row->rates, width, utf8, to);
	fprintf(to, "stock        %lld QKD keys, %lld of them usable now; %+.1f/s\n", row->stock,
		member_number(link, "usable"), row->refill);
	print_trend("stock", &row->stocks, width, utf8, to);
	json_array_foreach(json_object_get(link, "kmes"), i, kme)
		print_kme(kme, width, to);
	print_counters("counters", json_object_get(link, "counters"), to);
}
