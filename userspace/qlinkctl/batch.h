/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A file that names many keys to install, one on each line. */
#ifndef QLINKCTL_BATCH_H
#define QLINKCTL_BATCH_H

#include <stddef.h>

#include "words.h"

/**
 * struct batch - the keys that a file names, without their bytes
 */
struct batch {
	/** @keys: what the lines say; their paths point into @lines */
	struct key_words *keys;

	/** @n: how many keys */
	size_t n;

	/** @lines: the text of each line, as many as @n */
	char **lines;
};

/**
 * batch_read() - read a batch
 * @batch: filled in, also on failure; freed with batch_free()
 * @path: the file, "-" for standard input
 *
 * A line has the words that key_words_parse() takes, with blanks between them.
 * Empty lines, and lines that start with #, are ignored.
 *
 * Return: %CTL_OK, or another enum ctl_exit after an error message with the line.
 */
int batch_read(struct batch *batch, const char *path);

/**
 * batch_free() - free what a batch holds
 * @batch: from batch_read()
 */
void batch_free(struct batch *batch);

#endif
