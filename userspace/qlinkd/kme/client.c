// SPDX-License-Identifier: GPL-2.0-or-later
/* A client of QKD key servers: several KMEs in order. */
#include "client.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "dialects.h"
#include "job.h"
#include "loop.h"

struct kme {
	struct kme_ops ops;
	void *arg;
	char *sae;
	unsigned int retry_min_ms, retry_max_ms;
	struct kme_loop *loop;
	/* when kme_run() is due although no request is over, in CLOCK_BOOTTIME */
	int64_t due_ms;
	struct kme_job enc, dec;
	unsigned int n_nodes;
	struct kme_node nodes[];
};

static int refuse(const char *what, const char *value, const char *rule, struct qlink_why *why)
{
	return qlink_refuse(why, -EINVAL, "%s '%.40s': %s", what, value, rule);
}

static const struct kme_dialect *dialect_of(const struct kme_node_conf *node)
{
	return kme_dialect_of(node->dialect);
}

static int check_node(const struct kme_node_conf *node, struct qlink_why *why)
{
	struct qlink_why rule;

	if (dialect_of(node)->check_url(node->url, &rule))
		return refuse("KME", node->url, rule.text, why);
	if (node->id && (!*node->id || strlen(node->id) > KME_SAE_ID_MAX))
		return refuse("KME ID", node->id, "must have 1 to 128 bytes", why);
	if (node->parallel > KME_PARALLEL_MAX)
		return refuse("KME", node->url, "must have at most 8 requests at a time", why);
	if (node->turn_ms && (node->turn_ms < TURN_MIN_MS || node->turn_ms > TURN_MAX_MS))
		return refuse("KME", node->url, "must have turns of 1000 to 6000 ms", why);
	if (kme_dialect_is_file(node->dialect))
		return node->key ? 0 : refuse("KME", node->url, "must have a key file", why);
	if (!node->credentials && !node->trouble && !node->psk_file &&
	    (!node->ca || !node->certificate || !node->key))
		return refuse("KME", node->url, "must have a CA, a certificate and a key", why);
	return 0;
}

static int check(const struct kme_conf *conf, struct qlink_why *why)
{
	unsigned int i;
	int err = 0;

	if (!conf->sae || !*conf->sae || strlen(conf->sae) > KME_SAE_ID_MAX)
		return refuse("SAE ID", conf->sae ?: "", "must have 1 to 128 bytes", why);
	if (!conf->n_nodes || conf->n_nodes > KME_NODES_MAX)
		return refuse("SAE ID", conf->sae, "must have 1 to 8 KMEs", why);
	if (!conf->connect_ms || !conf->timeout_ms || !conf->retry_min_ms ||
	    conf->retry_max_ms < conf->retry_min_ms)
		return refuse("SAE ID", conf->sae,
			      "times must be above 0, the first pause at most the longest", why);
	for (i = 0; i < conf->n_nodes && !err; i++) {
		err = check_node(&conf->nodes[i], why);
		if (!err && conf->nodes[i].turn_ms && (!conf->name || !conf->peer))
			err = refuse("SAE ID", conf->sae, "must have the names of both ends, which take turns", why);
	}
	return err;
}

static int load_credentials(struct kme_peer *peer, const struct kme_node_conf *from,
			    struct qlink_why *why)
{
	const struct credentials_files files = {
		.certificate = from->certificate,
		.key = from->key,
		.ca = from->ca,
		.crl = from->crl,
		.psk_file = from->psk_file,
		.psk_id = from->psk_id,
		.psk_hash = from->psk_hash,
	};

	if (kme_dialect_is_file(from->dialect))
		return 0;
	peer->credentials = credentials_get(from->credentials);
	return peer->credentials || from->trouble ? 0 : credentials_load(&peer->credentials, &files, why);
}

/* A request is over, or there is another reason for kme_run(). */
static void on_over(void *arg)
{
	struct kme *kme = arg;

	if (kme->ops.ready)
		kme->ops.ready(kme->arg);
}

static int node_init(struct kme *kme, struct kme_node *node, const struct kme_conf *conf,
		     const struct kme_node_conf *from, struct qlink_why *why)
{
	/* Copied by kme_connections_get(). */
	struct kme_peer peer = {
		.dialect = dialect_of(from),
		.url = (char *)from->url,
		.id = (char *)from->id,
		.trouble = (char *)from->trouble,
		.connect_ms = conf->connect_ms,
		.parallel = from->parallel ?: KME_PARALLEL,
		.tls = from->tls,
		.key = kme_dialect_is_file(from->dialect) ? (char *)from->key : NULL,
		.side = from->side,
	};
	enum kme_method method = kme_dialect_has_post(from->dialect) ? from->method : KME_METHOD_GET;
	int err;

	turn_init(&peer.turn, from->turn_ms, conf->name, conf->peer);
	peer.timeout_ms = turn_limit(&peer.turn, conf->timeout_ms);
	kme_server_init(&node->server, kme_now_ms(), peer.timeout_ms);
	node->server.method[KME_OP_ENC] = method;
	node->server.method[KME_OP_DEC] = method;
	node->over = on_over;
	node->arg = kme;
	err = load_credentials(&peer, from, why);
	if (!err && kme_connections_get(&node->connections, kme->loop, &peer))
		err = qlink_refuse(why, -ENOMEM, "no memory");
	credentials_put(peer.credentials);
	return err;
}

static void node_exit(struct kme_node *node)
{
	kme_part_free(&node->probe);
	kme_connections_put(node->connections);
}

int kme_new(const struct kme_conf *conf, struct kme_loop *loop, const struct kme_ops *ops, void *arg,
	    struct kme **out, struct qlink_why *why)
{
	int err = check(conf, why);
	struct kme *kme;
	unsigned int i;

	if (err)
		return err;
	kme = calloc(1, sizeof(*kme) + conf->n_nodes * sizeof(kme->nodes[0]));
	if (!kme)
		return qlink_refuse(why, -ENOMEM, "no memory");
	kme->ops = *ops;
	kme->arg = arg;
	kme->loop = loop;
	kme->n_nodes = conf->n_nodes;
	kme->retry_min_ms = conf->retry_min_ms;
	kme->retry_max_ms = conf->retry_max_ms;
	kme->sae = strdup(conf->sae);
	if (!kme->sae)
		err = qlink_refuse(why, -ENOMEM, "no memory");
	for (i = 0; i < conf->n_nodes && !err; i++)
		err = node_init(kme, &kme->nodes[i], conf, &conf->nodes[i], why);
	if (err) {
		kme_free(kme);
		return err;
	}
	*out = kme;
	return 0;
}

void kme_free(struct kme *kme)
{
	unsigned int i;

	if (!kme)
		return;
	kme->ops.ready = NULL;
	kme_job_free(&kme->enc);
	kme_job_free(&kme->dec);
	for (i = 0; i < kme->n_nodes; i++)
		node_exit(&kme->nodes[i]);
	free(kme->sae);
	free(kme);
}

/* The request of a job, if it is to this KME. */
static void move_request(struct kme_job *job, unsigned int node, struct kme_connections *connections)
{
	if (job->asked && job->node == node)
		kme_part_move(&job->request, connections);
}

void kme_renew(struct kme *kme, unsigned int number, struct credentials *credentials)
{
	struct kme_node *node = &kme->nodes[number];
	struct kme_connections *before = node->connections;
	struct kme_peer peer = before->peer;

	peer.credentials = credentials;
	peer.trouble = NULL;
	if (kme_connections_get(&node->connections, kme->loop, &peer)) {
		node->connections = before;
		return;
	}
	move_request(&kme->enc, number, node->connections);
	move_request(&kme->dec, number, node->connections);
	kme_part_move(&node->probe, node->connections);
	kme_connections_put(before);
	/* The old ones may be why it is down. */
	node->server.retry_ms = kme_now_ms();
	kme->due_ms = 0;
	on_over(kme);
}

const struct kme_server *kme_server(const struct kme *kme, unsigned int node)
{
	return &kme->nodes[node].server;
}

/* Start a KME's back-off, and report why. */
static void failed(struct kme *kme, struct kme_node *node, const struct qlink_why *why)
{
	uint32_t random = 0;

	/* Without a random number the pause has its full length. */
	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) < 0)
		random = 0;
	node->server.why = *why;
	node->is_counted = false;
	kme_server_failed(&node->server, kme_now_ms(), kme->retry_min_ms,
			  kme->retry_max_ms, random);
	if (kme->ops.health)
		kme->ops.health(kme->arg, (unsigned int)(node - kme->nodes),
				KME_HEALTH_DOWN, why);
}

static void probe_start(struct kme *kme, struct kme_node *node)
{
	const struct kme_peer *peer = &node->connections->peer;
	struct kme_batch_kind kind = { .sae = kme->sae, .op = KME_OP_STATUS, .method = KME_METHOD_GET };
	struct qlink_why why;
	int err;

	if (peer->trouble) {
		qlink_refuse(&why, -EINVAL, "%s", peer->trouble);
		failed(kme, node, &why);
		return;
	}
	node->probe.over = node->over;
	node->probe.arg = node->arg;
	err = kme_part_send(&node->probe, node->connections, &kind);
	if (err) {
		qlink_refuse(&why, err, "cannot send a request: %s", strerror(-err));
		failed(kme, node, &why);
	}
}

/* A reported name has a question mark for each byte that is not printed. */
static bool is_name_of(const char *reported, const char *sae)
{
	for (; *reported && *sae; reported++, sae++) {
		if (*reported != '?' && tolower((unsigned char)*reported) != tolower((unsigned char)*sae))
			return false;
	}
	return !*reported && !*sae;
}

/*
 * Who is the master and who is the slave, as the KME sees it. A KME that takes us for the peer gives
 * keys for another pair. A name that only differs from ours may be another name for the same SAE.
 */
static enum kme_counter judge_names(const char *sae, const struct kme_status *status, struct qlink_why *why)
{
	if (is_name_of(status->master, sae)) {
		qlink_refuse(why, -EINVAL, "takes us for SAE '%.60s', which sae says is the peer: the SAE IDs "
			     "of both ends are swapped, or the certificate is the peer's", sae);
		return KME_COUNTER_IDENTITY;
	}
	if (status->slave[0] && !is_name_of(status->slave, sae))
		qlink_refuse(why, -EINVAL, "its status is about SAE '%.60s', and sae is '%.60s': is that the same "
			     "SAE? It takes us for '%.60s'", status->slave, sae,
			     status->master);
	return KME_COUNTER_ANSWERED;
}

/* Sizes of keys of which no link can live. Some KMEs report none, or nonsense: the keys tell. */
static void judge_sizes(const struct kme_status *status, struct qlink_why *why)
{
	if (status->max_key_size >= 0 && status->max_key_size < KME_SECRET_MIN_BYTES * 8)
		qlink_refuse(why, -EINVAL, "gives keys of at most %lld bits, and qlinkd takes %d or more",
			     (long long)status->max_key_size, KME_SECRET_MIN_BYTES * 8);
	else if (status->min_key_size > KME_SECRET_MAX_BYTES * 8)
		qlink_refuse(why, -EINVAL, "gives keys of at least %lld bits, and qlinkd takes %d or less",
			     (long long)status->min_key_size, KME_SECRET_MAX_BYTES * 8);
}

/* Judge the answer to a status. Returns the counter to move; @why has what is wrong. */
static enum kme_counter probe_judge(struct kme_node *node, const char *sae,
				    struct kme_status *status, struct qlink_why *why)
{
	const struct kme_dialect *dialect = node->connections->peer.dialect;
	const struct kme_transfer *answer = kme_part_transfer(&node->probe);
	struct kme_verdict verdict = dialect->classify(KME_OP_STATUS, answer->status);
	struct kme_refusal refusal;
	struct qlink_why cause = { "" };
	int err;

	if (verdict.outcome != KME_OUTCOME_KEYS) {
		dialect->read_refusal((const char *)answer->answer.data, answer->len,
				      &refusal);
		kme_refused(answer, KME_OP_STATUS, answer->status, &refusal, sae, why);
		return kme_outcome_counter(verdict.outcome);
	}
	err = dialect->judge_status((const char *)answer->answer.data, answer->len, sae, status, &cause);
	if (err == -EACCES) {
		*why = cause;
		return KME_COUNTER_DENIED;
	}
	if (err) {
		qlink_refuse(why, -EBADMSG, "answers status with what is no status: %.200s", cause.text);
		return KME_COUNTER_MALFORMED;
	}
	*why = cause;
	judge_sizes(status, why);
	return judge_names(sae, status, why);
}

static void probe_end(struct kme *kme, struct kme_node *node)
{
	unsigned int number = (unsigned int)(node - kme->nodes);
	bool was_up = node->server.health == KME_HEALTH_UP;
	struct qlink_why why = { "" };
	struct kme_status status;
	enum kme_counter counter = KME_COUNTER_N;
	int err = kme_part_end(&node->probe, &counter, &why);

	if (counter == KME_COUNTER_ANSWERED)
		counter = probe_judge(node, kme->sae, &status, &why);
	if (!err) {
		node->server.counters[KME_COUNTER_STATUS]++;
		node->server.counters[counter]++;
	}
	node->server.times = kme_part_transfer(&node->probe)->times;
	kme_part_free(&node->probe);
	if (counter != KME_COUNTER_ANSWERED) {
		failed(kme, node, &why);
		return;
	}
	kme_server_status(&node->server, &status, &why, kme_now_ms());
	node->is_counted = false;
	if (!was_up && kme->ops.health)
		kme->ops.health(kme->arg, number, KME_HEALTH_UP, &why);
	else if (was_up && kme->ops.counted)
		kme->ops.counted(kme->arg, number);
}

/* The first KME from @from on that is up, or -1. */
static int find_up(const struct kme *kme, unsigned int from)
{
	for (; from < kme->n_nodes; from++)
		if (kme->nodes[from].server.health == KME_HEALTH_UP)
			return (int)from;
	return -1;
}

/* Copies the job, which has no request, first: the callback may start the next one. */
static void job_finish(struct kme *kme, struct kme_job *job, enum kme_outcome outcome)
{
	struct kme_job done = *job;
	struct kme_answer answer = {
		.op = done.op,
		.node = done.node,
		.outcome = done.n_keys ? KME_OUTCOME_KEYS : outcome,
		.asked = done.asked,
		.n_sent = done.n_sent,
		.keys = (const struct kme_key *)done.memory.data,
		.n_keys = done.n_keys,
		.tally = done.tally,
		.n_burned = done.n_burned,
		.why = done.why,
	};

	memset(job, 0, sizeof(*job));
	kme->ops.answer(kme->arg, &answer);
	kme_job_free(&done);
}

static void job_send(struct kme *kme, struct kme_job *job)
{
	struct kme_node *node = &kme->nodes[job->node];

	if (!kme_job_send(job, node, kme->sae))
		return;
	failed(kme, node, &job->why);
	job_finish(kme, job, KME_OUTCOME_BROKEN);
}

/* A denied dec_keys is not a failure: some KMEs answer so to an unknown key ID. */
static void note_health(struct kme *kme, struct kme_job *job, enum kme_outcome outcome)
{
	struct kme_node *node = &kme->nodes[job->node];

	if (outcome == KME_OUTCOME_BROKEN ||
	    (outcome == KME_OUTCOME_DENIED && job->op == KME_OP_ENC))
		failed(kme, node, &job->why);
	else if (outcome != KME_OUTCOME_DENIED)
		kme_server_worked(&node->server);
}

/* What is left is counted again at once where that costs nothing: these keys are all that there will ever be. */
static void note_stock(struct kme_node *node, const struct kme_job *job, enum kme_outcome outcome)
{
	if (job->op == KME_OP_ENC && outcome == KME_OUTCOME_KEYS && node->connections->peer.dialect->work)
		node->is_counted = true;
}

static void job_end(struct kme *kme, struct kme_job *job)
{
	enum kme_outcome outcome;
	enum kme_step step = kme_job_end(job, &kme->nodes[job->node], &outcome);
	int next;

	if (step == KME_STEP_AGAIN) {
		job_send(kme, job);
		return;
	}
	if (step == KME_STEP_NONE) {
		job_finish(kme, job, outcome);
		return;
	}
	note_health(kme, job, outcome);
	note_stock(&kme->nodes[job->node], job, outcome);
	next = outcome == KME_OUTCOME_KEYS || job->op == KME_OP_DEC ?
		       -1 : find_up(kme, job->node + 1);
	if (next < 0) {
		job_finish(kme, job, outcome);
		return;
	}
	job->node = (unsigned int)next;
	/* What the last one refused says nothing about this one. */
	job->is_alone = false;
	job_send(kme, job);
}

static void note_terms(struct kme_node *node)
{
	const struct kme_terms *terms = &node->connections->terms;
	struct kme_server *server = &node->server;

	if (!terms->version[0] || kme_terms_same(&server->terms, terms))
		return;
	server->terms = *terms;
	server->n_terms++;
}

static bool is_over(const struct kme_part *request)
{
	return kme_part_state(request) == KME_REQUEST_OVER;
}

/* Handle the requests that are over. */
static void end_requests(struct kme *kme)
{
	unsigned int i;

	for (i = 0; i < kme->n_nodes; i++) {
		note_terms(&kme->nodes[i]);
		if (is_over(&kme->nodes[i].probe))
			probe_end(kme, &kme->nodes[i]);
	}
	if (is_over(&kme->enc.request))
		job_end(kme, &kme->enc);
	if (is_over(&kme->dec.request))
		job_end(kme, &kme->dec);
}

static bool has_ended_requests(const struct kme *kme)
{
	unsigned int i;

	for (i = 0; i < kme->n_nodes; i++) {
		if (is_over(&kme->nodes[i].probe))
			return true;
	}
	return is_over(&kme->enc.request) || is_over(&kme->dec.request);
}

/* Start the probes that are due. Returns when the next one is, INT64_MAX for never. */
static int64_t run_probes(struct kme *kme)
{
	int64_t next = INT64_MAX, now = kme_now_ms();
	struct kme_node *node;
	unsigned int i;

	for (i = 0; i < kme->n_nodes; i++) {
		node = &kme->nodes[i];
		if (kme_part_state(&node->probe) || (node->server.health == KME_HEALTH_UP && !node->is_counted))
			continue;
		if (node->is_counted || node->server.retry_ms <= now)
			probe_start(kme, node);
		if (!kme_part_state(&node->probe) && node->server.retry_ms < next)
			next = node->server.retry_ms;
	}
	return next;
}

void kme_run(struct kme *kme)
{
	end_requests(kme);
	kme->due_ms = run_probes(kme);
}

int64_t kme_deadline(const struct kme *kme)
{
	return has_ended_requests(kme) ? 0 : kme->due_ms;
}

static int job_start(struct kme *kme, struct kme_job *job, enum kme_op op,
		     unsigned int node, const struct kme_key_id *ids, size_t n)
{
	int err = kme_job_init(job, op, n, ids);

	if (err)
		return err;
	job->node = node;
	err = kme_job_send(job, &kme->nodes[node], kme->sae);
	if (err)
		kme_job_free(job);
	return err;
}

bool kme_count(struct kme *kme, unsigned int node)
{
	struct kme_node *at = &kme->nodes[node];

	if (at->server.health != KME_HEALTH_UP ||
	    (!at->is_counted && !share_is_old(&at->server.share, kme_now_ms())))
		return false;
	at->is_counted = true;
	kme->due_ms = 0;
	return true;
}

int kme_get_keys(struct kme *kme, unsigned int first, size_t n)
{
	int node = find_up(kme, first);

	if (!n || n > KME_BATCH_MAX)
		return -EINVAL;
	if (kme->enc.asked)
		return -EBUSY;
	if (node < 0)
		return -EAGAIN;
	return job_start(kme, &kme->enc, KME_OP_ENC, (unsigned int)node, NULL, n);
}

bool kme_withdraw_get(struct kme *kme)
{
	if (kme_part_state(&kme->enc.request) != KME_REQUEST_WAITING)
		return false;
	kme_job_free(&kme->enc);
	return true;
}

static bool is_kept_away(const struct kme_node *node, const struct kme_part *request)
{
	enum kme_request_state state = kme_part_state(request);

	return state == KME_REQUEST_WAITING || (state != KME_REQUEST_NONE && node->connections->peer.turn.ms);
}

bool kme_waits(const struct kme *kme)
{
	unsigned int i;

	for (i = 0; i < kme->n_nodes; i++) {
		if (is_kept_away(&kme->nodes[i], &kme->nodes[i].probe))
			return true;
	}
	return is_kept_away(&kme->nodes[kme->enc.node], &kme->enc.request);
}

static bool are_ids_good(const struct kme_key_id *ids, size_t n)
{
	size_t i, k;

	for (i = 0; i < n; i++) {
		if (!kme_id_is_good(ids[i].text,
				    strnlen(ids[i].text, sizeof(ids[i].text))))
			return false;
		for (k = 0; k < i; k++)
			if (!strcmp(ids[i].text, ids[k].text))
				return false;
	}
	return true;
}

int kme_fetch_keys(struct kme *kme, unsigned int node, const struct kme_key_id *ids, size_t n)
{
	if (!n || n > KME_BATCH_MAX || node >= kme->n_nodes ||
	    !are_ids_good(ids, n))
		return -EINVAL;
	if (kme->dec.asked)
		return -EBUSY;
	if (kme->nodes[node].server.health != KME_HEALTH_UP)
		return -EAGAIN;
	return job_start(kme, &kme->dec, KME_OP_DEC, node, ids, n);
}

void kme_cancel_fetch(struct kme *kme)
{
	struct kme_job *job = &kme->dec;

	if (!job->asked)
		return;
	kme_job_cancel(job, &kme->nodes[job->node]);
	job_finish(kme, job, KME_OUTCOME_EMPTY);
}
