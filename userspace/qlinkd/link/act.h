/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Carries out what the agreement of a link asks for. */
#ifndef QLINKD_ACT_H
#define QLINKD_ACT_H

#include "link.h"

/* Answers that the agreement has not had yet, at most. */
#define ACT_DONE_MAX	32

/**
 * act_new() - set up what carries out the actions of a link
 * @link: its @act is filled in; freed with act_free()
 *
 * Return: 0, or %-ENOMEM.
 */
int act_new(struct link *link);

/**
 * act_free() - free what act_new() made
 * @link: its @act may be %NULL
 */
void act_free(struct link *link);

/**
 * act_n_answers() - count the answers that the agreement has not had yet
 * @link: the link
 *
 * Return: how many; 0 whenever act_step() and act_fetched() have returned.
 */
unsigned int act_n_answers(const struct link *link);

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
