/* SPDX-License-Identifier: GPL-2.0 */
/* memchr_inv() for the host. */
#ifndef SHIM_STRING_H
#define SHIM_STRING_H

#include <string.h>

static inline void *memchr_inv(const void *at, int c, size_t bytes)
{
	const unsigned char *byte = at;

	for (; bytes; byte++, bytes--)
		if (*byte != (unsigned char)c)
			return (void *)byte;
	return NULL;
}

#endif
