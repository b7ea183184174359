/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pre-shared keys of TLS, by which a KME recognizes SAEs without certificates. */
#ifndef KMESIM_PSK_H
#define KMESIM_PSK_H

#include <openssl/ssl.h>

#include "etsi.h"

/**
 * psk_load() - give an SAE a key
 * @sae: the SAE; one that it had is wiped
 * @id: name of the key
 * @path: file that has it in hexadecimal
 * @why: filled in on failure
 *
 * Return: 0, or -1 with @why.
 */
int psk_load(struct sae *sae, const char *id, const char *path, struct qlink_why *why);

/**
 * psk_is_used() - say whether an SAE of a KME has a key
 * @etsi: the KME
 *
 * Return: true if one has.
 */
bool psk_is_used(const struct etsi *etsi);

/**
 * psk_accept() - let a KME accept the keys of its SAEs, besides certificates
 * @tls: for its connections
 * @etsi: the KME; must outlive @tls
 */
void psk_accept(SSL_CTX *tls, struct etsi *etsi);

/**
 * psk_sae() - say by whose key a connection was made
 * @ssl: the connection, after its handshake
 *
 * Return: the SAE, or %NULL if it was made with certificates.
 */
const struct sae *psk_sae(const SSL *ssl);

#endif
