/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A link: its configuration, its rings and its attributes. */
#ifndef QLINK_LINK_H
#define QLINK_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/qlink.h>

#include "attr.h"
#include "parse.h"

/* What sealing adds to a frame: header and tag (kmod/PROTOCOL.md). */
#define QLINK_SEALING_BYTES	32

/**
 * struct qlink_config - the configuration of a link, in requests and replies
 *
 * A member is valid only if @present has the bit of its attribute. Ports and
 * EtherType are in host order here, and in network order on the socket.
 */
struct qlink_config {
	/** @present: bit n is set for attribute n, IFLA_QLINK_… */
	uint64_t present;

	/** @lower: lower device, an index in the link's network namespace */
	uint32_t lower;

	/** @accept: key sources accepted, bit n for source n */
	uint32_t accept;

	/** @accept_kmes: the least number of KMEs of a key whose source has any */
	uint8_t accept_kmes;

	/** @id: link id */
	uint16_t id;

	/** @ethertype: EtherType of the eth underlay */
	uint16_t ethertype;

	/** @port: UDP port that both ends receive on */
	uint16_t port;

	/** @rekey_ms: age at which a transmit key is replaced, 0 for never */
	uint32_t rekey_ms;

	/** @hard_seconds: age from which a key is no longer used */
	uint32_t hard_seconds;

	/** @grace_ms: how long late frames of an older key are accepted */
	uint32_t grace_ms;

	/** @keys_low: an event reports fewer staged keys than this; 0 for never */
	uint32_t keys_low;

	/** @keepalive_ms: how often a keepalive is sent, 0 for never */
	uint32_t keepalive_ms;

	/** @blocks2_log2: an event reports this sum of sealed blocks squared */
	uint8_t blocks2_log2;

	/** @rekey_frames: frames after which a transmit key is replaced, or 0 */
	uint64_t rekey_frames;

	/** @rekey_bytes: bytes of plaintext after which it is replaced, or 0 */
	uint64_t rekey_bytes;

	/** @source_ports: how many UDP source ports flows are spread over */
	uint16_t source_ports;

	/** @dev: device of the udp underlay, empty for the VRF of the local address */
	char dev[16];

	/** @fwmark: mark of the outer packets, 0 for none */
	uint32_t fwmark;

	/** @ttl: of the outer header, 0 for the route's, or QLINK_TTL_INHERIT */
	uint16_t ttl;

	/** @dscp: of the outer header, or QLINK_DSCP_INHERIT */
	uint8_t dscp;

	/** @ecn: 1 if congestion is told across the underlay */
	uint8_t ecn;

	/** @roam: 1 if the endpoint of the peer follows its beacons */
	uint8_t roam;

	/** @parcel: an enum qlink_parcel_mode */
	uint8_t parcel;

	/** @parcel_bytes: of a sealed frame in the modes pad and constant; 0 for as large as fits */
	uint16_t parcel_bytes;

	/** @parcel_interval_us: from one sealed frame to the next in the mode constant */
	uint32_t parcel_interval_us;

	/** @parcel_queue: how much may wait in the mode constant, in sealed frames */
	uint16_t parcel_queue;

	/** @parcel_hold_us: how long a frame may wait for others in the mode pack */
	uint16_t parcel_hold_us;

	/** @peer: MAC address of the peer */
	uint8_t peer[QLINK_MAC_BYTES];

	/** @local: local address of the udp underlay */
	struct qlink_addr local;

	/** @remote: the address of the peer; all zero for any */
	struct qlink_addr remote;
};

/**
 * struct qlink_usage - what the keys of one source were used for
 */
struct qlink_usage {
	/** @frames: frames sealed or opened */
	uint64_t frames;

	/** @bytes: bytes of plaintext sealed or opened */
	uint64_t bytes;

	/** @source: an enum qlink_source */
	uint8_t source;
};

/**
 * struct qlink_ring - the keys of one direction, as replies show them
 */
struct qlink_ring {
	/** @id: random name of the ring */
	uint8_t id[QLINK_RING_ID_BYTES];

	/** @newest_epoch: newest epoch that the ring has ever held, 0 for none */
	uint64_t newest_epoch;

	/** @current_epoch: epoch of the active key, 0 for none */
	uint64_t current_epoch;

	/** @staged: keys that wait for their turn */
	uint32_t staged;

	/** @retired: keys that are kept only for late frames */
	uint32_t retired;

	/** @rekeys: how often another key took over from the active one */
	uint64_t rekeys;

	/** @age_ms: time since the first frame of the active key, 0 before it */
	uint64_t age_ms;

	/** @usage: by source, including keys that are gone */
	struct qlink_usage usage[QLINK_SOURCE_STATIC + 1];

	/** @current_source: source of the active key */
	uint8_t current_source;

	/** @current_kmes: how many KMEs the active key has secrets of */
	uint8_t current_kmes;

	/** @overdue: 1 while the active key should be replaced, but there is no other; tx only */
	uint8_t overdue;

	/** @has_source: there is an active key; @current_source and @current_kmes are valid */
	bool has_source;
};

/**
 * struct qlink_link - one link, as link-get shows it
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

	/** @port: counters of its underlay port, which links can share */
	uint64_t port[QLINK_A_PORT_MAX + 1];

	/** @blocks2: sealed blocks of each transmit key squared, summed up; in QLINK_BLOCKS2_UNIT */
	uint64_t blocks2;

	/** @generation: how often keys were installed, deleted or wiped */
	uint32_t generation;

	/** @ifindex: index of its device */
	uint32_t ifindex;

	/** @ifname: name of its device */
	char ifname[16];

	/** @underlay: an enum qlink_underlay */
	uint8_t underlay;

	/** @state: an enum qlink_link_state */
	uint8_t state;

	/** @wiped_by: an enum qlink_wipe_cause, the cause of the last wipe */
	uint8_t wiped_by;

	/** @wipes: how often all keys were wiped since the link was made */
	uint32_t wipes;

	/** @echo_us: how long our newest stamp took to come back, 0 for none */
	uint32_t echo_us;

	/** @parcel_size: of sealed frames that all have one size, 0 where they do not */
	uint16_t parcel_size;

	/** @peer_epoch: our newest epoch that authenticated to the peer, 0 for none */
	uint64_t peer_epoch;

	/** @peer_heard: 1 while keepalives come back; valid if @has_peer */
	uint8_t peer_heard;

	/** @has_peer: keepalives are sent, and what is said of the peer is valid */
	bool has_peer;

	/** @endpoint: where frames are sent if the peer roams; its len is 0 while nobody knows */
	struct qlink_addr endpoint;

	/** @endpoint_port: the UDP port there */
	uint16_t endpoint_port;

	/** @has_port: the link has an underlay, and @port is valid */
	bool has_port;
};

extern const struct qlink_attr_set qlink_config_attrs;
extern const struct qlink_attr_set qlink_usage_attrs;
extern const struct qlink_attr_set qlink_ring_attrs;
/* Without those of the configuration. */
extern const struct qlink_attr_set qlink_link_attrs;

/**
 * qlink_config_has() - ask whether a member of a configuration is valid
 * @config: the configuration
 * @attr: the attribute of the member, IFLA_QLINK_…
 *
 * Return: whether it is.
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
 * @data: the name, with or without a final zero
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
