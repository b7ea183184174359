/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Locked memory for many keys. */
#ifndef KMESIM_SLAB_H
#define KMESIM_SLAB_H

#include <stdint.h>

/* The longest key that the simulator can make: 1024 bits. */
#define SLAB_KEY_BYTES	128

/**
 * slab_get() - get locked memory for one key
 *
 * Return: SLAB_KEY_BYTES bytes of zeros, to be freed with slab_put(), or %NULL if
 * no more memory can be locked.
 */
uint8_t *slab_get(void);

/**
 * slab_put() - wipe and free the memory of one key
 * @key: from slab_get(), or %NULL
 */
void slab_put(uint8_t *key);

/**
 * slab_exit() - wipe and free all memory
 *
 * No key may be in use.
 */
void slab_exit(void);

#endif
