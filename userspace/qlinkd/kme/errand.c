// SPDX-License-Identifier: GPL-2.0-or-later
/* A request that a thread of this process carries out, for a dialect that asks no server. */
#include "errand.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "loop.h"
#include "qlinkd/base/clock.h"

/* Errands that nobody waits for and that have not ended: more would only pile up behind a disk that hangs. */
#define ORPHANS_MAX	8

enum state {
	STATE_RUNNING,
	/* the thread is done, but for its end */
	STATE_OVER,
	/* nobody waits for it: it wipes its own answer */
	STATE_ABANDONED,
};

struct kme_errand {
	struct kme_work work;
	int (*run)(struct kme_work *work, struct qlink_why *why);
	struct qlink_secret answer;
	char *texts[4];
	_Atomic int state;
	pthread_t thread;
	int wake;
	/* another that nobody waits for */
	struct kme_errand *next;
	/* the owner's */
	bool is_over;
	int64_t begun_ms, ended_ms, deadline_ms;
	/* the thread's until it is over */
	int err;
	struct qlink_why why;
};

/* The loop's, which is the only one to start errands and to give them up. */
static struct kme_errand *orphans;
static unsigned int n_orphans;

static void free_errand(struct kme_errand *errand)
{
	size_t i;

	qlink_secret_free(&errand->answer);
	for (i = 0; i < sizeof(errand->texts) / sizeof(errand->texts[0]); i++)
		free(errand->texts[i]);
	if (errand->wake >= 0)
		close(errand->wake);
	free(errand);
}

/* Frees the orphans whose threads end within @ms. */
static void reap(uint64_t ms)
{
	uint64_t until = clock_ms(CLOCK_REALTIME) + ms;
	const struct timespec at = { .tv_sec = (time_t)(until / 1000), .tv_nsec = (long)(until % 1000 * 1000000) };
	struct kme_errand **link = &orphans, *errand;

	while ((errand = *link)) {
		if (pthread_timedjoin_np(errand->thread, NULL, &at)) {
			link = &errand->next;
			continue;
		}
		*link = errand->next;
		n_orphans--;
		free_errand(errand);
	}
}

static void *run(void *arg)
{
	struct kme_errand *errand = arg;

	errand->err = errand->run(&errand->work, &errand->why);
	if (atomic_exchange(&errand->state, STATE_OVER) == STATE_ABANDONED)
		qlink_secret_free(&errand->answer);
	else
		eventfd_write(errand->wake, 1);
	return NULL;
}

/* Signals are for the loop. */
static int start_thread(struct kme_errand *errand)
{
	sigset_t all, before;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = -pthread_create(&errand->thread, NULL, run, errand);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return err;
}

static const char *keep(struct kme_errand *errand, size_t i, const char *text)
{
	errand->texts[i] = text ? strdup(text) : NULL;
	return errand->texts[i];
}

static int prepare(struct kme_errand *errand, const struct kme_peer *peer, const char *url, const char *body,
		   size_t room)
{
	int err = qlink_secret_new(&errand->answer, room);

	if (err)
		return err;
	errand->run = peer->dialect->work;
	errand->work = (struct kme_work){
		.path = keep(errand, 0, peer->url),
		.key_path = keep(errand, 1, peer->key),
		.request = keep(errand, 2, url),
		.body = keep(errand, 3, body),
		.side = peer->side,
		.answer = errand->answer.data,
		.room = room,
	};
	return errand->texts[0] && errand->texts[1] && errand->texts[2] && !body == !errand->texts[3] ? 0 : -ENOMEM;
}

int kme_errand_start(struct kme_transfer *transfer, struct kme_peer *peer, const char *url, const char *body,
		     size_t room, int wake)
{
	struct kme_errand *errand;
	int err;

	reap(0);
	if (n_orphans >= ORPHANS_MAX)
		return -EBUSY;
	errand = calloc(1, sizeof(*errand));
	if (!errand)
		return -ENOMEM;
	errand->wake = -1;
	err = prepare(errand, peer, url, body, room);
	if (!err) {
		errand->begun_ms = kme_now_ms();
		errand->deadline_ms = errand->begun_ms + peer->timeout_ms;
		errand->wake = dup(wake);
		err = errand->wake < 0 ? -errno : start_thread(errand);
	}
	if (err) {
		free_errand(errand);
		return err;
	}
	transfer->peer = peer;
	transfer->errand = errand;
	transfer->n_sends = 1;
	return 0;
}

bool kme_errand_is_over(struct kme_transfer *transfer, CURLcode *code)
{
	struct kme_errand *errand = transfer->errand;

	errand->is_over = atomic_load(&errand->state) == STATE_OVER;
	errand->ended_ms = kme_now_ms();
	if (!errand->is_over && errand->ended_ms < errand->deadline_ms)
		return false;
	/* Until it is over, nobody knows what it has spent. */
	transfer->n_sends = !errand->is_over || errand->work.has_spent;
	*code = !errand->is_over ? CURLE_OPERATION_TIMEDOUT : errand->err ? CURLE_FILE_COULDNT_READ_FILE : CURLE_OK;
	snprintf(transfer->error, sizeof(transfer->error), "%.*s", (int)sizeof(transfer->error) - 1,
		 errand->is_over ? errand->why.text : "the disk gave no answer within kme-timeout-ms");
	return true;
}

int64_t kme_errand_deadline(const struct kme_transfer *transfer)
{
	return transfer->errand->deadline_ms;
}

enum kme_counter kme_errand_end(struct kme_transfer *transfer, CURLcode code, struct qlink_why *why)
{
	struct kme_errand *errand = transfer->errand;

	if (errand)
		transfer->took_ms = (uint64_t)(errand->ended_ms - errand->begun_ms);
	if (code != CURLE_OK) {
		qlink_refuse(why, -EIO, "%s", transfer->error[0] ? transfer->error : curl_easy_strerror(code));
		return code == CURLE_OPERATION_TIMEDOUT ? KME_COUNTER_TIMEOUT : KME_COUNTER_UNREACHABLE;
	}
	transfer->status = 200;
	transfer->len = errand->work.len;
	transfer->answer = errand->answer;
	memset(&errand->answer, 0, sizeof(errand->answer));
	return KME_COUNTER_ANSWERED;
}

void kme_errand_free(struct kme_transfer *transfer)
{
	struct kme_errand *errand = transfer->errand;

	if (!errand)
		return;
	transfer->errand = NULL;
	if (atomic_exchange(&errand->state, STATE_ABANDONED) == STATE_OVER) {
		pthread_join(errand->thread, NULL);
		free_errand(errand);
		return;
	}
	errand->next = orphans;
	orphans = errand;
	n_orphans++;
}

void kme_errands_settle(uint64_t ms)
{
	reap(ms);
}
