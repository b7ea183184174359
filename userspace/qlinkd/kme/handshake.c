// SPDX-License-Identifier: GPL-2.0-or-later
/* The TLS handshake with a key server: what we accept, whom we accept, what was negotiated. */
#include "handshake.h"

#include <stdio.h>
#include <string.h>

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "qlinkd/base/field.h"

#define HYBRID_GROUPS	"X25519MLKEM768:SecP256r1MLKEM768:SecP384r1MLKEM1024"
/* Hybrid groups first; many KMEs have no post-quantum group yet. */
#define GROUPS		HYBRID_GROUPS ":X25519:P-256:P-384"
/* Of TLS 1.2, only what TLS 1.3 has as well: forward secrecy, and no CBC. */
#define SUITES_1_2	"ECDHE+AESGCM:ECDHE+CHACHA20"
/* And the same with a pre-shared key. */
#define PSK_SUITES_1_2	"kDHEPSK+AESGCM:kDHEPSK+CHACHA20:kECDHEPSK+CHACHA20"

/* Index of our data in a TLS context, which is the handshake; %NULL after its end. */
static int handshake_index = -1;

static struct kme_handshake *handshake_of(const SSL *ssl)
{
	return SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), handshake_index);
}

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
	struct kme_handshake *handshake = handshake_of(ssl);
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

/* --- a pre-shared key --- */

/* For TLS 1.3, which binds a key to the hash of its suite. The other end proves the key as we do. */
static int use_psk(SSL *ssl, const EVP_MD *hash, const unsigned char **id, size_t *id_len, SSL_SESSION **session)
{
	static const unsigned char suites[][2] = {
		[PSK_HASH_SHA384] = { 0x13, 0x02 },
		[PSK_HASH_SHA256] = { 0x13, 0x01 },
	};
	const struct kme_handshake *handshake = handshake_of(ssl);
	const struct psk *psk = handshake ? credentials_psk(handshake->credentials) : NULL;
	const SSL_CIPHER *suite = psk ? SSL_CIPHER_find(ssl, suites[psk->hash]) : NULL;

	(void)hash;
	*session = suite ? SSL_SESSION_new() : NULL;
	if (!*session)
		return 0;
	*id = (const unsigned char *)psk->id;
	*id_len = strlen(psk->id);
	if (SSL_SESSION_set1_master_key(*session, psk->key.data, psk->len) && SSL_SESSION_set_cipher(*session, suite) &&
	    SSL_SESSION_set_protocol_version(*session, TLS1_3_VERSION))
		return 1;
	SSL_SESSION_free(*session);
	*session = NULL;
	return 0;
}

/* For TLS 1.2. Returns the length of the key, 0 for none. */
static unsigned int use_psk_1_2(SSL *ssl, const char *hint, char *id, unsigned int id_room, unsigned char *key,
				unsigned int room)
{
	const struct kme_handshake *handshake = handshake_of(ssl);
	const struct psk *psk = handshake ? credentials_psk(handshake->credentials) : NULL;

	(void)hint;
	if (!psk || psk->len > room || strlen(psk->id) >= id_room)
		return 0;
	strcpy(id, psk->id);
	memcpy(key, psk->key.data, psk->len);
	return (unsigned int)psk->len;
}

/* No certificate stands for the key, whoever issued it. */
static int refuse_certificate(int is_chain_good, X509_STORE_CTX *context)
{
	const SSL *ssl = X509_STORE_CTX_get_ex_data(context, SSL_get_ex_data_X509_STORE_CTX_idx());

	(void)is_chain_good;
	handshake_of(ssl)->has_certificate = true;
	X509_STORE_CTX_set_error(context, X509_V_ERR_APPLICATION_VERIFICATION);
	return 0;
}

static bool set_psk(SSL_CTX *tls, const struct psk *psk)
{
	static const char *const suites[] = {
		[PSK_HASH_SHA384] = "TLS_AES_256_GCM_SHA384",
		[PSK_HASH_SHA256] = "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256",
	};

	SSL_CTX_set_verify(tls, SSL_VERIFY_PEER, refuse_certificate);
	SSL_CTX_set_psk_use_session_callback(tls, use_psk);
	SSL_CTX_set_psk_client_callback(tls, use_psk_1_2);
	return SSL_CTX_set_ciphersuites(tls, suites[psk->hash]);
}

/* --- what was negotiated --- */

static void note_terms(struct kme_handshake *handshake, const SSL *ssl)
{
	const char *version = SSL_get_version(ssl), *group = SSL_get0_group_name((SSL *)ssl);
	const X509 *certificate = SSL_get0_peer_certificate(ssl);
	const struct psk *psk = credentials_psk(handshake->credentials);
	struct kme_terms *terms = &handshake->terms;

	snprintf(terms->version, sizeof(terms->version), "%s",
		 strncmp(version, "TLSv", 4) ? version : version + 4);
	snprintf(terms->group, sizeof(terms->group), "%s", group ? group : "");
	snprintf(terms->suite, sizeof(terms->suite), "%s", SSL_get_cipher_name(ssl));
	if (certificate)
		credentials_subject(X509_get_subject_name(certificate), terms->subject,
				    sizeof(terms->subject));
	else if (psk)
		snprintf(terms->subject, sizeof(terms->subject), "psk-id %s", psk->id);
	field_make_printable(terms->subject, "\"\\");
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
		note_terms(handshake, ssl);
		handshake->is_done = true;
		SSL_CTX_set_ex_data(tls, handshake_index, NULL);
	}
}

/* --- libcurl --- */

static CURLcode set_up(CURL *easy, void *context, void *arg)
{
	struct kme_handshake *handshake = arg;
	const struct psk *psk = credentials_psk(handshake->credentials);
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
	if (psk)
		return set_psk(tls, psk) ? CURLE_OK : CURLE_OUT_OF_MEMORY;
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

	KME_SET(CURLOPT_CAINFO_BLOB, &trust);
	KME_SET(CURLOPT_SSLCERT_BLOB, &chain);
	KME_SET(CURLOPT_SSLKEY_BLOB, &key);
	return code;
}

/* With a pre-shared key, set_psk() checks the KME, and refuses what libcurl would check. */
CURLcode kme_handshake_prepare(struct kme_handshake *handshake, CURL *easy)
{
	bool has_psk = credentials_psk(handshake->credentials);
	CURLcode code = has_psk ? CURLE_OK : set_credentials(easy, handshake->credentials);

	KME_SET(CURLOPT_CAINFO, NULL);
	KME_SET(CURLOPT_CAPATH, NULL);
	KME_SET(CURLOPT_SSLVERSION, handshake->tls == KME_TLS_1_2 ? (long)CURL_SSLVERSION_TLSv1_2 :
								(long)CURL_SSLVERSION_TLSv1_3);
	KME_SET(CURLOPT_SSL_CIPHER_LIST, has_psk ? PSK_SUITES_1_2 : SUITES_1_2);
	KME_SET(CURLOPT_SSL_EC_CURVES, handshake->tls == KME_TLS_PQ ? HYBRID_GROUPS : GROUPS);
	KME_SET(CURLOPT_SSL_SESSIONID_CACHE, 0L);
	KME_SET(CURLOPT_SSL_VERIFYPEER, has_psk ? 0L : 1L);
	/* With a KME ID, verify() checks it instead of the host. */
	KME_SET(CURLOPT_SSL_VERIFYHOST, has_psk || handshake->id ? 0L : 2L);
	KME_SET(CURLOPT_SSL_CTX_FUNCTION, set_up);
	KME_SET(CURLOPT_SSL_CTX_DATA, handshake);
	return code;
}
