/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The agent's configuration file, qlinkd.conf(5). */
#ifndef QLINKD_CONFIG_H
#define QLINKD_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "endpoint.h"
#include "qlinkd/agreement/agreement.h"
#include "qlinkd/kme/client.h"
#include "qlinkd/kme/pacing.h"
#include "qlinkd/kme/store.h"
#include "reader.h"

/* Bytes of a file, at most. */
#define CONFIG_BYTES_MAX	(1U << 20)

/**
 * struct config_agent - the agent itself
 */
struct config_agent {
	/** @line: of the file where the section begins, 0 for none yet */
	unsigned int line;

	/** @name: this agent's name, as in its certificate */
	const char *name;

	/** @certificate: PEM file of this agent's certificate */
	const char *certificate;

	/** @key: PEM file of the private key of @certificate */
	const char *key;

	/** @ca: PEM file of the CA that signs all peers' certificates */
	const char *ca;

	/** @crl: PEM file of its CRL, %NULL for none */
	const char *crl;

	/** @control: Unix socket for qlinkctl */
	const char *control;

	/** @operators: group whose members may operate the agent, %NULL for none */
	const char *operators;

	/** @metrics: Unix socket for Prometheus */
	const char *metrics;

	/** @metrics_listen: where Prometheus reaches this agent by TCP; its addr.len is 0 for nowhere */
	struct config_endpoint metrics_listen;

	/** @audit_log: folder of the audit log */
	const char *audit_log;

	/** @state: file in which chains are kept over a restart, %NULL for none */
	const char *state;

	/** @state_key: file of the key that seals it, %NULL without one */
	const char *state_key;

	/** @audit_file_mib: MiB after which a file of it ends */
	uint32_t audit_file_mib;

	/** @audit_file_hours: age in hours at which a file of it ends */
	uint32_t audit_file_hours;

	/** @listen: where peers dial this agent */
	struct config_endpoint listen;

	/** @reconnect_hours: age in hours at which a connection to a peer is replaced */
	uint32_t reconnect_hours;

	/** @kme_connect_ms: time limit for connecting to a KME, TLS included */
	uint32_t kme_connect_ms;

	/** @kme_timeout_ms: time limit for a whole request to a KME */
	uint32_t kme_timeout_ms;

	/** @kme_retry_ms: longest pause before a KME that is down is asked again */
	uint32_t kme_retry_ms;
};

/**
 * struct config_kme - a key server
 */
struct config_kme {
	/** @name: by which links refer to it */
	const char *name;

	/** @line: of the file where it begins */
	unsigned int line;

	/** @node: address, credentials, method and TLS */
	struct kme_node_conf node;

	/** @trouble: why its files cannot be used, from whoever loads them; empty if they can */
	struct qlink_why trouble;
};

/**
 * struct config_peer - the agent at the other end
 */
struct config_peer {
	/** @name: as in its certificate */
	const char *name;

	/** @line: of the file where it begins */
	unsigned int line;

	/** @address: where it listens; none if it only dials */
	struct config_endpoint address;

	/** @suite_least: of its connections: the highest suite_least of its links */
	uint32_t suite_least;

	/** @reconnect_ms: age at which a new connection is made, that of the agent; 0 for none */
	uint32_t reconnect_ms;
};

/**
 * struct config_link - a link
 */
struct config_link {
	/** @device: its name */
	const char *device;

	/** @line: of the file where it begins */
	unsigned int line;

	/** @peer_name: its peer, as written in the file */
	const char *peer_name;

	/** @kme_names: its @n_kmes KMEs as written in the file, in order */
	const char *kme_names[KME_NODES_MAX];

	/** @sae: the peer's SAE ID at these KMEs; %NULL without KMEs */
	const char *sae;

	/** @peer: index of struct config_peer */
	uint32_t peer;

	/** @kmes: indices of struct config_kme, in order */
	uint32_t kmes[KME_NODES_MAX];

	/** @n_kmes: 0 if the policy uses no KME */
	uint32_t n_kmes;

	/** @policy: an enum policy */
	uint32_t policy;

	/** @suite_least: lowest suite that it may use, 1 or 2 */
	uint32_t suite_least;

	/** @mixes: each key has a secret of as many of the KMEs as have one */
	bool mixes;

	/** @mix_least: least number of KMEs that a key of source qkd or hybrid must have, 1 or more */
	uint32_t mix_least;

	/** @psk: file of the pre-shared secret, %NULL for none */
	const char *psk;

	/** @chain_required: 1 if no key is accepted whose chain starts from zero, else 0 */
	uint32_t chain_required;

	/** @store: limits of the store of QKD keys */
	struct store_config store;

	/** @pacing: how often to rekey */
	struct pacing_config pacing;
};

/**
 * struct config - a configuration; everything that a link names exists
 */
struct config {
	/** @agent: the agent */
	struct config_agent agent;

	/** @kmes: the key servers, in the order of the file */
	struct config_kme *kmes;

	/** @n_kmes: how many */
	size_t n_kmes;

	/** @peers: the peers, likewise */
	struct config_peer *peers;

	/** @n_peers: how many */
	size_t n_peers;

	/** @links: the links, likewise */
	struct config_link *links;

	/** @n_links: how many */
	size_t n_links;

	/** @text: the file; all names point into it */
	char *text;

	/** @digest: of the file's text; agent and broker compare it to know that they read the same */
	uint64_t digest;

	/** @path: of the file, for errors; the caller's, must outlive this structure */
	const char *path;
};

enum config_section {
	CONFIG_SECTION_AGENT,
	CONFIG_SECTION_KME,
	CONFIG_SECTION_PEER,
	CONFIG_SECTION_LINK,
};

/* All sections and their options, by enum config_section. */
extern const struct reader_section config_sections[];

/**
 * struct config_hearing - what a caller wants beside the configuration
 */
struct config_hearing {
	/** @listener: is told each section and option; %NULL for nobody */
	const struct reader_listener *listener;

	/** @is_part: the text is a part of a configuration: what it names may be missing from it */
	bool is_part;
};

/**
 * config_read() - read a configuration file
 * @config: filled in; the caller frees it with config_free(), also on failure
 * @path: of the file; must outlive @config
 * @error: filled in on failure with the first error of the file
 *
 * Return: 0, %-EINVAL for an error in the file, or the errno of reading it, negative.
 */
int config_read(struct config *config, const char *path,
		struct config_error *error);

/**
 * config_parse() - read a configuration from memory
 * @config: as for config_read()
 * @text: @len bytes; not kept
 * @len: at most CONFIG_BYTES_MAX
 * @path: for errors; must outlive @config
 * @error: as for config_read()
 *
 * Return: 0, %-EINVAL or %-ENOMEM.
 */
int config_parse(struct config *config, const char *text, size_t len,
		 const char *path, struct config_error *error);

/**
 * config_hear() - config_parse(), with more
 * @config: as for config_parse()
 * @text: likewise
 * @len: likewise
 * @path: likewise
 * @hearing: what the caller wants
 * @error: as for config_parse()
 *
 * Each section of a part is checked by itself. What one says of another is not, and @config has
 * no defaults of the agent.
 *
 * Return: 0, %-EINVAL, %-ENOMEM, or what the listener returned.
 */
int config_hear(struct config *config, const char *text, size_t len, const char *path,
		const struct config_hearing *hearing, struct config_error *error);

/**
 * config_free() - free a configuration
 * @config: from config_read() or config_parse(), or all zero
 */
void config_free(struct config *config);

/**
 * config_find_link() - find a link by its device
 * @config: the configuration
 * @device: its name
 *
 * Return: the link, or %NULL.
 */
const struct config_link *config_find_link(const struct config *config,
					   const char *device);

/**
 * config_find_peer() - find a peer by its name
 * @config: the configuration
 * @name: as in its certificate
 *
 * Return: the peer, or %NULL.
 */
const struct config_peer *config_find_peer(const struct config *config,
					   const char *name);

#endif
