// SPDX-License-Identifier: GPL-2.0
/* Header and nonce against a table, and against the vectors of the independent implementation. */
#include "../../kmod/wire.h"

#include "unit.h"

#define LAST	((1ULL << 48) - 1)

struct wire_row {
	const char *why;
	u8 type;
	u8 lane;
	u16 link_id;
	u64 epoch;
	u64 sequence;
	u8 salt[12];
	u8 header[16];
	u8 nonce[12];
};

static const struct wire_row by_hand[] = {
	{ "every field differs", 2, 0xab, 0x1234, 0x0102030405, 0xffeeddccbbaa,
	  { 0 },
	  { 0x12, 0xab, 0x12, 0x34, 0, 1, 2, 3, 4, 5, 0xff, 0xee, 0xdd, 0xcc, 0xbb, 0xaa },
	  { 1, 2, 3, 4, 5, 0xab, 0xff, 0xee, 0xdd, 0xcc, 0xbb, 0xaa } },
	{ "the worked example", 0, 0x80, 1, 0x010203040506, 2,
	  { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 },
	  { 0x10, 0x80, 0, 1, 1, 2, 3, 4, 5, 6, 0, 0, 0, 0, 0, 2 },
	  { 2, 2, 6, 6, 2, 0x85, 6, 7, 8, 9, 10, 9 } },
	{ "the smallest values do not touch their neighbours", 0, 0, 1, 1, 1,
	  { 0 },
	  { 0x10, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1 },
	  { 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1 } },
	{ "the largest values do not either", 15, 255, 65535, LAST, LAST,
	  { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff },
	  { 0x1f, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255 },
	  { 0 } },
	{ "epoch alone", 0, 0, 0, LAST, 0,
	  { 0 },
	  { 0x10, 0, 0, 0, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0, 0, 0 },
	  { 255, 255, 255, 255, 255, 0, 0, 0, 0, 0, 0, 0 } },
	{ "the highest byte of the epoch is not in the nonce", 0, 0, 0, 0xa60000000000, 0,
	  { 0 },
	  { 0x10, 0, 0, 0, 0xa6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 },
	  { 0 } },
	{ "sequence alone", 0, 0, 0, 0, LAST,
	  { 0 },
	  { 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255 },
	  { 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255 } },
};

static const struct wire_row vectors[] = {
#include "vectors.h"
};

/* Odd addresses on purpose: the sanitizer sees an access that assumes alignment. */
static void check_row(const struct wire_row *row)
{
	struct { u8 odd; struct qlink_header header; u8 nonce[12]; u8 salt[12]; } at;

	memset(&at, 0xa5, sizeof(at));
	memcpy(at.salt, row->salt, sizeof(at.salt));
	qlink_header_put(&at.header, row->type, row->lane, row->link_id, row->epoch, row->sequence);
	CHECK_EQ(row->why, memcmp(&at.header, row->header, sizeof(row->header)), 0);
	qlink_nonce(at.nonce, at.salt, &at.header);
	CHECK_EQ(row->why, memcmp(at.nonce, row->nonce, sizeof(row->nonce)), 0);

	CHECK_EQ(row->why, qlink_header_version(&at.header), 1);
	CHECK_EQ(row->why, qlink_header_type(&at.header), row->type);
	CHECK_EQ(row->why, qlink_header_lane(&at.header), row->lane);
	CHECK_EQ(row->why, qlink_header_link_id(&at.header), row->link_id);
	CHECK_EQ(row->why, qlink_header_epoch(&at.header), row->epoch);
	CHECK_EQ(row->why, qlink_header_sequence(&at.header), row->sequence);
	CHECK_EQ("the byte in front", at.odd, 0xa5);
}

static void test_by_hand(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(by_hand); i++)
		check_row(&by_hand[i]);
}

static void test_vectors(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(vectors); i++)
		check_row(&vectors[i]);
}

/* One key and salt under two epochs: an installer's mistake that must repeat no nonce. */
static void test_epochs_share_no_nonce(void)
{
	static const u64 epochs[] = { 1, 2, 1ULL << 8, 1ULL << 16, 1ULL << 32, 1ULL << 39 };
	static const u8 salt[12] = { 0x5a, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 };
	u8 nonces[ARRAY_SIZE(epochs)][12];
	struct qlink_header header;
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(epochs); i++) {
		qlink_header_put(&header, 0, 3, 7, epochs[i], 9);
		qlink_nonce(nonces[i], salt, &header);
		for (j = 0; j < i; j++)
			CHECK_EQ("differs", !memcmp(nonces[i], nonces[j], sizeof(nonces[i])), 0);
	}
}

static void test_version_is_the_high_nibble(void)
{
	struct qlink_header header = { { 0x2f } };

	CHECK_EQ("version", qlink_header_version(&header), 2);
	CHECK_EQ("type", qlink_header_type(&header), 15);
}

static void test_keepalive(void)
{
	static const u8 want[QLINK_KEEPALIVE_BYTES] = {
		1, 2, 3, 4, 5, 6, 7, 8, 0xff, 9, 8, 7, 6, 5, 4, 3,
		0xfe, 0xdc, 0xba, 0x98, 0x76, 0x54, 0xea, 0x60,
	};
	struct qlink_keepalive sent = {
		.stamp = 0x0102030405060708, .echo = 0xff09080706050403,
		.epoch = 0xfedcba987654, .interval_ms = 60000,
	}, heard = { 0 };
	u8 bytes[QLINK_KEEPALIVE_BYTES];

	qlink_keepalive_put(bytes, &sent);
	CHECK_EQ("bytes", memcmp(bytes, want, sizeof(want)), 0);
	qlink_keepalive_get(&heard, bytes);
	CHECK_EQ("stamp", heard.stamp, sent.stamp);
	CHECK_EQ("echo", heard.echo, sent.echo);
	CHECK_EQ("epoch", heard.epoch, sent.epoch);
	CHECK_EQ("interval", heard.interval_ms, sent.interval_ms);
	CHECK_EQ("a keepalive is no beacon", qlink_keepalive_is_beacon(&heard), 0);
	heard.interval_ms = 0;
	CHECK_EQ("without an interval it is one", qlink_keepalive_is_beacon(&heard), 1);
}

/* PROTOCOL.md, section 3: the lengths of each type, and what is one byte away. */
static void test_lengths(void)
{
	static const struct {
		const char *why;
		u8 type;
		unsigned int bytes;
		bool fits;
	} rows[] = {
		{ "the shortest frame", 0, 46, true },
		{ "a byte too few for a frame", 0, 45, false },
		{ "the longest frame", 0, 65535, true },
		{ "a keepalive", 1, 56, true },
		{ "a byte too few for a keepalive", 1, 55, false },
		{ "a byte too many for a keepalive", 1, 57, false },
		{ "the shortest frame with checksum state", 2, 50, true },
		{ "a byte too few for it", 2, 49, false },
		{ "the shortest parcel", 3, 46, true },
		{ "a byte too few for a parcel", 3, 45, false },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		CHECK_EQ(rows[i].why, qlink_type_has_length(rows[i].type, rows[i].bytes), rows[i].fits);
}

static void test_checksum_state(void)
{
	static const u8 want[] = { 0, 0x12, 0x34, 0x56, 0x78, 0 };
	u8 bytes[sizeof(want)] = { 0 };

	qlink_csum_put(bytes + 1, 0x1234, 0x5678);
	CHECK_EQ("bytes", memcmp(bytes, want, sizeof(want)), 0);
}

static void test_sizes(void)
{
	CHECK_EQ("header", sizeof(struct qlink_header), 16);
	CHECK_EQ("header, named", QLINK_HEADER_BYTES, 16);
	CHECK_EQ("tag", QLINK_TAG_BYTES, 16);
	CHECK_EQ("checksum state", QLINK_CSUM_BYTES, 4);
	CHECK_EQ("keepalive", QLINK_KEEPALIVE_BYTES, 24);
	CHECK_EQ("nonce", QLINK_NONCE_BYTES, 12);
	CHECK_EQ("overhead", QLINK_OVERHEAD_BYTES, 32);
	CHECK_EQ("lanes", QLINK_LANES, 256);
	CHECK_EQ("last sequence", QLINK_SEQUENCE_MAX, LAST);
	CHECK_EQ("EtherType", QLINK_ETHERTYPE_DEFAULT, 0x88b5);
}

static const struct unit_test tests[] = {
	{ "wire_by_hand", test_by_hand },
	{ "wire_vectors", test_vectors },
	{ "wire_epochs_share_no_nonce", test_epochs_share_no_nonce },
	{ "wire_version_is_the_high_nibble", test_version_is_the_high_nibble },
	{ "wire_keepalive", test_keepalive },
	{ "wire_lengths", test_lengths },
	{ "wire_checksum_state", test_checksum_state },
	{ "wire_sizes", test_sizes },
};

int main(void)
{
	return unit_main(tests, ARRAY_SIZE(tests));
}
