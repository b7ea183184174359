// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One agent, the hub, with many peers of one link each: what the start, a restart of the hub and doing
 * nothing take. The agents are whole, each with its own process, loop, certificate and address, and
 * have real TLS. Only their devices are in memory. QLINK_PEERS says how many peers.
 */
#include "fleet.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "heap.h"
#include "tap.h"

#define PKI		"qlinkd/qlink-pki"
#define PEERS_MAX	2000
#define FLOOD_EACH_MS	20
#define USE_EACH_MS	200
/* Of each link, on average, in one measurement. */
#define OFFERS		4
#define PEERS		(HEAP_IS_FAST ? 60U : 8U)
/* All memory, at most: of the agent, and of each link with its peer, for which TLS needs most. */
#define AGENT_BYTES	(8 << 20)
#define LINK_BYTES	(96 * 1024)

static char dir[] = "/tmp/qlink-peers-XXXXXX";
static unsigned int n_peers;
static uint16_t hub_port, spoke_port;
static struct fleet_site hub, spokes[PEERS_MAX];
static pid_t hub_pid, pids[PEERS_MAX];

/* --- a spoke that floods, and what the links of the others do meanwhile --- */

/* Shared by all processes. */
static struct {
	bool floods;
	uint64_t hellos, offers;
} *shared;

static void add_timer(struct event *timer, suseconds_t us)
{
	const struct timeval wait = { .tv_usec = us };

	event_add(timer, &wait);
}

/* Each opens a session, which costs the hub a dump of all keys. */
static void on_flood(evutil_socket_t fd, short what, void *arg)
{
	struct fleet_site *site = arg;
	struct msg msg = {
		.core = { .type = SESSION_MESSAGE_HELLO, .versions = { 1, MSG_VERSION } },
		.link_id = 1,
	};
	uint8_t data[MSG_BYTES_MAX];
	unsigned int i;
	int len;

	(void)fd;
	(void)what;
	for (i = 0; shared->floods && i < FLOOD_EACH_MS && site->agent.now.peers[0]->is_open; i++) {
		msg.core.from = ++shared->hellos;
		len = msg_encode(&msg, data, sizeof(data));
		peer_send(site->agent.now.peers[0], NULL, data, len > 0 ? (size_t)len : 0);
	}
	add_timer(site->starts_timer, 1000);
}

static void begin_flood(struct fleet_site *site)
{
	site->starts_timer = evtimer_new(site->agent.base, on_flood, site);
	add_timer(site->starts_timer, 1000);
}

/* Uses up all keys that the hub sends with, but for those of the first link. */
static void on_use(evutil_socket_t fd, short what, void *arg)
{
	struct fleet_site *site = arg;
	struct device *device;
	uint64_t offers = 0;
	unsigned int i;

	(void)fd;
	(void)what;
	for (i = 1; i < site->n; i++) {
		device = &site->devices[i];
		if (device_staged(&device->tx))
			device_rotate(device, QLINK_DIRECTION_TX, device_staged(&device->tx) - 1);
		offers += site->agent.now.links[i]->link->counters.offers;
	}
	shared->offers = offers;
	add_timer(site->starts_timer, USE_EACH_MS * 1000);
}

static void on_hub_starts(struct fleet_site *site)
{
	site->starts_timer = evtimer_new(site->agent.base, on_use, site);
	add_timer(site->starts_timer, USE_EACH_MS * 1000);
}

/* How long the links of the others take for so many more offers. */
static uint64_t time_offers(uint64_t n)
{
	uint64_t began = services_now(), from = shared->offers;

	while (shared->offers < from + n && services_now() - began < FLEET_GOAL_MS)
		poll(NULL, 0, 10);
	return services_now() - began;
}

/* --- addresses: each spoke has one of 127.1.0.0/16 --- */

static struct sockaddr_in address_of_spoke(unsigned int i, uint16_t port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET, .sin_port = htons(port),
		.sin_addr.s_addr = htonl(0x7f010001 + (i / 250 << 8) + i % 250),
	};
}

static const char *text_of_spoke(unsigned int i, char text[INET_ADDRSTRLEN])
{
	struct sockaddr_in at = address_of_spoke(i, 0);

	inet_ntop(AF_INET, &at.sin_addr, text, INET_ADDRSTRLEN);
	return text;
}

/* The spoke that this process is, counted from 1; 0 for none. */
static unsigned int own_number;

/* Hosts of their own would call from their own addresses. */
int connect(int fd, __CONST_SOCKADDR_ARG to, socklen_t len)
{
	struct sockaddr_in from = address_of_spoke(own_number - 1, 0);

	if (own_number && to.__sockaddr__->sa_family == AF_INET &&
	    bind(fd, (struct sockaddr *)&from, sizeof(from)))
		return -1;
	return (int)syscall(SYS_connect, fd, to.__sockaddr__, len);
}

static void on_spoke_starts(struct fleet_site *site)
{
	own_number = (unsigned int)(site - spokes) + 1;
	if (own_number == 1)
		begin_flood(site);
}

/* --- certificates: those of the spokes are made from one of qlink-pki, which is quicker --- */

static FILE *open_file(const char *name, const char *mode)
{
	char path[96];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, mode);
	if (!file)
		BAIL_OUT();
	return file;
}

static void make_certificate(X509 *from, EVP_PKEY *ca_key, unsigned int i)
{
	X509 *x509 = X509_dup(from);
	char name[32], san[40];
	X509_EXTENSION *extension;
	FILE *file;

	snprintf(name, sizeof(name), "spoke-%u", i);
	snprintf(san, sizeof(san), "DNS:%s", name);
	extension = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, san);
	X509_EXTENSION_free(X509_delete_ext(x509, X509_get_ext_by_NID(x509, NID_subject_alt_name, -1)));
	if (!X509_add_ext(x509, extension, -1) ||
	    !ASN1_INTEGER_set(X509_get_serialNumber(x509), (long)i + 1) ||
	    !X509_sign(x509, ca_key, NULL))
		BAIL_OUT();
	snprintf(name, sizeof(name), "spoke-%u.pem", i);
	file = open_file(name, "we");
	PEM_write_X509(file, x509);
	fclose(file);
	X509_EXTENSION_free(extension);
	X509_free(x509);
}

static void make_certificates(void)
{
	FILE *ca, *spoke;
	EVP_PKEY *ca_key;
	char command[256];
	unsigned int i;
	X509 *from;

	snprintf(command, sizeof(command), PKI " ca %s && " PKI " cert %s hub && " PKI " cert %s spoke",
		 dir, dir, dir);
	CHECK_NUMBER(command, system(command), 0);
	ca = open_file("ca.key", "re");
	spoke = open_file("spoke.pem", "re");
	ca_key = PEM_read_PrivateKey(ca, NULL, NULL, NULL);
	from = PEM_read_X509(spoke, NULL, NULL, NULL);
	for (i = 0; i < n_peers; i++)
		make_certificate(from, ca_key, i);
	X509_free(from);
	EVP_PKEY_free(ca_key);
	fclose(ca);
	fclose(spoke);
}

/* --- configurations --- */

static void write_hub(void)
{
	FILE *file = open_file("hub.conf", "we");
	char at[INET_ADDRSTRLEN];
	unsigned int i;

	fprintf(file, "agent\n name hub\n certificate %s/hub.pem\n key %s/hub.key\n ca %s/ca.pem\n"
		" audit-log %s/hub.audit\n listen 127.0.0.1:%u\n", dir, dir, dir, dir, hub_port);
	for (i = 0; i < n_peers; i++)
		fprintf(file, "peer spoke-%u\n address %s:%u\n", i, text_of_spoke(i, at), spoke_port);
	for (i = 0; i < n_peers; i++)
		fprintf(file, "link qlink%u\n peer spoke-%u\n policy pqc-only\n", i, i);
	fclose(file);
	hub = (struct fleet_site){ .n = n_peers, .id = 1 };
	snprintf(hub.conf, sizeof(hub.conf), "%s/hub.conf", dir);
	snprintf(hub.log, sizeof(hub.log), "%s/hub.log", dir);
}

static void write_spoke(unsigned int i)
{
	char name[32], at[INET_ADDRSTRLEN];
	FILE *file;

	snprintf(name, sizeof(name), "spoke-%u.conf", i);
	file = open_file(name, "we");
	fprintf(file, "agent\n name spoke-%u\n certificate %s/spoke-%u.pem\n key %s/spoke.key\n"
		" ca %s/ca.pem\n audit-log %s/spoke-%u.audit\n listen %s:%u\n"
		"peer hub\n address 127.0.0.1:%u\nlink qlink0\n peer hub\n policy pqc-only\n",
		i, dir, i, dir, dir, dir, i, text_of_spoke(i, at), spoke_port, hub_port);
	fclose(file);
	spokes[i] = (struct fleet_site){ .n = 1, .starts = on_spoke_starts };
	snprintf(spokes[i].conf, sizeof(spokes[i].conf), "%s/spoke-%u.conf", dir, i);
	snprintf(spokes[i].log, sizeof(spokes[i].log), "%s/spoke-%u.log", dir, i);
}

static uint16_t free_port(void)
{
	int fd = fleet_socket(0, true);
	uint16_t port = fleet_port(fd);

	close(fd);
	return port;
}

static void set_up(void)
{
	const char *wanted = getenv("QLINK_PEERS");
	unsigned int i;

	n_peers = wanted ? (unsigned int)atoi(wanted) : PEERS;
	if (n_peers < 2 || n_peers > PEERS_MAX || !mkdtemp(dir))
		BAIL_OUT();
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		BAIL_OUT();
	device_time_is_real = true;
	hub_port = free_port();
	spoke_port = free_port();
	make_certificates();
	write_hub();
	for (i = 0; i < n_peers; i++)
		write_spoke(i);
	for (i = 0; i < n_peers; i++)
		pids[i] = fleet_start(&spokes[i], -1);
}

static void tear_down(void)
{
	char command[64];
	unsigned int i;

	for (i = 0; i < n_peers; i++)
		fleet_kill(pids[i]);
	munmap(shared, sizeof(*shared));
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	CHECK_NUMBER(command, system(command), 0);
	strcpy(strrchr(dir, '-') + 1, "XXXXXX");
}

/* --- the tests --- */

static int start_hub(void)
{
	int report[2];

	CHECK(!pipe(report), "pipe: %s", strerror(errno));
	hub_pid = fleet_start(&hub, report[1]);
	return report[0];
}

static struct fleet_usage check_start(const char *what, int report)
{
	struct fleet_usage used = fleet_await(report, what);

	fleet_print(what, "hub", n_peers, &used);
	CHECK(used.ms <= FLEET_GOAL_MS, "%s: %llu ms", what, (unsigned long long)used.ms);
	CHECK(used.fds <= 6 + 2 * n_peers, "%u descriptors", used.fds);
	return used;
}

static void check_idle(int report, const struct fleet_usage *started)
{
	struct fleet_usage used = fleet_await(report, "idle");

	used.cpu_ms -= started->cpu_ms;
	used.ms -= started->ms;
	used.requests -= started->requests;
	fleet_print("idle", "hub", n_peers, &used);
	if (HEAP_IS_FAST)
		CHECK(used.heap + used.locked <= AGENT_BYTES + n_peers * LINK_BYTES, "%zu B",
		      used.heap + used.locked);
}

TEST(a_hub_with_many_peers)
{
	struct fleet_usage used;
	int report;

	set_up();
	report = start_hub();
	used = check_start("start", report);
	check_idle(report, &used);
	fleet_kill(hub_pid);
	report = start_hub();
	check_start("restart", report);
	fleet_kill(hub_pid);
	tear_down();
}

/* A loop that serves the flood first would leave them behind. */
TEST(a_spoke_that_floods_leaves_the_others_their_pace)
{
	uint64_t quiet, flooded, hellos;
	int report;

	set_up();
	hub.starts = on_hub_starts;
	report = start_hub();
	fleet_await(report, "start");
	quiet = time_offers(OFFERS * (n_peers - 1));
	shared->floods = true;
	flooded = time_offers(OFFERS * (n_peers - 1));
	hellos = shared->hellos;
	printf("# %u offers: %llu ms, and %llu ms with %llu HELLOs of one peer\n",
	       OFFERS * (n_peers - 1), (unsigned long long)quiet, (unsigned long long)flooded,
	       (unsigned long long)hellos);
	CHECK(hellos > 1000, "no flood");
	CHECK(quiet < FLEET_GOAL_MS && flooded < 3 * quiet, "the others are slower");
	fleet_kill(hub_pid);
	close(report);
	tear_down();
}
