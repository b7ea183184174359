/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes what is sent to a key server: addresses and bodies, without any I/O. */
#ifndef QLINKD_KME_ASK_H
#define QLINKD_KME_ASK_H

#include "json.h"

#define KME_URL_MAX		1024
/* An SAE ID is free text; so long it may be. */
#define KME_SAE_ID_MAX		128
/* Room for any body, with its NUL. */
#define KME_BODY_MAX(n)		(128 + (n) * (KME_KEY_ID_MAX + 16))

enum kme_op {
	KME_OP_STATUS,
	KME_OP_ENC,
	KME_OP_DEC,
	KME_OP_N,
};

/**
 * kme_op_name() - name an operation as the standard does
 * @op: below KME_OP_N
 *
 * Return: status, enc_keys or dec_keys.
 */
const char *kme_op_name(enum kme_op op);

/**
 * kme_write_url() - write the address of a request
 * @url: where it goes
 * @base: as https://host:port, without a slash at its end
 * @sae: the other SAE: the slave's ID for status and enc_keys, the master's
 *	for dec_keys; it is URL-encoded here
 * @op: what to ask
 * @ask: for a GET, what its query names: the number, or the first key ID;
 *	%NULL for a POST and for a status
 *
 * Source: ETSI GS QKD 014 V1.1.1, 5.1 to 5.4.
 *
 * Return: 0, or %-ENAMETOOLONG.
 */
int kme_write_url(char url[KME_URL_MAX], const char *base, const char *sae,
		  enum kme_op op, const struct kme_ask *ask);

/**
 * kme_write_body() - write the body of a POST
 * @body: where it goes, KME_BODY_MAX(@ask->n) bytes
 * @ask: key IDs for dec_keys; else so many keys of 256 bits
 *
 * Source: ETSI GS QKD 014 V1.1.1, 6.2 and 6.4. Key IDs need no escapes.
 *
 * Return: its length.
 */
size_t kme_write_body(char *body, const struct kme_ask *ask);

#endif
