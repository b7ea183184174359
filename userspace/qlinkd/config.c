// SPDX-License-Identifier: GPL-2.0-or-later
/* The agent's configuration file, qlinkd.conf(5). */
#include "config.h"

#include <errno.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/number.h"
#include "qlinkd/agreement/dial.h"
#include "qlinkd/agreement/policy.h"

#define BLANK		" \t\r"
#define WORDS_MAX	16
#define OPTIONS_MAX	16

/* Where the file does not say. */
#define DEFAULT_PORT		7511
#define DEFAULT_CONTROL		"/run/qlinkd/control"
#define DEFAULT_METRICS		"/run/qlinkd/metrics"
#define DEFAULT_AUDIT_LOG	"/var/log/qlinkd/audit.log"
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
/* Of a host; an address and a port, with brackets, fit as well. */
#define ENDPOINT_TEXT	64

struct reader;
struct option;

/**
 * struct section - a kind of section
 */
struct section {
	/** @name: that it begins with */
	const char *name;

	/** @what: its second word names, %NULL where it has none */
	const char *what;

	/** @options: that it may have */
	const struct option *options;

	/** @n_options: how many */
	size_t n_options;

	/** @begin: makes one with @name; 0, or refuses */
	int (*begin)(struct reader *reader, char *name);

	/** @end: looks at it as a whole, %NULL for nothing; 0, or refuses */
	int (*end)(struct reader *reader);
};

/**
 * struct option - an option of a section
 */
struct option {
	/** @name: its first word */
	const char *name;

	/** @take: its other words, @n of them and at least one; 0, or refuses */
	int (*take)(struct reader *reader, const struct option *option,
		    char **words, int n);

	/** @offset: of its member in the section's structure */
	size_t offset;

	/** @min: of a number */
	uint32_t min;

	/** @max: of a number, or most words of a list */
	uint32_t max;

	/** @is_required: no section does without */
	bool is_required;
};

/**
 * struct reader - a file that is being read
 */
struct reader {
	/** @config: what it says so far */
	struct config *config;

	/** @path: of the file */
	const char *path;

	/** @line: where we are, from 1 on */
	unsigned int line;

	/** @section: that we are in, %NULL before the first */
	const struct section *section;

	/** @at: its structure */
	char *at;

	/** @began: its line */
	unsigned int began;

	/** @given: by option: the line that has it, 0 for none */
	unsigned int given[OPTIONS_MAX];

	/** @agent_line: where the agent's section began, 0 for nowhere yet */
	unsigned int agent_line;

	/** @error: filled in by refuse() */
	struct config_error *error;
};

__attribute__((format(printf, 3, 4)))
static int refuse_at(struct reader *reader, unsigned int line, const char *format, ...)
{
	char text[400];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	snprintf(reader->error->text, sizeof(reader->error->text), "%.100s:%u: %s",
		 reader->path, line, text);
	return -EINVAL;
}

#define refuse(reader, ...)	refuse_at(reader, (reader)->line, __VA_ARGS__)

static int no_memory(struct reader *reader)
{
	refuse(reader, "no memory");
	return -ENOMEM;
}

/* ---- values ---- */

static int one_word(struct reader *reader, const struct option *option, int n)
{
	if (n != 1)
		return refuse(reader, "%s: has %d values, and takes one", option->name, n);
	return 0;
}

static int take_text(struct reader *reader, const struct option *option, char **words, int n)
{
	int err = one_word(reader, option, n);

	if (!err)
		*(const char **)(reader->at + option->offset) = words[0];
	return err;
}

static int take_path(struct reader *reader, const struct option *option, char **words, int n)
{
	int err = take_text(reader, option, words, n);

	if (!err && words[0][0] != '/')
		return refuse(reader, "%s %s: not an absolute path", option->name, words[0]);
	return err;
}

static int take_url(struct reader *reader, const struct option *option, char **words, int n)
{
	int err = take_text(reader, option, words, n);

	if (!err && (strncmp(words[0], "https://", 8) || !words[0][8]))
		return refuse(reader, "%s %s: not https:// and a host", option->name, words[0]);
	return err;
}

static int read_number(struct reader *reader, const struct option *option, char **words, int n,
		       uint64_t *number)
{
	struct qlink_why why;

	if (one_word(reader, option, n))
		return -EINVAL;
	if (qlink_parse_number(words[0], option->min, option->max, number, &why))
		return refuse(reader, "%s %s: %s", option->name, words[0], why.text);
	return 0;
}

static int take_number(struct reader *reader, const struct option *option, char **words, int n)
{
	uint64_t number;
	int err = read_number(reader, option, words, n, &number);

	if (!err)
		*(uint32_t *)(reader->at + option->offset) = (uint32_t)number;
	return err;
}

static int take_long_number(struct reader *reader, const struct option *option, char **words, int n)
{
	return read_number(reader, option, words, n, (uint64_t *)(reader->at + option->offset));
}

/* Seconds there, milliseconds here. */
static int take_seconds(struct reader *reader, const struct option *option, char **words, int n)
{
	uint64_t number;
	int err = read_number(reader, option, words, n, &number);

	if (!err)
		*(uint64_t *)(reader->at + option->offset) = number * 1000;
	return err;
}

/* Cuts ADDRESS:PORT, ADDRESS, [ADDRESS]:PORT or [ADDRESS] in two. */
static int split_endpoint(char *text, char **address, const char **port)
{
	char *end;

	*port = NULL;
	*address = text;
	if (text[0] == '[') {
		*address = text + 1;
		end = strchr(text, ']');
		if (!end || (end[1] && end[1] != ':'))
			return -EINVAL;
		*end++ = '\0';
	} else {
		end = strchr(text, ':');
		/* An IPv6 address without brackets has no port. */
		if (!end || strchr(end + 1, ':'))
			return 0;
	}
	if (*end)
		*port = end + 1;
	*end = '\0';
	return 0;
}

static int take_endpoint(struct reader *reader, const struct option *option,
			 char **words, int n)
{
	struct config_endpoint *endpoint = (void *)(reader->at + option->offset);
	uint64_t number = DEFAULT_PORT;
	char text[ENDPOINT_TEXT], *address;
	struct qlink_why why;
	const char *port;

	if (one_word(reader, option, n))
		return -EINVAL;
	if (strlen(words[0]) >= sizeof(text) ||
	    split_endpoint(strcpy(text, words[0]), &address, &port))
		return refuse(reader, "%s %s: not ADDRESS:PORT, with an IPv6 address in brackets",
			      option->name, words[0]);
	if (qlink_parse_addr(address, &endpoint->addr, &why))
		return refuse(reader, "%s %s: the address is %s", option->name, words[0], why.text);
	if (port && qlink_parse_number(port, 1, UINT16_MAX, &number, &why))
		return refuse(reader, "%s %s: the port is %s", option->name, words[0], why.text);
	endpoint->port = (uint16_t)number;
	return 0;
}

static int take_policy(struct reader *reader, const struct option *option, char **words, int n)
{
	unsigned int policy;

	if (one_word(reader, option, n))
		return -EINVAL;
	for (policy = POLICY_HYBRID_REQUIRED; policy <= POLICY_PQC_ONLY; policy++) {
		if (strcmp(words[0], policy_name(policy)))
			continue;
		*(uint32_t *)(reader->at + option->offset) = policy;
		return 0;
	}
	return refuse(reader, "%s %s: not hybrid-required, qkd-required, prefer-hybrid or pqc-only",
		      option->name, words[0]);
}

static int take_method(struct reader *reader, const struct option *option, char **words, int n)
{
	static const char *const names[] = {
		[KME_METHOD_AUTO] = "auto",
		[KME_METHOD_POST] = "post",
		[KME_METHOD_GET] = "get",
	};
	struct config_kme *kme = (void *)reader->at;
	size_t method;

	if (one_word(reader, option, n))
		return -EINVAL;
	for (method = 0; method < sizeof(names) / sizeof(names[0]); method++) {
		if (strcmp(words[0], names[method]))
			continue;
		kme->node.method = (enum kme_method)method;
		return 0;
	}
	return refuse(reader, "%s %s: not auto, post or get", option->name, words[0]);
}

static int take_kmes(struct reader *reader, const struct option *option, char **words, int n)
{
	struct config_link *link = (void *)reader->at;
	int i, k;

	if ((uint32_t)n > option->max)
		return refuse(reader, "%s: has %d names, and takes %u at most", option->name, n,
			      option->max);
	for (i = 0; i < n; i++) {
		for (k = 0; k < i; k++) {
			if (!strcmp(words[i], words[k]))
				return refuse(reader, "%s: %s is named twice", option->name,
					      words[i]);
		}
		link->kme_names[i] = words[i];
	}
	link->n_kmes = (uint32_t)n;
	return 0;
}

/* ---- sections ---- */

/* One more item behind @n of them, all zero. */
static int add_item(struct reader *reader, void **items, size_t *n, size_t bytes)
{
	char *more = reallocarray(*items, *n + 1, bytes);

	if (!more)
		return no_memory(reader);
	*items = more;
	reader->at = more + *n * bytes;
	memset(reader->at, 0, bytes);
	(*n)++;
	return 0;
}

static int begin_agent(struct reader *reader, char *name)
{
	struct config_agent *agent = &reader->config->agent;

	(void)name;
	if (reader->agent_line)
		return refuse(reader, "agent: there is one in line %u", reader->agent_line);
	reader->agent_line = reader->line;
	reader->at = (char *)agent;
	return 0;
}

/* The place of a KME, or where one more would have its own. */
static size_t find_kme(const struct config *config, const char *name)
{
	size_t i;

	for (i = 0; i < config->n_kmes && strcmp(config->kmes[i].name, name); i++)
		;
	return i;
}

/* The place of a peer, likewise. */
static size_t find_peer(const struct config *config, const char *name)
{
	size_t i;

	for (i = 0; i < config->n_peers && strcmp(config->peers[i].name, name); i++)
		;
	return i;
}

static int begin_kme(struct reader *reader, char *name)
{
	struct config *config = reader->config;

	if (find_kme(config, name) < config->n_kmes)
		return refuse(reader, "kme %s: there is one of this name", name);
	if (add_item(reader, (void **)&config->kmes, &config->n_kmes, sizeof(*config->kmes)))
		return -ENOMEM;
	((struct config_kme *)reader->at)->name = name;
	return 0;
}

static int begin_peer(struct reader *reader, char *name)
{
	struct config *config = reader->config;
	struct config_peer *peer;

	if (find_peer(config, name) < config->n_peers)
		return refuse(reader, "peer %s: there is one of this name", name);
	if (add_item(reader, (void **)&config->peers, &config->n_peers, sizeof(*config->peers)))
		return -ENOMEM;
	peer = (void *)reader->at;
	peer->name = name;
	peer->line = reader->line;
	return 0;
}

/* What the kernel takes for a device's name. */
static bool is_device_name(const char *name)
{
	return strlen(name) < IF_NAMESIZE && strcmp(name, ".") && strcmp(name, "..") &&
	       !strpbrk(name, "/:");
}

static int begin_link(struct reader *reader, char *name)
{
	struct config *config = reader->config;
	struct config_link *link;

	if (!is_device_name(name))
		return refuse(reader, "link %s: not the name of a device, of at most %d characters",
			      name, IF_NAMESIZE - 1);
	if (config_find_link(config, name))
		return refuse(reader, "link %s: there is one of this name", name);
	if (add_item(reader, (void **)&config->links, &config->n_links, sizeof(*config->links)))
		return -ENOMEM;
	link = (void *)reader->at;
	link->device = name;
	link->line = reader->line;
	link->policy = POLICY_PREFER_HYBRID;
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
		return refuse_at(reader, reader->began, "link %s: lacks kmes, which the policy %s asks for keys",
				 link->device, policy);
	if (link->n_kmes && link->policy == POLICY_PQC_ONLY)
		return refuse_at(reader, reader->began, "link %s: has kmes, which the policy %s does not ask",
				 link->device, policy);
	if (link->n_kmes && !link->sae)
		return refuse_at(reader, reader->began, "link %s: lacks sae, by which its kmes know the peer",
				 link->device);
	if (link->pacing.floor_ms > link->pacing.ceiling_ms)
		return refuse_at(reader, reader->began, "link %s: floor-ms %u is above ceiling-ms %u",
				 link->device, link->pacing.floor_ms, link->pacing.ceiling_ms);
	if (link->store.outage_cover > link->store.capacity)
		return refuse_at(reader, reader->began, "link %s: outage-cover %u is above store %u",
				 link->device, link->store.outage_cover, link->store.capacity);
	return 0;
}

#define MEMBER(type, member)	.offset = offsetof(struct type, member)
#define RANGE(text, how, type, member, least, most)	\
	{ .name = (text), .take = (how), MEMBER(type, member), .min = (least), .max = (most) }
#define NUMBER(text, ...)	RANGE(text, take_number, __VA_ARGS__)

static const struct option agent_options[] = {
	{ .name = "name", .take = take_text, MEMBER(config_agent, name), .is_required = true },
	{ .name = "certificate", .take = take_path, MEMBER(config_agent, certificate), .is_required = true },
	{ .name = "key", .take = take_path, MEMBER(config_agent, key), .is_required = true },
	{ .name = "ca", .take = take_path, MEMBER(config_agent, ca), .is_required = true },
	{ .name = "listen", .take = take_endpoint, MEMBER(config_agent, listen) },
	{ .name = "control", .take = take_path, MEMBER(config_agent, control) },
	{ .name = "metrics", .take = take_path, MEMBER(config_agent, metrics) },
	{ .name = "audit-log", .take = take_path, MEMBER(config_agent, audit_log) },
	NUMBER("kme-connect-ms", config_agent, kme_connect_ms, 100, 60000),
	NUMBER("kme-timeout-ms", config_agent, kme_timeout_ms, 100, 60000),
	NUMBER("kme-retry-ms", config_agent, kme_retry_ms, RETRY_MIN_MS, 3600000),
};

static const struct option kme_options[] = {
	{ .name = "url", .take = take_url, MEMBER(config_kme, node.url), .is_required = true },
	{ .name = "id", .take = take_text, MEMBER(config_kme, node.id) },
	{ .name = "certificate", .take = take_path, MEMBER(config_kme, node.certificate), .is_required = true },
	{ .name = "key", .take = take_path, MEMBER(config_kme, node.key), .is_required = true },
	{ .name = "ca", .take = take_path, MEMBER(config_kme, node.ca), .is_required = true },
	{ .name = "method", .take = take_method },
};

static const struct option peer_options[] = {
	{ .name = "address", .take = take_endpoint, MEMBER(config_peer, address) },
};

static const struct option link_options[] = {
	{ .name = "peer", .take = take_text, MEMBER(config_link, peer_name), .is_required = true },
	{ .name = "kmes", .take = take_kmes, .max = KME_NODES_MAX },
	{ .name = "sae", .take = take_text, MEMBER(config_link, sae) },
	{ .name = "policy", .take = take_policy, MEMBER(config_link, policy) },
	NUMBER("store", config_link, store.capacity, 1, STORE_CAPACITY_MAX),
	NUMBER("outage-cover", config_link, store.outage_cover, 0, STORE_CAPACITY_MAX),
	NUMBER("key-bytes", config_link, store.key_bytes, STORE_KEY_BYTES_MIN, STORE_KEY_BYTES_MAX),
	RANGE("max-age-s", take_seconds, config_link, store.max_age_ms, 0, 31536000),
	NUMBER("floor-ms", config_link, pacing.floor_ms, 1, 3600000),
	NUMBER("ceiling-ms", config_link, pacing.ceiling_ms, 1, 3600000),
	RANGE("reserve", take_long_number, config_link, pacing.reserve, 0, STORE_CAPACITY_MAX),
};

#define OPTIONS(array)	.options = (array), .n_options = sizeof(array) / sizeof((array)[0])

static const struct section sections[] = {
	{ .name = "agent", OPTIONS(agent_options), .begin = begin_agent },
	{ .name = "kme", .what = "a name", OPTIONS(kme_options), .begin = begin_kme },
	{ .name = "peer", .what = "the name in its certificate", OPTIONS(peer_options), .begin = begin_peer },
	{ .name = "link", .what = "a device", OPTIONS(link_options), .begin = begin_link, .end = end_link },
};

_Static_assert(sizeof(agent_options) / sizeof(agent_options[0]) <= OPTIONS_MAX &&
	       sizeof(link_options) / sizeof(link_options[0]) <= OPTIONS_MAX, "room in given[]");

/* ---- lines ---- */

static int end_section(struct reader *reader)
{
	const struct section *section = reader->section;
	size_t i;

	if (!section)
		return 0;
	for (i = 0; i < section->n_options; i++) {
		if (section->options[i].is_required && !reader->given[i])
			return refuse_at(reader, reader->began, "%s: lacks %s", section->name,
					 section->options[i].name);
	}
	return section->end ? section->end(reader) : 0;
}

static int begin_section(struct reader *reader, const struct section *section, char **words, int n)
{
	int err = end_section(reader);

	if (err)
		return err;
	if (n != (section->what ? 2 : 1))
		return refuse(reader, "%s: must be followed by %s", section->name,
			      section->what ?: "nothing in its line");
	reader->section = section;
	reader->began = reader->line;
	memset(reader->given, 0, sizeof(reader->given));
	return section->begin(reader, section->what ? words[1] : NULL);
}

/* Lists the names of options, for who wrote one that is none. */
static const char *list_options(const struct section *section, char *text, size_t room)
{
	size_t len = 0, i;

	text[0] = '\0';
	for (i = 0; i < section->n_options && len < room; i++)
		len += (size_t)snprintf(text + len, room - len, "%s%s", i ? ", " : "",
					section->options[i].name);
	return text;
}

static int take_option(struct reader *reader, char **words, int n)
{
	const struct section *section = reader->section;
	const struct option *option;
	char names[200];
	size_t i;

	if (!section)
		return refuse(reader, "%s: before the first agent, kme, peer or link", words[0]);
	for (i = 0; i < section->n_options; i++) {
		if (!strcmp(section->options[i].name, words[0]))
			break;
	}
	if (i == section->n_options)
		return refuse(reader, "%s: not an option of %s, which has %s", words[0],
			      section->name, list_options(section, names, sizeof(names)));
	option = &section->options[i];
	if (reader->given[i])
		return refuse(reader, "%s: is in line %u already", option->name, reader->given[i]);
	if (n == 1)
		return refuse(reader, "%s: lacks a value", option->name);
	reader->given[i] = reader->line;
	return option->take(reader, option, words + 1, n - 1);
}

static int take_words(struct reader *reader, char **words, int n)
{
	const struct section *end = sections + sizeof(sections) / sizeof(sections[0]), *section;

	for (section = sections; section < end; section++) {
		if (!strcmp(section->name, words[0]))
			return begin_section(reader, section, words, n);
	}
	return refuse(reader, "%s: not agent, kme, peer or link; options are indented", words[0]);
}

/* Takes one line apart, in place. */
static int take_line(struct reader *reader, char *line)
{
	/* "peer" begins a section, and is an option of a link: its place tells which. */
	bool is_indented = line[0] == ' ' || line[0] == '\t';
	char *words[WORDS_MAX], *save = NULL, *word;
	int n = 0;

	for (word = strtok_r(line, BLANK, &save); word && word[0] != '#';
	     word = strtok_r(NULL, BLANK, &save)) {
		if (n == WORDS_MAX)
			return refuse(reader, "%s: more than %d words", words[0], WORDS_MAX);
		words[n++] = word;
	}
	if (!n)
		return 0;
	return is_indented ? take_option(reader, words, n) : take_words(reader, words, n);
}

static bool is_text(const char *line)
{
	for (; *line; line++) {
		if ((unsigned char)*line < ' ' && !strchr(BLANK, *line))
			return false;
	}
	return true;
}

static int take_lines(struct reader *reader, char *text, char *end)
{
	char *line, *next;
	int err;

	for (line = text; line < end; line = next) {
		next = memchr(line, '\n', (size_t)(end - line));
		if (next)
			*next++ = '\0';
		else
			next = end + 1;
		reader->line++;
		/* A NUL in a line would hide what is behind it. */
		if (strlen(line) + 1 != (size_t)(next - line) || !is_text(line))
			return refuse(reader, "has a character that is no text");
		err = take_line(reader, line);
		if (err)
			return err;
	}
	return end_section(reader);
}

/* ---- the whole ---- */

static void set_defaults(struct config_agent *agent)
{
	agent->control = agent->control ?: DEFAULT_CONTROL;
	agent->metrics = agent->metrics ?: DEFAULT_METRICS;
	agent->audit_log = agent->audit_log ?: DEFAULT_AUDIT_LOG;
	agent->kme_connect_ms = agent->kme_connect_ms ?: DEFAULT_CONNECT_MS;
	agent->kme_timeout_ms = agent->kme_timeout_ms ?: DEFAULT_TIMEOUT_MS;
	agent->kme_retry_ms = agent->kme_retry_ms ?: DEFAULT_RETRY_MS;
}

static int resolve_link(struct reader *reader, struct config_link *link)
{
	const struct config *config = reader->config;
	uint32_t i;

	link->peer = (uint32_t)find_peer(config, link->peer_name);
	if (link->peer == config->n_peers)
		return refuse_at(reader, link->line, "link %s: there is no peer %s", link->device,
				 link->peer_name);
	for (i = 0; i < link->n_kmes; i++) {
		link->kmes[i] = (uint32_t)find_kme(config, link->kme_names[i]);
		if (link->kmes[i] == config->n_kmes)
			return refuse_at(reader, link->line, "link %s: there is no kme %s",
					 link->device, link->kme_names[i]);
	}
	return 0;
}

/* Names may stand before what they name. */
static int resolve(struct reader *reader)
{
	struct config *config = reader->config;
	size_t i;

	for (i = 0; i < config->n_links; i++) {
		if (resolve_link(reader, &config->links[i]))
			return -EINVAL;
	}
	return 0;
}

/* Of two ends one dials, and the other must be there to be dialled. */
static int check_peer(struct reader *reader, const struct config_peer *peer)
{
	const struct config_agent *agent = &reader->config->agent;

	if (!strcmp(peer->name, agent->name))
		return refuse_at(reader, peer->line, "peer %s: is the agent's own name", peer->name);
	/* Whoever dials. To hash both names loads OpenSSL, which the broker has no other use for. */
	if (agent->listen.addr.len && peer->address.addr.len)
		return 0;
	if (!dial_is_ours(agent->name, peer->name))
		return agent->listen.addr.len ? 0 :
		       refuse_at(reader, reader->agent_line, "agent: lacks listen, and peer %s is to dial us",
				 peer->name);
	return peer->address.addr.len ? 0 :
	       refuse_at(reader, peer->line, "peer %s: lacks address, and we are to dial it", peer->name);
}

static int check_peers(struct reader *reader)
{
	const struct config *config = reader->config;
	size_t i;

	for (i = 0; i < config->n_peers; i++) {
		if (check_peer(reader, &config->peers[i]))
			return -EINVAL;
	}
	return 0;
}

int config_parse(struct config *config, const char *text, size_t len,
		 const char *path, struct config_error *error)
{
	struct reader reader = { .config = config, .path = path, .error = error };
	int err;

	memset(config, 0, sizeof(*config));
	error->text[0] = '\0';
	if (len > CONFIG_BYTES_MAX)
		return refuse(&reader, "more than %u bytes", CONFIG_BYTES_MAX);
	config->text = malloc(len + 1);
	if (!config->text)
		return no_memory(&reader);
	memcpy(config->text, text, len);
	config->text[len] = '\0';
	err = take_lines(&reader, config->text, config->text + len);
	if (err)
		return err;
	if (!reader.agent_line)
		return refuse(&reader, "lacks a section agent");
	set_defaults(&config->agent);
	return check_peers(&reader) ?: resolve(&reader);
}

int config_read(struct config *config, const char *path, struct config_error *error)
{
	char *text = malloc(CONFIG_BYTES_MAX + 1);
	FILE *file = text ? fopen(path, "re") : NULL;
	size_t len = 0;
	int err = 0;

	memset(config, 0, sizeof(*config));
	if (file) {
		len = fread(text, 1, CONFIG_BYTES_MAX + 1, file);
		err = ferror(file) ? -errno : 0;
		fclose(file);
	} else {
		err = -errno;
	}
	if (err)
		snprintf(error->text, sizeof(error->text), "%s: %s", path, strerror(-err));
	else
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

/* ---- what a reload changes ---- */

static bool same_text(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

bool config_same_endpoint(const struct config_endpoint *a, const struct config_endpoint *b)
{
	return a->port == b->port && a->addr.len == b->addr.len &&
	       !memcmp(a->addr.bytes, b->addr.bytes, a->addr.len);
}

const struct config_peer *config_find_peer(const struct config *config, const char *name)
{
	size_t i = find_peer(config, name);

	return i < config->n_peers ? &config->peers[i] : NULL;
}

bool config_same_agent(const struct config *a, const struct config *b)
{
	const struct config_agent *x = &a->agent, *y = &b->agent;

	return same_text(x->name, y->name) && same_text(x->certificate, y->certificate) &&
	       same_text(x->key, y->key) && same_text(x->ca, y->ca) &&
	       same_text(x->control, y->control) && same_text(x->metrics, y->metrics) &&
	       same_text(x->audit_log, y->audit_log) && config_same_endpoint(&x->listen, &y->listen) &&
	       x->kme_connect_ms == y->kme_connect_ms &&
	       x->kme_timeout_ms == y->kme_timeout_ms && x->kme_retry_ms == y->kme_retry_ms;
}

static bool same_kme(const struct config_kme *a, const struct config_kme *b)
{
	return same_text(a->node.url, b->node.url) && same_text(a->node.id, b->node.id) &&
	       same_text(a->node.ca, b->node.ca) &&
	       same_text(a->node.certificate, b->node.certificate) &&
	       same_text(a->node.key, b->node.key) && a->node.method == b->node.method;
}

static bool same_options(const struct config_link *a, const struct config_link *b)
{
	return same_text(a->sae, b->sae) && a->policy == b->policy &&
	       a->store.capacity == b->store.capacity &&
	       a->store.outage_cover == b->store.outage_cover &&
	       a->store.key_bytes == b->store.key_bytes &&
	       a->store.max_age_ms == b->store.max_age_ms &&
	       a->pacing.floor_ms == b->pacing.floor_ms &&
	       a->pacing.ceiling_ms == b->pacing.ceiling_ms &&
	       a->pacing.reserve == b->pacing.reserve;
}

bool config_same_link(const struct config *a, const struct config *b, const char *device)
{
	const struct config_link *x = config_find_link(a, device);
	const struct config_link *y = config_find_link(b, device);
	uint32_t i;

	if (!x || !y || !same_options(x, y) || x->n_kmes != y->n_kmes ||
	    !same_text(x->peer_name, y->peer_name) ||
	    !config_same_endpoint(&a->peers[x->peer].address, &b->peers[y->peer].address))
		return false;
	for (i = 0; i < x->n_kmes; i++) {
		if (!same_kme(&a->kmes[x->kmes[i]], &b->kmes[y->kmes[i]]))
			return false;
	}
	return true;
}
