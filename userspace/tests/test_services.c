// SPDX-License-Identifier: GPL-2.0-or-later
/* Whether the log says that the audit log is not written, once, and that it is written again. */
#include "qlinkd/services.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "audit_lab.h"
#include "qlinkd/base/clock.h"
#include "tap.h"

/* Of the beat of the agent, many of which pass within a minute. */
#define BEATS	50

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

static void beat(void)
{
	unsigned int i;

	for (i = 0; i < BEATS; i++)
		services_watch_audit(&services);
}

/* A limit on the size of files has the effect of a full disk. */
static void limit_files(rlim_t bytes)
{
	struct rlimit limit;

	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = bytes == RLIM_INFINITY ? limit.rlim_max : bytes;
	setrlimit(RLIMIT_FSIZE, &limit);
}

static void start(void)
{
	memset(&services, 0, sizeof(services));
	lab_begin(16 << 20);
	log_init(&services.log, memfd_create("log", MFD_CLOEXEC), services_now());
	services.audit = lab_open_log(NULL);
	lab_add(services.audit, 3);
	lab_flush(services.audit);
	beat();
	CHECK_NUMBER("begun", logged("<5>audit-begun line=1\n"), 1);
	CHECK_NUMBER("nothing is wrong", logged("audit"), 1);
}

static void stop(void)
{
	audit_close(services.audit);
	close(services.log.fd);
}

/* Add events until the writer has failed, or until @n were dropped. */
static void fail(uint64_t n)
{
	struct audit_state state;

	do {
		lab_add(services.audit, n ? 100 : 1);
		audit_flush(services.audit, 1);
		audit_read_state(services.audit, &state);
	} while (!state.err || state.dropped < n);
}

/* --- a disk that the test stops, and a clock that it sets: they stand in for the real ones --- */

static pthread_mutex_t disk = PTHREAD_MUTEX_INITIALIZER;
static _Atomic uint64_t ahead_ms;
static _Atomic unsigned int n_syncs;

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
	return 0;
}

/* Nothing is dropped: the queue has room for minutes. */
TEST(a_disk_that_takes_too_long_is_told_before_anything_is_dropped)
{
	unsigned int before;

	start();
	before = n_syncs;
	pthread_mutex_lock(&disk);
	lab_add(services.audit, 3);
	/* The writer's own pauses are in real time. */
	while (n_syncs == before)
		audit_flush(services.audit, 1);
	beat();
	CHECK_NUMBER("not yet", logged("audit"), 1);
	ahead_ms += AUDIT_SLOW_MS;
	beat();
	CHECK_NUMBER("told once", logged("<3>audit-not-written why=\"the disk is too slow\" queued-bytes="), 1);
	lab_add(services.audit, 3);
	beat();
	CHECK_NUMBER("told once", logged("audit-not-written"), 1);
	pthread_mutex_unlock(&disk);
	lab_flush(services.audit);
	beat();
	CHECK_NUMBER("written", logged("<5>audit-written dropped=0\n"), 1);
	stop();
}

TEST(a_full_disk_is_told_once_and_its_end_too)
{
	char want[64];
	struct audit_state state;
	uint64_t n;

	for (n = 0; n <= 200; n += 200) {
		start();
		limit_files(1500);
		fail(n ? 1 : 0);
		beat();
		CHECK_NUMBER("told", logged("<3>audit-not-written why=\"File too large\" queued-bytes="), 1);
		/* More events are dropped meanwhile. */
		fail(n);
		beat();
		CHECK_NUMBER("told once", logged("audit-not-written"), 1);
		/* And some since the last beat. */
		fail(n ? 2 * n + 1000 : 0);
		limit_files(RLIM_INFINITY);
		lab_flush(services.audit);
		audit_read_state(services.audit, &state);
		beat();
		snprintf(want, sizeof(want), "<5>audit-written dropped=%d\n", (int)state.dropped);
		CHECK_NUMBER(want, logged(want), 1);
		CHECK_NUMBER("no other line", logged("audit"), 3);
		stop();
	}
}
