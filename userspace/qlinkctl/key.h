/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qlinkctl key: install, delete and list the keys of a link. */
#ifndef QLINKCTL_KEY_H
#define QLINKCTL_KEY_H

#include <stdio.h>

#include "ctl.h"

/**
 * struct key_words - what a command line or a line of a batch says of a key
 */
struct key_words {
	/** @key: the key, without its bytes */
	struct qlink_key key;

	/** @path: the file of its bytes, points into the words */
	const char *path;
};

/**
 * key_run() - qlinkctl key add|del|show …
 * @ctl: this run
 * @argc: arguments behind the command
 * @argv: likewise
 *
 * Return: an enum ctl_exit.
 */
int key_run(struct ctl *ctl, int argc, char **argv);

/**
 * rotate_run() - qlinkctl rotate DEV
 * @ctl: this run
 * @argc: arguments behind the command
 * @argv: likewise
 *
 * Return: an enum ctl_exit.
 */
int rotate_run(struct ctl *ctl, int argc, char **argv);

/**
 * key_words_parse() - take the words that tell of a key to install
 * @words: tx|rx epoch N [source S] [id U] [blocks N] file PATH, %NULL behind;
 *	the options in any order
 * @key: filled in
 * @text: filled in on failure: value, rule
 * @size: room at @text
 *
 * Return: 0, or %-EINVAL with @text.
 */
int key_words_parse(char **words, struct key_words *key, char *text,
		    size_t size);

/**
 * key_json() - a key as qlinkctl(8) documents it
 * @key: the key
 *
 * Return: the object, which the caller gives back; %NULL if memory is short.
 */
json_t *key_json(const struct qlink_key *key);

/**
 * key_text() - write a table of keys for people
 * @keys: the keys
 * @n: how many
 * @to: where it goes
 */
void key_text(const struct qlink_key *keys, size_t n, FILE *to);

#endif
