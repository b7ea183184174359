/* SPDX-License-Identifier: GPL-2.0 */
/* Access to integers at any address. */
#include <linux/types.h>

#define unaligned(p)		((struct { __typeof__(*(p)) value; } __attribute__((packed)) *)(p))
#define get_unaligned(p)	(unaligned(p)->value)
#define put_unaligned(v, p)	((void)(unaligned(p)->value = (v)))

static inline u16 get_unaligned_be16(const void *p) { return be16toh(get_unaligned((const u16 *)p)); }
static inline u32 get_unaligned_be32(const void *p) { return be32toh(get_unaligned((const u32 *)p)); }
static inline u64 get_unaligned_be64(const void *p) { return be64toh(get_unaligned((const u64 *)p)); }
static inline void put_unaligned_be16(u16 v, void *p) { put_unaligned(htobe16(v), (u16 *)p); }
static inline void put_unaligned_be64(u64 v, void *p) { put_unaligned(htobe64(v), (u64 *)p); }
