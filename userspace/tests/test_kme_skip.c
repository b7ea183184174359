// SPDX-License-Identifier: GPL-2.0-or-later
/* Every rule of the dialect of SKIP, without a network. */
#include "qlinkd/kme/skip.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/hex.h"
#include "qlinkd/kme/dialects.h"
#include "qlinkd/kme/memory.h"
#include "tap.h"

#define A8	"4141414141414141"
#define A32	A8 A8 A8 A8
#define ID	"1726e9AE76234FB1dd1283d4dca1911e"
#define OTHER	"00000000000000000000000000000002"
#define KEY(id, key)	"{\"keyId\":\"" id "\",\"key\":\"" key "\"}"
#define CAN(list)	"{\"entropy\":true,\"key\":true,\"algorithm\":\"qkd\"," \
			"\"localSystemID\":\"SAE-A\",\"remoteSystemID\":" list "}"

static const struct kme_key_id ids[] = { { ID } };
static struct kme_key keys[2];
static struct kme_tally tally;
static struct qlink_why why;

static int judge(const char *text, const struct kme_key_id *asked)
{
	struct kme_ask ask = { .n = 1, .ids = asked };

	memset(keys, 0xee, sizeof(keys));
	return kme_skip.judge_keys(text, strlen(text), &ask, keys, &tally, &why);
}

static bool is_wiped(void)
{
	const uint8_t *bytes = (const uint8_t *)&keys[0];
	size_t i;

	for (i = 0; i < sizeof(keys[0]); i++)
		if (bytes[i])
			return false;
	return true;
}

TEST(starts)
{
	CHECK_NUMBER("init", kme_memory_init(), 0);
}

TEST(decodes_and_writes_hexadecimal)
{
	static const struct {
		const char *text;
		ssize_t len;
		const char *why;
	} rows[] = {
		{ "00fF1a", 3, "both cases" },
		{ "", -1, "empty" },
		{ "0", -1, "half a byte" },
		{ "0g", -1, "a letter" },
		{ "g0", -1, "a letter first" },
		{ "0x12", -1, "a prefix" },
		{ "12 3", -1, "a space" },
		{ "\xb1\xb2", -1, "no ASCII" },
		{ "0102030405", 5, "more than there is room for" },
	};
	uint8_t bytes[5] = { 0 };
	char text[7];
	size_t i;

	for (i = 0; i < COUNT(rows); i++)
		CHECK_NUMBER(rows[i].why, qlink_hex_decode(rows[i].text, strlen(rows[i].text), bytes, 3),
			     rows[i].len);
	CHECK(!memcmp(bytes, "\1\2\3\0\0", 5), "the room is not kept");
	qlink_hex_encode((const uint8_t *)"\x00\xff\x1a", 3, text);
	CHECK_TEXT("written", text, "00ff1a");
}

TEST(takes_the_key_of_an_answer)
{
	CHECK_NUMBER("one", judge(KEY(ID, A32), NULL), 1);
	CHECK_TEXT("its ID", keys[0].id.text, ID);
	CHECK_NUMBER("length", keys[0].len, 32);
	CHECK(!memcmp(keys[0].bytes, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", 32), "its bytes");
	CHECK_NUMBER("sent", tally.sent, 1);
	CHECK_TEXT("nothing wrong", why.text, "");
	CHECK_NUMBER("the longest", judge(KEY(ID, A32 A32 A32 A32), NULL), 1);
	CHECK_NUMBER("length", keys[0].len, 128);
	CHECK_NUMBER("members that we do not know",
		     judge("{\"ttl\":5,\"key\":\"" A32 "\",\"keyId\":\"" ID "\"}", ids), 1);
	CHECK_NUMBER("place", keys[0].place, 0);
}

/* Both ends must know a key by the same text, which is that of the one who got it first. */
TEST(knows_a_key_id_in_the_other_case)
{
	CHECK_NUMBER("taken", judge(KEY("1726E9ae76234fb1DD1283D4DCA1911E", A32), ids), 1);
	CHECK_TEXT("as it was requested", keys[0].id.text, ID);
}

TEST(refuses_a_body_that_is_no_object)
{
	static const struct {
		const char *text, *rule, *why;
	} rows[] = {
		{ "", "not JSON: line 1, column 0", "an empty body" },
		{ "{\"keyId\":", "not JSON: line 1, column 9", "cut short" },
		{ "<html></html>", "not JSON: line 1, column 1", "HTML" },
		{ KEY(ID, A32) "x", "not JSON: line 1, column 118", "more text after it" },
		{ "\xff\xfe", "not JSON: line 1, column 0", "not UTF-8" },
		{ "[" KEY(ID, A32) "]", "must be an object with keyId and key", "an array" },
		{ "7", "not JSON: line 1, column 1", "a number" },
		{ "{\"keyId\":\"" ID "\",\"keyId\":\"" ID "\",\"key\":\"" A32 "\"}",
		  "not JSON: line 1, column 51", "an ID twice" },
		{ "{\"keyId\":\"" ID "\",\"key\":\"" A32 "\",\"key\":\"" A32 "\"}",
		  "not JSON: line 1, column 122", "a key twice" },
	};
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		CHECK_NUMBER(rows[i].why, judge(rows[i].text, NULL), -EBADMSG);
		CHECK_TEXT(rows[i].why, why.text, rows[i].rule);
		CHECK(is_wiped(), "%s: bytes were not wiped", rows[i].why);
	}
}

TEST(refuses_a_bad_key_with_exactly_one_fault)
{
#define MEMBERS	"key 1: must have keyId and key, both strings"
#define DIGITS	"key 1: its keyId must have 8 to 64 hexadecimal digits"
#define HEX	"key 1: must be hexadecimal, two digits for each byte"
	static const struct {
		enum kme_fault fault;
		const char *answer, *rule, *why;
	} rows[] = {
		{ KME_FAULT_MEMBER, "{}", MEMBERS, "nothing" },
		{ KME_FAULT_MEMBER, "{\"keyId\":\"" ID "\"}", MEMBERS, "no key" },
		{ KME_FAULT_MEMBER, "{\"key\":\"" A32 "\"}", MEMBERS, "no ID" },
		{ KME_FAULT_MEMBER, "{\"keyId\":5,\"key\":\"" A32 "\"}", MEMBERS, "a number as ID" },
		{ KME_FAULT_MEMBER, "{\"keyId\":\"" ID "\",\"key\":null}", MEMBERS, "null as key" },
		{ KME_FAULT_MEMBER, "{\"key_ID\":\"" ID "\",\"key\":\"" A32 "\"}", MEMBERS,
		  "the words of another dialect" },
		{ KME_FAULT_ID, KEY("", A32), DIGITS, "no digit" },
		{ KME_FAULT_ID, KEY("1234567", A32), DIGITS, "a short ID" },
		{ KME_FAULT_ID, KEY(ID ID "0", A32), DIGITS, "a long ID" },
		{ KME_FAULT_ID, KEY("00000000-0000-4000-8000-000000000001", A32), DIGITS, "a UUID" },
		{ KME_FAULT_ID, KEY("../../../etc", A32), DIGITS, "a path as ID" },
		{ KME_FAULT_HEX, KEY(ID, ""), HEX, "empty" },
		{ KME_FAULT_HEX, KEY(ID, A32 "4"), HEX, "half a byte" },
		{ KME_FAULT_HEX, KEY(ID, "g" A32 "1"), HEX, "a letter" },
		{ KME_FAULT_HEX, KEY(ID, "0x" A32), HEX, "a prefix" },
		{ KME_FAULT_HEX, KEY(ID, A32 " 41"), HEX, "a space" },
		{ KME_FAULT_HEX, KEY(ID, "QkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkI="), HEX, "base64" },
		{ KME_FAULT_SIZE, KEY(ID, A8 A8), "key 1: has 128 bits, want 256 to 1024", "128 bits" },
		{ KME_FAULT_SIZE, KEY(ID, A8 A8 A8 "41414141414141"), "key 1: has 248 bits, want 256 to 1024",
		  "a byte short" },
		{ KME_FAULT_SIZE, KEY(ID, A32 A32 A32 A32 "41"), "key 1: has 1032 bits, want 256 to 1024",
		  "a byte too long" },
		{ KME_FAULT_UNKNOWN_ID, KEY(OTHER, A32), "key 1: its key_ID was not asked for", "another ID" },
		{ KME_FAULT_UNKNOWN_ID, KEY(ID "00", A32), "key 1: its key_ID was not asked for",
		  "more than the ID" },
	};
	size_t i, k;

	for (i = 0; i < COUNT(rows); i++) {
		CHECK_NUMBER(rows[i].why, judge(rows[i].answer, ids), 0);
		CHECK_TEXT(rows[i].why, why.text, rows[i].rule);
		CHECK_NUMBER(rows[i].why, tally.sent, 1);
		for (k = 0; k < KME_FAULT_N; k++)
			CHECK_NUMBER(rows[i].why, tally.faults[k], k == rows[i].fault);
		CHECK(is_wiped(), "%s: bytes were not wiped", rows[i].why);
	}
}

TEST(never_quotes_the_answer)
{
	judge("{\"keyId\":\"" ID "\",\"key\":\"" A32 "\" SECRET", NULL);
	CHECK(!strstr(why.text, "SECRET") && !strstr(why.text, A8), "the answer is quoted: %s", why.text);
}

static int capable(const char *text, const char *sae, struct kme_status *status)
{
	return kme_skip.judge_status(text, strlen(text), sae, status, &why);
}

TEST(reads_the_capabilities)
{
	struct kme_status status;

	CHECK_NUMBER("status", capable(CAN("[\"SAE-X\",\"SAE-B\"]"), "SAE-B", &status), 0);
	CHECK_TEXT("why", why.text, "");
	CHECK_TEXT("we", status.master, "SAE-A");
	CHECK_TEXT("the peer", status.slave, "SAE-B");
	CHECK_NUMBER("keys at once", status.max_key_per_request, 1);
	CHECK_NUMBER("keys in stock", status.stored_key_count, -1);
	CHECK_NUMBER("key size", status.key_size, -1);
}

TEST(refuses_capabilities_that_do_not_fit)
{
	static const struct {
		const char *text, *rule;
		int err;
	} rows[] = {
		{ "[]", "must be an object", -EBADMSG },
		{ "{", "not JSON: line 1, column 1", -EBADMSG },
		{ "{}", "must have key, true or false", -EBADMSG },
		{ "{\"key\":1,\"remoteSystemID\":[]}", "must have key, true or false", -EBADMSG },
		{ "{\"key\":true}", "must have remoteSystemID, an array of strings", -EBADMSG },
		{ "{\"key\":true,\"remoteSystemID\":\"SAE-B\"}", "must have remoteSystemID, an array of strings",
		  -EBADMSG },
		{ CAN("[\"SAE-B\",7]"), "remoteSystemID must be an array of strings", -EBADMSG },
		{ "{\"key\":false,\"remoteSystemID\":[\"SAE-B\"]}", "gives no keys: its capabilities have key false",
		  -EACCES },
		{ CAN("[]"), "has no peer 'SAE-B', which sae names: its remoteSystemID is empty", -EACCES },
		{ CAN("[\"SAE-X\",\"a'\\u0007b\"]"),
		  "has no peer 'SAE-B', which sae names: its remoteSystemID is 'SAE-X', 'a??b'", -EACCES },
		{ CAN("[\"1\",\"2\",\"3\",\"4\",\"5\"]"),
		  "has no peer 'SAE-B', which sae names: its remoteSystemID is '1', '2', '3' and 2 more", -EACCES },
	};
	struct kme_status status;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		CHECK_NUMBER(rows[i].text, capable(rows[i].text, "SAE-B", &status), rows[i].err);
		CHECK_TEXT(rows[i].text, why.text, rows[i].rule);
	}
}

TEST(finds_the_peer_by_a_pattern)
{
	static const struct {
		const char *pattern, *name;
		bool fits;
	} rows[] = {
		{ "KP_Bob", "KP_Bob", true },
		{ "KP_Bob", "KP_Bo", false },
		{ "KP_Bob", "KP_Bobby", false },
		{ "KP_Bob", "kp_bob", false },
		{ "*", "", true },
		{ "*", "anything", true },
		{ "", "", true },
		{ "", "a", false },
		{ "KP_*_LOC2", "KP_Bob_LOC2", true },
		{ "KP_*_LOC2", "KP__LOC2", true },
		{ "KP_*_LOC2", "KP_Bob_LOC1", false },
		{ "*a*b", "xaxbxb", true },
		{ "*a*b", "xaxbx", false },
		{ "**a**", "bab", true },
		{ "a?c", "abc", true },
		{ "a?c", "ac", false },
		{ "?", "", false },
		{ "KP_[ABC]", "KP_B", true },
		{ "KP_[ABC]", "KP_D", false },
		{ "KP_[A-C]1", "KP_B1", true },
		{ "KP_[A-C]1", "KP_-1", false },
		{ "KP_[!A-C]", "KP_D", true },
		{ "KP_[!A-C]", "KP_A", false },
		{ "KP_[]]", "KP_]", true },
		{ "KP_[a-]", "KP_-", true },
		{ "KP_[", "KP_[", true },
		{ "KP_[a", "KP_[a", true },
		{ "KP_[a", "KP_a", false },
		{ "*[0-9]", "KP_7", true },
	};
	char text[128];
	struct kme_status status;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		snprintf(text, sizeof(text), "{\"key\":true,\"remoteSystemID\":[\"%s\"]}", rows[i].pattern);
		CHECK(!capable(text, rows[i].name, &status) == rows[i].fits, "'%s' and '%s'", rows[i].pattern,
		      rows[i].name);
	}
}

/* With a matcher that tries all splits this would not end. */
TEST(bears_a_pattern_that_is_made_to_be_slow)
{
	char text[4096] = "{\"key\":true,\"remoteSystemID\":[\"", name[KME_SAE_ID_MAX + 1];
	struct kme_status status;
	size_t i;

	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	for (i = 0; i < 60; i++)
		strcat(text, "a*");
	strcat(text, "b\"]}");
	CHECK_NUMBER("no peer", capable(text, name, &status), -EACCES);
}

TEST(takes_names_that_may_have_any_bytes)
{
	struct kme_status status;

	CHECK_NUMBER("status", capable("{\"key\":true,\"localSystemID\":\"A\\u001b\\\"B\","
				       "\"remoteSystemID\":[\"*\"]}", "\xc3\xbc\"", &status), 0);
	CHECK_TEXT("what cannot be printed", status.master, "A??B");
	CHECK_TEXT("nor ours", status.slave, "???");
	CHECK_NUMBER("status", capable("{\"key\":true,\"remoteSystemID\":[\"*\"]}", "S", &status), 0);
	CHECK_TEXT("no name", status.master, "");
}

TEST(writes_the_url_of_each_request)
{
	static const struct kme_ask enc = { .n = 1 }, large = { .n = 1, .bits = 512 }, dec = { .n = 1, .ids = ids };
	static const struct {
		const char *sae;
		enum kme_op op;
		const struct kme_ask *ask;
		const char *path;
	} rows[] = {
		{ "SAE-B", KME_OP_STATUS, NULL, "capabilities" },
		{ "SAE-B", KME_OP_ENC, &enc, "key?remoteSystemID=SAE-B&size=256" },
		{ "SAE-B", KME_OP_ENC, &large, "key?remoteSystemID=SAE-B&size=512" },
		{ "SAE-B", KME_OP_DEC, &dec, "key/" ID "?remoteSystemID=SAE-B" },
		{ "a&b=c ?\xc3\xbc", KME_OP_DEC, &dec, "key/" ID "?remoteSystemID=a%26b%3Dc%20%3F%C3%BC" },
	};
	char url[KME_URL_MAX], want[KME_URL_MAX];
	size_t i;

	CHECK_NUMBER("IDs of a GET", kme_skip.url_ids_max, 1);
	CHECK(!kme_skip.write_body, "there is a body, and no POST");
	for (i = 0; i < COUNT(rows); i++) {
		snprintf(want, sizeof(want), "https://k:1/%s", rows[i].path);
		CHECK_NUMBER(rows[i].path, kme_skip.write_url(url, "https://k:1", rows[i].sae, rows[i].op,
							      rows[i].ask), 0);
		CHECK_TEXT(rows[i].path, url, want);
	}
}

TEST(refuses_a_url_that_is_too_long)
{
	static const struct kme_ask dec = { .n = 1, .ids = ids };
	char url[KME_URL_MAX], base[KME_URL_MAX], sae[KME_SAE_ID_MAX + 2];

	memset(sae, '/', sizeof(sae));
	sae[KME_SAE_ID_MAX + 1] = '\0';
	CHECK_NUMBER("a long SAE ID", kme_skip.write_url(url, "https://k", sae, KME_OP_DEC, &dec), -ENAMETOOLONG);
	sae[KME_SAE_ID_MAX] = '\0';
	CHECK_NUMBER("the longest", kme_skip.write_url(url, "https://k", sae, KME_OP_DEC, &dec), 0);
	memset(base, 'k', sizeof(base));
	base[KME_URL_MAX - 1] = '\0';
	CHECK_NUMBER("a long base", kme_skip.write_url(url, base, "S", KME_OP_STATUS, NULL), -ENAMETOOLONG);
}

TEST(gives_each_http_status_its_meaning)
{
	static const struct {
		long status;
		enum kme_outcome keys, of_status;
		bool burned;
	} rows[] = {
		{ 0, KME_OUTCOME_BROKEN, KME_OUTCOME_BROKEN, false },
		{ 200, KME_OUTCOME_KEYS, KME_OUTCOME_KEYS, false },
		{ 204, KME_OUTCOME_BROKEN, KME_OUTCOME_BROKEN, false },
		{ 302, KME_OUTCOME_BROKEN, KME_OUTCOME_BROKEN, false },
		{ 400, KME_OUTCOME_EMPTY, KME_OUTCOME_BROKEN, false },
		{ 401, KME_OUTCOME_DENIED, KME_OUTCOME_DENIED, false },
		{ 403, KME_OUTCOME_DENIED, KME_OUTCOME_DENIED, false },
		{ 404, KME_OUTCOME_EMPTY, KME_OUTCOME_BROKEN, false },
		{ 405, KME_OUTCOME_BROKEN, KME_OUTCOME_BROKEN, false },
		{ 429, KME_OUTCOME_EMPTY, KME_OUTCOME_BROKEN, false },
		{ 500, KME_OUTCOME_BROKEN, KME_OUTCOME_BROKEN, true },
		{ 501, KME_OUTCOME_BROKEN, KME_OUTCOME_BROKEN, false },
		{ 502, KME_OUTCOME_BROKEN, KME_OUTCOME_BROKEN, true },
		{ 503, KME_OUTCOME_EMPTY, KME_OUTCOME_BROKEN, false },
		{ 504, KME_OUTCOME_BROKEN, KME_OUTCOME_BROKEN, true },
	};
	static const enum kme_op ops[] = { KME_OP_ENC, KME_OP_DEC };
	struct kme_verdict verdict;
	char name[32];
	size_t i, k;

	for (i = 0; i < COUNT(rows); i++) {
		snprintf(name, sizeof(name), "HTTP %ld", rows[i].status);
		for (k = 0; k < COUNT(ops); k++) {
			verdict = kme_skip.classify(ops[k], rows[i].status);
			CHECK_TEXT(name, kme_outcome_name(verdict.outcome), kme_outcome_name(rows[i].keys));
			CHECK_NUMBER(name, verdict.may_have_burned, rows[i].burned);
			CHECK_NUMBER("there is no other method", verdict.rejects_method, KME_REJECTS_METHOD_NO);
		}
		verdict = kme_skip.classify(KME_OP_STATUS, rows[i].status);
		CHECK_TEXT(name, kme_outcome_name(verdict.outcome), kme_outcome_name(rows[i].of_status));
	}
}

TEST(reads_words_and_urls_as_other_dialects)
{
	struct kme_refusal refusal;

	kme_skip.read_refusal("{\"detail\":\"no key left\"}", 24, &refusal);
	CHECK_TEXT("words", refusal.words, "no key left");
	CHECK(refusal.is_dry, "not dry");
	CHECK_NUMBER("a good URL", kme_skip.check_url("https://k:8443/skip", &why), 0);
	CHECK_NUMBER("a bad one", kme_skip.check_url("http://k", &why), -EINVAL);
	CHECK_TEXT("why", why.text, "must begin with https://");
}

TEST(has_its_line_in_the_tables)
{
	CHECK(kme_dialect_of(KME_DIALECT_SKIP) == &kme_skip, "not found");
	CHECK_TEXT("name", kme_dialect_name(KME_DIALECT_SKIP), "skip");
	CHECK(!kme_dialect_has_post(KME_DIALECT_SKIP), "has POST");
	CHECK(kme_dialect_has_psk(KME_DIALECT_SKIP), "takes no pre-shared key");
}
