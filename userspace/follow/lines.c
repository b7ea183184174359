// SPDX-License-Identifier: GPL-2.0-or-later
/* Puts lines together that come in pieces. */
#include "lines.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ROOM_BYTES	4096

/* Makes room for @more bytes and a NUL. */
static int make_room(struct lines *lines, size_t more)
{
	size_t need = lines->len + more + 1, room = lines->room ?: ROOM_BYTES;
	char *text;

	if (lines->len + more > lines->max)
		return -EMSGSIZE;
	if (need <= lines->room)
		return 0;
	while (room < need)
		room *= 2;
	text = realloc(lines->text, room);
	if (!text)
		return -ENOMEM;
	lines->text = text;
	lines->room = room;
	return 0;
}

static int append(struct lines *lines, const char *data, size_t len)
{
	int err = make_room(lines, len);

	if (err)
		return err;
	memcpy(lines->text + lines->len, data, len);
	lines->len += len;
	lines->text[lines->len] = '\0';
	return 0;
}

int lines_take(struct lines *lines, const char *data, size_t len, lines_take_one take, void *arg)
{
	const char *end = data + len, *newline;
	int err = 0;

	for (; !err && data < end; data = newline + 1) {
		newline = memchr(data, '\n', (size_t)(end - data));
		if (!newline)
			return append(lines, data, (size_t)(end - data));
		err = append(lines, data, (size_t)(newline - data));
		if (!err && lines->len)
			err = take(arg, lines->text, lines->len);
		lines->len = 0;
	}
	return err;
}

void lines_free(struct lines *lines)
{
	free(lines->text);
	lines->text = NULL;
	lines->len = lines->room = 0;
}
