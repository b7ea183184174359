// SPDX-License-Identifier: GPL-2.0-or-later
/* The keys that an audit log says were installed before the start. */
#include <stdio.h>
#include <string.h>

#include "audit_lab.h"
#include "tap.h"

#define ODD_NAME	"q\"\\\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"

static char used_keys[400];

static void note_key(void *arg, const struct audit_key *key)
{
	size_t len = strlen(used_keys);

	(void)arg;
	snprintf(used_keys + len, sizeof(used_keys) - len, "%s %s %s %.*s; ", key->link, key->direction, key->kme,
		 (int)key->id_len, key->id);
}

static void add_installed(struct audit *audit, const char *link, const char *direction, const char *ids)
{
	const struct log_field fields[] = {
		{ .name = "link", .text = link }, { .name = "direction", .text = direction },
		{ .name = "source", .text = "hybrid" }, { .name = "epoch", .number = 1 },
		{ .name = "n", .number = 2 }, { .name = "kme", .text = "2/KME-A" },
		{ .name = "kme_key_ids", .list = ids }, { .name = NULL },
	};

	audit_add(audit, 1, "installed", fields);
}

TEST(keys_that_were_installed_are_named_once_after_a_start)
{
	struct audit *audit;

	lab_begin(1 << 30);
	audit = lab_open_log(NULL);
	add_installed(audit, "qlink0", "tx", "\"id-1\",\"id-2\"");
	lab_add(audit, 3);
	add_installed(audit, ODD_NAME, "rx", "\"id-3\"");
	/* Without KMEs. */
	add_installed(audit, "qlink0", "tx", "");
	lab_flush(audit);
	audit_each_installed(audit, note_key, NULL);
	CHECK_TEXT("not those of this run", used_keys, "");
	audit_close(audit);
	audit = lab_open_log(NULL);
	audit_each_installed(audit, note_key, NULL);
	CHECK(!strncmp(used_keys, "qlink0 tx 2/KME-A id-1; qlink0 tx 2/KME-A id-2; ", 48) &&
	      strstr(used_keys + 48, " rx 2/KME-A id-3; "), "%s", used_keys);
	used_keys[0] = '\0';
	audit_each_installed(audit, note_key, NULL);
	CHECK_TEXT("once", used_keys, "");
	audit_close(audit);
	CHECK_NUMBER("breaks", lab_breaks(), 0);
}
