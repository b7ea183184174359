// SPDX-License-Identifier: GPL-2.0-or-later
/* One HTTP request to a key server and its answer, over mutual TLS, by libcurl. */
#include "http.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "qlinkd/base/field.h"

/* The KME may have closed a connection that was idle for longer, which loses the request. */
#define REUSE_S	20L

static size_t write_answer(char *data, size_t size, size_t n, void *arg)
{
	struct kme_transfer *transfer = arg;

	n *= size;
	if (n > transfer->answer.len - transfer->len) {
		transfer->is_too_big = true;
		return 0;
	}
	memcpy(transfer->answer.data + transfer->len, data, n);
	transfer->len += n;
	return n;
}

static size_t read_body(char *data, size_t size, size_t n, void *arg)
{
	struct kme_transfer *transfer = arg;
	size_t left = transfer->body_len - transfer->body_sent;

	n *= size;
	if (n > left)
		n = left;
	memcpy(data, transfer->body + transfer->body_sent, n);
	transfer->body_sent += n;
	return n;
}

/*
 * libcurl sends a request again if its connection closes before any answer. But the KME may have
 * carried out the first request, and would give other keys to the second.
 */
static int refuse_resend(void *arg, curl_off_t offset, int origin)
{
	struct kme_transfer *transfer = arg;

	(void)offset;
	(void)origin;
	transfer->is_resent = true;
	return CURL_SEEKFUNC_FAIL;
}

/* A GET is sent again in the same way, if its connection was used before. */
static int begin_to_send(void *arg, char *to, char *from, int to_port, int from_port)
{
	struct kme_transfer *transfer = arg;

	(void)to;
	(void)from;
	(void)to_port;
	(void)from_port;
	if (!transfer->n_sends++ || !transfer->is_once)
		return CURL_PREREQFUNC_OK;
	transfer->is_resent = true;
	return CURL_PREREQFUNC_ABORT;
}

static CURLcode set_security(struct kme_transfer *transfer)
{
	CURLcode code = kme_handshake_prepare(&transfer->handshake, transfer->easy);
	CURL *easy = transfer->easy;

	KME_SET(CURLOPT_PROTOCOLS_STR, "https");
	KME_SET(CURLOPT_FOLLOWLOCATION, 0L);
	KME_SET(CURLOPT_PROXY, "");
	KME_SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	return code;
}

static CURLcode set_request(struct kme_transfer *transfer, const char *url)
{
	CURLcode code = CURLE_OK;
	CURL *easy = transfer->easy;

	KME_SET(CURLOPT_URL, url);
	KME_SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	KME_SET(CURLOPT_CONNECTTIMEOUT_MS, (long)transfer->peer->connect_ms);
	KME_SET(CURLOPT_TIMEOUT_MS, (long)transfer->peer->timeout_ms);
	KME_SET(CURLOPT_MAXAGE_CONN, REUSE_S);
	KME_SET(CURLOPT_NOSIGNAL, 1L);
	/* A resolver that hangs must not block the loop. */
	KME_SET(CURLOPT_QUICK_EXIT, 1L);
	KME_SET(CURLOPT_ERRORBUFFER, transfer->error);
	KME_SET(CURLOPT_PRIVATE, transfer);
	KME_SET(CURLOPT_HTTPHEADER, transfer->headers);
	KME_SET(CURLOPT_WRITEFUNCTION, write_answer);
	KME_SET(CURLOPT_WRITEDATA, transfer);
	KME_SET(CURLOPT_PREREQFUNCTION, begin_to_send);
	KME_SET(CURLOPT_PREREQDATA, transfer);
	if (!transfer->body)
		return code;
	KME_SET(CURLOPT_POST, 1L);
	KME_SET(CURLOPT_POSTFIELDSIZE, (long)transfer->body_len);
	KME_SET(CURLOPT_READFUNCTION, read_body);
	KME_SET(CURLOPT_READDATA, transfer);
	KME_SET(CURLOPT_SEEKFUNCTION, refuse_resend);
	KME_SET(CURLOPT_SEEKDATA, transfer);
	return code;
}

static int add_header(struct kme_transfer *transfer, const char *name, const char *value)
{
	struct curl_slist *headers;
	char header[128];

	snprintf(header, sizeof(header), "%s:%s%s", name, *value ? " " : "", value);
	headers = curl_slist_append(transfer->headers, header);
	if (!headers)
		return -ENOMEM;
	transfer->headers = headers;
	return 0;
}

static int prepare(struct kme_transfer *transfer, const char *url, size_t room)
{
	const char *media_type = transfer->peer->dialect->media_type;
	int err = qlink_secret_new(&transfer->answer, room);

	if (err)
		return err;
	transfer->easy = curl_easy_init();
	if (!transfer->easy || add_header(transfer, "Accept", media_type) ||
	    (transfer->body && (add_header(transfer, "Content-Type", media_type) ||
				add_header(transfer, "Expect", ""))))
		return -ENOMEM;
	if (set_security(transfer) || set_request(transfer, url))
		return -EINVAL;
	return 0;
}

int kme_transfer_start(struct kme_transfer *transfer, CURLM *multi, struct kme_peer *peer,
		       const char *url, const char *body, size_t room, bool is_once)
{
	int err;

	transfer->peer = peer;
	transfer->credentials = credentials_get(peer->credentials);
	transfer->is_once = is_once;
	transfer->body = body;
	transfer->body_len = body ? strlen(body) : 0;
	transfer->handshake = (struct kme_handshake){
		.tls = peer->tls, .id = peer->id, .credentials = transfer->credentials,
	};
	err = prepare(transfer, url, room);
	if (!err && curl_multi_add_handle(multi, transfer->easy))
		err = -ENOMEM;
	if (err)
		kme_transfer_free(transfer, multi);
	return err;
}

void kme_transfer_fail(struct kme_transfer *transfer, const struct kme_transfer *other)
{
	transfer->peer = other->peer;
	transfer->credentials = credentials_get(other->credentials);
	transfer->handshake = other->handshake;
	memcpy(transfer->error, other->error, sizeof(transfer->error));
}

/* A TLS 1.3 server refuses our certificate only after the handshake, by an alert. */
static enum kme_counter counter_of(const struct kme_transfer *transfer,
				   CURLcode code)
{
	if (transfer->handshake.has_wrong_id)
		return KME_COUNTER_IDENTITY;
	if (transfer->handshake.has_certificate)
		return KME_COUNTER_TLS;
	if (transfer->is_too_big)
		return KME_COUNTER_TOO_BIG;
	switch (code) {
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_CONNECT:
		return KME_COUNTER_UNREACHABLE;
	case CURLE_OPERATION_TIMEDOUT:
		return KME_COUNTER_TIMEOUT;
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CIPHER:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
		return KME_COUNTER_TLS;
	default:
		return strstr(transfer->error, " alert ") ? KME_COUNTER_TLS :
							    KME_COUNTER_CUT;
	}
}

/* The alert is lost if the KME closes the connection before it has read our request. */
static bool is_maybe_refusal(const struct kme_transfer *transfer,
			     enum kme_counter counter)
{
	long n_connects = 0;

	if (transfer->easy)
		curl_easy_getinfo(transfer->easy, CURLINFO_NUM_CONNECTS, &n_connects);
	return counter == KME_COUNTER_CUT && !transfer->status && n_connects;
}

/* What our credentials have for a use, "certificate", "ca" or "psk-file": its file, and whom it names. */
static void name_of(const struct kme_transfer *transfer, const char *use, char *text, size_t room)
{
	size_t n, i;
	const struct credentials_item *items = credentials_items(transfer->credentials, &n);

	text[0] = '\0';
	for (i = 0; i < n && !text[0]; i++) {
		if (!strcmp(items[i].use, use))
			snprintf(text, room, "%.80s (%.50s)", items[i].path, items[i].subject);
	}
}

static bool has_psk(const struct kme_transfer *transfer)
{
	return credentials_psk(transfer->credentials);
}

void kme_refused(const struct kme_transfer *transfer, enum kme_op op, long status,
		 const struct kme_refusal *refusal, const char *sae, struct qlink_why *why)
{
	const char *words = refusal->words, *use;
	char cause[190] = "", name[140], known[90];

	if (status == 401 || status == 403) {
		use = has_psk(transfer) ? "psk-file" : "certificate";
		name_of(transfer, use, name, sizeof(name));
		snprintf(cause, sizeof(cause), "%s our %s: %s: ", op == KME_OP_DEC ?
			 "does not give these keys to" : "does not know", use, name);
	} else if (op == KME_OP_STATUS && (status == 400 || status == 404)) {
		snprintf(known, sizeof(known), "knows no SAE '%.40s' that we have a link with, or ", sae);
		snprintf(cause, sizeof(cause), "%s%.80s is not its url: ",
			 transfer->peer->dialect->has_status_of_sae ? known : "", transfer->peer->url);
	}
	snprintf(why->text, sizeof(why->text), "%sanswers %s with %ld%s%s%s", cause, kme_op_name(op),
		 status, *words ? ": \"" : "", words, *words ? "\"" : "");
}

/* What an error means for who set us up. */
struct meaning {
	/* a part of the error of libcurl or OpenSSL */
	const char *error;
	const char *text;
	/* of our credentials, what is said to be the cause; NULL for neither */
	const char *use;
};

#define NOT_ACCEPTED	"the KME does not accept our certificate"
#define WRONG_CA	"our ca file does not have the CA of the KME's certificate"

/* Returns the row that fits, the most special text first; the last row fits always. */
static const struct meaning *find_meaning(const struct meaning *row, const char *error)
{
	while (!strstr(error, row->error))
		row++;
	return row;
}

/* For certificates; or one without a text. */
static const struct meaning *meaning_of(const char *error)
{
	static const struct meaning rows[] = {
		{ "alert unknown ca", NOT_ACCEPTED ", because it does not know the CA of it", "certificate" },
		{ "alert certificate expired", NOT_ACCEPTED ", because it has expired", "certificate" },
		{ "alert certificate revoked", NOT_ACCEPTED ", because it is revoked", "certificate" },
		{ "alert certificate required", "the KME wants a certificate and got none", NULL },
		{ "alert bad certificate", NOT_ACCEPTED, "certificate" },
		{ "alert unsupported certificate", NOT_ACCEPTED ", because of its kind", "certificate" },
		{ "alert certificate unknown", NOT_ACCEPTED, "certificate" },
		{ "alert access denied", NOT_ACCEPTED, "certificate" },
		{ "alert handshake failure", NOT_ACCEPTED ", or wants another kind", "certificate" },
		{ " alert ", "the KME refuses TLS with us", NULL },
		{ "wrong version number", "the KME does not speak TLS at this port", NULL },
		{ "self-signed certificate", WRONG_CA, "ca" },
		{ "self signed certificate", WRONG_CA, "ca" },
		{ "local issuer certificate", WRONG_CA, "ca" },
		{ "certificate has expired", "the KME's certificate has expired", NULL },
		{ "not yet valid", "the KME's certificate is not yet valid", NULL },
		{ "certificate subject name", "the KME's certificate is not of the host in its url, and there is "
					      "no id", NULL },
		{ "Could not resolve host", "the host in its url cannot be found", NULL },
		{ "Could not connect to server", "nobody listens at its url", NULL },
		{ "Connection timed out", "no connection within kme-connect-ms", NULL },
		{ "Connection timeout", "no connection within kme-connect-ms", NULL },
		{ "Operation timed out", "no whole answer within kme-timeout-ms", NULL },
		{ "", NULL, NULL },
	};

	return find_meaning(rows, error);
}

#define UNKNOWN_PSK	"the KME does not know our psk-id, or not with our psk-hash"

/* For a pre-shared key; the others mean the same as with certificates. */
static const struct meaning *psk_meaning_of(const struct kme_transfer *transfer, const char *error)
{
	static const struct meaning shows = { "", UNKNOWN_PSK ", and shows a certificate", "psk-file" };
	static const struct meaning rows[] = {
		{ "alert unknown psk identity", "the KME does not know our psk-id", "psk-file" },
		{ "alert handshake failure", UNKNOWN_PSK ", or has no group that we accept", "psk-file" },
		{ "alert illegal parameter", "the KME has another key for our psk-id", "psk-file" },
		{ "alert decrypt error", "the KME has another key for our psk-id", "psk-file" },
		{ "alert bad record mac", "the KME has another key for our psk-id", "psk-file" },
		{ "", NULL, NULL },
	};
	const struct meaning *row;

	if (transfer->handshake.has_certificate)
		return &shows;
	row = find_meaning(rows, error);
	return row->text ? row : meaning_of(error);
}

/* What we demand and the KME does not have, the value first and what to do last; NULL for none. */
static const char *lack_of(const struct kme_transfer *transfer, const char *error)
{
	static const struct {
		const char *version, *hello;
	} rows[] = {
		[KME_TLS_PQ] = {
			"tls pq: the KME has no TLS 1.3; update it, or set tls 1.2",
			"tls pq: the KME has no hybrid group such as X25519MLKEM768; update it, or set tls 1.3",
		},
		[KME_TLS_1_3] = {
			"tls 1.3: the KME has no TLS 1.3; update it, or set tls 1.2",
			"tls 1.3: the KME has no group or cipher suite that we accept; update it",
		},
		[KME_TLS_1_2] = {
			"tls 1.2: the KME has no TLS 1.2; update it",
			"tls 1.2: the KME has no group that we accept, or no cipher suite with ECDHE and GCM or "
			"ChaCha20-Poly1305; update it",
		},
	};
	const struct kme_handshake *handshake = &transfer->handshake;

	if (strstr(error, "alert protocol version") || strstr(error, "unsupported protocol"))
		return rows[handshake->tls].version;
	/* With a pre-shared key it may be about that: see psk_meaning_of(). */
	if (has_psk(transfer) || !handshake->is_hello_refused ||
	    (!strstr(error, "alert handshake failure") && !strstr(error, "alert insufficient security")))
		return NULL;
	return rows[handshake->tls].hello;
}

/* libcurl says of an expired certificate of ours that verification failed, as of the KME's. */
static const char *error_of(const struct kme_transfer *transfer, CURLcode code)
{
	if (transfer->handshake.is_expired)
		return "TLS alert certificate expired";
	return transfer->error[0] ? transfer->error : curl_easy_strerror(code);
}

/* Whether the limit of a transfer is that of a turn, and not of kme-timeout-ms. */
static bool is_turn_over(const struct kme_peer *peer)
{
	return peer->turn.ms && peer->timeout_ms == turn_limit(&peer->turn, UINT32_MAX);
}

static void explain_error(const struct kme_transfer *transfer, enum kme_counter counter,
			  CURLcode code, struct qlink_why *why)
{
	static const struct meaning maybe = { "", "the KME closed the connection before any answer; does it "
						  "refuse our certificate", "certificate" };
	static const struct meaning turn_over = { "", "no whole answer within three eighths of turn-ms", NULL };
	const char *error = error_of(transfer, code);
	const struct meaning *meaning = has_psk(transfer) ? psk_meaning_of(transfer, error) :
					is_maybe_refusal(transfer, counter) ? &maybe : meaning_of(error);
	const struct meaning demand = { "", lack_of(transfer, error), NULL };
	char name[140] = "";

	if (counter == KME_COUNTER_TIMEOUT && is_turn_over(transfer->peer))
		meaning = &turn_over;
	if (demand.text)
		meaning = &demand;
	if (meaning->use)
		name_of(transfer, meaning->use, name, sizeof(name));
	snprintf(why->text, sizeof(why->text), "%s%s%s%s%.120s", meaning->text ?: "", *name ? ": " : "", name,
		 meaning->text ? ": " : "", error);
}

static void explain(const struct kme_transfer *transfer,
		    enum kme_counter counter, CURLcode code,
		    struct qlink_why *why)
{
	if (counter == KME_COUNTER_IDENTITY)
		snprintf(why->text, sizeof(why->text),
			 "its certificate does not have the KME ID '%.60s'; it is of '%s'",
			 transfer->peer->id, transfer->handshake.terms.subject);
	else if (counter == KME_COUNTER_TOO_BIG)
		snprintf(why->text, sizeof(why->text),
			 "answers with more than %zu bytes", transfer->answer.len);
	else if (transfer->is_resent)
		snprintf(why->text, sizeof(why->text),
			 "the connection closed after the request");
	else
		explain_error(transfer, counter, code, why);
	/* Errors quote the KME's certificate, which may have any bytes. */
	field_make_printable(why->text, "");
}

static void note_times(struct kme_times *times, CURL *easy)
{
	curl_off_t secured_us = 0, sent_us = 0, answered_us = 0;
	struct curl_header *date;
	time_t there;

	curl_easy_getinfo(easy, CURLINFO_APPCONNECT_TIME_T, &secured_us);
	curl_easy_getinfo(easy, CURLINFO_PRETRANSFER_TIME_T, &sent_us);
	curl_easy_getinfo(easy, CURLINFO_STARTTRANSFER_TIME_T, &answered_us);
	times->connect_ms = (uint64_t)secured_us / 1000;
	times->answer_ms = answered_us > sent_us ? (uint64_t)(answered_us - sent_us) / 1000 : 0;
	if (curl_easy_header(easy, "Date", 0, CURLH_HEADER, -1, &date))
		return;
	there = curl_getdate(date->value, NULL);
	times->has_clock = there != -1;
	times->ahead_s = there - time(NULL);
}

/* Takes what libcurl knows of a transfer that is over. */
static void note_end(struct kme_transfer *transfer)
{
	curl_off_t took_us = 0;

	curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE,
			  &transfer->status);
	curl_easy_getinfo(transfer->easy, CURLINFO_TOTAL_TIME_T, &took_us);
	transfer->took_ms = (uint64_t)took_us / 1000;
	note_times(&transfer->times, transfer->easy);
}

enum kme_counter kme_transfer_end(struct kme_transfer *transfer, CURLM *multi, CURLcode code,
				  struct qlink_why *why)
{
	enum kme_counter counter = KME_COUNTER_ANSWERED;

	if (transfer->easy)
		note_end(transfer);
	if (code != CURLE_OK) {
		counter = counter_of(transfer, code);
		explain(transfer, counter, code, why);
	}
	if (!transfer->easy)
		return counter;
	curl_multi_remove_handle(multi, transfer->easy);
	curl_easy_cleanup(transfer->easy);
	transfer->easy = NULL;
	return counter;
}

void kme_transfer_free(struct kme_transfer *transfer, CURLM *multi)
{
	if (transfer->easy) {
		curl_multi_remove_handle(multi, transfer->easy);
		curl_easy_cleanup(transfer->easy);
	}
	curl_slist_free_all(transfer->headers);
	credentials_put(transfer->credentials);
	qlink_secret_free(&transfer->answer);
	memset(transfer, 0, sizeof(*transfer));
}
