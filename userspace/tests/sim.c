// SPDX-License-Identifier: GPL-2.0-or-later
/* Two agents in one process: real agreement, real keys, simulated environment. */
#include "sim.h"

#include <stdlib.h>
#include <string.h>

#include "qlinkd/agreement/policy.h"
#include "sim_random.h"
#include "tap.h"

#define RECONNECT_MS	1000
#define MOVE_MS		5000
#define LINK_ID		7

struct sim *sim_new(const char *label)
{
	struct sim *sim = calloc(1, sizeof(*sim));
	unsigned int i;

	if (!sim)
		abort();
	sim->label = label;
	sim->now = 1000;
	sim->fault_at = UINT32_MAX;
	sim->next_at = UINT32_MAX;
	for (i = 0; i < 2; i++) {
		sim->ends[i].policy = POLICY_PREFER_HYBRID;
		sim->ends[i].versions = (struct session_versions){ MSG_VERSION, MSG_VERSION };
		sim_ring_init(&sim->ends[i].tx);
		sim_ring_init(&sim->ends[i].rx);
		sim_end_start(&sim->ends[i]);
	}
	return sim;
}

void sim_free(struct sim *sim)
{
	exchange_end(&sim->ends[0].exchange);
	exchange_end(&sim->ends[1].exchange);
	free(sim);
}

static void new_connection(struct sim *sim)
{
	sim->via++;
	sim_random(sim->exporters[sim->via % 2], MIX_EXPORTER_BYTES);
}

/* Puts the link on the last connection, at one end. */
static void attach(struct sim *sim, unsigned int i)
{
	static const struct session_event event = { .type = SESSION_EVENT_CONNECTED, .suite = 1 };
	struct exchange_binding channel = { .has_dialled = !i, .suite = 1 };

	memcpy(channel.exporter, sim->exporters[sim->via % 2], sizeof(channel.exporter));
	memset(channel.own_cert_hash, 'a' + (int)i, sizeof(channel.own_cert_hash));
	memset(channel.peer_cert_hash, 'a' + !i, sizeof(channel.peer_cert_hash));
	sim->ends[i].via = sim->via;
	exchange_connect(&sim->ends[i].exchange, &channel, LINK_ID);
	sim_end_step(sim, i, &event);
}

void sim_connect(struct sim *sim)
{
	sim->is_connected = true;
	sim->reconnect_at = 0;
	new_connection(sim);
	attach(sim, 0);
	attach(sim, 1);
}

/* An offer that the peer has not answered, or whose answer is being carried out. */
static bool has_offer(const struct sim_end *end)
{
	return end->session.tx.step == SESSION_STEP_OFFERED || end->session.tx.step == SESSION_STEP_INSTALLING;
}

/* Changes to the last connection, at one end. */
static void move(struct sim *sim, unsigned int i)
{
	static const struct session_event event = { .type = SESSION_EVENT_DISCONNECTED };

	sim->ends[i].n_burned += has_offer(&sim->ends[i]);
	sim_end_step(sim, i, &event);
	attach(sim, i);
	if (sim->ends[!i].via == sim->via)
		sim->move_at = 0;
}

static bool move_next(struct sim *sim)
{
	bool is_late = sim->move_at && sim->now >= sim->move_at;
	unsigned int i;

	for (i = 0; i < 2; i++) {
		if (!sim->is_connected || sim->ends[i].via == sim->via ||
		    !(is_late || sim->ends[i].session.leave.has_left))
			continue;
		move(sim, i);
		return true;
	}
	return false;
}

void sim_connect_next(struct sim *sim, unsigned int end)
{
	static const struct session_event event = { .type = SESSION_EVENT_LEAVE };
	unsigned int i;

	/* A third connection: the link changes to the second at once. */
	for (i = 0; i < 2; i++) {
		if (sim->ends[i].via != sim->via)
			move(sim, i);
	}
	new_connection(sim);
	sim->move_at = sim->now + MOVE_MS;
	for (i = 0; i < 2; i++) {
		if (end == 2 || end == i)
			sim_end_step(sim, i, &event);
	}
}

void sim_cut(struct sim *sim)
{
	static const struct session_event event = {
		.type = SESSION_EVENT_DISCONNECTED,
	};

	sim->is_connected = false;
	sim->move_at = 0;
	sim->line.n = 0;
	sim->reconnect_at = sim->now + RECONNECT_MS;
	sim_end_step(sim, 0, &event);
	sim_end_step(sim, 1, &event);
}

static void want_at(struct sim *sim, unsigned int end)
{
	struct session_event event = {
		.type = SESSION_EVENT_WANT,
		.source = sim->source,
		.n = sim->want,
	};

	sim_end_step(sim, end, &event);
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
		sim_ring_init(&sim->ends[end].tx);
		sim_ring_init(&sim->ends[end].rx);
	}
	sim_end_start(&sim->ends[end]);
	want_at(sim, end);
}

bool sim_is_settled(const struct sim *sim)
{
	const struct sim_end *end;

	if (!sim->is_connected || sim->line.n)
		return false;
	for (end = sim->ends; end < sim->ends + 2; end++)
		if (end->via != sim->via || end->session.phase != SESSION_PHASE_READY || end->n_ops ||
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
	/* The connection drops messages of another link. */
	if (msg.link_id != LINK_ID)
		return;
	/* The other end has changed, and what it had said before is on its way or came. */
	if (packet->via > end->via)
		move(sim, packet->to);
	if (packet->via != end->via)
		return;
	if (session_accepts(&end->session, &msg.core))
		exchange_received(&end->exchange, &msg, packet->data, packet->len);
	event.msg = &msg.core;
	sim_end_step(sim, packet->to, &event);
}

static bool receive_next(struct sim *sim)
{
	struct sim_packet packet;

	if (!sim_line_receive(&sim->line, sim->now, &packet))
		return false;
	receive(sim, &packet);
	return true;
}

static bool tick_next(struct sim *sim)
{
	static const struct session_event event = { .type = SESSION_EVENT_TICK };
	unsigned int i;

	for (i = 0; i < 2; i++)
		if (session_deadline(&sim->ends[i].session) <= sim->now) {
			sim_end_step(sim, i, &event);
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
	if (sim->is_connected && sim->n_steps >= sim->next_at) {
		sim->next_at = UINT32_MAX;
		sim_connect_next(sim, sim->next_end);
		return true;
	}
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
	uint64_t next = sim_line_next(&sim->line);
	unsigned int i, j;

	for (i = 0; i < 2; i++) {
		sooner(&next, session_deadline(&sim->ends[i].session));
		for (j = 0; j < sim->ends[i].n_ops; j++)
			sooner(&next, sim->ends[i].ops[j].at);
	}
	if (sim->reconnect_at)
		sooner(&next, sim->reconnect_at);
	if (sim->move_at)
		sooner(&next, sim->move_at);
	return next;
}

bool sim_run(struct sim *sim, uint64_t ms)
{
	uint64_t until = sim->now + ms, next, rounds = 0;

	while (!sim_is_settled(sim)) {
		if (fault_now(sim) || connection_now(sim) || move_next(sim) ||
		    receive_next(sim) || sim_end_finish_next(sim, 0) ||
		    sim_end_finish_next(sim, 1) || tick_next(sim)) {
			if (++rounds < 100000)
				continue;
			CHECK(false, "%s: no end after 100000 rounds", sim->label);
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
		sim_ring_delete(tx, &old, false);
	rx->current = old.last + 1;
	if (old.last)
		sim_ring_delete(rx, &old, false);
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
		n += !!sim_ring_find(&sim->ends[!end].rx, tx->keys[i].epoch);
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
