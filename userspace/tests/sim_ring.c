// SPDX-License-Identifier: GPL-2.0-or-later
/* A simulated ring: the keys of one direction of a device. */
#include "sim_ring.h"

#include <string.h>

#include "sim_random.h"
#include "tap.h"

/* The kernel's rules for new keys. */
static bool accepts(const struct sim_ring *ring, const struct session_offer *offer)
{
	return offer->first > ring->newest &&
	       ring->n + offer->n <= SIM_RING_KEYS &&
	       (!ring->newest ||
		offer->first + offer->n - 1 - ring->newest <= SESSION_EPOCH_LEAP);
}

bool sim_ring_install(struct sim_ring *ring, const struct session_offer *offer,
		      const struct mix_keys *keys)
{
	unsigned int i;

	if (!accepts(ring, offer))
		return false;
	for (i = 0; i < offer->n; i++) {
		ring->keys[ring->n].epoch = offer->first + i;
		memcpy(ring->keys[ring->n++].bytes, &keys[i], SIM_KEY_BYTES);
	}
	ring->newest = offer->first + offer->n - 1;
	return true;
}

void sim_ring_delete(struct sim_ring *ring, const struct session_range *range,
		     bool staged_only)
{
	unsigned int i, kept = 0;

	for (i = 0; i < ring->n; i++)
		if (ring->keys[i].epoch < range->first ||
		    ring->keys[i].epoch > range->last ||
		    (staged_only && ring->keys[i].epoch <= ring->current))
			ring->keys[kept++] = ring->keys[i];
	ring->n = kept;
}

static bool is_in(const struct session_ring *held, uint64_t epoch)
{
	uint8_t i;

	for (i = 0; i < held->n_held; i++)
		if (epoch >= held->held[i].first && epoch <= held->held[i].last)
			return true;
	return false;
}

void sim_ring_keep(struct sim_ring *ring, const struct session_ring *held,
		   bool staged_only)
{
	unsigned int i, kept = 0;

	for (i = 0; i < ring->n; i++)
		if (is_in(held, ring->keys[i].epoch) ||
		    (staged_only && ring->keys[i].epoch <= ring->current))
			ring->keys[kept++] = ring->keys[i];
	ring->n = kept;
}

void sim_ring_describe(const struct sim_ring *ring, struct session_ring *to)
{
	struct session_range *range = to->held;
	unsigned int i;

	memset(to, 0, sizeof(*to));
	memcpy(to->id, ring->id, sizeof(to->id));
	to->newest = ring->newest;
	for (i = 0; i < ring->n; i++) {
		if (to->n_held && range->last + 1 == ring->keys[i].epoch) {
			range->last++;
			continue;
		}
		if (to->n_held == SESSION_RANGES_MAX)
			BAIL_OUT();
		range = &to->held[to->n_held++];
		range->first = range->last = ring->keys[i].epoch;
	}
}

const uint8_t *sim_ring_find(const struct sim_ring *ring, uint64_t epoch)
{
	unsigned int i;

	for (i = 0; i < ring->n; i++)
		if (ring->keys[i].epoch == epoch)
			return ring->keys[i].bytes;
	return NULL;
}

void sim_ring_init(struct sim_ring *ring)
{
	memset(ring, 0, sizeof(*ring));
	sim_random(ring->id, sizeof(ring->id));
}
