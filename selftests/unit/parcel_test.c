// SPDX-License-Identifier: GPL-2.0
/* Parcels: what a walk finds in good and bad ones, and that it never reads behind their end. */
#include "../../kmod/parcel.c"

#include <stdlib.h>

#include "unit.h"

#define FRAME	(QLINK_PARCEL_FRAME << 14)
#define CSUM	(QLINK_PARCEL_FRAME_CSUM << 14)
#define ALIVE	(QLINK_PARCEL_KEEPALIVE << 14)
#define NO_KIND	(3 << 14)

struct row {
	const char *why;
	/* of the plaintext; first, then a head, whose content are the bytes behind it */
	unsigned int bytes, first, head;
	/* whether the walk begins; how it ends, and the record that it finds before */
	bool begins;
	int end;
	unsigned int kind, content, here;
};

static const struct row rows[] = {
	{ "no room for first", 1, 0, 0, false, 0, 0, 0, 0 },
	{ "nothing but first", 2, 0, 0, true, 0, 0, 0, 0 },
	{ "first to the end", 60, 58, 0, true, 0, 0, 0, 0 },
	{ "first a byte beyond the end", 60, 59, 0, false, 0, 0, 0, 0 },
	{ "first as large as it can be", 60, 0xffff, 0, false, 0, 0, 0, 0 },
	{ "one byte is padding", 3, 0, 0, true, 0, 0, 0, 0 },
	{ "all padding", 1400, 0, 0, true, 0, 0, 0, 0 },
	{ "a frame to the end", 64, 0, FRAME | 60, true, 0, QLINK_PARCEL_FRAME, 60, 60 },
	{ "a frame and a byte", 65, 0, FRAME | 60, true, 0, QLINK_PARCEL_FRAME, 60, 60 },
	{ "a frame and padding", 600, 0, FRAME | 60, true, 0, QLINK_PARCEL_FRAME, 60, 60 },
	{ "behind a rest", 74, 10, FRAME | 60, true, 0, QLINK_PARCEL_FRAME, 60, 60 },
	{ "checksum state", 68, 0, CSUM | 64, true, 0, QLINK_PARCEL_FRAME_CSUM, 64, 64 },
	{ "a keepalive", 28, 0, ALIVE | 24, true, 0, QLINK_PARCEL_KEEPALIVE, 24, 24 },
	{ "a keepalive of 25", 29, 0, ALIVE | 25, true, -EBADMSG, 0, 0, 0 },
	{ "a keepalive that is cut", 20, 0, ALIVE | 24, true, 0, QLINK_PARCEL_KEEPALIVE, 24, 16 },
	{ "no such kind", 64, 0, NO_KIND | 60, true, -EBADMSG, 0, 0, 0 },
	{ "no such kind, and empty", 64, 0, NO_KIND, true, -EBADMSG, 0, 0, 0 },
	{ "empty checksum state", 64, 0, CSUM, true, -EBADMSG, 0, 0, 0 },
	{ "cut a byte before its end", 63, 0, FRAME | 60, true, 0, QLINK_PARCEL_FRAME, 60, 59 },
	{ "cut behind its head", 4, 0, FRAME | 60, true, 0, QLINK_PARCEL_FRAME, 60, 0 },
	{ "as large as it can be", 1400, 0, FRAME | 0x3fff, true, 0, QLINK_PARCEL_FRAME, 0x3fff, 1396 },
	{ "one byte", 5, 0, FRAME | 1, true, 0, QLINK_PARCEL_FRAME, 1, 1 },
};

static void put16(u8 *at, unsigned int value)
{
	at[0] = (u8)(value >> 8);
	at[1] = (u8)value;
}

/* In memory of exactly that size, so that AddressSanitizer sees each byte too far. */
static u8 *make_parcel(const struct row *row)
{
	u8 *plaintext = calloc(1, row->bytes);

	if (row->bytes >= 2)
		put16(plaintext, row->first);
	if (row->head && row->bytes >= 4 + row->first)
		put16(plaintext + 2 + row->first, row->head);
	return plaintext;
}

static void test_rows(void)
{
	struct qlink_parcel_walk walk;
	struct qlink_parcel_record record;
	const struct row *row;
	u8 *plaintext;

	for (row = rows; row < rows + ARRAY_SIZE(rows); row++) {
		plaintext = make_parcel(row);
		CHECK_EQ(row->why, qlink_parcel_begin(&walk, plaintext, row->bytes), row->begins);
		if (row->begins) {
			CHECK_EQ(row->why, walk.rest_bytes, row->first);
			if (row->content) {
				CHECK_EQ(row->why, qlink_parcel_next(&walk, &record), 1);
				CHECK_EQ(row->why, record.kind, row->kind);
				CHECK_EQ(row->why, record.bytes, row->content);
				CHECK_EQ(row->why, record.here, row->here);
				CHECK_EQ(row->why, record.content - plaintext, 4 + row->first);
			}
			CHECK_EQ(row->why, qlink_parcel_next(&walk, &record), row->end);
		}
		free(plaintext);
	}
}

/* A single bit of padding that is set, wherever it is. */
static void test_padding(void)
{
	u8 plaintext[200] = { 0 };
	struct qlink_parcel_walk walk;
	struct qlink_parcel_record record;
	unsigned int bit;

	for (bit = 4 * 8; bit < sizeof(plaintext) * 8; bit++) {
		plaintext[bit / 8] ^= 0x80 >> bit % 8;
		CHECK_EQ("begin", qlink_parcel_begin(&walk, plaintext, sizeof(plaintext)), true);
		CHECK_EQ("padding", qlink_parcel_next(&walk, &record), -EBADMSG);
		plaintext[bit / 8] ^= 0x80 >> bit % 8;
	}
}

/* Adds up what a walk finds. Everything it gives out lies inside the parcel, one behind the other. */
static uint64_t walk_all(const u8 *data, size_t size)
{
	struct qlink_parcel_walk walk;
	struct qlink_parcel_record record;
	const u8 *last;
	uint64_t bad = 0;
	size_t i, sum = 0;
	int err;

	if (!qlink_parcel_begin(&walk, data, (unsigned int)size))
		return 0;
	last = walk.rest + walk.rest_bytes;
	bad += walk.rest != data + 2 || last > data + size;
	while ((err = qlink_parcel_next(&walk, &record)) > 0) {
		bad += record.content != last + 2 || record.content + record.here > data + size;
		bad += record.here > record.bytes || record.kind > QLINK_PARCEL_KEEPALIVE || !record.bytes;
		bad += record.here < record.bytes && record.content + record.here != data + size;
		for (i = 0; i < record.here; i++)
			sum += record.content[i];
		last = record.content + record.here;
	}
	return bad + (err && err != -EBADMSG) + (sum == SIZE_MAX);
}

#ifdef UNIT_FUZZ

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	if (walk_all(data, size))
		abort();
	return 0;
}

#else

/* Random parcels, most of whose heads are plausible. */
static void test_random(void)
{
	u8 *data;
	unsigned int i, at;
	size_t size;

	srand(7);
	for (i = 0; i < 100000; i++) {
		size = (size_t)rand() % 300;
		data = malloc(size ?: 1);
		for (at = 0; at < size; at++)
			data[at] = (u8)(rand() % 4 ? 0 : rand());
		CHECK_EQ("inside", walk_all(data, size), 0);
		free(data);
	}
}

static const struct unit_test tests[] = {
	{ "parcel_rows", test_rows },
	{ "parcel_padding", test_padding },
	{ "parcel_random", test_random },
};

int main(void)
{
	return unit_main(tests, ARRAY_SIZE(tests));
}

#endif
