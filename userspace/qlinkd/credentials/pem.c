// SPDX-License-Identifier: GPL-2.0-or-later
/* PEM files: read whole, and refused by name and cause. */
#include "pem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "common/private.h"

int pem_refuse(const struct pem *pem, struct qlink_why *why, const char *format, ...)
{
	int at = snprintf(why->text, sizeof(why->text), "%s %.200s: ", pem->use, pem->path);
	va_list args;

	va_start(args, format);
	vsnprintf(why->text + at, sizeof(why->text) - (size_t)at, format, args);
	va_end(args);
	return -EINVAL;
}

static int refuse_errno(const struct pem *pem, int err, struct qlink_why *why)
{
	switch (err) {
	case ENOENT:
	case ENOTDIR:
		return pem_refuse(pem, why, "does not exist");
	case EACCES:
		return pem_refuse(pem, why, "user %u may not read it", (unsigned int)geteuid());
	default:
		return pem_refuse(pem, why, "cannot be read: %s", strerror(err));
	}
}

static int check_file(const struct pem *pem, int fd, bool is_private, size_t *len,
		      struct qlink_why *why)
{
	struct stat stat;

	if (fstat(fd, &stat))
		return refuse_errno(pem, errno, why);
	if (S_ISDIR(stat.st_mode))
		return pem_refuse(pem, why, "is a folder");
	if (!S_ISREG(stat.st_mode))
		return pem_refuse(pem, why, "is no regular file");
	if (!stat.st_size)
		return pem_refuse(pem, why, "is empty");
	if (stat.st_size > PEM_BYTES_MAX)
		return pem_refuse(pem, why, "has more than %u bytes", PEM_BYTES_MAX);
	if (is_private && qlink_is_open_to_others(&stat))
		return pem_refuse(pem, why,
				  "others can read or change it: its mode is %04o, and may be %s",
				  stat.st_mode & 07777, stat.st_uid ? "0600" : "0600 or 0640");
	*len = (size_t)stat.st_size;
	return 0;
}

static int read_all(struct pem *pem, int fd, struct qlink_why *why)
{
	ssize_t got;

	while (pem->len < pem->text.len - 1) {
		got = read(fd, pem->text.data + pem->len, pem->text.len - 1 - pem->len);
		if (got < 0)
			return refuse_errno(pem, errno, why);
		if (!got)
			break;
		pem->len += (size_t)got;
	}
	return 0;
}

int pem_read(struct pem *pem, bool is_private, struct qlink_why *why)
{
	/* A FIFO must not stop the agent; it is refused. */
	int fd = open(pem->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	size_t len = 0;
	int err;

	if (fd < 0)
		return refuse_errno(pem, errno, why);
	err = check_file(pem, fd, is_private, &len, why);
	if (!err && qlink_secret_new(&pem->text, len + 1))
		err = pem_refuse(pem, why, "no locked memory for its %zu bytes", len);
	if (!err)
		err = read_all(pem, fd, why);
	close(fd);
	return err;
}

void pem_free(struct pem *pem)
{
	qlink_secret_free(&pem->text);
	pem->len = 0;
}

static BIO *open_bio(const struct pem *pem)
{
	return BIO_new_mem_buf(pem->text.data, (int)pem->len);
}

/* Whatever is encrypted stays encrypted: the agent has nobody to ask. */
static int no_pass_phrase(char *to, int room, int is_for_writing, void *arg)
{
	(void)to;
	(void)room;
	(void)is_for_writing;
	(void)arg;
	return -1;
}

static const char *last_reason(void)
{
	const char *text = ERR_reason_error_string(ERR_peek_last_error());

	return text ? text : "no reason given";
}

static bool has(const struct pem *pem, const char *text)
{
	return memmem(pem->text.data, pem->len, text, strlen(text));
}

/* Names what there is in the place of what was wanted. */
static int refuse_kind(const struct pem *pem, const char *wanted, struct qlink_why *why)
{
	if (!has(pem, "-----BEGIN "))
		return pem_refuse(pem, why, "is not PEM");
	return pem_refuse(pem, why, "has no %s, but %s", wanted,
			  has(pem, "PRIVATE KEY-----") ? "a private key" :
			  has(pem, "-----BEGIN CERTIFICATE-----") ? "a certificate" :
			  "something else");
}

/* The end of a file is no error, unless an object ends there too early. */
static int end_of_list(const struct pem *pem, int n, const char *wanted, struct qlink_why *why)
{
	unsigned long error = ERR_peek_last_error();
	int err = 0;

	if (error && ERR_GET_REASON(error) != PEM_R_NO_START_LINE)
		err = pem_refuse(pem, why, "%s %d is damaged: %s", wanted, n + 1, last_reason());
	else if (!n)
		err = refuse_kind(pem, wanted, why);
	ERR_clear_error();
	return err;
}

int pem_certificates(const struct pem *pem, STACK_OF(X509) **list, struct qlink_why *why)
{
	BIO *bio = open_bio(pem);
	X509 *one;

	ERR_clear_error();
	*list = sk_X509_new_null();
	while (bio && *list && (one = PEM_read_bio_X509(bio, NULL, no_pass_phrase, NULL))) {
		if (!sk_X509_push(*list, one)) {
			X509_free(one);
			break;
		}
	}
	BIO_free(bio);
	return end_of_list(pem, sk_X509_num(*list), "certificate", why);
}

int pem_crls(const struct pem *pem, STACK_OF(X509_CRL) **list, struct qlink_why *why)
{
	BIO *bio = open_bio(pem);
	X509_CRL *one;

	ERR_clear_error();
	*list = sk_X509_CRL_new_null();
	while (bio && *list && (one = PEM_read_bio_X509_CRL(bio, NULL, no_pass_phrase, NULL))) {
		if (!sk_X509_CRL_push(*list, one)) {
			X509_CRL_free(one);
			break;
		}
	}
	BIO_free(bio);
	return end_of_list(pem, sk_X509_CRL_num(*list), "CRL", why);
}

int pem_key(const struct pem *pem, EVP_PKEY **key, struct qlink_why *why)
{
	BIO *bio;
	int err = 0;

	*key = NULL;
	if (has(pem, "ENCRYPTED"))
		return pem_refuse(pem, why, "is encrypted, and qlinkd cannot ask for its pass phrase");
	if (!has(pem, "PRIVATE KEY-----"))
		return refuse_kind(pem, "private key", why);
	ERR_clear_error();
	bio = open_bio(pem);
	*key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_pass_phrase, NULL) : NULL;
	if (!*key)
		err = pem_refuse(pem, why, "is damaged: %s", last_reason());
	BIO_free(bio);
	ERR_clear_error();
	return err;
}
