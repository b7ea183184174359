/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A file that names many keys to install, one on a line. */
#ifndef QLINKCTL_BATCH_H
#define QLINKCTL_BATCH_H

#include <stddef.h>

#include "words.h"

/**
 * struct batch - the keys that a file names; none of their bytes
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
 * @batch: filled in, also on failure; given back with batch_free()
 * @path: the file, "-" for standard input
 *
 * A line is what key_words_parse() takes, with blanks between the words. Empty
 * lines, and lines that start with #, are passed over.
 *
 * Return: %CTL_OK, or another enum ctl_exit after a complaint with the line.
 */
int batch_read(struct batch *batch, const char *path);

/**
 * batch_free() - give back what a batch holds
 * @batch: from batch_read()
 */
void batch_free(struct batch *batch);

#endif
