// SPDX-License-Identifier: GPL-2.0-or-later
/* Everything that a configuration asks for: built aside, then swapped in whole. */
#include "setup.h"

#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>

#include "qlinkd/audit/folder.h"
#include "qlinkd/config/reload.h"
#include "qlinkd/peer/reach.h"

/* How often the links of an agent together read their devices when nothing happens, at most. */
#define LOOKS_A_SECOND	250

static int refuse_memory(const struct setup *next, struct config_error *error)
{
	config_error_at(error, next->config.path, 0, "no memory");
	return -ENOMEM;
}

/* --- a link on the loop --- */

static void add_timer(struct event *timer, uint64_t ms)
{
	const struct timeval wait = { .tv_sec = (time_t)(ms / 1000),
				      .tv_usec = (suseconds_t)(ms % 1000 * 1000) };

	event_add(timer, &wait);
}

/* Runs what is due and sets the timer anew: any event may have moved the deadline. */
static void run_link(struct setup_link *entry)
{
	uint64_t now, deadline;

	link_run(entry->link);
	now = services_now();
	deadline = link_deadline(entry->link);
	add_timer(entry->timer, deadline > now ? deadline - now : 0);
	if (entry->services->broker.is_dead)
		event_base_loopbreak(entry->base);
}

static void on_link(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	run_link(arg);
}

static void on_say(void *arg, const uint8_t *data, size_t len)
{
	struct setup_link *entry = arg;

	peer_send(entry->peer, entry->link, data, len);
}

static void on_hang_up(void *arg, const char *why)
{
	struct setup_link *entry = arg;

	peer_hang_up(entry->peer, why);
}

static void on_left(void *arg)
{
	struct setup_link *entry = arg;

	peer_left(entry->peer);
}

static const char *on_taken_by(void *arg, uint16_t id)
{
	const struct setup_link *entry = arg;
	const struct link *other = peer_id_owner(entry->peer, entry->link, id);

	return other ? other->config->device : NULL;
}

/* A message of the peer may have moved the deadline, or a request to a KME is over. */
static void on_kick(void *arg)
{
	struct setup_link *entry = arg;

	event_active(entry->timer, EV_TIMEOUT, 0);
}

static void free_link(struct setup_link *entry)
{
	if (!entry)
		return;
	if (entry->peer)
		peer_remove_link(entry->peer, entry->link);
	if (entry->timer)
		event_free(entry->timer);
	link_free(entry->link);
	free(entry);
}

/* A policy that was tightened holds before the reload returns, whether there is a peer or not. */
static void start_link(struct setup_link *entry)
{
	link_restrict(entry->link);
	peer_add_link(entry->peer, entry->link);
	add_timer(entry->timer, 0);
}

static int build_link(struct setup *next, const struct config_link *config,
		      const struct setup_owner *owner, struct config_error *error)
{
	static const struct link_ops ops = {
		.say = on_say, .kick = on_kick, .hang_up = on_hang_up, .left = on_left,
		.taken_by = on_taken_by,
	};
	struct setup_link *entry = calloc(1, sizeof(*entry));
	struct qlink_why why;
	int err;

	if (!entry)
		return refuse_memory(next, error);
	entry->services = owner->services;
	entry->base = owner->base;
	err = link_new(&entry->link, &next->config, config, owner->services, &ops, entry, &why);
	if (!err)
		entry->timer = evtimer_new(entry->base, on_link, entry);
	if (!err && !entry->timer)
		err = qlink_refuse(&why, -ENOMEM, "no memory");
	if (err) {
		config_error_at(error, next->config.path, config->line, "link %s: %s",
				config->device, why.text);
		free_link(entry);
		return err;
	}
	entry->peer = setup_find_peer(next, config->peer_name);
	next->links[next->n_links++] = entry;
	return 0;
}

/* --- what is shared --- */

struct peer *setup_find_peer(const struct setup *setup, const char *name)
{
	size_t i;

	for (i = 0; i < setup->n_peers; i++) {
		if (!strcmp(setup->peers[i]->config->name, name))
			return setup->peers[i];
	}
	return NULL;
}

struct setup_link *setup_find_link(const struct setup *setup, const char *device)
{
	size_t i;

	for (i = 0; i < setup->n_links; i++) {
		if (!strcmp(setup->links[i]->link->config->device, device))
			return setup->links[i];
	}
	return NULL;
}

static bool has_peer(const struct setup *setup, const struct peer *peer)
{
	return setup_find_peer(setup, peer->config->name) == peer;
}

static bool has_link(const struct setup *setup, const struct setup_link *entry)
{
	return setup_find_link(setup, entry->link->config->device) == entry;
}

/* --- building --- */

static int build_peers(struct setup *next, const struct setup *now,
		       const struct setup_owner *owner, struct config_error *error)
{
	struct peer *peer;
	size_t i, n_names = 0;

	for (i = 0; i < next->config.n_peers; i++) {
		const struct config_peer *config = &next->config.peers[i];

		peer = setup_find_peer(now, config->name);
		if ((!peer || !endpoint_same(&peer->config->address, &config->address)) &&
		    peer_new(&peer, next->config.agent.name, config, owner->services, owner->base,
			     now->context ?: next->context))
			return refuse_memory(next, error);
		next->peers[next->n_peers++] = peer;
		if (!peer->dials)
			next->names[n_names++] = config->name;
	}
	return 0;
}

static size_t count_links(const struct setup *next, const char *peer)
{
	size_t i, n = 0;

	for (i = 0; i < next->config.n_links; i++)
		n += !strcmp(next->config.links[i].peer_name, peer);
	return n;
}

/* Peers have room for all their links before any is added. */
static int reserve_links(const struct setup *next, struct config_error *error)
{
	size_t i;

	for (i = 0; i < next->n_peers; i++) {
		if (peer_reserve_links(next->peers[i],
				       count_links(next, next->config.peers[i].name)))
			return refuse_memory(next, error);
	}
	return 0;
}

/* Whether the link that runs can go on. The file of its pre-shared secret is read again. */
static bool is_same_link(const struct setup *next, const struct setup *now,
			 const struct config_link *config)
{
	return reload_same_link(&now->config, &next->config, config->device) &&
	       link_same_psk(setup_find_link(now, config->device)->link, config->psk);
}

static int build_links(struct setup *next, const struct setup *now,
		       const struct setup_owner *owner, struct config_error *error)
{
	size_t i;
	int err;

	for (i = 0; i < next->config.n_links; i++) {
		const struct config_link *config = &next->config.links[i];

		if (is_same_link(next, now, config)) {
			next->links[next->n_links++] = setup_find_link(now, config->device);
			continue;
		}
		err = build_link(next, config, owner, error);
		if (err)
			return err;
	}
	return 0;
}

/* Loads files; the same bytes as before are the same credentials as before. */
static int load(struct credentials **to, const struct credentials_files *files,
		struct credentials *before, struct qlink_why *why)
{
	int err = credentials_load(to, files, why);

	if (!err && before && credentials_same(*to, before)) {
		credentials_put(*to);
		*to = credentials_get(before);
	}
	return err;
}

static struct credentials *find_kme(const struct setup *setup, const char *name)
{
	size_t i;

	for (i = 0; i < setup->config.n_kmes; i++) {
		if (!strcmp(setup->config.kmes[i].name, name))
			return setup->kmes[i];
	}
	return NULL;
}

static int load_own(struct setup *next, const struct setup *now, time_t when,
		    struct config_error *error)
{
	const struct config_agent *agent = &next->config.agent;
	const struct credentials_files files = {
		.certificate = agent->certificate,
		.key = agent->key,
		.ca = agent->ca,
		.crl = agent->crl,
		.name = agent->name,
		.now = when,
	};
	struct qlink_why why;
	int err = load(&next->own, &files, now->own, &why) ?:
		  tls_context_new(&next->context, next->own, NULL, &why);

	return err ? config_error_at(error, next->config.path, agent->line, "agent: %s",
				     why.text) : 0;
}

/* A connection that a link demands and that this end can never have would be refused for ever. */
static int check_suites(const struct setup *next, struct config_error *error)
{
	unsigned int most = tls_context_suite(next->context);
	size_t i;

	for (i = 0; i < next->config.n_links; i++) {
		const struct config_link *link = &next->config.links[i];

		if (link->suite_least > most)
			return config_error_at(error, next->config.path, link->line,
					       "link %s: suite-least %u: needs an agent's certificate with a key of type"
					       " ML-DSA-87", link->device, link->suite_least);
	}
	return 0;
}

/*
 * For load_kmes(). A bad file of a KME is refused where somebody waits who can mend it: by "qlinkd -n" and by a reload,
 * after which all goes on as before. At a start nothing goes on, perhaps after a power failure and
 * with nobody there: then only this KME is down, and says why. The agent's own files are
 * another matter, because without them there is no peer and so no key.
 */
static int take_trouble(const struct setup *next, struct config_kme *kme, int err, time_t when,
			struct config_error *error)
{
	if (when || err == -ENOMEM)
		return config_error_at(error, next->config.path, kme->line, "kme %s: %s", kme->name,
				       kme->trouble.text);
	kme->node.trouble = kme->trouble.text;
	return 0;
}

static int load_kmes(struct setup *next, const struct setup *now, time_t when,
		     struct config_error *error)
{
	size_t i;
	int err;

	for (i = 0; i < next->config.n_kmes; i++) {
		struct config_kme *kme = &next->config.kmes[i];
		const struct credentials_files files = {
			.certificate = kme->node.certificate,
			.key = kme->node.key,
			.ca = kme->node.ca,
			.crl = kme->node.crl,
			.psk_file = kme->node.psk_file,
			.psk_id = kme->node.psk_id,
			.psk_hash = kme->node.psk_hash,
			.now = when,
		};

		/* It reads its key when it is asked. */
		if (kme_dialect_is_file(kme->node.dialect))
			continue;
		err = load(&next->kmes[i], &files, find_kme(now, kme->name), &kme->trouble);
		if (err && take_trouble(next, kme, err, when, error))
			return err;
		kme->node.credentials = next->kmes[i];
	}
	return 0;
}

/* A disk that fails is not refused: it may be the same configuration that works later. */
static int check_audit(const struct setup *next, struct config_error *error)
{
	const struct config_agent *agent = &next->config.agent;
	struct qlink_why why;
	int err = audit_folder_check(agent->audit_log, &why);

	return err ? config_error_at(error, next->config.path, agent->line, "agent: audit log %s",
				     why.text) : 0;
}

static int check_state(const struct setup *next, struct config_error *error)
{
	const struct config_agent *agent = &next->config.agent;
	const struct state_settings settings = {
		.path = agent->state, .key = agent->state_key, .agent = agent->name,
	};
	struct qlink_why why;
	int err = agent->state ? state_check(&settings, &why) : 0;

	return err ? config_error_at(error, next->config.path, agent->line, "agent: %s", why.text) : 0;
}

/* Members of this group may operate, besides root and the agent's user. */
static int find_operators(struct setup *next, struct config_error *error)
{
	const struct config_agent *agent = &next->config.agent;
	const struct group *group = agent->operators ? getgrnam(agent->operators) : NULL;

	if (agent->operators && !group)
		return config_error_at(error, next->config.path, agent->line,
				       "agent: operators %s: there is no such group",
				       agent->operators);
	next->has_operators = group;
	next->operators = group ? group->gr_gid : 0;
	return 0;
}

static int allocate(struct setup *next, struct config_error *error)
{
	next->kmes = calloc(next->config.n_kmes + 1, sizeof(struct credentials *));
	next->names = calloc(next->config.n_peers + 1, sizeof(*next->names));
	next->peers = calloc(next->config.n_peers + 1, sizeof(struct peer *));
	next->links = calloc(next->config.n_links + 1, sizeof(struct setup_link *));
	return next->kmes && next->names && next->peers && next->links ? 0 :
	       refuse_memory(next, error);
}

int setup_build(struct setup *next, const struct setup *now, const char *path, time_t when,
		const struct setup_owner *owner, struct config_error *error)
{
	int err;

	memset(next, 0, sizeof(*next));
	err = config_read(&next->config, path, error) ?: reach_check(&next->config, error) ?:
	      check_audit(next, error) ?: check_state(next, error) ?: find_operators(next, error) ?:
	      allocate(next, error) ?: load_own(next, now, when, error) ?:
	      check_suites(next, error) ?: load_kmes(next, now, when, error) ?: build_peers(next, now, owner, error) ?:
	      reserve_links(next, error) ?: build_links(next, now, owner, error);
	if (err)
		setup_discard(next, now);
	return err;
}

/* Frees the links and peers of @old that @next does not share. */
static void free_gone(struct setup *old, const struct setup *next)
{
	size_t i;

	for (i = 0; i < old->n_links; i++) {
		if (!has_link(next, old->links[i]))
			free_link(old->links[i]);
	}
	for (i = 0; i < old->n_peers; i++) {
		if (!has_peer(next, old->peers[i]))
			peer_free(old->peers[i]);
	}
}

static void free_rest(struct setup *setup)
{
	size_t i;

	for (i = 0; setup->kmes && i < setup->config.n_kmes; i++)
		credentials_put(setup->kmes[i]);
	credentials_put(setup->own);
	free(setup->kmes);
	free(setup->names);
	free(setup->peers);
	free(setup->links);
	config_free(&setup->config);
	memset(setup, 0, sizeof(*setup));
}

void setup_discard(struct setup *next, const struct setup *now)
{
	free_gone(next, now);
	tls_context_free(next->context);
	free_rest(next);
}

const char *setup_change(const struct setup *now, const struct setup *next, const char *device)
{
	const struct setup_link *before = setup_find_link(now, device);
	const struct setup_link *after = setup_find_link(next, device);

	if (!before)
		return "new";
	if (!after)
		return "gone";
	return before == after ? "kept" : "changed";
}

/* --- taking effect --- */

/*
 * What is kept refers to the new configuration from here on. This comes before anything is freed: the end of a
 * request makes room for one that waits, which must not go with the old credentials.
 */
static void renew_links(struct setup *next)
{
	size_t i;

	for (i = 0; i < next->n_links; i++) {
		if (next->links[i]->is_running)
			link_renew(next->links[i]->link, &next->config, &next->config.links[i]);
	}
}

static void start_all(struct setup *now)
{
	size_t i;

	if (now->n_links)
		now->links[0]->services->look_ms = now->n_links * 1000 / LOOKS_A_SECOND;
	for (i = 0; i < now->n_peers; i++)
		peer_start(now->peers[i], &now->config.peers[i]);
	for (i = 0; i < now->n_links; i++) {
		struct setup_link *entry = now->links[i];

		if (!entry->is_running)
			start_link(entry);
		entry->is_running = true;
	}
}

void setup_swap(struct setup *now, struct setup *next)
{
	struct setup old = *now;
	bool has_renewed = old.own && old.own != next->own;
	size_t i;

	renew_links(next);
	free_gone(&old, next);
	if (old.context) {
		tls_context_take(old.context, next->context);
		tls_context_free(next->context);
		next->context = old.context;
	}
	*now = *next;
	memset(next, 0, sizeof(*next));
	start_all(now);
	for (i = 0; has_renewed && i < now->n_peers; i++) {
		peer_recheck(now->peers[i]);
		peer_renew(now->peers[i]);
	}
	free_rest(&old);
}
