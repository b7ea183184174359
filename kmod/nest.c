// SPDX-License-Identifier: GPL-2.0
/* Links that are in the middle of sending a frame: how a loop of links is found. */
#include "nest.h"

/* Comes first: on 6.12, local_lock.h of PREEMPT_RT uses it and does not include it. */
#include <linux/spinlock.h>

#include <linux/local_lock.h>
#include <linux/percpu.h>
#include <linux/sched.h>

/**
 * struct qlink_nests - the nests of one CPU, the one that was entered last first
 *
 * With BHs off only one task of a CPU can be sending, and they leave in the reverse order. On
 * PREEMPT_RT this is not so since 6.18: BHs off does not keep another task of the CPU from sending.
 * There the lock is a real one, each nest counts for its own task only, and any may leave first.
 */
struct qlink_nests {
	/** @lock: guards the list */
	local_lock_t lock;
	/** @last: the nest that was entered last, or NULL */
	struct qlink_nest *last;
};

static DEFINE_PER_CPU(struct qlink_nests, qlink_nests) = {
	.lock = INIT_LOCAL_LOCK(lock),
};

static bool qlink_nest_is_loop(const struct qlink_nest *nest, const struct qlink_dev *link)
{
	for (; nest; nest = nest->outer) {
		if (nest->link == link && nest->task == current)
			return true;
	}
	return false;
}

/**
 * qlink_nest_enter() - begin to send a frame, unless this link is sending one already
 * @nest: out, on the stack of the caller, until qlink_nest_leave()
 * @link: the link that sends
 *
 * Where a queue on the way ends the nesting, this cannot see the loop, and the frame goes round
 * until it has grown too big.
 *
 * Context: BHs off.
 * Return: false where the frame has come back to a link that is still sending it; @nest is unused
 */
bool qlink_nest_enter(struct qlink_nest *nest, const struct qlink_dev *link)
{
	bool is_loop;

	nest->link = link;
	nest->task = current;
	local_lock_nested_bh(&qlink_nests.lock);
	nest->outer = __this_cpu_read(qlink_nests.last);
	is_loop = qlink_nest_is_loop(nest->outer, link);
	if (likely(!is_loop))
		__this_cpu_write(qlink_nests.last, nest);
	local_unlock_nested_bh(&qlink_nests.lock);
	return !is_loop;
}

/**
 * qlink_nest_leave() - the frame was sent or dropped
 * @nest: of qlink_nest_enter()
 *
 * Context: As of qlink_nest_enter(), in the same section with BHs off.
 */
void qlink_nest_leave(struct qlink_nest *nest)
{
	struct qlink_nest **at;

	local_lock_nested_bh(&qlink_nests.lock);
	at = this_cpu_ptr(&qlink_nests.last);
	while (*at != nest)
		at = &(*at)->outer;
	*at = nest->outer;
	local_unlock_nested_bh(&qlink_nests.lock);
}
