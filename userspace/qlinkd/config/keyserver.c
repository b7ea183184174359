// SPDX-License-Identifier: GPL-2.0-or-later
/* What the section of a key server says about its dialect, its interface, and how both ends authenticate. */
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
	return reader_refuse(reader, "%s %s: not etsi014, skip or vault", option->name, words[0]);
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

static int take_side(struct reader *reader, const struct reader_option *option, char **words, int n)
{
	if (reader_one_word(reader, option, n))
		return -EINVAL;
	if (strcmp(words[0], "a") && strcmp(words[0], "b"))
		return reader_refuse(reader, "%s %s: not a or b", option->name, words[0]);
	*(unsigned int *)(reader->at + option->offset) = *words[0] == 'b';
	return 0;
}

static int take_method(struct reader *reader, const struct reader_option *option,
		       char **words, int n)
{
	static const char *const names[] = {
		[KME_METHOD_AUTO] = "auto",
		[KME_METHOD_POST] = "post",
		[KME_METHOD_GET] = "get",
	};
	size_t method;

	if (reader_one_word(reader, option, n))
		return -EINVAL;
	for (method = 0; method < sizeof(names) / sizeof(names[0]); method++) {
		if (strcmp(words[0], names[method]))
			continue;
		*(enum kme_method *)(reader->at + option->offset) = (enum kme_method)method;
		return 0;
	}
	return reader_refuse(reader, "%s %s: not auto, post or get", option->name, words[0]);
}

static int take_tls(struct reader *reader, const struct reader_option *option, char **words, int n)
{
	enum kme_tls tls;

	if (reader_one_word(reader, option, n))
		return -EINVAL;
	for (tls = 0; tls < KME_TLS_N; tls++) {
		if (strcmp(words[0], kme_tls_name(tls)))
			continue;
		*(enum kme_tls *)(reader->at + option->offset) = tls;
		return 0;
	}
	return reader_refuse(reader, "%s %s: not pq, 1.3 or 1.2", option->name, words[0]);
}

const struct reader_kind keyserver_method = { take_method, reader_same_u32 };
const struct reader_kind keyserver_tls = { take_tls, reader_same_u32 };
const struct reader_kind keyserver_dialect = { take_dialect, reader_same_u32 };
const struct reader_kind keyserver_side = { take_side, reader_same_u32 };
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

/* The line in which the section has an option, or 0. */
static unsigned int line_of(const struct reader *reader, const char *name)
{
	size_t i;

	for (i = 0; strcmp(reader->section->options[i].name, name); i++)
		;
	return reader->given[i];
}

static int need(struct reader *reader, const char *name, const char *option)
{
	return line_of(reader, option) ? 0 :
	       reader_refuse_at(reader, reader->began, "kme %s: lacks %s", name, option);
}

/* What belongs to a server means nothing for a file, and the other way round. */
static int check_kind(struct reader *reader, const struct kme_node_conf *node)
{
	static const char *const of_file[] = { "file", "key-file", "side", NULL };
	static const char *const of_server[] = {
		"url", "id", "certificate", "key", "ca", "crl", "psk-id", "psk-file", "psk-hash", "method", "tls",
		"parallel", NULL,
	};
	const char *const *option = kme_dialect_is_file(node->dialect) ? of_server : of_file;

	for (; *option; option++) {
		if (line_of(reader, *option))
			return reader_refuse_at(reader, line_of(reader, *option), "%s: dialect %s has none", *option,
						kme_dialect_name(node->dialect));
	}
	return 0;
}

int keyserver_check(struct reader *reader, const char *name, const struct kme_node_conf *node)
{
	if (check_kind(reader, node))
		return -EINVAL;
	if (kme_dialect_is_file(node->dialect))
		return need(reader, name, "file") ?: need(reader, name, "key-file") ?: need(reader, name, "side");
	if (need(reader, name, "url"))
		return -EINVAL;
	if (node->method == KME_METHOD_POST && !kme_dialect_has_post(node->dialect))
		return reader_refuse_at(reader, reader->began, "kme %s: method post, and dialect %s has only GET",
					name, kme_dialect_name(node->dialect));
	return node->psk_id || node->psk_file ? check_psk(reader, name, node) :
						check_certificates(reader, name, node);
}
