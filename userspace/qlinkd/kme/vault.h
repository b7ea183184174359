/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The dialect of a vault, a file of keys that is carried by hand. */
#ifndef QLINKD_KME_VAULT_H
#define QLINKD_KME_VAULT_H

#include "dialect.h"

/* The most new keys of one request, and those that an agent holds in memory: a power failure loses no more. */
#define KME_VAULT_BATCH	64

extern const struct kme_dialect kme_vault;

#endif
