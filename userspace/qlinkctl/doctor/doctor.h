/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qlinkctl doctor: say what keeps links from being protected, and what mends it. */
#ifndef QLINKCTL_DOCTOR_DOCTOR_H
#define QLINKCTL_DOCTOR_DOCTOR_H

#include "finding.h"
#include "machine.h"
#include "qlinkctl/ctl.h"

/**
 * doctor_run() - qlinkctl doctor [DEV] [config FILE]
 * @ctl: this run
 * @argc: arguments after the command
 * @argv: likewise
 *
 * Return: 0 if all links are protected, 1 if one is not, 2 if that cannot be told, or for a wrong
 * command line.
 */
int doctor_run(struct ctl *ctl, int argc, char **argv);

/**
 * doctor_judge() - find what is wrong with a link
 * @facts: the link
 * @findings: filled in, causes first, and folded
 */
void doctor_judge(const struct facts *facts, struct findings *findings);

#endif
