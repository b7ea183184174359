// SPDX-License-Identifier: GPL-2.0-or-later
/* The status of a site, as it is put into etcd. */
#include "standing.h"

static json_t *revision(uint64_t number)
{
	return number ? json_integer((json_int_t)number) : json_null();
}

char *standing_text(const struct standing *standing, time_t now)
{
	const char *why = standing->outcome->why;
	char time[32];
	struct tm at;
	json_t *status;
	char *text;

	gmtime_r(&now, &at);
	strftime(time, sizeof(time), "%Y-%m-%dT%H:%M:%SZ", &at);
	status = json_pack("{s:s,s:s,s:s,s:o,s:o,s:s,s:o,s:o}", "site", standing->site, "version", QLINK_VERSION, "time", time,
			   "wanted", revision(standing->wanted), "applied", revision(standing->applied),
			   "outcome", outcome_name(standing->outcome->kind), "why", *why ? json_string(why) : json_null(),
			   "links", standing->links ? json_deep_copy(standing->links) : json_null());
	text = status ? json_dumps(status, JSON_COMPACT) : NULL;
	json_decref(status);
	return text;
}
