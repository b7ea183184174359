// SPDX-License-Identifier: GPL-2.0-or-later
/* libFuzzer on documents: each is refused with a reason, or says the same after it was written again. */
#include "qlinkctl/site/document.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "qlinkctl/site/write.h"

static void must(bool holds)
{
	if (!holds)
		abort();
}

/* What was read is written, and read again. */
static void check_again(const struct site *site)
{
	struct document_error error = { "" };
	json_t *first = write_document(site), *second;
	struct site again;

	must(first);
	must(!document_read(first, &again, &error));
	second = write_document(&again);
	must(json_equal(first, second));
	json_decref(first);
	json_decref(second);
	site_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	json_t *root = json_loadb((const char *)data, len, JSON_REJECT_DUPLICATES, NULL);
	struct document_error error = { "" };
	struct site site;
	int err;

	if (!root)
		return 0;
	err = document_read(root, &site, &error);
	must(!err == !*error.text && strlen(error.text) < sizeof(error.text));
	if (!err)
		check_again(&site);
	json_decref(root);
	site_free(&site);
	return 0;
}
