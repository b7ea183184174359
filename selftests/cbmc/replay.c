// SPDX-License-Identifier: GPL-2.0
/* The replay window takes each sequence once, whatever came before. */
/* cbmc: --unwind 2 --unsigned-overflow-check */
/* mutant: kmod/replay.c s/replay->top - sequence >= QLINK_REPLAY_BITS/replay->top - sequence > QLINK_REPLAY_BITS/ */
/* mutant: kmod/replay.c s/bitmap_clear(replay->seen, 0, wrapped);// */
#include "nondet.h"

#include <linux/bitmap.h>

/* Any one sequence. What is proved for its bit is proved for all. */
static u64 chosen;

/*
 * What the kernel's bitmap_clear() promises, about one bit; the others may have any value. So there is no
 * loop over 4,096 bits.
 */
static void clear_any(u8 *map, unsigned int start, unsigned int n_bits);
#define bitmap_clear clear_any
#include "../../kmod/wire.h"
/* The window is smaller in the short run; nothing in the code depends on its size. */
#undef DECLARE_BITMAP
#define DECLARE_BITMAP(name, bits)	u8 name[BYTES]
#include "../../kmod/replay.h"
#undef QLINK_REPLAY_BITS
#define QLINK_REPLAY_BITS	(8 * BYTES)
#include "../../kmod/replay.c"

static void clear_any(u8 *map, unsigned int start, unsigned int n_bits)
{
	unsigned int bit = chosen % QLINK_REPLAY_BITS;
	bool was = test_bit(bit, map);

	assert(start <= QLINK_REPLAY_BITS && n_bits <= QLINK_REPLAY_BITS - start);
	__CPROVER_havoc_slice(map, QLINK_REPLAY_BITS / 8);
	__CPROVER_assume(test_bit(bit, map) == (was && !(bit >= start && bit - start < n_bits)));
}

/* True of any one sequence, which was accepted or not: that is the induction. */
static bool is_known(const struct qlink_replay *replay, bool was_accepted)
{
	if (chosen > replay->top)
		return !was_accepted;
	return replay->top - chosen >= QLINK_REPLAY_BITS ||
	       test_bit(chosen % QLINK_REPLAY_BITS, replay->seen) == was_accepted;
}

void harness(void)
{
	struct qlink_replay replay;
	u64 sequence = nondet_u64();
	bool was_accepted = nondet_bool(), is_good, is_old;

	chosen = nondet_u64();
	replay.lock.is_held = false;
	__CPROVER_assume(sequence >= 1 && sequence <= QLINK_SEQUENCE_MAX);
	__CPROVER_assume(chosen >= 1 && chosen <= QLINK_SEQUENCE_MAX && replay.top <= QLINK_SEQUENCE_MAX);
	__CPROVER_assume(is_known(&replay, was_accepted));
	is_old = sequence <= replay.top && replay.top - sequence >= QLINK_REPLAY_BITS;
	is_good = qlink_replay_check(&replay, sequence) == QLINK_REPLAY_GOOD;
	assert((qlink_replay_commit(&replay, sequence) == QLINK_REPLAY_GOOD) == is_good);
	/* not twice; and once, as long as it is in the window */
	assert(!(was_accepted && is_good && sequence == chosen));
	assert(sequence != chosen || was_accepted || is_old || is_good);
	assert(is_known(&replay, was_accepted || (is_good && sequence == chosen)));
	assert(!replay.lock.is_held);
}
