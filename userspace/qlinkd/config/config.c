// SPDX-License-Identifier: GPL-2.0-or-later
/* The agent's configuration file, qlinkd.conf(5). */
#include "config.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "keyserver.h"
#include "qlinkd/agreement/policy.h"
#include "qlinkd/kme/url.h"
#include "reader.h"

/* Defaults. */
#define DEFAULT_CONTROL		"/run/qlinkd/control"
#define DEFAULT_METRICS		"/run/qlinkd/metrics"
#define DEFAULT_AUDIT_LOG	"/var/log/qlinkd/audit"
#define DEFAULT_AUDIT_MIB	64
#define DEFAULT_AUDIT_HOURS	24
#define DEFAULT_RECONNECT_HOURS	24
#define DEFAULT_CONNECT_MS	3000
#define DEFAULT_TIMEOUT_MS	5000
#define DEFAULT_RETRY_MS	30000
#define DEFAULT_STORE		20000
#define DEFAULT_OUTAGE_COVER	1000
#define DEFAULT_KEY_BYTES	64
#define DEFAULT_MAX_AGE_MS	(7 * 24 * 3600 * 1000ULL)
#define DEFAULT_FLOOR_MS	100
#define DEFAULT_CEILING_MS	120000
#define DEFAULT_RESERVE		32

#define RETRY_MIN_MS	500
/* The longest host name (RFC 1035, 2.3.4), as certificates have them. */
#define NAME_MAX_BYTES	253
#define NAME_LETTERS	"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* ---- values ---- */

/* A slash at the end means the same without it. */
static int take_url(struct reader *reader, const struct reader_option *option,
		       char **words, int n)
{
	int err = reader_take_text(reader, option, words, n);
	struct qlink_why why;
	size_t len;

	if (err)
		return err;
	for (len = strlen(words[0]); len && words[0][len - 1] == '/'; len--)
		words[0][len - 1] = '\0';
	if (url_check(words[0], &why))
		return reader_refuse(reader, "%s %s: %s", option->name, words[0], why.text);
	return 0;
}

/* Free text that a KME or a certificate has, at most option->max bytes of it. */
static int take_id(struct reader *reader, const struct reader_option *option, char **words, int n)
{
	int err = reader_take_text(reader, option, words, n);

	if (!err && strlen(words[0]) > option->max)
		return reader_refuse(reader, "%s %.40s...: has %zu bytes, and may have %u",
				     option->name, words[0], strlen(words[0]), option->max);
	return err;
}

/*
 * Names stand in certificates, in the log, in labels of metrics and in JSON. OpenSSL takes a name
 * that begins with a dot for all names that end with it.
 */
static int check_name(struct reader *reader, const char *what, const char *name)
{
	if (strlen(name) > NAME_MAX_BYTES || name[strspn(name, NAME_LETTERS ".-_")] ||
	    !strchr(NAME_LETTERS, name[0]))
		return reader_refuse(reader, "%s %.40s: must have at most %d letters, digits and -._, "
				     "and begin with a letter or a digit", what, name,
				     NAME_MAX_BYTES);
	return 0;
}

static int take_name(struct reader *reader, const struct reader_option *option, char **words,
		     int n)
{
	return reader_take_text(reader, option, words, n) ?:
	       check_name(reader, option->name, words[0]);
}

static int take_file(struct reader *reader, const struct reader_option *option, char **words,
		     int n)
{
	return reader_path.take(reader, option, words, n);
}

static int take_socket(struct reader *reader, const struct reader_option *option, char **words,
		       int n)
{
	const size_t room = sizeof(((struct sockaddr_un *)NULL)->sun_path);
	int err = reader_path.take(reader, option, words, n);

	if (!err && strlen(words[0]) >= room)
		return reader_refuse(reader, "%s %.40s...: has %zu bytes, and a socket may have %zu",
				     option->name, words[0], strlen(words[0]), room - 1);
	return err;
}

/* Lists all policies, as in "one, two or three". */
static const char *list_policies(char *text, size_t room)
{
	unsigned int policy;
	size_t len = 0;

	for (policy = POLICY_HYBRID_REQUIRED; policy_name(policy) && len < room; policy++)
		len += (size_t)snprintf(text + len, room - len, "%s%s",
					policy == POLICY_HYBRID_REQUIRED ? "" :
					policy_name(policy + 1) ? ", " : " or ",
					policy_name(policy));
	return text;
}

static int take_policy(struct reader *reader, const struct reader_option *option,
		       char **words, int n)
{
	char names[100] = "";
	unsigned int policy;

	if (reader_one_word(reader, option, n))
		return -EINVAL;
	for (policy = POLICY_HYBRID_REQUIRED; policy_name(policy); policy++) {
		if (strcmp(words[0], policy_name(policy)))
			continue;
		*(uint32_t *)(reader->at + option->offset) = policy;
		return 0;
	}
	return reader_refuse(reader, "%s %s: not %s", option->name, words[0],
			     list_policies(names, sizeof(names)));
}

static int take_kmes(struct reader *reader, const struct reader_option *option,
		       char **words, int n)
{
	struct config_link *link = (void *)reader->at;
	int i, k;

	if (link->n_kmes)
		return reader_refuse(reader, "%s: the link has kmes or mix already; it takes one of them",
				     option->name);
	if ((uint32_t)n > option->max)
		return reader_refuse(reader, "%s: has %d names, and takes %u at most", option->name, n,
			      option->max);
	for (i = 0; i < n; i++) {
		for (k = 0; k < i; k++) {
			if (!strcmp(words[i], words[k]))
				return reader_refuse(reader, "%s: %s is named twice", option->name,
					      words[i]);
		}
		link->kme_names[i] = words[i];
	}
	link->n_kmes = (uint32_t)n;
	return 0;
}

static int take_mix(struct reader *reader, const struct reader_option *option, char **words, int n)
{
	struct config_link *link = (void *)reader->at;

	link->mixes = true;
	return take_kmes(reader, option, words, n);
}

static const struct reader_kind kind_url = { take_url, reader_same_text };
static const struct reader_kind kind_id = { take_id, reader_same_text };
static const struct reader_kind kind_name = { take_name, reader_same_text };
static const struct reader_kind kind_socket = { take_socket, reader_same_text };
static const struct reader_kind kind_policy = { take_policy, reader_same_u32 };
/* A reload reads certificates and keys again, whether their paths have changed or not. */
static const struct reader_kind kind_file = { take_file, NULL };
static const struct reader_kind kind_psk_id = { take_id, NULL };
/* Compared by what the KMEs are, see reload_same_link(), and not by their names. */
static const struct reader_kind kind_kmes = { take_kmes, NULL };
static const struct reader_kind kind_mix = { take_mix, NULL };

/* ---- sections ---- */

static int begin_agent(struct reader *reader, char *name)
{
	struct config *config = reader->arg;
	struct config_agent *agent = &config->agent;

	(void)name;
	if (agent->line)
		return reader_refuse(reader, "agent: there is one in line %u", agent->line);
	agent->line = reader->line;
	reader->at = (char *)agent;
	return 0;
}

static int end_agent(struct reader *reader)
{
	const struct config_agent *agent = (void *)reader->at;

	if (!agent->state == !agent->state_key)
		return 0;
	return reader_refuse_at(reader, reader->began, "agent: has %s and lacks %s, which it needs",
				agent->state ? "state" : "state-key",
				agent->state ? "state-key" : "state");
}

/* The index of a KME, or @n_kmes if there is none of this name. */
static size_t find_kme(const struct config *config, const char *name)
{
	size_t i;

	for (i = 0; i < config->n_kmes && strcmp(config->kmes[i].name, name); i++)
		;
	return i;
}

/* The index of a peer, or @n_peers. */
static size_t find_peer(const struct config *config, const char *name)
{
	size_t i;

	for (i = 0; i < config->n_peers && strcmp(config->peers[i].name, name); i++)
		;
	return i;
}

static int begin_kme(struct reader *reader, char *name)
{
	struct config *config = reader->arg;

	if (check_name(reader, "kme", name))
		return -EINVAL;
	if (find_kme(config, name) < config->n_kmes)
		return reader_refuse(reader, "kme %s: there is one of this name", name);
	if (reader_add(reader, (void **)&config->kmes, &config->n_kmes, sizeof(*config->kmes)))
		return -ENOMEM;
	((struct config_kme *)reader->at)->name = name;
	((struct config_kme *)reader->at)->line = reader->line;
	return 0;
}

static int end_kme(struct reader *reader)
{
	const struct config_kme *kme = (void *)reader->at;

	return keyserver_check(reader, kme->name, &kme->node);
}

static int begin_peer(struct reader *reader, char *name)
{
	struct config *config = reader->arg;
	struct config_peer *peer;

	if (check_name(reader, "peer", name))
		return -EINVAL;
	if (find_peer(config, name) < config->n_peers)
		return reader_refuse(reader, "peer %s: there is one of this name", name);
	if (reader_add(reader, (void **)&config->peers, &config->n_peers, sizeof(*config->peers)))
		return -ENOMEM;
	peer = (void *)reader->at;
	peer->name = name;
	peer->line = reader->line;
	return 0;
}

/*
 * The kernel's rule for names of devices, without what JSON and metrics would have to quote, or would
 * not take: bytes that are no printable ASCII.
 */
static bool is_device_name(const char *name)
{
	const char *at = name;

	while (*at > ' ' && *at <= '~')
		at++;
	return !*at && strlen(name) < IF_NAMESIZE && strcmp(name, ".") && strcmp(name, "..") &&
	       !strpbrk(name, "/:\"\\");
}

static int begin_link(struct reader *reader, char *name)
{
	struct config *config = reader->arg;
	struct config_link *link;

	if (!is_device_name(name))
		return reader_refuse(reader, "link %s: not the name of a device, of at most %d characters",
			      name, IF_NAMESIZE - 1);
	if (config_find_link(config, name))
		return reader_refuse(reader, "link %s: there is one of this name", name);
	if (reader_add(reader, (void **)&config->links, &config->n_links, sizeof(*config->links)))
		return -ENOMEM;
	link = (void *)reader->at;
	link->device = name;
	link->line = reader->line;
	link->policy = POLICY_PREFER_HYBRID;
	link->suite_least = 1;
	link->mix_least = 1;
	link->store.capacity = DEFAULT_STORE;
	link->store.outage_cover = DEFAULT_OUTAGE_COVER;
	link->store.key_bytes = DEFAULT_KEY_BYTES;
	link->store.max_age_ms = DEFAULT_MAX_AGE_MS;
	link->pacing.reserve = DEFAULT_RESERVE;
	link->pacing.floor_ms = DEFAULT_FLOOR_MS;
	link->pacing.ceiling_ms = DEFAULT_CEILING_MS;
	return 0;
}

static int end_link(struct reader *reader)
{
	struct config_link *link = (void *)reader->at;
	const char *policy = policy_name(link->policy);

	if (!link->n_kmes && link->policy != POLICY_PQC_ONLY)
		return reader_refuse_at(reader, reader->began, "link %s: lacks kmes or mix, which policy %s needs",
				 link->device, policy);
	if (link->n_kmes && link->policy == POLICY_PQC_ONLY)
		return reader_refuse_at(reader, reader->began, "link %s: has kmes, which policy %s does not use",
				 link->device, policy);
	if (link->mix_least > 1 && !link->mixes)
		return reader_refuse_at(reader, reader->began, "link %s: mix-least %u needs mix, and the link has none",
				 link->device, link->mix_least);
	if (link->mixes && link->mix_least > link->n_kmes)
		return reader_refuse_at(reader, reader->began, "link %s: mix-least %u is above the %u KMEs of mix",
				 link->device, link->mix_least, link->n_kmes);
	if (link->pacing.floor_ms > link->pacing.ceiling_ms)
		return reader_refuse_at(reader, reader->began, "link %s: floor-ms %u is above ceiling-ms %u",
				 link->device, link->pacing.floor_ms, link->pacing.ceiling_ms);
	if (link->store.outage_cover > link->store.capacity)
		return reader_refuse_at(reader, reader->began, "link %s: outage-cover %u is above store %u",
				 link->device, link->store.outage_cover, link->store.capacity);
	return 0;
}

#define MEMBER(type, member)	.offset = offsetof(struct type, member)
#define RANGE(text, how, type, member, least, most)	\
	{ .name = (text), .kind = &(how), MEMBER(type, member), .min = (least), .max = (most) }
#define NUMBER(text, ...)	RANGE(text, reader_number, __VA_ARGS__)

static const struct reader_option agent_options[] = {
	{ .name = "name", .kind = &kind_name, MEMBER(config_agent, name), .is_required = true },
	{ .name = "certificate", .kind = &kind_file, MEMBER(config_agent, certificate), .is_required = true },
	{ .name = "key", .kind = &kind_file, MEMBER(config_agent, key), .is_required = true },
	{ .name = "ca", .kind = &kind_file, MEMBER(config_agent, ca), .is_required = true },
	{ .name = "crl", .kind = &kind_file, MEMBER(config_agent, crl) },
	{ .name = "listen", .kind = &endpoint_kind, MEMBER(config_agent, listen) },
	{ .name = "control", .kind = &kind_socket, MEMBER(config_agent, control) },
	{ .name = "operators", .kind = &reader_text, MEMBER(config_agent, operators) },
	{ .name = "metrics", .kind = &kind_socket, MEMBER(config_agent, metrics) },
	{ .name = "metrics-listen", .kind = &endpoint_metrics_kind, MEMBER(config_agent, metrics_listen) },
	{ .name = "audit-log", .kind = &reader_path, MEMBER(config_agent, audit_log) },
	{ .name = "state", .kind = &reader_path, MEMBER(config_agent, state) },
	{ .name = "state-key", .kind = &reader_path, MEMBER(config_agent, state_key) },
	NUMBER("audit-file-mib", config_agent, audit_file_mib, 1, 1024),
	NUMBER("audit-file-hours", config_agent, audit_file_hours, 1, 8760),
	NUMBER("reconnect-hours", config_agent, reconnect_hours, 1, 24),
	NUMBER("kme-connect-ms", config_agent, kme_connect_ms, 100, 60000),
	NUMBER("kme-timeout-ms", config_agent, kme_timeout_ms, 100, 60000),
	NUMBER("kme-retry-ms", config_agent, kme_retry_ms, RETRY_MIN_MS, 3600000),
};

static const struct reader_option kme_options[] = {
	{ .name = "dialect", .kind = &keyserver_dialect, MEMBER(config_kme, node.dialect) },
	{ .name = "url", .kind = &kind_url, MEMBER(config_kme, node.url) },
	RANGE("id", kind_id, config_kme, node.id, 1, KME_SAE_ID_MAX),
	{ .name = "certificate", .kind = &kind_file, MEMBER(config_kme, node.certificate) },
	{ .name = "key", .kind = &kind_file, MEMBER(config_kme, node.key) },
	{ .name = "ca", .kind = &kind_file, MEMBER(config_kme, node.ca) },
	{ .name = "crl", .kind = &kind_file, MEMBER(config_kme, node.crl) },
	RANGE("psk-id", kind_psk_id, config_kme, node.psk_id, 1, PSK_ID_MAX),
	{ .name = "psk-file", .kind = &kind_file, MEMBER(config_kme, node.psk_file) },
	{ .name = "psk-hash", .kind = &keyserver_psk_hash, MEMBER(config_kme, node.psk_hash) },
	{ .name = "method", .kind = &keyserver_method, MEMBER(config_kme, node.method) },
	{ .name = "tls", .kind = &keyserver_tls, MEMBER(config_kme, node.tls) },
	NUMBER("parallel", config_kme, node.parallel, 1, KME_PARALLEL_MAX),
	NUMBER("turn-ms", config_kme, node.turn_ms, TURN_MIN_MS, TURN_MAX_MS),
	/* Of a file, the path stands in the place of the URL. */
	{ .name = "file", .kind = &reader_path, MEMBER(config_kme, node.url) },
	{ .name = "key-file", .kind = &reader_path, MEMBER(config_kme, node.key) },
	{ .name = "side", .kind = &keyserver_side, MEMBER(config_kme, node.side) },
};

static const struct reader_option peer_options[] = {
	{ .name = "address", .kind = &endpoint_kind, MEMBER(config_peer, address) },
};

static const struct reader_option link_options[] = {
	{ .name = "peer", .kind = &reader_text, MEMBER(config_link, peer_name), .is_required = true },
	{ .name = "kmes", .kind = &kind_kmes, .max = KME_NODES_MAX },
	{ .name = "mix", .kind = &kind_mix, .max = SESSION_KMES_MAX },
	NUMBER("mix-least", config_link, mix_least, 1, SESSION_KMES_MAX),
	{ .name = "psk", .kind = &reader_path, MEMBER(config_link, psk) },
	{ .name = "chain-required", .kind = &reader_yes, MEMBER(config_link, chain_required) },
	RANGE("sae", kind_id, config_link, sae, 1, KME_SAE_ID_MAX),
	{ .name = "policy", .kind = &kind_policy, MEMBER(config_link, policy) },
	NUMBER("suite-least", config_link, suite_least, 1, 2),
	NUMBER("store", config_link, store.capacity, 1, STORE_CAPACITY_MAX),
	NUMBER("outage-cover", config_link, store.outage_cover, 0, STORE_CAPACITY_MAX),
	NUMBER("key-bytes", config_link, store.key_bytes, STORE_KEY_BYTES_MIN, KME_SECRET_MAX_BYTES),
	RANGE("max-age-s", reader_seconds, config_link, store.max_age_ms, 0, 31536000),
	NUMBER("floor-ms", config_link, pacing.floor_ms, 1, 3600000),
	NUMBER("ceiling-ms", config_link, pacing.ceiling_ms, 1, 3600000),
	RANGE("reserve", reader_long_number, config_link, pacing.reserve, 0, STORE_CAPACITY_MAX),
};

#define OPTIONS(array)	.options = (array), .n_options = sizeof(array) / sizeof((array)[0])

const struct reader_section config_sections[] = {
	[CONFIG_SECTION_AGENT] = { .name = "agent", OPTIONS(agent_options), .begin = begin_agent,
				   .end = end_agent },
	[CONFIG_SECTION_KME] = { .name = "kme", .what = "a name", OPTIONS(kme_options),
				 .begin = begin_kme, .end = end_kme },
	[CONFIG_SECTION_PEER] = { .name = "peer", .what = "the name in its certificate",
				  OPTIONS(peer_options), .begin = begin_peer },
	[CONFIG_SECTION_LINK] = { .name = "link", .what = "a device", OPTIONS(link_options),
				  .begin = begin_link, .end = end_link },
};

_Static_assert(sizeof(agent_options) / sizeof(agent_options[0]) <= READER_OPTIONS_MAX &&
	       sizeof(kme_options) / sizeof(kme_options[0]) <= READER_OPTIONS_MAX &&
	       sizeof(link_options) / sizeof(link_options[0]) <= READER_OPTIONS_MAX, "room in given[]");

/* ---- the whole ---- */

static void set_defaults(struct config *config)
{
	struct config_agent *agent = &config->agent;
	size_t i;

	agent->control = agent->control ?: DEFAULT_CONTROL;
	agent->metrics = agent->metrics ?: DEFAULT_METRICS;
	agent->audit_log = agent->audit_log ?: DEFAULT_AUDIT_LOG;
	agent->audit_file_mib = agent->audit_file_mib ?: DEFAULT_AUDIT_MIB;
	agent->audit_file_hours = agent->audit_file_hours ?: DEFAULT_AUDIT_HOURS;
	agent->reconnect_hours = agent->reconnect_hours ?: DEFAULT_RECONNECT_HOURS;
	agent->kme_connect_ms = agent->kme_connect_ms ?: DEFAULT_CONNECT_MS;
	agent->kme_timeout_ms = agent->kme_timeout_ms ?: DEFAULT_TIMEOUT_MS;
	agent->kme_retry_ms = agent->kme_retry_ms ?: DEFAULT_RETRY_MS;
	for (i = 0; i < config->n_peers; i++)
		config->peers[i].reconnect_ms = agent->reconnect_hours * 3600000;
}

static int resolve_link(struct reader *reader, struct config_link *link)
{
	const struct config *config = reader->arg;
	struct config_peer *peer;
	bool needs_sae = false;
	uint32_t i;

	link->peer = (uint32_t)find_peer(config, link->peer_name);
	if (link->peer == config->n_peers)
		return reader_refuse_at(reader, link->line, "link %s: there is no peer %s",
					link->device, link->peer_name);
	peer = &config->peers[link->peer];
	if (peer->suite_least < link->suite_least)
		peer->suite_least = link->suite_least;
	for (i = 0; i < link->n_kmes; i++) {
		link->kmes[i] = (uint32_t)find_kme(config, link->kme_names[i]);
		if (link->kmes[i] == config->n_kmes)
			return reader_refuse_at(reader, link->line, "link %s: there is no kme %s",
						link->device, link->kme_names[i]);
		needs_sae |= !kme_dialect_is_file(config->kmes[link->kmes[i]].node.dialect);
	}
	if (needs_sae && !link->sae)
		return reader_refuse_at(reader, link->line, "link %s: lacks sae, by which its kmes know the peer",
					link->device);
	/* A file knows no SAE. */
	if (link->n_kmes && !link->sae)
		link->sae = link->peer_name;
	return 0;
}

/* After the whole file was read: a link may stand before the peer and the KMEs that it names. */
static int resolve(struct reader *reader)
{
	struct config *config = reader->arg;
	size_t i;

	for (i = 0; i < config->n_links; i++) {
		if (resolve_link(reader, &config->links[i]))
			return -EINVAL;
	}
	return 0;
}

/* Whether an address is 0.0.0.0 or ::, where nobody can be reached. */
static bool is_unspecified(const struct qlink_addr *addr)
{
	size_t i;

	for (i = 0; i < addr->len && !addr->bytes[i]; i++)
		;
	return addr->len && i == addr->len;
}

static int check_peers(struct reader *reader)
{
	const struct config *config = reader->arg;
	size_t i;

	for (i = 0; i < config->n_peers; i++) {
		const struct config_peer *peer = &config->peers[i];

		if (!strcmp(peer->name, config->agent.name))
			return reader_refuse_at(reader, peer->line,
						"peer %s: is the agent's own name", peer->name);
		if (is_unspecified(&peer->address.addr))
			return reader_refuse_at(reader, peer->line,
						"peer %s: its address is no address of a host",
						peer->name);
	}
	return 0;
}

/* Of two that are the same file, one would replace the other. */
static int check_paths(struct reader *reader)
{
	const struct config_agent *agent = &((const struct config *)reader->arg)->agent;
	const char *const paths[][2] = {
		{ "control", agent->control }, { "metrics", agent->metrics },
		{ "audit-log", agent->audit_log }, { "state", agent->state }, { "state-key", agent->state_key },
	};
	size_t i, k;

	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		for (k = 0; k < i; k++)
			if (paths[i][1] && paths[k][1] && !strcmp(paths[i][1], paths[k][1]))
				return reader_refuse_at(reader, agent->line, "agent: %s and %s must be different files",
							paths[k][0], paths[i][0]);
	return 0;
}

/* FNV-1a. It finds a file that changes between two reads; it is no protection. */
static uint64_t digest_of(const char *text, size_t len)
{
	uint64_t digest = 0xcbf29ce484222325;

	while (len--)
		digest = (digest ^ (unsigned char)*text++) * 0x100000001b3;
	return digest;
}

int config_hear(struct config *config, const char *text, size_t len, const char *path,
		const struct config_hearing *hearing, struct config_error *error)
{
	struct reader reader = {
		.sections = config_sections,
		.n_sections = sizeof(config_sections) / sizeof(config_sections[0]),
		.arg = config,
		.listener = hearing->listener,
		.path = path,
		.error = error,
	};
	int err;

	memset(config, 0, sizeof(*config));
	config->path = path;
	config->digest = digest_of(text, len);
	error->text[0] = '\0';
	if (len > CONFIG_BYTES_MAX)
		return reader_refuse(&reader, "more than %u bytes", CONFIG_BYTES_MAX);
	config->text = malloc(len + 1);
	if (!config->text)
		return reader_no_memory(&reader);
	memcpy(config->text, text, len);
	config->text[len] = '\0';
	err = reader_take(&reader, config->text, len);
	if (err || hearing->is_part)
		return err;
	if (!config->agent.line)
		return reader_refuse(&reader, "lacks a section agent");
	set_defaults(config);
	return check_paths(&reader) ?: check_peers(&reader) ?: resolve(&reader);
}

int config_parse(struct config *config, const char *text, size_t len,
		 const char *path, struct config_error *error)
{
	const struct config_hearing nobody = { .listener = NULL };

	return config_hear(config, text, len, path, &nobody, error);
}

int config_read(struct config *config, const char *path, struct config_error *error)
{
	size_t len;
	char *text;
	int err;

	memset(config, 0, sizeof(*config));
	text = reader_load(path, CONFIG_BYTES_MAX, &len, error);
	if (!text)
		return -errno;
	err = config_parse(config, text, len, path, error);
	free(text);
	return err;
}

void config_free(struct config *config)
{
	free(config->kmes);
	free(config->peers);
	free(config->links);
	free(config->text);
	memset(config, 0, sizeof(*config));
}

const struct config_link *config_find_link(const struct config *config, const char *device)
{
	size_t i;

	for (i = 0; i < config->n_links; i++) {
		if (!strcmp(config->links[i].device, device))
			return &config->links[i];
	}
	return NULL;
}

const struct config_peer *config_find_peer(const struct config *config, const char *name)
{
	size_t i = find_peer(config, name);

	return i < config->n_peers ? &config->peers[i] : NULL;
}

