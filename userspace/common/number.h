/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers that people write, in decimal. */
#ifndef QLINK_NUMBER_H
#define QLINK_NUMBER_H

#include <stdint.h>

#include "why.h"

/**
 * qlink_parse_number() - parse a decimal number
 * @text: digits and nothing else
 * @min: smallest number allowed
 * @max: largest number allowed
 * @number: where the number goes
 * @why: filled in on failure
 *
 * Return: 0, or %-EINVAL with @why.
 */
int qlink_parse_number(const char *text, uint64_t min, uint64_t max,
		       uint64_t *number, struct qlink_why *why);

#endif
