// SPDX-License-Identifier: GPL-2.0-or-later
/* A pre-shared key of TLS, which stands for the certificates of both ends. */
#include "psk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/hex.h"
#include "pem.h"

static int decode(struct psk *psk, const struct pem *file, struct qlink_why *why)
{
	const char *text = (const char *)file->text.data;
	size_t len = file->len;
	ssize_t n;

	if (len && text[len - 1] == '\n')
		len--;
	if (len && text[len - 1] == '\r')
		len--;
	n = qlink_hex_decode(text, len, psk->key.data, PSK_BYTES_MAX);
	if (n < PSK_BYTES_MIN || n > PSK_BYTES_MAX)
		return pem_refuse(file, why, "must have %d to %d hexadecimal digits, two for each byte, in one line",
				  2 * PSK_BYTES_MIN, 2 * PSK_BYTES_MAX);
	psk->len = (size_t)n;
	return 0;
}

int psk_load(struct psk *psk, const char *id, const char *path, enum psk_hash hash, struct qlink_why *why)
{
	struct pem file = { .use = "psk-file", .path = path };
	int err = pem_read(&file, true, why);

	psk->hash = hash;
	psk->id = strdup(id);
	if (!err && (!psk->id || qlink_secret_new(&psk->key, PSK_BYTES_MAX)))
		err = qlink_refuse(why, -ENOMEM, "no memory");
	if (!err)
		err = decode(psk, &file, why);
	pem_free(&file);
	return err;
}

void psk_free(struct psk *psk)
{
	free(psk->id);
	qlink_secret_free(&psk->key);
	psk->id = NULL;
	psk->len = 0;
}

bool psk_same(const struct psk *a, const struct psk *b)
{
	if (!a->id || !b->id)
		return a->id == b->id;
	return !strcmp(a->id, b->id) && a->hash == b->hash && a->len == b->len &&
	       !memcmp(a->key.data, b->key.data, a->len);
}
