/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The list of actions that a step of an agreement asks for. */
#ifndef QLINKD_ACTION_H
#define QLINKD_ACTION_H

#include "agreement.h"

/**
 * action_add() - append an action
 * @actions: the list
 * @type: an enum session_action_type
 *
 * No step asks for more than SESSION_ACTIONS_MAX; one that would is a bug, and
 * ends the process rather than forget a deletion.
 *
 * Return: the action, all zero but for its type; lives as long as the list.
 */
struct session_action *action_add(struct session_actions *actions,
				  enum session_action_type type);

/**
 * action_ask() - append an action that is answered
 * @session: the agreement, which gives the ticket
 * @actions: the list
 * @type: an enum session_action_type
 *
 * Return: the action, with its ticket.
 */
struct session_action *action_ask(struct session *session,
				  struct session_actions *actions,
				  enum session_action_type type);

/**
 * action_say() - append a message to the peer
 * @session: the agreement, which gives the generations
 * @actions: the list
 * @type: an enum session_message
 *
 * Return: the message, all zero but for type and generations.
 */
struct session_msg *action_say(const struct session *session,
			       struct session_actions *actions,
			       enum session_message type);

/**
 * action_note() - append what people should hear of
 * @actions: the list
 * @note: an enum session_note
 * @reason: an enum session_reason
 */
void action_note(struct session_actions *actions, enum session_note note,
		 uint8_t reason);

#endif
