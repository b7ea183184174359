// SPDX-License-Identifier: GPL-2.0-or-later
/* libFuzzer on what comes to a vault from elsewhere: its header, key IDs of the peer, and lists of keys. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vault/layout.h"
#include "vaultctl/keys.h"

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void check_head(const uint8_t *data, size_t len)
{
	uint8_t head[VAULT_HEAD_BYTES] = { 0 }, again[VAULT_HEAD_BYTES];
	struct vault_layout layout, read;
	struct qlink_why why = { "" };

	memcpy(head, data, len < sizeof(head) ? len : sizeof(head));
	if (vault_layout_read(&layout, head, &why)) {
		must(why.text[0]);
		return;
	}
	must(!vault_layout_check(&layout, &why));
	vault_layout_write(&layout, again);
	must(!vault_layout_read(&read, again, &why) && !memcmp(&layout, &read, sizeof(read)));
	must(vault_record_at(&layout, layout.n_keys) > VAULT_HEAD_BYTES);
}

/* An ID that is taken is the one that is written for its key. */
static void check_id(const uint8_t *data, size_t len)
{
	const struct vault_layout layout = { .name = "0123456789abcde", .key_bytes = 32, .n_keys = 1000 };
	char text[80] = "3031323334353637", again[VAULT_ID_ROOM];
	struct qlink_why why = { "" };
	uint64_t number;

	memcpy(text + 16, data, len < 60 ? len : 60);
	if (vault_id_read(&layout, text, &number, &why)) {
		must(why.text[0]);
		return;
	}
	must(number < layout.n_keys);
	vault_id_write(&layout, number, again);
	must(!strcmp(text, again));
}

static void check_list(const uint8_t *data, size_t len)
{
	struct vault_keys keys = { .n = 0 };
	struct qlink_why why = { "" };
	int fd = memfd_create("list", 0);
	char path[40];

	must(fd >= 0 && write(fd, data, len) == (ssize_t)len);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (keys_read_list(&keys, path, &why))
		must(why.text[0]);
	else
		must(keys.n >= 2 && keys.n % 2 == 0 && keys.key_bytes >= VAULT_KEY_BYTES_MIN &&
		     keys.key_bytes <= VAULT_KEY_BYTES_MAX && keys.memory.len == keys.n * keys.key_bytes);
	keys_free(&keys);
	close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	check_head(data, len);
	check_id(data, len);
	check_list(data, len);
	return 0;
}
