/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keys that the owner requested: the requests sent for them, and the keys that came. */
#ifndef QLINKD_KME_JOB_H
#define QLINKD_KME_JOB_H

#include "batch.h"

/**
 * struct kme_node - one KME of a client
 */
struct kme_node {
	/** @connections: to it, with its address and identity; a reference */
	struct kme_connections *connections;

	/** @server: what the client knows about it */
	struct kme_server server;

	/** @probe: the request for its status, if there is one */
	struct kme_part probe;

	/** @is_counted: it is up, and its status is to be requested anyway */
	bool is_counted;

	/** @over: called with @arg when a request to it is over, as struct kme_request says */
	void (*over)(void *arg);

	/** @arg: for @over */
	void *arg;
};

/**
 * struct kme_job - one job of a client; all zero when there is none
 */
struct kme_job {
	/** @op: enc_keys or dec_keys */
	enum kme_op op;

	/** @node: index of the KME that gets the requests */
	unsigned int node;

	/** @asked: keys requested by the owner; 0: there is no job */
	size_t asked;

	/** @ids: for dec_keys, a copy of their IDs */
	struct kme_key_id *ids;

	/** @n_done: how many of these need no further request */
	size_t n_done;

	/** @n_next: for dec_keys, most keys of the next request */
	size_t n_next;

	/** @n_sent: keys of the current request */
	size_t n_sent;

	/** @n_refused: requests in a row for a single key ID that the KME did not have */
	unsigned int n_refused;

	/** @method: of the current request */
	enum kme_method method;

	/** @first_status: the HTTP status by the other method, 0 if that was not tried */
	long first_status;

	/** @memory: locked, has room for @asked of struct kme_key */
	struct qlink_secret memory;

	/** @n_keys: good keys in @memory */
	size_t n_keys;

	/** @tally: of all answers */
	struct kme_tally tally;

	/** @n_burned: keys burned, at most */
	size_t n_burned;

	/** @why: what went wrong last */
	struct qlink_why why;

	/** @is_alone: further requests to @node are for no other client's keys */
	bool is_alone;

	/** @request: the current request */
	struct kme_part request;
};

enum kme_step {
	/* the job's next request goes to the same KME */
	KME_STEP_AGAIN,
	/* this KME gets no further request */
	KME_STEP_DONE,
	/* the request could not be sent, which is not the KME's fault */
	KME_STEP_NONE,
};

/**
 * kme_job_init() - start a job
 * @job: filled in; freed with kme_job_free()
 * @op: enc_keys or dec_keys
 * @n: keys requested, 1 to KME_BATCH_MAX
 * @ids: for dec_keys, @n key IDs, which are copied; else %NULL
 *
 * Return: 0, or a negative errno; then there is no job.
 */
int kme_job_init(struct kme_job *job, enum kme_op op, size_t n,
		 const struct kme_key_id *ids);

/**
 * kme_job_free() - wipe and end a job, which may still run
 * @job: all zero afterwards
 */
void kme_job_free(struct kme_job *job);

/**
 * kme_job_send() - send a job's next request
 * @job: the job, without a request; must not move until the request is over
 * @node: the KME
 * @sae: the other SAE
 *
 * Return: 0, or a negative errno with the job's @why.
 */
int kme_job_send(struct kme_job *job, struct kme_node *node, const char *sae);

/**
 * kme_job_cancel() - give up a job while a request waits or runs
 * @job: has no request and no keys from here on; what came counts as burned
 * @node: the KME that got the request
 */
void kme_job_cancel(struct kme_job *job, struct kme_node *node);

/**
 * kme_job_end() - handle the end of a request
 * @job: its request is over; gets the keys that came
 * @node: the KME; everything but its health is updated
 * @outcome: gets what the request led to
 *
 * Return: what to do next.
 */
enum kme_step kme_job_end(struct kme_job *job, struct kme_node *node, enum kme_outcome *outcome);

#endif
