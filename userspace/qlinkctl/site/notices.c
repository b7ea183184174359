// SPDX-License-Identifier: GPL-2.0-or-later
/* qlinkctl monitor --yang: print what happens to a site as notifications of qlink.yang. */
#include "notices.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "libqlink/event.h"
#include "notice.h"
#include "qlinkctl/agent.h"

/* How often the agent is asked: it tells of nothing by itself. */
#define LOOK_MS	1000

/* What is looked at, and what was seen. */
struct watch {
	struct ctl *ctl;
	struct qlink_monitor *monitor;
	const char *device;
	/* The last status; NULL before the first. */
	json_t *status;
};

/* The reader of a pipe needs each at once. */
static int print(json_t *notice)
{
	int err = ctl_print_json(notice);

	if (!err && fflush(stdout))
		err = ctl_fail("standard output: %s", strerror(errno));
	return err;
}

static int take_event(struct watch *watch)
{
	struct qlink_event event;
	struct qlink_error error;
	int err = qlink_monitor_next(watch->monitor, &event, &error);

	if (err == -ENOBUFS) {
		ctl_warn("warning: events were lost");
		return CTL_OK;
	}
	if (err)
		return ctl_refused(watch->device, &error);
	return watch->device && strcmp(watch->device, event.ifname) ? CTL_OK : print(notice_event(&event));
}

/* An agent that does not run changes nothing; what it changed meanwhile is told once it answers again. */
static int look(struct watch *watch)
{
	json_t *status, *list, *notice;
	int end = CTL_OK, err;
	size_t i;

	status = agent_try(watch->ctl, "status", &err);
	if (!status || json_object_get(status, "error")) {
		json_decref(status);
		return CTL_OK;
	}
	list = watch->status ? notice_changes(watch->status, status, watch->device) : json_array();
	json_array_foreach(list, i, notice)
		if (!end)
			end = print(json_incref(notice));
	json_decref(list);
	json_decref(watch->status);
	watch->status = status;
	return end;
}

static int run(struct watch *watch)
{
	struct pollfd fd = { .fd = qlink_monitor_fd(watch->monitor), .events = POLLIN };
	struct timespec last, now;
	int end = look(watch), n;

	/* Scripts wait for this line before they cause events. */
	ctl_warn("listening");
	clock_gettime(CLOCK_MONOTONIC, &last);
	while (!end) {
		n = poll(&fd, 1, LOOK_MS);
		if (n < 0 && errno != EINTR)
			end = ctl_fail("poll: %s", strerror(errno));
		if (n > 0)
			end = take_event(watch);
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (end || (now.tv_sec - last.tv_sec) * 1000 + (now.tv_nsec - last.tv_nsec) / 1000000 < LOOK_MS)
			continue;
		end = look(watch);
		last = now;
	}
	return end;
}

int notices_run(struct ctl *ctl, int argc, char **argv)
{
	struct watch watch = { .ctl = ctl, .device = argc ? argv[0] : NULL };
	struct qlink_error error;
	uint32_t ifindex;
	int err;

	if (argc > 1)
		return ctl_usage("\"%s\": monitor takes at most one device", argv[1]);
	err = watch.device ? ctl_device(ctl, watch.device, &ifindex) : CTL_OK;
	if (err)
		return err;
	if (qlink_monitor_open(&watch.monitor, &error))
		return ctl_refused(watch.device, &error);
	err = run(&watch);
	json_decref(watch.status);
	qlink_monitor_close(watch.monitor);
	return err;
}
