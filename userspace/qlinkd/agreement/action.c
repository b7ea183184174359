// SPDX-License-Identifier: GPL-2.0-or-later
/* The list of actions that a step of an agreement asks for. */
#include "action.h"

#include <stdlib.h>
#include <string.h>

struct rekey_action *action_add(struct rekey_actions *actions,
				enum rekey_action_type type)
{
	struct rekey_action *action;

	if (actions->n == REKEY_ACTIONS_MAX)
		abort();
	action = &actions->list[actions->n++];
	memset(action, 0, sizeof(*action));
	action->type = type;
	return action;
}

struct rekey_action *action_ask(struct rekey *rekey,
				struct rekey_actions *actions,
				enum rekey_action_type type)
{
	struct rekey_action *action = action_add(actions, type);

	action->ticket = ++rekey->last_id;
	return action;
}

struct rekey_msg *action_say(const struct rekey *rekey,
			     struct rekey_actions *actions,
			     enum rekey_message type)
{
	struct rekey_msg *msg;

	msg = &action_add(actions, REKEY_ACTION_SEND)->msg;
	msg->type = type;
	msg->from = rekey->generation;
	msg->to = rekey->peer_generation;
	return msg;
}

void action_note(struct rekey_actions *actions, enum rekey_note note,
		 uint8_t reason)
{
	struct rekey_action *action = action_add(actions, REKEY_ACTION_NOTE);

	action->note = note;
	action->reason = reason;
}
