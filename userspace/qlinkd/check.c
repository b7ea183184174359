// SPDX-License-Identifier: GPL-2.0-or-later
/* A check of one KME, as an administrator asks for it: its status and, if wanted, one key. */
#include "check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "qlinkd/kme/loop.h"
#include "status.h"

struct check {
	const struct agent *agent;
	void (*done)(void *arg, json_t *report);
	void *arg;
	/* of its own, so that a new connection is made: how the handshake goes is checked too */
	struct kme_loop *loop;
	struct kme *client;
	struct event *event;
	/* copies: a reload may come meanwhile */
	char *name, *url, *device, *sae;
	enum kme_dialect_kind dialect;
	/* which KME of the link it is */
	unsigned int node;
	bool takes_key, is_over, is_up;
	struct qlink_why why;
	/* of the key that was taken; 0 for none */
	size_t key_bits;
};

/* --- the report --- */

static json_t *number_or_null(int64_t number)
{
	return number < 0 ? json_null() : json_integer(number);
}

static json_t *text_or_null(const char *text)
{
	return *text ? json_string(text) : json_null();
}

static json_t *keys_report(const struct kme_status *status)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "key_bits", number_or_null(status->key_size),
			 "min_key_bits", number_or_null(status->min_key_size),
			 "max_key_bits", number_or_null(status->max_key_size),
			 "max_per_request", number_or_null(status->max_key_per_request),
			 "stored", number_or_null(status->stored_key_count),
			 "max_stored", number_or_null(status->max_key_count));
}

/* What the link has found out, which a single status does not show. */
static json_t *learned_report(const struct check *check)
{
	const struct link *link = agent_find_link(check->agent, check->device);
	const struct kme_server *server;

	if (!link || check->node >= link->config->n_kmes)
		return json_null();
	server = stocks_server(link->stocks, check->node);
	return json_pack("{s:s, s:I}", "method", kme_method_name(server->method[KME_OP_ENC]),
			 "batch", (json_int_t)server->batch);
}

static json_t *report(const struct check *check)
{
	const struct kme_server *server = kme_server(check->client, 0);
	const struct kme_times *times = &server->times;

	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:b, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:I, s:o, s:o}",
			 "kme", check->name, "dialect", kme_dialect_name(check->dialect), "url", check->url,
			 "link", check->device, "sae", check->sae,
			 "answered", check->is_up,
			 "well", check->is_up && !check->why.text[0],
			 "why", text_or_null(check->why.text),
			 "tls", status_terms(&server->terms),
			 "master", text_or_null(server->status.master),
			 "slave", text_or_null(server->status.slave),
			 "keys", keys_report(&server->status),
			 "learned", learned_report(check),
			 "connect_ms", (json_int_t)times->connect_ms,
			 "answer_ms", (json_int_t)times->answer_ms,
			 "clock_ahead_s", times->has_clock ? json_integer(times->ahead_s) : json_null(),
			 "taken_bits", check->key_bits ? json_integer((json_int_t)check->key_bits) :
							 json_null());
}

/* --- what the client reports --- */

static void on_health(void *arg, unsigned int node, enum kme_health health, const struct qlink_why *why)
{
	struct check *check = arg;
	int err;

	(void)node;
	if (check->is_over)
		return;
	check->is_up = health == KME_HEALTH_UP;
	check->why = *why;
	check->is_over = !check->is_up || !check->takes_key;
	if (check->is_over)
		return;
	err = kme_get_keys(check->client, 0, 1);
	if (err)
		qlink_refuse(&check->why, err, "cannot be asked for a key: %s", strerror(-err));
	check->is_over = err;
}

static void on_answer(void *arg, const struct kme_answer *answer)
{
	struct check *check = arg;

	check->is_over = true;
	if (answer->n_keys)
		check->key_bits = answer->keys[0].len * 8;
	else
		check->why = answer->why;
	if (!answer->n_keys && !check->why.text[0])
		qlink_refuse(&check->why, -ENODATA, "gives no key");
}

static void on_ready(void *arg)
{
	struct check *check = arg;

	event_active(check->event, EV_READ, 0);
}

static void on_event(evutil_socket_t fd, short what, void *arg)
{
	struct check *check = arg;

	(void)fd;
	(void)what;
	kme_loop_run(check->loop);
	kme_run(check->client);
	if (!check->is_over)
		return;
	event_del(check->event);
	check->done(check->arg, report(check));
}

/* --- life --- */

/* The first link that uses the KME, or this one, and as which of its own; NULL for none. */
static const struct config_link *find_link(const struct config *config, uint32_t kme, const char *device,
					   unsigned int *node)
{
	size_t i;

	for (i = 0; i < config->n_links; i++) {
		if (device && strcmp(config->links[i].device, device))
			continue;
		for (*node = 0; *node < config->links[i].n_kmes; ++*node) {
			if (config->links[i].kmes[*node] == kme)
				return &config->links[i];
		}
	}
	return NULL;
}

static int start_client(struct check *check, const struct config *config, const struct config_kme *kme,
			const struct config_link *link, struct qlink_why *why)
{
	static const struct kme_ops ops = { .answer = on_answer, .health = on_health, .ready = on_ready };
	const struct kme_conf conf = {
		.sae = check->sae,
		.name = config->agent.name,
		.peer = link->peer_name,
		.nodes = &kme->node,
		.n_nodes = 1,
		.connect_ms = config->agent.kme_connect_ms,
		.timeout_ms = config->agent.kme_timeout_ms,
		.retry_min_ms = config->agent.kme_retry_ms,
		.retry_max_ms = config->agent.kme_retry_ms,
	};
	int err = kme_loop_new(&check->loop);

	if (err)
		return qlink_refuse(why, err, "%s", strerror(-err));
	err = kme_new(&conf, check->loop, &ops, check, &check->client, why);
	if (err)
		return err;
	check->event = event_new(check->agent->base, kme_loop_fd(check->loop), EV_READ | EV_PERSIST, on_event,
				 check);
	if (!check->event || event_add(check->event, NULL))
		return qlink_refuse(why, -ENOMEM, "no memory");
	/* The first run sends the request. */
	event_active(check->event, EV_READ, 0);
	return 0;
}

static int start(struct check *check, const struct config_kme *kme, const struct config_link *link,
		 struct qlink_why *why)
{
	check->dialect = kme->node.dialect;
	check->name = strdup(kme->name);
	check->url = strdup(kme->node.url);
	check->device = strdup(link->device);
	check->sae = strdup(link->sae);
	if (!check->name || !check->url || !check->device || !check->sae)
		return qlink_refuse(why, -ENOMEM, "no memory");
	return start_client(check, &check->agent->now.config, kme, link, why);
}

int check_start(struct check **out, const struct agent *agent, const char *name,
		const char *device, bool takes_key, void (*done)(void *arg, json_t *report), void *arg,
		struct qlink_why *why)
{
	const struct config *config = &agent->now.config;
	const struct config_link *link;
	struct check *check;
	unsigned int node;
	uint32_t i;
	int err;

	for (i = 0; i < config->n_kmes && strcmp(config->kmes[i].name, name); i++)
		;
	if (i == config->n_kmes)
		return qlink_refuse(why, -ENOENT, "kme %.60s: there is no such section", name);
	link = find_link(config, i, device, &node);
	if (!link && device)
		return qlink_refuse(why, -ENOENT, "link %.20s: there is none that uses kme %.60s", device, name);
	if (!link)
		return qlink_refuse(why, -ENOENT, "kme %.60s: no link uses it, so that there is no SAE to ask about",
				    name);
	check = calloc(1, sizeof(*check));
	if (!check)
		return qlink_refuse(why, -ENOMEM, "no memory");
	check->agent = agent;
	check->done = done;
	check->arg = arg;
	check->node = node;
	check->takes_key = takes_key;
	err = start(check, &config->kmes[i], link, why);
	if (err)
		check_free(check);
	else
		*out = check;
	return err;
}

void check_free(struct check *check)
{
	if (!check)
		return;
	if (check->event)
		event_free(check->event);
	kme_free(check->client);
	kme_loop_free(check->loop);
	free(check->name);
	free(check->url);
	free(check->device);
	free(check->sae);
	free(check);
}
