// SPDX-License-Identifier: GPL-2.0-or-later
/* Text in UTF-8. */
#include "utf8.h"

#include <stddef.h>

/* Bytes of the letter at @at, or 0 if there is none. The NUL at the end continues no letter. */
static size_t letter_bytes(const unsigned char *at)
{
	/* The second byte has limits of its own where a letter would be too long, a surrogate, or above the last one. */
	unsigned char low = *at == 0xe0 ? 0xa0 : *at == 0xf0 ? 0x90 : 0x80;
	unsigned char high = *at == 0xed ? 0x9f : *at == 0xf4 ? 0x8f : 0xbf;
	size_t len = *at < 0x80 ? 1 : *at < 0xc2 ? 0 : *at < 0xe0 ? 2 : *at < 0xf0 ? 3 : *at < 0xf5 ? 4 : 0, i;

	if (len > 1 && (at[1] < low || at[1] > high))
		return 0;
	for (i = 2; i < len; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 0;
	}
	return len;
}

void qlink_utf8_repair(char *text)
{
	size_t len;

	while (*text) {
		len = letter_bytes((const unsigned char *)text);
		if (!len)
			*text = '?';
		text += len ?: 1;
	}
}
