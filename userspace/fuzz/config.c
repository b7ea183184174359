// SPDX-License-Identifier: GPL-2.0-or-later
/* libFuzzer on configuration files: each is refused with a line number, or everything in it is valid. */
#include "qlinkd/config/config.h"

#include <stdlib.h>
#include <string.h>

#include "qlinkd/agreement/policy.h"
#include "qlinkd/config/reload.h"

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void check_link(const struct config *config, const struct config_link *link)
{
	uint32_t i;

	must(config_find_link(config, link->device) == link);
	must(reload_same_link(config, config, link->device));
	must(link->peer < config->n_peers &&
	     !strcmp(config->peers[link->peer].name, link->peer_name));
	must(policy_name(link->policy) && !link->n_kmes == (link->policy == POLICY_PQC_ONLY));
	must(link->n_kmes <= KME_NODES_MAX && (!link->n_kmes || link->sae));
	for (i = 0; i < link->n_kmes; i++)
		must(link->kmes[i] < config->n_kmes &&
		     !strcmp(config->kmes[link->kmes[i]].name, link->kme_names[i]));
	must(link->pacing.floor_ms && link->pacing.floor_ms <= link->pacing.ceiling_ms);
	must(link->store.capacity && link->store.outage_cover <= link->store.capacity);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct config_error error;
	struct config config;
	size_t i;
	int err = config_parse(&config, (const char *)data, len, "f", &error);

	must(!err == !error.text[0] && strlen(error.text) < sizeof(error.text));
	must(!err || !strncmp(error.text, "f:", 2));
	for (i = 0; !err && i < config.n_links; i++)
		check_link(&config, &config.links[i]);
	for (i = 0; !err && i < config.n_kmes; i++)
		must(config.kmes[i].node.url && (config.kmes[i].node.psk_file || config.kmes[i].node.key));
	must(err || (config.agent.name && config.agent.ca));
	config_free(&config);
	return 0;
}
