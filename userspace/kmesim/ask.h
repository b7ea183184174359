/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads what a client asks of a KME. */
#ifndef KMESIM_ASK_H
#define KMESIM_ASK_H

#include <jansson.h>

#include "etsi.h"

/**
 * struct ask - a key request
 */
struct ask {
	/** @number: keys wanted */
	uint64_t number;

	/** @size: bits of each, 0 for the KME's own */
	unsigned int size;

	/** @slaves: SAE IDs of additional slaves */
	char slaves[CHANNEL_SLAVES_MAX - 1][CHANNEL_SAE_MAX + 1];

	/** @n_slaves: how many */
	size_t n_slaves;

	/** @has_mandatory: it names a mandatory extension */
	bool has_mandatory;
};

/**
 * struct ask_ids - the key IDs of a dec_keys request
 */
struct ask_ids {
	/** @list: an array of strings */
	json_t *list;

	/** @n: how many */
	size_t n;
};

/**
 * ask_read_path() - take a request's path apart
 * @path: still encoded
 * @peer: the other SAE's ID goes here, CHANNEL_SAE_MAX + 1 bytes
 * @op: what is asked
 *
 * Return: true if it is one of the three paths of ETSI GS QKD 014, 5.1 to 5.3.
 */
bool ask_read_path(const char *path, char *peer, enum etsi_op *op);

/**
 * ask_read_enc() - read a key request
 * @ask: filled in
 * @request: a GET or a POST
 * @ignore_query: take no notice of the query of a GET
 *
 * Return: %NULL, or what is wrong with it.
 */
const char *ask_read_enc(struct ask *ask, const struct etsi_request *request,
			 bool ignore_query);

/**
 * ask_read_dec() - read the key IDs that are asked for
 * @ids: filled in, freed with ask_free_ids(), also after a failure
 * @request: a GET or a POST
 *
 * Return: %NULL, or what is wrong with it.
 */
const char *ask_read_dec(struct ask_ids *ids,
			 const struct etsi_request *request);

/**
 * ask_id() - one of the key IDs
 * @ids: from ask_read_dec()
 * @at: below @ids->n
 *
 * Return: the ID.
 */
const char *ask_id(const struct ask_ids *ids, size_t at);

/**
 * ask_free_ids() - free what ask_read_dec() made
 * @ids: from there
 */
void ask_free_ids(struct ask_ids *ids);

#endif
