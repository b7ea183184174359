/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rings of a link as ranges of epochs, as agents send them in STATE; pure. */
#ifndef QLINKD_RINGS_H
#define QLINKD_RINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libqlink/key.h"
#include "libqlink/link.h"
#include "qlinkd/agreement/agreement.h"

/**
 * rings_sort() - sort keys by direction, then by epoch
 * @keys: from qlink_key_dump(); sorted in place
 * @n: number of keys
 *
 * Context: Pure.
 */
void rings_sort(struct qlink_key *keys, size_t n);

/**
 * rings_report() - list the epochs that a ring holds, as ranges
 * @ring: filled in
 * @from: id and newest epoch of the ring, from the kernel
 * @direction: direction of the ring, an enum qlink_direction
 * @keys: keys of both rings, sorted by rings_sort()
 * @n: number of keys
 *
 * If the ring holds more than SESSION_RANGES_MAX ranges, only the newest are listed. The
 * caller must delete the keys of the others.
 *
 * Context: Pure.
 * Return: first epoch that is listed, if keys below it must be deleted; 0 if all are listed.
 */
uint64_t rings_report(struct session_ring *ring, const struct qlink_ring *from,
		      uint8_t direction, const struct qlink_key *keys, size_t n);

/**
 * rings_holds() - check whether a ring holds an epoch
 * @ring: the ring
 * @epoch: the epoch
 *
 * Context: Pure.
 * Return: %true if @epoch is in one of its ranges.
 */
bool rings_holds(const struct session_ring *ring, uint64_t epoch);

/**
 * rings_select() - select the keys that must be deleted to reconcile with the peer
 * @keys: keys of both our rings; reordered so that the selected ones come first
 * @n: number of keys
 * @peer: the peer's rings
 * @current: epoch of our current receive key, 0 if there is none
 *
 * Selects transmit keys that are not in the peer's receive ring, and receive keys newer than
 * our current one that are not in its transmit ring (userspace/PROTOCOL.md, section 3).
 *
 * Context: Pure.
 * Return: number of selected keys.
 */
size_t rings_select(struct qlink_key *keys, size_t n,
		    const struct session_rings *peer, uint64_t current);

#endif
