/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an error message says: the rule that a value broke. */
#ifndef QLINK_WHY_H
#define QLINK_WHY_H

/**
 * struct qlink_why - the rule that a value broke, for an error message
 */
struct qlink_why {
	/** @text: as in "not a number from 1 to 64"; no value, no full stop */
	char text[120];
};

/**
 * qlink_refuse() - say which rule was broken
 * @why: where it is said; what does not fit is cut off
 * @err: negative errno
 * @rule: a printf() format
 *
 * Return: @err, for the caller to return.
 */
__attribute__((format(printf, 3, 4)))
int qlink_refuse(struct qlink_why *why, int err, const char *rule, ...);

#endif
