// SPDX-License-Identifier: GPL-2.0-or-later
/* What one end of a TLS connection needs: a certificate, its key, and whom to trust; or a pre-shared key. */
#include "credentials.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "pem.h"
#include "qlinkd/base/field.h"

#define NAME_FLAGS	(X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_WILDCARDS)
#define DATE_TEXT	32

struct credentials {
	unsigned int n_refs;
	/* our certificate first, then its chain */
	STACK_OF(X509) *chain;
	EVP_PKEY *key;
	STACK_OF(X509) *cas;
	STACK_OF(X509_CRL) *crls;
	/* as PEM: certificates, the key as it was read, CAs and CRLs */
	BIO *chain_pem, *trust_pem;
	struct pem key_file;
	/* instead of all these */
	struct psk psk;
	struct credentials_item *items;
	size_t n_items;
	char *paths[3];
};

/* --- what people read --- */

static time_t time_of(const ASN1_TIME *from)
{
	struct tm tm;

	if (!from || !ASN1_TIME_to_tm(from, &tm))
		return 0;
	return timegm(&tm);
}

static const char *date_of(time_t when, char text[DATE_TEXT])
{
	struct tm tm;

	strftime(text, DATE_TEXT, "%Y-%m-%d %H:%M:%S UTC", gmtime_r(&when, &tm));
	return text;
}

/* Certificates are written by others: anything but plain ASCII becomes a question mark. */
void credentials_subject(const X509_NAME *name, char *text, size_t room)
{
	if (X509_NAME_get_text_by_NID(name, NID_commonName, text, (int)room) < 0)
		snprintf(text, room, "no common name");
	field_make_printable(text, "\"\\");
}

static void name_subject(const X509_NAME *name, char text[CREDENTIALS_SUBJECT])
{
	credentials_subject(name, text, CREDENTIALS_SUBJECT);
}

static void name_serial(const X509 *x509, char text[CREDENTIALS_SERIAL])
{
	BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(x509), NULL);
	char *hex = number ? BN_bn2hex(number) : NULL;

	snprintf(text, CREDENTIALS_SERIAL, "%s", hex ? hex : "");
	OPENSSL_free(hex);
	BN_free(number);
}

static struct credentials_item *add_item(struct credentials *c, const char *use, const char *path)
{
	struct credentials_item *item = &c->items[c->n_items++];

	item->use = use;
	item->path = path;
	return item;
}

static void list_certificates(struct credentials *c, const char *use, const char *path,
			      const STACK_OF(X509) *list)
{
	struct credentials_item *item;
	int i;

	for (i = 0; i < sk_X509_num(list); i++) {
		item = add_item(c, use, path);
		name_subject(X509_get_subject_name(sk_X509_value(list, i)), item->subject);
		name_serial(sk_X509_value(list, i), item->serial);
		item->not_before = time_of(X509_get0_notBefore(sk_X509_value(list, i)));
		item->not_after = time_of(X509_get0_notAfter(sk_X509_value(list, i)));
	}
}

static void list_crls(struct credentials *c, const char *path)
{
	struct credentials_item *item;
	int i;

	for (i = 0; i < sk_X509_CRL_num(c->crls); i++) {
		item = add_item(c, "crl", path);
		name_subject(X509_CRL_get_issuer(sk_X509_CRL_value(c->crls, i)), item->subject);
		item->not_after = time_of(X509_CRL_get0_nextUpdate(sk_X509_CRL_value(c->crls, i)));
	}
}

static int list_items(struct credentials *c, const struct credentials_files *files)
{
	int n = sk_X509_num(c->chain) + sk_X509_num(c->cas);

	if (c->crls)
		n += sk_X509_CRL_num(c->crls);
	c->items = calloc((size_t)n, sizeof(*c->items));
	c->paths[0] = strdup(files->certificate);
	c->paths[1] = strdup(files->ca);
	c->paths[2] = strdup(files->crl ?: "");
	if (!c->items || !c->paths[0] || !c->paths[1] || !c->paths[2])
		return -ENOMEM;
	list_certificates(c, "certificate", c->paths[0], c->chain);
	list_certificates(c, "ca", c->paths[1], c->cas);
	list_crls(c, c->paths[2]);
	return 0;
}

static int list_psk(struct credentials *c, const char *path)
{
	struct credentials_item *item;

	c->items = calloc(1, sizeof(*c->items));
	c->paths[0] = strdup(path);
	if (!c->items || !c->paths[0])
		return -ENOMEM;
	item = add_item(c, "psk-file", c->paths[0]);
	snprintf(item->subject, sizeof(item->subject), "%s", c->psk.id);
	field_make_printable(item->subject, "\"\\");
	return 0;
}

/* --- checks --- */

static int check_dates(const struct pem *pem, const X509 *x509, time_t now, struct qlink_why *why)
{
	time_t from = time_of(X509_get0_notBefore(x509)), to = time_of(X509_get0_notAfter(x509));
	char subject[CREDENTIALS_SUBJECT], date[DATE_TEXT];

	name_subject(X509_get_subject_name(x509), subject);
	if (now && now > to)
		return pem_refuse(pem, why, "%s expired on %s", subject, date_of(to, date));
	if (now && now < from)
		return pem_refuse(pem, why, "%s is not valid before %s", subject,
				  date_of(from, date));
	return 0;
}

static int check_name(const struct pem *pem, X509 *x509, const char *name, struct qlink_why *why)
{
	char subject[CREDENTIALS_SUBJECT];

	if (!name || X509_check_host(x509, name, 0, NAME_FLAGS, NULL) == 1)
		return 0;
	name_subject(X509_get_subject_name(x509), subject);
	return pem_refuse(pem, why, "is of %s, and has no DNS name %s, the agent's name", subject,
			  name);
}

static int load_chain(struct credentials *c, const struct credentials_files *files,
		      struct qlink_why *why)
{
	struct pem pem = { .use = "certificate", .path = files->certificate };
	int i, err = pem_read(&pem, false, why);

	if (!err)
		err = pem_certificates(&pem, &c->chain, why);
	for (i = 0; !err && i < sk_X509_num(c->chain); i++)
		err = check_dates(&pem, sk_X509_value(c->chain, i), files->now, why);
	if (!err)
		err = check_name(&pem, sk_X509_value(c->chain, 0), files->name, why);
	/* OpenSSL sends them in this order, and the other end expects each to sign the one before. */
	for (i = 1; !err && i < sk_X509_num(c->chain); i++) {
		if (X509_check_issued(sk_X509_value(c->chain, i), sk_X509_value(c->chain, i - 1)))
			err = pem_refuse(&pem, why, "its certificate %d has not issued number %d",
					 i + 1, i);
	}
	pem_free(&pem);
	return err;
}

static int load_key(struct credentials *c, const struct credentials_files *files,
		    struct qlink_why *why)
{
	int err;

	c->key_file = (struct pem){ .use = "key", .path = files->key };
	err = pem_read(&c->key_file, true, why);
	if (!err)
		err = pem_key(&c->key_file, &c->key, why);
	if (!err && X509_check_private_key(sk_X509_value(c->chain, 0), c->key) != 1)
		err = pem_refuse(&c->key_file, why, "is not the key of certificate %.150s",
				 files->certificate);
	ERR_clear_error();
	c->key_file.path = NULL;
	return err;
}

/* A file may have a CA that has expired beside its successor. */
static int load_cas(struct credentials *c, const struct credentials_files *files,
		    struct qlink_why *why)
{
	struct pem pem = { .use = "ca", .path = files->ca };
	int i, err = pem_read(&pem, false, why), is_bad = 0;

	if (!err)
		err = pem_certificates(&pem, &c->cas, why);
	for (i = 0; !err && i < sk_X509_num(c->cas); i++) {
		is_bad = check_dates(&pem, sk_X509_value(c->cas, i), files->now, why);
		if (!is_bad)
			break;
	}
	pem_free(&pem);
	return err ?: is_bad;
}

/* Whether one of the CAs has signed a CRL. */
static bool is_known(const struct credentials *c, X509_CRL *crl)
{
	X509 *ca;
	int i;

	for (i = 0; i < sk_X509_num(c->cas) + sk_X509_num(c->chain); i++) {
		ca = i < sk_X509_num(c->cas) ? sk_X509_value(c->cas, i) :
			sk_X509_value(c->chain, i - sk_X509_num(c->cas));
		if (!X509_NAME_cmp(X509_get_subject_name(ca), X509_CRL_get_issuer(crl)) &&
		    X509_CRL_verify(crl, X509_get0_pubkey(ca)) == 1)
			return true;
	}
	return false;
}

static int check_crl(const struct credentials *c, const struct pem *pem, X509_CRL *crl,
		     const struct credentials_files *files, struct qlink_why *why)
{
	time_t to = time_of(X509_CRL_get0_nextUpdate(crl));
	char issuer[CREDENTIALS_SUBJECT], date[DATE_TEXT];

	name_subject(X509_CRL_get_issuer(crl), issuer);
	if (!is_known(c, crl))
		return pem_refuse(pem, why, "has a CRL of %s, which is no CA of %.150s", issuer,
				  files->ca);
	if (files->now && to && files->now > to)
		return pem_refuse(pem, why, "the CRL of %s expired on %s", issuer,
				  date_of(to, date));
	return 0;
}

static int load_crls(struct credentials *c, const struct credentials_files *files,
		     struct qlink_why *why)
{
	struct pem pem = { .use = "crl", .path = files->crl };
	int i, err;

	if (!files->crl)
		return 0;
	err = pem_read(&pem, false, why);
	if (!err)
		err = pem_crls(&pem, &c->crls, why);
	for (i = 0; !err && i < sk_X509_CRL_num(c->crls); i++)
		err = check_crl(c, &pem, sk_X509_CRL_value(c->crls, i), files, why);
	ERR_clear_error();
	pem_free(&pem);
	return err;
}

/* --- life --- */

static int write_pem(struct credentials *c)
{
	int i;

	c->chain_pem = BIO_new(BIO_s_mem());
	c->trust_pem = BIO_new(BIO_s_mem());
	if (!c->chain_pem || !c->trust_pem)
		return -ENOMEM;
	for (i = 0; i < sk_X509_num(c->chain); i++) {
		if (!PEM_write_bio_X509(c->chain_pem, sk_X509_value(c->chain, i)))
			return -ENOMEM;
	}
	for (i = 0; i < sk_X509_num(c->cas); i++) {
		if (!PEM_write_bio_X509(c->trust_pem, sk_X509_value(c->cas, i)))
			return -ENOMEM;
	}
	for (i = 0; i < sk_X509_CRL_num(c->crls); i++) {
		if (!PEM_write_bio_X509_CRL(c->trust_pem, sk_X509_CRL_value(c->crls, i)))
			return -ENOMEM;
	}
	return 0;
}

static int load_certificates(struct credentials *c, const struct credentials_files *files,
			     struct qlink_why *why)
{
	int err = load_chain(c, files, why) ?: load_key(c, files, why) ?: load_cas(c, files, why) ?:
		  load_crls(c, files, why);

	if (!err && (list_items(c, files) || write_pem(c)))
		err = qlink_refuse(why, -ENOMEM, "no memory");
	return err;
}

static int load_psk(struct credentials *c, const struct credentials_files *files, struct qlink_why *why)
{
	int err = psk_load(&c->psk, files->psk_id, files->psk_file, files->psk_hash, why);

	if (!err && list_psk(c, files->psk_file))
		err = qlink_refuse(why, -ENOMEM, "no memory");
	return err;
}

int credentials_load(struct credentials **credentials, const struct credentials_files *files,
		     struct qlink_why *why)
{
	struct credentials *c = calloc(1, sizeof(*c));
	int err;

	*credentials = NULL;
	if (!c)
		return qlink_refuse(why, -ENOMEM, "no memory");
	c->n_refs = 1;
	err = files->psk_file ? load_psk(c, files, why) : load_certificates(c, files, why);
	if (err)
		credentials_put(c);
	else
		*credentials = c;
	return err;
}

struct credentials *credentials_get(struct credentials *credentials)
{
	if (credentials)
		credentials->n_refs++;
	return credentials;
}

void credentials_put(struct credentials *c)
{
	size_t i;

	if (!c || --c->n_refs)
		return;
	sk_X509_pop_free(c->chain, X509_free);
	sk_X509_pop_free(c->cas, X509_free);
	sk_X509_CRL_pop_free(c->crls, X509_CRL_free);
	EVP_PKEY_free(c->key);
	BIO_free(c->chain_pem);
	BIO_free(c->trust_pem);
	pem_free(&c->key_file);
	psk_free(&c->psk);
	for (i = 0; i < 3; i++)
		free(c->paths[i]);
	free(c->items);
	free(c);
}

/* --- use --- */

static struct credentials_text text_of(BIO *bio)
{
	char *data = NULL;
	long len = BIO_get_mem_data(bio, &data);

	return (struct credentials_text){ data, (size_t)len };
}

struct credentials_text credentials_chain_pem(const struct credentials *credentials)
{
	return text_of(credentials->chain_pem);
}

struct credentials_text credentials_trust_pem(const struct credentials *credentials)
{
	return text_of(credentials->trust_pem);
}

struct credentials_text credentials_key_pem(const struct credentials *credentials)
{
	return (struct credentials_text){ credentials->key_file.text.data,
					  credentials->key_file.len };
}

static bool is_same_text(struct credentials_text a, struct credentials_text b)
{
	return a.len == b.len && !memcmp(a.data, b.data, a.len);
}

bool credentials_same(const struct credentials *a, const struct credentials *b)
{
	if (a->psk.id || b->psk.id)
		return psk_same(&a->psk, &b->psk);
	return is_same_text(credentials_chain_pem(a), credentials_chain_pem(b)) &&
	       is_same_text(credentials_trust_pem(a), credentials_trust_pem(b)) &&
	       EVP_PKEY_eq(a->key, b->key) == 1;
}

unsigned long credentials_check_flags(const struct credentials *credentials)
{
	return credentials->crls ? X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL : 0;
}

static int trust(const struct credentials *c, X509_STORE *store)
{
	int i;

	for (i = 0; i < sk_X509_num(c->cas); i++) {
		if (!X509_STORE_add_cert(store, sk_X509_value(c->cas, i)))
			return -EINVAL;
	}
	for (i = 0; i < sk_X509_CRL_num(c->crls); i++) {
		if (!X509_STORE_add_crl(store, sk_X509_CRL_value(c->crls, i)))
			return -EINVAL;
	}
	return 0;
}

int credentials_use(const struct credentials *c, SSL_CTX *ssl)
{
	int i, err = trust(c, SSL_CTX_get_cert_store(ssl));

	if (!err && (SSL_CTX_use_certificate(ssl, sk_X509_value(c->chain, 0)) != 1 ||
		     SSL_CTX_use_PrivateKey(ssl, c->key) != 1 ||
		     !X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(ssl),
						  credentials_check_flags(c))))
		err = -EINVAL;
	for (i = 1; !err && i < sk_X509_num(c->chain); i++) {
		if (SSL_CTX_add1_chain_cert(ssl, sk_X509_value(c->chain, i)) != 1)
			err = -EINVAL;
	}
	return err;
}

EVP_PKEY *credentials_key(const struct credentials *credentials)
{
	return credentials->key;
}

const struct psk *credentials_psk(const struct credentials *credentials)
{
	return credentials->psk.id ? &credentials->psk : NULL;
}

struct credentials_item *credentials_items(const struct credentials *credentials, size_t *n)
{
	*n = credentials->n_items;
	return credentials->items;
}
