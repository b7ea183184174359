/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The dialect of SKIP, the Secure Key Integration Protocol of draft-cisco-skip; no I/O. */
#ifndef QLINKD_KME_SKIP_H
#define QLINKD_KME_SKIP_H

#include "dialect.h"

/* draft-cisco-skip-02, and draft-singh-skip, which follows it: one key a request, in JSON over HTTPS, by GET */
extern const struct kme_dialect kme_skip;

#endif
