/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where libcurl and jansson keep what a key server sent. */
#ifndef QLINKD_KME_MEMORY_H
#define QLINKD_KME_MEMORY_H

#include <stddef.h>

/**
 * kme_memory_init() - have libcurl and jansson allocate from memory that is wiped
 *
 * Call it once, first thing in main(): it starts libcurl, and a block that one
 * of both got before must not be freed after it.
 *
 * Return: 0, or %-ENOMEM if libcurl cannot start.
 */
int kme_memory_init(void);

/**
 * kme_arena_open() - have jansson allocate from one locked piece of memory
 * @len: bytes in all; once they are used up, jansson is out of memory
 *
 * This bounds what an answer can cost, and keeps its key bytes locked. Ends
 * with kme_arena_close(); the two cannot be nested.
 *
 * Return: 0, or a negative errno as qlink_secret_new().
 */
int kme_arena_open(size_t len);

/**
 * kme_arena_close() - wipe and give back all that jansson allocated since
 *
 * Every json_t made since kme_arena_open() ends here.
 */
void kme_arena_close(void);

#endif
