// SPDX-License-Identifier: GPL-2.0-or-later
/* One declaration of a link: its words, with the line of each, and what they say. */
#include "statement.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/number.h"
#include "libqlink/option.h"
#include "rules.h"

/* ---- words ---- */

int statement_add(struct statement *statement, char *text, unsigned int line)
{
	char *rest = NULL, *word = strtok_r(text, " \t\r\n", &rest);

	for (; word && *word != '#'; word = strtok_r(NULL, " \t\r\n", &rest)) {
		if (statement->n == STATEMENT_WORDS)
			return -E2BIG;
		word = strdup(word);
		if (!word)
			return -ENOMEM;
		statement->lines[statement->n] = line;
		statement->words[statement->n++] = word;
	}
	return 0;
}

void statement_clear(struct statement *statement)
{
	while (statement->n)
		free(statement->words[--statement->n]);
	memset(statement, 0, sizeof(*statement));
}

/* ---- what stands before the type ---- */

/* A part of rtnetlink's rules for names, and no pattern that the kernel would fill in. */
static int take_name(char *to, const char *text, struct qlink_why *why)
{
	if (!*text || strlen(text) >= sizeof(((struct qlink_device *)0)->name) ||
	    strpbrk(text, "/:%") || !strcmp(text, ".") || !strcmp(text, ".."))
		return qlink_refuse(why, -EINVAL, "not a name of a device of 1 to 15 characters");
	strcpy(to, text);
	return 0;
}

static int take_lower(struct statement_link *link, const char *text, struct qlink_why *why)
{
	return take_name(link->lower, text, why);
}

static int take_own_name(struct statement_link *link, const char *text, struct qlink_why *why)
{
	return take_name(link->device.name, text, why);
}

static int take_mtu(struct statement_link *link, const char *text, struct qlink_why *why)
{
	uint64_t mtu = 0;
	int err = qlink_parse_number(text, STATEMENT_MTU_MIN, STATEMENT_MTU_MAX, &mtu, why);

	link->device.mtu = (uint32_t)mtu;
	return err;
}

static int take_txqueuelen(struct statement_link *link, const char *text, struct qlink_why *why)
{
	uint64_t n = 0;
	int err = qlink_parse_number(text, 1, STATEMENT_QUEUE_MAX, &n, why);

	link->device.txqueuelen = (uint32_t)n;
	return err;
}

static int take_mac(struct statement_link *link, const char *text, struct qlink_why *why)
{
	int err = qlink_parse_mac(text, link->device.mac, why);

	link->device.has_mac = true;
	if (!err && !rules_is_one_device(link->device.mac))
		err = qlink_refuse(why, -EINVAL, "not the address of one device");
	return err;
}

/* The words that ip has for them. */
static const struct head_word {
	const char *word, *also;
	int (*take)(struct statement_link *link, const char *text, struct qlink_why *why);
} head_words[] = {
	{ "link", NULL, take_lower },
	{ "name", "dev", take_own_name },
	{ "mtu", NULL, take_mtu },
	{ "txqueuelen", "txqlen", take_txqueuelen },
	{ "address", NULL, take_mac },
};

#define N_HEAD_WORDS	(sizeof(head_words) / sizeof(head_words[0]))

static size_t find_head(const char *word)
{
	size_t i;

	for (i = 0; i < N_HEAD_WORDS; i++)
		if (!strcmp(head_words[i].word, word) ||
		    (head_words[i].also && !strcmp(head_words[i].also, word)))
			break;
	return i;
}

/* How far a declaration has been read. */
struct reading {
	const struct statement *statement;
	struct statement_link *link;
	struct qlink_why *why;
	size_t at;
	unsigned int given;
};

static const char *word_at(const struct reading *reading, size_t offset)
{
	return reading->at + offset < reading->statement->n ?
	       reading->statement->words[reading->at + offset] : NULL;
}

static bool is_word(const struct reading *reading, size_t offset, const char *word)
{
	const char *there = word_at(reading, offset);

	return there && !strcmp(there, word);
}

/* What worked by hand may be pasted. */
static void skip_command(struct reading *reading)
{
	if (is_word(reading, 0, "ip"))
		reading->at++;
	if (is_word(reading, 0, "link") && is_word(reading, 1, "add"))
		reading->at += 2;
}

static int read_valued(struct reading *reading, size_t i)
{
	const struct head_word *head = &head_words[i];
	const char *value = word_at(reading, 1);
	struct qlink_why rule;

	if (reading->given & 1U << i)
		return qlink_refuse(reading->why, -EINVAL, "%s: given twice", head->word);
	if (!value)
		return qlink_refuse(reading->why, -EINVAL, "%s: has no value", head->word);
	if (head->take(reading->link, value, &rule))
		return qlink_refuse(reading->why, -EINVAL, "%s \"%.40s\": %s", head->word, value, rule.text);
	reading->given |= 1U << i;
	reading->at += 2;
	return 0;
}

/* As ip does, take a word of no meaning as the name. */
static int read_bare_name(struct reading *reading)
{
	const char *name = reading->link->device.name;
	struct qlink_why rule;
	size_t i = find_head("name");

	if (reading->given & 1U << i)
		return qlink_refuse(reading->why, -EINVAL,
			"\"%.40s\": neither link, name, mtu, txqueuelen, address, up nor type, and the device is named %s already",
			word_at(reading, 0), name);
	if (take_own_name(reading->link, word_at(reading, 0), &rule))
		return qlink_refuse(reading->why, -EINVAL, "\"%.40s\": %s", word_at(reading, 0), rule.text);
	reading->given |= 1U << i;
	reading->at++;
	return 0;
}

static int read_head(struct reading *reading)
{
	int err = 0;
	size_t i;

	while (!err && word_at(reading, 0) && !is_word(reading, 0, "type")) {
		i = find_head(word_at(reading, 0));
		if (i < N_HEAD_WORDS) {
			err = read_valued(reading, i);
		} else if (is_word(reading, 0, "up")) {
			reading->link->device.is_up = true;
			reading->at++;
		} else {
			err = read_bare_name(reading);
		}
	}
	return err;
}

static int read_type(struct reading *reading)
{
	if (!word_at(reading, 0))
		return qlink_refuse(reading->why, -EINVAL, "type qlink: not given, and the options follow it");
	if (!is_word(reading, 1, "qlink"))
		return qlink_refuse(reading->why, -EINVAL, "type \"%.40s\": must be qlink",
				    word_at(reading, 1) ?: "");
	reading->at += 2;
	return 0;
}

/* ---- what stands behind it ---- */

static int read_options(struct reading *reading)
{
	struct qlink_why rule;
	const char *value;
	int err;

	while (word_at(reading, 0)) {
		value = word_at(reading, 1);
		err = qlink_config_word(&reading->link->config, word_at(reading, 0), value, &rule);
		if (err) {
			qlink_config_error(err, word_at(reading, 0), value, &rule, reading->why->text,
					   sizeof(reading->why->text));
			return -EINVAL;
		}
		reading->at += 2;
	}
	return 0;
}

int statement_parse(const struct statement *statement, struct statement_link *link,
		    unsigned int *line, struct qlink_why *why)
{
	struct reading reading = { .statement = statement, .link = link, .why = why };
	int err;

	memset(link, 0, sizeof(*link));
	skip_command(&reading);
	err = read_head(&reading);
	if (!err)
		err = read_type(&reading);
	if (!err)
		err = read_options(&reading);
	if (err) {
		*line = statement->lines[reading.at < statement->n ? reading.at : statement->n - 1];
		return -EINVAL;
	}
	*line = statement->lines[0];
	if (!*link->device.name)
		return qlink_refuse(why, -EINVAL, "name: not given, that of the device to make");
	return rules_check(link->lower, &link->config, why);
}
