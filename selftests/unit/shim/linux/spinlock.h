/* SPDX-License-Identifier: GPL-2.0 */
/* A lock that can be taken once and must be given back. */
#include <linux/types.h>

typedef struct { bool is_held; } spinlock_t;

#define spin_lock_init(lock)	((lock)->is_held = false)
#define spin_lock(lock)		(assert(!(lock)->is_held), (void)((lock)->is_held = true))
#define spin_unlock(lock)	(assert((lock)->is_held), (void)((lock)->is_held = false))
#define spin_lock_bh(lock)	spin_lock(lock)
#define spin_unlock_bh(lock)	spin_unlock(lock)
#define lockdep_assert_held(lock)	assert((lock)->is_held)
