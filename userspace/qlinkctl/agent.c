// SPDX-License-Identifier: GPL-2.0-or-later
/* qlinkctl status, reload, restart, reconnect, withdraw: commands to the control socket of qlinkd. */
#include "agent.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "watch/members.h"

/* An agent that does not answer within this time has a problem, which is reported. */
#define PATIENCE_S	10

/* ---- the socket ---- */

const char *agent_path(const struct ctl *ctl)
{
	return ctl->control ? ctl->control : AGENT_CONTROL;
}

int agent_dial(const struct ctl *ctl, int flags)
{
	const char *path = agent_path(ctl);
	const struct timeval patience = { .tv_sec = PATIENCE_S };
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd, err;

	if (strlen(path) >= sizeof(at.sun_path))
		return -ENAMETOOLONG;
	strcpy(at.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	/* Of an agent that hangs, the queue is full after some calls: connect() waits, too. */
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (connect(fd, (struct sockaddr *)&at, sizeof(at))) {
		err = errno == EAGAIN ? -ETIMEDOUT : -errno;
		close(fd);
		return err;
	}
	return fd;
}

json_t *agent_try(const struct ctl *ctl, const char *command, int *err)
{
	int fd = agent_dial(ctl, 0);
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

json_t *agent_ask(const struct ctl *ctl, const char *command)
{
	const char *why;
	json_t *answer;
	int err;

	answer = agent_try(ctl, command, &err);
	if (!answer && err != ETIMEDOUT) {
		ctl_fail("%s: %s: is qlinkd running?", agent_path(ctl), strerror(err));
		return NULL;
	}
	if (!answer) {
		ctl_fail("%s: no answer", agent_path(ctl));
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

/* ---- status ---- */

static void print_peer(const json_t *peer, FILE *to)
{
	const char *why = member_text(peer, "why", NULL);

	fprintf(to, "peer %s: %s%s%s\n", member_text(peer, "name", "?"),
		json_is_true(json_object_get(peer, "connected")) ? "connected" : "not connected",
		why ? ": " : "", why ? why : "");
}

static void print_ring(const char *name, const json_t *ring, FILE *to)
{
	char source[QLINK_SOURCE_TEXT];

	fprintf(to, "    %s epoch %lld %s, %lld staged, %lld rekey%s\n", name,
		member_number(ring, "epoch"), member_source(ring, "(none)", source), member_number(ring, "staged"),
		member_number(ring, "rekeys"), member_number(ring, "rekeys") == 1 ? "" : "s");
}

/* The KMEs of a link, on one line each as far as there is more to say than how they are. */
static void print_kme(const json_t *kme, FILE *to)
{
	const json_t *tls = json_object_get(kme, "tls");
	const char *why = member_text(kme, "why", "");

	fprintf(to, "    kme %s is %s%s%s", member_text(kme, "name", "?"), member_text(kme, "health", "?"),
		*why ? ": " : "", why);
	if (json_is_object(tls))
		fprintf(to, "; TLS %s, %s, %s, with %s", member_text(tls, "version", "?"), member_text(tls, "group", "?"),
			member_text(tls, "suite", "?"), member_text(tls, "subject", "?"));
	fputc('\n', to);
}

static void print_link(const json_t *link, FILE *to)
{
	const json_t *kmes = json_object_get(link, "kmes"), *kme;
	const char *why = member_text(link, "why", NULL);
	size_t i;

	fprintf(to, "link %s to %s: %s, agreement %s%s%s\n", member_text(link, "device", "?"),
		member_text(link, "peer", "?"), member_text(link, "protection", "unknown"),
		member_text(link, "phase", "?"), why ? ": " : "", why ? why : "");
	fprintf(to, "    policy %s, the peer's %s; new keys are %s, every %lld ms\n",
		member_text(link, "policy", "?"), member_text(link, "peer_policy", "unknown"),
		member_text(link, "source", "not made"), member_number(link, "period_ms"));
	print_ring("tx", json_object_get(link, "tx"), to);
	print_ring("rx", json_object_get(link, "rx"), to);
	if (json_array_size(kmes))
		fprintf(to, "    %lld QKD keys in stock\n", member_number(link, "stock"));
	json_array_foreach(kmes, i, kme)
		print_kme(kme, to);
}

void agent_print(const json_t *status, FILE *to)
{
	const json_t *peer, *link;
	size_t i;

	fprintf(to, "agent %s: up for %lld s, %lld lines of audit log\n", member_text(status, "name", "?"),
		member_number(status, "uptime_ms") / 1000,
		member_number(json_object_get(status, "audit"), "lines"));
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
		printf("link %s: %s\n", member_text(link, "device", "?"), member_text(link, "change", "?"));
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
