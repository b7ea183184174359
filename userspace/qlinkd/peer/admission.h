/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who may wait at the door, and who has to go for it: a crowd keeps no peer out. */
#ifndef QLINKD_CROWD_H
#define QLINKD_CROWD_H

#include <stdbool.h>
#include <stdint.h>

#include "libqlink/parse.h"
#include "qlinkd/base/rate.h"

/* Those whose handshake is not made yet. */
#define CROWD_MAX		32
/* Of them, from one address, or one /64 of IPv6: who has one has 2^64 others. */
#define CROWD_SAME_MAX		4
/* From addresses that no peer has: each may cost us a signature. At once, and ms for one more. */
#define CROWD_STRANGERS_BURST	64
#define CROWD_STRANGER_MS	50

/**
 * struct crowd_guest - one of them
 */
struct crowd_guest {
	/** @from: its address */
	struct qlink_addr from;

	/** @is_known: a peer has that address */
	bool is_known;

	/** @is_here: the place is taken */
	bool is_here;

	/** @order: whoever came later has a greater one */
	uint64_t order;
};

/**
 * struct crowd - those who are there
 */
struct crowd {
	/** @guests: a place each */
	struct crowd_guest guests[CROWD_MAX];

	/** @n_ever: guests that came in */
	uint64_t n_ever;

	/** @strangers: how many more of them may come in */
	struct budget strangers;
};

/**
 * crowd_init() - begin with nobody
 * @crowd: filled in
 * @now: time in ms
 */
void crowd_init(struct crowd *crowd, uint64_t now);

/**
 * crowd_has_room() - whether somebody may come in at all
 * @crowd: the crowd
 *
 * Return: %false while every place is that of somebody with the address of a peer.
 */
bool crowd_has_room(const struct crowd *crowd);

/**
 * crowd_enter() - find a place for somebody
 * @crowd: the crowd, which has room
 * @from: its address
 * @is_known: a peer has that address
 * @now: time in ms
 * @has_to_go: set where somebody else has that place, and loses it to the new one
 *
 * The oldest of the same address goes where it has CROWD_SAME_MAX places: it is the least likely
 * to be somebody who is about to come in. Where no place is free, the oldest stranger goes.
 *
 * Return: the place, which is the new one's from here on; %-EBUSY for strangers that are too many
 * a second.
 */
int crowd_enter(struct crowd *crowd, const struct qlink_addr *from, bool is_known, uint64_t now,
		bool *has_to_go);

/**
 * crowd_leave() - give a place back
 * @crowd: the crowd
 * @place: from crowd_enter()
 */
void crowd_leave(struct crowd *crowd, int place);

#endif
