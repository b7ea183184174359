/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text of others in messages. */
#ifndef QLINK_PRINTABLE_H
#define QLINK_PRINTABLE_H

/**
 * qlink_make_printable() - take out of a text what a terminal obeys, and what is not UTF-8
 * @text: changed in place; it stays as long as it is
 *
 * Line breaks and tabs become blanks, all else a question mark: control characters, also those of two
 * bytes, and what is left of a character where a text was cut.
 */
void qlink_make_printable(char *text);

#endif
