/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An audit log in a folder of its own, for tests of what an agent logs. */
#ifndef QLINK_TESTS_AUDITLOG_H
#define QLINK_TESTS_AUDITLOG_H

#include <stdio.h>

#include "qlinkd/audit/audit.h"

/* Open the log; again after audit_close(), it goes on. */
struct audit *auditlog_open(void);

/* Wait until all is written, and open its first file. */
FILE *auditlog_read(struct audit *audit);

/* Wait until all is written, and count the lines that contain @text. */
unsigned int auditlog_count(struct audit *audit, const char *text);

/* Remove the folder. */
void auditlog_remove(void);

#endif
