// SPDX-License-Identifier: GPL-2.0-or-later
/* Messages of etcd's JSON gateway: what we ask, and what it answers. */
#include "gateway.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <openssl/evp.h>

#include "common/number.h"

/* ---- base64 and numbers ---- */

/* The value of a member in base64. */
static json_t *encoded(const char *text)
{
	size_t len = strlen(text), room = (len + 2) / 3 * 4 + 1;
	char *base64 = malloc(room);
	json_t *value;

	if (!base64 || len > INT32_MAX / 2) {
		free(base64);
		return NULL;
	}
	EVP_EncodeBlock((unsigned char *)base64, (const unsigned char *)text, (int)len);
	value = json_string(base64);
	free(base64);
	return value;
}

/* What is in base64, with a NUL behind it; NULL if it is not base64, or without memory. */
static char *decoded(const json_t *value, size_t *len)
{
	const char *base64 = json_string_value(value) ?: "";
	size_t n = json_is_string(value) ? json_string_length(value) : 0;
	char *text = n % 4 || n > INT32_MAX ? NULL : malloc(n / 4 * 3 + 1);
	int got;

	if (!text)
		return NULL;
	got = EVP_DecodeBlock((unsigned char *)text, (const unsigned char *)base64, (int)n);
	if (got < 0) {
		free(text);
		return NULL;
	}
	/* It counts the zeros that fill the last group. */
	*len = (size_t)got - (n && base64[n - 1] == '=') - (n && base64[n - 2] == '=');
	text[*len] = '\0';
	return text;
}

/* A 64-bit number, which is a text; 0 if it is left out. */
static uint64_t number_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	struct qlink_why why;
	uint64_t number = 0;

	if (text && qlink_parse_number(text, 0, UINT64_MAX, &number, &why))
		return 0;
	return number;
}

static json_t *number_text(uint64_t number)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, number);
	return json_string(text);
}

/* Takes the reference, also of NULL. */
static char *body_of(json_t *message)
{
	char *text = message ? json_dumps(message, JSON_COMPACT) : NULL;

	json_decref(message);
	return text;
}

static json_t *parse(const char *text, size_t len, struct qlink_why *why)
{
	json_error_t error;
	json_t *message = json_loadb(text, len, 0, &error);

	if (!json_is_object(message)) {
		json_decref(message);
		message = NULL;
		qlink_refuse(why, -EBADMSG, "etcd's answer is not JSON: %.60s", error.text);
	}
	return message;
}

/* ---- keys and documents ---- */

static char *join(const char *prefix, const char *middle, const char *name)
{
	char *key;

	return asprintf(&key, "%s%s%s", prefix, middle, name) < 0 ? NULL : key;
}

int gateway_keys_make(struct gateway_keys *keys, const char *prefix, const char *site)
{
	keys->common = join(prefix, "/common", "");
	keys->site = join(prefix, "/sites/", site);
	keys->status = join(prefix, "/status/", site);
	return keys->common && keys->site && keys->status ? 0 : -ENOMEM;
}

void gateway_keys_free(struct gateway_keys *keys)
{
	free(keys->common);
	free(keys->site);
	free(keys->status);
	memset(keys, 0, sizeof(*keys));
}

static void forget(struct document *document)
{
	free(document->text);
	memset(document, 0, sizeof(*document));
}

void gateway_documents_free(struct documents *documents)
{
	forget(&documents->common);
	forget(&documents->site);
	memset(documents, 0, sizeof(*documents));
}

/* Takes a key and its value as etcd gives them. */
static int take_document(struct document *document, const json_t *kv, struct qlink_why *why)
{
	const json_t *value = json_object_get(kv, "value");
	size_t len = 0;
	char *text = value ? decoded(value, &len) : strdup("");

	if (!text)
		return qlink_refuse(why, -EBADMSG, "etcd's answer has a value that is not base64");
	forget(document);
	*document = (struct document){ .text = text, .len = len, .revision = number_of(kv, "mod_revision") };
	return 0;
}

/* ---- reading both ---- */

static json_t *range(const char *key)
{
	return json_pack("{s:{s:o}}", "requestRange", "key", encoded(key));
}

char *gateway_load(const struct gateway_keys *keys)
{
	return body_of(json_pack("{s:[o,o]}", "success", range(keys->common), range(keys->site)));
}

static int take_range(struct document *document, const json_t *responses, size_t i, struct qlink_why *why)
{
	const json_t *range_of = json_object_get(json_array_get(responses, i), "response_range");

	if (!json_is_object(range_of))
		return qlink_refuse(why, -EBADMSG, "etcd's answer lacks range %zu", i);
	if (!json_array_size(json_object_get(range_of, "kvs")))
		return 0;
	return take_document(document, json_array_get(json_object_get(range_of, "kvs"), 0), why);
}

int gateway_loaded(const char *text, size_t len, struct documents *documents, struct qlink_why *why)
{
	json_t *message = parse(text, len, why);
	const json_t *header = json_object_get(message, "header");
	struct documents loaded = {
		.cluster = number_of(header, "cluster_id"),
		.revision = number_of(header, "revision"),
	};
	int err;

	if (!message)
		return -EBADMSG;
	err = take_range(&loaded.common, json_object_get(message, "responses"), 0, why) ?:
	      take_range(&loaded.site, json_object_get(message, "responses"), 1, why);
	if (!err && (!loaded.cluster || !loaded.revision))
		err = qlink_refuse(why, -EBADMSG, "etcd's answer lacks cluster_id or revision");
	json_decref(message);
	if (err) {
		gateway_documents_free(&loaded);
		return err;
	}
	gateway_documents_free(documents);
	*documents = loaded;
	return 0;
}

/* ---- the watch ---- */

static char *watch_one(const char *key, uint64_t revision)
{
	return body_of(json_pack("{s:{s:o,s:o}}", "create_request", "key", encoded(key), "start_revision",
				 number_text(revision)));
}

/* Two requests, one after the other: etcd serves both in one stream. */
char *gateway_watch(const struct gateway_keys *keys, uint64_t revision)
{
	char *common = watch_one(keys->common, revision), *site = watch_one(keys->site, revision), *both = NULL;

	if (common && site && asprintf(&both, "%s\n%s", common, site) < 0)
		both = NULL;
	free(common);
	free(site);
	return both;
}

static int take_event(const json_t *event, const struct gateway_keys *keys, struct documents *documents,
		      bool *is_changed, struct qlink_why *why)
{
	const char *type = json_string_value(json_object_get(event, "type")) ?: "PUT";
	const json_t *kv = json_object_get(event, "kv");
	struct document *document = NULL;
	size_t len;
	char *key = decoded(json_object_get(kv, "key"), &len);
	int err = 0;

	if (key && !strcmp(key, keys->common))
		document = &documents->common;
	else if (key && !strcmp(key, keys->site))
		document = &documents->site;
	free(key);
	if (!document)
		return 0;
	if (!strcmp(type, "DELETE"))
		forget(document);
	else
		err = take_document(document, kv, why);
	if (!err)
		*is_changed = true;
	return err;
}

static int take_result(const json_t *result, const struct gateway_keys *keys, struct documents *documents,
		       bool *is_changed, struct qlink_why *why)
{
	const json_t *events = json_object_get(result, "events"), *event;
	const char *reason = json_string_value(json_object_get(result, "cancel_reason"));
	uint64_t compacted = number_of(result, "compact_revision");
	uint64_t revision = number_of(json_object_get(result, "header"), "revision");
	size_t i;
	int err = 0;

	if (compacted)
		return qlink_refuse(why, -ECANCELED, "etcd has compacted what came before revision %" PRIu64, compacted);
	if (json_is_true(json_object_get(result, "canceled")))
		return qlink_refuse(why, -ECANCELED, "etcd ends the watch: %.200s", reason ?: "no reason given");
	json_array_foreach((json_t *)events, i, event)
		err = err ?: take_event(event, keys, documents, is_changed, why);
	if (revision > documents->revision)
		documents->revision = revision;
	return err;
}

int gateway_watched(const char *text, size_t len, const struct gateway_keys *keys, struct documents *documents,
		    bool *is_changed, struct qlink_why *why)
{
	json_t *message = parse(text, len, why);
	const json_t *result = json_object_get(message, "result"), *error = json_object_get(message, "error");
	int err = -EBADMSG;

	if (!message)
		return -EBADMSG;
	if (json_is_object(result))
		err = take_result(result, keys, documents, is_changed, why);
	else
		qlink_refuse(why, err, "etcd ends the watch: %.200s",
			     json_string_value(json_object_get(error, "message")) ?: "its line has neither result nor error");
	json_decref(message);
	return err;
}

/* ---- leases ---- */

char *gateway_grant(uint64_t ttl_ms)
{
	return body_of(json_pack("{s:o}", "TTL", number_text(ttl_ms / 1000)));
}

int gateway_granted(const char *text, size_t len, uint64_t *lease, struct qlink_why *why)
{
	json_t *message = parse(text, len, why);

	*lease = number_of(message, "ID");
	json_decref(message);
	if (message && !*lease)
		qlink_refuse(why, -EBADMSG, "etcd's answer has no lease");
	return *lease ? 0 : -EBADMSG;
}

char *gateway_keep(uint64_t lease)
{
	return body_of(json_pack("{s:o}", "ID", number_text(lease)));
}

int gateway_kept(const char *text, size_t len, bool *is_there, struct qlink_why *why)
{
	json_t *message = parse(text, len, why);
	const json_t *result = json_object_get(message, "result");

	*is_there = number_of(result, "TTL") != 0;
	json_decref(message);
	if (message && !result)
		return qlink_refuse(why, -EBADMSG, "etcd's answer has no result");
	return message ? 0 : -EBADMSG;
}

/* ---- the status, and who we are ---- */

char *gateway_put(const struct gateway_keys *keys, const char *status, uint64_t lease)
{
	return body_of(json_pack("{s:o,s:o,s:o}", "key", encoded(keys->status), "value", encoded(status), "lease",
				 number_text(lease)));
}

char *gateway_login(const char *user, const char *password)
{
	return body_of(json_pack("{s:s,s:s}", "name", user, "password", password));
}

int gateway_token(const char *text, size_t len, char **token, struct qlink_why *why)
{
	json_t *message = parse(text, len, why);
	const json_t *value = json_object_get(message, "token");

	*token = json_is_string(value) ? strdup(json_string_value(value)) : NULL;
	json_decref(message);
	if (message && !*token)
		qlink_refuse(why, -EBADMSG, "etcd's answer has no token");
	return *token ? 0 : -EBADMSG;
}

void gateway_refused(const char *text, size_t len, long status, struct qlink_why *why)
{
	struct qlink_why ignored;
	json_t *message = parse(text, len, &ignored);
	const char *words = json_string_value(json_object_get(message, "message")) ?:
			    json_string_value(json_object_get(message, "error"));

	/* A proxy in between may answer in words of its own. */
	qlink_refuse(why, 0, "etcd answers with %ld: %.*s", status, words ? 250 : len < 250 ? (int)len : 250, words ?: text);
	json_decref(message);
}
