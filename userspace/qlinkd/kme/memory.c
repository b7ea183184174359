// SPDX-License-Identifier: GPL-2.0-or-later
/* The memory that libcurl and jansson use for what a key server sends: locked and wiped. */
#include "memory.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

#include <curl/curl.h>
#include <jansson.h>

#include "common/secret.h"
#include "common/wipe.h"

/* One is enough: the process has one thread, which judges one answer at a time. */
static struct qlink_secret arena;
static size_t arena_used;

static bool is_in_arena(const void *data)
{
	uintptr_t at = (uintptr_t)data, start = (uintptr_t)arena.data;

	return arena.data && at >= start && at - start < arena.len;
}

static void *json_malloc_wiped(size_t len)
{
	size_t room = arena.len - arena_used, need;
	void *data;

	if (!arena.data)
		return qlink_wipe_malloc(len);
	if (len > room)
		return NULL;
	need = (len + 15) & ~(size_t)15;
	data = arena.data + arena_used;
	arena_used += need < room ? need : room;
	return data;
}

/* The arena is freed as a whole, not block by block. */
static void json_free_wiped(void *data)
{
	if (!is_in_arena(data))
		qlink_wipe_free(data);
}

int kme_memory_init(void)
{
	json_set_alloc_funcs(json_malloc_wiped, json_free_wiped);
	return curl_global_init_mem(CURL_GLOBAL_DEFAULT, qlink_wipe_malloc,
				    qlink_wipe_free, qlink_wipe_realloc,
				    qlink_wipe_strdup, qlink_wipe_calloc) ?
		       -ENOMEM : 0;
}

int kme_arena_open(size_t len)
{
	arena_used = 0;
	return qlink_secret_new(&arena, len);
}

void kme_arena_close(void)
{
	qlink_secret_free(&arena);
}
