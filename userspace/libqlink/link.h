/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A link as userspace sees it: its configuration, its rings, its attributes. */
#ifndef QLINK_LINK_H
#define QLINK_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/qlink.h>

#include "attr.h"
#include "parse.h"

/**
 * struct qlink_config - what a request sets, or a reply says, of a link
 *
 * A member counts only if @present has the bit of its attribute. Ports and
 * EtherType are in host order here, in network order on the socket.
 */
struct qlink_config {
	/** @present: bit n is set for attribute n, IFLA_QLINK_… */
	uint64_t present;

	/** @lower: lower device, an index in the link's network namespace */
	uint32_t lower;

	/** @accept: key sources accepted, bit n for source n */
	uint32_t accept;

	/** @id: link id */
	uint16_t id;

	/** @ethertype: EtherType of the eth underlay */
	uint16_t ethertype;

	/** @port: UDP port that both ends receive on */
	uint16_t port;

	/** @rekey_ms: age at which a transmit key gives way, 0 for never */
	uint32_t rekey_ms;

	/** @hard_seconds: age at which no key is used any more */
	uint32_t hard_seconds;

	/** @grace_ms: how long late frames of an older key are taken */
	uint32_t grace_ms;

	/** @keys_low: below how many staged keys an event says so, 0 for never */
	uint32_t keys_low;

	/** @keepalive_ms: how often a keepalive is sent, 0 for never */
	uint32_t keepalive_ms;

	/** @blocks2_log2: at which sum of sealed blocks squared an event says so */
	uint8_t blocks2_log2;

	/** @rekey_frames: frames after which a transmit key gives way, or 0 */
	uint64_t rekey_frames;

	/** @rekey_bytes: bytes of plaintext after which it does, or 0 */
	uint64_t rekey_bytes;

	/** @source_ports: how many UDP source ports flows are spread over */
	uint16_t source_ports;

	/** @peer: MAC address of the peer */
	uint8_t peer[QLINK_MAC_BYTES];

	/** @local: our address of the udp underlay */
	struct qlink_addr local;

	/** @remote: the address of the peer */
	struct qlink_addr remote;
};

/**
 * struct qlink_usage - what the keys of one source were used for
 */
struct qlink_usage {
	/** @frames: sealed or opened */
	uint64_t frames;

	/** @bytes: of plaintext */
	uint64_t bytes;

	/** @source: an enum qlink_source */
	uint8_t source;
};

/**
 * struct qlink_ring - what can be seen of the keys of one direction
 */
struct qlink_ring {
	/** @id: random name of the ring */
	uint8_t id[QLINK_RING_ID_BYTES];

	/** @newest_epoch: newest epoch that was ever held, 0 for none */
	uint64_t newest_epoch;

	/** @current_epoch: epoch of the active key, 0 for none */
	uint64_t current_epoch;

	/** @staged: keys that wait for their first frame */
	uint32_t staged;

	/** @retired: keys that are only kept for late frames */
	uint32_t retired;

	/** @rekeys: how often another key took over from the active one */
	uint64_t rekeys;

	/** @age_ms: since the first frame of the active key, 0 before it */
	uint64_t age_ms;

	/** @usage: by source, keys included that have gone */
	struct qlink_usage usage[QLINK_SOURCE_STATIC + 1];

	/** @current_source: source of the active key */
	uint8_t current_source;

	/** @overdue: 1 while the active key should give way and cannot; tx only */
	uint8_t overdue;

	/** @has_source: @current_source counts, there is an active key */
	bool has_source;
};

/**
 * struct qlink_link - one link, as link-get replies
 */
struct qlink_link {
	/** @config: its configuration */
	struct qlink_config config;

	/** @tx: the keys that seal */
	struct qlink_ring tx;

	/** @rx: the keys that open */
	struct qlink_ring rx;

	/** @stats: its counters, by attribute */
	uint64_t stats[QLINK_A_STATS_MAX + 1];

	/** @port: counters of the underlay port that it shares */
	uint64_t port[QLINK_A_PORT_MAX + 1];

	/** @blocks2: of all transmit keys, in units of QLINK_BLOCKS2_UNIT */
	uint64_t blocks2;

	/** @generation: how often keys came or went on request */
	uint32_t generation;

	/** @ifindex: index of its device */
	uint32_t ifindex;

	/** @ifname: name of its device */
	char ifname[16];

	/** @underlay: an enum qlink_underlay */
	uint8_t underlay;

	/** @state: an enum qlink_link_state */
	uint8_t state;

	/** @wiped_by: an enum qlink_wipe_cause, why all keys were wiped last */
	uint8_t wiped_by;

	/** @wipes: how often all keys were wiped since the link was made */
	uint32_t wipes;

	/** @echo_us: how long after it was sent our newest stamp was back, or 0 */
	uint32_t echo_us;

	/** @peer_epoch: our newest epoch that the peer has heard, 0 for none */
	uint64_t peer_epoch;

	/** @peer_heard: 1 while keepalives come back; @has_peer */
	uint8_t peer_heard;

	/** @has_peer: keepalives are sent, and something is known of the peer */
	bool has_peer;

	/** @has_port: it has an underlay, and so the counters in @port */
	bool has_port;
};

/**
 * qlink_config_has() - ask whether a member of a configuration counts
 * @config: the configuration
 * @attr: the attribute of the member, IFLA_QLINK_…
 *
 * Return: whether @config says something of it.
 */
static inline bool qlink_config_has(const struct qlink_config *config,
				    unsigned int attr)
{
	return config->present & 1ULL << attr;
}

/**
 * qlink_config_put() - append a configuration to a request
 * @config: the configuration
 * @put: appends one attribute
 * @arg: passed to @put
 *
 * Return: 0, or what @put returned if not 0.
 */
int qlink_config_put(const struct qlink_config *config, qlink_attr_put put,
		     void *arg);

/**
 * qlink_ring_take() - take one attribute of the set ring, a qlink_attr_take
 * @ring: struct qlink_ring that it goes to
 * @type: QLINK_A_RING_…
 * @data: its value
 * @len: bytes at @data
 *
 * Return: 0, or %-EBADMSG for a length that does not fit the type.
 */
int qlink_ring_take(void *ring, unsigned int type, const void *data,
		    size_t len);

/**
 * qlink_name_take() - take the name of a device
 * @name: where it goes, as a string
 * @size: room at @name
 * @data: the name, with or without a zero behind it
 * @len: bytes at @data
 *
 * Return: 0, or %-EBADMSG for one that is too long.
 */
int qlink_name_take(char *name, size_t size, const void *data, size_t len);

/**
 * qlink_link_take() - take one attribute of the set link, a qlink_attr_take
 * @link: struct qlink_link that it goes to
 * @type: IFLA_QLINK_…
 * @data: its value
 * @len: bytes at @data
 *
 * Return: 0, or %-EBADMSG for a length that does not fit the type.
 */
int qlink_link_take(void *link, unsigned int type, const void *data,
		    size_t len);

/**
 * qlink_stats_take() - take one attribute of the set stats, a qlink_attr_take
 * @stats: array of QLINK_A_STATS_MAX + 1 counters
 * @type: QLINK_A_STATS_…
 * @data: its value
 * @len: bytes at @data
 *
 * Return: 0, or %-EBADMSG for a length that does not fit.
 */
int qlink_stats_take(void *stats, unsigned int type, const void *data,
		     size_t len);

/**
 * qlink_link_take_message() - take one attribute of a link-get reply
 * @link: struct qlink_link that it goes to
 * @type: QLINK_A_…
 * @data: its value
 * @len: bytes at @data
 *
 * Return: 0, or %-EBADMSG for a length that does not fit the type.
 */
int qlink_link_take_message(void *link, unsigned int type, const void *data,
			    size_t len);

#endif
