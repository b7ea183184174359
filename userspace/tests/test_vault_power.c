// SPDX-License-Identifier: GPL-2.0-or-later
/* The power is cut at every byte that a vault writes: no key is given out twice, and few are lost. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"
#include "vault/disk.h"
#include "vault_lab.h"

#define N_KEYS	32
/* Keys of one request; and of all requests of a run. */
#define BATCH	5
#define WRITES	600

/* What is left of writes that were not synchronized when the power was cut. */
enum left {
	LEFT_ALL,
	LEFT_NOTHING,
	LEFT_EVEN,
	LEFT_ODD,
	LEFT_N,
};

/* A write that a power failure may undo. */
struct undo {
	int fd;
	uint64_t at;
	size_t len;
	uint8_t before[VAULT_HEAD_BYTES];
};

static struct undo undos[WRITES];
static size_t n_undos;
/* In the child: steps until the power is cut. A step is a byte, a part of a long write, or a synchronization. */
static long steps_left;
static enum left what_is_left;
static bool is_cut_armed;
/* Writes and synchronizations until one fails, as of a disk that is full or broken; -1 for none. */
static long calls_left = -1;

static void cut(void)
{
	while (n_undos--) {
		const struct undo *undo = &undos[n_undos];

		if (what_is_left == LEFT_NOTHING || (what_is_left == LEFT_EVEN && n_undos % 2) ||
		    (what_is_left == LEFT_ODD && !(n_undos % 2)))
			if (pwrite(undo->fd, undo->before, undo->len, (off_t)undo->at) < 0)
				break;
	}
	kill(getpid(), SIGKILL);
}

static void step(void)
{
	if (is_cut_armed && !steps_left--)
		cut();
}

int disk_read(int fd, void *data, size_t len, uint64_t at)
{
	ssize_t got = pread(fd, data, len, (off_t)at);

	return got == (ssize_t)len ? 0 : got < 0 ? -errno : -ENODATA;
}

/* A header goes in parts of 64 bytes, all else byte by byte; where writes are lost as a whole, in larger parts. */
int disk_write(int fd, const void *data, size_t len, uint64_t at)
{
	size_t part = len > 128 ? 64 : what_is_left == LEFT_ALL ? 1 : 16, done, n;
	struct undo *undo = &undos[n_undos];

	if (calls_left >= 0 && !calls_left--)
		return -ENOSPC;
	if (is_cut_armed) {
		if (n_undos == WRITES || len > sizeof(undo->before))
			BAIL_OUT();
		*undo = (struct undo){ .fd = fd, .at = at, .len = len };
		if (pread(fd, undo->before, len, (off_t)at) >= 0)
			n_undos++;
	}
	for (done = 0; done < len; done += n) {
		step();
		n = len - done < part ? len - done : part;
		if (pwrite(fd, (const uint8_t *)data + done, n, (off_t)(at + done)) != (ssize_t)n)
			return -errno;
	}
	return 0;
}

int disk_sync(int fd)
{
	size_t i, n = 0;

	if (calls_left >= 0 && !calls_left--)
		return -EIO;
	step();
	for (i = 0; i < n_undos; i++) {
		if (undos[i].fd != fd)
			undos[n++] = undos[i];
	}
	n_undos = n;
	step();
	return 0;
}

/* --- a run of requests, in a child --- */

static void tell(int to, const struct vault_key *keys, int n)
{
	int i;

	for (i = 0; i < n; i++) {
		if (!vaults_is_right(&keys[i]) ||
		    write(to, &keys[i].number, sizeof(keys[i].number)) != sizeof(keys[i].number))
			_exit(3);
	}
}

/* New keys, keys of the peer, and new keys again; the last ones are not in order. */
static void work(int to)
{
	static const uint64_t first[] = { 16, 17, 18 }, then[] = { 24, 20, 22 };
	struct vault_key keys[BATCH];
	struct qlink_why why;

	tell(to, keys, vaults_take("a", VAULT_SIDE_A, BATCH, keys, &why));
	tell(to, keys, vaults_fetch("a", VAULT_SIDE_A, N_KEYS, first, COUNT(first), keys, &why));
	tell(to, keys, vaults_take("a", VAULT_SIDE_A, BATCH, keys, &why));
	tell(to, keys, vaults_fetch("a", VAULT_SIDE_A, N_KEYS, then, COUNT(then), keys, &why));
}

/* How often each key was given out. */
static unsigned int given[N_KEYS];

static void note(uint64_t number)
{
	CHECK(number < N_KEYS, "no such key: %llu", (unsigned long long)number);
	if (number < N_KEYS)
		given[number]++;
}

/* Runs until the power is cut at this step; whether it was. */
static bool run(long at, enum left left)
{
	int fds[2], status = 0;
	uint64_t number;
	pid_t child;

	CHECK_NUMBER("pipe", pipe(fds), 0);
	fflush(stdout);
	child = fork();
	if (!child) {
		steps_left = at;
		what_is_left = left;
		is_cut_armed = true;
		work(fds[1]);
		_exit(0);
	}
	close(fds[1]);
	while (read(fds[0], &number, sizeof(number)) == sizeof(number))
		note(number);
	close(fds[0]);
	CHECK_NUMBER("waitpid", waitpid(child, &status, 0), child);
	if (WIFSIGNALED(status))
		CHECK_NUMBER("signal", WTERMSIG(status), SIGKILL);
	else
		CHECK_NUMBER("exit", WEXITSTATUS(status), 0);
	return WIFSIGNALED(status);
}

/* Takes and fetches all that is left, with power. */
static void drain(void)
{
	struct vault_key keys[N_KEYS];
	uint64_t numbers[N_KEYS / 2];
	struct qlink_why why;
	int i, n;

	n = vaults_take("a", VAULT_SIDE_A, N_KEYS, keys, &why);
	CHECK(n >= 0, "take: %s", why.text);
	for (i = 0; i < n; i++)
		note(keys[i].number);
	for (i = 0; i < N_KEYS / 2; i++)
		numbers[i] = (uint64_t)(N_KEYS / 2 + i);
	n = vaults_fetch("a", VAULT_SIDE_A, N_KEYS, numbers, COUNT(numbers), keys, &why);
	CHECK(n >= 0, "fetch: %s", why.text);
	for (i = 0; i < n; i++)
		note(keys[i].number);
}

static void check_given(long at, enum left left)
{
	unsigned int i, lost = 0;

	for (i = 0; i < N_KEYS; i++) {
		CHECK(given[i] < 2, "step %ld, %d left: key %u given out %u times", at, left, i, given[i]);
		lost += !given[i];
	}
	CHECK(lost <= BATCH, "step %ld, %d left: %u keys lost", at, left, lost);
}

/* One power failure. Returns whether there was one: the run may end before. */
static bool fail_at(long at, enum left left)
{
	bool was_cut;

	unlink(vaults_path("a.index"));
	unlink(vaults_path("a.index.new"));
	vaults_copy("pristine", "a");
	memset(given, 0, sizeof(given));
	was_cut = run(at, left);
	drain();
	check_given(at, left);
	return was_cut;
}

TEST(a_power_failure_at_any_byte_gives_no_key_out_twice)
{
	enum left left;
	long at = 0;

	vaults_begin();
	vaults_make("pristine", N_KEYS);
	for (left = LEFT_ALL; left < LEFT_N && !tap_has_failed(); left++) {
		for (at = 0; fail_at(at, left) && !tap_has_failed(); at++)
			;
		CHECK(at > (left == LEFT_ALL ? 700 : 80), "only %ld steps", at);
	}
}

static bool is_zeroed(uint64_t number)
{
	static const uint8_t zero[LAB_KEY_BYTES + VAULT_TAG_BYTES];
	uint8_t record[sizeof(zero)];
	FILE *file = fopen(vaults_path("a"), "r");
	bool is = file && !fseek(file, (long)(VAULT_HEAD_BYTES + number * sizeof(record)), SEEK_SET) &&
		  fread(record, 1, sizeof(record), file) == sizeof(record) && !memcmp(record, zero, sizeof(zero));

	if (file)
		fclose(file);
	return is;
}

/* Each of the two marks of a key alone keeps it from being given out again: both must be on the disk. */
TEST(nothing_about_a_key_waits_for_the_disk_once_it_is_given_out)
{
	static const uint64_t numbers[] = { 20, 17 };
	struct vault_key keys[BATCH];
	struct qlink_why why;
	uint8_t bits[4] = { 0 };
	FILE *file;

	vaults_begin();
	vaults_make("a", N_KEYS);
	steps_left = 1000000;
	is_cut_armed = true;
	CHECK_NUMBER("take", vaults_take("a", VAULT_SIDE_A, 2, keys, &why), 2);
	CHECK_NUMBER("waiting", n_undos, 0);
	CHECK_NUMBER("fetch", vaults_fetch("a", VAULT_SIDE_A, N_KEYS, numbers, 2, keys, &why), 2);
	CHECK_NUMBER("waiting", n_undos, 0);
	is_cut_armed = false;
	CHECK(is_zeroed(0) && is_zeroed(1) && is_zeroed(20) && is_zeroed(17), "a record is left");
	CHECK(!is_zeroed(2) && !is_zeroed(16), "a record is gone");
	file = fopen(vaults_path("a.index"), "r");
	CHECK(file && !fseek(file, VAULT_HEAD_BYTES, SEEK_SET) && fread(bits, 1, 4, file) == 4, "no index");
	CHECK(bits[0] == 3 && !bits[1] && bits[2] == 0x12 && !bits[3], "marks %02x%02x%02x%02x", bits[0], bits[1],
	      bits[2], bits[3]);
	if (file)
		fclose(file);
}

/* The write or synchronization of this number fails, once. Returns whether there was one. */
static bool break_at(long at)
{
	static const uint64_t numbers[] = { 20, 17 };
	struct vault_key keys[BATCH];
	struct qlink_why why = { "" };
	int taken, fetched, i;
	bool was_broken;

	unlink(vaults_path("a.index"));
	vaults_copy("pristine", "a");
	memset(given, 0, sizeof(given));
	calls_left = at;
	taken = vaults_take("a", VAULT_SIDE_A, BATCH, keys, &why);
	for (i = 0; i < taken; i++)
		note(keys[i].number);
	if (taken >= 0)
		fetched = vaults_fetch("a", VAULT_SIDE_A, N_KEYS, numbers, COUNT(numbers), keys, &why);
	else
		fetched = taken;
	for (i = 0; i < fetched; i++)
		note(keys[i].number);
	was_broken = calls_left < 0;
	calls_left = -1;
	CHECK_NUMBER("failed", taken < 0 || fetched < 0, was_broken);
	if (was_broken)
		CHECK(strstr(why.text, vaults_path("a")) && (strstr(why.text, strerror(ENOSPC)) ||
							     strstr(why.text, strerror(EIO))), "'%s'", why.text);
	drain();
	check_given(at, LEFT_ALL);
	return was_broken;
}

TEST(a_disk_that_takes_no_write_gives_no_key_out_twice)
{
	long at;

	vaults_begin();
	vaults_make("pristine", N_KEYS);
	for (at = 0; break_at(at) && !tap_has_failed(); at++)
		;
	CHECK(at > 15, "only %ld calls", at);
}

/* Two failures: what the first left is what the second begins with. */
TEST(a_second_power_failure_loses_a_batch_more_at_most)
{
	unsigned int i, lost;
	long at;

	vaults_begin();
	vaults_make("pristine", N_KEYS);
	for (at = 0; at < 700 && !tap_has_failed(); at += 13) {
		unlink(vaults_path("a.index"));
		vaults_copy("pristine", "a");
		memset(given, 0, sizeof(given));
		run(at, LEFT_EVEN);
		run(at * 7 % 600, LEFT_ODD);
		drain();
		for (i = 0, lost = 0; i < N_KEYS; i++) {
			CHECK(given[i] < 2, "step %ld: key %u given out twice", at, i);
			lost += !given[i];
		}
		CHECK(lost <= 2 * BATCH, "step %ld: %u keys lost", at, lost);
	}
}
