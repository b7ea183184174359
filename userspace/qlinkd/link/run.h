/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Drives one link: by messages of the peer, answers of KMEs, events of the device, and time. */
#ifndef QLINKD_RUN_H
#define QLINKD_RUN_H

#include "link.h"
#include "qlinkd/agreement/message.h"

/**
 * link_new() - set up a link
 * @link: filled in; the caller frees it with link_free()
 * @config: the whole configuration; must outlive the link
 * @which: the link's section of it
 * @services: must outlive the link
 * @ops: the owner's
 * @arg: for @ops
 * @why: filled in on failure
 *
 * Return: 0, or a negative errno.
 */
int link_new(struct link **link, const struct config *config,
	     const struct config_link *which, struct services *services,
	     const struct link_ops *ops, void *arg, struct qlink_why *why);

/**
 * link_free() - wipe and free a link; its device goes on under staged keys
 * @link: from link_new(), or %NULL
 */
void link_free(struct link *link);

/**
 * link_connect() - note that there is a connection to the peer
 * @link: the link
 * @binding: what keys are bound to the connection by; copied
 */
void link_connect(struct link *link, const struct exchange_binding *binding);

/**
 * link_leave() - settle all offers and make no more, as the connection is to be replaced
 * @link: the link; it calls @left of its owner once nothing is in flight
 */
void link_leave(struct link *link);

/**
 * link_disconnect() - note that the connection has ended
 * @link: the link
 */
void link_disconnect(struct link *link);

/**
 * link_hear() - handle a message of the peer
 * @link: the link
 * @msg: the message, decoded
 * @data: the message as it came
 * @len: bytes at @data
 */
void link_hear(struct link *link, struct msg *msg, const uint8_t *data, size_t len);

/**
 * link_notice() - handle an event of the device
 * @link: the link
 * @event: from the kernel; %NULL if events were lost
 */
void link_notice(struct link *link, const struct qlink_event *event);

/**
 * link_kept() - note that chains were written to the disk, perhaps those of this link
 * @link: the link
 */
void link_kept(struct link *link);

/**
 * link_run() - do what is due
 * @link: the link
 */
void link_run(struct link *link);

/**
 * link_deadline() - when link_run() is due without input
 * @link: the link
 *
 * Return: time in ms, on the clock of services_now().
 */
uint64_t link_deadline(const struct link *link);

/**
 * link_accept_chain() - accept that the chains of a link start from zero, by command
 * @link: the link; its session starts over. It holds until there are keys in both directions
 */
void link_accept_chain(struct link *link);

/**
 * link_same_psk() - tell whether a link has the pre-shared secret that a file has now
 * @link: the link
 * @path: of the file, or %NULL for none
 *
 * Return: false also if the file cannot be used.
 */
bool link_same_psk(const struct link *link, const char *path);

/**
 * link_withdraw() - have both ends delete all keys of a link, by command
 * @link: the link; it sends nothing until new keys are agreed on, which starts at once
 *
 * Without a session this end's keys are deleted now, and the peer's when the ends connect.
 */
void link_withdraw(struct link *link);

/**
 * link_renew() - take a configuration in which the link is the same, see reload_same_link()
 * @link: the link; new connections to its KMEs use the credentials of @config
 * @config: the whole configuration; outlives the link
 * @which: the link's section of it
 */
void link_renew(struct link *link, const struct config *config, const struct config_link *which);

/**
 * link_restrict() - have the kernel refuse all sources that the policy does not allow
 * @link: the link; it tries again until the kernel has done it
 *
 * When this returns, no frame is sealed or accepted under a key of another source, whether the
 * peer can be reached or not. What the peer's policy does not allow is refused later.
 */
void link_restrict(struct link *link);

/**
 * link_restart() - start the session over, as by command
 * @link: the link
 */
void link_restart(struct link *link);

#endif
