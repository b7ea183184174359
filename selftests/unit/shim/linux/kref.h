/* SPDX-License-Identifier: GPL-2.0 */
/* A reference count, which nobody increments once it is 0. */
#include <linux/types.h>

struct kref { unsigned int n; };

static inline void kref_init(struct kref *ref) { ref->n = 1; }
static inline void kref_get(struct kref *ref) { assert(ref->n++); }

static inline void kref_put(struct kref *ref, void (*release)(struct kref *ref))
{
	assert(ref->n);
	if (!--ref->n)
		release(ref);
}
