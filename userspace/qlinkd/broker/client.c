// SPDX-License-Identifier: GPL-2.0-or-later
/* The agent's side of the broker: requests and replies. */
#include "client.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <openssl/sha.h>

static int set_dead(struct broker_client *broker, struct qlink_why *why)
{
	broker->is_dead = true;
	return qlink_refuse(why, -EPIPE, "the broker does not answer");
}

static int wait_for_answer(const struct broker_client *broker)
{
	struct pollfd at = { .fd = broker->fd, .events = POLLIN };
	int got;

	do {
		got = poll(&at, 1, BROKER_TIMEOUT_MS);
	} while (got < 0 && errno == EINTR);
	return got == 1 ? 0 : -ETIMEDOUT;
}

int broker_ask(struct broker_client *broker, enum request_type type, const char *device,
	       const struct request *request, struct qlink_why *why)
{
	struct request full = { 0 };

	if (broker->is_dead)
		return set_dead(broker, why);
	if (request)
		full = *request;
	full.type = (uint8_t)type;
	if (device)
		snprintf(full.device, sizeof(full.device), "%s", device);
	if (send(broker->fd, &full, sizeof(full), MSG_NOSIGNAL) != sizeof(full) ||
	    wait_for_answer(broker) ||
	    recv(broker->fd, &broker->reply, sizeof(broker->reply), MSG_DONTWAIT) !=
		    sizeof(broker->reply))
		return set_dead(broker, why);
	if (broker->reply.err)
		*why = broker->reply.why;
	return broker->reply.err;
}

int broker_install(struct broker_client *broker, const char *device,
		   const struct broker_keys *keys, struct qlink_why *why)
{
	struct request request = {
		.direction = keys->direction,
		.source = keys->source,
		.kmes = keys->kmes,
		.n = keys->n,
		.range = { keys->first, keys->first + keys->n - 1 },
	};
	uint8_t i, *to = broker->keys;
	int err;

	for (i = 0; i < keys->n; i++, to += QLINK_SECRET_BYTES) {
		memcpy(to, keys->keys[i].key, QLINK_KEY_BYTES);
		memcpy(to + QLINK_KEY_BYTES, keys->keys[i].salt, QLINK_SALT_BYTES);
	}
	memcpy(request.kme_key_ids, keys->kme_key_ids, sizeof(request.kme_key_ids));
	err = broker_ask(broker, REQUEST_INSTALL, device, &request, why);
	/* The broker has wiped this memory already, unless it is dead. */
	explicit_bzero(broker->keys, (size_t)keys->n * QLINK_SECRET_BYTES);
	return err;
}

void broker_handle(const struct bytes *id, uint8_t *handle)
{
	uint8_t digest[SHA256_DIGEST_LENGTH];
	char text[QLINK_UUID_TEXT];
	struct qlink_why why;

	if (id->len == QLINK_UUID_TEXT - 1) {
		memcpy(text, id->data, id->len);
		text[id->len] = '\0';
		if (!qlink_parse_uuid(text, handle, &why))
			return;
	}
	SHA256(id->data, id->len, digest);
	memcpy(handle, digest, QLINK_KME_KEY_ID_BYTES);
}
