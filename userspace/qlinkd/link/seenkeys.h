/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The QKD keys that came to this agent before, so that none is used twice. */
#ifndef QLINKD_SEENKEYS_H
#define QLINKD_SEENKEYS_H

#include "link.h"
#include "qlinkd/kme/client.h"

/**
 * seenkeys_check() - whether a key of a KME, or its ID, came before, and remember both
 * @link: the link that it is for
 * @node: its KME, by its place in the list of the link, counted from 0
 * @answer: of the KME
 * @key: the key
 *
 * A KME may give a key to both ends, to two links, or again after it was restarted.
 *
 * Return: true if it must not be used.
 */
bool seenkeys_check(struct link *link, unsigned int node, const struct kme_answer *answer,
		    const struct kme_key *key);

/**
 * seenkeys_remember() - note that a key was used before the agent started
 * @link: the link
 * @is_tx: whether it was for what this end sends
 * @kme: as the offer named its KME, with the place in the list first
 * @id: its KME key ID
 */
void seenkeys_remember(struct link *link, bool is_tx, const char *kme, const struct bytes *id);

#endif
