/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The words that describe a key, on a command line or on a line of a batch. */
#ifndef QLINKCTL_WORDS_H
#define QLINKCTL_WORDS_H

#include <stddef.h>

#include "libqlink/key.h"

/**
 * struct key_words - a key, as words describe it
 */
struct key_words {
	/** @key: the key, without its bytes */
	struct qlink_key key;

	/** @path: the file with its bytes; points into the words */
	const char *path;
};

/**
 * key_direction_parse() - parse the word that names a direction
 * @word: the word, %NULL if there is none
 * @key: its direction is filled in
 * @text: filled in on failure: value, rule
 * @size: room at @text
 *
 * Return: 0, or %-EINVAL with @text.
 */
int key_direction_parse(const char *word, struct qlink_key *key, char *text,
			size_t size);

/**
 * key_words_parse() - parse the words that describe a key to install
 * @words: tx|rx epoch N [source S] [kmes N] [id U] [blocks N] file PATH, then %NULL;
 *	the options may have any order
 * @key: filled in
 * @text: filled in on failure: value, rule
 * @size: room at @text
 *
 * Return: 0, or %-EINVAL with @text.
 */
int key_words_parse(char **words, struct key_words *key, char *text,
		    size_t size);

#endif
