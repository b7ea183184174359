// SPDX-License-Identifier: GPL-2.0-or-later
/* An address and port in the configuration. */
#include "endpoint.h"

#include <errno.h>
#include <string.h>

#include "common/number.h"

/* Of connections between agents. */
#define DEFAULT_PORT	7511
/* Room for a numeric address with brackets and a port. */
#define ENDPOINT_TEXT	64
/* The word by which others than this host may read the metrics. */
#define ANYONE		"in-clear-to-anyone"

/* Splits ADDRESS:PORT, ADDRESS, [ADDRESS]:PORT or [ADDRESS] in place. */
static int split_endpoint(char *text, char **address, const char **port)
{
	char *end;

	*port = NULL;
	*address = text;
	if (text[0] == '[') {
		*address = text + 1;
		end = strchr(text, ']');
		if (!end || (end[1] && end[1] != ':'))
			return -EINVAL;
		*end++ = '\0';
	} else {
		end = strchr(text, ':');
		/* An IPv6 address without brackets has no port behind it. */
		if (!end || strchr(end + 1, ':'))
			return 0;
	}
	if (*end)
		*port = end + 1;
	*end = '\0';
	return 0;
}

/* Reads an endpoint; @number is its port if @word has none, 0 where it must have one. */
static int read_endpoint(struct reader *reader, const struct reader_option *option,
			 const char *word, uint64_t number)
{
	struct config_endpoint *endpoint = (void *)(reader->at + option->offset);
	char text[ENDPOINT_TEXT], *address;
	struct qlink_why why;
	const char *port;

	if (strlen(word) >= sizeof(text) || split_endpoint(strcpy(text, word), &address, &port))
		return reader_refuse(reader, "%s %s: not ADDRESS:PORT, with an IPv6 address in brackets",
			      option->name, word);
	if (qlink_parse_addr(address, &endpoint->addr, &why))
		return reader_refuse(reader, "%s %s: the address is %s", option->name, word, why.text);
	if (port && qlink_parse_number(port, 1, UINT16_MAX, &number, &why))
		return reader_refuse(reader, "%s %s: the port is %s", option->name, word, why.text);
	if (!number)
		return reader_refuse(reader, "%s %s: lacks a port", option->name, word);
	endpoint->port = (uint16_t)number;
	return 0;
}

static int take_endpoint(struct reader *reader, const struct reader_option *option,
			 char **words, int n)
{
	return reader_one_word(reader, option, n) ?:
	       read_endpoint(reader, option, words[0], DEFAULT_PORT);
}

/* Whether only this host reaches an address. */
static bool is_loopback(const struct qlink_addr *addr)
{
	static const uint8_t v6[16] = { [15] = 1 };

	return addr->len == sizeof(v6) ? !memcmp(addr->bytes, v6, sizeof(v6)) :
	       addr->bytes[0] == 127;
}

/*
 * The metrics go out without TLS to whoever asks, which is a matter of this host only. An address
 * that others reach takes a word that says so.
 */
static int take_metrics_listen(struct reader *reader, const struct reader_option *option,
			       char **words, int n)
{
	const struct config_endpoint *endpoint = (void *)(reader->at + option->offset);
	const bool is_agreed = n == 2 && !strcmp(words[1], ANYONE);

	if (!is_agreed && n != 1)
		return reader_refuse(reader, "%s: must be ADDRESS:PORT, and nothing or " ANYONE
				     " behind it", option->name);
	if (read_endpoint(reader, option, words[0], 0))
		return -EINVAL;
	if (!is_agreed && !is_loopback(&endpoint->addr))
		return reader_refuse(reader, "%s %s: is no address of the loopback device; other "
				     "hosts may read the metrics only with " ANYONE " behind it",
				     option->name, words[0]);
	return 0;
}

bool endpoint_same(const struct config_endpoint *a, const struct config_endpoint *b)
{
	return a->port == b->port && a->addr.len == b->addr.len &&
	       !memcmp(a->addr.bytes, b->addr.bytes, a->addr.len);
}

static bool same_endpoint(const void *a, const void *b)
{
	return endpoint_same(a, b);
}

const struct reader_kind endpoint_kind = { take_endpoint, same_endpoint };
const struct reader_kind endpoint_metrics_kind = { take_metrics_listen, same_endpoint };
