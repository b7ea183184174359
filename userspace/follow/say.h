/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines for the journal. */
#ifndef FOLLOW_SAY_H
#define FOLLOW_SAY_H

#include <syslog.h>

/**
 * say() - write a line on standard error
 * @level: LOG_ERR to LOG_INFO of syslog(3), which the journal reads from the line's start (sd-daemon(3))
 * @format: a printf() format; control characters of its values become dots
 *
 * Context: Process; one write().
 */
__attribute__((format(printf, 2, 3)))
void say(int level, const char *format, ...);

#endif
