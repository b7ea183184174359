/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What was before a change: files, and what the kernel had of devices. */
#ifndef QLINKCTL_BEFORE_H
#define QLINKCTL_BEFORE_H

#include <stdint.h>

#include "qlinkctl/site/site.h"
#include "whole.h"

/**
 * struct before_file - a file that a change writes
 */
struct before_file {
	/** @path: where it is; on the heap */
	char *path;

	/** @was: what was there */
	struct whole was;
};

/**
 * struct before_device - a device that a change makes, changes or deletes
 */
struct before_device {
	/** @name: its name; on the heap */
	char *name;

	/** @was: its options, one section of it; none if there was no device */
	struct site was;

	/** @touched: the options that the change sets, as words with a blank between them; on the heap */
	char *touched;
};

/**
 * struct before - what was before a change
 */
struct before {
	/** @files: on the heap */
	struct before_file *files;

	/** @n_files: how many */
	size_t n_files;

	/** @devices: on the heap */
	struct before_device *devices;

	/** @n_devices: how many */
	size_t n_devices;

	/** @control: socket of the agent; on the heap */
	char *control;

	/** @boot: the boot during which the change was made */
	char boot[40];

	/** @deadline_ms: by CLOCK_BOOTTIME, when it is put back unless confirmed; 0 while the change is being made */
	uint64_t deadline_ms;

	/** @seconds: how long it waits to be confirmed, 0 for not at all */
	uint32_t seconds;
};

/**
 * before_add_file() - keep a file
 * @before: where
 * @path: of the file; copied
 *
 * Return: 0, or a negative errno.
 */
int before_add_file(struct before *before, const char *path);

/**
 * before_add_device() - keep a device
 * @before: where
 * @name: its name
 *
 * Return: the item, to be filled in; %NULL without memory.
 */
struct before_device *before_add_device(struct before *before, const char *name);

/**
 * before_is_this_boot() - ask whether the machine was booted since
 * @before: from before_load()
 *
 * Return: whether it was not.
 */
bool before_is_this_boot(const struct before *before);

/**
 * before_save() - write all to a folder that does not exist yet
 * @before: what to write
 * @folder: appears at once, with all that is in it
 *
 * Return: 0, or a negative errno; then there is no such folder.
 */
int before_save(const struct before *before, const char *folder);

/**
 * before_save_times() - write only what is said of times, over what before_save() wrote
 * @before: what to write
 * @folder: the folder
 *
 * Return: 0, or a negative errno.
 */
int before_save_times(const struct before *before, const char *folder);

/**
 * before_load() - read what before_save() wrote
 * @before: filled in; freed with before_free(), also on failure
 * @folder: the folder
 *
 * Return: 0, %-ENOENT without such a folder, %-EBADMSG if it is damaged, or another negative errno.
 */
int before_load(struct before *before, const char *folder);

/**
 * before_forget() - delete what before_save() wrote
 * @folder: the folder; it goes at once
 *
 * Return: 0, or a negative errno.
 */
int before_forget(const char *folder);

/**
 * before_free() - free all
 * @before: empty afterwards
 */
void before_free(struct before *before);

#endif
