/* SPDX-License-Identifier: GPL-2.0 */
/* The part of the kernel's types and bitmaps that the tested files of kmod/ use, for the host. */
#ifndef SHIM_TYPES_H
#define SHIM_TYPES_H

#include <assert.h>
#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int64_t s64;
#define U64_MAX		UINT64_MAX

#include <errno.h>
#include <stddef.h>

#define min(a, b)	((a) < (b) ? (a) : (b))
#define max(a, b)	((a) > (b) ? (a) : (b))
#define container_of(member_of, type, member) \
	((type *)(void *)((char *)(member_of) - offsetof(type, member)))

#define likely(condition)		(condition)
#define unlikely(condition)		(condition)
#define READ_ONCE(variable)		(variable)
#define WRITE_ONCE(variable, value)	((void)((variable) = (value)))

/* On a machine with one CPU. */
#define smp_load_acquire(at)		(*(at))
#define xchg(at, value) \
	({ __typeof__(*(at)) xchg_old = *(at); *(at) = (value); xchg_old; })
#define cmpxchg(at, old, value) \
	({ __typeof__(*(at)) xchg_old = *(at); if (xchg_old == (old)) *(at) = (value); xchg_old; })

#define BUILD_BUG_ON(condition)		_Static_assert(!(condition), #condition)

#define DECLARE_BITMAP(name, bits)	u8 name[(bits) / 8]

#define test_bit(bit, map)	((map)[(bit) / 8] >> (bit) % 8 & 1)
#define __set_bit(bit, map)	((void)((map)[(bit) / 8] |= 1 << (bit) % 8))
#define bitmap_zero(map, bits)	memset(map, 0, (bits) / 8)

static inline void bitmap_clear(u8 *map, unsigned int start, unsigned int n_bits)
{
	for (; n_bits; start++, n_bits--)
		map[start / 8] &= ~(1 << start % 8);
}

#define __aligned(bytes) __attribute__((aligned(bytes)))
#define __percpu

#endif
