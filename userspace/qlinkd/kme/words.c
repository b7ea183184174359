// SPDX-License-Identifier: GPL-2.0-or-later
/* The words of a key server that people read: quoted, and never trusted; for any dialect with JSON. */
#include "words.h"

#include <stdio.h>
#include <string.h>

#include "json.h"
#include "qlinkd/base/field.h"

/* Copies a text of the KME, which may have any bytes; what does not fit is cut off. */
static void quote(char *to, size_t room, const char *text, size_t len)
{
	snprintf(to, room, "%.*s", (int)len, text);
	field_make_printable(to, "\"\\");
}

void kme_words_name(const json_t *root, const char *member, char name[KME_SAE_ID_MAX + 1])
{
	const json_t *value = json_object_get(root, member);

	name[0] = '\0';
	if (json_is_string(value))
		quote(name, KME_SAE_ID_MAX + 1, json_string_value(value), json_string_length(value));
}

/* ETSI GS QKD 014, 6.5, has message; other servers have another member, or plain text. */
static void read_words(const char *text, size_t len, char words[KME_WORDS_MAX])
{
	static const char *const members[] = { "message", "detail", "error", "title" };
	struct qlink_why why;
	const json_t *value;
	json_t *root;
	size_t i;

	words[0] = '\0';
	if (kme_json_open(text, len, &root, &why)) {
		/* A page for browsers says nothing that helps, and damaged JSON may have keys. */
		for (i = 0; i < len && strchr(" \t\r\n", text[i]); i++)
			;
		if (i < len && !strchr("<{[", text[i]))
			quote(words, KME_WORDS_MAX, text + i, len - i);
		return;
	}
	for (i = 0; i < sizeof(members) / sizeof(members[0]) && !words[0]; i++) {
		value = json_object_get(root, members[i]);
		if (json_is_string(value))
			quote(words, KME_WORDS_MAX, json_string_value(value), json_string_length(value));
	}
	kme_json_close(root);
}

/* No two KMEs use the same status for this, so that their words are what tells. */
void kme_words_refusal(const char *text, size_t len, struct kme_refusal *refusal)
{
	static const char *const dry[] = {
		"not enough key", "no key", "insufficient", "no more key", "out of key",
		"keys available", "key available", "not available", "exhausted", "key store is empty",
		"not enough available",
	};
	size_t i;

	read_words(text, len, refusal->words);
	refusal->is_dry = false;
	for (i = 0; i < sizeof(dry) / sizeof(dry[0]); i++)
		refusal->is_dry |= strcasestr(refusal->words, dry[i]) != NULL;
}
