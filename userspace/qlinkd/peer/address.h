/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses of the configuration as sockets take them. */
#ifndef QLINKD_ADDRESS_H
#define QLINKD_ADDRESS_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "qlinkd/config/config.h"

/* Room for address and port as text. */
#define ADDRESS_TEXT	64

/**
 * address_of() - turn an endpoint into a socket address
 * @endpoint: has an address
 * @to: filled in
 *
 * Return: bytes of @to that count.
 */
socklen_t address_of(const struct config_endpoint *endpoint, struct sockaddr_storage *to);

/**
 * address_from() - turn a socket address into an endpoint
 * @from: of IPv4 or IPv6; an IPv4 address within IPv6 becomes one of IPv4
 * @endpoint: filled in
 */
void address_from(const struct sockaddr_storage *from, struct config_endpoint *endpoint);

/**
 * address_text() - write an endpoint for people
 * @endpoint: has an address
 * @text: filled in
 *
 * Return: @text.
 */
const char *address_text(const struct config_endpoint *endpoint, char text[ADDRESS_TEXT]);

#endif
