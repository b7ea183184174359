// SPDX-License-Identifier: GPL-2.0-or-later
/* The table of all dialects. */
#include "dialects.h"

#include "etsi014.h"
#include "skip.h"
#include "vault.h"

static const struct kme_dialect *const kme_dialects[KME_DIALECT_N] = {
	[KME_DIALECT_ETSI014] = &kme_etsi014,
	[KME_DIALECT_SKIP] = &kme_skip,
	[KME_DIALECT_VAULT] = &kme_vault,
};

const struct kme_dialect *kme_dialect_of(enum kme_dialect_kind kind)
{
	return kme_dialects[kind];
}
