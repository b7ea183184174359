/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The chains of a link in the state file, if the agent has one. */
#ifndef QLINKD_KEPTCHAIN_H
#define QLINKD_KEPTCHAIN_H

#include "link.h"

/**
 * keptchain_restore() - go on with the chains that were kept
 * @link: the link; it has had no session yet
 */
void keptchain_restore(struct link *link);

/**
 * keptchain_save() - keep the chains of a link as they are now
 * @link: the link
 *
 * To be called whenever one of them has changed. Does not wait for the disk.
 */
void keptchain_save(const struct link *link);

/**
 * keptchain_wipe() - have the kept chains of a link overwritten
 * @link: the link
 */
void keptchain_wipe(const struct link *link);

#endif
