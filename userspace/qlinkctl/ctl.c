// SPDX-License-Identifier: GPL-2.0-or-later
/* What the commands of qlinkctl share: options, error messages, devices, JSON. */
#include "ctl.h"

#include <errno.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

__attribute__((format(printf, 1, 0)))
static void complain(const char *format, va_list ap)
{
	fputs("qlinkctl: ", stderr);
	vfprintf(stderr, format, ap);
	fputc('\n', stderr);
}

int ctl_usage(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	complain(format, ap);
	va_end(ap);
	return CTL_USAGE;
}

int ctl_fail(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	complain(format, ap);
	va_end(ap);
	return CTL_FAILED;
}

void ctl_warn(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	complain(format, ap);
	va_end(ap);
}

int ctl_dispatch(struct ctl *ctl, const struct ctl_command *commands,
		 const char *what, int argc, char **argv)
{
	const struct ctl_command *command;

	if (!argc)
		return ctl_usage("%s: none given (see qlinkctl help)", what);
	for (command = commands; command->name; command++)
		if (!strcmp(command->name, argv[0]))
			return command->run(ctl, argc - 1, argv + 1);
	return ctl_usage("\"%s\": no such %s (see qlinkctl help)", argv[0], what);
}

int ctl_open(struct ctl *ctl)
{
	struct qlink_error error;

	if (!ctl->nl && qlink_nl_open(&ctl->nl, &error))
		return ctl_fail("%s", qlink_error_text(&error));
	return CTL_OK;
}

int ctl_device(struct ctl *ctl, const char *name, uint32_t *ifindex)
{
	*ifindex = if_nametoindex(name);
	if (!*ifindex)
		return ctl_fail("%s: no such device", name);
	return ctl_open(ctl);
}

int ctl_refused(const char *device, const struct qlink_error *error)
{
	return ctl_fail("%s%s%s", device ? device : "", device ? ": " : "",
			qlink_error_text(error));
}

int ctl_print_json(json_t *value)
{
	int err;

	if (!value)
		return ctl_fail("%s", strerror(ENOMEM));
	err = json_dumpf(value, stdout, JSON_COMPACT);
	json_decref(value);
	if (err || putchar('\n') == EOF)
		return ctl_fail("standard output: cannot be written");
	return CTL_OK;
}
