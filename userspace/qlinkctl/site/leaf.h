/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The options of each kind of section, and how JSON has their values. */
#ifndef QLINKCTL_LEAF_H
#define QLINKCTL_LEAF_H

#include <stdbool.h>
#include <stdint.h>

#include "site.h"

/**
 * enum leaf_form - how JSON (RFC 7951) has the value of an option
 */
enum leaf_form {
	/** @LEAF_TEXT: a string */
	LEAF_TEXT,

	/** @LEAF_NUMBER: a number of at most 32 bits */
	LEAF_NUMBER,

	/** @LEAF_NUMBER64: a number of 64 bits, which is a string of digits there */
	LEAF_NUMBER64,

	/** @LEAF_INHERIT: a number, or the string "inherit" */
	LEAF_INHERIT,

	/** @LEAF_BOOLEAN: true or false, for @yes and @no */
	LEAF_BOOLEAN,

	/** @LEAF_LIST: an array of strings, with @separator between them here */
	LEAF_LIST,
};

/**
 * struct leaf - an option
 */
struct leaf {
	/** @name: of the option and of the member */
	const char *name;

	/** @yes: the word for true */
	const char *yes;

	/** @no: the word for false */
	const char *no;

	/** @min: the least number */
	uint64_t min;

	/** @max: the greatest number, or the most items of a list; 0 for no limit here */
	uint64_t max;

	/** @has_zero: 0 is right, too */
	bool has_zero;

	/** @form: how JSON has its value */
	enum leaf_form form;

	/** @separator: between the items of a list */
	char separator;

	/** @is_required: each section must have it */
	bool is_required;
};

/**
 * leaf_at() - get an option by its place
 * @kind: kind of the section
 * @i: which option, from 0
 * @leaf: filled in
 *
 * The options are those of the program that uses them: of qlinkd's tables, and of the attributes
 * of a link.
 *
 * Return: false if there are not so many.
 */
bool leaf_at(enum site_kind kind, size_t i, struct leaf *leaf);

/**
 * leaf_find() - find an option by its name
 * @kind: kind of the section
 * @name: of the option
 * @leaf: filled in
 *
 * Return: false if there is none.
 */
bool leaf_find(enum site_kind kind, const char *name, struct leaf *leaf);

/**
 * leaf_is_default() - whether a document may say it once for all links
 * @name: an option of links
 *
 * Return: true unless it is about one link.
 */
bool leaf_is_default(const char *name);

#endif
