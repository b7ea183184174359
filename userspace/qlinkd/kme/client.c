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
	struct kme_loop loop;
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
	return node->dialect ? node->dialect : kme_dialect_find(NULL);
}

static int check_node(const struct kme_node_conf *node, struct qlink_why *why)
{
	struct qlink_why rule;

	if (dialect_of(node)->check_url(node->url, &rule))
		return refuse("KME", node->url, rule.text, why);
	if (node->id && (!*node->id || strlen(node->id) > KME_SAE_ID_MAX))
		return refuse("KME ID", node->id, "must have 1 to 128 bytes", why);
	if (!node->credentials && !node->trouble && (!node->ca || !node->certificate || !node->key))
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
	for (i = 0; i < conf->n_nodes && !err; i++)
		err = check_node(&conf->nodes[i], why);
	return err;
}

static int copy(char **to, const char *from)
{
	*to = from ? strdup(from) : NULL;
	return from && !*to ? -ENOMEM : 0;
}

static int load_credentials(struct kme_peer *peer, const struct kme_node_conf *from,
			    struct qlink_why *why)
{
	const struct credentials_files files = {
		.certificate = from->certificate,
		.key = from->key,
		.ca = from->ca,
		.crl = from->crl,
	};

	peer->credentials = credentials_get(from->credentials);
	return peer->credentials ? 0 : credentials_load(&peer->credentials, &files, why);
}

static int node_init(struct kme_node *node, const struct kme_conf *conf,
		     const struct kme_node_conf *from, struct qlink_why *why)
{
	struct kme_peer *peer = &node->peer;

	kme_server_init(&node->server, kme_now_ms(), conf->timeout_ms);
	node->server.method[KME_OP_ENC] = from->method;
	node->server.method[KME_OP_DEC] = from->method;
	peer->dialect = dialect_of(from);
	peer->tls = from->tls;
	peer->connect_ms = conf->connect_ms;
	peer->timeout_ms = conf->timeout_ms;
	if (copy(&peer->url, from->url) || copy(&peer->id, from->id) || copy(&peer->trouble, from->trouble))
		return qlink_refuse(why, -ENOMEM, "no memory");
	return peer->trouble ? 0 : load_credentials(peer, from, why);
}

static void node_exit(struct kme_node *node, CURLM *multi)
{
	kme_transfer_free(&node->probe, multi);
	free(node->peer.url);
	free(node->peer.id);
	free(node->peer.trouble);
	credentials_put(node->peer.credentials);
}

int kme_new(const struct kme_conf *conf, const struct kme_ops *ops, void *arg,
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
	kme->n_nodes = conf->n_nodes;
	kme->retry_min_ms = conf->retry_min_ms;
	kme->retry_max_ms = conf->retry_max_ms;
	err = kme_loop_init(&kme->loop) ?: copy(&kme->sae, conf->sae);
	if (err)
		qlink_refuse(why, err, "%s", strerror(-err));
	for (i = 0; i < conf->n_nodes && !err; i++)
		err = node_init(&kme->nodes[i], conf, &conf->nodes[i], why);
	if (err) {
		kme_free(kme);
		return err;
	}
	kme_loop_arm(&kme->loop, kme_now_ms());
	*out = kme;
	return 0;
}

void kme_free(struct kme *kme)
{
	unsigned int i;

	if (!kme)
		return;
	kme_job_free(&kme->enc, kme->loop.multi);
	kme_job_free(&kme->dec, kme->loop.multi);
	for (i = 0; i < kme->n_nodes; i++)
		node_exit(&kme->nodes[i], kme->loop.multi);
	kme_loop_exit(&kme->loop);
	free(kme->sae);
	free(kme);
}

void kme_renew(struct kme *kme, unsigned int node, struct credentials *credentials)
{
	struct kme_peer *peer = &kme->nodes[node].peer;
	struct credentials *old = peer->credentials;

	peer->credentials = credentials_get(credentials);
	credentials_put(old);
	free(peer->trouble);
	peer->trouble = NULL;
	/* The old ones may be why it is down. */
	kme->nodes[node].server.retry_ms = kme_now_ms();
	kme_loop_arm(&kme->loop, kme_now_ms());
}

int kme_fd(const struct kme *kme)
{
	return kme->loop.epoll;
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
	struct qlink_why why;
	char url[KME_URL_MAX];
	int err;

	if (node->peer.trouble) {
		qlink_refuse(&why, -EINVAL, "%s", node->peer.trouble);
		failed(kme, node, &why);
		return;
	}
	err = node->peer.dialect->write_url(url, node->peer.url, kme->sae, KME_OP_STATUS, NULL);
	if (!err)
		err = kme_transfer_start(&node->probe, kme->loop.multi, &node->peer, url, NULL,
					 kme_answer_room(0));
	if (err) {
		qlink_refuse(&why, err, "cannot send a request: %s", strerror(-err));
		failed(kme, node, &why);
		return;
	}
	node->probe.owner = node;
	node->server.counters[KME_COUNTER_STATUS]++;
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

/* Judge the answer to a status. Returns the counter to move; @why has what is wrong. */
static enum kme_counter probe_judge(struct kme_node *node, const char *sae,
				    struct kme_status *status, struct qlink_why *why)
{
	const struct kme_dialect *dialect = node->peer.dialect;
	struct kme_verdict verdict = dialect->classify(KME_OP_STATUS, node->probe.status);
	struct kme_refusal refusal;
	struct qlink_why cause;

	if (verdict.outcome != KME_OUTCOME_KEYS) {
		dialect->read_refusal((const char *)node->probe.answer.data, node->probe.len,
				      &refusal);
		kme_refused(&node->probe, KME_OP_STATUS, node->probe.status, &refusal, sae, why);
		return kme_outcome_counter(verdict.outcome);
	}
	if (dialect->judge_status((const char *)node->probe.answer.data, node->probe.len, status,
				  &cause)) {
		qlink_refuse(why, -EBADMSG, "answers status with what is no status: %.200s", cause.text);
		return KME_COUNTER_MALFORMED;
	}
	return judge_names(sae, status, why);
}

static void probe_end(struct kme *kme, struct kme_node *node, CURLcode code)
{
	unsigned int number = (unsigned int)(node - kme->nodes);
	bool was_up = node->server.health == KME_HEALTH_UP;
	struct qlink_why why = { "" };
	struct kme_status status;
	enum kme_counter counter =
		kme_transfer_end(&node->probe, kme->loop.multi, code, &why);

	if (counter == KME_COUNTER_ANSWERED)
		counter = probe_judge(node, kme->sae, &status, &why);
	node->server.counters[counter]++;
	node->server.times = node->probe.times;
	kme_transfer_free(&node->probe, kme->loop.multi);
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

/* Copies the job first, because the callback may start the next one. */
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
	kme_job_free(&done, kme->loop.multi);
}

static void job_send(struct kme *kme, struct kme_job *job)
{
	struct kme_node *node = &kme->nodes[job->node];

	if (!kme_job_send(job, kme->loop.multi, node, kme->sae))
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

static void job_end(struct kme *kme, struct kme_job *job, CURLcode code)
{
	enum kme_outcome outcome;
	enum kme_step step = kme_job_end(job, kme->loop.multi,
					 &kme->nodes[job->node], code, &outcome);
	int next;

	if (step == KME_STEP_AGAIN) {
		job_send(kme, job);
		return;
	}
	note_health(kme, job, outcome);
	next = outcome == KME_OUTCOME_KEYS || job->op == KME_OP_DEC ?
		       -1 : find_up(kme, job->node + 1);
	if (next < 0) {
		job_finish(kme, job, outcome);
		return;
	}
	job->node = (unsigned int)next;
	job_send(kme, job);
}

/* The node whose KME a transfer is with. */
static struct kme_node *node_of(struct kme *kme, const struct kme_transfer *transfer)
{
	if (transfer == &kme->enc.transfer)
		return &kme->nodes[kme->enc.node];
	if (transfer == &kme->dec.transfer)
		return &kme->nodes[kme->dec.node];
	return transfer->owner;
}

static void note_terms(struct kme *kme, const struct kme_transfer *transfer)
{
	const struct kme_terms *terms = &transfer->handshake.terms;
	struct kme_server *server = &node_of(kme, transfer)->server;

	if (!transfer->handshake.is_done || kme_terms_same(&server->terms, terms))
		return;
	server->terms = *terms;
	server->n_terms++;
}

static void transfer_end(struct kme *kme, struct kme_transfer *transfer, CURLcode code)
{
	note_terms(kme, transfer);
	if (transfer == &kme->enc.transfer)
		job_end(kme, &kme->enc, code);
	else if (transfer == &kme->dec.transfer)
		job_end(kme, &kme->dec, code);
	else
		probe_end(kme, transfer->owner, code);
}

/* Start the probes that are due. Returns when the next one is, or -1. */
static int64_t run_probes(struct kme *kme)
{
	int64_t next = -1, now = kme_now_ms();
	struct kme_node *node;
	unsigned int i;

	for (i = 0; i < kme->n_nodes; i++) {
		node = &kme->nodes[i];
		if (node->probe.easy || (node->server.health == KME_HEALTH_UP && !node->is_counted))
			continue;
		if (node->is_counted || node->server.retry_ms <= now)
			probe_start(kme, node);
		if (!node->probe.easy && (next < 0 || node->server.retry_ms < next))
			next = node->server.retry_ms;
	}
	return next;
}

void kme_run(struct kme *kme)
{
	struct kme_transfer *transfer;
	CURLcode code;

	kme_loop_run(&kme->loop);
	while ((transfer = kme_loop_done(&kme->loop, &code)))
		transfer_end(kme, transfer, code);
	kme_loop_arm(&kme->loop, run_probes(kme));
}

static int job_start(struct kme *kme, struct kme_job *job, enum kme_op op,
		     unsigned int node, const struct kme_key_id *ids, size_t n)
{
	int err = kme_job_init(job, op, n, ids);

	if (err)
		return err;
	job->node = node;
	err = kme_job_send(job, kme->loop.multi, &kme->nodes[node], kme->sae);
	if (err)
		kme_job_free(job, kme->loop.multi);
	/* libcurl must run at once, and our caller need not be kme_run(). */
	kme_loop_arm(&kme->loop, kme_now_ms());
	return err;
}

bool kme_count(struct kme *kme, unsigned int node)
{
	struct kme_node *at = &kme->nodes[node];

	if (at->server.health != KME_HEALTH_UP ||
	    (!at->is_counted && !share_is_old(&at->server.share, kme_now_ms())))
		return false;
	at->is_counted = true;
	kme_loop_arm(&kme->loop, kme_now_ms());
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
