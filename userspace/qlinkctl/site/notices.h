/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qlinkctl monitor --yang: print what happens to a site as notifications of qlink.yang. */
#ifndef QLINKCTL_NOTICES_H
#define QLINKCTL_NOTICES_H

#include "qlinkctl/ctl.h"

/**
 * notices_run() - qlinkctl monitor --yang [DEV]
 * @ctl: this run
 * @argc: arguments after the command
 * @argv: likewise
 *
 * Return: an exit status, CTL_….
 */
int notices_run(struct ctl *ctl, int argc, char **argv);

#endif
