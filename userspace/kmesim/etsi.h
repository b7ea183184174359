/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One KME: its state, a request to it and its reply. */
#ifndef KMESIM_ETSI_H
#define KMESIM_ETSI_H

#include "channel.h"
#include "fault.h"
#include "settings.h"

enum etsi_method {
	ETSI_GET,
	ETSI_POST,
	ETSI_OTHER_METHOD,
};

/* How an answer is sent. */
enum etsi_delivery {
	ETSI_SEND,
	ETSI_HANG,
	ETSI_DRIP,
	ETSI_CUT,
	ETSI_LATE,
};

/**
 * struct etsi - one KME
 */
struct etsi {
	/** @channel: shared with the other KME */
	struct channel *channel;

	/** @other: the other KME */
	const struct etsi *other;

	/** @side: 0 for KME a, 1 for KME b */
	int side;

	/** @id: its KME ID */
	char id[CHANNEL_SAE_MAX + 1];

	/** @settings: how it behaves */
	struct settings settings;

	/** @faults: what it does wrong on purpose */
	struct faults faults;

	/** @requests: number of requests of each operation, valid or not */
	uint64_t requests[ETSI_OP_N];

	/** @met: requests for keys that met one of the other end, and hung with one-end */
	uint64_t met;

	/** @keys: number of keys that were sent, by operation */
	uint64_t keys[ETSI_OP_N];
};

/**
 * struct etsi_request - a request of a client
 */
struct etsi_request {
	/** @sae: the SAE that the certificate of the client identifies, or %NULL */
	const struct sae *sae;

	/** @method: the HTTP method */
	enum etsi_method method;

	/** @path: the path, still encoded */
	const char *path;

	/** @query: the query, still encoded, or %NULL */
	const char *query;

	/** @body: the body of a POST, without a NUL at its end */
	const char *body;

	/** @body_len: length of @body */
	size_t body_len;

	/** @now_ms: the time, for supplies */
	uint64_t now_ms;
};

/**
 * struct etsi_reply - the answer to a request
 */
struct etsi_reply {
	/** @status: the HTTP status */
	int status;

	/** @type: the Content-Type */
	const char *type;

	/** @body: from qlink_wipe_malloc(); the caller must free it */
	char *body;

	/** @len: length of @body */
	size_t len;

	/** @delivery: how the answer is sent */
	enum etsi_delivery delivery;

	/** @arg: ETSI_DRIP: ms between two bytes; ETSI_LATE: ms until all of it */
	unsigned int arg;
};

#endif
