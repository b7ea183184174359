/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The device of a link: as a section of a site, and as "ip link add" has it. */
#ifndef QLINKCTL_SITEDEVICE_H
#define QLINKCTL_SITEDEVICE_H

#include "qlinkctl/links/statement.h"
#include "site.h"

/**
 * sitedevice_add() - add a device to a site
 * @site: the site
 * @link: the device, with its name, and its options
 *
 * The values are as the kernel shows them. Options that @link does not have are left out.
 *
 * Return: 0; %-EEXIST if there is one of this name; or %-ENOMEM.
 */
int sitedevice_add(struct site *site, const struct statement_link *link);

/**
 * sitedevice_words() - put the section of a device into the words of "ip link add"
 * @section: of kind SITE_DEVICE
 * @statement: empty; the words are added, and the place of their option in @section, from 1, as their lines.
 *	The caller frees them with statement_clear(), also on failure
 *
 * Return: 0, %-EINVAL if there are more than STATEMENT_WORDS, or %-ENOMEM.
 */
int sitedevice_words(const struct site_section *section, struct statement *statement);

/**
 * sitedevice_parse() - take the section of a device as "ip link add" takes its words
 * @section: of kind SITE_DEVICE
 * @link: filled in
 * @option: the option that is wrong, on failure; %NULL for the section as a whole
 * @why: filled in on %-EINVAL: value, rule
 *
 * The rules are those of qlink-links(5).
 *
 * Return: 0, %-EINVAL or %-ENOMEM.
 */
int sitedevice_parse(const struct site_section *section, struct statement_link *link, const char **option,
		     struct qlink_why *why);

#endif
