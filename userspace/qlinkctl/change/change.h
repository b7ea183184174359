/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qlinkctl apply, confirm, rollback: the configuration of a site as a document has it, all of it or nothing. */
#ifndef QLINKCTL_CHANGE_H
#define QLINKCTL_CHANGE_H

#include "qlinkctl/ctl.h"

/**
 * change_apply() - qlinkctl apply FILE
 * @ctl: this run, with its options
 * @argc: arguments: a file, or - for standard input
 * @argv: likewise
 *
 * Return: an enum ctl_exit.
 */
int change_apply(struct ctl *ctl, int argc, char **argv);

/**
 * change_confirm() - qlinkctl confirm
 * @ctl: this run, with its options
 * @argc: arguments, none
 * @argv: likewise
 *
 * Return: an enum ctl_exit.
 */
int change_confirm(struct ctl *ctl, int argc, char **argv);

/**
 * change_rollback() - qlinkctl rollback
 * @ctl: this run, with its options
 * @argc: arguments, none
 * @argv: likewise
 *
 * Return: an enum ctl_exit.
 */
int change_rollback(struct ctl *ctl, int argc, char **argv);

#endif
