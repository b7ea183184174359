/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads the document of a site: JSON (RFC 7951) after qlink.yang. */
#ifndef QLINKCTL_DOCUMENT_H
#define QLINKCTL_DOCUMENT_H

#include <stdio.h>

#include <jansson.h>

#include "site.h"

/* The largest document that is read, in bytes. */
#define DOCUMENT_BYTES_MAX	(16 << 20)

/**
 * struct document_error - what is wrong with a document
 */
struct document_error {
	/** @text: the path of a value, the value, the rule; no full stop */
	char text[1400];
};

/**
 * document_read() - take a site from a document
 * @root: the document
 * @site: filled in; freed with site_free(), also on failure
 * @error: filled in on failure
 *
 * A member that qlink.yang does not have is an error, as is a value that the agent or a link
 * would refuse. State is passed over, and so is what other modules say, of a whole host.
 * What "defaults" says is in each link afterwards. Without "qlink:agent", links may name peers
 * and KMEs that the document does not have.
 *
 * Return: 0, %-EINVAL or %-ENOMEM.
 */
int document_read(const json_t *root, struct site *site, struct document_error *error);

/**
 * document_load() - read a document from a file
 * @file: the file
 * @path: its name, for errors of its syntax
 * @error: filled in on failure
 *
 * Return: the document, which the caller frees; %NULL after an error.
 */
json_t *document_load(FILE *file, const char *path, struct document_error *error);

#endif
