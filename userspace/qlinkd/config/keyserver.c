// SPDX-License-Identifier: GPL-2.0-or-later
/* What the section of a key server says about its dialect, and how both ends authenticate. */
#include "keyserver.h"

#include <errno.h>
#include <string.h>

static int take_dialect(struct reader *reader, const struct reader_option *option, char **words, int n)
{
	enum kme_dialect_kind dialect;

	if (reader_one_word(reader, option, n))
		return -EINVAL;
	for (dialect = 0; dialect < KME_DIALECT_N; dialect++) {
		if (strcmp(words[0], kme_dialect_name(dialect)))
			continue;
		*(enum kme_dialect_kind *)(reader->at + option->offset) = dialect;
		return 0;
	}
	return reader_refuse(reader, "%s %s: not etsi014 or skip", option->name, words[0]);
}

static int take_psk_hash(struct reader *reader, const struct reader_option *option, char **words, int n)
{
	static const char *const names[PSK_HASH_N] = {
		[PSK_HASH_SHA384] = "sha384",
		[PSK_HASH_SHA256] = "sha256",
	};
	enum psk_hash hash;

	if (reader_one_word(reader, option, n))
		return -EINVAL;
	for (hash = 0; hash < PSK_HASH_N; hash++) {
		if (strcmp(words[0], names[hash]))
			continue;
		*(enum psk_hash *)(reader->at + option->offset) = hash;
		return 0;
	}
	return reader_refuse(reader, "%s %s: not sha384 or sha256", option->name, words[0]);
}

const struct reader_kind keyserver_dialect = { take_dialect, reader_same_u32 };
/* A reload reads the pre-shared key again in any case. */
const struct reader_kind keyserver_psk_hash = { take_psk_hash, NULL };

static int check_certificates(struct reader *reader, const char *name, const struct kme_node_conf *node)
{
	const char *lacks = !node->certificate ? "certificate" : !node->key ? "key" : !node->ca ? "ca" : NULL;

	return lacks ? reader_refuse_at(reader, reader->began, "kme %s: lacks %s", name, lacks) : 0;
}

/* A handshake uses one or the other, so that with both the weaker one would decide. */
static int check_psk(struct reader *reader, const char *name, const struct kme_node_conf *node)
{
	const char *has = node->certificate ? "certificate" : node->key ? "key" : node->ca ? "ca" :
			  node->crl ? "crl" : node->id ? "id" : NULL;

	if (!kme_dialect_has_psk(node->dialect))
		return reader_refuse_at(reader, reader->began, "kme %s: has a psk-id or psk-file, and dialect %s "
					"has only certificates", name, kme_dialect_name(node->dialect));
	if (!node->psk_id || !node->psk_file)
		return reader_refuse_at(reader, reader->began, "kme %s: lacks %s", name,
					node->psk_id ? "psk-file" : "psk-id");
	if (has)
		return reader_refuse_at(reader, reader->began, "kme %s: has %s, and psk-file, which takes its place",
					name, has);
	return 0;
}

int keyserver_check(struct reader *reader, const char *name, const struct kme_node_conf *node)
{
	if (node->method == KME_METHOD_POST && !kme_dialect_has_post(node->dialect))
		return reader_refuse_at(reader, reader->began, "kme %s: method post, and dialect %s has only GET",
					name, kme_dialect_name(node->dialect));
	return node->psk_id || node->psk_file ? check_psk(reader, name, node) :
						check_certificates(reader, name, node);
}
