// SPDX-License-Identifier: GPL-2.0-or-later
/* The state file keeps the newest chains of each link, and no disk holds the agent up. */
#include "qlinkd/services.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "qlinkd/base/clock.h"
#include "tap.h"

/* Longer than a disk takes. */
#define LONG_MS	20000

static char folder[] = "/tmp/qlink-state-XXXXXX";
static char path[64], key_path[64], other_key_path[64];

/* --- a disk that the test stops or breaks, and a clock that it sets: they stand in for the real ones --- */

static pthread_mutex_t disk = PTHREAD_MUTEX_INITIALIZER;
static _Atomic uint64_t ahead_ms;
static _Atomic unsigned int n_syncs;
static _Atomic int sync_err;

uint64_t clock_ms(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000 + ahead_ms;
}

int fdatasync(int fd)
{
	(void)fd;
	n_syncs++;
	pthread_mutex_lock(&disk);
	pthread_mutex_unlock(&disk);
	errno = sync_err;
	return sync_err ? -1 : 0;
}

/* --- files --- */

static void write_file(const char *to, const void *data, size_t len, mode_t mode)
{
	int fd = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, data, len) != (ssize_t)len || fchmod(fd, mode))
		BAIL_OUT();
	close(fd);
}

static size_t read_file(uint8_t *data, size_t room)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, data, room);

	if (n < 0)
		BAIL_OUT();
	close(fd);
	return (size_t)n;
}

__attribute__((destructor))
static void remove_files(void)
{
	unlink(path);
	unlink(key_path);
	unlink(other_key_path);
	rmdir(folder);
}

static const uint8_t key_bytes[32] = "thirty-two bytes of a state key";

/* A folder with two keys and no state file. */
static void begin(void)
{
	if (strstr(folder, "XXXXXX") && !mkdtemp(folder))
		BAIL_OUT();
	snprintf(path, sizeof(path), "%s/state", folder);
	snprintf(key_path, sizeof(key_path), "%s/key", folder);
	snprintf(other_key_path, sizeof(other_key_path), "%s/other", folder);
	write_file(key_path, key_bytes, sizeof(key_bytes), 0600);
	write_file(other_key_path, "0123456789abcdef0123456789abcdef!", 33, 0600);
	unlink(path);
}

static struct state *open_as(const char *agent, const char *key)
{
	const struct state_settings settings = { .path = path, .key = key, .agent = agent };
	struct qlink_why why = { "" };
	struct state *state;

	CHECK_NUMBER("check", state_check(&settings, &why), 0);
	CHECK_NUMBER("open", state_open(&state, &settings, &why), 0);
	CHECK_TEXT("why", why.text, "");
	if (!state)
		BAIL_OUT();
	return state;
}

static struct state *open_it(void)
{
	return open_as("a", key_path);
}

static struct state_status status_of(struct state *state)
{
	struct state_status status;

	state_read_status(state, &status);
	return status;
}

static void save(struct state *state, const char *device, uint8_t first)
{
	struct chain tx, rx;

	memset(&tx, first, sizeof(tx));
	memset(&rx, first + 1, sizeof(rx));
	state_save(state, "b", device, &tx, &rx);
}

static void save_on_disk(struct state *state, const char *device, uint8_t first)
{
	save(state, device, first);
	CHECK(state_flush(state, LONG_MS), "%s: not written", device);
}

/* The first byte of the chains that are kept for a link, -1 for none. */
static int kept(struct state *state, const char *device)
{
	struct chain tx, rx;

	if (!state_find(state, "b", device, &tx, &rx))
		return -1;
	CHECK_NUMBER("the previous chain", tx.previous[47], tx.current[0]);
	CHECK_NUMBER("the other direction", rx.current[0], tx.current[0] + 1);
	return tx.current[0];
}

TEST(chains_are_there_after_a_restart)
{
	struct chain tx, rx;
	struct state *state;
	struct stat stat_;
	uint8_t i;

	begin();
	state = open_it();
	CHECK(status_of(state).is_new, "not new");
	CHECK_NUMBER("nothing", kept(state, "qlink0"), -1);
	for (i = 1; i <= 5; i++) {
		save_on_disk(state, "qlink0", i);
		save_on_disk(state, "qlink1", i + 100);
	}
	CHECK_NUMBER("at once", kept(state, "qlink0"), 5);
	CHECK(state_close(state), "not all is written");
	CHECK_NUMBER("stat", stat(path, &stat_), 0);
	CHECK_NUMBER("two slots a link", stat_.st_size, 4 * SLOT_BYTES);
	CHECK_NUMBER("mode", stat_.st_mode & 07777, 0600);
	state = open_it();
	CHECK_NUMBER("after it", kept(state, "qlink0"), 5);
	CHECK_NUMBER("the other link", kept(state, "qlink1"), 105);
	CHECK_NUMBER("no such link", kept(state, "qlink2"), -1);
	CHECK(!state_find(state, "c", "qlink0", &tx, &rx), "another peer");
	CHECK(state_close(state), "not all is written");
}

/* So that a write that is torn leaves the chains of the write before. */
TEST(the_two_slots_of_a_link_are_written_in_turn)
{
	const struct bytes key = { key_bytes, sizeof(key_bytes) };
	uint8_t data[2 * SLOT_BYTES], i, k;
	struct state *state;
	struct slot slot;
	bool has[16] = { false };

	begin();
	state = open_it();
	for (i = 1; i < COUNT(has); i++) {
		save_on_disk(state, "qlink0", i);
		if (i == 8) {
			CHECK(state_close(state), "not all is written");
			state = open_it();
		}
		CHECK_NUMBER("bytes", read_file(data, sizeof(data)), sizeof(data));
		memset(has, false, sizeof(has));
		for (k = 0; k < 2; k++) {
			CHECK_NUMBER("opens", slot_open(&key, k, data + k * SLOT_BYTES, &slot), SLOT_OPENED);
			has[slot.chains.tx.current[0] % COUNT(has)] = true;
		}
		CHECK(has[i] && (i == 1 || has[i - 1]), "after %u writes: not the last two", i);
	}
	CHECK(state_close(state), "not all is written");
}

TEST(what_waits_at_the_end_is_written)
{
	struct state *state;
	uint8_t i;

	begin();
	state = open_it();
	save(state, "qlink0", 7);
	CHECK(state_close(state), "not all is written");
	state = open_it();
	CHECK_NUMBER("kept", kept(state, "qlink0"), 7);
	/* More links than are written at once. */
	for (i = 0; i < 200; i++) {
		char device[16];

		snprintf(device, sizeof(device), "qlink%u", i);
		save(state, device, i);
	}
	CHECK(state_close(state), "not all is written");
	state = open_it();
	CHECK_NUMBER("of many", kept(state, "qlink150"), 150);
	CHECK(state_close(state), "not all is written");
}

/* --- disks --- */

/* Waits until the writer works on the disk, which the test has stopped. */
static void await_sync(unsigned int before)
{
	while (n_syncs == before)
		sched_yield();
}

TEST(a_slow_disk_gets_only_the_newest)
{
	struct state *state;
	unsigned int before;
	uint8_t i;

	begin();
	state = open_it();
	save_on_disk(state, "qlink0", 1);
	before = n_syncs;
	pthread_mutex_lock(&disk);
	save(state, "qlink0", 2);
	await_sync(before);
	for (i = 3; i < 100; i++)
		save(state, "qlink0", i);
	CHECK_NUMBER("waits", status_of(state).waiting, 2);
	CHECK(!status_of(state).is_slow, "slow at once");
	ahead_ms += STATE_SLOW_MS;
	CHECK(status_of(state).is_slow, "not slow");
	pthread_mutex_unlock(&disk);
	CHECK(state_flush(state, LONG_MS), "not written");
	CHECK(!status_of(state).is_slow, "still slow");
	/* A new place owes both of its slots; then each turn writes one. */
	CHECK_NUMBER("written", status_of(state).written, 4);
	CHECK(state_close(state), "not all is written");
	state = open_it();
	CHECK_NUMBER("kept", kept(state, "qlink0"), 99);
	CHECK(state_close(state), "not all is written");
}

static bool has_event(const struct state *state)
{
	struct pollfd poll_ = { .fd = state_fd(state), .events = POLLIN };
	uint64_t n;

	return poll(&poll_, 1, 0) == 1 && read(poll_.fd, &n, sizeof(n)) == sizeof(n);
}

TEST(who_waits_for_the_disk_is_told)
{
	struct state *state;
	unsigned int before;

	begin();
	state = open_it();
	CHECK(!state_waits(state, "b", "qlink0"), "for nothing");
	save_on_disk(state, "qlink0", 1);
	has_event(state);
	before = n_syncs;
	pthread_mutex_lock(&disk);
	save(state, "qlink0", 2);
	CHECK(state_waits(state, "b", "qlink0"), "not at once");
	await_sync(before);
	CHECK(state_waits(state, "b", "qlink0"), "not while the disk works");
	CHECK(!has_event(state), "an event");
	sync_err = EIO;
	pthread_mutex_unlock(&disk);
	while (!status_of(state).err)
		sched_yield();
	CHECK(!state_waits(state, "b", "qlink0"), "for a disk that fails");
	CHECK(has_event(state), "no event of the failure");
	sync_err = 0;
	CHECK(state_flush(state, LONG_MS), "not written");
	CHECK(!state_waits(state, "b", "qlink0") && has_event(state), "no event of the write");
	CHECK(state_close(state), "not all is written");
}

TEST(what_a_disk_refuses_is_written_when_it_works_again)
{
	struct state *state;

	begin();
	state = open_it();
	save_on_disk(state, "qlink0", 1);
	sync_err = EIO;
	save(state, "qlink0", 2);
	while (!status_of(state).err)
		sched_yield();
	CHECK_NUMBER("why", status_of(state).err, -EIO);
	CHECK(!state_flush(state, 1), "written");
	CHECK_NUMBER("in memory", kept(state, "qlink0"), 2);
	sync_err = 0;
	CHECK(state_flush(state, LONG_MS), "not written");
	CHECK_NUMBER("works again", status_of(state).err, 0);
	CHECK(state_close(state), "not all is written");
	state = open_it();
	CHECK_NUMBER("kept", kept(state, "qlink0"), 2);
	sync_err = EIO;
	save(state, "qlink0", 3);
	CHECK(!state_close(state), "a disk that fails is not told");
	sync_err = 0;
}

/* Its memory stays, because its writer still uses it. */
static struct state *stuck;

TEST(a_disk_that_does_not_answer_does_not_keep_the_agent_from_ending)
{
	unsigned int before;
	uint64_t began;

	begin();
	stuck = open_it();
	save_on_disk(stuck, "qlink0", 1);
	before = n_syncs;
	pthread_mutex_lock(&disk);
	save(stuck, "qlink0", 2);
	await_sync(before);
	began = clock_ms(CLOCK_MONOTONIC);
	CHECK(!state_close(stuck), "written");
	CHECK(clock_ms(CLOCK_MONOTONIC) - began < 2 * STATE_CLOSE_MS, "took too long");
	pthread_mutex_unlock(&disk);
}

TEST(a_file_that_is_removed_is_made_anew_with_all_links)
{
	struct state *state;

	begin();
	state = open_it();
	save_on_disk(state, "qlink0", 1);
	save_on_disk(state, "qlink1", 11);
	unlink(path);
	save_on_disk(state, "qlink1", 12);
	CHECK(state_close(state), "not all is written");
	state = open_it();
	CHECK_NUMBER("the one that was saved", kept(state, "qlink1"), 12);
	CHECK_NUMBER("the other", kept(state, "qlink0"), 1);
	CHECK_NUMBER("damaged", status_of(state).damaged, 0);
	CHECK(state_close(state), "not all is written");
}

TEST(two_agents_cannot_write_one_file)
{
	struct state *first, *second;

	begin();
	first = open_it();
	save_on_disk(first, "qlink0", 1);
	second = open_as("z", key_path);
	save(second, "qlink0", 2);
	while (!status_of(second).err)
		sched_yield();
	CHECK_NUMBER("why", status_of(second).err, -EBUSY);
	CHECK(!state_close(second), "written");
	CHECK(state_close(first), "not all is written");
	first = open_it();
	CHECK_NUMBER("kept", kept(first, "qlink0"), 1);
	CHECK(state_close(first), "not all is written");
}

/* --- what must not be used --- */

TEST(a_wipe_leaves_no_chain_in_the_file)
{
	static const struct slot_chains nothing;
	const struct bytes key = { key_bytes, sizeof(key_bytes) };
	uint8_t data[2 * SLOT_BYTES];
	struct state *state;
	struct slot slot;
	uint32_t i;

	begin();
	state = open_it();
	save_on_disk(state, "qlink0", 1);
	save_on_disk(state, "qlink0", 2);
	state_wipe(state, "b", "qlink0");
	CHECK_NUMBER("in memory", kept(state, "qlink0"), -1);
	CHECK(state_flush(state, LONG_MS), "not written");
	CHECK_NUMBER("bytes", read_file(data, sizeof(data)), sizeof(data));
	for (i = 0; i < 2; i++) {
		CHECK_NUMBER("opens", slot_open(&key, i, data + i * SLOT_BYTES, &slot), SLOT_OPENED);
		CHECK(!memcmp(&slot.chains, &nothing, sizeof(nothing)), "slot %u has a chain", i);
	}
	state_wipe(state, "b", "never there");
	save_on_disk(state, "qlink0", 3);
	CHECK_NUMBER("goes on", kept(state, "qlink0"), 3);
	CHECK(state_close(state), "not all is written");
}

TEST(a_file_of_another_key_or_agent_gives_no_chain_and_is_named)
{
	struct state_status status;
	struct state *state;

	begin();
	state = open_it();
	save_on_disk(state, "qlink0", 1);
	CHECK(state_close(state), "not all is written");

	state = open_as("z", key_path);
	state_begin_links(state);
	state_add_link(state, "b", "qlink0");
	status = status_of(state);
	CHECK_NUMBER("another agent's link", kept(state, "qlink0"), -1);
	CHECK(status.others == 1 && !status.links, "%u others, %u links", status.others, status.links);
	CHECK(state_close(state), "not all is written");

	state = open_as("a", other_key_path);
	CHECK_NUMBER("another key's", kept(state, "qlink0"), -1);
	CHECK_NUMBER("slots of another key", status_of(state).foreign, 2);
	save_on_disk(state, "qlink0", 5);
	CHECK(state_close(state), "not all is written");
	state = open_as("a", other_key_path);
	CHECK_NUMBER("written anew", kept(state, "qlink0"), 5);
	CHECK_NUMBER("slots of another key", status_of(state).foreign, 0);
	CHECK(state_close(state), "not all is written");
}

TEST(damage_costs_one_value_at_most)
{
	static const uint8_t rubbish[100] = "rubbish";
	uint8_t data[2 * SLOT_BYTES];
	struct state *state;

	begin();
	state = open_it();
	save_on_disk(state, "qlink0", 1);
	save_on_disk(state, "qlink0", 2);
	CHECK(state_close(state), "not all is written");
	CHECK_NUMBER("bytes", read_file(data, sizeof(data)), sizeof(data));
	data[100] ^= 1;
	write_file(path, data, sizeof(data), 0600);
	state = open_it();
	CHECK(kept(state, "qlink0") > 0, "no chain");
	CHECK_NUMBER("damaged", status_of(state).damaged, 1);
	CHECK(state_close(state), "not all is written");
	write_file(path, rubbish, sizeof(rubbish), 0600);
	state = open_it();
	CHECK_NUMBER("no chain", kept(state, "qlink0"), -1);
	CHECK_NUMBER("damaged", status_of(state).damaged, 1);
	save_on_disk(state, "qlink0", 3);
	CHECK(state_close(state), "not all is written");
	state = open_it();
	CHECK_NUMBER("kept", kept(state, "qlink0"), 3);
	CHECK(state_close(state), "not all is written");
}

TEST(places_of_links_that_are_gone_are_used_again)
{
	struct state *state;
	struct stat stat_;

	begin();
	state = open_it();
	save_on_disk(state, "qlink0", 1);
	save_on_disk(state, "qlink1", 11);
	CHECK(state_close(state), "not all is written");
	state = open_it();
	state_begin_links(state);
	state_add_link(state, "b", "qlink1");
	state_add_link(state, "b", "qlink2");
	CHECK(status_of(state).links == 1 && status_of(state).others == 1, "not one of each");
	save_on_disk(state, "qlink2", 21);
	CHECK_NUMBER("gone", kept(state, "qlink0"), -1);
	CHECK(state_close(state), "not all is written");
	CHECK_NUMBER("stat", stat(path, &stat_), 0);
	CHECK_NUMBER("bytes", stat_.st_size, 4 * SLOT_BYTES);
	state = open_it();
	CHECK_NUMBER("kept", kept(state, "qlink1"), 11);
	CHECK_NUMBER("new", kept(state, "qlink2"), 21);
	CHECK(state_close(state), "not all is written");
}

/* --- settings --- */

static void refused(const char *state, const char *key, const char *want)
{
	const struct state_settings settings = { .path = state, .key = key, .agent = "a" };
	struct qlink_why why = { "" };

	CHECK(state_check(&settings, &why) < 0, "%s, %s: taken", state, key);
	CHECK(strstr(why.text, want), "got '%s', want '%s'", why.text, want);
}

TEST(settings_that_cannot_work_are_refused)
{
	char text[80];

	begin();
	snprintf(text, sizeof(text), "%s/nothing/state", folder);
	refused(text, key_path, "/nothing/state: its folder does not exist");
	refused(folder, key_path, ": is no regular file");
	snprintf(text, sizeof(text), "%s/none", folder);
	refused(path, text, "/none: does not exist");
	write_file(key_path, "short", 5, 0600);
	refused(path, key_path, "/key: has 5 bytes; a state key has 32 to 1024, which are random");
	write_file(key_path, key_bytes, 31, 0600);
	refused(path, key_path, "has 31 bytes");
	write_file(key_path, key_bytes, sizeof(key_bytes), 0644);
	refused(path, key_path, "/key: others can read or change it: its mode is 0644");
	CHECK_NUMBER("truncate", truncate(key_path, 1025), 0);
	CHECK_NUMBER("mode", chmod(key_path, 0600), 0);
	refused(path, key_path, "has 1025 bytes");
}

/* --- the log --- */

static struct services services;

static unsigned int logged(const char *text)
{
	static char log[1 << 16];
	ssize_t n = pread(services.log.fd, log, sizeof(log) - 1, 0);
	unsigned int found = 0;
	const char *at;

	log[n < 0 ? 0 : n] = '\0';
	for (at = log; (at = strstr(at, text)); at++)
		found++;
	return found;
}

/* Those of an agent, many of which pass within a minute. */
static void beat(void)
{
	unsigned int i;

	for (i = 0; i < 50; i++)
		services_watch_state(&services);
}

static void start_services(const char *key)
{
	memset(&services, 0, sizeof(services));
	log_init(&services.log, memfd_create("log", MFD_CLOEXEC), services_now());
	services.state = open_as("a", key);
	state_add_link(services.state, "b", "qlink0");
	services_tell_state(&services, "/state");
}

static void stop_services(void)
{
	CHECK(state_close(services.state), "not all is written");
	close(services.log.fd);
}

TEST(the_log_says_once_what_was_found)
{
	begin();
	start_services(key_path);
	CHECK_NUMBER("begun", logged("<5>state-begun file=/state"), 1);
	save_on_disk(services.state, "qlink0", 1);
	stop_services();
	start_services(key_path);
	CHECK_NUMBER("read", logged("<6>state-read file=/state links=1 others=0 damaged=0 other-key=0"), 1);
	beat();
	CHECK_NUMBER("nothing else", logged("\n"), 1);
	stop_services();
	start_services(other_key_path);
	CHECK_NUMBER("read", logged("<3>state-read file=/state links=0 others=0 damaged=0 other-key=2"), 1);
	stop_services();
}

TEST(a_disk_that_fails_is_told_once_a_minute_and_its_end_too)
{
	begin();
	start_services(key_path);
	sync_err = ENOSPC;
	save(services.state, "qlink0", 1);
	while (!status_of(services.state).err)
		sched_yield();
	beat();
	CHECK_NUMBER("told", logged("<3>state-not-written why=\"No space left on device\" links=1"), 1);
	ahead_ms += 61000;
	beat();
	CHECK_NUMBER("told again", logged("state-not-written"), 2);
	sync_err = 0;
	CHECK(state_flush(services.state, LONG_MS), "not written");
	beat();
	CHECK_NUMBER("its end", logged("<5>state-written "), 1);
	CHECK_NUMBER("not again", logged("state-not-written"), 2);
	stop_services();
}

TEST(a_slow_disk_is_told)
{
	unsigned int before;

	begin();
	start_services(key_path);
	save_on_disk(services.state, "qlink0", 1);
	before = n_syncs;
	pthread_mutex_lock(&disk);
	save(services.state, "qlink0", 2);
	await_sync(before);
	beat();
	CHECK_NUMBER("too early", logged("state-not-written"), 0);
	ahead_ms += STATE_SLOW_MS;
	beat();
	CHECK_NUMBER("told", logged("<3>state-not-written why=\"the disk is too slow\" links=1"), 1);
	pthread_mutex_unlock(&disk);
	CHECK(state_flush(services.state, LONG_MS), "not written");
	beat();
	CHECK_NUMBER("its end", logged("state-written "), 1);
	stop_services();
}
