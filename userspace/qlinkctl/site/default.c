// SPDX-License-Identifier: GPL-2.0-or-later
/* The defaults of options of the agent, as qlinkd.conf(5) has them. */
#include "default.h"

#include <string.h>

static const struct {
	enum site_kind kind;
	const char *option, *value;
} defaults[] = {
	{ SITE_AGENT, "control", "/run/qlinkd/control" },
	{ SITE_AGENT, "metrics", "/run/qlinkd/metrics" },
	{ SITE_AGENT, "audit-log", "/var/log/qlinkd/audit" },
	{ SITE_AGENT, "audit-file-mib", "64" },
	{ SITE_AGENT, "audit-file-hours", "24" },
	{ SITE_AGENT, "reconnect-hours", "24" },
	{ SITE_AGENT, "kme-connect-ms", "3000" },
	{ SITE_AGENT, "kme-timeout-ms", "5000" },
	{ SITE_AGENT, "kme-retry-ms", "30000" },
	{ SITE_KME, "dialect", "etsi014" },
	{ SITE_KME, "method", "auto" },
	{ SITE_KME, "psk-hash", "sha384" },
	{ SITE_KME, "parallel", "2" },
	{ SITE_LINK, "mix-least", "1" },
	{ SITE_LINK, "chain-required", "no" },
	{ SITE_LINK, "policy", "prefer-hybrid" },
	{ SITE_LINK, "suite-least", "1" },
	{ SITE_LINK, "store", "20000" },
	{ SITE_LINK, "outage-cover", "1000" },
	{ SITE_LINK, "key-bytes", "64" },
	{ SITE_LINK, "max-age-s", "604800" },
	{ SITE_LINK, "floor-ms", "100" },
	{ SITE_LINK, "ceiling-ms", "120000" },
	{ SITE_LINK, "reserve", "32" },
};

const char *site_default(enum site_kind kind, const char *option)
{
	size_t i;

	for (i = 0; i < sizeof(defaults) / sizeof(defaults[0]); i++)
		if (defaults[i].kind == kind && !strcmp(defaults[i].option, option))
			return defaults[i].value;
	return NULL;
}
