/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qlinkctl kme: have qlinkd check a key server. */
#ifndef QLINKCTL_KME_H
#define QLINKCTL_KME_H

#include <stdio.h>

#include "ctl.h"

/**
 * kme_command_run() - qlinkctl kme check
 * @ctl: says where the socket is
 * @argc: arguments: the command, the name of the KME, and whether to take a key
 * @argv: likewise
 *
 * Return: an exit status, CTL_…; %CTL_FAILED also for a KME that is not well.
 */
int kme_command_run(struct ctl *ctl, int argc, char **argv);

/**
 * kme_print() - write a report for people
 * @report: as qlinkd answered it
 * @to: where it goes
 */
void kme_print(const json_t *report, FILE *to);

#endif
