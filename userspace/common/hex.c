// SPDX-License-Identifier: GPL-2.0-or-later
/* Bytes as hexadecimal text. */
#include "hex.h"

static int value_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

ssize_t qlink_hex_decode(const char *text, size_t len, uint8_t *bytes, size_t room)
{
	int high, low;
	size_t i;

	if (!len || len % 2)
		return -1;
	for (i = 0; i < len / 2; i++) {
		high = value_of(text[2 * i]);
		low = value_of(text[2 * i + 1]);
		if (high < 0 || low < 0)
			return -1;
		if (i < room)
			bytes[i] = (uint8_t)(high << 4 | low);
	}
	return (ssize_t)(len / 2);
}

void qlink_hex_encode(const uint8_t *bytes, size_t n, char *text)
{
	static const char digits[] = "0123456789abcdef";
	size_t i;

	for (i = 0; i < n; i++) {
		*text++ = digits[bytes[i] >> 4];
		*text++ = digits[bytes[i] & 0xf];
	}
	*text = '\0';
}
