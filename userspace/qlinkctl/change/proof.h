/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether links are as well protected as before a change. */
#ifndef QLINKCTL_PROOF_H
#define QLINKCTL_PROOF_H

#include <stddef.h>
#include <stdint.h>

#include "libqlink/protection.h"
#include "plan.h"

/**
 * struct proof_link - a link that a change touches
 */
struct proof_link {
	/** @name: its device */
	char name[16];

	/** @least: how well it was protected */
	enum qlink_protection least;

	/** @has_agent: the agent had it, too */
	bool has_agent;
};

/**
 * struct proof - what has to be so again
 */
struct proof {
	/** @links: on the heap */
	struct proof_link *links;

	/** @n: how many */
	size_t n;

	/** @since_ms: when the change was done, by CLOCK_BOOTTIME; 0 before */
	uint64_t since_ms;
};

/**
 * proof_record() - note how the links are that a change will touch
 * @proof: filled in; freed with proof_free(), also on failure
 * @plan: the change
 * @why: filled in on failure
 *
 * Links that are blocked, and those that there are none of yet, have nothing to prove.
 *
 * Return: 0, or a negative errno.
 */
int proof_record(struct proof *proof, const struct plan *plan, struct qlink_why *why);

/**
 * proof_holds() - ask whether all are at least as well protected again
 * @proof: with @since_ms set
 * @ctl: this run, whose socket is open
 * @now_ms: by CLOCK_BOOTTIME
 * @lacks: filled in if they are not: the first link, and what it lacks
 *
 * The kernel goes on with the keys that it has, and notices within some keepalives that the peer does not
 * hear it any more. So the peer counts as heard only once so much time has passed since the change; and the
 * agents must have settled on keys since.
 *
 * Return: whether they are.
 */
bool proof_holds(const struct proof *proof, struct ctl *ctl, uint64_t now_ms, struct qlink_why *lacks);

/**
 * proof_free() - free the list
 * @proof: empty afterwards
 */
void proof_free(struct proof *proof);

#endif
