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

/* How an answer goes out. */
enum etsi_delivery {
	ETSI_SEND,
	ETSI_HANG,
	ETSI_DRIP,
	ETSI_CUT,
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

	/** @requests: how many of each came, right or wrong */
	uint64_t requests[ETSI_OP_N];

	/** @keys: how many keys were sent */
	uint64_t keys[ETSI_OP_N];
};

/**
 * struct etsi_request - what a client wants
 */
struct etsi_request {
	/** @sae: who it is by its certificate, or %NULL */
	const struct sae *sae;

	/** @method: of HTTP */
	enum etsi_method method;

	/** @path: as sent, still encoded */
	const char *path;

	/** @query: likewise, or %NULL */
	const char *query;

	/** @body: of a POST, not ended by a NUL */
	const char *body;

	/** @body_len: its bytes */
	size_t body_len;

	/** @now_ms: the time, for supplies */
	uint64_t now_ms;
};

/**
 * struct etsi_reply - what it gets
 */
struct etsi_reply {
	/** @status: of HTTP */
	int status;

	/** @type: the Content-Type */
	const char *type;

	/** @body: from qlink_wipe_malloc(), to be freed by the caller */
	char *body;

	/** @len: its bytes */
	size_t len;

	/** @delivery: how it goes out */
	enum etsi_delivery delivery;

	/** @arg: ETSI_DRIP: ms a byte */
	unsigned int arg;
};

#endif
