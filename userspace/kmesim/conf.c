// SPDX-License-Identifier: GPL-2.0-or-later
/* The simulator's configuration file. */
#include "conf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/number.h"
#include "psk.h"

#define BLANK	" \t\r\n"

/* The state of the parser. The last line "kme" or "link" sets server or link. */
struct reader {
	struct sim *sim;
	struct server *server;
	struct sae_link *link;
	struct qlink_why why;
};

int conf_split(char *line, char *words[CONF_WORDS + 1])
{
	char *save = NULL, *word;
	int n = 0;

	line[strcspn(line, "#\n")] = '\0';
	for (word = strtok_r(line, BLANK, &save); word;
	     word = strtok_r(NULL, BLANK, &save)) {
		if (n == CONF_WORDS)
			return -1;
		words[n++] = word;
	}
	words[n] = NULL;
	return n;
}

int conf_side(const char *word)
{
	return !strcmp(word, "a") ? 0 : !strcmp(word, "b") ? 1 : -1;
}

static int refuse(struct reader *reader, const char *rule)
{
	snprintf(reader->why.text, sizeof(reader->why.text), "%s", rule);
	return -1;
}

static int set_text(struct reader *reader, char *to, size_t room,
		    const char *text)
{
	if (strlen(text) >= room)
		return refuse(reader, "too long");
	strcpy(to, text);
	return 0;
}

/* ADDRESS:PORT, with an IPv6 address in brackets. */
static int set_listen(struct reader *reader, const char *text)
{
	const char *colon = strrchr(text, ':');
	struct server *server = reader->server;
	struct qlink_addr address;
	struct qlink_why why;
	uint64_t port;
	size_t len;

	if (!colon || qlink_parse_number(colon + 1, 0, 65535, &port, &why))
		return refuse(reader, "must be ADDRESS:PORT, with a port from 0 to 65535");
	len = (size_t)(colon - text);
	if (len > 1 && text[0] == '[' && text[len - 1] == ']') {
		text++;
		len -= 2;
	}
	if (len >= sizeof(server->host))
		return refuse(reader, "too long");
	memcpy(server->host, text, len);
	server->host[len] = '\0';
	if (qlink_parse_addr(server->host, &address, &why))
		return refuse(reader, "must be ADDRESS:PORT, with a numeric address");
	server->port = (uint16_t)port;
	return 0;
}

static int read_kme(struct reader *reader, int argc, char **argv)
{
	struct server *server = reader->server;

	if (argc != 2)
		return refuse(reader, "must have one value");
	if (!strcmp(argv[0], "id"))
		return set_text(reader, server->etsi.id, sizeof(server->etsi.id), argv[1]);
	if (!strcmp(argv[0], "listen"))
		return set_listen(reader, argv[1]);
	if (!strcmp(argv[0], "certificate"))
		return set_text(reader, server->certificate,
				sizeof(server->certificate), argv[1]);
	if (!strcmp(argv[0], "key"))
		return set_text(reader, server->key, sizeof(server->key), argv[1]);
	if (!strcmp(argv[0], "ca"))
		return set_text(reader, server->ca, sizeof(server->ca), argv[1]);
	return settings_set(&server->etsi.settings, argv[0], argv[1],
			    &reader->why) ? -1 : 0;
}

static int read_link(struct reader *reader, int argc, char **argv)
{
	struct supply supply;

	if (!strcmp(argv[0], "supply")) {
		if (supply_parse(&supply, argc - 1, argv + 1, &reader->why))
			return -1;
		channel_supply(reader->link, &supply, server_now_ms());
		return 0;
	}
	if (!strcmp(argv[0], "stock") && argc == 2)
		return qlink_parse_number(argv[1], 0, 1000000000,
					  &reader->link->stored, &reader->why);
	return refuse(reader, "must be supply PROFILE or stock NUMBER");
}

/* sae ID serial HEX, or sae ID psk-id TEXT psk-file PATH, where a link above has named the ID. */
static int read_sae(struct reader *reader, int argc, char **argv)
{
	bool has_psk = argc == 6 && !strcmp(argv[2], "psk-id") && !strcmp(argv[4], "psk-file");
	bool has_serial = argc == 4 && !strcmp(argv[2], "serial");
	struct sae *sae = has_psk || has_serial ? channel_sae(&reader->sim->channel, argv[1], -1, NULL) : NULL;

	if (!sae)
		return refuse(reader, "must be sae ID serial HEX, or sae ID psk-id TEXT psk-file PATH, "
			      "below a link with that ID");
	if (has_psk)
		return psk_load(sae, argv[3], argv[5], &reader->why);
	if (strspn(argv[3], "0123456789abcdefABCDEF") != strlen(argv[3]))
		return refuse(reader, "the serial number must be hexadecimal");
	return set_text(reader, sae->serial, sizeof(sae->serial), argv[3]);
}

static int open_kme(struct reader *reader, int argc, char **argv)
{
	int side = argc == 2 ? conf_side(argv[1]) : -1;

	if (side < 0)
		return refuse(reader, "must be kme a or kme b");
	reader->server = &reader->sim->servers[side];
	reader->link = NULL;
	return 0;
}

static int open_link(struct reader *reader, int argc, char **argv)
{
	if (argc != 3)
		return refuse(reader, "must be link SAE-OF-A SAE-OF-B");
	reader->server = NULL;
	reader->link = channel_add_link(&reader->sim->channel, argv[1], argv[2],
					&reader->why);
	return reader->link ? 0 : -1;
}

static int read_line(struct reader *reader, int argc, char **argv)
{
	if (!strcmp(argv[0], "kme"))
		return open_kme(reader, argc, argv);
	if (!strcmp(argv[0], "link"))
		return open_link(reader, argc, argv);
	if (!strcmp(argv[0], "sae"))
		return read_sae(reader, argc, argv);
	if (!strcmp(argv[0], "control") && argc == 2)
		return set_text(reader, reader->sim->control,
				sizeof(reader->sim->control), argv[1]);
	if (reader->server)
		return read_kme(reader, argc, argv);
	if (reader->link)
		return read_link(reader, argc, argv);
	return refuse(reader, "must be kme, link, sae or control");
}

/* What a KME needs and lacks, or NULL. With a pre-shared key it can do without certificates. */
static const char *lack_of(const struct server *server)
{
	bool is_any = server->certificate[0] || server->key[0] || server->ca[0];

	if (!server->etsi.id[0] || !server->host[0])
		return server->etsi.id[0] ? "listen" : "id";
	if (!is_any && psk_is_used(&server->etsi))
		return NULL;
	return !server->certificate[0] ? "certificate" : !server->key[0] ? "key" : !server->ca[0] ? "ca" : NULL;
}

/* Checks that every required option is set. */
static int check(const struct sim *sim, const char *path)
{
	const char *missing;
	int i;

	for (i = 0; i < CHANNEL_SIDES; i++) {
		missing = lack_of(&sim->servers[i]);
		if (!missing)
			continue;
		fprintf(stderr, "qlink-kmesim: %s: kme %c must have %s\n",
			path, 'a' + i, missing);
		return -1;
	}
	if (!STAILQ_EMPTY(&sim->channel.links))
		return 0;
	fprintf(stderr, "qlink-kmesim: %s: must have a link\n", path);
	return -1;
}

int conf_read(struct sim *sim, const char *path)
{
	struct reader reader = { .sim = sim };
	char line[1024], *words[CONF_WORDS + 1];
	unsigned int number = 0;
	int err = 0, n;
	FILE *file = fopen(path, "re");

	if (!file) {
		fprintf(stderr, "qlink-kmesim: %s: %s\n", path, strerror(errno));
		return -1;
	}
	while (!err && fgets(line, sizeof(line), file)) {
		number++;
		n = conf_split(line, words);
		err = n < 0 ? refuse(&reader, "too many words") :
		      n ? read_line(&reader, n, words) : 0;
	}
	fclose(file);
	if (!err)
		return check(sim, path);
	fprintf(stderr, "qlink-kmesim: %s:%u: %s%s%s: %s\n", path, number,
		words[0], words[1] ? " " : "", words[1] ? words[1] : "",
		reader.why.text);
	return -1;
}
