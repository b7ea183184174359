/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two whole agents in one process, with real sockets and TLS, and devices in memory. */
#ifndef QLINK_AGENTS_H
#define QLINK_AGENTS_H

#include "device.h"
#include "qlinkd/agent.h"
#include "tap.h"

#define AGENTS_PKI	"qlinkd/qlink-pki"
/* Longer than anything takes that ends at all, even on a busy machine. */
#define AGENTS_DEADLINE_MS	30000
#define AGENTS_TEXT		4096

/* Lines of a configuration: a KME where nobody listens, a policy, and another link. */
#define KME	"\turl https://127.0.0.1:9\n"
#define LINK	"\tpolicy pqc-only\n"
#define SPARE	"link qlink1\n\tpeer %s\n\tkmes rack\n\tsae SAE-B\n"

extern struct agent agents[2];
extern const char *const agents_names[2];
/* The ports that they listen on, their configuration files, and the folder of all files. */
extern uint16_t agents_ports[2];
extern char agents_paths[2][64];
extern char agents_dir[];
/* How often any of them has looked at a route. */
extern unsigned int agents_route_checks;

/**
 * struct agents_state - what a refused reload must leave as it is
 */
struct agents_state {
	struct link *link;
	struct connection *connection;
	uint64_t sessions, offers, connections, reloads, digest, tx, rx, accept;
};

/* Start both agents, whose links have these lines; and end them. */
void agents_start(const char *link);
void agents_end(void);

/* End an agent and start it again, from the file that it has now; returns as agent_open(). */
int agents_restart(unsigned int i, struct config_error *error);

/* Run what is due in both agents; in one of them. */
void agents_turn(void);
void agents_turn_one(unsigned int i);

/* Run both agents until a condition is true. */
#define WAIT_FOR(so) do {						\
	uint64_t until_;						\
	agents_turn();							\
	for (until_ = device_now + AGENTS_DEADLINE_MS; !(so) && device_now < until_; ) \
		agents_turn();						\
	CHECK((so), "never came true: %s", #so);			\
} while (0)

/* Files: those of all tests, a shell command, a new text, and the configuration of an agent. */
void agents_files(void);
__attribute__((format(printf, 1, 2)))
void agents_shell(const char *format, ...);
void agents_write(const char *path, const char *text);
const char *agents_conf(unsigned int i, const char *kme, const char *link);

/* Make another certificate and key for an agent, under the CA in this folder. */
void agents_certify(unsigned int i, const char *ca);
void agents_certify_for(unsigned int i, const char *ca, unsigned int suite);

/* Reload an agent, which must succeed. */
void agents_reload(unsigned int i);

/* The link qlink0 and the only peer of an agent; which of them dials the other. */
struct link *agents_link(unsigned int i);
struct peer *agents_peer(unsigned int i);
unsigned int agents_dialler(void);

/* Both have a session and keys. */
bool agents_ready(void);

/* How many lines of an agent's log have a text. */
unsigned int agents_logged(unsigned int i, const char *text);

struct agents_state agents_state(unsigned int i);

#endif
