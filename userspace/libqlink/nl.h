/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of libqlink that talk to the kernel share. Private to libqlink. */
#ifndef QLINK_NL_H
#define QLINK_NL_H

#include "qlink.h"

struct nl_msg;
struct nl_sock;

/**
 * struct qlink_nl - an open socket of the family
 */
struct qlink_nl {
	/** @sock: connected */
	struct nl_sock *sock;

	/** @family: number of the family */
	int family;
};

/**
 * struct qlink_list - an array that replies are appended to
 */
struct qlink_list {
	/** @items: on the heap, or %NULL */
	void *items;

	/** @n: how many count */
	size_t n;

	/** @room: how many there is memory for */
	size_t room;

	/** @item_size: bytes of one */
	size_t item_size;
};

/**
 * struct qlink_dump - a request for a list
 */
struct qlink_dump {
	/** @cmd: QLINK_CMD_… */
	uint8_t cmd;

	/** @ifindex: index of the device, 0 for all */
	uint32_t ifindex;

	/** @after: value of the attribute after, 0 to leave it out */
	uint64_t after;

	/** @take: appends the items of one reply to a struct qlink_list */
	int (*take)(void *list, const void *attrs, size_t len);
};

/**
 * qlink_list_next() - make room for another item
 * @list: the list; the item is part of it once the caller increments @list->n
 *
 * Return: the item, all zero; or %NULL without memory
 */
void *qlink_list_next(struct qlink_list *list);

/**
 * qlink_nl_dump() - request a list, and again if it changes while it is read
 * @nl: the socket
 * @dump: the request
 * @list: empty; the caller frees its items after success
 * @error: filled in on failure
 *
 * Return: 0, or a negative errno, as in @error; then there are no items
 */
int qlink_nl_dump(struct qlink_nl *nl, const struct qlink_dump *dump,
		  struct qlink_list *list, struct qlink_error *error);

/**
 * qlink_nl_connect_route() - connect a socket to rtnetlink instead of the family
 * @nl: its @sock is allocated
 * @error: filled in on failure
 *
 * Return: 0, or a negative errno, as in @error
 */
int qlink_nl_connect_route(struct qlink_nl *nl, struct qlink_error *error);

/**
 * qlink_nl_ask() - send a request that is answered by an ack, wait for that, and free the request
 * @nl: the socket
 * @msg: the request
 * @error: filled in on failure, with the message of the kernel
 *
 * Return: 0, or a negative errno, as in @error
 */
int qlink_nl_ask(struct qlink_nl *nl, struct nl_msg *msg, struct qlink_error *error);

/**
 * qlink_fail() - fill in why a call failed
 * @error: out
 * @err: negative errno
 * @message: why; empty for the text of @err
 *
 * Return: @err
 */
int qlink_fail(struct qlink_error *error, int err, const char *message);

/**
 * qlink_fail_nl() - fill in why a call of libnl failed
 * @error: out
 * @nl_err: what it returned; errno was 0 before it
 *
 * Return: the negated errno that the call left, or %-EIO if it left none
 */
int qlink_fail_nl(struct qlink_error *error, int nl_err);

#endif
