/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Named values of an event, and the one way in which words of others are escaped. */
#ifndef QLINKD_FIELD_H
#define QLINKD_FIELD_H

#include <stddef.h>
#include <stdint.h>

/**
 * struct log_field - one named value of an event
 */
struct log_field {
	/** @name: a word; %NULL ends a list */
	const char *name;

	/** @text: the value; %NULL if the value is @number */
	const char *text;

	/** @number: the value if @text is %NULL */
	uint64_t number;

	/** @list: in JSON, the inside of an array of strings from field_escape(); or %NULL */
	const char *list;
};

/**
 * enum field_style - how a byte that is not printable ASCII is written
 * @FIELD_STYLE_LOG: as \xHH
 * @FIELD_STYLE_JSON: as \u00HH
 */
enum field_style {
	FIELD_STYLE_LOG,
	FIELD_STYLE_JSON,
};

/* Bytes that one byte of a text can become, at most. */
#define FIELD_ESCAPE_MAX	6

/**
 * field_escape() - write a text of a peer, a KME or a client between quotes
 * @to: filled in, with a terminating NUL
 * @room: bytes at @to; above 0
 * @text: @len bytes of any value
 * @len: bytes at @text
 * @style: how
 *
 * A quote and a backslash get a backslash; every byte outside 0x20 to 0x7e is written as a
 * number, those above 0x7e as well, because a terminal may take some for control characters.
 * What does not fit is left out; no escape is cut in two.
 *
 * Context: Pure.
 * Return: bytes written, without the NUL.
 */
size_t field_escape(char *to, size_t room, const char *text, size_t len, enum field_style style);

/**
 * field_make_printable() - make a text of others fit for a line, in place
 * @text: each byte that is no printable ASCII, or is in @except, becomes a question mark
 * @except: as "\"\\", for a text that is put between quotes later; may be empty
 *
 * Context: Pure.
 */
void field_make_printable(char *text, const char *except);

/**
 * field_json() - write fields as members of a JSON object
 * @to: filled in, with a terminating NUL: "NAME":VALUE pairs, separated by commas
 * @room: bytes at @to; above 0
 * @fields: a list, ended by a field without a name
 *
 * A text that does not fit is cut off.
 *
 * Context: Pure.
 * Return: bytes written, without the NUL; 0 if a further member does not fit.
 */
size_t field_json(char *to, size_t room, const struct log_field *fields);

#endif
