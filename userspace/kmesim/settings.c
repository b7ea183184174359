// SPDX-License-Identifier: GPL-2.0-or-later
/* How one KME behaves: its limits, and how products differ. */
#include "settings.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/number.h"
#include "slab.h"

#define MAX_BITS	(SLAB_KEY_BYTES * 8)

/*
 * The words of a setting have the values base, base + 1, and so on. A setting takes
 * one of its words, or a number from min to max if max is not 0.
 */
static const struct {
	const char *name;
	int preset, min, max, base;
	const char *words[6];
} table[SETTING_N] = {
	[SETTING_KEY_SIZE] = { "key-size", 256, 8, MAX_BITS, 0, { NULL } },
	[SETTING_MIN_KEY_SIZE] = { "min-key-size", 64, 8, MAX_BITS, 0, { NULL } },
	[SETTING_MAX_KEY_SIZE] = { "max-key-size", MAX_BITS, 8, MAX_BITS, 0, { NULL } },
	[SETTING_MAX_KEY_COUNT] = { "max-key-count", 100000, 1, 1000000000, 0, { NULL } },
	[SETTING_MAX_KEY_PER_REQUEST] = { "max-key-per-request", 128, 1, 4096, 0, { NULL } },
	[SETTING_MAX_SAE_ID_COUNT] = { "max-sae-id-count", 0, 0, 8, 0, { NULL } },
	[SETTING_STORED_KEY_COUNT] = { "stored-key-count", STORED_TRUE, 0,
		1000000000, STORED_TRUE, { "true" } },
	[SETTING_OVER_LIMIT] = { "over-limit", OVER_LIMIT_ERROR, 0, 0, 0,
		{ "error", "short" } },
	[SETTING_DRY] = { "dry", 503, 400, 599, DRY_SHORT, { "short" } },
	[SETTING_NOT_FOUND] = { "not-found", 400, 400, 599, 0, { NULL } },
	[SETTING_PEER_DOWN] = { "peer-down", 503, 400, 599, PEER_DOWN_HANG, { "hang" } },
	[SETTING_METHODS] = { "methods", METHODS_BOTH, 0, 0, 0, { "both", "post", "get" } },
	[SETTING_IGNORE_SIZE] = { "ignore-size", 0, 0, 0, 0, { "no", "yes" } },
	[SETTING_IGNORE_QUERY] = { "ignore-query", 0, 0, 0, 0, { "no", "yes" } },
	[SETTING_KEEP_BATCHES] = { "keep-batches", 0, 0, 1000, 0, { NULL } },
	[SETTING_KEEP_MS] = { "keep-ms", 0, 0, 1000000000, 0, { NULL } },
	[SETTING_SERVE_TWICE] = { "serve-twice", 0, 0, 0, 0, { "no", "yes" } },
	[SETTING_KEY_IDS] = { "key-ids", KEY_IDS_UUID, 0, 0, 0, { "uuid", "opaque" } },
	[SETTING_ORDER] = { "order", ORDER_SAME, 0, 0, 0, { "same", "reverse" } },
	[SETTING_JSON] = { "json", JSON_IS_COMPACT, 0, 0, 0, { "compact", "pretty" } },
	[SETTING_STATUS_NUMBERS] = { "status-numbers", STATUS_NUMBERS, 0, 0, 0,
		{ "numbers", "strings" } },
	[SETTING_ERROR_BODY] = { "error-body", ERROR_BODY_MESSAGE, 0, 0, 0,
		{ "message", "detail", "text", "html", "empty" } },
	[SETTING_CONNECTION] = { "connection", CONNECTION_KEEP, 0, 0, 0,
		{ "keep", "close" } },
	[SETTING_REPEAT_KEYS] = { "repeat-keys", 0, 0, 0, 0, { "no", "yes" } },
	[SETTING_PARALLEL] = { "parallel", 0, 0, 1000, 0, { NULL } },
	[SETTING_ONE_END] = { "one-end", 0, 0, 0, 0, { "no", "yes" } },
	[SETTING_MS_PER_KEY] = { "ms-per-key", 0, 0, 60000, 0, { NULL } },
	[SETTING_DIALECT] = { "dialect", DIALECT_ETSI014, 0, 0, 0, { "etsi014", "skip" } },
	[SETTING_PSK_HASH] = { "psk-hash", PSK_HASH_SHA384, 0, 0, 0, { "sha384", "sha256" } },
	[SETTING_ENTROPY_ONLY] = { "entropy-only", 0, 0, 0, 0, { "no", "yes" } },
	[SETTING_STATUS_SAE] = { "status-sae", STATUS_SAE_ASKED, 0, 0, 0, { "asked", "partner" } },
	[SETTING_GROUPS] = { "groups", GROUPS_ANY, 0, 0, 0, { "any", "classical", "hybrid" } },
	[SETTING_SUITES] = { "suites", SUITES_ANY, 0, 0, 0, { "any", "cbc" } },
	[SETTING_TLS] = { "tls", TLS_ANY, 0, 0, 0, { "any", "1.2", "1.3" } },
};

void settings_init(struct settings *settings)
{
	size_t i;

	for (i = 0; i < SETTING_N; i++)
		settings->value[i] = table[i].preset;
}

static int refuse(size_t at, struct qlink_why *why)
{
	size_t len = 0, i;

	for (i = 0; table[at].words[i]; i++)
		len += (size_t)snprintf(why->text + len, sizeof(why->text) - len,
					"%s%s", i ? " or " : "must be ",
					table[at].words[i]);
	if (table[at].max)
		snprintf(why->text + len, sizeof(why->text) - len,
			 "%s a number from %d to %d", i ? " or" : "must be",
			 table[at].min, table[at].max);
	return -EINVAL;
}

static int set(struct settings *settings, size_t at, const char *text,
	       struct qlink_why *why)
{
	uint64_t number;
	int i;

	for (i = 0; table[at].words[i]; i++) {
		if (strcmp(text, table[at].words[i]))
			continue;
		settings->value[at] = table[at].base + i;
		return 0;
	}
	if (!table[at].max ||
	    qlink_parse_number(text, (uint64_t)table[at].min,
			       (uint64_t)table[at].max, &number, why))
		return refuse(at, why);
	settings->value[at] = (int)number;
	return 0;
}

int settings_set(struct settings *settings, const char *name, const char *text,
		 struct qlink_why *why)
{
	size_t i;

	for (i = 0; i < SETTING_N; i++)
		if (!strcmp(name, table[i].name))
			return set(settings, i, text, why);
	snprintf(why->text, sizeof(why->text), "no such setting");
	return -ENOENT;
}
