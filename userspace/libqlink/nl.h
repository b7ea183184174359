/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of libqlink share that talk to the kernel; not for its users. */
#ifndef QLINK_NL_H
#define QLINK_NL_H

#include "qlink.h"

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

	/** @room: for how many there is memory */
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

	/** @ifindex: index of the device that it is about, 0 for all */
	uint32_t ifindex;

	/** @after: attribute of this name, 0 for none */
	uint64_t after;

	/** @take: appends what the attributes of one reply say to a struct qlink_list */
	int (*take)(void *list, const void *attrs, size_t len);
};

/**
 * qlink_list_next() - make room for another item
 * @list: keeps it; it counts once the caller raises @list->n
 *
 * Return: the item, all zero; or %NULL without memory
 */
void *qlink_list_next(struct qlink_list *list);

/**
 * qlink_nl_dump() - ask for a list, again where a change came across
 * @nl: the socket
 * @dump: the request
 * @list: empty; its items go to the caller on success
 * @error: filled in on failure
 *
 * Return: 0, or a negative errno, as @error tells; then there are no items
 */
int qlink_nl_dump(struct qlink_nl *nl, const struct qlink_dump *dump,
		  struct qlink_list *list, struct qlink_error *error);

/**
 * qlink_fail() - say that a call has failed
 * @error: out
 * @err: negative errno
 * @message: why; empty for the text of @err
 *
 * Return: @err
 */
int qlink_fail(struct qlink_error *error, int err, const char *message);

/**
 * qlink_fail_nl() - say that a call of libnl has failed
 * @error: out
 * @nl_err: what it returned; errno was 0 before it
 *
 * Return: the negative errno that it left, or %-EIO
 */
int qlink_fail_nl(struct qlink_error *error, int nl_err);

#endif
