// SPDX-License-Identifier: GPL-2.0-or-later
/* The QKD keys that came to this agent before, so that none is used twice. */
#include "seenkeys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of one key, two things are remembered. */
enum { SEEN_ID, SEEN_KEY };

/* A KME may number the keys of each pair of SAEs and each direction from 1 on: an ID tells only within these. */
static int id_was_seen(struct link *link, enum kme_op op, unsigned int node, const struct bytes *id)
{
	/* An operation, an SAE ID, and a name of the configuration. */
	char text[512];
	struct bytes where = { (const uint8_t *)text, 0 };

	where.len = (size_t)snprintf(text, sizeof(text), "%s %s %s", kme_op_name(op), link->config->sae,
				     link->config->kme_names[node]);
	return seen_before(&link->services->keys_seen, SEEN_ID, &where, id);
}

bool seenkeys_check(struct link *link, unsigned int node, const struct kme_answer *answer,
		    const struct kme_key *key)
{
	struct bytes id = { (const uint8_t *)key->id.text, strlen(key->id.text) };
	struct bytes bytes = { key->bytes, key->len }, none = { NULL, 0 };
	/* Both are remembered in any case. */
	int has_id = id_was_seen(link, answer->op, node, &id);
	int has_key = seen_before(&link->services->keys_seen, SEEN_KEY, &bytes, &none);

	return has_id || has_key;
}

void seenkeys_remember(struct link *link, bool is_tx, const char *kme, const struct bytes *id)
{
	unsigned long place = strtoul(kme, NULL, 10);

	if (place && place <= link->config->n_kmes)
		id_was_seen(link, is_tx ? KME_OP_ENC : KME_OP_DEC, (unsigned int)place - 1, id);
}
