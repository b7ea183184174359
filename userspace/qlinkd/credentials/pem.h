/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PEM files: read whole, and refused by name and cause. */
#ifndef QLINKD_PEM_H
#define QLINKD_PEM_H

#include <stdbool.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "common/secret.h"
#include "common/why.h"

/* Bytes of a file, at most. */
#define PEM_BYTES_MAX	(1U << 20)

/**
 * struct pem - the text of a PEM file
 */
struct pem {
	/** @use: what it is for, as "key"; begins each refusal */
	const char *use;

	/** @path: of the file */
	const char *path;

	/** @text: its bytes and a NUL, in locked memory; a file may have a key in it */
	struct qlink_secret text;

	/** @len: its bytes without the NUL */
	size_t len;
};

/**
 * pem_read() - read a file
 * @pem: its @use and @path are set; the rest is filled in. The caller frees it with pem_free()
 * @is_private: refuse a file that others can read or change, as ssh(1) does. The group may read a
 *	file of root's
 * @why: filled in on failure: use, path and cause
 *
 * Context: Process; reads a file.
 * Return: 0, or a negative errno.
 */
int pem_read(struct pem *pem, bool is_private, struct qlink_why *why);

/**
 * pem_free() - wipe and free
 * @pem: from pem_read(), or all zero
 */
void pem_free(struct pem *pem);

/**
 * pem_refuse() - say what is wrong with a file
 * @pem: the file
 * @why: filled in: use, path and cause
 * @format: the cause, a printf() format
 *
 * Return: %-EINVAL.
 */
__attribute__((format(printf, 3, 4)))
int pem_refuse(const struct pem *pem, struct qlink_why *why, const char *format, ...);

/**
 * pem_certificates() - take all certificates of a file, in order
 * @pem: the file
 * @list: the caller frees it with sk_X509_pop_free(), also on failure
 * @why: filled in on failure
 *
 * Return: 0, or %-EINVAL if there is none or one is damaged.
 */
int pem_certificates(const struct pem *pem, STACK_OF(X509) **list, struct qlink_why *why);

/**
 * pem_crls() - take all certificate revocation lists of a file
 * @pem: the file
 * @list: the caller frees it with sk_X509_CRL_pop_free(), also on failure
 * @why: filled in on failure
 *
 * Return: 0, or %-EINVAL if there is none or one is damaged.
 */
int pem_crls(const struct pem *pem, STACK_OF(X509_CRL) **list, struct qlink_why *why);

/**
 * pem_key() - take the private key of a file; never asks for a pass phrase
 * @pem: the file
 * @key: the caller frees it with EVP_PKEY_free()
 * @why: filled in on failure
 *
 * Return: 0, or %-EINVAL if there is none, or it is damaged or encrypted.
 */
int pem_key(const struct pem *pem, EVP_PKEY **key, struct qlink_why *why);

#endif
