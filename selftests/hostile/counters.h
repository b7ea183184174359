/* SPDX-License-Identifier: GPL-2.0 */
/* What the kernel counts of a link, and of its memory. */
#ifndef COUNTERS_H
#define COUNTERS_H

#include <stdbool.h>
#include <stdint.h>

#include "model.h"

/* What a model counts too. */
struct counters {
	uint64_t n[MODEL_COUNTERS], frames, frame_bytes;
};

/* Looks at qlink0 in the namespace that the process is in; ends the process where there is none. */
void counters_open(void);

/* As they are now. Returns the name of one that no model has and that has moved since the first time, or NULL. */
const char *counters_read(struct counters *counters);

/* Whether a counter of the model is one of those that together count all parcels that have come. */
static inline bool counters_is_of_all(unsigned int counter)
{
	return counter == MODEL_PARCELS || counter == MODEL_REPLAY || counter == MODEL_OLD;
}

/* KiB that the kernel has allocated and cannot take back. */
uint64_t counters_kernel_kib(void);

#endif
