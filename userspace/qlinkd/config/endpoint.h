/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An address and port in the configuration. */
#ifndef QLINKD_ENDPOINT_H
#define QLINKD_ENDPOINT_H

#include <stdbool.h>
#include <stdint.h>

#include "libqlink/parse.h"
#include "reader.h"

/**
 * struct config_endpoint - an address and port to listen on or to dial
 */
struct config_endpoint {
	/** @addr: has length 0 if none is configured */
	struct qlink_addr addr;

	/** @port: TCP port */
	uint16_t port;
};

/* An option whose member is a struct config_endpoint; and one that others than this host reach only with a word. */
extern const struct reader_kind endpoint_kind;
extern const struct reader_kind endpoint_metrics_kind;

/**
 * endpoint_same() - compare two endpoints
 * @a: one
 * @b: the other
 *
 * Return: true if address and port are the same.
 */
bool endpoint_same(const struct config_endpoint *a, const struct config_endpoint *b);

#endif
