// SPDX-License-Identifier: GPL-2.0-or-later
/* The audit log: lines of JSON, each with the hash of the previous line. */
#include "audit.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>

/* ---- lines ---- */

/* Replaces @hash, the hash of the previous line, with the hash of this one. */
static int add_line(uint8_t *hash, const char *line, size_t len)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool is_done = context && EVP_DigestInit_ex(context, EVP_sha384(), NULL) &&
		       EVP_DigestUpdate(context, hash, AUDIT_HASH_BYTES) &&
		       EVP_DigestUpdate(context, line, len) &&
		       EVP_DigestFinal_ex(context, hash, NULL);

	EVP_MD_CTX_free(context);
	return is_done ? 0 : -ENOMEM;
}

const char *audit_hash_text(const uint8_t *hash, char text[AUDIT_HASH_TEXT])
{
	static const char digits[] = "0123456789abcdef";
	size_t i;

	for (i = 0; i < AUDIT_HASH_BYTES; i++) {
		text[2 * i] = digits[hash[i] >> 4];
		text[2 * i + 1] = digits[hash[i] & 0xf];
	}
	text[2 * i] = '\0';
	return text;
}

/* Writes the start of a line; @hash is the hash of the previous line. */
static int put_head(char *line, size_t room, uint64_t number, const uint8_t *hash)
{
	char text[AUDIT_HASH_TEXT];

	audit_hash_text(hash, text);
	return snprintf(line, room, "{\"number\":%" PRIu64 ",\"previous\":\"%s\",", number, text);
}

/* Returns the number of a whole line and points @hash to its previous hash; 0 for a torn line. */
static uint64_t get_number(const char *line, size_t len, const char **hash)
{
	uint64_t number;
	int start = 0, end = 0;

	if (len > AUDIT_LINE_MAX || strlen(line) != len || !len || line[len - 1] != '}')
		return 0;
	if (sscanf(line, "{\"number\":%" SCNu64 ",\"previous\":\"%n%*96[0-9a-f]\",%n", &number,
		   &start, &end) != 1 || !end)
		return 0;
	*hash = line + start;
	return number;
}

/* ---- check ---- */

/**
 * struct walk - the state of a check
 */
struct walk {
	/** @report: the result so far */
	struct audit_report *report;

	/** @line: number of the line in the file, from 1 on */
	uint64_t line;

	/** @why: filled in at the first line that breaks a rule */
	struct qlink_why *why;
};

static int refuse(struct walk *walk, const char *rule)
{
	return qlink_refuse(walk->why, -EBADMSG, "line %" PRIu64 ": %s", walk->line, rule);
}

/* Parses what audit_hash_text() wrote; get_number() has checked that all are hex digits. */
static void get_hash(uint8_t *hash, const char *text)
{
	unsigned int byte;
	size_t i;

	for (i = 0; i < AUDIT_HASH_BYTES; i++) {
		sscanf(text + 2 * i, "%2x", &byte);
		hash[i] = (uint8_t)byte;
	}
}

static int check_first(struct walk *walk, uint64_t number, const char *hash)
{
	static const uint8_t no_hash[AUDIT_HASH_BYTES];
	struct audit_report *report = walk->report;

	if (walk->line > 1)
		return refuse(walk, "the first whole line comes after a torn line");
	get_hash(report->previous, hash);
	if (number == 1 && memcmp(report->previous, no_hash, AUDIT_HASH_BYTES))
		return refuse(walk, "its number is 1 but its previous hash is not zero");
	memcpy(report->hash, report->previous, AUDIT_HASH_BYTES);
	report->first = number;
	return 0;
}

/* A whole line must start as put_head() would write it now. */
static int check_whole(struct walk *walk, const char *line, uint64_t number, const char *hash)
{
	struct audit_report *report = walk->report;
	char head[AUDIT_LINE_MAX];
	int len;

	if (!report->first && check_first(walk, number, hash))
		return -EBADMSG;
	if (report->last && number != report->last + 1)
		return refuse(walk, "its number does not follow the previous number");
	len = put_head(head, sizeof(head), number, report->hash);
	if (strncmp(line, head, (size_t)len))
		return refuse(walk, "does not contain the hash of the previous line");
	report->last = number;
	report->lines++;
	return 0;
}

static int check_line(struct walk *walk, const char *line, size_t len)
{
	const char *hash;
	uint64_t number = get_number(line, len, &hash);

	walk->line++;
	if (number) {
		if (check_whole(walk, line, number, hash))
			return -EBADMSG;
	} else {
		walk->report->torn++;
	}
	return add_line(walk->report->hash, line, len);
}

static int check_lines(struct walk *walk, FILE *file)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t len;
	int err = 0;

	while (!err && (len = getline(&line, &room, file)) > 0) {
		walk->report->lacks_end = line[len - 1] != '\n';
		if (!walk->report->lacks_end)
			line[--len] = '\0';
		err = check_line(walk, line, (size_t)len);
	}
	if (!err && ferror(file))
		err = qlink_refuse(walk->why, -EIO, "%s", strerror(EIO));
	free(line);
	return err;
}

int audit_verify(int fd, struct audit_report *report, struct qlink_why *why)
{
	struct walk walk = { .report = report, .why = why };
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0), err;
	FILE *file = copy < 0 ? NULL : fdopen(copy, "r");

	memset(report, 0, sizeof(*report));
	why->text[0] = '\0';
	if (!file) {
		err = -errno;
		if (copy >= 0)
			close(copy);
		return qlink_refuse(why, err, "%s", strerror(-err));
	}
	rewind(file);
	err = check_lines(&walk, file);
	fclose(file);
	return err;
}

/* ---- write ---- */

/* Continues the chain at the end of the file; an empty file continues the chain of @audit. */
static int resume(struct audit *audit, struct qlink_why *why)
{
	struct audit_report report;
	int err = audit_verify(audit->fd, &report, why);

	if (err)
		return err;
	if (!report.lines && report.torn)
		return qlink_refuse(why, -EBADMSG, "line 1: not a line of an audit log");
	if (!report.lines)
		return 0;
	audit->number = report.last;
	audit->lacks_end = report.lacks_end;
	memcpy(audit->hash, report.hash, AUDIT_HASH_BYTES);
	return 0;
}

int audit_open(struct audit *audit, const char *path, struct qlink_why *why)
{
	int err;

	audit->fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (audit->fd < 0) {
		err = -errno;
		return qlink_refuse(why, err, "%s", strerror(-err));
	}
	err = resume(audit, why);
	if (err)
		audit_close(audit);
	return err;
}

void audit_close(struct audit *audit)
{
	if (audit->fd >= 0)
		close(audit->fd);
	audit->fd = -1;
	/* The next line goes to another file. */
	audit->lacks_end = false;
}

/* Notes the part of a line that the file has, whole or torn: nothing removes it again. */
static int note_written(struct audit *audit, const char *line, size_t len, bool is_whole)
{
	if (!len)
		return 0;
	audit->lacks_end = line[len - 1] != '\n';
	if (!audit->lacks_end)
		len--;
	if (is_whole)
		audit->number++;
	return add_line(audit->hash, line, len);
}

int audit_append(struct audit *audit, const char *members)
{
	/* The newline that the previous line may lack, the line, its newline and a NUL. */
	char text[1 + AUDIT_LINE_MAX + 1 + 1], *line = text + audit->lacks_end;
	size_t room = AUDIT_LINE_MAX + 2, len;
	ssize_t n;
	int err;

	if (!members[0] || strchr(members, '\n'))
		return -EINVAL;
	text[0] = '\n';
	len = (size_t)put_head(line, room, audit->number + 1, audit->hash);
	len += (size_t)snprintf(line + len, room - len, "%s}\n", members);
	if (len >= room)
		return -EMSGSIZE;
	n = write(audit->fd, text, len + audit->lacks_end);
	err = n < 0 ? -errno : 0;
	if (n > 0 && audit->lacks_end) {
		audit->lacks_end = false;
		n--;
	}
	if (n < 0)
		n = 0;
	if (!err && (size_t)n < len)
		err = -ENOSPC;
	return note_written(audit, line, (size_t)n, (size_t)n + 1 >= len) ?: err;
}

int audit_sync(struct audit *audit)
{
	return fdatasync(audit->fd) ? -errno : 0;
}
