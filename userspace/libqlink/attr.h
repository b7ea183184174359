/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Netlink attributes without libnl, which ip's plug-in does not have. */
#ifndef QLINK_ATTR_H
#define QLINK_ATTR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "names.h"

/**
 * typedef qlink_attr_take - take the value of one attribute
 * @arg: what the caller of the walk passed
 * @type: type of the attribute, without its flags
 * @data: its value, not aligned
 * @len: bytes at @data
 *
 * Return:
 * * %0		- taken, or ignored because its type is not known
 * * %-EBADMSG	- too short or too long for its type; the walk ends
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
 * Return: 0, or another value if the request has no room; then nothing more is
 * put.
 */
typedef int (*qlink_attr_put)(void *arg, unsigned int type, const void *data,
			      size_t len);

/**
 * qlink_attr_walk() - call a function for each attribute of a stream
 * @data: attributes one after the other, aligned or not
 * @len: bytes at @data
 * @take: called for each, in order
 * @arg: passed to @take
 *
 * Return:
 * * %0		- all taken
 * * %-EBADMSG	- an attribute reaches beyond @data
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
 * enum qlink_form - how the value of an attribute is held and written
 */
enum qlink_form {
	/** @QLINK_FORM_NUMBER: an unsigned integer of the member's size, in decimal */
	QLINK_FORM_NUMBER,

	/** @QLINK_FORM_HEX: likewise, in hexadecimal */
	QLINK_FORM_HEX,

	/** @QLINK_FORM_BOOLEAN: 0 or 1 */
	QLINK_FORM_BOOLEAN,

	/** @QLINK_FORM_NAME: a value of an enum, by its name */
	QLINK_FORM_NAME,

	/** @QLINK_FORM_BITS: a set of values of an enum, by their names */
	QLINK_FORM_BITS,

	/** @QLINK_FORM_MAC: a MAC address */
	QLINK_FORM_MAC,

	/** @QLINK_FORM_ADDRESS: a struct qlink_addr; on the wire only its bytes */
	QLINK_FORM_ADDRESS,

	/** @QLINK_FORM_UUID: 16 bytes; all zero for none */
	QLINK_FORM_UUID,

	/** @QLINK_FORM_TEXT: a text that ends with a 0 and may be shorter than the member */
	QLINK_FORM_TEXT,

	/** @QLINK_FORM_BYTES: as many bytes as the member has, in hexadecimal */
	QLINK_FORM_BYTES,
};

/**
 * struct qlink_attr - an attribute, and the member of a struct that its value goes to
 */
struct qlink_attr {
	/** @name: as the specification has it, and a command line */
	const char *name;

	/** @key: likewise in JSON, with "_" for "-" */
	const char *key;

	/** @names: of the values or of the bits; %NULL for other forms */
	const struct qlink_names *names;

	/** @min: the least that a number may be set to */
	uint64_t min;

	/** @max: the most that a number may be set to */
	uint64_t max;

	/** @type: IFLA_QLINK_… or QLINK_A_… */
	uint16_t type;

	/** @offset: of the member */
	uint16_t offset;

	/** @size: of the member, and of the value unless that is an address */
	uint16_t size;

	/** @form: how the value is held and written */
	enum qlink_form form;

	/** @is_big_endian: 16 bits, in network order on the wire and in host order here */
	bool is_big_endian;
};

/**
 * struct qlink_attr_set - the attributes that go to one struct
 */
struct qlink_attr_set {
	/** @n: how many */
	size_t n;

	/** @attrs: in the order in which they are shown */
	const struct qlink_attr *attrs;
};

/**
 * qlink_attr_find() - find an attribute by its type
 * @set: the attributes
 * @type: the type
 *
 * Return: the attribute, or %NULL if @set does not have it.
 */
const struct qlink_attr *qlink_attr_find(const struct qlink_attr_set *set, unsigned int type);

/**
 * qlink_attr_number() - read the member of a number, a boolean, a name or bits
 * @attr: the attribute
 * @object: the struct
 *
 * Return: its value.
 */
uint64_t qlink_attr_number(const struct qlink_attr *attr, const void *object);

/**
 * qlink_attr_set_number() - write such a member
 * @attr: the attribute
 * @object: the struct
 * @value: the value, which fits the member
 */
void qlink_attr_set_number(const struct qlink_attr *attr, void *object, uint64_t value);

/**
 * qlink_attr_take_member() - take the value of an attribute into its member
 * @attr: the attribute
 * @object: the struct
 * @data: the value in the message
 * @len: bytes at @data
 *
 * Return: 0, or %-EBADMSG for a length that the attribute cannot have.
 */
int qlink_attr_take_member(const struct qlink_attr *attr, void *object, const void *data,
			   size_t len);

/**
 * qlink_attr_take_of() - take an attribute of a set into its member
 * @set: the attributes; one that is not among them is ignored
 * @object: the struct
 * @type: the type of the attribute
 * @data: the value in the message
 * @len: bytes at @data
 *
 * Return: 0, or %-EBADMSG for a length that the attribute cannot have.
 */
int qlink_attr_take_of(const struct qlink_attr_set *set, void *object, unsigned int type,
		       const void *data, size_t len);

/**
 * qlink_attr_put_member() - append an attribute with the value of its member
 * @attr: the attribute
 * @object: the struct
 * @put: appends one attribute
 * @arg: passed to @put
 *
 * Return: 0, or what @put returned if not 0.
 */
int qlink_attr_put_member(const struct qlink_attr *attr, const void *object,
			  qlink_attr_put put, void *arg);

#endif
