/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the offers of one link are made of: chains, KEM keys, nonces, keys. */
#ifndef QLINKD_EXCHANGE_H
#define QLINKD_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "chain.h"
#include "mix.h"
#include "pqc.h"
#include "qlinkd/agreement/agreement.h"
#include "qlinkd/agreement/message.h"
#include "qlinkd/base/bytes.h"

/**
 * struct exchange_binding - what the connection to the peer gives
 */
struct exchange_binding {
	/** @exporter: of the TLS connection, by MIX_EXPORTER_LABEL */
	uint8_t exporter[MIX_EXPORTER_BYTES];

	/** @own_cert_hash: SHA-384 of our certificate in DER */
	uint8_t own_cert_hash[MIX_CERT_HASH_BYTES];

	/** @peer_cert_hash: of the peer's */
	uint8_t peer_cert_hash[MIX_CERT_HASH_BYTES];

	/** @has_dialled: the connection is one that we made */
	bool has_dialled;
};

/**
 * struct exchange_stated - what one end said in STATE
 */
struct exchange_stated {
	/** @digest: SHA-384 of the message */
	uint8_t digest[48];

	/** @tx_ring: id of its transmit ring */
	uint8_t tx_ring[SESSION_RING_ID_BYTES];

	/** @rx_ring: id of its receive ring */
	uint8_t rx_ring[SESSION_RING_ID_BYTES];

	/** @chains: ids of the chains that it receives by */
	uint8_t chains[2][MIX_CHAIN_ID_BYTES];

	/** @policy: an enum policy */
	uint8_t policy;
};

/**
 * struct exchange_invite - an invitation that the peer sent
 */
struct exchange_invite {
	/** @id: its number, 0 for none */
	uint64_t id;

	/** @nonce: fresh */
	uint8_t nonce[MSG_NONCE_BYTES];

	/** @kem_public: a KEM key for one offer */
	uint8_t kem_public[MSG_KEM_PUBLIC_BYTES];

	/** @has_kem: @kem_public counts */
	bool has_kem;
};

/**
 * struct exchange_half - one direction: an offer and its keys
 */
struct exchange_half {
	/** @chain: what confirmed offers led to */
	struct chain chain;

	/** @keys: of the epochs of @offer, once derived */
	struct mix_keys keys[SESSION_OFFER_MAX];

	/** @secret: of the KEM, between encapsulation and derivation */
	struct pqc_secret secret;

	/** @offer: what it is about */
	struct session_offer offer;

	/** @from: the chain that it starts from */
	uint8_t from[MIX_CHAIN_BYTES];

	/** @from_id: the name of that chain */
	uint8_t from_id[MIX_CHAIN_ID_BYTES];

	/** @kem_public: the receiver's */
	uint8_t kem_public[MSG_KEM_PUBLIC_BYTES];

	/** @kem_ciphertext: the sender's answer */
	uint8_t kem_ciphertext[MSG_KEM_CIPHERTEXT_BYTES];

	/** @sender_nonce: fresh */
	uint8_t sender_nonce[MSG_NONCE_BYTES];

	/** @receiver_nonce: fresh */
	uint8_t receiver_nonce[MSG_NONCE_BYTES];

	/** @names: characters of the KME ID, then of the key IDs */
	uint8_t names[SESSION_OFFER_MAX + 1][MSG_NAME_BYTES_MAX];

	/** @name_lens: how many of each count */
	uint8_t name_lens[SESSION_OFFER_MAX + 1];

	/** @has_kem: our invitation has a KEM key */
	bool has_kem;

	/** @n_keys: how many of @keys count */
	uint8_t n_keys;
};

/**
 * struct exchange - what the offers of one link are made of
 *
 * Secret: lies in a struct qlink_secret. All zero is a link without a
 * connection; its chains outlive connections.
 */
struct exchange {
	/** @channel: of this connection */
	struct exchange_binding channel;

	/** @own: our STATE of this session */
	struct exchange_stated own;

	/** @peer: the peer's */
	struct exchange_stated peer;

	/** @tx: our offers */
	struct exchange_half tx;

	/** @rx: the peer's */
	struct exchange_half rx;

	/** @heard: the peer's last invitation */
	struct exchange_invite heard;

	/** @invited: number of our own invitation, 0 while none was sent */
	uint64_t invited;

	/** @kem: the private key of our invitation, or %NULL */
	struct pqc_key *kem;

	/** @session: digest of both STATEs, while a message is written */
	uint8_t session[MSG_SESSION_BYTES];

	/** @link_id: 1 to 65535 */
	uint16_t link_id;

	/** @version: of the protocol */
	uint8_t version;
};

/**
 * exchange_connect() - start on a new connection
 * @x: the exchange; chains stay, offers go
 * @channel: what the connection gives; copied
 * @link_id: of the link
 */
void exchange_connect(struct exchange *x, const struct exchange_binding *channel,
		      uint16_t link_id);

/**
 * exchange_drop_tx() - wipe what was prepared or offered
 * @x: the exchange; the sending chain stays
 */
void exchange_drop_tx(struct exchange *x);

/**
 * exchange_drop_rx() - wipe our invitation, and what was made of an offer
 * @x: the exchange; the receiving chain stays
 */
void exchange_drop_rx(struct exchange *x);

/**
 * exchange_end() - wipe all, chains included
 * @x: the exchange
 */
void exchange_end(struct exchange *x);

/**
 * exchange_fill() - add to a message what the agreement does not know
 * @x: the exchange
 * @msg: what the agreement wants to say; gets pointers into @x
 *
 * Context: before msg_encode().
 * Return: 0, or %-EIO if OpenSSL failed.
 */
int exchange_fill(struct exchange *x, struct msg *msg);

/**
 * exchange_said() - note the STATE that was sent
 * @x: the exchange
 * @msg: the message
 * @data: the same as bytes
 * @len: bytes at @data
 */
void exchange_said(struct exchange *x, const struct msg *msg,
		   const uint8_t *data, size_t len);

/**
 * exchange_heard() - look at a message before the agreement does
 * @x: the exchange
 * @msg: of this session; its is_verified is set
 * @data: the same as bytes
 * @len: bytes at @data
 *
 * Keeps what is needed of STATE, INVITE and OFFER. Of INVITE only a newer one
 * counts, of OFFER only the first for our invitation.
 */
void exchange_heard(struct exchange *x, struct msg *msg, const uint8_t *data,
		    size_t len);

/**
 * exchange_match_chain() - restart the sending chain unless the peer holds it
 * @x: the exchange; both STATEs are known
 *
 * Return: whether it restarted, which is worth an event.
 */
bool exchange_match_chain(struct exchange *x);

/**
 * exchange_make_invite() - make a KEM key and a nonce
 * @x: the exchange
 * @has_kem: with a KEM key; without one only source qkd can be offered
 *
 * Return: 0, or %-EIO if OpenSSL failed.
 */
int exchange_make_invite(struct exchange *x, bool has_kem);

/**
 * exchange_prepare() - make what an offer of ours says
 * @x: the exchange; the peer has invited
 * @offer: what it is about
 * @kme_id: our KME; none for pqc
 * @ids: @offer->n KME key IDs; not read for pqc
 *
 * Its keys are exchange_derive()'s to make, best when the offer is on its way.
 *
 * Return:
 * * %SESSION_REASON_NONE	- made
 * * %SESSION_REASON_KEM	- the peer's KEM key is no key, or there is none
 * * %SESSION_REASON_KEY_ID - an ID is too long
 */
enum session_reason exchange_prepare(struct exchange *x,
				     const struct session_offer *offer,
				     const struct bytes *kme_id,
				     const struct bytes *ids);

/**
 * exchange_open() - look at the peer's offer before its keys are fetched
 * @x: the exchange; an OFFER was heard
 *
 * Opens the ciphertext, which uses up our invitation.
 *
 * Return:
 * * %SESSION_REASON_NONE	- fetch its keys
 * * %SESSION_REASON_CHAIN - neither chain is the one that it starts from
 * * %SESSION_REASON_KEM	- the ciphertext cannot be opened
 */
enum session_reason exchange_open(struct exchange *x);

/**
 * exchange_key_id() - say which key of the KME belongs to an epoch
 * @x: the exchange
 * @i: epoch of the peer's offer, counted from 0
 *
 * Return: the key ID; none for pqc.
 */
struct bytes exchange_key_id(const struct exchange *x, unsigned int i);

/**
 * exchange_derive() - make the keys of an offer
 * @x: the exchange; exchange_prepare() or exchange_open() was content
 * @is_tx: ours, or the peer's
 * @qkd: a key from the KME for each epoch; not read for pqc
 *
 * Without them, no confirmation of our offer is right.
 *
 * Return: %SESSION_REASON_NONE, or %SESSION_REASON_KEY_ID for a key of a length
 * that is not allowed.
 */
enum session_reason exchange_derive(struct exchange *x, bool is_tx,
				    const struct bytes *qkd);

/**
 * exchange_advance() - go on to the chain that an offer led to
 * @half: the direction; its keys were derived, and are installed or confirmed
 */
void exchange_advance(struct exchange_half *half);

#endif
