/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A simulated ring: the keys of one direction of a device. */
#ifndef QLINK_TESTS_SIM_RING_H
#define QLINK_TESTS_SIM_RING_H

#include <stdbool.h>
#include <stdint.h>

#include "qlinkd/agreement/session.h"
#include "qlinkd/secrets/mix.h"

#define SIM_RING_KEYS	128
/* A key and its salt. */
#define SIM_KEY_BYTES	44

/**
 * struct sim_ring - a ring that obeys kmod's PROTOCOL.md, section 4
 */
struct sim_ring {
	/** @keys: in the order of their epochs */
	struct {
		uint64_t epoch;
		uint8_t bytes[SIM_KEY_BYTES];
	} keys[SIM_RING_KEYS];

	/** @n: how many @keys there are */
	unsigned int n;

	/** @newest: highest epoch that was ever installed, 0 for none */
	uint64_t newest;

	/** @current: epoch in use, 0 for none; set in receive rings only */
	uint64_t current;

	/** @id: random, the same until the rings are replaced */
	uint8_t id[SESSION_RING_ID_BYTES];
};

/**
 * sim_ring_init() - make an empty ring with a new ID
 * @ring: filled in
 */
void sim_ring_init(struct sim_ring *ring);

/**
 * sim_ring_install() - install the keys of an offer
 * @ring: the ring
 * @offer: its epochs
 * @keys: one key for each epoch
 *
 * Return: whether the ring accepted them; otherwise it is unchanged.
 */
bool sim_ring_install(struct sim_ring *ring, const struct session_offer *offer,
		      const struct mix_keys *keys);

/**
 * sim_ring_delete() - delete the keys in a range of epochs
 * @ring: the ring
 * @range: the epochs
 * @staged_only: keep keys up to @ring's current epoch
 */
void sim_ring_delete(struct sim_ring *ring, const struct session_range *range,
		     bool staged_only);

/**
 * sim_ring_keep() - delete the keys that the peer does not hold
 * @ring: the ring
 * @held: the peer's ring of the same direction
 * @staged_only: keep keys up to @ring's current epoch
 */
void sim_ring_keep(struct sim_ring *ring, const struct session_ring *held,
		   bool staged_only);

/**
 * sim_ring_describe() - describe a ring as a message does
 * @ring: the ring
 * @to: filled in
 */
void sim_ring_describe(const struct sim_ring *ring, struct session_ring *to);

/**
 * sim_ring_find() - look up a key
 * @ring: the ring
 * @epoch: the key's epoch
 *
 * Return: SIM_KEY_BYTES bytes, or %NULL.
 */
const uint8_t *sim_ring_find(const struct sim_ring *ring, uint64_t epoch);

#endif
