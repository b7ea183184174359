// SPDX-License-Identifier: GPL-2.0-or-later
/* The agent: all its peers and links on one loop. */
#include "agent.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>

#include "expiry.h"
#include "qlinkd/base/field.h"
#include "qlinkd/config/reload.h"
#include "qlinkd/kme/loop.h"
#include "qlinkd/link/seenkeys.h"

/* Between two beats. */
#define BEAT_MS		1000
/* Between two signatures of the audit log: a cut at its end is noticed up to the last one. */
#define CHECKPOINT_MS	3600000
/* Beats between two checks of a certificate, beside those when it expires; those of peers a few at each beat. */
#define RECHECK_BEATS	60
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

struct link *agent_find_link(const struct agent *agent, const char *device)
{
	struct setup_link *entry = setup_find_link(&agent->now, device);

	return entry ? entry->link : NULL;
}

/* --- events of devices --- */

static void notice(struct agent *agent, const struct qlink_event *event)
{
	size_t i;

	for (i = 0; i < agent->now.n_links; i++) {
		struct setup_link *entry = agent->now.links[i];

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

static void on_kmes(evutil_socket_t fd, short what, void *arg)
{
	struct agent *agent = arg;

	(void)fd;
	(void)what;
	kme_loop_run(agent->services.kmes);
}

static void on_state(evutil_socket_t fd, short what, void *arg)
{
	struct agent *agent = arg;
	eventfd_t n;
	size_t i;

	(void)what;
	eventfd_read(fd, &n);
	for (i = 0; i < agent->now.n_links; i++)
		link_kept(agent->now.links[i]->link);
}

/* --- peers --- */

static void on_entered(void *arg, const char *name, struct connection *connection)
{
	struct agent *agent = arg;
	struct peer *peer = setup_find_peer(&agent->now, name);

	/* The listener takes only names of @now, see open_listener(). */
	if (peer)
		peer_adopt(peer, connection);
}

/* Begins to listen; or, after a reload, goes on with the new peers. */
static int open_listener(struct agent *agent, struct qlink_why *why)
{
	static const struct listener_ops ops = { .accepted = on_entered };
	const struct setup *now = &agent->now;

	if (agent->listener)
		listener_renew(agent->listener, &now->config, now->names);
	if (agent->listener || !now->config.agent.listen.addr.len)
		return 0;
	return listener_open(&agent->listener, &now->config, now->names, &agent->services,
			     agent->base, now->context, &ops, agent, why);
}

/* --- keys that were used before the start --- */

static struct link *find_escaped(const struct agent *agent, const char *device)
{
	char escaped[AUDIT_LINK_TEXT];
	size_t i;

	if (!strchr(device, '\\'))
		return agent_find_link(agent, device);
	for (i = 0; i < agent->now.n_links; i++) {
		const char *name = agent->now.links[i]->link->config->device;

		field_escape(escaped, sizeof(escaped), name, strlen(name), FIELD_STYLE_JSON);
		if (!strcmp(escaped, device))
			return agent->now.links[i]->link;
	}
	return NULL;
}

static void on_used_key(void *arg, const struct audit_key *key)
{
	struct bytes id = { (const uint8_t *)key->id, key->id_len };
	struct link *link = find_escaped(arg, key->link);

	if (link)
		seenkeys_remember(link, !strcmp(key->direction, "tx"), key->kme, &id);
}

/* --- the loop --- */

/* Each change of how the links stand, for "systemctl status". */
static void tell_overview(struct agent *agent)
{
	struct overview overview = { .worst = NULL };
	char links[OVERVIEW_TEXT], text[sizeof(agent->overview)];
	size_t i;

	for (i = 0; i < agent->now.n_links; i++)
		overview_add(&overview, agent->now.links[i]->link);
	snprintf(text, sizeof(text), "%s%s%s", overview_text(&overview, links),
		 agent->refused[0] ? "; reload refused: " : "", agent->refused);
	if (!strcmp(text, agent->overview))
		return;
	memcpy(agent->overview, text, sizeof(text));
	notify_send(&agent->notify, "STATUS=%s", text);
}

static void look_at_peer(struct peer *peer)
{
	peer_recheck(peer);
	peer_grow_old(peer);
}

/*
 * The watchdog shows progress: every link has the broker read its device once a second in this
 * loop, and a broker that does not answer ends the loop.
 */
static void on_beat(evutil_socket_t fd, short what, void *arg)
{
	struct agent *agent = arg;
	size_t i;

	(void)fd;
	(void)what;
	for (i = 0; i < agent->now.n_peers; i++)
		peer_watch(agent->now.peers[i], time(NULL));
	if (agent->n_beats % RECHECK_BEATS == 0)
		expiry_check(&agent->now, &agent->services, time(NULL));
	for (i = agent->n_beats++ % RECHECK_BEATS; i < agent->now.n_peers; i += RECHECK_BEATS)
		look_at_peer(agent->now.peers[i]);
	services_watch_audit(&agent->services);
	services_watch_state(&agent->services);
	/* The disk may have failed at the start. */
	if (agent->services.audit)
		audit_each_installed(agent->services.audit, on_used_key, agent);
	notify_send(&agent->notify, "WATCHDOG=1");
	tell_overview(agent);
	add_timer(agent->beat, agent->notify.watchdog_ms &&
		  agent->notify.watchdog_ms < BEAT_MS ? agent->notify.watchdog_ms : BEAT_MS);
}

static void on_signal(evutil_socket_t number, short what, void *arg)
{
	struct agent *agent = arg;
	struct config_error error;
	struct timespec now;

	(void)what;
	if (number != SIGHUP) {
		stop(agent, 0);
		return;
	}
	clock_gettime(CLOCK_MONOTONIC, &now);
	notify_send(&agent->notify, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
		   (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000);
	agent_reload(agent, &error);
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
	agent->kmes_event = event_new(agent->base, kme_loop_fd(agent->services.kmes), EV_READ | EV_PERSIST,
				      on_kmes, agent);
	agent->beat = evtimer_new(agent->base, on_beat, agent);
	if (!agent->monitor_event || !agent->kmes_event || !agent->beat)
		return -ENOMEM;
	event_add(agent->monitor_event, NULL);
	event_add(agent->kmes_event, NULL);
	add_timer(agent->beat, 0);
	return 0;
}

/* --- life --- */

static int open_audit(struct agent *agent, struct qlink_why *why)
{
	const struct config_agent *config = &agent->now.config.agent;
	const struct audit_settings settings = {
		.folder = config->audit_log,
		.agent = config->name,
		.file_bytes = (uint64_t)config->audit_file_mib << 20,
		.file_ms = config->audit_file_hours * 3600000ULL,
		.checkpoint_ms = CHECKPOINT_MS,
	};
	struct qlink_why cause;
	int err = audit_open(&agent->services.audit, &settings, credentials_key(agent->now.own), &cause);

	if (err)
		return qlink_refuse(why, err, "audit log %s", cause.text);
	services_watch_audit(&agent->services);
	audit_each_installed(agent->services.audit, on_used_key, agent);
	return 0;
}

/* Says which links the state file is for; the places of others in it may be used again. */
static void name_links(struct agent *agent)
{
	const struct config *config = &agent->now.config;
	size_t i;

	if (!agent->services.state)
		return;
	state_begin_links(agent->services.state);
	for (i = 0; i < config->n_links; i++)
		state_add_link(agent->services.state, config->links[i].peer_name,
			       config->links[i].device);
}

static int open_state(struct agent *agent, struct qlink_why *why)
{
	const struct config_agent *config = &agent->now.config.agent;
	const struct state_settings settings = {
		.path = config->state, .key = config->state_key, .agent = config->name,
	};
	int err = config->state ? state_open(&agent->services.state, &settings, why) : 0;

	if (err || !config->state)
		return err;
	agent->state_event = event_new(agent->base, state_fd(agent->services.state),
				       EV_READ | EV_PERSIST, on_state, agent);
	if (!agent->state_event || event_add(agent->state_event, NULL))
		return qlink_refuse(why, -ENOMEM, "no memory");
	name_links(agent);
	services_tell_state(&agent->services, config->state);
	return 0;
}

static int refuse(const struct agent *agent, int err, const struct qlink_why *why,
		  struct config_error *error)
{
	config_error_at(error, agent->path, agent->now.config.agent.line, "agent: %s", why->text);
	return err;
}

static struct setup_owner owner_of(struct agent *agent)
{
	return (struct setup_owner){ .services = &agent->services, .base = agent->base };
}

static int open_all(struct agent *agent, struct qlink_why *why)
{
	int err = notify_open(&agent->notify, why);

	if (!err)
		err = open_state(agent, why);
	if (!err)
		err = open_audit(agent, why);
	if (!err && add_events(agent))
		err = qlink_refuse(why, -ENOMEM, "no memory");
	if (!err)
		err = open_listener(agent, why);
	return err;
}

int agent_open(struct agent *agent, struct config_error *error)
{
	struct setup_owner owner;
	struct setup next;
	struct qlink_why why;
	int err;

	agent->began = services_now();
	agent->base = event_base_new();
	if (!agent->base || kme_loop_new(&agent->services.kmes))
		return refuse(agent, -ENOMEM, &(struct qlink_why){ "no memory" }, error);
	owner = owner_of(agent);
	err = setup_build(&next, &agent->now, agent->path, 0, &owner, error);
	if (err)
		return err;
	setup_swap(&agent->now, &next);
	err = open_all(agent, &why);
	return err ? refuse(agent, err, &why, error) : 0;
}

int agent_run(struct agent *agent)
{
	TELL(&agent->services, LOG_INFO, "started", TEXT("name", agent->now.config.agent.name),
	     NUMBER_OF("links", agent->now.n_links), NUMBER_OF("peers", agent->now.n_peers));
	/* Without a self-test that passed, the agent does not come this far. */
	AUDIT(&agent->services, "started", TEXT("version", QLINK_VERSION), TEXT("self_test", "passed"));
	notify_send(&agent->notify, "READY=1");
	event_base_dispatch(agent->base);
	if (agent->services.broker.is_dead)
		agent->err = -EPIPE;
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
	static const struct setup nothing;
	size_t i;

	listener_close(agent->listener);
	for (i = 0; i < 3; i++)
		free_event(agent->signals[i]);
	free_event(agent->monitor_event);
	free_event(agent->kmes_event);
	free_event(agent->state_event);
	free_event(agent->beat);
	setup_discard(&agent->now, &nothing);
	if (!state_close(agent->services.state))
		TELL(&agent->services, LOG_ERR, "state-lost", TEXT("why", "the disk fails or is too slow"));
	kme_loop_free(agent->services.kmes);
	audit_close(agent->services.audit);
	seen_free(&agent->services.keys_seen);
	notify_close(&agent->notify);
	if (agent->base)
		event_base_free(agent->base);
}

/* --- another configuration --- */

int agent_check(const char *path, struct config_error *error)
{
	static const struct setup nothing;
	struct services services = { .audit = NULL };
	struct setup_owner owner = { .services = &services, .base = event_base_new() };
	struct setup setup;
	int err;

	err = owner.base ? kme_loop_new(&services.kmes) : -ENOMEM;
	if (err)
		config_error_at(error, path, 0, "%s", strerror(-err));
	else
		err = setup_build(&setup, &nothing, path, time(NULL), &owner, error);
	if (!err)
		setup_discard(&setup, &nothing);
	kme_loop_free(services.kmes);
	if (owner.base)
		event_base_free(owner.base);
	return err;
}

static int refuse_agent(const struct agent *agent, const struct setup *next,
			struct config_error *error)
{
	if (reload_same_agent(&agent->now.config, &next->config))
		return 0;
	config_error_at(error, agent->path, next->config.agent.line,
			"agent: has changed, which needs a restart");
	return -EBUSY;
}

/* Builds what the file says now, and refuses all that can be refused before anything changes. */
static int build_next(struct agent *agent, struct setup *next, struct config_error *error)
{
	const struct setup_owner owner = owner_of(agent);
	int err = setup_build(next, &agent->now, agent->path, time(NULL), &owner, error);

	if (err)
		return err;
	err = refuse_agent(agent, next, error);
	if (err)
		setup_discard(next, &agent->now);
	return err;
}

int agent_try_reload(struct agent *agent,
		     void (*use)(void *arg, const struct setup *now, const struct setup *next),
		     void *arg, struct config_error *error)
{
	struct setup next;
	int err = build_next(agent, &next, error);

	if (err)
		return err;
	use(arg, &agent->now, &next);
	setup_discard(&next, &agent->now);
	return 0;
}

/* The broker comes last: it has no way back. */
static int reload(struct agent *agent, struct config_error *error)
{
	struct setup next;
	struct request request = { 0 };
	struct qlink_why why;
	int err = build_next(agent, &next, error);

	if (err)
		return err;
	request.digest = next.config.digest;
	err = broker_ask(&agent->services.broker, REQUEST_RELOAD, NULL, &request, &why);
	if (err) {
		config_error_at(error, agent->path, 0, "the broker: %s", why.text);
		setup_discard(&next, &agent->now);
		return err;
	}
	setup_swap(&agent->now, &next);
	name_links(agent);
	if (agent->services.audit)
		audit_use_key(agent->services.audit, credentials_key(agent->now.own));
	/* The listener is open, or there is none: nothing can fail. */
	return open_listener(agent, &why);
}

int agent_reload(struct agent *agent, struct config_error *error)
{
	int err = reload(agent, error);

	snprintf(agent->refused, sizeof(agent->refused), "%.199s", err ? error->text : "");
	if (err) {
		TELL(&agent->services, LOG_ERR, "reload-failed", TEXT("why", error->text));
		AUDIT(&agent->services, "reload_failed", TEXT("why", error->text));
		return err;
	}
	agent->reloads++;
	TELL(&agent->services, LOG_INFO, "reloaded", NUMBER_OF("links", agent->now.n_links),
	     NUMBER_OF("peers", agent->now.n_peers));
	AUDIT(&agent->services, "reloaded", NUMBER_OF("links", agent->now.n_links),
	      NUMBER_OF("peers", agent->now.n_peers));
	expiry_check(&agent->now, &agent->services, time(NULL));
	return 0;
}
