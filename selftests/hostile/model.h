/* SPDX-License-Identifier: GPL-2.0 */
/* What a receiver does with authentic parcels, written from kmod/PROTOCOL.md alone. */
#ifndef MODEL_H
#define MODEL_H

#include <stdbool.h>
#include <stdint.h>

#define MODEL_LANES		256
#define MODEL_EPOCHS		4	/* whose windows are known at a time */
#define MODEL_WINDOW		4096
#define MODEL_RECORD_BYTES	16383

enum model_kind { MODEL_FRAME, MODEL_FRAME_CSUM, MODEL_ALIVE, MODEL_NO_KIND };

enum model_counter {
	MODEL_PARCELS,
	MODEL_BAD,
	MODEL_LOST,
	MODEL_LATE,
	MODEL_SHORT,
	MODEL_NO_MEMORY,
	MODEL_BAD_INNER,
	MODEL_KEEPALIVE,
	MODEL_REPLAY,
	MODEL_OLD,
	MODEL_COUNTERS,
};

/* As ethtool -S has them. */
extern const char *const model_counter_names[MODEL_COUNTERS];

/* A parcel as it arrives. */
struct model_parcel {
	uint8_t lane;
	/* of the outer header */
	uint8_t ecn;
	/* there is none for records that begin in this parcel */
	bool lacks_memory;
	uint64_t epoch, sequence;
	/* when it arrives, in ticks */
	uint64_t time;
	uint32_t bytes;
	const uint8_t *plaintext;
};

/* The begin of a record that the end of a parcel has cut. */
struct model_begin {
	bool is_held;
	uint8_t kind, ecn;
	uint64_t epoch, sequence, time;
	uint32_t bytes, have;
	uint8_t content[MODEL_RECORD_BYTES];
};

/* The sequences of a lane under an epoch that have come, each at its remainder. */
struct model_window { uint64_t top, seen[MODEL_WINDOW]; };

struct model {
	/* one for each lane */
	struct model_begin begins[MODEL_LANES];
	struct model_window windows[MODEL_EPOCHS][MODEL_LANES];
	/* whose windows these are, 0 for none */
	uint64_t epochs[MODEL_EPOCHS];
	uint64_t ticks_per_second;
	uint64_t n[MODEL_COUNTERS];
	/* what model_deliver() has delivered */
	uint64_t frames, frame_bytes;
	/* called for each record that is whole and long enough */
	void (*whole)(struct model *model, enum model_kind kind, const uint8_t *content,
		      uint32_t bytes, uint8_t ecn);
};

/* Forgets all begins; everything else stays. */
void model_forget(struct model *model);

/* How many begins it holds. */
unsigned int model_held(const struct model *model);

/* Section 7: a parcel that has passed all other rules. */
void model_take(struct model *model, const struct model_parcel *parcel);

/* Section 3 and then 7: an authentic parcel, under one of @epochs. */
void model_receive(struct model *model, const struct model_parcel *parcel);

/* For @whole: counts what a device delivers, which looks at checksum states. */
void model_deliver(struct model *model, enum model_kind kind, const uint8_t *content,
		   uint32_t bytes, uint8_t ecn);

#endif
