/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A piece of somebody else's memory. */
#ifndef QLINKD_BYTES_H
#define QLINKD_BYTES_H

#include <stddef.h>
#include <stdint.h>

/**
 * struct bytes - where some bytes are, and how many
 *
 * Owns nothing: valid as long as what it points into.
 */
struct bytes {
	/** @data: the first; may be %NULL if @len is 0 */
	const uint8_t *data;

	/** @len: how many */
	size_t len;
};

#endif
