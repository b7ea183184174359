/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Members of qlinkd's answers. */
#ifndef QLINKCTL_WATCH_MEMBERS_H
#define QLINKCTL_WATCH_MEMBERS_H

#include <jansson.h>

#include "libqlink/parse.h"

/**
 * member_text() - read a string
 * @object: the object; %NULL has no members
 * @name: name of the member
 * @none: returned if there is no string of this name
 *
 * Return: the string, valid as long as @object is, or @none.
 */
const char *member_text(const json_t *object, const char *name, const char *none);

/**
 * member_number() - read an integer
 * @object: the object; %NULL has no members
 * @name: name of the member
 *
 * Return: the integer, 0 if there is none of this name.
 */
long long member_number(const json_t *object, const char *name);

/**
 * member_both() - add an integer of the keys that seal and of those that open
 * @link: a link of the status
 * @name: name of the member in tx and rx
 *
 * Return: the sum.
 */
long long member_both(const json_t *link, const char *name);

/**
 * member_source() - read the source of a ring's active key, as qlink_format_source() writes it
 * @ring: tx or rx of a link
 * @none: returned if no key is active
 * @to: room for the text
 *
 * Return: @to, a string of @ring, or @none.
 */
const char *member_source(const json_t *ring, const char *none, char to[QLINK_SOURCE_TEXT]);

#endif
