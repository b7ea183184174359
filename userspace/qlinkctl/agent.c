// SPDX-License-Identifier: GPL-2.0-or-later
/* qlinkctl status, top, reload, restart, reconnect, withdraw: commands to the control socket of qlinkd. */
#include "agent.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/number.h"
#include "common/why.h"
#include "libqlink/parse.h"

/* An agent that does not answer within this time has a problem, which is reported. */
#define PATIENCE_S	10
#define CLEAR		"\033[H\033[2J"

/* ---- the socket ---- */

static int dial(const char *path)
{
	const struct timeval patience = { .tv_sec = PATIENCE_S };
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof(at.sun_path))
		return -ENAMETOOLONG;
	strcpy(at.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (connect(fd, (struct sockaddr *)&at, sizeof(at))) {
		close(fd);
		return -errno;
	}
	return fd;
}

json_t *agent_try(const struct ctl *ctl, const char *command, int *err)
{
	int fd = dial(agent_socket(ctl));
	FILE *file = fd < 0 ? NULL : fdopen(fd, "r+");
	json_t *answer = NULL;
	json_error_t error;

	*err = fd < 0 ? -fd : errno;
	if (!file)
		return NULL;
	if (dprintf(fd, "%s\n", command) > 0)
		answer = json_loadf(file, JSON_DISABLE_EOF_CHECK, &error);
	fclose(file);
	*err = answer ? 0 : ETIMEDOUT;
	return answer;
}

const char *agent_socket(const struct ctl *ctl)
{
	return ctl->control ? ctl->control : AGENT_CONTROL;
}

json_t *agent_ask(const struct ctl *ctl, const char *command)
{
	const char *why;
	json_t *answer;
	int err;

	answer = agent_try(ctl, command, &err);
	if (!answer && err != ETIMEDOUT) {
		ctl_fail("%s: %s: is qlinkd running?", agent_socket(ctl), strerror(err));
		return NULL;
	}
	if (!answer) {
		ctl_fail("%s: no answer", agent_socket(ctl));
		return NULL;
	}
	why = json_string_value(json_object_get(answer, "error"));
	if (why) {
		ctl_fail("qlinkd: %s", why);
		json_decref(answer);
		return NULL;
	}
	return answer;
}

/* ---- members ---- */

static const char *text(const json_t *object, const char *name, const char *none)
{
	const char *value = json_string_value(json_object_get(object, name));

	return value ? value : none;
}

static long long number(const json_t *object, const char *name)
{
	return json_integer_value(json_object_get(object, name));
}

/* The source of a ring's active key, as qlink_format_source() writes it. */
static const char *source_text(const json_t *ring, const char *none, char to[QLINK_SOURCE_TEXT])
{
	const char *source = text(ring, "source", none);
	long long kmes = number(ring, "kmes");

	if (kmes <= 1 || kmes > UINT8_MAX)
		return source;
	snprintf(to, QLINK_SOURCE_TEXT, "%.8s%u", source, (uint8_t)kmes);
	return to;
}

/* ---- status ---- */

static void print_peer(const json_t *peer, FILE *to)
{
	const char *why = text(peer, "why", NULL);

	fprintf(to, "peer %s: %s%s%s\n", text(peer, "name", "?"),
		json_is_true(json_object_get(peer, "connected")) ? "connected" : "not connected",
		why ? ": " : "", why ? why : "");
}

static void print_ring(const char *name, const json_t *ring, FILE *to)
{
	char source[QLINK_SOURCE_TEXT];

	fprintf(to, "    %s epoch %lld %s, %lld staged, %lld rekey%s\n", name,
		number(ring, "epoch"), source_text(ring, "(none)", source), number(ring, "staged"),
		number(ring, "rekeys"), number(ring, "rekeys") == 1 ? "" : "s");
}

/* The KMEs of a link, on one line each as far as there is more to say than how they are. */
static void print_kme(const json_t *kme, FILE *to)
{
	const json_t *tls = json_object_get(kme, "tls");
	const char *why = text(kme, "why", "");

	fprintf(to, "    kme %s is %s%s%s", text(kme, "name", "?"), text(kme, "health", "?"),
		*why ? ": " : "", why);
	if (json_is_object(tls))
		fprintf(to, "; TLS %s, %s, %s, with %s", text(tls, "version", "?"), text(tls, "group", "?"),
			text(tls, "suite", "?"), text(tls, "subject", "?"));
	fputc('\n', to);
}

static void print_link(const json_t *link, FILE *to)
{
	const json_t *kmes = json_object_get(link, "kmes"), *kme;
	const char *why = text(link, "why", NULL);
	size_t i;

	fprintf(to, "link %s to %s: %s, agreement %s%s%s\n", text(link, "device", "?"),
		text(link, "peer", "?"), text(link, "protection", "unknown"),
		text(link, "phase", "?"), why ? ": " : "", why ? why : "");
	fprintf(to, "    policy %s, the peer's %s; new keys are %s, every %lld ms\n",
		text(link, "policy", "?"), text(link, "peer_policy", "unknown"),
		text(link, "source", "not made"), number(link, "period_ms"));
	print_ring("tx", json_object_get(link, "tx"), to);
	print_ring("rx", json_object_get(link, "rx"), to);
	if (json_array_size(kmes))
		fprintf(to, "    %lld QKD keys in stock\n", number(link, "stock"));
	json_array_foreach(kmes, i, kme)
		print_kme(kme, to);
}

void agent_print(const json_t *status, FILE *to)
{
	const json_t *peer, *link;
	size_t i;

	fprintf(to, "agent %s: up for %lld s, %lld lines of audit log\n", text(status, "name", "?"),
		number(status, "uptime_ms") / 1000,
		number(json_object_get(status, "audit"), "lines"));
	json_array_foreach(json_object_get(status, "peers"), i, peer)
		print_peer(peer, to);
	json_array_foreach(json_object_get(status, "links"), i, link)
		print_link(link, to);
}

int status_run(struct ctl *ctl, int argc, char **argv)
{
	json_t *status;

	if (argc)
		return ctl_usage("\"%s\": status takes no argument", argv[0]);
	status = agent_ask(ctl, "status");
	if (!status)
		return CTL_FAILED;
	if (ctl->json)
		return ctl_print_json(status);
	agent_print(status, stdout);
	json_decref(status);
	return CTL_OK;
}

/* ---- top ---- */

static const json_t *find_link(const json_t *status, const char *device)
{
	const json_t *link;
	size_t i;

	json_array_foreach(json_object_get(status, "links"), i, link) {
		if (!strcmp(text(link, "device", ""), device))
			return link;
	}
	return NULL;
}

static long long both(const json_t *link, const char *name)
{
	return number(json_object_get(link, "tx"), name) +
	       number(json_object_get(link, "rx"), name);
}

/* The growth of a counter in a second; 0 without an earlier status. */
static double rate(const json_t *now, const json_t *before, const char *name, double seconds)
{
	return before && seconds > 0 ? (double)(both(now, name) - both(before, name)) / seconds : 0;
}

static double stock_rate(const json_t *now, const json_t *before, double seconds)
{
	return before && seconds > 0 ?
		(double)(number(now, "stock") - number(before, "stock")) / seconds : 0;
}

/* How much of the parcels sent since an earlier status was not padding, in percent. */
static void print_fill(const json_t *now, const json_t *before, FILE *to)
{
	const json_t *parcels = json_object_get(now, "parcels");
	const json_t *earlier = json_object_get(before, "parcels");
	long long bytes = number(parcels, "bytes") - number(earlier, "bytes");
	long long pad = number(parcels, "pad_bytes") - number(earlier, "pad_bytes");

	if (number(parcels, "sent") >= number(earlier, "sent") && bytes > 0 && pad >= 0 && pad <= bytes)
		fprintf(to, " %6.1f\n", 100.0 * (double)(bytes - pad) / (double)bytes);
	else
		fprintf(to, " %6s\n", "-");
}

static void print_row(const json_t *now, const json_t *before, double seconds, FILE *to)
{
	const json_t *tx = json_object_get(now, "tx");
	char source[QLINK_SOURCE_TEXT];

	fprintf(to, "%-15s %-10s %-7s %12lld %8lld %+8.1f %9lld %8.1f %10.3f %10.3f",
		text(now, "device", "?"), text(now, "protection", "unknown"),
		source_text(tx, "-", source), number(tx, "epoch"), number(now, "stock"),
		stock_rate(now, before, seconds), number(now, "period_ms"),
		rate(now, before, "rekeys", seconds),
		rate(now, before, "bytes", seconds) * 8 / 1e6,
		rate(now, before, "sealed_bytes", seconds) * 8 / 1e6);
	print_fill(now, before, to);
}

void agent_print_top(const json_t *now, const json_t *before, FILE *to)
{
	double seconds = (double)(number(now, "uptime_ms") - number(before, "uptime_ms")) / 1000;
	const json_t *link;
	size_t i;

	fprintf(to, "%-15s %-10s %-7s %12s %8s %8s %9s %8s %10s %10s %6s\n", "LINK", "STATE", "SOURCE",
		"EPOCH", "STOCK", "REFILL/s", "PERIOD/ms", "REKEYS/s", "Mbit/s", "SEALED", "FILL/%");
	json_array_foreach(json_object_get(now, "links"), i, link)
		print_row(link, find_link(before, text(link, "device", "")), seconds, to);
}

static int show_top(const struct ctl *ctl, json_t *now, const json_t *before)
{
	if (ctl->json)
		return ctl_print_json(json_incref(now));
	if (isatty(STDOUT_FILENO))
		fputs(CLEAR, stdout);
	agent_print_top(now, before, stdout);
	return fflush(stdout) ? ctl_fail("standard output: %s", strerror(errno)) : CTL_OK;
}

int top_run(struct ctl *ctl, int argc, char **argv)
{
	uint64_t times = UINT64_MAX, i;
	json_t *before = NULL, *now;
	struct qlink_why why;
	int err = CTL_OK;

	if (argc > 1)
		return ctl_usage("\"%s\": top takes at most one number", argv[1]);
	if (argc && qlink_parse_number(argv[0], 1, 1000000, &times, &why))
		return ctl_usage("\"%s\": %s", argv[0], why.text);
	for (i = 0; i < times && !err; i++) {
		if (i)
			sleep(1);
		now = agent_ask(ctl, "status");
		err = now ? show_top(ctl, now, before) : CTL_FAILED;
		json_decref(before);
		before = now;
	}
	json_decref(before);
	return err;
}

/* ---- commands ---- */

static int order(const struct ctl *ctl, const char *command)
{
	json_t *answer = agent_ask(ctl, command);

	json_decref(answer);
	return answer ? CTL_OK : CTL_FAILED;
}

static void print_changes(const json_t *answer)
{
	const json_t *list = json_object_get(answer, "links"), *link;
	size_t i;

	json_array_foreach(list, i, link)
		printf("link %s: %s\n", text(link, "device", "?"), text(link, "change", "?"));
	if (json_is_true(json_object_get(answer, "certificates_changed")))
		printf("connections to peers: made again with other certificates\n");
}

static int try_reload(const struct ctl *ctl)
{
	json_t *answer = agent_ask(ctl, "try-reload");

	if (!answer)
		return CTL_FAILED;
	if (ctl->json)
		return ctl_print_json(answer);
	print_changes(answer);
	json_decref(answer);
	return CTL_OK;
}

int reload_run(struct ctl *ctl, int argc, char **argv)
{
	if (argc)
		return ctl_usage("\"%s\": reload takes no argument", argv[0]);
	return ctl->dry_run ? try_reload(ctl) : order(ctl, "reload");
}

int agent_order_device(const struct ctl *ctl, const char *what, int argc, char **argv)
{
	char command[64];

	if (argc != 1)
		return ctl_usage("%s needs one device", what);
	snprintf(command, sizeof(command), "%s %.40s", what, argv[0]);
	return order(ctl, command);
}

int restart_run(struct ctl *ctl, int argc, char **argv)
{
	return agent_order_device(ctl, "restart", argc, argv);
}

int reconnect_run(struct ctl *ctl, int argc, char **argv)
{
	char command[300];

	if (argc != 1)
		return ctl_usage("reconnect needs one peer");
	snprintf(command, sizeof(command), "reconnect %.256s", argv[0]);
	return order(ctl, command);
}

int withdraw_run(struct ctl *ctl, int argc, char **argv)
{
	return agent_order_device(ctl, "withdraw", argc, argv);
}
