// SPDX-License-Identifier: GPL-2.0
/* Makes parcels as a peer would that wants to harm the receiver: most are nearly right. */
#include "maker.h"

#include <string.h>

#define RECORD_BYTES_MAX	16383
#define KEEPALIVE_BYTES		24
#define WINDOW			4096
#define SHORTEST		14	/* plaintext that a receiver opens */

enum { FRAME, FRAME_CSUM, KEEPALIVE, NO_KIND };

static void put16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static uint32_t get16(const uint8_t *at) { return (uint32_t)at[0] << 8 | at[1]; }

/* No two places in a parcel look alike. */
static void fill(struct maker *maker, uint8_t *at, uint32_t bytes)
{
	for (; bytes; bytes--, at++) {
		maker->filler = maker->filler * 1664525 + 1013904223;
		*at = (uint8_t)(maker->filler >> 24);
	}
}

/* Epochs mostly grow; now and then a single parcel is of another one. */
static unsigned int choose_epoch(struct maker *maker, struct maker_lane *lane)
{
	struct dice *dice = &maker->dice;

	switch (dice_roll(dice, 128)) {
	case 1:
		lane->epoch += lane->epoch + 1 < maker->n_epochs;
		break;
	case 2:
		if (dice_hits(dice, 8))
			lane->epoch = 0;
		break;
	case 3:
	case 4:
		return dice_roll(dice, maker->n_epochs);
	}
	return lane->epoch;
}

/* Epoch and sequence: mostly the next one; sometimes none follows, and it is an old or a repeated one. */
static void choose_place(struct maker *maker, struct maker_lane *lane, struct maker_parcel *parcel)
{
	unsigned int epoch = choose_epoch(maker, lane);
	uint64_t *last = &lane->sequence[epoch], back;
	struct dice *dice = &maker->dice;

	parcel->lane = (uint8_t)(lane - maker->lanes);
	parcel->epoch = maker->epochs[epoch];
	switch (dice_roll(dice, 48)) {
	case 1:
	case 2:
		*last += 2 + dice_roll(dice, 8);
		break;
	case 3:
		*last += WINDOW - 2 + dice_roll(dice, 5);
		break;
	case 4:
	case 5:
	case 6:
		back = dice_roll(dice, 8);
		parcel->sequence = *last > back ? *last - back : 1;
		return;
	case 7:
		back = WINDOW - 2 + dice_roll(dice, 5);
		parcel->sequence = *last > back ? *last - back : 1;
		return;
	default:
		++*last;
	}
	parcel->sequence = *last;
}

static uint32_t choose_bytes(struct maker *maker)
{
	struct dice *dice = &maker->dice;

	switch (dice_roll(dice, 32)) {
	case 1:
	case 2:
	case 3:
		return SHORTEST + dice_roll(dice, 16);
	case 4:
		return dice_roll(dice, SHORTEST);
	case 5:
		return maker->usual_bytes;
	case 6:
		return dice_hits(dice, 8) ? maker->most_bytes - dice_roll(dice, 256) : maker->usual_bytes - 1;
	default:
		return SHORTEST + dice_roll(dice, maker->usual_bytes - SHORTEST);
	}
}

/* A record of which a receiver can make nothing any more: mostly it is not gone on with. */
static void give_up(struct maker *maker, struct maker_lane *lane)
{
	if (!dice_hits(&maker->dice, 4))
		lane->missing = 0;
}

/* Says how much belongs to an earlier record, mostly the truth. Returns where the records begin. */
static uint32_t put_first(struct maker *maker, struct maker_lane *lane, struct maker_parcel *parcel)
{
	struct dice *dice = &maker->dice;
	uint32_t room = parcel->bytes - 2, right = lane->missing < room ? lane->missing : room;
	uint32_t first = right;

	switch (dice_roll(dice, 40)) {
	case 1:
		first = 0;
		break;
	case 2:
		first++;
		break;
	case 3:
		first -= first > 0;
		break;
	case 4:
		first = room;
		break;
	case 5:
		first = room + 1;
		break;
	case 6:
		first = dice_roll(dice, 65536);
		break;
	}
	put16(parcel->plaintext, first);
	if (first > room)
		first = room;
	lane->missing -= right;
	if (first != right)
		give_up(maker, lane);
	fill(maker, parcel->plaintext + 2, first);
	return 2 + first;
}

static uint32_t choose_length(struct maker *maker, uint32_t left)
{
	static const uint16_t some[] = { 60, 60, 60, 1, 13, 14, 17, 18, 24, 64, 100, 100, 300, 700, 1400,
					 1500, 3000, 9000, 16000, RECORD_BYTES_MAX };
	struct dice *dice = &maker->dice;
	uint32_t which = dice_roll(dice, 26);

	/* A record of many parcels is seldom whole in the end. */
	if (which < sizeof(some) / sizeof(some[0]))
		return some[which] < 4 * maker->usual_bytes || dice_hits(dice, 8) ? some[which] : 200;
	left = left < RECORD_BYTES_MAX ? left : RECORD_BYTES_MAX - 1;
	switch (which) {
	case 20:
		return left;
	case 21:
		return left > 1 ? left - 1 : 1;
	case 22:
		return left + 1;
	case 23:
		return left > 2 ? left - 2 : 1;
	case 24:
		return 1 + dice_roll(dice, 40);
	default:
		return 1 + dice_roll(dice, dice_hits(dice, 4) ? RECORD_BYTES_MAX : 600);
	}
}

/* Kind and length of a record; some are of no kind, without content or no keepalive. */
static uint32_t choose_head(struct maker *maker, uint32_t left)
{
	uint32_t length = choose_length(maker, left), kind = FRAME;
	struct dice *dice = &maker->dice;

	switch (dice_roll(dice, 24)) {
	case 1:
	case 2:
	case 3:
	case 4:
		kind = FRAME_CSUM;
		break;
	case 5:
	case 6:
		kind = KEEPALIVE;
		length = dice_hits(dice, 8) ? length : KEEPALIVE_BYTES;
		break;
	case 7:
		kind = dice_hits(dice, 4) ? NO_KIND : FRAME_CSUM;
		length = dice_hits(dice, 4) ? 0 : length;
		break;
	}
	return kind << 14 | length;
}

/* Of an unfinished checksum: mostly inside the frame. */
static void put_csum(struct maker *maker, uint8_t *at, uint32_t inner)
{
	struct dice *dice = &maker->dice;

	if (dice_hits(dice, 6)) {
		put16(at, dice_roll(dice, 65536));
		put16(at + 2, dice_roll(dice, 65536));
	} else {
		put16(at, 12 + dice_roll(dice, inner + 2));
		put16(at + 2, dice_roll(dice, 24));
	}
}

/* A record, or as much of it as there is room for. Returns where it ends. */
static uint32_t put_record(struct maker *maker, struct maker_lane *lane, struct maker_parcel *parcel,
			   uint32_t at)
{
	uint32_t left = parcel->bytes - at - 2, head = choose_head(maker, left);
	uint32_t length = head & RECORD_BYTES_MAX, here = length < left ? length : left;

	put16(parcel->plaintext + at, head);
	at += 2;
	fill(maker, parcel->plaintext + at, here);
	if (head >> 14 == FRAME_CSUM && here > 4)
		put_csum(maker, parcel->plaintext + at, length);
	lane->missing = length - here;
	if (!length || head >> 14 == NO_KIND || (head >> 14 == KEEPALIVE && length != KEEPALIVE_BYTES))
		give_up(maker, lane);
	return at + here;
}

/* Zeros, among which a byte may be another. */
static void put_padding(struct maker *maker, struct maker_parcel *parcel, uint32_t at)
{
	uint32_t bytes = parcel->bytes - at;

	memset(parcel->plaintext + at, 0, bytes);
	if (bytes && dice_hits(&maker->dice, 24))
		parcel->plaintext[at + dice_roll(&maker->dice, bytes)] = 1;
}

/* Changes bytes after all, most of them where first or a head may be. */
static void spoil(struct maker *maker, struct maker_parcel *parcel)
{
	struct dice *dice = &maker->dice;
	uint32_t first = get16(parcel->plaintext), at;

	at = dice_roll(dice, dice_hits(dice, 3) ? parcel->bytes : 8);
	if (dice_hits(dice, 3) && 2 + first < parcel->bytes)
		at = 2 + first;
	if (at + 1 >= parcel->bytes)
		at = 0;
	switch (dice_roll(dice, 6)) {
	case 1:
		put16(parcel->plaintext + at, 0xffff);
		break;
	case 2:
		put16(parcel->plaintext + at, get16(parcel->plaintext + at) + 1);
		break;
	case 3:
		put16(parcel->plaintext + at, get16(parcel->plaintext + at) - 1);
		break;
	case 4:
		put16(parcel->plaintext + at, dice_roll(dice, 65536));
		break;
	case 5:
		parcel->bytes -= dice_roll(dice, parcel->bytes > 256 ? 256 : parcel->bytes);
		break;
	default:
		parcel->plaintext[at] ^= 1 << dice_roll(dice, 8);
	}
}

/* All bytes by the dice. */
static void put_noise(struct maker *maker, struct maker_parcel *parcel)
{
	for (uint32_t at = 0; at < parcel->bytes; at++)
		parcel->plaintext[at] = (uint8_t)dice_roll(&maker->dice, 256);
}

void maker_make(struct maker *maker, struct maker_parcel *parcel)
{
	struct dice *dice = &maker->dice;
	struct maker_lane *lane = &maker->lanes[dice_roll(dice, maker->n_lanes)];
	uint64_t was = lane->sequence[lane->epoch], is;
	uint32_t missing = lane->missing, at;

	choose_place(maker, lane, parcel);
	is = lane->sequence[lane->epoch];
	if (is != was && is != was + 1)
		give_up(maker, lane);
	parcel->bytes = choose_bytes(maker);
	if (parcel->bytes < 4 || dice_hits(dice, 48)) {
		put_noise(maker, parcel);
		give_up(maker, lane);
		return;
	}
	at = put_first(maker, lane, parcel);
	while (at + 2 <= parcel->bytes && !dice_hits(dice, 10))
		at = put_record(maker, lane, parcel, at);
	put_padding(maker, parcel, at);
	if (dice_hits(dice, 16)) {
		spoil(maker, parcel);
		give_up(maker, lane);
	}
	/* What is older does not end what the lane goes on with. */
	if (parcel->sequence != is || is == was)
		lane->missing = missing;
}

/* The next parcel of a lane, without a rest. */
static void put_next(struct maker *maker, unsigned int lane, struct maker_parcel *parcel, uint32_t bytes)
{
	struct maker_lane *of = &maker->lanes[lane];

	of->missing = 0;
	parcel->lane = (uint8_t)lane;
	parcel->epoch = maker->epochs[maker->n_epochs - 1];
	parcel->sequence = of->sequence[maker->n_epochs - 1] += 2;
	parcel->bytes = bytes;
	memset(parcel->plaintext, 0, bytes);
}

void maker_begin(struct maker *maker, unsigned int lane, struct maker_parcel *parcel)
{
	put_next(maker, lane, parcel, 64);
	put16(parcel->plaintext + 2, FRAME << 14 | RECORD_BYTES_MAX);
	fill(maker, parcel->plaintext + 4, 60);
}

void maker_end(struct maker *maker, unsigned int lane, struct maker_parcel *parcel)
{
	put_next(maker, lane, parcel, SHORTEST);
}
