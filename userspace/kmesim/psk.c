// SPDX-License-Identifier: GPL-2.0-or-later
/* Pre-shared keys of TLS, by which a KME recognizes SAEs without certificates. */
#include "psk.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/hex.h"

/* As qlinkd has it. */
#define BYTES_MIN	32
#define LINE_MAX_BYTES	(2 * CHANNEL_PSK_MAX + 3)

/* Index of the SAE in a connection whose client named its key. */
static int sae_index = -1;

static int read_line(const char *path, char line[LINE_MAX_BYTES], struct qlink_why *why)
{
	FILE *file = fopen(path, "re");
	char *got;

	if (!file) {
		qlink_refuse(why, 0, "%.200s: %s", path, strerror(errno));
		return -1;
	}
	setvbuf(file, NULL, _IONBF, 0);
	got = fgets(line, LINE_MAX_BYTES, file);
	fclose(file);
	if (!got)
		line[0] = '\0';
	return 0;
}

int psk_load(struct sae *sae, const char *id, const char *path, struct qlink_why *why)
{
	char line[LINE_MAX_BYTES];
	ssize_t n;

	if (strlen(id) >= sizeof(sae->psk_id)) {
		qlink_refuse(why, 0, "psk-id: too long");
		return -1;
	}
	if (read_line(path, line, why))
		return -1;
	n = qlink_hex_decode(line, strcspn(line, "\r\n"), sae->psk, sizeof(sae->psk));
	explicit_bzero(line, sizeof(line));
	if (n < BYTES_MIN || n > CHANNEL_PSK_MAX) {
		qlink_refuse(why, 0, "%.200s: must have %d to %d hexadecimal digits", path, 2 * BYTES_MIN,
			     2 * CHANNEL_PSK_MAX);
		return -1;
	}
	sae->psk_len = (size_t)n;
	strcpy(sae->psk_id, id);
	return 0;
}

bool psk_is_used(const struct etsi *etsi)
{
	const struct sae *sae;

	LIST_FOREACH(sae, &etsi->channel->saes, next)
		if (sae->side == etsi->side && sae->psk_len)
			return true;
	return false;
}

/* Finds the SAE whose key a client names. */
static const struct sae *find(SSL *ssl, const unsigned char *id, size_t len)
{
	const struct etsi *etsi = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
	const struct sae *sae;

	LIST_FOREACH(sae, &etsi->channel->saes, next) {
		if (sae->side == etsi->side && sae->psk_len && strlen(sae->psk_id) == len &&
		    !memcmp(sae->psk_id, id, len)) {
			SSL_set_ex_data(ssl, sae_index, (void *)sae);
			return sae;
		}
	}
	return NULL;
}

/* For TLS 1.3. Returns 0 only if the connection cannot go on; without a session there may be certificates. */
static int find_session(SSL *ssl, const unsigned char *id, size_t len, SSL_SESSION **session)
{
	static const unsigned char suites[][2] = {
		[PSK_HASH_SHA384] = { 0x13, 0x02 },
		[PSK_HASH_SHA256] = { 0x13, 0x01 },
	};
	const struct etsi *etsi = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
	const struct sae *sae = find(ssl, id, len);

	*session = sae ? SSL_SESSION_new() : NULL;
	if (!*session)
		return 1;
	return SSL_SESSION_set1_master_key(*session, sae->psk, sae->psk_len) &&
	       SSL_SESSION_set_cipher(*session, SSL_CIPHER_find(ssl, suites[etsi->settings.value[SETTING_PSK_HASH]])) &&
	       SSL_SESSION_set_protocol_version(*session, TLS1_3_VERSION);
}

/* For TLS 1.2. */
static unsigned int find_key(SSL *ssl, const char *id, unsigned char *key, unsigned int room)
{
	const struct sae *sae = find(ssl, (const unsigned char *)id, strlen(id));

	if (SSL_version(ssl) >= TLS1_3_VERSION || !sae || sae->psk_len > room)
		return 0;
	memcpy(key, sae->psk, sae->psk_len);
	return (unsigned int)sae->psk_len;
}

void psk_accept(SSL_CTX *tls, struct etsi *etsi)
{
	if (sae_index < 0)
		sae_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	SSL_CTX_set_app_data(tls, etsi);
	SSL_CTX_set_dh_auto(tls, 1);
	SSL_CTX_set_psk_find_session_callback(tls, find_session);
	SSL_CTX_set_psk_server_callback(tls, find_key);
}

/* A key that a client names may also be of no use, and then certificates are. No other session is resumed. */
const struct sae *psk_sae(const SSL *ssl)
{
	const SSL_CIPHER *suite = SSL_get_current_cipher(ssl);
	bool is_used = SSL_version(ssl) >= TLS1_3_VERSION ? SSL_session_reused(ssl) :
		       suite && SSL_CIPHER_get_auth_nid(suite) == NID_auth_psk;

	return is_used && sae_index >= 0 ? SSL_get_ex_data(ssl, sae_index) : NULL;
}
