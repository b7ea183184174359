/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two agents in one process: real agreement, real keys, simulated environment. */
#ifndef QLINK_TESTS_SIM_H
#define QLINK_TESTS_SIM_H

#include <stdbool.h>
#include <stdint.h>

#include "sim_end.h"
#include "sim_kme.h"
#include "sim_line.h"

/* Long enough for every timer to run out, one after the other. */
#define SIM_LONG_MS	200000

#define SIM_USED	256

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

struct sim {
	struct sim_end ends[2];
	struct sim_kme kme;
	struct sim_line line;
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
	uint8_t used[SIM_USED][SIM_KEY_BYTES];
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
