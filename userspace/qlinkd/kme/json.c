// SPDX-License-Identifier: GPL-2.0-or-later
/* Loads JSON and base64 that a key server sent: strict and bounded; for any dialect with JSON. */
#include "json.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "memory.h"

/*
 * jansson allocates about 600 bytes for the least 107 bytes of a key. Deeply nested or dense JSON
 * that is not a list of keys needs more than this, and is refused.
 */
#define ARENA_BASE_BYTES	65536
#define ARENA_PER_BYTE		8

/* jansson's own message quotes the answer, which may hold a key. */
static json_t *load(const char *text, size_t len, struct qlink_why *why)
{
	json_error_t error = { 0 };
	json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);

	if (!root)
		snprintf(why->text, sizeof(why->text), "not JSON: line %d, column %d", error.line,
			 error.column);
	explicit_bzero(&error, sizeof(error));
	return root;
}

int kme_json_open(const char *text, size_t len, json_t **root, struct qlink_why *why)
{
	int err = kme_arena_open(ARENA_BASE_BYTES + len * ARENA_PER_BYTE);

	if (err)
		return qlink_refuse(why, err, "no locked memory for the answer: %s",
				    strerror(-err));
	*root = load(text, len, why);
	if (*root)
		return 0;
	kme_arena_close();
	return -EBADMSG;
}

void kme_json_close(json_t *root)
{
	json_decref(root);
	kme_arena_close();
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

ssize_t kme_base64_decode(const char *text, size_t len, uint8_t *bytes, size_t room)
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
