/* SPDX-License-Identifier: GPL-2.0 */
/* Division of 64 bits. */
#include <linux/types.h>

#define DIV_ROUND_UP_ULL(n, d)	(((unsigned long long)(n) + (d) - 1) / (d))
