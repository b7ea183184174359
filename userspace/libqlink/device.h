/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The network device of a link, as rtnetlink makes and changes it. */
#ifndef QLINK_DEVICE_H
#define QLINK_DEVICE_H

#include "qlink.h"

/**
 * struct qlink_device - what rtnetlink sets of a device
 *
 * In a request, 0 leaves a number as it is.
 */
struct qlink_device {
	/** @ifindex: its index; 0 in a request for a device that is to be made */
	uint32_t ifindex;

	/** @mtu: in bytes */
	uint32_t mtu;

	/** @txqueuelen: in frames */
	uint32_t txqueuelen;

	/** @name: its name */
	char name[16];

	/** @mac: its address; valid if @has_mac */
	uint8_t mac[QLINK_MAC_BYTES];

	/** @has_mac: @mac is to be set */
	bool has_mac;

	/** @is_up: in a request, true brings it up and false leaves it as it is */
	bool is_up;

	/** @goes_down: in a request, takes it down; not together with @is_up */
	bool goes_down;
};

/**
 * qlink_device_get() - get the present state of a device
 * @name: its name
 * @device: filled in; @device->ifindex is 0 if no device has this name
 * @error: filled in on failure
 *
 * Return: 0, also if there is no such device; or a negative errno, as in @error.
 */
int qlink_device_get(const char *name, struct qlink_device *device, struct qlink_error *error);

/**
 * qlink_device_put() - make a qlink device without an underlay, or change one
 * @device: what to set; it is made if its ifindex is 0
 * @error: filled in on failure
 *
 * A device without an underlay sends nothing; qlink_link_set() gives it one.
 *
 * Return: 0, or a negative errno, as in @error; %-EEXIST if another device has the name,
 * %-EOPNOTSUPP if the kernel does not know links of this kind.
 */
int qlink_device_put(const struct qlink_device *device, struct qlink_error *error);

/**
 * qlink_device_delete() - delete a device, with its keys
 * @ifindex: its index
 * @error: filled in on failure
 *
 * Return: 0, or a negative errno, as in @error; %-ENODEV if there is none.
 */
int qlink_device_delete(uint32_t ifindex, struct qlink_error *error);

#endif
