// SPDX-License-Identifier: GPL-2.0-or-later
/* What TLS a key server must offer, and what was negotiated with it. */
#include "terms.h"

#include <string.h>

static const char *const tls_names[] = {
	[KME_TLS_1_3] = "1.3",
	[KME_TLS_PQ] = "pq",
	[KME_TLS_1_2] = "1.2",
};

const char *kme_tls_name(enum kme_tls tls)
{
	return tls_names[tls];
}

bool kme_terms_same(const struct kme_terms *a, const struct kme_terms *b)
{
	return !strcmp(a->version, b->version) && !strcmp(a->group, b->group) &&
	       !strcmp(a->suite, b->suite) && !strcmp(a->subject, b->subject);
}
