// SPDX-License-Identifier: GPL-2.0-or-later
/* Carries out the actions of a link's session. */
#include "act.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keptchain.h"
#include "blocked.h"
#include "libqlink/names.h"
#include "preshared.h"
#include "qlinkd/agreement/message.h"

/* Bytes of KME key IDs in one line of the audit log, at most; one fits, whatever it is. */
#define AUDIT_IDS	700
#define ID_TEXT		(MSG_NAME_BYTES_MAX * FIELD_ESCAPE_MAX + 1)

/**
 * struct link_act - what carries out the actions of one link
 */
struct link_act {
	/** @done: answers that the session has not had yet, in order */
	struct session_event done[ACT_DONE_MAX];

	/** @n_done: how many */
	unsigned int n_done;

	/** @rings: the rings as the last SESSION_ACTION_RINGS found them */
	struct session_rings rings;

	/** @has_offered: the peer has our offer, so that a refusal comes from the peer */
	bool has_offered;

	/** @n_unsettled: keys of KMEs in our offer, while it is not known whether they will be used */
	uint8_t n_unsettled;

	/** @n_kmes: KMEs behind the keys installed last, by direction; 0 for none */
	uint8_t n_kmes[2];

	/** @peer_source: source of the last keys that the peer offered; POLICY_NO_SOURCE for none */
	int peer_source;

	/** @has_installed: directions in which keys were installed, one bit each */
	uint8_t has_installed;

	/** @taken: keys taken from stock for the offer that is being made */
	struct stocks_taken taken;

	/** @said_serving: which of our KMEs are up, as the last INVITE said */
	uint8_t said_serving;

	/** @is_deriving: the keys of our offer have yet to be derived */
	bool is_deriving;
};

static void answer(struct link *link, uint64_t ticket, const struct session_event *how)
{
	struct session_event *event;

	/* There is room for one step's actions and for the pending fetch. */
	if (!ticket || link->act->n_done == ACT_DONE_MAX)
		return;
	event = &link->act->done[link->act->n_done++];
	*event = *how;
	event->type = SESSION_EVENT_DONE;
	event->ticket = ticket;
}

/* Answers that a fetch failed at a KME. */
static void answer_place(struct link *link, uint64_t ticket, enum session_reason reason,
			 uint8_t place)
{
	answer(link, ticket, &(struct session_event){
		.is_ok = !reason, .reason = (uint8_t)reason, .place = reason ? place : 0 });
}

static void answer_plain(struct link *link, uint64_t ticket, int err, enum session_reason reason)
{
	answer(link, ticket, &(struct session_event){
		.is_ok = !err, .reason = (uint8_t)(err ? reason : SESSION_REASON_NONE) });
}

static void kernel_refused(struct link *link, const char *what, const struct qlink_why *why)
{
	snprintf(link->why, sizeof(link->why), "%s: %s", what, why->text);
	TELL(link->services, LOG_ERR, "kernel-refused", TEXT("link", link->config->device),
	     TEXT("request", what), TEXT("why", why->text));
}

/* --- the kernel --- */

static void do_rings(struct link *link, const struct session_action *action)
{
	struct broker_client *broker = &link->services->broker;
	struct session_event event = { .rings = &link->act->rings };
	struct qlink_why why;

	event.is_ok = !broker_ask(broker, REQUEST_RINGS, link->config->device, NULL, &why);
	if (event.is_ok)
		link->act->rings = broker->reply.rings;
	else
		kernel_refused(link, "rings", &why);
	answer(link, action->ticket, &event);
}

static void note_chain(struct link *link, const char *direction, uint64_t *counter)
{
	keptchain_save(link);
	(*counter)++;
	TELL(link->services, LOG_NOTICE, "chain-restarted", TEXT("link", link->config->device),
	     TEXT("direction", direction));
	AUDIT(link->services, "chain_restarted", TEXT("link", link->config->device),
	      TEXT("direction", direction));
}

static void do_reconcile(struct link *link, const struct session_action *action)
{
	struct request request = {
		.sources = action->sources,
		.least = link->session.kmes_least,
		.peer = action->peer->rings,
	};
	struct qlink_why why;
	int err = broker_ask(&link->services->broker, REQUEST_RECONCILE, link->config->device,
			     &request, &why);

	if (err)
		kernel_refused(link, "reconcile", &why);
	else if (action->sources && exchange_match_chain(link->exchange))
		note_chain(link, "tx", &link->counters.chain_restarts);
	link->has_view = false;
	answer_plain(link, action->ticket, err, SESSION_REASON_KERNEL);
}

static void note_withdrawn(struct link *link, const struct session_withdraw *withdraw,
			   const char *direction, bool is_done)
{
	const struct log_field fields[] = {
		TEXT("link", link->config->device), TEXT("direction", direction),
		NUMBER_OF("first", withdraw->range.first), NUMBER_OF("last", withdraw->range.last),
		TEXT("reason", msg_reason_name(withdraw->reason)),
		NUMBER_OF("done", is_done), { .name = NULL },
	};

	TELL(link->services, LOG_NOTICE, "withdrawn", fields[0], fields[1], fields[2], fields[3],
	     fields[4]);
	services_audit(link->services, "withdrawn", fields);
}

static void do_delete(struct link *link, const struct session_action *action)
{
	const struct session_withdraw *withdraw = &action->withdraw;
	struct request request = {
		.direction = withdraw->direction == SESSION_DIRECTION_TX ?
				     QLINK_DIRECTION_TX : QLINK_DIRECTION_RX,
		.range = withdraw->range,
		.staged_only = action->staged_only,
	};
	struct qlink_why why;
	int err = broker_ask(&link->services->broker, REQUEST_DELETE, link->config->device,
			     &request, &why);

	if (err) {
		kernel_refused(link, "delete", &why);
		link->is_unsure |= !action->ticket;
	}
	note_withdrawn(link, withdraw, qlink_name(&qlink_directions, request.direction), !err);
	link->has_view = false;
	answer_plain(link, action->ticket, err, SESSION_REASON_KERNEL);
}

/* Writes key IDs of one KME from epoch @i on, as many as fit into a line; returns for how many epochs. */
static uint8_t list_ids(const struct exchange_offer *offer, unsigned int k, uint8_t i,
			char ids[AUDIT_IDS])
{
	uint8_t first = i, n = offer->core.n;
	struct bytes key_id;
	char id[ID_TEXT];
	size_t len = 0;

	ids[0] = '\0';
	for (; i < n && offer->core.n_kmes; i++) {
		key_id = exchange_key_id(offer, i * offer->core.n_kmes + k);
		/* With its quotes, a comma and a NUL. */
		if (len + field_escape(id, sizeof(id), (const char *)key_id.data, key_id.len,
				       FIELD_STYLE_JSON) + 4 > AUDIT_IDS)
			return i - first;
		len += (size_t)snprintf(ids + len, AUDIT_IDS - len, "%s\"%s\"", len ? "," : "", id);
	}
	return n - first;
}

/* Names a KME of an offer: its place, which is the same at both ends, and its ID here. */
static void name_kme(const struct link *link, uint8_t place, char name[MSG_NAME_BYTES_MAX + 8])
{
	struct bytes id = stocks_kme_id(link->stocks, place - 1U);

	snprintf(name, MSG_NAME_BYTES_MAX + 8, "%u/%.*s", place, (int)id.len, (const char *)id.data);
}

/*
 * Writes a line for the keys, or more if there are many key IDs, and others for the key IDs of the second
 * KME and further ones.
 */
static void audit_installed(struct link *link, const struct broker_keys *keys,
			    const struct exchange_offer *offer)
{
	char ids[AUDIT_IDS], kme[MSG_NAME_BYTES_MAX + 8] = "";
	unsigned int k = 0;
	uint8_t i, n;

	do {
		if (offer->core.n_kmes)
			name_kme(link, offer->core.kmes[k], kme);
		for (i = 0; i < keys->n; i += n) {
			n = list_ids(offer, k, i, ids);
			AUDIT(link->services, k ? "mixed" : "installed",
			      TEXT("link", link->config->device),
			      TEXT("direction", qlink_name(&qlink_directions, keys->direction)),
			      TEXT("source", qlink_name(&qlink_sources, keys->source)),
			      NUMBER_OF("kmes", keys->kmes),
			      NUMBER_OF("epoch", keys->first + i), NUMBER_OF("n", n), TEXT("kme", kme),
			      { .name = "kme_key_ids", .list = ids });
		}
	} while (++k < offer->core.n_kmes);
}

/* How many KMEs are behind the keys changed, for example because one has run dry. */
static void note_kmes(struct link *link, enum qlink_direction direction, uint8_t n)
{
	uint8_t before = link->act->n_kmes[direction];
	const char *name = qlink_name(&qlink_directions, direction);

	if (before == n)
		return;
	link->act->n_kmes[direction] = n;
	/* The source changed too, which was said, or these are the first keys. */
	if (!before || !n)
		return;
	TELL(link->services, n < before ? LOG_WARNING : LOG_NOTICE, "kmes-changed",
	     TEXT("link", link->config->device), TEXT("direction", name),
	     NUMBER_OF("from", before), NUMBER_OF("to", n));
	AUDIT(link->services, "kmes", TEXT("link", link->config->device), TEXT("direction", name),
	      NUMBER_OF("from", before), NUMBER_OF("to", n));
}

/* Installs the keys of an offer, all or none. */
static int install(struct link *link, const struct session_action *action, bool is_tx)
{
	struct exchange_offer *offer = is_tx ? link->exchange->tx.offer : link->exchange->rx.offer;
	uint64_t *counts = is_tx ? link->counters.tx_keys : link->counters.rx_keys;
	struct broker_keys keys = {
		.keys = offer->keys,
		.first = action->offer.first,
		.n = action->offer.n,
		.direction = is_tx ? QLINK_DIRECTION_TX : QLINK_DIRECTION_RX,
		.source = action->offer.source,
		.kmes = offer->core.n_kmes,
	};
	struct qlink_why why;
	struct bytes id;
	uint8_t i;
	int err;

	/* The kernel has room for one ID of a key: that of its first KME. The audit log has all. */
	for (i = 0; i < keys.n && offer->core.n_kmes; i++) {
		id = exchange_key_id(offer, i * offer->core.n_kmes);
		broker_handle(&id, keys.kme_key_ids[i]);
	}
	err = broker_install(&link->services->broker, link->config->device, &keys, &why);
	if (err) {
		kernel_refused(link, "install", &why);
		return err;
	}
	counts[keys.source] += keys.n;
	if (is_tx && keys.source != QLINK_SOURCE_PQC)
		usage_add(&link->usage, keys.n, services_now());
	link->act->has_installed |= 1 << keys.direction;
	if (link->act->has_installed == (1 << QLINK_DIRECTION_TX | 1 << QLINK_DIRECTION_RX))
		stocks_hold(link->stocks, 0);
	audit_installed(link, &keys, offer);
	note_kmes(link, keys.direction, offer->core.n_kmes);
	return 0;
}

/* The peer chose another source, for example because its KME has no keys. */
static void note_peer_source(struct link *link, int source)
{
	int before = link->act->peer_source;
	const char *from = before < 0 ? "none" : qlink_name(&qlink_sources, (unsigned int)before);
	const char *to = qlink_name(&qlink_sources, (unsigned int)source);

	if (before == source)
		return;
	link->act->peer_source = source;
	link->counters.peer_source_changes += before >= 0;
	TELL(link->services, before >= 0 && source == QLINK_SOURCE_PQC ? LOG_WARNING : LOG_NOTICE,
	     "peer-source-changed", TEXT("link", link->config->device), TEXT("from", from),
	     TEXT("to", to));
	AUDIT(link->services, "peer_source", TEXT("link", link->config->device),
	      TEXT("from", from), TEXT("to", to));
}

/* Answers when the disk has the chain that has advanced, see keptchain.h. */
static void answer_advanced(struct link *link, bool is_tx, uint64_t ticket, int err)
{
	if (err || !keptchain_defer(link, is_tx, ticket, services_now()))
		answer_plain(link, ticket, err, SESSION_REASON_KERNEL);
}

static void do_install_rx(struct link *link, const struct session_action *action)
{
	int err = install(link, action, false);

	if (!err) {
		if (chain_is_lost(&link->exchange->rx.chain, link->exchange->rx.offer->from))
			note_chain(link, "rx", &link->counters.peer_chain_restarts);
		exchange_advance(&link->exchange->rx);
		keptchain_save(link);
		note_peer_source(link, action->offer.source);
	}
	answer_advanced(link, false, action->ticket, err);
}

static void do_install_tx(struct link *link, const struct session_action *action)
{
	int err;

	exchange_advance(&link->exchange->tx);
	keptchain_save(link);
	err = install(link, action, true);
	if (!err)
		link->view.tx.staged += action->offer.n;
	exchange_drop_tx(link->exchange);
	answer_advanced(link, true, action->ticket, err);
}

/* --- offers --- */

/* A key ID is offered once, so the keys taken for an offer are spent whether it succeeds or not. */
static void spend_taken(struct link *link)
{
	stocks_spend(link->stocks);
	memset(&link->act->taken, 0, sizeof(link->act->taken));
}

static void do_prepare(struct link *link, const struct session_action *action)
{
	struct stocks_taken *taken = &link->act->taken;
	struct session_offer offer = action->offer;
	struct session_event event = { .reason = SESSION_REASON_KME };
	enum session_reason no_memory = exchange_begin(link->exchange);

	if (no_memory) {
		answer_plain(link, action->ticket, -ENOMEM, no_memory);
		return;
	}
	if (offer.source != QLINK_SOURCE_PQC) {
		stocks_take(link->stocks, offer.n, services_now(), taken);
		offer.n = (uint8_t)taken->n;
		offer.n_kmes = taken->n_kmes;
		memcpy(offer.kmes, taken->kmes, sizeof(offer.kmes));
	}
	if (offer.n)
		event.reason = (uint8_t)exchange_prepare(link->exchange, &offer, taken->ids);
	event.n = offer.n;
	event.n_kmes = offer.n_kmes;
	memcpy(event.kmes, offer.kmes, sizeof(event.kmes));
	event.is_ok = event.reason == SESSION_REASON_NONE;
	link->act->has_offered = event.is_ok;
	link->act->is_deriving = event.is_ok;
	link->act->n_unsettled = (uint8_t)(taken->n * taken->n_kmes);
	if (!event.is_ok)
		spend_taken(link);
	answer(link, action->ticket, &event);
}

/*
 * Derives the keys of our offer after it was sent, while the peer fetches and derives the same. If
 * this fails, the peer's confirmation does not match and the keys are withdrawn.
 */
static void derive_offered(struct link *link)
{
	if (!link->act->is_deriving)
		return;
	link->act->is_deriving = false;
	exchange_derive(link->exchange, true, link->act->taken.secrets);
	spend_taken(link);
}

static void do_fetch(struct link *link, const struct session_action *action)
{
	struct exchange *x = link->exchange;
	enum session_reason reason = exchange_open(x);
	struct bytes ids[SESSION_KEY_IDS_MAX];
	uint8_t place = 0;
	unsigned int i;

	if (!reason && action->offer.source != QLINK_SOURCE_PQC) {
		for (i = 0; i < action->offer.n * action->offer.n_kmes; i++)
			ids[i] = exchange_key_id(x->rx.offer, i);
		reason = stocks_fetch(link->stocks, &action->offer, ids, &place);
		if (!reason)
			return;
	} else if (!reason) {
		reason = exchange_derive(x, false, NULL);
	}
	answer_place(link, action->ticket, reason, place);
}

/* What the exchange does not know of a message. */
static void fill(struct link *link, struct msg *msg)
{
	uint8_t i;

	msg->kmes = stocks_serving(link->stocks);
	/* The agreement counts the time of a fetch, and does not know which KME lets it pass. */
	if (msg->core.type == SESSION_MESSAGE_REFUSE && msg->core.reason == SESSION_REASON_TIMEOUT &&
	    !msg->core.place)
		msg->core.place = stocks_late(link->stocks);
	for (i = 0; msg->core.type == SESSION_MESSAGE_STATE && i < msg->core.state.n_kmes; i++)
		msg->kme_ids[i] = stocks_kme_id(link->stocks, i);
}

static void do_send(struct link *link, const struct session_action *action)
{
	struct msg msg = { .core = action->msg };
	uint8_t data[MSG_BYTES_MAX];
	int len = exchange_fill(link->exchange, &msg);

	fill(link, &msg);
	if (!len)
		len = msg_encode(&msg, data, sizeof(data));
	if (len <= 0) {
		TELL(link->services, LOG_ERR, "message-not-encoded",
		     TEXT("link", link->config->device),
		     TEXT("message", msg_type_name(action->msg.type)),
		     TEXT("why", strerror(-len)));
		return;
	}
	exchange_sent(link->exchange, &msg, data, (size_t)len);
	if (action->msg.type == SESSION_MESSAGE_INVITE)
		link->act->said_serving = msg.kmes;
	link->ops.say(link->arg, data, (size_t)len);
}

/* --- what is logged and counted --- */

static void note_trouble(struct link *link, const char *event, uint64_t *counter, uint8_t reason)
{
	(*counter)++;
	snprintf(link->why, sizeof(link->why), "%s: %s", event, msg_reason_name(reason));
	TELL(link->services, LOG_WARNING, event, TEXT("link", link->config->device),
	     TEXT("reason", msg_reason_name(reason)));
}

static void note_burned(struct link *link, uint32_t n, const char *why)
{
	if (!n)
		return;
	link->counters.keys_burned += n;
	TELL(link->services, LOG_WARNING, "keys-burned", TEXT("link", link->config->device),
	     NUMBER_OF("burned", n), TEXT("why", why));
}

static void note_refused(struct link *link, uint8_t reason, uint8_t place)
{
	note_trouble(link, "offer-refused", &link->counters.offers_refused, reason);
	/* The line above says enough. */
	link->counters.keys_burned += link->act->n_unsettled;
	link->act->n_unsettled = 0;
	/* Only a refusal by the peer says something about its KME. */
	if (link->act->has_offered &&
	    (reason == SESSION_REASON_KME || reason == SESSION_REASON_KEY_ID ||
	     reason == SESSION_REASON_TIMEOUT))
		note_burned(link, stocks_refused(link->stocks, reason, place, services_now()),
			    "the peer's KME has forgotten the rest of their batch");
	link->act->has_offered = false;
}

/* A key ID is offered once, so the keys of an offer that ends with its session are lost. */
static void do_drop_tx(struct link *link)
{
	note_burned(link, link->act->n_unsettled, "their offer ended with its session");
	link->act->n_unsettled = 0;
	if (link->act->is_deriving)
		spend_taken(link);
	link->act->is_deriving = false;
	exchange_drop_tx(link->exchange);
}

static void note_agreed(struct link *link, const struct session_offer *offer)
{
	link->counters.offers++;
	link->why[0] = '\0';
	link->act->n_unsettled = 0;
	if (offer->source != QLINK_SOURCE_PQC)
		note_burned(link, stocks_agreed(link->stocks, services_now()),
			    "the peer's KME has new keys and no longer the old ones");
	TELL(link->services, LOG_DEBUG, "agreed", TEXT("link", link->config->device),
	     TEXT("source", qlink_name(&qlink_sources, offer->source)),
	     NUMBER_OF("first", offer->first), NUMBER_OF("keys", offer->n));
}

static void note_ready(struct link *link)
{
	link->counters.sessions++;
	link->why[0] = '\0';
	TELL(link->services, LOG_INFO, "ready", TEXT("link", link->config->device),
	     TEXT("peer", link->config->peer_name),
	     TEXT("peer-policy", policy_name(link->session.peer.policy)));
	blocked_note_kmes(link);
}

static void do_note(struct link *link, const struct session_action *action)
{
	struct link_counters *counters = &link->counters;

	switch ((enum session_note)action->note) {
	case SESSION_NOTE_READY:
		note_ready(link);
		break;
	case SESSION_NOTE_AGREED:
		note_agreed(link, &action->offer);
		break;
	case SESSION_NOTE_REFUSED:
		note_refused(link, action->reason, action->place);
		break;
	case SESSION_NOTE_REJECTED:
		note_trouble(link, "offer-rejected", &counters->offers_rejected, action->reason);
		break;
	case SESSION_NOTE_NO_VERSION:
	case SESSION_NOTE_NO_SOURCE:
	case SESSION_NOTE_NO_SUITE:
	case SESSION_NOTE_NO_PSK:
	case SESSION_NOTE_NO_CHAIN:
	case SESSION_NOTE_NO_EPOCH:
		blocked_note(link, action->note);
		break;
	case SESSION_NOTE_VIOLATION:
		note_trouble(link, "protocol-violation", &counters->violations, action->reason);
		break;
	case SESSION_NOTE_TIMEOUT:
		note_trouble(link, "session-timed-out", &counters->timeouts, action->reason);
		break;
	case SESSION_NOTE_FAILED:
		note_trouble(link, "session-failed", &counters->failures, action->reason);
		break;
	}
}

static void act(struct link *link, const struct session_action *action)
{
	switch ((enum session_action_type)action->type) {
	case SESSION_ACTION_SEND:
		do_send(link, action);
		break;
	case SESSION_ACTION_RINGS:
		do_rings(link, action);
		break;
	case SESSION_ACTION_RECONCILE:
		do_reconcile(link, action);
		break;
	case SESSION_ACTION_INVITE:
		answer_plain(link, action->ticket, exchange_make_invite(link->exchange, true),
			     SESSION_REASON_KEM);
		break;
	case SESSION_ACTION_PREPARE:
		do_prepare(link, action);
		break;
	case SESSION_ACTION_FETCH:
		do_fetch(link, action);
		break;
	case SESSION_ACTION_INSTALL_RX:
		do_install_rx(link, action);
		break;
	case SESSION_ACTION_INSTALL_TX:
		do_install_tx(link, action);
		break;
	case SESSION_ACTION_DELETE:
		do_delete(link, action);
		break;
	case SESSION_ACTION_DROP_TX:
		do_drop_tx(link);
		break;
	case SESSION_ACTION_DROP_RX:
		exchange_drop_rx(link->exchange);
		stocks_cancel_fetch(link->stocks);
		break;
	case SESSION_ACTION_RESTART_CHAIN:
		chain_restart(&link->exchange->tx.chain);
		note_chain(link, "tx", &link->counters.chain_restarts);
		break;
	case SESSION_ACTION_LEFT:
		link->ops.left(link->arg);
		break;
	case SESSION_ACTION_NOTE:
		do_note(link, action);
		break;
	}
}

/* Passes the answers of actions to the session one by one; each may bring more actions. */
static void pass_answers(struct link *link)
{
	struct session_actions actions;
	struct session_event event;
	unsigned int i;

	while (link->act->n_done) {
		event = link->act->done[0];
		link->act->n_done--;
		memmove(&link->act->done[0], &link->act->done[1], link->act->n_done * sizeof(link->act->done[0]));
		session_step(&link->session, &event, services_now(), &actions);
		for (i = 0; i < actions.n; i++)
			act(link, &actions.list[i]);
	}
	derive_offered(link);
}

void act_step(struct link *link, const struct session_event *event)
{
	struct session_actions actions;
	unsigned int i;

	session_step(&link->session, event, services_now(), &actions);
	for (i = 0; i < actions.n; i++)
		act(link, &actions.list[i]);
	pass_answers(link);
	link->exchange->version = link->session.version ? link->session.version : MSG_VERSION;
}

void act_serving(struct link *link)
{
	static const struct session_event event = { .type = SESSION_EVENT_SERVING };

	if (stocks_serving(link->stocks) != link->act->said_serving)
		act_step(link, &event);
}

void act_fetched(struct link *link, enum session_reason reason, uint8_t place,
		 const struct bytes *secrets)
{
	/* The session may have started over meanwhile, and have another offer open. */
	if (link->session.rx.step != SESSION_STEP_FETCHING)
		return;
	if (!reason) {
		reason = exchange_derive(link->exchange, false, secrets);
		place = 0;
	}
	answer_place(link, link->session.rx.ticket, reason, place);
	pass_answers(link);
}

void act_kept(struct link *link)
{
	uint64_t ticket;

	while ((ticket = keptchain_next(link, services_now())))
		answer_plain(link, ticket, 0, SESSION_REASON_NONE);
	pass_answers(link);
}

int act_new(struct link *link)
{
	link->act = calloc(1, sizeof(*link->act));
	if (!link->act)
		return -ENOMEM;
	link->act->peer_source = POLICY_NO_SOURCE;
	return 0;
}

void act_free(struct link *link)
{
	free(link->act);
	link->act = NULL;
}

uint8_t act_n_kmes(const struct link *link, enum qlink_direction direction)
{
	return link->act->n_kmes[direction];
}

unsigned int act_n_answers(const struct link *link)
{
	return link->act->n_done;
}
