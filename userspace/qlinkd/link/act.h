/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Carries out the actions of a link's session. */
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
 * act_n_kmes() - say how many KMEs are behind the keys that were installed last
 * @link: the link
 * @direction: of the keys
 *
 * Return: KMEs; 0 for post-quantum keys alone, and before the first keys.
 */
uint8_t act_n_kmes(const struct link *link, enum qlink_direction direction);

/**
 * act_n_answers() - count the answers that the agreement has not had yet
 * @link: the link
 *
 * Return: how many; 0 whenever act_step() and act_fetched() have returned.
 */
unsigned int act_n_answers(const struct link *link);

/**
 * act_step() - pass an event to the session and carry out the actions it returns
 * @link: the link
 * @event: what happened
 */
void act_step(struct link *link, const struct session_event *event);

/**
 * act_serving() - tell the peer which of our KMEs are up, if that is news
 * @link: the link
 */
void act_serving(struct link *link);

/**
 * act_kept() - go on with what has waited until the chains of the link are on the disk
 * @link: the link; to be called when that may be, and when keptchain_waits() is over
 */
void act_kept(struct link *link);

/**
 * act_fetched() - go on after the KME answered about the keys that the peer named
 * @link: the link; its action SESSION_ACTION_FETCH is pending, or was
 * @reason: %SESSION_REASON_NONE, or why the keys did not come
 * @place: of the KME that is the reason, 0 for none
 * @secrets: for each epoch a key of each KME; the caller wipes them
 */
void act_fetched(struct link *link, enum session_reason reason, uint8_t place,
		 const struct bytes *secrets);

#endif
