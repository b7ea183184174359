// SPDX-License-Identifier: GPL-2.0-or-later
/* An audit log that a test writes, reads, changes and checks. */
#include "audit_lab.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "qlinkd/audit/folder.h"
#include "tap.h"

#define PATIENCE_MS	20000

char lab_folder[LAB_FOLDER] = "/tmp/audit.XXXXXX";
struct audit_settings lab_settings = {
	.folder = lab_folder, .agent = "site \"a\"", .file_ms = 3600000, .checkpoint_ms = 3600000,
};
EVP_PKEY *lab_key;
char lab_texts[LAB_FILES][LAB_FILE_BYTES];
size_t lab_lens[LAB_FILES], lab_n_files;

const char *lab_path_of(const char *name)
{
	static char path[2][128];
	static int turn;

	turn = !turn;
	snprintf(path[turn], sizeof(path[turn]), "%s/%s", lab_folder, name);
	return path[turn];
}

const char *lab_file_path(uint64_t file)
{
	char name[AUDIT_FILE_NAME];

	return lab_path_of(audit_file_name(file, name));
}

void lab_empty(void)
{
	char command[160];

	snprintf(command, sizeof(command), "rm -rf %s/*", lab_folder);
	CHECK_NUMBER("rm", system(command), 0);
}

__attribute__((destructor))
static void tidy(void)
{
	if (strstr(lab_folder, "XXXXXX"))
		return;
	lab_empty();
	rmdir(lab_folder);
}

void lab_begin(uint64_t file_bytes)
{
	if (!lab_key)
		lab_key = EVP_PKEY_Q_keygen(NULL, NULL, "ML-DSA-65");
	if (strstr(lab_folder, "XXXXXX"))
		CHECK(mkdtemp(lab_folder), "no folder");
	lab_empty();
	lab_settings.file_bytes = file_bytes;
}

struct audit *lab_open_log(struct audit_tail *tail)
{
	struct qlink_why why = { "" };
	struct audit_state state;
	struct audit *audit;

	CHECK_NUMBER("open", audit_open(&audit, &lab_settings, lab_key, &why), 0);
	CHECK_TEXT("why", why.text, "");
	if (!audit)
		BAIL_OUT();
	audit_read_state(audit, &state);
	if (tail)
		*tail = state.tail;
	return audit;
}

void lab_add(struct audit *audit, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		const struct log_field fields[] = {
			{ .name = "link", .text = "qlink0" }, { .name = "n", .number = i },
			{ .name = NULL },
		};

		audit_add(audit, 1000 + i, "source", fields);
	}
}

void lab_flush(struct audit *audit)
{
	CHECK(audit_flush(audit, PATIENCE_MS), "not written");
}

void lab_write_log(unsigned int n)
{
	struct audit *audit = lab_open_log(NULL);
	unsigned int i;

	/* One by one, so that files end where they are due. */
	for (i = 0; i < n; i++) {
		lab_add(audit, 1);
		lab_flush(audit);
	}
	audit_close(audit);
}

char lab_last_break[LAB_BREAK], lab_all_breaks[LAB_BREAKS];

static void note_break(void *arg, const char *text)
{
	(void)arg;
	snprintf(lab_last_break, sizeof(lab_last_break), "%s", text);
	if (strlen(lab_all_breaks) + strlen(text) + 2 < sizeof(lab_all_breaks))
		strcat(strcat(lab_all_breaks, text), "\n");
}

struct audit_report lab_report;
bool lab_skips_signature;

uint64_t lab_breaks(void)
{
	int fd = open(lab_folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), err;

	lab_last_break[0] = lab_all_breaks[0] = '\0';
	err = audit_check(fd, 1, lab_skips_signature ? NULL : lab_key, note_break, NULL, &lab_report);
	close(fd);
	CHECK_NUMBER("result", err, lab_report.breaks ? -EBADMSG : 0);
	return lab_report.breaks;
}

void lab_load(void)
{
	struct stat status;
	FILE *file;

	for (lab_n_files = 0; lab_n_files < LAB_FILES && !stat(lab_file_path(lab_n_files + 1), &status); lab_n_files++) {
		file = fopen(lab_file_path(lab_n_files + 1), "re");
		lab_lens[lab_n_files] = file ? fread(lab_texts[lab_n_files], 1, LAB_FILE_BYTES, file) : 0;
		if (file)
			fclose(file);
		CHECK_NUMBER("mode", status.st_mode & 0777, 0600);
	}
}

void lab_store_as(const char *path, const char *text, size_t len)
{
	FILE *file = fopen(path, "we");

	CHECK(file && fwrite(text, 1, len, file) == len, "not stored");
	if (file)
		fclose(file);
}

void lab_store(size_t i)
{
	lab_store_as(lab_file_path(i + 1), lab_texts[i], lab_lens[i]);
}

unsigned int lab_count(const char *text)
{
	unsigned int n = 0;
	const char *at;
	size_t i;

	lab_load();
	for (i = 0; i < lab_n_files; i++) {
		for (at = lab_texts[i]; (at = memmem(at, lab_lens[i] - (size_t)(at - lab_texts[i]), text, strlen(text))); at++)
			n++;
	}
	return n;
}
