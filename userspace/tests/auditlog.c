// SPDX-License-Identifier: GPL-2.0-or-later
/* An audit log in a folder of its own, for tests of what an agent logs. */
#include "auditlog.h"

#include <stdlib.h>
#include <string.h>

#include "tap.h"

#define TEMPLATE	"/tmp/qlink-auditlog-XXXXXX"

static char folder[] = TEMPLATE;

struct audit *auditlog_open(void)
{
	const struct audit_settings settings = {
		.folder = folder, .agent = "a", .file_bytes = 1 << 30, .file_ms = 3600000,
		.checkpoint_ms = 3600000,
	};
	struct qlink_why why;
	struct audit *audit;

	if (!strcmp(folder, TEMPLATE))
		CHECK(mkdtemp(folder), "no folder");
	CHECK_NUMBER("audit", audit_open(&audit, &settings, NULL, &why), 0);
	return audit;
}

FILE *auditlog_read(struct audit *audit)
{
	char path[sizeof(folder) + 32];

	CHECK(audit_flush(audit, 20000), "not written");
	snprintf(path, sizeof(path), "%s/audit-0000000001.jsonl", folder);
	return fopen(path, "re");
}

unsigned int auditlog_count(struct audit *audit, const char *text)
{
	FILE *file = auditlog_read(audit);
	char line[AUDIT_LINE_MAX + 2];
	unsigned int n = 0;

	while (file && fgets(line, sizeof(line), file))
		n += strstr(line, text) != NULL;
	if (file)
		fclose(file);
	return n;
}

void auditlog_remove(void)
{
	char command[sizeof(folder) + 16];

	snprintf(command, sizeof(command), "rm -rf %s", folder);
	CHECK_NUMBER("rm", system(command), 0);
	strcpy(folder, TEMPLATE);
}
