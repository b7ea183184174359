/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Carries out what the agreement of a link asks for. */
#ifndef QLINKD_ACT_H
#define QLINKD_ACT_H

#include "link.h"

/**
 * act_step() - let something happen to the agreement, and carry out what it asks for
 * @link: the link
 * @event: what happened
 */
void act_step(struct link *link, const struct session_event *event);

/**
 * act_fetched() - go on when the keys that the peer named are here, or are not
 * @link: the link; an action of SESSION_ACTION_FETCH waits, or did
 * @reason: why not
 * @secrets: one for each epoch
 */
void act_fetched(struct link *link, enum session_reason reason, const struct bytes *secrets);

#endif
