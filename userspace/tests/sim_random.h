/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Random bytes for the simulation. */
#ifndef QLINK_TESTS_SIM_RANDOM_H
#define QLINK_TESTS_SIM_RANDOM_H

#include <stddef.h>

#include <openssl/rand.h>

#include "tap.h"

/**
 * sim_random() - fill memory with random bytes
 * @to: the memory
 * @len: its length
 */
static inline void sim_random(void *to, size_t len)
{
	if (RAND_bytes(to, (int)len) != 1)
		BAIL_OUT();
}

#endif
