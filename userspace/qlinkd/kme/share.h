/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One end's share of a pool of keys that both ends draw from; no I/O. */
#ifndef QLINKD_KME_SHARE_H
#define QLINKD_KME_SHARE_H

#include <stdbool.h>
#include <stdint.h>

/* After this many ms, the count of a KME no longer says what it has now. */
#define SHARE_FRESH_MS	2000

/**
 * struct share - the pool of a KME, as its status counts it
 *
 * Many KMEs have one pool for both directions of a link. An end that took all it has room for would
 * leave nothing for the other end, which may be away for a while.
 */
struct share {
	/** @count: keys that the last status counted, -1 if it did not */
	int64_t count;

	/** @at_ms: when it did */
	int64_t at_ms;

	/** @came: keys that came since */
	uint64_t came;

	/** @n_same: statuses in a row with the same count although keys came in between */
	unsigned int n_same;
};

/**
 * share_init() - start with a pool that nothing is known about
 * @share: filled in
 */
void share_init(struct share *share);

/**
 * share_counted() - note what a status says
 * @share: the share
 * @count: keys in the pool, -1 if the status does not say
 * @now_ms: the time, on any clock that does not go back
 */
void share_counted(struct share *share, int64_t count, int64_t now_ms);

/**
 * share_came() - note that keys came from the KME
 * @share: the share
 * @n: how many
 */
void share_came(struct share *share, uint64_t n);

/**
 * share_is_known() - whether the pool has a count that means something
 * @share: the share
 *
 * Some KMEs always report 0, or always the same number. A pool that is full of what arrives also
 * keeps its count, and needs no care.
 *
 * Return: true if share_most() has a limit.
 */
bool share_is_known(const struct share *share);

/**
 * share_is_old() - whether a new status is needed before more keys are requested
 * @share: the share
 * @now_ms: the time
 *
 * Return: true if the pool has a count that means something, and it is not of now; also if it was
 * empty and keys came since.
 */
bool share_is_old(const struct share *share, int64_t now_ms);

/**
 * share_most() - how many more keys this end may take
 * @share: the share
 * @held: keys that it holds already
 * @least: keys without which the link cannot use the pool at all
 *
 * An end holds at most as many keys as it leaves in the pool, so that the other end can do the same.
 * Up to @least it may take half of what is there, whatever it holds.
 *
 * Return: keys; UINT64_MAX for no limit.
 */
uint64_t share_most(const struct share *share, uint64_t held, uint64_t least);

#endif
