// SPDX-License-Identifier: GPL-2.0-or-later
/* What requests and capabilities look like in SKIP, draft-cisco-skip-02. */
#include "skip.h"

#include <string.h>

#define KEY_PATH	"/key"
#define ID_PATH		KEY_PATH "/"
#define ID_PATH_LEN	(sizeof(ID_PATH) - 1)

bool skip_read_path(const struct etsi_request *request, char *peer, enum etsi_op *op)
{
	if (!ask_query(request->query, "remoteSystemID", peer, CHANNEL_SAE_MAX + 1))
		peer[0] = '\0';
	if (!strcmp(request->path, "/capabilities"))
		*op = ETSI_STATUS;
	else if (!strcmp(request->path, KEY_PATH))
		*op = ETSI_ENC;
	else if (!strncmp(request->path, ID_PATH, ID_PATH_LEN))
		*op = ETSI_DEC;
	else
		return false;
	return true;
}

const char *skip_read_enc(struct ask *ask, const struct etsi_request *request)
{
	memset(ask, 0, sizeof(*ask));
	ask->number = 1;
	return ask_read_size(ask, request->query);
}

const char *skip_read_dec(struct ask_ids *ids, const struct etsi_request *request)
{
	const char *encoded = request->path + ID_PATH_LEN;
	char id[CHANNEL_ID_MAX + 1];

	ids->list = json_array();
	ids->n = 1;
	if (!ask_decode(encoded, strlen(encoded), id, sizeof(id)) ||
	    id[strspn(id, "0123456789abcdefABCDEF")])
		return "keyId is malformed";
	json_array_append_new(ids->list, json_string(id));
	return NULL;
}

json_t *skip_capabilities(const struct etsi *etsi, const struct sae *sae)
{
	json_t *peers = json_array();
	struct sae_link *link;

	STAILQ_FOREACH(link, &etsi->channel->links, next) {
		if (link->sae[etsi->side] == sae)
			json_array_append_new(peers, json_string(link->sae[!etsi->side]->id));
	}
	return json_pack("{s:b, s:b, s:s, s:s, s:o}", "entropy", 0, "key",
			 !etsi->settings.value[SETTING_ENTROPY_ONLY], "algorithm", "simulated QKD",
			 "localSystemID", sae->id, "remoteSystemID", peers);
}
