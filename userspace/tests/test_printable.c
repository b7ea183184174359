// SPDX-License-Identifier: GPL-2.0-or-later
/* Text of others in messages: nothing that a terminal obeys, and UTF-8. */
#include "common/printable.h"

#include <stdio.h>
#include <string.h>

#include "tap.h"

TEST(what_is_no_text_is_replaced)
{
	static const struct {
		const char *text, *becomes;
	} rows[] = {
		{ "", "" },
		{ "ol\xc3\xa9 \xe2\x82\xac \xf0\x9f\x94\x91", "ol\xc3\xa9 \xe2\x82\xac \xf0\x9f\x94\x91" },
		{ "\x1b[2J\x07\x7f", "?[2J??" },
		{ "one\ntwo\tthree\r", "one two three?" },
		/* U+009B, U+00A0. */
		{ "\xc2\x9b" "2J\xc2\xa0", "??2J\xc2\xa0" },
		/* Cut at the end, and before another character. */
		{ "\xc3", "?" },
		{ "\xe2\x82", "??" },
		{ "\xf0\x9f\x94 x", "??? x" },
		/* Latin-1, a byte that goes on with nothing, and what RFC 3629 rules out. */
		{ "ol\xe9.pem", "ol?.pem" },
		{ "\xa9\xc0\x80\xff", "????" },
		{ "\xe0\x9f\xbf \xed\xa0\x80 \xf0\x8f\xbf\xbf \xf4\x90\x80\x80", "??? ??? ???? ????" },
	};
	char text[64];
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		snprintf(text, sizeof(text), "%s", rows[i].text);
		qlink_make_printable(text);
		CHECK_TEXT("text", text, rows[i].becomes);
	}
}
