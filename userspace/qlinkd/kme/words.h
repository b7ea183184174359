/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The words of a key server that people read: quoted, and never trusted; for any dialect with JSON. */
#ifndef QLINKD_KME_WORDS_H
#define QLINKD_KME_WORDS_H

#include <jansson.h>

#include "dialect.h"

/**
 * kme_words_name() - copy a name from an answer
 * @root: the answer
 * @member: where the name is
 * @name: gets it, printable ASCII without quotes and cut to fit; empty if there is none
 */
void kme_words_name(const json_t *root, const char *member, char name[KME_SAE_ID_MAX + 1]);

/**
 * kme_words_refusal() - read the body of an answer that has no keys
 * @text: the body; it may be anything
 * @len: its bytes
 * @refusal: filled in
 *
 * Few key servers keep to the error body of a standard, and most of them say somewhere that they have no
 * key now. So the words are taken from wherever servers are known to put them.
 */
void kme_words_refusal(const char *text, size_t len, struct kme_refusal *refusal);

#endif
