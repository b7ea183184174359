// SPDX-License-Identifier: GPL-2.0-or-later
/* Events for the journal, with their fields: its native protocol, without its library. */
#include "journal.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "messageid.h"

/* Before the name of a field of an event. */
#define PREFIX		"QLINK_"

/**
 * struct entry - an entry that is being composed
 */
struct entry {
	/** @text: the fields so far, each with a newline behind it */
	char text[JOURNAL_ENTRY_MAX];

	/** @len: bytes of @text so far */
	size_t len;
};

/* Adds a field, or nothing if it does not fit. @value has no newline. */
static void add(struct entry *entry, const char *name, const char *value, size_t len)
{
	const size_t n = strlen(name);

	if (n + len + 2 > sizeof(entry->text) - entry->len)
		return;
	memcpy(entry->text + entry->len, name, n);
	entry->text[entry->len + n] = '=';
	memcpy(entry->text + entry->len + n + 1, value, len);
	entry->len += n + 1 + len;
	entry->text[entry->len++] = '\n';
}

static void add_text(struct entry *entry, const char *name, const char *value)
{
	add(entry, name, value, strlen(value));
}

static void add_field(struct entry *entry, const struct log_field *field)
{
	char name[64] = PREFIX, value[JOURNAL_ENTRY_MAX];
	size_t i, at = strlen(PREFIX);

	for (i = 0; field->name[i] && at < sizeof(name) - 1; i++)
		name[at++] = field->name[i] == '-' ? '_' :
			     (char)toupper((unsigned char)field->name[i]);
	name[at] = '\0';
	if (field->text)
		field_escape(value, sizeof(value), field->text, strlen(field->text), FIELD_STYLE_LOG);
	else
		snprintf(value, sizeof(value), "%" PRIu64, field->number);
	add_text(entry, name, value);
}

void journal_open(struct journal *journal, int fd, const char *path)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char text[64];
	struct stat stat;

	*journal = (struct journal){ .fd = -1, .path = path };
	if (!stream || fstat(fd, &stat))
		return;
	snprintf(text, sizeof(text), "%ju:%ju", (uintmax_t)stat.st_dev, (uintmax_t)stat.st_ino);
	/* Somebody may have redirected the stream since. */
	if (!strcmp(text, stream))
		journal->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

void journal_close(struct journal *journal)
{
	if (journal->fd >= 0)
		close(journal->fd);
	journal->fd = -1;
}

int journal_send(const struct journal *journal, const struct journal_entry *from)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	const char *id = messageid_of(from->event);
	const struct log_field *field, suppressed = { .name = "suppressed-lines", .number = from->suppressed };
	char level[] = { (char)('0' + (from->level & 7)), '\0' };
	struct entry entry = { .len = 0 };

	if (journal->fd < 0)
		return -ENOTCONN;
	add(&entry, "MESSAGE", from->line, from->len);
	add_text(&entry, "PRIORITY", level);
	add_text(&entry, "SYSLOG_IDENTIFIER", "qlinkd");
	add_text(&entry, PREFIX "EVENT", from->event);
	if (id)
		add_text(&entry, "MESSAGE_ID", id);
	if (from->suppressed)
		add_field(&entry, &suppressed);
	for (field = from->fields; field->name; field++)
		add_field(&entry, field);
	/* To its address each time: the socket there is another one after the journal has restarted. */
	snprintf(to.sun_path, sizeof(to.sun_path), "%s", journal->path);
	return sendto(journal->fd, entry.text, entry.len, MSG_NOSIGNAL, (struct sockaddr *)&to,
		      sizeof(to)) < 0 ? -errno : 0;
}
