/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What one end of a TLS connection needs: a certificate, its key, and whom to trust; or a pre-shared key. */
#ifndef QLINKD_CREDENTIALS_H
#define QLINKD_CREDENTIALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <openssl/ssl.h>

#include "common/why.h"
#include "psk.h"

/**
 * DOC: Files are read once
 *
 * The files are read and checked together when the agent starts and when it reloads. From then
 * on everybody uses what is in memory, never the files again. So no connection can meet a file
 * that was not checked, and a reload that is refused leaves every connection as it was.
 */

/* Bytes of a serial number as hex text, and of a subject. */
#define CREDENTIALS_SERIAL	48
#define CREDENTIALS_SUBJECT	80

/**
 * struct credentials_files - where they are, and what they must fit
 */
struct credentials_files {
	/** @certificate: PEM file of our certificate and, behind it, its chain without the root */
	const char *certificate;

	/** @key: PEM file of its private key */
	const char *key;

	/** @ca: PEM file of the CAs that we trust; no other is trusted */
	const char *ca;

	/** @crl: PEM file with a CRL of each of these CAs; %NULL for no revocation check */
	const char *crl;

	/**
	 * @psk_file: file of a pre-shared key, see psk_load(); %NULL for none. Then there are none of the
	 * files above.
	 */
	const char *psk_file;

	/** @psk_id: its name */
	const char *psk_id;

	/** @psk_hash: the hash that it is used with */
	enum psk_hash psk_hash;

	/** @name: that our certificate must have as DNS name; %NULL for any */
	const char *name;

	/** @now: time at which all must be valid; 0 to take expired files too */
	time_t now;
};

/**
 * struct credentials_item - a certificate, CRL or pre-shared key of one of the files, as people know it
 */
struct credentials_item {
	/** @use: "certificate", "ca", "crl" or "psk-file" */
	const char *use;

	/** @path: of its file */
	const char *path;

	/** @subject: common name of its subject, of its issuer for a CRL; name of a pre-shared key; printable ASCII */
	char subject[CREDENTIALS_SUBJECT];

	/** @serial: its serial number in hex; empty for a CRL or a pre-shared key */
	char serial[CREDENTIALS_SERIAL];

	/** @not_before: from when on it is valid; 0 for a CRL and for a pre-shared key */
	time_t not_before;

	/** @not_after: when it expires; 0 for a CRL that does not say, and for a pre-shared key */
	time_t not_after;

	/** @n_told: for the owner of the credentials: how often it has said that this expires */
	uint8_t n_told;
};

/* Loaded and checked files; everybody who uses them holds a reference. */
struct credentials;

/**
 * credentials_load() - read and check files
 * @credentials: set to a new reference; the caller puts it with credentials_put()
 * @files: where they are; not kept
 * @why: filled in on failure: which file, and what is wrong with it
 *
 * Refuses a file that is missing, unreadable, empty, damaged, encrypted, or of another kind; a
 * private key that others can read or that is not the certificate's; a certificate without
 * @name; what is not valid now; a CRL of none of the CAs.
 *
 * Context: Process; reads files.
 * Return: 0, or a negative errno with @why.
 */
int credentials_load(struct credentials **credentials, const struct credentials_files *files,
		     struct qlink_why *why);

/**
 * credentials_get() - take a reference
 * @credentials: or %NULL
 *
 * Return: @credentials.
 */
struct credentials *credentials_get(struct credentials *credentials);

/**
 * credentials_put() - give a reference back; the last one wipes and frees
 * @credentials: or %NULL
 */
void credentials_put(struct credentials *credentials);

/**
 * credentials_same() - compare
 * @a: one
 * @b: the other
 *
 * Return: whether a connection would be the same with both: the same bytes in all files.
 */
bool credentials_same(const struct credentials *a, const struct credentials *b);

/**
 * credentials_use() - have connections of a TLS context use them
 * @credentials: certificates; are copied or referenced by OpenSSL
 * @ssl: its certificate, chain, key and trusted CAs are set; CRLs are checked if there are any
 *
 * Return: 0, or %-EINVAL if OpenSSL refuses them.
 */
int credentials_use(const struct credentials *credentials, SSL_CTX *ssl);

/**
 * struct credentials_text - one of them as PEM, for libraries that take nothing else
 */
struct credentials_text {
	/** @data: the text; valid as long as the credentials */
	const void *data;

	/** @len: its bytes */
	size_t len;
};

/**
 * credentials_chain_pem() - get the certificate and its chain as PEM
 * @credentials: own it
 *
 * Return: the text.
 */
struct credentials_text credentials_chain_pem(const struct credentials *credentials);

/**
 * credentials_key_pem() - get the private key as PEM
 * @credentials: own it
 *
 * Return: the text; secret, in locked memory.
 */
struct credentials_text credentials_key_pem(const struct credentials *credentials);

/**
 * credentials_trust_pem() - get the trusted CAs and all CRLs as PEM
 * @credentials: own it
 *
 * Return: the text.
 */
struct credentials_text credentials_trust_pem(const struct credentials *credentials);

/**
 * credentials_check_flags() - get what a verification of the peer's certificate needs
 * @credentials: the credentials
 *
 * Return: flags for X509_VERIFY_PARAM_set_flags(); 0 without CRLs.
 */
unsigned long credentials_check_flags(const struct credentials *credentials);

/**
 * credentials_subject() - write whom a certificate names, as people read it
 * @name: of its subject or issuer
 * @text: filled in with the common name; each byte but printable ASCII without quotes is "?"
 * @room: bytes of @text
 */
void credentials_subject(const X509_NAME *name, char *text, size_t room);

/**
 * credentials_key() - get the private key
 * @credentials: own it
 *
 * Return: the key, without a reference.
 */
EVP_PKEY *credentials_key(const struct credentials *credentials);

/**
 * credentials_psk() - get the pre-shared key
 * @credentials: own it
 *
 * Return: the key, or %NULL if there are certificates instead.
 */
const struct psk *credentials_psk(const struct credentials *credentials);

/**
 * credentials_items() - list all certificates and CRLs
 * @credentials: own the list
 * @n: set to how many
 *
 * Return: the first.
 */
struct credentials_item *credentials_items(const struct credentials *credentials, size_t *n);

#endif
