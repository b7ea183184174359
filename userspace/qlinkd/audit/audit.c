// SPDX-License-Identifier: GPL-2.0-or-later
/* The audit log of the agent: a bounded queue, and a thread that writes it to the disk. */
#include "audit.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/evp.h>

#include "folder.h"
#include "qlinkd/base/clock.h"

/* After an error, and while nothing happens. */
#define PAUSE_MS	1000
/* Of the writer: lines and signatures are made on it. */
#define STACK_BYTES	(512 << 10)
/* What audit_has_room() keeps free for events that cannot wait. */
#define RESERVE_BYTES	(AUDIT_QUEUE_BYTES / 4)

/**
 * DOC: The two threads
 *
 * The agent's loop calls audit_add(), which copies the event into @in and never waits for the
 * disk. The writer takes the whole of @in at once, by exchanging it for @out, which is empty
 * then, and writes it. @lock is held only to copy an event or to exchange the two. @files and
 * @out belong to the writer alone, @known to the loop.
 */

/**
 * struct entry - an event in a queue; its members follow with a NUL
 */
struct entry {
	/** @utc_ms: when it happened, ms since 1970 */
	uint64_t utc_ms;

	/** @boot_ms: likewise, ms of CLOCK_BOOTTIME */
	uint64_t boot_ms;

	/** @len: bytes of the members with the NUL */
	uint64_t len;
};

/**
 * struct audit - the log
 */
struct audit {
	/** @thread: the writer */
	pthread_t thread;

	/** @lock: guards what follows up to @state */
	pthread_mutex_t lock;

	/** @wake: there is something to write */
	pthread_cond_t wake;

	/** @done: something was written */
	pthread_cond_t done;

	/** @in: AUDIT_QUEUE_BYTES, events that were added */
	char *in;

	/** @n_in: bytes of @in */
	size_t n_in;

	/** @n_dropped: events dropped since the last event dropped was queued */
	uint64_t n_dropped;

	/** @first_ms: when the first of @n_dropped was dropped, ms of CLOCK_BOOTTIME */
	uint64_t first_ms;

	/** @is_idle: the writer has written all that it took */
	bool is_idle;

	/** @began_ms: when the writer's turn began, ms of CLOCK_BOOTTIME; 0 between two turns */
	uint64_t began_ms;

	/** @stops: the writer shall end */
	bool stops;

	/** @key: signs checkpoints, or %NULL */
	EVP_PKEY *key;

	/** @has_new_key: @key has not signed yet */
	bool has_new_key;

	/** @state: what audit_read_state() returns */
	struct audit_state state;

	/** @out: AUDIT_QUEUE_BYTES, events that are written; the writer's */
	char *out;

	/** @n_out: bytes of @out */
	size_t n_out;

	/** @next: first byte of @out that was not composed yet */
	size_t next;

	/** @files: the writer's */
	struct audit_files files;

	/** @found: cursors of a log that was found after the start, for the loop; under @lock */
	struct audit_cursors found;

	/** @installed: keys that the log named when it was found, for the loop; under @lock */
	struct audit_installed installed;

	/** @known: the last record of each link; the loop's */
	struct audit_cursors known;
};

/* Waits for @ms at most; the caller holds the lock. */
static void wait_for(struct audit *audit, pthread_cond_t *condition, uint64_t ms)
{
	uint64_t until = clock_ms(CLOCK_MONOTONIC) + ms;
	const struct timespec at = { .tv_sec = (time_t)(until / 1000),
				     .tv_nsec = (long)(until % 1000 * 1000000) };

	pthread_cond_timedwait(condition, &audit->lock, &at);
}

/* ---- the queue; all with the lock held ---- */

static bool put(struct audit *audit, uint64_t boot_ms, const char *members)
{
	struct entry entry = {
		.utc_ms = clock_ms(CLOCK_REALTIME), .boot_ms = boot_ms, .len = strlen(members) + 1,
	};

	if (audit->n_in + sizeof(entry) + entry.len > AUDIT_QUEUE_BYTES)
		return false;
	memcpy(audit->in + audit->n_in, &entry, sizeof(entry));
	memcpy(audit->in + audit->n_in + sizeof(entry), members, entry.len);
	audit->n_in += sizeof(entry) + entry.len;
	return true;
}

static void drop(struct audit *audit, uint64_t boot_ms)
{
	if (!audit->n_dropped++)
		audit->first_ms = boot_ms;
	audit->state.dropped++;
}

/* Behind the last event before the gap, and before all later ones. */
static void put_dropped(struct audit *audit)
{
	const struct log_field fields[] = {
		{ .name = "event", .text = "dropped" },
		{ .name = "lines", .number = audit->n_dropped },
		{ .name = "first_ms", .number = audit->first_ms },
		{ .name = NULL },
	};
	char members[160];

	field_json(members, sizeof(members), fields);
	if (audit->n_dropped && put(audit, clock_ms(CLOCK_BOOTTIME), members))
		audit->n_dropped = 0;
}

/* Gives the writer all that waits. */
static void exchange(struct audit *audit)
{
	char *in = audit->out;

	if (audit->next < audit->n_out)
		return;
	audit->out = audit->in;
	audit->n_out = audit->n_in;
	audit->next = 0;
	audit->in = in;
	audit->n_in = 0;
	put_dropped(audit);
}

/* ---- the writer ---- */

/* Composes as many events as there is room for; returns how many could not be. */
static uint64_t compose(struct audit *audit)
{
	struct entry entry;
	uint64_t n_failed = 0;

	while (audit->next < audit->n_out && audit_files_has_room(&audit->files)) {
		memcpy(&entry, audit->out + audit->next, sizeof(entry));
		audit->next += sizeof(entry);
		if (audit_files_add(&audit->files, entry.utc_ms, entry.boot_ms,
				    audit->out + audit->next))
			n_failed++;
		audit->next += entry.len;
	}
	return n_failed;
}

static int copy_cursors(struct audit_cursors *to, const struct audit_cursors *from)
{
	if (!from->n)
		return 0;
	to->list = malloc(from->n * sizeof(*from->list));
	if (!to->list)
		return -ENOMEM;
	memcpy(to->list, from->list, from->n * sizeof(*from->list));
	to->n = from->n;
	return 0;
}

/* They are the loop's from here on. */
static void take_installed(struct audit *audit)
{
	audit->installed = audit->files.installed;
	memset(&audit->files.installed, 0, sizeof(audit->files.installed));
}

/* The disk failed at the start: looks for the log again, and begins one where there is none. */
static int find(struct audit *audit)
{
	struct audit_cursors found = { .list = NULL };
	struct audit_tail tail;
	struct qlink_why why;
	int err = audit_files_find(&audit->files, &tail, &why);

	if (err)
		return err;
	/* Without memory a record may be logged twice. */
	copy_cursors(&found, &audit->files.cursors);
	pthread_mutex_lock(&audit->lock);
	audit->found = found;
	take_installed(audit);
	audit->state.tail = tail;
	audit->state.is_found = true;
	pthread_mutex_unlock(&audit->lock);
	return 0;
}

static void publish(struct audit *audit, int err, uint64_t n_failed)
{
	struct audit_state *state = &audit->state;

	while (n_failed--)
		drop(audit, clock_ms(CLOCK_BOOTTIME));
	state->err = err;
	state->file = audit->files.file;
	state->written = audit->files.written;
	state->changed = audit->files.n_changed;
	audit->is_idle = !err && audit->next == audit->n_out && !audit->files.n_pending;
	pthread_cond_broadcast(&audit->done);
}

static bool has_work(const struct audit *audit)
{
	return audit->n_in || audit->next < audit->n_out || audit->n_dropped || audit->stops;
}

/* One turn of the writer; the lock is held at its begin and end, and not while the disk works. */
static int turn(struct audit *audit)
{
	bool is_last = audit->stops && !audit->n_in && !audit->n_dropped &&
		       audit->next == audit->n_out;
	uint64_t n_failed;
	EVP_PKEY *key = audit->key;
	int err;

	exchange(audit);
	audit->is_idle = false;
	if (audit->has_new_key)
		audit_files_sign_again(&audit->files);
	audit->has_new_key = false;
	if (key)
		EVP_PKEY_up_ref(key);
	audit->began_ms = clock_ms(CLOCK_BOOTTIME);
	pthread_mutex_unlock(&audit->lock);
	err = audit->files.is_found ? 0 : find(audit);
	n_failed = compose(audit);
	if (!err)
		err = audit_files_work(&audit->files, key, is_last);
	EVP_PKEY_free(key);
	pthread_mutex_lock(&audit->lock);
	audit->began_ms = 0;
	publish(audit, err, n_failed);
	return err ?: is_last;
}

static void *run(void *arg)
{
	struct audit *audit = arg;
	int end = 0;

	pthread_mutex_lock(&audit->lock);
	/* A disk that fails must not keep the agent from ending. */
	while (!audit->stops || !end) {
		end = turn(audit);
		if (!audit->stops && (end || !has_work(audit)))
			wait_for(audit, &audit->wake, PAUSE_MS);
	}
	pthread_mutex_unlock(&audit->lock);
	return NULL;
}

/* ---- what the loop calls ---- */

/* Remembers the record that a line of the event used has. */
static void know(struct audit *audit, const char *members)
{
	char line[AUDIT_MEMBERS_MAX + 3];
	int len = snprintf(line, sizeof(line), ",%s}", members);

	audit_cursors_note(&audit->known, line, (size_t)len);
}

void audit_add(struct audit *audit, uint64_t boot_ms, const char *event,
	       const struct log_field *fields)
{
	char members[AUDIT_MEMBERS_MAX];
	size_t len = (size_t)snprintf(members, sizeof(members), "\"event\":\"%s\"", event), n = 0;
	bool is_queued;

	if (fields->name) {
		members[len++] = ',';
		n = field_json(members + len, sizeof(members) - len, fields);
	}
	pthread_mutex_lock(&audit->lock);
	is_queued = (!fields->name || n) && !audit->n_dropped && put(audit, boot_ms, members);
	if (!is_queued)
		drop(audit, boot_ms);
	pthread_cond_signal(&audit->wake);
	pthread_mutex_unlock(&audit->lock);
	if (is_queued)
		know(audit, members);
}

bool audit_has_room(struct audit *audit, unsigned int n)
{
	bool has_room;

	pthread_mutex_lock(&audit->lock);
	/* Nobody has asked for a record, or used one, while there was no room for it. */
	if (audit->found.n) {
		audit_cursors_free(&audit->known);
		audit->known = audit->found;
		memset(&audit->found, 0, sizeof(audit->found));
	}
	has_room = audit->state.is_found && !audit->n_dropped &&
		   audit->n_in + n * AUDIT_MEMBERS_MAX + RESERVE_BYTES <= AUDIT_QUEUE_BYTES;
	pthread_mutex_unlock(&audit->lock);
	return has_room;
}

void audit_each_installed(struct audit *audit, void (*use)(void *arg, const struct audit_key *key), void *arg)
{
	struct audit_installed installed;

	pthread_mutex_lock(&audit->lock);
	installed = audit->installed;
	memset(&audit->installed, 0, sizeof(audit->installed));
	pthread_mutex_unlock(&audit->lock);
	audit_installed_each(&installed, use, arg);
	audit_installed_free(&installed);
}

const char *audit_last_record(const struct audit *audit, const char *link)
{
	char escaped[AUDIT_LINK_TEXT];
	const struct audit_cursor *cursor;

	field_escape(escaped, sizeof(escaped), link, strlen(link), FIELD_STYLE_JSON);
	cursor = audit_cursors_find(&audit->known, escaped);
	return cursor ? cursor->text : NULL;
}

void audit_use_key(struct audit *audit, EVP_PKEY *key)
{
	EVP_PKEY *old;

	if (key)
		EVP_PKEY_up_ref(key);
	pthread_mutex_lock(&audit->lock);
	old = audit->key;
	audit->key = key;
	audit->has_new_key |= !old || !key || EVP_PKEY_eq(old, key) != 1;
	pthread_cond_signal(&audit->wake);
	pthread_mutex_unlock(&audit->lock);
	EVP_PKEY_free(old);
}

bool audit_flush(struct audit *audit, unsigned int ms)
{
	uint64_t until = clock_ms(CLOCK_MONOTONIC) + ms, now;
	bool is_done;

	pthread_mutex_lock(&audit->lock);
	for (;;) {
		is_done = audit->is_idle && !audit->n_in && !audit->n_dropped;
		now = clock_ms(CLOCK_MONOTONIC);
		if (is_done || now >= until)
			break;
		pthread_cond_signal(&audit->wake);
		wait_for(audit, &audit->done, until - now);
	}
	pthread_mutex_unlock(&audit->lock);
	return is_done;
}

void audit_read_state(struct audit *audit, struct audit_state *state)
{
	pthread_mutex_lock(&audit->lock);
	*state = audit->state;
	state->queued = audit->n_in;
	state->is_slow = audit->began_ms && clock_ms(CLOCK_BOOTTIME) - audit->began_ms >= AUDIT_SLOW_MS;
	pthread_mutex_unlock(&audit->lock);
}

/* ---- life ---- */

static void free_all(struct audit *audit)
{
	audit_files_close(&audit->files);
	audit_cursors_free(&audit->known);
	audit_cursors_free(&audit->found);
	audit_installed_free(&audit->installed);
	EVP_PKEY_free(audit->key);
	free(audit->in);
	free(audit->out);
	free(audit);
}

/* Signals are for the loop. */
static int start_thread(struct audit *audit)
{
	pthread_condattr_t monotonic;
	pthread_attr_t attributes;
	sigset_t all, old;
	int err;

	pthread_mutex_init(&audit->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&audit->wake, &monotonic);
	pthread_cond_init(&audit->done, &monotonic);
	pthread_condattr_destroy(&monotonic);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = -pthread_create(&audit->thread, &attributes, run, audit);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attributes);
	return err;
}

int audit_open(struct audit **out, const struct audit_settings *settings, EVP_PKEY *key,
	       struct qlink_why *why)
{
	struct audit *audit = calloc(1, sizeof(*audit));
	int err;

	*out = NULL;
	if (!audit)
		return qlink_refuse(why, -ENOMEM, "no memory");
	err = audit_files_open(&audit->files, settings, &audit->state.tail, why);
	/* The agent starts, and the writer tries again. */
	if (audit_disk_fails(err)) {
		audit->state.err = err;
		err = 0;
	}
	audit->state.is_found = audit->files.is_found;
	take_installed(audit);
	audit->in = malloc(AUDIT_QUEUE_BYTES);
	audit->out = malloc(AUDIT_QUEUE_BYTES);
	audit->state.file = audit->files.file;
	audit->state.written = audit->files.written;
	if (!err && (!audit->in || !audit->out ||
		     copy_cursors(&audit->known, &audit->files.cursors)))
		err = qlink_refuse(why, -ENOMEM, "no memory");
	if (!err && key) {
		EVP_PKEY_up_ref(key);
		audit->key = key;
	}
	if (!err && start_thread(audit))
		err = qlink_refuse(why, -EAGAIN, "no thread for the audit log");
	if (err)
		free_all(audit);
	else
		*out = audit;
	return err;
}

void audit_close(struct audit *audit)
{
	struct timespec until;

	if (!audit)
		return;
	pthread_mutex_lock(&audit->lock);
	audit->stops = true;
	pthread_cond_signal(&audit->wake);
	pthread_mutex_unlock(&audit->lock);
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += AUDIT_CLOSE_S;
	/* The writer still uses the memory if the disk does not answer; the process ends anyway. */
	if (!pthread_clockjoin_np(audit->thread, NULL, CLOCK_MONOTONIC, &until))
		free_all(audit);
}
