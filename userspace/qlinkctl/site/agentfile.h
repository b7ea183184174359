/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sections of a site that the agent's file has, and that file, qlinkd.conf(5). */
#ifndef QLINKCTL_AGENTFILE_H
#define QLINKCTL_AGENTFILE_H

#include <stdio.h>

#include "qlinkd/config/config.h"
#include "site.h"

#define AGENTFILE_PATH	"/etc/qlinkd/qlinkd.conf"

/**
 * struct agentfile_fault - what is wrong with sections
 */
struct agentfile_fault {
	/** @section: the section that is wrong; %NULL for all of them */
	const struct site_section *section;

	/** @option: its option that is wrong; %NULL for the section as a whole */
	const struct site_option *option;

	/** @text: the value, then the rule */
	char text[512];
};

/**
 * agentfile_read() - read the agent's file
 * @site: its sections are added; none of them may be there
 * @path: of the file
 * @error: filled in on failure
 *
 * The rules are those of the agent: of a file that it refuses, nothing is of use.
 *
 * Return: 0, or a negative errno; %-ENOENT if there is no such file, %-EINVAL for an error in it.
 */
int agentfile_read(struct site *site, const char *path, struct config_error *error);

/**
 * agentfile_write() - write what the agent's file has, in its words
 * @site: the site
 * @to: where it goes
 *
 * Return: 0, or %-EIO.
 */
int agentfile_write(const struct site *site, FILE *to);

/**
 * agentfile_check() - have the agent's reader judge the sections of a site
 * @site: the site
 * @is_part: what a section names may be missing
 * @to: its sections are added, with values as the agent shows them
 * @fault: filled in on %-EINVAL; points into @site
 *
 * Return: 0, %-EINVAL or %-ENOMEM.
 */
int agentfile_check(const struct site *site, bool is_part, struct site *to, struct agentfile_fault *fault);

/**
 * agentfile_check_defaults() - judge options of links that have no link yet
 * @section: the options, each one that leaf_is_default() names
 * @fault: filled in on %-EINVAL; points into @section
 *
 * Return: 0, %-EINVAL or %-ENOMEM.
 */
int agentfile_check_defaults(const struct site_section *section, struct agentfile_fault *fault);

#endif
