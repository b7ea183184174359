/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two whole agents but for their sockets, in one process and in simulated time. */
#ifndef QLINK_TESTS_WORLD_H
#define QLINK_TESTS_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "device.h"
#include "qlinkd/link/run.h"

/* Messages on their way at most; more is a bug of the agents. */
#define WORLD_WIRE	256
#define WORLD_HARD_MS	300000

struct world_packet {
	uint64_t at;
	/* of the connection that it was sent on */
	uint32_t connection;
	size_t len;
	uint8_t data[MSG_BYTES_MAX];
};

/* What lies between one end's agent and the other's, in order. */
struct world_wire {
	struct world_packet packets[WORLD_WIRE];
	unsigned int n;
	uint64_t last_at;
};

struct world_end {
	struct config config;
	struct services services;
	struct link *link;
	/* messages that it will hear, and the connection that it is on, 0 for none */
	struct world_wire wire;
	uint32_t connection;
	bool is_kicked;
	/* since when frames to it are lost, or cannot be sent; 0 while they arrive */
	uint64_t deaf_since;
	uint64_t n_said;
};

struct world {
	struct world_end ends[2];
	uint32_t n_connections;
	/* frames flow */
	bool has_traffic;
	/* what every message goes through, where that is set: returns how many arrive */
	unsigned int (*on_say)(struct world *world, unsigned int to, uint64_t *delay);
	/* events of the devices get lost */
	bool loses_events;
	/* longest that anything has been */
	unsigned int most_wire, most_staged, most_done;
	int log_fds[2];
	/* keys that were ever sent with, to find one that comes twice */
	uint64_t *used;
	size_t n_used, used_room;
	/* how many of them rest on a key of a KME */
	uint64_t n_hybrid;
};

/**
 * world_new() - two agents that are not connected
 * @texts: both configurations, each with a link "qlink0"
 * @has_log: what they log can be read with world_logs()
 */
struct world *world_new(const char *const texts[2], bool has_log);

/* Ends both; nothing of them is left. */
void world_free(struct world *world);

/* Both hear that they can speak; then that they cannot. */
void world_connect(struct world *world);
void world_cut(struct world *world);

/* End one agent and start it anew, without a connection; its device stays. */
void world_restart(struct world *world, unsigned int end);

/* Let all happen that is due until @ms from now, at KMEs as well. */
void world_run(struct world *world, uint64_t ms);

/* Let one end's agent look at what is due now. */
void world_step(struct world *world, unsigned int end);

/* The event goes to the agent of one end, unless events are lost. */
void world_notice(struct world *world, unsigned int end, uint32_t kinds);

/* How often one end's log has this text. */
unsigned int world_logs(const struct world *world, unsigned int end, const char *text);

/* Frames of both ends arrive. */
bool world_flows(const struct world *world);

/* So they do, and both agents are ready for more keys. */
bool world_works(const struct world *world);

/* Run until it works or @ms are over; how long that took, or UINT64_MAX. */
uint64_t world_until_works(struct world *world, uint64_t ms);

#endif
