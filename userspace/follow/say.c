// SPDX-License-Identifier: GPL-2.0-or-later
/* Lines for the journal. */
#include "say.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#define LINE_MAX_BYTES	1024

void say(int level, const char *format, ...)
{
	char line[LINE_MAX_BYTES], *at;
	va_list args;
	int head, len;

	/* A terminal has no use for the level. */
	head = isatty(STDERR_FILENO) ? 0 : snprintf(line, sizeof(line), "<%d>", level);
	va_start(args, format);
	len = vsnprintf(line + head, sizeof(line) - (size_t)head - 1, format, args);
	va_end(args);
	if (len < 0)
		return;
	if ((size_t)(head + len) > sizeof(line) - 2)
		len = (int)sizeof(line) - 2 - head;
	/* Documents, etcd and qlinkctl have words in it. */
	for (at = line + head; at < line + head + len; at++) {
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			*at = '.';
	}
	line[head + len] = '\n';
	if (write(STDERR_FILENO, line, (size_t)(head + len + 1)) < 0)
		return;
}
