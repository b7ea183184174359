// SPDX-License-Identifier: GPL-2.0-or-later
/* The bytes of a vault: its header, where its records stand, and the IDs of its keys; no I/O. */
#include "layout.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MAGIC		"QLKVAULT"
#define VERSION		1

/* Offsets in the header, whose numbers are big-endian; all else in it is zero. */
enum {
	AT_MAGIC = 0,
	AT_VERSION = 8,
	AT_KEY_BYTES = 12,
	AT_N_KEYS = 16,
	AT_MADE = 24,
	AT_NAME = 32,
	AT_SALT = AT_NAME + VAULT_NAME_BYTES,
	AT_LABEL = AT_SALT + VAULT_SALT_BYTES,
};

_Static_assert(AT_LABEL + VAULT_LABEL_MAX <= VAULT_HEAD_BYTES - VAULT_MAC_BYTES, "room for the MAC");

static void put(uint8_t *to, uint64_t value, size_t len)
{
	while (len--) {
		to[len] = (uint8_t)value;
		value >>= 8;
	}
}

static uint64_t get(const uint8_t *from, size_t len)
{
	uint64_t value = 0;

	while (len--)
		value = value << 8 | *from++;
	return value;
}

int vault_layout_check(const struct vault_layout *layout, struct qlink_why *why)
{
	const char *c;

	if (layout->key_bytes < VAULT_KEY_BYTES_MIN || layout->key_bytes > VAULT_KEY_BYTES_MAX)
		return qlink_refuse(why, -EINVAL, "keys of %" PRIu32 " bytes, and a vault has keys of %d to %d",
				    layout->key_bytes, VAULT_KEY_BYTES_MIN, VAULT_KEY_BYTES_MAX);
	if (layout->n_keys < 2 || layout->n_keys > VAULT_KEYS_MAX || layout->n_keys % 2)
		return qlink_refuse(why, -EINVAL, "%" PRIu64 " keys, and a vault has an even number from 2 to %d",
				    layout->n_keys, VAULT_KEYS_MAX);
	for (c = layout->label; *c; c++) {
		if (*c < ' ' || *c > '~' || *c == '"' || *c == '\\')
			return qlink_refuse(why, -EINVAL, "a label with other characters than printable ASCII "
					    "without quotes and backslashes");
	}
	return 0;
}

void vault_layout_write(const struct vault_layout *layout, uint8_t *head)
{
	memset(head, 0, VAULT_HEAD_BYTES);
	memcpy(head + AT_MAGIC, MAGIC, sizeof(MAGIC) - 1);
	put(head + AT_VERSION, VERSION, 4);
	put(head + AT_KEY_BYTES, layout->key_bytes, 4);
	put(head + AT_N_KEYS, layout->n_keys, 8);
	put(head + AT_MADE, layout->made_s, 8);
	memcpy(head + AT_NAME, layout->name, VAULT_NAME_BYTES);
	memcpy(head + AT_SALT, layout->salt, VAULT_SALT_BYTES);
	memcpy(head + AT_LABEL, layout->label, strlen(layout->label));
}

int vault_layout_read(struct vault_layout *layout, const uint8_t *head, struct qlink_why *why)
{
	uint64_t version = get(head + AT_VERSION, 4);

	memset(layout, 0, sizeof(*layout));
	if (memcmp(head + AT_MAGIC, MAGIC, sizeof(MAGIC) - 1))
		return qlink_refuse(why, -EINVAL, "is no vault");
	if (version != VERSION)
		return qlink_refuse(why, -EINVAL, "is a vault of version %" PRIu64 ", and this program knows %d",
				    version, VERSION);
	layout->key_bytes = (uint32_t)get(head + AT_KEY_BYTES, 4);
	layout->n_keys = get(head + AT_N_KEYS, 8);
	layout->made_s = get(head + AT_MADE, 8);
	memcpy(layout->name, head + AT_NAME, VAULT_NAME_BYTES);
	memcpy(layout->salt, head + AT_SALT, VAULT_SALT_BYTES);
	memcpy(layout->label, head + AT_LABEL, strnlen((const char *)head + AT_LABEL, VAULT_LABEL_MAX));
	return vault_layout_check(layout, why) ? qlink_refuse(why, -EINVAL, "has a damaged header") : 0;
}

size_t vault_record_bytes(const struct vault_layout *layout)
{
	return layout->key_bytes + VAULT_TAG_BYTES;
}

uint64_t vault_record_at(const struct vault_layout *layout, uint64_t number)
{
	return VAULT_HEAD_BYTES + number * vault_record_bytes(layout);
}

uint64_t vault_half_begin(const struct vault_layout *layout, enum vault_side side)
{
	return side == VAULT_SIDE_A ? 0 : layout->n_keys / 2;
}

enum vault_side vault_side_of(const struct vault_layout *layout, uint64_t number)
{
	return number < layout->n_keys / 2 ? VAULT_SIDE_A : VAULT_SIDE_B;
}

char vault_side_letter(enum vault_side side)
{
	return side == VAULT_SIDE_A ? 'a' : 'b';
}

bool vault_side_parse(const char *text, enum vault_side *side)
{
	if (strcmp(text, "a") && strcmp(text, "b"))
		return false;
	*side = *text == 'a' ? VAULT_SIDE_A : VAULT_SIDE_B;
	return true;
}

void vault_id_write(const struct vault_layout *layout, uint64_t number, char text[VAULT_ID_ROOM])
{
	enum vault_side side = vault_side_of(layout, number);

	snprintf(text, VAULT_ID_ROOM, "%016" PRIx64 "-%c-%08" PRIu64, get(layout->name, 8),
		 vault_side_letter(side), number - vault_half_begin(layout, side));
}

/* The one way to write it is the one way to read it: an ID that is not written like this is another's. */
int vault_id_read(const struct vault_layout *layout, const char *text, uint64_t *number,
		  struct qlink_why *why)
{
	char letter[2] = "", own[VAULT_ID_ROOM];
	enum vault_side side;
	uint64_t found = 0;
	const char *c;

	vault_id_write(layout, 0, own);
	if (strncmp(text, own, 17))
		return qlink_refuse(why, -ENOENT, "key %.64s is of another vault than %.16s", text, own);
	letter[0] = text[17];
	if (!vault_side_parse(letter, &side) || text[18] != '-' || strlen(text + 19) != 8)
		return qlink_refuse(why, -ENOENT, "%.64s is no ID of a key in vault %.16s", text, own);
	for (c = text + 19; *c >= '0' && *c <= '9'; c++)
		found = found * 10 + (uint64_t)(*c - '0');
	if (*c || found >= layout->n_keys / 2)
		return qlink_refuse(why, -ENOENT, "%.64s is no ID of a key in vault %.16s", text, own);
	*number = vault_half_begin(layout, side) + found;
	return 0;
}
