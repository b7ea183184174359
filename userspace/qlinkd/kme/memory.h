/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The memory that libcurl and jansson use for what a key server sends: locked and wiped. */
#ifndef QLINKD_KME_MEMORY_H
#define QLINKD_KME_MEMORY_H

#include <stddef.h>

/**
 * kme_memory_init() - make libcurl and jansson allocate memory that is wiped
 *
 * Call it once, first thing in main(): it starts libcurl, and a block that either library
 * allocated before must not be freed afterwards.
 *
 * Return: 0, or %-ENOMEM if libcurl cannot start.
 */
int kme_memory_init(void);

/**
 * kme_arena_open() - make jansson allocate from one block of locked memory
 * @len: its bytes; once they are used up, jansson is out of memory
 *
 * This bounds the memory of an answer, and keeps its key bytes locked. kme_arena_close() ends it.
 * There is only one arena at a time.
 *
 * Return: 0, or a negative errno as qlink_secret_new().
 */
int kme_arena_open(size_t len);

/**
 * kme_arena_close() - wipe and free the arena
 *
 * Every json_t made since kme_arena_open() is gone afterwards.
 */
void kme_arena_close(void);

#endif
