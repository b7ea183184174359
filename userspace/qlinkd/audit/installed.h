/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The keys that the end of the audit log says were installed, so that none is used again. */
#ifndef QLINKD_AUDIT_INSTALLED_H
#define QLINKD_AUDIT_INSTALLED_H

#include <stddef.h>

#include "cursor.h"

/* Longest name of a KME in a line, escaped as in JSON, with a terminating NUL. */
#define AUDIT_KME_TEXT		(64 * FIELD_ESCAPE_MAX + 1)
/* Longest direction, with a terminating NUL. */
#define AUDIT_DIRECTION_TEXT	4

/**
 * struct audit_key - a QKD key that was installed
 */
struct audit_key {
	/** @link: the link, escaped as in JSON */
	char link[AUDIT_LINK_TEXT];

	/** @direction: tx or rx */
	char direction[AUDIT_DIRECTION_TEXT];

	/** @kme: as the offer named the KME, escaped as in JSON */
	char kme[AUDIT_KME_TEXT];

	/** @id: its KME key ID, not ended by a NUL */
	const char *id;

	/** @id_len: bytes of @id */
	size_t id_len;
};

/**
 * struct audit_installed - lines of the event installed
 */
struct audit_installed {
	/** @lines: the lines, each ended by a newline */
	char *lines;

	/** @len: bytes of @lines */
	size_t len;

	/** @room: bytes that @lines has room for */
	size_t room;
};

/**
 * audit_installed_free() - forget the lines
 * @installed: empty afterwards
 */
void audit_installed_free(struct audit_installed *installed);

/**
 * audit_installed_note() - keep a line of the log
 * @installed: gets the line if it is of the event installed and names key IDs
 * @line: @len bytes, without the newline
 * @len: bytes of @line
 *
 * Return: 0, or %-ENOMEM.
 */
int audit_installed_note(struct audit_installed *installed, const char *line, size_t len);

/**
 * audit_installed_each() - go through all keys
 * @installed: the lines
 * @use: called for each key
 * @arg: for @use
 */
void audit_installed_each(const struct audit_installed *installed,
			  void (*use)(void *arg, const struct audit_key *key), void *arg);

#endif
