/* SPDX-License-Identifier: GPL-2.0 */
/* Values that CBMC takes for any. */
#ifndef NONDET_H
#define NONDET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

uint8_t nondet_u8(void);
uint16_t nondet_u16(void);
uint32_t nondet_u32(void);
uint64_t nondet_u64(void);
size_t nondet_size(void);
bool nondet_bool(void);

#endif
