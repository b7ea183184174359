/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The defaults of options of the agent, as qlinkd.conf(5) has them. */
#ifndef QLINKCTL_DEFAULT_H
#define QLINKCTL_DEFAULT_H

#include "site.h"

/**
 * site_default() - get the default of an option
 * @kind: the kind of its section
 * @option: its name
 *
 * Return: the default in words; %NULL if there is none. The kernel shows the options of devices with
 * their defaults, so that those have none here.
 */
const char *site_default(enum site_kind kind, const char *option);

#endif
