// SPDX-License-Identifier: GPL-2.0-or-later
/* What every room of the agent uses: the broker, the log, the audit log, the clock. */
#include "services.h"

#include <string.h>
#include <time.h>

#define COMPLAIN_EVERY	1000

uint64_t services_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void services_audit(struct services *services, const char *members)
{
	int err;

	if (services->audit.fd < 0)
		return;
	err = audit_append(&services->audit, members);
	if (err && services->audit_errors++ % COMPLAIN_EVERY == 0)
		TELL(services, LOG_ERR, "audit-not-written", TEXT("why", strerror(-err)),
		     NUMBER_OF("lines", services->audit_errors));
}
