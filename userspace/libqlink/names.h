/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The names of values of enums, for people and scripts. */
#ifndef QLINK_NAMES_H
#define QLINK_NAMES_H

#include <stddef.h>

#include "names-gen.h"

/**
 * qlink_name() - name a value of an enum
 * @names: the names of the enum
 * @value: a value, as the kernel sent it
 *
 * Return: its name, or "unknown" for a value that only a newer kernel has.
 */
const char *qlink_name(const struct qlink_names *names, unsigned int value);

/**
 * qlink_name_find() - find the value that has a name
 * @names: the names of the enum
 * @text: the name
 * @len: how many bytes of @text the name has
 *
 * Return: the value, or -1 for none.
 */
int qlink_name_find(const struct qlink_names *names, const char *text,
		    size_t len);

/**
 * qlink_name_list() - join all names of an enum, for an error message
 * @names: the names of the enum
 * @buf: where the names go, separated by ", "
 * @size: room at @buf; the list is cut to it
 */
void qlink_name_list(const struct qlink_names *names, char *buf, size_t size);

#endif
