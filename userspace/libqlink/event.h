/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Events of links, which the kernel sends to every listener. */
#ifndef QLINK_EVENT_H
#define QLINK_EVENT_H

#include "qlink.h"

/**
 * struct qlink_event - what has happened to a link, and its state since then
 */
struct qlink_event {
	/** @sequence: number of the event, from 1 on for each link */
	uint64_t sequence;

	/** @auth_failures: frames so far whose tag was not valid */
	uint64_t auth_failures;

	/** @replays: frames so far that had arrived before, or too late to know */
	uint64_t replays;

	/** @tx: the keys that seal */
	struct qlink_ring tx;

	/** @rx: the keys that open */
	struct qlink_ring rx;

	/** @kinds: what has happened, bits of enum qlink_event_kind */
	uint32_t kinds;

	/** @ifindex: of the device; 0 if that is in another network namespace */
	uint32_t ifindex;

	/** @ifname: name of the device, where it is */
	char ifname[16];

	/** @peer_heard: 1 while keepalives come back; valid if @has_peer */
	uint8_t peer_heard;

	/** @has_peer: keepalives are sent, and @peer_heard is valid */
	bool has_peer;

	/** @endpoint: where frames are sent if the peer roams; its len is 0 while nobody knows */
	struct qlink_addr endpoint;

	/** @endpoint_port: the UDP port there */
	uint16_t endpoint_port;

	/** @former: where that was before it last moved; its len is 0 if it was not known */
	struct qlink_addr former;

	/** @former_port: the UDP port there */
	uint16_t former_port;
};

extern const struct qlink_attr_set qlink_event_attrs;

/* A socket that receives events, for one thread at a time. */
struct qlink_monitor;

/**
 * qlink_event_take_message() - take one attribute of an event
 * @event: struct qlink_event that it goes to
 * @type: QLINK_A_…
 * @data: its value
 * @len: bytes at @data
 *
 * Return: 0, or %-EBADMSG for a length that does not fit the type.
 */
int qlink_event_take_message(void *event, unsigned int type, const void *data,
			     size_t len);

/**
 * qlink_monitor_open() - listen to the links of the network namespace
 * @monitor: where it goes; the caller closes it with qlink_monitor_close()
 * @error: filled in on failure
 *
 * Return: 0, or a negative errno, as in @error.
 */
int qlink_monitor_open(struct qlink_monitor **monitor,
		       struct qlink_error *error);

/**
 * qlink_monitor_close() - stop listening
 * @monitor: from qlink_monitor_open(), or %NULL
 */
void qlink_monitor_close(struct qlink_monitor *monitor);

/**
 * qlink_monitor_fd() - get the descriptor to poll for the next event
 * @monitor: from qlink_monitor_open()
 *
 * Return: the descriptor, which qlink_monitor_close() closes.
 */
int qlink_monitor_fd(const struct qlink_monitor *monitor);

/**
 * qlink_monitor_next() - wait for an event
 * @monitor: from qlink_monitor_open()
 * @event: filled in
 * @error: filled in on failure
 *
 * Return:
 * * %0		- @event is the next one
 * * %-ENOBUFS	- the caller was too slow, or the module was loaded again, and events are lost: get the links, and go on
 * * else	- a negative errno, as in @error
 */
int qlink_monitor_next(struct qlink_monitor *monitor, struct qlink_event *event,
		       struct qlink_error *error);

#endif
