// SPDX-License-Identifier: GPL-2.0-or-later
/* One KME's HTTPS server. */
#include "server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <time.h>

#include <event2/buffer.h>
#include <event2/bufferevent_ssl.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "answer.h"
#include "common/wipe.h"
#include "psk.h"
#include "serve.h"

#define MAX_HEADER_BYTES	16384
#define MAX_BODY_BYTES		1048576
#define IDLE_S			600

/* An answer that a fault delays. A close of the connection must call held_closed() first. */
struct held {
	TAILQ_ENTRY(held) next;
	struct server *server;
	struct evhttp_request *request;
	struct evhttp_connection *connection;
	/* sends the next piece, or closes the connection; NULL if no answer is ever sent */
	struct event *timer;
	struct timeval pace;
	char *body;
	size_t len, sent;
	/* bytes of a piece, one each pace */
	size_t piece;
	bool is_cut;
};

uint64_t server_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void held_free(struct held *held)
{
	TAILQ_REMOVE(&held->server->held, held, next);
	held->server->etsi.channel->n_held[held->server->etsi.side]--;
	evhttp_connection_set_closecb(held->connection, NULL, NULL);
	if (held->timer)
		event_free(held->timer);
	qlink_wipe_free(held->body);
	free(held);
}

static void held_closed(struct evhttp_connection *connection, void *arg)
{
	struct held *held = arg;
	struct evhttp_request *request = held->request;

	(void)connection;
	held_free(held);
	/* If the client closed the connection, libevent does not free the request. */
	if (!evhttp_request_get_connection(request))
		evhttp_request_free(request);
}

static void held_abort(struct held *held)
{
	struct evhttp_connection *connection = held->connection;

	held_free(held);
	evhttp_connection_free(connection);
}

static void held_flushed(struct evhttp_connection *connection, void *arg)
{
	struct held *held = arg;

	(void)connection;
	/* The connection must not be freed from within its own callback. */
	event_active(held->timer, 0, 0);
}

static void held_send(struct held *held, size_t n)
{
	struct evbuffer *piece = evbuffer_new();

	evbuffer_add(piece, held->body + held->sent, n);
	held->sent += n;
	if (held->is_cut)
		evhttp_send_reply_chunk_with_cb(held->request, piece,
						held_flushed, held);
	else
		evhttp_send_reply_chunk(held->request, piece);
	evbuffer_free(piece);
}

static void held_due(evutil_socket_t fd, short what, void *arg)
{
	struct held *held = arg;
	struct evhttp_request *request = held->request;

	(void)fd;
	(void)what;
	if (held->is_cut) {
		held_abort(held);
	} else if (held->sent < held->len) {
		/* The end follows the last piece at once. */
		if (held->sent + held->piece >= held->len)
			timerclear(&held->pace);
		event_add(held->timer, &held->pace);
		held_send(held, held->piece);
	} else {
		held_free(held);
		evhttp_send_reply_end(request);
	}
}

/* Owns the body of @reply afterwards. */
static void hold(struct server *server, struct evhttp_request *request,
		 struct etsi_reply *reply)
{
	struct held *held = calloc(1, sizeof(*held));

	if (!held)
		abort();
	held->server = server;
	held->request = request;
	held->connection = evhttp_request_get_connection(request);
	held->body = reply->body;
	held->len = reply->len;
	held->is_cut = reply->delivery == ETSI_CUT;
	held->piece = reply->delivery == ETSI_LATE ? held->len : 1;
	held->pace.tv_sec = reply->arg / 1000;
	held->pace.tv_usec = (suseconds_t)(reply->arg % 1000) * 1000;
	reply->body = NULL;
	TAILQ_INSERT_TAIL(&server->held, held, next);
	server->etsi.channel->n_held[server->etsi.side]++;
	evhttp_connection_set_closecb(held->connection, held_closed, held);
	if (reply->delivery == ETSI_HANG)
		return;
	held->timer = evtimer_new(server->base, held_due, held);
	evhttp_send_reply_start(request, reply->status, NULL);
	if (held->is_cut)
		held_send(held, held->len / 2);
	else
		event_add(held->timer, &held->pace);
}

static void send_reply(struct server *server, struct evhttp_request *request,
		       struct etsi_reply *reply)
{
	struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
	struct evbuffer *body;
	char len[24];

	snprintf(len, sizeof(len), "%zu", reply->len);
	evhttp_add_header(headers, "Content-Type", reply->type);
	evhttp_add_header(headers, "Content-Length", len);
	if (server->etsi.settings.value[SETTING_CONNECTION] == CONNECTION_CLOSE)
		evhttp_add_header(headers, "Connection", "close");
	if (reply->delivery != ETSI_SEND) {
		hold(server, request, reply);
		return;
	}
	body = evbuffer_new();
	evbuffer_add(body, reply->body, reply->len);
	evhttp_send_reply(request, reply->status, NULL, body);
	evbuffer_free(body);
}

/* Compares two hexadecimal serial numbers; leading zeros do not count. */
static bool is_serial(const char *one, const char *other)
{
	return !strcasecmp(one + strspn(one, "0"), other + strspn(other, "0"));
}

static bool is_sae(const struct sae *sae, const char *name, const char *serial)
{
	return sae->serial[0] ? is_serial(sae->serial, serial) :
				!strcmp(sae->id, name);
}

/* The SAE of a client: by the serial number of its certificate if the SAE has one, else by its CN. */
static const struct sae *identify_by_certificate(struct server *server, const SSL *ssl)
{
	X509 *certificate = SSL_get0_peer_certificate(ssl);
	char name[CHANNEL_SAE_MAX + 2] = "";
	const struct sae *sae = NULL;
	char *serial;
	BIGNUM *number;

	if (!certificate || SSL_get_verify_result(ssl) != X509_V_OK)
		return NULL;
	X509_NAME_get_text_by_NID(X509_get_subject_name(certificate),
				  NID_commonName, name, sizeof(name));
	number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), NULL);
	serial = number ? BN_bn2hex(number) : NULL;
	if (serial) {
		LIST_FOREACH(sae, &server->etsi.channel->saes, next)
			if (is_sae(sae, name, serial))
				break;
	}
	OPENSSL_free(serial);
	BN_free(number);
	return sae;
}

static const struct sae *identify(struct server *server, const SSL *ssl)
{
	return psk_sae(ssl) ?: identify_by_certificate(server, ssl);
}

static enum etsi_method method_of(struct evhttp_request *request)
{
	switch (evhttp_request_get_command(request)) {
	case EVHTTP_REQ_GET:
		return ETSI_GET;
	case EVHTTP_REQ_POST:
		return ETSI_POST;
	default:
		return ETSI_OTHER_METHOD;
	}
}

/* Whether as many answers are under way as the KME can handle. */
static bool is_busy(const struct server *server)
{
	int most = server->etsi.settings.value[SETTING_PARALLEL], n = 0;
	const struct held *held;

	TAILQ_FOREACH(held, &server->held, next)
		n++;
	return most && n >= most;
}

static void on_request(struct evhttp_request *http, void *arg)
{
	struct server *server = arg;
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(http);
	struct evbuffer *body = evhttp_request_get_input_buffer(http);
	struct bufferevent *bev = evhttp_connection_get_bufferevent(
		evhttp_request_get_connection(http));
	struct etsi_request request = {
		.sae = identify(server, bufferevent_openssl_get_ssl(bev)),
		.method = method_of(http),
		.path = evhttp_uri_get_path(uri) ?: "",
		.query = evhttp_uri_get_query(uri),
		.body_len = evbuffer_get_length(body),
		.body = (const char *)evbuffer_pullup(body, -1),
		.now_ms = server_now_ms(),
	};
	struct etsi_reply reply;

	if (is_busy(server)) {
		memset(&reply, 0, sizeof(reply));
		answer_error(&server->etsi, &reply, 503, "busy with other requests");
	} else {
		serve_request(&server->etsi, &request, &reply);
	}
	send_reply(server, http, &reply);
	qlink_wipe_free(reply.body);
}

/* What OpenSSL negotiates, as far as settings restrict it; a product may be older than it. */
static void restrict_tls(SSL *ssl, const struct settings *settings)
{
	static const char *const groups[] = {
		[GROUPS_CLASSICAL] = "X25519:P-256:P-384",
		[GROUPS_HYBRID] = "X25519MLKEM768",
	};
	int tls = settings->value[SETTING_TLS], group = settings->value[SETTING_GROUPS];

	SSL_set_min_proto_version(ssl, tls == TLS_1_3 ? TLS1_3_VERSION :
							TLS1_2_VERSION);
	SSL_set_max_proto_version(ssl, tls == TLS_1_2 ? TLS1_2_VERSION : 0);
	if (group != GROUPS_ANY)
		SSL_set1_groups_list(ssl, groups[group]);
	/* Of TLS 1.2; the suites of TLS 1.3 are all modern. */
	if (settings->value[SETTING_SUITES] == SUITES_CBC)
		SSL_set_cipher_list(ssl, "ECDHE-ECDSA-AES128-SHA");
}

static struct bufferevent *on_connection(struct event_base *base, void *arg)
{
	struct server *server = arg;
	SSL *ssl = SSL_new(server->tls);
	struct bufferevent *bev;

	if (!ssl)
		return NULL;
	server->n_connections++;
	restrict_tls(ssl, &server->etsi.settings);
	bev = bufferevent_openssl_socket_new(base, -1, ssl,
					     BUFFEREVENT_SSL_ACCEPTING,
					     BEV_OPT_CLOSE_ON_FREE);
	if (!bev)
		SSL_free(ssl);
	else
		bufferevent_openssl_set_allow_dirty_shutdown(bev, 1);
	return bev;
}

static int refuse_file(const char *what, const char *path,
		       struct qlink_why *why)
{
	snprintf(why->text, sizeof(why->text), "%s %.60s: %.40s", what, path,
		 ERR_reason_error_string(ERR_peek_last_error()) ?: "unusable");
	return -1;
}

static int load_files(SSL_CTX *tls, const struct server *server, struct qlink_why *why)
{
	if (SSL_CTX_use_certificate_chain_file(tls, server->certificate) != 1)
		return refuse_file("certificate", server->certificate, why);
	if (SSL_CTX_use_PrivateKey_file(tls, server->key, SSL_FILETYPE_PEM) != 1)
		return refuse_file("key", server->key, why);
	if (SSL_CTX_load_verify_file(tls, server->ca) != 1)
		return refuse_file("ca", server->ca, why);
	SSL_CTX_set_client_CA_list(tls, SSL_load_client_CA_file(server->ca));
	return 0;
}

int server_load(struct server *server, struct qlink_why *why)
{
	SSL_CTX *tls = SSL_CTX_new(TLS_server_method());

	if (!tls)
		return refuse_file("TLS", "", why);
	/* A resumed session would not send the certificate that identifies the client. */
	SSL_CTX_set_options(tls, SSL_OP_NO_TICKET | SSL_OP_CLEANSE_PLAINTEXT);
	SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_num_tickets(tls, 0);
	SSL_CTX_set_verify(tls, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
			   NULL);
	if (server->certificate[0] && load_files(tls, server, why)) {
		SSL_CTX_free(tls);
		return -1;
	}
	/* To OpenSSL, a pre-shared key of TLS 1.3 is a session, and with certificates each must have a context. */
	SSL_CTX_set_session_id_context(tls, (const unsigned char *)"kmesim", 6);
	if (psk_is_used(&server->etsi))
		psk_accept(tls, &server->etsi);
	SSL_CTX_free(server->tls);
	server->tls = tls;
	return 0;
}

static uint16_t port_of(evutil_socket_t fd)
{
	struct sockaddr_storage address;
	socklen_t len = sizeof(address);

	if (getsockname(fd, (struct sockaddr *)&address, &len))
		return 0;
	return ntohs(address.ss_family == AF_INET6 ?
			     ((struct sockaddr_in6 *)&address)->sin6_port :
			     ((struct sockaddr_in *)&address)->sin_port);
}

int server_start(struct server *server, struct qlink_why *why)
{
	struct evhttp_bound_socket *socket;
	const int on = 1;

	if (server->http)
		return 0;
	if (server_load(server, why))
		return -1;
	server->http = evhttp_new(server->base);
	if (!server->http)
		return refuse_file("HTTP", "", why);
	evhttp_set_allowed_methods(server->http, 0xffff);
	evhttp_set_max_headers_size(server->http, MAX_HEADER_BYTES);
	evhttp_set_max_body_size(server->http, MAX_BODY_BYTES);
	evhttp_set_timeout(server->http, IDLE_S);
	evhttp_set_bevcb(server->http, on_connection, server);
	evhttp_set_gencb(server->http, on_request, server);
	socket = evhttp_bind_socket_with_handle(server->http, server->host,
						server->port);
	if (!socket) {
		snprintf(why->text, sizeof(why->text), "listen %s:%u: %s",
			 server->host, server->port,
			 evutil_socket_error_to_string(EVUTIL_SOCKET_ERROR()));
		server_stop(server);
		return -1;
	}
	/* Connections inherit this. A body is a separate write, which would wait for the ACK of the head. */
	setsockopt(evhttp_bound_socket_get_fd(socket), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	server->port = port_of(evhttp_bound_socket_get_fd(socket));
	server->etsi.channel->is_up[server->etsi.side] = true;
	return 0;
}

void server_release(struct server *server)
{
	while (!TAILQ_EMPTY(&server->held))
		held_abort(TAILQ_FIRST(&server->held));
}

void server_stop(struct server *server)
{
	if (server->restart)
		event_del(server->restart);
	if (!server->http)
		return;
	server_release(server);
	evhttp_free(server->http);
	server->http = NULL;
	server->etsi.channel->is_up[server->etsi.side] = false;
}

static void restart_due(evutil_socket_t fd, short what, void *arg)
{
	struct server *server = arg;
	struct qlink_why why;

	(void)fd;
	(void)what;
	if (server_start(server, &why))
		fprintf(stderr, "qlink-kmesim: %s\n", why.text);
}

void server_restart(struct server *server, unsigned int ms)
{
	struct timeval after = { .tv_sec = ms / 1000,
				 .tv_usec = (suseconds_t)(ms % 1000) * 1000 };

	server_stop(server);
	if (!server->restart)
		server->restart = evtimer_new(server->base, restart_due, server);
	event_add(server->restart, &after);
}

void server_exit(struct server *server)
{
	server_stop(server);
	if (server->restart)
		event_free(server->restart);
	SSL_CTX_free(server->tls);
}
