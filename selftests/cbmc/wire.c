// SPDX-License-Identifier: GPL-2.0
/* The header keeps what is put into it, and nonces differ where epoch, lane or sequence do. */
/* cbmc: --unwind 17 --unsigned-overflow-check */
/* mutant: kmod/wire.h s/(tail >> 48) << 56 | lane << 48/(tail >> 48) << 48 | lane << 48/ */
/* mutant: kmod/wire.h s/epoch << 48 | sequence, header/epoch << 40 | sequence, header/ */
#include "nondet.h"

#include "../../kmod/wire.h"

#define EPOCH_MAX	((1ULL << 48) - 1)

struct fields {
	u8 type, lane;
	u16 link_id;
	u64 epoch, sequence;
};

static struct fields any_fields(void)
{
	struct fields any = { nondet_u8(), nondet_u8(), nondet_u16(), nondet_u64(), nondet_u64() };

	__CPROVER_assume(any.type < 16 && any.epoch <= EPOCH_MAX && any.sequence <= QLINK_SEQUENCE_MAX);
	return any;
}

static void put(struct qlink_header *header, const struct fields *fields)
{
	qlink_header_put(header, fields->type, fields->lane, fields->link_id, fields->epoch, fields->sequence);
}

static void nonces_differ(void)
{
	struct fields one = any_fields(), other = any_fields();
	u8 salt[QLINK_NONCE_BYTES], nonces[2][QLINK_NONCE_BYTES];
	struct qlink_header header;
	bool is_same, differs = false;
	unsigned int i;

	put(&header, &one);
	qlink_nonce(nonces[0], salt, &header);
	put(&header, &other);
	qlink_nonce(nonces[1], salt, &header);
	for (i = 0; i < QLINK_NONCE_BYTES; i++)
		differs = differs || nonces[0][i] != nonces[1][i];
	/* the low 40 bits of the epoch are in the nonce */
	is_same = one.lane == other.lane && one.sequence == other.sequence &&
		  !((one.epoch ^ other.epoch) & ((1ULL << 40) - 1));
	assert(differs == !is_same);
}

static void fields_stay(void)
{
	struct fields any = any_fields();
	struct qlink_header header;

	put(&header, &any);
	assert(qlink_header_version(&header) == QLINK_WIRE_VERSION);
	assert(qlink_header_type(&header) == any.type);
	assert(qlink_header_lane(&header) == any.lane);
	assert(qlink_header_link_id(&header) == any.link_id);
	assert(qlink_header_epoch(&header) == any.epoch);
	assert(qlink_header_sequence(&header) == any.sequence);
}

static void keepalives_stay(void)
{
	struct qlink_keepalive any = { nondet_u64(), nondet_u64(), nondet_u64(), nondet_u16() }, got;
	u8 bytes[QLINK_KEEPALIVE_BYTES];

	__CPROVER_assume(any.epoch <= EPOCH_MAX);
	qlink_keepalive_put(bytes, &any);
	qlink_keepalive_get(&got, bytes);
	assert(got.stamp == any.stamp && got.echo == any.echo);
	assert(got.epoch == any.epoch && got.interval_ms == any.interval_ms);
}

void harness(void)
{
	nonces_differ();
	fields_stay();
	keepalives_stay();
}
