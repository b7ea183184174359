/* SPDX-License-Identifier: GPL-2.0 */
/* A clock that a test sets. */
#ifndef SHIM_JIFFIES_H
#define SHIM_JIFFIES_H

#include <limits.h>

#define HZ	250

static unsigned long jiffies;

#define time_before_eq(a, b)	((long)((a) - (b)) <= 0)

#endif
