// SPDX-License-Identifier: GPL-2.0-or-later
/* The chains of all links, kept over a restart: the newest of each in memory, and a thread that writes them. */
#include "state.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "places.h"
#include "qlinkd/base/clock.h"
#include "qlinkd/credentials/pem.h"
#include "statefile.h"

/* After an error. */
#define PAUSE_MS	1000
/* Slots that are written before the writer waits for the disk, at most. */
#define BATCH		64
/* Of the writer. */
#define STACK_BYTES	(256 << 10)

/**
 * DOC: The two threads
 *
 * The loop calls state_save(), which replaces the chains of a link in @places and never waits for the disk.
 * So what waits is bounded: one value a link, the newest. The writer copies up to BATCH of them,
 * seals and writes them, and waits for the disk once. @lock is held only to copy. @batch and
 * @file belong to the writer alone.
 */

/**
 * struct batch - what the writer has taken; secret
 */
struct batch {
	/** @slots: copies */
	struct slot slots[BATCH];

	/** @places: indices of the places they belong to */
	uint32_t places[BATCH];

	/** @numbers: of the slots that are written */
	uint32_t numbers[BATCH];

	/** @n: how many */
	uint32_t n;
};

/**
 * struct state - the state
 */
struct state {
	/** @thread: the writer */
	pthread_t thread;

	/** @lock: guards what follows up to @status */
	pthread_mutex_t lock;

	/** @wake: there is something to write */
	pthread_cond_t wake;

	/** @done: something was written */
	pthread_cond_t done;

	/** @places: the newest chains of all links */
	struct places places;

	/** @next: place from which the writer goes on to look for what is owed */
	uint32_t next;

	/** @n_taken: slots that the writer works on */
	uint32_t n_taken;

	/** @began_ms: when its turn began, ms of CLOCK_BOOTTIME; 0 between two turns */
	uint64_t began_ms;

	/** @stops: the writer shall end */
	bool stops;

	/** @status: what state_read_status() returns, but for what is counted then */
	struct state_status status;

	/** @memory: locked, holds @batch */
	struct qlink_secret memory;

	/** @batch: the writer's */
	struct batch *batch;

	/** @file: the writer's */
	struct statefile file;

	/** @event: an eventfd, readable after each turn of the writer */
	int event;

	/** @key: the state key; its text is in locked memory */
	struct pem key;

	/** @agent: the agent's name */
	char *agent;

	/** @path: of the file */
	char *path;
};

/* Waits for @ms at most; the caller holds the lock. */
static void wait_for(struct state *state, pthread_cond_t *condition, uint64_t ms)
{
	uint64_t until = clock_ms(CLOCK_MONOTONIC) + ms;
	const struct timespec at = { .tv_sec = (time_t)(until / 1000),
				     .tv_nsec = (long)(until % 1000 * 1000000) };

	pthread_cond_timedwait(condition, &state->lock, &at);
}

static struct bytes key_of(const struct state *state)
{
	return (struct bytes){ state->key.text.data, state->key.len };
}

/* ---- the writer ---- */

/* Copies what is owed, with the lock held. */
static void take(struct state *state)
{
	struct places *places = &state->places;
	struct batch *batch = state->batch;
	uint32_t i, n = places->n;
	struct place *place;

	batch->n = 0;
	for (i = 0; i < n && places->n_owed && batch->n < BATCH; i++) {
		uint32_t at = (state->next + i) % n;

		place = &places->list[at];
		if (!place->owed)
			continue;
		places->n_owed -= !--place->owed;
		place->is_busy = true;
		batch->places[batch->n] = at;
		batch->numbers[batch->n] = 2 * at + !place->newest;
		batch->slots[batch->n].counter = ++places->counter;
		batch->slots[batch->n].chains = place->chains;
		memcpy(batch->slots[batch->n++].link, place->link, sizeof(place->link));
	}
	state->next = n ? (state->next + i) % n : 0;
	state->n_taken = batch->n;
}

/* Writes the batch and waits for the disk, without the lock. */
static int write_batch(struct state *state)
{
	const struct bytes key = key_of(state);
	struct batch *batch = state->batch;
	uint8_t data[SLOT_BYTES];
	uint32_t i;
	int err = 0;

	for (i = 0; i < batch->n && !err; i++) {
		err = slot_seal(&key, batch->numbers[i], &batch->slots[i], data);
		if (!err)
			err = statefile_write(&state->file, batch->numbers[i], data);
	}
	OPENSSL_cleanse(batch->slots, sizeof(batch->slots));
	return err || !batch->n ? err : statefile_sync(&state->file);
}

/* Notes what became of the batch, with the lock held: what was not written is owed again. */
static void settle(struct state *state, int err)
{
	const struct batch *batch = state->batch;
	struct place *place;
	uint32_t i;

	for (i = 0; i < batch->n; i++) {
		place = &state->places.list[batch->places[i]];
		place->is_busy = false;
		if (err)
			places_owe(&state->places, place, place->owed ? 2 : 1);
		else
			place->newest ^= 1;
	}
	state->status.written += err ? 0 : batch->n;
	state->status.err = err;
	state->n_taken = 0;
	pthread_cond_broadcast(&state->done);
	eventfd_write(state->event, 1);
}

/* The file is empty: all that it should have is owed. */
static void owe_all(struct state *state)
{
	uint32_t i;

	for (i = 0; i < state->places.n; i++) {
		if (state->places.list[i].is_taken)
			places_owe(&state->places, &state->places.list[i], 1);
	}
}

/* One turn of the writer; the lock is held at its begin and end, and not while the disk works. */
static int turn(struct state *state)
{
	int err;

	state->began_ms = clock_ms(CLOCK_BOOTTIME);
	pthread_mutex_unlock(&state->lock);
	err = statefile_open(&state->file);
	pthread_mutex_lock(&state->lock);
	if (err == 1)
		owe_all(state);
	if (err >= 0)
		take(state);
	else
		state->batch->n = 0;
	pthread_mutex_unlock(&state->lock);
	if (err >= 0)
		err = write_batch(state);
	pthread_mutex_lock(&state->lock);
	state->began_ms = 0;
	settle(state, err);
	return err;
}

static void *run(void *arg)
{
	struct state *state = arg;
	bool is_last = false;
	int err;

	pthread_mutex_lock(&state->lock);
	for (;;) {
		/* A disk that fails must not keep the agent from ending. */
		is_last = state->stops;
		err = turn(state);
		if (is_last && (err || !state->places.n_owed))
			break;
		if (!state->stops && err)
			wait_for(state, &state->wake, PAUSE_MS);
		else if (!state->stops && !state->places.n_owed)
			pthread_cond_wait(&state->wake, &state->lock);
	}
	pthread_mutex_unlock(&state->lock);
	return NULL;
}

/* ---- what the loop calls ---- */

void state_begin_links(struct state *state)
{
	uint32_t i;

	pthread_mutex_lock(&state->lock);
	for (i = 0; i < state->places.n; i++)
		state->places.list[i].is_wanted = false;
	pthread_mutex_unlock(&state->lock);
}

/* With the lock held. */
static struct place *find(struct state *state, const char *peer, const char *device)
{
	uint8_t link[SLOT_LINK_BYTES];

	if (slot_link(state->agent, peer, device, link))
		return NULL;
	return places_find(&state->places, link);
}

void state_add_link(struct state *state, const char *peer, const char *device)
{
	struct place *place;

	pthread_mutex_lock(&state->lock);
	place = find(state, peer, device);
	if (place)
		place->is_wanted = true;
	pthread_mutex_unlock(&state->lock);
}

static bool has_chain(const struct place *place)
{
	return !chain_is_zero(place->chains.tx.current) || !chain_is_zero(place->chains.rx.current);
}

bool state_find(struct state *state, const char *peer, const char *device, struct chain *tx,
		struct chain *rx)
{
	const struct place *place;
	bool is_found;

	pthread_mutex_lock(&state->lock);
	place = find(state, peer, device);
	is_found = place && has_chain(place);
	if (is_found) {
		*tx = place->chains.tx;
		*rx = place->chains.rx;
	}
	pthread_mutex_unlock(&state->lock);
	return is_found;
}

void state_save(struct state *state, const char *peer, const char *device, const struct chain *tx,
		const struct chain *rx)
{
	uint8_t link[SLOT_LINK_BYTES];
	struct place *place = NULL;

	pthread_mutex_lock(&state->lock);
	if (!slot_link(state->agent, peer, device, link))
		place = places_claim(&state->places, link);
	if (place) {
		place->chains.tx = *tx;
		place->chains.rx = *rx;
		places_owe(&state->places, place, 1);
		pthread_cond_signal(&state->wake);
	} else {
		state->status.lost++;
	}
	pthread_mutex_unlock(&state->lock);
}

void state_wipe(struct state *state, const char *peer, const char *device)
{
	struct place *place;

	pthread_mutex_lock(&state->lock);
	place = find(state, peer, device);
	if (place) {
		OPENSSL_cleanse(&place->chains, sizeof(place->chains));
		places_owe(&state->places, place, 2);
		pthread_cond_signal(&state->wake);
	}
	pthread_mutex_unlock(&state->lock);
}

bool state_waits(struct state *state, const char *peer, const char *device)
{
	const struct place *place;
	bool waits;

	pthread_mutex_lock(&state->lock);
	place = find(state, peer, device);
	waits = place && !state->status.err && (place->owed || place->is_busy);
	pthread_mutex_unlock(&state->lock);
	return waits;
}

int state_fd(const struct state *state)
{
	return state->event;
}

/* With the lock held. */
static uint32_t waiting(const struct state *state)
{
	return state->places.n_owed + state->n_taken;
}

bool state_flush(struct state *state, unsigned int ms)
{
	uint64_t until = clock_ms(CLOCK_MONOTONIC) + ms, now;
	bool is_done;

	pthread_mutex_lock(&state->lock);
	for (;;) {
		is_done = !waiting(state);
		now = clock_ms(CLOCK_MONOTONIC);
		if (is_done || now >= until)
			break;
		wait_for(state, &state->done, until - now);
	}
	pthread_mutex_unlock(&state->lock);
	return is_done;
}

void state_read_status(struct state *state, struct state_status *status)
{
	uint32_t i;

	pthread_mutex_lock(&state->lock);
	*status = state->status;
	for (i = 0; i < state->places.n; i++) {
		const struct place *place = &state->places.list[i];

		if (place->is_taken && has_chain(place))
			(*(place->is_wanted ? &status->links : &status->others))++;
	}
	status->waiting = waiting(state);
	status->is_slow = state->began_ms && clock_ms(CLOCK_BOOTTIME) - state->began_ms >= STATE_SLOW_MS;
	pthread_mutex_unlock(&state->lock);
}

/* ---- life ---- */

static int load_key(struct pem *key, struct qlink_why *why)
{
	int err = pem_read(key, true, why);

	if (!err && (key->len < SLOT_KEY_BYTES_MIN || key->len > SLOT_KEY_BYTES_MAX))
		err = pem_refuse(key, why, "has %zu bytes; a state key has %u to %u, which are random",
				 key->len, SLOT_KEY_BYTES_MIN, SLOT_KEY_BYTES_MAX);
	return err;
}

int state_check(const struct state_settings *settings, struct qlink_why *why)
{
	struct pem key = { .use = "state-key", .path = settings->key };
	struct qlink_why cause;
	int err = load_key(&key, why);

	pem_free(&key);
	if (err)
		return err;
	err = statefile_check(settings->path, &cause);
	return err ? qlink_refuse(why, err, "state %s", cause.text) : 0;
}

static void free_all(struct state *state)
{
	statefile_close(&state->file);
	if (state->event >= 0)
		close(state->event);
	places_free(&state->places);
	qlink_secret_free(&state->memory);
	pem_free(&state->key);
	free(state->agent);
	free(state->path);
	free(state);
}

/* Reads what the file has. What cannot be read counts as no chain, and is written anew. */
static int load(struct state *state)
{
	const struct bytes key = key_of(state);
	uint8_t *data;
	size_t n;
	int err = statefile_read(state->path, &data, &n);

	if (err == -ENOMEM)
		return err;
	state->status.is_new = err == -ENOENT;
	state->status.unread = err == -ENOENT ? 0 : err;
	state->file.begins_anew = state->status.unread;
	err = places_load(&state->places, &key, data, n);
	state->status.damaged = state->places.n_damaged;
	state->status.foreign = state->places.n_foreign;
	free(data);
	return err;
}

static int allocate(struct state *state, const struct state_settings *settings)
{
	state->file.fd = -1;
	state->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	state->agent = strdup(settings->agent);
	state->path = strdup(settings->path);
	state->file.path = state->path;
	if (state->event < 0 || !state->agent || !state->path || qlink_secret_new(&state->memory, sizeof(*state->batch)))
		return -ENOMEM;
	state->batch = (struct batch *)state->memory.data;
	return 0;
}

/* Signals are for the loop. */
static int start_thread(struct state *state)
{
	pthread_condattr_t monotonic;
	pthread_attr_t attributes;
	sigset_t all, old;
	int err;

	pthread_mutex_init(&state->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&state->wake, &monotonic);
	pthread_cond_init(&state->done, &monotonic);
	pthread_condattr_destroy(&monotonic);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = -pthread_create(&state->thread, &attributes, run, state);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attributes);
	return err;
}

int state_open(struct state **out, const struct state_settings *settings, struct qlink_why *why)
{
	struct state *state = calloc(1, sizeof(*state));
	int err;

	*out = NULL;
	if (!state)
		return qlink_refuse(why, -ENOMEM, "no memory");
	state->key = (struct pem){ .use = "state-key", .path = settings->key };
	err = allocate(state, settings);
	if (err)
		qlink_refuse(why, err, "state %s: no memory", settings->path);
	else
		err = load_key(&state->key, why);
	if (!err && load(state))
		err = qlink_refuse(why, -ENOMEM, "state %s: no memory", settings->path);
	if (!err && start_thread(state))
		err = qlink_refuse(why, -EAGAIN, "state %s: no thread", settings->path);
	/* The path is the caller's, and is no longer needed. */
	state->key.path = NULL;
	if (err)
		free_all(state);
	else
		*out = state;
	return err;
}

bool state_close(struct state *state)
{
	struct timespec until;
	bool is_written;

	if (!state)
		return true;
	pthread_mutex_lock(&state->lock);
	state->stops = true;
	pthread_cond_signal(&state->wake);
	pthread_mutex_unlock(&state->lock);
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += STATE_CLOSE_MS / 1000;
	/* The writer still uses the memory if the disk does not answer; the process ends anyway. */
	if (pthread_clockjoin_np(state->thread, NULL, CLOCK_MONOTONIC, &until))
		return false;
	is_written = !waiting(state);
	free_all(state);
	return is_written;
}
