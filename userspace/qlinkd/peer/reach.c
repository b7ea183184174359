// SPDX-License-Identifier: GPL-2.0-or-later
/* Whether the configuration says where each connection is made to. */
#include "reach.h"

#include <errno.h>

#include "qlinkd/agreement/dial.h"

static int check_peer(const struct config *config, const struct config_peer *peer,
		      struct config_error *error)
{
	const struct config_agent *agent = &config->agent;

	if (!dial_is_ours(agent->name, peer->name))
		return agent->listen.addr.len ? 0 :
		       config_error_at(error, config->path, agent->line,
				       "agent: lacks listen, and peer %s is to dial us",
				       peer->name);
	return peer->address.addr.len ? 0 :
	       config_error_at(error, config->path, peer->line,
			       "peer %s: lacks address, and we are to dial it", peer->name);
}

int reach_check(const struct config *config, struct config_error *error)
{
	size_t i;

	for (i = 0; i < config->n_peers; i++) {
		if (check_peer(config, &config->peers[i], error))
			return -EINVAL;
	}
	return 0;
}
