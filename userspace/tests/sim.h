/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two agents in one process: real agreement, real keys, simulated world. */
#ifndef QLINK_TESTS_SIM_H
#define QLINK_TESTS_SIM_H

#include <stdbool.h>
#include <stdint.h>

#include "qlinkd/agreement/session.h"
#include "qlinkd/secrets/exchange.h"

/* Long enough for every timer to run out, one after the other. */
#define SIM_LONG_MS	200000

#define SIM_RING_KEYS	128
#define SIM_KME_KEYS	256
#define SIM_PACKETS	64
#define SIM_OPS		32
#define SIM_OP_KEYS	SESSION_OFFER_MAX
#define SIM_USED	256

/* A ring as the kernel has it: PROTOCOL.md of kmod, section 4. */
struct sim_ring {
	struct {
		uint64_t epoch;
		uint8_t bytes[44];
	} keys[SIM_RING_KEYS];
	unsigned int n;
	uint64_t newest;
	uint64_t current;
	uint8_t id[SESSION_RING_ID_BYTES];
};

/* A pair of KMEs that hold the same keys. */
struct sim_kme {
	struct {
		char id[40];
		uint8_t key[32];
		bool is_taken;
	} keys[SIM_KME_KEYS];
	unsigned int n;
	bool is_dry;
	bool is_forgetful;
};

/* An action with a ticket, until its time comes. */
struct sim_op {
	uint64_t at;
	struct session_action action;
	struct session_state peer;
	struct mix_keys keys[SIM_OP_KEYS];
	uint8_t from[MIX_CHAIN_BYTES];
};

struct sim_end {
	struct session session;
	struct exchange exchange;
	struct sim_ring tx, rx;
	struct sim_op ops[SIM_OPS];
	unsigned int n_ops;
	unsigned int notes[SESSION_NOTE_FAILED + 1];
	unsigned int reasons[SESSION_N_REASONS];
	unsigned int n_chain_restarts;
	bool kernel_fails;
	uint8_t policy;
	struct session_versions versions;
};

enum sim_fault {
	SIM_FAULT_NONE,
	SIM_FAULT_LOSE,
	SIM_FAULT_DOUBLE,
	SIM_FAULT_DOUBLE_LATE,
	SIM_FAULT_DELAY,
	SIM_FAULT_ALTER,
	SIM_FAULT_CUT,
	SIM_FAULT_RESTART_AGENT,
	SIM_FAULT_RESTART_HOST,
};

struct sim_packet {
	uint64_t at;
	unsigned int number;
	unsigned int to;
	size_t len;
	uint8_t data[MSG_BYTES_MAX];
};

struct sim {
	struct sim_end ends[2];
	struct sim_kme kme;
	struct sim_packet packets[SIM_PACKETS];
	unsigned int n_packets;
	uint64_t now;
	bool is_connected;
	uint64_t reconnect_at;
	/* The source and number of keys that each end wants in this round. */
	uint8_t source;
	uint32_t want;
	/* What goes wrong: at which message or step, to which byte or end. */
	enum sim_fault fault;
	unsigned int fault_at;
	unsigned int fault_byte;
	unsigned int fault_end;
	unsigned int n_messages;
	unsigned int n_steps;
	size_t faulted_len;
	uint8_t faulted_type;
	uint8_t used[SIM_USED][44];
	unsigned int n_used;
	const char *label;
};

/* Two ends of a link that have no keys and no connection; for sim_free(). */
struct sim *sim_new(const char *label);

/* Wipe what the ends hold, and free them. */
void sim_free(struct sim *sim);

/* Let both ends speak to each other. */
void sim_connect(struct sim *sim);

/* End the connection; another one comes in a second. */
void sim_cut(struct sim *sim);

/* Both ends want @n keys of @source. */
void sim_want(struct sim *sim, uint8_t source, uint32_t n);

/* Let one event happen at one end. */
int sim_step(struct sim *sim, unsigned int end, const struct session_event *event);

/* Start one agent anew, or its whole host with new rings. */
void sim_restart(struct sim *sim, unsigned int end, bool is_host);

/* Run until nothing is left to do, or for @ms; whether it settled. */
bool sim_run(struct sim *sim, uint64_t ms);

/* Both ends are ready, want nothing and wait for nothing. */
bool sim_is_settled(const struct sim *sim);

/* Frames go on under the newest key of each sender; older ones are done. */
void sim_rotate(struct sim *sim);

/* Every key that one end sends with is held by the other, with the same bytes. */
void sim_check_held(const struct sim *sim, const char *when);

/* How many epochs lie in both rings of the direction from @end. */
unsigned int sim_common(const struct sim *sim, unsigned int end);

#endif
