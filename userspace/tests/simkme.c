// SPDX-License-Identifier: GPL-2.0-or-later
/* A stand-in for the KME client, in simulated time, and pairs of KMEs for it. */
#include "simkme.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/sha.h>

#include "device.h"

#define CLIENTS	4
#define PROBE_MS	20

struct open_request {
	uint64_t at, begun;
	enum simkme_outcome outcome;
	unsigned int node;
	size_t asked, n_sent;
	struct kme_key_id ids[KME_BATCH_MAX];
	bool is_open, is_late, is_counted;
};

struct kme {
	struct kme_ops ops;
	void *arg;
	int side;
	/* the pair of its first KME, and how many it has */
	unsigned int first, n_nodes, timeout_ms, retry_min_ms, retry_max_ms;
	struct kme_server servers[KME_NODES_MAX];
	struct open_request probes[KME_NODES_MAX], enc, dec;
};

struct simkme_plan (*simkme_plan)(int side, unsigned int node, enum kme_op op);
struct simkme_pair simkme_pairs[KME_NODES_MAX];
int simkme_side;
bool simkme_counts;

static struct kme *clients[CLIENTS];

void simkme_start(uint64_t supply)
{
	unsigned int i;

	memset(simkme_pairs, 0, sizeof(simkme_pairs));
	for (i = 0; i < KME_NODES_MAX; i++)
		simkme_pairs[i].supply = supply;
	simkme_plan = NULL;
	simkme_counts = false;
}

/* A link that mixes has a client for each KME. The port in the URL is the number of the pair, from 1 on. */
static unsigned int first_pair(const char *url)
{
	return (unsigned int)strtoul(strrchr(url, ':') + 1, NULL, 10) - 1;
}

int kme_new(const struct kme_conf *conf, struct kme_loop *loop, const struct kme_ops *ops, void *arg,
	    struct kme **out, struct qlink_why *why)
{
	struct kme *kme = calloc(1, sizeof(*kme));
	unsigned int i;

	(void)why;
	(void)loop;
	if (!kme)
		return -ENOMEM;
	kme->ops = *ops;
	kme->arg = arg;
	kme->side = simkme_side;
	kme->n_nodes = conf->n_nodes;
	kme->first = first_pair(conf->nodes[0].url);
	kme->timeout_ms = conf->timeout_ms;
	kme->retry_min_ms = conf->retry_min_ms;
	kme->retry_max_ms = conf->retry_max_ms;
	for (i = 0; i < conf->n_nodes; i++)
		kme_server_init(&kme->servers[i], (int64_t)device_now, conf->timeout_ms);
	for (i = 0; clients[i]; i++)
		if (i + 1 == CLIENTS)
			abort();
	clients[i] = kme;
	*out = kme;
	return 0;
}

void kme_free(struct kme *kme)
{
	unsigned int i;

	for (i = 0; kme && i < CLIENTS; i++)
		if (clients[i] == kme)
			clients[i] = NULL;
	free(kme);
}

unsigned int simkme_clients(void)
{
	unsigned int i, n = 0;

	for (i = 0; i < CLIENTS; i++)
		n += clients[i] != NULL;
	return n;
}

/* There is no TLS here. */
void kme_renew(struct kme *kme, unsigned int node, struct credentials *credentials)
{
	(void)kme;
	(void)node;
	(void)credentials;
}

/* There are no others to wait for. */
bool kme_withdraw_get(struct kme *kme)
{
	(void)kme;
	return false;
}

bool kme_waits(const struct kme *kme)
{
	(void)kme;
	return false;
}

/* A test runs its links at each step of the simulated time that concerns their KMEs. */
int64_t kme_deadline(const struct kme *kme)
{
	(void)kme;
	return INT64_MAX;
}

const struct kme_server *kme_server(const struct kme *kme, unsigned int node)
{
	return &kme->servers[node];
}

/* --- keys: a number gives the same key at both KMEs of a pair --- */

static void make_key(unsigned int node, uint64_t number, struct kme_key *key)
{
	char seed[96];

	memset(key, 0, sizeof(*key));
	snprintf(key->id.text, sizeof(key->id.text), "%08x-0000-4000-8000-%012" PRIx64, node,
		 number);
	snprintf(seed, sizeof(seed), "simulated key of %s", key->id.text);
	SHA256((const uint8_t *)seed, strlen(seed), key->bytes);
	key->len = SHA256_DIGEST_LENGTH;
}

static uint64_t number_of(const struct kme_key_id *id)
{
	return strlen(id->text) < 24 ? 0 : strtoull(id->text + 24, NULL, 16);
}

static size_t take_new(struct simkme_pair *pair, unsigned int node, int side, size_t n,
		       struct kme_key *keys)
{
	size_t i;

	pair->n_batches[side]++;
	for (i = 0; i < n && pair->given < pair->supply; i++) {
		make_key(node, ++pair->given, &keys[i]);
		pair->is_fetched[pair->given % SIMKME_KEPT] = 0;
		pair->from[pair->given % SIMKME_KEPT] = (struct simkme_origin){
			.at = device_now, .batch = pair->n_batches[side], .side = side,
		};
	}
	return i;
}

static size_t take_old(const struct simkme_pair *pair, unsigned int node, size_t n,
		       struct kme_key *keys)
{
	size_t i;

	for (i = 0; i < n && i < pair->given; i++)
		make_key(node, pair->given - i, &keys[i]);
	return i;
}

static bool is_forgotten(const struct simkme_pair *pair, uint64_t number)
{
	const struct simkme_origin *from = &pair->from[number % SIMKME_KEPT];

	return (pair->kept_ms && device_now - from->at > pair->kept_ms) ||
	       (pair->kept_batches && pair->n_batches[from->side] - from->batch >= pair->kept_batches);
}

static size_t fetch(const struct kme *kme, const struct open_request *request, struct kme_key *keys)
{
	struct simkme_pair *pair = &simkme_pairs[kme->first + request->node];
	size_t i, n = 0;
	uint64_t number;

	for (i = 0; i < request->asked; i++) {
		number = number_of(&request->ids[i]);
		if (!number || number > pair->given || number + SIMKME_KEPT <= pair->given ||
		    pair->is_fetched[number % SIMKME_KEPT] || is_forgotten(pair, number))
			continue;
		pair->is_fetched[number % SIMKME_KEPT] = 1;
		pair->fetched++;
		make_key(kme->first + request->node, number, &keys[n]);
		keys[n].bytes[0] ^= request->outcome == SIMKME_WRONG;
		keys[n++].place = (uint16_t)i;
	}
	return n;
}

/* --- requests --- */

static void open_request(struct kme *kme, struct open_request *request, unsigned int node,
			 enum kme_op op)
{
	struct simkme_plan plan = { .delay = PROBE_MS };

	request->is_late = false;
	if (simkme_plan)
		plan = simkme_plan(kme->side, kme->first + node, op);
	/* Fetching keys by their IDs may take several requests. */
	if (op == KME_OP_ENC)
		plan.delay += plan.per_key * request->n_sent;
	if (plan.delay > kme->timeout_ms * (op == KME_OP_DEC ? 3ULL : 1)) {
		plan.delay = kme->timeout_ms;
		plan.outcome = SIMKME_BROKEN;
		request->is_late = true;
	}
	if (op == KME_OP_DEC)
		plan.delay += plan.per_key * request->n_sent;
	request->begun = device_now;
	request->node = node;
	request->outcome = plan.outcome;
	request->at = device_now + plan.delay;
	request->is_open = true;
}

static void failed(struct kme *kme, unsigned int node)
{
	const struct qlink_why why = { "simulated" };

	kme->probes[node].is_counted = false;
	kme_server_failed(&kme->servers[node], (int64_t)device_now, kme->retry_min_ms,
			  kme->retry_max_ms, (uint32_t)device_now);
	kme->ops.health(kme->arg, node, KME_HEALTH_DOWN, &why);
}

static void end_probe(struct kme *kme, unsigned int node)
{
	bool was_up = kme->servers[node].health == KME_HEALTH_UP;
	const struct qlink_why why = { "" };
	struct kme_status status;

	kme->probes[node].is_open = false;
	kme_status_init(&status);
	kme->probes[node].is_counted = false;
	if (simkme_counts)
		status.stored_key_count = (int64_t)(simkme_pairs[kme->first + node].supply -
						    simkme_pairs[kme->first + node].given);
	if (kme->probes[node].outcome == SIMKME_BROKEN ||
	    kme->probes[node].outcome == SIMKME_DENIED) {
		failed(kme, node);
		return;
	}
	kme_server_status(&kme->servers[node], &status, &why, (int64_t)device_now);
	if (was_up)
		kme->ops.counted(kme->arg, node);
	else
		kme->ops.health(kme->arg, node, KME_HEALTH_UP, &why);
}

static int find_up(const struct kme *kme, unsigned int from)
{
	for (; from < kme->n_nodes; from++)
		if (kme->servers[from].health == KME_HEALTH_UP)
			return (int)from;
	return -1;
}

static enum kme_outcome note_health(struct kme *kme, const struct open_request *request,
				    enum kme_op op, size_t n_keys)
{
	enum kme_outcome outcome = n_keys ? KME_OUTCOME_KEYS : KME_OUTCOME_EMPTY;

	if (request->outcome == SIMKME_BROKEN)
		outcome = KME_OUTCOME_BROKEN;
	else if (request->outcome == SIMKME_DENIED)
		outcome = KME_OUTCOME_DENIED;
	if (outcome == KME_OUTCOME_BROKEN || (outcome == KME_OUTCOME_DENIED && op == KME_OP_ENC))
		failed(kme, request->node);
	else if (outcome != KME_OUTCOME_DENIED)
		kme_server_worked(&kme->servers[request->node]);
	return outcome;
}

/* Keys that left the KME but did not arrive are burned. */
static size_t get(const struct kme *kme, const struct open_request *request, enum kme_op op,
		  struct kme_key *keys, size_t *n_burned)
{
	struct simkme_pair *pair = &simkme_pairs[kme->first + request->node];
	size_t n = 0;

	*n_burned = 0;
	if (request->outcome == SIMKME_DRY || request->outcome == SIMKME_DENIED)
		return 0;
	if (op == KME_OP_DEC)
		n = fetch(kme, request, keys);
	else if (request->outcome == SIMKME_OLD)
		return take_old(pair, kme->first + request->node, request->n_sent, keys);
	else
		n = take_new(pair, kme->first + request->node, kme->side, request->n_sent, keys);
	if (request->is_late)
		pair->late += n;
	if (request->outcome == SIMKME_BROKEN)
		*n_burned = n;
	else if (request->outcome == SIMKME_SHORT)
		*n_burned = n - n / 2;
	return n - *n_burned;
}

static void answer(struct kme *kme, struct open_request *request, enum kme_op op)
{
	struct kme_answer told = { .op = op, .node = request->node };
	struct kme_key keys[KME_BATCH_MAX];
	int next;

	told.n_keys = get(kme, request, op, keys, &told.n_burned);
	if (told.n_burned || request->outcome != SIMKME_UP)
		snprintf(told.why.text, sizeof(told.why.text), "simulated %d", request->outcome);
	told.keys = keys;
	told.asked = request->asked;
	told.n_sent = request->n_sent;
	told.outcome = note_health(kme, request, op, told.n_keys);
	if (op == KME_OP_ENC) {
		if (told.n_keys)
			kme_server_came(&kme->servers[request->node], told.n_keys);
		if (request->is_late)
			kme_server_late(&kme->servers[request->node], request->n_sent);
		else
			kme_server_batch(&kme->servers[request->node], request->n_sent, told.n_keys,
					 device_now - request->begun);
		next = told.n_keys ? -1 : find_up(kme, request->node + 1);
		if (next >= 0) {
			open_request(kme, request, (unsigned int)next, op);
			return;
		}
	}
	request->is_open = false;
	kme->ops.answer(kme->arg, &told);
}

static bool is_over(const struct open_request *request)
{
	return request->is_open && request->at <= device_now;
}

void kme_run(struct kme *kme)
{
	unsigned int i;

	for (i = 0; i < kme->n_nodes; i++) {
		if (is_over(&kme->probes[i]))
			end_probe(kme, i);
		if (!kme->probes[i].is_open &&
		    (kme->servers[i].health == KME_HEALTH_UP ? kme->probes[i].is_counted :
		     kme->servers[i].retry_ms <= (int64_t)device_now))
			open_request(kme, &kme->probes[i], i, KME_OP_STATUS);
	}
	if (is_over(&kme->enc))
		answer(kme, &kme->enc, KME_OP_ENC);
	if (is_over(&kme->dec))
		answer(kme, &kme->dec, KME_OP_DEC);
}

bool kme_count(struct kme *kme, unsigned int node)
{
	struct open_request *probe = &kme->probes[node];

	if (kme->servers[node].health != KME_HEALTH_UP ||
	    (!probe->is_counted && !share_is_old(&kme->servers[node].share, (int64_t)device_now)))
		return false;
	probe->is_counted = true;
	if (!probe->is_open)
		open_request(kme, probe, node, KME_OP_STATUS);
	return true;
}

int kme_get_keys(struct kme *kme, unsigned int first, size_t n)
{
	int node = find_up(kme, first);

	if (!n || n > KME_BATCH_MAX)
		return -EINVAL;
	if (kme->enc.is_open)
		return -EBUSY;
	if (node < 0)
		return -EAGAIN;
	kme->enc.asked = n;
	kme->enc.n_sent = n < kme->servers[node].batch ? n : kme->servers[node].batch;
	open_request(kme, &kme->enc, (unsigned int)node, KME_OP_ENC);
	return 0;
}

int kme_fetch_keys(struct kme *kme, unsigned int node, const struct kme_key_id *ids, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (!kme_id_is_good(ids[i].text, strlen(ids[i].text)))
			return -EINVAL;
	if (node >= kme->n_nodes)
		return -EINVAL;
	if (kme->dec.is_open)
		return -EBUSY;
	if (kme->servers[node].health != KME_HEALTH_UP)
		return -EAGAIN;
	kme->dec.asked = n;
	kme->dec.n_sent = n;
	memcpy(kme->dec.ids, ids, n * sizeof(*ids));
	open_request(kme, &kme->dec, node, KME_OP_DEC);
	return 0;
}

/* The keys that would have come by now are lost. */
void kme_cancel_fetch(struct kme *kme)
{
	struct kme_answer told = { .op = KME_OP_DEC, .node = kme->dec.node, .why = { "cancelled" } };
	struct kme_key keys[KME_BATCH_MAX];

	if (!kme->dec.is_open)
		return;
	told.asked = kme->dec.asked;
	told.n_sent = kme->dec.n_sent;
	told.n_burned = fetch(kme, &kme->dec, keys);
	simkme_pairs[kme->first + kme->dec.node].late += told.n_burned;
	told.outcome = KME_OUTCOME_EMPTY;
	kme->dec.is_open = false;
	kme->ops.answer(kme->arg, &told);
}

static void sooner(uint64_t *next, const struct open_request *request)
{
	if (request->is_open && request->at < *next)
		*next = request->at;
}

uint64_t simkme_next(void)
{
	uint64_t next = UINT64_MAX;
	unsigned int c, i;

	for (c = 0; c < CLIENTS; c++) {
		const struct kme *kme = clients[c];

		for (i = 0; kme && i < kme->n_nodes; i++) {
			sooner(&next, &kme->probes[i]);
			if (!kme->probes[i].is_open &&
			    kme->servers[i].health != KME_HEALTH_UP &&
			    (uint64_t)kme->servers[i].retry_ms < next)
				next = (uint64_t)kme->servers[i].retry_ms;
		}
		if (!kme)
			continue;
		sooner(&next, &kme->enc);
		sooner(&next, &kme->dec);
	}
	return next;
}
