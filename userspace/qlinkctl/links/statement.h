/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One declaration of a link: its words, with the line of each, and what they say. */
#ifndef QLINKCTL_STATEMENT_H
#define QLINKCTL_STATEMENT_H

#include "libqlink/device.h"

/* All options with their values are some 60 words. */
#define STATEMENT_WORDS	128

#define STATEMENT_MTU_MIN	68
#define STATEMENT_MTU_MAX	65535
#define STATEMENT_QUEUE_MAX	INT32_MAX

/**
 * struct statement - the words of one declaration
 */
struct statement {
	/** @words: each on the heap; %NULL follows the last */
	char *words[STATEMENT_WORDS + 1];

	/** @lines: the line of each word, from 1 */
	unsigned int lines[STATEMENT_WORDS];

	/** @n: how many */
	size_t n;
};

/**
 * struct statement_link - what a declaration says
 */
struct statement_link {
	/** @lower: name of the lower device; empty for none */
	char lower[16];

	/** @device: what rtnetlink sets; its ifindex is 0 */
	struct qlink_device device;

	/** @config: the options, without the index of the lower device */
	struct qlink_config config;
};

/**
 * statement_add() - add the words of a line, up to a word that begins with #
 * @statement: the declaration
 * @text: the line; it is changed
 * @line: its number
 *
 * Return: 0; %-E2BIG if there are more than STATEMENT_WORDS; or %-ENOMEM.
 */
int statement_add(struct statement *statement, char *text, unsigned int line);

/**
 * statement_clear() - free all words
 * @statement: the declaration; empty afterwards
 */
void statement_clear(struct statement *statement);

/**
 * statement_parse() - take the words as "ip link add" takes them
 * @statement: the declaration, with one word at least
 * @link: filled in
 * @line: the line of the word that is wrong, on failure
 * @why: filled in on failure: value, rule
 *
 * What "ip" makes of words that are not options of qlink is the same here, for those that a link
 * needs. Besides the words, it is checked that a link has all that an underlay needs.
 *
 * Return: 0, or %-EINVAL with @line and @why.
 */
int statement_parse(const struct statement *statement, struct statement_link *link,
		    unsigned int *line, struct qlink_why *why);

#endif
