// SPDX-License-Identifier: GPL-2.0
/* Any bytes taken for a parcel are read within their bounds, and the walk ends. */
/* cbmc: --unwind BYTES+2 */
/* mutant: kmod/parcel.c s/left - QLINK_PARCEL_HEAD_BYTES)/left)/ */
/* mutant: kmod/parcel.c s/walk->rest_bytes > bytes - QLINK_PARCEL_FIRST_BYTES/walk->rest_bytes > bytes/ */
#include "nondet.h"

#include "../../kmod/parcel.c"

void harness(void)
{
	unsigned int bytes = nondet_u32(), n = 0;
	struct qlink_parcel_record record;
	struct qlink_parcel_walk walk;
	const u8 *end, *plaintext;
	u8 room[BYTES];
	int got;

	__CPROVER_assume(bytes && bytes <= BYTES);
	/* It ends where the array does. */
	plaintext = room + BYTES - bytes;
	if (!qlink_parcel_begin(&walk, plaintext, bytes))
		return;
	end = plaintext + bytes;
	assert(walk.rest + walk.rest_bytes <= end && walk.end == end);
	while ((got = qlink_parcel_next(&walk, &record)) > 0) {
		n++;
		assert(record.bytes && record.here <= record.bytes && record.kind < QLINK_PARCEL_KINDS);
		assert(record.content >= plaintext && record.content + record.here <= end);
		/* Only the end cuts a record. */
		assert(record.here == record.bytes || walk.at == end);
	}
	assert(n <= bytes / QLINK_PARCEL_HEAD_BYTES);
	assert(!got || got == -EBADMSG);
}
