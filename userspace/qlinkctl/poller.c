// SPDX-License-Identifier: GPL-2.0-or-later
/* Asks qlinkd for its status without waiting for the answer. */
#include "poller.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent.h"

#define READ_BYTES	65536

void poller_stop(struct poller *poller)
{
	if (poller->fd >= 0)
		close(poller->fd);
	free(poller->text);
	*poller = (struct poller){ .fd = -1 };
}

static int fail(struct poller *poller, const struct ctl *ctl, int err, struct qlink_why *why)
{
	poller_stop(poller);
	return qlink_refuse(why, err, "%s: %s", agent_path(ctl), strerror(-err));
}

int poller_start(struct poller *poller, const struct ctl *ctl, struct qlink_why *why)
{
	static const char command[] = "status\n";

	poller->fd = agent_dial(ctl, SOCK_NONBLOCK);
	if (poller->fd < 0)
		return fail(poller, ctl, poller->fd, why);
	/* A new socket has room for it. */
	if (send(poller->fd, command, sizeof(command) - 1, MSG_NOSIGNAL) != sizeof(command) - 1)
		return fail(poller, ctl, -errno, why);
	return 0;
}

static int parse(struct poller *poller, const struct ctl *ctl, json_t **status, struct qlink_why *why)
{
	json_error_t error;

	*status = json_loadb(poller->text, poller->len, 0, &error);
	if (!json_is_object(*status)) {
		json_decref(*status);
		return fail(poller, ctl, -EBADMSG, why);
	}
	poller_stop(poller);
	return 0;
}

int poller_read(struct poller *poller, const struct ctl *ctl, json_t **status, struct qlink_why *why)
{
	char *text;
	ssize_t got;

	for (;;) {
		if (poller->room - poller->len < READ_BYTES) {
			text = realloc(poller->text, poller->room + 4 * READ_BYTES);
			if (!text)
				return fail(poller, ctl, -ENOMEM, why);
			poller->text = text;
			poller->room += 4 * READ_BYTES;
		}
		got = read(poller->fd, poller->text + poller->len, READ_BYTES);
		if (got < 0)
			return errno == EAGAIN || errno == EINTR ? -EAGAIN : fail(poller, ctl, -errno, why);
		if (!got)
			return fail(poller, ctl, -ECONNRESET, why);
		poller->len += (size_t)got;
		/* The answer is one line. */
		if (poller->text[poller->len - 1] == '\n')
			return parse(poller, ctl, status, why);
	}
}
