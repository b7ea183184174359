/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The folder of an audit log: its files, by number. */
#ifndef QLINKD_AUDIT_FOLDER_H
#define QLINKD_AUDIT_FOLDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/why.h"

/* Room for the name of a file, as in audit-0000000001.jsonl, with a terminating NUL. */
#define AUDIT_FILE_NAME	48

/**
 * audit_disk_fails() - tell an error of the disk from one of the configuration
 * @err: a negative errno
 *
 * Context: Pure.
 * Return: whether the disk is full, fails, or cannot be written at present, so that a later
 * attempt may succeed without another configuration.
 */
bool audit_disk_fails(int err);

/**
 * audit_folder_check() - check whether a log could be written, and write nothing
 * @path: of its folder, which need not exist yet
 * @why: filled in on failure
 *
 * Context: Process.
 * Return: 0, also if the disk fails at present; or a negative errno with @why if @path is not a
 * folder, cannot be made, or may not be written by this process.
 */
int audit_folder_check(const char *path, struct qlink_why *why);

/**
 * audit_folder_make() - make the folder of a log, and those that it is in
 * @path: of the folder; may exist
 *
 * Others can read none of those that it makes.
 *
 * Context: Process.
 * Return: 0, or a negative errno.
 */
int audit_folder_make(const char *path);

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
