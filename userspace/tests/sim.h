/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two agents in one process: real agreement, real keys, simulated environment. */
#ifndef QLINK_TESTS_SIM_H
#define QLINK_TESTS_SIM_H

#include <stdbool.h>
#include <stdint.h>

#include "sim_end.h"
#include "sim_kme.h"
#include "sim_line.h"

/* Long enough for all timers to expire, one after the other. */
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
	/* the connections so far, of which the ends are on the last or, while they change to it, on the one before */
	unsigned int via;
	uint8_t exporters[2][MIX_EXPORTER_BYTES];
	/* when those that have not changed do so anyway, 0 for never */
	uint64_t move_at;
	/* make another connection at this step, and this end says so first; 2 for both */
	unsigned int next_at, next_end;
	/* source and number of keys that each end requests in this round */
	uint8_t source;
	uint32_t want;
	/* the fault: at which message or step, to which byte or end */
	enum sim_fault fault;
	unsigned int fault_at;
	unsigned int fault_byte;
	unsigned int fault_end;
	unsigned int n_messages;
	/* KMEs that each offer takes keys of, 0 for one */
	uint8_t n_mixed;
	/* if set, called before the receiver derives; it may change what that takes */
	void (*spoil)(struct exchange *exchange);
	/* the receiver takes the keys of two KMEs for each other */
	bool swaps;
	unsigned int n_steps;
	size_t faulted_len;
	uint8_t faulted_type;
	uint8_t used[SIM_USED][SIM_KEY_BYTES];
	unsigned int n_used;
	const char *label;
};

/* Two ends of a link without keys or a connection; free them with sim_free(). */
struct sim *sim_new(const char *label);

/* Wipe the ends' secrets and free them. */
void sim_free(struct sim *sim);

/* Connect both ends. */
void sim_connect(struct sim *sim);

/* Make another connection before the present one goes; the link changes to it at each end once it may. */
void sim_connect_next(struct sim *sim, unsigned int end);

/* End the connection; the ends connect again after a second. */
void sim_cut(struct sim *sim);

/* Let both ends request @n keys of @source. */
void sim_want(struct sim *sim, uint8_t source, uint32_t n);

/* Restart one agent, or its whole host with new rings. */
void sim_restart(struct sim *sim, unsigned int end, bool is_host);

/* Run until the ends are settled, for at most @ms; return whether they are. */
bool sim_run(struct sim *sim, uint64_t ms);

/* Whether both ends are ready, request nothing and wait for nothing. */
bool sim_is_settled(const struct sim *sim);

/* Use the newest key of each sender and delete the older ones. */
void sim_rotate(struct sim *sim);

/* Check that each end holds every key that the other sends with. */
void sim_check_held(const struct sim *sim, const char *when);

/* How many epochs are in both rings of the direction from @end. */
unsigned int sim_common(const struct sim *sim, unsigned int end);

#endif
