// SPDX-License-Identifier: GPL-2.0-or-later
/* The key schedule, compared with vectors of another implementation. */
#include "qlinkd/secrets/mix.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "tap.h"

#define VECTORS	"tests/vectors/mix.json"

/* The bytes of one offer in the file. */
struct offer {
	struct mix_transcript transcript;
	uint8_t chain[MIX_CHAIN_BYTES];
	uint8_t names[2][MIX_NAME_BYTES_MAX];
	uint8_t kem_public[MIX_KEM_PUBLIC_BYTES];
	uint8_t kem_ciphertext[MIX_KEM_CIPHERTEXT_BYTES];
	uint8_t kem[2][MIX_KEM_SECRET_BYTES];
	uint8_t qkd[MIX_QKD_BYTES_MAX];
	struct mix_secrets secrets;
	uint64_t epoch;
};

/* Decode a member's hex into @to, which has @room bytes; return the length. */
static size_t hex(const json_t *row, const char *name, uint8_t *to, size_t room)
{
	const char *text = json_string_value(json_object_get(row, name));
	size_t len = text ? strlen(text) / 2 : SIZE_MAX, i;
	unsigned int byte;

	if (len > room) {
		CHECK(false, "%s: %s missing or too long", VECTORS, name);
		return 0;
	}
	for (i = 0; i < len; i++) {
		if (sscanf(text + 2 * i, "%2x", &byte) != 1)
			CHECK(false, "%s: %s is no hex", VECTORS, name);
		to[i] = (uint8_t)byte;
	}
	return len;
}

static void hex_all(const json_t *row, const char *name, void *to, size_t len)
{
	CHECK_NUMBER(name, hex(row, name, to, len), len);
}

static uint64_t number(const json_t *row, const char *name)
{
	const json_t *value = json_object_get(row, name);

	CHECK(json_is_integer(value), "%s: no number %s", VECTORS, name);
	return (uint64_t)json_integer_value(value);
}

static struct bytes piece(const json_t *row, const char *name, uint8_t *to,
			  size_t room)
{
	return (struct bytes){ to, hex(row, name, to, room) };
}

static void take_end(const json_t *row, struct mix_end *end, const char *who)
{
	char name[32];

	snprintf(name, sizeof(name), "%s_cert_hash", who);
	hex_all(row, name, end->cert_hash, sizeof(end->cert_hash));
	snprintf(name, sizeof(name), "%s_ring_id", who);
	hex_all(row, name, end->ring_id, sizeof(end->ring_id));
	snprintf(name, sizeof(name), "%s_nonce", who);
	hex_all(row, name, end->nonce, sizeof(end->nonce));
	snprintf(name, sizeof(name), "%s_policy", who);
	end->policy = (uint8_t)number(row, name);
}

static void take_offer(const json_t *row, struct offer *offer)
{
	struct mix_transcript *t = &offer->transcript;
	struct mix_secrets *secrets = &offer->secrets;

	memset(offer, 0, sizeof(*offer));
	take_end(row, &t->sender, "sender");
	take_end(row, &t->receiver, "receiver");
	hex_all(row, "exporter", t->exporter, sizeof(t->exporter));
	t->protocol_version = (uint8_t)number(row, "protocol_version");
	t->wire_version = (uint8_t)number(row, "wire_version");
	t->suite = (uint8_t)number(row, "suite");
	t->direction = (uint8_t)number(row, "direction");
	t->source = (uint8_t)number(row, "source");
	t->link_id = (uint16_t)number(row, "link_id");
	t->kme_id = piece(row, "kme_id", offer->names[0], MIX_NAME_BYTES_MAX);
	t->kem_public = piece(row, "kem_public", offer->kem_public,
			      sizeof(offer->kem_public));
	t->kem_ciphertext = piece(row, "kem_ciphertext", offer->kem_ciphertext,
				  sizeof(offer->kem_ciphertext));
	hex_all(row, "chain", offer->chain, sizeof(offer->chain));
	secrets->chain = offer->chain;
	secrets->mlkem = piece(row, "mlkem", offer->kem[0], MIX_KEM_SECRET_BYTES);
	secrets->x25519 = piece(row, "x25519", offer->kem[1],
				MIX_KEM_SECRET_BYTES);
	offer->epoch = number(row, "first_epoch");
}

static void take_epoch(const json_t *row, struct offer *offer)
{
	offer->transcript.key_id = piece(row, "key_id", offer->names[1],
					 MIX_NAME_BYTES_MAX);
	offer->secrets.qkd = piece(row, "qkd", offer->qkd, sizeof(offer->qkd));
}

static json_t *load(void)
{
	json_error_t error;
	json_t *file = json_load_file(VECTORS, JSON_REJECT_DUPLICATES, &error);

	CHECK(file, "%s: %s", VECTORS, error.text);
	return file;
}

/* The keys of an epoch of a valid offer. */
static void derive(const char *what, const struct offer *offer, uint64_t epoch,
		   struct mix_keys *keys)
{
	CHECK_NUMBER(what, mix_derive(&offer->transcript, &offer->secrets,
				      epoch, keys), 0);
}

/* The file's offer @name, with its first epoch. */
static void load_offer(const char *name, struct offer *offer)
{
	json_t *file = load(), *row;
	size_t i;

	memset(offer, 0, sizeof(*offer));
	json_array_foreach(json_object_get(file, "offers"), i, row)
		if (!strcmp(json_string_value(json_object_get(row, "name")),
			    name)) {
			take_offer(row, offer);
			take_epoch(json_array_get(json_object_get(row, "epochs"),
						  0), offer);
		}
	CHECK(offer->epoch, "%s: no offer %s", VECTORS, name);
	json_decref(file);
}

static void check_output(const char *offer, uint64_t epoch, const json_t *row,
			 const char *name, const uint8_t *got, size_t len)
{
	uint8_t want[MIX_CHAIN_BYTES];

	hex_all(row, name, want, len);
	CHECK(!memcmp(got, want, len), "%s, epoch %llu: %s differs", offer,
	      (unsigned long long)epoch, name);
}

static void check_epochs(const char *name, const json_t *rows,
			 struct offer *offer)
{
	uint8_t id[MIX_CHAIN_ID_BYTES];
	struct mix_keys keys;
	uint64_t epoch;
	json_t *row;
	size_t i;

	json_array_foreach(rows, i, row) {
		epoch = offer->epoch + i;
		take_epoch(row, offer);
		CHECK_NUMBER(name, mix_chain_id(offer->chain, id), 0);
		check_output(name, epoch, row, "chain_id", id, sizeof(id));
		derive(name, offer, epoch, &keys);
		check_output(name, epoch, row, "key", keys.key,
			     sizeof(keys.key));
		check_output(name, epoch, row, "salt", keys.salt,
			     sizeof(keys.salt));
		check_output(name, epoch, row, "confirm", keys.confirm,
			     sizeof(keys.confirm));
		check_output(name, epoch, row, "next chain", keys.next_chain,
			     sizeof(keys.next_chain));
		memcpy(offer->chain, keys.next_chain, sizeof(offer->chain));
	}
}

TEST(keys_equal_those_of_another_implementation)
{
	json_t *file = load(), *row, *rows;
	struct offer offer;
	size_t i, n = 0;

	json_array_foreach(json_object_get(file, "offers"), i, row) {
		take_offer(row, &offer);
		rows = json_object_get(row, "epochs");
		check_epochs(json_string_value(json_object_get(row, "name")),
			     rows, &offer);
		n += json_array_size(rows);
	}
	CHECK_NUMBER("epochs in the file", n, 14);
	json_decref(file);
}

static void check_all_differ(const char *what, const struct mix_keys *a,
			     const struct mix_keys *b)
{
	CHECK(memcmp(a->key, b->key, sizeof(a->key)), "%s: same key", what);
	CHECK(memcmp(a->salt, b->salt, sizeof(a->salt)), "%s: same salt", what);
	CHECK(memcmp(a->confirm, b->confirm, sizeof(a->confirm)),
	      "%s: same confirmation", what);
	CHECK(memcmp(a->next_chain, b->next_chain, sizeof(a->next_chain)),
	      "%s: same next chain", what);
}

/* Flip each end of one input; every output must change. */
static void check_input(struct offer *offer, const char *what, const void *at,
			size_t len)
{
	/* The inputs are in @offer, which is not const, although pointers to them are. */
	uint8_t *input = (uint8_t *)(uintptr_t)at;
	struct mix_keys want, got;
	size_t i;

	derive(what, offer, offer->epoch, &want);
	for (i = 0; i < len; i += len > 1 ? len - 1 : 1) {
		input[i] ^= 4;
		derive(what, offer, offer->epoch, &got);
		check_all_differ(what, &want, &got);
		input[i] ^= 4;
	}
}

TEST(every_input_changes_every_output)
{
	struct mix_transcript *t;
	struct mix_secrets *s;
	struct offer offer;

	load_offer("hybrid-next", &offer);
	t = &offer.transcript;
	s = &offer.secrets;
#define INPUT(at)	check_input(&offer, #at, &(at), sizeof(at))
#define PIECE(at)	check_input(&offer, #at, (at).data, (at).len)
	INPUT(t->protocol_version);
	INPUT(t->wire_version);
	INPUT(t->exporter);
	INPUT(t->sender.cert_hash);
	INPUT(t->receiver.cert_hash);
	INPUT(t->sender.policy);
	INPUT(t->receiver.policy);
	INPUT(t->link_id);
	INPUT(t->sender.ring_id);
	INPUT(t->receiver.ring_id);
	INPUT(t->sender.nonce);
	INPUT(t->receiver.nonce);
	PIECE(t->kme_id);
	PIECE(t->key_id);
	PIECE(t->kem_public);
	PIECE(t->kem_ciphertext);
	INPUT(offer.chain);
	PIECE(s->qkd);
	PIECE(s->mlkem);
	PIECE(s->x25519);
}

/* Direction, epoch and the lengths of names are not changed bit by bit. */
TEST(direction_epoch_and_split_of_names_change_every_output)
{
	struct mix_keys want, got;
	struct offer offer;

	load_offer("hybrid-next", &offer);
	derive("plain", &offer, 2, &want);
	offer.transcript.direction = MIX_DIRECTION_ANSWERED;
	derive("direction", &offer, 2, &got);
	check_all_differ("direction", &want, &got);
	offer.transcript.direction = MIX_DIRECTION_DIALLED;
	derive("epoch", &offer, 3, &got);
	check_all_differ("epoch", &want, &got);
	offer.transcript.key_id.len--;
	derive("cut", &offer, 2, &got);
	check_all_differ("a key ID without its last character", &want, &got);
}

TEST(the_ends_of_a_direction_give_different_outputs)
{
	struct mix_keys want, got;
	struct offer offer;
	struct mix_end end;

	load_offer("hybrid-next", &offer);
	derive("plain", &offer, 2, &want);
	end = offer.transcript.sender;
	offer.transcript.sender = offer.transcript.receiver;
	offer.transcript.receiver = end;
	derive("swapped", &offer, 2, &got);
	check_all_differ("sender and receiver swapped", &want, &got);
}

TEST(the_boundary_between_secrets_changes_every_output)
{
	struct mix_keys want, got;
	struct offer offer;

	/* The same bytes in sequence, but one more of them belongs to the QKD secret. */
	load_offer("qkd-352", &offer);
	offer.secrets.qkd.len = 33;
	derive("33", &offer, 1, &want);
	offer.secrets.qkd.len = 34;
	offer.qkd[33] = 0;
	derive("34", &offer, 1, &got);
	check_all_differ("a QKD secret with a zero at its end", &want, &got);
}

static void check_refused(const char *why, const struct offer *offer,
			  uint64_t epoch)
{
	static const struct mix_keys zero;
	struct mix_keys keys;

	memset(&keys, 0xa5, sizeof(keys));
	CHECK_NUMBER(why, mix_derive(&offer->transcript, &offer->secrets, epoch,
				     &keys), -EINVAL);
	CHECK(!memcmp(&keys, &zero, sizeof(keys)), "%s: keys not wiped", why);
}

#define REFUSE(from, why, change) do {					\
	struct offer o;							\
									\
	load_offer((from), &o);						\
	change;								\
	check_refused((why), &o, o.epoch);				\
} while (0)

TEST(secrets_must_match_the_source)
{
	REFUSE("hybrid-first", "hybrid without QKD", o.secrets.qkd.len = 0);
	REFUSE("hybrid-first", "31 bytes of QKD", o.secrets.qkd.len = 31);
	REFUSE("qkd-8192", "1025 bytes of QKD", o.secrets.qkd.len = 1025);
	REFUSE("hybrid-first", "no ML-KEM", o.secrets.mlkem.len = 0);
	REFUSE("hybrid-first", "31 of ML-KEM", o.secrets.mlkem.len = 31);
	REFUSE("hybrid-first", "no X25519", o.secrets.x25519.len = 0);
	REFUSE("hybrid-first", "no ciphertext",
	       o.transcript.kem_ciphertext.len = 0);
	REFUSE("hybrid-first", "no public key",
	       o.transcript.kem_public.len = 0);
	REFUSE("hybrid-first", "no key ID", o.transcript.key_id.len = 0);
	REFUSE("hybrid-first", "no KME ID", o.transcript.kme_id.len = 0);
	REFUSE("hybrid-first", "a key ID of 65", o.transcript.key_id.len = 65);
	REFUSE("hybrid-first", "pqc with QKD",
	       o.transcript.source = QLINK_SOURCE_PQC);
	REFUSE("hybrid-first", "qkd with a KEM",
	       o.transcript.source = QLINK_SOURCE_QKD);
	REFUSE("qkd", "hybrid without a KEM",
	       o.transcript.source = QLINK_SOURCE_HYBRID);
	REFUSE("pqc-first", "hybrid by name only",
	       o.transcript.source = QLINK_SOURCE_HYBRID);
}

TEST(numbers_out_of_range_are_refused)
{
	REFUSE("qkd", "static", o.transcript.source = QLINK_SOURCE_STATIC);
	REFUSE("qkd", "no such source", o.transcript.source = 200);
	REFUSE("qkd", "direction 0", o.transcript.direction = 0);
	REFUSE("qkd", "direction 3", o.transcript.direction = 3);
	REFUSE("qkd", "suite 0", o.transcript.suite = 0);
	REFUSE("qkd", "suite 2", o.transcript.suite = 2);
	REFUSE("qkd", "protocol 0", o.transcript.protocol_version = 0);
	REFUSE("qkd", "frames 0", o.transcript.wire_version = 0);
	REFUSE("qkd", "link 0", o.transcript.link_id = 0);
	REFUSE("qkd", "epoch 0", o.epoch = 0);
	REFUSE("qkd", "epoch 2^48", o.epoch = 1ULL << 48);
}
