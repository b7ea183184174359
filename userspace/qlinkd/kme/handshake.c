// SPDX-License-Identifier: GPL-2.0-or-later
/* The TLS handshake with a key server: what we accept, whom we accept, what was negotiated. */
#include "handshake.h"

#include <stdio.h>
#include <string.h>

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#define HYBRID_GROUPS	"X25519MLKEM768:SecP256r1MLKEM768:SecP384r1MLKEM1024"
/* Hybrid groups first; many KMEs have no post-quantum group yet. */
#define GROUPS		HYBRID_GROUPS ":X25519:P-256:P-384"
/* Of TLS 1.2, only what TLS 1.3 has as well: forward secrecy, and no CBC. */
#define SUITES_1_2	"ECDHE+AESGCM:ECDHE+CHACHA20"

/* Index of our data in a TLS context, which is the handshake; %NULL after its end. */
static int handshake_index = -1;

/* --- the KME ID --- */

static bool is_name(const ASN1_STRING *name, const char *id)
{
	size_t len = strlen(id);

	return (size_t)ASN1_STRING_length(name) == len &&
	       !memcmp(ASN1_STRING_get0_data(name), id, len);
}

static bool has_common_name(const X509 *certificate, const char *id)
{
	const X509_NAME *subject = X509_get_subject_name(certificate);
	int at = -1;

	while ((at = X509_NAME_get_index_by_NID(subject, NID_commonName, at)) >= 0)
		if (is_name(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)), id))
			return true;
	return false;
}

static bool has_alternative_name(const X509 *certificate, const char *id)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(certificate,
						NID_subject_alt_name, NULL, NULL);
	bool found = false;
	int i, type;

	for (i = 0; i < sk_GENERAL_NAME_num(names) && !found; i++) {
		const ASN1_STRING *value =
			GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, i), &type);

		found = (type == GEN_DNS || type == GEN_URI) && is_name(value, id);
	}
	GENERAL_NAMES_free(names);
	return found;
}

/*
 * ETSI GS QKD 014 V1.1.1, 4.3: the SAE confirms the KME's identity by its certificate. Many
 * certificates have it as CN and have no other name.
 */
static int verify(int is_chain_good, X509_STORE_CTX *context)
{
	const SSL *ssl = X509_STORE_CTX_get_ex_data(
		context, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct kme_handshake *handshake =
		SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), handshake_index);
	const X509 *certificate = X509_STORE_CTX_get_current_cert(context);

	if (!is_chain_good || X509_STORE_CTX_get_error_depth(context))
		return is_chain_good;
	handshake->has_wrong_id = !has_common_name(certificate, handshake->id) &&
				  !has_alternative_name(certificate, handshake->id);
	credentials_subject(X509_get_subject_name(certificate), handshake->terms.subject,
			    sizeof(handshake->terms.subject));
	if (handshake->has_wrong_id)
		X509_STORE_CTX_set_error(context, X509_V_ERR_HOSTNAME_MISMATCH);
	return !handshake->has_wrong_id;
}

/* --- what was negotiated --- */

static void note_terms(struct kme_terms *terms, const SSL *ssl)
{
	const char *version = SSL_get_version(ssl), *group = SSL_get0_group_name((SSL *)ssl);
	const X509 *certificate = SSL_get0_peer_certificate(ssl);

	snprintf(terms->version, sizeof(terms->version), "%s",
		 strncmp(version, "TLSv", 4) ? version : version + 4);
	snprintf(terms->group, sizeof(terms->group), "%s", group ? group : "");
	snprintf(terms->suite, sizeof(terms->suite), "%s", SSL_get_cipher_name(ssl));
	credentials_subject(X509_get_subject_name(certificate), terms->subject,
			    sizeof(terms->subject));
}

/*
 * After the end of the handshake the context has its data no more: the connection may outlive the
 * transfer, and OpenSSL reports alerts and tickets as well.
 */
static void on_progress(const SSL *ssl, int where, int value)
{
	SSL_CTX *tls = SSL_get_SSL_CTX(ssl);
	struct kme_handshake *handshake = SSL_CTX_get_ex_data(tls, handshake_index);

	if (!handshake)
		return;
	if (where == SSL_CB_READ_ALERT) {
		handshake->is_hello_refused = SSL_get_state(ssl) == TLS_ST_CW_CLNT_HELLO;
		handshake->is_expired = (value & 0xff) == SSL_AD_CERTIFICATE_EXPIRED;
	} else if (where == SSL_CB_HANDSHAKE_DONE) {
		note_terms(&handshake->terms, ssl);
		handshake->is_done = true;
		SSL_CTX_set_ex_data(tls, handshake_index, NULL);
	}
}

/* --- libcurl --- */

static CURLcode set_up(CURL *easy, void *context, void *arg)
{
	struct kme_handshake *handshake = arg;
	SSL_CTX *tls = context;

	(void)easy;
	SSL_CTX_set_options(tls, SSL_OP_CLEANSE_PLAINTEXT |
				 SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET);
	if (!X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(tls),
					 credentials_check_flags(handshake->credentials)))
		return CURLE_OUT_OF_MEMORY;
	if (handshake_index < 0)
		handshake_index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	if (handshake_index < 0 || !SSL_CTX_set_ex_data(tls, handshake_index, handshake))
		return CURLE_OUT_OF_MEMORY;
	SSL_CTX_set_info_callback(tls, on_progress);
	if (handshake->id)
		SSL_CTX_set_verify(tls, SSL_VERIFY_PEER, verify);
	return CURLE_OK;
}

static struct curl_blob blob_of(struct credentials_text text)
{
	return (struct curl_blob){ .data = (void *)text.data, .len = text.len,
				   .flags = CURL_BLOB_NOCOPY };
}

/*
 * From memory, where they were checked: a file may have been replaced since. libcurl keeps CAs that
 * it reads from a file for a day, and reuses connections whose files have the same names. What is in
 * memory it compares byte by byte, so that other credentials mean another connection.
 */
static CURLcode set_credentials(CURL *easy, const struct credentials *credentials)
{
	struct curl_blob chain = blob_of(credentials_chain_pem(credentials));
	struct curl_blob key = blob_of(credentials_key_pem(credentials));
	struct curl_blob trust = blob_of(credentials_trust_pem(credentials));
	CURLcode code = CURLE_OK;

	KME_SET(CURLOPT_CAINFO, NULL);
	KME_SET(CURLOPT_CAPATH, NULL);
	KME_SET(CURLOPT_CAINFO_BLOB, &trust);
	KME_SET(CURLOPT_SSLCERT_BLOB, &chain);
	KME_SET(CURLOPT_SSLKEY_BLOB, &key);
	return code;
}

CURLcode kme_handshake_prepare(struct kme_handshake *handshake, CURL *easy)
{
	CURLcode code = set_credentials(easy, handshake->credentials);

	KME_SET(CURLOPT_SSLVERSION, handshake->tls == KME_TLS_1_2 ? (long)CURL_SSLVERSION_TLSv1_2 :
								(long)CURL_SSLVERSION_TLSv1_3);
	KME_SET(CURLOPT_SSL_CIPHER_LIST, SUITES_1_2);
	KME_SET(CURLOPT_SSL_EC_CURVES, handshake->tls == KME_TLS_PQ ? HYBRID_GROUPS : GROUPS);
	KME_SET(CURLOPT_SSL_SESSIONID_CACHE, 0L);
	KME_SET(CURLOPT_SSL_VERIFYPEER, 1L);
	/* With a KME ID, verify() checks it instead of the host. */
	KME_SET(CURLOPT_SSL_VERIFYHOST, handshake->id ? 0L : 2L);
	KME_SET(CURLOPT_SSL_CTX_FUNCTION, set_up);
	KME_SET(CURLOPT_SSL_CTX_DATA, handshake);
	return code;
}
