// SPDX-License-Identifier: GPL-2.0-or-later
/* Chains that are kept over a restart: the link goes on; and whatever was lost or is old is noticed, and no key differs. */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "qlinkd/link/keptchain.h"
#include "simkme.h"
#include "tap.h"
#include "world.h"

#define CONF \
	"agent\n name a\n certificate /a.pem\n key /a.key\n ca /ca.pem\n listen 127.0.0.1:7\n" \
	"peer b\n address 127.0.0.1:8\n" \
	"link qlink0\n peer b\n policy pqc-only\n floor-ms 1000\n ceiling-ms 10000\n"
#define REQUIRED	CONF " chain-required yes\n"
/* Longer than it takes to agree on keys. */
#define LONG_MS		30000
/* Of the real disk. */
#define DISK_MS		20000

static char folder[] = "/tmp/qlink-kept-XXXXXX";
static char paths[2][64], key_path[64];

static void write_file(const char *path, const void *data, size_t len)
{
	FILE *file = fopen(path, "we");

	if (!file || fwrite(data, 1, len, file) != len || fclose(file))
		BAIL_OUT();
}

__attribute__((destructor))
static void remove_files(void)
{
	unlink(paths[0]);
	unlink(paths[1]);
	unlink(key_path);
	rmdir(folder);
}

static void make_files(void)
{
	unsigned int end;

	umask(077);
	if (strstr(folder, "XXXXXX") && !mkdtemp(folder))
		BAIL_OUT();
	snprintf(key_path, sizeof(key_path), "%s/key", folder);
	write_file(key_path, "thirty-two bytes for a state key", 32);
	for (end = 0; end < 2; end++) {
		snprintf(paths[end], sizeof(paths[end]), "%s/state%u", folder, end);
		unlink(paths[end]);
	}
}

/* --- a disk of the second end that the test stops: it stands in for the real one --- */

static pthread_mutex_t disk = PTHREAD_MUTEX_INITIALIZER;

ssize_t pwrite(int fd, const void *data, size_t len, off_t at)
{
	struct stat file, second;

	if (!fstat(fd, &file) && !stat(paths[1], &second) && file.st_ino == second.st_ino) {
		pthread_mutex_lock(&disk);
		pthread_mutex_unlock(&disk);
	}
	return syscall(SYS_pwrite64, fd, data, len, at);
}

/* --- what the file of one end has at one time --- */

struct copy {
	uint8_t data[4 * SLOT_BYTES];
	size_t len;
};

/* As it is now, whatever waits. */
static void copy_now(unsigned int end, struct copy *copy)
{
	FILE *file = fopen(paths[end], "re");

	if (!file)
		BAIL_OUT();
	copy->len = fread(copy->data, 1, sizeof(copy->data), file);
	fclose(file);
}

static void copy_file(struct world *world, unsigned int end, struct copy *copy)
{
	CHECK(state_flush(world->ends[end].services.state, DISK_MS), "not written");
	copy_now(end, copy);
}

/* --- agents --- */

static void open_state(struct world *world, unsigned int end)
{
	const struct state_settings settings = {
		.path = paths[end], .key = key_path, .agent = end ? "b" : "a",
	};
	struct qlink_why why;

	CHECK_NUMBER("state", state_open(&world->ends[end].services.state, &settings, &why), 0);
}

/* Restarts an agent, which finds its file as it is, or as it was. */
static void restart(struct world *world, unsigned int end, const struct copy *copy)
{
	CHECK(state_close(world->ends[end].services.state), "not all is written");
	if (copy)
		write_file(paths[end], copy->data, copy->len);
	open_state(world, end);
	world_restart(world, end);
	world_connect(world);
}

static struct link *link_of(struct world *world, unsigned int end)
{
	return world->ends[end].link;
}

/* Two agents that keep their chains, with keys. */
static struct world *start(const char *a, const char *b)
{
	const char *const confs[2] = { a, b };
	struct world *world;
	unsigned int end;

	make_files();
	simkme_start(0);
	world = world_new(confs, true);
	for (end = 0; end < 2; end++)
		open_state(world, end);
	world->has_traffic = true;
	for (end = 0; end < 2; end++) {
		if (link_of(world, end)->config->chain_required)
			link_accept_chain(link_of(world, end));
	}
	world_connect(world);
	CHECK(world_until_works(world, LONG_MS) <= LONG_MS, "no keys");
	world_run(world, 15000);
	return world;
}

static void stop(struct world *world)
{
	unsigned int end;

	for (end = 0; end < 2; end++)
		CHECK(state_close(world->ends[end].services.state), "not all is written");
	world_free(world);
}

static unsigned int restarts(struct world *world)
{
	return world_logs(world, 0, "chain-restarted ") + world_logs(world, 1, "chain-restarted ");
}

static bool is_blocked(struct world *world)
{
	return link_of(world, 0)->session.phase == SESSION_PHASE_BLOCKED &&
	       link_of(world, 1)->session.phase == SESSION_PHASE_BLOCKED;
}

/* Offers that a direction has had since the agent's start, as one end counts them. */
static uint64_t sent(struct world *world, unsigned int end)
{
	return link_of(world, end)->counters.tx_keys[QLINK_SOURCE_PQC];
}

static uint64_t received(struct world *world, unsigned int end)
{
	return link_of(world, end)->counters.rx_keys[QLINK_SOURCE_PQC];
}

/* Runs until new keys were agreed on in both directions. */
static void until_new_keys(struct world *world)
{
	uint64_t before[2] = { sent(world, 0), sent(world, 1) };
	unsigned int i;

	for (i = 0; i < LONG_MS / 10 && (sent(world, 0) == before[0] || sent(world, 1) == before[1]); i++)
		world_run(world, 10);
	CHECK(sent(world, 0) > before[0] && sent(world, 1) > before[1], "no new keys");
}

TEST(a_restart_goes_on_with_the_chains)
{
	struct world *world = start(REQUIRED, REQUIRED);
	unsigned int i, said = world_logs(world, 0, "no-chain ");

	for (i = 0; i < 6; i++) {
		restart(world, i % 2, NULL);
		CHECK(world_until_works(world, LONG_MS) <= LONG_MS, "restart %u: does not work", i);
		until_new_keys(world);
		CHECK_NUMBER("restored", world_logs(world, i % 2, "chain-restored link=qlink0"), i / 2 + 1);
	}
	CHECK_NUMBER("restarts", restarts(world), 0);
	CHECK_NUMBER("blocked", world_logs(world, 0, "no-chain "), said);
	/* Both hosts at once. */
	restart(world, 0, NULL);
	restart(world, 1, NULL);
	CHECK(world_until_works(world, LONG_MS) <= LONG_MS, "both: does not work");
	until_new_keys(world);
	CHECK_NUMBER("restarts", restarts(world), 0);
	stop(world);
}

TEST(without_a_file_the_same_restart_is_blocked)
{
	static const struct copy nothing;
	struct world *world = start(REQUIRED, CONF);

	restart(world, 1, &nothing);
	world_run(world, 1000);
	CHECK(is_blocked(world), "not blocked");
	CHECK(world_flows(world), "no frames under what is staged");
	CHECK_NUMBER("restored", world_logs(world, 1, "chain-restored "), 0);
	link_accept_chain(link_of(world, 0));
	CHECK(world_until_works(world, LONG_MS) <= LONG_MS, "not accepted");
	stop(world);
}

/* Runs until an offer was received at @end and none was sent, or the reverse; @copy is from just before. */
static void until_one_step(struct world *world, unsigned int end, bool is_rx, struct copy *copy)
{
	uint64_t tx, rx;
	unsigned int i;

	for (i = 0; i < LONG_MS; i++) {
		tx = sent(world, end);
		rx = received(world, end);
		copy_file(world, end, copy);
		world_run(world, 1);
		if ((received(world, end) > rx) == is_rx && (sent(world, end) > tx) == !is_rx)
			return;
	}
	CHECK(false, "never came");
}

/* That of the second end. */
static void stop_disk(struct world *world, bool stops)
{
	world->ends[1].has_slow_disk = stops;
	if (stops)
		pthread_mutex_lock(&disk);
	else
		pthread_mutex_unlock(&disk);
}

/* Stops the disk, so that what one direction of the second end has agreed on waits for it. */
static void stop_disk_at(struct world *world, unsigned int is_tx)
{
	const struct link_kept *kept = &link_of(world, 1)->kept;
	unsigned int i;

	stop_disk(world, true);
	for (i = 0; i < LONG_MS && !kept->tickets[is_tx]; i++)
		world_run(world, 1);
	CHECK(kept->tickets[is_tx], "nothing waits for the disk");
}

/* Killed at the worst moment, while the disk lacks what has just been agreed on. */
TEST(an_agent_that_is_killed_while_its_disk_works_goes_on)
{
	struct world *world = start(REQUIRED, REQUIRED);
	unsigned int said = world_logs(world, 0, "no-chain "), is_tx;
	uint64_t before[2];
	struct copy copy;

	for (is_tx = 0; is_tx < 2; is_tx++) {
		stop_disk_at(world, is_tx);
		before[0] = sent(world, 0);
		before[1] = link_of(world, 1)->counters.offers;
		world_run(world, KEPTCHAIN_WAIT_MS / 2);
		CHECK(is_tx || sent(world, 0) == before[0], "confirmed before the disk has it");
		CHECK(!is_tx || link_of(world, 1)->counters.offers == before[1], "the next offer was made");
		copy_now(1, &copy);
		stop_disk(world, false);
		restart(world, 1, &copy);
		CHECK(world_until_works(world, LONG_MS) <= LONG_MS, "does not work");
		until_new_keys(world);
	}
	CHECK_NUMBER("restarts", restarts(world), 0);
	CHECK_NUMBER("blocked", world_logs(world, 0, "no-chain "), said);
	stop(world);
}

TEST(a_disk_that_stands_still_holds_keys_up_for_a_second)
{
	struct world *world = start(REQUIRED, REQUIRED);
	uint64_t before = received(world, 1);
	unsigned int i;

	stop_disk(world, true);
	for (i = 0; i < LONG_MS && !link_of(world, 1)->kept.is_slow; i++)
		world_run(world, 1);
	CHECK(link_of(world, 1)->kept.is_slow && received(world, 1) > before, "does not go on");
	before = received(world, 1);
	world_run(world, LONG_MS);
	CHECK(received(world, 1) >= before + 2, "%llu keys in half a minute",
	      (unsigned long long)(received(world, 1) - before));
	CHECK(world_works(world), "does not work");
	CHECK_NUMBER("waits", keptchain_waits(link_of(world, 1)), 0);
	stop_disk(world, false);
	CHECK(state_flush(world->ends[1].services.state, DISK_MS), "not written");
	until_new_keys(world);
	CHECK(!link_of(world, 1)->kept.is_slow, "still slow");
	restart(world, 1, NULL);
	CHECK(world_until_works(world, LONG_MS) <= LONG_MS, "does not work after a restart");
	CHECK_NUMBER("restarts", restarts(world), 0);
	stop(world);
}

/* A disk that lost what it said it had, or had failed: the receiver lacks a step, and its peer's chain restarts. */
TEST(a_receiver_whose_file_lacks_a_step_is_noticed)
{
	static const char *const confs[] = { CONF, REQUIRED };
	struct world *world;
	struct copy copy;
	size_t i;

	for (i = 0; i < COUNT(confs); i++) {
		world = start(confs[i], CONF);
		until_one_step(world, 1, true, &copy);
		world_run(world, 10);
		restart(world, 1, &copy);
		world_run(world, 1000);
		CHECK_NUMBER("blocked", is_blocked(world), i);
		CHECK_NUMBER("told", world_logs(world, 0, "no-chain "), i);
		if (i)
			link_accept_chain(link_of(world, 0));
		CHECK(world_until_works(world, LONG_MS) <= LONG_MS, "does not work");
		until_new_keys(world);
		CHECK_NUMBER("restarts", restarts(world), 2);
		CHECK_NUMBER("of the sender", world_logs(world, 0, "chain-restarted link=qlink0 direction=tx"), 1);
		CHECK_NUMBER("and at the receiver",
			     world_logs(world, 1, "chain-restarted link=qlink0 direction=rx"), 1);
		stop(world);
	}
}

/* The receiver has the chain before, in case that the confirmation was lost. */
TEST(a_sender_whose_file_lacks_a_step_goes_on)
{
	struct world *world = start(REQUIRED, REQUIRED);
	unsigned int said = world_logs(world, 0, "no-chain ");
	struct copy copy;

	until_one_step(world, 0, false, &copy);
	restart(world, 0, &copy);
	CHECK(world_until_works(world, LONG_MS) <= LONG_MS, "does not work");
	until_new_keys(world);
	CHECK_NUMBER("restarts", restarts(world), 0);
	CHECK_NUMBER("blocked", world_logs(world, 0, "no-chain "), said);
	stop(world);
}

TEST(an_old_copy_of_the_file_is_noticed)
{
	struct world *world = start(REQUIRED, CONF);
	struct copy copy;

	copy_file(world, 1, &copy);
	until_new_keys(world);
	until_new_keys(world);
	restart(world, 1, &copy);
	world_run(world, 1000);
	CHECK(is_blocked(world), "not blocked");
	CHECK_NUMBER("restored", world_logs(world, 1, "chain-restored "), 1);
	CHECK(world_flows(world), "no frames under what is staged");
	link_accept_chain(link_of(world, 0));
	CHECK(world_until_works(world, LONG_MS) <= LONG_MS, "not accepted");
	until_new_keys(world);
	CHECK_NUMBER("restarts", restarts(world), 4);
	stop(world);
}

/* Memory of the host may have been copied: what the disk has would go on from there. */
TEST(a_wipe_reaches_the_file)
{
	struct world *world = start(CONF, CONF);
	struct copy before, after;

	copy_file(world, 0, &before);
	world_cut(world);
	device_wipe(&devices[0]);
	world_notice(world, 0, QLINK_EVENT_KIND_WIPED);
	world_run(world, 100);
	CHECK_NUMBER("wiped", world_logs(world, 0, "secrets-wiped link=qlink0"), 1);
	copy_file(world, 0, &after);
	CHECK(memcmp(&before, &after, sizeof(before)), "the file is the same");
	restart(world, 0, NULL);
	CHECK(world_until_works(world, LONG_MS) <= LONG_MS, "does not work");
	CHECK_NUMBER("restored", world_logs(world, 0, "chain-restored "), 0);
	until_new_keys(world);
	CHECK_NUMBER("restarts of the peer's chain", world_logs(world, 1, "direction=tx"), 1);
	/* From here on they are kept again. */
	restart(world, 0, NULL);
	CHECK(world_until_works(world, LONG_MS) <= LONG_MS, "does not work");
	CHECK_NUMBER("restored", world_logs(world, 0, "chain-restored "), 1);
	stop(world);
}
