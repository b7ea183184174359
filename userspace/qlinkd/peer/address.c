// SPDX-License-Identifier: GPL-2.0-or-later
/* Conversion of addresses between the configuration, sockets and text. */
#include "address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

socklen_t address_of(const struct config_endpoint *endpoint, struct sockaddr_storage *to)
{
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)to;
	struct sockaddr_in *v4 = (struct sockaddr_in *)to;

	memset(to, 0, sizeof(*to));
	if (endpoint->addr.len == sizeof(v4->sin_addr)) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(endpoint->port);
		memcpy(&v4->sin_addr, endpoint->addr.bytes, sizeof(v4->sin_addr));
		return sizeof(*v4);
	}
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons(endpoint->port);
	memcpy(&v6->sin6_addr, endpoint->addr.bytes, sizeof(v6->sin6_addr));
	return sizeof(*v6);
}

void address_from(const struct sockaddr_storage *from, struct config_endpoint *endpoint)
{
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)from;
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)from;

	memset(endpoint, 0, sizeof(*endpoint));
	if (from->ss_family == AF_INET) {
		endpoint->addr.len = sizeof(v4->sin_addr);
		memcpy(endpoint->addr.bytes, &v4->sin_addr, sizeof(v4->sin_addr));
		endpoint->port = ntohs(v4->sin_port);
	} else if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
		endpoint->addr.len = 4;
		memcpy(endpoint->addr.bytes, v6->sin6_addr.s6_addr + 12, 4);
		endpoint->port = ntohs(v6->sin6_port);
	} else {
		endpoint->addr.len = sizeof(v6->sin6_addr);
		memcpy(endpoint->addr.bytes, &v6->sin6_addr, sizeof(v6->sin6_addr));
		endpoint->port = ntohs(v6->sin6_port);
	}
}

const char *address_text(const struct config_endpoint *endpoint, char text[ADDRESS_TEXT])
{
	char addr[QLINK_ADDR_TEXT];

	qlink_format_addr(&endpoint->addr, addr);
	snprintf(text, ADDRESS_TEXT, endpoint->addr.len == 4 ? "%s:%u" : "[%s]:%u", addr,
		 endpoint->port);
	return text;
}
