// SPDX-License-Identifier: GPL-2.0-or-later
/* Whether every single change of an audit log is named. */
#include "qlinkd/audit/check.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "audit_lab.h"
#include "qlinkd/audit/folder.h"
#include "tap.h"

/* Four files of some lines, all of them covered by the checkpoint; one with a damaged end. */
static void prepare(void)
{
	FILE *file;

	lab_begin(900);
	lab_write_log(4);
	lab_load();
	file = fopen(lab_file_path(lab_n_files), "ae");
	CHECK(file && fputs("{\"number\":", file) > 0, "not damaged");
	if (file)
		fclose(file);
	lab_write_log(7);
	lab_load();
	CHECK(lab_n_files >= 4, "%zu files", lab_n_files);
	CHECK_NUMBER("breaks before", lab_breaks(), 0);
	CHECK_NUMBER("set aside", lab_report.set_aside, 10);
}

/* The check names the file @i, from 0 on, or the one after it. */
static void expect_named(const char *what, size_t i, size_t where)
{
	char name[AUDIT_FILE_NAME], next[AUDIT_FILE_NAME];
	uint64_t n = lab_breaks();

	audit_file_name(i + 1, name);
	audit_file_name(i + 2, next);
	CHECK(n, "%s %zu of file %zu: not noticed", what, where, i + 1);
	CHECK(strstr(lab_all_breaks, name) || strstr(lab_all_breaks, next) ||
	      (i + 1 == lab_n_files && (strstr(lab_all_breaks, "at the end are missing"))),
	      "%s %zu of file %zu: %s", what, where, i + 1, lab_all_breaks);
}

TEST(every_changed_byte_is_named)
{
	size_t i, at;

	prepare();
	lab_skips_signature = true;
	for (i = 0; i < lab_n_files; i++) {
		for (at = 0; at < lab_lens[i] && !tap_has_failed(); at++) {
			lab_texts[i][at] ^= 1;
			lab_store(i);
			expect_named("byte", i, at);
			lab_texts[i][at] ^= 1;
		}
		lab_store(i);
	}
	lab_skips_signature = false;
	CHECK_NUMBER("breaks after", lab_breaks(), 0);
}

TEST(every_cut_is_named)
{
	size_t i, len;

	prepare();
	lab_skips_signature = true;
	for (i = 0; i < lab_n_files; i++) {
		len = lab_lens[i];
		for (lab_lens[i] = 0; lab_lens[i] < len && !tap_has_failed(); lab_lens[i]++) {
			lab_store(i);
			expect_named("cut at", i, lab_lens[i]);
		}
		lab_store(i);
	}
	lab_skips_signature = false;
	CHECK_NUMBER("breaks after", lab_breaks(), 0);
}

/* The place of each line of a file; the last entry is its end. */
static size_t find_lines(size_t i, size_t places[64])
{
	size_t n = 0, at = 0;

	while (at < lab_lens[i] && n < 63) {
		const char *end = memchr(lab_texts[i] + at, '\n', lab_lens[i] - at);

		places[n++] = at;
		at = end ? (size_t)(end - lab_texts[i]) + 1 : lab_lens[i];
	}
	places[n] = lab_lens[i];
	return n;
}

/* Stores a file with its lines in another order; @order has @n indexes. */
static void store_lines(size_t i, const size_t *places, const size_t *order, size_t n)
{
	static char text[LAB_FILE_BYTES];
	size_t len = 0, k;

	for (k = 0; k < n; k++) {
		memcpy(text + len, lab_texts[i] + places[order[k]], places[order[k] + 1] - places[order[k]]);
		len += places[order[k] + 1] - places[order[k]];
	}
	lab_store_as(lab_file_path(i + 1), text, len);
}

TEST(every_line_removed_repeated_or_moved_is_named)
{
	size_t i, n, from, to, k, places[64], order[65];

	prepare();
	lab_skips_signature = true;
	for (i = 0; i < lab_n_files; i++) {
		n = find_lines(i, places);
		for (from = 0; from < n && !tap_has_failed(); from++) {
			for (k = 0; k < n - 1; k++)
				order[k] = k + (k >= from);
			store_lines(i, places, order, n - 1);
			expect_named("without line", i, from);
			for (k = 0; k < n + 1; k++)
				order[k] = k - (k > from);
			store_lines(i, places, order, n + 1);
			expect_named("twice line", i, from);
			for (to = from + 1; to < n; to++) {
				for (k = 0; k < n; k++)
					order[k] = k == from ? to : k == to ? from : k;
				store_lines(i, places, order, n);
				expect_named("exchanged line", i, from);
			}
		}
		lab_store(i);
	}
	lab_skips_signature = false;
	CHECK_NUMBER("breaks after", lab_breaks(), 0);
}

TEST(every_file_removed_or_exchanged_is_named)
{
	size_t i, k;

	prepare();
	for (i = 0; i < lab_n_files; i++) {
		unlink(lab_file_path(i + 1));
		expect_named("removed, file", i, i + 1);
		CHECK(i + 1 == lab_n_files || strstr(lab_all_breaks, "missing"), "%s", lab_all_breaks);
		for (k = i + 1; k < lab_n_files; k++) {
			lab_store_as(lab_file_path(i + 1), lab_texts[k], lab_lens[k]);
			lab_store_as(lab_file_path(k + 1), lab_texts[i], lab_lens[i]);
			expect_named("exchanged, file", i, i + 1);
			lab_store(k);
		}
		lab_store(i);
	}
	for (i = 0; i < lab_n_files; i++) {
		for (k = i; k < lab_n_files; k++)
			unlink(lab_file_path(k + 1));
		CHECK(lab_breaks() && (strstr(lab_all_breaks, "lines at the end are missing") || !i), "%zu on: %s",
		      i + 1, lab_all_breaks);
		for (k = i; k < lab_n_files; k++)
			lab_store(k);
	}
	CHECK_NUMBER("breaks after", lab_breaks(), 0);
}

TEST(every_change_of_the_checkpoint_is_named)
{
	static char text[AUDIT_CHECKPOINT_MAX];
	FILE *file;
	size_t len, i;

	prepare();
	file = fopen(lab_path_of(AUDIT_CHECKPOINT), "re");
	len = file ? fread(text, 1, sizeof(text), file) : 0;
	if (file)
		fclose(file);
	CHECK(len > 4000, "%zu bytes", len);
	for (i = 0; i < len && !tap_has_failed(); i += i < 300 ? 1 : 37) {
		text[i] ^= 1;
		lab_store_as(lab_path_of(AUDIT_CHECKPOINT), text, len);
		CHECK(lab_breaks() && strstr(lab_all_breaks, AUDIT_CHECKPOINT), "byte %zu: %s", i, lab_all_breaks);
		text[i] ^= 1;
	}
	unlink(lab_path_of(AUDIT_CHECKPOINT));
	CHECK_NUMBER("without it", lab_breaks(), 1);
	CHECK_TEXT("why", lab_last_break, "checkpoint.json: No such file or directory");
}

/* Somebody who has no key computes all hashes anew, from a changed line to the end. */
TEST(a_log_that_was_computed_anew_is_named)
{
	struct audit_checkpoint checkpoint;
	EVP_PKEY *other, *own;
	struct qlink_why why;
	int fd;

	prepare();
	fd = open(lab_folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK_NUMBER("read", audit_checkpoint_read(fd, &checkpoint, lab_key, &why), 0);
	lab_empty();
	own = lab_key;
	other = EVP_PKEY_Q_keygen(NULL, NULL, "ML-DSA-65");
	lab_key = other;
	lab_settings.file_bytes = 900;
	lab_write_log(11);
	lab_key = own;
	CHECK_NUMBER("another key", lab_breaks(), 1);
	CHECK_TEXT("why", lab_last_break, "checkpoint.json: its signature is not by that certificate");
	CHECK_NUMBER("write", audit_checkpoint_write(fd, &checkpoint, lab_key), 0);
	CHECK(lab_breaks() >= 1, "another log");
	CHECK(strstr(lab_all_breaks, "is not the one that the checkpoint names") ||
	      strstr(lab_all_breaks, "at the end are missing"), "%s", lab_all_breaks);
	EVP_PKEY_free(other);
	close(fd);
}
