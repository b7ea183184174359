// SPDX-License-Identifier: GPL-2.0
/* Seals parcels: section 2 of kmod/PROTOCOL.md. */
#include "sealer.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

#define HEADER_BYTES	16
#define TAG_BYTES	16
#define NONCE_BYTES	12
#define KEY_BYTES	32
#define TYPE_PARCEL	3
#define VERSION		1

struct sealer {
	EVP_CIPHER_CTX *context;
	uint8_t key[KEY_BYTES], salt[NONCE_BYTES];
};

struct sealer *sealer_new(const char *path)
{
	struct sealer *sealer = calloc(1, sizeof(*sealer));
	FILE *file = fopen(path, "r");
	bool is_read = file && fread(sealer->key, KEY_BYTES, 1, file) == 1 &&
		       fread(sealer->salt, NONCE_BYTES, 1, file) == 1;

	if (file)
		fclose(file);
	sealer->context = EVP_CIPHER_CTX_new();
	if (is_read && sealer->context &&
	    EVP_EncryptInit_ex(sealer->context, EVP_aes_256_gcm(), NULL, sealer->key, NULL))
		return sealer;
	sealer_free(sealer);
	return NULL;
}

static void put(uint8_t *at, uint64_t value, unsigned int bytes)
{
	while (bytes--) {
		at[bytes] = (uint8_t)value;
		value >>= 8;
	}
}

uint32_t sealer_seal(struct sealer *sealer, uint8_t *frame, const struct maker_parcel *parcel)
{
	uint8_t nonce[NONCE_BYTES], *out = frame + HEADER_BYTES;
	EVP_CIPHER_CTX *context = sealer->context;
	int n;

	put(frame, VERSION << 4 | TYPE_PARCEL, 1);
	put(frame + 1, parcel->lane, 1);
	put(frame + 2, SEALER_LINK_ID, 2);
	put(frame + 4, parcel->epoch, 6);
	put(frame + 10, parcel->sequence, 6);

	put(nonce, parcel->epoch, 5);
	put(nonce + 5, parcel->lane, 1);
	put(nonce + 6, parcel->sequence, 6);
	for (n = 0; n < NONCE_BYTES; n++)
		nonce[n] ^= sealer->salt[n];

	if (!EVP_EncryptInit_ex(context, NULL, NULL, NULL, nonce) ||
	    !EVP_EncryptUpdate(context, NULL, &n, frame, HEADER_BYTES) ||
	    !EVP_EncryptUpdate(context, out, &n, parcel->plaintext, (int)parcel->bytes) ||
	    !EVP_EncryptFinal_ex(context, out + parcel->bytes, &n) ||
	    !EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, TAG_BYTES, out + parcel->bytes))
		abort();
	return parcel->bytes + SEALER_OVERHEAD;
}

void sealer_free(struct sealer *sealer)
{
	if (!sealer)
		return;
	EVP_CIPHER_CTX_free(sealer->context);
	free(sealer);
}
