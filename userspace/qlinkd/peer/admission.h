/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which callers may be in the handshake, so that a flood of callers cannot keep a peer out. */
#ifndef QLINKD_ADMISSION_H
#define QLINKD_ADMISSION_H

#include <stdbool.h>
#include <stdint.h>

#include "libqlink/parse.h"
#include "qlinkd/base/rate.h"

/* Most callers in the handshake at a time. */
#define ADMISSION_MAX		32
/*
 * Most callers of one IPv4 address or of one IPv6 /64 at a time; a host with one address in a /64
 * may use all 2^64.
 */
#define ADMISSION_SAME_MAX	4
/*
 * A caller is unknown if its address is not that of a configured peer; each may cost us a
 * signature. Most unknown callers at once, and ms until one more is admitted.
 */
#define ADMISSION_UNKNOWN_BURST	64
#define ADMISSION_UNKNOWN_MS	50

/**
 * struct admission_caller - a slot for a caller in the handshake
 */
struct admission_caller {
	/** @from: its address */
	struct qlink_addr from;

	/** @is_known: a configured peer has that address */
	bool is_known;

	/** @is_used: a caller has this slot */
	bool is_used;

	/** @order: number of the caller; a later caller has a greater one */
	uint64_t order;
};

/**
 * struct admission - all callers in the handshake
 */
struct admission {
	/** @callers: the slots */
	struct admission_caller callers[ADMISSION_MAX];

	/** @n_ever: number of callers admitted so far */
	uint64_t n_ever;

	/** @unknown: limit on callers of unknown addresses */
	struct rate unknown;
};

/**
 * admission_init() - initialize without a caller
 * @admission: filled in
 * @now: time in ms
 *
 * Context: Pure.
 */
void admission_init(struct admission *admission, uint64_t now);

/**
 * admission_has_room() - check whether any caller can be admitted
 * @admission: the callers
 *
 * Context: Pure.
 * Return: %false while callers with addresses of configured peers have all slots.
 */
bool admission_has_room(const struct admission *admission);

/**
 * admission_enter() - give a caller a slot
 * @admission: the callers; admission_has_room() is true
 * @from: address of the caller
 * @is_known: a configured peer has that address
 * @now: time in ms
 * @evicts: set to whether another caller had the slot and loses it
 *
 * If the address already has ADMISSION_SAME_MAX slots, its oldest caller is evicted: that one
 * is the least likely to complete its handshake. Otherwise, if no slot is free, the oldest
 * caller of an unknown address is evicted.
 *
 * Context: Pure. The caller of this function closes the connection of an evicted caller.
 * Return: the slot, 0 to ADMISSION_MAX - 1, which admission_leave() frees; %-EBUSY if too
 * many callers of unknown addresses came within a second.
 */
int admission_enter(struct admission *admission, const struct qlink_addr *from, bool is_known,
		    uint64_t now, bool *evicts);

/**
 * admission_leave() - free a slot
 * @admission: the callers
 * @slot: from admission_enter()
 *
 * Context: Pure.
 */
void admission_leave(struct admission *admission, int slot);

#endif
