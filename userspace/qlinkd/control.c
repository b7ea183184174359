// SPDX-License-Identifier: GPL-2.0-or-later
/* The control socket: one line of a command, one line of JSON. */
#include "control.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/buffer.h>

#include "qlinkd/base/clients.h"
#include "qlinkd/base/rate.h"
#include "check.h"
#include "common/number.h"
#include "setup.h"
#include "status.h"

/* Refused commands that are logged at once, at most; then one in so many ms. */
#define REFUSED_BURST		20
#define REFUSED_REFILL_MS	1000

/**
 * struct caller - the process that gives a command
 */
struct caller {
	/** @control: the socket that it has connected to */
	struct control *control;

	/** @who: the process, as the kernel names it */
	struct ucred who;

	/** @may_operate: it may give commands that change something */
	bool may_operate;
};

/**
 * struct control - the socket
 */
struct control {
	/** @agent: that it controls */
	struct agent *agent;

	/** @clients: the socket */
	struct clients *clients;

	/** @refused: limits the lines about refused commands */
	struct rate refused;

	/** @n_suppressed: refused commands without a line since the last line */
	uint64_t n_suppressed;

	/** @check: of a KME, which runs; %NULL for none */
	struct check *check;

	/** @n_checks: checks so far, which is the number of the last one */
	uint64_t n_checks;

	/** @report: of the last check, once it is over */
	json_t *report;
};

/* --- rights --- */

/* Asks the kernel whether the process at the other end has a group besides its first one. */
static bool has_group(int fd, gid_t group)
{
	socklen_t len = 0;
	gid_t *groups = NULL;
	bool has = false;
	size_t i;

	/* It says how many bytes it needs, by an error. */
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &len) && errno == ERANGE)
		groups = malloc(len);
	if (groups && !getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len)) {
		for (i = 0; i < len / sizeof(*groups) && !has; i++)
			has = groups[i] == group;
	}
	free(groups);
	return has;
}

static bool may_operate(const struct control *control, int fd, const struct ucred *who)
{
	const struct setup *now = &control->agent->now;

	if (who->uid == 0 || who->uid == geteuid())
		return true;
	return now->has_operators &&
	       (who->gid == now->operators || has_group(fd, now->operators));
}

/* A client that may not operate must not fill the disk with its attempts. */
static bool skips_line(struct control *control, bool is_allowed)
{
	if (is_allowed || rate_take(&control->refused, services_now()))
		return false;
	control->n_suppressed++;
	return true;
}

/* The audit log says who asked, before it says what came of it. */
static void note_asked(struct caller *caller, const char *command, const char *operand,
		       const char *word)
{
	struct control *control = caller->control;
	struct services *services = &control->agent->services;
	const struct log_field fields[] = {
		TEXT("command", command), NUMBER_OF("uid", caller->who.uid),
		NUMBER_OF("pid", (uint64_t)caller->who.pid),
		NUMBER_OF("allowed", caller->may_operate),
		NUMBER_OF("suppressed", control->n_suppressed),
		{ .name = word ? operand : NULL, .text = word }, { .name = NULL },
	};

	if (skips_line(control, caller->may_operate))
		return;
	services_audit(services, "asked", fields);
	if (!caller->may_operate)
		TELL(services, LOG_WARNING, "command-refused", fields[0], fields[1], fields[2],
		     fields[4]);
	control->n_suppressed = 0;
}

/* --- commands --- */

static json_t *answer_error(const char *why)
{
	json_t *to = json_object();

	json_object_set_new(to, "error", json_string(why));
	return to;
}

static json_t *run_status(struct control *control, const char *word)
{
	(void)word;
	return status_of(control->agent);
}

static json_t *run_reload(struct control *control, const char *word)
{
	struct config_error error;

	(void)word;
	return agent_reload(control->agent, &error) ? answer_error(error.text) : json_object();
}

static void add_change(json_t *to, const char *device, const char *change)
{
	json_t *link = json_object();

	json_object_set_new(link, "device", json_string(device));
	json_object_set_new(link, "change", json_string(change));
	json_array_append_new(to, link);
}

static void list_changes(void *arg, const struct setup *now, const struct setup *next)
{
	json_t *links = json_array();
	const char *device;
	size_t i;

	for (i = 0; i < next->n_links; i++) {
		device = next->config.links[i].device;
		add_change(links, device, setup_change(now, next, device));
	}
	for (i = 0; i < now->n_links; i++) {
		device = now->config.links[i].device;
		if (!setup_find_link(next, device))
			add_change(links, device, setup_change(now, next, device));
	}
	json_object_set_new(arg, "links", links);
	json_object_set_new(arg, "certificates_changed", json_boolean(now->own != next->own));
}

static json_t *run_try_reload(struct control *control, const char *word)
{
	json_t *answer = json_object();
	struct config_error error;

	(void)word;
	if (!agent_try_reload(control->agent, list_changes, answer, &error))
		return answer;
	json_decref(answer);
	return answer_error(error.text);
}

/* Logs @event, so that the log shows that an operator asked for it. */
static json_t *run_on_link(struct agent *agent, const char *word, const char *event,
			   void (*run)(struct link *link))
{
	struct link *link = agent_find_link(agent, word);

	if (!link)
		return answer_error("no such link");
	TELL(&agent->services, LOG_NOTICE, event, TEXT("link", word));
	run(link);
	return json_object();
}

static json_t *run_restart(struct control *control, const char *word)
{
	return run_on_link(control->agent, word, "restart", link_restart);
}

static json_t *run_withdraw(struct control *control, const char *word)
{
	return run_on_link(control->agent, word, "withdraw", link_withdraw);
}

static json_t *run_accept_chain(struct control *control, const char *word)
{
	return run_on_link(control->agent, word, "chain-accepted", link_accept_chain);
}

/* The links move to the new connection later, each once its offers are settled. */
static json_t *run_reconnect(struct control *control, const char *word)
{
	struct peer *peer = setup_find_peer(&control->agent->now, word);
	int err = peer ? peer_reconnect(peer) : -ENOENT;

	if (err == -ENOENT)
		return answer_error("no such peer");
	if (err == -ENOTCONN)
		return answer_error("the peer is not connected; the agents try to connect all the time");
	if (err)
		return answer_error("the connection is being replaced already");
	TELL(&control->agent->services, LOG_NOTICE, "reconnect", TEXT("peer", word));
	return json_object();
}

static void on_checked(void *arg, json_t *report)
{
	struct control *control = arg;

	check_free(control->check);
	control->check = NULL;
	control->report = report ?: answer_error("no memory");
}

/* "NAME [link DEVICE] [take-key]", of which @text is a copy; false for anything else. */
static bool read_check(char *text, const char **name, const char **device, bool *takes_key)
{
	char *rest = text, *word = NULL;

	*name = strsep(&rest, " ");
	*device = NULL;
	word = strsep(&rest, " ");
	if (word && !strcmp(word, "link")) {
		*device = strsep(&rest, " ");
		if (!*device)
			return false;
		word = strsep(&rest, " ");
	}
	*takes_key = word;
	return !rest && (!word || !strcmp(word, "take-key"));
}

/*
 * A command is answered in the turn of the loop in which it comes, and a KME takes longer. So the answer
 * is the number of the check, and the client asks for its report until there is one. A client that
 * goes away leaves a check that ends by itself; there is one at a time.
 */
static json_t *run_check_kme(struct control *control, const char *word)
{
	const char *name, *device;
	char text[CONTROL_LINE_MAX];
	struct qlink_why why;
	bool takes_key;

	snprintf(text, sizeof(text), "%s", word);
	if (!read_check(text, &name, &device, &takes_key))
		return answer_error("must be check-kme NAME, with link DEVICE, take-key or both behind it");
	if (control->check)
		return answer_error("another check of a KME runs; try again when it is over");
	if (check_start(&control->check, control->agent, name, device, takes_key, on_checked, control, &why))
		return answer_error(why.text);
	json_decref(control->report);
	control->report = NULL;
	return json_pack("{s:I}", "check", (json_int_t)++control->n_checks);
}

static json_t *run_kme_report(struct control *control, const char *word)
{
	struct qlink_why why;
	uint64_t number;

	if (qlink_parse_number(word, 1, UINT64_MAX, &number, &why) || number != control->n_checks)
		return answer_error("there is no such check, or another one came after it");
	return control->report ? json_incref(control->report) : json_pack("{s:b}", "running", true);
}

static const struct command {
	const char *name;
	json_t *(*run)(struct control *control, const char *word);
	/* what its word is, for the audit log; NULL: it has none */
	const char *operand;
	/* it changes something, so not everybody may give it */
	bool operates;
} commands[] = {
	{ "status", run_status, NULL, false },
	{ "reload", run_reload, NULL, true },
	/* It changes nothing, but reads all files, and costs as much as a reload. */
	{ "try-reload", run_try_reload, NULL, true },
	{ "restart", run_restart, "link", true },
	{ "withdraw", run_withdraw, "link", true },
	{ "accept-chain", run_accept_chain, "link", true },
	{ "reconnect", run_reconnect, "peer", true },
	/* It makes the agent open a connection, and may cost a key. */
	{ "check-kme", run_check_kme, "kme", true },
	{ "kme-report", run_kme_report, "check", false },
};

static json_t *run_command(struct caller *caller, const struct command *command, const char *word)
{
	char why[160];

	if (!command->operand != !word)
		return answer_error("wrong number of words");
	if (command->operates)
		note_asked(caller, command->name, command->operand, word);
	if (!command->operates || caller->may_operate)
		return command->run(caller->control, word);
	snprintf(why, sizeof(why), "%s: user %u may only read; root, the agent's user and the group of "
		 "\"operators\" in qlinkd.conf may operate", command->name, caller->who.uid);
	return answer_error(why);
}

static json_t *run(struct caller *caller, char *line)
{
	char *word = strchr(line, ' ');
	size_t i;

	if (word)
		*word++ = '\0';
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (!strcmp(line, commands[i].name))
			return run_command(caller, &commands[i], word);
	}
	return answer_error("no such command: status, reload, try-reload, restart DEVICE, withdraw DEVICE, "
			    "accept-chain DEVICE, reconnect PEER, check-kme NAME or kme-report NUMBER");
}

/* --- clients --- */

/* Who is at the other end; a process that cannot be named may only read. */
static struct caller identify(struct control *control, int fd)
{
	struct caller caller = { .control = control };
	socklen_t len = sizeof(caller.who);

	caller.may_operate = !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &caller.who, &len) &&
			     may_operate(control, fd, &caller.who);
	return caller;
}

static int write_piece(const char *text, size_t len, void *arg)
{
	return bufferevent_write(arg, text, len);
}

static enum clients_step serve(void *arg, struct bufferevent *io)
{
	char *line = evbuffer_readln(bufferevent_get_input(io), NULL, EVBUFFER_EOL_LF);
	struct caller caller;
	json_t *answer;

	if (!line)
		return CLIENTS_WAIT;
	caller = identify(arg, bufferevent_getfd(io));
	answer = run(&caller, line);
	json_dump_callback(answer, write_piece, io, JSON_COMPACT);
	bufferevent_write(io, "\n", 1);
	json_decref(answer);
	free(line);
	return CLIENTS_GO_ON;
}

static const struct clients_kind kind = {
	.most = CONTROL_CLIENTS_MAX, .request_bytes = CONTROL_LINE_MAX, .serve = serve,
};

/* --- life --- */

int control_open(struct control **out, const char *path, struct agent *agent,
		 struct qlink_why *why)
{
	struct control *control = calloc(1, sizeof(*control));
	int err;

	if (!control)
		return qlink_refuse(why, -ENOMEM, "no memory");
	control->agent = agent;
	rate_init(&control->refused, REFUSED_BURST, REFUSED_REFILL_MS, services_now());
	err = clients_open(&control->clients, agent->base, path, &kind, control, why);
	if (err) {
		free(control);
		return err;
	}
	*out = control;
	return 0;
}

void control_close(struct control *control)
{
	if (!control)
		return;
	clients_close(control->clients);
	check_free(control->check);
	json_decref(control->report);
	free(control);
}
