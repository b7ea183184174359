/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The links that the files of a folder declare, in the words of "ip link add". */
#ifndef QLINKCTL_DECLARED_H
#define QLINKCTL_DECLARED_H

#include <stdbool.h>
#include <stddef.h>

#include "statement.h"

#define DECLARED_FOLDER	"/etc/qlink/links.d"

/**
 * struct declared_link - one link of a file
 */
struct declared_link {
	/** @file: path of the file; the list of files owns it */
	const char *file;

	/** @line: where the link begins there, from 1 */
	unsigned int line;

	/** @is: what it says */
	struct statement_link is;
};

/**
 * struct declared - what a folder declares
 */
struct declared {
	/** @links: in the order of the files' names and of their lines */
	struct declared_link *links;

	/** @n: how many */
	size_t n;

	/** @files: paths of the files */
	char **files;

	/** @n_files: how many */
	size_t n_files;

	/** @n_errors: how many links and files were left out, each after an error message */
	size_t n_errors;
};

/**
 * declared_read() - read all files of a folder whose names end with .conf
 * @declared: filled in, also on failure; freed with declared_free()
 * @folder: path of the folder; one that does not exist declares nothing
 *
 * An error leaves out the link that it is in, and no other: one wrong word must not keep a
 * machine off its network.
 *
 * Return: 0, also with errors in files; %-ENOMEM, or the negative errno of a folder that cannot
 * be read, after an error message.
 */
int declared_read(struct declared *declared, const char *folder);

/**
 * declared_find() - find a link by the name of its device
 * @declared: from declared_read()
 * @name: the name
 *
 * Return: the link, or %NULL.
 */
const struct declared_link *declared_find(const struct declared *declared, const char *name);

/**
 * declared_free() - free what declared_read() has filled in
 * @declared: from declared_read()
 */
void declared_free(struct declared *declared);

#endif
