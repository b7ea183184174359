/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which callers may wait for their handshake, so that no flood of them keeps a peer out. */
#ifndef QLINKD_ADMISSION_H
#define QLINKD_ADMISSION_H

#include <stdbool.h>
#include <stdint.h>

#include "libqlink/parse.h"
#include "qlinkd/base/rate.h"

/* Callers whose handshake is under way. */
#define ADMISSION_MAX		32
/* Of one address, or of one /64 of IPv6: a host that has one address of it has 2^64 others. */
#define ADMISSION_SAME_MAX	4
/*
 * Callers whose address is not one of a configured peer, each of which may cost us a signature:
 * how many at once, and ms until one more may come.
 */
#define ADMISSION_UNKNOWN_BURST	64
#define ADMISSION_UNKNOWN_MS	50

/**
 * struct admission_caller - a caller whose handshake is under way
 */
struct admission_caller {
	/** @from: its address */
	struct qlink_addr from;

	/** @is_known: a configured peer has that address */
	bool is_known;

	/** @is_here: this place is in use */
	bool is_here;

	/** @order: a later caller has a greater one */
	uint64_t order;
};

/**
 * struct admission - all callers
 */
struct admission {
	/** @callers: one place for each */
	struct admission_caller callers[ADMISSION_MAX];

	/** @n_ever: callers admitted so far */
	uint64_t n_ever;

	/** @unknown: how many more callers of unknown addresses may come */
	struct rate unknown;
};

/**
 * admission_init() - begin without a caller
 * @admission: filled in
 * @now: time in ms
 */
void admission_init(struct admission *admission, uint64_t now);

/**
 * admission_has_room() - ask whether any caller can be admitted
 * @admission: the callers
 *
 * Return: %false while callers with addresses of configured peers have all places.
 */
bool admission_has_room(const struct admission *admission);

/**
 * admission_enter() - find a place for a caller
 * @admission: the callers; there is room
 * @from: its address
 * @is_known: a configured peer has that address
 * @now: time in ms
 * @has_to_go: whether another caller has that place now and loses it
 *
 * If the address has ADMISSION_SAME_MAX places already, its oldest caller goes: that one is the
 * least likely to complete its handshake. If no place is free, the oldest caller of an unknown
 * address goes.
 *
 * Return: the place, which now belongs to this caller; %-EBUSY if too many callers of unknown
 * addresses came within a second.
 */
int admission_enter(struct admission *admission, const struct qlink_addr *from, bool is_known,
		    uint64_t now, bool *has_to_go);

/**
 * admission_leave() - give a place back
 * @admission: the callers
 * @place: from admission_enter()
 */
void admission_leave(struct admission *admission, int place);

#endif
