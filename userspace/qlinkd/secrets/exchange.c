// SPDX-License-Identifier: GPL-2.0-or-later
/* The secrets of one link: chains, KEM keys, nonces and the keys of offers. */
#include "exchange.h"

#include <errno.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#define WIRE_VERSION	1
#define SESSION_LABEL	"qlink 2 session"

_Static_assert(MSG_NONCE_BYTES == MIX_NONCE_BYTES &&
	       MSG_CONFIRM_BYTES == MIX_CONFIRM_BYTES &&
	       MSG_SESSION_BYTES == MIX_HASH_BYTES &&
	       MSG_PSK_CHECK_BYTES == MIX_PSK_CHECK_BYTES &&
	       MSG_CHAIN_TAG_BYTES == MIX_CHAIN_TAG_BYTES,
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

int exchange_set_psk(struct exchange *x, const struct bytes *psk)
{
	int err = mix_psk_extract(psk, x->psk_prk);

	if (!err)
		err = mix_psk_secret(x->psk_prk, x->psk);
	x->has_psk = !err;
	return err;
}

static const struct suite *suite_of(const struct exchange *x)
{
	return suite_find(x->binding.suite);
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
	SHA384(data, len, stated->state);
	memcpy(stated->tx_chain, msg->tx_chain.data, MIX_CHAIN_TAG_BYTES);
	memcpy(stated->chains[0], msg->chains[0].data, MIX_CHAIN_TAG_BYTES);
	memcpy(stated->chains[1], msg->chains[1].data, MIX_CHAIN_TAG_BYTES);
}

/* Hashes HELLO and STATE of the end that dialled, then those of the other, at both ends alike. */
static void session_digest(const struct exchange *x, uint8_t *session)
{
	const struct exchange_stated *first = x->binding.has_dialled ? &x->own : &x->peer;
	const struct exchange_stated *second = x->binding.has_dialled ? &x->peer : &x->own;
	const uint8_t *const digests[] = {
		first->hello, first->state, second->hello, second->state,
	};
	uint8_t data[sizeof(SESSION_LABEL) - 1 + sizeof(digests) / sizeof(digests[0]) * MIX_HASH_BYTES];
	uint8_t *to = data + sizeof(SESSION_LABEL) - 1;
	size_t i;

	memcpy(data, SESSION_LABEL, sizeof(SESSION_LABEL) - 1);
	for (i = 0; i < sizeof(digests) / sizeof(digests[0]); i++, to += MIX_HASH_BYTES)
		memcpy(to, digests[i], MIX_HASH_BYTES);
	SHA384(data, sizeof(data), session);
}

void exchange_sent(struct exchange *x, const struct msg *msg,
		   const uint8_t *data, size_t len)
{
	if (msg->core.type == SESSION_MESSAGE_HELLO)
		SHA384(data, len, x->own.hello);
	else if (msg->core.type == SESSION_MESSAGE_STATE)
		keep_state(&x->own, msg, data, len);
}

static struct mix_speaker speaker(const struct exchange *x, bool is_own)
{
	return (struct mix_speaker){
		.exporter = x->binding.exporter,
		.link_id = x->link_id,
		.has_dialled = x->binding.has_dialled == is_own,
	};
}

/* The chain tags of our STATE: of those by which we receive, and of the one by which we send. */
static int own_chain_tags(const struct exchange *x, struct exchange_stated *own)
{
	const struct mix_speaker us = speaker(x, true);
	int err = mix_chain_tag(x->rx.chain.current, &us, own->chains[0]);

	if (!err)
		err = mix_chain_tag(x->rx.chain.previous, &us, own->chains[1]);
	return err ? err : mix_chain_tag(x->tx.chain.current, &us, own->tx_chain);
}

/* Whether the peer has shown that it receives by the chain by which we send. */
static bool peer_has_chain(const struct exchange *x)
{
	const struct mix_speaker peer = speaker(x, false);
	uint8_t tag[MIX_CHAIN_TAG_BYTES];

	return !mix_chain_tag(x->tx.chain.current, &peer, tag) &&
	       (!CRYPTO_memcmp(tag, x->peer.chains[0], sizeof(tag)) ||
		!CRYPTO_memcmp(tag, x->peer.chains[1], sizeof(tag)));
}

/* Whether the chain of a direction is zero, or will restart because the receiver does not have it. */
static bool starts_from_zero(const struct exchange *x)
{
	const struct mix_speaker peer = speaker(x, false);
	const uint8_t *from = chain_find(&x->rx.chain, &peer, x->peer.tx_chain);

	return chain_is_zero(x->tx.chain.current) || !peer_has_chain(x) || !from ||
	       chain_is_zero(from);
}

/* What the peer's check says about its pre-shared secret, or that it has none. */
static enum session_psk compare_psk(const struct exchange *x, const struct bytes *check)
{
	const struct mix_speaker peer = speaker(x, false);
	uint8_t want[MIX_PSK_CHECK_BYTES];

	if (!x->has_psk)
		return check->len ? SESSION_PSK_ONLY_PEER : SESSION_PSK_SAME;
	if (!check->len)
		return SESSION_PSK_ONLY_OWN;
	if (mix_psk_check(x->psk_prk, &peer, want) ||
	    CRYPTO_memcmp(want, check->data, sizeof(want)))
		return SESSION_PSK_DIFFERS;
	return SESSION_PSK_SAME;
}

bool exchange_match_chain(struct exchange *x)
{
	if (peer_has_chain(x))
		return false;
	chain_restart(&x->tx.chain);
	return true;
}

/* --- keys --- */

static bool set_key_id(struct exchange_offer *offer, unsigned int i, const struct bytes *from)
{
	if (from->len > MSG_NAME_BYTES_MAX)
		return false;
	offer->key_id_lens[i] = (uint8_t)from->len;
	memcpy(offer->key_ids[i], from->data, from->len);
	return true;
}

struct bytes exchange_key_id(const struct exchange_offer *offer, unsigned int i)
{
	return (struct bytes){ offer->key_ids[i], offer->key_id_lens[i] };
}

static void fill_end(struct mix_end *end, const uint8_t *cert_hash, const uint8_t *nonce)
{
	memcpy(end->cert_hash, cert_hash, sizeof(end->cert_hash));
	memcpy(end->nonce, nonce, sizeof(end->nonce));
}

/* What all epochs of an offer share. */
static void fill_transcript(const struct exchange *x, bool is_tx,
			    struct mix_transcript *t)
{
	const struct exchange_offer *offer = is_tx ? x->tx.offer : x->rx.offer;
	struct mix_end *own = is_tx ? &t->sender : &t->receiver;
	struct mix_end *peer = is_tx ? &t->receiver : &t->sender;
	bool has_kem = offer->core.source != QLINK_SOURCE_QKD;

	memset(t, 0, sizeof(*t));
	fill_end(own, x->binding.own_cert_hash,
		 is_tx ? offer->sender_nonce : offer->receiver_nonce);
	fill_end(peer, x->binding.peer_cert_hash,
		 is_tx ? offer->receiver_nonce : offer->sender_nonce);
	memcpy(t->exporter, x->binding.exporter, sizeof(t->exporter));
	session_digest(x, t->session);
	t->protocol_version = x->version;
	t->wire_version = WIRE_VERSION;
	t->suite = x->binding.suite;
	t->direction = is_tx == x->binding.has_dialled ?
			MIX_DIRECTION_DIALLED : MIX_DIRECTION_ANSWERED;
	t->link_id = x->link_id;
	t->offer = offer->core;
	if (has_kem) {
		t->kem_public = (struct bytes){ offer->kem_public,
						suite_public_bytes(suite_of(x)) };
		t->kem_ciphertext = (struct bytes){ offer->kem_ciphertext,
						    suite_ciphertext_bytes(suite_of(x)) };
	}
}

static void fill_secrets(const struct exchange *x, const struct exchange_offer *offer,
			 struct mix_secrets *secrets)
{
	memset(secrets, 0, sizeof(*secrets));
	if (offer->core.source != QLINK_SOURCE_QKD) {
		secrets->kem = (struct bytes){ offer->secret.kem, SUITE_KEM_SECRET_BYTES };
		secrets->ecdh = (struct bytes){ offer->secret.ecdh, suite_of(x)->ecdh_secret };
	}
	if (x->has_psk)
		secrets->psk = (struct bytes){ x->psk, sizeof(x->psk) };
}

/* What epoch @i of an offer has alone; @qkd is not read for pqc. */
static void fill_epoch(const struct exchange_offer *offer, unsigned int i,
		       const struct bytes *qkd, struct mix_epoch *epoch)
{
	unsigned int m = offer->core.n_kmes, k;

	memset(epoch, 0, sizeof(*epoch));
	epoch->number = offer->core.first + i;
	epoch->chain = i ? offer->keys[i - 1].next_chain : offer->from;
	for (k = 0; k < m; k++) {
		epoch->key_ids[k] = exchange_key_id(offer, i * m + k);
		epoch->qkd[k] = qkd[i * m + k];
	}
}

/* Derives one epoch after the other; each starts from the next chain of the previous one. */
enum session_reason exchange_derive(struct exchange *x, bool is_tx,
				    const struct bytes *qkd)
{
	struct exchange_offer *offer = is_tx ? x->tx.offer : x->rx.offer;
	uint8_t common[MIX_HASH_BYTES];
	struct mix_transcript transcript;
	struct mix_secrets secrets;
	struct mix_epoch epoch;
	unsigned int i;
	int err;

	fill_transcript(x, is_tx, &transcript);
	fill_secrets(x, offer, &secrets);
	err = mix_common(&transcript, common);
	for (i = 0; i < offer->core.n && !err; i++) {
		fill_epoch(offer, i, qkd, &epoch);
		err = mix_derive(&transcript, common, &secrets, &epoch, &offer->keys[i]);
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

static bool set_key_ids(struct exchange_offer *offer, const struct bytes *ids)
{
	unsigned int n = offer->core.n * offer->core.n_kmes, i;

	if (n > SESSION_KEY_IDS_MAX)
		return false;
	for (i = 0; i < n; i++)
		if (!set_key_id(offer, i, &ids[i]))
			return false;
	return true;
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
				     const struct bytes *ids)
{
	const struct mix_speaker us = speaker(x, true);
	struct exchange_offer *offer = x->tx.offer;

	offer->core = *core;
	take_invite(offer, &x->peer_invite);
	if (!set_key_ids(offer, ids))
		return SESSION_REASON_KEY_ID;
	if (RAND_bytes(offer->sender_nonce, sizeof(offer->sender_nonce)) != 1)
		return SESSION_REASON_KEM;
	if (core->source != QLINK_SOURCE_QKD &&
	    (!x->peer_invite.has_kem ||
	     pqc_encapsulate(suite_of(x), offer->kem_public, suite_public_bytes(suite_of(x)),
			     offer->kem_ciphertext, &offer->secret)))
		return SESSION_REASON_KEM;
	memcpy(offer->from, x->tx.chain.current, sizeof(offer->from));
	return mix_chain_tag(offer->from, &us, offer->from_tag) ? SESSION_REASON_KEM :
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
	return has_kem ? pqc_key_new(&x->kem, suite_of(x), invite->kem_public) : 0;
}

enum session_reason exchange_open(struct exchange *x)
{
	const struct mix_speaker peer = speaker(x, false);
	struct exchange_offer *offer = x->rx.offer;
	const uint8_t *from;

	if (!offer)
		return SESSION_REASON_MEMORY;
	from = chain_find(&x->rx.chain, &peer, offer->from_tag);
	if (!from || (x->demands_chain && chain_is_zero(from)))
		return SESSION_REASON_CHAIN;
	memcpy(offer->from, from, sizeof(offer->from));
	if (offer->core.source != QLINK_SOURCE_QKD &&
	    pqc_decapsulate(&x->kem, offer->kem_ciphertext,
			    suite_ciphertext_bytes(suite_of(x)), &offer->secret))
		return SESSION_REASON_KEM;
	return SESSION_REASON_NONE;
}

/* --- messages --- */

static void fill_offer(struct exchange *x, struct msg *msg)
{
	const struct exchange_offer *offer = x->tx.offer;
	unsigned int i;

	msg->chain = (struct bytes){ offer->from_tag, MSG_CHAIN_TAG_BYTES };
	msg->nonce = (struct bytes){ offer->sender_nonce, MSG_NONCE_BYTES };
	if (offer->core.source != QLINK_SOURCE_QKD)
		msg->kem_ciphertext = (struct bytes){ offer->kem_ciphertext,
						      suite_ciphertext_bytes(suite_of(x)) };
	for (i = 0; i < offer->core.n * offer->core.n_kmes; i++)
		msg->key_ids[i] = exchange_key_id(offer, i);
}

static void fill_invite(struct exchange *x, struct msg *msg)
{
	struct exchange_invite *invite = &x->own_invite;

	invite->id = msg->core.invite;
	msg->nonce = (struct bytes){ invite->nonce, MSG_NONCE_BYTES };
	if (invite->has_kem)
		msg->kem_public = (struct bytes){ invite->kem_public,
						  suite_public_bytes(suite_of(x)) };
}

/* Messages point to their bytes, so what is computed for them is stored in @x. */
static int fill_state(struct exchange *x, struct msg *msg)
{
	const struct mix_speaker us = speaker(x, true);
	struct exchange_stated *own = &x->own;
	int err = own_chain_tags(x, own);

	if (!err && x->has_psk) {
		err = mix_psk_check(x->psk_prk, &us, own->psk_check);
		msg->psk_check = (struct bytes){ own->psk_check, sizeof(own->psk_check) };
	}
	msg->tx_chain = (struct bytes){ own->tx_chain, MSG_CHAIN_TAG_BYTES };
	msg->chains[0] = (struct bytes){ own->chains[0], MSG_CHAIN_TAG_BYTES };
	msg->chains[1] = (struct bytes){ own->chains[1], MSG_CHAIN_TAG_BYTES };
	return err;
}

static void fill_session(struct exchange *x, struct msg *msg)
{
	session_digest(x, x->session);
	msg->session = (struct bytes){ x->session, MSG_SESSION_BYTES };
}

int exchange_fill(struct exchange *x, struct msg *msg)
{
	const struct exchange_offer *received = x->rx.offer;

	msg->link_id = x->link_id;
	switch (msg->core.type) {
	case SESSION_MESSAGE_STATE:
		return fill_state(x, msg);
	case SESSION_MESSAGE_INVITE:
		fill_invite(x, msg);
		fill_session(x, msg);
		return 0;
	case SESSION_MESSAGE_OFFER:
		fill_offer(x, msg);
		fill_session(x, msg);
		return 0;
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

/* A KEM key or ciphertext is absent, or it is as long as the suite says. */
static bool kem_is_right(const struct exchange *x, const struct msg *msg)
{
	return (!msg->kem_public.len || msg->kem_public.len == suite_public_bytes(suite_of(x))) &&
	       (!msg->kem_ciphertext.len ||
		msg->kem_ciphertext.len == suite_ciphertext_bytes(suite_of(x)));
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
		memcpy(invite->kem_public, msg->kem_public.data, msg->kem_public.len);
}

/* Keeps an offer if it is the first for our invitation. exchange_open() refuses it without memory. */
static void keep_offer(struct exchange *x, const struct msg *msg)
{
	struct exchange_offer *offer;

	if (x->rx.offer || !x->own_invite.id ||
	    msg->core.offer.invite != x->own_invite.id || begin(&x->rx))
		return;
	offer = x->rx.offer;
	offer->core = msg->core.offer;
	take_invite(offer, &x->own_invite);
	memcpy(offer->from_tag, msg->chain.data, sizeof(offer->from_tag));
	memcpy(offer->sender_nonce, msg->nonce.data, MSG_NONCE_BYTES);
	if (msg->kem_ciphertext.len)
		memcpy(offer->kem_ciphertext, msg->kem_ciphertext.data, msg->kem_ciphertext.len);
	set_key_ids(offer, msg->key_ids);
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
	case SESSION_MESSAGE_HELLO:
		SHA384(data, len, x->peer.hello);
		break;
	case SESSION_MESSAGE_STATE:
		keep_state(&x->peer, msg, data, len);
		core->state.psk = (uint8_t)compare_psk(x, &msg->psk_check);
		core->state.starts_from_zero = starts_from_zero(x);
		memset(&x->peer_invite, 0, sizeof(x->peer_invite));
		break;
	case SESSION_MESSAGE_INVITE:
		core->is_verified = session_is_right(x, msg) && kem_is_right(x, msg);
		if (core->is_verified)
			keep_invite(x, msg);
		break;
	case SESSION_MESSAGE_OFFER:
		core->is_verified = session_is_right(x, msg) && kem_is_right(x, msg);
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
