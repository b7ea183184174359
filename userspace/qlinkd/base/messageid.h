/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The journal's identifiers of the agent's events. */
#ifndef QLINKD_MESSAGEID_H
#define QLINKD_MESSAGEID_H

/**
 * messageid_of() - find the MESSAGE_ID of an event
 * @event: what happened, a word
 *
 * It never changes, because rules and filters of others have it; systemd/qlinkd.catalog has a text
 * for each.
 *
 * Context: Pure.
 * Return: 32 hexadecimal digits, or %NULL for an event that has none.
 */
const char *messageid_of(const char *event);

#endif
