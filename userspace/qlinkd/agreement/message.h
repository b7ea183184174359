/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The messages between agents, as bytes; see PROTOCOL.md, section 2. */
#ifndef QLINKD_MSG_H
#define QLINKD_MSG_H

#include <stddef.h>
#include <stdint.h>

#include "agreement.h"
#include "suite.h"
#include "common/why.h"
#include "qlinkd/base/bytes.h"

/* Version of this encoding, and the only version of the protocol so far. */
#define MSG_VERSION		2
#define MSG_HEADER_BYTES	24
/* Longest message; an offer of SESSION_KEY_IDS_MAX of the longest key IDs takes 10.3 kB. */
#define MSG_BYTES_MAX		16384
#define MSG_SESSION_BYTES	48
#define MSG_CHAIN_TAG_BYTES	16
#define MSG_NONCE_BYTES		32
#define MSG_CONFIRM_BYTES	32
#define MSG_PSK_CHECK_BYTES	32
#define MSG_KEY_ID_BYTES_MIN	8
#define MSG_NAME_BYTES_MAX	64

/**
 * struct msg - one message with all its parts
 *
 * It owns none of its bytes: those of a decoded message lie in the buffer that was decoded.
 * None of them is secret.
 */
struct msg {
	/** @core: the part that the agreement reads; decoded, its is_verified is false */
	struct session_msg core;

	/** @link_id: 1 to 65535 */
	uint16_t link_id;

	/** @chain: OFFER: shows the chain that the offer starts from */
	struct bytes chain;

	/** @chains: STATE: show the chains by which the end receives, present and previous */
	struct bytes chains[2];

	/** @tx_chain: STATE: shows the chain by which the end sends */
	struct bytes tx_chain;

	/** @psk_check: STATE: shows that the end has the pre-shared secret; empty without one */
	struct bytes psk_check;

	/** @kme_ids: STATE: the end's KMEs, by place; core.state.n_kmes of them */
	struct bytes kme_ids[SESSION_NODES_MAX];

	/** @kmes: INVITE: set of the receiver's KMEs that serve keys, bit 0 for its first */
	uint8_t kmes;

	/** @session: INVITE, OFFER: digest of both STATEs */
	struct bytes session;

	/** @nonce: INVITE, OFFER: fresh random bytes */
	struct bytes nonce;

	/** @kem_public: INVITE: KEM public key, or empty */
	struct bytes kem_public;

	/** @kem_ciphertext: OFFER: ciphertext for that key; empty for source qkd */
	struct bytes kem_ciphertext;

	/** @key_ids: OFFER: for each epoch one KME key ID of each KME; none for source pqc */
	struct bytes key_ids[SESSION_KEY_IDS_MAX];

	/** @confirm: CONFIRM: the key confirmation */
	struct bytes confirm;
};

/**
 * msg_length() - read the length of a message from its header
 * @data: start of the message
 * @len: number of bytes at @data so far
 * @want: set to the length in bytes, MSG_HEADER_BYTES to MSG_BYTES_MAX
 * @why: filled in if the length is out of range
 *
 * Context: Pure.
 * Return:
 * * %0		- @want is set
 * * %-EAGAIN	- @len is below 4
 * * %-EBADMSG	- the length is out of range, see @why: close the connection
 */
int msg_length(const uint8_t *data, size_t len, size_t *want,
	       struct qlink_why *why);

/**
 * msg_encode() - write a message as bytes
 * @msg: the message
 * @data: where the bytes go
 * @room: bytes at @data; MSG_BYTES_MAX are always enough
 *
 * Context: Pure.
 * Return: length in bytes, %-EMSGSIZE if the message does not fit, or %-EINVAL if
 * msg_decode() would refuse it.
 */
int msg_encode(const struct msg *msg, uint8_t *data, size_t room);

/**
 * msg_decode() - parse a message
 * @msg: filled in; points into @data, so it is valid as long as @data is
 * @data: the whole message
 * @len: bytes at @data
 * @why: filled in on failure, with the value and the rule
 *
 * Context: Pure.
 * Return: 0, or %-EBADMSG with @why: close the connection.
 */
int msg_decode(struct msg *msg, const uint8_t *data, size_t len,
	       struct qlink_why *why);

/**
 * msg_type_name() - get the name of a message type
 * @type: an enum session_message
 *
 * Context: Pure.
 * Return: a constant such as "OFFER"; "unknown" if there is no such type.
 */
const char *msg_type_name(unsigned int type);

/**
 * msg_reason_name() - get the name of a reason
 * @reason: an enum session_reason
 *
 * Context: Pure.
 * Return: a constant such as "key-id"; "unknown" if there is no such reason.
 */
const char *msg_reason_name(unsigned int reason);

#endif
