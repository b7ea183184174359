/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The requests of the agent to its broker, and the replies. */
#ifndef QLINKD_REQUEST_H
#define QLINKD_REQUEST_H

#include <stdint.h>

#include "libqlink/key.h"
#include "libqlink/link.h"
#include "libqlink/record.h"
#include "qlinkd/agreement/agreement.h"

/* Bytes of a device name, with the terminating NUL. */
#define REQUEST_DEVICE_BYTES	16
/* Most records of one reply. */
#define REQUEST_RECORDS_MAX	64

/**
 * enum request_type - types of requests
 * @REQUEST_LINK: read the configuration and state of a link
 * @REQUEST_RINGS: read which ranges of epochs its rings hold; keys of ranges that do not fit
 *	are deleted
 * @REQUEST_RECONCILE: delete the keys that rings_select() selects for @peer, accept only
 *	@sources with @least KMEs; if @sources is empty, delete all keys
 * @REQUEST_INSTALL: install @n keys from epoch @range.first on, all or none
 * @REQUEST_DELETE: delete the epochs of @range in @direction
 * @REQUEST_PACE: rekey every @period_ms, and send an event below @keys_low staged keys
 * @REQUEST_ROTATE: switch to the next transmit key
 * @REQUEST_RECORDS: read the records after number @after
 * @REQUEST_RELOAD: read the device names from the configuration file again, which has @digest
 * @REQUEST_RESTRICT: accept no source but those of @sources, and no fewer KMEs than @least; the
 *	kernel deletes all other keys
 * @REQUEST_N: number of types
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
	REQUEST_RESTRICT,
	REQUEST_N,
};

/**
 * struct request - one request; its type says which members are valid
 *
 * It does not contain key bytes. They are in memory that both processes share, which is
 * locked and in no core dump: QLINK_SECRET_BYTES for each of @n keys. The reader wipes them.
 */
struct request {
	/** @type: an enum request_type */
	uint8_t type;

	/** @direction: direction of keys, an enum qlink_direction */
	uint8_t direction;

	/** @source: source of the keys to install, an enum qlink_source */
	uint8_t source;

	/** @sources: set of sources to accept, bit 1 << enum qlink_source for each */
	uint8_t sources;

	/** @kmes: how many KMEs the keys to install have secrets of, 0 for a source without a KME */
	uint8_t kmes;

	/**
	 * @least: least number of KMEs of the sources to accept that have any; the broker takes
	 * mix_least of its own configuration if that is more, so 0 is always right
	 */
	uint8_t least;

	/** @n: number of keys to install, 1 to SESSION_OFFER_MAX */
	uint8_t n;

	/**
	 * @staged_only: 1 to delete only keys newer than the current one, else 0; not a bool,
	 * because not every byte is a valid bool
	 */
	uint8_t staged_only;

	/** @device: name of the device */
	char device[REQUEST_DEVICE_BYTES];

	/** @period_ms: time from one transmit key to the next, in ms */
	uint32_t period_ms;

	/** @keys_low: number of staged keys below which the kernel sends an event */
	uint32_t keys_low;

	/** @after: number of the last record that the agent has */
	uint64_t after;

	/** @digest: of the configuration file as the agent read it */
	uint64_t digest;

	/** @range: epochs */
	struct session_range range;

	/** @kme_key_ids: a handle for each key to install, all zero if it has none */
	uint8_t kme_key_ids[SESSION_OFFER_MAX][QLINK_KME_KEY_ID_BYTES];

	/** @peer: rings of the peer, from its STATE */
	struct session_rings peer;
};

/**
 * struct reply - the reply to a request
 */
struct reply {
	/** @err: 0, or a negative errno */
	int32_t err;

	/** @why: the kernel's or the broker's error text, if @err is not 0 */
	struct qlink_why why;

	/** @n: number of valid members of @records */
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
