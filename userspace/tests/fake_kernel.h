/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A kernel with links in memory, in the place of libqlink's requests. */
#ifndef QLINK_FAKE_KERNEL_H
#define QLINK_FAKE_KERNEL_H

#include "libqlink/device.h"
#include "libqlink/link.h"

/* More than any test makes. */
#define FAKE_LINKS	80

/**
 * struct fake_link - a link
 */
struct fake_link {
	/** @device: as rtnetlink has it; its ifindex is 0 for no device */
	struct qlink_device device;

	/** @config: its options */
	struct qlink_config config;
};

/* The links; processes that were forked share them. */
extern struct fake_link *fake_links;

/* How many requests have changed something. */
extern unsigned int fake_changes;

/**
 * fake_find() - find a link by its name
 * @name: of the device
 *
 * Return: the link, or %NULL.
 */
struct fake_link *fake_find(const char *name);

/**
 * fake_reset() - have no link; called before anything else
 */
void fake_reset(void);

#endif
