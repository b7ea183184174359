/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bytes as hexadecimal text. */
#ifndef QLINK_HEX_H
#define QLINK_HEX_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/**
 * qlink_hex_decode() - decode hexadecimal text
 * @text: pairs of digits of either case, and nothing else
 * @len: its length
 * @bytes: where the bytes go
 * @room: bytes there
 *
 * Leaves no copy of the bytes elsewhere, for they may be a key.
 *
 * Context: Pure.
 * Return: how many bytes the text has, of which at most @room are written; or -1.
 */
ssize_t qlink_hex_decode(const char *text, size_t len, uint8_t *bytes, size_t room);

/**
 * qlink_hex_encode() - write bytes as hexadecimal text
 * @bytes: the bytes
 * @n: how many
 * @text: gets 2 * @n digits in lower case and a NUL
 *
 * Context: Pure.
 */
void qlink_hex_encode(const uint8_t *bytes, size_t n, char *text);

#endif
