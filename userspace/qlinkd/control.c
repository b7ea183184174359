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
#include <event2/bufferevent.h>

#include "qlinkd/base/unixsock.h"
#include "status.h"

/* A client that sends nothing, or reads nothing, for this long is disconnected. */
#define IDLE_S	30

struct client {
	struct control *control;
	struct bufferevent *io;
};

struct control {
	struct agent *agent;
	char *path;
	int fd;
	struct event *event;
	struct client clients[CONTROL_CLIENTS_MAX];
};

/* --- commands --- */

static json_t *answer_error(const char *why)
{
	json_t *to = json_object();

	json_object_set_new(to, "error", json_string(why));
	return to;
}

static json_t *run_status(struct agent *agent, const char *word)
{
	(void)word;
	return status_of(agent);
}

static json_t *run_reload(struct agent *agent, const char *word)
{
	struct qlink_why why;

	(void)word;
	return agent_reload(agent, &why) ? answer_error(why.text) : json_object();
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

static json_t *run_restart(struct agent *agent, const char *word)
{
	return run_on_link(agent, word, "restart", link_restart);
}

static json_t *run_withdraw(struct agent *agent, const char *word)
{
	return run_on_link(agent, word, "withdraw", link_withdraw);
}

static const struct {
	const char *name;
	json_t *(*run)(struct agent *agent, const char *word);
	bool has_word;
} commands[] = {
	{ "status", run_status, false },
	{ "reload", run_reload, false },
	{ "restart", run_restart, true },
	{ "withdraw", run_withdraw, true },
};

static json_t *run(struct agent *agent, char *line)
{
	char *word = strchr(line, ' ');
	size_t i;

	if (word)
		*word++ = '\0';
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(line, commands[i].name))
			continue;
		if (commands[i].has_word != !!word)
			return answer_error("wrong number of words");
		return commands[i].run(agent, word);
	}
	return answer_error("no such command: status, reload, restart DEVICE or withdraw DEVICE");
}

/* --- clients --- */

static void disconnect(struct client *client)
{
	struct event *event = client->control->event;

	bufferevent_free(client->io);
	client->io = NULL;
	/* There is room for another client. */
	event_add(event, NULL);
}

static int write_piece(const char *text, size_t len, void *arg)
{
	return bufferevent_write(arg, text, len);
}

static void answer_line(struct client *client, char *line)
{
	json_t *answer = run(client->control->agent, line);

	json_dump_callback(answer, write_piece, client->io, JSON_COMPACT);
	bufferevent_write(client->io, "\n", 1);
	json_decref(answer);
}

static void on_read(struct bufferevent *io, void *arg)
{
	struct evbuffer *in = bufferevent_get_input(io);
	struct client *client = arg;
	char *line;

	while ((line = evbuffer_readln(in, NULL, EVBUFFER_EOL_LF))) {
		answer_line(client, line);
		free(line);
	}
	if (evbuffer_get_length(in) > CONTROL_LINE_MAX)
		disconnect(client);
}

static void on_end(struct bufferevent *io, short what, void *arg)
{
	(void)io;
	(void)what;
	disconnect(arg);
}

static struct client *find_room(struct control *control)
{
	size_t i;

	for (i = 0; i < CONTROL_CLIENTS_MAX; i++) {
		if (!control->clients[i].io)
			return &control->clients[i];
	}
	return NULL;
}

static void on_client(evutil_socket_t fd, short what, void *arg)
{
	const struct timeval idle = { .tv_sec = IDLE_S };
	struct control *control = arg;
	struct client *client = find_room(control);
	int new;

	(void)what;
	if (!client) {
		event_del(control->event);
		return;
	}
	new = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (new < 0)
		return;
	client->control = control;
	client->io = bufferevent_socket_new(control->agent->base, new, BEV_OPT_CLOSE_ON_FREE);
	if (!client->io) {
		close(new);
		return;
	}
	bufferevent_setcb(client->io, on_read, NULL, on_end, client);
	bufferevent_set_timeouts(client->io, &idle, &idle);
	bufferevent_enable(client->io, EV_READ | EV_WRITE);
}

/* --- life --- */

int control_open(struct control **out, const char *path, struct agent *agent,
		 struct qlink_why *why)
{
	struct control *control = calloc(1, sizeof(*control));

	if (!control)
		return qlink_refuse(why, -ENOMEM, "no memory");
	control->agent = agent;
	control->fd = unixsock_listen(path, 0660, why);
	if (control->fd < 0) {
		int err = control->fd;

		free(control);
		return err;
	}
	*out = control;
	control->path = strdup(path);
	control->event = event_new(agent->base, control->fd, EV_READ | EV_PERSIST, on_client,
				   control);
	if (!control->path || !control->event)
		return qlink_refuse(why, -ENOMEM, "no memory");
	event_add(control->event, NULL);
	return 0;
}

void control_close(struct control *control)
{
	size_t i;

	if (!control)
		return;
	for (i = 0; i < CONTROL_CLIENTS_MAX; i++) {
		if (control->clients[i].io)
			bufferevent_free(control->clients[i].io);
	}
	if (control->event)
		event_free(control->event);
	close(control->fd);
	if (control->path)
		unlink(control->path);
	free(control->path);
	free(control);
}
