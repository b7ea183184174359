/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qlinkctl chain: what is to become of the chains of a link. */
#ifndef QLINKCTL_CHAIN_H
#define QLINKCTL_CHAIN_H

#include "ctl.h"

/**
 * chain_run() - qlinkctl chain accept DEV: accept that the chains of a link start from zero
 * @ctl: says where the socket is
 * @argc: arguments behind "chain"
 * @argv: likewise
 *
 * Return: an exit status, CTL_….
 */
int chain_run(struct ctl *ctl, int argc, char **argv);

#endif
