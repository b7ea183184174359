/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Certificates and CRLs that expire: who has them, and what is said about them. */
#ifndef QLINKD_EXPIRY_H
#define QLINKD_EXPIRY_H

#include <time.h>

#include "qlinkd/credentials/credentials.h"
#include "services.h"
#include "setup.h"

/**
 * expiry_list() - go through all certificates and CRLs of a configuration
 * @setup: what was built
 * @use: called for each: @kme is the name of its KME, "" for the agent's own
 * @arg: for @use
 */
void expiry_list(const struct setup *setup,
		 void (*use)(void *arg, const char *kme, struct credentials_item *item), void *arg);

/**
 * expiry_seconds() - get how long something is still valid
 * @item: a certificate or CRL
 * @now: time of the system's clock
 *
 * Return: seconds, negative after its end.
 */
long long expiry_seconds(const struct credentials_item *item, time_t now);

/**
 * expiry_check() - log what expires soon
 * @setup: what runs
 * @services: have the log
 * @now: time of the system's clock
 *
 * A line for each when 30, 7 and 1 days are left, and when it has expired; none twice, unless the
 * file is replaced.
 *
 * Context: The event loop's thread.
 */
void expiry_check(const struct setup *setup, struct services *services, time_t now);

#endif
