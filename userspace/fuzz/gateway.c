// SPDX-License-Identifier: GPL-2.0-or-later
/* libFuzzer on what etcd's gateway sends to a follower, in pieces, and on the documents in it. */
#include "follow/gateway.h"

#include <stdlib.h>
#include <string.h>

#include "follow/lines.h"
#include "follow/overlay.h"

static struct gateway_keys keys;

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void check_document(const struct document *document)
{
	must(document->text ? !document->text[document->len] : !document->len);
}

static int take_line(void *arg, const char *line, size_t len)
{
	struct documents *documents = arg;
	struct qlink_why why = { "" };
	bool is_changed = false;
	int err = gateway_watched(line, len, &keys, documents, &is_changed, &why);

	must(!err == !why.text[0]);
	check_document(&documents->common);
	check_document(&documents->site);
	return err;
}

/* What both documents would make together, if they are JSON. */
static void check_whole(const struct documents *documents)
{
	json_t *common, *site, *whole;

	if (!documents->site.text)
		return;
	common = documents->common.text ? json_loadb(documents->common.text, documents->common.len, 0, NULL) : NULL;
	site = json_loadb(documents->site.text, documents->site.len, 0, NULL);
	whole = site ? overlay_documents(common, site) : NULL;
	must(!site || whole);
	json_decref(common);
	json_decref(site);
	json_decref(whole);
}

static void check_answers(const char *text, size_t len)
{
	struct documents documents = { .revision = 1 };
	struct qlink_why why;
	uint64_t lease;
	char *token;
	bool is_there;

	must(!gateway_loaded(text, len, &documents, &why) == (documents.cluster != 0));
	check_document(&documents.common);
	check_whole(&documents);
	gateway_documents_free(&documents);
	must(!gateway_granted(text, len, &lease, &why) == (lease != 0));
	gateway_kept(text, len, &is_there, &why);
	must(!gateway_token(text, len, &token, &why) == (token != NULL));
	free(token);
	gateway_refused(text, len, 400, &why);
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	return gateway_keys_make(&keys, "/qlink", "a");
}

/* The first byte says where the stream is cut. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const char *text = (const char *)data + 1;
	struct lines lines = { .max = 4096 };
	struct documents documents = { 0 };
	size_t cut;

	if (!len--)
		return 0;
	check_answers(text, len);
	cut = data[0] < len ? data[0] : len;
	if (!lines_take(&lines, text, cut, take_line, &documents))
		lines_take(&lines, text + cut, len - cut, take_line, &documents);
	must(lines.len <= lines.max);
	check_whole(&documents);
	gateway_documents_free(&documents);
	lines_free(&lines);
	return 0;
}
