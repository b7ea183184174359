/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The devices of a site, and the files that declare them, qlink-links(5). */
#ifndef QLINKCTL_LINKSFILE_H
#define QLINKCTL_LINKSFILE_H

#include <stdio.h>

#include "qlinkctl/links/declared.h"
#include "site.h"

/**
 * linksfile_add() - add all declared devices to a site
 * @site: the site
 * @declared: from declared_read()
 *
 * Return: 0, %-EEXIST if the site has one of them, or %-ENOMEM.
 */
int linksfile_add(struct site *site, const struct declared *declared);

/**
 * linksfile_write() - write the devices of a site in the words of "ip link add", one in each line
 * @site: the site
 * @to: where it goes
 *
 * Return: 0, %-EIO, %-ENOMEM, or %-EINVAL for more words than a link may have.
 */
int linksfile_write(const struct site *site, FILE *to);

#endif
