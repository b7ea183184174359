/* SPDX-License-Identifier: GPL-2.0-or-later */
/* libqlink: typed calls of the generic netlink family qlink. */
#ifndef QLINK_H
#define QLINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "key.h"
#include "link.h"
#include "protection.h"
#include "record.h"

/**
 * struct qlink_error - why a call failed
 */
struct qlink_error {
	/** @err: positive errno, 0 for success */
	int err;

	/** @has_offset: @offset is valid */
	bool has_offset;

	/** @offset: byte of the request where the refused attribute starts */
	uint32_t offset;

	/** @message: of the kernel or the library; may be empty */
	char message[256];
};

/* An open socket of the family, for one thread at a time. */
struct qlink_nl;

/**
 * qlink_error_text() - say why a call failed
 * @error: filled in by the call
 *
 * Return: the message, or the text of the errno where there is none.
 */
const char *qlink_error_text(const struct qlink_error *error);

/**
 * qlink_nl_open() - open a socket and resolve the family
 * @nl: where the socket goes; the caller closes it with qlink_nl_close()
 * @error: filled in on failure
 *
 * Resolving loads the module where the kernel can.
 *
 * Return:
 * * %0		- open
 * * %-ENOENT	- the kernel does not have the family
 * * else	- a negative errno, as in @error
 */
int qlink_nl_open(struct qlink_nl **nl, struct qlink_error *error);

/**
 * qlink_nl_close() - close a socket
 * @nl: from qlink_nl_open(), or %NULL
 */
void qlink_nl_close(struct qlink_nl *nl);

/**
 * qlink_link_get() - get one link
 * @nl: the socket
 * @ifindex: index of its device
 * @link: filled in
 * @error: filled in on failure
 *
 * Return: 0, or a negative errno, as in @error.
 */
int qlink_link_get(struct qlink_nl *nl, uint32_t ifindex,
		   struct qlink_link *link, struct qlink_error *error);

/**
 * qlink_link_dump() - get all links of the network namespace
 * @nl: the socket
 * @links: where an array goes, which the caller frees with free()
 * @n: how many there are
 * @error: filled in on failure
 *
 * If a link changes while the list is read, the list is requested again: what is
 * returned was true at one time.
 *
 * Return: 0, or a negative errno, as in @error; then there is no array.
 */
int qlink_link_dump(struct qlink_nl *nl, struct qlink_link **links, size_t *n,
		    struct qlink_error *error);

/**
 * qlink_link_set() - configure a link
 * @nl: the socket
 * @ifindex: index of its device
 * @config: what to set; the rest does not change
 * @error: filled in on failure
 *
 * Return: 0, or a negative errno, as in @error.
 */
int qlink_link_set(struct qlink_nl *nl, uint32_t ifindex,
		   const struct qlink_config *config, struct qlink_error *error);

/**
 * qlink_rotate() - replace the active transmit key with the next one
 * @nl: the socket
 * @ifindex: index of the device
 * @error: filled in on failure
 *
 * Return: 0, or a negative errno, as in @error; %-ENOENT if no key is staged.
 */
int qlink_rotate(struct qlink_nl *nl, uint32_t ifindex,
		 struct qlink_error *error);

/**
 * qlink_key_install() - install keys, all of them or none
 * @nl: the socket
 * @ifindex: index of the device
 * @keys: the keys, in the order in which they are installed
 * @n: how many, above 0; all go in one message
 * @error: filled in on failure; the kernel counts keys from 0
 *
 * The message is locked in memory, and wiped after it is sent.
 *
 * Return:
 * * %0		- installed, all of them
 * * %-ENOMEM	- memory is short or cannot be locked; nothing was sent
 * * else	- a negative errno, as in @error; none was installed
 */
int qlink_key_install(struct qlink_nl *nl, uint32_t ifindex,
		      const struct qlink_key *keys, size_t n,
		      struct qlink_error *error);

/**
 * qlink_key_del() - delete keys, all of them or none
 * @nl: the socket
 * @ifindex: index of the device
 * @keys: the keys; only direction and epoch are used
 * @n: how many, above 0
 * @error: filled in on failure
 *
 * Return: 0, or a negative errno, as in @error.
 */
int qlink_key_del(struct qlink_nl *nl, uint32_t ifindex,
		  const struct qlink_key *keys, size_t n,
		  struct qlink_error *error);

/**
 * qlink_key_dump() - list the keys of a link, never their bytes
 * @nl: the socket
 * @ifindex: index of the device
 * @keys: where an array goes, which the caller frees with free()
 * @n: how many there are
 * @error: filled in on failure
 *
 * Return: 0, or a negative errno, as in @error; then there is no array.
 */
int qlink_key_dump(struct qlink_nl *nl, uint32_t ifindex,
		   struct qlink_key **keys, size_t *n,
		   struct qlink_error *error);

/**
 * qlink_record_dump() - list what keys of a link that are gone were used for
 * @nl: the socket
 * @ifindex: index of the device
 * @after: number of the last record that is known, 0 for none
 * @records: where an array goes, which the caller frees with free()
 * @n: how many there are
 * @error: filled in on failure
 *
 * If a number is missing between two records, or after @after, that record was
 * overwritten before it was requested.
 *
 * Return: 0, or a negative errno, as in @error; then there is no array.
 */
int qlink_record_dump(struct qlink_nl *nl, uint32_t ifindex, uint64_t after,
		      struct qlink_record **records, size_t *n,
		      struct qlink_error *error);

#endif
