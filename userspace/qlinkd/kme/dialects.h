/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of all dialects. */
#ifndef QLINKD_KME_DIALECTS_H
#define QLINKD_KME_DIALECTS_H

#include "dialect.h"

/**
 * kme_dialect_of() - look up the rules of a dialect
 * @kind: below KME_DIALECT_N
 *
 * Return: the dialect.
 */
const struct kme_dialect *kme_dialect_of(enum kme_dialect_kind kind);

#endif
