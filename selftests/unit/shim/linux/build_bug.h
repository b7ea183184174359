/* SPDX-License-Identifier: GPL-2.0 */
/* A static_assert without a message, before C23. */
#include <linux/types.h>

#undef static_assert
#define static_assert(expr)	_Static_assert(expr, #expr)
