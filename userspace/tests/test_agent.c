// SPDX-License-Identifier: GPL-2.0-or-later
/* Connections and certificates of two whole agents. */
#include "agents.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "qlinkd/agreement/dial.h"
#include "qlinkd/expiry.h"
#include "qlinkd/peer/admission.h"
#include "qlinkd/status.h"

/* The certificates that both ends use. */
static struct exchange_binding binding_of(unsigned int i)
{
	struct exchange_binding binding = { 0 };

	if (agents_peer(i)->is_open)
		tls_binding(connection_tls(agents_peer(i)->connection), &binding);
	return binding;
}

TEST(a_new_certificate_is_used_at_once)
{
	struct exchange_binding before, after;
	unsigned int i;

	agents_start(LINK);
	WAIT_FOR(agents_ready());
	for (i = 0; i < 2; i++) {
		before = binding_of(i);
		agents_certify(i, ".");
		agents_reload(i);
		WAIT_FOR(agents_peer(i)->n_connections == i + 2 && agents_peer(!i)->n_connections == i + 2 && agents_ready());
		after = binding_of(i);
		CHECK(memcmp(before.own_cert_hash, after.own_cert_hash, sizeof(after.own_cert_hash)), "%s: the old certificate", agents_names[i]);
		CHECK(!memcmp(binding_of(!i).peer_cert_hash, after.own_cert_hash, sizeof(after.own_cert_hash)), "%s: the peer sees another one", agents_names[i]);
		CHECK(devices[0].tx.n && devices[0].rx.n && devices[1].tx.n && devices[1].rx.n, "keys are gone");
		/* The same files once more change nothing. */
		agents_reload(i);
		agents_turn();
		CHECK_NUMBER("connections", agents_peer(i)->n_connections, i + 2);
	}
	agents_end();
}

TEST(a_certificate_that_the_peer_refuses_leaves_the_connection)
{
	unsigned int i;
	struct agents_state before;

	agents_files();
	agents_shell("mkdir %s/other && " AGENTS_PKI " ca %s/other", agents_dir, agents_dir);
	agents_start(LINK);
	i = agents_dialler();
	WAIT_FOR(agents_ready());
	before = agents_state(i);
	agents_certify(i, "other");
	agents_reload(i);
	WAIT_FOR(agents_logged(!i, "peer-refused") && agents_logged(i, "peer-unreachable peer="));
	CHECK(agents_peer(i)->is_open && agents_peer(i)->connection == before.connection, "another connection");
	CHECK_NUMBER("sessions", agents_link(i)->counters.sessions, before.sessions);
	agents_certify(i, ".");
	agents_reload(i);
	WAIT_FOR(agents_peer(i)->n_connections == 2 && agents_ready());
	agents_end();
}

TEST(a_peer_of_a_ca_that_is_gone_loses_its_connection)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		agents_start(LINK);
		WAIT_FOR(agents_ready());
		agents_shell("cd %s && cp ca.pem saved.pem && cp other/ca.pem ca.pem", agents_dir);
		agents_reload(i);
		WAIT_FOR(!agents_peer(i)->is_open && agents_logged(i, "why=\"wrong-ca: "));
		CHECK(tls_refused(agents[i].now.context, TLS_REFUSAL_CA), "not counted");
		agents_shell("cd %s && cp saved.pem ca.pem", agents_dir);
		agents_reload(i);
		WAIT_FOR(agents_ready());
		agents_end();
	}
}

/* Both ends get certificates for suite 2, one after the other; then both demand it. */
TEST(two_sites_change_to_suite_2_and_then_demand_it)
{
	static const char least[] = LINK "\tsuite-least 2\n";
	unsigned int i;

	agents_start(LINK);
	WAIT_FOR(agents_ready());
	for (i = 0; i < 2; i++) {
		CHECK_NUMBER("before", binding_of(i).suite, 1);
		agents_certify_for(i, ".", 2);
		agents_reload(i);
		WAIT_FOR(agents_peer(i)->n_connections == i + 2 && agents_peer(!i)->n_connections == i + 2 && agents_ready());
		CHECK_NUMBER("suite", binding_of(i).suite, i + 1);
	}
	for (i = 0; i < 2; i++) {
		agents_write(agents_paths[i], agents_conf(i, KME, least));
		agents_reload(i);
		WAIT_FOR(agents_ready());
		CHECK_NUMBER("connections", agents_peer(i)->n_connections, 3);
	}
	/* One of them goes back: no connection. */
	i = !agents_dialler();
	agents_certify_for(i, ".", 1);
	agents_write(agents_paths[i], agents_conf(i, KME, LINK));
	agents_reload(i);
	WAIT_FOR(agents_logged(!i, "peer-unreachable peer=") && tls_refused(agents[!i].now.context, TLS_REFUSAL_SUITE) > 1);
	CHECK(agents_logged(!i, "why=\"wrong-suite: suite 1, below suite-least 2: group X25519MLKEM768, and the peer's key is ML-DSA-65\""), "not logged");
	CHECK(!agents_peer(!i)->is_open, "a connection");
	agents_certify_for(i, ".", 2);
	agents_reload(i);
	WAIT_FOR(agents_ready());
	for (i = 0; i < 2; i++)
		agents_certify(i, ".");
	agents_end();
}

/* The end that is dialled demands suite 2 all at once, while there is a connection of suite 1. */
TEST(a_suite_that_is_demanded_ends_a_connection_of_a_lower_one)
{
	unsigned int i = dial_is_ours(agents_names[0], agents_names[1]) ? 1 : 0;

	agents_files();
	agents_certify_for(i, ".", 2);
	agents_start(LINK);
	WAIT_FOR(agents_ready());
	agents_write(agents_paths[i], agents_conf(i, KME, LINK "\tsuite-least 2\n"));
	agents_reload(i);
	WAIT_FOR(agents_logged(i, "why=\"wrong-suite: ") && !agents_peer(i)->is_open);
	CHECK(tls_refused(agents[i].now.context, TLS_REFUSAL_SUITE), "not counted");
	CHECK(devices[i].tx.n, "the staged keys are gone");
	/* The peer, which knows nothing of that, calls again and again. */
	WAIT_FOR(tls_refused(agents[i].now.context, TLS_REFUSAL_SUITE) > 3);
	CHECK(!agents_peer(i)->is_open, "a connection");
	agents_end();
	agents_certify(i, ".");
}

/* --- what is no longer valid while there is a connection --- */

/* A certificate of an agent that is valid for some seconds from now. */
static void certify_briefly(unsigned int i, unsigned int seconds)
{
	agents_shell("cd %s && rm -f %s.pem %s.key && openssl req -x509 -newkey ML-DSA-65 -nodes -not_before \"$(date -u -d '-1 min' +%%Y%%m%%d%%H%%M%%SZ)\" "
		     "-not_after \"$(date -u -d '+%u sec' +%%Y%%m%%d%%H%%M%%SZ)\" -subj /CN=%s -CA ca.pem -CAkey ca.key "
		     "-addext basicConstraints=critical,CA:FALSE -addext subjectAltName=DNS:%s -keyout %s.key -out %s.pem 2>/dev/null",
		     agents_dir, agents_names[i], agents_names[i], seconds, agents_names[i], agents_names[i], agents_names[i], agents_names[i]);
}

/* Nobody reloads anything: the other end lets go of it by itself, and goes on under what it has. */
TEST(a_peer_whose_certificate_expires_loses_its_connection)
{
	const struct tls_context *context;
	unsigned int i;

	for (i = 0; i < 2; i++) {
		agents_files();
		certify_briefly(i, 4);
		agents_start(LINK);
		WAIT_FOR(agents_ready());
		CHECK_NUMBER("connections", agents_peer(!i)->n_connections, 1);
		context = agents[!i].now.context;
		WAIT_FOR(!agents_peer(!i)->is_open);
		CHECK(agents_logged(!i, "peer-unreachable peer=") &&
		      agents_logged(!i, "why=\"certificate-not-valid-now: certificate has expired\""), "not logged");
		CHECK(tls_refused(context, TLS_REFUSAL_DATES), "not counted");
		CHECK(devices[!i].tx.n && devices[!i].rx.n, "the staged keys are gone");
		agents_certify(i, ".");
		agents_reload(i);
		WAIT_FOR(agents_ready());
		agents_end();
	}
}

/* Makes a CRL of the CA for some seconds, in which the certificate of an agent is revoked or not. */
static void make_crl(const char *options, unsigned int seconds)
{
	agents_shell("cd %s && : >>index.txt && echo 01 >crlnumber && { echo '[ca]'; echo default_ca=x; echo '[x]'; echo database=index.txt; "
		     "echo crlnumber=crlnumber; echo default_md=default; } >ca.conf && "
		     "{ %s openssl ca -config ca.conf -gencrl -crlsec %u -keyfile ca.key -cert ca.pem -out crl.new; } 2>/dev/null && mv crl.new crl.pem",
		     agents_dir, options, seconds);
}

static const char *conf_with_crl(unsigned int i)
{
	static char text[AGENTS_TEXT];

	snprintf(text, sizeof(text), "agent\n\tcrl %s/crl.pem\n%s", agents_dir, agents_conf(i, KME, LINK) + strlen("agent\n"));
	return text;
}

TEST(a_peer_that_is_revoked_or_whose_crl_expires_loses_its_connection)
{
	char revoke[200];
	unsigned int i;

	for (i = 0; i < 2; i++) {
		agents_start(LINK);
		WAIT_FOR(agents_ready());
		make_crl("", 5);
		agents_write(agents_paths[i], conf_with_crl(i));
		agents_reload(i);
		WAIT_FOR(agents_ready());
		CHECK(agents_peer(i)->is_open, "no connection");
		/* Nobody brings another one in time. */
		WAIT_FOR(!agents_peer(i)->is_open && agents_logged(i, "why=\"certificate-not-valid-now: CRL has expired\""));
		make_crl("", 3600);
		agents_reload(i);
		WAIT_FOR(agents_ready() && agents_peer(i)->is_open);
		snprintf(revoke, sizeof(revoke), "openssl ca -config ca.conf -keyfile ca.key -cert ca.pem -revoke %s.pem;", agents_names[!i]);
		make_crl(revoke, 3600);
		agents_reload(i);
		WAIT_FOR(!agents_peer(i)->is_open && agents_logged(i, "why=\"wrong-ca: certificate revoked\""));
		CHECK(devices[i].tx.n && devices[i].rx.n, "the staged keys are gone");
		agents_end();
		agents_certify(!i, ".");
	}
}

static void on_any(void *arg, struct connection *connection)
{
	(void)connection;
	*(unsigned int *)arg |= 1;
}

static void on_message(void *arg, struct msg *msg, const uint8_t *data, size_t len)
{
	(void)msg;
	(void)data;
	(void)len;
	*(unsigned int *)arg |= 4;
}

static void on_end(void *arg, struct connection *connection, const char *why)
{
	(void)connection;
	(void)why;
	*(unsigned int *)arg |= 2;
}

/* A peer that we dial has a valid certificate, and dials us as well. */
TEST(a_peer_that_we_dial_cannot_dial_us)
{
	static const struct connection_ops ops = {
		.opened = on_any, .received = on_message, .closed = on_end,
	};
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const char *const both[] = { agents_names[0], agents_names[1], NULL };
	struct connection *connection;
	unsigned int i, done = 0;
	int fd;

	agents_start(LINK);
	WAIT_FOR(agents_ready());
	i = agents_dialler();
	at.sin_port = htons(agents_ports[i]);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	if (connect(fd, (struct sockaddr *)&at, sizeof(at)) || evutil_make_socket_nonblocking(fd) ||
	    connection_new(&connection, agents[!i].base, agents[!i].now.context, fd, true, both, &ops, &done))
		BAIL_OUT();
	WAIT_FOR(done & 6);
	CHECK(!(done & 4), "has a session");
	CHECK(agents_logged(i, "want no peer: this agent dials all of them"), "not logged");
	CHECK_NUMBER("refused", tls_refused(agents[i].now.context, TLS_REFUSAL_IDENTITY), 1);
	CHECK_NUMBER("connections", agents_peer(i)->n_connections, 1);
	CHECK_NUMBER("sessions", agents_link(i)->counters.sessions, 1);
	connection_free(connection);
	agents_reload(i);
	agents_end();
}

/* Calls an agent from an address of no peer, and hangs up. */
static void knock(unsigned int i)
{
	struct sockaddr_in from = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1) };
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	to.sin_port = htons(agents_ports[i]);
	if (bind(fd, (struct sockaddr *)&from, sizeof(from)) ||
	    (connect(fd, (struct sockaddr *)&to, sizeof(to)) && errno != EINPROGRESS))
		BAIL_OUT();
	agents_turn();
	close(fd);
}

TEST(a_flood_of_strangers_costs_few_looks_at_routes)
{
	const struct tls_context *context;
	unsigned int n;

	agents_start(LINK);
	WAIT_FOR(agents_ready());
	context = agents[0].now.context;
	agents_route_checks = 0;
	for (n = 0; tls_refused(context, TLS_REFUSAL_TOO_MANY) < 500 && n < 5000; n++)
		knock(0);
	CHECK(n < 5000, "too few are refused");
	/* Of the callers, those that were refused cost none. */
	CHECK(agents_route_checks <= n - 400, "%u looks at routes for %u callers", agents_route_checks, n);
	agents_end();
}

/* A caller that waits must not have the loop turn for ever. */
TEST(without_descriptors_callers_wait_and_the_loop_rests)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const struct tls_context *context;
	struct rlimit limit, none;
	uint64_t until;
	int fd;

	agents_start(LINK);
	WAIT_FOR(agents_ready());
	context = agents[0].now.context;
	getrlimit(RLIMIT_NOFILE, &limit);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	none = (struct rlimit){ .rlim_cur = 0, .rlim_max = limit.rlim_max };
	to.sin_port = htons(agents_ports[0]);
	if (setrlimit(RLIMIT_NOFILE, &none) ||
	    (connect(fd, (struct sockaddr *)&to, sizeof(to)) && errno != EINPROGRESS))
		BAIL_OUT();
	WAIT_FOR(tls_refused(context, TLS_REFUSAL_SHORT));
	for (until = device_now + 300; device_now < until; )
		agents_turn();
	setrlimit(RLIMIT_NOFILE, &limit);
	CHECK(tls_refused(context, TLS_REFUSAL_SHORT) <= 5, "%llu attempts in 0.3 s",
	      (unsigned long long)tls_refused(context, TLS_REFUSAL_SHORT));
	CHECK(agents_logged(0, "cannot be accepted: Too many open files"), "no line says so");
	close(fd);
	/* The agent has the caller as soon as it may, and the caller is gone. */
	WAIT_FOR(agents_logged(0, "peer-refused from=127.0.0.1"));
	agents_end();
}

/* --- what expires --- */

TEST(certificates_that_expire_are_told_three_times)
{
	/* qlink-pki makes certificates for 397 days, and a CA for 3650. */
	static const struct {
		unsigned int after_days, told, expired;
		const char *days;
	} rows[] = {
		{ 0, 0, 0, NULL }, { 366, 0, 0, NULL }, { 367, 2, 0, " days=29 " }, { 389, 2, 0, NULL },
		{ 390, 4, 0, " days=6 " }, { 390, 4, 0, NULL }, { 396, 6, 0, " days=0 " },
		{ 397, 6, 2, NULL }, { 500, 6, 2, NULL },
	};
	char want[120];
	time_t now;
	size_t i;

	agents_start(LINK);
	agents_turn();
	now = time(NULL) + 3600;
	for (i = 0; i < COUNT(rows); i++) {
		expiry_check(&agents[0].now, &agents[0].services, now + (time_t)rows[i].after_days * 86400);
		CHECK_NUMBER("lines", agents_logged(0, "certificate-expires "), rows[i].told);
		CHECK_NUMBER("expired", agents_logged(0, "certificate-expired "), rows[i].expired);
		CHECK(!rows[i].days || agents_logged(0, rows[i].days) == 2, "%s", rows[i].days);
	}
	snprintf(want, sizeof(want), "certificate-expires owner=rack use=certificate file=%s/site-a.pem subject=site-a days=29 serial=", agents_dir);
	CHECK(agents_logged(0, want), "no line '%s'", want);
	agents_end();
}

TEST(status_has_the_serial_numbers)
{
	const json_t *list;
	json_t *status;

	agents_start(LINK);
	status = status_of(&agents[0]);
	list = json_object_get(status, "certificates");
	CHECK_NUMBER("certificates and CAs of agent and KME", json_array_size(list), 4);
	CHECK_TEXT("subject", json_string_value(json_object_get(json_array_get(list, 0), "subject")), "site-a");
	CHECK(strlen(json_string_value(json_object_get(json_array_get(list, 0), "serial"))) > 8, "no serial");
	CHECK(json_is_null(json_object_get(json_array_get(list, 0), "kme")), "another owner");
	CHECK_TEXT("owner", json_string_value(json_object_get(json_array_get(list, 2), "kme")), "rack");
	json_decref(status);
	agents_end();
}
