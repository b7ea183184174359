/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text in UTF-8. */
#ifndef QLINK_UTF8_H
#define QLINK_UTF8_H

/**
 * qlink_utf8_repair() - replace each byte that is no part of a letter in UTF-8 by a question mark
 * @text: a text that may have been cut within a letter, which JSON cannot carry
 *
 * Context: Any.
 */
void qlink_utf8_repair(char *text);

#endif
