// SPDX-License-Identifier: GPL-2.0-or-later
/* Vaults that a test makes, copies, damages and uses: keys that tell their number. */
#include "vault_lab.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tap.h"

static char folder[] = "/tmp/vault.XXXXXX";

const char *vaults_path(const char *name)
{
	static char path[4][128];
	static int turn;

	turn = (turn + 1) % 4;
	snprintf(path[turn], sizeof(path[turn]), "%s/%s", folder, name);
	return path[turn];
}

static void empty(void)
{
	char command[160];

	snprintf(command, sizeof(command), "rm -rf %s/*", folder);
	CHECK_NUMBER(command, system(command), 0);
}

__attribute__((destructor))
static void tidy(void)
{
	if (strstr(folder, "XXXXXX"))
		return;
	empty();
	rmdir(folder);
}

void vaults_begin(void)
{
	uint8_t key[40];
	int fd;

	if (strstr(folder, "XXXXXX"))
		CHECK(mkdtemp(folder), "mkdtemp: %s", strerror(errno));
	empty();
	memset(key, 7, sizeof(key));
	fd = open(vaults_path("key"), O_WRONLY | O_CREAT, 0600);
	CHECK_NUMBER("key file", write(fd, key, sizeof(key)), sizeof(key));
	close(fd);
}

static int next(void *arg, uint64_t number, uint8_t *key, struct qlink_why *why)
{
	(void)arg;
	(void)why;
	memset(key, 0xa5, LAB_KEY_BYTES);
	memcpy(key, &number, sizeof(number));
	return 0;
}

static struct vault_layout layout_of(uint64_t n_keys)
{
	return (struct vault_layout){ .name = "qlink vault lab", .key_bytes = LAB_KEY_BYTES, .n_keys = n_keys,
				      .label = "the lab" };
}

void vaults_make(const char *name, uint64_t n_keys)
{
	struct vault_layout layout = layout_of(n_keys);
	struct qlink_why why = { "" };

	CHECK_NUMBER("make", vault_make(vaults_path(name), &layout, vaults_path("key"), next, NULL, &why), 0);
	CHECK_TEXT("make", why.text, "");
}

void vaults_copy(const char *from, const char *to)
{
	int in = open(vaults_path(from), O_RDONLY), out = open(vaults_path(to), O_WRONLY | O_CREAT | O_TRUNC, 0600);
	uint8_t part[4096];
	ssize_t n;

	CHECK(in >= 0 && out >= 0, "copy %s to %s: %s", from, to, strerror(errno));
	while ((n = read(in, part, sizeof(part))) > 0)
		CHECK_NUMBER("write", write(out, part, (size_t)n), n);
	close(in);
	close(out);
}

void vaults_flip(const char *name, uint64_t at)
{
	int fd = open(vaults_path(name), O_RDWR);
	uint8_t byte = 0;

	CHECK_NUMBER("pread", pread(fd, &byte, 1, (off_t)at), 1);
	byte ^= 0x10;
	CHECK_NUMBER("pwrite", pwrite(fd, &byte, 1, (off_t)at), 1);
	close(fd);
}

void vaults_cut(const char *name, uint64_t len)
{
	CHECK_NUMBER("truncate", truncate(vaults_path(name), (off_t)len), 0);
}

int vaults_open(struct vault **vault, const char *name, enum vault_side side, struct qlink_why *why)
{
	const struct vault_place place = { .path = vaults_path(name), .key_path = vaults_path("key"), .side = side };

	why->text[0] = '\0';
	return vault_open(vault, &place, why);
}

struct vault *vaults_must_open(const char *name, enum vault_side side)
{
	struct vault *vault = NULL;
	struct qlink_why why;

	CHECK(!vaults_open(&vault, name, side, &why), "open %s: %s", name, why.text);
	return vault;
}

bool vaults_is_right(const struct vault_key *key)
{
	uint8_t want[LAB_KEY_BYTES];

	next(NULL, key->number, want, NULL);
	return !memcmp(key->bytes, want, sizeof(want));
}

const char *vaults_id(uint64_t n_keys, uint64_t number)
{
	static char id[8][VAULT_ID_ROOM];
	const struct vault_layout layout = layout_of(n_keys);
	static int turn;

	turn = (turn + 1) % 8;
	vault_id_write(&layout, number, id[turn]);
	return id[turn];
}

static int check_keys(const struct vault_key *keys, int n)
{
	int i;

	for (i = 0; i < n; i++)
		CHECK(vaults_is_right(&keys[i]), "key %llu has other bytes", (unsigned long long)keys[i].number);
	return n;
}

int vaults_take(const char *name, enum vault_side side, size_t n, struct vault_key *keys, struct qlink_why *why)
{
	struct vault *vault;
	int got = vaults_open(&vault, name, side, why);

	if (got)
		return got;
	got = vault_take(vault, keys, n, why);
	vault_close(vault);
	return check_keys(keys, got);
}

int vaults_fetch(const char *name, enum vault_side side, uint64_t n_keys, const uint64_t *numbers, size_t n,
	      struct vault_key *keys, struct qlink_why *why)
{
	char ids[64][VAULT_ID_ROOM];
	const char *texts[64];
	struct vault *vault;
	size_t i;
	int got;

	for (i = 0; i < n; i++)
		texts[i] = strcpy(ids[i], vaults_id(n_keys, numbers[i]));
	got = vaults_open(&vault, name, side, why);
	if (got)
		return got;
	got = vault_fetch(vault, keys, texts, n, why);
	vault_close(vault);
	return check_keys(keys, got);
}
