// SPDX-License-Identifier: GPL-2.0-or-later
/* The pre-shared secret of a link, from its file. */
#include "preshared.h"

#include <errno.h>
#include <string.h>

#include <openssl/crypto.h>

#include "qlinkd/credentials/pem.h"

int preshared_load(struct exchange *x, const char *path, struct qlink_why *why)
{
	struct pem file = { .use = "psk", .path = path };
	struct bytes psk;
	int err;

	if (!path)
		return 0;
	err = pem_read(&file, true, why);
	psk = (struct bytes){ file.text.data, file.len };
	if (!err && (psk.len < MIX_PSK_BYTES_MIN || psk.len > PRESHARED_BYTES_MAX))
		err = pem_refuse(&file, why, "has %zu bytes; a pre-shared secret has %u to %u, which are random",
				 psk.len, MIX_PSK_BYTES_MIN, PRESHARED_BYTES_MAX);
	if (!err && exchange_set_psk(x, &psk))
		err = pem_refuse(&file, why, "OpenSSL failed");
	pem_free(&file);
	return err;
}

bool preshared_is_same(const struct exchange *x, const char *path)
{
	struct qlink_secret memory;
	struct exchange *other;
	struct qlink_why why;
	bool is_same;

	if (!path || !x->has_psk)
		return !path == !x->has_psk;
	if (qlink_secret_new(&memory, sizeof(*other)))
		return false;
	other = (struct exchange *)memory.data;
	is_same = !preshared_load(other, path, &why) &&
		  !CRYPTO_memcmp(other->psk_prk, x->psk_prk, sizeof(x->psk_prk));
	qlink_secret_free(&memory);
	return is_same;
}

const char *preshared_words(enum session_psk psk)
{
	switch (psk) {
	case SESSION_PSK_ONLY_PEER:
		return "the peer has a pre-shared secret (psk) for this link, this end has none";
	case SESSION_PSK_ONLY_OWN:
		return "this end has a pre-shared secret (psk) for this link, the peer has none";
	default:
		return "the pre-shared secrets (psk) of the two ends differ; the files must be the same";
	}
}
