// SPDX-License-Identifier: GPL-2.0
/* What a receiver does with authentic parcels, written from kmod/PROTOCOL.md alone. */
#include "model.h"

#include <string.h>

#define HEADER_AND_TAG	32
#define SHORTEST	46	/* of a sealed frame */
#define ECN_CE		3

const char *const model_counter_names[MODEL_COUNTERS] = {
	[MODEL_PARCELS]		= "rx_parcels",
	[MODEL_BAD]		= "rx_parcel_bad",
	[MODEL_LOST]		= "rx_cut_lost",
	[MODEL_LATE]		= "rx_cut_late",
	[MODEL_SHORT]		= "rx_short",
	[MODEL_NO_MEMORY]	= "rx_no_memory",
	[MODEL_BAD_INNER]	= "rx_bad_inner",
	[MODEL_KEEPALIVE]	= "rx_keepalive",
	[MODEL_REPLAY]		= "rx_replay",
	[MODEL_OLD]		= "rx_old",
};

static uint32_t be16(const uint8_t *at) { return (uint32_t)at[0] << 8 | at[1]; }

void model_forget(struct model *model)
{
	for (unsigned int i = 0; i < MODEL_LANES; i++)
		model->begins[i].is_held = false;
}

unsigned int model_held(const struct model *model)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < MODEL_LANES; i++)
		n += model->begins[i].is_held;
	return n;
}

static void lose(struct model *model, struct model_begin *begin)
{
	begin->is_held = false;
	model->n[MODEL_LOST]++;
}

/* Congestion that any part has met; else the field of the last part. */
static uint8_t worse(uint8_t before, uint8_t now) { return before == ECN_CE ? before : now; }

/* A whole record: the rule about the length of a frame of that type. */
static void take_record(struct model *model, enum model_kind kind, const uint8_t *content,
			uint32_t bytes, uint8_t ecn)
{
	static const uint32_t least[] = { [MODEL_FRAME] = 14, [MODEL_FRAME_CSUM] = 18, [MODEL_ALIVE] = 24 };

	if (bytes < least[kind])
		model->n[MODEL_SHORT]++;
	else
		model->whole(model, kind, content, bytes, ecn);
}

/* The rest of the record that the parcel before this one has cut. */
static void take_rest(struct model *model, struct model_begin *begin,
		      const struct model_parcel *parcel, uint32_t first)
{
	memcpy(begin->content + begin->have, parcel->plaintext + 2, first);
	begin->have += first;
	begin->ecn = worse(begin->ecn, parcel->ecn);
	begin->sequence = parcel->sequence;
	begin->time = parcel->time;
	if (begin->have < begin->bytes)
		return;
	begin->is_held = false;
	take_record(model, begin->kind, begin->content, begin->bytes, begin->ecn);
}

/* The end of the parcel cuts a record: a part of it is there, from @content on. */
static void take_begin(struct model *model, const struct model_parcel *parcel, bool is_older,
		       enum model_kind kind, const uint8_t *content, uint32_t bytes, uint32_t have)
{
	struct model_begin *begin = &model->begins[parcel->lane];

	if (is_older) {
		model->n[MODEL_LOST]++;
		return;
	}
	if (parcel->lacks_memory) {
		model->n[MODEL_NO_MEMORY]++;
		return;
	}
	begin->is_held = true;
	begin->kind = kind;
	begin->ecn = parcel->ecn;
	begin->epoch = parcel->epoch;
	begin->sequence = parcel->sequence;
	begin->time = parcel->time;
	begin->bytes = bytes;
	begin->have = have;
	memcpy(begin->content, content, have);
}

/* What follows the rest, from @at on. */
static void take_records(struct model *model, const struct model_parcel *parcel, bool is_older,
			 uint32_t at)
{
	uint32_t head, bytes, left;
	enum model_kind kind;

	while (at + 2 <= parcel->bytes && (head = be16(parcel->plaintext + at))) {
		kind = head >> 14;
		bytes = head & MODEL_RECORD_BYTES;
		if (kind == MODEL_NO_KIND || !bytes || (kind == MODEL_ALIVE && bytes != 24)) {
			model->n[MODEL_BAD]++;
			return;
		}
		at += 2;
		left = parcel->bytes - at;
		if (bytes > left) {
			take_begin(model, parcel, is_older, kind, parcel->plaintext + at, bytes, left);
			return;
		}
		if (parcel->lacks_memory)
			model->n[MODEL_NO_MEMORY]++;
		else
			take_record(model, kind, parcel->plaintext + at, bytes, parcel->ecn);
		at += bytes;
	}
	for (; at < parcel->bytes; at++) {
		if (parcel->plaintext[at]) {
			model->n[MODEL_BAD]++;
			return;
		}
	}
}

void model_take(struct model *model, const struct model_parcel *parcel)
{
	struct model_begin *begin = &model->begins[parcel->lane];
	uint32_t first = be16(parcel->plaintext), room = parcel->bytes - 2, missing;
	bool is_next = false, is_older = false;

	model->n[MODEL_PARCELS]++;
	if (begin->is_held) {
		is_older = parcel->epoch < begin->epoch ||
			   (parcel->epoch == begin->epoch && parcel->sequence < begin->sequence);
		is_next = parcel->epoch == begin->epoch && parcel->sequence == begin->sequence + 1 &&
			  parcel->time - begin->time <= model->ticks_per_second;
		if (!is_next && !is_older)
			lose(model, begin);
	}

	missing = is_next ? begin->bytes - begin->have : UINT32_MAX;
	if (first > room || (is_next && first && (first > missing || (first < missing && first < room)))) {
		if (is_next)
			lose(model, begin);
		model->n[MODEL_BAD]++;
		return;
	}
	if (is_next && !first)
		lose(model, begin);
	else if (is_next)
		take_rest(model, begin, parcel, first);
	else if (first)
		model->n[MODEL_LATE]++;
	take_records(model, parcel, is_older, 2 + first);
}

static struct model_window *window_of(struct model *model, const struct model_parcel *parcel)
{
	unsigned int i = 0;

	while (i < MODEL_EPOCHS - 1 && model->epochs[i] != parcel->epoch)
		i++;
	return &model->windows[i][parcel->lane];
}

void model_receive(struct model *model, const struct model_parcel *parcel)
{
	struct model_window *window = window_of(model, parcel);
	uint64_t *seen = &window->seen[parcel->sequence % MODEL_WINDOW];

	if (parcel->bytes + HEADER_AND_TAG < SHORTEST) {
		model->n[MODEL_SHORT]++;
	} else if (parcel->sequence + MODEL_WINDOW <= window->top) {
		model->n[MODEL_OLD]++;
	} else if (*seen == parcel->sequence) {
		model->n[MODEL_REPLAY]++;
	} else {
		*seen = parcel->sequence;
		if (parcel->sequence > window->top)
			window->top = parcel->sequence;
		model_take(model, parcel);
	}
}

void model_deliver(struct model *model, enum model_kind kind, const uint8_t *content,
		   uint32_t bytes, uint8_t ecn)
{
	uint32_t start;

	(void)ecn;
	if (kind == MODEL_ALIVE) {
		model->n[MODEL_KEEPALIVE]++;
		return;
	}
	if (kind == MODEL_FRAME_CSUM) {
		start = be16(content);
		bytes -= 4;
		if (start < 14 || start + be16(content + 2) + 2 > bytes) {
			model->n[MODEL_BAD_INNER]++;
			return;
		}
	}
	model->frames++;
	model->frame_bytes += bytes;
}
