/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of all dialects. */
#ifndef QLINKD_KME_DIALECTS_H
#define QLINKD_KME_DIALECTS_H

#include "dialect.h"

/**
 * kme_dialect_find() - find a dialect by its name
 * @name: its name; %NULL for ETSI GS QKD 014
 *
 * Return: the dialect, or %NULL.
 */
const struct kme_dialect *kme_dialect_find(const char *name);

#endif
