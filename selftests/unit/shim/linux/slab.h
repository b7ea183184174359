/* SPDX-License-Identifier: GPL-2.0 */
/* Allocations, which a test can make fail: see slab_left. */
#include <linux/types.h>
#include <stdlib.h>

#define GFP_KERNEL		0
#define GFP_KERNEL_ACCOUNT	0
#define GFP_ATOMIC		0

/* How many allocations succeed before one fails; a test sets it. */
static int slab_left = -1;

/* How many are there. */
static unsigned int slab_n_held;

static inline void *kzalloc(size_t bytes, int flags)
{
	(void)flags;
	if (!slab_left)
		return NULL;
	if (slab_left > 0)
		slab_left--;
	slab_n_held++;
	return calloc(1, bytes);
}

#define kmalloc(bytes, flags)	kzalloc(bytes, flags)

static inline void kfree(void *memory)
{
	slab_n_held -= memory != NULL;
	free(memory);
}
