// SPDX-License-Identifier: GPL-2.0-or-later
/* The text of an error message: the rule that a value broke. */
#include "why.h"

#include <stdarg.h>
#include <stdio.h>

#include "utf8.h"

int qlink_refuse(struct qlink_why *why, int err, const char *rule, ...)
{
	va_list ap;

	va_start(ap, rule);
	vsnprintf(why->text, sizeof(why->text), rule, ap);
	va_end(ap);
	/* A value that is cut off may end within a letter. */
	qlink_utf8_repair(why->text);
	return err;
}
