// SPDX-License-Identifier: GPL-2.0-or-later
/* Judges what a key server answers: strict, bounded, without any I/O. */
#include "json.h"

#include <errno.h>
#include <stdbool.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "common/number.h"
#include "memory.h"

/* jansson makes about 600 bytes of the 107 that a key takes at least. */
#define ARENA_BASE_BYTES	65536
#define ARENA_PER_BYTE		8

static const char *const fault_names[] = {
	[KME_FAULT_MEMBER] = "bad_member",
	[KME_FAULT_ID] = "bad_id",
	[KME_FAULT_BASE64] = "bad_base64",
	[KME_FAULT_SIZE] = "bad_size",
	[KME_FAULT_REPEATED] = "repeated",
	[KME_FAULT_UNKNOWN_ID] = "unknown_id",
	[KME_FAULT_EXTRA] = "extra",
};

const char *kme_fault_name(enum kme_fault fault)
{
	return fault_names[fault];
}

size_t kme_answer_room(size_t n_keys)
{
	return KME_ANSWER_BASE_BYTES + n_keys * KME_ANSWER_KEY_BYTES;
}

/* Locale has no say in what a key ID is. */
static bool is_alphanumeric(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	       (c >= 'a' && c <= 'z');
}

bool kme_id_is_good(const char *text, size_t len)
{
	size_t i;

	if (len < KME_KEY_ID_MIN || len > KME_KEY_ID_MAX)
		return false;
	for (i = 0; i < len; i++)
		if (!is_alphanumeric(text[i]) && text[i] != '-')
			return false;
	return true;
}

static int value_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/*
 * RFC 4648, 4, and nothing more lenient: whole groups of four, no other
 * characters, and no bits set that decode to nothing (3.5). Fills at most
 * @room bytes; returns how many there are, also beyond that, or -1.
 */
static ssize_t base64_decode(const char *text, size_t len, uint8_t *bytes,
			     size_t room)
{
	uint32_t bits = 0;
	size_t i, n = 0, pad = 0;
	int value;

	if (!len || len % 4)
		return -1;
	while (pad < 2 && text[len - 1 - pad] == '=')
		pad++;
	for (i = 0; i < len - pad; i++) {
		value = value_of(text[i]);
		if (value < 0)
			return -1;
		bits = bits << 6 | (uint32_t)value;
		/* Character 4k+1 completes byte 3k, 4k+2 the next, 4k+3 the last. */
		if (i % 4 == 0)
			continue;
		if (n < room)
			bytes[n] = (uint8_t)(bits >> (6 - 2 * (i % 4)));
		n++;
	}
	if (bits & (pad == 2 ? 0xf : pad == 1 ? 0x3 : 0))
		n = SIZE_MAX;
	explicit_bzero(&bits, sizeof(bits));
	return (ssize_t)n;
}

/* Note a fault, and say the first one of an answer. */
__attribute__((format(printf, 4, 5)))
static void note(struct kme_tally *tally, struct qlink_why *why,
		 enum kme_fault fault, const char *format, ...)
{
	va_list ap;

	tally->faults[fault]++;
	if (why->text[0])
		return;
	va_start(ap, format);
	vsnprintf(why->text, sizeof(why->text), format, ap);
	va_end(ap);
}

/* Which of the IDs asked for this is, or -1. */
static int place_of(const struct kme_ask *ask, const char *id)
{
	size_t i;

	for (i = 0; i < ask->n; i++)
		if (!strcmp(ask->ids[i].text, id))
			return (int)i;
	return -1;
}

/* Judge one member of keys[] on its own; true if @key was filled in. */
static bool judge_key(json_t *object, const struct kme_ask *ask,
		      struct kme_key *key, struct kme_tally *tally,
		      struct qlink_why *why)
{
	const json_t *id = json_object_get(object, "key_ID");
	const json_t *text = json_object_get(object, "key");
	size_t n = tally->sent, id_len = json_string_length(id);
	ssize_t len;
	int place;

	if (!json_is_string(id) || !json_is_string(text)) {
		note(tally, why, KME_FAULT_MEMBER,
		     "key %zu: must have key_ID and key, both strings", n);
		return false;
	}
	if (!kme_id_is_good(json_string_value(id), id_len)) {
		note(tally, why, KME_FAULT_ID,
		     "key %zu: its key_ID must have %d to %d of 0-9A-Za-z-",
		     n, KME_KEY_ID_MIN, KME_KEY_ID_MAX);
		return false;
	}
	memcpy(key->id.text, json_string_value(id), id_len + 1);
	len = base64_decode(json_string_value(text), json_string_length(text),
			    key->bytes, sizeof(key->bytes));
	if (len < 0) {
		note(tally, why, KME_FAULT_BASE64,
		     "key %zu: must be canonical base64", n);
		return false;
	}
	if (len < KME_SECRET_MIN_BYTES || len > KME_SECRET_MAX_BYTES) {
		note(tally, why, KME_FAULT_SIZE,
		     "key %zu: has %zd bits, want %d to %d", n, len * 8,
		     KME_SECRET_MIN_BYTES * 8, KME_SECRET_MAX_BYTES * 8);
		return false;
	}
	key->len = (uint8_t)len;
	place = ask->ids ? place_of(ask, key->id.text) : 0;
	if (place < 0) {
		note(tally, why, KME_FAULT_UNKNOWN_ID,
		     "key %zu: its key_ID was not asked for", n);
		return false;
	}
	key->place = (uint16_t)place;
	return true;
}

static bool is_same(const struct kme_key *a, const struct kme_key *b)
{
	return !strcmp(a->id.text, b->id.text) ||
	       (a->len == b->len && !memcmp(a->bytes, b->bytes, a->len));
}

/*
 * Whichever of two keys with one ID is right, the other end may take the
 * wrong one; and two IDs of one key would be that key used twice.
 */
static size_t drop_repeated(struct kme_key *keys, size_t n,
			    struct kme_tally *tally, struct qlink_why *why)
{
	bool is_repeated[KME_BATCH_MAX] = { false };
	size_t i, k, kept = 0;

	for (i = 0; i < n; i++)
		for (k = i + 1; k < n; k++)
			if (is_same(&keys[i], &keys[k]))
				is_repeated[i] = is_repeated[k] = true;
	for (i = 0; i < n; i++) {
		if (is_repeated[i])
			note(tally, why, KME_FAULT_REPEATED,
			     "a key_ID or a key stands there more than once");
		else if (kept++ != i)
			keys[kept - 1] = keys[i];
	}
	return kept;
}

/*
 * Beyond the number asked for a key is looked at no more: it may repeat an
 * earlier one, but it is not used either way.
 */
static int judge_container(json_t *root, const struct kme_ask *ask,
			   struct kme_key *keys, struct kme_tally *tally,
			   struct qlink_why *why)
{
	json_t *list = json_object_get(root, "keys"), *object;
	size_t i, n = 0;

	if (!json_is_array(list)) {
		snprintf(why->text, sizeof(why->text),
			 "must be an object with an array named keys");
		return -EBADMSG;
	}
	json_array_foreach(list, i, object) {
		tally->sent++;
		if (n == ask->n)
			note(tally, why, KME_FAULT_EXTRA,
			     "more than the %zu keys asked for", ask->n);
		else if (judge_key(object, ask, &keys[n], tally, why))
			n++;
	}
	tally->taken = drop_repeated(keys, n, tally, why);
	return (int)tally->taken;
}

/* jansson's own message quotes the answer, and that may hold a key. */
static json_t *load(const char *text, size_t len, struct qlink_why *why)
{
	json_error_t error = { 0 };
	json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);

	if (!root)
		snprintf(why->text, sizeof(why->text),
			 "no JSON: line %d, column %d", error.line,
			 error.column);
	explicit_bzero(&error, sizeof(error));
	return root;
}

/* Deep or crowded JSON that is no key container needs more, and is refused. */
static int open_arena(size_t len, struct qlink_why *why)
{
	int err = kme_arena_open(ARENA_BASE_BYTES + len * ARENA_PER_BYTE);

	if (err)
		snprintf(why->text, sizeof(why->text),
			 "no locked memory to judge it in: %s", strerror(-err));
	return err;
}

int kme_judge_keys(const char *text, size_t len, const struct kme_ask *ask,
		   struct kme_key *keys, struct kme_tally *tally,
		   struct qlink_why *why)
{
	int n = -EBADMSG, err;
	json_t *root;

	memset(tally, 0, sizeof(*tally));
	why->text[0] = '\0';
	err = open_arena(len, why);
	if (err)
		return err;
	root = load(text, len, why);
	if (root)
		n = judge_container(root, ask, keys, tally, why);
	json_decref(root);
	kme_arena_close();
	if (n < (int)ask->n)
		explicit_bzero(&keys[n < 0 ? 0 : n],
			       (ask->n - (size_t)(n < 0 ? 0 : n)) * sizeof(*keys));
	return n;
}

static int64_t number_of(const json_t *root, const char *name)
{
	const json_t *value = json_object_get(root, name);
	struct qlink_why why;
	uint64_t number;

	if (json_is_integer(value)) {
		json_int_t n = json_integer_value(value);

		return n >= 0 && n <= INT32_MAX ? n : -1;
	}
	if (json_is_string(value) &&
	    !qlink_parse_number(json_string_value(value), 0, INT32_MAX,
				&number, &why))
		return (int64_t)number;
	return -1;
}

static int fill_status(const json_t *root, struct kme_status *status,
		       struct qlink_why *why)
{
	if (!json_is_object(root)) {
		snprintf(why->text, sizeof(why->text), "must be an object");
		return -EBADMSG;
	}
	status->key_size = number_of(root, "key_size");
	status->stored_key_count = number_of(root, "stored_key_count");
	status->max_key_count = number_of(root, "max_key_count");
	status->max_key_per_request = number_of(root, "max_key_per_request");
	status->max_key_size = number_of(root, "max_key_size");
	status->min_key_size = number_of(root, "min_key_size");
	return 0;
}

int kme_judge_status(const char *text, size_t len, struct kme_status *status,
		     struct qlink_why *why)
{
	int err;
	json_t *root;

	why->text[0] = '\0';
	err = open_arena(len, why);
	if (err)
		return err;
	root = load(text, len, why);
	err = root ? fill_status(root, status, why) : -EBADMSG;
	json_decref(root);
	kme_arena_close();
	return err;
}
