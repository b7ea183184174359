// SPDX-License-Identifier: GPL-2.0-or-later
/* The messages between agents, as bytes; see PROTOCOL.md, section 2. */
#include "message.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <linux/qlink.h>

#include "policy.h"

/* STATE: the bit of an end that accepts no chain that starts from zero. */
#define DEMANDS_CHAIN	1

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))

static const char *const types[] = {
	[SESSION_MESSAGE_HELLO] = "HELLO",
	[SESSION_MESSAGE_STATE] = "STATE",
	[SESSION_MESSAGE_INVITE] = "INVITE",
	[SESSION_MESSAGE_OFFER] = "OFFER",
	[SESSION_MESSAGE_CONFIRM] = "CONFIRM",
	[SESSION_MESSAGE_REFUSE] = "REFUSE",
	[SESSION_MESSAGE_WITHDRAW] = "WITHDRAW",
	[SESSION_MESSAGE_WITHDRAWN] = "WITHDRAWN",
	[SESSION_MESSAGE_LEAVE] = "LEAVE",
};

static const char *const reasons[SESSION_N_REASONS] = {
	[SESSION_REASON_NONE] = "none",
	[SESSION_REASON_SOURCE] = "source",
	[SESSION_REASON_EPOCH] = "epoch",
	[SESSION_REASON_CHAIN] = "chain",
	[SESSION_REASON_KEY_ID] = "key-id",
	[SESSION_REASON_KME] = "kme",
	[SESSION_REASON_KEM] = "kem",
	[SESSION_REASON_KERNEL] = "kernel",
	[SESSION_REASON_TIMEOUT] = "timeout",
	[SESSION_REASON_CONFIRM] = "confirm",
	[SESSION_REASON_POLICY] = "policy",
	[SESSION_REASON_LIMIT] = "limit",
	[SESSION_REASON_COMMAND] = "command",
	[SESSION_REASON_MEMORY] = "memory",
};

const char *msg_type_name(unsigned int type)
{
	return type < ARRAY_SIZE(types) && types[type] ? types[type] :
							 "unknown";
}

const char *msg_reason_name(unsigned int reason)
{
	return reason < ARRAY_SIZE(reasons) ? reasons[reason] : "unknown";
}

/* Bytes that are being read, and the first error in them. */
struct reader {
	const uint8_t *at;
	size_t left;
	struct qlink_why *why;
	int err;
};

__attribute__((format(printf, 2, 3)))
static void refuse(struct reader *in, const char *format, ...)
{
	va_list ap;

	if (in->err)
		return;
	in->err = -EBADMSG;
	va_start(ap, format);
	vsnprintf(in->why->text, sizeof(in->why->text), format, ap);
	va_end(ap);
}

/* Returns the next @len bytes of the message, or none after an error. */
static struct bytes take(struct reader *in, const char *what, size_t len)
{
	struct bytes bytes = { NULL, 0 };

	if (in->err)
		return bytes;
	if (in->left < len) {
		refuse(in, "%s: %zu bytes left, want %zu", what, in->left, len);
		return bytes;
	}
	bytes = (struct bytes){ in->at, len };
	in->at += len;
	in->left -= len;
	return bytes;
}

static uint64_t take_be(struct reader *in, const char *what, size_t len)
{
	struct bytes bytes = take(in, what, len);
	uint64_t value = 0;
	size_t i;

	for (i = 0; i < bytes.len; i++)
		value = value << 8 | bytes.data[i];
	return value;
}

static uint64_t take_number(struct reader *in, const char *what, size_t len,
			    uint64_t min, uint64_t max)
{
	uint64_t value = take_be(in, what, len);

	if (value < min || value > max)
		refuse(in, "%s %llu: not from %llu to %llu", what,
		       (unsigned long long)value, (unsigned long long)min,
		       (unsigned long long)max);
	return value;
}

static uint64_t take_epoch(struct reader *in, const char *what)
{
	return take_number(in, what, 8, 1, SESSION_EPOCH_MAX);
}

/* Reads a length, then so many bytes: none, or exactly @len, or @or. */
static struct bytes take_piece(struct reader *in, const char *what, size_t len, size_t or)
{
	uint64_t got = take_be(in, what, 2);

	if (got && got != len && got != or)
		refuse(in, len == or ? "%s: %llu bytes, want 0 or %zu" :
		       "%s: %llu bytes, want 0, %zu or %zu", what, (unsigned long long)got, len, or);
	return take(in, what, got);
}

static int is_word(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	       (c >= 'a' && c <= 'z') || c == '-';
}

/* Some KMEs have key IDs that are not UUIDs, but all of them use only these characters. */
static struct bytes take_key_id(struct reader *in)
{
	size_t len = take_number(in, "length of a key ID", 2,
				 MSG_KEY_ID_BYTES_MIN, MSG_NAME_BYTES_MAX);
	struct bytes id = take(in, "key ID", len);
	size_t i;

	for (i = 0; i < id.len; i++)
		if (!is_word(id.data[i]))
			refuse(in, "key ID: byte 0x%02x, want 0-9 A-Z a-z -",
			       id.data[i]);
	return id;
}

static struct bytes take_kme_id(struct reader *in)
{
	size_t len = take_number(in, "length of a KME ID", 2, 1,
				 MSG_NAME_BYTES_MAX);
	struct bytes id = take(in, "KME ID", len);
	size_t i;

	for (i = 0; i < id.len; i++)
		if (id.data[i] < 0x20 || id.data[i] > 0x7e)
			refuse(in, "KME ID: byte 0x%02x, want printable ASCII",
			       id.data[i]);
	return id;
}

static void take_versions(struct reader *in, struct session_versions *versions)
{
	versions->min = (uint8_t)take_number(in, "lowest version", 1, 1, 255);
	versions->max = (uint8_t)take_number(in, "highest version", 1,
					     versions->min, 255);
}

static void take_ring(struct reader *in, struct session_ring *ring)
{
	struct bytes id = take(in, "ring id", SESSION_RING_ID_BYTES);
	uint64_t last = 0;
	uint8_t i;

	if (id.data)
		memcpy(ring->id, id.data, id.len);
	ring->newest = take_number(in, "newest epoch", 8, 0, SESSION_EPOCH_MAX);
	ring->n_held = (uint8_t)take_number(in, "ranges of epochs", 1, 0,
					    SESSION_RANGES_MAX);
	for (i = 0; i < ring->n_held && !in->err; i++) {
		ring->held[i].first = take_number(in, "epoch held", 8, last + 1,
						  ring->newest);
		ring->held[i].last = take_number(in, "epoch held", 8,
						 ring->held[i].first,
						 ring->newest);
		last = ring->held[i].last;
	}
}

/* What an end demands of the keys of the link. */
static void take_demands(struct reader *in, struct session_state *state)
{
	uint64_t demands;

	state->suite = (uint8_t)take_number(in, "suite", 1, SUITE_MIN, SUITE_MAX);
	state->suite_least = (uint8_t)take_number(in, "suite-least", 1, SUITE_MIN, SUITE_MAX);
	state->kmes_least = (uint8_t)take_number(in, "kmes-least", 1, 1, SESSION_KMES_MAX);
	state->kmes_most = (uint8_t)take_number(in, "kmes-most", 1, 0, SESSION_KMES_MAX);
	demands = take_number(in, "demands", 1, 0, DEMANDS_CHAIN);
	state->demands_chain = demands & DEMANDS_CHAIN;
}

static void take_kme_ids(struct reader *in, struct msg *msg)
{
	struct session_state *state = &msg->core.state;
	uint8_t i;

	state->n_kmes = (uint8_t)take_number(in, "KMEs", 1, state->kmes_most, SESSION_NODES_MAX);
	for (i = 0; i < state->n_kmes && !in->err; i++)
		msg->kme_ids[i] = take_kme_id(in);
}

static void take_state(struct reader *in, struct msg *msg)
{
	struct session_state *state = &msg->core.state;

	take_versions(in, &state->versions);
	state->policy = (uint8_t)take_be(in, "policy", 1);
	state->sources = policy_sources(state->policy);
	if (!state->sources)
		refuse(in, "policy %u: no such policy", state->policy);
	take_demands(in, state);
	msg->tx_chain = take(in, "chain tag", MSG_CHAIN_TAG_BYTES);
	msg->chains[0] = take(in, "chain tag", MSG_CHAIN_TAG_BYTES);
	msg->chains[1] = take(in, "chain tag", MSG_CHAIN_TAG_BYTES);
	msg->psk_check = take_piece(in, "psk check", MSG_PSK_CHECK_BYTES, MSG_PSK_CHECK_BYTES);
	take_kme_ids(in, msg);
	take_ring(in, &state->rings.tx);
	take_ring(in, &state->rings.rx);
}

static void take_invite(struct reader *in, struct msg *msg)
{
	msg->core.invite = take_number(in, "invitation", 8, 1, UINT64_MAX);
	msg->kmes = (uint8_t)take_number(in, "KMEs", 1, 0, UINT8_MAX);
	msg->session = take(in, "session", MSG_SESSION_BYTES);
	msg->nonce = take(in, "nonce", MSG_NONCE_BYTES);
	msg->kem_public = take_piece(in, "KEM key", suite_public_bytes(suite_find(1)),
				     suite_public_bytes(suite_find(2)));
}

/* A key ID is used once, so an offer must not contain it twice; each KME has its own. */
static void take_key_ids(struct reader *in, struct msg *msg)
{
	const struct session_offer *offer = &msg->core.offer;
	struct bytes *ids = msg->key_ids;
	unsigned int n = offer->n * offer->n_kmes, i, j;

	for (i = 0; i < n && !in->err; i++) {
		ids[i] = take_key_id(in);
		for (j = i % offer->n_kmes; j < i && !in->err; j += offer->n_kmes)
			if (ids[i].len == ids[j].len && !memcmp(ids[i].data, ids[j].data, ids[i].len))
				refuse(in, "key ID %u: the same as key ID %u", i, j);
	}
}

/* The KMEs of an offer, by their places. */
static void take_places(struct reader *in, struct session_offer *offer)
{
	bool has_kmes = offer->source != QLINK_SOURCE_PQC;
	uint8_t i, last = 0;

	offer->n_kmes = (uint8_t)take_number(in, "KMEs", 1, has_kmes, has_kmes ? SESSION_KMES_MAX : 0);
	if (offer->n * offer->n_kmes > SESSION_KEY_IDS_MAX)
		refuse(in, "%u epochs of %u KMEs: more than %u key IDs", offer->n, offer->n_kmes,
		       SESSION_KEY_IDS_MAX);
	for (i = 0; i < offer->n_kmes && !in->err; i++) {
		last = (uint8_t)take_number(in, "place of a KME", 1, last + 1, SESSION_NODES_MAX);
		offer->kmes[i] = last;
	}
}

static void take_offer(struct reader *in, struct msg *msg)
{
	struct session_offer *offer = &msg->core.offer;
	bool has_kem;

	offer->id = take_number(in, "offer", 8, 1, UINT64_MAX);
	offer->invite = take_number(in, "invitation", 8, 1, UINT64_MAX);
	offer->first = take_epoch(in, "epoch");
	offer->n = (uint8_t)take_number(in, "epochs", 1, 1, SESSION_OFFER_MAX);
	if (offer->first > SESSION_EPOCH_MAX - offer->n + 1)
		refuse(in, "epochs %u from %llu: beyond %llu", offer->n,
		       (unsigned long long)offer->first, SESSION_EPOCH_MAX);
	offer->source = (uint8_t)take_number(in, "source", 1, QLINK_SOURCE_QKD,
					     QLINK_SOURCE_PQC);
	msg->session = take(in, "session", MSG_SESSION_BYTES);
	msg->chain = take(in, "chain tag", MSG_CHAIN_TAG_BYTES);
	msg->nonce = take(in, "nonce", MSG_NONCE_BYTES);
	msg->kem_ciphertext = take_piece(in, "ciphertext", suite_ciphertext_bytes(suite_find(1)),
					 suite_ciphertext_bytes(suite_find(2)));
	has_kem = msg->kem_ciphertext.len > 0;
	if (has_kem != (offer->source != QLINK_SOURCE_QKD))
		refuse(in, "source %u: %s ciphertext", offer->source,
		       has_kem ? "has a" : "has no");
	take_places(in, offer);
	take_key_ids(in, msg);
}

static void take_confirm(struct reader *in, struct msg *msg)
{
	msg->core.offer.id = take_number(in, "offer", 8, 1, UINT64_MAX);
	msg->confirm = take(in, "key confirmation", MSG_CONFIRM_BYTES);
}

static void take_refuse(struct reader *in, struct msg *msg)
{
	msg->core.offer.id = take_number(in, "offer", 8, 1, UINT64_MAX);
	msg->core.reason = (uint8_t)take_number(in, "reason", 1, 0,
						SESSION_N_REASONS - 1);
	msg->core.place = (uint8_t)take_number(in, "place of a KME", 1, 0, SESSION_NODES_MAX);
}

static void take_withdraw(struct reader *in, struct msg *msg)
{
	struct session_withdraw *withdraw = &msg->core.withdraw;

	withdraw->id = take_number(in, "withdrawal", 8, 1, UINT64_MAX);
	withdraw->direction = (uint8_t)take_number(in, "direction", 1,
						   SESSION_DIRECTION_TX,
						   SESSION_DIRECTION_RX);
	withdraw->reason = (uint8_t)take_number(in, "reason", 1, 0,
						SESSION_N_REASONS - 1);
	withdraw->range.first = take_epoch(in, "first epoch");
	withdraw->range.last = take_number(in, "last epoch", 8,
					   withdraw->range.first,
					   SESSION_EPOCH_MAX);
}

static void take_body(struct reader *in, struct msg *msg)
{
	switch (msg->core.type) {
	case SESSION_MESSAGE_HELLO:
		take_versions(in, &msg->core.versions);
		break;
	case SESSION_MESSAGE_STATE:
		take_state(in, msg);
		break;
	case SESSION_MESSAGE_INVITE:
		take_invite(in, msg);
		break;
	case SESSION_MESSAGE_OFFER:
		take_offer(in, msg);
		break;
	case SESSION_MESSAGE_CONFIRM:
		take_confirm(in, msg);
		break;
	case SESSION_MESSAGE_REFUSE:
		take_refuse(in, msg);
		break;
	case SESSION_MESSAGE_WITHDRAW:
	case SESSION_MESSAGE_WITHDRAWN:
		take_withdraw(in, msg);
		break;
	case SESSION_MESSAGE_LEAVE:
		break;
	default:
		refuse(in, "message type %u: no such message", msg->core.type);
	}
}

int msg_length(const uint8_t *data, size_t len, size_t *want,
	       struct qlink_why *why)
{
	struct reader in = { data, len, why, 0 };

	if (len < 4)
		return -EAGAIN;
	*want = take_number(&in, "length", 4, MSG_HEADER_BYTES, MSG_BYTES_MAX);
	return in.err;
}

int msg_decode(struct msg *msg, const uint8_t *data, size_t len,
	       struct qlink_why *why)
{
	struct reader in = { data, len, why, 0 };
	uint64_t version;

	memset(msg, 0, sizeof(*msg));
	take_number(&in, "length", 4, len, len);
	version = take_be(&in, "version", 1);
	if (version != MSG_VERSION)
		refuse(&in, "version %llu: this end speaks %u",
		       (unsigned long long)version, MSG_VERSION);
	msg->core.type = (uint8_t)take_be(&in, "message type", 1);
	msg->link_id = (uint16_t)take_number(&in, "link id", 2, 1, 65535);
	msg->core.from = take_number(&in, "generation", 8, 1, UINT64_MAX);
	msg->core.to = take_be(&in, "generation", 8);
	if (!in.err)
		take_body(&in, msg);
	if (in.left)
		refuse(&in, "%s: %zu bytes too many",
		       msg_type_name(msg->core.type), in.left);
	return in.err;
}

/* A buffer that is being written; @at grows even beyond @room, so that the length is known. */
struct writer {
	uint8_t *data;
	size_t room;
	size_t at;
};

static void put(struct writer *out, const void *data, size_t len)
{
	if (len && out->at + len <= out->room)
		memcpy(out->data + out->at, data, len);
	out->at += len;
}

static void put_be(struct writer *out, uint64_t value, size_t len)
{
	uint8_t bytes[8];
	size_t i;

	for (i = len; i--; value >>= 8)
		bytes[i] = (uint8_t)value;
	put(out, bytes, len);
}

static void put_bytes(struct writer *out, const struct bytes *bytes)
{
	put(out, bytes->data, bytes->len);
}

static void put_piece(struct writer *out, const struct bytes *bytes)
{
	put_be(out, bytes->len, 2);
	put_bytes(out, bytes);
}

static void put_versions(struct writer *out,
			 const struct session_versions *versions)
{
	put_be(out, versions->min, 1);
	put_be(out, versions->max, 1);
}

static void put_ring(struct writer *out, const struct session_ring *ring)
{
	uint8_t i;

	put(out, ring->id, sizeof(ring->id));
	put_be(out, ring->newest, 8);
	put_be(out, ring->n_held, 1);
	for (i = 0; i < ring->n_held && i < SESSION_RANGES_MAX; i++) {
		put_be(out, ring->held[i].first, 8);
		put_be(out, ring->held[i].last, 8);
	}
}

static void put_state(struct writer *out, const struct msg *msg)
{
	const struct session_state *state = &msg->core.state;
	uint8_t i;

	put_versions(out, &state->versions);
	put_be(out, state->policy, 1);
	put_be(out, state->suite, 1);
	put_be(out, state->suite_least, 1);
	put_be(out, state->kmes_least, 1);
	put_be(out, state->kmes_most, 1);
	put_be(out, state->demands_chain ? DEMANDS_CHAIN : 0, 1);
	put_bytes(out, &msg->tx_chain);
	put_bytes(out, &msg->chains[0]);
	put_bytes(out, &msg->chains[1]);
	put_piece(out, &msg->psk_check);
	put_be(out, state->n_kmes, 1);
	for (i = 0; i < state->n_kmes && i < SESSION_NODES_MAX; i++)
		put_piece(out, &msg->kme_ids[i]);
	put_ring(out, &state->rings.tx);
	put_ring(out, &state->rings.rx);
}

static void put_offer(struct writer *out, const struct msg *msg)
{
	const struct session_offer *offer = &msg->core.offer;
	unsigned int i;

	put_be(out, offer->id, 8);
	put_be(out, offer->invite, 8);
	put_be(out, offer->first, 8);
	put_be(out, offer->n, 1);
	put_be(out, offer->source, 1);
	put_bytes(out, &msg->session);
	put_bytes(out, &msg->chain);
	put_bytes(out, &msg->nonce);
	put_piece(out, &msg->kem_ciphertext);
	put_be(out, offer->n_kmes, 1);
	put(out, offer->kmes, offer->n_kmes < SESSION_KMES_MAX ? offer->n_kmes : SESSION_KMES_MAX);
	for (i = 0; i < offer->n * offer->n_kmes && i < SESSION_KEY_IDS_MAX; i++)
		put_piece(out, &msg->key_ids[i]);
}

static void put_withdraw(struct writer *out,
			 const struct session_withdraw *withdraw)
{
	put_be(out, withdraw->id, 8);
	put_be(out, withdraw->direction, 1);
	put_be(out, withdraw->reason, 1);
	put_be(out, withdraw->range.first, 8);
	put_be(out, withdraw->range.last, 8);
}

static void put_body(struct writer *out, const struct msg *msg)
{
	const struct session_msg *core = &msg->core;

	switch (core->type) {
	case SESSION_MESSAGE_HELLO:
		put_versions(out, &core->versions);
		break;
	case SESSION_MESSAGE_STATE:
		put_state(out, msg);
		break;
	case SESSION_MESSAGE_INVITE:
		put_be(out, core->invite, 8);
		put_be(out, msg->kmes, 1);
		put_bytes(out, &msg->session);
		put_bytes(out, &msg->nonce);
		put_piece(out, &msg->kem_public);
		break;
	case SESSION_MESSAGE_OFFER:
		put_offer(out, msg);
		break;
	case SESSION_MESSAGE_CONFIRM:
		put_be(out, core->offer.id, 8);
		put_bytes(out, &msg->confirm);
		break;
	case SESSION_MESSAGE_REFUSE:
		put_be(out, core->offer.id, 8);
		put_be(out, core->reason, 1);
		put_be(out, core->place, 1);
		break;
	case SESSION_MESSAGE_WITHDRAW:
	case SESSION_MESSAGE_WITHDRAWN:
		put_withdraw(out, &core->withdraw);
		break;
	default:
		break;
	}
}

int msg_encode(const struct msg *msg, uint8_t *data, size_t room)
{
	struct writer out = { data, room, 4 };
	struct qlink_why why;
	struct msg again;
	size_t len;

	put_be(&out, MSG_VERSION, 1);
	put_be(&out, msg->core.type, 1);
	put_be(&out, msg->link_id, 2);
	put_be(&out, msg->core.from, 8);
	put_be(&out, msg->core.to, 8);
	put_body(&out, msg);
	len = out.at;
	if (len > room || len > MSG_BYTES_MAX)
		return -EMSGSIZE;
	out.at = 0;
	put_be(&out, len, 4);
	/* Find a bug in the encoder here; the peer would drop the connection for it. */
	return msg_decode(&again, data, len, &why) ? -EINVAL : (int)len;
}
