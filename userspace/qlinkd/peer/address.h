/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Conversion of addresses between the configuration, sockets and text. */
#ifndef QLINKD_ADDRESS_H
#define QLINKD_ADDRESS_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "qlinkd/config/config.h"

/* Characters of an address and port as text, with the terminating NUL. */
#define ADDRESS_TEXT	64

/**
 * address_of() - convert an endpoint to a socket address
 * @endpoint: has an address
 * @to: filled in
 *
 * Context: Pure.
 * Return: length of the socket address in bytes.
 */
socklen_t address_of(const struct config_endpoint *endpoint, struct sockaddr_storage *to);

/**
 * address_from() - convert a socket address to an endpoint
 * @from: IPv4 or IPv6; an IPv4-mapped IPv6 address (RFC 4291, 2.5.5.2) becomes IPv4
 * @endpoint: filled in
 *
 * Context: Pure.
 */
void address_from(const struct sockaddr_storage *from, struct config_endpoint *endpoint);

/**
 * address_text() - write an endpoint as text
 * @endpoint: has an address
 * @text: filled in: 192.0.2.1:4433 or [2001:db8::1]:4433
 *
 * Context: Pure.
 * Return: @text.
 */
const char *address_text(const struct config_endpoint *endpoint, char text[ADDRESS_TEXT]);

#endif
