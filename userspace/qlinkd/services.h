/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What every room of the agent uses: the broker, the log, the audit log, the clock. */
#ifndef QLINKD_SERVICES_H
#define QLINKD_SERVICES_H

#include <stdint.h>
#include <syslog.h>

#include "qlinkd/base/audit.h"
#include "qlinkd/base/log.h"
#include "qlinkd/broker/client.h"

/**
 * struct services - one of each
 */
struct services {
	/** @broker: the way to the kernel */
	struct broker_client broker;

	/** @log: events, on standard error */
	struct log log;

	/** @audit: the audit log */
	struct audit audit;

	/** @audit_errors: lines that could not be written */
	uint64_t audit_errors;
};

/**
 * services_now() - read the clock that all periods are measured with
 *
 * Return: CLOCK_BOOTTIME in ms.
 */
uint64_t services_now(void);

/**
 * services_audit() - write a line of the audit log
 * @services: the services
 * @members: as audit_append() takes them
 *
 * Lines that cannot be written are counted; one in a thousand is logged.
 */
void services_audit(struct services *services, const char *members);

/* Log an event with fields, each a struct log_field in braces. */
#define TELL(services, level, event, ...)				\
	log_write(&(services)->log, (level), (event),			\
		  (const struct log_field[]){ __VA_ARGS__, { .name = NULL } },	\
		  services_now())

/* Its fields. */
#define TEXT(field, value)	{ .name = (field), .text = (value) }
#define NUMBER_OF(field, value)	{ .name = (field), .number = (value) }

#endif
