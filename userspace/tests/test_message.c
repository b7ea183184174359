// SPDX-License-Identifier: GPL-2.0-or-later
/* Messages: encoding and decoding agree, and wrong bytes are refused with a reason. */
#include "qlinkd/agreement/message.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <linux/qlink.h>

#include "qlinkd/agreement/policy.h"
#include "tap.h"

static uint8_t junk[SUITE_PUBLIC_BYTES_MAX];
static char ids[SESSION_KEY_IDS_MAX][MSG_NAME_BYTES_MAX + 1];

static struct bytes some(size_t len)
{
	return (struct bytes){ junk, len };
}

static struct msg msg_of(enum session_message type)
{
	struct msg msg = {
		.core = { .type = type, .from = 0x1122334455667788,
			  .to = 0x99aabbccddeeff00 },
		.link_id = 0xabcd,
	};

	return msg;
}

static struct msg state_make(void)
{
	struct msg msg = msg_of(SESSION_MESSAGE_STATE);
	struct session_state *state = &msg.core.state;
	unsigned int i;

	state->versions = (struct session_versions){ 1, 3 };
	state->policy = POLICY_PREFER_HYBRID;
	state->suite = 2;
	state->suite_least = 1;
	state->kmes_least = 2;
	state->kmes_most = 1;
	state->demands_chain = true;
	state->n_kmes = 2;
	msg.kme_ids[0] = (struct bytes){ (const uint8_t *)"KME-A", 5 };
	msg.kme_ids[1] = (struct bytes){ (const uint8_t *)"KME B", 5 };
	msg.tx_chain = some(MSG_CHAIN_TAG_BYTES);
	msg.psk_check = some(MSG_PSK_CHECK_BYTES);
	msg.chains[0] = some(MSG_CHAIN_TAG_BYTES);
	msg.chains[1] = some(MSG_CHAIN_TAG_BYTES);
	state->rings.tx.newest = 100;
	state->rings.tx.n_held = SESSION_RANGES_MAX;
	for (i = 0; i < SESSION_RANGES_MAX; i++)
		state->rings.tx.held[i] =
			(struct session_range){ 3 * i + 1, 3 * i + 2 };
	state->rings.rx.newest = SESSION_EPOCH_MAX;
	return msg;
}

/* An offer whose key IDs are as long as they can be. */
static struct msg offer_of(uint8_t source, uint8_t n, uint8_t m)
{
	struct msg msg = msg_of(SESSION_MESSAGE_OFFER);
	unsigned int i;

	msg.core.offer = (struct session_offer){
		.id = 5, .invite = 6, .first = SESSION_EPOCH_MAX - n + 1, .n = n,
		.source = source, .n_kmes = m, .kmes = { 2, 3, 5, 8 },
	};
	msg.session = some(MSG_SESSION_BYTES);
	msg.chain = some(MSG_CHAIN_TAG_BYTES);
	msg.nonce = some(MSG_NONCE_BYTES);
	if (source != QLINK_SOURCE_QKD)
		msg.kem_ciphertext = some(1120);
	for (i = 0; i < n * m; i++) {
		snprintf(ids[i], sizeof(ids[i]), "%064u", i);
		msg.key_ids[i] = (struct bytes){ (uint8_t *)ids[i],
						 MSG_NAME_BYTES_MAX };
	}
	return msg;
}

static struct msg offer_make(uint8_t source, uint8_t n)
{
	return offer_of(source, n, source == QLINK_SOURCE_PQC ? 0 : 1);
}

static struct msg invite_make(void)
{
	struct msg msg = msg_of(SESSION_MESSAGE_INVITE);

	msg.core.invite = 9;
	msg.kmes = 0x81;
	msg.session = some(MSG_SESSION_BYTES);
	msg.nonce = some(MSG_NONCE_BYTES);
	msg.kem_public = some(1216);
	return msg;
}

static struct msg withdraw_make(enum session_message type)
{
	struct msg msg = msg_of(type);

	msg.core.withdraw = (struct session_withdraw){
		.id = 3, .range = { 4, SESSION_EPOCH_MAX },
		.direction = SESSION_DIRECTION_RX,
		.reason = SESSION_REASON_COMMAND,
	};
	return msg;
}

/* Encode, decode and encode again: the bytes are the same. */
static void check_round(const struct msg *msg, int want)
{
	const char *name = msg_type_name(msg->core.type);
	uint8_t data[MSG_BYTES_MAX], again[MSG_BYTES_MAX];
	struct qlink_why why = { "" };
	struct msg got;
	size_t whole = 0;
	int len;

	len = msg_encode(msg, data, sizeof(data));
	CHECK_NUMBER(name, len, want);
	if (len <= 0)
		return;
	CHECK_NUMBER(name, msg_length(data, 4, &whole, &why), 0);
	CHECK_NUMBER(name, whole, len);
	CHECK_NUMBER(name, msg_decode(&got, data, (size_t)len, &why), 0);
	CHECK_TEXT(name, why.text, "");
	CHECK_NUMBER(name, got.core.from, msg->core.from);
	CHECK_NUMBER(name, got.core.to, msg->core.to);
	CHECK_NUMBER(name, got.link_id, msg->link_id);
	CHECK_NUMBER(name, msg_encode(&got, again, sizeof(again)), len);
	CHECK(!memcmp(data, again, (size_t)len), "%s: other bytes", name);
	CHECK_NUMBER(name, msg_encode(msg, again, (size_t)len - 1), -EMSGSIZE);
}

TEST(every_message_is_the_same_after_encoding_and_decoding)
{
	struct msg msg = msg_of(SESSION_MESSAGE_HELLO);

	msg.core.versions = (struct session_versions){ 1, 255 };
	check_round(&msg, 24 + 2);
	msg = state_make();
	check_round(&msg, 24 + 8 + 48 + 2 + 32 + 1 + 2 * 7 + 2 * 25 + 256);
	msg.psk_check = some(0);
	msg.core.state.kmes_most = 0;
	msg.core.state.n_kmes = 0;
	check_round(&msg, 24 + 8 + 48 + 2 + 1 + 2 * 25 + 256);
	msg = invite_make();
	check_round(&msg, 24 + 9 + 48 + 32 + 2 + 1216);
	msg.kem_public = some(1665);
	check_round(&msg, 24 + 9 + 48 + 32 + 2 + 1665);
	msg.kem_public = some(0);
	check_round(&msg, 24 + 9 + 48 + 32 + 2);
	msg = offer_make(QLINK_SOURCE_HYBRID, SESSION_OFFER_MAX);
	check_round(&msg, 24 + 26 + 96 + 2 + 1120 + 2 + 64 * 66);
	msg = offer_of(QLINK_SOURCE_HYBRID, SESSION_OFFER_MAX, 2);
	msg.kem_ciphertext = some(1665);
	check_round(&msg, 24 + 26 + 96 + 2 + 1665 + 3 + 128 * 66);
	msg = offer_of(QLINK_SOURCE_QKD, 32, 4);
	check_round(&msg, 24 + 26 + 96 + 2 + 5 + 128 * 66);
	msg = offer_make(QLINK_SOURCE_QKD, 1);
	check_round(&msg, 24 + 26 + 96 + 2 + 2 + 66);
	msg = offer_make(QLINK_SOURCE_PQC, 64);
	check_round(&msg, 24 + 26 + 96 + 2 + 1120 + 1);
	msg = msg_of(SESSION_MESSAGE_CONFIRM);
	msg.core.offer.id = 5;
	msg.confirm = some(MSG_CONFIRM_BYTES);
	check_round(&msg, 24 + 8 + 32);
	msg = msg_of(SESSION_MESSAGE_REFUSE);
	msg.core.offer.id = 5;
	msg.core.reason = SESSION_REASON_KME;
	msg.core.place = 8;
	check_round(&msg, 24 + 10);
	msg = withdraw_make(SESSION_MESSAGE_WITHDRAW);
	check_round(&msg, 24 + 26);
	msg = msg_of(SESSION_MESSAGE_LEAVE);
	check_round(&msg, MSG_HEADER_BYTES);
	msg = withdraw_make(SESSION_MESSAGE_WITHDRAWN);
	check_round(&msg, 24 + 26);
}

TEST(decoded_fields_have_the_encoded_values)
{
	struct msg msg = state_make(), got;
	uint8_t data[MSG_BYTES_MAX];
	struct qlink_why why;
	int len = msg_encode(&msg, data, sizeof(data));

	CHECK_NUMBER("state", msg_decode(&got, data, (size_t)len, &why), 0);
	CHECK_NUMBER("policy", got.core.state.policy, POLICY_PREFER_HYBRID);
	CHECK_NUMBER("sources", got.core.state.sources,
		     policy_sources(POLICY_PREFER_HYBRID));
	CHECK_NUMBER("suite", got.core.state.suite, 2);
	CHECK_NUMBER("suite-least", got.core.state.suite_least, 1);
	CHECK_NUMBER("kmes-least", got.core.state.kmes_least, 2);
	CHECK_NUMBER("kmes-most", got.core.state.kmes_most, 1);
	CHECK(got.core.state.demands_chain, "it demands no chain");
	CHECK_NUMBER("KMEs", got.core.state.n_kmes, 2);
	CHECK(!memcmp(got.kme_ids[1].data, "KME B", 5), "another KME ID");
	CHECK_NUMBER("runs", got.core.state.rings.tx.n_held, 16);
	CHECK_NUMBER("last run", got.core.state.rings.tx.held[15].last, 47);
	CHECK_NUMBER("newest", got.core.state.rings.rx.newest, SESSION_EPOCH_MAX);
	CHECK(!got.core.is_verified, "is_good is set by decoding");
	msg = offer_make(QLINK_SOURCE_HYBRID, 2);
	len = msg_encode(&msg, data, sizeof(data));
	CHECK_NUMBER("offer", msg_decode(&got, data, (size_t)len, &why), 0);
	CHECK_NUMBER("n", got.core.offer.n, 2);
	CHECK_NUMBER("first", got.core.offer.first, SESSION_EPOCH_MAX - 1);
	CHECK(!memcmp(got.key_ids[1].data, ids[1], 64), "another key ID");
	CHECK_NUMBER("KMEs", got.core.offer.n_kmes, 1);
	CHECK_NUMBER("place", got.core.offer.kmes[0], 2);
}

/* Change one byte of a message; it must be refused with this text. */
static void check_refused(const struct msg *msg, size_t at, uint8_t value,
			  const char *text)
{
	uint8_t data[MSG_BYTES_MAX];
	struct qlink_why why = { "" };
	struct msg got;
	int len = msg_encode(msg, data, sizeof(data));

	CHECK(len > (int)at, "%s: cannot be encoded: %d", text, len);
	if (len <= (int)at)
		return;
	data[at] = value;
	CHECK_NUMBER(text, msg_decode(&got, data, (size_t)len, &why), -EBADMSG);
	CHECK_TEXT(text, why.text, text);
}

TEST(bad_headers_are_refused_with_value_and_rule)
{
	struct msg msg = msg_of(SESSION_MESSAGE_REFUSE);

	msg.core.offer.id = 1;
	check_refused(&msg, 3, 35, "length 35: not from 34 to 34");
	check_refused(&msg, 4, 1, "version 1: this end speaks 2");
	check_refused(&msg, 4, 0, "version 0: this end speaks 2");
	check_refused(&msg, 5, 10, "message type 10: no such message");
	check_refused(&msg, 5, 0, "message type 0: no such message");
	msg.link_id = 1;
	check_refused(&msg, 7, 0, "link id 0: not from 1 to 65535");
	msg.core.from = 1;
	check_refused(&msg, 15, 0,
		      "generation 0: not from 1 to 18446744073709551615");
	check_refused(&msg, 5, SESSION_MESSAGE_HELLO,
		      "lowest version 0: not from 1 to 255");
	check_refused(&msg, 32, 14, "reason 14: not from 0 to 13");
	check_refused(&msg, 33, 9, "place of a KME 9: not from 0 to 8");
	check_refused(&msg, 31, 0,
		      "offer 0: not from 1 to 18446744073709551615");
}

TEST(bad_bodies_are_refused_with_value_and_rule)
{
	struct msg msg = state_make();

	check_refused(&msg, 26, 5, "policy 5: no such policy");
	check_refused(&msg, 24, 4, "highest version 3: not from 4 to 255");
	check_refused(&msg, 27, 3, "suite 3: not from 1 to 2");
	check_refused(&msg, 28, 0, "suite-least 0: not from 1 to 2");
	check_refused(&msg, 29, 5, "kmes-least 5: not from 1 to 4");
	check_refused(&msg, 30, 5, "kmes-most 5: not from 0 to 4");
	check_refused(&msg, 30, 3, "KMEs 2: not from 3 to 8");
	check_refused(&msg, 31, 2, "demands 2: not from 0 to 1");
	check_refused(&msg, 81, 31, "psk check: 31 bytes, want 0 or 32");
	check_refused(&msg, 114, 9, "KMEs 9: not from 1 to 8");
	check_refused(&msg, 116, 0, "length of a KME ID 0: not from 1 to 64");
	check_refused(&msg, 117, 7, "KME ID: byte 0x07, want printable ASCII");
	check_refused(&msg, 129 + 24, 17, "ranges of epochs 17: not from 0 to 16");
	check_refused(&msg, 129 + 25 + 7, 0, "epoch held 0: not from 1 to 100");
	check_refused(&msg, 129 + 25 + 16 + 7, 2,
		      "epoch held 2: not from 3 to 100");
	msg = invite_make();
	check_refused(&msg, 114, 0xbf, "KEM key: 1215 bytes, want 0, 1216 or 1665");
	msg = offer_make(QLINK_SOURCE_HYBRID, 2);
	check_refused(&msg, 48, 65, "epochs 65: not from 1 to 64");
	check_refused(&msg, 48, 0, "epochs 0: not from 1 to 64");
	check_refused(&msg, 48, 3,
		      "epochs 3 from 281474976710654: beyond 281474976710655");
	check_refused(&msg, 49, 3, "source 3: not from 0 to 2");
	check_refused(&msg, 49, QLINK_SOURCE_QKD, "source 0: has a ciphertext");
	check_refused(&msg, 1268, 5, "KMEs 5: not from 1 to 4");
	check_refused(&msg, 1268, 0, "KMEs 0: not from 1 to 4");
	check_refused(&msg, 1269, 0, "place of a KME 0: not from 1 to 8");
	check_refused(&msg, 1269, 9, "place of a KME 9: not from 1 to 8");
	check_refused(&msg, 1272, 'x' + 128, "key ID: byte 0xf8, want 0-9 A-Z a-z -");
	check_refused(&msg, 1271, 7, "length of a key ID 7: not from 8 to 64");
	check_refused(&msg, 1271, 65, "length of a key ID 65: not from 8 to 64");
	check_refused(&msg, 1272 + 66 + 63, '0', "key ID 1: the same as key ID 0");
	msg = offer_of(QLINK_SOURCE_HYBRID, 2, 2);
	check_refused(&msg, 1270, 2, "place of a KME 2: not from 3 to 8");
	check_refused(&msg, 48, 65, "epochs 65: not from 1 to 64");
	/* Of KMEs 0 and 1 each: IDs 0 and 2 are of the same. */
	check_refused(&msg, 1273 + 2 * 66 + 63, '0', "key ID 2: the same as key ID 0");
	msg = offer_of(QLINK_SOURCE_QKD, 32, 4);
	check_refused(&msg, 48, 33, "epochs 33 from 281474976710624: beyond 281474976710655");
	msg.core.offer.first = 1;
	check_refused(&msg, 48, 33, "33 epochs of 4 KMEs: more than 128 key IDs");
	msg = offer_make(QLINK_SOURCE_PQC, 2);
	check_refused(&msg, 1268, 1, "KMEs 1: not from 0 to 0");
	msg = withdraw_make(SESSION_MESSAGE_WITHDRAW);
	check_refused(&msg, 32, 2, "direction 2: not from 0 to 1");
	check_refused(&msg, 41, 0, "first epoch 0: not from 1 to 281474976710655");
}

TEST(two_kmes_may_have_the_same_key_id)
{
	struct msg msg = offer_of(QLINK_SOURCE_HYBRID, 1, 2), got;
	uint8_t data[MSG_BYTES_MAX];
	struct qlink_why why;
	int len;

	msg.key_ids[1] = msg.key_ids[0];
	len = msg_encode(&msg, data, sizeof(data));
	CHECK_NUMBER("taken", msg_decode(&got, data, (size_t)len, &why), 0);
}

TEST(a_truncated_message_is_refused)
{
	struct msg msg = offer_make(QLINK_SOURCE_HYBRID, 3), got;
	uint8_t data[MSG_BYTES_MAX];
	struct qlink_why why;
	int len = msg_encode(&msg, data, sizeof(data)), cut;

	CHECK(len > 0, "cannot be encoded");
	for (cut = 0; cut < len; cut++) {
		/* The length is correct, so that the body is read. */
		data[2] = (uint8_t)(cut >> 8);
		data[3] = (uint8_t)cut;
		CHECK(msg_decode(&got, data, (size_t)cut, &why) == -EBADMSG,
		      "%d bytes of %d are accepted", cut, len);
	}
	data[2] = (uint8_t)((len + 1) >> 8);
	data[3] = (uint8_t)(len + 1);
	CHECK_NUMBER("one more", msg_decode(&got, data, (size_t)len + 1, &why),
		     -EBADMSG);
	CHECK_TEXT("one more", why.text, "OFFER: 1 bytes too many");
}

TEST(lengths_are_bounded_before_anything_is_kept)
{
	static const struct {
		uint8_t data[4];
		size_t len;
		int err;
		const char *text;
	} rows[] = {
		{ { 0 }, 3, -EAGAIN, "" },
		{ { 0, 0, 0, 24 }, 4, 0, "" },
		{ { 0, 0, 64, 0 }, 4, 0, "" },
		{ { 0, 0, 0, 23 }, 4, -EBADMSG, "length 23: not from 24 to 16384" },
		{ { 0, 0, 64, 1 }, 4, -EBADMSG,
		  "length 16385: not from 24 to 16384" },
		{ { 255, 255, 255, 255 }, 4, -EBADMSG,
		  "length 4294967295: not from 24 to 16384" },
	};
	struct qlink_why why;
	size_t i, want;

	for (i = 0; i < COUNT(rows); i++) {
		why.text[0] = '\0';
		CHECK_NUMBER(rows[i].text, msg_length(rows[i].data, rows[i].len,
						      &want, &why), rows[i].err);
		CHECK_TEXT(rows[i].text, why.text, rows[i].text);
	}
}

TEST(messages_that_a_peer_would_refuse_are_not_encoded)
{
	struct msg msg = offer_make(QLINK_SOURCE_HYBRID, 1);
	uint8_t data[MSG_BYTES_MAX];

	msg.kem_ciphertext.len = 0;
	CHECK_NUMBER("hybrid without ciphertext",
		     msg_encode(&msg, data, sizeof(data)), -EINVAL);
	msg = msg_of(200);
	CHECK_NUMBER("no such type", msg_encode(&msg, data, sizeof(data)),
		     -EINVAL);
}

TEST(types_and_reasons_have_names)
{
	CHECK_TEXT("3", msg_type_name(SESSION_MESSAGE_INVITE), "INVITE");
	CHECK_TEXT("0", msg_type_name(0), "unknown");
	CHECK_TEXT("10", msg_type_name(10), "unknown");
	CHECK_TEXT("4", msg_reason_name(SESSION_REASON_KEY_ID), "key-id");
	CHECK_TEXT("the next", msg_reason_name(SESSION_N_REASONS), "unknown");
}
