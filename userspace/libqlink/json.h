/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is shown of a link as JSON: ip writes it with its own functions, qlinkctl with jansson. */
#ifndef QLINK_JSON_H
#define QLINK_JSON_H

#include "link.h"

/**
 * struct qlink_json - functions that each add a member to the innermost open object
 *
 * Each gets @arg first, then the name of the member.
 */
struct qlink_json {
	/** @open: an object, which takes all further members until @close */
	void (*open)(void *arg, const char *name);

	/** @close: the innermost object is complete */
	void (*close)(void *arg);

	/** @number: an integer */
	void (*number)(void *arg, const char *name, uint64_t value);

	/** @text: a string */
	void (*text)(void *arg, const char *name, const char *value);

	/** @boolean: true or false */
	void (*boolean)(void *arg, const char *name, bool value);

	/** @bits: an array with the name of each bit that is set */
	void (*bits)(void *arg, const char *name, const struct qlink_names *names,
		     uint32_t bits);

	/** @arg: passed to all of them */
	void *arg;
};

/**
 * qlink_json_attr() - write the value of an attribute
 * @json: where it goes
 * @attr: the attribute
 * @object: the struct that has its member
 *
 * A UUID of zeros stands for none, and is left out.
 */
void qlink_json_attr(const struct qlink_json *json, const struct qlink_attr *attr,
		     const void *object);

/**
 * qlink_json_attrs() - write the values of all attributes of a set
 * @json: where they go
 * @set: the attributes
 * @object: the struct that has their members
 */
void qlink_json_attrs(const struct qlink_json *json, const struct qlink_attr_set *set,
		      const void *object);

/**
 * qlink_json_ring_has() - ask whether an attribute of a ring says anything
 * @ring: the ring
 * @type: QLINK_A_RING_…
 * @is_tx: whether its keys seal
 *
 * Return: whether it is to be shown.
 */
bool qlink_json_ring_has(const struct qlink_ring *ring, unsigned int type, bool is_tx);

/**
 * qlink_json_link_has() - ask whether an attribute of a link, not an option, says anything
 * @link: the link
 * @type: IFLA_QLINK_…
 *
 * Return: whether it is to be shown.
 */
bool qlink_json_link_has(const struct qlink_link *link, unsigned int type);

/**
 * qlink_json_ring() - write an object for a ring
 * @json: where it goes
 * @name: of the object, "tx" or "rx"
 * @ring: the ring
 */
void qlink_json_ring(const struct qlink_json *json, const char *name,
		     const struct qlink_ring *ring);

/**
 * qlink_json_link() - write what link-get says of a link, but its counters
 * @json: where it goes
 * @link: the link
 * @lower: name of the lower device, or %NULL where it is not known
 */
void qlink_json_link(const struct qlink_json *json, const struct qlink_link *link,
		     const char *lower);

#endif
