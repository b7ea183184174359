/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How long to wait before something that has failed is tried again. */
#ifndef FOLLOW_BACKOFF_H
#define FOLLOW_BACKOFF_H

#include <stdint.h>

/* The longest wait. */
#define BACKOFF_MAX_MS	30000
/* The first one. */
#define BACKOFF_MIN_MS	500

/**
 * struct backoff - failures in a row; all zero before the first
 */
struct backoff {
	/** @n: how many */
	uint32_t n;
};

/**
 * backoff_next() - note a failure, and say how long to wait
 * @backoff: failures so far
 * @random: any number, another one each time and at each site
 *
 * The wait doubles from failure to failure up to BACKOFF_MAX_MS. It is anywhere between half of that and the whole: a
 * hundred sites that lose etcd at the same moment do not come back at the same moment.
 *
 * Return: a time in ms.
 */
uint32_t backoff_next(struct backoff *backoff, uint32_t random);

/**
 * backoff_reset() - note a success
 * @backoff: as before the first failure afterwards
 */
void backoff_reset(struct backoff *backoff);

#endif
