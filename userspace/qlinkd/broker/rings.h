/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the rings of a link hold, as agents tell each other; pure. */
#ifndef QLINKD_RINGS_H
#define QLINKD_RINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libqlink/key.h"
#include "libqlink/link.h"
#include "qlinkd/agreement/agreement.h"

/**
 * rings_sort() - put keys in order
 * @keys: as qlink_key_dump() gave them; afterwards by direction, then by epoch
 * @n: how many
 */
void rings_sort(struct qlink_key *keys, size_t n);

/**
 * rings_tell() - say what a ring holds, in runs of epochs
 * @ring: filled in
 * @from: what the kernel says of this ring
 * @direction: of the ring, an enum qlink_direction
 * @keys: of both rings, sorted by rings_sort()
 * @n: how many
 *
 * Of more runs than SESSION_RANGES_MAX only the newest are told. Who tells must hold no
 * others.
 *
 * Return: the first epoch that is told, below which keys are to be deleted; 0 if all
 * are told.
 */
uint64_t rings_tell(struct session_ring *ring, const struct qlink_ring *from,
		    uint8_t direction, const struct qlink_key *keys, size_t n);

/**
 * rings_holds() - ask whether a ring holds an epoch
 * @ring: the ring
 * @epoch: the epoch
 *
 * Return: whether it is in one of its runs.
 */
bool rings_holds(const struct session_ring *ring, uint64_t epoch);

/**
 * rings_select() - find the keys that one end must not keep
 * @keys: of both our rings; those that must go come first afterwards
 * @n: how many
 * @peer: what the peer holds
 * @current: epoch of our current receive key, 0 for none
 *
 * Transmit keys that the peer cannot open with, and receive keys newer than our
 * current one that it will not seal with: userspace/PROTOCOL.md, section 3.
 *
 * Return: how many must go.
 */
size_t rings_select(struct qlink_key *keys, size_t n,
		    const struct session_rings *peer, uint64_t current);

#endif
