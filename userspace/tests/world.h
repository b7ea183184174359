/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two whole agents without their sockets, in one process and in simulated time. */
#ifndef QLINK_TESTS_WORLD_H
#define QLINK_TESTS_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "device.h"
#include "qlinkd/link/run.h"

/* The most messages in transit; more is a bug of the agents. */
#define WORLD_WIRE	256
#define WORLD_HARD_MS	300000

struct world_packet {
	uint64_t at;
	/* connection on which it was sent */
	uint32_t connection;
	size_t len;
	uint8_t data[MSG_BYTES_MAX];
};

/* Messages in transit to one end, in order. */
struct world_wire {
	struct world_packet packets[WORLD_WIRE];
	unsigned int n;
	uint64_t last_at;
};

struct world_end {
	struct config config;
	struct services services;
	struct link *link;
	/* messages that it will receive, and its current connection, 0 for none */
	struct world_wire wire;
	uint32_t connection;
	bool is_kicked;
	/* the disk of its state file takes longer than simulated time */
	bool has_slow_disk;
	/* it ends the connection, and both connect again */
	bool hangs_up;
	/* time since which frames to it are lost or not sent; 0 while they arrive */
	uint64_t lost_since;
	uint64_t n_sent;
};

struct world {
	struct world_end ends[2];
	uint32_t n_connections;
	/* frames are sent */
	bool has_traffic;
	/* if set, called for every message: returns how many copies arrive */
	unsigned int (*on_send)(struct world *world, unsigned int to, uint64_t *delay);
	/* another link of end 0, not in this world, that has the id of its device */
	const char *taken_by;
	/* events of the devices are lost */
	bool loses_events;
	/* the highest numbers of messages in transit, staged keys, pending answers */
	unsigned int most_wire, most_staged, most_done;
	int log_fds[2];
	/* all keys that were ever used to send, to find one that is used twice */
	uint64_t *used;
	size_t n_used, used_room;
	/* how many of them depend on a key of a KME */
	uint64_t n_hybrid;
};

/**
 * world_new() - two agents that are not connected
 * @texts: both configurations, each with a link "qlink0"
 * @has_log: keep their logs for world_logs()
 */
struct world *world_new(const char *const texts[2], bool has_log);

/* Stop both agents and free everything. */
void world_free(struct world *world);

/* Connect the agents; disconnect them. */
void world_connect(struct world *world);
void world_cut(struct world *world);

/* Restart one agent, without a connection; its device stays. */
void world_restart(struct world *world, unsigned int end);

/* Run both agents and their KMEs for @ms. */
void world_run(struct world *world, uint64_t ms);

/* Let one end's agent do what is due now. */
void world_step(struct world *world, unsigned int end);

/* Send an event to one end's agent, unless events are lost. */
void world_notice(struct world *world, unsigned int end, uint32_t kinds);

/* How often one end's log contains a text. */
unsigned int world_logs(const struct world *world, unsigned int end, const char *text);

/* Whether both devices seal with hybrid keys. */
bool world_is_hybrid(void);

/* Whether frames of both ends arrive. */
bool world_flows(const struct world *world);

/* Whether frames arrive and both agents are ready for more keys. */
bool world_works(const struct world *world);

/* Run until the link works, for at most @ms; return how long it took, or UINT64_MAX. */
uint64_t world_until_works(struct world *world, uint64_t ms);

#endif
