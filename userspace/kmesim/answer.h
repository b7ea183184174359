/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes what a KME answers, with its habits and its faults. */
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

	/** @op: what was asked */
	enum etsi_op op;

	/** @happens: faults of this answer, bit n for enum fault_kind n */
	unsigned int happens;

	/** @bits: with FAULT_SIZE, bits of each key */
	unsigned int bits;

	/** @left: keys still to come, so that FAULT_SHORT knows the last */
	uint64_t left;
};

/**
 * answer_json() - answer with JSON
 * @etsi: the KME
 * @reply: filled in
 * @root: the JSON, which is taken over; %NULL gives a 503
 */
void answer_json(struct etsi *etsi, struct etsi_reply *reply, json_t *root);

/**
 * answer_error() - answer with an error, in the form that the KME has
 * @etsi: the KME
 * @reply: filled in
 * @status: of HTTP
 * @message: for the body
 *
 * Return: false, for the caller's own return.
 */
bool answer_error(struct etsi *etsi, struct etsi_reply *reply, int status,
		  const char *message);

/**
 * answer_instead() - let a fault answer, before anything is done
 * @etsi: the KME
 * @reply: filled in if one happens
 * @op: what was asked
 *
 * Return: true if a fault happened.
 */
bool answer_instead(struct etsi *etsi, struct etsi_reply *reply,
		    enum etsi_op op);

/**
 * answer_spoil() - let a fault happen to an answer on its way out
 * @etsi: the KME
 * @reply: the answer, changed if one happens
 * @op: what was asked
 */
void answer_spoil(struct etsi *etsi, struct etsi_reply *reply, enum etsi_op op);

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
 * @key: the key; stays the caller's
 */
void answer_add(struct answer *answer, const struct sim_key *key);

/**
 * answer_finish() - end a container, and answer with it
 * @answer: from answer_start(); not to be used again
 * @reply: filled in
 */
void answer_finish(struct answer *answer, struct etsi_reply *reply);

#endif
