/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Decimal numbers as people write them. */
#ifndef QLINK_NUMBER_H
#define QLINK_NUMBER_H

#include <stdint.h>

#include "why.h"

/**
 * qlink_parse_number() - parse a decimal number
 * @text: digits only, no sign, no space; ends with a NUL
 * @min: smallest number allowed
 * @max: largest number allowed
 * @number: set on success only
 * @why: filled in on failure
 *
 * Context: Pure.
 * Return: 0, or %-EINVAL with @why: not digits, or outside @min to @max.
 */
int qlink_parse_number(const char *text, uint64_t min, uint64_t max,
		       uint64_t *number, struct qlink_why *why);

#endif
