/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Has a site be as its documents in etcd say. */
#ifndef FOLLOW_FOLLOWER_H
#define FOLLOW_FOLLOWER_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "backoff.h"
#include "child.h"
#include "etcd.h"
#include "kept.h"
#include "options.h"
#include "outcome.h"

struct qlink_nl;

/**
 * DOC: From a document to a status
 *
 * A change of a document is applied as soon as no other follows for a moment. One "qlinkctl apply" runs at a
 * time; what changes meanwhile is applied after it. A document that was applied, refused or rolled back is not
 * tried again until it is put again, also after a restart. Whatever else goes wrong is tried again, after
 * a wait that grows.
 */

/**
 * struct follower - a site
 */
struct follower {
	/** @options: of the site */
	const struct options *options;

	/** @etcd: its documents and its status */
	struct etcd etcd;

	/** @kept: what was tried last, as the file has it */
	struct kept kept;

	/** @tried: what @child applies, by revisions */
	struct kept tried;

	/** @child: "qlinkctl apply" */
	struct child child;

	/** @outcome: of the documents that are wanted now */
	struct outcome outcome;

	/** @backoff: tries of them that have failed */
	struct backoff backoff;

	/** @apply_ms: when they are applied; UINT64_MAX if there is nothing to do */
	uint64_t apply_ms;

	/** @waits_ms: when the status says that @child still runs */
	uint64_t waits_ms;

	/** @look_ms: when to look at the links again */
	uint64_t look_ms;

	/** @links: the protection of each, %NULL where the kernel does not tell */
	json_t *links;

	/** @nl: socket for the kernel */
	struct qlink_nl *nl;

	/** @must_tell: the status is not as it was told last */
	bool must_tell;
};

/**
 * follower_open() - begin
 * @follower: filled in; ended by follower_close(), also on failure
 * @options: must outlive it
 * @why: filled in on failure
 *
 * Return: 0, or a negative errno with @why.
 */
int follower_open(struct follower *follower, const struct options *options, struct qlink_why *why);

/**
 * follower_close() - end; a child goes on by itself
 * @follower: from follower_open()
 */
void follower_close(struct follower *follower);

/**
 * follower_run() - do what is to be done now, without waiting
 * @follower: from follower_open()
 * @now: CLOCK_BOOTTIME in ms
 */
void follower_run(struct follower *follower, uint64_t now);

/**
 * follower_due() - say when to call follower_run() at the latest
 * @follower: from follower_open()
 *
 * Return: CLOCK_BOOTTIME in ms.
 */
uint64_t follower_due(const struct follower *follower);

/**
 * follower_text() - say how things are, for the service manager
 * @follower: from follower_open()
 * @text: filled in
 * @room: at @text
 */
void follower_text(const struct follower *follower, char *text, size_t room);

#endif
