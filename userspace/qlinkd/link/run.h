/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keys one link: what the peer, the KMEs, the device and the clock bring about. */
#ifndef QLINKD_KEYING_H
#define QLINKD_KEYING_H

#include "link.h"
#include "qlinkd/agreement/message.h"

/**
 * keying_new() - begin to key a device
 * @link: where it goes; the caller frees it with keying_free()
 * @config: all of it; outlives the link
 * @which: the link in it
 * @services: outlive the link
 * @ops: of the owner
 * @arg: for @ops
 * @why: filled in on failure
 *
 * Return: 0, or a negative errno.
 */
int keying_new(struct link **link, const struct config *config,
	     const struct config_link *which, struct services *services,
	     const struct link_ops *ops, void *arg, struct qlink_why *why);

/**
 * keying_free() - wipe what the agent has of a link; its device goes on
 * @link: from keying_new(), or %NULL
 */
void keying_free(struct link *link);

/**
 * keying_connect() - the peer can be spoken to
 * @link: the link
 * @channel: what the connection gives; copied
 */
void keying_connect(struct link *link, const struct exchange_channel *channel);

/**
 * keying_disconnect() - it cannot any more
 * @link: the link
 */
void keying_disconnect(struct link *link);

/**
 * keying_hear() - take a message of the peer
 * @link: the link
 * @msg: decoded
 * @data: the same as bytes
 * @len: bytes at @data
 */
void keying_hear(struct link *link, struct msg *msg, const uint8_t *data, size_t len);

/**
 * keying_notice() - take an event of the device
 * @link: the link
 * @event: from the kernel; %NULL when some were lost
 */
void keying_notice(struct link *link, const struct qlink_event *event);

/**
 * keying_run() - do what is due
 * @link: the link
 */
void keying_run(struct link *link);

/**
 * keying_deadline() - say when keying_run() has work without any input
 * @link: the link
 *
 * Return: time in ms, as services_now() tells it.
 */
uint64_t keying_deadline(const struct link *link);

/**
 * keying_withdraw() - have both ends give up all keys that there are, by command
 * @link: the link; silent until there are others, which are agreed on at once
 *
 * Without a session each end's own keys go now, and the peer's when they meet.
 */
void keying_withdraw(struct link *link);

/**
 * keying_restart() - have the agreement start over, as by command
 * @link: the link
 */
void keying_restart(struct link *link);

#endif
