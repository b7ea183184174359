// SPDX-License-Identifier: GPL-2.0-or-later
/* The keys that go into a vault: random ones, those of a file of bytes, or a list with IDs. */
#include "keys.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>
#include <openssl/evp.h>

#define NAME_LABEL	"qlink vault 1 name"
#define ID_MAX		64
/* Bytes of a list, at most: so many keys, each with its ID. */
#define LIST_MAX	((size_t)1 << 30)
/* Base64 of the longest key, and more than fits. */
#define BASE64_MAX	((VAULT_KEY_BYTES_MAX + 2) / 3 * 4)

/* A key of a list; secret. */
struct entry {
	char id[ID_MAX + 1];
	uint8_t bytes[VAULT_KEY_BYTES_MAX];
};

struct list {
	const char *path;
	struct qlink_secret memory;
	size_t n, room;
	uint32_t key_bytes;
};

static int refuse_errno(const char *path, int err, struct qlink_why *why)
{
	return qlink_refuse(why, err, "%.200s: cannot be read: %s", path, strerror(-err));
}

/* --- bytes --- */

static int read_all(int fd, uint8_t *to, size_t len)
{
	ssize_t got;

	while (len) {
		got = read(fd, to, len);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got ? -errno : -ENODATA;
		to += got;
		len -= (size_t)got;
	}
	return 0;
}

static int read_bytes(struct vault_keys *keys, int fd, const char *path, struct qlink_why *why)
{
	struct stat stat;
	int err;

	if (fstat(fd, &stat))
		return refuse_errno(path, -errno, why);
	if (!keys->n && !S_ISREG(stat.st_mode))
		return qlink_refuse(why, -EINVAL, "%.200s: is no regular file, so that --keys must say how many", path);
	if (!keys->n) {
		keys->n = (uint64_t)stat.st_size / keys->key_bytes;
		keys->n_left_out = keys->n % 2;
		keys->n -= keys->n_left_out;
	}
	if (!keys->n || keys->n > VAULT_KEYS_MAX)
		return qlink_refuse(why, -EINVAL, "%.200s: has %" PRIu64 " keys of %u bytes, and a vault has 2 to %d",
				    path, keys->n, keys->key_bytes, VAULT_KEYS_MAX);
	if (qlink_secret_new(&keys->memory, keys->n * keys->key_bytes))
		return qlink_refuse(why, -ENOMEM, "%.200s: no locked memory for its keys; see RLIMIT_MEMLOCK", path);
	err = read_all(fd, keys->memory.data, keys->memory.len);
	if (err == -ENODATA)
		return qlink_refuse(why, err, "%.200s: has fewer than %zu bytes, for %" PRIu64 " keys of %u", path,
				    keys->memory.len, keys->n, keys->key_bytes);
	return err ? refuse_errno(path, err, why) : 0;
}

int keys_read_bytes(struct vault_keys *keys, const char *path, struct qlink_why *why)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), err;

	if (fd < 0)
		return refuse_errno(path, -errno, why);
	err = read_bytes(keys, fd, path, why);
	close(fd);
	return err;
}

/* --- lists --- */

static struct entry *entries(const struct list *list)
{
	return (struct entry *)list->memory.data;
}

static int make_room(struct list *list, size_t room, struct qlink_why *why)
{
	list->room = room;
	if (!room)
		return qlink_refuse(why, -EINVAL, "%.200s: has no keys", list->path);
	if (room > VAULT_KEYS_MAX)
		return qlink_refuse(why, -EINVAL, "%.200s: has %zu keys, and a vault has at most %d", list->path, room,
				    VAULT_KEYS_MAX);
	if (qlink_secret_new(&list->memory, room * sizeof(struct entry)))
		return qlink_refuse(why, -ENOMEM, "%.200s: no locked memory for %zu keys; see RLIMIT_MEMLOCK",
				    list->path, room);
	return 0;
}

/* Canonical base64 (RFC 4648, 3.5). Returns the length, or -1. */
static int decode(const char *text, size_t len, uint8_t *bytes)
{
	uint8_t decoded[BASE64_MAX / 4 * 3 + 1], encoded[BASE64_MAX + 1];
	int n = -1;

	if (!len || len > BASE64_MAX || len % 4)
		return -1;
	n = EVP_DecodeBlock(decoded, (const unsigned char *)text, (int)len);
	if (n > 0)
		n -= (text[len - 1] == '=') + (text[len - 2] == '=');
	if (n > VAULT_KEY_BYTES_MAX || n <= 0 || EVP_EncodeBlock(encoded, decoded, n) != (int)len ||
	    memcmp(encoded, text, len))
		n = -1;
	else
		memcpy(bytes, decoded, (size_t)n);
	explicit_bzero(decoded, sizeof(decoded));
	explicit_bzero(encoded, sizeof(encoded));
	return n;
}

/* Adds the key that stands at @place, counted from 1: a line, or a member of "keys". */
static int add(struct list *list, size_t place, const char *id, size_t id_len, const char *text, size_t len,
	       struct qlink_why *why)
{
	struct entry *entry = &entries(list)[list->n];
	int n;

	if (!id_len || id_len > ID_MAX)
		return qlink_refuse(why, -EINVAL, "%.200s: key %zu: its ID has %zu bytes, and needs 1 to %d", list->path,
				    place, id_len, ID_MAX);
	n = decode(text, len, entry->bytes);
	if (n < 0)
		return qlink_refuse(why, -EINVAL, "%.200s: key %zu: is no base64 of %d to %d bytes", list->path, place,
				    VAULT_KEY_BYTES_MIN, VAULT_KEY_BYTES_MAX);
	if (!list->key_bytes)
		list->key_bytes = (uint32_t)n;
	if ((uint32_t)n != list->key_bytes)
		return qlink_refuse(why, -EINVAL, "%.200s: key %zu: has %d bytes, and those before have %u", list->path,
				    place, n, list->key_bytes);
	memcpy(entry->id, id, id_len);
	entry->id[id_len] = '\0';
	list->n++;
	return 0;
}

static int take_json(struct list *list, const struct qlink_secret *text, struct qlink_why *why)
{
	json_error_t error;
	json_t *root = json_loadb((const char *)text->data, text->len, JSON_REJECT_DUPLICATES, &error), *member;
	const json_t *keys = json_object_get(root, "keys");
	const char *id, *key;
	size_t i;
	int err = 0;

	if (!root)
		return qlink_refuse(why, -EINVAL, "%.200s: line %d: is no JSON", list->path, error.line);
	err = json_is_array(keys) ? make_room(list, json_array_size(keys), why) :
	      qlink_refuse(why, -EINVAL, "%.200s: has no array \"keys\"", list->path);
	for (i = 0; !err && i < list->room; i++) {
		member = json_array_get(keys, i);
		id = json_string_value(json_object_get(member, "key_ID"));
		key = json_string_value(json_object_get(member, "key"));
		err = id && key ? add(list, i + 1, id, strlen(id), key, strlen(key), why) :
		      qlink_refuse(why, -EINVAL, "%.200s: key %zu: lacks key_ID or key", list->path, i + 1);
	}
	json_decref(root);
	return err;
}

static size_t count_lines(const char *text, const char *end)
{
	size_t n = 0;

	for (; text < end; text++)
		n += *text == '\n' || text + 1 == end;
	return n;
}

static int take_lines(struct list *list, const struct qlink_secret *text, struct qlink_why *why)
{
	const char *at = (const char *)text->data, *end = at + text->len, *stop, *comma;
	size_t line = 0;
	int err = make_room(list, count_lines(at, end), why);

	for (; !err && at < end; at = stop + 1) {
		stop = memchr(at, '\n', (size_t)(end - at)) ?: end;
		line++;
		comma = memchr(at, ',', (size_t)(stop - at));
		if (stop == at || *at == '#')
			continue;
		if (!comma)
			return qlink_refuse(why, -EINVAL, "%.200s: line %zu: is not ID,KEY", list->path, line);
		err = add(list, line, at, (size_t)(comma - at), comma + 1,
			  (size_t)(stop - comma - 1) - (stop[-1] == '\r'), why);
	}
	return err;
}

static int load(struct list *list, struct qlink_secret *text, struct qlink_why *why)
{
	int fd = open(list->path, O_RDONLY | O_CLOEXEC), err = 0;
	struct stat stat;

	if (fd < 0 || fstat(fd, &stat))
		err = refuse_errno(list->path, -errno, why);
	else if (!S_ISREG(stat.st_mode) || !stat.st_size || (size_t)stat.st_size > LIST_MAX)
		err = qlink_refuse(why, -EINVAL, "%.200s: is no regular file of 1 byte to 1 GiB", list->path);
	else if (qlink_secret_new(text, (size_t)stat.st_size))
		err = qlink_refuse(why, -ENOMEM, "%.200s: no locked memory for it; see RLIMIT_MEMLOCK", list->path);
	if (!err) {
		err = read_all(fd, text->data, text->len);
		if (err)
			refuse_errno(list->path, err, why);
	}
	if (fd >= 0)
		close(fd);
	return err;
}

static int compare_ids(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->id, ((const struct entry *)b)->id);
}

/* Sorts the list in place, where no library keeps a copy, and takes its keys. */
static int take_sorted(struct vault_keys *keys, struct list *list, struct qlink_why *why)
{
	struct entry *all = entries(list);
	size_t i;

	if (list->n < 2 || list->key_bytes < VAULT_KEY_BYTES_MIN)
		return qlink_refuse(why, -EINVAL, "%.200s: has %zu keys of %u bytes, and a vault has 2 or more, of %d "
				    "bytes or more", list->path, list->n, list->key_bytes, VAULT_KEY_BYTES_MIN);
	qsort(all, list->n, sizeof(*all), compare_ids);
	for (i = 1; i < list->n; i++) {
		if (!strcmp(all[i - 1].id, all[i].id))
			return qlink_refuse(why, -EINVAL, "%.200s: key ID %.64s is there twice", list->path, all[i].id);
	}
	keys->key_bytes = list->key_bytes;
	keys->n_left_out = list->n % 2;
	keys->n = list->n - keys->n_left_out;
	if (qlink_secret_new(&keys->memory, keys->n * keys->key_bytes))
		return qlink_refuse(why, -ENOMEM, "%.200s: no locked memory for its keys", list->path);
	for (i = 0; i < keys->n; i++)
		memcpy(keys->memory.data + i * keys->key_bytes, all[i].bytes, keys->key_bytes);
	return 0;
}

static bool is_json(const uint8_t *text, size_t len)
{
	while (len && isspace(*text)) {
		text++;
		len--;
	}
	return len && *text == '{';
}

int keys_read_list(struct vault_keys *keys, const char *path, struct qlink_why *why)
{
	struct qlink_secret text = { NULL, 0, 0 };
	struct list list = { .path = path };
	int err = load(&list, &text, why);

	if (!err)
		err = is_json(text.data, text.len) ? take_json(&list, &text, why) : take_lines(&list, &text, why);
	if (!err)
		err = take_sorted(keys, &list, why);
	qlink_secret_free(&list.memory);
	qlink_secret_free(&text);
	return err;
}

/* --- all --- */

int keys_name(const struct vault_keys *keys, uint8_t *name)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	uint8_t digest[EVP_MAX_MD_SIZE], sizes[8];
	int i, err;

	for (i = 0; i < 4; i++) {
		sizes[i] = (uint8_t)(keys->key_bytes >> (24 - 8 * i));
		sizes[4 + i] = (uint8_t)(keys->n >> (24 - 8 * i));
	}
	err = context && EVP_DigestInit_ex(context, EVP_sha384(), NULL) &&
	      EVP_DigestUpdate(context, NAME_LABEL, sizeof(NAME_LABEL) - 1) &&
	      EVP_DigestUpdate(context, sizes, sizeof(sizes)) &&
	      EVP_DigestUpdate(context, keys->memory.data, keys->n * keys->key_bytes) &&
	      EVP_DigestFinal_ex(context, digest, NULL) ? 0 : -EIO;
	if (!err)
		memcpy(name, digest, VAULT_NAME_BYTES);
	EVP_MD_CTX_free(context);
	return err;
}

void keys_free(struct vault_keys *keys)
{
	qlink_secret_free(&keys->memory);
	memset(keys, 0, sizeof(*keys));
}
