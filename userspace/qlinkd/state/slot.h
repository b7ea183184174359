/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One slot of the state file: the chains of a link, sealed. */
#ifndef QLINKD_SLOT_H
#define QLINKD_SLOT_H

#include <stdint.h>

#include "qlinkd/base/bytes.h"
#include "qlinkd/secrets/chain.h"

/**
 * DOC: The state file
 *
 * The file is a row of slots of SLOT_BYTES each, so that none crosses a sector of a disk. Two
 * neighbours, 2i and 2i + 1, belong to one link and are written in turn: a write that a power cut
 * tears leaves the other one. All integers are big-endian. ::
 *
 *        0    8  magic, "qlinkst1"
 *        8    8  counter: one more than of the slot that was written before, whichever link's
 *       16    4  number of the slot in the file, so that a slot that was moved does not open
 *       20   12  zero
 *       32   32  salt: random, fresh for each write
 *       64   32  link: SHA-256 of "qlink state link" and, each after its length in two bytes,
 *                the agent's name, the peer's and the device's
 *       96  192  sealed: current and previous chain to send, current and previous to receive
 *      288   16  tag
 *      304  176  zero
 *      480   32  SHA-256 of all before it
 *
 * key (32) ‖ IV (12) = HKDF-SHA-384(salt, state key, "qlink state 1"), and the chains are sealed with
 * AES-256-GCM under them. Bytes 0 to 95 are the associated data. No key seals twice, because each
 * write has a salt of its own. The hash at the end is no protection. It tells a slot that was torn
 * or is damaged from one that is whole and sealed under another key.
 *
 * Of the slots that open, the one with the highest counter counts.
 */

#define SLOT_BYTES	512
#define SLOT_LINK_BYTES	32
/* Bytes of the key under which slots are sealed. */
#define SLOT_KEY_BYTES_MIN	32
#define SLOT_KEY_BYTES_MAX	1024

/**
 * struct slot_chains - the chains of both directions of a link; secret
 */
struct slot_chains {
	/** @tx: of the sending direction */
	struct chain tx;

	/** @rx: of the receiving direction */
	struct chain rx;
};

/**
 * struct slot - what a slot says
 */
struct slot {
	/** @counter: above that of all slots that were written before; 0 is never written */
	uint64_t counter;

	/** @link: whose chains they are, from slot_link() */
	uint8_t link[SLOT_LINK_BYTES];

	/** @chains: secret */
	struct slot_chains chains;
};

/* What became of a slot that was opened. */
enum slot_found {
	/* it was never written: all bytes are zero */
	SLOT_EMPTY,
	SLOT_OPENED,
	/* torn, changed, or moved from elsewhere */
	SLOT_DAMAGED,
	/* whole, and sealed under another key */
	SLOT_FOREIGN,
};

/**
 * slot_link() - name a link
 * @own: the agent's name
 * @peer: the peer's
 * @device: of the link
 * @link: SLOT_LINK_BYTES, filled in
 *
 * Context: Process.
 * Return: 0, or %-EIO if OpenSSL failed.
 */
int slot_link(const char *own, const char *peer, const char *device, uint8_t *link);

/**
 * slot_seal() - write a slot
 * @key: the state key, SLOT_KEY_BYTES_MIN or more
 * @number: of the slot in the file
 * @slot: what to write
 * @data: SLOT_BYTES, filled in; no secret
 *
 * Context: Process, any thread.
 * Return: 0, or %-EIO if OpenSSL failed; then @data is all zero.
 */
int slot_seal(const struct bytes *key, uint32_t number, const struct slot *slot, uint8_t *data);

/**
 * slot_open() - read a slot
 * @key: the state key
 * @number: of the slot in the file
 * @data: SLOT_BYTES
 * @slot: filled in if it opens, else all zero; in memory that is fit for secrets
 *
 * Context: Process, any thread.
 * Return: what was found.
 */
enum slot_found slot_open(const struct bytes *key, uint32_t number, const uint8_t *data,
			  struct slot *slot);

#endif
