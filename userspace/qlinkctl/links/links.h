/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qlinkctl links: the links that files declare. */
#ifndef QLINKCTL_LINKS_H
#define QLINKCTL_LINKS_H

#include "qlinkctl/ctl.h"

/**
 * links_run() - qlinkctl links apply|check|follow|show
 * @ctl: this run
 * @argc: arguments after the command
 * @argv: likewise
 *
 * Return: an enum ctl_exit.
 */
int links_run(struct ctl *ctl, int argc, char **argv);

#endif
