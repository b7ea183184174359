/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loads JSON and base64 that a key server sent: strict and bounded; for any dialect with JSON. */
#ifndef QLINKD_KME_JSON_H
#define QLINKD_KME_JSON_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <jansson.h>

#include "common/why.h"

/**
 * kme_json_open() - load an answer into locked memory
 * @text: body of the answer; need not end with a NUL
 * @len: its bytes
 * @root: where the JSON goes; ended by kme_json_close()
 * @why: filled in on failure; never quotes the answer
 *
 * Refuses an object with a member twice. jansson must have the allocator of kme_memory_init().
 * Only one answer can be open at a time.
 *
 * Return:
 * * %0		- loaded
 * * %-EBADMSG	- not JSON, or JSON that needs too much memory
 * * others	- no locked memory, as qlink_secret_new()
 */
int kme_json_open(const char *text, size_t len, json_t **root, struct qlink_why *why);

/**
 * kme_json_close() - wipe a loaded answer
 * @root: from kme_json_open(); everything in it ends here
 */
void kme_json_close(json_t *root);

/**
 * kme_base64_decode() - decode canonical base64
 * @text: the text
 * @len: its length
 * @bytes: where the bytes go
 * @room: bytes there
 *
 * Source: RFC 4648, 4. Accepts only whole groups of four, no other characters, and no bits that
 * are set but decode to nothing (3.5).
 *
 * Return: how many bytes the text has, of which at most @room are written; or -1.
 */
ssize_t kme_base64_decode(const char *text, size_t len, uint8_t *bytes, size_t room);

#endif
