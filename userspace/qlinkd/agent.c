// SPDX-License-Identifier: GPL-2.0-or-later
/* The agent: all its peers and links on one loop. */
#include "agent.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "qlinkd/config/reload.h"
#include "qlinkd/credentials/credentials.h"
#include "qlinkd/peer/reach.h"

/* Between two beats. */
#define BEAT_MS		1000
/* Between two signatures of the audit log: a cut at its end is noticed up to the last one. */
#define CHECKPOINT_MS	3600000
/* Events of devices to handle in one turn of the loop, at most. */
#define TURN		64

static void add_timer(struct event *timer, uint64_t ms)
{
	const struct timeval wait = { .tv_sec = (time_t)(ms / 1000),
				      .tv_usec = (suseconds_t)(ms % 1000 * 1000) };

	event_add(timer, &wait);
}

static void stop(struct agent *agent, int err)
{
	agent->err = err;
	event_base_loopbreak(agent->base);
}

/* --- links --- */

/* Runs what is due and sets the timer anew: any event may have moved the deadline. */
static void run_link(struct agent_link *entry)
{
	uint64_t now, deadline;

	link_run(entry->link);
	now = services_now();
	deadline = link_deadline(entry->link);
	add_timer(entry->timer, deadline > now ? deadline - now : 0);
	if (entry->agent->services.broker.is_dead)
		stop(entry->agent, -EPIPE);
}

static void on_link(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	run_link(arg);
}

static void on_say(void *arg, const uint8_t *data, size_t len)
{
	struct agent_link *entry = arg;

	peer_send(entry->peer, data, len);
}

/* A message of the peer may have moved the deadline. */
static void on_kick(void *arg)
{
	struct agent_link *entry = arg;

	event_active(entry->timer, EV_TIMEOUT, 0);
}

static void on_hang_up(void *arg, const char *why)
{
	struct agent_link *entry = arg;

	peer_hang_up(entry->peer, why);
}

static const char *on_taken_by(void *arg, uint16_t id)
{
	const struct agent_link *entry = arg;
	const struct link *other = peer_id_owner(entry->peer, entry->link, id);

	return other ? other->config->device : NULL;
}

static void free_entry(struct agent_link *entry)
{
	if (!entry)
		return;
	if (entry->peer && entry->link)
		peer_remove_link(entry->peer, entry->link);
	if (entry->stock)
		event_free(entry->stock);
	if (entry->timer)
		event_free(entry->timer);
	link_free(entry->link);
	free(entry);
}

static struct peer *find_peer(const struct agent *agent, const char *name)
{
	size_t i;

	for (i = 0; i < agent->n_peers; i++) {
		if (!strcmp(agent->peers[i]->config->name, name))
			return agent->peers[i];
	}
	return NULL;
}

static int watch_link(struct agent *agent, struct agent_link *entry)
{
	int fd = stock_fd(entry->link->stock);

	entry->timer = evtimer_new(agent->base, on_link, entry);
	if (!entry->timer)
		return -ENOMEM;
	if (fd < 0)
		return 0;
	entry->stock = event_new(agent->base, fd, EV_READ | EV_PERSIST, on_link, entry);
	if (!entry->stock)
		return -ENOMEM;
	event_add(entry->stock, NULL);
	return 0;
}

static int add_link(struct agent *agent, const struct config_link *config, struct qlink_why *why)
{
	static const struct link_ops ops = {
		.say = on_say, .kick = on_kick, .hang_up = on_hang_up, .taken_by = on_taken_by,
	};
	struct agent_link **links = realloc(agent->links, (agent->n_links + 1) * sizeof(*links));
	struct agent_link *entry = links ? calloc(1, sizeof(*entry)) : NULL;
	int err;

	if (links)
		agent->links = links;
	if (!entry)
		return qlink_refuse(why, -ENOMEM, "no memory");
	entry->agent = agent;
	err = link_new(&entry->link, &agent->config, config, &agent->services, &ops, entry, why);
	if (!err && watch_link(agent, entry))
		err = qlink_refuse(why, -ENOMEM, "no memory");
	if (err) {
		free_entry(entry);
		return err;
	}
	agent->links[agent->n_links++] = entry;
	entry->peer = find_peer(agent, config->peer_name);
	if (peer_add_link(entry->peer, entry->link))
		return qlink_refuse(why, -ENOMEM, "no memory");
	add_timer(entry->timer, 0);
	return 0;
}

struct link *agent_find_link(const struct agent *agent, const char *device)
{
	size_t i;

	for (i = 0; i < agent->n_links; i++) {
		if (!strcmp(agent->links[i]->link->config->device, device))
			return agent->links[i]->link;
	}
	return NULL;
}

/* --- events of devices --- */

static void notice(struct agent *agent, const struct qlink_event *event)
{
	size_t i;

	for (i = 0; i < agent->n_links; i++) {
		struct agent_link *entry = agent->links[i];

		if (event && strcmp(entry->link->config->device, event->ifname))
			continue;
		link_notice(entry->link, event);
	}
}

static void on_monitor(evutil_socket_t fd, short what, void *arg)
{
	struct agent *agent = arg;
	struct qlink_event event;
	struct qlink_error error;
	int turn, err = 0;

	(void)fd;
	(void)what;
	for (turn = 0; turn < TURN && !err; turn++) {
		err = qlink_monitor_next(agent->monitor, &event, &error);
		if (!err)
			notice(agent, &event);
		else if (err == -ENOBUFS)
			notice(agent, NULL);
	}
}

/* --- peers --- */

static int add_peer(struct agent *agent, const struct config_peer *config, struct qlink_why *why)
{
	struct peer **peers = realloc(agent->peers, (agent->n_peers + 1) * sizeof(*peers));

	if (!peers)
		return qlink_refuse(why, -ENOMEM, "no memory");
	agent->peers = peers;
	if (peer_new(&peers[agent->n_peers], agent->config.agent.name, config, &agent->services,
		     agent->base, agent->context))
		return qlink_refuse(why, -ENOMEM, "no memory");
	agent->n_peers++;
	return 0;
}

static void on_entered(void *arg, const char *name, struct connection *connection)
{
	struct agent *agent = arg;
	struct peer *peer = find_peer(agent, name);

	if (peer)
		peer_adopt(peer, connection);
	else
		connection_free(connection);
}

static int open_listener(struct agent *agent, struct qlink_why *why)
{
	static const struct listener_ops ops = { .accepted = on_entered };
	size_t i;

	listener_close(agent->listener);
	agent->listener = NULL;
	free(agent->names);
	agent->names = calloc(agent->config.n_peers + 1, sizeof(*agent->names));
	if (!agent->names)
		return qlink_refuse(why, -ENOMEM, "no memory");
	for (i = 0; i < agent->config.n_peers; i++)
		agent->names[i] = agent->config.peers[i].name;
	if (!agent->config.agent.listen.addr.len)
		return 0;
	return listener_open(&agent->listener, &agent->config, agent->names,
			     &agent->services, agent->base, agent->context, &ops, agent, why);
}

/* --- the loop --- */

/*
 * The watchdog shows progress: every link has the broker read its device once a second in this
 * loop, and a broker that does not answer ends the loop.
 */
static void on_beat(evutil_socket_t fd, short what, void *arg)
{
	struct agent *agent = arg;

	(void)fd;
	(void)what;
	services_watch_audit(&agent->services);
	notify_send(&agent->notify, "WATCHDOG=1");
	add_timer(agent->beat, agent->notify.watchdog_ms &&
		  agent->notify.watchdog_ms < BEAT_MS ? agent->notify.watchdog_ms : BEAT_MS);
}

static void on_signal(evutil_socket_t number, short what, void *arg)
{
	struct agent *agent = arg;
	struct qlink_why why;
	struct timespec now;

	(void)what;
	if (number != SIGHUP) {
		stop(agent, 0);
		return;
	}
	clock_gettime(CLOCK_MONOTONIC, &now);
	notify_send(&agent->notify, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
		   (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000);
	if (agent_reload(agent, &why))
		TELL(&agent->services, LOG_ERR, "reload-failed", TEXT("why", why.text));
	notify_send(&agent->notify, "READY=1");
}

static int add_events(struct agent *agent)
{
	static const int numbers[] = { SIGTERM, SIGINT, SIGHUP };
	int fd = qlink_monitor_fd(agent->monitor);
	size_t i;

	for (i = 0; i < 3; i++) {
		agent->signals[i] = evsignal_new(agent->base, numbers[i], on_signal, agent);
		if (!agent->signals[i] || event_add(agent->signals[i], NULL))
			return -ENOMEM;
	}
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	agent->monitor_event = event_new(agent->base, fd, EV_READ | EV_PERSIST, on_monitor, agent);
	agent->beat = evtimer_new(agent->base, on_beat, agent);
	if (!agent->monitor_event || !agent->beat)
		return -ENOMEM;
	event_add(agent->monitor_event, NULL);
	add_timer(agent->beat, 0);
	return 0;
}

/* --- life --- */

/* Says what is wrong with the log that was found; the agent starts all the same. */
static void tell_tail(struct services *services, const struct audit_tail *tail)
{
	if (!tail->file)
		TELL(services, LOG_NOTICE, "audit-begun", NUMBER_OF("line", tail->point.number + 1));
	else if (!tail->has_checkpoint)
		TELL(services, LOG_ERR, "audit-no-checkpoint", NUMBER_OF("file", tail->file));
	if (tail->damaged[0])
		TELL(services, LOG_ERR, "audit-damaged", NUMBER_OF("file", tail->file),
		     NUMBER_OF("from-byte", tail->good), NUMBER_OF("bytes", tail->size - tail->good));
	if (tail->lost)
		TELL(services, LOG_ERR, "audit-lost", NUMBER_OF("lines", tail->lost),
		     NUMBER_OF("after-line", tail->point.number),
		     NUMBER_OF("file", tail->checkpoint.file));
}

static int open_audit(struct agent *agent, struct qlink_why *why)
{
	const struct config_agent *config = &agent->config.agent;
	const struct audit_settings settings = {
		.folder = config->audit_log,
		.agent = config->name,
		.file_bytes = (uint64_t)config->audit_file_mib << 20,
		.file_ms = config->audit_file_hours * 3600000ULL,
		.checkpoint_ms = CHECKPOINT_MS,
	};
	struct qlink_why cause;
	struct audit_tail tail;
	int err = audit_open(&agent->services.audit, &settings, tls_context_key(agent->context),
			     &tail, &cause);

	if (err)
		return qlink_refuse(why, err, "audit log %s", cause.text);
	tell_tail(&agent->services, &tail);
	return 0;
}

static int open_services(struct agent *agent, struct qlink_why *why)
{
	const struct config_agent *config = &agent->config.agent;
	const struct credentials_files files = {
		.certificate = config->certificate,
		.key = config->key,
		.ca = config->ca,
		.crl = config->crl,
		.name = config->name,
	};
	struct credentials *own;
	int err = credentials_load(&own, &files, why);

	if (err)
		return err;
	err = tls_context_new(&agent->context, own, NULL, why);
	credentials_put(own);
	return err ?: open_audit(agent, why);
}

/* Adds the peers and links of the configuration that do not exist yet. */
static int add_new(struct agent *agent, struct qlink_why *why)
{
	struct config *config = &agent->config;
	size_t i;
	int err = 0;

	for (i = 0; i < config->n_peers && !err; i++) {
		if (!find_peer(agent, config->peers[i].name))
			err = add_peer(agent, &config->peers[i], why);
	}
	for (i = 0; i < config->n_links && !err; i++) {
		if (!agent_find_link(agent, config->links[i].device))
			err = add_link(agent, &config->links[i], why);
	}
	return err;
}

int agent_read_config(struct config *config, const char *path, struct config_error *error)
{
	return config_read(config, path, error) ?: reach_check(config, error);
}

int agent_open(struct agent *agent, struct qlink_why *why)
{
	struct config_error error;
	int err = agent_read_config(&agent->config, agent->path, &error);

	if (err)
		return qlink_refuse(why, err, "%s", error.text);
	agent->began = services_now();
	agent->base = event_base_new();
	if (!agent->base)
		return qlink_refuse(why, -ENOMEM, "no memory");
	err = notify_open(&agent->notify, why);
	if (!err)
		err = open_services(agent, why);
	if (!err && add_events(agent))
		err = qlink_refuse(why, -ENOMEM, "no memory");
	if (!err)
		err = add_new(agent, why);
	if (!err)
		err = open_listener(agent, why);
	return err;
}

int agent_run(struct agent *agent)
{
	TELL(&agent->services, LOG_INFO, "started", TEXT("name", agent->config.agent.name),
	     NUMBER_OF("links", agent->n_links), NUMBER_OF("peers", agent->n_peers));
	AUDIT(&agent->services, "started", TEXT("version", QLINK_VERSION));
	notify_send(&agent->notify, "READY=1\nSTATUS=%zu link%s, %zu peer%s", agent->n_links,
		   agent->n_links == 1 ? "" : "s", agent->n_peers, agent->n_peers == 1 ? "" : "s");
	event_base_dispatch(agent->base);
	notify_send(&agent->notify, "STOPPING=1");
	AUDIT(&agent->services, "stopped", TEXT("why", agent->err ? "the broker has ended" : "a signal"));
	TELL(&agent->services, agent->err ? LOG_ERR : LOG_INFO, "stopped",
	     TEXT("why", agent->err ? "the broker has ended" : "a signal"));
	return agent->err;
}

static void free_event(struct event *event)
{
	if (event)
		event_free(event);
}

void agent_close(struct agent *agent)
{
	size_t i;

	for (i = 0; i < agent->n_links; i++)
		free_entry(agent->links[i]);
	for (i = 0; i < agent->n_peers; i++)
		peer_free(agent->peers[i]);
	listener_close(agent->listener);
	for (i = 0; i < 3; i++)
		free_event(agent->signals[i]);
	free_event(agent->monitor_event);
	free_event(agent->beat);
	tls_context_free(agent->context);
	audit_close(agent->services.audit);
	notify_close(&agent->notify);
	if (agent->base)
		event_base_free(agent->base);
	free(agent->names);
	free(agent->links);
	free(agent->peers);
	config_free(&agent->config);
}

/* --- another configuration --- */

/* Frees links and peers that changed; those that did not refer to @config from here on. */
static void keep_same(struct agent *agent, const struct config *config)
{
	const struct config_peer *peer;
	struct link *link;
	size_t i;

	for (i = agent->n_links; i--; ) {
		link = agent->links[i]->link;
		if (reload_same_link(&agent->config, config, link->config->device)) {
			link->config = config_find_link(config, link->config->device);
			continue;
		}
		free_entry(agent->links[i]);
		agent->links[i] = agent->links[--agent->n_links];
	}
	for (i = agent->n_peers; i--; ) {
		peer = config_find_peer(config, agent->peers[i]->config->name);
		if (peer && config_same_endpoint(&agent->peers[i]->config->address, &peer->address)) {
			agent->peers[i]->config = peer;
			agent->peers[i]->names[0] = peer->name;
			continue;
		}
		peer_free(agent->peers[i]);
		agent->peers[i] = agent->peers[--agent->n_peers];
	}
}

static int reload(struct agent *agent, struct qlink_why *why)
{
	struct config_error error;
	struct config config, old;
	struct qlink_why no_listener;
	int err = agent_read_config(&config, agent->path, &error);

	if (err)
		qlink_refuse(why, err, "%s", error.text);
	else if (!reload_same_agent(&agent->config, &config))
		err = qlink_refuse(why, -EBUSY,
				   "the section agent has changed, which needs a restart");
	else
		err = broker_ask(&agent->services.broker, REQUEST_RELOAD, NULL, NULL, why);
	if (err) {
		config_free(&config);
		return err;
	}
	keep_same(agent, &config);
	old = agent->config;
	agent->config = config;
	err = add_new(agent, why);
	/* Also after a failure: the listener refers to names of the old configuration. */
	if (open_listener(agent, err ? &no_listener : why) && !err)
		err = -EADDRNOTAVAIL;
	config_free(&old);
	agent->reloads++;
	TELL(&agent->services, LOG_INFO, "reloaded", NUMBER_OF("links", agent->n_links),
	     NUMBER_OF("peers", agent->n_peers));
	return err;
}

int agent_reload(struct agent *agent, struct qlink_why *why)
{
	int err = reload(agent, why);

	if (err)
		AUDIT(&agent->services, "reload_failed", TEXT("why", why->text));
	else
		AUDIT(&agent->services, "reloaded", NUMBER_OF("links", agent->n_links),
		      NUMBER_OF("peers", agent->n_peers));
	return err;
}
