// SPDX-License-Identifier: GPL-2.0-or-later
/* What every room of the agent uses: the broker, the log, the audit log, the clock. */
#include "services.h"

#include <string.h>

#include "qlinkd/base/clock.h"

/* Between two lines about an audit log that is still not written. */
#define REMIND_MS	60000

uint64_t services_now(void)
{
	return clock_ms(CLOCK_BOOTTIME);
}

void services_audit(struct services *services, const char *event, const struct log_field *fields)
{
	if (services->audit)
		audit_add(services->audit, services_now(), event, fields);
}

/* Says what is wrong with the log that was found. */
static void tell_tail(struct services *services, const struct audit_tail *tail)
{
	if (!tail->file)
		TELL(services, LOG_NOTICE, "audit-begun", NUMBER_OF("line", tail->point.number + 1));
	else if (!tail->has_checkpoint)
		TELL(services, LOG_ERR, "audit-no-checkpoint", NUMBER_OF("file", tail->file));
	if (tail->damaged[0])
		TELL(services, LOG_ERR, "audit-damaged", NUMBER_OF("file", tail->file),
		     NUMBER_OF("from-byte", tail->good), NUMBER_OF("bytes", tail->size - tail->good));
	if (tail->lost)
		TELL(services, LOG_ERR, "audit-lost", NUMBER_OF("lines", tail->lost),
		     NUMBER_OF("after-line", tail->point.number),
		     NUMBER_OF("file", tail->checkpoint.file));
}

void services_watch_audit(struct services *services)
{
	struct audit_state *seen = &services->audit_seen, state;
	uint64_t now = services_now();
	bool fails, is_new;

	if (!services->audit)
		return;
	audit_read_state(services->audit, &state);
	if (state.is_found && !seen->is_found)
		tell_tail(services, &state.tail);
	if (state.changed != seen->changed)
		TELL(services, LOG_ERR, "audit-changed", NUMBER_OF("next-file", state.file));
	/* A disk that is only slow gives no error; in the end the queue overflows. */
	fails = state.err || state.is_slow || state.dropped != seen->dropped;
	is_new = !services->audit_told_ms || (state.err && state.err != seen->err);
	*seen = state;
	if (fails && (is_new || now - services->audit_told_ms >= REMIND_MS)) {
		TELL(services, LOG_ERR, "audit-not-written",
		     TEXT("why", state.err ? strerror(-state.err) : "the disk is too slow"),
		     NUMBER_OF("queued-bytes", state.queued), NUMBER_OF("dropped", state.dropped));
		services->audit_told_ms = now;
	} else if (!state.err && !state.is_slow && services->audit_told_ms && !state.queued) {
		TELL(services, LOG_NOTICE, "audit-written", NUMBER_OF("dropped", state.dropped));
		services->audit_told_ms = 0;
	}
}
