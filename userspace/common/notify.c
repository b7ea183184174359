// SPDX-License-Identifier: GPL-2.0-or-later
/* Messages to the service manager: sd_notify(3), without its library. */
#include "notify.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "number.h"

/*
 * @text is an absolute path, or @ and a name of the abstract namespace, see unix(7). Returns the
 * length of the address, 0 if @text is neither.
 */
static socklen_t put_address(struct sockaddr_un *address, const char *text)
{
	size_t len = strlen(text);

	if ((text[0] != '/' && text[0] != '@') || !text[1] || len >= sizeof(address->sun_path))
		return 0;
	memset(address, 0, sizeof(*address));
	address->sun_family = AF_UNIX;
	memcpy(address->sun_path, text, len);
	if (text[0] == '@')
		address->sun_path[0] = '\0';
	else
		len++;
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
}

static int connect_to(const char *text, struct qlink_why *why)
{
	struct sockaddr_un address;
	socklen_t len = put_address(&address, text);
	int fd, err;

	if (!len)
		return qlink_refuse(why, -EINVAL, "NOTIFY_SOCKET is not an absolute path or @ and a name");
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && !connect(fd, (struct sockaddr *)&address, len))
		return fd;
	err = -errno;
	if (fd >= 0)
		close(fd);
	return qlink_refuse(why, err, "NOTIFY_SOCKET: %s", strerror(-err));
}

/* Half of the service manager's watchdog timeout, if it is meant for this process. */
static int read_watchdog(uint32_t *watchdog_ms, struct qlink_why *why)
{
	const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	struct qlink_why rule;
	uint64_t us, id;

	*watchdog_ms = 0;
	if (!usec)
		return 0;
	if (pid && (qlink_parse_number(pid, 1, INT32_MAX, &id, &rule) || id != (uint64_t)getpid()))
		return 0;
	if (qlink_parse_number(usec, 2000, UINT32_MAX * 1000ULL, &us, &rule))
		return qlink_refuse(why, -EINVAL, "WATCHDOG_USEC is %s", rule.text);
	*watchdog_ms = (uint32_t)(us / 2000);
	return 0;
}

int notify_open(struct notify *notify, struct qlink_why *why)
{
	const char *text = getenv("NOTIFY_SOCKET");
	int err = read_watchdog(&notify->watchdog_ms, why);

	notify->fd = -1;
	if (!err && text) {
		notify->fd = connect_to(text, why);
		if (notify->fd < 0) {
			err = notify->fd;
			notify->fd = -1;
		}
	}
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	return err;
}

void notify_close(struct notify *notify)
{
	if (notify->fd >= 0)
		close(notify->fd);
	notify->fd = -1;
}

int notify_send(const struct notify *notify, const char *format, ...)
{
	char text[NOTIFY_TEXT_MAX + 1];
	va_list args;
	int len;

	if (notify->fd < 0)
		return 0;
	va_start(args, format);
	len = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (len < 0 || (size_t)len >= sizeof(text))
		return -EMSGSIZE;
	return send(notify->fd, text, (size_t)len, MSG_NOSIGNAL) < 0 ? -errno : 0;
}
