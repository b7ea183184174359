// SPDX-License-Identifier: GPL-2.0
/* A peer that has the keys and sends hostile parcels, as fast as it can. What the kernel counts must be what the model
 * counts, after each batch.
 *
 * usage: hostilesender eth|udp FROM TO SEED COUNT [EPOCH KEY-FILE]…
 *
 * FROM and TO are the network namespaces of lib.sh's setup_pair. qlink0 in TO holds these keys, in growing order of
 * their epochs, and has not been sent anything under them. At the end the peer begins a record in each lane, of the
 * largest size, and then another one; at last it ends all. Prints a line of JSON; the exit status is 1 if the kernel
 * does anything else than the model.
 */
#include <err.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "arrival.h"
#include "counters.h"
#include "peer.h"

#define NS_PER_SECOND	1000000000ULL
#define DEADLINE	(60 * NS_PER_SECOND)
/* A batch that takes longer proves nothing, since a part may have come too late. The next one is smaller. */
#define SLOW		(NS_PER_SECOND * 2 / 5)
/* What lies between two parts: surely in time, or surely too late. */
#define IN_TIME		(NS_PER_SECOND / 2)
#define TOO_LATE	(2 * NS_PER_SECOND)
/* How many lanes are used at a time: few, so that their records can be gone on with in time. */
#define LANES		8
#define BATCHES_A_LANE	16
/* Over udp, so many batches go each in one packet, whose frames have one size. */
#define BUNDLE_EVERY	8
#define BUNDLE_BYTES	200

static struct model model;
static struct peer peer;
/* how many a batch may have */
static unsigned int n_most = UNDERLAY_FRAMES;
static uint64_t began;
static struct counters before, now;
static uint64_t n_sent, n_batches, n_slow, most_kib;

static uint64_t clock_ns(void)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	return (uint64_t)at.tv_sec * NS_PER_SECOND + (uint64_t)at.tv_nsec;
}

/* Whether the model and the kernel cannot know from each other if a part has come in time. */
static bool is_unsure(void)
{
	const struct model_begin *begin = &model.begins[peer.made.lane];
	uint64_t age = began - begin->time;

	return begin->is_held && peer.made.epoch == begin->epoch && peer.made.sequence == begin->sequence + 1 &&
	       age > IN_TIME && age < TOO_LATE;
}

/* Adds what was made to the batch, unless it has to be left out. */
static void add(void)
{
	struct model_parcel parcel;

	if (is_unsure())
		return;
	peer_seal(&peer);
	parcel = arrival(&peer.made, began);
	model_receive(&model, &parcel);
}

static void begin_batch(void)
{
	peer.n = 0;
	began = clock_ns();
}

/* The first counter that is not the model's, or NULL. @only_received: of those that say that all has been received. */
static const char *differs(bool only_received)
{
	const char *other = counters_read(&now);

	if (other)
		return other;
	for (unsigned int i = 0; i < MODEL_COUNTERS; i++)
		if (now.n[i] - before.n[i] != model.n[i] && (!only_received || counters_is_of_all(i)))
			return model_counter_names[i];
	if (only_received)
		return NULL;
	if (now.frames - before.frames != model.frames)
		return "rx_packets";
	return now.frame_bytes - before.frame_bytes != model.frame_bytes ? "rx_bytes" : NULL;
}

static void wait_until_equal(bool only_received)
{
	uint64_t end = clock_ns() + DEADLINE;
	const char *which;

	while ((which = differs(only_received)) && clock_ns() < end)
		sched_yield();
	if (!which)
		return;
	printf("# after %" PRIu64 " parcels %s is not what the model says\n", n_sent, which);
	for (unsigned int i = 0; i < MODEL_COUNTERS; i++)
		printf("# %s: got %" PRIu64 ", want %" PRIu64 "\n", model_counter_names[i],
		       now.n[i] - before.n[i], model.n[i]);
	printf("# frames: got %" PRIu64 ", want %" PRIu64 "; bytes: got %" PRIu64 ", want %" PRIu64 "\n",
	       now.frames - before.frames, model.frames, now.frame_bytes - before.frame_bytes, model.frame_bytes);
	exit(1);
}

/* What the kernel has counted is right: the next batches are judged on their own. */
static void believe_kernel(void)
{
	for (unsigned int i = 0; i < MODEL_COUNTERS; i++)
		before.n[i] = now.n[i] - model.n[i];
	before.frames = now.frames - model.frames;
	before.frame_bytes = now.frame_bytes - model.frame_bytes;
}

static void send_batch(void)
{
	underlay_send(peer.frames, peer.frame_bytes, peer.n);
	n_sent += peer.n;
}

/* Has each lane go on behind all sequences that any has used: the few lanes of the maker were in turn all of a link. */
static void level_lanes(void)
{
	unsigned int epoch = peer.maker.n_epochs - 1, lane;
	uint64_t top = 0;

	for (lane = 0; lane < MAKER_LANES; lane++)
		top = peer.maker.lanes[lane].sequence[epoch] > top ? peer.maker.lanes[lane].sequence[epoch] : top;
	for (lane = 0; lane < MAKER_LANES; lane++)
		peer.maker.lanes[lane].sequence[epoch] = top;
}

/* One parcel for each lane, by this function of the maker. */
static void send_to_all_lanes(void (*make)(struct maker *of, unsigned int lane, struct maker_parcel *parcel))
{
	level_lanes();
	for (unsigned int lane = 0; lane < MODEL_LANES;) {
		begin_batch();
		while (lane < MODEL_LANES && peer.n < UNDERLAY_FRAMES) {
			make(&peer.maker, lane++, &peer.made);
			add();
		}
		send_batch();
	}
}

/* After a batch that was slow: both sides drop what they hold. */
static void start_anew(void)
{
	n_slow++;
	send_to_all_lanes(maker_end);
	wait_until_equal(true);
	model_forget(&model);
	believe_kernel();
}

static void judge(void)
{
	uint64_t took, kib;

	wait_until_equal(true);
	took = clock_ns() - began;
	if (took > SLOW)
		start_anew();
	else
		wait_until_equal(false);
	if (took > SLOW / 4 && n_most > 4)
		n_most /= 2;
	else if (took < SLOW / 16 && n_most < UNDERLAY_FRAMES)
		n_most *= 2;
	kib = counters_kernel_kib();
	if (kib > most_kib)
		most_kib = kib;
}

/* What is cut off here is cut off by a hostile peer. */
static void resize(uint32_t bytes)
{
	if (peer.made.bytes < bytes)
		memset(peer.made.plaintext + peer.made.bytes, 0, bytes - peer.made.bytes);
	peer.made.bytes = bytes;
}

static void send_bundle(void)
{
	underlay_send_bundle(peer.frames, BUNDLE_BYTES + SEALER_OVERHEAD, peer.n);
	n_sent += peer.n;
}

static void send_all(uint64_t count)
{
	bool is_bundle;

	while (n_sent < count) {
		is_bundle = n_batches % BUNDLE_EVERY == 1 && underlay_has_bundles();
		begin_batch();
		while (peer.n < n_most) {
			maker_make(&peer.maker, &peer.made);
			peer.made.lane = (uint8_t)(peer.made.lane + n_batches / BATCHES_A_LANE);
			if (is_bundle)
				resize(BUNDLE_BYTES);
			add();
		}
		if (is_bundle)
			send_bundle();
		else
			send_batch();
		judge();
		n_batches++;
	}
}

/* Each lane holds the largest begin. Returns the KiB then. */
static uint64_t hold_most(void)
{
	send_to_all_lanes(maker_begin);
	wait_until_equal(false);
	if (model_held(&model) != MODEL_LANES)
		errx(1, "%u begins held", model_held(&model));
	return counters_kernel_kib();
}

/* A frame is received by the CPU that sends it, and a queue's timer stays on its CPU: on one CPU nothing is overtaken. */
static void stay_on_one_cpu(void)
{
	cpu_set_t first;

	CPU_ZERO(&first);
	CPU_SET(0, &first);
	if (sched_setaffinity(0, sizeof(first), &first))
		err(1, "CPU 0");
}

int main(int argc, char **argv)
{
	uint64_t start, first_kib, full_kib, fuller_kib;

	peer_new(&peer, argc, argv, LANES);
	_Static_assert(sizeof(model.epochs) == sizeof(peer.maker.epochs), "epochs");
	memcpy(model.epochs, peer.maker.epochs, sizeof(model.epochs));
	model.whole = model_deliver;
	model.ticks_per_second = NS_PER_SECOND;
	stay_on_one_cpu();
	underlay_enter(argv[3]);
	counters_open();
	underlay_open(argv[1], argv[2], argv[3]);
	counters_read(&before);
	first_kib = counters_kernel_kib();
	start = clock_ns();

	send_all(strtoull(argv[5], NULL, 0));
	start = clock_ns() - start;
	full_kib = hold_most();
	fuller_kib = hold_most();
	send_to_all_lanes(maker_end);
	wait_until_equal(false);
	if (model_held(&model))
		errx(1, "%u begins held at the end", model_held(&model));

	printf("{\"parcels\": %" PRIu64 ", \"seconds\": %.1f, \"batches\": %" PRIu64 ", \"slow\": %" PRIu64
	       ", \"frames\": %" PRIu64 ", \"kib\": {\"first\": %" PRIu64 ", \"most\": %" PRIu64 ", \"full\": %" PRIu64
	       ", \"fuller\": %" PRIu64 ", \"last\": %" PRIu64 "}", n_sent, (double)start / 1e9, n_batches, n_slow,
	       model.frames, first_kib, most_kib, full_kib, fuller_kib, counters_kernel_kib());
	for (unsigned int i = 0; i < MODEL_COUNTERS; i++)
		printf(", \"%s\": %" PRIu64, model_counter_names[i], model.n[i]);
	puts("}");
	return 0;
}
