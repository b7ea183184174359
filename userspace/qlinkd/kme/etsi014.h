/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The dialect of ETSI GS QKD 014 V1.1.1; no I/O. */
#ifndef QLINKD_KME_ETSI014_H
#define QLINKD_KME_ETSI014_H

#include "dialect.h"

/* ETSI GS QKD 014 V1.1.1: keys in JSON over HTTPS, by POST or GET */
extern const struct kme_dialect kme_etsi014;

#endif
