/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Walk netlink attributes without libnl, so that the plug-in of ip can too. */
#ifndef QLINK_ATTR_H
#define QLINK_ATTR_H

#include <stddef.h>
#include <stdint.h>

/**
 * typedef qlink_attr_take - take the value of one attribute
 * @arg: what the caller of the walk passed
 * @type: type of the attribute, without its flags
 * @data: its value, not aligned
 * @len: bytes at @data
 *
 * Return:
 * * %0		- taken, or of a type that is not known and passed over
 * * %-EBADMSG	- too short or too long for its type; ends the walk
 */
typedef int (*qlink_attr_take)(void *arg, unsigned int type, const void *data,
			       size_t len);

/**
 * typedef qlink_attr_put - append one attribute to a request
 * @arg: what the caller passed, the request
 * @type: type of the attribute
 * @data: its value, in network order where the type says so
 * @len: bytes at @data
 *
 * Return: 0, or anything else when the request has no room, which ends the
 * putting.
 */
typedef int (*qlink_attr_put)(void *arg, unsigned int type, const void *data,
			      size_t len);

/**
 * qlink_attr_walk() - call a function for each attribute of a stream
 * @data: attributes one behind the other, aligned or not
 * @len: bytes at @data
 * @take: called for each, in order
 * @arg: passed to @take
 *
 * Return:
 * * %0		- all taken
 * * %-EBADMSG	- an attribute does not lie inside @data
 * * else	- what @take returned, if not 0
 */
int qlink_attr_walk(const void *data, size_t len, qlink_attr_take take,
		    void *arg);

/**
 * qlink_attr_copy() - copy the value of an attribute of fixed length
 * @value: where it goes
 * @size: the length that it must have
 * @data: the value in the message
 * @len: the length that it has
 *
 * Return: 0, or %-EBADMSG for another length.
 */
int qlink_attr_copy(void *value, size_t size, const void *data, size_t len);

/**
 * struct qlink_attr_field - where the value of an attribute goes in a struct
 */
struct qlink_attr_field {
	/** @offset: of the member */
	uint16_t offset;

	/** @size: of the member and of the value; 0 for no such attribute */
	uint16_t size;
};

#define QLINK_ATTR_FIELD(type, member) { \
	.offset = offsetof(type, member), \
	.size = sizeof(((type *)0)->member) }

/**
 * qlink_attr_copy_field() - copy an attribute to the member that it goes to
 * @object: the struct
 * @fields: its members by attribute
 * @n: how many @fields there are
 * @type: the attribute; one that is not in @fields is passed over
 * @data: its value
 * @len: bytes at @data
 *
 * Return: 0, or %-EBADMSG for a length other than the member's.
 */
int qlink_attr_copy_field(void *object, const struct qlink_attr_field *fields,
			  size_t n, unsigned int type, const void *data,
			  size_t len);

#endif
