// SPDX-License-Identifier: GPL-2.0-or-later
/* Two agents in one process: real agreement, real keys, simulated world. */
#include "sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/rand.h>

#include "qlinkd/agreement/policy.h"
#include "tap.h"

#define KERNEL_MS	1
#define SLOW_MS		20
#define WIRE_MS		10
#define DELAY_MS	3000
#define RECONNECT_MS	1000
#define LINK_ID		7

/* The simulation itself is wrong, or too small for what happens in it. */
__attribute__((noreturn))
static void sim_bug(int line)
{
	printf("Bail out! sim.c:%d\n", line);
	fflush(stdout);
	abort();
}

static void fill_random(void *to, size_t len)
{
	if (RAND_bytes(to, (int)len) != 1)
		sim_bug(__LINE__);
}

/* --- the kernel --- */

static bool ring_takes(const struct sim_ring *ring, const struct sim_op *op)
{
	uint64_t first = op->action.offer.first;

	return first > ring->newest &&
	       ring->n + op->action.offer.n <= SIM_RING_KEYS &&
	       (!ring->newest ||
		first + op->action.offer.n - 1 - ring->newest <=
		SESSION_EPOCH_LEAP);
}

static bool ring_install(struct sim_ring *ring, const struct sim_op *op)
{
	unsigned int i;

	if (!ring_takes(ring, op))
		return false;
	for (i = 0; i < op->action.offer.n; i++) {
		ring->keys[ring->n].epoch = op->action.offer.first + i;
		memcpy(ring->keys[ring->n++].bytes, &op->keys[i], 44);
	}
	ring->newest = op->action.offer.first + op->action.offer.n - 1;
	return true;
}

static void ring_delete(struct sim_ring *ring, const struct session_range *range,
			bool staged_only)
{
	unsigned int i, kept = 0;

	for (i = 0; i < ring->n; i++)
		if (ring->keys[i].epoch < range->first ||
		    ring->keys[i].epoch > range->last ||
		    (staged_only && ring->keys[i].epoch <= ring->current))
			ring->keys[kept++] = ring->keys[i];
	ring->n = kept;
}

static bool is_in(const struct session_ring *held, uint64_t epoch)
{
	uint8_t i;

	for (i = 0; i < held->n_held; i++)
		if (epoch >= held->held[i].first && epoch <= held->held[i].last)
			return true;
	return false;
}

static void ring_keep(struct sim_ring *ring, const struct session_ring *held,
		      bool staged_only)
{
	unsigned int i, kept = 0;

	for (i = 0; i < ring->n; i++)
		if (is_in(held, ring->keys[i].epoch) ||
		    (staged_only && ring->keys[i].epoch <= ring->current))
			ring->keys[kept++] = ring->keys[i];
	ring->n = kept;
}

static void ring_tell(const struct sim_ring *ring, struct session_ring *told)
{
	struct session_range *range = told->held;
	unsigned int i;

	memset(told, 0, sizeof(*told));
	memcpy(told->id, ring->id, sizeof(told->id));
	told->newest = ring->newest;
	for (i = 0; i < ring->n; i++) {
		if (told->n_held && range->last + 1 == ring->keys[i].epoch) {
			range->last++;
			continue;
		}
		if (told->n_held == SESSION_RANGES_MAX)
			sim_bug(__LINE__);
		range = &told->held[told->n_held++];
		range->first = range->last = ring->keys[i].epoch;
	}
}

static const uint8_t *ring_find(const struct sim_ring *ring, uint64_t epoch)
{
	unsigned int i;

	for (i = 0; i < ring->n; i++)
		if (ring->keys[i].epoch == epoch)
			return ring->keys[i].bytes;
	return NULL;
}

static void ring_new(struct sim_ring *ring)
{
	memset(ring, 0, sizeof(*ring));
	fill_random(ring->id, sizeof(ring->id));
}

/* No key is used twice, on no end and in no direction. */
static void note_used(struct sim *sim, const struct sim_op *op)
{
	unsigned int i, j;

	for (i = 0; i < op->action.offer.n; i++) {
		for (j = 0; j < sim->n_used; j++)
			CHECK(memcmp(sim->used[j], &op->keys[i], 44),
			      "%s: a key is used twice", sim->label);
		if (sim->n_used == SIM_USED)
			sim_bug(__LINE__);
		memcpy(sim->used[sim->n_used++], &op->keys[i], 44);
	}
}

/* --- the KMEs --- */

static unsigned int kme_new(struct sim_kme *kme)
{
	uint8_t raw[16];
	unsigned int i;

	if (kme->n == SIM_KME_KEYS)
		sim_bug(__LINE__);
	fill_random(raw, sizeof(raw));
	for (i = 0; i < sizeof(raw); i++)
		snprintf(kme->keys[kme->n].id + 2 * i, 3, "%02x", raw[i]);
	fill_random(kme->keys[kme->n].key, sizeof(kme->keys[0].key));
	kme->keys[kme->n].is_taken = false;
	return kme->n++;
}

static const uint8_t *kme_take(struct sim_kme *kme, const struct bytes *id)
{
	unsigned int i;

	for (i = 0; i < kme->n && !kme->is_forgetful; i++)
		if (strlen(kme->keys[i].id) == id->len &&
		    !memcmp(kme->keys[i].id, id->data, id->len) &&
		    !kme->keys[i].is_taken) {
			kme->keys[i].is_taken = true;
			return kme->keys[i].key;
		}
	return NULL;
}

/* --- actions --- */

static void done(struct sim *sim, unsigned int end, const struct sim_op *op,
		 struct session_event event)
{
	event.type = SESSION_EVENT_DONE;
	event.ticket = op->action.ticket;
	sim_step(sim, end, &event);
}

static void do_reconcile(struct sim_end *end, const struct sim_op *op)
{
	static const struct session_range all = { 1, SESSION_EPOCH_MAX };

	if (!op->action.sources) {
		ring_delete(&end->tx, &all, false);
		ring_delete(&end->rx, &all, false);
		return;
	}
	ring_keep(&end->tx, &op->peer.rings.rx, false);
	ring_keep(&end->rx, &op->peer.rings.tx, true);
	end->n_chain_restarts += exchange_match_chain(&end->exchange);
}

static enum session_reason do_prepare(struct sim *sim, struct sim_end *end,
				      const struct session_offer *offer)
{
	static const struct bytes kme_id = { (const uint8_t *)"KME-A", 5 };
	struct bytes ids[SESSION_OFFER_MAX], secrets[SESSION_OFFER_MAX];
	enum session_reason reason;
	unsigned int i, key;

	if (offer->source == QLINK_SOURCE_PQC) {
		reason = exchange_prepare(&end->exchange, offer, NULL, NULL);
		return reason ? reason : exchange_derive(&end->exchange, true, NULL);
	}
	if (sim->kme.is_dry)
		return SESSION_REASON_KME;
	for (i = 0; i < offer->n; i++) {
		key = kme_new(&sim->kme);
		ids[i] = (struct bytes){ (uint8_t *)sim->kme.keys[key].id,
					 strlen(sim->kme.keys[key].id) };
		secrets[i] = (struct bytes){ sim->kme.keys[key].key, 32 };
	}
	reason = exchange_prepare(&end->exchange, offer, &kme_id, ids);
	return reason ? reason : exchange_derive(&end->exchange, true, secrets);
}

static enum session_reason do_fetch(struct sim *sim, struct sim_end *end,
				    const struct session_offer *offer)
{
	struct bytes secrets[SESSION_OFFER_MAX], id;
	enum session_reason reason = exchange_open(&end->exchange);
	const uint8_t *key;
	unsigned int i;

	if (reason || offer->source == QLINK_SOURCE_PQC)
		return reason ? reason : exchange_derive(&end->exchange, false, NULL);
	for (i = 0; i < offer->n; i++) {
		id = exchange_key_id(&end->exchange, i);
		key = kme_take(&sim->kme, &id);
		if (!key)
			return SESSION_REASON_KEY_ID;
		secrets[i] = (struct bytes){ key, 32 };
	}
	return exchange_derive(&end->exchange, false, secrets);
}

static bool do_install(struct sim *sim, struct sim_end *end, struct sim_op *op)
{
	bool is_tx = op->action.type == SESSION_ACTION_INSTALL_TX;

	if (end->kernel_fails ||
	    !ring_install(is_tx ? &end->tx : &end->rx, op))
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

	ring_delete(is_tx ? &end->tx : &end->rx, &action->withdraw.range,
		    action->staged_only);
}

/* Carry out what has come of age; the end may have lost interest by now. */
static void finish(struct sim *sim, unsigned int number, struct sim_op *op)
{
	struct sim_end *end = &sim->ends[number];
	struct session_event event = { .is_ok = true };
	struct session_rings rings;

	switch (op->action.type) {
	case SESSION_ACTION_RINGS:
		ring_tell(&end->tx, &rings.tx);
		ring_tell(&end->rx, &rings.rx);
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
		event.is_ok = !event.reason;
		break;
	case SESSION_ACTION_FETCH:
		if (op->action.ticket != end->session.rx.ticket)
			return;
		event.reason = do_fetch(sim, end, &op->action.offer);
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

/* What touches the kernel keeps its order: later ops get later times. */
static void schedule(struct sim *sim, struct sim_end *end,
		     const struct session_action *action)
{
	bool is_slow = action->type == SESSION_ACTION_INVITE ||
		       action->type == SESSION_ACTION_PREPARE ||
		       action->type == SESSION_ACTION_FETCH;
	const struct exchange_half *half = &end->exchange.rx;
	struct sim_op *op;

	if (end->n_ops == SIM_OPS)
		sim_bug(__LINE__);
	op = &end->ops[end->n_ops++];
	memset(op, 0, sizeof(*op));
	op->at = sim->now + (is_slow ? SLOW_MS : KERNEL_MS);
	op->action = *action;
	if (action->peer)
		op->peer = *action->peer;
	if (action->type == SESSION_ACTION_INSTALL_TX) {
		half = &end->exchange.tx;
		exchange_advance(&end->exchange.tx);
	} else if (action->type != SESSION_ACTION_INSTALL_RX) {
		return;
	}
	if (half->n_keys != action->offer.n || half->n_keys > SIM_OP_KEYS)
		sim_bug(__LINE__);
	memcpy(op->keys, half->keys, half->n_keys * sizeof(half->keys[0]));
	memcpy(op->from, half->from, sizeof(op->from));
}

static void enqueue(struct sim *sim, unsigned int to, const uint8_t *data,
		    size_t len, uint64_t delay)
{
	struct sim_packet *packet;
	static unsigned int number;

	if (sim->n_packets == SIM_PACKETS)
		sim_bug(__LINE__);
	packet = &sim->packets[sim->n_packets++];
	packet->at = sim->now + delay;
	packet->number = number++;
	packet->to = to;
	packet->len = len;
	memcpy(packet->data, data, len);
}

static void transmit(struct sim *sim, unsigned int to, uint8_t *data,
		     size_t len)
{
	enum sim_fault fault = SIM_FAULT_NONE;
	uint64_t delay = WIRE_MS;

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
		delay = DELAY_MS;
	if (fault == SIM_FAULT_CUT)
		sim->reconnect_at = sim->now;
	if (fault != SIM_FAULT_LOSE && fault != SIM_FAULT_CUT)
		enqueue(sim, to, data, len, delay);
	if (fault == SIM_FAULT_DOUBLE)
		enqueue(sim, to, data, len, delay);
	if (fault == SIM_FAULT_DOUBLE_LATE)
		enqueue(sim, to, data, len, DELAY_MS);
}

static void say(struct sim *sim, unsigned int number,
		const struct session_action *action)
{
	struct sim_end *end = &sim->ends[number];
	struct msg msg = { .core = action->msg };
	uint8_t data[MSG_BYTES_MAX];
	int len;

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
		say(sim, number, action);
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
	case SESSION_ACTION_NOTE:
		end->notes[action->note]++;
		end->reasons[action->reason]++;
		break;
	default:
		schedule(sim, end, action);
	}
}

/* The same epoch never means different keys at the two ends. */
static void check_equal(const struct sim *sim)
{
	const struct sim_ring *tx, *rx;
	const uint8_t *held;
	unsigned int i, j;

	for (i = 0; i < 2; i++) {
		tx = &sim->ends[i].tx;
		rx = &sim->ends[!i].rx;
		for (j = 0; j < tx->n; j++) {
			held = ring_find(rx, tx->keys[j].epoch);
			if (held && memcmp(held, tx->keys[j].bytes, 44))
				CHECK(false, "%s: epoch %llu differs",
				      sim->label, (unsigned long long)
				      tx->keys[j].epoch);
		}
	}
}

int sim_step(struct sim *sim, unsigned int end, const struct session_event *event)
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

/* --- the world --- */

static void agent_start(struct sim_end *end)
{
	struct session_config config = {
		.versions = end->versions,
		.policy = end->policy,
		.sources = policy_sources(end->policy),
	};

	fill_random(&config.generation, sizeof(config.generation));
	session_init(&end->session, &config);
	exchange_end(&end->exchange);
	end->n_ops = 0;
}

struct sim *sim_new(const char *label)
{
	struct sim *sim = calloc(1, sizeof(*sim));
	unsigned int i;

	if (!sim)
		abort();
	sim->label = label;
	sim->now = 1000;
	sim->fault_at = UINT32_MAX;
	for (i = 0; i < 2; i++) {
		sim->ends[i].policy = POLICY_PREFER_HYBRID;
		sim->ends[i].versions = (struct session_versions){ 1, 1 };
		ring_new(&sim->ends[i].tx);
		ring_new(&sim->ends[i].rx);
		agent_start(&sim->ends[i]);
	}
	return sim;
}

void sim_free(struct sim *sim)
{
	exchange_end(&sim->ends[0].exchange);
	exchange_end(&sim->ends[1].exchange);
	free(sim);
}

void sim_connect(struct sim *sim)
{
	static const struct session_event event = { .type = SESSION_EVENT_CONNECTED };
	struct exchange_binding channel = { .has_dialled = true };
	unsigned int i;

	sim->is_connected = true;
	sim->reconnect_at = 0;
	fill_random(channel.exporter, sizeof(channel.exporter));
	for (i = 0; i < 2; i++) {
		memset(channel.own_cert_hash, 'a' + (int)i,
		       sizeof(channel.own_cert_hash));
		memset(channel.peer_cert_hash, 'a' + !i,
		       sizeof(channel.peer_cert_hash));
		exchange_connect(&sim->ends[i].exchange, &channel, LINK_ID);
		channel.has_dialled = false;
	}
	for (i = 0; i < 2; i++)
		sim_step(sim, i, &event);
}

void sim_cut(struct sim *sim)
{
	static const struct session_event event = {
		.type = SESSION_EVENT_DISCONNECTED,
	};

	sim->is_connected = false;
	sim->n_packets = 0;
	sim->reconnect_at = sim->now + RECONNECT_MS;
	sim_step(sim, 0, &event);
	sim_step(sim, 1, &event);
}

static void want_at(struct sim *sim, unsigned int end)
{
	struct session_event event = {
		.type = SESSION_EVENT_WANT,
		.source = sim->source,
		.n = sim->want,
	};

	sim_step(sim, end, &event);
}

void sim_want(struct sim *sim, uint8_t source, uint32_t n)
{
	sim->source = source;
	sim->want = n;
	want_at(sim, 0);
	want_at(sim, 1);
}

void sim_restart(struct sim *sim, unsigned int end, bool is_host)
{
	if (sim->is_connected)
		sim_cut(sim);
	if (is_host) {
		ring_new(&sim->ends[end].tx);
		ring_new(&sim->ends[end].rx);
	}
	agent_start(&sim->ends[end]);
	want_at(sim, end);
}

bool sim_is_settled(const struct sim *sim)
{
	const struct sim_end *end;

	if (!sim->is_connected || sim->n_packets)
		return false;
	for (end = sim->ends; end < sim->ends + 2; end++)
		if (end->session.phase != SESSION_PHASE_READY || end->n_ops ||
		    end->session.rx.step != SESSION_STEP_INVITED ||
		    end->session.tx.step != SESSION_STEP_IDLE ||
		    end->session.tx.want || end->session.own_withdrawal.is_open)
			return false;
	return true;
}

static void receive(struct sim *sim, const struct sim_packet *packet)
{
	struct sim_end *end = &sim->ends[packet->to];
	struct session_event event = { .type = SESSION_EVENT_MESSAGE };
	struct qlink_why why;
	struct msg msg;

	if (msg_decode(&msg, packet->data, packet->len, &why)) {
		sim_cut(sim);
		return;
	}
	/* Another link's message does not get here. */
	if (msg.link_id != LINK_ID)
		return;
	if (session_accepts(&end->session, &msg.core))
		exchange_received(&end->exchange, &msg, packet->data, packet->len);
	event.msg = &msg.core;
	sim_step(sim, packet->to, &event);
}

static bool receive_next(struct sim *sim)
{
	struct sim_packet next;
	unsigned int i, best = SIM_PACKETS;

	for (i = 0; i < sim->n_packets; i++)
		if (sim->packets[i].at <= sim->now &&
		    (best == SIM_PACKETS ||
		     sim->packets[i].number < sim->packets[best].number))
			best = i;
	if (best == SIM_PACKETS)
		return false;
	next = sim->packets[best];
	sim->packets[best] = sim->packets[--sim->n_packets];
	receive(sim, &next);
	return true;
}

static bool finish_next(struct sim *sim, unsigned int number)
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

static bool tick_next(struct sim *sim)
{
	static const struct session_event event = { .type = SESSION_EVENT_TICK };
	unsigned int i;

	for (i = 0; i < 2; i++)
		if (session_deadline(&sim->ends[i].session) <= sim->now) {
			sim_step(sim, i, &event);
			return true;
		}
	return false;
}

static bool fault_now(struct sim *sim)
{
	enum sim_fault fault = sim->fault;

	if ((fault != SIM_FAULT_RESTART_AGENT &&
	     fault != SIM_FAULT_RESTART_HOST) || sim->n_steps < sim->fault_at)
		return false;
	sim->fault = SIM_FAULT_NONE;
	sim_restart(sim, sim->fault_end, fault == SIM_FAULT_RESTART_HOST);
	return true;
}

static bool connection_now(struct sim *sim)
{
	if (!sim->reconnect_at || sim->now < sim->reconnect_at)
		return false;
	if (sim->is_connected)
		sim_cut(sim);
	else
		sim_connect(sim);
	return true;
}

static void sooner(uint64_t *next, uint64_t at)
{
	if (at < *next)
		*next = at;
}

static uint64_t next_time(const struct sim *sim)
{
	uint64_t next = UINT64_MAX;
	unsigned int i, j;

	for (i = 0; i < sim->n_packets; i++)
		sooner(&next, sim->packets[i].at);
	for (i = 0; i < 2; i++) {
		sooner(&next, session_deadline(&sim->ends[i].session));
		for (j = 0; j < sim->ends[i].n_ops; j++)
			sooner(&next, sim->ends[i].ops[j].at);
	}
	if (sim->reconnect_at)
		sooner(&next, sim->reconnect_at);
	return next;
}

bool sim_run(struct sim *sim, uint64_t ms)
{
	uint64_t until = sim->now + ms, next, rounds = 0;

	while (!sim_is_settled(sim)) {
		if (fault_now(sim) || connection_now(sim) ||
		    receive_next(sim) || finish_next(sim, 0) ||
		    finish_next(sim, 1) || tick_next(sim)) {
			if (++rounds < 100000)
				continue;
			CHECK(false, "%s: runs in circles", sim->label);
			return false;
		}
		next = next_time(sim);
		if (next > until) {
			sim->now = until;
			return false;
		}
		sim->now = next;
	}
	return true;
}

static void rotate_end(struct sim *sim, unsigned int end)
{
	struct sim_ring *tx = &sim->ends[end].tx, *rx = &sim->ends[!end].rx;
	struct session_range old = { 1, 0 };

	if (!tx->n)
		return;
	old.last = tx->keys[tx->n - 1].epoch - 1;
	if (old.last)
		ring_delete(tx, &old, false);
	rx->current = old.last + 1;
	if (old.last)
		ring_delete(rx, &old, false);
}

void sim_rotate(struct sim *sim)
{
	rotate_end(sim, 0);
	rotate_end(sim, 1);
}

unsigned int sim_common(const struct sim *sim, unsigned int end)
{
	const struct sim_ring *tx = &sim->ends[end].tx;
	unsigned int i, n = 0;

	for (i = 0; i < tx->n; i++)
		n += !!ring_find(&sim->ends[!end].rx, tx->keys[i].epoch);
	return n;
}

void sim_check_held(const struct sim *sim, const char *when)
{
	unsigned int i;

	for (i = 0; i < 2; i++)
		CHECK(sim_common(sim, i) == sim->ends[i].tx.n,
		      "%s, %s: end %u sends with %u keys, the other holds %u",
		      sim->label, when, i, sim->ends[i].tx.n,
		      sim_common(sim, i));
}
