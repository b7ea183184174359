/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What became of the documents that were tried last, kept in a file over restarts. */
#ifndef FOLLOW_KEPT_H
#define FOLLOW_KEPT_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "common/why.h"
#include "gateway.h"
#include "outcome.h"

#define KEPT_DIGEST_BYTES	32

/**
 * struct kept - documents by their revisions, and what became of them
 */
struct kept {
	/** @cluster: the etcd that they are from, 0 for none */
	uint64_t cluster;

	/** @common: revision of the document of all sites, 0 if there was none */
	uint64_t common;

	/** @site: revision of the document of this site, likewise */
	uint64_t site;

	/** @content: SHA-256 of both, in hex: an etcd that is set up anew may count the same revisions again */
	char content[2 * KEPT_DIGEST_BYTES + 1];

	/** @applied: the newest revision that the site is as; 0 for none */
	uint64_t applied;

	/** @outcome: what became of them */
	struct outcome outcome;

	/** @agent: what the document that was applied last says of the agent itself; %NULL for none */
	json_t *agent;
};

/**
 * kept_take() - say which documents they are
 * @kept: its cluster, revisions and content are filled in
 * @documents: that are tried
 */
void kept_take(struct kept *kept, const struct documents *documents);

/**
 * kept_read() - read the file of a site
 * @kept: filled in; all zero if there is no file, or none that can be used; freed with kept_free()
 * @folder: where it lies
 * @site: name of the site
 * @why: filled in on failure
 *
 * Return: 0, also without a file; or a negative errno with @why.
 */
int kept_read(struct kept *kept, const char *folder, const char *site, struct qlink_why *why);

/**
 * kept_write() - write it, as a whole or not at all
 * @kept: what is written
 * @folder: where it lies; made if it is not there
 * @site: name of the site
 * @why: filled in on failure
 *
 * Return: 0, or a negative errno with @why.
 */
int kept_write(const struct kept *kept, const char *folder, const char *site, struct qlink_why *why);

/**
 * kept_is_of() - say whether these documents are the ones that were tried
 * @kept: what was tried
 * @documents: of etcd
 *
 * Return: true if both are of the same etcd and of the same revisions.
 */
bool kept_is_of(const struct kept *kept, const struct documents *documents);

/**
 * kept_free() - forget all
 * @kept: all zero afterwards
 */
void kept_free(struct kept *kept);

#endif
