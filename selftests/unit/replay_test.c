// SPDX-License-Identifier: GPL-2.0
/* The replay window against a table, and against a set that is too simple to be wrong. */
#include "../../kmod/replay.c"

#include <stdlib.h>

#include "unit.h"

#define LAST	((1ULL << 48) - 1)
#define GOOD	QLINK_REPLAY_GOOD
#define SEEN	QLINK_REPLAY_SEEN
#define OLD	QLINK_REPLAY_OLD
#define BITS	QLINK_REPLAY_BITS

/* The model: every sequence that was ever accepted, in a list. */
struct model {
	u64 top;
	unsigned int n_seen;
	u64 seen[4096];
};

static enum qlink_replay_verdict model_commit(struct model *model, u64 sequence)
{
	unsigned int i;

	if (sequence + BITS <= model->top)
		return OLD;
	for (i = 0; i < model->n_seen; i++)
		if (model->seen[i] == sequence)
			return SEEN;
	model->seen[model->n_seen++] = sequence;
	if (sequence > model->top)
		model->top = sequence;
	return GOOD;
}

/* How a step moves the top of the window: small steps, edges, and far jumps. */
static u64 step_sequence(const struct model *model, u8 kind, u16 amount)
{
	u64 base = model->top + 1;

	switch (kind % 8) {
	case 0: case 1: base += amount % 4; break;
	case 2: base -= amount % 64; break;
	case 3: base -= amount % (BITS + 8); break;
	case 4: base += amount % (BITS + 8); break;
	case 5: base += BITS - 3 + amount % 6; break;
	case 6: base -= BITS - 3 + amount % 6; break;
	case 7: base += (u64)amount << amount % 24; break;
	}
	return base >> 63 || !base ? 1 : base & LAST ?: 1;
}

/* Three bytes per step. Returns how many steps the window judged differently from the model. */
static u64 run_model(const u8 *data, size_t size)
{
	static struct model model;
	struct qlink_replay replay;
	u64 bad = 0;

	model.top = 0;
	model.n_seen = 0;
	qlink_replay_init(&replay);
	for (; size >= 3 && model.n_seen < ARRAY_SIZE(model.seen); data += 3, size -= 3) {
		u64 sequence = step_sequence(&model, data[0], data[1] << 8 | data[2]);
		enum qlink_replay_verdict looked = qlink_replay_check(&replay, sequence);
		enum qlink_replay_verdict want = model_commit(&model, sequence);

		bad += looked != want;
		bad += qlink_replay_commit(&replay, sequence) != want;
		bad += replay.top != model.top;
	}
	return bad;
}

#ifdef UNIT_FUZZ
int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	if (run_model(data, size))
		abort();
	return 0;
}
#else
struct replay_row {
	u64 sequence;
	enum qlink_replay_verdict verdict;
	const char *why;
};

static const struct replay_row edges[] = {
	{ 1,			GOOD, "the first sequence there is" },
	{ 1,			SEEN, "again" },
	{ 2,			GOOD, "the next" },
	{ BITS,			GOOD, "1 is now the last one inside" },
	{ 1,			SEEN, "inside and marked" },
	{ 3,			GOOD, "inside and not marked" },
	{ BITS + 1,		GOOD, "pushes 1 out, into the same bit" },
	{ 1,			OLD,  "just outside" },
	{ 2,			SEEN, "inside and marked, the last" },
	{ BITS + 3,		GOOD, "skips one, pushes 2 and 3 out" },
	{ 3,			OLD,  "just outside, was marked" },
	{ BITS + 2,		GOOD, "skipped: the bit of 2 was cleared" },
	{ BITS + 2,		SEEN, "marked since" },
	{ BITS + 3,		SEEN, "the top itself" },
};

static const struct replay_row jumps[] = {
	{ 5,			GOOD, "a window may start anywhere" },
	{ 5 + BITS - 1,		GOOD, "5 is the last one inside" },
	{ 5,			SEEN, "inside and marked" },
	{ 5 + 2 * BITS - 1,	GOOD, "by exactly the window: all bits but the new one are clear" },
	{ 5 + BITS - 1,		OLD,  "the old top is just outside" },
	{ 5 + BITS,		GOOD, "the last one inside, in the old bit of 5 + 1" },
	{ 5 + 4 * BITS,		GOOD, "by more than the window" },
	{ 5 + 2 * BITS - 1,	OLD,  "left behind" },
	{ 5 + 3 * BITS + 1,	GOOD, "the last one inside, not marked" },
	{ 1ULL << 32,		GOOD, "past 32 bits" },
	{ (1ULL << 32) - BITS,	OLD,  "just outside, across 32 bits" },
	{ (1ULL << 32) - BITS + 1, GOOD, "the last one inside, across 32 bits" },
	{ LAST,			GOOD, "the last sequence there is" },
	{ LAST,			SEEN, "again" },
	{ LAST - BITS,		OLD,  "just outside" },
	{ LAST - BITS + 1,	GOOD, "the last one inside" },
	{ LAST - BITS + 1,	SEEN, "again" },
	{ 1,			OLD,  "the first, long gone" },
};

static const struct replay_row first_is_top[] = {
	{ LAST,			GOOD, "a first frame may carry the last sequence" },
	{ LAST - 1,		GOOD, "the one before it came later" },
	{ BITS,			OLD,  "the bit of the top, long ago" },
};

/* The check must give the same result as the commit, twice, and change nothing. */
static void check_commit(struct qlink_replay *replay, const struct replay_row *row)
{
	CHECK_EQ(row->why, qlink_replay_check(replay, row->sequence), row->verdict);
	CHECK_EQ(row->why, qlink_replay_check(replay, row->sequence), row->verdict);
	CHECK_EQ(row->why, qlink_replay_commit(replay, row->sequence), row->verdict);
}

static void check_table(const struct replay_row *rows, unsigned int n_rows)
{
	struct qlink_replay replay;
	unsigned int i;

	/* An init must not rely on zeroed memory. */
	memset(&replay, 0xff, sizeof(replay));
	qlink_replay_init(&replay);
	for (i = 0; i < n_rows; i++)
		check_commit(&replay, &rows[i]);
}

static void test_edges(void) { check_table(edges, ARRAY_SIZE(edges)); }
static void test_jumps(void) { check_table(jumps, ARRAY_SIZE(jumps)); }
static void test_first_is_top(void) { check_table(first_is_top, ARRAY_SIZE(first_is_top)); }

static void test_two_windows_share_nothing(void)
{
	static const struct replay_row row = { 9, GOOD, "new in this window" };
	struct qlink_replay one, two;

	qlink_replay_init(&one);
	qlink_replay_init(&two);
	check_commit(&one, &row);
	check_commit(&two, &row);
}

/* Every skip length from every phase of the ring, around its end. */
static void test_every_skip(void)
{
	struct qlink_replay replay;
	u64 start, skip, bad = 0;

	for (start = BITS - 3; start <= BITS + 3; start++) {
		for (skip = 1; skip <= BITS + 2; skip++) {
			qlink_replay_init(&replay);
			memset(replay.seen, 0xff, sizeof(replay.seen));
			replay.top = start;
			bad += qlink_replay_commit(&replay, start + skip) != GOOD;
			/* The skipped ones, from both ends, are not marked. */
			if (skip > 1) {
				bad += qlink_replay_check(&replay, start + skip - 1) != GOOD;
				if (skip <= BITS)
					bad += qlink_replay_check(&replay, start + 1) != GOOD;
			}
			/* What was received before and is still inside is marked. */
			if (skip < BITS) {
				bad += qlink_replay_check(&replay, start) != SEEN;
				if (start + skip >= BITS)
					bad += qlink_replay_check(&replay, start + skip - BITS + 1) != SEEN;
			}
		}
	}
	CHECK_EQ("wrong verdicts", bad, 0);
}

static void test_random_against_model(void)
{
	static u8 data[3 * 6000];
	unsigned int round, i;

	srandom(1);
	for (round = 0; round < 60; round++) {
		for (i = 0; i < sizeof(data); i++)
			data[i] = random();
		CHECK_EQ("steps unlike the model", run_model(data, sizeof(data)), 0);
	}
}

static const struct unit_test tests[] = {
	{ "replay_edges", test_edges },
	{ "replay_jumps", test_jumps },
	{ "replay_first_is_top", test_first_is_top },
	{ "replay_two_windows_share_nothing", test_two_windows_share_nothing },
	{ "replay_every_skip", test_every_skip },
	{ "replay_random_against_model", test_random_against_model },
};

int main(void)
{
	return unit_main(tests, ARRAY_SIZE(tests));
}
#endif
