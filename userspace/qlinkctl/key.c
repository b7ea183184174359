// SPDX-License-Identifier: GPL-2.0-or-later
/* qlinkctl key: install, delete and list the keys of a link. */
#include "key.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "batch.h"
#include "build.h"
#include "common/number.h"
#include "common/secret.h"
#include "libqlink/keyfile.h"
#include "libqlink/names.h"
#include "words.h"

/* ---- add ---- */

/* Read the bytes of a key. Warn about a file that others can read. */
static int read_secret(struct key_words *from, uint8_t *secret)
{
	struct qlink_keyfile file;
	struct qlink_why why;

	if (qlink_keyfile_read(from->path, secret, &file, &why))
		return ctl_fail("\"%s\": %s", from->path, why.text);
	if (file.is_exposed)
		ctl_warn("warning: \"%s\": mode %04o, others than its owner can read it",
			 from->path, file.mode);
	from->key.secret = secret;
	return CTL_OK;
}

static int install(struct ctl *ctl, const char *device, uint32_t ifindex,
		   struct key_words *from, size_t n, uint8_t *secrets)
{
	struct qlink_key *keys = calloc(n, sizeof(*keys));
	struct qlink_error error;
	int err = CTL_OK;
	size_t i;

	if (!keys)
		return ctl_fail("%s", strerror(ENOMEM));
	for (i = 0; i < n && !err; i++) {
		err = read_secret(&from[i], secrets + i * QLINK_SECRET_BYTES);
		keys[i] = from[i].key;
	}
	if (!err && qlink_key_install(ctl->nl, ifindex, keys, n, &error))
		err = ctl_refused(device, &error);
	free(keys);
	return err;
}

/* The words are valid by now. Look up the device and read the files. */
static int add(struct ctl *ctl, const char *device, struct key_words *from,
	       size_t n)
{
	size_t bytes = n * QLINK_SECRET_BYTES;
	struct qlink_secret secrets;
	uint32_t ifindex;
	int err;

	err = ctl_device(ctl, device, &ifindex);
	if (err)
		return err;
	qlink_secret_harden();
	err = qlink_secret_new(&secrets, bytes);
	if (err)
		return ctl_fail("cannot lock %zu bytes of memory for keys: %s",
				bytes, strerror(-err));
	err = install(ctl, device, ifindex, from, n, secrets.data);
	qlink_secret_free(&secrets);
	return err;
}

static int add_batch(struct ctl *ctl, const char *device, const char *path)
{
	struct batch batch;
	int err;

	err = batch_read(&batch, path);
	if (!err)
		err = add(ctl, device, batch.keys, batch.n);
	batch_free(&batch);
	return err;
}

static int add_run(struct ctl *ctl, int argc, char **argv)
{
	struct key_words key;
	char text[256];

	if (argc < 2)
		return ctl_usage("key add: needs a device and a key");
	if (!strcmp(argv[1], "batch")) {
		if (argc != 3)
			return ctl_usage("key add: batch needs one file");
		return add_batch(ctl, argv[0], argv[2]);
	}
	if (key_words_parse(argv + 1, &key, text, sizeof(text)))
		return ctl_usage("%s", text);
	return add(ctl, argv[0], &key, 1);
}

/* ---- del ---- */

static int del_run(struct ctl *ctl, int argc, char **argv)
{
	struct qlink_key key = { 0 };
	struct qlink_error error;
	struct qlink_why why;
	uint32_t ifindex;
	char text[256];
	int err;

	if (argc != 4 || strcmp(argv[2], "epoch"))
		return ctl_usage("key del: needs a device, tx or rx, and epoch with a number");
	if (key_direction_parse(argv[1], &key, text, sizeof(text)))
		return ctl_usage("%s", text);
	if (qlink_parse_number(argv[3], 1, QLINK_EPOCH_MAX, &key.epoch, &why))
		return ctl_usage("epoch \"%s\": %s", argv[3], why.text);
	err = ctl_device(ctl, argv[0], &ifindex);
	if (err)
		return err;
	if (qlink_key_del(ctl->nl, ifindex, &key, 1, &error))
		return ctl_refused(argv[0], &error);
	return CTL_OK;
}

/* ---- show ---- */

json_t *key_json(const struct qlink_key *key)
{
	const struct qlink_attr *attr = qlink_key_attrs.attrs;
	struct build build;
	const struct qlink_json *json = build_begin(&build);
	size_t i;

	for (i = 0; i < qlink_key_attrs.n; i++, attr++)
		if (attr->type != QLINK_A_KEY_HARD_BLOCKS || key->hard_blocks)
			qlink_json_attr(json, attr, key);
	return build_end(&build);
}

void key_text(const struct qlink_key *keys, size_t n, FILE *to)
{
	char id[QLINK_UUID_TEXT], source[QLINK_SOURCE_TEXT];
	size_t i;

	if (!n)
		return;
	fprintf(to, "%-3s %15s %-7s %-7s %12s %15s  %s\n", "dir", "epoch",
		"source", "state", "frames", "bytes", "KME key ID");
	for (i = 0; i < n; i++, keys++)
		fprintf(to, "%-3s %15llu %-7s %-7s %12llu %15llu  %s\n",
			qlink_name(&qlink_directions, keys->direction),
			(unsigned long long)keys->epoch,
			qlink_format_source(keys->source, keys->kmes, source),
			qlink_name(&qlink_key_states, keys->state),
			(unsigned long long)keys->frames,
			(unsigned long long)keys->bytes,
			qlink_key_has_id(keys) ?
			qlink_format_uuid(keys->kme_key_id, id) : "-");
}

static int print_json(const struct qlink_key *keys, size_t n)
{
	json_t *array = json_array();
	size_t i;

	for (i = 0; i < n; i++)
		json_array_append_new(array, key_json(&keys[i]));
	return ctl_print_json(array);
}

static int key_show_run(struct ctl *ctl, int argc, char **argv)
{
	struct qlink_error error;
	struct qlink_key *keys;
	uint32_t ifindex;
	int err = CTL_OK;
	size_t n;

	if (argc != 1)
		return ctl_usage("key show: needs one device");
	err = ctl_device(ctl, argv[0], &ifindex);
	if (err)
		return err;
	if (qlink_key_dump(ctl->nl, ifindex, &keys, &n, &error))
		return ctl_refused(argv[0], &error);
	if (ctl->json)
		err = print_json(keys, n);
	else
		key_text(keys, n, stdout);
	free(keys);
	return err;
}

int rotate_run(struct ctl *ctl, int argc, char **argv)
{
	struct qlink_error error;
	uint32_t ifindex;
	int err;

	if (argc != 1)
		return ctl_usage("rotate: needs one device");
	err = ctl_device(ctl, argv[0], &ifindex);
	if (err)
		return err;
	if (qlink_rotate(ctl->nl, ifindex, &error))
		return ctl_refused(argv[0], &error);
	return CTL_OK;
}

static const struct ctl_command commands[] = {
	{ "add", add_run },
	{ "del", del_run },
	{ "show", key_show_run },
	{ NULL, NULL },
};

int key_run(struct ctl *ctl, int argc, char **argv)
{
	return ctl_dispatch(ctl, commands, "command of key", argc, argv);
}
