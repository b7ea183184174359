/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The TLS handshake with a key server: what we accept, whom we accept, what was negotiated. */
#ifndef QLINKD_KME_HANDSHAKE_H
#define QLINKD_KME_HANDSHAKE_H

#include <curl/curl.h>

#include "qlinkd/credentials/credentials.h"
#include "terms.h"

/* Sets an option of the local variable easy of libcurl; the local variable code keeps the first failure. */
#define KME_SET(option, value) do {					\
	CURLcode one_ = curl_easy_setopt(easy, (option), (value));	\
	if (!code)							\
		code = one_;						\
} while (0)

/**
 * struct kme_handshake - the handshake of one connection; all zero before it
 *
 * Everything that a handshake needs is taken when its transfer begins. A reload meanwhile, or
 * another transfer of the same KME, does not change it.
 */
struct kme_handshake {
	/** @tls: the least TLS that we accept */
	enum kme_tls tls;

	/** @id: the KME ID that the certificate must have; %NULL: libcurl checks the host */
	const char *id;

	/** @credentials: ours, with a pre-shared key no @id is checked; the owner has a reference */
	struct credentials *credentials;

	/** @has_wrong_id: the certificate is valid, but without @id */
	bool has_wrong_id;

	/** @has_certificate: the KME showed a certificate, although we have a pre-shared key */
	bool has_certificate;

	/** @is_hello_refused: the KME refused our first message, so it is not about certificates */
	bool is_hello_refused;

	/** @is_expired: the KME said that our certificate has expired */
	bool is_expired;

	/** @is_done: it succeeded; false also if the transfer used an older connection */
	bool is_done;

	/** @terms: if @is_done, what was negotiated; if @has_wrong_id, the subject alone */
	struct kme_terms terms;
};

/**
 * kme_handshake_prepare() - have libcurl shake hands in this way
 * @handshake: its first three members are set; must not move or end before @easy
 * @easy: libcurl's handle
 *
 * Return: %CURLE_OK, or why libcurl refuses.
 */
CURLcode kme_handshake_prepare(struct kme_handshake *handshake, CURL *easy);

#endif
