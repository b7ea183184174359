// SPDX-License-Identifier: GPL-2.0-or-later
/* Every rule of the dialect of ETSI GS QKD 014, without a network. */
#include "qlinkd/kme/etsi014.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "qlinkd/kme/dialects.h"
#include "qlinkd/kme/memory.h"
#include "tap.h"

#define A32	"QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE="
#define B32	"QkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkI="
#define ID1	"00000000-0000-4000-8000-000000000001"
#define ID2	"00000000-0000-4000-8000-000000000002"
#define KEY(id, key)	"{\"key_ID\":\"" id "\",\"key\":\"" key "\"}"
#define KEYS(list)	"{\"keys\":[" list "]}"

static struct kme_key keys[KME_BATCH_MAX];
static struct kme_tally tally;
static struct qlink_why why;

static int judge(const char *text, size_t n, const struct kme_key_id *ids)
{
	struct kme_ask ask = { .n = n, .ids = ids };

	memset(keys, 0xee, sizeof(keys));
	return kme_etsi014.judge_keys(text, strlen(text), &ask, keys, &tally, &why);
}

static bool is_wiped(size_t from, size_t to)
{
	const uint8_t *bytes = (const uint8_t *)&keys[from];
	size_t len = (to - from) * sizeof(keys[0]), i;

	for (i = 0; i < len; i++)
		if (bytes[i])
			return false;
	return true;
}

TEST(starts)
{
	CHECK_NUMBER("init", kme_memory_init(), 0);
}

TEST(accepts_the_keys_of_a_container)
{
	CHECK_NUMBER("two", judge(KEYS(KEY(ID1, A32) "," KEY(ID2, B32)), 3, NULL), 2);
	CHECK_TEXT("first ID", keys[0].id.text, ID1);
	CHECK_TEXT("second ID", keys[1].id.text, ID2);
	CHECK_NUMBER("length", keys[0].len, 32);
	CHECK(!memcmp(keys[0].bytes, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", 32),
	      "bytes of the first key");
	CHECK(!memcmp(keys[1].bytes, "BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB", 32),
	      "bytes of the second key");
	CHECK(is_wiped(2, 3), "unused memory is wiped");
	CHECK_NUMBER("sent", tally.sent, 2);
	CHECK_TEXT("nothing wrong", why.text, "");
}

TEST(refuses_a_body_that_is_not_a_container)
{
	static const struct {
		const char *text, *rule, *why;
	} rows[] = {
		{ "", "not JSON: line 1, column 0", "an empty body" },
		{ "{\"keys\":[", "not JSON: line 1, column 9", "cut short" },
		{ "<html></html>", "not JSON: line 1, column 1", "HTML" },
		{ KEYS("") "x", "not JSON: line 1, column 12", "more text after it" },
		{ "\xff\xfe", "not JSON: line 1, column 0", "not UTF-8" },
		{ "[]", "must be an object with an array named keys", "an array" },
		{ "{}", "must be an object with an array named keys", "no keys" },
		{ "{\"keys\":{}}", "must be an object with an array named keys",
		  "keys is an object" },
		{ "{\"keys\":[],\"keys\":[]}", "not JSON: line 1, column 17",
		  "a member twice" },
		{ KEYS("{\"key_ID\":\"" ID1 "\",\"key_ID\":\"" ID2 "\",\"key\":\"" A32 "\"}"),
		  "not JSON: line 1, column 66", "an ID twice" },
	};
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		CHECK_NUMBER(rows[i].why, judge(rows[i].text, 2, NULL), -EBADMSG);
		CHECK_TEXT(rows[i].why, why.text, rows[i].rule);
		CHECK(is_wiped(0, 2), "%s: bytes were not wiped", rows[i].why);
	}
}

TEST(refuses_a_bad_key_with_exactly_one_fault)
{
	static const struct {
		enum kme_fault fault;
		const char *key, *rule, *why;
	} rows[] = {
		{ KME_FAULT_MEMBER, "7", "key 2: must have key_ID and key, both strings",
		  "not an object" },
		{ KME_FAULT_MEMBER, "{\"key_ID\":\"" ID2 "\"}",
		  "key 2: must have key_ID and key, both strings", "no key" },
		{ KME_FAULT_MEMBER, "{\"key\":\"" B32 "\"}",
		  "key 2: must have key_ID and key, both strings", "no ID" },
		{ KME_FAULT_MEMBER, "{\"key_ID\":5,\"key\":\"" B32 "\"}",
		  "key 2: must have key_ID and key, both strings", "a number as ID" },
		{ KME_FAULT_ID, KEY("1234567", B32),
		  "key 2: its key_ID must have 8 to 64 of 0-9A-Za-z-", "a short ID" },
		{ KME_FAULT_ID, KEY("../../../etc", B32),
		  "key 2: its key_ID must have 8 to 64 of 0-9A-Za-z-", "a path as ID" },
		{ KME_FAULT_ID, KEY(ID2 ID2, B32),
		  "key 2: its key_ID must have 8 to 64 of 0-9A-Za-z-", "a long ID" },
		{ KME_FAULT_BASE64, KEY(ID2, ""), "key 2: must be canonical base64", "empty" },
		{ KME_FAULT_BASE64, KEY(ID2, "QkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkI"),
		  "key 2: must be canonical base64", "no padding" },
		{ KME_FAULT_BASE64, KEY(ID2, "QkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJ="),
		  "key 2: must be canonical base64", "stray last bits" },
		{ KME_FAULT_BASE64, KEY(ID2, "QkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJC_kI="),
		  "key 2: must be canonical base64", "the alphabet of URLs" },
		{ KME_FAULT_BASE64, KEY(ID2, "QkJC QkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQI="),
		  "key 2: must be canonical base64", "a space" },
		{ KME_FAULT_BASE64, KEY(ID2, "===="), "key 2: must be canonical base64",
		  "padding only" },
		{ KME_FAULT_BASE64, KEY(ID2, "QkJ=QkJC"), "key 2: must be canonical base64",
		  "padding within" },
		{ KME_FAULT_SIZE, KEY(ID2, "QkJCQkJCQkJCQkJCQkJCQg=="),
		  "key 2: has 128 bits, want 256 to 1024", "128 bits" },
		{ KME_FAULT_SIZE, KEY(ID2, "QkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQg=="),
		  "key 2: has 248 bits, want 256 to 1024", "a byte short" },
		{ KME_FAULT_UNKNOWN_ID, KEY("00000000-0000-4000-8000-000000000003", B32),
		  "key 2: its key_ID was not asked for", "another ID" },
	};
	static const struct kme_key_id ids[] = { { ID1 }, { ID2 } };
	char text[512];
	size_t i, k;

	for (i = 0; i < COUNT(rows); i++) {
		snprintf(text, sizeof(text), KEYS(KEY(ID1, A32) ",%s"), rows[i].key);
		CHECK_NUMBER(rows[i].why, judge(text, 2, ids), 1);
		CHECK_TEXT(rows[i].why, why.text, rows[i].rule);
		CHECK_NUMBER(rows[i].why, tally.sent, 2);
		for (k = 0; k < KME_FAULT_N; k++)
			CHECK_NUMBER(rows[i].why, tally.faults[k],
				     k == rows[i].fault);
		CHECK(is_wiped(1, 2), "%s: bytes were not wiped", rows[i].why);
	}
}

TEST(takes_no_key_that_repeats)
{
	CHECK_NUMBER("one ID", judge(KEYS(KEY(ID1, A32) "," KEY(ID1, B32)), 2, NULL), 0);
	CHECK_NUMBER("both are counted", tally.faults[KME_FAULT_REPEATED], 2);
	CHECK_TEXT("why", why.text, "has the same key_ID or key more than once");
	CHECK(is_wiped(0, 2), "bytes were not wiped");
	CHECK_NUMBER("one key", judge(KEYS(KEY(ID1, A32) "," KEY(ID2, A32)), 2, NULL), 0);
	CHECK_NUMBER("both are counted", tally.faults[KME_FAULT_REPEATED], 2);
}

TEST(takes_no_more_keys_than_requested)
{
	CHECK_NUMBER("one of two", judge(KEYS(KEY(ID1, A32) "," KEY(ID2, B32)), 1, NULL), 1);
	CHECK_TEXT("the first", keys[0].id.text, ID1);
	CHECK_NUMBER("the other is counted", tally.faults[KME_FAULT_EXTRA], 1);
	CHECK_TEXT("why", why.text, "more keys than the 1 asked for");
}

TEST(finds_the_requested_id_of_keys_in_any_order)
{
	static const struct kme_key_id ids[] = { { ID1 }, { ID2 } };

	CHECK_NUMBER("both", judge(KEYS(KEY(ID2, B32) "," KEY(ID1, A32)), 2, ids), 2);
	CHECK_NUMBER("the second first", keys[0].place, 1);
	CHECK_NUMBER("then the first", keys[1].place, 0);
}

TEST(never_quotes_the_answer)
{
	judge("{\"keys\":[{\"key_ID\":\"" ID1 "\",\"key\":\"" A32 "\" SECRET", 1, NULL);
	CHECK(!strstr(why.text, "SECRET") && !strstr(why.text, "QUFB"),
	      "the answer is quoted: %s", why.text);
}

TEST(reads_a_full_batch_and_refuses_json_that_needs_too_much_memory)
{
	static char text[KME_ANSWER_BASE_BYTES + KME_BATCH_MAX * KME_ANSWER_KEY_BYTES];
	struct kme_ask ask = { .n = KME_BATCH_MAX };
	size_t len = 0, i;

	len += (size_t)sprintf(text, "{\"keys\":[");
	for (i = 0; i < KME_BATCH_MAX; i++)
		len += (size_t)sprintf(text + len,
			"%s{\"key_ID\":\"%08zu\",\"key\":\"QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB%08zu\"}",
			i ? "," : "", i, i);
	len += (size_t)sprintf(text + len, "]}");
	/* Keys of 33 bytes, which need no padding. */
	CHECK_NUMBER("a full batch",
		     kme_etsi014.judge_keys(text, len, &ask, keys, &tally, &why), KME_BATCH_MAX);
	memset(text, '[', sizeof(text));
	CHECK_NUMBER("deeply nested",
		     kme_etsi014.judge_keys(text, sizeof(text), &ask, keys, &tally, &why),
		     -EBADMSG);
	for (i = 0; i < sizeof(text); i++)
		text[i] = i % 3 == 0 ? '{' : i % 3 == 1 ? '}' : ',';
	text[0] = '[';
	CHECK_NUMBER("dense",
		     kme_etsi014.judge_keys(text, sizeof(text), &ask, keys, &tally, &why),
		     -EBADMSG);
}

TEST(reads_a_status_with_missing_or_bad_numbers)
{
	static const struct {
		const char *text;
		int64_t max;
		const char *why;
	} rows[] = {
		{ "{\"max_key_per_request\":128}", 128, "a number" },
		{ "{\"max_key_per_request\":\"128\"}", 128, "a number in quotes" },
		{ "{\"max_key_per_request\":1.5}", -1, "a fraction" },
		{ "{\"max_key_per_request\":-1}", -1, "negative" },
		{ "{\"max_key_per_request\":9007199254740993}", -1, "huge" },
		{ "{\"max_key_per_request\":null}", -1, "null" },
		{ "{\"max_key_per_request\":\"many\"}", -1, "a word" },
		{ "{}", -1, "absent" },
	};
	struct kme_status status;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		CHECK_NUMBER(rows[i].why, kme_etsi014.judge_status(rows[i].text,
			     strlen(rows[i].text), "SAE-B", &status, &why), 0);
		CHECK_NUMBER(rows[i].why, status.max_key_per_request, rows[i].max);
		CHECK_NUMBER(rows[i].why, status.key_size, -1);
	}
	CHECK_NUMBER("an array", kme_etsi014.judge_status("[]", 2, "SAE-B", &status, &why), -EBADMSG);
	CHECK_TEXT("an array", why.text, "must be an object");
	CHECK_NUMBER("not JSON", kme_etsi014.judge_status("{", 1, "SAE-B", &status, &why), -EBADMSG);
}

TEST(takes_the_names_of_both_saes_from_a_status)
{
	static const char text[] = "{\"master_SAE_ID\":\"A\\u001b\\\"B\",\"slave_SAE_ID\":7}";
	struct kme_status status;

	CHECK_NUMBER("status", kme_etsi014.judge_status(text, strlen(text), "SAE-B", &status, &why), 0);
	CHECK_TEXT("what cannot be printed", status.master, "A??B");
	CHECK_TEXT("no name", status.slave, "");
}

TEST(checks_the_base_url)
{
	static const struct {
		const char *url, *rule;
	} rows[] = {
		{ "https://kme.example:8443", "" },
		{ "https://[::1]", "" },
		{ "https://10.0.0.5:8443/kme/1", "" },
		{ "http://k", "must begin with https://" },
		{ "https://", "must have a host of 1 to 253 characters" },
		{ "https://:8443", "must have a host of 1 to 253 characters" },
		{ "https://k/", "must not end with a slash" },
		{ "https://u@k", "must not have a '@'" },
		{ "https://k?a=b", "must not have a '?'" },
		{ "https://k#a", "must not have a '#'" },
		{ "https://k:", "must have a port from 1 to 65535" },
		{ "https://k:0", "must have a port from 1 to 65535" },
		{ "https://k:80100", "must have a port from 1 to 65535" },
		{ "https://k:8443x/a", "must have a port from 1 to 65535" },
		{ "https://[::1", "must have an IPv6 address between the brackets" },
		{ "https://[k]", "must have an IPv6 address between the brackets" },
		{ "https://k\\a", "must be https://HOST:PORT/PATH" },
		{ "https://k/a\\b", "must have only letters, digits and -._~% in its path" },
	};
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		why.text[0] = '\0';
		CHECK_NUMBER(rows[i].url, kme_etsi014.check_url(rows[i].url, &why),
			     *rows[i].rule ? -EINVAL : 0);
		CHECK_TEXT(rows[i].url, why.text, rows[i].rule);
	}
}

TEST(writes_the_url_of_each_request)
{
	static const struct kme_key_id ids[] = { { ID1 }, { ID2 } };
	static const struct kme_ask enc = { .n = 20 }, dec = { .n = 1, .ids = ids };
	static const struct {
		const char *sae;
		enum kme_op op;
		const struct kme_ask *ask;
		const char *path;
	} rows[] = {
		{ "SAE-B", KME_OP_STATUS, NULL, "SAE-B/status" },
		{ "SAE-B", KME_OP_ENC, NULL, "SAE-B/enc_keys" },
		{ "SAE-B", KME_OP_DEC, NULL, "SAE-B/dec_keys" },
		{ "SAE-B", KME_OP_ENC, &enc, "SAE-B/enc_keys?number=20&size=256" },
		{ "SAE-B", KME_OP_DEC, &dec, "SAE-B/dec_keys?key_ID=" ID1 },
		{ "a-Z_0.~", KME_OP_STATUS, NULL, "a-Z_0.~/status" },
		{ "a/../b ?\xc3\xbc", KME_OP_STATUS, NULL, "a%2F..%2Fb%20%3F%C3%BC/status" },
	};
	char url[KME_URL_MAX], want[KME_URL_MAX];
	size_t i;

	CHECK_NUMBER("IDs of a GET", kme_etsi014.url_ids_max, 1);
	for (i = 0; i < COUNT(rows); i++) {
		snprintf(want, sizeof(want), "https://k:1/api/v1/keys/%s", rows[i].path);
		CHECK_NUMBER(rows[i].path, kme_etsi014.write_url(url, "https://k:1", rows[i].sae,
								 rows[i].op, rows[i].ask), 0);
		CHECK_TEXT(rows[i].path, url, want);
	}
}

TEST(refuses_a_url_that_is_too_long)
{
	char url[KME_URL_MAX], base[KME_URL_MAX], sae[KME_SAE_ID_MAX + 2];

	memset(sae, '/', sizeof(sae));
	sae[KME_SAE_ID_MAX + 1] = '\0';
	CHECK_NUMBER("a long SAE ID", kme_etsi014.write_url(url, "https://k", sae, KME_OP_STATUS,
							    NULL), -ENAMETOOLONG);
	sae[KME_SAE_ID_MAX] = '\0';
	CHECK_NUMBER("the longest", kme_etsi014.write_url(url, "https://k", sae, KME_OP_STATUS,
							  NULL), 0);
	memset(base, 'k', sizeof(base));
	base[KME_URL_MAX - 1] = '\0';
	CHECK_NUMBER("a long base", kme_etsi014.write_url(url, base, "S", KME_OP_STATUS, NULL),
		     -ENAMETOOLONG);
}

TEST(writes_the_body_of_each_request)
{
	static const struct kme_key_id ids[] = { { ID1 }, { ID2 } };
	static const struct {
		struct kme_ask ask;
		const char *body;
	} rows[] = {
		{ { .n = 20 }, "{\"number\":20,\"size\":256}" },
		{ { .n = 1, .ids = ids }, "{\"key_IDs\":[{\"key_ID\":\"" ID1 "\"}]}" },
		{ { .n = 2, .ids = ids }, "{\"key_IDs\":[{\"key_ID\":\"" ID1 "\"},"
					  "{\"key_ID\":\"" ID2 "\"}]}" },
	};
	char body[KME_BODY_MAX(2)];
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		CHECK_NUMBER(rows[i].body, kme_etsi014.write_body(body, &rows[i].ask),
			     strlen(rows[i].body));
		CHECK_TEXT(rows[i].body, body, rows[i].body);
	}
}

TEST(gives_each_http_status_its_meaning)
{
	static const struct {
		long status;
		enum kme_outcome keys, of_status;
		enum kme_rejects_method method;
		bool burned;
	} rows[] = {
		{ 0, KME_OUTCOME_BROKEN, KME_OUTCOME_BROKEN, KME_REJECTS_METHOD_NO, false },
		{ 200, KME_OUTCOME_KEYS, KME_OUTCOME_KEYS, KME_REJECTS_METHOD_NO, false },
		{ 204, KME_OUTCOME_BROKEN, KME_OUTCOME_BROKEN, KME_REJECTS_METHOD_NO, false },
		{ 302, KME_OUTCOME_BROKEN, KME_OUTCOME_BROKEN, KME_REJECTS_METHOD_NO, false },
		{ 400, KME_OUTCOME_EMPTY, KME_OUTCOME_BROKEN, KME_REJECTS_METHOD_MAYBE, false },
		{ 401, KME_OUTCOME_DENIED, KME_OUTCOME_DENIED, KME_REJECTS_METHOD_NO, false },
		{ 403, KME_OUTCOME_DENIED, KME_OUTCOME_DENIED, KME_REJECTS_METHOD_NO, false },
		{ 404, KME_OUTCOME_EMPTY, KME_OUTCOME_BROKEN, KME_REJECTS_METHOD_MAYBE, false },
		{ 405, KME_OUTCOME_BROKEN, KME_OUTCOME_BROKEN, KME_REJECTS_METHOD_YES, false },
		{ 415, KME_OUTCOME_EMPTY, KME_OUTCOME_BROKEN, KME_REJECTS_METHOD_MAYBE, false },
		{ 429, KME_OUTCOME_EMPTY, KME_OUTCOME_BROKEN, KME_REJECTS_METHOD_NO, false },
		{ 499, KME_OUTCOME_EMPTY, KME_OUTCOME_BROKEN, KME_REJECTS_METHOD_NO, false },
		{ 500, KME_OUTCOME_BROKEN, KME_OUTCOME_BROKEN, KME_REJECTS_METHOD_NO, true },
		{ 501, KME_OUTCOME_BROKEN, KME_OUTCOME_BROKEN, KME_REJECTS_METHOD_YES, false },
		{ 502, KME_OUTCOME_BROKEN, KME_OUTCOME_BROKEN, KME_REJECTS_METHOD_NO, true },
		{ 503, KME_OUTCOME_EMPTY, KME_OUTCOME_BROKEN, KME_REJECTS_METHOD_NO, false },
		{ 504, KME_OUTCOME_BROKEN, KME_OUTCOME_BROKEN, KME_REJECTS_METHOD_NO, true },
	};
	struct kme_verdict verdict;
	char name[32];
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		snprintf(name, sizeof(name), "HTTP %ld", rows[i].status);
		verdict = kme_etsi014.classify(KME_OP_ENC, rows[i].status);
		CHECK_TEXT(name, kme_outcome_name(verdict.outcome), kme_outcome_name(rows[i].keys));
		CHECK_NUMBER(name, verdict.rejects_method, rows[i].method);
		CHECK_NUMBER(name, verdict.may_have_burned, rows[i].burned);
		verdict = kme_etsi014.classify(KME_OP_DEC, rows[i].status);
		CHECK_TEXT(name, kme_outcome_name(verdict.outcome), kme_outcome_name(rows[i].keys));
		verdict = kme_etsi014.classify(KME_OP_STATUS, rows[i].status);
		CHECK_TEXT(name, kme_outcome_name(verdict.outcome),
			   kme_outcome_name(rows[i].of_status));
	}
}

TEST(quotes_the_words_of_a_refusal_and_knows_dryness)
{
	static const struct {
		const char *body, *words;
		bool is_dry;
	} rows[] = {
		{ "{\"message\":\"Not enough keys available\"}", "Not enough keys available", true },
		{ "{\"detail\":\"insufficient key material\"}", "insufficient key material", true },
		{ "{\"message\":1,\"detail\":\"unknown SAE\"}", "unknown SAE", false },
		{ "no key left", "no key left", true },
		{ "size shall be a multiple of 8", "size shall be a multiple of 8", false },
		{ "a \"b\" \x1b[31m\n\xc3\xa9", "a ?b? ?[31m???", false },
		{ "<html>not enough keys</html>", "", false },
		{ "[]", "", false },
		{ "", "", false },
	};
	struct kme_refusal refusal;
	char body[1000];
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		kme_etsi014.read_refusal(rows[i].body, strlen(rows[i].body), &refusal);
		CHECK_TEXT(rows[i].body, refusal.words, rows[i].words);
		CHECK_NUMBER(rows[i].body, refusal.is_dry, rows[i].is_dry);
	}
	memset(body, 'x', sizeof(body));
	kme_etsi014.read_refusal(body, sizeof(body), &refusal);
	CHECK_NUMBER("a long one is cut", strlen(refusal.words), KME_WORDS_MAX - 1);
}

TEST(has_its_line_in_the_tables)
{
	CHECK(kme_dialect_of(KME_DIALECT_ETSI014) == &kme_etsi014, "not found");
	CHECK_TEXT("name", kme_dialect_name(KME_DIALECT_ETSI014), "etsi014");
	CHECK(kme_dialect_has_post(KME_DIALECT_ETSI014), "has no POST");
	CHECK(!kme_dialect_has_psk(KME_DIALECT_ETSI014), "takes a pre-shared key");
}
