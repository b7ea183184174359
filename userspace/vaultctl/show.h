/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shows how far a vault is spent; never a key. */
#ifndef QLINK_VAULT_SHOW_H
#define QLINK_VAULT_SHOW_H

#include "vault/vault.h"

/**
 * show_vault() - print what a vault is and how far it is spent
 * @vault: the vault
 * @report: what a check found, or %NULL
 * @json: print JSON
 *
 * Return: 0, or -1 if standard output takes no more.
 */
int show_vault(const struct vault *vault, const struct vault_report *report, bool json);

#endif
