/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A heap for libraries that copy key bytes: wiped when freed. */
#ifndef QLINK_WIPE_H
#define QLINK_WIPE_H

#include <stddef.h>

/* Blocks of at least so many bytes are locked too: buffers, not small things. */
#define QLINK_WIPE_LOCKED_BYTES	2048

/**
 * qlink_wipe_malloc() - get memory that is wiped when it is freed
 * @len: bytes wanted
 *
 * For the allocator hooks of libcurl, jansson and libevent. Blocks of
 * QLINK_WIPE_LOCKED_BYTES and more lie in struct qlink_secret memory.
 *
 * Return: the memory, aligned for anything, to be freed with
 * qlink_wipe_free(); %NULL when there is none or it cannot be locked.
 */
void *qlink_wipe_malloc(size_t len);

/**
 * qlink_wipe_calloc() - get zeroed memory that is wiped when it is freed
 * @n: members
 * @len: bytes of each
 *
 * Return: as qlink_wipe_malloc(); also %NULL when the product overflows.
 */
void *qlink_wipe_calloc(size_t n, size_t len);

/**
 * qlink_wipe_realloc() - resize memory, wiping what is left behind
 * @data: from these functions, or %NULL
 * @len: bytes wanted
 *
 * Return: the memory; %NULL leaves @data as it is.
 */
void *qlink_wipe_realloc(void *data, size_t len);

/**
 * qlink_wipe_strdup() - copy a string to memory that is wiped when freed
 * @text: the string
 *
 * Return: as qlink_wipe_malloc().
 */
char *qlink_wipe_strdup(const char *text);

/**
 * qlink_wipe_free() - wipe memory and give it back
 * @data: from these functions, or %NULL
 */
void qlink_wipe_free(void *data);

#endif
