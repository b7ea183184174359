// SPDX-License-Identifier: GPL-2.0-or-later
/* Two ends agree on keys, whatever happens to messages, agents and hosts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qlinkd/agreement/policy.h"
#include "sim.h"
#include "tap.h"

/* Two rounds: first keys, then more while some are in use. */
static void two_rounds(struct sim *sim)
{
	sim_want(sim, QLINK_SOURCE_HYBRID, 2);
	sim_connect(sim);
	CHECK(sim_run(sim, SIM_LONG_MS), "%s: stuck in round 1", sim->label);
	sim_check_held(sim, "after round 1");
	sim_rotate(sim);
	sim_want(sim, QLINK_SOURCE_PQC, 3);
	CHECK(sim_run(sim, SIM_LONG_MS), "%s: stuck in round 2", sim->label);
	sim_check_held(sim, "after round 2");
}

/* After the fault, the next offer must succeed in both directions. */
static void one_more(struct sim *sim)
{
	uint64_t newest[2] = { sim->ends[0].tx.newest, sim->ends[1].tx.newest };
	unsigned int i;

	sim->fault = SIM_FAULT_NONE;
	sim_want(sim, QLINK_SOURCE_HYBRID, 1);
	CHECK(sim_run(sim, SIM_LONG_MS), "%s: stuck in the last round", sim->label);
	sim_check_held(sim, "after the last round");
	for (i = 0; i < 2; i++)
		CHECK(sim->ends[i].tx.newest > newest[i] && sim->ends[i].tx.n,
		      "%s: end %u has no new key", sim->label, i);
}

/* One run with one fault; the length of the message that it hit goes to @len. */
static unsigned int faulty_run(enum sim_fault fault, unsigned int at,
			       unsigned int which, const char *what,
			       size_t *len)
{
	struct sim *sim;
	char label[64];
	unsigned int n;

	snprintf(label, sizeof(label), "%s %u (%u)", what, at, which);
	sim = sim_new(label);
	sim->fault = fault;
	sim->fault_at = at;
	sim->fault_byte = which;
	sim->fault_end = which;
	sim->n_mixed = at % 2 + 1;
	two_rounds(sim);
	one_more(sim);
	if (len)
		*len = sim->faulted_len;
	n = fault >= SIM_FAULT_RESTART_AGENT ? sim->n_steps : sim->n_messages;
	sim_free(sim);
	return n;
}

TEST(both_ends_agree_and_hold_the_same_keys)
{
	struct sim *sim = sim_new("no fault");
	unsigned int i;

	two_rounds(sim);
	one_more(sim);
	for (i = 0; i < 2; i++) {
		CHECK_NUMBER("epochs", sim->ends[i].tx.newest, 6);
		CHECK_NUMBER("one in use, three of round 2, the last",
			     sim_common(sim, i), 5);
		CHECK_NUMBER("agreed", sim->ends[i].notes[SESSION_NOTE_AGREED], 3);
		CHECK_NUMBER("violations",
			     sim->ends[i].notes[SESSION_NOTE_VIOLATION], 0);
		CHECK_NUMBER("timeouts",
			     sim->ends[i].notes[SESSION_NOTE_TIMEOUT], 0);
		CHECK_NUMBER("ready once",
			     sim->ends[i].notes[SESSION_NOTE_READY], 1);
		CHECK_NUMBER("chains restarted", sim->ends[i].n_chain_restarts,
			     0);
	}
	sim_free(sim);
}

static void every_message(enum sim_fault fault, const char *what)
{
	unsigned int at, n = faulty_run(SIM_FAULT_NONE, UINT32_MAX, 0, what,
					NULL);

	CHECK(n > 20, "only %u messages", n);
	for (at = 0; at < n; at++)
		faulty_run(fault, at, 0, what, NULL);
}

TEST(any_message_may_be_lost)
{
	every_message(SIM_FAULT_LOSE, "lost");
}

TEST(any_message_may_come_twice)
{
	every_message(SIM_FAULT_DOUBLE, "doubled");
}

TEST(any_message_may_come_again_much_later)
{
	every_message(SIM_FAULT_DOUBLE_LATE, "doubled late");
}

TEST(any_message_may_come_late)
{
	every_message(SIM_FAULT_DELAY, "delayed");
}

TEST(the_connection_may_end_at_any_message)
{
	every_message(SIM_FAULT_CUT, "cut");
}

/*
 * Every third byte below 150, with another start in each message; every 97th of
 * the rest, which is KEM keys and ciphertexts. Every byte with QLINK_SOAK.
 */
static unsigned int next_byte(unsigned int byte)
{
	if (getenv("QLINK_SOAK"))
		return byte + 1;
	return byte + (byte < 150 ? 3 : 97);
}

TEST(any_message_may_be_altered)
{
	unsigned int at, byte, n;
	size_t len;

	n = faulty_run(SIM_FAULT_NONE, UINT32_MAX, 0, "altered", NULL);
	for (at = 0; at < n; at++) {
		len = 3;
		for (byte = at % 3; byte < len; byte = next_byte(byte))
			faulty_run(SIM_FAULT_ALTER, at, byte, "altered", &len);
	}
}

/*
 * The ID of the sender's transmit ring follows versions, policy, demands, three chain
 * tags and the names of the KMEs. An altered ring ID is as valid as any other. It is detected only because
 * the ends compare their messages before they offer anything.
 */
TEST(an_altered_ring_id_ends_the_session_before_any_offer)
{
	unsigned int at, i, n = 1, n_states = 0, violations;
	struct sim *sim;

	for (at = 0; at < n; at++) {
		sim = sim_new("altered ring id");
		sim->fault = SIM_FAULT_ALTER;
		sim->fault_at = at;
		sim->fault_byte = MSG_HEADER_BYTES + 8 + 3 * 16 + 2 + 1 + SIM_KMES * 7 + 5;
		two_rounds(sim);
		n = sim->n_messages < 12 ? sim->n_messages : 12;
		for (i = violations = 0; i < 2; i++)
			violations += sim->ends[i].notes[SESSION_NOTE_VIOLATION];
		if (sim->faulted_type == SESSION_MESSAGE_STATE) {
			n_states++;
			CHECK(violations, "STATE in message %u", at);
			CHECK_NUMBER("wrong confirmations",
				     sim->ends[0].reasons[SESSION_REASON_CONFIRM] +
				     sim->ends[1].reasons[SESSION_REASON_CONFIRM], 0);
		}
		one_more(sim);
		sim_free(sim);
	}
	CHECK(n_states >= 2, "only %u STATEs", n_states);
}

static void restart_everywhere(enum sim_fault fault, const char *what)
{
	unsigned int at, end, n;

	for (end = 0; end < 2; end++) {
		n = 1;
		for (at = 0; at < n; at++)
			n = faulty_run(fault, at, end, what, NULL);
		CHECK(n > 50, "only %u steps", n);
	}
}

TEST(either_agent_may_restart_at_any_step)
{
	restart_everywhere(SIM_FAULT_RESTART_AGENT, "agent restarts");
}

TEST(either_host_may_restart_at_any_step)
{
	restart_everywhere(SIM_FAULT_RESTART_HOST, "host restarts");
}

/* --- another connection, before the present one goes --- */

/* One run in which another connection is made at a step, and which may have a fault; returns its steps. */
static unsigned int changing_run(unsigned int at, unsigned int end, enum sim_fault fault, unsigned int fault_at)
{
	struct sim *sim;
	char label[64];
	unsigned int i, n;

	snprintf(label, sizeof(label), "end %u changes at step %u, fault %u at %u", end, at, fault, fault_at);
	sim = sim_new(label);
	sim->next_at = at;
	sim->next_end = end;
	sim->fault = fault;
	sim->fault_at = fault_at;
	sim->fault_end = at % 2;
	two_rounds(sim);
	one_more(sim);
	n = sim->n_steps;
	for (i = 0; i < 2 && fault == SIM_FAULT_NONE; i++) {
		CHECK_NUMBER(label, sim->ends[i].n_burned, 0);
		CHECK_NUMBER(label, sim->ends[i].notes[SESSION_NOTE_VIOLATION], 0);
		CHECK_NUMBER(label, sim->ends[i].notes[SESSION_NOTE_TIMEOUT], 0);
		CHECK_NUMBER(label, sim->ends[i].n_chain_restarts, 0);
		CHECK_NUMBER(label, sim->ends[i].tx.newest, 6);
		CHECK_NUMBER(label, sim->ends[i].session.tx.most, SESSION_OFFER_MAX);
	}
	sim_free(sim);
	return n;
}

TEST(a_link_changes_to_another_connection_at_any_step_and_loses_no_key)
{
	unsigned int at, end, n;

	for (end = 0; end <= 2; end++) {
		n = 1;
		for (at = 1; at < n || at < 2; at++)
			n = changing_run(at, end, SIM_FAULT_NONE, UINT32_MAX);
		CHECK(n > 60, "only %u steps", n);
	}
}

/* With QLINK_SOAK each fault at each message; else one message in five for each. */
TEST(whatever_happens_while_a_link_changes_both_ends_agree)
{
	static const enum sim_fault faults[] = {
		SIM_FAULT_LOSE, SIM_FAULT_DOUBLE, SIM_FAULT_DOUBLE_LATE, SIM_FAULT_DELAY, SIM_FAULT_CUT,
		SIM_FAULT_RESTART_AGENT, SIM_FAULT_RESTART_HOST,
	};
	unsigned int at, i, fault_at, every = getenv("QLINK_SOAK") ? 1 : 5;

	for (i = 0; i < COUNT(faults); i++) {
		for (at = 1; at < 60; at += 3) {
			for (fault_at = (at + i) % every; fault_at < 60; fault_at += every)
				changing_run(at, at % 3, faults[i], fault_at);
		}
	}
}

TEST(a_third_connection_takes_the_place_of_the_second)
{
	struct sim *sim = sim_new("third");
	unsigned int i;

	two_rounds(sim);
	sim_connect_next(sim, 0);
	sim_connect_next(sim, 1);
	one_more(sim);
	for (i = 0; i < 2; i++) {
		CHECK_NUMBER("connection", sim->ends[i].via, 3);
		CHECK_NUMBER("violations", sim->ends[i].notes[SESSION_NOTE_VIOLATION], 0);
	}
	sim_free(sim);
}

TEST(without_another_connection_a_session_that_left_starts_over)
{
	static const struct session_event event = { .type = SESSION_EVENT_LEAVE };
	struct sim *sim = sim_new("stays");
	unsigned int i;

	two_rounds(sim);
	sim_end_step(sim, 0, &event);
	one_more(sim);
	for (i = 0; i < 2; i++) {
		CHECK_NUMBER("left", sim->ends[i].n_left, 1);
		CHECK_NUMBER("connection", sim->ends[i].via, 1);
	}
	CHECK_NUMBER("timeouts", sim->ends[0].notes[SESSION_NOTE_TIMEOUT] + sim->ends[1].notes[SESSION_NOTE_TIMEOUT], 1);
	CHECK(sim->now > SESSION_LEAVE_MS, "too soon");
	sim_free(sim);
}

/* A withdrawal is open when the link is to change: it is settled first, and one that comes later by the next session. */
TEST(keys_are_withdrawn_while_a_link_changes)
{
	struct session_event event = {
		.type = SESSION_EVENT_WITHDRAW, .withdraw = { .range = { 1, 4 }, .reason = SESSION_REASON_COMMAND },
	};
	struct sim *sim;
	unsigned int end, direction, order;

	for (order = 0; order < 8; order++) {
		end = order & 1;
		direction = order >> 1 & 1;
		event.withdraw.direction = (uint8_t)direction;
		sim = sim_new("withdrawn");
		two_rounds(sim);
		if (order & 4)
			sim_connect_next(sim, 2);
		CHECK_NUMBER("withdraw", sim_end_step(sim, end, &event), 0);
		if (!(order & 4))
			sim_connect_next(sim, 2);
		one_more(sim);
		sim_check_held(sim, "withdrawn");
		CHECK(!sim_ring_find(direction ? &sim->ends[!end].tx : &sim->ends[end].tx, 4), "order %u: sends with it", order);
		CHECK_NUMBER("violations", sim->ends[0].notes[SESSION_NOTE_VIOLATION] + sim->ends[1].notes[SESSION_NOTE_VIOLATION], 0);
		sim_free(sim);
	}
}
