/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parses the requests of a client. */
#ifndef KMESIM_ASK_H
#define KMESIM_ASK_H

#include <jansson.h>

#include "etsi.h"

/**
 * struct ask - a key request
 */
struct ask {
	/** @number: number of keys requested */
	uint64_t number;

	/** @size: bits of each key, 0 for the default of the KME */
	unsigned int size;

	/** @slaves: SAE IDs of additional slaves */
	char slaves[CHANNEL_SLAVES_MAX - 1][CHANNEL_SAE_MAX + 1];

	/** @n_slaves: number of @slaves */
	size_t n_slaves;

	/** @has_mandatory: the request names a mandatory extension */
	bool has_mandatory;
};

/**
 * struct ask_ids - the key IDs of a dec_keys request
 */
struct ask_ids {
	/** @list: an array of strings */
	json_t *list;

	/** @n: number of strings in @list */
	size_t n;
};

/**
 * ask_decode() - undo percent-encoding, RFC 3986, 2.1
 * @from: the text
 * @len: its length
 * @to: gets the text and a NUL
 * @room: bytes of @to
 *
 * Return: false if the text is empty, malformed or too long, or has a NUL.
 */
bool ask_decode(const char *from, size_t len, char *to, size_t room);

/**
 * ask_query() - find a value in a query
 * @query: the query, still encoded, or %NULL
 * @name: of the value
 * @value: gets it, decoded
 * @room: bytes of @value
 *
 * Return: false if the value is missing or malformed.
 */
bool ask_query(const char *query, const char *name, char *value, size_t room);

/**
 * ask_read_size() - parse the size that a query may have
 * @ask: its size is set
 * @query: the query, still encoded, or %NULL
 *
 * Return: %NULL, or a text that says what is wrong with it.
 */
const char *ask_read_size(struct ask *ask, const char *query);

/**
 * ask_read_path() - parse the path of a request
 * @path: the path, still encoded
 * @peer: out: ID of the other SAE, CHANNEL_SAE_MAX + 1 bytes
 * @op: out: the operation that is requested
 *
 * Return: true if @path is one of the three paths of ETSI GS QKD 014, 5.1 to 5.3.
 */
bool ask_read_path(const char *path, char *peer, enum etsi_op *op);

/**
 * ask_read_enc() - parse a request for new keys
 * @ask: filled in
 * @request: a GET or a POST
 * @ignore_query: ignore the query of a GET
 *
 * Return: %NULL, or a text that says what is wrong with the request.
 */
const char *ask_read_enc(struct ask *ask, const struct etsi_request *request,
			 bool ignore_query);

/**
 * ask_read_dec() - parse a request for keys by their IDs
 * @ids: filled in; must be freed with ask_free_ids(), also after a failure
 * @request: a GET or a POST
 *
 * Return: %NULL, or a text that says what is wrong with the request.
 */
const char *ask_read_dec(struct ask_ids *ids,
			 const struct etsi_request *request);

/**
 * ask_id() - return one of the key IDs
 * @ids: from ask_read_dec()
 * @at: below @ids->n
 *
 * Return: the ID.
 */
const char *ask_id(const struct ask_ids *ids, size_t at);

/**
 * ask_free_ids() - free the memory of ask_read_dec()
 * @ids: from ask_read_dec()
 */
void ask_free_ids(struct ask_ids *ids);

#endif
