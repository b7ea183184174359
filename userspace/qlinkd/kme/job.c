// SPDX-License-Identifier: GPL-2.0-or-later
/* One wish for keys: its requests, and the keys that they brought. */
#include "job.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* So many unknown key IDs in a row, and the KME is not asked for the others. */
#define REFUSED_MAX	8

int kme_job_init(struct kme_job *job, enum kme_op op, size_t n,
		 const struct kme_key_id *ids)
{
	int err;

	memset(job, 0, sizeof(*job));
	err = qlink_secret_new(&job->memory, n * sizeof(struct kme_key));
	if (err)
		return err;
	if (ids) {
		job->ids = calloc(n, sizeof(*ids));
		if (!job->ids) {
			kme_job_free(job, NULL);
			return -ENOMEM;
		}
		memcpy(job->ids, ids, n * sizeof(*ids));
	}
	job->op = op;
	job->asked = n;
	job->step = n;
	return 0;
}

void kme_job_free(struct kme_job *job, CURLM *multi)
{
	kme_transfer_free(&job->transfer, multi);
	qlink_secret_free(&job->memory);
	free(job->ids);
	memset(job, 0, sizeof(*job));
}

static enum kme_method other(enum kme_method method)
{
	return method == KME_METHOD_POST ? KME_METHOD_GET : KME_METHOD_POST;
}

/* What the current request asks for. */
static struct kme_ask current(const struct kme_job *job)
{
	return (struct kme_ask){
		.n = job->n_sent,
		.ids = job->ids ? job->ids + job->at : NULL,
	};
}

static void choose(struct kme_job *job, const struct kme_server *server)
{
	size_t left = job->asked - job->at;

	if (job->first_status)
		job->method = other(job->method);
	else if (server->method[job->op] == KME_METHOD_GET)
		job->method = KME_METHOD_GET;
	else
		job->method = KME_METHOD_POST;
	if (!job->ids)
		job->n_sent = left < server->batch ? left : server->batch;
	else if (job->method == KME_METHOD_GET)
		job->n_sent = 1;
	else
		job->n_sent = left < job->step ? left : job->step;
}

int kme_job_send(struct kme_job *job, CURLM *multi, struct kme_node *node,
		 const char *sae)
{
	struct kme_server *server = &node->server;
	char url[KME_URL_MAX], *body = NULL;
	struct kme_ask ask;
	bool is_get;
	int err;

	if (job->step > kme_server_limit(server))
		job->step = kme_server_limit(server);
	choose(job, server);
	ask = current(job);
	is_get = job->method == KME_METHOD_GET;
	err = kme_write_url(url, node->peer.url, sae, job->op,
			    is_get ? &ask : NULL);
	if (!err && !is_get) {
		body = malloc(KME_BODY_MAX(ask.n));
		if (body)
			kme_write_body(body, &ask);
		else
			err = -ENOMEM;
	}
	if (!err)
		err = kme_transfer_start(&job->transfer, multi, &node->peer, url,
					 body, kme_answer_room(ask.n));
	if (err) {
		snprintf(job->why.text, sizeof(job->why.text),
			 "cannot be asked: %s", strerror(-err));
		return err;
	}
	job->transfer.owner = job;
	server->counters[job->op == KME_OP_ENC ? KME_COUNTER_ENC :
						 KME_COUNTER_DEC]++;
	return 0;
}

static void burn(struct kme_job *job, struct kme_server *server, size_t n)
{
	job->n_burned += n;
	server->counters[KME_COUNTER_KEYS_BURNED] += n;
}

static void add_tally(struct kme_job *job, struct kme_server *server,
		      const struct kme_tally *tally)
{
	size_t i;

	job->tally.sent += tally->sent;
	job->tally.taken += tally->taken;
	server->counters[KME_COUNTER_KEYS] += tally->taken;
	if (tally->sent < job->n_sent)
		server->counters[KME_COUNTER_KEYS_MISSING] +=
			job->n_sent - tally->sent;
	for (i = 0; i < KME_FAULT_N; i++) {
		job->tally.faults[i] += tally->faults[i];
		server->counters[KME_COUNTER_FAULTS + i] += tally->faults[i];
	}
}

/* The body of a 200. */
static enum kme_outcome take_keys(struct kme_job *job,
				  struct kme_server *server)
{
	struct kme_key *keys = (struct kme_key *)job->memory.data + job->n_keys;
	struct kme_ask ask = current(job);
	struct kme_tally tally;
	struct qlink_why why;
	int n, i;

	n = kme_judge_keys((const char *)job->transfer.answer.data,
			   job->transfer.len, &ask, keys, &tally, &why);
	if (why.text[0])
		job->why = why;
	if (n < 0) {
		server->counters[KME_COUNTER_MALFORMED]++;
		burn(job, server, job->n_sent);
		return KME_OUTCOME_BROKEN;
	}
	add_tally(job, server, &tally);
	burn(job, server, tally.sent - tally.taken);
	server->counters[tally.sent ? KME_COUNTER_ANSWERED : KME_COUNTER_EMPTY]++;
	for (i = 0; i < n; i++)
		keys[i].place = (uint16_t)(keys[i].place + job->at);
	job->n_keys += (size_t)n;
	return n ? KME_OUTCOME_KEYS :
	       tally.sent ? KME_OUTCOME_BROKEN : KME_OUTCOME_EMPTY;
}

/*
 * An answer with any status but 200. Where POST brought an error and GET says
 * that it is no method at all, the error was no question of method.
 */
static enum kme_outcome take_refusal(struct kme_job *job,
				     struct kme_server *server, long status)
{
	enum kme_outcome outcome;
	enum kme_counter counter;

	if ((status == 405 || status == 501) && job->first_status &&
	    job->first_status != 405 && job->first_status != 501) {
		server->method[job->op] = other(job->method);
		status = job->first_status;
	}
	outcome = kme_classify(job->op, status, &counter);
	server->counters[counter]++;
	/* A gateway may have lost an answer that had keys in it. */
	if (outcome == KME_OUTCOME_BROKEN && status >= 500 && status != 501)
		burn(job, server, job->n_sent);
	snprintf(job->why.text, sizeof(job->why.text), "answers %s with %ld",
		 kme_op_name(job->op), status);
	return outcome;
}

/* A key ID that is not there hides others: ask for fewer at once first. */
static bool is_to_be_split(const struct kme_job *job, long status)
{
	return job->ids && job->n_sent > 1 && status != 405 && status != 501;
}

static enum kme_step advance(struct kme_job *job, enum kme_outcome outcome)
{
	if (outcome == KME_OUTCOME_BROKEN || !job->ids)
		return KME_STEP_DONE;
	if (outcome == KME_OUTCOME_KEYS) {
		job->at += job->n_sent;
		job->step = job->n_sent * 2;
		job->n_refused = 0;
	} else if (job->n_sent > 1) {
		job->step = job->n_sent / 2;
	} else {
		job->at++;
		job->n_refused++;
	}
	return job->at < job->asked && job->n_refused < REFUSED_MAX ?
		       KME_STEP_AGAIN : KME_STEP_DONE;
}

/* Ask for the same by the other method? Learns which one works. */
static bool is_other_method_due(struct kme_job *job, struct kme_server *server,
				long status)
{
	if (status == 200)
		server->method[job->op] = job->method;
	else if (!job->first_status && !is_to_be_split(job, status) &&
		 kme_wants_other_method(server, job->op, job->method, status)) {
		server->counters[KME_COUNTER_METHOD]++;
		job->first_status = status;
		return true;
	}
	return false;
}

static enum kme_outcome take_answer(struct kme_job *job,
				    struct kme_server *server, long status)
{
	enum kme_outcome outcome = status == 200 ?
		take_keys(job, server) : take_refusal(job, server, status);

	/* 503 too: some say so when they have fewer keys than were asked for. */
	if (job->op == KME_OP_ENC)
		kme_server_batch(server, job->n_sent,
				 outcome == KME_OUTCOME_KEYS ? job->n_sent : 0);
	return outcome;
}

enum kme_step kme_job_end(struct kme_job *job, CURLM *multi,
			  struct kme_node *node, CURLcode code,
			  enum kme_outcome *outcome)
{
	struct kme_server *server = &node->server;
	enum kme_counter counter =
		kme_transfer_end(&job->transfer, multi, code, &job->why);
	enum kme_step step = KME_STEP_AGAIN;

	if (counter != KME_COUNTER_ANSWERED) {
		server->counters[counter]++;
		if (job->transfer.was_sent)
			burn(job, server, job->n_sent);
		*outcome = KME_OUTCOME_BROKEN;
		step = KME_STEP_DONE;
	} else if (is_other_method_due(job, server, job->transfer.status)) {
		*outcome = KME_OUTCOME_EMPTY;
	} else {
		*outcome = take_answer(job, server, job->transfer.status);
		job->first_status = 0;
		step = advance(job, *outcome);
	}
	kme_transfer_free(&job->transfer, multi);
	return step;
}
