// SPDX-License-Identifier: GPL-2.0-or-later
/* Counts the guest instructions of installing keys as an agent does, with libqlink.
 *
 * usage: install tx|rx FIRST LINKS KEYS-PER-MESSAGE KEYS
 *
 * Installs KEYS transmit or receive keys, in turn on devices qlink<FIRST> to qlink<FIRST + LINKS - 1> of its own
 * network namespace, which have none. Prints instructions per key, counted as in measure.c.
 */
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "common/secret.h"
#include "count.h"
#include "libqlink/qlink.h"

#define MOST_PER_MESSAGE	1000
#define MOST_LINKS		1000

static enum qlink_direction direction = QLINK_DIRECTION_RX;
static uint64_t epoch_of[MOST_LINKS];

static void die(const char *what)
{
	fprintf(stderr, "install: %s\n", what);
	exit(1);
}

static uint32_t index_of(unsigned int link)
{
	char name[IF_NAMESIZE];
	uint32_t index;

	snprintf(name, sizeof(name), "qlink%u", link);
	index = if_nametoindex(name);
	if (!index)
		die(name);
	return index;
}

static void install(struct qlink_nl *nl, unsigned int link, uint64_t epoch,
		    unsigned int n, uint8_t *secrets)
{
	struct qlink_key keys[MOST_PER_MESSAGE] = { 0 };
	struct qlink_error error;
	unsigned int i;

	if (getrandom(secrets, n * QLINK_SECRET_BYTES, 0) != (ssize_t)(n * QLINK_SECRET_BYTES))
		die("getrandom");
	for (i = 0; i < n; i++) {
		keys[i].secret = secrets + i * QLINK_SECRET_BYTES;
		keys[i].direction = direction;
		keys[i].source = QLINK_SOURCE_STATIC;
		keys[i].epoch = epoch + i;
	}
	if (qlink_key_install(nl, index_of(link), keys, n, &error))
		die(qlink_error_text(&error));
}

/* Returns how many were installed. */
static unsigned int install_all(struct qlink_nl *nl, unsigned int first, unsigned int links,
				unsigned int per_message, unsigned int keys, uint8_t *secrets)
{
	unsigned int sent, link;

	for (sent = 0, link = 0; sent < keys; sent += per_message, link = (link + 1) % links) {
		install(nl, first + link, epoch_of[link] + 1, per_message, secrets);
		epoch_of[link] += per_message;
	}
	return sent;
}

int main(int argc, char **argv)
{
	unsigned int first, links, per_message, keys, sent;
	struct qlink_secret secrets;
	uint64_t start, start_idle;
	struct qlink_error error;
	struct qlink_nl *nl;

	if (argc != 6)
		return 2;
	if (!strcmp(argv[1], "tx"))
		direction = QLINK_DIRECTION_TX;
	first = (unsigned int)atoi(argv[2]);
	links = (unsigned int)atoi(argv[3]);
	per_message = (unsigned int)atoi(argv[4]);
	keys = (unsigned int)atoi(argv[5]);
	if (!links || links > MOST_LINKS || !per_message || per_message > MOST_PER_MESSAGE)
		return 2;
	if (qlink_nl_open(&nl, &error))
		die(qlink_error_text(&error));
	if (qlink_secret_new(&secrets, per_message * QLINK_SECRET_BYTES))
		die("cannot lock memory");
	start_idle = idle();
	start = now();
	sent = install_all(nl, first, links, per_message, keys, secrets.data);
	start = now() - start;
	start_idle = idle() - start_idle;
	printf("%.0f\n", (double)(start - start_idle) / sent);
	qlink_secret_free(&secrets);
	qlink_nl_close(nl);
	return 0;
}
