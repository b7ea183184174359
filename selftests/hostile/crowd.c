// SPDX-License-Identifier: GPL-2.0
/* Sends the hostile parcels of one lane from two CPUs at once, so that parts of one record meet in the receiver.
 *
 * usage: hostilecrowd eth|udp FROM TO SEED COUNT [EPOCH KEY-FILE]…
 *
 * As hostilesender, but what two CPUs make of it is their luck: only that each parcel is received, and what memory is
 * held, can be said. Prints a line of JSON; the exit status is 1 if a parcel is not accounted for.
 */
#include <err.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "counters.h"
#include "peer.h"

#define SENDERS		2
#define LANES		2
#define DEADLINE_S	60
#define SHORTEST	14

static struct peer peer;
static unsigned int me;
static uint64_t n_sent;
static struct counters before, now;
/* of all senders */
static pthread_barrier_t *barrier;

static void meet(void) { pthread_barrier_wait(barrier); }

static void start_senders(void)
{
	pthread_barrierattr_t shared;
	cpu_set_t mine;

	barrier = mmap(NULL, sizeof(*barrier), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (barrier == MAP_FAILED)
		err(1, "mmap");
	pthread_barrierattr_init(&shared);
	pthread_barrierattr_setpshared(&shared, PTHREAD_PROCESS_SHARED);
	pthread_barrier_init(barrier, &shared, SENDERS);
	me = fork() ? 0 : 1;
	if (me)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	CPU_ZERO(&mine);
	CPU_SET(me, &mine);
	if (sched_setaffinity(0, sizeof(mine), &mine))
		err(1, "CPU %u", me);
}

/* All senders make the same; each seals and sends its share of it. */
static void add(void)
{
	if (n_sent++ % SENDERS != me)
		return;
	peer_seal(&peer);
}

static bool all_are_received(void)
{
	const char *other = counters_read(&now);
	uint64_t got = 0;

	if (other)
		errx(1, "%s has moved", other);
	for (unsigned int i = 0; i < MODEL_COUNTERS; i++)
		if (counters_is_of_all(i))
			got += now.n[i] - before.n[i];
	return got == n_sent;
}

/* At once; then the first one waits until all has arrived. */
static void send_batch(void)
{
	time_t end = time(NULL) + DEADLINE_S;

	meet();
	underlay_send(peer.frames, peer.frame_bytes, peer.n);
	peer.n = 0;
	meet();
	while (!me && !all_are_received()) {
		if (time(NULL) > end)
			errx(1, "not all of %" PRIu64 " parcels are received", n_sent);
		sched_yield();
	}
	meet();
}

static void send_all(uint64_t count)
{
	while (n_sent < count) {
		for (unsigned int i = 0; i < UNDERLAY_FRAMES; i++) {
			maker_make(&peer.maker, &peer.made);
			peer.made.lane = (uint8_t)(peer.made.lane + n_sent / 65536);
			if (peer.made.bytes >= SHORTEST)
				add();
		}
		send_batch();
	}
}

/* To each lane; behind all sequences that were used. Returns the kernel's KiB then. */
static uint64_t send_to_all_lanes(void (*make)(struct maker *of, unsigned int lane, struct maker_parcel *parcel))
{
	unsigned int lane, epoch = peer.maker.n_epochs - 1;

	for (lane = 0; lane < MAKER_LANES; lane++) {
		if (peer.maker.lanes[lane].sequence[epoch] < 1ULL << 40)
			peer.maker.lanes[lane].sequence[epoch] = 1ULL << 40;
		make(&peer.maker, lane, &peer.made);
		add();
		if (lane % UNDERLAY_FRAMES == UNDERLAY_FRAMES - 1)
			send_batch();
	}
	return counters_kernel_kib();
}

int main(int argc, char **argv)
{
	uint64_t first, full, last;
	int status = 0;

	peer_new(&peer, argc, argv, LANES);
	underlay_enter(argv[3]);
	counters_open();
	underlay_open(argv[1], argv[2], argv[3]);
	counters_read(&before);
	first = counters_kernel_kib();
	start_senders();
	send_all(strtoull(argv[5], NULL, 0));
	full = send_to_all_lanes(maker_begin);
	last = send_to_all_lanes(maker_end);
	if (me)
		return 0;
	printf("{\"parcels\": %" PRIu64 ", \"frames\": %" PRIu64 ", \"lost\": %" PRIu64 ", \"kib\": {\"first\": %" PRIu64
	       ", \"full\": %" PRIu64 ", \"last\": %" PRIu64 "}}\n", n_sent, now.frames - before.frames,
	       now.n[MODEL_LOST] - before.n[MODEL_LOST], first, full, last);
	wait(&status);
	return status != 0;
}
