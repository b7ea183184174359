/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whole agents, each with its own process and loop, and devices in memory; and what they use. */
#ifndef QLINK_TESTS_FLEET_H
#define QLINK_TESTS_FLEET_H

#include <stdint.h>
#include <sys/types.h>

#include "device.h"
#include "qlinkd/agent.h"

/* How soon all links must be up, and for how long an agent then does nothing. */
#define FLEET_GOAL_MS	60000
#define FLEET_IDLE_MS	10000

/* What an agent has used since its process was started. */
struct fleet_usage {
	uint64_t ms, cpu_ms;
	size_t heap, locked;
	unsigned int fds;
	/* of its broker */
	unsigned int requests;
};

struct fleet_site {
	/* its configuration, and the file of its log */
	char conf[96], log[96];
	/* links, and the id of their devices; 0 for 1, 2 … */
	unsigned int n;
	uint16_t id;
	/* called before the loop begins, if set */
	void (*starts)(struct fleet_site *site);
	struct agent agent;
	struct device *devices;
	/* where it reports to; -1 for nowhere */
	int report;
	struct event *look;
	/* for @starts */
	struct event *starts_timer;
	struct fleet_usage begun;
	bool is_up;
};

/* How many of so many links fit: without privileges, little memory may be locked. */
unsigned int fleet_fitting(unsigned int links);

/* Start an agent, which writes to the pipe @report when all its links are up, and after it was idle. */
pid_t fleet_start(struct fleet_site *site, int report);

/* Kill it. */
void fleet_kill(pid_t pid);

/* Wait for its next report. */
struct fleet_usage fleet_await(int report, const char *what);

/* Print a report of an agent with @n links. */
void fleet_print(const char *what, const char *who, unsigned int n, const struct fleet_usage *used);

/* A socket at 127.0.0.1 that is connected to @port, or listens at it; 0 for any port. */
int fleet_socket(uint16_t port, bool listens);
uint16_t fleet_port(int fd);

#endif
