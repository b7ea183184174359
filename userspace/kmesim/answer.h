/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes the answers of a KME, as its settings and its faults require. */
#ifndef KMESIM_ANSWER_H
#define KMESIM_ANSWER_H

#include <jansson.h>

#include "etsi.h"

/**
 * struct answer - a key container that is being written
 */
struct answer {
	/** @etsi: the KME */
	struct etsi *etsi;

	/** @keys: the array of the container */
	json_t *keys;

	/** @op: the operation that was requested */
	enum etsi_op op;

	/** @happens: faults that apply to this answer, bit n for enum fault_kind n */
	unsigned int happens;

	/** @bits: with FAULT_SIZE, bits of each key */
	unsigned int bits;

	/** @left: number of keys still to be added; FAULT_SHORT leaves out the last one */
	uint64_t left;
};

/**
 * answer_json() - answer with JSON
 * @etsi: the KME
 * @reply: filled in
 * @root: the JSON, which the function frees; %NULL gives a 503
 */
void answer_json(struct etsi *etsi, struct etsi_reply *reply, json_t *root);

/**
 * answer_error() - answer with an error, in the form that the settings select
 * @etsi: the KME
 * @reply: filled in
 * @status: the HTTP status
 * @message: text for the body
 *
 * Return: always false, so that a caller can return it.
 */
bool answer_error(struct etsi *etsi, struct etsi_reply *reply, int status,
		  const char *message);

/**
 * answer_instead() - answer as a fault requires, before any key is given
 * @etsi: the KME
 * @reply: filled in if a fault applies
 * @op: the operation that was requested
 *
 * Return: true if a fault applied.
 */
bool answer_instead(struct etsi *etsi, struct etsi_reply *reply,
		    enum etsi_op op);

/**
 * answer_apply_faults() - apply faults to an answer before it is sent
 * @etsi: the KME
 * @reply: the answer, changed if a fault applies
 * @op: the operation that was requested
 */
void answer_apply_faults(struct etsi *etsi, struct etsi_reply *reply, enum etsi_op op);

/**
 * answer_start() - begin a key container
 * @answer: filled in
 * @etsi: the KME
 * @op: enc_keys or dec_keys
 * @n: keys that will be added
 */
void answer_start(struct answer *answer, struct etsi *etsi, enum etsi_op op,
		  uint64_t n);

/**
 * answer_add() - add a key to the container
 * @answer: from answer_start()
 * @key: the key, which the caller still owns
 */
void answer_add(struct answer *answer, const struct sim_key *key);

/**
 * answer_finish() - end a container, and answer with it
 * @answer: from answer_start(); not to be used again
 * @reply: filled in
 */
void answer_finish(struct answer *answer, struct etsi_reply *reply);

#endif
