// SPDX-License-Identifier: GPL-2.0
/* Tracepoints: frames that are dropped, and keys that come into use and go. */
#include <linux/skbuff.h>

#define CREATE_TRACE_POINTS
#include "trace.h"
