// SPDX-License-Identifier: GPL-2.0-or-later
/* Keys that a ground station delivers, and the command line of qlink-vault. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tap.h"
#include "vault_lab.h"
#include "vaultctl/keys.h"
#include "vaultctl/words.h"

#define ZEROS	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define ONES	"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="
#define TWOS	"AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI="
#define SHORT	"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQ=="

static const char *write_file(const char *text, size_t len)
{
	const char *path = vaults_path("keys");
	FILE *file = fopen(path, "w");

	CHECK(file && fwrite(text, 1, len, file) == len && !fclose(file), "cannot write");
	return path;
}

static const char *write_text(const char *text)
{
	return write_file(text, strlen(text));
}

static struct vault_keys read_list(const char *text)
{
	struct vault_keys keys = { .n = 0 };
	struct qlink_why why = { "" };

	CHECK(!keys_read_list(&keys, write_text(text), &why), "'%s': %s", text, why.text);
	return keys;
}

TEST(a_list_is_sorted_by_its_ids)
{
	struct vault_keys keys;

	vaults_begin();
	keys = read_list("# of pass 17\nid-c," TWOS "\nid-a," ZEROS "\r\n\nid-b," ONES "\nid-d," ZEROS);
	CHECK_NUMBER("keys", keys.n, 4);
	CHECK_NUMBER("bytes", keys.key_bytes, 32);
	CHECK(keys.memory.data && keys.memory.data[0] == 0 && keys.memory.data[32] == 1 && keys.memory.data[64] == 2,
	      "not in order");
	keys_free(&keys);
}

TEST(two_ends_make_the_same_name_from_lists_in_any_form_and_order)
{
	static const char *const same[] = {
		"a," ZEROS "\nb," ONES "\n",
		"b," ONES "\na," ZEROS "\n",
		" {\"keys\": [{\"key_ID\": \"b\", \"key\": \"" ONES "\"}, {\"key_ID\": \"a\", \"key\": \"" ZEROS "\"}]}",
	};
	static const char *const others[] = {
		"a," ONES "\nb," ZEROS "\n",
		"a," ZEROS "\nb," TWOS "\n",
		"a," ZEROS "\nb," ONES "\nc," ZEROS "\nd," ONES "\n",
	};
	uint8_t name[2][VAULT_NAME_BYTES];
	struct vault_keys keys;
	size_t i;

	vaults_begin();
	for (i = 0; i < COUNT(same) + COUNT(others); i++) {
		keys = read_list(i < COUNT(same) ? same[i] : others[i - COUNT(same)]);
		CHECK_NUMBER("name", keys_name(&keys, name[!!i]), 0);
		if (i)
			CHECK_NUMBER("same name", !memcmp(name[0], name[1], sizeof(name[0])), i < COUNT(same));
		keys_free(&keys);
	}
}

TEST(one_key_of_an_odd_number_is_left_out)
{
	struct vault_keys keys;

	vaults_begin();
	keys = read_list("a," ZEROS "\nb," ONES "\nc," TWOS "\n");
	CHECK_NUMBER("keys", keys.n, 2);
	CHECK_NUMBER("left out", keys.n_left_out, 1);
	keys_free(&keys);
}

TEST(a_wrong_list_is_refused_and_no_key_is_quoted)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{ "a," ZEROS "\n", "has 1 keys of 32 bytes, and a vault has 2 or more" },
		{ "a," ZEROS "\nb\n", "line 2: is not ID,KEY" },
		{ "a," ZEROS "\n," ONES "\n", "key 2: its ID has 0 bytes, and needs 1 to 64" },
		{ "a," ZEROS "\na," ONES "\n", "key ID a is there twice" },
		{ "a," ZEROS "\nb," SHORT "\n", "key 2: has 31 bytes, and those before have 32" },
		{ "a," SHORT "\nb," SHORT "\n", "has 2 keys of 31 bytes, and a vault has 2 or more, of 32 bytes or more" },
		{ "a," ZEROS "\nb,AQ=\n", "key 2: is no base64 of 32 to 128 bytes" },
		{ "a," ZEROS "\nb,AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQF=\n", "key 2: is no base64" },
		{ "a," ZEROS "\nb, " ONES "\n", "key 2: is no base64" },
		{ "{", "line 1: is no JSON" },
		{ "{\"keys\": 1}", "has no array \"keys\"" },
		{ "{\"keys\": []}", "has no keys" },
		{ "{\"keys\": [{\"key_ID\": \"a\"}]}", "key 1: lacks key_ID or key" },
		{ "{\"keys\": [1]}", "key 1: lacks key_ID or key" },
	};
	struct vault_keys keys;
	struct qlink_why why;
	size_t i;

	vaults_begin();
	for (i = 0; i < COUNT(rows); i++) {
		memset(&keys, 0, sizeof(keys));
		CHECK(keys_read_list(&keys, write_text(rows[i].text), &why), "taken: '%s'", rows[i].text);
		CHECK(strstr(why.text, rows[i].why), "'%s': '%s'", rows[i].text, why.text);
		CHECK(!strstr(why.text, "AQEB"), "a key is quoted: '%s'", why.text);
		keys_free(&keys);
	}
}

TEST(a_file_of_bytes_is_cut_into_keys)
{
	struct vault_keys keys = { .key_bytes = 32 };
	struct qlink_why why;
	uint8_t bytes[200];

	vaults_begin();
	memset(bytes, 3, sizeof(bytes));
	bytes[64] = 4;
	CHECK_NUMBER("read", keys_read_bytes(&keys, write_file((char *)bytes, sizeof(bytes)), &why), 0);
	CHECK_NUMBER("keys", keys.n, 6);
	CHECK_NUMBER("third", keys.memory.data[64], 4);
	keys_free(&keys);
	keys = (struct vault_keys){ .key_bytes = 32, .n = 8 };
	CHECK_NUMBER("too short", keys_read_bytes(&keys, vaults_path("keys"), &why), -ENODATA);
	CHECK(strstr(why.text, "has fewer than 256 bytes, for 8 keys of 32"), "'%s'", why.text);
	keys_free(&keys);
	keys = (struct vault_keys){ .key_bytes = 32 };
	CHECK_NUMBER("a device", keys_read_bytes(&keys, "/dev/zero", &why), -EINVAL);
	CHECK(strstr(why.text, "so that --keys must say how many"), "'%s'", why.text);
	keys = (struct vault_keys){ .key_bytes = 32, .n = 4 };
	CHECK_NUMBER("a device", keys_read_bytes(&keys, "/dev/zero", &why), 0);
	keys_free(&keys);
}

/* --- the command line --- */

static const struct words *ran;

static int run(const struct words *words)
{
	static struct words copy;

	copy = *words;
	ran = &copy;
	return WORDS_OK;
}

static const struct words_command commands[] = {
	{ "make", WORDS_KEY | WORDS_KEYS | WORDS_BYTES, WORDS_KEY | WORDS_KEYS, run },
	{ "mend", WORDS_KEY | WORDS_SIDE, WORDS_KEY | WORDS_SIDE, run },
	{ NULL, 0, 0, NULL },
};

static int run_words(const char *text, char **said)
{
	static char copy[200];
	char *argv[20], *rest;
	int argc = 0, err;

	strcpy(copy, text);
	for (argv[0] = strtok_r(copy, " ", &rest); argv[argc]; argv[argc] = strtok_r(NULL, " ", &rest))
		argc++;
	ran = NULL;
	optind = 0;
	tap_stderr_begin();
	err = words_run(commands, argc, argv);
	*said = tap_stderr_end();
	return err;
}

TEST(a_wrong_command_line_is_refused)
{
	static const struct {
		const char *line, *why;
	} rows[] = {
		{ "qlink-vault", "usage: qlink-vault make FILE" },
		{ "qlink-vault break f", "qlink-vault: break: no such command; see qlink-vault --help" },
		{ "qlink-vault make", "make needs the file of a vault" },
		{ "qlink-vault make f g", "make takes one file" },
		{ "qlink-vault make f", "make needs --key" },
		{ "qlink-vault make f --key k", "make needs --keys" },
		{ "qlink-vault make f --key k --keys x", "--keys x: not " },
		{ "qlink-vault make f --key k --keys 4194305", "--keys 4194305: not " },
		{ "qlink-vault make f --key k --keys 2 --bytes 31", "--bytes 31: not " },
		{ "qlink-vault make f --key k --keys 2 --side a", "make takes no --side" },
		{ "qlink-vault mend f --key k --side c", "--side c: not a or b" },
		{ "qlink-vault mend f --kex k", "unrecognized option '--kex'" },
	};
	char *said;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		CHECK_NUMBER(rows[i].line, run_words(rows[i].line, &said), WORDS_USAGE);
		CHECK(strstr(said, rows[i].why), "%s: '%s'", rows[i].line, said);
		CHECK(!ran, "%s: ran", rows[i].line);
	}
	CHECK_NUMBER("mend", run_words("qlink-vault mend f -k key -s b", &said), WORDS_OK);
	CHECK(ran && !strcmp(ran->file, "f") && !strcmp(ran->key, "key") && ran->side == VAULT_SIDE_B, "other words");
}
