// SPDX-License-Identifier: GPL-2.0-or-later
/* What a session does for each reason for which an offer or a withdrawal fails. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "qlinkd/agreement/policy.h"
#include "sim.h"
#include "tap.h"

/* Where a message has its type (PROTOCOL.md, section 2). */
#define MSG_TYPE_BYTE	5
/* Where STATE has the tags of its chains. */
#define STATE_TAGS	(MSG_HEADER_BYTES + 8)

/* Long enough to become ready, too short for an offer to time out. */
#define SHORT_MS	3000

#define HYBRID	(1 << QLINK_SOURCE_HYBRID)
#define PQC	(1 << QLINK_SOURCE_PQC)

/* Two ends that hold two keys in each direction. */
static struct sim *sim_agreed(const char *label)
{
	struct sim *sim = sim_new(label);

	sim_want(sim, QLINK_SOURCE_HYBRID, 2);
	sim_connect(sim);
	CHECK(sim_run(sim, SHORT_MS), "%s: no agreement", label);
	CHECK_NUMBER(label, sim_common(sim, 0), 2);
	CHECK_NUMBER(label, sim_common(sim, 1), 2);
	return sim;
}

static int step(struct sim *sim, unsigned int end, struct session_event event)
{
	return sim_end_step(sim, end, &event);
}

TEST(policies_without_a_common_source_block_the_link_and_delete_its_keys)
{
	struct sim *sim = sim_agreed("policies");
	unsigned int i;

	/* Each agent restarts with another policy; the rings stay. */
	sim->ends[0].policy = POLICY_HYBRID_REQUIRED;
	sim->ends[1].policy = POLICY_PQC_ONLY;
	sim->source = QLINK_SOURCE_HYBRID;
	sim_restart(sim, 0, false);
	sim->source = QLINK_SOURCE_PQC;
	sim_restart(sim, 1, false);
	CHECK(!sim_run(sim, SIM_LONG_MS), "an agreement without a common source");
	for (i = 0; i < 2; i++) {
		CHECK_NUMBER("phase", sim->ends[i].session.phase,
			     SESSION_PHASE_BLOCKED);
		CHECK_NUMBER("noted why",
			     sim->ends[i].notes[SESSION_NOTE_NO_SOURCE], 1);
		CHECK_NUMBER("keys to send", sim->ends[i].tx.n, 0);
		CHECK_NUMBER("keys to receive", sim->ends[i].rx.n, 0);
	}
	CHECK_NUMBER("the peer's policy is known",
		     sim->ends[0].session.peer.policy, POLICY_PQC_ONLY);
	sim_free(sim);
}

TEST(only_sources_in_both_policies_can_be_requested)
{
	struct sim *sim = sim_new("sources");
	struct session_event want = {
		.type = SESSION_EVENT_WANT, .source = QLINK_SOURCE_PQC, .n = 1,
	};

	sim->ends[1].policy = POLICY_HYBRID_REQUIRED;
	sim_restart(sim, 1, false);
	sim_connect(sim);
	CHECK(sim_run(sim, SHORT_MS), "not ready");
	CHECK_NUMBER("sources", sim->ends[0].session.sources, HYBRID);
	CHECK_NUMBER("pqc", step(sim, 0, want), -EPERM);
	want.source = QLINK_SOURCE_STATIC;
	CHECK_NUMBER("static", step(sim, 0, want), -EPERM);
	want.source = 200;
	CHECK_NUMBER("no source", step(sim, 0, want), -EPERM);
	want.source = QLINK_SOURCE_HYBRID;
	CHECK_NUMBER("hybrid", step(sim, 0, want), 0);
	CHECK(sim_run(sim, SHORT_MS), "no agreement");
	CHECK_NUMBER("keys", sim_common(sim, 0), 1);
	sim_free(sim);
}

TEST(a_request_made_before_the_session_is_dropped_if_its_source_is_not_allowed)
{
	struct sim *sim = sim_new("requested early");

	sim->ends[1].policy = POLICY_HYBRID_REQUIRED;
	sim_restart(sim, 1, false);
	sim_want(sim, QLINK_SOURCE_PQC, 1);
	sim_connect(sim);
	CHECK(sim_run(sim, SHORT_MS), "not ready");
	CHECK_NUMBER("keys", sim->ends[0].tx.newest, 0);
	CHECK_NUMBER("refusals",
		     sim->ends[1].notes[SESSION_NOTE_REJECTED], 0);
	sim_free(sim);
}

TEST(versions_without_overlap_block_the_link)
{
	static const struct {
		struct session_versions own, peer;
		uint8_t version;
		const char *why;
	} rows[] = {
		{ { 1, 1 }, { 1, 1 }, 1, "the same" },
		{ { 1, 2 }, { 1, 3 }, 2, "the highest common one" },
		{ { 2, 3 }, { 1, 2 }, 2, "at the floor" },
		{ { 2, 3 }, { 1, 1 }, 0, "below our floor" },
		{ { 1, 1 }, { 2, 2 }, 0, "below the peer's floor" },
	};
	struct sim *sim;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		sim = sim_new(rows[i].why);
		sim->ends[0].versions = rows[i].own;
		sim->ends[1].versions = rows[i].peer;
		sim_restart(sim, 0, false);
		sim_restart(sim, 1, false);
		sim_connect(sim);
		CHECK_NUMBER(rows[i].why, sim_run(sim, SHORT_MS),
			     rows[i].version > 0);
		CHECK_NUMBER(rows[i].why, sim->ends[0].session.version,
			     rows[i].version);
		CHECK_NUMBER(rows[i].why,
			     sim->ends[0].notes[SESSION_NOTE_NO_VERSION],
			     !rows[i].version);
		sim_free(sim);
	}
}

TEST(a_dry_kme_is_asked_again_each_second_until_it_has_keys)
{
	struct sim *sim = sim_new("dry");

	sim->kme.is_dry = true;
	sim_want(sim, QLINK_SOURCE_HYBRID, 1);
	sim_connect(sim);
	CHECK(!sim_run(sim, 10000), "an agreement without a key");
	CHECK(sim->ends[0].reasons[SESSION_REASON_KME] >= 5 &&
	      sim->ends[0].reasons[SESSION_REASON_KME] <= 11,
	      "asked %u times in 10 s", sim->ends[0].reasons[SESSION_REASON_KME]);
	CHECK_NUMBER("the peer gets no message about it",
		     sim->ends[1].notes[SESSION_NOTE_REJECTED], 0);
	sim->kme.is_dry = false;
	CHECK(sim_run(sim, SHORT_MS), "no agreement");
	CHECK_NUMBER("keys", sim_common(sim, 0), 1);
	sim_free(sim);
}

TEST(both_ends_drop_key_ids_that_the_peer_cannot_fetch)
{
	struct sim *sim = sim_new("forgetful");
	unsigned int offered;

	sim->kme.is_forgetful = true;
	sim_want(sim, QLINK_SOURCE_HYBRID, 1);
	sim_connect(sim);
	CHECK(!sim_run(sim, 5000), "an agreement without a key");
	CHECK(sim->ends[0].reasons[SESSION_REASON_KEY_ID] > 0, "the reason was not noted");
	CHECK_NUMBER("installed", sim->ends[0].rx.newest, 0);
	offered = sim->kme.n;
	sim->kme.is_forgetful = false;
	CHECK(sim_run(sim, SHORT_MS), "no agreement");
	CHECK(sim->kme.n > offered, "an old key ID was offered again");
	CHECK_NUMBER("the session continues",
		     sim->ends[0].notes[SESSION_NOTE_READY], 1);
	sim_free(sim);
}

TEST(different_keys_under_one_key_id_are_detected_and_withdrawn)
{
	struct sim *sim = sim_agreed("different keys");
	uint64_t newest = sim->ends[0].rx.newest;

	/* The receiver's KME has a different key: change it after the sender got it. */
	sim_want(sim, QLINK_SOURCE_HYBRID, 1);
	while (sim->ends[0].session.tx.step != SESSION_STEP_OFFERED)
		sim_run(sim, 5);
	sim->kme.keys[sim->kme.n - 1].key[0] ^= 1;
	sim->kme.keys[sim->kme.n - 2].key[0] ^= 1;
	CHECK(sim_run(sim, SIM_LONG_MS), "stuck");
	CHECK(sim->ends[0].reasons[SESSION_REASON_CONFIRM] +
	      sim->ends[1].reasons[SESSION_REASON_CONFIRM] > 0,
	      "no wrong confirmation");
	CHECK(sim->ends[0].rx.newest > newest, "no key at the end");
	sim_check_held(sim, "at the end");
	sim_free(sim);
}

TEST(a_key_that_one_kernel_refuses_is_held_by_neither_end)
{
	struct sim *sim = sim_agreed("kernel");

	sim->ends[1].kernel_fails = true;
	sim_want(sim, QLINK_SOURCE_PQC, 1);
	CHECK(!sim_run(sim, 20000), "an agreement although the kernel refused");
	CHECK_NUMBER("keys of 0", sim->ends[0].tx.n, 2);
	CHECK_NUMBER("keys of 1", sim->ends[1].tx.n, 2);
	CHECK(sim->ends[1].reasons[SESSION_REASON_KERNEL] > 0, "the reason was not noted");
	sim->ends[1].kernel_fails = false;
	CHECK(sim_run(sim, SIM_LONG_MS), "stuck");
	CHECK_NUMBER("keys", sim_common(sim, 0), 3);
	sim_check_held(sim, "at the end");
	sim_free(sim);
}

static struct session_event withdrawal(uint8_t direction, uint64_t first,
				       uint64_t last)
{
	return (struct session_event){
		.type = SESSION_EVENT_WITHDRAW,
		.withdraw = { .range = { first, last }, .direction = direction,
			      .reason = SESSION_REASON_COMMAND },
	};
}

TEST(a_sender_that_withdraws_keys_deletes_its_own_first)
{
	struct sim *sim = sim_agreed("withdraw tx");

	CHECK_NUMBER("step", step(sim, 0, withdrawal(SESSION_DIRECTION_TX, 2, 2)),
		     0);
	CHECK(sim_run(sim, SHORT_MS), "stuck");
	CHECK_NUMBER("keys to send", sim->ends[0].tx.n, 1);
	CHECK_NUMBER("keys to receive", sim->ends[1].rx.n, 1);
	CHECK_NUMBER("the other direction", sim_common(sim, 1), 2);
	CHECK_NUMBER("same session", sim->ends[0].notes[SESSION_NOTE_READY], 1);
	sim_free(sim);
}

TEST(a_receiver_that_withdraws_keys_deletes_them_after_the_sender)
{
	struct sim *sim = sim_agreed("withdraw rx");

	CHECK_NUMBER("step", step(sim, 0, withdrawal(SESSION_DIRECTION_RX, 1, 2)),
		     0);
	while (sim->ends[1].tx.n && sim->now < 100000) {
		CHECK_NUMBER("held while the peer sends",
			     sim->ends[0].rx.n, 2);
		sim_run(sim, 1);
	}
	CHECK_NUMBER("keys to send", sim->ends[1].tx.n, 0);
	CHECK(sim_run(sim, SHORT_MS), "stuck");
	CHECK_NUMBER("keys to receive", sim->ends[0].rx.n, 0);
	CHECK_NUMBER("same session", sim->ends[0].notes[SESSION_NOTE_READY], 1);
	sim_free(sim);
}

TEST(a_withdrawal_of_keys_in_use_deletes_them_at_the_sender_too)
{
	struct sim *sim = sim_agreed("withdraw current");

	sim_rotate(sim);
	CHECK_NUMBER("step", step(sim, 0, withdrawal(SESSION_DIRECTION_RX, 1,
						     SESSION_EPOCH_MAX)), 0);
	CHECK(sim_run(sim, SHORT_MS), "stuck");
	CHECK_NUMBER("the sender's active key", sim->ends[1].tx.n, 0);
	CHECK_NUMBER("the receiver's current key", sim->ends[0].rx.n, 0);
	sim_free(sim);
}

TEST(a_receiver_without_a_peer_withdraws_alone)
{
	struct sim *sim = sim_agreed("withdraw alone");

	sim_cut(sim);
	CHECK_NUMBER("step", step(sim, 0, withdrawal(SESSION_DIRECTION_RX, 1, 2)),
		     0);
	CHECK(sim_run(sim, SHORT_MS), "stuck");
	CHECK_NUMBER("gone", sim->ends[0].rx.n, 0);
	CHECK_NUMBER("the sender learns of it when they connect",
		     sim->ends[1].tx.n, 0);
	sim_free(sim);
}

TEST(a_peer_that_does_not_answer_a_withdrawal_does_not_stop_it)
{
	struct sim *sim = sim_agreed("withdraw lost");

	sim->fault = SIM_FAULT_LOSE;
	sim->fault_at = sim->n_messages;
	CHECK_NUMBER("step", step(sim, 0, withdrawal(SESSION_DIRECTION_RX, 1, 2)),
		     0);
	CHECK(sim_run(sim, SIM_LONG_MS), "stuck");
	CHECK_NUMBER("keys to receive", sim->ends[0].rx.n, 0);
	CHECK_NUMBER("keys to send", sim->ends[1].tx.n, 0);
	CHECK_NUMBER("noted", sim->ends[0].notes[SESSION_NOTE_TIMEOUT], 1);
	sim_free(sim);
}

TEST(one_withdrawal_at_a_time_and_of_at_least_one_epoch)
{
	struct sim *sim = sim_agreed("withdraw twice");

	CHECK_NUMBER("empty", step(sim, 0, withdrawal(SESSION_DIRECTION_RX, 2, 1)),
		     -EINVAL);
	CHECK_NUMBER("epoch 0", step(sim, 0, withdrawal(SESSION_DIRECTION_RX, 0,
							1)), -EINVAL);
	CHECK_NUMBER("first", step(sim, 0, withdrawal(SESSION_DIRECTION_RX, 1, 1)),
		     0);
	CHECK_NUMBER("second", step(sim, 0, withdrawal(SESSION_DIRECTION_RX, 2,
						       2)), -EBUSY);
	CHECK(sim_run(sim, SHORT_MS), "stuck");
	CHECK_NUMBER("second, later", step(sim, 0,
				withdrawal(SESSION_DIRECTION_RX, 2, 2)), 0);
	CHECK(sim_run(sim, SHORT_MS), "stuck");
	CHECK_NUMBER("keys to receive", sim->ends[0].rx.n, 0);
	sim_free(sim);
}

TEST(the_chain_continues_after_a_lost_confirmation)
{
	struct sim *sim = sim_agreed("lost confirmation");
	unsigned int i;

	/* The offers arrive, but their answers do not: the connection ends. */
	sim_want(sim, QLINK_SOURCE_PQC, 1);
	while (!(sim->ends[1].rx.newest == 3 && sim->ends[0].rx.newest == 3))
		sim_run(sim, 1);
	CHECK_NUMBER("not confirmed", sim->ends[0].tx.newest, 2);
	sim_cut(sim);
	CHECK(sim_run(sim, SHORT_MS), "stuck");
	for (i = 0; i < 2; i++) {
		CHECK_NUMBER("the lost epoch is skipped",
			     sim->ends[i].tx.newest, 4);
		CHECK(!sim->ends[i].n_chain_restarts,
		      "end %u: the chain restarted", i);
	}
	sim_check_held(sim, "at the end");
	sim_free(sim);
}

TEST(a_restarted_agent_restarts_both_chains_and_notes_it)
{
	struct sim *sim = sim_agreed("chains");

	sim_restart(sim, 1, false);
	CHECK(sim_run(sim, SIM_LONG_MS), "stuck");
	CHECK_NUMBER("our sending chain is lost",
		     sim->ends[0].n_chain_restarts, 1);
	CHECK_NUMBER("the other end's chain restarts too",
		     sim->ends[1].n_chain_restarts, 0);
	sim_free(sim);
}

/* A STATE on its way to this end, once this end has sent its own. */
static struct sim_packet *state_to(struct sim *sim, unsigned int end)
{
	struct sim_line *line = &sim->line;
	unsigned int i;

	while (sim->now < SIM_LONG_MS) {
		for (i = 0; i < line->n; i++)
			if (line->packets[i].to == end && line->packets[i].data[MSG_TYPE_BYTE] == SESSION_MESSAGE_STATE &&
			    sim->ends[end].session.phase == SESSION_PHASE_STATE)
				return &line->packets[i];
		sim_run(sim, 1);
	}
	CHECK(false, "no STATE to end %u", end);
	return NULL;
}

/* An end without the chains sends back what the other end has sent to show its own. */
TEST(only_who_has_a_chain_can_show_it)
{
	struct sim *sim = sim_agreed("tags sent back");
	struct sim_end *end = &sim->ends[0];
	struct sim_packet *packet;

	session_demand_chain(&end->session, true);
	end->exchange.demands_chain = true;
	sim_cut(sim);
	packet = state_to(sim, 0);
	memcpy(packet->data + STATE_TAGS, end->exchange.own.chains[0], MSG_CHAIN_TAG_BYTES);
	memcpy(packet->data + STATE_TAGS + MSG_CHAIN_TAG_BYTES, end->exchange.own.tx_chain,
	       MSG_CHAIN_TAG_BYTES);
	while (end->session.phase == SESSION_PHASE_STATE)
		sim_run(sim, 1);
	CHECK_NUMBER("phase", end->session.phase, SESSION_PHASE_BLOCKED);
	CHECK_NUMBER("told", end->notes[SESSION_NOTE_NO_CHAIN], 1);
	CHECK(!chain_is_zero(end->exchange.tx.chain.current), "the chain has restarted");
	sim_free(sim);
}

/* A receiver can refuse a chain that it has shown. */
TEST(a_refusal_does_not_restart_a_chain_that_is_demanded)
{
	struct sim *sim = sim_agreed("refused chain");
	struct sim_end *sender = &sim->ends[0], *receiver = &sim->ends[1];
	const struct chain *kept = &sender->exchange.tx.chain;

	session_demand_chain(&sender->session, true);
	sender->exchange.demands_chain = true;
	sim_cut(sim);
	CHECK(sim_run(sim, SHORT_MS), "stuck");
	memset(&receiver->exchange.rx.chain, 0xa5, sizeof(receiver->exchange.rx.chain));
	sim_want(sim, QLINK_SOURCE_PQC, 1);
	CHECK(!sim_run(sim, SIM_LONG_MS), "keys without the chain that is demanded");
	CHECK_NUMBER("refused", sender->reasons[SESSION_REASON_CHAIN] > 0, 1);
	CHECK_NUMBER("chains restarted", sender->n_chain_restarts, 0);
	CHECK(!chain_is_zero(kept->current), "the sender's chain is zero");
	CHECK_NUMBER("keys from there", sender->tx.newest, 2);
	CHECK_NUMBER("phase", sender->session.phase, SESSION_PHASE_BLOCKED);
	CHECK_NUMBER("told why", sender->notes[SESSION_NOTE_NO_CHAIN], 1);
	sim_free(sim);
}

TEST(epochs_that_are_used_up_are_not_offered)
{
	struct sim *sim = sim_new("last epoch");

	/* Both rings of the direction from end 0 are just below the last epoch. */
	sim->ends[0].tx.newest = SESSION_EPOCH_MAX - 1;
	sim->ends[1].rx.newest = SESSION_EPOCH_MAX - 1;
	sim_want(sim, QLINK_SOURCE_PQC, 3);
	sim_connect(sim);
	CHECK(sim_run(sim, SIM_LONG_MS), "stuck");
	CHECK_NUMBER("the last epoch", sim->ends[0].tx.newest, SESSION_EPOCH_MAX);
	CHECK_NUMBER("alone", sim_common(sim, 0), 1);
	CHECK_NUMBER("noted", sim->ends[0].notes[SESSION_NOTE_NO_EPOCH], 1);
	CHECK_NUMBER("the other direction", sim_common(sim, 1), 3);
	sim_free(sim);
}

TEST(an_epoch_that_the_kernel_would_refuse_is_not_offered)
{
	struct sim *sim = sim_new("leap");

	sim->ends[0].tx.newest = 5;
	sim->ends[1].rx.newest = 5 + SESSION_EPOCH_LEAP;
	sim_want(sim, QLINK_SOURCE_PQC, 1);
	sim_connect(sim);
	CHECK(sim_run(sim, SIM_LONG_MS), "stuck");
	CHECK_NUMBER("nothing offered", sim->ends[0].tx.newest, 5);
	CHECK_NUMBER("noted", sim->ends[0].notes[SESSION_NOTE_NO_EPOCH], 1);
	/* A new ring accepts any first epoch. */
	sim_restart(sim, 0, true);
	CHECK(sim_run(sim, SIM_LONG_MS), "stuck");
	CHECK_NUMBER("above the peer's", sim->ends[0].tx.newest,
		     6 + SESSION_EPOCH_LEAP);
	sim_free(sim);
}

TEST(more_epochs_than_fit_one_offer_take_several)
{
	struct sim *sim = sim_new("many");

	sim_want(sim, QLINK_SOURCE_PQC, 100);
	sim_connect(sim);
	CHECK(sim_run(sim, SHORT_MS), "stuck");
	CHECK_NUMBER("keys", sim_common(sim, 0), 100);
	CHECK_NUMBER("offers", sim->ends[0].notes[SESSION_NOTE_AGREED], 2);
	sim_free(sim);
}

TEST(wiped_rings_are_reconciled_at_once)
{
	struct sim *sim = sim_agreed("wiped");
	struct session_event restart = { .type = SESSION_EVENT_RESTART };

	memset(&sim->ends[1].rx, 0, sizeof(sim->ends[1].rx));
	memset(&sim->ends[1].tx, 0, sizeof(sim->ends[1].tx));
	step(sim, 1, restart);
	sim_want(sim, QLINK_SOURCE_PQC, 1);
	CHECK(sim_run(sim, SHORT_MS), "stuck");
	sim_check_held(sim, "after the wipe");
	CHECK_NUMBER("only the new key", sim->ends[0].tx.n, 1);
	CHECK_NUMBER("above all earlier epochs", sim->ends[1].tx.newest, 3);
	sim_free(sim);
}

TEST(messages_of_another_session_change_nothing)
{
	struct sim *sim = sim_agreed("stale");
	struct session_msg msg = { .type = SESSION_MESSAGE_WITHDRAW };
	struct session_event event = { .type = SESSION_EVENT_MESSAGE, .msg = &msg };
	const struct session *session = &sim->ends[0].session;

	msg.withdraw.id = 1;
	msg.withdraw.range = (struct session_range){ 1, 2 };
	msg.from = session->peer_generation;
	msg.to = session->generation - 1;
	step(sim, 0, event);
	msg.from = session->peer_generation + 1;
	msg.to = session->generation;
	step(sim, 0, event);
	CHECK(sim_is_settled(sim), "the message had an effect");
	CHECK_NUMBER("counted", session->n_stale, 2);
	CHECK_NUMBER("keys", sim->ends[0].rx.n, 2);
	msg.from = session->peer_generation;
	step(sim, 0, event);
	CHECK(!sim_is_settled(sim), "a message of this session has no effect");
	CHECK(sim_run(sim, SIM_LONG_MS), "stuck");
	sim_free(sim);
}

/* Whoever cuts the connection again and again wastes few keys of the KMEs. */
TEST(an_offer_that_is_never_answered_makes_the_next_ones_smaller)
{
	struct sim *sim = sim_agreed("cut at each offer");
	unsigned int i, most = 0, before;

	sim_want(sim, QLINK_SOURCE_HYBRID, 12);
	for (i = 0; i < 8; i++) {
		before = sim->kme.n;
		while (sim->ends[0].session.tx.step != SESSION_STEP_OFFERED ||
		       sim->ends[1].session.tx.step != SESSION_STEP_OFFERED)
			sim_run(sim, 1);
		most = sim->kme.n - before;
		sim_cut(sim);
	}
	CHECK_NUMBER("one key in each direction", most, 2);
	CHECK(sim_run(sim, SHORT_MS), "stuck");
	CHECK_NUMBER("agreed on in the end", sim_common(sim, 0), 14);
	CHECK(sim->ends[0].session.tx.most >= 5, "offers stay small: %u", sim->ends[0].session.tx.most);
	sim_free(sim);
}

static void answer_with(enum session_reason reason, uint8_t most)
{
	struct sim *sim = sim_agreed("refused");
	struct session_msg msg = { .type = SESSION_MESSAGE_REFUSE, .reason = (uint8_t)reason };
	struct session_event event = { .type = SESSION_EVENT_MESSAGE, .msg = &msg };
	struct session *session = &sim->ends[0].session;

	sim_want(sim, QLINK_SOURCE_HYBRID, 64);
	while (session->tx.step != SESSION_STEP_OFFERED)
		sim_run(sim, 1);
	CHECK_NUMBER("the first", session->tx.offer.n, 64);
	msg.from = session->peer_generation;
	msg.to = session->generation;
	msg.offer = session->tx.offer;
	step(sim, 0, event);
	CHECK(session->tx.most == most, "reason %u: offers of %u, want %u", reason, session->tx.most, most);
	sim_free(sim);
}

/* Only a KME rests after a refusal. A peer that lacks memory for an hour must not use up all keys. */
TEST(offers_become_smaller_after_a_refusal_after_which_no_kme_rests)
{
	answer_with(SESSION_REASON_KEY_ID, 64);
	answer_with(SESSION_REASON_KME, 64);
	answer_with(SESSION_REASON_TIMEOUT, 16);
	answer_with(SESSION_REASON_MEMORY, 16);
	answer_with(SESSION_REASON_KEM, 16);
	answer_with(SESSION_REASON_SOURCE, 16);
	answer_with(SESSION_REASON_CHAIN, 16);
	answer_with(SESSION_REASON_KERNEL, 16);
}

TEST(offers_become_smaller_when_the_peer_takes_too_long_for_them)
{
	struct sim *sim = sim_agreed("slow");
	struct session_msg msg = { .type = SESSION_MESSAGE_REFUSE };
	struct session_event event = { .type = SESSION_EVENT_MESSAGE, .msg = &msg };
	struct session *session = &sim->ends[0].session;

	sim_want(sim, QLINK_SOURCE_HYBRID, 64);
	while (session->tx.step != SESSION_STEP_OFFERED)
		sim_run(sim, 1);
	CHECK_NUMBER("the first", session->tx.offer.n, 64);
	msg.from = session->peer_generation;
	msg.to = session->generation;
	msg.offer = session->tx.offer;
	msg.reason = SESSION_REASON_TIMEOUT;
	step(sim, 0, event);
	CHECK_NUMBER("the next ones", session->tx.most, 16);
	CHECK_NUMBER("noted why", sim->ends[0].reasons[SESSION_REASON_TIMEOUT], 1);
	sim_free(sim);
}

/* --- every input counts at both ends --- */

/* What the receiver has, but the sender has otherwise; and the one that loses its pre-shared secret. */
static unsigned int spoilt;
static const struct exchange *without_psk;

static void spoil(struct exchange *x)
{
	struct exchange_offer *offer = x->rx.offer;
	uint8_t *const inputs[] = {
		x->binding.exporter, x->binding.own_cert_hash, x->binding.peer_cert_hash,
		x->own.hello, x->own.state, x->peer.hello, x->peer.state, x->psk,
		(uint8_t *)&x->link_id, &x->version, (uint8_t *)&offer->core.id,
		(uint8_t *)&offer->core.invite, (uint8_t *)&offer->core.first, &offer->core.kmes[1],
		&offer->core.source, offer->secret.kem, offer->secret.ecdh, offer->from, offer->kem_public,
		offer->kem_ciphertext, offer->sender_nonce, offer->receiver_nonce, offer->key_ids[0],
		offer->key_ids[1],
	};

	if (spoilt < COUNT(inputs))
		inputs[spoilt][0] ^= 2;
	else if (spoilt == COUNT(inputs))
		x->binding.has_dialled = !x->binding.has_dialled;
	else if (spoilt == COUNT(inputs) + 1)
		x->has_psk = x != without_psk;
	else
		spoilt = UINT32_MAX;
}

/* Two ends with two KMEs for each key and a pre-shared secret. */
static struct sim *sim_with_all(void)
{
	struct sim *sim = sim_new("all inputs");
	unsigned int i;

	sim->n_mixed = 2;
	for (i = 0; i < 2; i++) {
		sim->ends[i].psk = "32 bytes, which should be random";
		sim_restart(sim, i, false);
	}
	sim_want(sim, QLINK_SOURCE_HYBRID, 1);
	return sim;
}

static void check_confirmed(struct sim *sim, const char *what, unsigned int number, bool is_right)
{
	unsigned int i, agreed = 0, wrong = 0, refused = 0;

	for (i = 0; i < 2; i++) {
		/* Of the last input, end 1 may have made its own offer before it lost the secret. */
		if (number != 25 || !i)
			agreed += sim->ends[i].notes[SESSION_NOTE_AGREED];
		wrong += sim->ends[i].reasons[SESSION_REASON_CONFIRM];
		refused += sim->ends[i].reasons[SESSION_REASON_KEY_ID];
	}
	CHECK(is_right == (agreed > 0), "%s %u: %u offers agreed on", what, number, agreed);
	/* What no offer may have is not even derived; a message of another link finds nobody. */
	CHECK(number == 8 || is_right == (wrong + refused == 0), "%s %u: no reason", what, number);
}

TEST(an_input_that_differs_makes_the_confirmation_fail)
{
	struct sim *sim;
	unsigned int n, wrong;

	for (n = 0;; n++) {
		sim = sim_with_all();
		sim->spoil = spoil;
		spoilt = n;
		without_psk = &sim->ends[1].exchange;
		sim_connect(sim);
		sim_run(sim, SHORT_MS);
		check_confirmed(sim, "input", n, spoilt == UINT32_MAX);
		wrong = sim->ends[0].reasons[SESSION_REASON_CONFIRM] +
			sim->ends[1].reasons[SESSION_REASON_CONFIRM];
		sim_free(sim);
		if (spoilt == UINT32_MAX)
			break;
		/* Another link, version, place, source or key ID makes an offer that cannot be. */
		CHECK(wrong || (n >= 8 && n <= 9) || (n >= 13 && n <= 14) || (n >= 22 && n <= 23),
		      "input %u: refused before it was confirmed", n);
	}
	CHECK_NUMBER("inputs", n, 26);
	sim = sim_with_all();
	sim->swaps = true;
	sim_connect(sim);
	sim_run(sim, SHORT_MS);
	check_confirmed(sim, "KMEs swapped", 0, false);
	sim_free(sim);
}
