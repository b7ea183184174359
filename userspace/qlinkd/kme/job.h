/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One wish for keys: its requests, and the keys that they brought. */
#ifndef QLINKD_KME_JOB_H
#define QLINKD_KME_JOB_H

#include "http.h"

/**
 * struct kme_node - one KME: where it is, what is known of it
 */
struct kme_node {
	/** @peer: where it is, and who it must be */
	struct kme_peer peer;

	/** @server: what is known of it */
	struct kme_server server;

	/** @probe: a status that is asked for */
	struct kme_transfer probe;
};

/**
 * struct kme_job - one wish for keys; all zero when there is none
 */
struct kme_job {
	/** @op: enc_keys or dec_keys; status: there is no job */
	enum kme_op op;

	/** @node: which of the KMEs is asked */
	unsigned int node;

	/** @asked: keys wanted */
	size_t asked;

	/** @ids: for dec_keys, their IDs; own copy */
	struct kme_key_id *ids;

	/** @at: how many of these are done with */
	size_t at;

	/** @step: how many to ask for in the next request */
	size_t step;

	/** @n_sent: how many the current request asks for */
	size_t n_sent;

	/** @n_refused: single key IDs in a row that the KME did not have */
	unsigned int n_refused;

	/** @method: of the current request */
	enum kme_method method;

	/** @first_status: what the other method brought, 0 if none was tried */
	long first_status;

	/** @memory: locked, holds @asked of struct kme_key */
	struct qlink_secret memory;

	/** @n_keys: good ones in it */
	size_t n_keys;

	/** @tally: of all answers */
	struct kme_tally tally;

	/** @n_burned: keys that nobody can have any more, at most */
	size_t n_burned;

	/** @why: what went wrong last */
	struct qlink_why why;

	/** @transfer: the current request */
	struct kme_transfer transfer;
};

enum kme_step {
	/* the job's next request is to be sent, to the same KME */
	KME_STEP_AGAIN,
	/* this KME has said what it has to say */
	KME_STEP_DONE,
};

/**
 * kme_job_init() - begin a job
 * @job: filled in; freed with kme_job_free()
 * @op: enc_keys or dec_keys
 * @n: keys wanted, 1 to KME_BATCH_MAX
 * @ids: @n of them for dec_keys, copied; else %NULL
 *
 * Return: 0, or a negative errno; then there is no job.
 */
int kme_job_init(struct kme_job *job, enum kme_op op, size_t n,
		 const struct kme_key_id *ids);

/**
 * kme_job_free() - wipe and end a job, also one that runs
 * @job: all zero afterwards
 * @multi: where it runs
 */
void kme_job_free(struct kme_job *job, CURLM *multi);

/**
 * kme_job_send() - send a job's next request
 * @job: the job, without a request under way
 * @multi: where it runs
 * @node: the KME that is asked
 * @sae: the other SAE
 *
 * Return: 0, or a negative errno with the job's @why.
 */
int kme_job_send(struct kme_job *job, CURLM *multi, struct kme_node *node,
		 const char *sae);

/**
 * kme_job_end() - look at the end of a request
 * @job: takes over the keys that came
 * @multi: where it ran
 * @node: the KME that was asked; learns from it, all but its health
 * @code: what libcurl says
 * @outcome: filled in: what the request came to
 *
 * Return: what to do next.
 */
enum kme_step kme_job_end(struct kme_job *job, CURLM *multi,
			  struct kme_node *node, CURLcode code,
			  enum kme_outcome *outcome);

#endif
