// SPDX-License-Identifier: GPL-2.0-or-later
/* qlink-vault: makes a sealed store of keys that is carried by hand, and shows how far it is spent. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>

#include <jansson.h>
#include <openssl/crypto.h>

#include "common/secret.h"
#include "common/wipe.h"
#include "keys.h"
#include "show.h"
#include "vault/make.h"
#include "words.h"

#define DEFAULT_KEY_BYTES	32

static int fail(const struct qlink_why *why)
{
	fprintf(stderr, "qlink-vault: %s\n", why->text);
	return WORDS_FAILED;
}

/* --- making --- */

/* Without keys in memory they are random. */
static int next_key(void *arg, uint64_t number, uint8_t *key, struct qlink_why *why)
{
	const struct vault_keys *keys = arg;

	if (keys->memory.data) {
		memcpy(key, keys->memory.data + number * keys->key_bytes, keys->key_bytes);
		return 0;
	}
	return getrandom(key, keys->key_bytes, 0) == (ssize_t)keys->key_bytes ? 0 :
	       qlink_refuse(why, -1, "no random numbers");
}

static int make_vault(const struct words *words, struct vault_keys *keys, struct vault_layout *layout)
{
	struct qlink_why why;

	layout->key_bytes = keys->key_bytes;
	layout->n_keys = keys->n;
	layout->made_s = (uint64_t)time(NULL);
	if (words->label)
		memcpy(layout->label, words->label, strlen(words->label));
	if (vault_make(words->file, layout, words->key, next_key, keys, &why))
		return fail(&why);
	if (keys->n_left_out)
		printf("%" PRIu64 " key left out: both sides have as many\n", keys->n_left_out);
	printf("%s: %" PRIu64 " keys of %" PRIu32 " bytes, half of them for each side\n", words->file, keys->n,
	       keys->key_bytes);
	return fflush(stdout) ? WORDS_FAILED : WORDS_OK;
}

static int make_run(const struct words *words)
{
	struct vault_keys keys = { .key_bytes = (uint32_t)(words->n_bytes ?: DEFAULT_KEY_BYTES), .n = words->n_keys };
	struct vault_layout layout = { .label = "" };
	struct qlink_why why;
	int err;

	if (words->n_keys % 2) {
		qlink_refuse(&why, -1, "--keys %" PRIu64 ": must be even, so that each side has half", words->n_keys);
		return fail(&why);
	}
	if (getrandom(layout.name, sizeof(layout.name), 0) != sizeof(layout.name)) {
		qlink_refuse(&why, -1, "no random numbers");
		return fail(&why);
	}
	if (words->from && keys_read_bytes(&keys, words->from, &why))
		err = fail(&why);
	else
		err = make_vault(words, &keys, &layout);
	keys_free(&keys);
	return err;
}

static int import_run(const struct words *words)
{
	struct vault_keys keys = { .key_bytes = (uint32_t)words->n_bytes };
	struct vault_layout layout = { .label = "" };
	struct qlink_why why;
	int err;

	err = words->n_bytes ? keys_read_bytes(&keys, words->from, &why) : keys_read_list(&keys, words->from, &why);
	if (!err) {
		err = keys_name(&keys, layout.name);
		if (err)
			qlink_refuse(&why, err, "OpenSSL fails");
	}
	err = err ? fail(&why) : make_vault(words, &keys, &layout);
	keys_free(&keys);
	return err;
}

/* --- looking --- */

static int open_vault(struct vault **vault, const struct words *words)
{
	const struct vault_place place = { .path = words->file, .key_path = words->key, .takes_any_side = true };
	struct qlink_why why;

	return vault_open(vault, &place, &why) ? fail(&why) : WORDS_OK;
}

static int show_run(const struct words *words)
{
	struct vault *vault;
	int err = open_vault(&vault, words);

	if (err)
		return err;
	err = show_vault(vault, NULL, words->json) ? WORDS_FAILED : WORDS_OK;
	vault_close(vault);
	return err;
}

static int check_run(const struct words *words)
{
	struct vault_report report;
	struct qlink_why why;
	struct vault *vault;
	int err = open_vault(&vault, words);

	if (err)
		return err;
	if (vault_check(vault, &report, &why))
		err = fail(&why);
	else if (show_vault(vault, &report, words->json) || report.damaged || report.readable)
		err = WORDS_FAILED;
	vault_close(vault);
	return err;
}

/* --- changing --- */

static int skip_run(const struct words *words)
{
	uint64_t number, n;
	struct qlink_why why;
	struct vault *vault;
	int err = open_vault(&vault, words);

	if (err)
		return err;
	if (vault_id_read(vault_layout(vault), words->to, &number, &why) ||
	    vault_skip(vault, number, vault_side_of(vault_layout(vault), number), &n, &why))
		err = fail(&why);
	else
		printf("%" PRIu64 " keys before %s spent\n", n, words->to);
	vault_close(vault);
	return err;
}

static int mend_run(const struct words *words)
{
	const struct vault_place place = { .path = words->file, .key_path = words->key, .side = words->side };
	struct qlink_why why;
	struct vault *vault;
	int err;

	if (vault_mend(&vault, &place, &why))
		return fail(&why);
	err = show_vault(vault, NULL, false) ? WORDS_FAILED : WORDS_OK;
	vault_close(vault);
	return err;
}

static const struct words_command commands[] = {
	{ "check", WORDS_KEY | WORDS_JSON, WORDS_KEY, check_run },
	{ "import", WORDS_KEY | WORDS_FROM | WORDS_BYTES | WORDS_LABEL, WORDS_KEY | WORDS_FROM, import_run },
	{ "make", WORDS_KEY | WORDS_KEYS | WORDS_BYTES | WORDS_FROM | WORDS_LABEL, WORDS_KEY | WORDS_KEYS, make_run },
	{ "mend", WORDS_KEY | WORDS_SIDE, WORDS_KEY | WORDS_SIDE, mend_run },
	{ "show", WORDS_KEY | WORDS_JSON, WORDS_KEY, show_run },
	{ "skip", WORDS_KEY | WORDS_TO, WORDS_KEY | WORDS_TO, skip_run },
	{ NULL, 0, 0, NULL },
};

int main(int argc, char **argv)
{
	qlink_secret_harden();
	/* What it makes is sealed, and still nobody else's. */
	umask(077);
	json_set_alloc_funcs(qlink_wipe_malloc, qlink_wipe_free);
	return words_run(commands, argc, argv);
}
