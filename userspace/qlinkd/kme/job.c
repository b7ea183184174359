// SPDX-License-Identifier: GPL-2.0-or-later
/* Keys that the owner requested: the requests sent for them, and the keys that came. */
#include "job.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Stop after this many unknown key IDs in a row. */
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
			kme_job_free(job);
			return -ENOMEM;
		}
		memcpy(job->ids, ids, n * sizeof(*ids));
	}
	job->op = op;
	job->asked = n;
	job->n_next = n;
	return 0;
}

void kme_job_free(struct kme_job *job)
{
	kme_part_free(&job->request);
	qlink_secret_free(&job->memory);
	free(job->ids);
	memset(job, 0, sizeof(*job));
}

static enum kme_method other(enum kme_method method)
{
	return method == KME_METHOD_POST ? KME_METHOD_GET : KME_METHOD_POST;
}

/* Choose the method and the number of keys of the next request. */
static void choose(struct kme_job *job, struct kme_node *node)
{
	struct kme_server *server = &node->server;
	size_t left = job->asked - job->n_done, most;

	if (job->first_status)
		job->method = other(job->method);
	else
		job->method = kme_server_method(server, job->op);
	if (!job->ids)
		most = server->batch;
	else if (job->method == KME_METHOD_GET)
		most = node->connections->peer.dialect->url_ids_max;
	else
		most = job->n_next;
	job->n_sent = left < most ? left : most;
}

/* Most keys of the next request, if it is for those of other clients too. */
static size_t most_together(const struct kme_job *job, const struct kme_node *node)
{
	size_t most = kme_server_bears(&node->server);

	if (job->is_alone)
		return job->n_sent;
	if (job->ids && job->method == KME_METHOD_GET)
		most = node->connections->peer.dialect->url_ids_max;
	return most > job->n_sent ? most : job->n_sent;
}

int kme_job_send(struct kme_job *job, struct kme_node *node, const char *sae)
{
	struct kme_server *server = &node->server;
	struct kme_batch_kind kind = { .sae = sae, .op = job->op };
	int err;

	if (job->n_next > kme_server_limit(server))
		job->n_next = kme_server_limit(server);
	choose(job, node);
	kind.method = job->method;
	kind.most = most_together(job, node);
	job->request.ask = (struct kme_ask){
		.n = job->n_sent,
		.ids = job->ids ? job->ids + job->n_done : NULL,
		.bits = kme_server_key_bits(server),
	};
	job->request.over = node->over;
	job->request.arg = node->arg;
	err = kme_part_send(&job->request, node->connections, &kind);
	if (err)
		return qlink_refuse(&job->why, err, "cannot send a request: %s", strerror(-err));
	return 0;
}

/* With its end, so that the counters of how requests ended add up to those of the operations. */
static void count_request(const struct kme_job *job, struct kme_server *server)
{
	server->counters[job->op == KME_OP_ENC ? KME_COUNTER_ENC : KME_COUNTER_DEC]++;
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
	if (tally->taken)
		server->keys_ms = kme_now_ms();
	if (tally->sent < job->n_sent)
		server->counters[KME_COUNTER_KEYS_MISSING] +=
			job->n_sent - tally->sent;
	for (i = 0; i < KME_FAULT_N; i++) {
		job->tally.faults[i] += tally->faults[i];
		server->counters[KME_COUNTER_FAULTS + i] += tally->faults[i];
	}
}

/* Handle an answer with keys. */
static enum kme_outcome take_keys(struct kme_job *job, struct kme_node *node)
{
	struct kme_key *keys = (struct kme_key *)job->memory.data + job->n_keys;
	struct kme_server *server = &node->server;
	struct kme_tally tally;
	struct qlink_why why;
	int n, i;

	n = kme_part_take(&job->request, keys, &tally, &why);
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
		keys[i].place = (uint16_t)(keys[i].place + job->n_done);
	job->n_keys += (size_t)n;
	if (n && job->op == KME_OP_ENC)
		kme_server_came(server, (uint64_t)n);
	return n ? KME_OUTCOME_KEYS : tally.sent ? KME_OUTCOME_BROKEN : KME_OUTCOME_EMPTY;
}

/* If the KME answered POST with an error and has no GET, the error was not about the method. */
static bool is_about_first(const struct kme_job *job, const struct kme_verdict *first,
			   const struct kme_verdict *second)
{
	return job->first_status && first->rejects_method != KME_REJECTS_METHOD_YES &&
	       second->rejects_method == KME_REJECTS_METHOD_YES;
}

/* Handle an answer without keys. */
static enum kme_outcome take_refusal(struct kme_job *job, struct kme_node *node,
				     struct kme_verdict verdict,
				     const struct kme_refusal *refusal)
{
	struct kme_verdict first = node->connections->peer.dialect->classify(job->op, job->first_status);
	struct kme_server *server = &node->server;
	long status = kme_part_transfer(&job->request)->status;

	if (is_about_first(job, &first, &verdict)) {
		server->method[job->op] = other(job->method);
		status = job->first_status;
		verdict = first;
	}
	server->counters[kme_outcome_counter(verdict.outcome)]++;
	if (verdict.may_have_burned)
		burn(job, server, job->n_sent);
	kme_refused(kme_part_transfer(&job->request), job->op, status, refusal, "", &job->why);
	return verdict.outcome;
}

/* Whether the current request was for keys of other clients too, which may be why it was refused. */
static bool is_shared(const struct kme_job *job)
{
	return kme_part_asked(&job->request) > job->n_sent;
}

/*
 * Whether each client is to ask for itself: the cause may be what another one named, or how much all want
 * together. A denial and bad new keys have nothing to do with either.
 */
static bool is_to_be_alone(const struct kme_job *job, const struct kme_verdict *verdict, enum kme_outcome outcome)
{
	if (outcome == KME_OUTCOME_KEYS || !is_shared(job))
		return false;
	return job->ids || outcome == KME_OUTCOME_EMPTY || verdict->outcome == KME_OUTCOME_BROKEN;
}

static enum kme_step advance(struct kme_job *job, const struct kme_verdict *verdict, enum kme_outcome outcome)
{
	if (is_to_be_alone(job, verdict, outcome)) {
		job->is_alone = true;
		/* It may be no trouble of this client, unless keys are lost. */
		if (!verdict->may_have_burned)
			job->why.text[0] = '\0';
		return KME_STEP_AGAIN;
	}
	if (outcome == KME_OUTCOME_BROKEN || !job->ids)
		return KME_STEP_DONE;
	if (outcome == KME_OUTCOME_KEYS) {
		job->n_done += job->n_sent;
		job->n_next = job->n_sent * 2;
		job->n_refused = 0;
	} else if (job->n_sent > 1) {
		job->n_next = job->n_sent / 2;
	} else {
		job->n_done++;
		job->n_refused++;
	}
	return job->n_done < job->asked && job->n_refused < REFUSED_MAX ?
		       KME_STEP_AGAIN : KME_STEP_DONE;
}

/* One unknown key ID can fail a request for many: ask for fewer first. */
static bool is_to_be_split(const struct kme_job *job, const struct kme_verdict *verdict)
{
	return job->ids && (job->n_sent > 1 || is_shared(job)) && verdict->rejects_method != KME_REJECTS_METHOD_YES;
}

/* Whether the error to the first method may have been about something else. */
static bool was_maybe(const struct kme_job *job, const struct kme_dialect *dialect)
{
	return job->first_status && dialect->classify(job->op, job->first_status).rejects_method !=
					    KME_REJECTS_METHOD_YES;
}

/* Whether to send the request again by the other method; learns which method works. */
static bool is_other_method_due(struct kme_job *job, const struct kme_dialect *dialect,
				struct kme_server *server, const struct kme_verdict *verdict)
{
	if (verdict->outcome == KME_OUTCOME_KEYS) {
		kme_server_learn_method(server, job->op, job->method,
					was_maybe(job, dialect));
		return false;
	}
	if (job->first_status || is_to_be_split(job, verdict) ||
	    !kme_wants_other_method(server, job->op, job->method, verdict->rejects_method))
		return false;
	server->counters[KME_COUNTER_METHOD]++;
	job->first_status = kme_part_transfer(&job->request)->status;
	return true;
}

static enum kme_outcome take_answer(struct kme_job *job, struct kme_node *node,
				    const struct kme_verdict *verdict,
				    const struct kme_refusal *refusal)
{
	enum kme_outcome outcome = verdict->outcome == KME_OUTCOME_KEYS ?
		take_keys(job, node) : take_refusal(job, node, *verdict, refusal);
	size_t n = kme_part_asked(&job->request);

	/* Refusals count too: some KMEs refuse when they have fewer keys than requested. */
	if (job->op == KME_OP_ENC)
		kme_server_batch(&node->server, n, outcome == KME_OUTCOME_KEYS ? n : 0,
				 kme_part_transfer(&job->request)->took_ms);
	return outcome;
}

/*
 * Whether the answer means that there are no keys now, whatever its code: its words say so, or a
 * server error comes from a KME whose status has no key. An answer with keys makes that status old.
 */
static bool is_dry(const struct kme_job *job, const struct kme_server *server,
		   const struct kme_refusal *refusal)
{
	long status = kme_part_transfer(&job->request)->status;

	if (status == 401 || status == 403)
		return false;
	return refusal->is_dry || (job->op == KME_OP_ENC && status >= 500 && status != 501 &&
				   !server->status.stored_key_count);
}

/* Handle a complete answer. */
static enum kme_step end_answered(struct kme_job *job, struct kme_node *node,
				  enum kme_outcome *outcome)
{
	const struct kme_dialect *dialect = node->connections->peer.dialect;
	const struct kme_transfer *answer = kme_part_transfer(&job->request);
	struct kme_verdict verdict = dialect->classify(job->op, answer->status);
	struct kme_refusal refusal = { .is_dry = false };

	if (verdict.outcome != KME_OUTCOME_KEYS) {
		dialect->read_refusal((const char *)answer->answer.data, answer->len, &refusal);
		if (is_dry(job, &node->server, &refusal))
			verdict = (struct kme_verdict){ .outcome = KME_OUTCOME_EMPTY };
	}
	if (is_other_method_due(job, dialect, &node->server, &verdict)) {
		*outcome = KME_OUTCOME_EMPTY;
		return KME_STEP_AGAIN;
	}
	*outcome = take_answer(job, node, &verdict, &refusal);
	job->first_status = 0;
	return advance(job, &verdict, *outcome);
}

void kme_job_cancel(struct kme_job *job, struct kme_node *node)
{
	bool was_sent = kme_part_transfer(&job->request)->n_sends;

	count_request(job, &node->server);
	burn(job, &node->server, job->n_keys + (was_sent ? job->n_sent : 0));
	node->server.counters[KME_COUNTER_TIMEOUT]++;
	qlink_refuse(&job->why, -ETIMEDOUT,
		     "is too slow: %zu of %zu keys came before the offer was over", job->n_keys,
		     job->asked);
	job->n_keys = 0;
	kme_part_free(&job->request);
}

/* Handle a request without a complete answer. */
static void end_unanswered(struct kme_job *job, struct kme_node *node, enum kme_counter counter)
{
	bool was_sent = kme_part_transfer(&job->request)->n_sends;

	node->server.counters[counter]++;
	if (was_sent)
		burn(job, &node->server, job->n_sent);
	if (was_sent && counter == KME_COUNTER_TIMEOUT && (job->op == KME_OP_ENC || is_shared(job)))
		kme_server_late(&node->server, kme_part_asked(&job->request));
}

enum kme_step kme_job_end(struct kme_job *job, struct kme_node *node, enum kme_outcome *outcome)
{
	enum kme_counter counter = KME_COUNTER_N;
	enum kme_step step = KME_STEP_DONE;

	*outcome = KME_OUTCOME_BROKEN;
	if (kme_part_end(&job->request, &counter, &job->why)) {
		kme_part_free(&job->request);
		return KME_STEP_NONE;
	}
	count_request(job, &node->server);
	if (counter == KME_COUNTER_ANSWERED)
		step = end_answered(job, node, outcome);
	else
		end_unanswered(job, node, counter);
	kme_part_free(&job->request);
	return step;
}
