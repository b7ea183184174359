/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What requests and capabilities look like in SKIP, draft-cisco-skip-02. */
#ifndef KMESIM_SKIP_H
#define KMESIM_SKIP_H

#include "ask.h"

/**
 * skip_read_path() - parse the path of a request, and whom its query names
 * @request: the request
 * @peer: out: the remoteSystemID, CHANNEL_SAE_MAX + 1 bytes; empty if there is none
 * @op: out: the operation that is requested
 *
 * Return: true if it is a path of SKIP; /entropy, which the simulator does not have, is none.
 */
bool skip_read_path(const struct etsi_request *request, char *peer, enum etsi_op *op);

/**
 * skip_read_enc() - parse a request for a new key
 * @ask: filled in
 * @request: a GET
 *
 * Return: %NULL, or a text that says what is wrong with the request.
 */
const char *skip_read_enc(struct ask *ask, const struct etsi_request *request);

/**
 * skip_read_dec() - parse a request for a key by its ID
 * @ids: filled in; must be freed with ask_free_ids(), also after a failure
 * @request: a GET
 *
 * Return: %NULL, or a text that says what is wrong with the request.
 */
const char *skip_read_dec(struct ask_ids *ids, const struct etsi_request *request);

/**
 * skip_capabilities() - say what a KME can do for an SAE
 * @etsi: the KME
 * @sae: the SAE that asks
 *
 * An SAE has the same name as its key provider, which serves no other one.
 *
 * Return: the answer.
 */
json_t *skip_capabilities(const struct etsi *etsi, const struct sae *sae);

#endif
