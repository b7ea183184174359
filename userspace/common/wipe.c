// SPDX-License-Identifier: GPL-2.0-or-later
/* A heap for libraries that copy key bytes; it wipes what is freed. */
#include "wipe.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "secret.h"

/**
 * struct block - the header of an allocation; it keeps @data aligned for any type
 */
struct block {
	/** @len: bytes that the caller may use */
	size_t len;

	/** @mapped: bytes of the block's own pages; 0 for a block of the C library's heap */
	size_t mapped;

	/** @data: the caller's memory */
	_Alignas(max_align_t) uint8_t data[];
};

static struct block *block_of(void *data)
{
	return (struct block *)((uint8_t *)data - offsetof(struct block, data));
}

void *qlink_wipe_malloc(size_t len)
{
	struct qlink_secret secret;
	struct block *block;

	if (len > SIZE_MAX - sizeof(*block))
		return NULL;
	if (len < QLINK_WIPE_LOCKED_BYTES) {
		block = malloc(sizeof(*block) + len);
		if (!block)
			return NULL;
		block->mapped = 0;
	} else {
		if (qlink_secret_new(&secret, sizeof(*block) + len))
			return NULL;
		block = (struct block *)secret.data;
		block->mapped = secret.mapped;
	}
	block->len = len;
	return block->data;
}

void *qlink_wipe_calloc(size_t n, size_t len)
{
	void *data;

	if (len && n > SIZE_MAX / len)
		return NULL;
	data = qlink_wipe_malloc(n * len);
	if (data)
		memset(data, 0, n * len);
	return data;
}

void qlink_wipe_free(void *data)
{
	struct qlink_secret secret = { 0 };
	struct block *block;

	if (!data)
		return;
	block = block_of(data);
	if (block->mapped) {
		secret.data = (uint8_t *)block;
		secret.mapped = block->mapped;
		qlink_secret_free(&secret);
		return;
	}
	explicit_bzero(block, sizeof(*block) + block->len);
	free(block);
}

void *qlink_wipe_realloc(void *data, size_t len)
{
	size_t have;
	void *grown;

	if (!data)
		return qlink_wipe_malloc(len);
	have = block_of(data)->len;
	grown = qlink_wipe_malloc(len);
	if (!grown)
		return NULL;
	memcpy(grown, data, have < len ? have : len);
	qlink_wipe_free(data);
	return grown;
}

char *qlink_wipe_strdup(const char *text)
{
	size_t len = strlen(text) + 1;
	char *copy = qlink_wipe_malloc(len);

	return copy ? memcpy(copy, text, len) : NULL;
}
