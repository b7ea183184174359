// SPDX-License-Identifier: GPL-2.0
/* Hexadecimal text is read and written within its bounds, and what is written reads back. */
/* cbmc: --unwind BYTES+2 */
/* mutant: userspace/common/hex.c s/if (i < room)/if (i <= room)/ */
/* mutant: userspace/common/hex.c s/c - 'a' + 10/c - 'a' + 9/ */
#include "nondet.h"

#include <assert.h>
#include <stdlib.h>

#include "common/hex.c"

static void any_text(void)
{
	size_t len = nondet_size(), room = nondet_size();
	uint8_t *bytes;
	char *text;
	ssize_t n;

	__CPROVER_assume(len && len <= BYTES && room && room <= BYTES);
	text = malloc(len);
	bytes = malloc(room);
	__CPROVER_assume(text && bytes);
	n = qlink_hex_decode(text, len, bytes, room);
	assert(n == -1 || (size_t)n * 2 == len);
	free(text);
	free(bytes);
}

static void back_again(void)
{
	uint8_t bytes[BYTES / 2], again[BYTES / 2];
	char text[BYTES / 2 * 2 + 1];
	size_t i;

	qlink_hex_encode(bytes, sizeof(bytes), text);
	assert(qlink_hex_decode(text, sizeof(text) - 1, again, sizeof(again)) == sizeof(again));
	for (i = 0; i < sizeof(bytes); i++)
		assert(bytes[i] == again[i]);
}

void harness(void)
{
	any_text();
	back_again();
}
