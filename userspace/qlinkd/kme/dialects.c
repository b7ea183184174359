// SPDX-License-Identifier: GPL-2.0-or-later
/* The table of all dialects. */
#include "dialects.h"

#include <string.h>

#include "etsi014.h"

/* The first one is the default. */
static const struct kme_dialect *const kme_dialects[] = {
	&kme_etsi014,
};

const struct kme_dialect *kme_dialect_find(const char *name)
{
	size_t i;

	if (!name)
		return kme_dialects[0];
	for (i = 0; i < sizeof(kme_dialects) / sizeof(kme_dialects[0]); i++)
		if (!strcmp(kme_dialects[i]->name, name))
			return kme_dialects[i];
	return NULL;
}
