/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The options of a link, as "ip link … type qlink" and "qlinkctl set" both take and show them. */
#ifndef QLINK_OPTION_H
#define QLINK_OPTION_H

#include <stdio.h>

#include "link.h"

/* Room for the value of an attribute as text, with its final NUL. */
#define QLINK_ATTR_TEXT		64

/**
 * qlink_config_word() - take one option of a command line, as "id 7"
 * @config: where the value goes
 * @word: the name of the option
 * @value: its value, %NULL if the command line ends after @word
 * @why: filled in on %-EINVAL
 *
 * The lower device is not among the options: ip and qlinkctl each have a way of
 * their own to name it.
 *
 * Return:
 * * %0		- taken
 * * %-ENOENT	- no option has this name
 * * %-EEXIST	- @config has it already
 * * %-ENODATA	- @value is missing
 * * %-EINVAL	- the value breaks the rule in @why
 */
int qlink_config_word(struct qlink_config *config, const char *word,
		      const char *value, struct qlink_why *why);

/**
 * qlink_config_error() - say what qlink_config_word() found wrong
 * @err: what it returned, not 0
 * @word: what was passed to it
 * @value: likewise
 * @why: likewise
 * @buf: where the message goes: the value, then the rule
 * @size: room at @buf
 */
void qlink_config_error(int err, const char *word, const char *value,
			const struct qlink_why *why, char *buf, size_t size);

/**
 * qlink_option_word() - the word for a number of an attribute, where it has one
 * @attr: the attribute, a number
 * @object: the struct that has its member
 *
 * Return: "inherit", or %NULL for a number that is written in digits.
 */
const char *qlink_option_word(const struct qlink_attr *attr, const void *object);

/**
 * qlink_attr_text() - write the value of an attribute as qlink_config_word() reads it
 * @attr: the attribute
 * @object: the struct that has its member
 * @text: where it goes
 *
 * Return: @text.
 */
char *qlink_attr_text(const struct qlink_attr *attr, const void *object,
		      char text[QLINK_ATTR_TEXT]);

/**
 * qlink_options_print() - list all options for a help text
 * @to: where it goes
 * @column: where the cursor is, and where further lines start
 * @pad: what stands inside the brackets around an option: a blank in ip, nothing in qlinkctl
 */
void qlink_options_print(FILE *to, int column, const char *pad);

#endif
