// SPDX-License-Identifier: GPL-2.0-or-later
/* The words that describe a key, on a command line or on a line of a batch. */
#include "words.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/number.h"
#include "libqlink/parse.h"

static int word_epoch(struct key_words *to, const char *text,
		      struct qlink_why *why)
{
	return qlink_parse_number(text, 1, QLINK_EPOCH_MAX, &to->key.epoch, why);
}

static int word_source(struct key_words *to, const char *text,
		       struct qlink_why *why)
{
	return qlink_parse_source(text, &to->key.source, why);
}

static int word_kmes(struct key_words *to, const char *text, struct qlink_why *why)
{
	uint64_t n;
	int err = qlink_parse_number(text, 1, QLINK_KMES_MAX, &n, why);

	if (!err)
		to->key.kmes = (uint8_t)n;
	return err;
}

static int word_id(struct key_words *to, const char *text, struct qlink_why *why)
{
	return qlink_parse_uuid(text, to->key.kme_key_id, why);
}

static int word_blocks(struct key_words *to, const char *text,
		       struct qlink_why *why)
{
	return qlink_parse_number(text, 1, QLINK_HARD_BLOCKS_MAX,
				  &to->key.hard_blocks, why);
}

static int word_file(struct key_words *to, const char *text,
		     struct qlink_why *why)
{
	(void)why;
	to->path = text;
	return 0;
}

static const struct {
	const char *word;
	bool is_needed;
	int (*parse)(struct key_words *to, const char *text,
		     struct qlink_why *why);
} options[] = {
	{ "epoch", true, word_epoch },
	{ "source", false, word_source },
	{ "kmes", false, word_kmes },
	{ "id", false, word_id },
	{ "blocks", false, word_blocks },
	{ "file", true, word_file },
};

#define N_OPTIONS	(sizeof(options) / sizeof(options[0]))

static int option_parse(char **words, struct key_words *key,
			unsigned int *given, char *text, size_t size)
{
	bool is_taken = false;
	struct qlink_why why;
	size_t i;

	for (i = 0; i < N_OPTIONS; i++)
		if (!strcmp(options[i].word, words[0]))
			break;
	if (i == N_OPTIONS)
		snprintf(text, size, "\"%s\": no such option of a key", words[0]);
	else if (*given & 1U << i)
		snprintf(text, size, "%s: given twice", words[0]);
	else if (!words[1])
		snprintf(text, size, "%s: has no value", words[0]);
	else if (options[i].parse(key, words[1], &why))
		snprintf(text, size, "%s \"%s\": %s", words[0], words[1], why.text);
	else
		is_taken = true;
	if (!is_taken)
		return -EINVAL;
	*given |= 1U << i;
	return 0;
}

int key_direction_parse(const char *word, struct qlink_key *key, char *text,
			size_t size)
{
	struct qlink_why why;
	int err;

	if (!word) {
		snprintf(text, size, "direction: not given: tx or rx");
		return -EINVAL;
	}
	err = qlink_parse_direction(word, &key->direction, &why);
	if (err)
		snprintf(text, size, "direction \"%s\": %s", word, why.text);
	return err;
}

int key_words_parse(char **words, struct key_words *key, char *text,
		    size_t size)
{
	unsigned int given = 0;
	size_t i;

	memset(key, 0, sizeof(*key));
	key->key.source = QLINK_SOURCE_STATIC;
	if (key_direction_parse(words[0], &key->key, text, size))
		return -EINVAL;
	for (words++; *words; words += 2)
		if (option_parse(words, key, &given, text, size))
			return -EINVAL;
	for (i = 0; i < N_OPTIONS; i++) {
		if (!options[i].is_needed || given & 1U << i)
			continue;
		snprintf(text, size, "%s: not given", options[i].word);
		return -EINVAL;
	}
	return 0;
}
