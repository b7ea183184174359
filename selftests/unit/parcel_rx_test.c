// SPDX-License-Identifier: GPL-2.0
/* Hostile parcels, many in a row: what the receiver delivers, counts and holds is what the model says. */
#include "../../kmod/parcel.c"

#include "../../kmod/cut.c"
#include "../../kmod/parcel_rx.c"

#include <stdio.h>
#include <stdlib.h>

#include "../hostile/arrival.h"
#include "unit.h"

/* The largest number of records that a plaintext has which are long enough for a frame. */
#define DELIVERED_MAX	(MAKER_BYTES_MAX / 16)

static const unsigned int counters[MODEL_COUNTERS] = {
	[MODEL_BAD]		= QLINK_A_STATS_RX_PARCEL_BAD,
	[MODEL_LOST]		= QLINK_A_STATS_RX_CUT_LOST,
	[MODEL_LATE]		= QLINK_A_STATS_RX_CUT_LATE,
	[MODEL_SHORT]		= QLINK_A_STATS_RX_SHORT,
	[MODEL_NO_MEMORY]	= QLINK_A_STATS_RX_NO_MEMORY,
};

/* ---- the stand-in for delivery.c ---- */

struct qlink_dev {
	u64 n[QLINK_A_STATS_MAX + 1];
};

struct qlink_origin {
	const struct qlink_header *header;
};

struct delivered {
	struct sk_buff *skb;
	u8 type, ecn;
	const struct qlink_header *header;
};

static struct delivered delivered[DELIVERED_MAX];
static unsigned int n_delivered;

void qlink_delivery_make(struct napi_struct *napi, struct qlink_dev *link, struct sk_buff *skb,
			 u8 type, u8 ecn)
{
	(void)napi;
	(void)link;
	assert(n_delivered < DELIVERED_MAX);
	delivered[n_delivered++] = (struct delivered){ skb, type, ecn, NULL };
}

void qlink_delivery_make_keepalive(struct qlink_dev *link, struct sk_buff *skb,
				   const struct qlink_header *header,
				   const struct qlink_origin *origin)
{
	assert(header == origin->header);
	qlink_delivery_make(NULL, link, skb, QLINK_TYPE_KEEPALIVE, 0);
	delivered[n_delivered - 1].header = header;
}

void qlink_delivery_drop(struct qlink_dev *link, struct sk_buff *skb, unsigned int counter)
{
	link->n[counter]++;
	kfree_skb(skb);
}

void qlink_delivery_miss(struct qlink_dev *link, unsigned int counter) { link->n[counter]++; }

/* ---- a receiver, and the model of it ---- */

struct pair {
	struct qlink_dev link;
	struct qlink_cuts *cuts;
	/* since when the table of begins is there, which no receiver gives back */
	bool has_table, lacks_table;
	bool has_origin;
	unsigned int n_parcels;
};

static struct pair pair;
static struct model model;
static struct maker maker;
static struct maker_parcel made;
static unsigned int n_compared;
static uint64_t n_all_parcels;

/* What differs ends the process, for the fuzzer to see. */
static void must(bool is_so, const char *why, uint64_t got, uint64_t want)
{
	if (is_so)
		return;
	printf("# parcel %u of its input: %s: got %" PRIu64 ", want %" PRIu64 "\n", pair.n_parcels, why,
	       got, want);
	fflush(stdout);
	abort();
}

static void must_eq(const char *why, uint64_t got, uint64_t want) { must(got == want, why, got, want); }

/* The model has a whole record: so had the receiver, in the same order. */
static void compare(struct model *of, enum model_kind kind, const uint8_t *content, uint32_t bytes,
		    uint8_t ecn)
{
	static const u8 types[] = { QLINK_TYPE_FRAME, QLINK_TYPE_FRAME_CSUM, QLINK_TYPE_KEEPALIVE };
	const struct delivered *got = &delivered[n_compared++];

	(void)of;
	must(n_compared <= n_delivered, "records delivered", n_delivered, n_compared);
	must_eq("type", got->type, types[kind]);
	must_eq("length", got->skb->len, bytes);
	must_eq("other bytes", (uint64_t)memcmp(got->skb->data, content, bytes), 0);
	if (kind == MODEL_ALIVE)
		must_eq("from a place that matters", got->header != NULL, pair.has_origin);
	else
		must_eq("ECN", got->ecn, ecn);
}

/* No more is held than the model says: a begin for a lane, each of the size of its record. */
static void compare_memory(void)
{
	uint64_t bytes = 0;

	for (unsigned int i = 0; i < MODEL_LANES; i++)
		bytes += model.begins[i].is_held ? model.begins[i].bytes : 0;
	must_eq("begins held", skb_n_held, model_held(&model));
	must_eq("bytes held", skb_bytes_held, bytes);
	must_eq("blocks held beside them", slab_n_held, pair.cuts != NULL);
}

static void end_delivered(void)
{
	while (n_delivered)
		kfree_skb(delivered[--n_delivered].skb);
}

/* In memory of exactly its size, so that AddressSanitizer sees each byte too far. */
static void receive(const struct model_parcel *parcel)
{
	struct qlink_header header;
	struct qlink_origin origin = { .header = &header };
	struct qlink_parcel_rx rx = {
		.link = &pair.link,
		.cuts = &pair.cuts,
		.header = &header,
		.origin = pair.has_origin ? &origin : NULL,
		.ecn = parcel->ecn,
	};
	u8 *plaintext = malloc(parcel->bytes);

	memcpy(plaintext, parcel->plaintext, parcel->bytes);
	qlink_header_put(&header, QLINK_TYPE_PARCEL, parcel->lane, 7, parcel->epoch, parcel->sequence);
	skb_lacks_memory = parcel->lacks_memory;
	slab_left = pair.lacks_table ? 0 : -1;
	qlink_parcel_rx_take(&rx, plaintext, parcel->bytes);
	skb_lacks_memory = false;
	slab_left = -1;
	free(plaintext);
}

/* Without memory for the table, what would be held is lost. */
static void model_without_table(void)
{
	for (unsigned int i = 0; i < MODEL_LANES; i++) {
		if (model.begins[i].is_held) {
			model.begins[i].is_held = false;
			model.n[MODEL_LOST]++;
		}
	}
}

/* Gives a parcel to both. */
static void take(const struct model_parcel *parcel)
{
	unsigned int i;

	pair.n_parcels++;
	n_all_parcels++;
	receive(parcel);
	n_compared = 0;
	model_take(&model, parcel);
	must_eq("records delivered", n_delivered, n_compared);
	end_delivered();
	if (!pair.cuts && pair.lacks_table)
		model_without_table();
	for (i = 0; i < MODEL_COUNTERS; i++)
		if (counters[i])
			must_eq(model_counter_names[i], pair.link.n[counters[i]], model.n[i]);
	compare_memory();
}

static void begin_pair(void)
{
	memset(&pair, 0, sizeof(pair));
	memset(&maker.lanes, 0, sizeof(maker.lanes));
	model_forget(&model);
	memset(model.n, 0, sizeof(model.n));
	model.ticks_per_second = HZ;
	model.whole = compare;
	maker.n_epochs = 3;
	maker.epochs[0] = 5;
	maker.epochs[1] = 6;
	maker.epochs[2] = QLINK_SEQUENCE_MAX;
	maker.most_bytes = MAKER_BYTES_MAX;
	maker.filler = 0;
	/* It wraps around soon. */
	jiffies = ULONG_MAX - 2 * HZ;
}

static void end_pair(void)
{
	qlink_cuts_drop(&pair.cuts);
	must_eq("begins held once all are dropped", skb_n_held, 0);
	qlink_cuts_free(&pair.cuts);
	must_eq("blocks held at the end", slab_n_held, 0);
}

/* Sometimes most of a second passes, or a little more. */
static void pass_time(struct dice *dice)
{
	static const unsigned int ticks[] = { 1, HZ - 1, HZ, HZ + 1, 100 * HZ };

	if (dice_hits(dice, 16))
		jiffies += ticks[dice_roll(dice, ARRAY_SIZE(ticks))];
}

static void take_one(void)
{
	struct dice *dice = &maker.dice;
	struct model_parcel parcel;

	maker_make(&maker, &made);
	if (made.bytes < QLINK_INNER_BYTES_MIN)	/* no receiver opens it */
		return;
	pass_time(dice);
	parcel = arrival(&made, jiffies);
	parcel.ecn = dice_hits(dice, 8) ? (uint8_t)dice_roll(dice, 4) : 0;
	parcel.lacks_memory = dice_hits(dice, 64);
	take(&parcel);
	pair.lacks_table &= !dice_hits(dice, 4);
}

/* A few lanes and sizes of one input, chosen by it. */
static void take_all(unsigned int n_most)
{
	static const uint32_t usual[] = { 64, 300, 1440, 20 };
	struct dice *dice = &maker.dice;

	begin_pair();
	maker.n_lanes = dice_hits(dice, 4) ? MAKER_LANES : 1 + dice_roll(dice, 2);
	maker.usual_bytes = usual[dice_roll(dice, ARRAY_SIZE(usual))];
	pair.has_origin = dice_hits(dice, 4);
	pair.lacks_table = dice_hits(dice, 8);
	while (pair.n_parcels < n_most && !dice_is_over(dice))
		take_one();
	end_pair();
}

#ifdef UNIT_FUZZ

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static void say_how_many(void) { printf("# %" PRIu64 " parcels\n", n_all_parcels); }

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static bool will_say;

	if (!will_say)
		will_say = !atexit(say_how_many);
	maker.dice = dice_of_input(data, size);
	take_all(1000);
	return 0;
}

#else

/* At random, several hundred in a row. */
static void test_random(void)
{
	for (unsigned int seed = 1; seed <= 400; seed++) {
		maker.dice = dice_of_seed(seed);
		take_all(300);
		CHECK_EQ("parcels", pair.n_parcels, 300);
	}
	printf("# %" PRIu64 " parcels\n", n_all_parcels);
}

static void take_made(void)
{
	struct model_parcel parcel = arrival(&made, jiffies);

	take(&parcel);
}

/* As many begins as there are lanes, each of the largest size; more of them take no more. */
static void test_most(void)
{
	unsigned int i, lane;

	begin_pair();
	maker.dice = dice_of_seed(7);
	for (i = 0; i < 5; i++) {
		maker.n_epochs = 1 + i % 3;
		for (lane = 0; lane < MAKER_LANES; lane++) {
			maker_begin(&maker, lane, &made);
			take_made();
		}
		CHECK_EQ("begins", skb_n_held, MAKER_LANES);
		CHECK_EQ("bytes", skb_bytes_held, MAKER_LANES * QLINK_PARCEL_RECORD_BYTES_MAX);
	}
	maker.n_epochs = 3;
	for (lane = 0; lane < MAKER_LANES; lane++) {
		maker_end(&maker, lane, &made);
		take_made();
	}
	CHECK_EQ("none is left", skb_n_held, 0);
	end_pair();
}

/* A parcel of one lane and epoch, with this first and no record but one of 100 bytes that it cuts, if it says so. */
static void take_part(uint64_t sequence, uint8_t ecn, uint32_t first, bool begins)
{
	uint8_t plaintext[52] = { 0 };

	plaintext[1] = (uint8_t)first;
	if (begins)
		plaintext[3] = 100;
	take(&(struct model_parcel){ .epoch = 5, .sequence = sequence, .ecn = ecn, .time = jiffies,
				     .bytes = sizeof(plaintext), .plaintext = plaintext });
}

/* A frame is told of congestion that its parts have met, and not of what a parcel met that came late between them. */
static void test_ecn(void)
{
	begin_pair();
	take_part(10, INET_ECN_ECT_0, 0, true);
	take_part(9, INET_ECN_CE, 0, false);
	take_part(11, INET_ECN_ECT_0, 50, false);
	take_part(12, INET_ECN_ECT_0, 2, false);
	take_part(20, INET_ECN_CE, 0, true);
	take_part(21, INET_ECN_ECT_0, 50, false);
	take_part(22, INET_ECN_ECT_0, 2, false);
	CHECK_EQ("nothing is lost", model.n[MODEL_LOST] + model.n[MODEL_LATE] + model.n[MODEL_BAD], 0);
	CHECK_EQ("begins", skb_n_held, 0);
	end_pair();
}

static const struct unit_test tests[] = {
	{ "parcel_rx_ecn", test_ecn },
	{ "parcel_rx_random", test_random },
	{ "parcel_rx_most", test_most },
};

int main(void)
{
	return unit_main(tests, ARRAY_SIZE(tests));
}

#endif
