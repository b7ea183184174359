// SPDX-License-Identifier: GPL-2.0-or-later
/* A line of the audit log: JSON with a number and the hash of the line before. */
#include "line.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <openssl/evp.h>

#define HEAD_NUMBER	"{\"number\":"
#define HEAD_PREVIOUS	",\"previous\":\""
#define DIGITS_MAX	20
#define HASH_BYTES	((AUDIT_HASH_TEXT - 1) / 2)
/* Longest start of a line, up to the times, with a NUL. */
#define HEAD_MAX	(sizeof(HEAD_NUMBER) + DIGITS_MAX + sizeof(HEAD_PREVIOUS) + AUDIT_HASH_TEXT + 2)

/* ---- hashes ---- */

struct audit_hasher {
	EVP_MD *digest;
	EVP_MD_CTX *context;
};

struct audit_hasher *audit_hasher_new(void)
{
	struct audit_hasher *hasher = calloc(1, sizeof(*hasher));

	if (!hasher)
		return NULL;
	/* Fetched once: an implicit fetch costs more than the hash of a line. */
	hasher->digest = EVP_MD_fetch(NULL, "SHA2-384", NULL);
	hasher->context = EVP_MD_CTX_new();
	if (hasher->digest && hasher->context)
		return hasher;
	audit_hasher_free(hasher);
	return NULL;
}

void audit_hasher_free(struct audit_hasher *hasher)
{
	if (!hasher)
		return;
	EVP_MD_CTX_free(hasher->context);
	EVP_MD_free(hasher->digest);
	free(hasher);
}

static void put_hex(char *text, const uint8_t *bytes, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	size_t i;

	for (i = 0; i < n; i++) {
		text[2 * i] = digits[bytes[i] >> 4];
		text[2 * i + 1] = digits[bytes[i] & 0xf];
	}
	text[2 * n] = '\0';
}

static int finish(struct audit_hasher *hasher, char hash[AUDIT_HASH_TEXT])
{
	uint8_t bytes[HASH_BYTES];

	if (EVP_DigestFinal_ex(hasher->context, bytes, NULL) != 1)
		return -ENOMEM;
	put_hex(hash, bytes, sizeof(bytes));
	return 0;
}

int audit_hash(struct audit_hasher *hasher, const char *data, size_t len,
	       char hash[AUDIT_HASH_TEXT])
{
	if (EVP_DigestInit_ex2(hasher->context, hasher->digest, NULL) != 1 ||
	    EVP_DigestUpdate(hasher->context, data, len) != 1)
		return -ENOMEM;
	return finish(hasher, hash);
}

int audit_hash_range(struct audit_hasher *hasher, int fd, uint64_t offset, uint64_t bytes,
		     char hash[AUDIT_HASH_TEXT])
{
	char data[8192];
	ssize_t n;

	if (EVP_DigestInit_ex2(hasher->context, hasher->digest, NULL) != 1)
		return -ENOMEM;
	for (; bytes; bytes -= (uint64_t)n, offset += (uint64_t)n) {
		n = pread(fd, data, bytes < sizeof(data) ? bytes : sizeof(data), (off_t)offset);
		if (n < 0)
			return -errno;
		if (!n)
			break;
		if (EVP_DigestUpdate(hasher->context, data, (size_t)n) != 1)
			return -ENOMEM;
	}
	return finish(hasher, hash);
}

void audit_point_start(struct audit_point *point)
{
	point->number = 0;
	memset(point->hash, '0', AUDIT_HASH_TEXT - 1);
	point->hash[AUDIT_HASH_TEXT - 1] = '\0';
}

/* ---- times ---- */

const char *audit_time_text(uint64_t utc_ms, char text[AUDIT_TIME_TEXT])
{
	time_t seconds = (time_t)(utc_ms / 1000);
	struct tm tm;
	size_t len;

	gmtime_r(&seconds, &tm);
	len = strftime(text, AUDIT_TIME_TEXT, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text + len, AUDIT_TIME_TEXT - len, ".%03uZ", (unsigned int)(utc_ms % 1000));
	return text;
}

uint64_t audit_time_parse(const char *text)
{
	struct tm tm = { .tm_isdst = 0 };
	const char *end = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);

	if (!end || *end != '.')
		return 0;
	return (uint64_t)timegm(&tm) * 1000 + strtoul(end + 1, NULL, 10);
}

/* ---- lines ---- */

/* Without printf(), which would take as long as the hash when a log is checked. */
static size_t put_number(char *to, uint64_t number)
{
	char digits[DIGITS_MAX];
	size_t n = 0, i;

	do {
		digits[n++] = (char)('0' + number % 10);
		number /= 10;
	} while (number);
	for (i = 0; i < n; i++)
		to[i] = digits[n - 1 - i];
	return n;
}

/* Writes the start of the line behind @point; the caller has HEAD_MAX bytes. */
static size_t put_head(char *to, const struct audit_point *point)
{
	size_t len = sizeof(HEAD_NUMBER) - 1;

	memcpy(to, HEAD_NUMBER, len);
	len += put_number(to + len, point->number + 1);
	memcpy(to + len, HEAD_PREVIOUS, sizeof(HEAD_PREVIOUS) - 1);
	len += sizeof(HEAD_PREVIOUS) - 1;
	memcpy(to + len, point->hash, AUDIT_HASH_TEXT - 1);
	len += AUDIT_HASH_TEXT - 1;
	memcpy(to + len, "\",", 2);
	return len + 2;
}

int audit_line_compose(char *line, struct audit_point *point, struct audit_hasher *hasher,
		       uint64_t utc_ms, uint64_t boot_ms, const char *members)
{
	char time[AUDIT_TIME_TEXT], hash[AUDIT_HASH_TEXT];
	size_t len = put_head(line, point);

	len += (size_t)snprintf(line + len, AUDIT_LINE_MAX + 1 - len,
				"\"utc\":\"%s\",\"boot_ms\":%" PRIu64 ",%s}",
				audit_time_text(utc_ms, time), boot_ms, members);
	if (len > AUDIT_LINE_MAX)
		return -EMSGSIZE;
	if (audit_hash(hasher, line, len, hash))
		return -ENOMEM;
	point->number++;
	memcpy(point->hash, hash, sizeof(hash));
	memcpy(line + len, "\n", 2);
	return (int)len + 1;
}

bool audit_line_parse(const char *line, size_t len, struct audit_point *before)
{
	char head[HEAD_MAX], *end;
	uint64_t number;

	if (len < sizeof(HEAD_NUMBER) || len > AUDIT_LINE_MAX || line[len - 1] != '}')
		return false;
	memcpy(head, line, len < sizeof(head) - 1 ? len : sizeof(head) - 1);
	head[len < sizeof(head) - 1 ? len : sizeof(head) - 1] = '\0';
	if (strncmp(head, HEAD_NUMBER, sizeof(HEAD_NUMBER) - 1))
		return false;
	number = strtoull(head + sizeof(HEAD_NUMBER) - 1, &end, 10);
	if (!number || strncmp(end, HEAD_PREVIOUS, sizeof(HEAD_PREVIOUS) - 1))
		return false;
	end += sizeof(HEAD_PREVIOUS) - 1;
	if (strspn(end, "0123456789abcdef") != AUDIT_HASH_TEXT - 1 ||
	    strncmp(end + AUDIT_HASH_TEXT - 1, "\",", 2))
		return false;
	before->number = number - 1;
	memcpy(before->hash, end, AUDIT_HASH_TEXT - 1);
	before->hash[AUDIT_HASH_TEXT - 1] = '\0';
	return true;
}

/* Which rule a line breaks that does not begin as it should. */
static const char *find_rule(const char *line, size_t len, const struct audit_point *point,
			     struct audit_point *before)
{
	if (!audit_line_parse(line, len, before))
		return "not a line of an audit log";
	if (before->number > point->number)
		return "lines before it are missing";
	if (before->number < point->number)
		return "its number was there before";
	return "it, or the line before it, was changed";
}

const char *audit_line_follows(const char *line, size_t len, struct audit_point *point,
			       struct audit_hasher *hasher)
{
	struct audit_point before = *point;
	const char *rule = NULL;
	char head[HEAD_MAX];
	size_t n = put_head(head, point);

	if (len <= n || len > AUDIT_LINE_MAX || line[len - 1] != '}' || memcmp(line, head, n))
		rule = find_rule(line, len, point, &before);
	point->number = before.number + 1;
	if (audit_hash(hasher, line, len, point->hash) && !rule)
		rule = "no memory";
	return rule;
}

/* ---- members ---- */

const char *audit_line_member(const char *line, size_t len, const char *name)
{
	char text[40];
	size_t n = (size_t)snprintf(text, sizeof(text), ",\"%s\":", name);
	const char *at = n < sizeof(text) ? memmem(line, len, text, n) : NULL;

	return at ? at + n : NULL;
}

bool audit_line_is(const char *line, size_t len, const char *event)
{
	const char *value = audit_line_member(line, len, "event");
	size_t n = strlen(event), left;

	if (!value)
		return false;
	left = len - (size_t)(value - line);
	return left >= n + 2 && value[0] == '"' && !memcmp(value + 1, event, n) &&
	       value[n + 1] == '"';
}

bool audit_line_number(const char *line, size_t len, const char *name, uint64_t *number)
{
	const char *value = audit_line_member(line, len, name), *end = line + len;
	uint64_t sum = 0;

	if (!value || value == end || *value < '0' || *value > '9')
		return false;
	for (; value < end && *value >= '0' && *value <= '9'; value++)
		sum = sum * 10 + (uint64_t)(*value - '0');
	*number = sum;
	return true;
}

bool audit_line_text(const char *line, size_t len, const char *name, char *text, size_t room)
{
	const char *value = audit_line_member(line, len, name), *end = line + len, *quote;

	if (!value || value == end || *value++ != '"')
		return false;
	for (quote = value; quote < end && *quote != '"'; quote++)
		quote += *quote == '\\';
	if (quote >= end || (size_t)(quote - value) >= room)
		return false;
	memcpy(text, value, (size_t)(quote - value));
	text[quote - value] = '\0';
	return true;
}
