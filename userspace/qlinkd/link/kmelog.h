/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the log says about the KMEs of a link: each cause once, not at every retry. */
#ifndef QLINKD_KMELOG_H
#define QLINKD_KMELOG_H

#include "link.h"

/**
 * struct kmelog_said - a line of the log that is not repeated more than once a minute
 */
struct kmelog_said {
	/** @why: its cause, the beginning of it; empty if what it said is over */
	char why[96];

	/** @at: when */
	uint64_t at;
};

/**
 * struct kmelog - what was said about the KMEs of one link
 */
struct kmelog {
	/** @down: the last line that said that a KME is down, by KME */
	struct kmelog_said down[KME_NODES_MAX];

	/** @up_at: since when a KME is up, 0 while it is not, by KME */
	uint64_t up_at[KME_NODES_MAX];

	/** @is_said_down: the log says that these KMEs are down, one bit each */
	unsigned int is_said_down;

	/** @n_terms: of struct kme_server, as the log says it, by KME */
	unsigned int n_terms[KME_NODES_MAX];

	/** @trouble: the last line that said what is wrong with an answer, by KME */
	struct kmelog_said trouble[KME_NODES_MAX];

	/** @refused: the last line that said that keys were refused */
	struct kmelog_said refused;
};

/**
 * kmelog_health() - say that a KME is up or down
 * @link: the link
 * @log: its own
 * @node: the KME
 * @is_up: which of both
 * @why: why it is down; if it is up, what is doubtful, mostly nothing
 */
void kmelog_health(const struct link *link, struct kmelog *log, unsigned int node, bool is_up,
		   const struct qlink_why *why);

/**
 * kmelog_check() - say that a KME is back, and on which terms of TLS we talk to it
 * @link: the link
 * @log: its own
 * @now: time in ms
 */
void kmelog_check(const struct link *link, struct kmelog *log, uint64_t now);

/**
 * kmelog_trouble() - say what is wrong with an answer
 * @link: the link
 * @log: its own
 * @node: the KME
 * @answer: the answer
 */
void kmelog_trouble(const struct link *link, struct kmelog *log, unsigned int node,
		    const struct kme_answer *answer);

/**
 * kmelog_refused() - say that keys were not taken
 * @link: the link
 * @log: its own
 * @node: the KME
 * @answer: its answer
 * @n: how many keys
 * @why: of the last of them
 */
void kmelog_refused(const struct link *link, struct kmelog *log, unsigned int node,
		    const struct kme_answer *answer, uint64_t n, const struct qlink_why *why);

#endif
