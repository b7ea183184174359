/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What every room of the agent uses: the broker, the log, the audit log, the clock. */
#ifndef QLINKD_SERVICES_H
#define QLINKD_SERVICES_H

#include <stdint.h>
#include <syslog.h>

#include "qlinkd/audit/audit.h"
#include "qlinkd/base/log.h"
#include "qlinkd/base/seen.h"
#include "qlinkd/broker/client.h"
#include "qlinkd/state/state.h"

struct kme_loop;

/**
 * struct services - one of each
 */
struct services {
	/** @broker: the way to the kernel */
	struct broker_client broker;

	/** @log: events, on standard error */
	struct log log;

	/** @audit: the audit log; %NULL for none */
	struct audit *audit;

	/** @kmes: where the requests of all links to KMEs run */
	struct kme_loop *kmes;

	/** @audit_seen: how the audit log did at the last beat */
	struct audit_state audit_seen;

	/** @audit_told_ms: when the log last said that it is not written; 0 if it is written */
	uint64_t audit_told_ms;

	/** @state: the chains that are kept over a restart; %NULL if none are */
	struct state *state;

	/** @state_err: why the state file was not written at the last beat, a negative errno */
	int state_err;

	/** @state_told_ms: when the log last said that it is not written; 0 if it is written */
	uint64_t state_told_ms;

	/** @look_ms: how often a link reads its device when nothing happens, if that is above 1000 */
	uint64_t look_ms;

	/** @keys_seen: the last keys of all KMEs and links, so that none is used twice */
	struct seen keys_seen;
};

/**
 * services_now() - read the clock that all periods are measured with
 *
 * Return: CLOCK_BOOTTIME in ms.
 */
uint64_t services_now(void);

/**
 * services_audit() - add an event to the audit log
 * @services: the services
 * @event: as audit_add() takes it
 * @fields: likewise
 */
void services_audit(struct services *services, const char *event, const struct log_field *fields);

/**
 * services_watch_audit() - log what was found of the audit log, that it is not written, or that it
 * is written again
 * @services: the services
 *
 * The change at once, then one line a minute while it lasts. To be called every second.
 */
void services_watch_audit(struct services *services);

/**
 * services_tell_state() - log what was found in the state file
 * @services: the services; the links of the configuration were named to the state
 * @path: of the file
 *
 * To be called once, at the start.
 */
void services_tell_state(struct services *services, const char *path);

/**
 * services_watch_state() - log that the state file is not written, or that it is written again
 * @services: the services
 *
 * As services_watch_audit() does.
 */
void services_watch_state(struct services *services);

/* Log an event with fields, each a struct log_field in braces. */
#define TELL(services, level, event, ...)				\
	log_write(&(services)->log, (level), (event),			\
		  (const struct log_field[]){ __VA_ARGS__, { .name = NULL } },	\
		  services_now())

/* Add an event with fields to the audit log. */
#define AUDIT(services, event, ...)					\
	services_audit((services), (event),				\
		       (const struct log_field[]){ __VA_ARGS__, { .name = NULL } })

/* Their fields. */
#define TEXT(field, value)	{ .name = (field), .text = (value) }
#define NUMBER_OF(field, value)	{ .name = (field), .number = (value) }

#endif
