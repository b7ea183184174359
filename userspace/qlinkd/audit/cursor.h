/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The last record of each link that the audit log has, so that none is logged twice or skipped. */
#ifndef QLINKD_AUDIT_CURSOR_H
#define QLINKD_AUDIT_CURSOR_H

#include <stddef.h>
#include <stdint.h>

#include "qlinkd/base/field.h"

/* Longest name of a link, escaped as in JSON, with a terminating NUL. */
#define AUDIT_LINK_TEXT		(15 * FIELD_ESCAPE_MAX + 1)
/* Longest rest of a line, with a terminating NUL. */
#define AUDIT_RECORD_TEXT	480
/* Links that are remembered, at most. */
#define AUDIT_CURSORS_MAX	4096

/**
 * struct audit_cursor - the last record of a link
 */
struct audit_cursor {
	/** @link: the link, escaped as in JSON */
	char link[AUDIT_LINK_TEXT];

	/** @text: the members of its line from record on, as in "record":7,"direction":"tx" */
	char text[AUDIT_RECORD_TEXT];
};

/**
 * struct audit_cursors - those of all links
 */
struct audit_cursors {
	/** @list: @n cursors, in the order of their links */
	struct audit_cursor *list;

	/** @n: how many */
	size_t n;
};

/**
 * audit_cursors_free() - free all
 * @cursors: empty afterwards
 */
void audit_cursors_free(struct audit_cursors *cursors);

/**
 * audit_cursors_note() - take the cursor from a line of the log
 * @cursors: updated if the line is of the event used or cursor
 * @line: @len bytes, without the newline
 * @len: bytes of @line
 *
 * Return: 0, or %-ENOMEM.
 */
int audit_cursors_note(struct audit_cursors *cursors, const char *line, size_t len);

/**
 * audit_cursors_find() - find the cursor of a link
 * @cursors: all cursors
 * @link: the link, escaped as in JSON
 *
 * Return: the cursor, or %NULL.
 */
const struct audit_cursor *audit_cursors_find(const struct audit_cursors *cursors,
					      const char *link);

#endif
