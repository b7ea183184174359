/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An audit log that a test writes, reads, changes and checks. */
#ifndef QLINK_TESTS_AUDIT_LAB_H
#define QLINK_TESTS_AUDIT_LAB_H

#include <stdbool.h>

#include "qlinkd/audit/audit.h"
#include "qlinkd/audit/check.h"

#define LAB_FOLDER	sizeof("/tmp/audit.XXXXXX")
#define LAB_FILES	8
#define LAB_FILE_BYTES	(64 << 10)
#define LAB_BREAK	512
#define LAB_BREAKS	8192

/* Where the log is, when its files end, and who signs it. */
extern char lab_folder[LAB_FOLDER];
extern struct audit_settings lab_settings;
extern EVP_PKEY *lab_key;

/* What lab_load() found in the files of the log. */
extern char lab_texts[LAB_FILES][LAB_FILE_BYTES];
extern size_t lab_lens[LAB_FILES], lab_n_files;

/* What lab_breaks() found: the last break, all of them, and the report. */
extern char lab_last_break[LAB_BREAK], lab_all_breaks[LAB_BREAKS];
extern struct audit_report lab_report;

/* For thousands of checks: a signature takes longer than all lines. */
extern bool lab_skips_signature;

/* The path of a file in the folder, and of a file of the log; two are valid at once. */
const char *lab_path_of(const char *name);
const char *lab_file_path(uint64_t file);

/* Begin a test with an empty folder; files end at @file_bytes. */
void lab_begin(uint64_t file_bytes);

/* Remove all files. */
void lab_empty(void);

/* Open the log, which must work; @tail may be NULL. */
struct audit *lab_open_log(struct audit_tail *tail);

/* Add @n events to it; wait until all are written. */
void lab_add(struct audit *audit, unsigned int n);
void lab_flush(struct audit *audit);

/* Open the log, add @n events one by one, and close it. */
void lab_write_log(unsigned int n);

/* Check the log; return how many breaks there are. */
uint64_t lab_breaks(void);

/* Read all files of the log; write one of them, with its index. */
void lab_load(void);
void lab_store(size_t i);

/* Write any file. */
void lab_store_as(const char *path, const char *text, size_t len);

/* Count a text in all files. */
unsigned int lab_count(const char *text);

#endif
