/* SPDX-License-Identifier: GPL-2.0 */
/* The frame on the wire: header, nonce, sizes. PROTOCOL.md has the rest. */
#ifndef QLINK_WIRE_H
#define QLINK_WIRE_H

#include <linux/build_bug.h>
#include <linux/types.h>
#include <linux/unaligned.h>

#define QLINK_WIRE_VERSION	1
#define QLINK_ETHERTYPE_DEFAULT	0x88b5	/* IEEE 802 local experimental 1 */

#define QLINK_HEADER_BYTES	16
#define QLINK_TAG_BYTES		16
#define QLINK_CSUM_BYTES	4	/* csum_start, csum_offset of type 2 */
#define QLINK_KEEPALIVE_BYTES	24
#define QLINK_NONCE_BYTES	12
#define QLINK_INNER_BYTES_MIN	14	/* an Ethernet header */
#define QLINK_OVERHEAD_BYTES	(QLINK_HEADER_BYTES + QLINK_TAG_BYTES)

/* Taken off an MTU: the overhead of type 2, and the inner Ethernet header, which no MTU counts. */
#define QLINK_MTU_LESS		(QLINK_OVERHEAD_BYTES + QLINK_CSUM_BYTES + QLINK_INNER_BYTES_MIN)

#define QLINK_LANES		256
#define QLINK_SEQUENCE_MAX	((1ULL << 48) - 1)

enum qlink_type {
	QLINK_TYPE_FRAME,
	QLINK_TYPE_KEEPALIVE,
	QLINK_TYPE_FRAME_CSUM,
	QLINK_TYPE_PARCEL,
};

/**
 * struct qlink_keepalive - the plaintext of type 1
 */
struct qlink_keepalive {
	/** @stamp: when it was sent, by a clock of the sender that never goes back; never 0 */
	u64 stamp;
	/** @echo: the last stamp that the sender has heard, 0 for none */
	u64 echo;
	/** @epoch: the newest that has authenticated to the sender and is held, 0 for none */
	u64 epoch;
	/** @interval_ms: the sender's keepalive-ms; 0 in a beacon */
	u16 interval_ms;
};

/**
 * struct qlink_header - the associated data of every frame
 *
 * ::
 *
 *   0        1        2        3        4        5        6        7
 *  +--------+--------+--------+--------+--------+--------+--------+--------+
 *  |ver|type|  lane  |     link id     |            epoch, 48 bits ...     |
 *  +--------+--------+--------+--------+--------+--------+--------+--------+
 *  |   ... epoch     |                sequence, 48 bits                    |
 *  +--------+--------+--------+--------+--------+--------+--------+--------+
 *
 * Two big-endian words, written and read whole; no alignment is assumed.
 */
struct qlink_header {
	/** @bytes: as on the wire */
	u8 bytes[QLINK_HEADER_BYTES];
};

static_assert(sizeof(struct qlink_header) == QLINK_HEADER_BYTES);

static inline void qlink_header_put(struct qlink_header *header, u8 type, u8 lane,
				    u16 link_id, u64 epoch, u64 sequence)
{
	put_unaligned_be64((u64)(QLINK_WIRE_VERSION << 4 | type) << 56 |
			   (u64)lane << 48 | (u64)link_id << 32 | epoch >> 16,
			   header->bytes);
	put_unaligned_be64(epoch << 48 | sequence, header->bytes + 8);
}

static inline u8 qlink_header_version(const struct qlink_header *header)
{
	return header->bytes[0] >> 4;
}

static inline u8 qlink_header_type(const struct qlink_header *header)
{
	return header->bytes[0] & 0xf;
}

static inline u8 qlink_header_lane(const struct qlink_header *header)
{
	return header->bytes[1];
}

static inline u16 qlink_header_link_id(const struct qlink_header *header)
{
	return get_unaligned_be16(header->bytes + 2);
}

static inline u64 qlink_header_epoch(const struct qlink_header *header)
{
	return (u64)get_unaligned_be32(header->bytes + 4) << 16 |
	       get_unaligned_be16(header->bytes + 8);
}

static inline u64 qlink_header_sequence(const struct qlink_header *header)
{
	return get_unaligned_be64(header->bytes + 8) & QLINK_SEQUENCE_MAX;
}

/* The rule of PROTOCOL.md, section 3, about the length of a sealed frame. */
static inline bool qlink_type_has_length(u8 type, unsigned int bytes)
{
	switch (type) {
	case QLINK_TYPE_KEEPALIVE:
		return bytes == QLINK_OVERHEAD_BYTES + QLINK_KEEPALIVE_BYTES;
	case QLINK_TYPE_FRAME_CSUM:
		return bytes >= QLINK_OVERHEAD_BYTES + QLINK_CSUM_BYTES + QLINK_INNER_BYTES_MIN;
	default:
		return bytes >= QLINK_OVERHEAD_BYTES + QLINK_INNER_BYTES_MIN;
	}
}

/* The begin of the plaintext of type 2, QLINK_CSUM_BYTES bytes. */
static inline void qlink_csum_put(u8 *at, u16 start, u16 offset)
{
	put_unaligned_be16(start, at);
	put_unaligned_be16(offset, at + 2);
}

static inline void qlink_keepalive_put(u8 *at, const struct qlink_keepalive *keepalive)
{
	put_unaligned_be64(keepalive->stamp, at);
	put_unaligned_be64(keepalive->echo, at + 8);
	put_unaligned_be64(keepalive->epoch << 16 | keepalive->interval_ms, at + 16);
}

static inline void qlink_keepalive_get(struct qlink_keepalive *keepalive, const u8 *at)
{
	keepalive->stamp = get_unaligned_be64(at);
	keepalive->echo = get_unaligned_be64(at + 8);
	keepalive->epoch = get_unaligned_be64(at + 16) >> 16;
	keepalive->interval_ms = get_unaligned_be16(at + 22);
}

/* A beacon only shows where its sender can be reached; it has no echo, epoch and interval. */
static inline bool qlink_keepalive_is_beacon(const struct qlink_keepalive *keepalive)
{
	return !keepalive->interval_ms;
}

/**
 * qlink_nonce() - the nonce of a frame
 * @nonce: out, 12 bytes
 * @salt: of the key, 12 bytes
 * @header: of the frame
 *
 * Salt XOR (low 40 bits of the epoch, lane, sequence). This is the deterministic form of
 * SP 800-38D, 8.2.1: salt, epoch and lane are the fixed field, and the sequence is the
 * invocation field. A nonce is unique under a key as long as no lane takes a sequence
 * twice. The epoch keeps it unique even if one key and salt are installed under two epochs.
 */
static inline void qlink_nonce(u8 *nonce, const u8 *salt,
			       const struct qlink_header *header)
{
	u64 lane = qlink_header_lane(header);
	/* The low 16 bits of the epoch, and the sequence. */
	u64 tail = get_unaligned_be64(header->bytes + 8);

	put_unaligned(get_unaligned((const u32 *)salt) ^
		      get_unaligned((const u32 *)(header->bytes + 5)), (u32 *)nonce);
	put_unaligned_be64(get_unaligned_be64(salt + 4) ^
			   ((tail >> 48) << 56 | lane << 48 | (tail & QLINK_SEQUENCE_MAX)),
			   nonce + 4);
}

#endif
