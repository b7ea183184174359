// SPDX-License-Identifier: GPL-2.0-or-later
/* The secrets of one link: chains, KEM keys, nonces and the keys of offers. */
#include "exchange.h"

#include <errno.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#define SUITE		1
#define WIRE_VERSION	1
#define SESSION_LABEL	"qlink 1 session"

_Static_assert(MSG_KEM_PUBLIC_BYTES == PQC_PUBLIC_BYTES &&
	       MSG_KEM_CIPHERTEXT_BYTES == PQC_CIPHERTEXT_BYTES &&
	       MSG_NONCE_BYTES == MIX_NONCE_BYTES &&
	       MSG_CONFIRM_BYTES == MIX_CONFIRM_BYTES &&
	       MSG_CHAIN_ID_BYTES == MIX_CHAIN_ID_BYTES,
	       "messages and the key schedule have the same lengths");

/* The memory is wiped before it is returned. */
static void drop(struct exchange_half *half)
{
	half->offer = NULL;
	qlink_secret_free(&half->memory);
}

static enum session_reason begin(struct exchange_half *half)
{
	drop(half);
	if (qlink_secret_new(&half->memory, sizeof(*half->offer)))
		return SESSION_REASON_MEMORY;
	half->offer = (struct exchange_offer *)half->memory.data;
	return SESSION_REASON_NONE;
}

void exchange_drop_tx(struct exchange *x)
{
	drop(&x->tx);
}

void exchange_drop_rx(struct exchange *x)
{
	pqc_key_free(&x->kem);
	OPENSSL_cleanse(&x->own_invite, sizeof(x->own_invite));
	drop(&x->rx);
}

void exchange_connect(struct exchange *x, const struct exchange_binding *binding,
		      uint16_t link_id)
{
	exchange_drop_tx(x);
	exchange_drop_rx(x);
	memset(&x->own, 0, sizeof(x->own));
	memset(&x->peer, 0, sizeof(x->peer));
	memset(&x->peer_invite, 0, sizeof(x->peer_invite));
	x->binding = *binding;
	x->link_id = link_id;
	x->version = MSG_VERSION;
}

void exchange_end(struct exchange *x)
{
	exchange_drop_tx(x);
	exchange_drop_rx(x);
	OPENSSL_cleanse(x, sizeof(*x));
}

/* --- the session --- */

static void keep_state(struct exchange_stated *stated, const struct msg *msg,
		       const uint8_t *data, size_t len)
{
	const struct session_state *state = &msg->core.state;

	SHA384(data, len, stated->digest);
	memcpy(stated->tx_ring, state->rings.tx.id, SESSION_RING_ID_BYTES);
	memcpy(stated->rx_ring, state->rings.rx.id, SESSION_RING_ID_BYTES);
	memcpy(stated->chains[0], msg->chains[0].data, MIX_CHAIN_ID_BYTES);
	memcpy(stated->chains[1], msg->chains[1].data, MIX_CHAIN_ID_BYTES);
	stated->policy = state->policy;
}

/* Hashes the STATE of the end that dialled, then the other STATE, at both ends alike. */
static void session_digest(const struct exchange *x, uint8_t *session)
{
	const struct exchange_stated *first = &x->own, *second = &x->peer;
	uint8_t data[sizeof(SESSION_LABEL) - 1 + 2 * 48], digest[48];

	if (!x->binding.has_dialled) {
		first = &x->peer;
		second = &x->own;
	}
	memcpy(data, SESSION_LABEL, sizeof(SESSION_LABEL) - 1);
	memcpy(data + sizeof(data) - 96, first->digest, 48);
	memcpy(data + sizeof(data) - 48, second->digest, 48);
	SHA384(data, sizeof(data), digest);
	memcpy(session, digest, MSG_SESSION_BYTES);
}

void exchange_sent(struct exchange *x, const struct msg *msg,
		   const uint8_t *data, size_t len)
{
	if (msg->core.type == SESSION_MESSAGE_STATE)
		keep_state(&x->own, msg, data, len);
}

bool exchange_match_chain(struct exchange *x)
{
	uint8_t id[MIX_CHAIN_ID_BYTES];

	if (!mix_chain_id(x->tx.chain.current, id) &&
	    (!memcmp(id, x->peer.chains[0], sizeof(id)) ||
	     !memcmp(id, x->peer.chains[1], sizeof(id))))
		return false;
	chain_restart(&x->tx.chain);
	return true;
}

/* --- keys --- */

static struct bytes name(const struct exchange_offer *offer, unsigned int i)
{
	return (struct bytes){ offer->names[i], offer->name_lens[i] };
}

static bool set_name(struct exchange_offer *offer, unsigned int i,
		     const struct bytes *from)
{
	if (from->len > MSG_NAME_BYTES_MAX)
		return false;
	offer->name_lens[i] = (uint8_t)from->len;
	if (from->len)
		memcpy(offer->names[i], from->data, from->len);
	return true;
}

struct bytes exchange_key_id(const struct exchange *x, unsigned int i)
{
	return name(x->rx.offer, i + 1);
}

static void fill_end(struct mix_end *end, const uint8_t *cert_hash,
		     const uint8_t *ring_id, const uint8_t *nonce,
		     uint8_t policy)
{
	memcpy(end->cert_hash, cert_hash, sizeof(end->cert_hash));
	memcpy(end->ring_id, ring_id, sizeof(end->ring_id));
	memcpy(end->nonce, nonce, sizeof(end->nonce));
	end->policy = policy;
}

/* Fills in the transcript except for the key ID, which is different for each epoch. */
static void fill_transcript(const struct exchange *x, bool is_tx,
			    struct mix_transcript *t)
{
	const struct exchange_offer *offer = is_tx ? x->tx.offer : x->rx.offer;
	struct mix_end *own = is_tx ? &t->sender : &t->receiver;
	struct mix_end *peer = is_tx ? &t->receiver : &t->sender;
	bool has_kem = offer->core.source != QLINK_SOURCE_QKD;

	memset(t, 0, sizeof(*t));
	fill_end(own, x->binding.own_cert_hash,
		 is_tx ? x->own.tx_ring : x->own.rx_ring,
		 is_tx ? offer->sender_nonce : offer->receiver_nonce,
		 x->own.policy);
	fill_end(peer, x->binding.peer_cert_hash,
		 is_tx ? x->peer.rx_ring : x->peer.tx_ring,
		 is_tx ? offer->receiver_nonce : offer->sender_nonce,
		 x->peer.policy);
	memcpy(t->exporter, x->binding.exporter, sizeof(t->exporter));
	t->protocol_version = x->version;
	t->wire_version = WIRE_VERSION;
	t->suite = SUITE;
	t->direction = is_tx == x->binding.has_dialled ?
			MIX_DIRECTION_DIALLED : MIX_DIRECTION_ANSWERED;
	t->source = offer->core.source;
	t->link_id = x->link_id;
	t->kme_id = name(offer, 0);
	if (has_kem) {
		t->kem_public = (struct bytes){ offer->kem_public,
						MSG_KEM_PUBLIC_BYTES };
		t->kem_ciphertext = (struct bytes){ offer->kem_ciphertext,
						    MSG_KEM_CIPHERTEXT_BYTES };
	}
}

/* Derives one epoch after the other; each starts from the next chain of the previous one. */
enum session_reason exchange_derive(struct exchange *x, bool is_tx,
				    const struct bytes *qkd)
{
	struct exchange_offer *offer = is_tx ? x->tx.offer : x->rx.offer;
	struct mix_secrets secrets = { .chain = offer->from };
	struct mix_transcript transcript;
	unsigned int i;
	int err = 0;

	fill_transcript(x, is_tx, &transcript);
	if (offer->core.source != QLINK_SOURCE_QKD) {
		secrets.mlkem = (struct bytes){ offer->secret.mlkem,
						PQC_SECRET_BYTES };
		secrets.x25519 = (struct bytes){ offer->secret.x25519,
						 PQC_SECRET_BYTES };
	}
	for (i = 0; i < offer->core.n && !err; i++) {
		transcript.key_id = name(offer, i + 1);
		if (offer->core.source != QLINK_SOURCE_PQC)
			secrets.qkd = qkd[i];
		err = mix_derive(&transcript, &secrets, offer->core.first + i,
				 &offer->keys[i]);
		secrets.chain = offer->keys[i].next_chain;
	}
	OPENSSL_cleanse(&offer->secret, sizeof(offer->secret));
	/* It has the exporter of the connection. */
	OPENSSL_cleanse(&transcript, sizeof(transcript));
	if (err)
		OPENSSL_cleanse(offer->keys, sizeof(offer->keys));
	offer->n_keys = err ? 0 : offer->core.n;
	return err ? SESSION_REASON_KEY_ID : SESSION_REASON_NONE;
}

void exchange_advance(struct exchange_half *half)
{
	const struct exchange_offer *offer = half->offer;

	chain_advance(&half->chain, offer->from,
		      offer->keys[offer->n_keys - 1].next_chain);
}

/* --- ours, to send --- */

static bool set_names(struct exchange_offer *offer, const struct bytes *kme_id,
		      const struct bytes *ids)
{
	unsigned int i;

	if (offer->core.source == QLINK_SOURCE_PQC)
		return true;
	for (i = 0; i < offer->core.n; i++)
		if (!set_name(offer, i + 1, &ids[i]))
			return false;
	return set_name(offer, 0, kme_id);
}

/* What an offer needs of the invitation that it uses up. */
static void take_invite(struct exchange_offer *offer, const struct exchange_invite *invite)
{
	memcpy(offer->receiver_nonce, invite->nonce, sizeof(offer->receiver_nonce));
	memcpy(offer->kem_public, invite->kem_public, sizeof(offer->kem_public));
}

enum session_reason exchange_begin(struct exchange *x)
{
	return begin(&x->tx);
}

enum session_reason exchange_prepare(struct exchange *x,
				     const struct session_offer *core,
				     const struct bytes *kme_id,
				     const struct bytes *ids)
{
	struct exchange_offer *offer = x->tx.offer;

	offer->core = *core;
	take_invite(offer, &x->peer_invite);
	if (!set_names(offer, kme_id, ids))
		return SESSION_REASON_KEY_ID;
	if (RAND_bytes(offer->sender_nonce, sizeof(offer->sender_nonce)) != 1)
		return SESSION_REASON_KEM;
	if (core->source != QLINK_SOURCE_QKD &&
	    (!x->peer_invite.has_kem ||
	     pqc_encapsulate(offer->kem_public, sizeof(offer->kem_public),
			     offer->kem_ciphertext, &offer->secret)))
		return SESSION_REASON_KEM;
	memcpy(offer->from, x->tx.chain.current, sizeof(offer->from));
	return mix_chain_id(offer->from, offer->from_id) ? SESSION_REASON_KEM :
							   SESSION_REASON_NONE;
}

/* --- the peer's, to receive --- */

int exchange_make_invite(struct exchange *x, bool has_kem)
{
	struct exchange_invite *invite = &x->own_invite;

	exchange_drop_rx(x);
	if (RAND_bytes(invite->nonce, sizeof(invite->nonce)) != 1)
		return -EIO;
	invite->has_kem = has_kem;
	return has_kem ? pqc_key_new(&x->kem, invite->kem_public) : 0;
}

enum session_reason exchange_open(struct exchange *x)
{
	struct exchange_offer *offer = x->rx.offer;
	const uint8_t *from;

	if (!offer)
		return SESSION_REASON_MEMORY;
	from = chain_find(&x->rx.chain, offer->from_id);
	if (!from)
		return SESSION_REASON_CHAIN;
	memcpy(offer->from, from, sizeof(offer->from));
	if (offer->core.source != QLINK_SOURCE_QKD &&
	    pqc_decapsulate(&x->kem, offer->kem_ciphertext,
			    sizeof(offer->kem_ciphertext), &offer->secret))
		return SESSION_REASON_KEM;
	return SESSION_REASON_NONE;
}

/* --- messages --- */

static void fill_offer(struct exchange *x, struct msg *msg)
{
	const struct exchange_offer *offer = x->tx.offer;
	unsigned int i;

	msg->chain = (struct bytes){ offer->from_id, MSG_CHAIN_ID_BYTES };
	msg->nonce = (struct bytes){ offer->sender_nonce, MSG_NONCE_BYTES };
	if (offer->core.source != QLINK_SOURCE_QKD)
		msg->kem_ciphertext = (struct bytes){
			offer->kem_ciphertext, MSG_KEM_CIPHERTEXT_BYTES };
	msg->kme_id = name(offer, 0);
	for (i = 0; i < offer->core.n; i++)
		msg->key_ids[i] = name(offer, i + 1);
}

static void fill_invite(struct exchange *x, struct msg *msg)
{
	struct exchange_invite *invite = &x->own_invite;

	invite->id = msg->core.invite;
	msg->nonce = (struct bytes){ invite->nonce, MSG_NONCE_BYTES };
	if (invite->has_kem)
		msg->kem_public = (struct bytes){ invite->kem_public,
						  MSG_KEM_PUBLIC_BYTES };
}

/* Messages point to their bytes, so the session's digest and the chain ids are stored in @x. */
static int fill_computed(struct exchange *x, struct msg *msg)
{
	const struct chain *chain = &x->rx.chain;
	unsigned int i;
	int err = 0;

	if (msg->core.type == SESSION_MESSAGE_STATE) {
		err = mix_chain_id(chain->current, x->own.chains[0]);
		if (!err)
			err = mix_chain_id(chain->previous, x->own.chains[1]);
		for (i = 0; i < 2; i++)
			msg->chains[i] = (struct bytes){ x->own.chains[i],
							 MSG_CHAIN_ID_BYTES };
	} else {
		session_digest(x, x->session);
		msg->session = (struct bytes){ x->session, MSG_SESSION_BYTES };
	}
	return err;
}

int exchange_fill(struct exchange *x, struct msg *msg)
{
	const struct exchange_offer *received = x->rx.offer;

	msg->link_id = x->link_id;
	switch (msg->core.type) {
	case SESSION_MESSAGE_STATE:
		return fill_computed(x, msg);
	case SESSION_MESSAGE_INVITE:
		fill_invite(x, msg);
		return fill_computed(x, msg);
	case SESSION_MESSAGE_OFFER:
		fill_offer(x, msg);
		return fill_computed(x, msg);
	case SESSION_MESSAGE_CONFIRM:
		if (!received || !received->n_keys)
			return -EIO;
		msg->confirm = (struct bytes){
			received->keys[received->n_keys - 1].confirm, MSG_CONFIRM_BYTES };
		return 0;
	default:
		return 0;
	}
}

static bool session_is_right(const struct exchange *x, const struct msg *msg)
{
	uint8_t session[MSG_SESSION_BYTES];

	session_digest(x, session);
	return !CRYPTO_memcmp(session, msg->session.data, sizeof(session));
}

/* Keeps an invitation if it is newer than the last one. */
static void keep_invite(struct exchange *x, const struct msg *msg)
{
	struct exchange_invite *invite = &x->peer_invite;

	if (msg->core.invite <= invite->id)
		return;
	invite->id = msg->core.invite;
	memcpy(invite->nonce, msg->nonce.data, MSG_NONCE_BYTES);
	invite->has_kem = msg->kem_public.len > 0;
	if (invite->has_kem)
		memcpy(invite->kem_public, msg->kem_public.data,
		       MSG_KEM_PUBLIC_BYTES);
}

/* Keeps an offer if it is the first for our invitation. exchange_open() refuses it without memory. */
static void keep_offer(struct exchange *x, const struct msg *msg)
{
	struct exchange_offer *offer;
	unsigned int i;

	if (x->rx.offer || !x->own_invite.id ||
	    msg->core.offer.invite != x->own_invite.id || begin(&x->rx))
		return;
	offer = x->rx.offer;
	offer->core = msg->core.offer;
	take_invite(offer, &x->own_invite);
	memcpy(offer->from_id, msg->chain.data, sizeof(offer->from_id));
	memcpy(offer->sender_nonce, msg->nonce.data, MSG_NONCE_BYTES);
	if (msg->kem_ciphertext.len)
		memcpy(offer->kem_ciphertext, msg->kem_ciphertext.data,
		       MSG_KEM_CIPHERTEXT_BYTES);
	set_name(offer, 0, &msg->kme_id);
	for (i = 0; i < offer->core.n; i++)
		set_name(offer, i + 1, &msg->key_ids[i]);
}

static bool confirm_is_right(const struct exchange *x, const struct msg *msg)
{
	const struct exchange_offer *offer = x->tx.offer;

	return offer && offer->n_keys &&
	       !CRYPTO_memcmp(offer->keys[offer->n_keys - 1].confirm,
			      msg->confirm.data, MSG_CONFIRM_BYTES);
}

void exchange_received(struct exchange *x, struct msg *msg, const uint8_t *data,
		       size_t len)
{
	struct session_msg *core = &msg->core;

	core->is_verified = true;
	switch (core->type) {
	case SESSION_MESSAGE_STATE:
		keep_state(&x->peer, msg, data, len);
		memset(&x->peer_invite, 0, sizeof(x->peer_invite));
		break;
	case SESSION_MESSAGE_INVITE:
		core->is_verified = session_is_right(x, msg);
		if (core->is_verified)
			keep_invite(x, msg);
		break;
	case SESSION_MESSAGE_OFFER:
		core->is_verified = session_is_right(x, msg);
		if (core->is_verified)
			keep_offer(x, msg);
		break;
	case SESSION_MESSAGE_CONFIRM:
		core->is_verified = confirm_is_right(x, msg);
		break;
	default:
		break;
	}
}
