// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libFuzzer on the peer's messages: a message that is accepted encodes to the
 * same bytes again, and one that is refused has a reason.
 */
#include "qlinkd/agreement/message.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t again[MSG_BYTES_MAX];
	struct qlink_why why = { "" };
	struct msg msg;
	size_t want;

	if (msg_length(data, len, &want, &why))
		return 0;
	if (msg_decode(&msg, data, len, &why)) {
		if (!why.text[0])
			abort();
		return 0;
	}
	if (msg_encode(&msg, again, sizeof(again)) != (int)len ||
	    memcmp(again, data, len))
		abort();
	return 0;
}
