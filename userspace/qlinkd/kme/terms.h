/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What TLS a key server must offer, and what was negotiated with it. */
#ifndef QLINKD_KME_TERMS_H
#define QLINKD_KME_TERMS_H

#include <stdbool.h>

/* Bytes of a text of struct kme_terms, its NUL included. */
#define KME_TERM_BYTES	64

/* The least TLS that a KME must offer. */
enum kme_tls {
	/* TLS 1.3 with any group; the default */
	KME_TLS_1_3,
	/* TLS 1.3 with a hybrid group, so that recorded keys stay secret from a quantum computer */
	KME_TLS_PQ,
	/* also TLS 1.2, with ECDHE and an AEAD */
	KME_TLS_1_2,
	KME_TLS_N,
};

/**
 * struct kme_terms - what was negotiated for a connection; all empty if there was none yet
 */
struct kme_terms {
	/** @version: of TLS, as "1.3" */
	char version[8];

	/** @group: of the key exchange, as "X25519MLKEM768" */
	char group[KME_TERM_BYTES];

	/** @suite: the cipher suite, as "TLS_AES_256_GCM_SHA384" */
	char suite[KME_TERM_BYTES];

	/**
	 * @subject: common name in the KME's certificate, or "psk-id" and the name of the pre-shared key;
	 * printable ASCII without quotes
	 */
	char subject[KME_TERM_BYTES];
};

/**
 * kme_tls_name() - name the least TLS
 * @tls: below KME_TLS_N
 *
 * Return: the word of the option tls in qlinkd.conf(5).
 */
const char *kme_tls_name(enum kme_tls tls);

/**
 * kme_terms_same() - compare what was negotiated for two connections
 * @a: one
 * @b: the other
 *
 * Return: true if nothing differs.
 */
bool kme_terms_same(const struct kme_terms *a, const struct kme_terms *b);

#endif
