// SPDX-License-Identifier: GPL-2.0-or-later
/* A simulated pair of KMEs that hold the same keys. */
#include "sim_kme.h"

#include <stdio.h>
#include <string.h>

#include "sim_random.h"
#include "tap.h"

unsigned int sim_kme_new_key(struct sim_kme *kme)
{
	uint8_t raw[16];
	unsigned int i;

	if (kme->n == SIM_KME_KEYS)
		BAIL_OUT();
	sim_random(raw, sizeof(raw));
	for (i = 0; i < sizeof(raw); i++)
		snprintf(kme->keys[kme->n].id + 2 * i, 3, "%02x", raw[i]);
	sim_random(kme->keys[kme->n].key, sizeof(kme->keys[0].key));
	kme->keys[kme->n].is_taken = false;
	return kme->n++;
}

const uint8_t *sim_kme_take_key(struct sim_kme *kme, const struct bytes *id)
{
	unsigned int i;

	for (i = 0; i < kme->n && !kme->is_forgetful; i++)
		if (strlen(kme->keys[i].id) == id->len &&
		    !memcmp(kme->keys[i].id, id->data, id->len) &&
		    !kme->keys[i].is_taken) {
			kme->keys[i].is_taken = true;
			return kme->keys[i].key;
		}
	return NULL;
}
