// SPDX-License-Identifier: GPL-2.0
/* The replay window of one lane: pure, so that the host's unit tests build it too. */
#include "replay.h"

/**
 * qlink_replay_init() - make an empty window
 * @replay: not in use yet
 */
void qlink_replay_init(struct qlink_replay *replay)
{
	spin_lock_init(&replay->lock);
	replay->top = 0;
	bitmap_zero(replay->seen, QLINK_REPLAY_BITS);
}

static enum qlink_replay_verdict qlink_replay_look(const struct qlink_replay *replay,
						   u64 sequence)
{
	if (sequence > replay->top)
		return QLINK_REPLAY_GOOD;
	if (replay->top - sequence >= QLINK_REPLAY_BITS)
		return QLINK_REPLAY_OLD;
	if (test_bit(sequence % QLINK_REPLAY_BITS, replay->seen))
		return QLINK_REPLAY_SEEN;
	return QLINK_REPLAY_GOOD;
}

/* Clear the bits of skipped sequences: they still stand for sequences QLINK_REPLAY_BITS earlier. */
static void qlink_replay_advance(struct qlink_replay *replay, u64 sequence)
{
	u64 n_skipped = sequence - replay->top - 1;
	unsigned int first = (replay->top + 1) % QLINK_REPLAY_BITS;
	unsigned int n, wrapped;

	replay->top = sequence;
	if (!n_skipped)
		return;
	if (n_skipped >= QLINK_REPLAY_BITS) {
		bitmap_zero(replay->seen, QLINK_REPLAY_BITS);
		return;
	}
	n = n_skipped;
	wrapped = first + n > QLINK_REPLAY_BITS ? first + n - QLINK_REPLAY_BITS : 0;
	bitmap_clear(replay->seen, first, n - wrapped);
	bitmap_clear(replay->seen, 0, wrapped);
}

/**
 * qlink_replay_check() - would this sequence be accepted?
 * @replay: window of the frame's lane
 * @sequence: from the header, not authenticated yet
 *
 * It saves the decryption of a replayed frame and changes nothing. Only the verdict of
 * qlink_replay_commit() is final.
 *
 * Context: BHs off. Takes @replay's lock.
 * Return: the verdict
 */
enum qlink_replay_verdict qlink_replay_check(struct qlink_replay *replay, u64 sequence)
{
	enum qlink_replay_verdict verdict;

	spin_lock(&replay->lock);
	verdict = qlink_replay_look(replay, sequence);
	spin_unlock(&replay->lock);
	return verdict;
}

/**
 * qlink_replay_commit() - accept a sequence once
 * @replay: window of the frame's lane
 * @sequence: of a frame whose tag is valid
 *
 * Checks again, because another CPU may have accepted the same sequence since
 * qlink_replay_check(), and marks the sequence in the same step.
 *
 * Context: BHs off. Takes @replay's lock.
 * Return: QLINK_REPLAY_GOOD the first time; otherwise drop the frame
 */
enum qlink_replay_verdict qlink_replay_commit(struct qlink_replay *replay, u64 sequence)
{
	enum qlink_replay_verdict verdict;

	spin_lock(&replay->lock);
	verdict = qlink_replay_look(replay, sequence);
	if (verdict == QLINK_REPLAY_GOOD) {
		if (sequence > replay->top)
			qlink_replay_advance(replay, sequence);
		__set_bit(sequence % QLINK_REPLAY_BITS, replay->seen);
	}
	spin_unlock(&replay->lock);
	return verdict;
}
