// SPDX-License-Identifier: GPL-2.0-or-later
/* Whether the control socket is bounded, and lets only those operate that may. */
#include "qlinkd/control.c"

#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "auditlog.h"
#include "tap.h"
#include "unixdial.h"

#define ANSWER_BYTES	100000
#define NOBODY		65534
#define TURNS		2000

/* --- the agent behind the socket --- */

static unsigned int n_status, n_operated;

json_t *status_of(const struct agent *agent)
{
	static char text[ANSWER_BYTES];

	(void)agent;
	n_status++;
	memset(text, 'x', sizeof(text) - 1);
	return json_pack("{s:s}", "name", text);
}

int agent_reload(struct agent *agent, struct config_error *error)
{
	(void)agent;
	(void)error;
	n_operated++;
	return 0;
}

int agent_try_reload(struct agent *agent,
		     void (*tell)(void *arg, const struct setup *now, const struct setup *next),
		     void *arg, struct config_error *error)
{
	static const struct setup none;

	(void)agent;
	(void)error;
	tell(arg, &none, &none);
	return 0;
}

struct setup_link *setup_find_link(const struct setup *setup, const char *device)
{
	(void)setup;
	(void)device;
	return NULL;
}

const char *setup_change(const struct setup *now, const struct setup *next, const char *device)
{
	(void)now;
	(void)next;
	return device;
}

struct link *agent_find_link(const struct agent *agent, const char *device)
{
	(void)agent;
	return strcmp(device, "qlink0") ? NULL : (struct link *)&n_operated;
}

void link_restart(struct link *link)
{
	(void)link;
	n_operated++;
}

void link_withdraw(struct link *link)
{
	(void)link;
	n_operated++;
}

void link_accept_chain(struct link *link)
{
	(void)link;
	n_operated++;
}

/* What the only peer says to a command to reconnect. */
static int reconnect_err;

struct peer *setup_find_peer(const struct setup *setup, const char *name)
{
	(void)setup;
	return strcmp(name, "site-b") ? NULL : (struct peer *)&n_operated;
}

int peer_reconnect(struct peer *peer)
{
	(void)peer;
	n_operated += !reconnect_err;
	return reconnect_err;
}

/* A check that ends when the test says so. */
static struct {
	void (*done)(void *arg, json_t *report);
	void *arg;
	char name[32];
	bool takes_key;
	unsigned int n_freed;
} checking;

int check_start(struct check **check, const struct agent *agent, const char *name,
		const char *device, bool takes_key, void (*done)(void *arg, json_t *report), void *arg,
		struct qlink_why *why)
{
	(void)agent;
	(void)device;
	if (!strcmp(name, "none"))
		return qlink_refuse(why, -ENOENT, "kme none: there is no such section");
	*check = (struct check *)&checking;
	checking.done = done;
	checking.arg = arg;
	checking.takes_key = takes_key;
	snprintf(checking.name, sizeof(checking.name), "%s", name);
	return 0;
}

void check_free(struct check *check)
{
	checking.n_freed += check != NULL;
}

/* --- helpers --- */

static struct agent agent;
static struct control *control;
static char folder[] = "/tmp/qlink-control-XXXXXX", path[64];

static int open_control(struct qlink_why *why)
{
	if (strstr(folder, "XXXXXX") && (!mkdtemp(folder) || chmod(folder, 0755)))
		BAIL_OUT();
	snprintf(path, sizeof(path), "%s/socket", folder);
	return control_open(&control, path, &agent, why);
}

static void start(const gid_t *operators)
{
	struct qlink_why why = { "" };

	/* As main() does. */
	signal(SIGPIPE, SIG_IGN);
	n_status = 0;
	n_operated = 0;
	memset(&agent, 0, sizeof(agent));
	agent.base = event_base_new();
	agent.now.has_operators = operators;
	agent.now.operators = operators ? *operators : 0;
	agent.services.audit = auditlog_open();
	log_init(&agent.services.log, memfd_create("log", MFD_CLOEXEC), services_now());
	CHECK_NUMBER("open", open_control(&why), 0);
	CHECK_TEXT("why", why.text, "");
	if (!control)
		BAIL_OUT();
	/* As an administrator does who gives others the socket. */
	CHECK_NUMBER("mode", chmod(path, 0666), 0);
}

static void stop(void)
{
	control_close(control);
	control = NULL;
	audit_close(agent.services.audit);
	auditlog_remove();
	close(agent.services.log.fd);
	event_base_free(agent.base);
	rmdir(folder);
	strcpy(strrchr(folder, '-') + 1, "XXXXXX");
}

static void turn(void)
{
	event_base_loop(agent.base, EVLOOP_NONBLOCK);
}

/* Read what there is; return how many lines end in it. */
static unsigned int read_lines(int fd)
{
	static char data[1 << 16];
	unsigned int n = 0;
	ssize_t len, i;

	while ((len = read(fd, data, sizeof(data))) > 0) {
		for (i = 0; i < len; i++)
			n += data[i] == '\n';
	}
	return n;
}

/* What a command gets as its answer, if it is sent by @uid with the groups @groups. */
static const char *answer_to(const char *command, uid_t uid, const gid_t *groups, size_t n)
{
	static char text[512];
	int fds[2], status = 0;
	pid_t child;
	ssize_t len;

	CHECK_NUMBER("pipe", pipe(fds), 0);
	child = fork();
	if (!child) {
		if ((n && setgroups(n, groups)) || (!n && setgroups(0, NULL)) || setgid(NOBODY) ||
		    setuid(uid))
			_exit(2);
		fds[0] = unixdial(path);
		fcntl(fds[0], F_SETFL, 0);
		dprintf(fds[0], "%s\n", command);
		len = read(fds[0], text, sizeof(text));
		_exit(len > 0 && write(fds[1], text, (size_t)len) == len ? 0 : 1);
	}
	while (!waitpid(child, &status, WNOHANG))
		turn();
	CHECK_NUMBER("child", status, 0);
	close(fds[1]);
	len = read(fds[0], text, sizeof(text) - 1);
	text[len > 0 ? len : 0] = '\0';
	close(fds[0]);
	return text;
}

/* --- bounds --- */

static size_t output_of(const struct client *client)
{
	return client->io ? evbuffer_get_length(bufferevent_get_output(client->io)) : 0;
}

TEST(pipelined_commands_wait_until_their_answers_are_read)
{
	unsigned int i, n_sent = 0, n_read = 0;
	size_t most = 0;
	int fd;

	start(NULL);
	fd = unixdial(path);
	for (i = 0; i < TURNS; i++) {
		n_sent += write(fd, "status\n", 7) == 7;
		turn();
		if (output_of(&control->clients->list[0]) > most)
			most = output_of(&control->clients->list[0]);
	}
	CHECK(n_sent > 100, "%u commands sent", n_sent);
	CHECK(most > 0 && most < 2 * ANSWER_BYTES, "%zu bytes of answers wait", most);
	CHECK(n_status < 20, "%u times the status was made", n_status);
	/* None is lost. */
	for (i = 0; i < 100 * TURNS && n_read < n_sent; i++) {
		n_read += read_lines(fd);
		turn();
	}
	CHECK_NUMBER("answers", n_read, n_sent);
	close(fd);
	stop();
}

TEST(a_line_without_an_end_disconnects)
{
	char byte;
	int fd, i;

	start(NULL);
	fd = unixdial(path);
	for (i = 0; i <= CONTROL_LINE_MAX; i++) {
		CHECK(write(fd, "x", 1) == 1, "not written");
		turn();
		CHECK(control->clients->list[0].io || i == CONTROL_LINE_MAX, "disconnected after %d", i);
	}
	CHECK_NUMBER("disconnected", read(fd, &byte, 1), 0);
	close(fd);
	stop();
}

/* --- rights --- */

TEST(only_those_who_may_operate_operate)
{
	const gid_t operators = 0, others[] = { 4242, 4243 };
	const char *answer;

	/* Only root can be somebody else. */
	if (geteuid())
		return;
	start(&operators);
	answer = answer_to("status", NOBODY, others, 2);
	CHECK(!strncmp(answer, "{\"name\":\"xxxx", 13), "%s", answer);
	answer = answer_to("withdraw qlink0", NOBODY, others, 2);
	CHECK(strstr(answer, "\"error\":\"withdraw: user 65534 may only read; root, the agent's user and the group"),
	      "%s", answer);
	CHECK_NUMBER("operated", n_operated, 0);
	CHECK_NUMBER("audited", auditlog_count(agent.services.audit,
					       "\"event\":\"asked\",\"command\":\"withdraw\",\"uid\":65534,"), 1);
	CHECK_NUMBER("as refused", auditlog_count(agent.services.audit, "\"allowed\":0,\"suppressed\":0,\"link\":\"qlink0\"}"), 1);
	CHECK_TEXT("in the group", answer_to("reload", NOBODY, &operators, 1), "{}\n");
	CHECK_NUMBER("operated", n_operated, 1);
	CHECK_TEXT("root", answer_to("restart qlink0", 0, others, 2), "{}\n");
	CHECK_NUMBER("operated", n_operated, 2);
	CHECK_NUMBER("allowed", auditlog_count(agent.services.audit, "\"allowed\":1,"), 2);
	CHECK_NUMBER("status is not audited", auditlog_count(agent.services.audit, "\"command\":\"status\""), 0);
	stop();
	start(NULL);
	answer = answer_to("reload", NOBODY, &operators, 1);
	CHECK(strstr(answer, "user 65534 may only read"), "without a group: %s", answer);
	stop();
}

TEST(an_operator_may_ask_for_another_connection)
{
	static const struct {
		int err;
		const char *want;
	} rows[] = {
		{ 0, "{}\n" },
		{ -ENOTCONN, "{\"error\":\"the peer is not connected; the agents try to connect all the time\"}\n" },
		{ -EALREADY, "{\"error\":\"the connection is being replaced already\"}\n" },
	};
	unsigned int i;

	if (geteuid())
		return;
	start(NULL);
	for (i = 0; i < COUNT(rows); i++) {
		reconnect_err = rows[i].err;
		CHECK_TEXT(rows[i].want, answer_to("reconnect site-b", 0, NULL, 0), rows[i].want);
	}
	CHECK_TEXT("no peer", answer_to("reconnect site-c", 0, NULL, 0), "{\"error\":\"no such peer\"}\n");
	CHECK(strstr(answer_to("reconnect site-b", NOBODY, NULL, 0), "reconnect: user 65534 may only read"), "others");
	CHECK_NUMBER("operated", n_operated, 1);
	CHECK_NUMBER("audited", auditlog_count(agent.services.audit, "\"allowed\":1,\"suppressed\":0,\"peer\":\"site-b\"}"), 3);
	stop();
}

TEST(refused_commands_do_not_fill_the_audit_log)
{
	struct caller caller = { .who = { .uid = NOBODY } };
	unsigned int i;

	start(NULL);
	caller.control = control;
	for (i = 0; i < 1000; i++)
		json_decref(run_command(&caller, &commands[1], NULL));
	CHECK_NUMBER("operated", n_operated, 0);
	i = auditlog_count(agent.services.audit, "\"event\":\"asked\"");
	CHECK(i >= REFUSED_BURST && i <= REFUSED_BURST + 5, "%u lines", i);
	CHECK_NUMBER("suppressed", control->n_suppressed, 1000 - i);
	stop();
}

/* A client that waits must not have the loop turn for ever. */
TEST(without_descriptors_clients_wait_and_the_loop_rests)
{
	struct rlimit limit, none;
	unsigned int n;
	int fd;

	start(NULL);
	fd = unixdial(path);
	getrlimit(RLIMIT_NOFILE, &limit);
	none = (struct rlimit){ .rlim_cur = 0, .rlim_max = limit.rlim_max };
	setrlimit(RLIMIT_NOFILE, &none);
	turn();
	setrlimit(RLIMIT_NOFILE, &limit);
	CHECK(!event_pending(control->clients->acceptor.readable, EV_READ, NULL), "the loop goes on");
	CHECK_NUMBER("sent", send(fd, "status\n", 7, 0), 7);
	do
		event_base_loop(agent.base, EVLOOP_ONCE);
	while (!(n = read_lines(fd)));
	CHECK_NUMBER("answers", n, 1);
	close(fd);
	stop();
}

/* A command is answered at once, so that the report of a check is asked for by its number. */
TEST(a_check_of_a_kme_is_over_later_and_runs_alone)
{
	const char *answer;

	if (geteuid())
		return;
	start(NULL);
	answer = answer_to("check-kme rack", NOBODY, NULL, 0);
	CHECK(strstr(answer, "\"error\":\"check-kme: user 65534 may only read"), "%s", answer);
	CHECK_TEXT("no such KME", answer_to("check-kme none", 0, NULL, 0),
		   "{\"error\":\"kme none: there is no such section\"}\n");
	CHECK_TEXT("another word", answer_to("check-kme rack key", 0, NULL, 0),
		   "{\"error\":\"must be check-kme NAME, with link DEVICE, take-key or both behind it\"}\n");
	CHECK_TEXT("begun", answer_to("check-kme rack take-key", 0, NULL, 0), "{\"check\":1}\n");
	CHECK_TEXT("of this", checking.name, "rack");
	CHECK_NUMBER("takes a key", checking.takes_key, true);
	CHECK_NUMBER("audited", auditlog_count(agent.services.audit, "\"allowed\":1,\"suppressed\":0,\"kme\":\"rack take-key\"}"), 1);
	CHECK_TEXT("one at a time", answer_to("check-kme rack", 0, NULL, 0),
		   "{\"error\":\"another check of a KME runs; try again when it is over\"}\n");
	CHECK_TEXT("not over", answer_to("kme-report 1", NOBODY, NULL, 0), "{\"running\":true}\n");
	CHECK_TEXT("another number", answer_to("kme-report 2", 0, NULL, 0),
		   "{\"error\":\"there is no such check, or another one came after it\"}\n");
	checking.done(checking.arg, json_pack("{s:b}", "well", true));
	CHECK_NUMBER("freed", checking.n_freed, 1);
	CHECK_TEXT("over", answer_to("kme-report 1", 0, NULL, 0), "{\"well\":true}\n");
	CHECK_TEXT("again", answer_to("check-kme rack", 0, NULL, 0), "{\"check\":2}\n");
	CHECK_NUMBER("takes no key", checking.takes_key, false);
	CHECK_TEXT("the report of the first", answer_to("kme-report 1", 0, NULL, 0),
		   "{\"error\":\"there is no such check, or another one came after it\"}\n");
	stop();
	CHECK_NUMBER("a check that runs ends with the socket", checking.n_freed, 2);
}
