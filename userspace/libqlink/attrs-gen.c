// SPDX-License-Identifier: GPL-2.0-or-later
/* Where the attributes of each set go, and what they look like. */
/* Do not edit: scripts/gen-netlink makes it from include/netlink/qlink.yaml. */
#include "attr.h"
#include "event.h"
#include "key.h"
#include "link.h"
#include "names-gen.h"
#include "record.h"

#define MEMBER(type, member) \
	.offset = offsetof(type, member), .size = sizeof(((type *)0)->member)

_Static_assert(sizeof(((struct qlink_config *)0)->id) == 2, "id");
_Static_assert(sizeof(((struct qlink_config *)0)->lower) == 4, "lower");
_Static_assert(sizeof(((struct qlink_config *)0)->peer) == 6, "peer");
_Static_assert(sizeof(((struct qlink_config *)0)->ethertype) == 2, "ethertype");
_Static_assert(sizeof(((struct qlink_config *)0)->port) == 2, "port");
_Static_assert(sizeof(((struct qlink_config *)0)->source_ports) == 2, "source-ports");
_Static_assert(sizeof(((struct qlink_config *)0)->dscp) == 1, "dscp");
_Static_assert(sizeof(((struct qlink_config *)0)->ecn) == 1, "ecn");
_Static_assert(sizeof(((struct qlink_config *)0)->ttl) == 2, "ttl");
_Static_assert(sizeof(((struct qlink_config *)0)->fwmark) == 4, "fwmark");
_Static_assert(sizeof(((struct qlink_config *)0)->roam) == 1, "roam");
_Static_assert(sizeof(((struct qlink_config *)0)->parcel) == 1, "parcel");
_Static_assert(sizeof(((struct qlink_config *)0)->parcel_bytes) == 2, "parcel-bytes");
_Static_assert(sizeof(((struct qlink_config *)0)->parcel_interval_us) == 4, "parcel-interval-us");
_Static_assert(sizeof(((struct qlink_config *)0)->parcel_queue) == 2, "parcel-queue");
_Static_assert(sizeof(((struct qlink_config *)0)->parcel_hold_us) == 2, "parcel-hold-us");
_Static_assert(sizeof(((struct qlink_config *)0)->accept) == 4, "accept");
_Static_assert(sizeof(((struct qlink_config *)0)->accept_kmes) == 1, "accept-kmes");
_Static_assert(sizeof(((struct qlink_config *)0)->rekey_ms) == 4, "rekey-ms");
_Static_assert(sizeof(((struct qlink_config *)0)->rekey_frames) == 8, "rekey-frames");
_Static_assert(sizeof(((struct qlink_config *)0)->rekey_bytes) == 8, "rekey-bytes");
_Static_assert(sizeof(((struct qlink_config *)0)->hard_seconds) == 4, "hard-seconds");
_Static_assert(sizeof(((struct qlink_config *)0)->grace_ms) == 4, "grace-ms");
_Static_assert(sizeof(((struct qlink_config *)0)->keys_low) == 4, "keys-low");
_Static_assert(sizeof(((struct qlink_config *)0)->keepalive_ms) == 4, "keepalive-ms");
_Static_assert(sizeof(((struct qlink_config *)0)->blocks2_log2) == 1, "blocks2-log2");

static const struct qlink_attr config_attrs[] = {
	{
		.name = "id", .key = "id",
		.type = IFLA_QLINK_ID, .form = QLINK_FORM_NUMBER,
		.min = 1, .max = UINT16_MAX,
		MEMBER(struct qlink_config, id),
	},
	{
		.name = "lower", .key = "lower",
		.type = IFLA_QLINK_LOWER, .form = QLINK_FORM_NUMBER,
		.min = 1, .max = UINT32_MAX,
		MEMBER(struct qlink_config, lower),
	},
	{
		.name = "peer", .key = "peer",
		.type = IFLA_QLINK_PEER, .form = QLINK_FORM_MAC,
		MEMBER(struct qlink_config, peer),
	},
	{
		.name = "ethertype", .key = "ethertype",
		.type = IFLA_QLINK_ETHERTYPE, .form = QLINK_FORM_HEX,
		.max = UINT16_MAX,
		.is_big_endian = true,
		MEMBER(struct qlink_config, ethertype),
	},
	{
		.name = "local", .key = "local",
		.type = IFLA_QLINK_LOCAL, .form = QLINK_FORM_ADDRESS,
		MEMBER(struct qlink_config, local),
	},
	{
		.name = "remote", .key = "remote",
		.type = IFLA_QLINK_REMOTE, .form = QLINK_FORM_ADDRESS,
		MEMBER(struct qlink_config, remote),
	},
	{
		.name = "port", .key = "port",
		.type = IFLA_QLINK_PORT, .form = QLINK_FORM_NUMBER,
		.min = 1, .max = UINT16_MAX,
		.is_big_endian = true,
		MEMBER(struct qlink_config, port),
	},
	{
		.name = "source-ports", .key = "source_ports",
		.type = IFLA_QLINK_SOURCE_PORTS, .form = QLINK_FORM_NUMBER,
		.min = 1, .max = 64,
		MEMBER(struct qlink_config, source_ports),
	},
	{
		.name = "dev", .key = "dev",
		.type = IFLA_QLINK_DEV, .form = QLINK_FORM_TEXT,
		MEMBER(struct qlink_config, dev),
	},
	{
		.name = "dscp", .key = "dscp",
		.type = IFLA_QLINK_DSCP, .form = QLINK_FORM_NUMBER,
		.max = QLINK_DSCP_INHERIT,
		MEMBER(struct qlink_config, dscp),
	},
	{
		.name = "ecn", .key = "ecn",
		.type = IFLA_QLINK_ECN, .form = QLINK_FORM_BOOLEAN,
		MEMBER(struct qlink_config, ecn),
	},
	{
		.name = "ttl", .key = "ttl",
		.type = IFLA_QLINK_TTL, .form = QLINK_FORM_NUMBER,
		.max = QLINK_TTL_INHERIT,
		MEMBER(struct qlink_config, ttl),
	},
	{
		.name = "fwmark", .key = "fwmark",
		.type = IFLA_QLINK_FWMARK, .form = QLINK_FORM_HEX,
		.max = UINT32_MAX,
		MEMBER(struct qlink_config, fwmark),
	},
	{
		.name = "roam", .key = "roam",
		.type = IFLA_QLINK_ROAM, .form = QLINK_FORM_BOOLEAN,
		MEMBER(struct qlink_config, roam),
	},
	{
		.name = "parcel", .key = "parcel",
		.type = IFLA_QLINK_PARCEL, .form = QLINK_FORM_NAME,
		.names = &qlink_parcel_modes,
		MEMBER(struct qlink_config, parcel),
	},
	{
		.name = "parcel-bytes", .key = "parcel_bytes",
		.type = IFLA_QLINK_PARCEL_BYTES, .form = QLINK_FORM_NUMBER,
		.max = QLINK_PARCEL_BYTES_MAX,
		MEMBER(struct qlink_config, parcel_bytes),
	},
	{
		.name = "parcel-interval-us", .key = "parcel_interval_us",
		.type = IFLA_QLINK_PARCEL_INTERVAL_US, .form = QLINK_FORM_NUMBER,
		.min = QLINK_PARCEL_INTERVAL_US_MIN, .max = QLINK_PARCEL_INTERVAL_US_MAX,
		MEMBER(struct qlink_config, parcel_interval_us),
	},
	{
		.name = "parcel-queue", .key = "parcel_queue",
		.type = IFLA_QLINK_PARCEL_QUEUE, .form = QLINK_FORM_NUMBER,
		.min = QLINK_PARCEL_QUEUE_MIN, .max = QLINK_PARCEL_QUEUE_MAX,
		MEMBER(struct qlink_config, parcel_queue),
	},
	{
		.name = "parcel-hold-us", .key = "parcel_hold_us",
		.type = IFLA_QLINK_PARCEL_HOLD_US, .form = QLINK_FORM_NUMBER,
		.max = QLINK_PARCEL_HOLD_US_MAX,
		MEMBER(struct qlink_config, parcel_hold_us),
	},
	{
		.name = "accept", .key = "accept",
		.type = IFLA_QLINK_ACCEPT, .form = QLINK_FORM_BITS,
		.names = &qlink_sources,
		MEMBER(struct qlink_config, accept),
	},
	{
		.name = "accept-kmes", .key = "accept_kmes",
		.type = IFLA_QLINK_ACCEPT_KMES, .form = QLINK_FORM_NUMBER,
		.min = 1, .max = QLINK_KMES_MAX,
		MEMBER(struct qlink_config, accept_kmes),
	},
	{
		.name = "rekey-ms", .key = "rekey_ms",
		.type = IFLA_QLINK_REKEY_MS, .form = QLINK_FORM_NUMBER,
		.max = QLINK_REKEY_MS_MAX,
		MEMBER(struct qlink_config, rekey_ms),
	},
	{
		.name = "rekey-frames", .key = "rekey_frames",
		.type = IFLA_QLINK_REKEY_FRAMES, .form = QLINK_FORM_NUMBER,
		.max = QLINK_REKEY_COUNT_MAX,
		MEMBER(struct qlink_config, rekey_frames),
	},
	{
		.name = "rekey-bytes", .key = "rekey_bytes",
		.type = IFLA_QLINK_REKEY_BYTES, .form = QLINK_FORM_NUMBER,
		.max = QLINK_REKEY_COUNT_MAX,
		MEMBER(struct qlink_config, rekey_bytes),
	},
	{
		.name = "hard-seconds", .key = "hard_seconds",
		.type = IFLA_QLINK_HARD_SECONDS, .form = QLINK_FORM_NUMBER,
		.min = 1, .max = QLINK_HARD_SECONDS_MAX,
		MEMBER(struct qlink_config, hard_seconds),
	},
	{
		.name = "grace-ms", .key = "grace_ms",
		.type = IFLA_QLINK_GRACE_MS, .form = QLINK_FORM_NUMBER,
		.min = 1, .max = QLINK_GRACE_MS_MAX,
		MEMBER(struct qlink_config, grace_ms),
	},
	{
		.name = "keys-low", .key = "keys_low",
		.type = IFLA_QLINK_KEYS_LOW, .form = QLINK_FORM_NUMBER,
		.max = UINT32_MAX,
		MEMBER(struct qlink_config, keys_low),
	},
	{
		.name = "keepalive-ms", .key = "keepalive_ms",
		.type = IFLA_QLINK_KEEPALIVE_MS, .form = QLINK_FORM_NUMBER,
		.max = UINT32_MAX,
		MEMBER(struct qlink_config, keepalive_ms),
	},
	{
		.name = "blocks2-log2", .key = "blocks2_log2",
		.type = IFLA_QLINK_BLOCKS2_LOG2, .form = QLINK_FORM_NUMBER,
		.min = QLINK_BLOCKS2_LOG2_MIN, .max = QLINK_BLOCKS2_LOG2_MAX,
		MEMBER(struct qlink_config, blocks2_log2),
	},
};

const struct qlink_attr_set qlink_config_attrs = {
	.n = sizeof(config_attrs) / sizeof(config_attrs[0]), .attrs = config_attrs,
};

_Static_assert(sizeof(((struct qlink_link *)0)->underlay) == 1, "underlay");
_Static_assert(sizeof(((struct qlink_link *)0)->state) == 1, "state");
_Static_assert(sizeof(((struct qlink_link *)0)->wipes) == 4, "wipes");
_Static_assert(sizeof(((struct qlink_link *)0)->wiped_by) == 1, "wiped-by");
_Static_assert(sizeof(((struct qlink_link *)0)->peer_heard) == 1, "peer-heard");
_Static_assert(sizeof(((struct qlink_link *)0)->peer_epoch) == 8, "peer-epoch");
_Static_assert(sizeof(((struct qlink_link *)0)->echo_us) == 4, "echo-us");
_Static_assert(sizeof(((struct qlink_link *)0)->blocks2) == 8, "blocks2");
_Static_assert(sizeof(((struct qlink_link *)0)->generation) == 4, "generation");
_Static_assert(sizeof(((struct qlink_link *)0)->parcel_size) == 2, "parcel-size");
_Static_assert(sizeof(((struct qlink_link *)0)->endpoint_port) == 2, "endpoint-port");

static const struct qlink_attr link_attrs[] = {
	{
		.name = "underlay", .key = "underlay",
		.type = IFLA_QLINK_UNDERLAY, .form = QLINK_FORM_NAME,
		.names = &qlink_underlays,
		MEMBER(struct qlink_link, underlay),
	},
	{
		.name = "state", .key = "state",
		.type = IFLA_QLINK_STATE, .form = QLINK_FORM_NAME,
		.names = &qlink_link_states,
		MEMBER(struct qlink_link, state),
	},
	{
		.name = "wipes", .key = "wipes",
		.type = IFLA_QLINK_WIPES, .form = QLINK_FORM_NUMBER,
		.max = UINT32_MAX,
		MEMBER(struct qlink_link, wipes),
	},
	{
		.name = "wiped-by", .key = "wiped_by",
		.type = IFLA_QLINK_WIPED_BY, .form = QLINK_FORM_NAME,
		.names = &qlink_wipe_causes,
		MEMBER(struct qlink_link, wiped_by),
	},
	{
		.name = "peer-heard", .key = "peer_heard",
		.type = IFLA_QLINK_PEER_HEARD, .form = QLINK_FORM_BOOLEAN,
		MEMBER(struct qlink_link, peer_heard),
	},
	{
		.name = "peer-epoch", .key = "peer_epoch",
		.type = IFLA_QLINK_PEER_EPOCH, .form = QLINK_FORM_NUMBER,
		.max = UINT64_MAX,
		MEMBER(struct qlink_link, peer_epoch),
	},
	{
		.name = "echo-us", .key = "echo_us",
		.type = IFLA_QLINK_ECHO_US, .form = QLINK_FORM_NUMBER,
		.max = UINT32_MAX,
		MEMBER(struct qlink_link, echo_us),
	},
	{
		.name = "blocks2", .key = "blocks2",
		.type = IFLA_QLINK_BLOCKS2, .form = QLINK_FORM_NUMBER,
		.max = UINT64_MAX,
		MEMBER(struct qlink_link, blocks2),
	},
	{
		.name = "generation", .key = "generation",
		.type = IFLA_QLINK_GENERATION, .form = QLINK_FORM_NUMBER,
		.max = UINT32_MAX,
		MEMBER(struct qlink_link, generation),
	},
	{
		.name = "parcel-size", .key = "parcel_size",
		.type = IFLA_QLINK_PARCEL_SIZE, .form = QLINK_FORM_NUMBER,
		.max = UINT16_MAX,
		MEMBER(struct qlink_link, parcel_size),
	},
	{
		.name = "endpoint", .key = "endpoint",
		.type = IFLA_QLINK_ENDPOINT, .form = QLINK_FORM_ADDRESS,
		MEMBER(struct qlink_link, endpoint),
	},
	{
		.name = "endpoint-port", .key = "endpoint_port",
		.type = IFLA_QLINK_ENDPOINT_PORT, .form = QLINK_FORM_NUMBER,
		.max = UINT16_MAX,
		.is_big_endian = true,
		MEMBER(struct qlink_link, endpoint_port),
	},
};

const struct qlink_attr_set qlink_link_attrs = {
	.n = sizeof(link_attrs) / sizeof(link_attrs[0]), .attrs = link_attrs,
};

_Static_assert(sizeof(((struct qlink_ring *)0)->id) == QLINK_RING_ID_BYTES, "id");
_Static_assert(sizeof(((struct qlink_ring *)0)->newest_epoch) == 8, "newest-epoch");
_Static_assert(sizeof(((struct qlink_ring *)0)->current_epoch) == 8, "current-epoch");
_Static_assert(sizeof(((struct qlink_ring *)0)->current_source) == 1, "current-source");
_Static_assert(sizeof(((struct qlink_ring *)0)->staged) == 4, "staged");
_Static_assert(sizeof(((struct qlink_ring *)0)->retired) == 4, "retired");
_Static_assert(sizeof(((struct qlink_ring *)0)->rekeys) == 8, "rekeys");
_Static_assert(sizeof(((struct qlink_ring *)0)->age_ms) == 8, "age-ms");
_Static_assert(sizeof(((struct qlink_ring *)0)->overdue) == 1, "overdue");
_Static_assert(sizeof(((struct qlink_ring *)0)->current_kmes) == 1, "current-kmes");

static const struct qlink_attr ring_attrs[] = {
	{
		.name = "id", .key = "id",
		.type = QLINK_A_RING_ID, .form = QLINK_FORM_BYTES,
		MEMBER(struct qlink_ring, id),
	},
	{
		.name = "newest-epoch", .key = "newest_epoch",
		.type = QLINK_A_RING_NEWEST_EPOCH, .form = QLINK_FORM_NUMBER,
		.max = UINT64_MAX,
		MEMBER(struct qlink_ring, newest_epoch),
	},
	{
		.name = "current-epoch", .key = "current_epoch",
		.type = QLINK_A_RING_CURRENT_EPOCH, .form = QLINK_FORM_NUMBER,
		.max = UINT64_MAX,
		MEMBER(struct qlink_ring, current_epoch),
	},
	{
		.name = "current-source", .key = "current_source",
		.type = QLINK_A_RING_CURRENT_SOURCE, .form = QLINK_FORM_NAME,
		.names = &qlink_sources,
		MEMBER(struct qlink_ring, current_source),
	},
	{
		.name = "staged", .key = "staged",
		.type = QLINK_A_RING_STAGED, .form = QLINK_FORM_NUMBER,
		.max = UINT32_MAX,
		MEMBER(struct qlink_ring, staged),
	},
	{
		.name = "retired", .key = "retired",
		.type = QLINK_A_RING_RETIRED, .form = QLINK_FORM_NUMBER,
		.max = UINT32_MAX,
		MEMBER(struct qlink_ring, retired),
	},
	{
		.name = "rekeys", .key = "rekeys",
		.type = QLINK_A_RING_REKEYS, .form = QLINK_FORM_NUMBER,
		.max = UINT64_MAX,
		MEMBER(struct qlink_ring, rekeys),
	},
	{
		.name = "age-ms", .key = "age_ms",
		.type = QLINK_A_RING_AGE_MS, .form = QLINK_FORM_NUMBER,
		.max = UINT64_MAX,
		MEMBER(struct qlink_ring, age_ms),
	},
	{
		.name = "overdue", .key = "overdue",
		.type = QLINK_A_RING_OVERDUE, .form = QLINK_FORM_BOOLEAN,
		MEMBER(struct qlink_ring, overdue),
	},
	{
		.name = "current-kmes", .key = "current_kmes",
		.type = QLINK_A_RING_CURRENT_KMES, .form = QLINK_FORM_NUMBER,
		.max = UINT8_MAX,
		MEMBER(struct qlink_ring, current_kmes),
	},
};

const struct qlink_attr_set qlink_ring_attrs = {
	.n = sizeof(ring_attrs) / sizeof(ring_attrs[0]), .attrs = ring_attrs,
};

_Static_assert(sizeof(((struct qlink_usage *)0)->source) == 1, "source");
_Static_assert(sizeof(((struct qlink_usage *)0)->frames) == 8, "frames");
_Static_assert(sizeof(((struct qlink_usage *)0)->bytes) == 8, "bytes");

static const struct qlink_attr usage_attrs[] = {
	{
		.name = "source", .key = "source",
		.type = QLINK_A_USAGE_SOURCE, .form = QLINK_FORM_NAME,
		.names = &qlink_sources,
		MEMBER(struct qlink_usage, source),
	},
	{
		.name = "frames", .key = "frames",
		.type = QLINK_A_USAGE_FRAMES, .form = QLINK_FORM_NUMBER,
		.max = UINT64_MAX,
		MEMBER(struct qlink_usage, frames),
	},
	{
		.name = "bytes", .key = "bytes",
		.type = QLINK_A_USAGE_BYTES, .form = QLINK_FORM_NUMBER,
		.max = UINT64_MAX,
		MEMBER(struct qlink_usage, bytes),
	},
};

const struct qlink_attr_set qlink_usage_attrs = {
	.n = sizeof(usage_attrs) / sizeof(usage_attrs[0]), .attrs = usage_attrs,
};

_Static_assert(sizeof(((struct qlink_key *)0)->direction) == 1, "direction");
_Static_assert(sizeof(((struct qlink_key *)0)->epoch) == 8, "epoch");
_Static_assert(sizeof(((struct qlink_key *)0)->source) == 1, "source");
_Static_assert(sizeof(((struct qlink_key *)0)->kmes) == 1, "kmes");
_Static_assert(sizeof(((struct qlink_key *)0)->kme_key_id) == QLINK_KME_KEY_ID_BYTES, "kme-key-id");
_Static_assert(sizeof(((struct qlink_key *)0)->hard_blocks) == 8, "hard-blocks");
_Static_assert(sizeof(((struct qlink_key *)0)->state) == 1, "state");
_Static_assert(sizeof(((struct qlink_key *)0)->frames) == 8, "frames");
_Static_assert(sizeof(((struct qlink_key *)0)->bytes) == 8, "bytes");

static const struct qlink_attr key_attrs[] = {
	{
		.name = "direction", .key = "direction",
		.type = QLINK_A_KEY_DIRECTION, .form = QLINK_FORM_NAME,
		.names = &qlink_directions,
		MEMBER(struct qlink_key, direction),
	},
	{
		.name = "epoch", .key = "epoch",
		.type = QLINK_A_KEY_EPOCH, .form = QLINK_FORM_NUMBER,
		.min = 1, .max = QLINK_EPOCH_MAX,
		MEMBER(struct qlink_key, epoch),
	},
	{
		.name = "source", .key = "source",
		.type = QLINK_A_KEY_SOURCE, .form = QLINK_FORM_NAME,
		.names = &qlink_sources,
		MEMBER(struct qlink_key, source),
	},
	{
		.name = "kmes", .key = "kmes",
		.type = QLINK_A_KEY_KMES, .form = QLINK_FORM_NUMBER,
		.max = UINT8_MAX,
		MEMBER(struct qlink_key, kmes),
	},
	{
		.name = "kme-key-id", .key = "kme_key_id",
		.type = QLINK_A_KEY_KME_KEY_ID, .form = QLINK_FORM_UUID,
		MEMBER(struct qlink_key, kme_key_id),
	},
	{
		.name = "hard-blocks", .key = "hard_blocks",
		.type = QLINK_A_KEY_HARD_BLOCKS, .form = QLINK_FORM_NUMBER,
		.min = 1, .max = QLINK_HARD_BLOCKS_MAX,
		MEMBER(struct qlink_key, hard_blocks),
	},
	{
		.name = "state", .key = "state",
		.type = QLINK_A_KEY_STATE, .form = QLINK_FORM_NAME,
		.names = &qlink_key_states,
		MEMBER(struct qlink_key, state),
	},
	{
		.name = "frames", .key = "frames",
		.type = QLINK_A_KEY_FRAMES, .form = QLINK_FORM_NUMBER,
		.max = UINT64_MAX,
		MEMBER(struct qlink_key, frames),
	},
	{
		.name = "bytes", .key = "bytes",
		.type = QLINK_A_KEY_BYTES, .form = QLINK_FORM_NUMBER,
		.max = UINT64_MAX,
		MEMBER(struct qlink_key, bytes),
	},
};

const struct qlink_attr_set qlink_key_attrs = {
	.n = sizeof(key_attrs) / sizeof(key_attrs[0]), .attrs = key_attrs,
};

_Static_assert(sizeof(((struct qlink_record *)0)->number) == 8, "number");
_Static_assert(sizeof(((struct qlink_record *)0)->direction) == 1, "direction");
_Static_assert(sizeof(((struct qlink_record *)0)->epoch) == 8, "epoch");
_Static_assert(sizeof(((struct qlink_record *)0)->source) == 1, "source");
_Static_assert(sizeof(((struct qlink_record *)0)->kme_key_id) == QLINK_KME_KEY_ID_BYTES, "kme-key-id");
_Static_assert(sizeof(((struct qlink_record *)0)->first_ms) == 8, "first-ms");
_Static_assert(sizeof(((struct qlink_record *)0)->last_ms) == 8, "last-ms");
_Static_assert(sizeof(((struct qlink_record *)0)->frames) == 8, "frames");
_Static_assert(sizeof(((struct qlink_record *)0)->bytes) == 8, "bytes");
_Static_assert(sizeof(((struct qlink_record *)0)->kmes) == 1, "kmes");

static const struct qlink_attr record_attrs[] = {
	{
		.name = "number", .key = "number",
		.type = QLINK_A_RECORD_NUMBER, .form = QLINK_FORM_NUMBER,
		.max = UINT64_MAX,
		MEMBER(struct qlink_record, number),
	},
	{
		.name = "direction", .key = "direction",
		.type = QLINK_A_RECORD_DIRECTION, .form = QLINK_FORM_NAME,
		.names = &qlink_directions,
		MEMBER(struct qlink_record, direction),
	},
	{
		.name = "epoch", .key = "epoch",
		.type = QLINK_A_RECORD_EPOCH, .form = QLINK_FORM_NUMBER,
		.max = UINT64_MAX,
		MEMBER(struct qlink_record, epoch),
	},
	{
		.name = "source", .key = "source",
		.type = QLINK_A_RECORD_SOURCE, .form = QLINK_FORM_NAME,
		.names = &qlink_sources,
		MEMBER(struct qlink_record, source),
	},
	{
		.name = "kme-key-id", .key = "kme_key_id",
		.type = QLINK_A_RECORD_KME_KEY_ID, .form = QLINK_FORM_UUID,
		MEMBER(struct qlink_record, kme_key_id),
	},
	{
		.name = "first-ms", .key = "first_ms",
		.type = QLINK_A_RECORD_FIRST_MS, .form = QLINK_FORM_NUMBER,
		.max = UINT64_MAX,
		MEMBER(struct qlink_record, first_ms),
	},
	{
		.name = "last-ms", .key = "last_ms",
		.type = QLINK_A_RECORD_LAST_MS, .form = QLINK_FORM_NUMBER,
		.max = UINT64_MAX,
		MEMBER(struct qlink_record, last_ms),
	},
	{
		.name = "frames", .key = "frames",
		.type = QLINK_A_RECORD_FRAMES, .form = QLINK_FORM_NUMBER,
		.max = UINT64_MAX,
		MEMBER(struct qlink_record, frames),
	},
	{
		.name = "bytes", .key = "bytes",
		.type = QLINK_A_RECORD_BYTES, .form = QLINK_FORM_NUMBER,
		.max = UINT64_MAX,
		MEMBER(struct qlink_record, bytes),
	},
	{
		.name = "kmes", .key = "kmes",
		.type = QLINK_A_RECORD_KMES, .form = QLINK_FORM_NUMBER,
		.max = UINT8_MAX,
		MEMBER(struct qlink_record, kmes),
	},
};

const struct qlink_attr_set qlink_record_attrs = {
	.n = sizeof(record_attrs) / sizeof(record_attrs[0]), .attrs = record_attrs,
};

_Static_assert(sizeof(((struct qlink_event *)0)->sequence) == 8, "sequence");
_Static_assert(sizeof(((struct qlink_event *)0)->kinds) == 4, "kinds");
_Static_assert(sizeof(((struct qlink_event *)0)->auth_failures) == 8, "auth-failures");
_Static_assert(sizeof(((struct qlink_event *)0)->replays) == 8, "replays");
_Static_assert(sizeof(((struct qlink_event *)0)->peer_heard) == 1, "peer-heard");
_Static_assert(sizeof(((struct qlink_event *)0)->endpoint_port) == 2, "endpoint-port");
_Static_assert(sizeof(((struct qlink_event *)0)->former_port) == 2, "former-port");

static const struct qlink_attr event_attrs[] = {
	{
		.name = "sequence", .key = "sequence",
		.type = QLINK_A_EVENT_SEQUENCE, .form = QLINK_FORM_NUMBER,
		.max = UINT64_MAX,
		MEMBER(struct qlink_event, sequence),
	},
	{
		.name = "kinds", .key = "kinds",
		.type = QLINK_A_EVENT_KINDS, .form = QLINK_FORM_BITS,
		.names = &qlink_event_kinds,
		MEMBER(struct qlink_event, kinds),
	},
	{
		.name = "auth-failures", .key = "auth_failures",
		.type = QLINK_A_EVENT_AUTH_FAILURES, .form = QLINK_FORM_NUMBER,
		.max = UINT64_MAX,
		MEMBER(struct qlink_event, auth_failures),
	},
	{
		.name = "replays", .key = "replays",
		.type = QLINK_A_EVENT_REPLAYS, .form = QLINK_FORM_NUMBER,
		.max = UINT64_MAX,
		MEMBER(struct qlink_event, replays),
	},
	{
		.name = "peer-heard", .key = "peer_heard",
		.type = QLINK_A_EVENT_PEER_HEARD, .form = QLINK_FORM_BOOLEAN,
		MEMBER(struct qlink_event, peer_heard),
	},
	{
		.name = "endpoint", .key = "endpoint",
		.type = QLINK_A_EVENT_ENDPOINT, .form = QLINK_FORM_ADDRESS,
		MEMBER(struct qlink_event, endpoint),
	},
	{
		.name = "endpoint-port", .key = "endpoint_port",
		.type = QLINK_A_EVENT_ENDPOINT_PORT, .form = QLINK_FORM_NUMBER,
		.max = UINT16_MAX,
		.is_big_endian = true,
		MEMBER(struct qlink_event, endpoint_port),
	},
	{
		.name = "former", .key = "former",
		.type = QLINK_A_EVENT_FORMER, .form = QLINK_FORM_ADDRESS,
		MEMBER(struct qlink_event, former),
	},
	{
		.name = "former-port", .key = "former_port",
		.type = QLINK_A_EVENT_FORMER_PORT, .form = QLINK_FORM_NUMBER,
		.max = UINT16_MAX,
		.is_big_endian = true,
		MEMBER(struct qlink_event, former_port),
	},
};

const struct qlink_attr_set qlink_event_attrs = {
	.n = sizeof(event_attrs) / sizeof(event_attrs[0]), .attrs = event_attrs,
};
