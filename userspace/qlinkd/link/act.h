/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Carries out what the agreement of a link asks for. */
#ifndef QLINKD_CARRY_H
#define QLINKD_CARRY_H

#include "link.h"

/**
 * carry_step() - let something happen to the agreement, and carry out what it asks for
 * @link: the link
 * @event: what happened
 */
void carry_step(struct link *link, const struct rekey_event *event);

/**
 * carry_fetched() - go on when the keys that the peer named are here, or are not
 * @link: the link; an action of REKEY_ACTION_FETCH waits, or did
 * @reason: why not
 * @secrets: one for each epoch
 */
void carry_fetched(struct link *link, enum rekey_reason reason, const struct bytes *secrets);

#endif
