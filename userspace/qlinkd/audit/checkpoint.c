// SPDX-License-Identifier: GPL-2.0-or-later
/* The checkpoint of an audit log: a signed point, so that lost files and lines are noticed. */
#include "checkpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>

#define SIGNATURE	",\"signature\":\""
#define SIGNATURE_MAX	8192

/* ---- signatures ---- */

/* Fills in @signature; the digest is the one that belongs to the kind of key. */
static int sign(EVP_PKEY *key, const char *text, size_t len, uint8_t *signature, size_t *n)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool is_done = context &&
		EVP_DigestSignInit_ex(context, NULL, NULL, NULL, NULL, key, NULL) == 1 &&
		EVP_DigestSign(context, signature, n, (const uint8_t *)text, len) == 1;

	EVP_MD_CTX_free(context);
	return is_done ? 0 : -EKEYREJECTED;
}

static bool is_signed_by(EVP_PKEY *key, const char *text, size_t len, const uint8_t *signature,
			 size_t n)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool is_good = context &&
		EVP_DigestVerifyInit_ex(context, NULL, NULL, NULL, NULL, key, NULL) == 1 &&
		EVP_DigestVerify(context, signature, n, (const uint8_t *)text, len) == 1;

	EVP_MD_CTX_free(context);
	return is_good;
}

/* ---- writing ---- */

static int put_text(char *text, const struct audit_checkpoint *checkpoint, EVP_PKEY *key)
{
	uint8_t signature[SIGNATURE_MAX];
	size_t n = sizeof(signature);
	int len, err;

	len = snprintf(text, AUDIT_CHECKPOINT_MAX,
		       "{\"agent\":\"%s\",\"file\":%" PRIu64 ",\"number\":%" PRIu64
		       ",\"hash\":\"%s\",\"utc\":\"%s\"", checkpoint->agent, checkpoint->file,
		       checkpoint->point.number, checkpoint->point.hash, checkpoint->utc);
	if (key) {
		err = sign(key, text, (size_t)len, signature, &n);
		if (err)
			return err;
	} else {
		n = 0;
	}
	len += snprintf(text + len, AUDIT_CHECKPOINT_MAX - (size_t)len, SIGNATURE);
	if (n)
		len += EVP_EncodeBlock((uint8_t *)text + len, signature, (int)n);
	return len + snprintf(text + len, AUDIT_CHECKPOINT_MAX - (size_t)len, "\"}\n");
}

static int write_new(int folder, const char *text, size_t len)
{
	int fd = openat(folder, AUDIT_CHECKPOINT_NEW,
			O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	ssize_t n;
	int err;

	if (fd < 0)
		return -errno;
	n = write(fd, text, len);
	err = n < 0 ? -errno : (size_t)n < len ? -ENOSPC : fdatasync(fd) ? -errno : 0;
	close(fd);
	return err;
}

int audit_checkpoint_write(int folder, const struct audit_checkpoint *checkpoint, EVP_PKEY *key)
{
	char *text = malloc(AUDIT_CHECKPOINT_MAX);
	int len, err;

	if (!text)
		return -ENOMEM;
	len = put_text(text, checkpoint, key);
	err = len < 0 ? len : write_new(folder, text, (size_t)len);
	free(text);
	/* The old one stays until the new one is complete on the disk. */
	if (!err && renameat(folder, AUDIT_CHECKPOINT_NEW, folder, AUDIT_CHECKPOINT))
		err = -errno;
	if (!err && fsync(folder))
		err = -errno;
	return err;
}

/* ---- reading ---- */

static int load(int folder, char *text, struct qlink_why *why)
{
	int fd = openat(folder, AUDIT_CHECKPOINT, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	ssize_t n = fd < 0 ? -1 : read(fd, text, AUDIT_CHECKPOINT_MAX);
	int err = n < 0 ? -errno : 0;

	if (fd >= 0)
		close(fd);
	if (err)
		return qlink_refuse(why, err, AUDIT_CHECKPOINT ": %s", strerror(-err));
	if (!n || n == AUDIT_CHECKPOINT_MAX || text[n - 1] != '\n')
		return qlink_refuse(why, -EBADMSG, AUDIT_CHECKPOINT ": not a checkpoint");
	return (int)n - 1;
}

/* All members; a checkpoint begins with one, so that the others are found behind a comma. */
static bool parse(const char *text, size_t len, struct audit_checkpoint *checkpoint)
{
	static const char head[] = "{\"agent\":\"";
	const char *end;

	if (strncmp(text, head, sizeof(head) - 1))
		return false;
	text += sizeof(head) - 1;
	len -= sizeof(head) - 1;
	end = memmem(text, len, "\",\"file\":", 9);
	if (!end || (size_t)(end - text) >= sizeof(checkpoint->agent))
		return false;
	memcpy(checkpoint->agent, text, (size_t)(end - text));
	checkpoint->agent[end - text] = '\0';
	return audit_line_number(text, len, "file", &checkpoint->file) &&
	       audit_line_number(text, len, "number", &checkpoint->point.number) &&
	       audit_line_text(text, len, "hash", checkpoint->point.hash,
			       sizeof(checkpoint->point.hash)) &&
	       strlen(checkpoint->point.hash) == AUDIT_HASH_TEXT - 1 &&
	       audit_line_text(text, len, "utc", checkpoint->utc, sizeof(checkpoint->utc));
}

static int check_signature(const char *text, size_t len, EVP_PKEY *key, struct qlink_why *why)
{
	const char *at = memmem(text, len, SIGNATURE, sizeof(SIGNATURE) - 1), *base64;
	uint8_t signature[SIGNATURE_MAX];
	size_t n;
	int bytes;

	if (!at || memcmp(text + len - 2, "\"}", 2))
		return qlink_refuse(why, -EBADMSG, AUDIT_CHECKPOINT ": has no signature");
	base64 = at + sizeof(SIGNATURE) - 1;
	n = (size_t)(text + len - 2 - base64);
	if (!key)
		return 0;
	if (!n)
		return qlink_refuse(why, -EKEYREJECTED, AUDIT_CHECKPOINT ": is not signed");
	bytes = n / 4 * 3 > sizeof(signature) ? -1 :
		EVP_DecodeBlock(signature, (const uint8_t *)base64, (int)n);
	/* The padding counts as bytes there. */
	bytes -= bytes > 0 ? (base64[n - 1] == '=') + (base64[n - 2] == '=') : 0;
	if (bytes <= 0 || !is_signed_by(key, text, (size_t)(at - text), signature, (size_t)bytes))
		return qlink_refuse(why, -EKEYREJECTED,
				    AUDIT_CHECKPOINT ": its signature is not by that certificate");
	return 0;
}

int audit_checkpoint_read(int folder, struct audit_checkpoint *checkpoint, EVP_PKEY *key,
			  struct qlink_why *why)
{
	char *text = malloc(AUDIT_CHECKPOINT_MAX);
	int len, err;

	if (!text)
		return qlink_refuse(why, -ENOMEM, "no memory");
	len = load(folder, text, why);
	if (len < 0)
		err = len;
	else if (len < 2 || !parse(text, (size_t)len, checkpoint))
		err = qlink_refuse(why, -EBADMSG, AUDIT_CHECKPOINT ": not a checkpoint");
	else
		err = check_signature(text, (size_t)len, key, why);
	free(text);
	return err;
}
