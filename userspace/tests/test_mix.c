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
	struct mix_secrets secrets;
	struct mix_epoch epoch;
	uint8_t chain[MIX_CHAIN_BYTES];
	uint8_t names[SESSION_KMES_MAX][MIX_NAME_BYTES_MAX + 1];
	uint8_t kem_public[SUITE_PUBLIC_BYTES_MAX];
	uint8_t kem_ciphertext[SUITE_CIPHERTEXT_BYTES_MAX];
	uint8_t kem[SUITE_KEM_SECRET_BYTES];
	uint8_t ecdh[SUITE_ECDH_SECRET_BYTES_MAX];
	uint8_t qkd[SESSION_KMES_MAX][MIX_QKD_BYTES_MAX];
	uint8_t psk[MIX_PSK_BYTES];
	uint8_t prk[MIX_HASH_BYTES];
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
	snprintf(name, sizeof(name), "%s_nonce", who);
	hex_all(row, name, end->nonce, sizeof(end->nonce));
}

static void take_psk(const json_t *row, struct offer *offer)
{
	uint8_t data[256];
	struct bytes psk = piece(row, "psk", data, sizeof(data));

	if (!psk.len)
		return;
	CHECK_NUMBER("extract", mix_psk_extract(&psk, offer->prk), 0);
	CHECK_NUMBER("psk", mix_psk_secret(offer->prk, offer->psk), 0);
	offer->secrets.psk = (struct bytes){ offer->psk, sizeof(offer->psk) };
}

static void take_core(const json_t *row, struct session_offer *core)
{
	core->id = number(row, "offer");
	core->invite = number(row, "invite");
	core->first = number(row, "first_epoch");
	core->n = (uint8_t)number(row, "n_epochs");
	core->source = (uint8_t)number(row, "source");
	core->n_kmes = (uint8_t)hex(row, "places", core->kmes, sizeof(core->kmes));
}

static void take_offer(const json_t *row, struct offer *offer)
{
	struct mix_transcript *t = &offer->transcript;
	struct mix_secrets *secrets = &offer->secrets;

	memset(offer, 0, sizeof(*offer));
	take_end(row, &t->sender, "sender");
	take_end(row, &t->receiver, "receiver");
	hex_all(row, "exporter", t->exporter, sizeof(t->exporter));
	hex_all(row, "session", t->session, sizeof(t->session));
	t->protocol_version = (uint8_t)number(row, "protocol_version");
	t->wire_version = (uint8_t)number(row, "wire_version");
	t->suite = (uint8_t)number(row, "suite");
	t->direction = (uint8_t)number(row, "direction");
	t->link_id = (uint16_t)number(row, "link_id");
	take_core(row, &t->offer);
	t->kem_public = piece(row, "kem_public", offer->kem_public,
			      sizeof(offer->kem_public));
	t->kem_ciphertext = piece(row, "kem_ciphertext", offer->kem_ciphertext,
				  sizeof(offer->kem_ciphertext));
	hex_all(row, "chain", offer->chain, sizeof(offer->chain));
	secrets->kem = piece(row, "kem", offer->kem, sizeof(offer->kem));
	secrets->ecdh = piece(row, "ecdh", offer->ecdh, sizeof(offer->ecdh));
	take_psk(row, offer);
}

/* Decode string @i of a list. */
static struct bytes item(const json_t *row, const char *name, size_t i, uint8_t *to, size_t room)
{
	json_t *one = json_pack("{s:O}", name, json_array_get(json_object_get(row, name), i));
	struct bytes bytes = piece(one, name, to, room);

	json_decref(one);
	return bytes;
}

static void take_epoch(const json_t *row, struct offer *offer, unsigned int place)
{
	struct mix_epoch *epoch = &offer->epoch;
	uint8_t i;

	memset(epoch, 0, sizeof(*epoch));
	epoch->number = offer->transcript.offer.first + place;
	epoch->chain = offer->chain;
	for (i = 0; i < offer->transcript.offer.n_kmes; i++) {
		epoch->key_ids[i] = item(row, "key_ids", i, offer->names[i], MIX_NAME_BYTES_MAX);
		epoch->qkd[i] = item(row, "qkd", i, offer->qkd[i], sizeof(offer->qkd[i]));
	}
}

static json_t *load(void)
{
	json_error_t error;
	json_t *file = json_load_file(VECTORS, JSON_REJECT_DUPLICATES, &error);

	CHECK(file, "%s: %s", VECTORS, error.text);
	return file;
}

static int try_derive(const struct offer *offer, struct mix_keys *keys)
{
	uint8_t common[MIX_HASH_BYTES] = { 0 };
	int err = mix_common(&offer->transcript, common);

	/* Both check what they use. */
	return mix_derive(&offer->transcript, common, &offer->secrets, &offer->epoch, keys) ?: err;
}

/* The keys of an epoch of a valid offer. */
static void derive(const char *what, const struct offer *offer, struct mix_keys *keys)
{
	CHECK_NUMBER(what, try_derive(offer, keys), 0);
}

/* The file's offer @name, with its first epoch. */
static void load_offer(const char *name, struct offer *offer)
{
	json_t *file = load(), *row;
	size_t i;

	memset(offer, 0, sizeof(*offer));
	json_array_foreach(json_object_get(file, "offers"), i, row)
		if (!strcmp(json_string_value(json_object_get(row, "name")), name)) {
			take_offer(row, offer);
			take_epoch(json_array_get(json_object_get(row, "epochs"), 0), offer, 0);
		}
	CHECK(offer->epoch.number, "%s: no offer %s", VECTORS, name);
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

static void check_epochs(const char *name, const json_t *rows, struct offer *offer)
{
	const struct mix_speaker speaker = { offer->transcript.exporter, offer->transcript.link_id, true };
	uint8_t id[MIX_CHAIN_ID_BYTES], tag[MIX_CHAIN_TAG_BYTES];
	struct mix_keys keys;
	uint64_t epoch;
	json_t *row;
	size_t i;

	json_array_foreach(rows, i, row) {
		take_epoch(row, offer, (unsigned int)i);
		epoch = offer->epoch.number;
		CHECK_NUMBER(name, mix_chain_id(offer->chain, id), 0);
		check_output(name, epoch, row, "chain_id", id, sizeof(id));
		CHECK_NUMBER(name, mix_chain_tag(offer->chain, &speaker, tag), 0);
		check_output(name, epoch, row, "tag_client", tag, sizeof(tag));
		derive(name, offer, &keys);
		check_output(name, epoch, row, "key", keys.key, sizeof(keys.key));
		check_output(name, epoch, row, "salt", keys.salt, sizeof(keys.salt));
		check_output(name, epoch, row, "confirm", keys.confirm, sizeof(keys.confirm));
		check_output(name, epoch, row, "next chain", keys.next_chain,
			     sizeof(keys.next_chain));
		memcpy(offer->chain, keys.next_chain, sizeof(offer->chain));
	}
}

static void check_checks(const char *name, const json_t *row, const struct offer *offer)
{
	static const char *const members[] = { "check_server", "check_client" };
	struct mix_speaker speaker = { offer->transcript.exporter, offer->transcript.link_id, false };
	uint8_t want[MIX_PSK_CHECK_BYTES], got[MIX_PSK_CHECK_BYTES];
	unsigned int i;

	for (i = 0; i < 2 && offer->secrets.psk.len; i++) {
		speaker.has_dialled = i;
		hex_all(row, members[i], want, sizeof(want));
		CHECK_NUMBER(name, mix_psk_check(offer->prk, &speaker, got), 0);
		CHECK(!memcmp(want, got, sizeof(want)), "%s: %s differs", name, members[i]);
	}
}

TEST(keys_equal_those_of_another_implementation)
{
	json_t *file = load(), *row, *rows;
	struct offer offer;
	const char *name;
	size_t i, n = 0;

	json_array_foreach(json_object_get(file, "offers"), i, row) {
		take_offer(row, &offer);
		name = json_string_value(json_object_get(row, "name"));
		check_checks(name, row, &offer);
		rows = json_object_get(row, "epochs");
		check_epochs(name, rows, &offer);
		n += json_array_size(rows);
	}
	/* 12 offers by hand; then 2 suites, 2 sources of 1 to 4 KMEs and pqc, with psk and without. */
	CHECK_NUMBER("epochs in the file", n, 18 + 2 * 9 * 2 * 2);
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
static void check_input(struct offer *offer, const char *what, const void *at, size_t len)
{
	/* The inputs are in @offer, which is not const, although pointers to them are. */
	uint8_t *input = (uint8_t *)(uintptr_t)at;
	struct mix_keys want, got;
	size_t i;

	CHECK(len, "%s: empty", what);
	derive(what, offer, &want);
	for (i = 0; i < len; i += len > 1 ? len - 1 : 1) {
		input[i] ^= 4;
		derive(what, offer, &got);
		check_all_differ(what, &want, &got);
		input[i] ^= 4;
	}
}

#define INPUT(at)	check_input(&offer, #at, &(at), sizeof(at))
#define PIECE(at)	check_input(&offer, #at, (at).data, (at).len)

/* Another KME of the list, with the same secret. */
static void check_place(struct offer *offer)
{
	struct mix_keys want, got;

	derive("place", offer, &want);
	offer->transcript.offer.kmes[offer->transcript.offer.n_kmes - 1]++;
	derive("place", offer, &got);
	check_all_differ("another place", &want, &got);
	offer->transcript.offer.kmes[offer->transcript.offer.n_kmes - 1]--;
}

static void walk(const char *name)
{
	struct mix_transcript *t;
	struct mix_epoch *e;
	struct mix_secrets *s;
	struct offer offer;
	uint8_t i;

	load_offer(name, &offer);
	t = &offer.transcript;
	s = &offer.secrets;
	e = &offer.epoch;
	check_place(&offer);
	INPUT(t->protocol_version);
	INPUT(t->wire_version);
	INPUT(t->exporter);
	INPUT(t->session);
	INPUT(t->sender.cert_hash);
	INPUT(t->receiver.cert_hash);
	INPUT(t->link_id);
	INPUT(t->sender.nonce);
	INPUT(t->receiver.nonce);
	INPUT(t->offer.id);
	INPUT(t->offer.invite);
	INPUT(t->offer.first);
	INPUT(t->offer.n);
	PIECE(t->kem_public);
	PIECE(t->kem_ciphertext);
	INPUT(offer.chain);
	PIECE(s->kem);
	PIECE(s->ecdh);
	if (s->psk.len)
		PIECE(s->psk);
	for (i = 0; i < t->offer.n_kmes; i++) {
		PIECE(e->key_ids[i]);
		PIECE(e->qkd[i]);
	}
}

TEST(every_input_changes_every_output)
{
	walk("hybrid-next");
	walk("mixed");
	walk("mixed-psk");
	walk("suite-2-hybrid-4-psk");
}

/* What is not changed bit by bit: direction, epoch, and the lengths of names. */
TEST(direction_epoch_and_split_of_names_change_every_output)
{
	struct mix_keys want, got;
	struct offer offer;

	load_offer("hybrid-next", &offer);
	derive("plain", &offer, &want);
	offer.transcript.direction = MIX_DIRECTION_ANSWERED;
	derive("direction", &offer, &got);
	check_all_differ("direction", &want, &got);
	offer.transcript.direction = MIX_DIRECTION_DIALLED;
	offer.epoch.number++;
	derive("epoch", &offer, &got);
	check_all_differ("epoch", &want, &got);
	offer.epoch.number--;
	offer.epoch.key_ids[0].len--;
	derive("cut", &offer, &got);
	check_all_differ("a key ID without its last character", &want, &got);
}

/* An offer without one of its secrets, as an attacker would want it. */
TEST(an_offer_without_a_secret_gives_other_outputs)
{
	struct mix_keys want, got;
	struct offer offer;

	load_offer("mixed-psk", &offer);
	derive("plain", &offer, &want);
	offer.secrets.psk.len = 0;
	derive("no psk", &offer, &got);
	check_all_differ("no psk", &want, &got);
	load_offer("mixed-psk", &offer);
	offer.transcript.offer.n_kmes = 1;
	offer.epoch.qkd[1].len = offer.epoch.key_ids[1].len = 0;
	derive("one KME less", &offer, &got);
	check_all_differ("one KME less", &want, &got);
	load_offer("mixed-psk", &offer);
	offer.transcript.offer.source = QLINK_SOURCE_QKD;
	offer.transcript.kem_public.len = offer.transcript.kem_ciphertext.len = 0;
	offer.secrets.kem.len = offer.secrets.ecdh.len = 0;
	derive("no KEM", &offer, &got);
	check_all_differ("no KEM", &want, &got);
}

TEST(the_order_of_kmes_counts)
{
	struct mix_keys want, got;
	struct offer offer;
	struct bytes one;

	load_offer("mixed", &offer);
	derive("plain", &offer, &want);
	one = offer.epoch.qkd[0];
	offer.epoch.qkd[0] = offer.epoch.qkd[1];
	offer.epoch.qkd[1] = one;
	derive("swapped", &offer, &got);
	check_all_differ("secrets of two KMEs swapped", &want, &got);
}

TEST(the_ends_of_a_direction_give_different_outputs)
{
	struct mix_keys want, got;
	struct offer offer;
	struct mix_end end;

	load_offer("hybrid-next", &offer);
	derive("plain", &offer, &want);
	end = offer.transcript.sender;
	offer.transcript.sender = offer.transcript.receiver;
	offer.transcript.receiver = end;
	derive("swapped", &offer, &got);
	check_all_differ("sender and receiver swapped", &want, &got);
}

TEST(the_boundary_between_secrets_changes_every_output)
{
	struct mix_keys want, got;
	struct offer offer;

	/* The same bytes in sequence, but one more of them belongs to the QKD secret. */
	load_offer("qkd-352", &offer);
	offer.epoch.qkd[0].len = 33;
	derive("33", &offer, &want);
	offer.epoch.qkd[0].len = 34;
	offer.qkd[0][33] = 0;
	derive("34", &offer, &got);
	check_all_differ("a QKD secret with a zero at its end", &want, &got);
}

/* Both kinds of what shows a secret, one behind the other. */
static void show(const struct offer *offer, const struct mix_speaker *speaker,
		 uint8_t shown[MIX_PSK_CHECK_BYTES + MIX_CHAIN_TAG_BYTES])
{
	CHECK_NUMBER("check", mix_psk_check(offer->prk, speaker, shown), 0);
	CHECK_NUMBER("tag", mix_chain_tag(offer->chain, speaker, shown + MIX_PSK_CHECK_BYTES), 0);
}

TEST(what_shows_a_secret_depends_on_connection_end_and_link)
{
	uint8_t want[MIX_PSK_CHECK_BYTES + MIX_CHAIN_TAG_BYTES], got[sizeof(want)], exporter[MIX_EXPORTER_BYTES];
	struct mix_speaker speaker = { exporter, 7, true };
	struct offer offer;
	unsigned int i;

	load_offer("mixed-psk", &offer);
	memcpy(exporter, offer.transcript.exporter, sizeof(exporter));
	show(&offer, &speaker, want);
	for (i = 0; i < 3; i++) {
		speaker.has_dialled = i != 0;
		speaker.link_id = i == 1 ? 8 : 7;
		exporter[31] ^= i == 2;
		show(&offer, &speaker, got);
		CHECK(memcmp(want, got, MIX_PSK_CHECK_BYTES), "the same check, %u", i);
		CHECK(memcmp(want + MIX_PSK_CHECK_BYTES, got + MIX_PSK_CHECK_BYTES, MIX_CHAIN_TAG_BYTES),
		      "the same tag, %u", i);
	}
	CHECK(memcmp(want, offer.psk, MIX_PSK_CHECK_BYTES), "the check is what is mixed in");
	mix_chain_id(offer.chain, got);
	CHECK(memcmp(want + MIX_PSK_CHECK_BYTES, got, MIX_CHAIN_TAG_BYTES), "the tag is the id");
}

TEST(a_short_psk_is_refused)
{
	const uint8_t data[MIX_PSK_BYTES_MIN] = { 1 };
	struct bytes psk = { data, sizeof(data) - 1 };
	uint8_t prk[MIX_HASH_BYTES];

	CHECK_NUMBER("31", mix_psk_extract(&psk, prk), -EINVAL);
	psk.len++;
	CHECK_NUMBER("32", mix_psk_extract(&psk, prk), 0);
}

static void check_refused(const char *why, const struct offer *offer)
{
	static const struct mix_keys zero;
	struct mix_keys keys;

	memset(&keys, 0xa5, sizeof(keys));
	CHECK_NUMBER(why, try_derive(offer, &keys), -EINVAL);
	CHECK(!memcmp(&keys, &zero, sizeof(keys)), "%s: keys not wiped", why);
}

#define REFUSE(from, why, change) do {					\
	struct offer o;							\
									\
	load_offer((from), &o);						\
	change;								\
	check_refused((why), &o);					\
} while (0)

TEST(secrets_must_match_the_source)
{
	REFUSE("hybrid-first", "hybrid without QKD", o.epoch.qkd[0].len = 0);
	REFUSE("hybrid-first", "31 bytes of QKD", o.epoch.qkd[0].len = 31);
	REFUSE("qkd-8192", "1025 bytes of QKD", o.epoch.qkd[0].len = 1025);
	REFUSE("hybrid-first", "no ML-KEM", o.secrets.kem.len = 0);
	REFUSE("hybrid-first", "31 of ML-KEM", o.secrets.kem.len = 31);
	REFUSE("hybrid-first", "no ECDH", o.secrets.ecdh.len = 0);
	REFUSE("hybrid-first", "ECDH of suite 2", o.secrets.ecdh.len = 48);
	REFUSE("hybrid-first", "no ciphertext", o.transcript.kem_ciphertext.len = 0);
	REFUSE("hybrid-first", "no public key", o.transcript.kem_public.len = 0);
	REFUSE("hybrid-first", "no key ID", o.epoch.key_ids[0].len = 0);
	REFUSE("hybrid-first", "a key ID of 65", o.epoch.key_ids[0].len = 65);
	REFUSE("hybrid-first", "no KME", o.transcript.offer.n_kmes = 0);
	REFUSE("hybrid-first", "a KME more", o.transcript.offer.kmes[o.transcript.offer.n_kmes++] = 2);
	REFUSE("mixed", "a KME less", o.transcript.offer.n_kmes--);
	REFUSE("mixed", "a second KME without a secret", o.epoch.qkd[1].len = 0);
	REFUSE("mixed", "five KMEs", o.transcript.offer.n_kmes = 5);
	REFUSE("mixed", "the same KME twice", o.transcript.offer.kmes[1] = 2);
	REFUSE("mixed", "KMEs in another order", o.transcript.offer.kmes[1] = 1);
	REFUSE("mixed", "place 0", o.transcript.offer.kmes[0] = 0);
	REFUSE("mixed-psk", "47 bytes of psk", o.secrets.psk.len = 47);
	REFUSE("hybrid-first", "pqc with QKD", o.transcript.offer.source = QLINK_SOURCE_PQC);
	REFUSE("hybrid-first", "qkd with a KEM", o.transcript.offer.source = QLINK_SOURCE_QKD);
	REFUSE("qkd", "hybrid without a KEM", o.transcript.offer.source = QLINK_SOURCE_HYBRID);
	REFUSE("pqc-first", "hybrid by name only", o.transcript.offer.source = QLINK_SOURCE_HYBRID);
}

TEST(numbers_out_of_range_are_refused)
{
	REFUSE("qkd", "static", o.transcript.offer.source = QLINK_SOURCE_STATIC);
	REFUSE("qkd", "no such source", o.transcript.offer.source = 200);
	REFUSE("qkd", "direction 0", o.transcript.direction = 0);
	REFUSE("qkd", "direction 3", o.transcript.direction = 3);
	REFUSE("qkd", "suite 0", o.transcript.suite = 0);
	REFUSE("qkd", "suite 3", o.transcript.suite = 3);
	REFUSE("hybrid-first", "suite 2 with keys of suite 1", o.transcript.suite = 2);
	REFUSE("qkd", "protocol 0", o.transcript.protocol_version = 0);
	REFUSE("qkd", "frames 0", o.transcript.wire_version = 0);
	REFUSE("qkd", "link 0", o.transcript.link_id = 0);
	REFUSE("qkd", "first epoch 0", o.transcript.offer.first = 0);
	REFUSE("qkd", "no epochs", o.transcript.offer.n = 0);
	REFUSE("qkd", "epoch 0", o.epoch.number = 0);
	REFUSE("qkd", "epoch 2^48", o.epoch.number = 1ULL << 48);
}
