/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Known-answer tests of the algorithms that keys are derived with, before any secret is read. */
#ifndef QLINKD_SELFTEST_H
#define QLINKD_SELFTEST_H

#include "common/why.h"

/**
 * selftest_run() - test OpenSSL's algorithms with known answers
 * @why: filled in on failure: the algorithm
 *
 * SHA-384, HMAC, AES-256-GCM, X25519, P-384 and ML-KEM must give what another implementation gave
 * (tests/make-selftest-answers). A signature of ML-DSA, which has no answer here, must verify, and must not
 * once it is changed. NIAP PP-Module for MACsec, FPT_FLS.1: after a failure no key is made.
 *
 * Context: Process; some milliseconds.
 * Return: 0, or %-EIO with @why.
 */
int selftest_run(struct qlink_why *why);

#endif
