/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qlinkctl top: the links with their rates, again and again, as a screen or as plain lines. */
#ifndef QLINKCTL_TOP_H
#define QLINKCTL_TOP_H

#include "ctl.h"

/**
 * top_run() - qlinkctl top
 * @ctl: says where the socket is, and has the options of this command
 * @argc: arguments: how many times at most
 * @argv: likewise
 *
 * Return: an exit status, CTL_….
 */
int top_run(struct ctl *ctl, int argc, char **argv);

#endif
