/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qlinkctl set: configure a link. */
#ifndef QLINKCTL_SET_H
#define QLINKCTL_SET_H

#include "ctl.h"

/**
 * set_run() - qlinkctl set DEV OPTION VALUE…
 * @ctl: this run
 * @argc: arguments after the command
 * @argv: likewise
 *
 * Return: an enum ctl_exit.
 */
int set_run(struct ctl *ctl, int argc, char **argv);

#endif
