/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The secrets of one link: chains, KEM keys, nonces and the keys of offers. */
#ifndef QLINKD_EXCHANGE_H
#define QLINKD_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "chain.h"
#include "mix.h"
#include "common/secret.h"
#include "pqc.h"
#include "qlinkd/agreement/agreement.h"
#include "qlinkd/agreement/message.h"
#include "qlinkd/base/bytes.h"

/**
 * DOC: Words
 *
 * userspace/PROTOCOL.md, section 1, is the specification.
 *
 * * transcript: public data and the TLS exporter that both ends must know alike
 * * chain: a secret that each confirmed offer replaces, so later keys depend on all offers
 * * chain id: a name of a chain in the transcript, from which the chain cannot be computed
 * * chain tag: shows that an end has a chain, on this connection and for this link only
 * * salt: the hash of the transcript, input of HKDF; also the salt of nonces in struct mix_keys
 * * confirmation: an output of the key schedule; the receiver sends it to prove that it has
 *   the same keys
 * * binding: what ties the keys to one TLS connection: exporter and certificate hashes
 * * KEM key: a key pair of ML-KEM and ECDH of the receiver, which serves one offer
 * * half: one direction of a link, sending (tx) or receiving (rx)
 * * an offer is under way from OFFER until its keys are installed, or it failed
 */

/**
 * struct exchange_binding - what ties keys to the connection to the peer
 */
struct exchange_binding {
	/** @exporter: keying material of the TLS connection for MIX_EXPORTER_LABEL; secret */
	uint8_t exporter[MIX_EXPORTER_BYTES];

	/** @own_cert_hash: SHA-384 of our certificate in DER */
	uint8_t own_cert_hash[MIX_HASH_BYTES];

	/** @peer_cert_hash: SHA-384 of the peer's certificate in DER */
	uint8_t peer_cert_hash[MIX_HASH_BYTES];

	/** @has_dialled: this end dialled the connection */
	bool has_dialled;

	/** @suite: of the connection, 1 or 2, see tls_suite() */
	uint8_t suite;
};

/**
 * struct exchange_stated - what one end said in HELLO and STATE
 */
struct exchange_stated {
	/** @hello: SHA-384 of the last HELLO, header included */
	uint8_t hello[MIX_HASH_BYTES];

	/** @state: SHA-384 of STATE, header included */
	uint8_t state[MIX_HASH_BYTES];

	/** @chains: tags of the chains by which it receives, present and previous */
	uint8_t chains[2][MIX_CHAIN_TAG_BYTES];

	/** @tx_chain: tag of the chain by which it sends */
	uint8_t tx_chain[MIX_CHAIN_TAG_BYTES];

	/** @psk_check: of our STATE: shows that we have the pre-shared secret */
	uint8_t psk_check[MSG_PSK_CHECK_BYTES];
};

/**
 * struct exchange_invite - an invitation
 */
struct exchange_invite {
	/** @id: its number, 0 if there is none */
	uint64_t id;

	/** @nonce: the receiver's nonce */
	uint8_t nonce[MSG_NONCE_BYTES];

	/** @kem_public: KEM public key for one offer */
	uint8_t kem_public[SUITE_PUBLIC_BYTES_MAX];

	/** @has_kem: @kem_public is valid */
	bool has_kem;
};

/**
 * struct exchange_offer - an offer and its keys, while it is under way
 *
 * It has locked memory of its own, because it is large and most links have none most of the time.
 */
struct exchange_offer {
	/** @core: its number, epochs, source and KMEs */
	struct session_offer core;

	/** @keys: keys of its epochs, after exchange_derive() */
	struct mix_keys keys[SESSION_OFFER_MAX];

	/** @secret: shared secrets of the KEM, between encapsulation and derivation */
	struct pqc_secret secret;

	/** @from: chain from which it starts */
	uint8_t from[MIX_CHAIN_BYTES];

	/** @from_tag: shows that the sender has it */
	uint8_t from_tag[MIX_CHAIN_TAG_BYTES];

	/** @kem_public: the receiver's KEM public key */
	uint8_t kem_public[SUITE_PUBLIC_BYTES_MAX];

	/** @kem_ciphertext: the sender's ciphertext for it */
	uint8_t kem_ciphertext[SUITE_CIPHERTEXT_BYTES_MAX];

	/** @sender_nonce: random bytes of the sender, fresh for this offer */
	uint8_t sender_nonce[MSG_NONCE_BYTES];

	/** @receiver_nonce: random bytes of the receiver, fresh for this offer */
	uint8_t receiver_nonce[MSG_NONCE_BYTES];

	/** @key_ids: characters of the KME key IDs: of each KME for the first epoch, and so on */
	uint8_t key_ids[SESSION_KEY_IDS_MAX][MSG_NAME_BYTES_MAX];

	/** @key_id_lens: number of characters of each */
	uint8_t key_id_lens[SESSION_KEY_IDS_MAX];

	/** @n_keys: number of valid members of @keys */
	uint8_t n_keys;
};

/**
 * struct exchange_half - one direction of a link
 */
struct exchange_half {
	/** @chain: the present and the previous chain */
	struct chain chain;

	/** @offer: the offer under way, in @memory; %NULL if there is none */
	struct exchange_offer *offer;

	/** @memory: locked, holds @offer */
	struct qlink_secret memory;
};

/**
 * struct exchange - the secrets of one link
 *
 * It is secret: it lies in a struct qlink_secret. All zero is a link without a connection.
 * Its chains outlive connections. Who no longer needs it calls exchange_end(), which frees the
 * memory of its offers.
 */
struct exchange {
	/** @binding: of this connection */
	struct exchange_binding binding;

	/** @own: our HELLO and STATE of this session */
	struct exchange_stated own;

	/** @peer: the peer's HELLO and STATE of this session */
	struct exchange_stated peer;

	/** @tx: the sending direction: our offers */
	struct exchange_half tx;

	/** @rx: the receiving direction: the peer's offers */
	struct exchange_half rx;

	/** @peer_invite: the peer's last invitation */
	struct exchange_invite peer_invite;

	/** @own_invite: our last invitation; its number is 0 until it was sent */
	struct exchange_invite own_invite;

	/** @kem: private key of our invitation, or %NULL */
	struct pqc_key *kem;

	/** @session: digest of what both ends said; valid while a message is written */
	uint8_t session[MSG_SESSION_BYTES];

	/** @psk_prk: made of the pre-shared secret, if there is one */
	uint8_t psk_prk[MIX_HASH_BYTES];

	/** @psk: what it puts into the keys */
	uint8_t psk[MIX_PSK_BYTES];

	/** @has_psk: there is one */
	bool has_psk;

	/** @demands_chain: the peer's offers must not start from a chain of zero */
	bool demands_chain;

	/** @link_id: 1 to 65535 */
	uint16_t link_id;

	/** @version: version of the protocol */
	uint8_t version;
};

/**
 * exchange_set_psk() - take the pre-shared secret of the link
 * @x: the exchange; it has none yet
 * @psk: MIX_PSK_BYTES_MIN or more; the caller wipes it
 *
 * Context: Process.
 * Return: 0, %-EINVAL if it is too short, or %-EIO if OpenSSL failed.
 */
int exchange_set_psk(struct exchange *x, const struct bytes *psk);

/**
 * exchange_connect() - begin to use a new connection
 * @x: the exchange; its chains and its pre-shared secret stay, the rest is wiped
 * @binding: of the new connection; copied
 * @link_id: id of the link, 1 to 65535
 *
 * Context: Process.
 */
void exchange_connect(struct exchange *x, const struct exchange_binding *binding,
		      uint16_t link_id);

/**
 * exchange_drop_tx() - wipe our offer and return its memory
 * @x: the exchange; the sending chain stays
 *
 * The caller calls it when the offer failed, and when its keys are installed.
 *
 * Context: Process.
 */
void exchange_drop_tx(struct exchange *x);

/**
 * exchange_drop_rx() - wipe our invitation and the peer's offer, and return its memory
 * @x: the exchange; the receiving chain stays
 *
 * Context: Process.
 */
void exchange_drop_rx(struct exchange *x);

/**
 * exchange_end() - wipe the whole exchange, chains included
 * @x: the exchange; all zero afterwards
 *
 * Context: Process.
 */
void exchange_end(struct exchange *x);

/**
 * exchange_fill() - add to a message the parts that the agreement does not handle
 * @x: the exchange
 * @msg: the message, with its core; gets pointers into @x, valid until @x changes
 *
 * Adds the link id, chain tags, psk check, nonces, KEM key or ciphertext, key IDs, the session's
 * digest and the confirmation, as the type needs. The IDs of the KMEs in STATE are the caller's.
 *
 * Context: Process, before msg_encode().
 * Return: 0, or %-EIO if OpenSSL failed or CONFIRM has no derived keys.
 */
int exchange_fill(struct exchange *x, struct msg *msg);

/**
 * exchange_sent() - keep what is needed of a message that was sent
 * @x: the exchange
 * @msg: the message that was sent; only HELLO and STATE matter
 * @data: the same message as bytes
 * @len: bytes at @data
 *
 * Context: Process.
 */
void exchange_sent(struct exchange *x, const struct msg *msg,
		   const uint8_t *data, size_t len);

/**
 * exchange_received() - verify a message, before the agreement handles it
 * @x: the exchange
 * @msg: a message that session_accepts(); its core.is_verified is set, and of STATE what the
 *	pre-shared secret and the chains of both ends say
 * @data: the same message as bytes
 * @len: bytes at @data
 *
 * It keeps what is needed of HELLO, STATE, INVITE and OFFER: of INVITE only if it is newer than the
 * last one, of OFFER only if it is the first for our invitation. Where no memory can be locked
 * for an OFFER, exchange_open() says so.
 *
 * Context: Process.
 */
void exchange_received(struct exchange *x, struct msg *msg, const uint8_t *data,
		       size_t len);

/**
 * exchange_match_chain() - restart the sending chain unless the peer's STATE names it
 * @x: the exchange; both STATEs are known
 *
 * Context: Process.
 * Return: %true if the chain restarted, which should be logged.
 */
bool exchange_match_chain(struct exchange *x);

/**
 * exchange_make_invite() - make a nonce, and a KEM key if wanted
 * @x: the exchange; the last invitation is wiped
 * @has_kem: make a KEM key too; without one the peer can only offer source qkd
 *
 * Context: Process.
 * Return: 0, or %-EIO if OpenSSL failed.
 */
int exchange_make_invite(struct exchange *x, bool has_kem);

/**
 * exchange_begin() - get memory for an offer of ours
 * @x: the exchange; an earlier offer of ours is wiped
 *
 * It comes first, so that no key is taken from a stock for an offer that cannot be made.
 *
 * Context: Process.
 * Return: %SESSION_REASON_NONE, or %SESSION_REASON_MEMORY if no memory can be locked.
 */
enum session_reason exchange_begin(struct exchange *x);

/**
 * exchange_prepare() - make the nonce, ciphertext and key IDs of an offer of ours
 * @x: the exchange; the peer has sent an invitation, and exchange_begin() has succeeded
 * @offer: number, epochs, source and KMEs of the offer
 * @ids: for each epoch one KME key ID of each KME; not read for pqc
 *
 * The caller calls exchange_derive() later, best after the offer is sent.
 *
 * Context: Process.
 * Return:
 * * %SESSION_REASON_NONE	- the offer can be sent
 * * %SESSION_REASON_KEM	- the peer's KEM key is invalid or missing, or OpenSSL failed
 * * %SESSION_REASON_KEY_ID	- an ID is too long
 */
enum session_reason exchange_prepare(struct exchange *x,
				     const struct session_offer *offer,
				     const struct bytes *ids);

/**
 * exchange_open() - find the chain and open the ciphertext of the peer's offer
 * @x: the exchange; exchange_received() kept an OFFER
 *
 * The caller calls it before it fetches the keys of the offer. It uses up the KEM key of our
 * invitation.
 *
 * Context: Process.
 * Return:
 * * %SESSION_REASON_NONE	- the keys of the offer can be fetched
 * * %SESSION_REASON_MEMORY	- no memory could be locked for the offer
 * * %SESSION_REASON_CHAIN	- we do not hold the chain from which the offer starts, or it is zero
 *   and we demand one
 * * %SESSION_REASON_KEM	- the ciphertext cannot be opened
 */
enum session_reason exchange_open(struct exchange *x);

/**
 * exchange_key_id() - get a KME key ID of an offer
 * @offer: our offer or the peer's
 * @i: which: epoch times number of KMEs plus KME, both counted from 0
 *
 * Context: Pure.
 * Return: the key ID, which points into @offer.
 */
struct bytes exchange_key_id(const struct exchange_offer *offer, unsigned int i);

/**
 * exchange_derive() - derive the keys of an offer
 * @x: the exchange; exchange_prepare() or exchange_open() has succeeded
 * @is_tx: %true for our offer, %false for the peer's
 * @qkd: for each epoch a key from each KME; not read for pqc
 *
 * Until it has succeeded for our offer, every CONFIRM fails verification.
 *
 * Context: Process.
 * Return: %SESSION_REASON_NONE, or %SESSION_REASON_KEY_ID if a QKD key has a length that is
 * not allowed or OpenSSL failed; then all keys are wiped.
 */
enum session_reason exchange_derive(struct exchange *x, bool is_tx,
				    const struct bytes *qkd);

/**
 * exchange_advance() - advance the chain to the next chain of the offer
 * @half: the direction; the keys of its offer are derived, and installed or confirmed
 *
 * Context: Pure.
 */
void exchange_advance(struct exchange_half *half);

#endif
