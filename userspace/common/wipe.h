/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A heap for libraries that copy key bytes; it wipes what is freed. */
#ifndef QLINK_WIPE_H
#define QLINK_WIPE_H

#include <stddef.h>

/* Blocks of at least this many bytes are also locked in memory: buffers, not small objects. */
#define QLINK_WIPE_LOCKED_BYTES	2048

/**
 * qlink_wipe_malloc() - allocate memory that is wiped when it is freed
 * @len: bytes wanted
 *
 * For the allocator hooks of libcurl, jansson and libevent. A block of
 * QLINK_WIPE_LOCKED_BYTES or more is struct qlink_secret memory.
 *
 * Context: Any thread.
 * Return: the memory, aligned for any type; the caller frees it with qlink_wipe_free().
 * %NULL if there is no memory or it cannot be locked.
 */
void *qlink_wipe_malloc(size_t len);

/**
 * qlink_wipe_calloc() - allocate zeroed memory that is wiped when it is freed
 * @n: number of members
 * @len: bytes of each member
 *
 * Context: Any thread.
 * Return: as qlink_wipe_malloc(); also %NULL if @n times @len overflows.
 */
void *qlink_wipe_calloc(size_t n, size_t len);

/**
 * qlink_wipe_realloc() - move memory to a block of another size and wipe the old one
 * @data: from these functions, or %NULL
 * @len: bytes wanted
 *
 * Context: Any thread.
 * Return: as qlink_wipe_malloc(), and @data is freed; after %NULL, @data is unchanged.
 */
void *qlink_wipe_realloc(void *data, size_t len);

/**
 * qlink_wipe_strdup() - copy a string to memory that is wiped when freed
 * @text: the string
 *
 * Context: Any thread.
 * Return: as qlink_wipe_malloc().
 */
char *qlink_wipe_strdup(const char *text);

/**
 * qlink_wipe_free() - wipe memory and free it
 * @data: from these functions, or %NULL
 *
 * Context: Any thread.
 */
void qlink_wipe_free(void *data);

#endif
