// SPDX-License-Identifier: GPL-2.0
/* Prints hostile parcels, and what the model says a receiver does with them.
 *
 * usage: dump SEED COUNT
 *
 * A line for each: lane, epoch and sequence, the plaintext in hex, the counters that move, and the inner frames that are
 * delivered, in hex; "-" for none.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arrival.h"

static struct model model;
static struct maker maker;
static struct maker_parcel made;
/* The frames that the current parcel delivers. */
static char inners[4 * MAKER_BYTES_MAX];
static size_t n_inners;

static size_t put_hex(char *to, const uint8_t *from, uint32_t bytes)
{
	for (uint32_t i = 0; i < bytes; i++)
		sprintf(to + 2 * i, "%02x", from[i]);
	return 2 * bytes;
}

static void note(struct model *of, enum model_kind kind, const uint8_t *content, uint32_t bytes, uint8_t ecn)
{
	uint64_t before = of->frames;
	uint32_t state = kind == MODEL_FRAME_CSUM ? 4 : 0;

	model_deliver(of, kind, content, bytes, ecn);
	if (of->frames == before)
		return;
	if (n_inners)
		inners[n_inners++] = ',';
	n_inners += put_hex(inners + n_inners, content + state, bytes - state);
}

static void print_counters(const uint64_t *before)
{
	const char *between = " ";

	for (unsigned int i = 0; i < MODEL_COUNTERS; i++) {
		for (uint64_t n = before[i]; n < model.n[i]; n++) {
			printf("%s%s", between, model_counter_names[i]);
			between = ",";
		}
	}
	if (*between == ' ')
		printf(" -");
}

static void print_one(void)
{
	static char hex[2 * MAKER_BYTES_MAX + 1];
	uint64_t before[MODEL_COUNTERS];
	struct model_parcel parcel;

	maker_make(&maker, &made);
	memcpy(before, model.n, sizeof(before));
	n_inners = 0;
	parcel = arrival(&made, 0);
	model_receive(&model, &parcel);
	hex[put_hex(hex, made.plaintext, made.bytes)] = '\0';
	printf("%u %" PRIu64 " %" PRIu64 " %s", made.lane, made.epoch, made.sequence, *hex ? hex : "-");
	print_counters(before);
	printf(" %.*s\n", n_inners ? (int)n_inners : 1, n_inners ? inners : "-");
}

int main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	maker.dice = dice_of_seed((uint64_t)atoll(argv[1]));
	maker.n_lanes = 3;
	maker.n_epochs = 2;
	maker.most_bytes = MAKER_BYTES_MAX / 4;
	maker.usual_bytes = 400;
	model.whole = note;
	for (unsigned int i = 0; i < maker.n_epochs; i++)
		maker.epochs[i] = model.epochs[i] = 1 + i;
	for (long left = atol(argv[2]); left; left--)
		print_one();
	return 0;
}
