/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The devices of a change: as they are, as they become, and put back. */
#ifndef QLINKCTL_DEVICES_H
#define QLINKCTL_DEVICES_H

#include "before.h"
#include "qlinkctl/links/apply.h"

/**
 * struct devices - the devices that a document names, and those that go
 */
struct devices {
	/** @ctl: this run, whose socket is open */
	struct ctl *ctl;

	/** @wanted: as the document has them; on the heap */
	struct declared_link *wanted;

	/** @results: what became of each; on the heap */
	struct apply_result *results;

	/** @n_wanted: how many */
	size_t n_wanted;

	/** @doomed: indices of those that are deleted; on the heap */
	uint32_t *doomed;

	/** @n_doomed: how many */
	size_t n_doomed;
};

/**
 * devices_read() - take the devices of a document
 * @devices: zeroed, with @ctl; freed with devices_free(), also on failure
 * @document: the document
 * @why: filled in on failure: the device, the value, the rule
 *
 * Return: 0, or a negative errno.
 */
int devices_read(struct devices *devices, const struct site *document, struct qlink_why *why);

/**
 * devices_look() - add the devices that there are to a site
 * @devices: from devices_read()
 * @now: their sections are added, with all options that the kernel shows, or that the document has and that are
 *       in force without being shown
 * @why: filled in on failure
 *
 * Return: 0, or a negative errno.
 */
int devices_look(const struct devices *devices, struct site *now, struct qlink_why *why);

/**
 * devices_record() - keep what a change will touch
 * @devices: from devices_read()
 * @now: from devices_look()
 * @next: what the site is to be; a device of @now that is not there is one that goes
 * @before: devices that are made, changed or deleted are added
 * @why: filled in on failure
 *
 * Return: 0, or a negative errno; %-EEXIST if a device of another kind has the name.
 */
int devices_record(struct devices *devices, const struct site *now, const struct site *next, struct before *before,
		   struct qlink_why *why);

/**
 * devices_activate() - make and change the devices
 * @devices: after devices_record()
 * @why: filled in on failure: the device, and what the kernel said
 *
 * What no two devices can have may go from one to another, whatever their order; two that exchange it are
 * refused. A device that goes is deleted first only if another one is to have what is its own.
 *
 * Return: 0, or a negative errno; then some may be changed.
 */
int devices_activate(struct devices *devices, struct qlink_why *why);

/**
 * devices_prune() - delete the devices that go
 * @devices: after devices_record()
 * @why: filled in on failure
 *
 * Return: 0, or a negative errno.
 */
int devices_prune(struct devices *devices, struct qlink_why *why);

/**
 * devices_put_back() - put all devices back
 * @ctl: this run, whose socket is open
 * @before: what they were
 * @why: filled in on failure, for the first that could not be put back
 *
 * It may be done twice, and after a change that did not get far. Devices that the change made are deleted;
 * those that it deleted are made again, without keys.
 *
 * Return: 0, or a negative errno; all others were put back.
 */
int devices_put_back(struct ctl *ctl, const struct before *before, struct qlink_why *why);

/**
 * devices_free() - free all
 * @devices: empty afterwards
 */
void devices_free(struct devices *devices);

#endif
