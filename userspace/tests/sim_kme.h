/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A simulated pair of KMEs that hold the same keys. */
#ifndef QLINK_TESTS_SIM_KME_H
#define QLINK_TESTS_SIM_KME_H

#include <stdbool.h>
#include <stdint.h>

#include "qlinkd/base/bytes.h"

#define SIM_KME_KEYS	256

/**
 * struct sim_kme - a pair of KMEs
 */
struct sim_kme {
	/** @keys: every key that was made; each can be taken once */
	struct {
		char id[40];
		uint8_t key[32];
		bool is_taken;
	} keys[SIM_KME_KEYS];

	/** @n: how many @keys there are */
	unsigned int n;

	/** @is_dry: the sender's KME has no keys */
	bool is_dry;

	/** @is_forgetful: the receiver's KME knows no key ID */
	bool is_forgetful;
};

/**
 * sim_kme_new_key() - make a key at both KMEs
 * @kme: the pair
 *
 * Return: its index.
 */
unsigned int sim_kme_new_key(struct sim_kme *kme);

/**
 * sim_kme_take_key() - fetch a key by its ID
 * @kme: the pair
 * @id: the KME key ID
 *
 * Return: 32 bytes, or %NULL if the key is unknown or was taken before.
 */
const uint8_t *sim_kme_take_key(struct sim_kme *kme, const struct bytes *id);

#endif
