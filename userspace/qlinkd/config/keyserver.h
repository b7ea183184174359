/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the section of a key server says about its dialect, its interface, and how both ends authenticate. */
#ifndef QLINKD_KEYSERVER_H
#define QLINKD_KEYSERVER_H

#include "qlinkd/kme/client.h"
#include "reader.h"

/* Options whose members are an enum kme_method, kme_tls and kme_dialect_kind, an unsigned int and an enum psk_hash. */
extern const struct reader_kind keyserver_method;
extern const struct reader_kind keyserver_tls;
extern const struct reader_kind keyserver_dialect;
extern const struct reader_kind keyserver_side;
extern const struct reader_kind keyserver_psk_hash;

/**
 * keyserver_check() - check whether the options of a section fit together
 * @reader: has just read the section
 * @name: of the key server
 * @node: its options
 *
 * Return: 0, or %-EINVAL, which is refused.
 */
int keyserver_check(struct reader *reader, const char *name, const struct kme_node_conf *node);

#endif
