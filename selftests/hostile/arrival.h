/* SPDX-License-Identifier: GPL-2.0 */
/* A parcel of the maker as it arrives at the model. */
#ifndef ARRIVAL_H
#define ARRIVAL_H

#include "maker.h"
#include "model.h"

/* At a time in the model's ticks. The plaintext stays @made's. */
static inline struct model_parcel arrival(const struct maker_parcel *made, uint64_t time)
{
	return (struct model_parcel){
		.lane = made->lane,
		.epoch = made->epoch,
		.sequence = made->sequence,
		.time = time,
		.bytes = made->bytes,
		.plaintext = made->plaintext,
	};
}

#endif
