/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How one KME serves requests of ETSI GS QKD 014 V1.1.1 or of SKIP, without sockets. */
#ifndef KMESIM_SERVE_H
#define KMESIM_SERVE_H

#include "etsi.h"

/**
 * serve_init() - make a KME that behaves as the standard says
 * @etsi: filled in
 * @channel: the channel that it shares with the other KME
 * @side: 0 or 1
 */
void serve_init(struct etsi *etsi, struct channel *channel, int side);

/**
 * serve_request() - serve one request
 * @etsi: the KME
 * @request: the request
 * @reply: filled in
 */
void serve_request(struct etsi *etsi, const struct etsi_request *request,
		   struct etsi_reply *reply);

#endif
