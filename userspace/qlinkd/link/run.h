/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keys one link: what the peer, the KMEs, the device and the clock bring about. */
#ifndef QLINKD_RUN_H
#define QLINKD_RUN_H

#include "link.h"
#include "qlinkd/agreement/message.h"

/**
 * link_new() - begin to key a device
 * @link: where it goes; the caller frees it with link_free()
 * @config: all of it; outlives the link
 * @which: the link in it
 * @services: outlive the link
 * @ops: of the owner
 * @arg: for @ops
 * @why: filled in on failure
 *
 * Return: 0, or a negative errno.
 */
int link_new(struct link **link, const struct config *config,
	     const struct config_link *which, struct services *services,
	     const struct link_ops *ops, void *arg, struct qlink_why *why);

/**
 * link_free() - wipe what the agent has of a link; its device goes on
 * @link: from link_new(), or %NULL
 */
void link_free(struct link *link);

/**
 * link_connect() - the peer can be spoken to
 * @link: the link
 * @binding: what the connection gives; copied
 */
void link_connect(struct link *link, const struct exchange_binding *binding);

/**
 * link_disconnect() - it cannot any more
 * @link: the link
 */
void link_disconnect(struct link *link);

/**
 * link_hear() - take a message of the peer
 * @link: the link
 * @msg: decoded
 * @data: the same as bytes
 * @len: bytes at @data
 */
void link_hear(struct link *link, struct msg *msg, const uint8_t *data, size_t len);

/**
 * link_notice() - take an event of the device
 * @link: the link
 * @event: from the kernel; %NULL when some were lost
 */
void link_notice(struct link *link, const struct qlink_event *event);

/**
 * link_run() - do what is due
 * @link: the link
 */
void link_run(struct link *link);

/**
 * link_deadline() - say when link_run() has work without any input
 * @link: the link
 *
 * Return: time in ms, as services_now() tells it.
 */
uint64_t link_deadline(const struct link *link);

/**
 * link_withdraw() - have both ends give up all keys that there are, by command
 * @link: the link; silent until there are others, which are agreed on at once
 *
 * Without a session each end's own keys go now, and the peer's when they meet.
 */
void link_withdraw(struct link *link);

/**
 * link_restart() - have the agreement start over, as by command
 * @link: the link
 */
void link_restart(struct link *link);

#endif
