/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How the agent's links stand, in one line for "systemctl status". */
#ifndef QLINKD_OVERVIEW_H
#define QLINKD_OVERVIEW_H

#include "qlinkd/link/link.h"

/* Longest overview, in bytes, with its end. */
#define OVERVIEW_TEXT	(160 + LINK_WHY_BYTES)

/**
 * struct overview - how many links are how well protected
 */
struct overview {
	/** @n: links, by enum qlink_protection; a link whose device was not seen is blocked */
	size_t n[QLINK_PROTECTED + 1];

	/** @worst: a link that is protected the least, the first one; %NULL without links */
	const struct link *worst;

	/** @level: its protection */
	enum qlink_protection level;
};

/**
 * overview_add() - count a link
 * @overview: all zero before the first link
 * @link: must live as long as @overview
 */
void overview_add(struct overview *overview, const struct link *link);

/**
 * overview_text() - say how the links stand
 * @overview: of all links
 * @text: filled in, for example "3 links: 2 protected, 1 blocked (qlink7: no device)"
 *
 * Return: @text.
 */
const char *overview_text(const struct overview *overview, char text[OVERVIEW_TEXT]);

#endif
