// SPDX-License-Identifier: GPL-2.0-or-later
/* Two whole agents with real sockets and TLS, and devices in memory: what a reload does. */
#include <event2/event.h>

/* Two loops of one process cannot both have signals, and there is no kernel to send events. */
#undef evsignal_new
#define evsignal_new(base, number, callback, arg)			\
	event_new((base), -(number), EV_PERSIST, (callback), (arg))
#define qlink_monitor_fd no_events
#define qlink_monitor_next no_next_event
#include "libqlink/event.h"

#include "qlinkd/agent.c"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "device.h"
#include "qlinkd/peer/admission.h"
#include "qlinkd/peer/route.h"
#include "qlinkd/control.h"
#include "qlinkd/status.h"
#include "tap.h"

#define PKI		"qlinkd/qlink-pki"
/* Longer than anything takes that ends at all, even on a busy machine. */
#define DEADLINE_MS	30000
#define TEXT_MAX	4096

static char dir[] = "/tmp/qlink-agent-XXXXXX";
static struct agent agents[2];
static const char *const names[2] = { "site-a", "site-b" };
static uint16_t ports[2];
static char paths[2][64];
static int log_fds[2], event_fd;

int no_events(const struct qlink_monitor *monitor)
{
	(void)monitor;
	return event_fd;
}

int no_next_event(struct qlink_monitor *monitor, struct qlink_event *event,
		  struct qlink_error *error)
{
	(void)monitor;
	(void)event;
	(void)error;
	return -EAGAIN;
}

/* Nothing is routed through a qlink here; it only counts. */
static unsigned int n_route_checks;

int route_check(const struct qlink_addr *addr, struct qlink_why *why)
{
	(void)addr;
	(void)why;
	n_route_checks++;
	return 0;
}

/* --- files --- */

__attribute__((format(printf, 1, 2)))
static void shell(const char *format, ...)
{
	char command[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	CHECK_NUMBER(command, system(command), 0);
}

__attribute__((destructor))
static void remove_files(void)
{
	char command[64];

	if (dir[sizeof(dir) - 2] == 'X')
		return;
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	if (system(command))
		fprintf(stderr, "%s: not removed\n", dir);
}

/* A port that nobody listens on now. */
static uint16_t free_port(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&at, len) ||
	    getsockname(fd, (struct sockaddr *)&at, &len))
		BAIL_OUT();
	close(fd);
	return ntohs(at.sin_port);
}

/* Replaces the file as an editor does, so that no reader sees half of it. */
static void write_file(const char *path, const char *text)
{
	char new[80];
	FILE *file;

	snprintf(new, sizeof(new), "%s.new", path);
	file = fopen(new, "we");
	if (!file || fputs(text, file) < 0 || fclose(file) || rename(new, path))
		BAIL_OUT();
}

/* The configuration of an agent, with lines of its own in sections kme and link. */
static const char *conf(unsigned int end, const char *kme, const char *link)
{
	static char text[TEXT_MAX];

	snprintf(text, sizeof(text),
		 "agent\n\tname %s\n\tcertificate %s/%s.pem\n\tkey %s/%s.key\n\tca %s/ca.pem\n"
		 "\tlisten 127.0.0.1:%u\n\tcontrol %s/control\n\tmetrics %s/metrics\n"
		 "\taudit-log %s/%s.audit\n"
		 "kme rack\n\tcertificate %s/%s.pem\n\tkey %s/%s.key\n\tca %s/ca.pem\n%s"
		 "peer %s\n\taddress 127.0.0.1:%u\n"
		 "link qlink0\n\tpeer %s\n%s",
		 names[end], dir, names[end], dir, names[end], dir, ports[end], dir, dir, dir,
		 names[end], dir, names[end], dir, names[end], dir, kme, names[!end], ports[!end],
		 names[!end], link);
	return text;
}

#define KME	"\turl https://127.0.0.1:9\n"
#define LINK	"\tpolicy pqc-only\n"
#define SPARE	"link qlink1\n\tpeer %s\n\tkmes rack\n\tsae SAE-B\n"

/* --- both agents --- */

static void make_files(void)
{
	if (dir[sizeof(dir) - 2] != 'X')
		return;
	if (!mkdtemp(dir))
		BAIL_OUT();
	shell(PKI " ca %s && " PKI " cert %s site-a && " PKI " cert %s site-b", dir, dir, dir);
}

static void start(const char *link)
{
	struct config_error error = { "" };
	struct config config = { 0 };
	int fds[2];
	unsigned int i;

	make_files();
	/* As in main(). */
	signal(SIGPIPE, SIG_IGN);
	if (pipe(fds))
		BAIL_OUT();
	event_fd = fds[0];
	device_start(&config);
	for (i = 0; i < 2; i++)
		ports[i] = free_port();
	for (i = 0; i < 2; i++) {
		snprintf(paths[i], sizeof(paths[i]), "%s/%s.conf", dir, names[i]);
		write_file(paths[i], conf(i, KME, link));
		device_broker_reads(i, paths[i]);
		log_fds[i] = memfd_create("log", MFD_CLOEXEC);
		memset(&agents[i], 0, sizeof(agents[i]));
		device_services(&agents[i].services, i, log_fds[i]);
		agents[i].path = paths[i];
		CHECK_NUMBER(names[i], agent_open(&agents[i], &error), 0);
		CHECK_TEXT(names[i], error.text, "");
	}
}

static void end(void)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		agent_close(&agents[i]);
		device_broker_ends(i);
		close(log_fds[i]);
	}
	close(event_fd);
}

static void turn(void)
{
	struct timespec now;
	unsigned int i;

	clock_gettime(CLOCK_BOOTTIME, &now);
	device_now = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
	for (i = 0; i < 2; i++)
		event_base_loop(agents[i].base, EVLOOP_NONBLOCK);
}

/* Runs both agents until a condition is true. */
#define WAIT_FOR(so) do {						\
	uint64_t until_;						\
	turn();								\
	for (until_ = device_now + DEADLINE_MS; !(so) && device_now < until_; ) \
		turn();							\
	CHECK((so), "never came true: %s", #so);			\
} while (0)

static struct link *link_of(unsigned int i)
{
	return agent_find_link(&agents[i], "qlink0");
}

static bool is_ready(unsigned int i)
{
	return link_of(i)->session.phase == SESSION_PHASE_READY && device_staged(&devices[i].tx);
}

static bool are_ready(void)
{
	return is_ready(0) && is_ready(1);
}

static bool logs(unsigned int i, const char *text)
{
	static char log[1 << 16];
	ssize_t len = pread(log_fds[i], log, sizeof(log) - 1, 0);

	log[len > 0 ? len : 0] = '\0';
	return strstr(log, text);
}

/* --- reload --- */

/* What a refused reload must leave as it is. */
struct state {
	struct link *link;
	struct connection *connection;
	uint64_t sessions, offers, connections, reloads, digest, tx, rx, accept;
};

static struct state state_of(unsigned int i)
{
	const struct link *link = link_of(i);

	return (struct state){
		.link = link_of(i),
		.connection = agents[i].now.peers[0]->connection,
		.sessions = link->counters.sessions,
		.offers = link->counters.offers,
		.connections = agents[i].now.peers[0]->n_connections,
		.reloads = agents[i].reloads,
		.digest = agents[i].now.config.digest,
		.tx = devices[i].tx.n,
		.rx = devices[i].rx.n,
		.accept = devices[i].accept,
	};
}

/* Both the reload and "qlinkd -n" must refuse what the file has now, in the same words. */
static void check_refused(const char *what, const char *want)
{
	struct config_error checked = { "" }, reloaded = { "" };
	struct state before = state_of(0), after;

	CHECK(agent_check(paths[0], &checked) < 0, "%s: qlinkd -n", what);
	CHECK(agent_reload(&agents[0], &reloaded) < 0, "%s: reload", what);
	CHECK(strstr(reloaded.text, want), "%s: got '%s', want '%s'", what, reloaded.text, want);
	CHECK_TEXT(what, checked.text, reloaded.text);
	after = state_of(0);
	CHECK(!memcmp(&before, &after, sizeof(before)), "%s: something changed", what);
}

TEST(a_reload_with_a_bad_line_changes_nothing)
{
	static const struct {
		const char *kme, *link, *want;
	} rows[] = {
		{ "\turl https://10.0.0.5:0\n", LINK, ":14: url https://10.0.0.5:0: must have a port from 1 to 65535" },
		{ "\turl https://10.0.0.5?x=y\n", LINK, ":14: url https://10.0.0.5?x=y: must not have a '?'" },
		{ "\turl https://10.0.0.5#x\n", LINK, ":14: url https://10.0.0.5#x: must not have a '#'" },
		{ "\turl https://me@10.0.0.5\n", LINK, ":14: url https://me@10.0.0.5: must not have a '@'" },
		{ "\turl http://10.0.0.5\n", LINK, ":14: url http://10.0.0.5: must begin with https://" },
		{ "", LINK, ":10: kme: lacks url" },
		{ KME, "\tpolicy none\n", ": policy none: not hybrid-required" },
		{ KME, "\tpolicy pqc-only\n\tkey-bytes 129\n", ": key-bytes 129: not a number from 32 to 128" },
		{ KME, "\tkmes rack\n", ": link qlink0: lacks sae" },
		{ KME, "\tkmes rack spare\n\tsae SAE-B\n", ": link qlink0: there is no kme spare" },
		{ KME, LINK "link qlink1\n\tpeer nobody\n\tpolicy pqc-only\n", ": link qlink1: there is no peer nobody" },
		{ KME, LINK "link qlink0\n", ": link qlink0: there is one of this name" },
		{ KME, LINK "colour red\n", ": colour: not agent, kme, peer or link" },
	};
	struct config_error error;
	uint64_t offers;
	size_t i;

	start(LINK);
	WAIT_FOR(are_ready());
	for (i = 0; i < COUNT(rows); i++) {
		write_file(paths[0], conf(0, rows[i].kme, rows[i].link));
		check_refused(rows[i].want, rows[i].want);
		turn();
	}
	CHECK(logs(0, "reload-failed why="), "it is not in the log");
	CHECK_NUMBER("remove", unlink(paths[0]), 0);
	check_refused("no file", "No such file or directory");
	/* And keys go on being agreed on. */
	offers = link_of(0)->counters.offers;
	device_rotate(&devices[0], QLINK_DIRECTION_TX, device_staged(&devices[0].tx) - 1);
	WAIT_FOR(link_of(0)->counters.offers > offers);
	write_file(paths[0], conf(0, KME, LINK));
	CHECK_NUMBER("good again", agent_reload(&agents[0], &error), 0);
	end();
}

TEST(a_slash_at_the_end_of_a_url_does_not_harm_a_reload)
{
	struct config_error error = { "" };
	char link[200];

	snprintf(link, sizeof(link), LINK SPARE, "site-b");
	start(LINK);
	WAIT_FOR(are_ready());
	write_file(paths[0], conf(0, "\turl https://127.0.0.1:9/\n", link));
	CHECK_NUMBER("check", agent_check(paths[0], &error), 0);
	CHECK_NUMBER("reload", agent_reload(&agents[0], &error), 0);
	CHECK_TEXT("error", error.text, "");
	CHECK_NUMBER("links", agents[0].now.n_links, 2);
	end();
}

TEST(a_change_that_needs_a_restart_changes_nothing)
{
	struct config_error error;
	struct state before, after;
	char text[TEXT_MAX], *at;

	start(LINK);
	WAIT_FOR(are_ready());
	before = state_of(0);
	snprintf(text, sizeof(text), "%s", conf(0, KME, "\tpolicy hybrid-required\n\tkmes rack\n\tsae S\n"));
	at = strstr(text, "/control");
	at[1] = 'K';
	write_file(paths[0], text);
	CHECK_NUMBER("reload", agent_reload(&agents[0], &error), -EBUSY);
	CHECK(strstr(error.text, "agent: has changed, which needs a restart"), "%s", error.text);
	after = state_of(0);
	CHECK(!memcmp(&before, &after, sizeof(before)), "something changed");
	end();
}

TEST(a_reload_keeps_what_is_the_same_and_replaces_the_rest)
{
	struct config_error error = { "" };
	struct link *link;
	char more[200];
	int round;

	start(LINK);
	WAIT_FOR(are_ready());
	link = link_of(0);
	snprintf(more, sizeof(more), LINK SPARE, "site-b");
	for (round = 0; round < 20; round++) {
		write_file(paths[0], conf(0, KME, round % 2 ? LINK : more));
		CHECK_NUMBER("reload", agent_reload(&agents[0], &error), 0);
		CHECK_NUMBER("links", agents[0].now.n_links, round % 2 ? 1 : 2);
		CHECK(link_of(0) == link, "the link is another one");
		CHECK_NUMBER("links of the peer", agents[0].now.peers[0]->n_links, round % 2 ? 1 : 2);
		turn();
	}
	CHECK_NUMBER("sessions", link->counters.sessions, 1);
	CHECK_NUMBER("connections", agents[0].now.peers[0]->n_connections, 1);
	/* Another option of the link: it starts over, on the same connection. */
	write_file(paths[0], conf(0, KME, LINK "\tceiling-ms 60000\n"));
	CHECK_NUMBER("reload", agent_reload(&agents[0], &error), 0);
	CHECK_NUMBER("sessions of the new link", link_of(0)->counters.sessions, 0);
	WAIT_FOR(link_of(0)->counters.sessions == 1 && are_ready());
	CHECK_NUMBER("connections", agents[0].now.peers[0]->n_connections, 1);
	CHECK_NUMBER("reloads", agents[0].reloads, 21);
	end();
}

TEST(a_tightened_policy_holds_before_the_reload_returns)
{
	struct config_error error = { "" };

	start(LINK);
	WAIT_FOR(are_ready());
	CHECK(devices[0].tx.n && devices[0].rx.n, "no keys");
	/* The peer is gone: nothing but the reload itself runs from here on. */
	write_file(paths[0], conf(0, KME, "\tpolicy hybrid-required\n\tkmes rack\n\tsae SAE-B\n"));
	CHECK_NUMBER("reload", agent_reload(&agents[0], &error), 0);
	CHECK_NUMBER("accepted", devices[0].accept, 1 << QLINK_SOURCE_HYBRID);
	CHECK_NUMBER("keys to send", devices[0].tx.n, 0);
	CHECK_NUMBER("keys to receive", devices[0].rx.n, 0);
	end();
}

TEST(a_policy_that_the_kernel_refuses_is_tried_again)
{
	struct config_error error = { "" };

	start(LINK);
	WAIT_FOR(are_ready());
	devices[0].any_err = -ENOMEM;
	write_file(paths[0], conf(0, KME, "\tpolicy hybrid-required\n\tkmes rack\n\tsae SAE-B\n"));
	CHECK_NUMBER("reload", agent_reload(&agents[0], &error), 0);
	CHECK(logs(0, "kernel-refused link=qlink0 request=restrict why=\"Cannot allocate memory\""), "not logged");
	devices[0].any_err = 0;
	WAIT_FOR(devices[0].accept == 1 << QLINK_SOURCE_HYBRID);
	end();
}

/* --- certificates --- */

static struct peer *peer_of(unsigned int i)
{
	return agents[i].now.peers[0];
}

/* Which agent makes the connections. */
static unsigned int dialler(void)
{
	return peer_of(0)->dials ? 0 : 1;
}

/* Replaces the certificate and the key of an agent, under the CA in a folder below ours. */
static void replace_certificate(unsigned int i, const char *ca)
{
	shell("cd %s && rm %s.pem %s.key", dir, names[i], names[i]);
	shell(PKI " cert %s/%s %s", dir, ca, names[i]);
	if (strcmp(ca, "."))
		shell("cd %s && mv %s/%s.pem %s/%s.key .", dir, ca, names[i], ca, names[i]);
}

static void reload_well(unsigned int i)
{
	struct config_error error = { "" };

	CHECK_NUMBER(names[i], agent_reload(&agents[i], &error), 0);
	CHECK_TEXT(names[i], error.text, "");
}

/* The certificates that both ends use. */
static struct exchange_binding binding_of(unsigned int i)
{
	struct exchange_binding binding = { 0 };

	if (peer_of(i)->is_open)
		tls_binding(connection_tls(peer_of(i)->connection), &binding);
	return binding;
}

TEST(a_new_certificate_is_used_at_once)
{
	struct exchange_binding before, after;
	unsigned int i;

	start(LINK);
	WAIT_FOR(are_ready());
	for (i = 0; i < 2; i++) {
		before = binding_of(i);
		replace_certificate(i, ".");
		reload_well(i);
		WAIT_FOR(peer_of(i)->n_connections == i + 2 && peer_of(!i)->n_connections == i + 2 && are_ready());
		after = binding_of(i);
		CHECK(memcmp(before.own_cert_hash, after.own_cert_hash, sizeof(after.own_cert_hash)), "%s: the old certificate", names[i]);
		CHECK(!memcmp(binding_of(!i).peer_cert_hash, after.own_cert_hash, sizeof(after.own_cert_hash)), "%s: the peer sees another one", names[i]);
		CHECK(devices[0].tx.n && devices[0].rx.n && devices[1].tx.n && devices[1].rx.n, "keys are gone");
		/* The same files once more change nothing. */
		reload_well(i);
		turn();
		CHECK_NUMBER("connections", peer_of(i)->n_connections, i + 2);
	}
	end();
}

TEST(a_certificate_that_the_peer_refuses_leaves_the_connection)
{
	unsigned int i;
	struct state before;

	make_files();
	shell("mkdir %s/other && " PKI " ca %s/other", dir, dir);
	start(LINK);
	i = dialler();
	WAIT_FOR(are_ready());
	before = state_of(i);
	replace_certificate(i, "other");
	reload_well(i);
	WAIT_FOR(logs(!i, "peer-refused") && logs(i, "peer-unreachable peer="));
	CHECK(peer_of(i)->is_open && peer_of(i)->connection == before.connection, "another connection");
	CHECK_NUMBER("sessions", link_of(i)->counters.sessions, before.sessions);
	replace_certificate(i, ".");
	reload_well(i);
	WAIT_FOR(peer_of(i)->n_connections == 2 && are_ready());
	end();
}

TEST(a_peer_of_a_ca_that_is_gone_loses_its_connection)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		start(LINK);
		WAIT_FOR(are_ready());
		shell("cd %s && cp ca.pem saved.pem && cp other/ca.pem ca.pem", dir);
		reload_well(i);
		WAIT_FOR(!peer_of(i)->is_open && logs(i, "why=\"wrong-ca: "));
		CHECK(tls_refused(agents[i].now.context, TLS_REFUSAL_CA), "not counted");
		shell("cd %s && cp saved.pem ca.pem", dir);
		reload_well(i);
		WAIT_FOR(are_ready());
		end();
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
	const char *const both[] = { names[0], names[1], NULL };
	struct connection *connection;
	unsigned int i, done = 0;
	int fd;

	start(LINK);
	WAIT_FOR(are_ready());
	i = dialler();
	at.sin_port = htons(ports[i]);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	if (connect(fd, (struct sockaddr *)&at, sizeof(at)) || evutil_make_socket_nonblocking(fd) ||
	    connection_new(&connection, agents[!i].base, agents[!i].now.context, fd, true, both, &ops, &done))
		BAIL_OUT();
	WAIT_FOR(done & 6);
	CHECK(!(done & 4), "has a session");
	CHECK(logs(i, "want no peer: this agent dials all of them"), "not logged");
	CHECK_NUMBER("refused", tls_refused(agents[i].now.context, TLS_REFUSAL_IDENTITY), 1);
	CHECK_NUMBER("connections", peer_of(i)->n_connections, 1);
	CHECK_NUMBER("sessions", link_of(i)->counters.sessions, 1);
	connection_free(connection);
	reload_well(i);
	end();
}

/* Calls an agent from an address of no peer, and hangs up. */
static void knock(unsigned int i)
{
	struct sockaddr_in from = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1) };
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	to.sin_port = htons(ports[i]);
	if (bind(fd, (struct sockaddr *)&from, sizeof(from)) ||
	    (connect(fd, (struct sockaddr *)&to, sizeof(to)) && errno != EINPROGRESS))
		BAIL_OUT();
	turn();
	close(fd);
}

TEST(a_flood_of_strangers_costs_few_looks_at_routes)
{
	const struct tls_context *context;
	unsigned int n;

	start(LINK);
	WAIT_FOR(are_ready());
	context = agents[0].now.context;
	n_route_checks = 0;
	for (n = 0; tls_refused(context, TLS_REFUSAL_TOO_MANY) < 500 && n < 5000; n++)
		knock(0);
	CHECK(n < 5000, "too few are refused");
	/* Of the callers, those that were refused cost none. */
	CHECK(n_route_checks <= n - 400, "%u looks at routes for %u callers", n_route_checks, n);
	end();
}

/* --- what expires --- */

static unsigned int count_lines(unsigned int i, const char *text)
{
	static char log[1 << 16];
	ssize_t len = pread(log_fds[i], log, sizeof(log) - 1, 0);
	const char *at;
	unsigned int n = 0;

	log[len > 0 ? len : 0] = '\0';
	for (at = log; (at = strstr(at, text)); at++)
		n++;
	return n;
}

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

	start(LINK);
	turn();
	now = time(NULL) + 3600;
	for (i = 0; i < COUNT(rows); i++) {
		expiry_check(&agents[0].now, &agents[0].services, now + (time_t)rows[i].after_days * 86400);
		CHECK_NUMBER("lines", count_lines(0, "certificate-expires "), rows[i].told);
		CHECK_NUMBER("expired", count_lines(0, "certificate-expired "), rows[i].expired);
		CHECK(!rows[i].days || count_lines(0, rows[i].days) == 2, "%s", rows[i].days);
	}
	snprintf(want, sizeof(want), "certificate-expires owner=rack use=certificate file=%s/site-a.pem subject=site-a days=29 serial=", dir);
	CHECK(logs(0, want), "no line '%s'", want);
	end();
}

TEST(status_has_the_serial_numbers)
{
	const json_t *list;
	json_t *status;

	start(LINK);
	status = status_of(&agents[0]);
	list = json_object_get(status, "certificates");
	CHECK_NUMBER("certificates and CAs of agent and KME", json_array_size(list), 4);
	CHECK_TEXT("subject", json_string_value(json_object_get(json_array_get(list, 0), "subject")), "site-a");
	CHECK(strlen(json_string_value(json_object_get(json_array_get(list, 0), "serial"))) > 8, "no serial");
	CHECK(json_is_null(json_object_get(json_array_get(list, 0), "kme")), "another owner");
	CHECK_TEXT("owner", json_string_value(json_object_get(json_array_get(list, 2), "kme")), "rack");
	json_decref(status);
	end();
}

/* --- what a reload would do --- */

/* Sends a line to the control socket of the first agent; the caller releases the answer. */
static json_t *ask(const char *line)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	struct control *control;
	struct qlink_why why;
	char answer[TEXT_MAX];
	ssize_t len = -1;
	int fd;

	snprintf(at.sun_path, sizeof(at.sun_path), "%s/control", dir);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (control_open(&control, at.sun_path, &agents[0], &why) ||
	    connect(fd, (struct sockaddr *)&at, sizeof(at)) || dprintf(fd, "%s\n", line) < 0)
		BAIL_OUT();
	WAIT_FOR(len > 0 || (len = recv(fd, answer, sizeof(answer), MSG_DONTWAIT)) > 0);
	close(fd);
	control_close(control);
	return json_loadb(answer, len > 0 ? (size_t)len : 0, JSON_DISABLE_EOF_CHECK, NULL);
}

static void check_would(const char *link, const char *kme, const char *want)
{
	struct state before = state_of(0), after;
	json_t *answer;
	char *text;

	write_file(paths[0], conf(0, kme, link));
	answer = ask("try-reload");
	text = json_dumps(answer, JSON_COMPACT);
	CHECK_TEXT(want, text, want);
	free(text);
	json_decref(answer);
	after = state_of(0);
	CHECK(!memcmp(&before, &after, sizeof(before)), "%s: something changed", want);
}

TEST(a_reload_that_is_only_tried_tells_what_would_change)
{
	char more[200];

	start(LINK);
	WAIT_FOR(are_ready());
	snprintf(more, sizeof(more), LINK SPARE, "site-b");
	check_would(LINK, KME, "{\"links\":[{\"device\":\"qlink0\",\"change\":\"kept\"}],\"certificates_changed\":false}");
	check_would(more, KME, "{\"links\":[{\"device\":\"qlink0\",\"change\":\"kept\"},{\"device\":\"qlink1\",\"change\":\"new\"}],\"certificates_changed\":false}");
	check_would(LINK "\tceiling-ms 60000\n", KME, "{\"links\":[{\"device\":\"qlink0\",\"change\":\"changed\"}],\"certificates_changed\":false}");
	reload_well(0);
	write_file(paths[0], conf(0, KME, more));
	reload_well(0);
	replace_certificate(0, ".");
	check_would(LINK, KME, "{\"links\":[{\"device\":\"qlink0\",\"change\":\"kept\"},{\"device\":\"qlink1\",\"change\":\"gone\"}],\"certificates_changed\":true}");
	snprintf(more, sizeof(more), "{\"error\":\"%s:10: kme: lacks url\"}", paths[0]);
	check_would(LINK, "", more);
	end();
}
