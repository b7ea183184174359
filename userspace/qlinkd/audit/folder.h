/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The folder of an audit log: its files, by number. */
#ifndef QLINKD_AUDIT_FOLDER_H
#define QLINKD_AUDIT_FOLDER_H

#include <stddef.h>
#include <stdint.h>

/* Room for the name of a file, as in audit-0000000001.jsonl, with a terminating NUL. */
#define AUDIT_FILE_NAME	48

/**
 * audit_file_name() - name a file of the log
 * @file: its number, from 1 on
 * @name: filled in
 *
 * Return: @name.
 */
const char *audit_file_name(uint64_t file, char name[AUDIT_FILE_NAME]);

/**
 * audit_folder_list() - list the files of a log
 * @folder: descriptor of the folder
 * @files: set to their numbers, in order; the caller frees it
 * @n: set to how many
 *
 * Return: 0, or a negative errno.
 */
int audit_folder_list(int folder, uint64_t **files, size_t *n);

/**
 * audit_folder_read() - open a file of the log to read it
 * @folder: descriptor of the folder
 * @file: its number
 * @size: set to its bytes
 *
 * Return: a descriptor, or a negative errno: %-EINVAL if it is not a regular file.
 */
int audit_folder_read(int folder, uint64_t file, uint64_t *size);

#endif
