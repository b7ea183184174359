// SPDX-License-Identifier: GPL-2.0
/* Usage history of keys: endless numbers over a ring of records, sums, and squares. */
#include "../../kmod/history.c"

#include "unit.h"

static const struct qlink_usage nothing;

static void add(struct qlink_history *history, u64 epoch)
{
	struct qlink_record record = { .epoch = epoch, .usage = { .frames = epoch } };

	qlink_history_add(history, &record, &nothing, 0);
}

static struct qlink_history *make(unsigned int n_records)
{
	struct qlink_history *history = qlink_history_new();
	unsigned int i;

	CHECK_EQ("reserved", qlink_history_reserve(history, n_records), 0);
	for (i = 1; i <= n_records; i++)
		add(history, i);
	return history;
}

/* Counts the records from a number on, and checks that each is the one expected. */
static u64 count(struct qlink_history *history, u64 after, u64 *first)
{
	struct qlink_record record;
	u64 n = 0, number;

	*first = 0;
	while ((number = qlink_history_read(history, after, &record))) {
		if (!*first)
			*first = number;
		else
			CHECK_EQ("next", number, after + 1);
		CHECK_EQ("epoch", record.epoch, number);
		CHECK_EQ("frames", record.usage.frames, number);
		after = number;
		n++;
	}
	return n;
}

static void empty_history(void)
{
	struct qlink_history *history = make(0);
	u64 first;

	CHECK_EQ("records", count(history, 0, &first), 0);
	CHECK_EQ("behind any", count(history, 99, &first), 0);
	CHECK_EQ("pages", history->n_pages, 0);
	qlink_history_put(history);
}

static void cursor(void)
{
	struct qlink_history *history = make(100);
	u64 first;

	CHECK_EQ("all", count(history, 0, &first), 100);
	CHECK_EQ("behind one", count(history, 40, &first), 60);
	CHECK_EQ("the next", first, 41);
	CHECK_EQ("behind the last", count(history, 100, &first), 0);
	CHECK_EQ("behind what is to come", count(history, U64_MAX, &first), 0);
	CHECK_EQ("pages", history->n_pages, 2);
	qlink_history_put(history);
}

static void as_many_as_are_kept(void)
{
	struct qlink_history *history = make(QLINK_HISTORY_RECORDS);
	u64 first;

	CHECK_EQ("all", count(history, 0, &first), QLINK_HISTORY_RECORDS);
	CHECK_EQ("from the first on", first, 1);
	CHECK_EQ("one more needs no room", qlink_history_reserve(history, 1), 0);
	CHECK_EQ("pages", history->n_pages, QLINK_HISTORY_PAGES);
	add(history, QLINK_HISTORY_RECORDS + 1);
	CHECK_EQ("as many", count(history, 0, &first), QLINK_HISTORY_RECORDS);
	CHECK_EQ("but for the first", first, 2);
	qlink_history_put(history);
}

static void overwritten_many_times(void)
{
	struct qlink_history *history = make(3 * QLINK_HISTORY_RECORDS + 5);
	u64 first;

	CHECK_EQ("the last ones", count(history, 0, &first), QLINK_HISTORY_RECORDS);
	CHECK_EQ("a gap", first, 2 * QLINK_HISTORY_RECORDS + 6);
	CHECK_EQ("behind what is gone", count(history, 77, &first), QLINK_HISTORY_RECORDS);
	CHECK_EQ("behind what is there", count(history, 3 * QLINK_HISTORY_RECORDS, &first), 5);
	qlink_history_put(history);
}

static void no_memory(void)
{
	struct qlink_history *history = make(64);
	u64 first;

	slab_left = 1;
	CHECK_EQ("of two pages one", (u64)(s64)qlink_history_reserve(history, 128), (u64)-ENOMEM);
	slab_left = -1;
	CHECK_EQ("nothing is reserved", history->n_keys, 64);
	CHECK_EQ("again", qlink_history_reserve(history, 128), 0);
	CHECK_EQ("pages", history->n_pages, 3);
	add(history, 65);
	CHECK_EQ("records", count(history, 0, &first), 65);
	qlink_history_put(history);
}

static void sums(void)
{
	static const struct qlink_usage three = { 3, 300 }, four = { 4, 400 };
	struct qlink_history *history = make(0);
	struct qlink_usage got[QLINK_SOURCES];

	qlink_history_count(history, QLINK_DIRECTION_TX, QLINK_SOURCE_PQC, &three);
	qlink_history_count(history, QLINK_DIRECTION_TX, QLINK_SOURCE_PQC, &four);
	qlink_history_count(history, QLINK_DIRECTION_RX, QLINK_SOURCE_QKD, &four);
	qlink_history_usage(history, QLINK_DIRECTION_TX, got);
	CHECK_EQ("frames", got[QLINK_SOURCE_PQC].frames, 7);
	CHECK_EQ("bytes", got[QLINK_SOURCE_PQC].bytes, 700);
	CHECK_EQ("another source", got[QLINK_SOURCE_QKD].frames, 0);
	qlink_history_usage(history, QLINK_DIRECTION_RX, got);
	CHECK_EQ("the other direction", got[QLINK_SOURCE_QKD].bytes, 400);
	qlink_history_put(history);
}

/* A record holds all that a key was used for, and the sums get the part that was not reported yet. */
static void the_rest_is_counted(void)
{
	struct qlink_usage three = { .frames = 3, .bytes = 300 }, got[QLINK_SOURCES];
	struct qlink_record record = {
		.epoch = 1,
		.usage = { .frames = 5, .bytes = 512 },
		.direction = QLINK_DIRECTION_RX,
		.source = QLINK_SOURCE_HYBRID,
	};
	struct qlink_history *history = make(0);
	struct qlink_record read;

	CHECK_EQ("reserved", qlink_history_reserve(history, 1), 0);
	qlink_history_count(history, QLINK_DIRECTION_RX, QLINK_SOURCE_HYBRID, &three);
	qlink_history_add(history, &record, &three, 0);
	qlink_history_usage(history, QLINK_DIRECTION_RX, got);
	CHECK_EQ("frames", got[QLINK_SOURCE_HYBRID].frames, 5);
	CHECK_EQ("bytes", got[QLINK_SOURCE_HYBRID].bytes, 512);
	CHECK_EQ("the record", qlink_history_read(history, 0, &read), 1);
	CHECK_EQ("its frames", read.usage.frames, 5);
	CHECK_EQ("its bytes", read.usage.bytes, 512);
	qlink_history_usage(history, QLINK_DIRECTION_TX, got);
	CHECK_EQ("the other direction", got[QLINK_SOURCE_HYBRID].frames, 0);
	qlink_history_put(history);
}

static void squares(void)
{
	struct qlink_history *history = make(0);
	struct qlink_record record = { .epoch = 1 };

	CHECK_EQ("none", qlink_blocks2(0), 0);
	CHECK_EQ("one, rounded up", qlink_blocks2(1), 1);
	CHECK_EQ("one unit", qlink_blocks2(256), 1);
	CHECK_EQ("a block above", qlink_blocks2(257), 2);
	CHECK_EQ("the most of a key", qlink_blocks2(QLINK_HARD_BLOCKS_MAX), 1ULL << 44);
	CHECK_EQ("reserved", qlink_history_reserve(history, 2), 0);
	qlink_history_add(history, &record, &nothing, QLINK_HARD_BLOCKS_MAX);
	qlink_history_add(history, &record, &nothing, 257);
	CHECK_EQ("sum", qlink_history_blocks2(history), (1ULL << 44) + 2);
	qlink_history_put(history);
}

/* A key that outlives its link can still be recorded. */
static void holders(void)
{
	struct qlink_history *history = make(1);
	struct qlink_history *of_key = qlink_history_get(history);

	qlink_history_put(history);
	CHECK_EQ("reserved", qlink_history_reserve(of_key, 1), 0);
	add(of_key, 2);
	CHECK_EQ("recorded", of_key->n, 2);
	qlink_history_put(of_key);
}

int main(void)
{
	static const struct unit_test tests[] = {
		{ "empty_history", empty_history },
		{ "cursor", cursor },
		{ "as_many_as_are_kept", as_many_as_are_kept },
		{ "overwritten_many_times", overwritten_many_times },
		{ "no_memory", no_memory },
		{ "sums", sums },
		{ "the_rest_is_counted", the_rest_is_counted },
		{ "squares", squares },
		{ "holders", holders },
	};

	return unit_main(tests, ARRAY_SIZE(tests));
}
