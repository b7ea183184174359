// SPDX-License-Identifier: GPL-2.0
/* Any bytes taken for a message of the peer are read within their bounds, and what is accepted keeps the rules. */
/* cbmc: --unwind 17 */
/* mutant: userspace/qlinkd/agreement/message.c s/in->left < len/in->left + 1 < len/ */
/* mutant: userspace/qlinkd/agreement/message.c s/withdraw->range.first,$/0,/ */
#include "nondet.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

/* The text of a refusal; nothing follows from it. */
static int write_nothing(char *text, size_t room, const char *format, va_list args)
{
	(void)format;
	(void)args;
	assert(text && room);
	return nondet_u8();
}
#define vsnprintf write_nothing
#include "qlinkd/agreement/message.c"
#undef vsnprintf
#include "qlinkd/agreement/policy.c"
#include "qlinkd/agreement/suite.c"

static void check_ring(const struct session_ring *ring)
{
	uint64_t last = 0;
	uint8_t i;

	assert(ring->newest <= SESSION_EPOCH_MAX && ring->n_held <= SESSION_RANGES_MAX);
	for (i = 0; i < ring->n_held; i++) {
		assert(ring->held[i].first > last && ring->held[i].first <= ring->held[i].last);
		last = ring->held[i].last;
	}
	assert(last <= ring->newest);
}

static void check_offer(const struct session_offer *offer)
{
	assert(offer->n >= 1 && offer->n <= SESSION_OFFER_MAX && offer->first);
	assert(offer->first + offer->n - 1 <= SESSION_EPOCH_MAX);
	assert(offer->n_kmes <= SESSION_KMES_MAX && offer->n * offer->n_kmes <= SESSION_KEY_IDS_MAX);
}

void harness(void)
{
	size_t len = nondet_size(), want;
	struct qlink_why why;
	struct msg msg;
	uint8_t room[BYTES], *data;

	__CPROVER_assume(len >= 1 && len <= BYTES);
	/* It ends where the array does. */
	data = room + BYTES - len;
#ifdef TYPE
	__CPROVER_assume(len < 6 || data[5] == TYPE);
#endif
	if (!msg_length(data, len, &want, &why))
		assert(want >= MSG_HEADER_BYTES && want <= MSG_BYTES_MAX);
	if (msg_decode(&msg, data, len, &why))
		return;
	assert(msg.link_id && msg.core.from);
	if (msg.core.type == SESSION_MESSAGE_STATE) {
		check_ring(&msg.core.state.rings.tx);
		check_ring(&msg.core.state.rings.rx);
		assert(msg.core.state.sources && msg.core.state.n_kmes <= SESSION_NODES_MAX);
	} else if (msg.core.type == SESSION_MESSAGE_OFFER) {
		check_offer(&msg.core.offer);
	} else if (msg.core.type == SESSION_MESSAGE_WITHDRAW) {
		assert(msg.core.withdraw.range.first && msg.core.withdraw.range.first <= msg.core.withdraw.range.last);
	}
}
