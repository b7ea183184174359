// SPDX-License-Identifier: GPL-2.0-or-later
/* The keys that the end of the audit log says were installed, so that none is used again. */
#include "installed.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "line.h"

#define ROOM_MIN	65536

void audit_installed_free(struct audit_installed *installed)
{
	free(installed->lines);
	memset(installed, 0, sizeof(*installed));
}

static int make_room(struct audit_installed *installed, size_t n)
{
	size_t room = installed->room ? 2 * installed->room : ROOM_MIN;
	char *lines;

	if (installed->room - installed->len >= n)
		return 0;
	lines = realloc(installed->lines, room + n);
	if (!lines)
		return -ENOMEM;
	installed->lines = lines;
	installed->room = room + n;
	return 0;
}

int audit_installed_note(struct audit_installed *installed, const char *line, size_t len)
{
	if ((!audit_line_is(line, len, "installed") && !audit_line_is(line, len, "mixed")) ||
	    !audit_line_member(line, len, "kme_key_ids"))
		return 0;
	if (make_room(installed, len + 1))
		return -ENOMEM;
	memcpy(installed->lines + installed->len, line, len);
	installed->len += len;
	installed->lines[installed->len++] = '\n';
	return 0;
}

/* The IDs of one line, as in ["ID","ID"]. */
static void each_of_line(const char *line, size_t len, void (*use)(void *arg, const struct audit_key *key),
			 void *arg)
{
	const char *at = audit_line_member(line, len, "kme_key_ids"), *end = line + len;
	struct audit_key key;

	if (!at || at == end || *at++ != '[' ||
	    !audit_line_text(line, len, "link", key.link, sizeof(key.link)) ||
	    !audit_line_text(line, len, "direction", key.direction, sizeof(key.direction)) ||
	    !audit_line_text(line, len, "kme", key.kme, sizeof(key.kme)))
		return;
	while (at < end && *at == '"') {
		key.id = at + 1;
		at = memchr(key.id, '"', (size_t)(end - key.id));
		if (!at)
			return;
		key.id_len = (size_t)(at++ - key.id);
		use(arg, &key);
		if (at < end && *at == ',')
			at++;
	}
}

void audit_installed_each(const struct audit_installed *installed,
			  void (*use)(void *arg, const struct audit_key *key), void *arg)
{
	const char *line = installed->lines, *end = line + installed->len, *next;

	for (; line < end; line = next + 1) {
		next = memchr(line, '\n', (size_t)(end - line));
		each_of_line(line, (size_t)(next - line), use, arg);
	}
}
