/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Puts lines together that come in pieces. */
#ifndef FOLLOW_LINES_H
#define FOLLOW_LINES_H

#include <stddef.h>

/**
 * struct lines - a line as far as it has come; all zero but @max at first
 */
struct lines {
	/** @text: what has come of it */
	char *text;

	/** @len: bytes of it */
	size_t len;

	/** @room: bytes at @text */
	size_t room;

	/** @max: longest line that is taken */
	size_t max;
};

/* Takes a line without its newline, which a NUL follows; 0, or a negative errno that ends all. */
typedef int (*lines_take_one)(void *arg, const char *line, size_t len);

/**
 * lines_take() - take a piece
 * @lines: the line so far
 * @data: the piece
 * @len: its bytes
 * @take: is called for each line that is complete, and not for empty ones
 * @arg: for @take
 *
 * Return: 0; %-EMSGSIZE for a line that is longer than @max; %-ENOMEM; or what @take has returned.
 */
int lines_take(struct lines *lines, const char *data, size_t len, lines_take_one take, void *arg);

/**
 * lines_free() - forget the line
 * @lines: as before its first piece afterwards
 */
void lines_free(struct lines *lines);

#endif
