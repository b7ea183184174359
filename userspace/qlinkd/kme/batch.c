// SPDX-License-Identifier: GPL-2.0-or-later
/* Requests that several clients send as one: for keys, and for a status. */
#include "batch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct kme_batch {
	struct kme_request request;
	enum kme_op op;
	enum kme_method method;
	char *sae;
	/* most keys that all parts bear */
	size_t most;
	struct kme_part *parts;
	/* from when it is sent: all keys that the parts wanted then; its IDs are copies */
	struct kme_ask ask;
	struct kme_key_id *ids;
	/* room for all keys, and the answer once one part has had it judged */
	struct qlink_secret keys;
	bool is_judged;
	int n_keys;
	struct kme_tally tally;
	struct qlink_why judged;
	/* how the request ended, once one part has asked */
	bool is_ended;
	int err;
	enum kme_counter counter;
	struct qlink_why why;
};

static void on_over(void *arg)
{
	struct kme_batch *batch = arg;
	struct kme_part *part;

	for (part = batch->parts; part; part = part->next)
		part->over(part->arg);
}

/* --- what is requested --- */

static size_t count_keys(const struct kme_batch *batch)
{
	const struct kme_part *part;
	size_t n = 0;

	for (part = batch->parts; part; part = part->next)
		n += part->ask.n;
	return n;
}

static int copy_ids(struct kme_batch *batch)
{
	struct kme_part *part;
	size_t n = 0;

	batch->ids = calloc(batch->ask.n, sizeof(*batch->ids));
	if (!batch->ids)
		return -ENOMEM;
	for (part = batch->parts; part; part = part->next) {
		part->first = n;
		memcpy(batch->ids + n, part->ask.ids, part->ask.n * sizeof(*batch->ids));
		n += part->ask.n;
	}
	batch->ask.ids = batch->ids;
	return 0;
}

static int write_text(struct kme_batch *batch, const struct kme_peer *peer)
{
	bool is_post = batch->method == KME_METHOD_POST;
	struct kme_request *request = &batch->request;
	char url[KME_URL_MAX];
	int err;

	err = peer->dialect->write_url(url, peer->url, batch->sae, batch->op,
				       is_post || !batch->ask.n ? NULL : &batch->ask);
	if (err)
		return err;
	request->url = strdup(url);
	request->body = is_post ? malloc(KME_BODY_MAX(batch->ask.n)) : NULL;
	if (!request->url || (is_post && !request->body))
		return -ENOMEM;
	if (is_post)
		peer->dialect->write_body(request->body, &batch->ask);
	request->room = kme_answer_room(batch->ask.n);
	return 0;
}

/* Words the request, whose parts can join no longer. Takes the memory for its keys before they are given away. */
static int word(void *arg)
{
	struct kme_batch *batch = arg;
	int err = 0;

	free(batch->ids);
	free(batch->request.url);
	free(batch->request.body);
	batch->request.url = batch->request.body = NULL;
	batch->ids = NULL;
	qlink_secret_free(&batch->keys);
	batch->ask = batch->parts->ask;
	batch->ask.n = count_keys(batch);
	if (batch->ask.n)
		err = qlink_secret_new(&batch->keys, batch->ask.n * sizeof(struct kme_key));
	if (!err && batch->ask.ids)
		err = copy_ids(batch);
	return err ?: write_text(batch, &batch->request.connections->peer);
}

/* --- who shares a request --- */

static bool has_id(const struct kme_part *part, const struct kme_key_id *id)
{
	size_t i;

	for (i = 0; i < part->ask.n; i++) {
		if (!strcmp(part->ask.ids[i].text, id->text))
			return true;
	}
	return false;
}

/* No ID may be in a request twice. */
static bool has_any_id(const struct kme_batch *batch, const struct kme_ask *ask)
{
	const struct kme_part *part;
	size_t i;

	for (part = batch->parts; part && ask->ids; part = part->next) {
		for (i = 0; i < ask->n; i++) {
			if (has_id(part, &ask->ids[i]))
				return true;
		}
	}
	return false;
}

static bool takes(const struct kme_batch *batch, const struct kme_batch_kind *kind,
		  const struct kme_ask *ask)
{
	size_t most = kind->most < batch->most ? kind->most : batch->most;

	if (batch->op != kind->op || batch->method != kind->method || strcmp(batch->sae, kind->sae))
		return false;
	if (kind->op == KME_OP_STATUS)
		return true;
	return batch->parts->ask.bits == ask->bits && count_keys(batch) + ask->n <= most &&
	       !has_any_id(batch, ask);
}

/* An answer to anybody since a status was requested may have had keys that this status still counts. */
static bool is_fresh(const struct kme_request *request)
{
	return request->state == KME_REQUEST_WAITING || request->n_answered == request->connections->n_answered;
}

/* The first of these requests that a part can join, or NULL. */
static struct kme_batch *find(const struct kme_request *request, const struct kme_batch_kind *kind,
			      const struct kme_ask *ask)
{
	for (; request; request = request->next) {
		if (request->over == on_over && is_fresh(request) && takes(request->arg, kind, ask))
			return request->arg;
	}
	return NULL;
}

static struct kme_batch *find_batch(const struct kme_connections *connections,
				    const struct kme_batch_kind *kind, const struct kme_ask *ask)
{
	struct kme_batch *batch = NULL;

	if (kind->op == KME_OP_STATUS)
		batch = find(connections->running, kind, ask);
	return batch ?: find(kind->op == KME_OP_DEC ? connections->urgent : connections->waiting, kind, ask);
}

static void join(struct kme_batch *batch, struct kme_part *part, size_t most)
{
	struct kme_part **last = &batch->parts;

	while (*last)
		last = &(*last)->next;
	*last = part;
	part->next = NULL;
	part->batch = batch;
	if (most < batch->most)
		batch->most = most;
}

static struct kme_batch *new_batch(const struct kme_batch_kind *kind)
{
	struct kme_batch *batch = calloc(1, sizeof(*batch));

	if (!batch)
		return NULL;
	batch->sae = strdup(kind->sae);
	if (!batch->sae) {
		free(batch);
		return NULL;
	}
	batch->op = kind->op;
	batch->method = kind->method;
	batch->most = kind->most;
	batch->request.write = word;
	batch->request.over = on_over;
	batch->request.arg = batch;
	batch->request.is_once = kind->op != KME_OP_STATUS;
	/* The peer waits for the keys that it named. */
	batch->request.is_urgent = kind->op == KME_OP_DEC;
	return batch;
}

static void free_batch(struct kme_batch *batch)
{
	kme_request_free(&batch->request);
	qlink_secret_free(&batch->keys);
	free(batch->ids);
	free(batch->sae);
	free(batch);
}

int kme_part_send(struct kme_part *part, struct kme_connections *connections,
		  const struct kme_batch_kind *kind)
{
	struct kme_batch *batch = find_batch(connections, kind, &part->ask);
	bool is_new = !batch;

	if (is_new)
		batch = new_batch(kind);
	if (!batch)
		return -ENOMEM;
	join(batch, part, kind->most);
	if (is_new)
		kme_request_send(&batch->request, connections);
	return 0;
}

/* Takes a part off its request. Returns the request if it has no other part. */
static struct kme_batch *leave(struct kme_part *part)
{
	struct kme_batch *batch = part->batch;
	struct kme_part **at = &batch->parts;

	while (*at != part)
		at = &(*at)->next;
	*at = part->next;
	part->batch = NULL;
	part->next = NULL;
	return batch->parts ? NULL : batch;
}

void kme_part_move(struct kme_part *part, struct kme_connections *connections)
{
	struct kme_batch *batch = part->batch, *empty;
	struct kme_batch_kind kind;

	if (kme_part_state(part) != KME_REQUEST_WAITING || batch->request.connections == connections)
		return;
	kind = (struct kme_batch_kind){ batch->sae, batch->op, batch->method, batch->most };
	empty = leave(part);
	if (kme_part_send(part, connections, &kind))
		join(batch, part, kind.most);
	else if (empty)
		free_batch(empty);
}

enum kme_request_state kme_part_state(const struct kme_part *part)
{
	return part->batch ? part->batch->request.state : KME_REQUEST_NONE;
}

void kme_part_free(struct kme_part *part)
{
	struct kme_batch *empty = part->batch ? leave(part) : NULL;

	if (empty)
		free_batch(empty);
	memset(part, 0, sizeof(*part));
}

/* --- the answer --- */

const struct kme_transfer *kme_part_transfer(const struct kme_part *part)
{
	return &part->batch->request.transfer;
}

size_t kme_part_asked(const struct kme_part *part)
{
	return part->batch->ask.n;
}

int kme_part_end(struct kme_part *part, enum kme_counter *counter, struct qlink_why *why)
{
	struct kme_batch *batch = part->batch;

	if (!batch->is_ended)
		batch->err = kme_request_end(&batch->request, &batch->counter, &batch->why);
	batch->is_ended = true;
	if (batch->why.text[0])
		*why = batch->why;
	if (!batch->err)
		*counter = batch->counter;
	return batch->err;
}

/* Whether the key of this index in the answer is for a part. */
static bool is_for(const struct kme_part *part, size_t i, const struct kme_key *key)
{
	size_t place = part->batch->ask.ids ? key->place : i;

	return place >= part->first && place < part->first + part->ask.n;
}

/*
 * Says which keys are whose: those that were named, or, of new ones, the first to the first. A part that was
 * given up in between has no claim to new ones.
 */
static void deal_keys(struct kme_batch *batch)
{
	const struct kme_key *keys = (const struct kme_key *)batch->keys.data;
	struct kme_part *part;
	size_t first = 0;
	int i;

	for (part = batch->parts; part; part = part->next) {
		if (!batch->ask.ids)
			part->first = first;
		first += part->ask.n;
		for (i = 0; i < batch->n_keys; i++)
			part->tally.taken += is_for(part, (size_t)i, &keys[i]);
		part->tally.sent = part->tally.taken;
	}
}

static void add_faults(struct kme_tally *to, struct kme_tally *from, size_t most)
{
	size_t kind, n;

	for (kind = 0; kind < KME_FAULT_N; kind++) {
		n = from->faults[kind] < most ? from->faults[kind] : most;
		from->faults[kind] -= n;
		to->faults[kind] += n;
		to->sent += n;
		most -= n;
	}
}

/* What was wrong counts for parts that lack keys; what nobody lacks, for the first. */
static void deal_faults(struct kme_batch *batch)
{
	struct kme_tally left = batch->tally;
	struct kme_part *part;

	for (part = batch->parts; part; part = part->next)
		add_faults(&part->tally, &left, part->ask.n - part->tally.taken);
	add_faults(&batch->parts->tally, &left, SIZE_MAX);
}

static void judge(struct kme_batch *batch)
{
	const struct kme_transfer *transfer = &batch->request.transfer;

	batch->n_keys = transfer->peer->dialect->judge_keys((const char *)transfer->answer.data, transfer->len,
							    &batch->ask, (struct kme_key *)batch->keys.data,
							    &batch->tally, &batch->judged);
	batch->is_judged = true;
	deal_keys(batch);
	deal_faults(batch);
}

int kme_part_take(struct kme_part *part, struct kme_key *keys, struct kme_tally *tally,
		  struct qlink_why *why)
{
	struct kme_batch *batch = part->batch;
	const struct kme_key *from;
	int i, n = 0;

	if (!batch->is_judged)
		judge(batch);
	*why = batch->judged;
	*tally = part->tally;
	for (i = 0; i < batch->n_keys; i++) {
		from = (const struct kme_key *)batch->keys.data + i;
		if (!is_for(part, (size_t)i, from))
			continue;
		keys[n] = *from;
		if (batch->ask.ids)
			keys[n].place = (uint16_t)(from->place - part->first);
		n++;
	}
	return batch->n_keys < 0 ? batch->n_keys : n;
}
