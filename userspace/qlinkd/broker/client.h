/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The agent's side of the broker: requests and replies. */
#ifndef QLINKD_BROKER_CLIENT_H
#define QLINKD_BROKER_CLIENT_H

#include "qlinkd/secrets/mix.h"
#include "request.h"

/* A broker that does not answer for this long is treated as dead. */
#define BROKER_TIMEOUT_MS	10000

/**
 * struct broker_client - the connection to the broker
 *
 * Calls wait for the reply. One takes about a millisecond, and requests must take effect in
 * the order in which they are made.
 */
struct broker_client {
	/** @fd: the agent's end of the socket pair */
	int fd;

	/** @keys: memory shared with the broker, for the bytes of keys to install */
	uint8_t *keys;

	/** @is_dead: the broker did not answer; every further request fails */
	bool is_dead;

	/** @reply: the last reply */
	struct reply reply;
};

/**
 * struct broker_keys - keys to install, for consecutive epochs
 */
struct broker_keys {
	/** @keys: @n keys; secret, the caller's */
	const struct mix_keys *keys;

	/** @kme_key_ids: a handle for each key, all zero if it has no KME key ID */
	uint8_t kme_key_ids[SESSION_OFFER_MAX][QLINK_KME_KEY_ID_BYTES];

	/** @first: epoch of the first key */
	uint64_t first;

	/** @n: number of keys, 1 to SESSION_OFFER_MAX */
	uint8_t n;

	/** @direction: an enum qlink_direction */
	uint8_t direction;

	/** @source: an enum qlink_source */
	uint8_t source;

	/** @kmes: how many KMEs the keys have secrets of, 0 for a source without a KME */
	uint8_t kmes;
};

/**
 * broker_ask() - send a request and wait for the reply
 * @broker: the connection; its @reply has the reply, until the next request
 * @type: an enum request_type
 * @device: name of the device; %NULL for REQUEST_RELOAD
 * @request: the other members of the request, or %NULL if it has none
 * @why: filled in on failure
 *
 * Context: Process; waits up to BROKER_TIMEOUT_MS.
 * Return: 0; or with @why %-EPIPE if the broker is dead, %-EPERM for a device that is not in
 * the configuration, %-ENODEV for one that does not exist, or the error of the kernel.
 */
int broker_ask(struct broker_client *broker, enum request_type type, const char *device,
	       const struct request *request, struct qlink_why *why);

/**
 * broker_install() - install keys, all or none
 * @broker: the connection to the broker
 * @device: name of the device
 * @keys: the keys; copied to shared memory, which is wiped afterwards
 * @why: filled in on failure
 *
 * Context: Process; waits up to BROKER_TIMEOUT_MS.
 * Return: as broker_ask().
 */
int broker_install(struct broker_client *broker, const char *device,
		   const struct broker_keys *keys, struct qlink_why *why);

/**
 * broker_handle() - compute the handle by which the kernel names a KME key ID
 * @id: the KME key ID, as text
 * @handle: QLINK_KME_KEY_ID_BYTES, filled in: the UUID if @id is one, else the first bytes
 *	of SHA-256 of @id
 *
 * Context: Pure.
 */
void broker_handle(const struct bytes *id, uint8_t *handle);

#endif
