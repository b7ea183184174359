/* SPDX-License-Identifier: GPL-2.0 */
/* Key bytes that the host can compute: 44 by xorshift64* (Vigna 2016) from a seed. find_keys.py makes the same. */
#ifndef QLINK_KEYBYTES_H
#define QLINK_KEYBYTES_H

#include <stdint.h>
#include <string.h>

#define KEY_FILE_BYTES	44

static void fill(uint8_t *bytes, uint64_t state)
{
	for (int i = 0; i < KEY_FILE_BYTES; i++) {
		state ^= state >> 12;
		state ^= state << 25;
		state ^= state >> 27;
		bytes[i] = (state * 0x2545f4914f6cdd1dULL) >> 56;
	}
	explicit_bzero(&state, sizeof(state));
}

#endif
