// SPDX-License-Identifier: GPL-2.0-or-later
/* Writes the answers of a KME, as its settings and its faults require. */
#include "answer.h"

#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>

#include "common/hex.h"
#include "common/wipe.h"
#include "slab.h"

/* The longest key as base64 or, which is longer, as hexadecimal text, and a NUL. */
#define KEY_TEXT_MAX	(2 * SLAB_KEY_BYTES + 1)

static const char html[] =
	"<html><head><title>Bad Gateway</title></head>"
	"<body><h1>Bad Gateway</h1></body></html>\n";

static void set_body(struct etsi_reply *reply, int status, const char *type,
		     const char *text, size_t len)
{
	qlink_wipe_free(reply->body);
	reply->status = status;
	reply->type = type;
	reply->len = 0;
	reply->body = qlink_wipe_malloc(len + 1);
	if (!reply->body)
		return;
	memcpy(reply->body, text, len);
	reply->len = len;
}

void answer_json(struct etsi *etsi, struct etsi_reply *reply, json_t *root)
{
	size_t flags = etsi->settings.value[SETTING_JSON] == JSON_IS_PRETTY ?
			       JSON_INDENT(4) : JSON_COMPACT;
	size_t len = root ? json_dumpb(root, NULL, 0, flags) : 0;

	reply->status = 200;
	reply->type = "application/json";
	reply->body = len ? qlink_wipe_malloc(len) : NULL;
	if (reply->body)
		reply->len = json_dumpb(root, reply->body, len, flags);
	else
		reply->status = 503;
	json_decref(root);
}

bool answer_error(struct etsi *etsi, struct etsi_reply *reply, int status,
		  const char *message)
{
	char text[256];
	int form = etsi->settings.value[SETTING_ERROR_BODY];

	if (form == ERROR_BODY_MESSAGE || form == ERROR_BODY_DETAIL) {
		snprintf(text, sizeof(text), "{\"%s\":\"%s\"}",
			 form == ERROR_BODY_MESSAGE ? "message" : "detail",
			 message);
		set_body(reply, status, "application/json", text, strlen(text));
	} else if (form == ERROR_BODY_HTML) {
		set_body(reply, status, "text/html", html, strlen(html));
	} else {
		set_body(reply, status, "text/plain", message,
			 form == ERROR_BODY_EMPTY ? 0 : strlen(message));
	}
	return false;
}

/* The start of a JSON text that has no end. */
static void answer_huge(struct etsi_reply *reply, unsigned int kib)
{
	size_t len = (size_t)kib * 1024;

	set_body(reply, 200, "application/json", "", 0);
	qlink_wipe_free(reply->body);
	reply->body = qlink_wipe_malloc(len);
	if (!reply->body)
		return;
	memset(reply->body, '[', len);
	reply->len = len;
}

bool answer_instead(struct etsi *etsi, struct etsi_reply *reply,
		    enum etsi_op op)
{
	unsigned int arg;

	if (fault_happens(&etsi->faults, FAULT_HTTP, op, &arg))
		answer_error(etsi, reply, (int)arg, "a fault that was set");
	else if (fault_happens(&etsi->faults, FAULT_HTML, op, &arg))
		set_body(reply, (int)arg, "text/html", html, strlen(html));
	else if (fault_happens(&etsi->faults, FAULT_HUGE, op, &arg))
		answer_huge(reply, arg);
	else if (fault_happens(&etsi->faults, FAULT_GARBAGE, op, &arg))
		set_body(reply, 200, "application/json", "\xff\x00\xfe{", 4);
	else
		return false;
	return true;
}

void answer_apply_faults(struct etsi *etsi, struct etsi_reply *reply, enum etsi_op op)
{
	if (fault_happens(&etsi->faults, FAULT_HANG, op, NULL))
		reply->delivery = ETSI_HANG;
	else if (fault_happens(&etsi->faults, FAULT_DRIP, op, &reply->arg))
		reply->delivery = ETSI_DRIP;
	else if (fault_happens(&etsi->faults, FAULT_CUT, op, NULL))
		reply->delivery = ETSI_CUT;
	else if (fault_happens(&etsi->faults, FAULT_TRUNCATE, op, NULL))
		reply->len /= 2;
}

void answer_start(struct answer *answer, struct etsi *etsi, enum etsi_op op,
		  uint64_t n)
{
	int kind;

	memset(answer, 0, sizeof(*answer));
	answer->etsi = etsi;
	answer->op = op;
	answer->left = n;
	answer->keys = json_array();
	for (kind = FAULT_SIZE; kind <= FAULT_BAD_BASE64; kind++)
		if (fault_happens(&etsi->faults, (enum fault_kind)kind, op,
				  kind == FAULT_SIZE ? &answer->bits : NULL))
			answer->happens |= 1U << kind;
}

static bool has(const struct answer *answer, enum fault_kind kind)
{
	return answer->happens & 1U << kind;
}

static bool is_skip(const struct answer *answer)
{
	return answer->etsi->settings.value[SETTING_DIALECT] == DIALECT_SKIP;
}

/*
 * Sets padding bits that must be zero; without padding, writes a character that neither base64 nor hexadecimal text
 * has.
 */
static void corrupt(char *text, size_t len)
{
	size_t last = strcspn(text, "=");

	if (last < len)
		text[last - 1]++;
	else
		text[0] = '-';
}

static json_t *write_key(const struct answer *answer, const struct sim_key *key)
{
	unsigned int bits = answer->bits ? answer->bits : key->bits;
	uint8_t bytes[SLAB_KEY_BYTES];
	char text[KEY_TEXT_MAX];
	json_t *value;

	memcpy(bytes, key->bytes, bits / 8);
	bytes[0] ^= has(answer, FAULT_WRONG_KEY);
	if (is_skip(answer))
		qlink_hex_encode(bytes, bits / 8, text);
	else
		EVP_EncodeBlock((unsigned char *)text, bytes, (int)bits / 8);
	explicit_bzero(bytes, sizeof(bytes));
	if (has(answer, FAULT_BAD_BASE64))
		corrupt(text, strlen(text));
	value = json_string(text);
	explicit_bzero(text, sizeof(text));
	return value;
}

static json_t *write_id(const struct answer *answer, const struct sim_key *key)
{
	char id[CHANNEL_ID_MAX + 1];

	strcpy(id, key->id);
	if (has(answer, FAULT_BAD_ID))
		id[0] = '/';
	else if (has(answer, FAULT_WRONG_ID))
		id[0] = id[0] == '0' ? '1' : '0';
	return json_string(id);
}

void answer_add(struct answer *answer, const struct sim_key *key)
{
	json_t *first = json_array_get(answer->keys, 0);
	json_t *id, *text;

	if (!--answer->left && has(answer, FAULT_SHORT))
		return;
	if (first && has(answer, FAULT_DUPLICATE_ID))
		id = json_incref(json_object_get(first, "key_ID"));
	else
		id = write_id(answer, key);
	if (first && has(answer, FAULT_DUPLICATE_KEY))
		text = json_incref(json_object_get(first, "key"));
	else
		text = write_key(answer, key);
	json_array_append_new(answer->keys,
			      json_pack("{s:o, s:o}", is_skip(answer) ? "keyId" : "key_ID", id, "key",
					text));
}

void answer_finish(struct answer *answer, struct etsi_reply *reply)
{
	unsigned int ms = (unsigned int)answer->etsi->settings.value[SETTING_MS_PER_KEY];
	struct sim_key *extra;

	if (has(answer, FAULT_EXTRA)) {
		extra = channel_new_key(256, false);
		if (extra) {
			answer->left = 2;
			answer_add(answer, extra);
			channel_drop_key(NULL, extra);
		}
	}
	if (ms) {
		reply->delivery = ETSI_LATE;
		reply->arg = ms * (unsigned int)json_array_size(answer->keys);
	}
	if (is_skip(answer)) {
		answer_json(answer->etsi, reply, json_array_size(answer->keys) ?
			    json_incref(json_array_get(answer->keys, 0)) : json_object());
		json_decref(answer->keys);
		return;
	}
	answer_json(answer->etsi, reply, json_pack("{s:o}", "keys", answer->keys));
}
