/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What agents say to each other, as bytes; see PROTOCOL.md, section 2. */
#ifndef QLINKD_MSG_H
#define QLINKD_MSG_H

#include <stddef.h>
#include <stdint.h>

#include "agreement.h"
#include "common/why.h"
#include "qlinkd/base/bytes.h"

/* The encoding that this is, and the only version of the protocol so far. */
#define MSG_VERSION		1
#define MSG_HEADER_BYTES	24
/* An offer of SESSION_OFFER_MAX epochs with the longest names takes 5.5 kB. */
#define MSG_BYTES_MAX		8192
#define MSG_SESSION_BYTES	16
#define MSG_CHAIN_ID_BYTES	16
#define MSG_NONCE_BYTES		32
#define MSG_CONFIRM_BYTES	32
#define MSG_KEM_PUBLIC_BYTES	1216
#define MSG_KEM_CIPHERTEXT_BYTES	1120
#define MSG_KEY_ID_BYTES_MIN	8
#define MSG_NAME_BYTES_MAX	64

/**
 * struct msg - one message with all that belongs to it
 *
 * Owns none of its bytes: decoded, they lie in the buffer that was decoded.
 * None of them is secret.
 */
struct msg {
	/** @core: what the agreement looks at; @core.is_good is the carrier's */
	struct session_msg core;

	/** @link_id: 1 to 65535 */
	uint16_t link_id;

	/** @chain: OFFER: id of the chain that it starts from */
	struct bytes chain;

	/** @chains: STATE: ids of the two chains that the speaker receives by */
	struct bytes chains[2];

	/** @kmes: INVITE: which of the speaker's KMEs serve, bit 0 for place 1 */
	uint8_t kmes;

	/** @session: INVITE, OFFER: digest of both STATEs */
	struct bytes session;

	/** @nonce: INVITE, OFFER: fresh */
	struct bytes nonce;

	/** @kem_public: INVITE: KEM key, or none */
	struct bytes kem_public;

	/** @kem_ciphertext: OFFER: for that key; none for source qkd */
	struct bytes kem_ciphertext;

	/** @kme_id: OFFER: the sender's KME; none for source pqc */
	struct bytes kme_id;

	/** @key_ids: OFFER: one an epoch; none for source pqc */
	struct bytes key_ids[SESSION_OFFER_MAX];

	/** @confirm: CONFIRM: the key confirmation */
	struct bytes confirm;
};

/**
 * msg_length() - find out how long a message will be
 * @data: its first 4 bytes
 * @len: how many bytes are there
 * @want: its length in bytes, MSG_HEADER_BYTES to MSG_BYTES_MAX
 * @why: filled in on failure
 *
 * Return:
 * * %0		- @want is filled in
 * * %-EAGAIN	- fewer than 4 bytes
 * * %-EBADMSG	- a length out of range, as @why tells: close the connection
 */
int msg_length(const uint8_t *data, size_t len, size_t *want,
	       struct qlink_why *why);

/**
 * msg_encode() - write a message
 * @msg: the message
 * @data: where it goes
 * @room: bytes at @data; MSG_BYTES_MAX are always enough
 *
 * Return: its length in bytes, %-EMSGSIZE if it does not fit, or %-EINVAL for a
 * message that msg_decode() would not take.
 */
int msg_encode(const struct msg *msg, uint8_t *data, size_t room);

/**
 * msg_decode() - read a message
 * @msg: filled in; points into @data
 * @data: the whole message
 * @len: bytes at @data
 * @why: filled in on failure, with value and rule
 *
 * Return: 0, or %-EBADMSG with @why.
 */
int msg_decode(struct msg *msg, const uint8_t *data, size_t len,
	       struct qlink_why *why);

/**
 * msg_type_name() - name a kind of message
 * @type: an enum session_message
 *
 * Return: as "OFFER", or "unknown".
 */
const char *msg_type_name(unsigned int type);

/**
 * msg_reason_name() - name a reason
 * @reason: an enum session_reason
 *
 * Return: as "key-id", or "unknown".
 */
const char *msg_reason_name(unsigned int reason);

#endif
