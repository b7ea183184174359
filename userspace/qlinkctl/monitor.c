// SPDX-License-Identifier: GPL-2.0-or-later
/* qlinkctl monitor: show events as they come, one on each line. */
#include "monitor.h"

#include <errno.h>
#include <string.h>

#include "build.h"
#include "libqlink/names.h"

bool monitor_has(const struct qlink_event *event, unsigned int type)
{
	switch (type) {
	case QLINK_A_EVENT_PEER_HEARD:
		return event->has_peer;
	case QLINK_A_EVENT_ENDPOINT:
	case QLINK_A_EVENT_ENDPOINT_PORT:
		return event->endpoint.len;
	case QLINK_A_EVENT_FORMER:
	case QLINK_A_EVENT_FORMER_PORT:
		return event->former.len;
	}
	return true;
}

json_t *monitor_json(const struct qlink_event *event)
{
	const struct qlink_attr *attr = qlink_event_attrs.attrs;
	struct build build;
	const struct qlink_json *json = build_begin(&build);
	size_t i;

	if (event->ifindex)
		json->number(json->arg, "ifindex", event->ifindex);
	json->text(json->arg, "ifname", event->ifname);
	for (i = 0; i < qlink_event_attrs.n; i++, attr++)
		if (monitor_has(event, attr->type))
			qlink_json_attr(json, attr, event);
	qlink_json_ring(json, "tx", &event->tx);
	qlink_json_ring(json, "rx", &event->rx);
	return build_end(&build);
}

static void ring_text(const char *label, const struct qlink_ring *ring, FILE *to)
{
	char source[QLINK_SOURCE_TEXT];

	if (ring->current_epoch)
		fprintf(to, "; %s epoch %llu (%s)", label,
			(unsigned long long)ring->current_epoch,
			ring->has_source ?
			qlink_format_source(ring->current_source, ring->current_kmes, source) :
			"unknown");
	else
		fprintf(to, "; %s no active key", label);
	fprintf(to, ", %u staged, %llu rekey%s", ring->staged,
		(unsigned long long)ring->rekeys, ring->rekeys == 1 ? "" : "s");
}

/* Where the peer has moved to, and from where. */
static void moved_text(const struct qlink_event *event, FILE *to)
{
	char text[QLINK_ADDR_TEXT];

	if (!(event->kinds & QLINK_EVENT_KIND_PEER_MOVED) || !event->endpoint.len)
		return;
	fprintf(to, "; endpoint %s port %u", qlink_format_addr(&event->endpoint, text),
		event->endpoint_port);
	if (event->former.len)
		fprintf(to, ", formerly %s port %u", qlink_format_addr(&event->former, text),
			event->former_port);
}

void monitor_text(const struct qlink_event *event, FILE *to)
{
	const char *comma = "";
	unsigned int i;

	fprintf(to, "%s: %llu: ", event->ifname,
		(unsigned long long)event->sequence);
	for (i = 0; i < 32; i++) {
		if (!(event->kinds & 1U << i))
			continue;
		fprintf(to, "%s%s", comma, qlink_name(&qlink_event_kinds, i));
		comma = ", ";
	}
	if (event->has_peer)
		fprintf(to, "; peer %s", event->peer_heard ? "heard" : "not heard");
	moved_text(event, to);
	ring_text("tx", &event->tx, to);
	ring_text("rx", &event->rx, to);
	if (event->auth_failures || event->replays)
		fprintf(to, "; %llu auth failures, %llu replays",
			(unsigned long long)event->auth_failures,
			(unsigned long long)event->replays);
	fputc('\n', to);
}

static int print(const struct ctl *ctl, const struct qlink_event *event)
{
	int err = CTL_OK;

	if (ctl->json)
		err = ctl_print_json(monitor_json(event));
	else
		monitor_text(event, stdout);
	/* The reader of a pipe needs each event at once. */
	if (!err && fflush(stdout))
		err = ctl_fail("standard output: %s", strerror(errno));
	return err;
}

static int listen_to(const struct ctl *ctl, struct qlink_monitor *monitor,
		     const char *device)
{
	struct qlink_event event;
	struct qlink_error error;
	int err, end = CTL_OK;

	while (!end) {
		err = qlink_monitor_next(monitor, &event, &error);
		if (err == -ENOBUFS)
			ctl_warn("warning: events were lost");
		else if (err)
			end = ctl_refused(device, &error);
		else if (!device || !strcmp(device, event.ifname))
			end = print(ctl, &event);
	}
	return end;
}

int monitor_run(struct ctl *ctl, int argc, char **argv)
{
	const char *device = argc ? argv[0] : NULL;
	struct qlink_monitor *monitor;
	struct qlink_error error;
	uint32_t ifindex;
	int err;

	if (argc > 1)
		return ctl_usage("\"%s\": monitor takes at most one device", argv[1]);
	err = device ? ctl_device(ctl, device, &ifindex) : CTL_OK;
	if (err)
		return err;
	if (qlink_monitor_open(&monitor, &error))
		return ctl_refused(device, &error);
	/* Scripts wait for this line before they cause events. */
	ctl_warn("listening");
	err = listen_to(ctl, monitor, device);
	qlink_monitor_close(monitor);
	return err;
}
