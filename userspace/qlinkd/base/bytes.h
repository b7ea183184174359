/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A pointer to bytes that somebody else owns, and their number. */
#ifndef QLINKD_BYTES_H
#define QLINKD_BYTES_H

#include <stddef.h>
#include <stdint.h>

/**
 * struct bytes - where some bytes are, and how many
 *
 * It owns nothing: it is valid only as long as the memory that @data points to.
 */
struct bytes {
	/** @data: the first byte; may be %NULL if @len is 0 */
	const uint8_t *data;

	/** @len: number of bytes */
	size_t len;
};

#endif
