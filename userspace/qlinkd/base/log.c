// SPDX-License-Identifier: GPL-2.0-or-later
/* The agent's log: one event a line, for people, the journal and scripts. */
#include "log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <syslog.h>
#include <unistd.h>

/* Signs that need no quotes. */
#define PLAIN	"-_.,:/@+%[]"

/**
 * struct line - a line that is being composed
 */
struct line {
	/** @text: the line so far; its last byte is kept for the newline */
	char text[LOG_LINE_MAX];

	/** @len: bytes of @text so far */
	size_t len;
};

/* Adds all of @text, or nothing. */
static bool add(struct line *line, const char *text, size_t len)
{
	if (len > sizeof(line->text) - 1 - line->len)
		return false;
	memcpy(line->text + line->len, text, len);
	line->len += len;
	return true;
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool is_plain(const char *text)
{
	if (!text[0])
		return false;
	for (; *text; text++) {
		if (!is_letter(*text) && !strchr(PLAIN, *text))
			return false;
	}
	return true;
}

/* Closes the quote even if the value did not fit. */
static void add_value(struct line *line, const char *text)
{
	if (is_plain(text) && add(line, text, strlen(text)))
		return;
	if (line->len + 2 > sizeof(line->text) - 1)
		return;
	add(line, "\"", 1);
	/* Leave room for the closing quote. */
	line->len += field_escape(line->text + line->len, sizeof(line->text) - 1 - line->len,
				  text, strlen(text), FIELD_STYLE_LOG);
	add(line, "\"", 1);
}

static void add_field(struct line *line, const struct log_field *field)
{
	char number[24];

	/* Never write a name without a value. */
	if (line->len + strlen(field->name) + 4 > sizeof(line->text) - 1)
		return;
	add(line, " ", 1);
	add(line, field->name, strlen(field->name));
	add(line, "=", 1);
	if (field->text) {
		add_value(line, field->text);
		return;
	}
	snprintf(number, sizeof(number), "%" PRIu64, field->number);
	add_value(line, number);
}

void log_init(struct log *log, int fd, uint64_t now)
{
	size_t i;

	*log = (struct log){ .fd = fd, .journal = { .fd = -1 } };
	rate_init(&log->classes[LOG_CLASS_PROBLEM], LOG_BURST, LOG_REFILL_MS, now);
	rate_init(&log->classes[LOG_CLASS_CHANGE], LOG_BURST, LOG_REFILL_MS, now);
	rate_init(&log->classes[LOG_CLASS_DETAIL], LOG_DEBUG_BURST, LOG_DEBUG_REFILL_MS, now);
	for (i = 0; i < LOG_BUDGETS; i++)
		rate_init(&log->events[i], LOG_EVENT_BURST, LOG_EVENT_REFILL_MS, now);
}

/* --- budgets --- */

static enum log_class class_of(int level)
{
	if (level <= LOG_WARNING)
		return LOG_CLASS_PROBLEM;
	return level < LOG_DEBUG ? LOG_CLASS_CHANGE : LOG_CLASS_DETAIL;
}

/* FNV-1a; names of links and peers come from the configuration, so nobody chooses collisions. */
static uint32_t hash_on(uint32_t hash, const char *text)
{
	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 16777619U;
	/* Where one text ends matters. */
	return hash * 16777619U;
}

static struct rate *budget_of(struct log *log, const char *event, const struct log_field *first)
{
	uint32_t hash = hash_on(2166136261U, event);

	if (first->name && first->text && (!strcmp(first->name, "link") || !strcmp(first->name, "peer")))
		hash = hash_on(hash_on(hash, first->name), first->text);
	return &log->events[(hash ^ hash >> 16) % LOG_BUDGETS];
}

/*
 * One call, so that lines of other writers cannot come in between. The stream to the journal is a socket, which must
 * not hold up the agent while the journal hangs.
 */
static int put_line(const struct log *log, struct line *line)
{
	ssize_t n;

	line->text[line->len++] = '\n';
	if (log->journal.fd < 0)
		n = write(log->fd, line->text, line->len);
	else
		n = send(log->fd, line->text, line->len, MSG_DONTWAIT | MSG_NOSIGNAL);
	return n < 0 ? -errno : 0;
}

/* The journal has the level elsewhere, and the line without it. */
static int put(const struct log *log, struct line *line, size_t head, const struct journal_entry *entry)
{
	struct journal_entry own = *entry;

	own.line = line->text + head;
	own.len = line->len - head;
	/* A journal that does not take it now still reads the stream. */
	return journal_send(&log->journal, &own) ? put_line(log, line) : 0;
}

int log_write(struct log *log, int level, const char *event,
	      const struct log_field *fields, uint64_t now)
{
	enum log_class class = class_of(level);
	uint64_t *n_suppressed = &log->n_suppressed[class];
	const struct journal_entry entry = { .level = level, .event = event, .fields = fields,
					     .suppressed = *n_suppressed };
	struct log_field suppressed = { .name = "suppressed-lines", .number = *n_suppressed };
	struct line line = { .len = 0 };
	char level_text[8];
	size_t head;
	int err;

	if (!rate_take(budget_of(log, event, fields), now) ||
	    !rate_take(&log->classes[class], now)) {
		(*n_suppressed)++;
		return -EAGAIN;
	}
	head = (size_t)snprintf(level_text, sizeof(level_text), "<%d>", level & 7);
	add(&line, level_text, head);
	add(&line, event, strlen(event));
	if (*n_suppressed)
		add_field(&line, &suppressed);
	for (; fields->name; fields++)
		add_field(&line, fields);
	err = put(log, &line, head, &entry);
	if (!err)
		*n_suppressed = 0;
	else if (err == -EAGAIN)
		(*n_suppressed)++;
	return err;
}
