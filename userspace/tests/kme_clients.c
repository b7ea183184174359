// SPDX-License-Identifier: GPL-2.0-or-later
/* Many clients of one agent: they are on one loop, and talk to KME a of the lab. */
#include "kme_clients.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qlinkd/kme/loop.h"

const struct lab_options clients_in_turn = { .parallel = 1 };
struct lab_client clients[CLIENTS];

void clients_start_from(unsigned int from, unsigned int n, const struct lab_options *options)
{
	struct lab_options more = options ? *options : (struct lab_options){ .cert = NULL };
	unsigned int i;

	for (i = from; i < n; i++) {
		more.beside = i ? &clients[0] : NULL;
		lab_client_start(&clients[i], 0, &more);
	}
}

void clients_start(unsigned int n, const struct lab_options *options)
{
	clients_start_from(0, n, options);
}

void clients_stop(unsigned int n)
{
	while (n--)
		lab_client_stop(&clients[n]);
}

void clients_run(unsigned int n)
{
	struct pollfd fd = { .fd = kme_loop_fd(clients[0].loop), .events = POLLIN };
	unsigned int i;

	poll(&fd, 1, 20);
	kme_loop_run(clients[0].loop);
	for (i = 0; i < n; i++) {
		if (kme_deadline(clients[i].kme) <= lab_now_ms())
			kme_run(clients[i].kme);
	}
}

unsigned int clients_up(unsigned int n)
{
	unsigned int i, up = 0;

	for (i = 0; i < n; i++)
		up += clients[i].n_up[0] > 0;
	return up;
}

unsigned int clients_down(unsigned int n)
{
	unsigned int i, down = 0;

	for (i = 0; i < n; i++)
		down += clients[i].n_down[0] > 0;
	return down;
}

unsigned int clients_answers(unsigned int n)
{
	unsigned int i, answers = 0;

	for (i = 0; i < n; i++)
		answers += clients[i].n_answers;
	return answers;
}

void clients_begin(unsigned int n, const char *more_a, const struct lab_options *options)
{
	lab_start(more_a, "");
	clients_start(n, options);
	WAIT_ALL(n, clients_up(n) == n);
}

void clients_end(unsigned int n)
{
	clients_stop(n);
	lab_stop();
}

void clients_get(unsigned int n, size_t keys)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		CHECK_NUMBER("get", kme_get_keys(clients[i].kme, 0, keys), 0);
}

unsigned int clients_kme_says(const char *member)
{
	char name[40];
	const char *at;

	snprintf(name, sizeof(name), "\"%s\":", member);
	at = strstr(lab_command("status"), name);
	return at ? (unsigned int)strtoul(at + strlen(name), NULL, 10) : 0;
}
