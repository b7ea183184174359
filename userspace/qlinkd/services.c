// SPDX-License-Identifier: GPL-2.0-or-later
/* What every room of the agent uses: the broker, the log, the audit log, the clock. */
#include "services.h"

#include <errno.h>
#include <string.h>

#include "qlinkd/base/clock.h"

/* Between two lines about an audit log or a state file that is still not written. */
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

void services_tell_state(struct services *services, const char *path)
{
	struct state_status status;

	if (!services->state)
		return;
	state_read_status(services->state, &status);
	if (status.is_new)
		TELL(services, LOG_NOTICE, "state-begun", TEXT("file", path));
	else if (status.unread)
		TELL(services, LOG_ERR, "state-not-read", TEXT("file", path),
		     TEXT("why", strerror(-status.unread)));
	else
		TELL(services, status.damaged || status.foreign ? LOG_ERR :
		     status.others ? LOG_NOTICE : LOG_INFO, "state-read", TEXT("file", path),
		     NUMBER_OF("links", status.links), NUMBER_OF("others", status.others),
		     NUMBER_OF("damaged", status.damaged), NUMBER_OF("other-key", status.foreign));
}

void services_watch_state(struct services *services)
{
	struct state_status status;
	uint64_t now = services_now();
	int err;

	if (!services->state)
		return;
	state_read_status(services->state, &status);
	/* A slow disk gives no error. */
	err = status.err ?: status.is_slow ? -ETIMEDOUT : status.lost ? -ENOMEM : 0;
	if (err && (err != services->state_err || now - services->state_told_ms >= REMIND_MS)) {
		TELL(services, LOG_ERR, "state-not-written",
		     TEXT("why", err == -ETIMEDOUT ? "the disk is too slow" : strerror(-err)),
		     NUMBER_OF("links", status.waiting));
		services->state_told_ms = now;
	} else if (!err && services->state_err) {
		TELL(services, LOG_NOTICE, "state-written", NUMBER_OF("slots", status.written));
	}
	services->state_err = err;
}
