/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qlinkctl links follow: sets up declared links, and again when what they lie on appears. */
#ifndef QLINKCTL_FOLLOW_H
#define QLINKCTL_FOLLOW_H

#include "qlinkctl/ctl.h"

/**
 * follow_run() - qlinkctl links follow
 * @ctl: this run
 * @argc: arguments after the command
 * @argv: likewise
 *
 * Runs until SIGTERM or SIGINT; SIGHUP has it read the files again.
 *
 * Return: an enum ctl_exit.
 */
int follow_run(struct ctl *ctl, int argc, char **argv);

#endif
