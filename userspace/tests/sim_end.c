// SPDX-License-Identifier: GPL-2.0-or-later
/* One end of the simulated link: its agent's session, and what the session asks for. */
#include "sim_end.h"

#include <string.h>

#include "qlinkd/agreement/policy.h"
#include "sim.h"
#include "sim_random.h"
#include "tap.h"

/* How long the kernel, key exchange and KMEs, and the line take. */
#define KERNEL_MS	1
#define SLOW_MS		20
#define LINE_MS		10
#define LATE_MS		3000

void sim_end_start(struct sim_end *end)
{
	struct session_config config = {
		.versions = end->versions,
		.policy = end->policy,
		.sources = policy_sources(end->policy),
		.suite_least = end->suite_least ? end->suite_least : 1,
		.kmes_least = end->kmes_least ? end->kmes_least : 1,
		.kmes_most = SIM_KMES,
		.n_kmes = SIM_KMES,
		.demands_chain = end->demands_chain,
	};

	sim_random(&config.generation, sizeof(config.generation));
	session_init(&end->session, &config);
	exchange_end(&end->exchange);
	end->exchange.demands_chain = end->demands_chain;
	if (end->psk)
		CHECK_NUMBER("psk", exchange_set_psk(&end->exchange, &(struct bytes){
			(const uint8_t *)end->psk, strlen(end->psk) }), 0);
	end->n_ops = 0;
}

/* No key is used twice, whatever the end and the direction. */
static void note_used(struct sim *sim, const struct sim_op *op)
{
	unsigned int i, j;

	for (i = 0; i < op->action.offer.n; i++) {
		for (j = 0; j < sim->n_used; j++)
			CHECK(memcmp(sim->used[j], &op->keys[i], SIM_KEY_BYTES),
			      "%s: a key is used twice", sim->label);
		if (sim->n_used == SIM_USED)
			BAIL_OUT();
		memcpy(sim->used[sim->n_used++], &op->keys[i], SIM_KEY_BYTES);
	}
}

static void done(struct sim *sim, unsigned int end, const struct sim_op *op,
		 struct session_event event)
{
	event.type = SESSION_EVENT_DONE;
	event.ticket = op->action.ticket;
	sim_end_step(sim, end, &event);
}

static void do_reconcile(struct sim_end *end, const struct sim_op *op)
{
	static const struct session_range all = { 1, SESSION_EPOCH_MAX };

	if (!op->action.sources) {
		sim_ring_delete(&end->tx, &all, false);
		sim_ring_delete(&end->rx, &all, false);
		return;
	}
	sim_ring_keep(&end->tx, &op->peer.rings.rx, false);
	sim_ring_keep(&end->rx, &op->peer.rings.tx, true);
	end->n_chain_restarts += exchange_match_chain(&end->exchange);
}

/* Gives the offer a key of each KME for each epoch. */
static enum session_reason do_prepare(struct sim *sim, struct sim_end *end,
				      struct session_offer *offer)
{
	struct bytes ids[SESSION_KEY_IDS_MAX], secrets[SESSION_KEY_IDS_MAX];
	enum session_reason reason;
	unsigned int i, key;

	reason = exchange_begin(&end->exchange);
	if (reason)
		return reason;
	if (offer->source == QLINK_SOURCE_PQC) {
		reason = exchange_prepare(&end->exchange, offer, NULL);
		return reason ? reason : exchange_derive(&end->exchange, true, NULL);
	}
	if (sim->kme.is_dry)
		return SESSION_REASON_KME;
	offer->n_kmes = sim->n_mixed ? sim->n_mixed : 1;
	for (i = 0; i < offer->n_kmes; i++)
		offer->kmes[i] = (uint8_t)(i + 1);
	for (i = 0; i < offer->n * offer->n_kmes; i++) {
		key = sim_kme_new_key(&sim->kme);
		ids[i] = (struct bytes){ (uint8_t *)sim->kme.keys[key].id,
					 strlen(sim->kme.keys[key].id) };
		secrets[i] = (struct bytes){ sim->kme.keys[key].key, 32 };
	}
	reason = exchange_prepare(&end->exchange, offer, ids);
	return reason ? reason : exchange_derive(&end->exchange, true, secrets);
}

/* The keys of two KMEs of one epoch. */
static void swap(struct bytes *secrets, uint8_t n_kmes)
{
	struct bytes one = secrets[0];

	secrets[0] = secrets[n_kmes - 1];
	secrets[n_kmes - 1] = one;
}

static enum session_reason do_fetch(struct sim *sim, struct sim_end *end,
				    const struct session_offer *offer, uint8_t *place)
{
	struct bytes secrets[SESSION_KEY_IDS_MAX], id;
	enum session_reason reason = exchange_open(&end->exchange);
	const uint8_t *key;
	unsigned int i;

	if (!reason && sim->spoil)
		sim->spoil(&end->exchange);
	if (reason || offer->source == QLINK_SOURCE_PQC)
		return reason ? reason : exchange_derive(&end->exchange, false, NULL);
	for (i = 0; i < offer->n * offer->n_kmes; i++) {
		id = exchange_key_id(end->exchange.rx.offer, i);
		key = sim_kme_take_key(&sim->kme, &id);
		*place = offer->kmes[i % offer->n_kmes];
		if (!key)
			return SESSION_REASON_KEY_ID;
		secrets[i] = (struct bytes){ key, 32 };
	}
	*place = 0;
	if (sim->swaps)
		swap(secrets, offer->n_kmes);
	return exchange_derive(&end->exchange, false, secrets);
}

static bool do_install(struct sim *sim, struct sim_end *end, struct sim_op *op)
{
	bool is_tx = op->action.type == SESSION_ACTION_INSTALL_TX;

	if (end->kernel_fails ||
	    !sim_ring_install(is_tx ? &end->tx : &end->rx, &op->action.offer,
			      op->keys))
		return false;
	if (is_tx)
		note_used(sim, op);
	else
		chain_advance(&end->exchange.rx.chain, op->from,
			      op->keys[op->action.offer.n - 1].next_chain);
	return true;
}

static void do_delete(struct sim_end *end, const struct session_action *action)
{
	bool is_tx = action->withdraw.direction == SESSION_DIRECTION_TX;

	sim_ring_delete(is_tx ? &end->tx : &end->rx, &action->withdraw.range,
		    action->staged_only);
}

/* Do what is due; the session may no longer be waiting for it. */
static void finish(struct sim *sim, unsigned int number, struct sim_op *op)
{
	struct sim_end *end = &sim->ends[number];
	struct session_event event = { .is_ok = true };
	struct session_rings rings;

	switch (op->action.type) {
	case SESSION_ACTION_RINGS:
		sim_ring_describe(&end->tx, &rings.tx);
		sim_ring_describe(&end->rx, &rings.rx);
		event.rings = &rings;
		break;
	case SESSION_ACTION_RECONCILE:
		do_reconcile(end, op);
		break;
	case SESSION_ACTION_INVITE:
		if (op->action.ticket != end->session.rx.ticket)
			return;
		event.is_ok = !exchange_make_invite(&end->exchange, true);
		break;
	case SESSION_ACTION_PREPARE:
		if (op->action.ticket != end->session.tx.ticket)
			return;
		event.reason = do_prepare(sim, end, &op->action.offer);
		event.n = op->action.offer.n;
		event.n_kmes = op->action.offer.n_kmes;
		memcpy(event.kmes, op->action.offer.kmes, sizeof(event.kmes));
		event.is_ok = !event.reason;
		break;
	case SESSION_ACTION_FETCH:
		if (op->action.ticket != end->session.rx.ticket)
			return;
		event.reason = do_fetch(sim, end, &op->action.offer, &event.place);
		event.is_ok = !event.reason;
		break;
	case SESSION_ACTION_INSTALL_RX:
	case SESSION_ACTION_INSTALL_TX:
		event.is_ok = do_install(sim, end, op);
		break;
	case SESSION_ACTION_DELETE:
		do_delete(end, &op->action);
		if (!op->action.ticket)
			return;
		break;
	}
	done(sim, number, op, event);
}

/* Actions on the kernel keep their order: a later one is never due earlier. */
static void schedule(struct sim *sim, struct sim_end *end,
		     const struct session_action *action)
{
	bool is_slow = action->type == SESSION_ACTION_INVITE ||
		       action->type == SESSION_ACTION_PREPARE ||
		       action->type == SESSION_ACTION_FETCH;
	const struct exchange_offer *offer = end->exchange.rx.offer;
	struct sim_op *op;

	if (end->n_ops == SIM_OPS)
		BAIL_OUT();
	op = &end->ops[end->n_ops++];
	memset(op, 0, sizeof(*op));
	op->at = sim->now + (is_slow ? SLOW_MS : KERNEL_MS);
	op->action = *action;
	if (action->peer)
		op->peer = *action->peer;
	if (action->type == SESSION_ACTION_INSTALL_TX) {
		offer = end->exchange.tx.offer;
		exchange_advance(&end->exchange.tx);
	} else if (action->type != SESSION_ACTION_INSTALL_RX) {
		return;
	}
	if (offer->n_keys != action->offer.n || offer->n_keys > SIM_OP_KEYS)
		BAIL_OUT();
	memcpy(op->keys, offer->keys, offer->n_keys * sizeof(offer->keys[0]));
	memcpy(op->from, offer->from, sizeof(op->from));
	if (action->type == SESSION_ACTION_INSTALL_TX)
		exchange_drop_tx(&end->exchange);
}

static void transmit(struct sim *sim, unsigned int to, uint8_t *data,
		     size_t len)
{
	enum sim_fault fault = SIM_FAULT_NONE;
	uint64_t delay = LINE_MS;

	if (!sim->is_connected)
		return;
	if (sim->n_messages++ == sim->fault_at) {
		fault = sim->fault;
		sim->faulted_len = len;
		sim->faulted_type = data[5];
	}
	if (fault == SIM_FAULT_ALTER)
		data[sim->fault_byte % len] ^= 1 << sim->fault_byte % 8;
	if (fault == SIM_FAULT_DELAY)
		delay = LATE_MS;
	if (fault == SIM_FAULT_CUT)
		sim->reconnect_at = sim->now;
	if (fault != SIM_FAULT_LOSE && fault != SIM_FAULT_CUT)
		sim_line_send(&sim->line, to, sim->ends[!to].via, data, len, sim->now + delay);
	if (fault == SIM_FAULT_DOUBLE)
		sim_line_send(&sim->line, to, sim->ends[!to].via, data, len, sim->now + delay);
	if (fault == SIM_FAULT_DOUBLE_LATE)
		sim_line_send(&sim->line, to, sim->ends[!to].via, data, len, sim->now + LATE_MS);
}

static void send(struct sim *sim, unsigned int number,
		 const struct session_action *action)
{
	struct sim_end *end = &sim->ends[number];
	struct msg msg = { .core = action->msg };
	uint8_t data[MSG_BYTES_MAX];
	uint8_t i;
	int len;

	for (i = 0; msg.core.type == SESSION_MESSAGE_STATE && i < msg.core.state.n_kmes; i++)
		msg.kme_ids[i] = (struct bytes){ (const uint8_t *)"KME-A", 5 };
	CHECK_NUMBER(sim->label, exchange_fill(&end->exchange, &msg), 0);
	len = msg_encode(&msg, data, sizeof(data));
	CHECK(len > 0, "%s: %s cannot be written: %d", sim->label,
	      msg_type_name(msg.core.type), len);
	if (len <= 0)
		return;
	exchange_sent(&end->exchange, &msg, data, (size_t)len);
	transmit(sim, !number, data, (size_t)len);
}

static void act(struct sim *sim, unsigned int number,
		const struct session_action *action)
{
	struct sim_end *end = &sim->ends[number];

	switch ((enum session_action_type)action->type) {
	case SESSION_ACTION_SEND:
		send(sim, number, action);
		break;
	case SESSION_ACTION_DROP_TX:
		exchange_drop_tx(&end->exchange);
		break;
	case SESSION_ACTION_DROP_RX:
		exchange_drop_rx(&end->exchange);
		break;
	case SESSION_ACTION_RESTART_CHAIN:
		chain_restart(&end->exchange.tx.chain);
		end->n_chain_restarts++;
		break;
	case SESSION_ACTION_LEFT:
		end->n_left++;
		break;
	case SESSION_ACTION_NOTE:
		end->notes[action->note]++;
		end->reasons[action->reason]++;
		break;
	default:
		schedule(sim, end, action);
	}
}

/* Where both ends hold an epoch, they hold the same key. */
static void check_equal(const struct sim *sim)
{
	const struct sim_ring *tx, *rx;
	const uint8_t *held;
	unsigned int i, j;

	for (i = 0; i < 2; i++) {
		tx = &sim->ends[i].tx;
		rx = &sim->ends[!i].rx;
		for (j = 0; j < tx->n; j++) {
			held = sim_ring_find(rx, tx->keys[j].epoch);
			if (held && memcmp(held, tx->keys[j].bytes, SIM_KEY_BYTES))
				CHECK(false, "%s: epoch %llu differs",
				      sim->label, (unsigned long long)
				      tx->keys[j].epoch);
		}
	}
}

int sim_end_step(struct sim *sim, unsigned int end, const struct session_event *event)
{
	struct session_actions actions;
	unsigned int i;
	int err;

	err = session_step(&sim->ends[end].session, event, sim->now, &actions);
	for (i = 0; i < actions.n; i++)
		act(sim, end, &actions.list[i]);
	check_equal(sim);
	sim->n_steps++;
	return err;
}

bool sim_end_finish_next(struct sim *sim, unsigned int number)
{
	struct sim_end *end = &sim->ends[number];
	struct sim_op op;
	unsigned int i;

	for (i = 0; i < end->n_ops; i++)
		if (end->ops[i].at <= sim->now)
			break;
	if (i == end->n_ops)
		return false;
	op = end->ops[i];
	end->n_ops--;
	memmove(&end->ops[i], &end->ops[i + 1],
		(end->n_ops - i) * sizeof(end->ops[0]));
	finish(sim, number, &op);
	return true;
}
