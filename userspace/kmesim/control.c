// SPDX-License-Identifier: GPL-2.0-or-later
/* The simulator's control socket: each line is a command, and is answered with one line. */
#include "control.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>
#include <jansson.h>

#include "common/number.h"

#define MAX_LINE	1024

/* One connection to the socket. */
struct client {
	LIST_ENTRY(client) next;
	struct control *control;
	struct bufferevent *bev;
};

struct control {
	struct sim *sim;
	struct event_base *base;
	struct evconnlistener *listener;
	LIST_HEAD(, client) clients;
};

static json_t *describe_kme(const struct server *server)
{
	const struct etsi *etsi = &server->etsi;
	json_t *faults = json_object();
	int i;

	for (i = 0; i < FAULT_N; i++)
		if (etsi->faults.served[i])
			json_object_set_new(faults, fault_name((enum fault_kind)i),
					    json_integer((json_int_t)etsi->faults.served[i]));
	return json_pack("{s:s, s:b, s:s, s:i, s:I, s:{s:I, s:I, s:I}, s:{s:I, s:I}, s:I, s:o}",
			 "id", etsi->id, "up", server->http != NULL, "host",
			 server->host, "port", (int)server->port,
			 "connections", (json_int_t)server->n_connections,
			 "requests",
			 "status", (json_int_t)etsi->requests[ETSI_STATUS],
			 "enc_keys", (json_int_t)etsi->requests[ETSI_ENC],
			 "dec_keys", (json_int_t)etsi->requests[ETSI_DEC],
			 "keys", "enc_keys", (json_int_t)etsi->keys[ETSI_ENC],
			 "dec_keys", (json_int_t)etsi->keys[ETSI_DEC],
			 "met", (json_int_t)etsi->met,
			 "faults", faults);
}

static json_t *describe_links(struct sim *sim)
{
	int max = sim->servers[0].etsi.settings.value[SETTING_MAX_KEY_COUNT];
	json_t *links = json_array();
	struct sae_link *link;

	STAILQ_FOREACH(link, &sim->channel.links, next) {
		channel_count(&sim->channel, link, server_now_ms(), (uint64_t)max);
		json_array_append_new(links, json_pack("{s:s, s:s, s:I}",
			"a", link->sae[0]->id, "b", link->sae[1]->id,
			"stored", (json_int_t)link->stored));
	}
	return links;
}

static int do_status(struct sim *sim, int argc, char **argv,
		     struct evbuffer *out, struct qlink_why *why)
{
	json_t *root;
	char *text;
	size_t len;

	(void)argc;
	(void)argv;
	root = json_pack("{s:o, s:o, s:o, s:I, s:I}",
			 "a", describe_kme(&sim->servers[0]),
			 "b", describe_kme(&sim->servers[1]),
			 "links", describe_links(sim),
			 "waiting", (json_int_t)sim->channel.n_keys,
			 "expired", (json_int_t)sim->channel.n_expired);
	len = root ? json_dumpb(root, NULL, 0, JSON_COMPACT) : 0;
	text = malloc(len + 1);
	if (!len || !text) {
		snprintf(why->text, sizeof(why->text), "out of memory");
	} else {
		json_dumpb(root, text, len, JSON_COMPACT);
		evbuffer_add(out, text, len);
	}
	free(text);
	json_decref(root);
	return len ? 0 : -1;
}

static struct server *server_of(struct sim *sim, const char *word)
{
	return &sim->servers[conf_side(word)];
}

static int do_fault(struct sim *sim, int argc, char **argv,
		    struct evbuffer *out, struct qlink_why *why)
{
	(void)out;
	return fault_parse(&server_of(sim, argv[0])->etsi.faults, argc - 1,
			   argv + 1, why);
}

/* Also closes the connections whose answers a fault delays. */
static int do_clear(struct sim *sim, int argc, char **argv,
		    struct evbuffer *out, struct qlink_why *why)
{
	struct server *server = server_of(sim, argv[0]);
	int kind = argc > 1 ? fault_find(argv[1]) : 0, i;

	(void)out;
	if (kind < 0) {
		snprintf(why->text, sizeof(why->text), "no such fault");
		return -1;
	}
	for (i = 0; i < FAULT_N; i++)
		if (argc == 1 || i == kind)
			server->etsi.faults.fault[i].is_set = false;
	server_release(server);
	return 0;
}

static int do_set(struct sim *sim, int argc, char **argv, struct evbuffer *out,
		  struct qlink_why *why)
{
	(void)argc;
	(void)out;
	return settings_set(&server_of(sim, argv[0])->etsi.settings, argv[1],
			    argv[2], why);
}

static int do_stop(struct sim *sim, int argc, char **argv,
		   struct evbuffer *out, struct qlink_why *why)
{
	(void)argc;
	(void)out;
	(void)why;
	server_stop(server_of(sim, argv[0]));
	return 0;
}

static int do_start(struct sim *sim, int argc, char **argv,
		    struct evbuffer *out, struct qlink_why *why)
{
	(void)argc;
	(void)out;
	return server_start(server_of(sim, argv[0]), why);
}

static int do_restart(struct sim *sim, int argc, char **argv,
		      struct evbuffer *out, struct qlink_why *why)
{
	uint64_t ms = 1000;

	(void)out;
	if (argc > 1 && qlink_parse_number(argv[1], 0, 3600000, &ms, why))
		return -1;
	server_restart(server_of(sim, argv[0]), (unsigned int)ms);
	return 0;
}

static struct sae_link *link_of(struct sim *sim, char **argv,
				struct qlink_why *why)
{
	struct sae_link *link =
		channel_link(&sim->channel,
			     channel_sae(&sim->channel, argv[0], -1, NULL),
			     channel_sae(&sim->channel, argv[1], -1, NULL));

	if (!link)
		snprintf(why->text, sizeof(why->text), "there is no link between these two SAEs");
	return link;
}

static int do_stock(struct sim *sim, int argc, char **argv,
		    struct evbuffer *out, struct qlink_why *why)
{
	struct sae_link *link = link_of(sim, argv, why);

	(void)argc;
	(void)out;
	return link ? qlink_parse_number(argv[2], 0, 1000000000, &link->stored,
					 why) : -1;
}

static int do_supply(struct sim *sim, int argc, char **argv,
		     struct evbuffer *out, struct qlink_why *why)
{
	struct sae_link *link = link_of(sim, argv, why);
	struct supply supply;

	(void)out;
	if (!link || supply_parse(&supply, argc - 2, argv + 2, why))
		return -1;
	channel_supply(link, &supply, server_now_ms());
	return 0;
}

static const struct command {
	const char *name, *form;
	/* number of words after the name */
	int min, max;
	/* the first of these words is a KME */
	bool has_kme;
	int (*run)(struct sim *sim, int argc, char **argv, struct evbuffer *out,
		   struct qlink_why *why);
} commands[] = {
	{ "status", "status", 0, 0, false, do_status },
	{ "fault", "fault KME NAME [NUMBER] [op OP] [count N]", 2, 7, true, do_fault },
	{ "clear", "clear KME [NAME]", 1, 2, true, do_clear },
	{ "set", "set KME SETTING VALUE", 3, 3, true, do_set },
	{ "stop", "stop KME", 1, 1, true, do_stop },
	{ "start", "start KME", 1, 1, true, do_start },
	{ "restart", "restart KME [MS]", 1, 2, true, do_restart },
	{ "stock", "stock SAE SAE NUMBER", 3, 3, false, do_stock },
	{ "supply", "supply SAE SAE PROFILE", 3, 6, false, do_supply },
};

static int run(struct sim *sim, int argc, char **argv, struct evbuffer *out,
	       struct qlink_why *why)
{
	const struct command *command = NULL;
	size_t i;

	for (i = 0; argc && i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(argv[0], commands[i].name))
			command = &commands[i];
	if (!command) {
		snprintf(why->text, sizeof(why->text), "no such command");
		return -1;
	}
	if (argc - 1 < command->min || argc - 1 > command->max ||
	    (command->has_kme && conf_side(argv[1]) < 0)) {
		snprintf(why->text, sizeof(why->text), "must be %s; KME is a or b",
			 command->form);
		return -1;
	}
	return command->run(sim, argc - 1, argv + 1, out, why);
}

static void client_free(struct client *client)
{
	LIST_REMOVE(client, next);
	bufferevent_free(client->bev);
	free(client);
}

static void serve_line(struct client *client, char *line)
{
	struct evbuffer *out = bufferevent_get_output(client->bev);
	char *words[CONF_WORDS + 1] = { NULL };
	struct qlink_why why = { "" };
	int argc = conf_split(line, words);
	size_t before = evbuffer_get_length(out);

	if (argc < 0 || run(client->control->sim, argc, words, out, &why))
		evbuffer_add_printf(out, "error: %s: %s\n",
				    words[0] ? words[0] : "",
				    why.text[0] ? why.text : "too many words");
	else
		evbuffer_add_printf(out, "%s\n",
				    evbuffer_get_length(out) == before ? "ok" : "");
}

static void on_lines(struct bufferevent *bev, void *arg)
{
	struct evbuffer *in = bufferevent_get_input(bev);
	char line[MAX_LINE];
	struct evbuffer_ptr end;
	size_t len;

	while ((end = evbuffer_search_eol(in, NULL, NULL, EVBUFFER_EOL_LF)).pos >= 0) {
		len = (size_t)end.pos;
		if (len >= sizeof(line))
			break;
		evbuffer_remove(in, line, len);
		line[len] = '\0';
		evbuffer_drain(in, 1);
		serve_line(arg, line);
	}
	if (evbuffer_get_length(in) >= sizeof(line))
		client_free(arg);
}

static void on_end(struct bufferevent *bev, short what, void *arg)
{
	(void)bev;
	(void)what;
	client_free(arg);
}

static void on_client(struct evconnlistener *listener, evutil_socket_t fd,
		      struct sockaddr *address, int len, void *arg)
{
	struct control *control = arg;
	struct client *client = calloc(1, sizeof(*client));

	(void)listener;
	(void)address;
	(void)len;
	if (client)
		client->bev = bufferevent_socket_new(control->base, fd,
						     BEV_OPT_CLOSE_ON_FREE);
	if (!client || !client->bev) {
		free(client);
		close(fd);
		return;
	}
	client->control = control;
	LIST_INSERT_HEAD(&control->clients, client, next);
	bufferevent_setcb(client->bev, on_lines, NULL, on_end, client);
	bufferevent_enable(client->bev, EV_READ | EV_WRITE);
}

static int address_of(const char *path, struct sockaddr_un *address)
{
	memset(address, 0, sizeof(*address));
	address->sun_family = AF_UNIX;
	if (strlen(path) >= sizeof(address->sun_path))
		return -1;
	strcpy(address->sun_path, path);
	return 0;
}

/* A connected socket, or -1 if nobody listens at the address. */
static int connect_to(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 && connect(fd, (const struct sockaddr *)address, sizeof(*address))) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Removes the socket of a simulator that was killed, which would prevent the start. */
static void remove_stale(const struct sockaddr_un *address)
{
	int fd = connect_to(address);

	if (fd >= 0)
		close(fd);
	else if (errno == ECONNREFUSED)
		unlink(address->sun_path);
}

struct control *control_open(struct sim *sim, struct event_base *base)
{
	struct control *control = calloc(1, sizeof(*control));
	struct sockaddr_un address;
	mode_t mask;

	if (!control || address_of(sim->control, &address)) {
		free(control);
		return NULL;
	}
	control->sim = sim;
	control->base = base;
	remove_stale(&address);
	mask = umask(0177);
	control->listener = evconnlistener_new_bind(base, on_client, control,
		LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, -1,
		(struct sockaddr *)&address, sizeof(address));
	umask(mask);
	if (control->listener)
		return control;
	fprintf(stderr, "qlink-kmesim: control %s: %s\n", sim->control,
		strerror(errno));
	free(control);
	return NULL;
}

void control_close(struct control *control)
{
	if (!control)
		return;
	while (!LIST_EMPTY(&control->clients))
		client_free(LIST_FIRST(&control->clients));
	evconnlistener_free(control->listener);
	unlink(control->sim->control);
	free(control);
}

static int exchange(int fd, int argc, char **argv)
{
	char start[7] = "";
	size_t n = 0;
	FILE *stream = fdopen(fd, "r+");
	int i, c;

	for (i = 0; i < argc; i++)
		fprintf(stream, "%s%c", argv[i], i + 1 < argc ? ' ' : '\n');
	fflush(stream);
	while ((c = fgetc(stream)) != EOF && c != '\n') {
		if (n < sizeof(start) - 1)
			start[n] = (char)c;
		n++;
		putchar(c);
	}
	putchar('\n');
	fclose(stream);
	return c == EOF || !strcmp(start, "error:");
}

int control_send(const char *path, int argc, char **argv)
{
	struct sockaddr_un address;
	int fd = address_of(path, &address) ? -1 : connect_to(&address);

	if (fd >= 0)
		return exchange(fd, argc, argv);
	fprintf(stderr, "qlink-kmesim: %s: %s\n", path, strerror(errno));
	return 1;
}
