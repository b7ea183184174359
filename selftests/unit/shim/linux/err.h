/* SPDX-License-Identifier: GPL-2.0 */
/* Errors as pointers, for the host. */
#include <stdbool.h>
#include <stdint.h>

#define IS_ERR(at)	((uintptr_t)(at) >= (uintptr_t)-4095)
#define PTR_ERR(at)	((long)(at))
#define ERR_PTR(err)	((void *)(long)(err))
