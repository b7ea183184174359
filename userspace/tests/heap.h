/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How much a long test has allocated, and how long it may be. */
#ifndef QLINK_TESTS_HEAP_H
#define QLINK_TESTS_HEAP_H

#include <malloc.h>
#include <stddef.h>

/* heap_bytes(): bytes allocated now. HEAP_IS_FAST: no sanitizer makes everything ten times slower. */
#ifdef __SANITIZE_ADDRESS__
/* The library is installed without its header. */
size_t __sanitizer_get_current_allocated_bytes(void);
#define heap_bytes()	__sanitizer_get_current_allocated_bytes()
#define HEAP_IS_FAST	0
#else
#define HEAP_IS_FAST	1

static inline size_t heap_bytes(void)
{
	struct mallinfo2 info = mallinfo2();

	/* Which large blocks are mapped depends on what was freed before. */
	return info.uordblks + info.hblkhd;
}
#endif

#endif
