/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel as the agent reaches it: through its broker. */
#ifndef QLINKD_BROKER_CLIENT_H
#define QLINKD_BROKER_CLIENT_H

#include "qlinkd/secrets/mix.h"
#include "request.h"

/* A broker that does not answer for so long is taken for dead. */
#define BROKER_TIMEOUT_MS	10000

/**
 * struct broker_client - the way to the broker
 *
 * Calls wait for the answer: one takes a millisecond or so, and what it asks for
 * has to come about in the order in which it was asked for.
 */
struct broker_client {
	/** @fd: of the socket pair */
	int fd;

	/** @keys: memory shared with the broker, for key bytes on their way */
	uint8_t *keys;

	/** @is_dead: the broker did not answer; nothing can be asked any more */
	bool is_dead;

	/** @reply: the last answer */
	struct reply reply;
};

/**
 * struct broker_keys - keys to install, for consecutive epochs
 */
struct broker_keys {
	/** @keys: their bytes; secret */
	const struct mix_keys *keys;

	/** @kme_key_ids: handles, all zero for none */
	uint8_t kme_key_ids[SESSION_OFFER_MAX][QLINK_KME_KEY_ID_BYTES];

	/** @first: epoch of the first */
	uint64_t first;

	/** @n: how many, 1 to SESSION_OFFER_MAX */
	uint8_t n;

	/** @direction: an enum qlink_direction */
	uint8_t direction;

	/** @source: an enum qlink_source */
	uint8_t source;
};

/**
 * broker_ask() - ask the broker
 * @broker: the way to it; its @reply has the answer
 * @type: an enum request_type
 * @device: name of the device
 * @request: the rest of the question, or %NULL
 * @why: filled in on failure
 *
 * Return: 0, %-EPIPE for a broker that is dead, or what the kernel said.
 */
int broker_ask(struct broker_client *broker, enum request_type type, const char *device,
	       const struct request *request, struct qlink_why *why);

/**
 * broker_install() - install keys, all or none
 * @broker: the way to the broker
 * @device: name of the device
 * @keys: the keys
 * @why: filled in on failure
 *
 * Return: as broker_ask().
 */
int broker_install(struct broker_client *broker, const char *device,
		   const struct broker_keys *keys, struct qlink_why *why);

/**
 * broker_handle() - make the handle by which the kernel names a KME key ID
 * @id: the ID, as text
 * @handle: QLINK_KME_KEY_ID_BYTES: the UUID, or the first bytes of SHA-256 of an ID
 *	that is none
 */
void broker_handle(const struct bytes *id, uint8_t *handle);

#endif
