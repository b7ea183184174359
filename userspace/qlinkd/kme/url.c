// SPDX-License-Identifier: GPL-2.0-or-later
/* The address of a key server, as an operator writes it. */
#include "url.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/number.h"

#define SCHEME		"https://"
#define SCHEME_LEN	(sizeof(SCHEME) - 1)
#define DIGITS		"0123456789"
#define LETTERS		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
/* RFC 3986, 2.3 and 3.3, without characters that shells and logs would have to quote. */
#define IN_NAME		LETTERS DIGITS "-._"
#define IN_PATH		IN_NAME "~/%:+,;=!$&*"
/* The longest host name (RFC 1035, 2.3.4), and an IPv6 address as text. */
#define HOST_MAX	253

/* Copies @len bytes of @from and ends them with a NUL; false if they do not fit. */
static bool cut(char *to, size_t room, const char *from, size_t len)
{
	if (len >= room)
		return false;
	memcpy(to, from, len);
	to[len] = '\0';
	return true;
}

/* Sets @end to the first byte behind the host. */
static int check_host(const char *host, const char **end, struct qlink_why *why)
{
	unsigned char address[sizeof(struct in6_addr)];
	char text[HOST_MAX + 1];
	size_t len;

	if (*host == '[') {
		len = strcspn(host + 1, "]");
		*end = host + len + 2;
		if (host[len + 1] != ']' || !cut(text, sizeof(text), host + 1, len) ||
		    inet_pton(AF_INET6, text, address) != 1)
			return qlink_refuse(why, -EINVAL,
					    "must have an IPv6 address between the brackets");
		return 0;
	}
	len = strspn(host, IN_NAME);
	*end = host + len;
	if (!len || len > HOST_MAX)
		return qlink_refuse(why, -EINVAL, "must have a host of 1 to %d characters",
				    HOST_MAX);
	return 0;
}

/* Sets @end to the first byte behind the port. */
static int check_port(const char *port, const char **end, struct qlink_why *why)
{
	size_t len = strcspn(port, "/");
	struct qlink_why rule;
	uint64_t number;
	char text[8];

	*end = port + len;
	if (!cut(text, sizeof(text), port, len))
		return qlink_refuse(why, -EINVAL, "must have a port from 1 to 65535");
	if (qlink_parse_number(text, 1, UINT16_MAX, &number, &rule))
		return qlink_refuse(why, -EINVAL, "must have a port from 1 to 65535");
	return 0;
}

int url_check(const char *url, struct qlink_why *why)
{
	size_t len = strlen(url);
	const char *at, *bad;
	int err;

	if (strncmp(url, SCHEME, SCHEME_LEN))
		return qlink_refuse(why, -EINVAL, "must begin with " SCHEME);
	if (len > URL_BASE_MAX)
		return qlink_refuse(why, -EINVAL, "must have at most %d characters", URL_BASE_MAX);
	bad = strpbrk(url, "?#@");
	if (bad)
		return qlink_refuse(why, -EINVAL, "must not have a '%c'", *bad);
	err = check_host(url + SCHEME_LEN, &at, why);
	if (!err && *at == ':')
		err = check_port(at + 1, &at, why);
	if (err)
		return err;
	if (*at && *at != '/')
		return qlink_refuse(why, -EINVAL, "must be " SCHEME "HOST:PORT/PATH");
	if (at[strspn(at, IN_PATH)])
		return qlink_refuse(why, -EINVAL, "must have only letters, digits and -._~%% in its path");
	if (url[len - 1] == '/')
		return qlink_refuse(why, -EINVAL, "must not end with a slash");
	return 0;
}

/* RFC 3986, 2.3: characters that a URL has unencoded. */
static bool is_unreserved(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       (c && strchr("-._~", c));
}

void url_encode(char *to, const char *from)
{
	for (; *from; from++) {
		if (is_unreserved(*from))
			*to++ = *from;
		else
			to += sprintf(to, "%%%02X", (unsigned char)*from);
	}
	*to = '\0';
}
