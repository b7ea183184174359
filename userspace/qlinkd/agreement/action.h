/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The list of actions that one step of an agreement returns. */
#ifndef QLINKD_ACTION_H
#define QLINKD_ACTION_H

#include "agreement.h"

/**
 * action_add() - append an action
 * @actions: the list
 * @type: an enum session_action_type
 *
 * No step needs more than SESSION_ACTIONS_MAX actions. A step that does is a bug; it aborts
 * the process, because to lose an action could mean to keep a key that must be deleted.
 *
 * Context: Pure.
 * Return: the action, all zero except for its type; valid as long as the list.
 */
struct session_action *action_add(struct session_actions *actions,
				  enum session_action_type type);

/**
 * action_ask() - append an action whose result the agreement waits for
 * @session: the agreement; it issues the ticket
 * @actions: the list
 * @type: an enum session_action_type
 *
 * Context: Pure.
 * Return: the action, all zero except for type and ticket; valid as long as the list.
 */
struct session_action *action_ask(struct session *session,
				  struct session_actions *actions,
				  enum session_action_type type);

/**
 * action_send() - append an action that sends a message to the peer
 * @session: the agreement; it has the generations
 * @actions: the list
 * @type: an enum session_message
 *
 * Context: Pure.
 * Return: the message, all zero except for type and generations; valid as long as the list.
 */
struct session_msg *action_send(const struct session *session,
				struct session_actions *actions,
				enum session_message type);

/**
 * action_note() - append an event for the log
 * @actions: the list
 * @note: an enum session_note
 * @reason: an enum session_reason
 *
 * Context: Pure.
 * Return: the action, to add to it.
 */
struct session_action *action_note(struct session_actions *actions, enum session_note note,
				   uint8_t reason);

#endif
