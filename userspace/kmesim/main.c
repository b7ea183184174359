// SPDX-License-Identifier: GPL-2.0-or-later
/* qlink-kmesim: two QKD key servers and the quantum channel between them. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "common/secret.h"
#include "common/wipe.h"
#include "control.h"
#include "serve.h"

static const char help[] =
"usage: qlink-kmesim [-n] FILE\n"
"       qlink-kmesim -s SOCKET COMMAND…\n"
"\n"
"Runs the two key servers that FILE describes, until it is stopped; or sends a\n"
"COMMAND to a running simulator. See qlink-kmesim(8) for FILE and COMMAND.\n"
"\n"
"  -n, --check          only read FILE and the certificates that it names\n"
"  -s, --socket SOCKET  the control socket of a running simulator\n"
"  -h, --help           this text\n"
"  -V, --version        the version\n";

static const struct option long_options[] = {
	{ "check", no_argument, NULL, 'n' },
	{ "socket", required_argument, NULL, 's' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

static void on_signal(evutil_socket_t number, short what, void *base)
{
	(void)number;
	(void)what;
	event_base_loopbreak(base);
}

static int start(struct sim *sim)
{
	struct qlink_why why = { "" };
	int i;

	for (i = 0; i < CHANNEL_SIDES; i++) {
		if (!server_start(&sim->servers[i], &why))
			continue;
		fprintf(stderr, "qlink-kmesim: kme %c: %s\n", 'a' + i, why.text);
		return 1;
	}
	/* A script that started the simulator waits for this line, and reads the ports from it. */
	printf("ready a=%s:%u b=%s:%u\n", sim->servers[0].host,
	       sim->servers[0].port, sim->servers[1].host, sim->servers[1].port);
	fflush(stdout);
	return 0;
}

static int serve(struct sim *sim, struct event_base *base)
{
	struct event *term = evsignal_new(base, SIGTERM, on_signal, base);
	struct event *intr = evsignal_new(base, SIGINT, on_signal, base);
	struct control *control = NULL;
	int err = 1;

	event_add(term, NULL);
	event_add(intr, NULL);
	if (sim->control[0])
		control = control_open(sim, base);
	if ((control || !sim->control[0]) && !start(sim)) {
		event_base_dispatch(base);
		err = 0;
	}
	control_close(control);
	event_free(intr);
	event_free(term);
	return err;
}

static int load(struct sim *sim, struct event_base *base, const char *path)
{
	struct qlink_why why = { "" };
	int i;

	for (i = 0; i < CHANNEL_SIDES; i++) {
		sim->servers[i].base = base;
		TAILQ_INIT(&sim->servers[i].held);
		serve_init(&sim->servers[i].etsi, &sim->channel, i);
		sim->servers[i].etsi.other = &sim->servers[!i].etsi;
	}
	if (conf_read(sim, path))
		return 1;
	for (i = 0; i < CHANNEL_SIDES; i++) {
		if (!server_load(&sim->servers[i], &why))
			continue;
		fprintf(stderr, "qlink-kmesim: %s: kme %c: %s\n", path, 'a' + i,
			why.text);
		return 1;
	}
	return 0;
}

static int run(const char *path, bool is_check)
{
	static struct sim sim;
	struct event_base *base;
	int err, i;

	qlink_secret_harden();
	signal(SIGPIPE, SIG_IGN);
	json_set_alloc_funcs(qlink_wipe_malloc, qlink_wipe_free);
	event_set_mem_functions(qlink_wipe_malloc, qlink_wipe_realloc,
				qlink_wipe_free);
	base = event_base_new();
	if (!base)
		return 1;
	channel_init(&sim.channel);
	err = load(&sim, base, path);
	if (!err && !is_check)
		err = serve(&sim, base);
	for (i = 0; i < CHANNEL_SIDES; i++)
		server_exit(&sim.servers[i]);
	channel_exit(&sim.channel);
	event_base_free(base);
	libevent_global_shutdown();
	return err;
}

int main(int argc, char **argv)
{
	const char *control = NULL;
	bool is_check = false;
	int option;

	while ((option = getopt_long(argc, argv, "+ns:hV", long_options, NULL)) != -1) {
		switch (option) {
		case 'n':
			is_check = true;
			break;
		case 's':
			control = optarg;
			break;
		case 'h':
			return fputs(help, stdout) == EOF;
		case 'V':
			return puts("qlink-kmesim " QLINK_VERSION) == EOF;
		default:
			return 2;
		}
	}
	if (control && optind < argc)
		return control_send(control, argc - optind, argv + optind);
	if (!control && optind + 1 == argc)
		return run(argv[optind], is_check);
	fputs(help, stderr);
	return 2;
}
