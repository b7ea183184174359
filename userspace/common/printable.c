// SPDX-License-Identifier: GPL-2.0-or-later
/* Text of others in messages. */
#include "printable.h"

#include <stdbool.h>
#include <stddef.h>

/* Whether the second byte makes a character that RFC 3629 rules out: too long, a surrogate, too large. */
static bool is_ruled_out(const unsigned char *at)
{
	return (at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xed && at[1] >= 0xa0) ||
	       (at[0] == 0xf0 && at[1] < 0x90) || (at[0] == 0xf4 && at[1] >= 0x90);
}

/* The length of a character, or 0 if it is none that may be printed. */
static size_t length(const unsigned char *at)
{
	size_t n, i;

	if (at[0] < 0x80)
		return at[0] >= ' ' && at[0] != 0x7f;
	/* Those from U+0080 to U+009F are control characters, too. */
	if (at[0] < 0xc2 || at[0] > 0xf4 || (at[0] == 0xc2 && at[1] < 0xa0))
		return 0;
	n = at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4;
	for (i = 1; i < n; i++)
		if ((at[i] & 0xc0) != 0x80)
			return 0;
	return is_ruled_out(at) ? 0 : n;
}

void qlink_make_printable(char *text)
{
	unsigned char *at = (unsigned char *)text;
	size_t n;

	while (*at) {
		n = length(at);
		if (!n)
			*at = *at == '\n' || *at == '\t' ? ' ' : '?';
		at += n ? n : 1;
	}
}
