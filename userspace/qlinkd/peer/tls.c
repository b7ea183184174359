// SPDX-License-Identifier: GPL-2.0-or-later
/* TLS of a connection to a peer: TLS 1.3, both ends authenticated, post-quantum, or refused. */
#include "tls.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "qlinkd/base/rate.h"

#define CIPHER		"TLS_AES_256_GCM_SHA384"
#define SIGNATURES	"mldsa87:mldsa65"
#define NAME_FLAGS	(X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | \
			 X509_CHECK_FLAG_NO_WILDCARDS)
/* OpenSSL adds this to the number of an alert that the peer sent. */
#define ALERT_OFFSET	SSL_AD_REASON_OFFSET

/* What a suite is made of, by its number; and the groups that an end with this type of key offers. */
static const struct {
	const char *group, *key, *groups;
} suites[] = {
	[TLS_SUITE_1] = { "X25519MLKEM768", "ML-DSA-65", "X25519MLKEM768" },
	[TLS_SUITE_2] = { "SecP384r1MLKEM1024", "ML-DSA-87", "SecP384r1MLKEM1024:X25519MLKEM768" },
};

const struct tls_limits tls_default_limits = {
	.records = 1 << 22, .age_ms = 3600000, .heard_most = 16, .heard_ms = 60000,
};

struct tls_context {
	SSL_CTX *ssl;
	struct tls_limits limits;
	struct tls_updates updates;
	unsigned int suite;
	uint64_t n_refused[TLS_N_REFUSALS];
};

struct tls {
	struct tls_context *context;
	SSL *ssl;
	const char *const *peers;
	const char *peer;
	bool has_dialled;
	bool wants_write;
	/* records that were sealed with the key that is in use since; KeyUpdates that were not judged yet */
	uint64_t n_records, since;
	unsigned int n_heard;
	struct rate heard;
};

static const char *const refusals[TLS_N_REFUSALS] = {
	[TLS_REFUSAL_GROUP] = "wrong-group",
	[TLS_REFUSAL_VERSION] = "wrong-version",
	[TLS_REFUSAL_SIGNATURE] = "wrong-signature",
	[TLS_REFUSAL_NO_CERTIFICATE] = "no-certificate",
	[TLS_REFUSAL_CA] = "wrong-ca",
	[TLS_REFUSAL_DATES] = "certificate-not-valid-now",
	[TLS_REFUSAL_IDENTITY] = "wrong-identity",
	[TLS_REFUSAL_ALERT] = "refused-by-peer",
	[TLS_REFUSAL_TIMEOUT] = "handshake-timeout",
	[TLS_REFUSAL_TOO_MANY] = "too-many-callers",
	[TLS_REFUSAL_SHORT] = "out-of-descriptors",
	[TLS_REFUSAL_ROUTE] = "through-qlink",
	[TLS_REFUSAL_SUITE] = "wrong-suite",
	[TLS_REFUSAL_UPDATES] = "too-many-key-updates",
	[TLS_REFUSAL_OTHER] = "other",
};

const char *tls_refusal_name(enum tls_refusal refusal)
{
	return refusals[refusal];
}

uint64_t tls_refused(const struct tls_context *context,
		     enum tls_refusal refusal)
{
	return context->n_refused[refusal];
}

int tls_refuse(struct tls_context *context, enum tls_refusal refusal,
	       struct qlink_why *why, const char *format, ...)
{
	va_list ap;
	int at;

	context->n_refused[refusal]++;
	at = snprintf(why->text, sizeof(why->text), "%s: ", refusals[refusal]);
	va_start(ap, format);
	vsnprintf(why->text + at, sizeof(why->text) - (size_t)at, format, ap);
	va_end(ap);
	return -EACCES;
}

/* --- the context --- */

/* Allows these groups and one cipher only, and no tickets, resumption or early data. */
static bool pin(SSL_CTX *ssl, const char *groups, const char *signatures)
{
	SSL_CTX_set_options(ssl, SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION |
			    SSL_OP_CLEANSE_PLAINTEXT);
	SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER |
			   SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	SSL_CTX_set_verify_depth(ssl, 2);
	/* A connection is idle nearly always, and its buffers are 33 KB. */
	SSL_CTX_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE |
			 SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_clear_mode(ssl, SSL_MODE_AUTO_RETRY);
	return SSL_CTX_set_min_proto_version(ssl, TLS1_3_VERSION) &&
	       SSL_CTX_set_max_proto_version(ssl, TLS1_3_VERSION) &&
	       SSL_CTX_set1_groups_list(ssl, groups) &&
	       SSL_CTX_set1_sigalgs_list(ssl, signatures) &&
	       SSL_CTX_set_ciphersuites(ssl, CIPHER) &&
	       SSL_CTX_set_num_tickets(ssl, 0) &&
	       SSL_CTX_set_max_early_data(ssl, 0) &&
	       X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(ssl),
					   X509_V_FLAG_X509_STRICT);
}

static const char *last_reason(void)
{
	const char *text = ERR_reason_error_string(ERR_peek_last_error());

	return text ? text : "no reason given";
}

/*
 * If the CA file has only a root, there is no chain to send, because the peer has the root. Without
 * this, OpenSSL would verify our own certificate in each handshake to find that out.
 */
static void send_no_root(SSL_CTX *ssl)
{
	const STACK_OF(X509_OBJECT) *known =
		X509_STORE_get0_objects(SSL_CTX_get_cert_store(ssl));

	if (sk_X509_OBJECT_num(known) == 1)
		SSL_CTX_set_mode(ssl, SSL_MODE_NO_AUTO_CHAIN);
}

static unsigned int suite_of_key(const EVP_PKEY *key)
{
	unsigned int suite = TLS_SUITE_2;

	while (suite && !EVP_PKEY_is_a(key, suites[suite].key))
		suite--;
	return suite;
}

/* A certificate that no peer would accept is refused here, where somebody can replace it. */
static int check_key(const struct credentials *credentials, struct qlink_why *why)
{
	const struct credentials_item *items;
	EVP_PKEY *key = credentials_key(credentials);
	const char *kind = EVP_PKEY_get0_type_name(key);
	size_t n;

	if (suite_of_key(key))
		return 0;
	items = credentials_items(credentials, &n);
	return qlink_refuse(why, -EINVAL, "certificate %.200s: has a key of type %s, and peers take %s or %s",
			    items[0].path, kind ? kind : "that is unknown", suites[TLS_SUITE_1].key,
			    suites[TLS_SUITE_2].key);
}

static int load(struct tls_context *context, const struct credentials *credentials,
		const char *signatures, struct qlink_why *why)
{
	const char *groups;

	if (!signatures && check_key(credentials, why))
		return -EINVAL;
	context->suite = suite_of_key(credentials_key(credentials)) ?: TLS_SUITE_1;
	groups = suites[context->suite].groups;
	if (!pin(context->ssl, groups, signatures ?: SIGNATURES))
		return qlink_refuse(why, -EINVAL, "TLS with groups %s and signatures %s: %s",
				    groups, signatures ?: SIGNATURES, last_reason());
	if (credentials_use(credentials, context->ssl))
		return qlink_refuse(why, -EINVAL, "TLS does not take the certificate: %s",
				    last_reason());
	send_no_root(context->ssl);
	return 0;
}

int tls_context_new(struct tls_context **context, const struct credentials *credentials,
		    const char *signatures, struct qlink_why *why)
{
	struct tls_context *made = calloc(1, sizeof(*made));
	int err;

	*context = NULL;
	if (made) {
		made->ssl = SSL_CTX_new(TLS_method());
		made->limits = tls_default_limits;
	}
	if (!made || !made->ssl)
		err = qlink_refuse(why, -EINVAL, "no memory for TLS");
	else
		err = load(made, credentials, signatures, why);
	ERR_clear_error();
	if (err)
		tls_context_free(made);
	else
		*context = made;
	return err;
}

void tls_context_free(struct tls_context *context)
{
	if (!context)
		return;
	SSL_CTX_free(context->ssl);
	free(context);
}

void tls_context_take(struct tls_context *context, struct tls_context *from)
{
	SSL_CTX *ssl = context->ssl;

	context->ssl = from->ssl;
	context->suite = from->suite;
	from->ssl = ssl;
}

unsigned int tls_context_suite(const struct tls_context *context)
{
	return context->suite;
}

void tls_context_limit(struct tls_context *context, const struct tls_limits *limits)
{
	context->limits = *limits;
}

struct tls_updates tls_context_updates(const struct tls_context *context)
{
	return context->updates;
}

/* --- one connection --- */

/* Called by OpenSSL for each message; of those after the handshake it keeps no count. */
static void on_message(int is_sent, int version, int type, const void *data, size_t len, SSL *ssl,
		       void *arg)
{
	struct tls *tls = arg;

	(void)version;
	(void)ssl;
	if (type != SSL3_RT_HANDSHAKE || !len || *(const uint8_t *)data != SSL3_MT_KEY_UPDATE)
		return;
	tls->context->updates.sent += is_sent;
	tls->context->updates.heard += !is_sent;
	tls->n_heard += !is_sent;
}

int tls_new(struct tls **tls, struct tls_context *context,
	    int fd, bool has_dialled, const char *const *peers)
{
	struct tls *made = calloc(1, sizeof(*made));

	*tls = NULL;
	if (!made)
		return -ENOMEM;
	made->context = context;
	made->peers = peers;
	made->has_dialled = has_dialled;
	made->ssl = SSL_new(context->ssl);
	if (!made->ssl || SSL_set_fd(made->ssl, fd) != 1) {
		tls_free(made);
		ERR_clear_error();
		return -ENOMEM;
	}
	SSL_set_msg_callback(made->ssl, on_message);
	SSL_set_msg_callback_arg(made->ssl, made);
	if (has_dialled)
		SSL_set_connect_state(made->ssl);
	else
		SSL_set_accept_state(made->ssl);
	*tls = made;
	return 0;
}

void tls_free(struct tls *tls)
{
	if (!tls)
		return;
	if (tls->peer)
		SSL_shutdown(tls->ssl);
	SSL_free(tls->ssl);
	ERR_clear_error();
	free(tls);
}

/* Checks whether OpenSSL waits for the socket, and notes for what. */
static bool waits(struct tls *tls, int got)
{
	int error = SSL_get_error(tls->ssl, got);

	tls->wants_write = error == SSL_ERROR_WANT_WRITE;
	return tls->wants_write || error == SSL_ERROR_WANT_READ;
}

int tls_finish(struct tls *tls)
{
	int got;

	if (SSL_get_shutdown(tls->ssl) & SSL_SENT_SHUTDOWN)
		return 0;
	ERR_clear_error();
	got = SSL_shutdown(tls->ssl);
	if (got >= 0)
		return 0;
	return waits(tls, got) ? -EAGAIN : -EIO;
}

static enum tls_refusal refusal_of_chain(long verify)
{
	return verify == X509_V_ERR_CERT_HAS_EXPIRED || verify == X509_V_ERR_CERT_NOT_YET_VALID ||
	       verify == X509_V_ERR_CRL_HAS_EXPIRED || verify == X509_V_ERR_CRL_NOT_YET_VALID ?
	       TLS_REFUSAL_DATES : TLS_REFUSAL_CA;
}

static enum tls_refusal refusal_of(const SSL *ssl, int reason)
{
	if (SSL_get_verify_result(ssl) != X509_V_OK)
		return refusal_of_chain(SSL_get_verify_result(ssl));
	switch (reason) {
	case SSL_R_NO_SUITABLE_KEY_SHARE:
	case SSL_R_NO_SUITABLE_GROUPS:
		return TLS_REFUSAL_GROUP;
	case SSL_R_UNSUPPORTED_PROTOCOL:
		return TLS_REFUSAL_VERSION;
	case SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM:
	case SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS:
	case SSL_R_WRONG_SIGNATURE_TYPE:
		return TLS_REFUSAL_SIGNATURE;
	case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
		return TLS_REFUSAL_NO_CERTIFICATE;
	default:
		return reason > ALERT_OFFSET ? TLS_REFUSAL_ALERT :
					       TLS_REFUSAL_OTHER;
	}
}

static int refuse_handshake(struct tls *tls, struct qlink_why *why)
{
	long verify = SSL_get_verify_result(tls->ssl);
	unsigned long error = ERR_peek_error();
	const char *text = ERR_reason_error_string(error);

	if (verify != X509_V_OK)
		text = X509_verify_cert_error_string(verify);
	ERR_clear_error();
	return tls_refuse(tls->context, refusal_of(tls->ssl, ERR_GET_REASON(error)),
			  why, "%s", text ? text : "the connection ended");
}

/* Returns the name of a configured peer that the certificate has, or NULL. */
static const char *find_peer(const struct tls *tls, X509 *cert)
{
	const char *const *peer;

	for (peer = tls->peers; *peer; peer++)
		if (X509_check_host(cert, *peer, 0, NAME_FLAGS, NULL) == 1)
			return *peer;
	return NULL;
}

static int refuse_identity(struct tls *tls, X509 *cert,
			   struct qlink_why *why)
{
	char name[CREDENTIALS_SUBJECT];

	/* It goes to logs and terminals, and whoever has a certificate of the CA may connect. */
	credentials_subject(X509_get_subject_name(cert), name, sizeof(name));
	return tls_refuse(tls->context, TLS_REFUSAL_IDENTITY, why,
			  "the certificate names %.40s, want %.40s%s", name,
			  tls->peers[0] ? tls->peers[0] : "no peer: this agent dials all of them",
			  tls->peers[0] && tls->peers[1] ? " or another peer" : "");
}

static bool has_group(const struct tls *tls, unsigned int suite)
{
	const char *group = SSL_get0_group_name(tls->ssl);

	return group && !strcmp(group, suites[suite].group);
}

/* Checks the result against what pin() set, so that a lost setting is noticed. */
static int check(struct tls *tls, struct qlink_why *why)
{
	SSL *ssl = tls->ssl;
	X509 *cert = SSL_get0_peer_certificate(ssl);
	const char *group = SSL_get0_group_name(ssl);

	if (SSL_version(ssl) != TLS1_3_VERSION)
		return tls_refuse(tls->context, TLS_REFUSAL_VERSION, why,
				  "%s", SSL_get_version(ssl));
	if (!has_group(tls, TLS_SUITE_1) && !has_group(tls, tls->context->suite))
		return tls_refuse(tls->context, TLS_REFUSAL_GROUP, why, "%s, want one of %s",
				  group ? group : "none", suites[tls->context->suite].groups);
	if (!cert || SSL_session_reused(ssl))
		return tls_refuse(tls->context, TLS_REFUSAL_NO_CERTIFICATE, why,
				  "no certificate, or a resumed session");
	if (SSL_get_verify_result(ssl) != X509_V_OK)
		return tls_refuse(tls->context, TLS_REFUSAL_CA, why,
				  "the certificate is not verified");
	tls->peer = find_peer(tls, cert);
	return tls->peer ? 0 : refuse_identity(tls, cert, why);
}

int tls_handshake(struct tls *tls, struct qlink_why *why)
{
	int got;

	ERR_clear_error();
	got = SSL_do_handshake(tls->ssl);
	if (got == 1)
		return check(tls, why);
	if (waits(tls, got))
		return -EAGAIN;
	return refuse_handshake(tls, why);
}

/* As OpenSSL does in a handshake. */
static int verify_again(const struct tls *tls)
{
	SSL_CTX *ssl = tls->context->ssl;
	X509_STORE_CTX *chain = X509_STORE_CTX_new();
	int error = X509_V_ERR_OUT_OF_MEM;

	if (chain && X509_STORE_CTX_init(chain, SSL_CTX_get_cert_store(ssl),
					 SSL_get0_peer_certificate(tls->ssl),
					 SSL_get_peer_cert_chain(tls->ssl)) &&
	    X509_STORE_CTX_set_default(chain, tls->has_dialled ? "ssl_server" : "ssl_client") &&
	    X509_VERIFY_PARAM_set1(X509_STORE_CTX_get0_param(chain), SSL_CTX_get0_param(ssl))) {
		X509_verify_cert(chain);
		error = X509_STORE_CTX_get_error(chain);
	}
	X509_STORE_CTX_free(chain);
	ERR_clear_error();
	return error;
}

int tls_recheck(struct tls *tls, struct qlink_why *why)
{
	int error = verify_again(tls);

	/* What shows nothing about the certificate is no reason to hang up. */
	if (error == X509_V_OK || error == X509_V_ERR_OUT_OF_MEM)
		return 0;
	return tls_refuse(tls->context, refusal_of_chain(error), why, "%s",
			  X509_verify_cert_error_string(error));
}

static void sooner(time_t *end, const ASN1_TIME *at, time_t now)
{
	struct tm tm;
	time_t when;

	if (!at || !ASN1_TIME_to_tm(at, &tm))
		return;
	/* A certificate is valid in its last second (RFC 5280, 4.1.2.5). */
	when = timegm(&tm) + 1;
	if (when > now && (!*end || when < *end))
		*end = when;
}

time_t tls_next_end(const struct tls *tls, time_t now)
{
	const STACK_OF(X509_OBJECT) *known =
		X509_STORE_get0_objects(SSL_CTX_get_cert_store(tls->context->ssl));
	const STACK_OF(X509) *chain = SSL_get0_verified_chain(tls->ssl);
	const X509_CRL *crl;
	time_t end = 0;
	int i;

	for (i = 0; i < sk_X509_num(chain); i++)
		sooner(&end, X509_get0_notAfter(sk_X509_value(chain, i)), now);
	for (i = 0; i < sk_X509_OBJECT_num(known); i++) {
		crl = X509_OBJECT_get0_X509_CRL(sk_X509_OBJECT_value(known, i));
		if (crl)
			sooner(&end, X509_CRL_get0_nextUpdate(crl), now);
	}
	return end;
}

static bool has_key(X509 *cert, unsigned int suite)
{
	return EVP_PKEY_is_a(X509_get0_pubkey(cert), suites[suite].key);
}

unsigned int tls_suite(const struct tls *tls)
{
	return has_group(tls, TLS_SUITE_2) &&
	       has_key(SSL_get_certificate(tls->ssl), TLS_SUITE_2) &&
	       has_key(SSL_get0_peer_certificate(tls->ssl), TLS_SUITE_2) ? TLS_SUITE_2 : TLS_SUITE_1;
}

int tls_demand(struct tls *tls, unsigned int least, struct qlink_why *why)
{
	const EVP_PKEY *key = X509_get0_pubkey(SSL_get0_peer_certificate(tls->ssl));

	if (tls_suite(tls) >= least)
		return 0;
	return tls_refuse(tls->context, TLS_REFUSAL_SUITE, why,
			  "suite %u, below suite-least %u: group %s, and the peer's key is %s",
			  tls_suite(tls), least, SSL_get0_group_name(tls->ssl),
			  EVP_PKEY_get0_type_name(key));
}

static int judge_heard(struct tls *tls, uint64_t now, struct qlink_why *why)
{
	for (; tls->n_heard; tls->n_heard--) {
		if (!rate_take(&tls->heard, now))
			return tls_refuse(tls->context, TLS_REFUSAL_UPDATES, why,
					  "more than %u at once, and one in %u ms", tls->heard.burst,
					  tls->heard.refill_ms);
	}
	return 0;
}

int tls_update(struct tls *tls, uint64_t now, struct qlink_why *why)
{
	const struct tls_limits *limits = &tls->context->limits;

	if (!tls->since) {
		tls->since = now;
		rate_init(&tls->heard, limits->heard_most, limits->heard_ms, now);
	}
	if (judge_heard(tls, now, why))
		return -EACCES;
	if (tls->n_records < limits->records && now - tls->since < limits->age_ms)
		return 0;
	ERR_clear_error();
	/* Not while a record is sent in part; the next call tries again. */
	if (SSL_key_update(tls->ssl, SSL_KEY_UPDATE_NOT_REQUESTED) == 1) {
		tls->n_records = 0;
		tls->since = now;
		/* If it cannot be sent now, the next write sends it first. */
		SSL_do_handshake(tls->ssl);
	}
	ERR_clear_error();
	return 0;
}

bool tls_wants_write(const struct tls *tls)
{
	return tls->wants_write;
}

const char *tls_peer(const struct tls *tls)
{
	return tls->peer;
}

static int hash_cert(const X509 *cert, uint8_t *hash)
{
	uint8_t *der = NULL;
	int len = i2d_X509(cert, &der);

	if (len <= 0)
		return -EIO;
	SHA384(der, (size_t)len, hash);
	OPENSSL_free(der);
	return 0;
}

int tls_binding(struct tls *tls, struct exchange_binding *binding)
{
	SSL *ssl = tls->ssl;

	binding->has_dialled = tls->has_dialled;
	binding->suite = (uint8_t)tls_suite(tls);
	if (SSL_export_keying_material(ssl, binding->exporter,
				       sizeof(binding->exporter),
				       MIX_EXPORTER_LABEL,
				       sizeof(MIX_EXPORTER_LABEL) - 1, NULL, 0,
				       0) != 1 ||
	    hash_cert(SSL_get_certificate(ssl), binding->own_cert_hash) ||
	    hash_cert(SSL_get0_peer_certificate(ssl), binding->peer_cert_hash)) {
		ERR_clear_error();
		OPENSSL_cleanse(binding, sizeof(*binding));
		return -EIO;
	}
	return 0;
}

ssize_t tls_read(struct tls *tls, uint8_t *data, size_t room)
{
	int got, reason;

	ERR_clear_error();
	got = SSL_read(tls->ssl, data, room > 65536 ? 65536 : (int)room);
	if (got > 0)
		return got;
	if (waits(tls, got))
		return -EAGAIN;
	if (SSL_get_error(tls->ssl, got) == SSL_ERROR_ZERO_RETURN)
		return 0;
	reason = ERR_GET_REASON(ERR_peek_error());
	ERR_clear_error();
	if (reason <= ALERT_OFFSET)
		return -EIO;
	/* In TLS 1.3 a server verifies our certificate after our handshake is complete. */
	tls->context->n_refused[TLS_REFUSAL_ALERT]++;
	return -EACCES;
}

ssize_t tls_write(struct tls *tls, const uint8_t *data, size_t len)
{
	int got;

	ERR_clear_error();
	got = SSL_write(tls->ssl, data, len > 65536 ? 65536 : (int)len);
	if (got > 0) {
		tls->n_records += 1 + (uint64_t)(got - 1) / SSL3_RT_MAX_PLAIN_LENGTH;
		return got;
	}
	if (waits(tls, got))
		return -EAGAIN;
	ERR_clear_error();
	return -EIO;
}
