/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the agent may ask its broker, and what the broker answers. */
#ifndef QLINKD_REQUEST_H
#define QLINKD_REQUEST_H

#include <stdint.h>

#include "libqlink/key.h"
#include "libqlink/link.h"
#include "libqlink/record.h"
#include "qlinkd/agreement/agreement.h"

#define REQUEST_DEVICE_BYTES	16
/* Of one answer. */
#define REQUEST_RECORDS_MAX	64

/**
 * enum request_type - what may be asked
 * @REQUEST_LINK: what a link is like
 * @REQUEST_RINGS: what its rings hold, in runs
 * @REQUEST_RECONCILE: delete what the peer does not hold, accept only @sources; all keys
 *	go if these are none
 * @REQUEST_INSTALL: install @n keys from epoch @range.first on
 * @REQUEST_DELETE: delete the epochs of @range
 * @REQUEST_PACE: rekey every @period_ms, and say so below @keys_low staged keys
 * @REQUEST_ROTATE: let the next transmit key take over
 * @REQUEST_RECORDS: records of keys that went, behind number @after
 * @REQUEST_RELOAD: read anew which devices there may be
 */
enum request_type {
	REQUEST_LINK,
	REQUEST_RINGS,
	REQUEST_RECONCILE,
	REQUEST_INSTALL,
	REQUEST_DELETE,
	REQUEST_PACE,
	REQUEST_ROTATE,
	REQUEST_RECORDS,
	REQUEST_RELOAD,
	REQUEST_N,
};

/**
 * struct request - one question
 *
 * Key bytes are not in it: they lie in memory that both processes share, locked and in no
 * dump, QLINK_SECRET_BYTES for each of @n keys. Who reads them wipes them.
 */
struct request {
	/** @type: an enum request_type */
	uint8_t type;

	/** @direction: of keys, an enum qlink_direction */
	uint8_t direction;

	/** @source: of keys to install */
	uint8_t source;

	/** @sources: to accept, a bit each */
	uint8_t sources;

	/** @n: keys to install, 1 to SESSION_OFFER_MAX */
	uint8_t n;

	/** @staged_only: 1 to delete only keys newer than the current one; no bool, of
	 * which not every byte is a value
	 */
	uint8_t staged_only;

	/** @device: its name */
	char device[REQUEST_DEVICE_BYTES];

	/** @period_ms: from one transmit key to the next */
	uint32_t period_ms;

	/** @keys_low: staged keys */
	uint32_t keys_low;

	/** @after: number of a record */
	uint64_t after;

	/** @range: epochs */
	struct session_range range;

	/** @kme_key_ids: handles of the keys to install, all zero for none */
	uint8_t kme_key_ids[SESSION_OFFER_MAX][QLINK_KME_KEY_ID_BYTES];

	/** @peer: what the peer holds */
	struct session_rings peer;
};

/**
 * struct reply - the answer
 */
struct reply {
	/** @err: 0, or a negative errno */
	int32_t err;

	/** @why: what the kernel says of it */
	struct qlink_why why;

	/** @n: how many of @records count */
	uint32_t n;

	union {
		/** @link: REQUEST_LINK */
		struct qlink_link link;

		/** @rings: REQUEST_RINGS */
		struct session_rings rings;

		/** @records: REQUEST_RECORDS */
		struct qlink_record records[REQUEST_RECORDS_MAX];
	};
};

#endif
