// SPDX-License-Identifier: GPL-2.0-or-later
/* The peer's connection: real TLS on loopback, and callers that must be refused. */
#include "qlinkd/peer/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "qlinkd/agreement/dial.h"
#include "tap.h"

#define PKI	"qlinkd/qlink-pki"
/* A certificate with another type of key, under the same CA. */
#define EC_CERT	"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 " \
		"-nodes -days 9 -subj /CN=ec -CA ca.pem -CAkey ca.key " \
		"-addext subjectAltName=DNS:ec " \
		"-addext basicConstraints=critical,CA:FALSE " \
		"-keyout ec.key -out ec.pem 2>/dev/null"
/* Its name would clear a terminal. */
#define RUDE_CERT	"openssl req -x509 -newkey ML-DSA-65 -nodes -days 9 " \
		"-subj \"/CN=$(printf 'x\\033[2J\\302\\233y')\" -utf8 -CA ca.pem -CAkey ca.key " \
		"-addext subjectAltName=DNS:rude -addext basicConstraints=critical,CA:FALSE " \
		"-keyout rude.key -out rude.pem 2>/dev/null"
#define STALE_CERT	"openssl req -x509 -newkey ML-DSA-65 -nodes " \
		"-not_before 20240101000000Z -not_after 20240201000000Z " \
		"-subj /CN=old -CA ca.pem -CAkey ca.key " \
		"-addext subjectAltName=DNS:old " \
		"-addext basicConstraints=critical,CA:FALSE " \
		"-keyout old.key -out old.pem 2>/dev/null"
/* Two sites below a CA that a root has signed; their files have the chain, and "ca.pem" the root. */
#define DEEP_CERTS	"mkdir deep && cd deep && new='openssl req -x509 -newkey ML-DSA-65 -nodes -days 9' && " \
		"ca='-addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign' && " \
		"{ $new $ca -subj /CN=root -keyout ca.key -out ca.pem && " \
		"$new $ca -subj /CN=middle -CA ca.pem -CAkey ca.key -keyout middle.key -out middle.pem && " \
		"for name in site-a site-b; do " \
		"$new -subj /CN=$name -CA middle.pem -CAkey middle.key -addext subjectAltName=DNS:$name " \
		"-addext basicConstraints=critical,CA:FALSE -keyout $name.key -out $name.leaf && " \
		"cat $name.leaf middle.pem >$name.pem || exit; done; } 2>/dev/null"

static char dir[] = "/tmp/qlink-channel-XXXXXX";

static void shell(const char *command)
{
	CHECK_NUMBER(command, system(command), 0);
}

__attribute__((destructor))
static void pki_remove(void)
{
	char command[64];

	if (strstr(dir, "XXXXXX"))
		return;
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	if (system(command))
		fprintf(stderr, "%s: not removed\n", dir);
}

/* Once for all tests: three sites, another CA, and wrong certificates. */
static void pki_make(void)
{
	char command[2048];

	if (!strstr(dir, "XXXXXX"))
		return;
	CHECK(mkdtemp(dir), "mkdtemp: %s", strerror(errno));
	snprintf(command, sizeof(command),
		 PKI " ca %s && " PKI " cert %s site-a && " PKI
		 " cert %s site-b && " PKI " cert %s site-c && mkdir %s/other "
		 "&& " PKI " ca %s/other && " PKI " cert %s/other site-b && mkdir %s/87 && cp %s/ca.* %s/87 && "
		 PKI " --suite 2 cert %s/87 site-a && " PKI " --suite 2 cert %s/87 site-b",
		 dir, dir, dir, dir, dir, dir, dir, dir, dir, dir, dir, dir);
	shell(command);
	snprintf(command, sizeof(command), "cd %s && " EC_CERT, dir);
	shell(command);
	snprintf(command, sizeof(command), "cd %s && " STALE_CERT, dir);
	shell(command);
	snprintf(command, sizeof(command), "cd %s && " RUDE_CERT, dir);
	shell(command);
	snprintf(command, sizeof(command), "cd %s && " DEEP_CERTS, dir);
	shell(command);
}

static struct tls_context *context(const char *name, const char *ca,
				   const char *signatures)
{
	char cert[96], key[96], ca_path[96];
	struct credentials_files files = { .certificate = cert, .key = key, .ca = ca_path };
	struct credentials *credentials;
	struct qlink_why why = { "" };
	struct tls_context *made;

	snprintf(cert, sizeof(cert), "%s/%s.pem", dir, name);
	snprintf(key, sizeof(key), "%s/%s.key", dir, name);
	snprintf(ca_path, sizeof(ca_path), "%s/%s", dir, ca);
	CHECK_NUMBER(name, credentials_load(&credentials, &files, &why), 0);
	CHECK_NUMBER(name, tls_context_new(&made, credentials, signatures, &why), 0);
	CHECK_TEXT(name, why.text, "");
	credentials_put(credentials);
	return made;
}

/* Two ends of a TCP connection over 127.0.0.1, non-blocking. */
static void connect_loopback(int fds[2])
{
	struct sockaddr_in at = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(at);
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	fds[0] = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(!bind(listener, (struct sockaddr *)&at, len) &&
	      !listen(listener, 1) &&
	      !getsockname(listener, (struct sockaddr *)&at, &len) &&
	      !connect(fds[0], (struct sockaddr *)&at, len), "loopback: %s",
	      strerror(errno));
	fds[1] = accept(listener, NULL, NULL);
	close(listener);
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	fcntl(fds[1], F_SETFL, O_NONBLOCK);
}

/* Two ends of a TLS connection, of which 0 dials, each with its result. */
struct pair {
	struct tls *ends[2];
	struct qlink_why why[2];
	int err[2];
	int fds[2];
};

/* Run until neither end waits for the other, for at most 10 s. */
static void shake_hands(struct pair *pair)
{
	struct pollfd poll_fds[2];
	unsigned int rounds = 0, i;

	pair->err[0] = pair->err[1] = -EAGAIN;
	while (pair->err[0] == -EAGAIN || pair->err[1] == -EAGAIN) {
		for (i = 0; i < 2; i++) {
			if (pair->err[i] == -EAGAIN)
				pair->err[i] = tls_handshake(pair->ends[i],
							     &pair->why[i]);
			if (pair->err[i] == -EACCES)
				shutdown(pair->fds[i], SHUT_WR);
			poll_fds[i].fd = pair->err[i] == -EAGAIN ?
					 pair->fds[i] : -1;
			poll_fds[i].events = POLLIN;
		}
		if (poll_fds[0].fd < 0 && poll_fds[1].fd < 0)
			break;
		if (poll(poll_fds, 2, 10000) <= 0 || ++rounds > 1000) {
			CHECK(false, "the handshake does not end");
			break;
		}
	}
}

static void pair_make(struct pair *pair, struct tls_context *dialler,
		      struct tls_context *answerer,
		      const char *const *want_b, const char *const *want_a)
{
	memset(pair, 0, sizeof(*pair));
	connect_loopback(pair->fds);
	CHECK_NUMBER("channel", tls_new(&pair->ends[0], dialler,
					pair->fds[0], true, want_b), 0);
	CHECK_NUMBER("channel", tls_new(&pair->ends[1], answerer,
					pair->fds[1], false, want_a), 0);
	shake_hands(pair);
}

static void pair_drop(struct pair *pair)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		tls_free(pair->ends[i]);
		close(pair->fds[i]);
	}
}

static const char *const site_a[] = { "site-a", NULL };
static const char *const site_b[] = { "site-b", NULL };

static void check_counts(const char *who, const struct tls_context *context,
			 int refusal)
{
	int i;

	for (i = 0; i < TLS_N_REFUSALS; i++)
		CHECK(tls_refused(context, i) == (i == refusal),
		      "%s: %s is %llu", who, tls_refusal_name(i),
		      (unsigned long long)tls_refused(context, i));
}

static ssize_t read_some(struct pair *pair, unsigned int end, uint8_t *data,
			 size_t room)
{
	struct pollfd fd = { .fd = pair->fds[end], .events = POLLIN };
	ssize_t got;

	while ((got = tls_read(pair->ends[end], data, room)) == -EAGAIN)
		if (poll(&fd, 1, 10000) <= 0)
			break;
	return got;
}

TEST(two_sites_connect_and_derive_the_same_binding)
{
	static const char *const many[] = { "site-c", "site-a", NULL };
	struct tls_context *a, *b;
	struct exchange_binding keys[2];
	uint8_t data[64];
	struct pair pair;

	pki_make();
	a = context("site-a", "ca.pem", NULL);
	b = context("site-b", "ca.pem", NULL);
	pair_make(&pair, a, b, site_b, many);
	CHECK_NUMBER(pair.why[0].text, pair.err[0], 0);
	CHECK_NUMBER(pair.why[1].text, pair.err[1], 0);
	CHECK_TEXT("peer of a", tls_peer(pair.ends[0]), "site-b");
	CHECK_TEXT("peer of b", tls_peer(pair.ends[1]), "site-a");
	CHECK_NUMBER("keys", tls_binding(pair.ends[0], &keys[0]), 0);
	CHECK_NUMBER("keys", tls_binding(pair.ends[1], &keys[1]), 0);
	CHECK(!memcmp(keys[0].exporter, keys[1].exporter, 32), "exporters");
	CHECK(!memcmp(keys[0].own_cert_hash, keys[1].peer_cert_hash, 48),
	      "the dialler's certificate");
	CHECK(!memcmp(keys[0].peer_cert_hash, keys[1].own_cert_hash, 48),
	      "the listener's certificate");
	CHECK(memcmp(keys[0].own_cert_hash, keys[0].peer_cert_hash, 48),
	      "one certificate");
	CHECK(keys[0].has_dialled && !keys[1].has_dialled, "who dialled");
	CHECK_NUMBER("write", tls_write(pair.ends[0],
					(const uint8_t *)"hello", 5), 5);
	CHECK_NUMBER("read", read_some(&pair, 1, data, sizeof(data)), 5);
	CHECK(!memcmp(data, "hello", 5), "other bytes");
	check_counts("a", a, -1);
	check_counts("b", b, -1);
	tls_free(pair.ends[0]);
	pair.ends[0] = NULL;
	CHECK_NUMBER("the end", read_some(&pair, 1, data, sizeof(data)), 0);
	pair_drop(&pair);
	tls_context_free(a);
	tls_context_free(b);
}

TEST(sites_below_an_intermediate_ca_connect)
{
	struct tls_context *a, *b;
	struct pair pair;

	pki_make();
	a = context("deep/site-a", "deep/ca.pem", NULL);
	b = context("deep/site-b", "deep/ca.pem", NULL);
	pair_make(&pair, a, b, site_b, site_a);
	CHECK_TEXT("a", pair.why[0].text, "");
	CHECK_TEXT("b", pair.why[1].text, "");
	CHECK_NUMBER("a", pair.err[0], 0);
	CHECK_NUMBER("b", pair.err[1], 0);
	pair_drop(&pair);
	tls_context_free(a);
	tls_context_free(b);
}

/* A caller dials site-a, which must refuse it. */
static void check_refused(const char *name, const char *ca,
			  const char *signatures, int refusal, const char *text)
{
	struct tls_context *a, *other;
	uint8_t data[16];
	struct pair pair;
	const char *const anybody[] = { "site-a", "site-b", NULL };

	pki_make();
	a = context("site-a", "ca.pem", NULL);
	other = context(name, ca, signatures);
	pair_make(&pair, other, a, anybody, site_b);
	CHECK_NUMBER(name, pair.err[1], -EACCES);
	CHECK_TEXT(name, pair.why[1].text, text);
	check_counts(name, a, refusal);
	/* The dialling end notices in the handshake or when it reads. */
	if (!pair.err[0])
		CHECK(read_some(&pair, 0, data, sizeof(data)) <= 0,
		      "%s: can read", name);
	pair_drop(&pair);
	tls_context_free(a);
	tls_context_free(other);
}

TEST(a_certificate_of_another_ca_is_refused)
{
	/* The caller trusts our CA, so that it sends its own certificate. */
	check_refused("other/site-b", "ca.pem", NULL, TLS_REFUSAL_CA,
		      "wrong-ca: unable to get local issuer certificate");
}

TEST(an_expired_certificate_is_refused)
{
	check_refused("old", "ca.pem", NULL, TLS_REFUSAL_DATES,
		      "certificate-not-valid-now: certificate has expired");
}

TEST(the_certificate_of_another_link_is_refused)
{
	check_refused("site-c", "ca.pem", NULL, TLS_REFUSAL_IDENTITY,
		      "wrong-identity: the certificate names site-c, want site-b");
}

/* The words reach logs and the terminals of operators. */
TEST(a_name_in_a_certificate_moves_no_cursor)
{
	check_refused("rude", "ca.pem", NULL, TLS_REFUSAL_IDENTITY,
		      "wrong-identity: the certificate names x?[2J??y, want site-b");
}

TEST(a_certificate_with_another_key_type_is_refused)
{
	check_refused("ec", "ca.pem", "mldsa65:ECDSA+SHA256",
		      TLS_REFUSAL_NO_CERTIFICATE,
		      "no-certificate: peer did not return a certificate");
}

/* Dial site-a with plain OpenSSL, with settings that tls.c does not have. */
static void check_client(const char *groups, int version, int refusal,
			 const char *text)
{
	struct tls_context *a;
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	struct qlink_why why = { "" };
	struct tls *channel;
	int fds[2], err = -EAGAIN;
	unsigned int rounds = 0;
	SSL *ssl;

	pki_make();
	a = context("site-a", "ca.pem", NULL);
	connect_loopback(fds);
	SSL_CTX_set1_groups_list(ctx, groups);
	SSL_CTX_set_max_proto_version(ctx, version);
	ssl = SSL_new(ctx);
	SSL_set_fd(ssl, fds[0]);
	CHECK_NUMBER("channel", tls_new(&channel, a, fds[1], false, site_b),
		     0);
	while (err == -EAGAIN && rounds++ < 1000) {
		SSL_connect(ssl);
		poll(&(struct pollfd){ .fd = fds[1], .events = POLLIN }, 1,
		     10000);
		err = tls_handshake(channel, &why);
	}
	CHECK_NUMBER(groups, err, -EACCES);
	CHECK_TEXT(groups, why.text, text);
	check_counts(groups, a, refusal);
	tls_free(channel);
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	close(fds[0]);
	close(fds[1]);
	tls_context_free(a);
}

TEST(a_client_without_post_quantum_key_exchange_is_refused)
{
	check_client("X25519", TLS1_3_VERSION, TLS_REFUSAL_GROUP,
		     "wrong-group: no suitable key share");
}

TEST(a_client_of_tls_1_2_is_refused)
{
	check_client("X25519", TLS1_2_VERSION, TLS_REFUSAL_VERSION,
		     "wrong-version: unsupported protocol");
}

TEST(the_dialling_end_refuses_a_wrong_peer)
{
	struct tls_context *a, *c;
	struct pair pair;

	pki_make();
	a = context("site-a", "ca.pem", NULL);
	c = context("site-c", "ca.pem", NULL);
	pair_make(&pair, a, c, site_b, site_a);
	CHECK_NUMBER("dialler", pair.err[0], -EACCES);
	CHECK_TEXT("dialler", pair.why[0].text,
		   "wrong-identity: the certificate names site-c, want site-b");
	check_counts("dialler", a, TLS_REFUSAL_IDENTITY);
	pair_drop(&pair);
	tls_context_free(a);
	tls_context_free(c);
}

TEST(what_no_peer_would_accept_is_refused)
{
	char cert[96], key[96], ca[96], want[200];
	const struct credentials_files files = { .certificate = cert, .key = key, .ca = ca };
	struct credentials *credentials;
	struct tls_context *made;
	struct qlink_why why;

	pki_make();
	snprintf(cert, sizeof(cert), "%s/ec.pem", dir);
	snprintf(key, sizeof(key), "%s/ec.key", dir);
	snprintf(ca, sizeof(ca), "%s/ca.pem", dir);
	snprintf(want, sizeof(want), "certificate %s: has a key of type EC, and peers take ML-DSA-65 or ML-DSA-87", cert);
	CHECK_NUMBER("load", credentials_load(&credentials, &files, &why), 0);
	CHECK_NUMBER("another key", tls_context_new(&made, credentials, NULL, &why), -EINVAL);
	CHECK_TEXT("another key", why.text, want);
	CHECK_NUMBER("no such signature", tls_context_new(&made, credentials, "rot13", &why), -EINVAL);
	CHECK(strstr(why.text, "signatures rot13"), "%s", why.text);
	CHECK(!made, "a context");
	credentials_put(credentials);
}

/* --- suites --- */

/* The certificates of both ends, of which the first dials, and the suite that the ends get. */
static const struct {
	const char *a, *b;
	unsigned int suite;
} mixes[] = {
	{ "site-a", "site-b", 1 }, { "87/site-a", "site-b", 1 }, { "site-a", "87/site-b", 1 },
	{ "87/site-a", "87/site-b", 2 },
};

static void pair_mix(struct pair *pair, struct tls_context *contexts[2], size_t row)
{
	pki_make();
	contexts[0] = context(mixes[row].a, "ca.pem", NULL);
	contexts[1] = context(mixes[row].b, "ca.pem", NULL);
	pair_make(pair, contexts[0], contexts[1], site_b, site_a);
	CHECK_TEXT(mixes[row].a, pair->why[0].text, "");
	CHECK_TEXT(mixes[row].b, pair->why[1].text, "");
}

static void drop_mix(struct pair *pair, struct tls_context *contexts[2])
{
	pair_drop(pair);
	tls_context_free(contexts[0]);
	tls_context_free(contexts[1]);
}

TEST(both_ends_get_the_best_suite_that_both_can_have)
{
	struct tls_context *contexts[2];
	struct exchange_binding binding;
	struct pair pair;
	unsigned int i;
	size_t row;

	for (row = 0; row < sizeof(mixes) / sizeof(mixes[0]); row++) {
		pair_mix(&pair, contexts, row);
		for (i = 0; i < 2; i++) {
			CHECK_NUMBER("own", tls_context_suite(contexts[i]),
				     strncmp(i ? mixes[row].b : mixes[row].a, "87/", 3) ? 1 : 2);
			CHECK_NUMBER(mixes[row].a, tls_suite(pair.ends[i]), mixes[row].suite);
			CHECK_NUMBER("binding", tls_binding(pair.ends[i], &binding), 0);
			CHECK_NUMBER("bound", binding.suite, mixes[row].suite);
			check_counts(mixes[row].b, contexts[i], -1);
		}
		drop_mix(&pair, contexts);
	}
}

TEST(a_suite_below_the_least_is_refused_at_each_end)
{
	struct tls_context *contexts[2];
	struct qlink_why why;
	struct pair pair;
	char want[100];
	unsigned int i;
	size_t row;

	for (row = 0; row < sizeof(mixes) / sizeof(mixes[0]); row++) {
		pair_mix(&pair, contexts, row);
		for (i = 0; i < 2; i++) {
			CHECK_NUMBER("suite 1", tls_demand(pair.ends[i], 1, &why), 0);
			CHECK_NUMBER("suite 2", tls_demand(pair.ends[i], 2, &why),
				     mixes[row].suite == 2 ? 0 : -EACCES);
			snprintf(want, sizeof(want), "wrong-suite: suite 1, below suite-least 2: group X25519MLKEM768, "
				 "and the peer's key is ML-DSA-%s", strncmp(i ? mixes[row].a : mixes[row].b, "87/", 3) ? "65" : "87");
			if (mixes[row].suite < 2)
				CHECK_TEXT("why", why.text, want);
			check_counts("least", contexts[i], mixes[row].suite == 2 ? -1 : TLS_REFUSAL_SUITE);
		}
		drop_mix(&pair, contexts);
	}
}

/* Plain OpenSSL with a certificate for suite 2, and one group of suite 1 or 2. */
static SSL *client_of(SSL_CTX *ctx, const char *groups, int fd)
{
	char cert[64], key[64];
	SSL *ssl;

	snprintf(cert, sizeof(cert), "%s/87/site-b.pem", dir);
	snprintf(key, sizeof(key), "%s/87/site-b.key", dir);
	CHECK(SSL_CTX_set1_groups_list(ctx, groups) && SSL_CTX_use_certificate_file(ctx, cert, SSL_FILETYPE_PEM) == 1 &&
	      SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) == 1, "%s: no client", groups);
	ssl = SSL_new(ctx);
	SSL_set_fd(ssl, fd);
	return ssl;
}

/* Both have a certificate for suite 2, and the client says that it has only the group of suite 1. */
TEST(a_client_that_hides_suite_2_is_refused_by_who_demands_it)
{
	static const char *const groups[] = { NULL, "X25519MLKEM768", "SecP384r1MLKEM1024" };
	struct tls_context *a;
	struct qlink_why why;
	struct tls *tls;
	unsigned int suite, rounds;
	int fds[2], err;
	SSL_CTX *ctx;
	SSL *ssl;

	pki_make();
	for (suite = 1; suite <= 2; suite++) {
		a = context("87/site-a", "ca.pem", NULL);
		ctx = SSL_CTX_new(TLS_client_method());
		connect_loopback(fds);
		ssl = client_of(ctx, groups[suite], fds[0]);
		CHECK_NUMBER("new", tls_new(&tls, a, fds[1], false, site_b), 0);
		for (rounds = 0, err = -EAGAIN; err == -EAGAIN && rounds < 1000; rounds++) {
			SSL_connect(ssl);
			poll(&(struct pollfd){ .fd = fds[1], .events = POLLIN }, 1, 10000);
			err = tls_handshake(tls, &why);
		}
		CHECK_NUMBER(groups[suite], err, 0);
		CHECK_NUMBER(groups[suite], tls_suite(tls), suite);
		CHECK_NUMBER(groups[suite], tls_demand(tls, 2, &why), suite == 2 ? 0 : -EACCES);
		check_counts(groups[suite], a, suite == 2 ? -1 : TLS_REFUSAL_SUITE);
		tls_free(tls);
		SSL_free(ssl);
		SSL_CTX_free(ctx);
		close(fds[0]);
		close(fds[1]);
		tls_context_free(a);
	}
}

/* An end without a certificate for suite 2 takes no group of it, though it knows how. */
TEST(suite_2_alone_is_refused_by_who_cannot_have_it)
{
	check_client("SecP384r1MLKEM1024", TLS1_3_VERSION, TLS_REFUSAL_GROUP,
		     "wrong-group: no suitable key share");
}

/* --- KeyUpdate --- */

/* Sends a number from one end, which changes its key when that is due, and reads it at the other. */
static void pass_number(struct pair *pair, unsigned int from, uint32_t number, uint64_t now)
{
	uint32_t got = ~number;
	struct qlink_why why;

	CHECK_NUMBER("update", tls_update(pair->ends[from], now, &why), 0);
	CHECK_NUMBER("write", tls_write(pair->ends[from], (const uint8_t *)&number, sizeof(number)), sizeof(number));
	CHECK_NUMBER("read", read_some(pair, !from, (uint8_t *)&got, sizeof(got)), sizeof(got));
	CHECK_NUMBER("number", got, number);
}

static void check_updates(const struct tls_context *context, unsigned int sent, unsigned int heard)
{
	struct tls_updates updates = tls_context_updates(context);

	CHECK_NUMBER("sent", updates.sent, sent);
	CHECK_NUMBER("heard", updates.heard, heard);
}

TEST(each_end_changes_its_key_after_so_many_records_and_so_long)
{
	static const struct tls_limits limits = { .records = 10, .age_ms = 1000, .heard_most = 100, .heard_ms = 1 };
	struct exchange_binding before, after;
	struct tls_context *contexts[2];
	uint64_t now = 5000;
	struct qlink_why why;
	struct pair pair;
	unsigned int i;
	uint8_t byte;

	pair_mix(&pair, contexts, 0);
	for (i = 0; i < 2; i++) {
		tls_context_limit(contexts[i], &limits);
		CHECK_NUMBER("begins", tls_update(pair.ends[i], now, &why), 0);
	}
	CHECK_NUMBER("binding", tls_binding(pair.ends[0], &before), 0);
	for (i = 0; i < 95; i++) {
		pass_number(&pair, 0, i, now);
		if (i < 35)
			pass_number(&pair, 1, i, now);
	}
	check_updates(contexts[0], 9, 3);
	check_updates(contexts[1], 3, 9);
	/* Nothing is sent for a while. */
	now += 999;
	CHECK_NUMBER("too early", tls_update(pair.ends[0], now, &why), 0);
	check_updates(contexts[0], 9, 3);
	CHECK_NUMBER("due", tls_update(pair.ends[0], now + 1, &why), 0);
	CHECK_NUMBER("not again", tls_update(pair.ends[0], now + 2, &why), 0);
	poll(&(struct pollfd){ .fd = pair.fds[1], .events = POLLIN }, 1, 10000);
	CHECK_NUMBER("no data", tls_read(pair.ends[1], &byte, 1), -EAGAIN);
	check_updates(contexts[0], 10, 3);
	check_updates(contexts[1], 3, 10);
	pass_number(&pair, 0, 1, now);
	CHECK_NUMBER("binding", tls_binding(pair.ends[0], &after), 0);
	CHECK(!memcmp(&before, &after, sizeof(before)), "the exporter has changed");
	check_counts("a", contexts[0], -1);
	check_counts("b", contexts[1], -1);
	drop_mix(&pair, contexts);
}

/* One that changes its key for each record; OpenSSL itself would take any number of them. */
TEST(a_peer_that_changes_its_key_too_often_is_refused)
{
	static const struct tls_limits often = { .records = 1, .age_ms = 1000, .heard_most = 16, .heard_ms = 60000 };
	struct tls_context *contexts[2];
	struct qlink_why why;
	struct pair pair;
	unsigned int i;

	pair_mix(&pair, contexts, 0);
	tls_context_limit(contexts[0], &often);
	CHECK_NUMBER("begins", tls_update(pair.ends[0], 1, &why), 0);
	CHECK_NUMBER("begins", tls_update(pair.ends[1], 1, &why), 0);
	for (i = 0; i <= 17; i++) {
		pass_number(&pair, 0, i, 1);
		CHECK_NUMBER("16 at once", tls_update(pair.ends[1], i < 17 ? 1 : 60000, &why), i < 17 ? 0 : -EACCES);
	}
	CHECK_TEXT("why", why.text, "too-many-key-updates: more than 16 at once, and one in 60000 ms");
	check_counts("b", contexts[1], TLS_REFUSAL_UPDATES);
	for (i = 0; i < 200; i++)
		pass_number(&pair, 0, i, 1);
	check_updates(contexts[1], 0, 217);
	drop_mix(&pair, contexts);
}

TEST(exactly_one_end_of_a_pair_dials)
{
	CHECK(dial_is_ours("site-a", "site-b") !=
	      dial_is_ours("site-b", "site-a"), "both or none");
	CHECK(!dial_is_ours("site-a", "site-a"), "dials itself");
}
