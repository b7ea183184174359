/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qlinkctl export: write what runs as the document of a site. */
#ifndef QLINKCTL_EXPORT_H
#define QLINKCTL_EXPORT_H

#include "qlinkctl/ctl.h"

/**
 * export_run() - qlinkctl export
 * @ctl: this run
 * @argc: arguments, none
 * @argv: likewise
 *
 * What cannot be read is left out, after a warning.
 *
 * Return: an exit status, CTL_….
 */
int export_run(struct ctl *ctl, int argc, char **argv);

#endif
