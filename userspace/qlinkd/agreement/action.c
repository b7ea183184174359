// SPDX-License-Identifier: GPL-2.0-or-later
/* The list of actions that one step of an agreement returns. */
#include "action.h"

#include <stdlib.h>
#include <string.h>

struct session_action *action_add(struct session_actions *actions,
				  enum session_action_type type)
{
	struct session_action *action;

	if (actions->n == SESSION_ACTIONS_MAX)
		abort();
	action = &actions->list[actions->n++];
	memset(action, 0, sizeof(*action));
	action->type = type;
	return action;
}

struct session_action *action_ask(struct session *session,
				  struct session_actions *actions,
				  enum session_action_type type)
{
	struct session_action *action = action_add(actions, type);

	action->ticket = ++session->last_id;
	return action;
}

struct session_msg *action_send(const struct session *session,
				struct session_actions *actions,
				enum session_message type)
{
	struct session_msg *msg;

	msg = &action_add(actions, SESSION_ACTION_SEND)->msg;
	msg->type = type;
	msg->from = session->generation;
	msg->to = session->peer_generation;
	return msg;
}

struct session_action *action_note(struct session_actions *actions, enum session_note note,
				   uint8_t reason)
{
	struct session_action *action = action_add(actions, SESSION_ACTION_NOTE);

	action->note = note;
	action->reason = reason;
	return action;
}
