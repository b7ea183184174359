/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The text of an error message: the rule that a value broke. */
#ifndef QLINK_WHY_H
#define QLINK_WHY_H

/**
 * struct qlink_why - the rule that a value broke, for an error message
 */
struct qlink_why {
	/** @text: as in "not a number from 1 to 64"; without the value, without a full stop */
	char text[400];
};

/**
 * qlink_refuse() - write down which rule was broken
 * @why: gets the rule; text that does not fit is cut off
 * @err: negative errno
 * @rule: a printf() format
 *
 * Context: Any.
 * Return: @err, so that the caller can return it.
 */
__attribute__((format(printf, 3, 4)))
int qlink_refuse(struct qlink_why *why, int err, const char *rule, ...);

#endif
