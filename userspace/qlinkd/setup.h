/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Everything that a configuration asks for: built aside, then swapped in whole. */
#ifndef QLINKD_SETUP_H
#define QLINKD_SETUP_H

#include <event2/event.h>

#include "qlinkd/config/config.h"
#include "qlinkd/credentials/credentials.h"
#include "qlinkd/link/run.h"
#include "qlinkd/peer/peer.h"
#include "services.h"

/**
 * DOC: A reload is a transaction
 *
 * setup_build() does everything that can fail: it reads and checks the file, loads
 * certificates and keys, and allocates peers and links. Nothing that runs is touched.
 * setup_swap() does everything that takes effect, and cannot fail. The start, a reload,
 * "qlinkd -n" and "qlinkctl reload --dry-run" build with the same function, so that they
 * refuse the same. The start alone takes bad files of a KME, as load_kmes() explains.
 */

/**
 * struct setup_link - a link and its events on the loop
 */
struct setup_link {
	/** @link: the link */
	struct link *link;

	/** @services: the agent's */
	struct services *services;

	/** @base: the loop, which ends when the broker is dead */
	struct event_base *base;

	/** @peer: the agent at its other end */
	struct peer *peer;

	/** @timer: event of the link's deadline */
	struct event *timer;

	/** @is_running: its events are on the loop, and its peer has it */
	bool is_running;
};

/**
 * struct setup - what a configuration asks for
 */
struct setup {
	/** @config: the configuration */
	struct config config;

	/** @own: our certificate for peers, its key, and their CA */
	struct credentials *own;

	/** @kmes: the same for each KME, in the order of the configuration; %NULL for bad files */
	struct credentials **kmes;

	/** @context: TLS settings of the connections to all peers */
	struct tls_context *context;

	/**
	 * @names: of the peers that dial us; ends with %NULL. A caller with the name of a peer that
	 * we dial is refused: it would be a second connection to one peer.
	 */
	const char **names;

	/** @peers: in the order of the configuration */
	struct peer **peers;

	/** @n_peers: how many */
	size_t n_peers;

	/** @links: likewise */
	struct setup_link **links;

	/** @n_links: how many */
	size_t n_links;

	/** @operators: group whose members may operate, if @has_operators */
	gid_t operators;

	/** @has_operators: there is such a group */
	bool has_operators;
};

/**
 * struct setup_owner - whom peers and links belong to; outlives them
 */
struct setup_owner {
	/** @services: shared by all of them */
	struct services *services;

	/** @base: event loop */
	struct event_base *base;
};

/**
 * setup_build() - read a configuration and build all that it asks for
 * @next: filled in; the caller passes it to setup_swap() or setup_discard()
 * @now: what runs, and goes on undisturbed; all zero at the start
 * @path: of the file; must outlive @next
 * @when: time at which certificates must be valid; 0 at the start, which takes expired ones too,
 *	and a KME with bad files as one that is down
 * @owner: of the peers and links
 * @error: filled in on failure, with the path and the line
 *
 * A peer or link that the new configuration leaves as it is, is shared by @now and @next.
 * Nothing that is built runs yet: no connection, no request, no event.
 *
 * Context: Process; reads files.
 * Return: 0, or a negative errno with @error; then @next is all zero.
 */
int setup_build(struct setup *next, const struct setup *now, const char *path, time_t when,
		const struct setup_owner *owner, struct config_error *error);

/**
 * setup_discard() - free what was built and is not needed
 * @next: from setup_build(); all zero afterwards
 * @now: what runs, and is kept
 */
void setup_discard(struct setup *next, const struct setup *now);

/**
 * setup_swap() - end what is gone or has changed, and start what is new
 * @now: what runs; becomes @next
 * @next: from setup_build(); all zero afterwards
 *
 * Context: The event loop's thread. Cannot fail.
 */
void setup_swap(struct setup *now, struct setup *next);

/**
 * setup_change() - say what becomes of a link
 * @now: what runs
 * @next: from setup_build(), not swapped in yet
 * @device: name of the link's device, in one of them at least
 *
 * Return: "kept", "changed", "new" or "gone".
 */
const char *setup_change(const struct setup *now, const struct setup *next, const char *device);

/**
 * setup_find_peer() - find a peer
 * @setup: what was built
 * @name: as in its certificate
 *
 * Return: the peer, or %NULL.
 */
struct peer *setup_find_peer(const struct setup *setup, const char *name);

/**
 * setup_find_link() - find a link
 * @setup: what was built
 * @device: its name
 *
 * Return: the link and its events, or %NULL.
 */
struct setup_link *setup_find_link(const struct setup *setup, const char *device);

#endif
