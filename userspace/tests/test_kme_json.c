// SPDX-License-Identifier: GPL-2.0-or-later
/* Every rule about answers of key servers, without a network. */
#include "qlinkd/kme/json.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

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
	return kme_judge_keys(text, strlen(text), &ask, keys, &tally, &why);
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

TEST(refuses_text_that_is_not_a_container)
{
	static const struct {
		const char *text, *rule, *why;
	} rows[] = {
		{ "", "no JSON: line 1, column 0", "nothing" },
		{ "{\"keys\":[", "no JSON: line 1, column 9", "cut short" },
		{ "<html></html>", "no JSON: line 1, column 1", "HTML" },
		{ KEYS("") "x", "no JSON: line 1, column 12", "text after the end" },
		{ "\xff\xfe", "no JSON: line 1, column 0", "no UTF-8" },
		{ "[]", "must be an object with an array named keys", "an array" },
		{ "{}", "must be an object with an array named keys", "no keys" },
		{ "{\"keys\":{}}", "must be an object with an array named keys",
		  "keys is an object" },
		{ "{\"keys\":[],\"keys\":[]}", "no JSON: line 1, column 17",
		  "a member twice" },
		{ KEYS("{\"key_ID\":\"" ID1 "\",\"key_ID\":\"" ID2 "\",\"key\":\"" A32 "\"}"),
		  "no JSON: line 1, column 66", "an ID twice" },
	};
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		CHECK_NUMBER(rows[i].why, judge(rows[i].text, 2, NULL), -EBADMSG);
		CHECK_TEXT(rows[i].why, why.text, rows[i].rule);
		CHECK(is_wiped(0, 2), "%s: bytes were not wiped", rows[i].why);
	}
}

TEST(refuses_single_keys_by_one_fault_each)
{
	static const struct {
		enum kme_fault fault;
		const char *key, *rule, *why;
	} rows[] = {
		{ KME_FAULT_MEMBER, "7", "key 2: must have key_ID and key, both strings", "no object" },
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
		{ KME_FAULT_BASE64, KEY(ID2, "===="), "key 2: must be canonical base64", "padding only" },
		{ KME_FAULT_BASE64, KEY(ID2, "QkJ=QkJC"), "key 2: must be canonical base64", "padding within" },
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

TEST(accepts_no_key_that_repeats_an_id_or_a_value)
{
	CHECK_NUMBER("one ID", judge(KEYS(KEY(ID1, A32) "," KEY(ID1, B32)), 2, NULL), 0);
	CHECK_NUMBER("both are counted", tally.faults[KME_FAULT_REPEATED], 2);
	CHECK_TEXT("why", why.text, "a key_ID or a key stands there more than once");
	CHECK(is_wiped(0, 2), "bytes were not wiped");
	CHECK_NUMBER("one key", judge(KEYS(KEY(ID1, A32) "," KEY(ID2, A32)), 2, NULL), 0);
	CHECK_NUMBER("both are counted", tally.faults[KME_FAULT_REPEATED], 2);
}

TEST(accepts_no_more_keys_than_were_requested)
{
	CHECK_NUMBER("one of two", judge(KEYS(KEY(ID1, A32) "," KEY(ID2, B32)), 1, NULL), 1);
	CHECK_TEXT("the first", keys[0].id.text, ID1);
	CHECK_NUMBER("the other is counted", tally.faults[KME_FAULT_EXTRA], 1);
	CHECK_TEXT("why", why.text, "more than the 1 keys asked for");
}

TEST(finds_the_position_of_keys_in_any_order)
{
	static const struct kme_key_id ids[] = { { ID1 }, { ID2 } };

	CHECK_NUMBER("both", judge(KEYS(KEY(ID2, B32) "," KEY(ID1, A32)), 2, ids), 2);
	CHECK_NUMBER("the second first", keys[0].place, 1);
	CHECK_NUMBER("then the first", keys[1].place, 0);
}

TEST(keeps_the_answer_out_of_error_messages)
{
	judge("{\"keys\":[{\"key_ID\":\"" ID1 "\",\"key\":\"" A32 "\" SECRET", 1, NULL);
	CHECK(!strstr(why.text, "SECRET") && !strstr(why.text, "QUFB"),
	      "the answer is quoted: %s", why.text);
}

TEST(reads_a_full_batch_and_refuses_too_deep_and_too_many_elements)
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
	/* These end without padding: 33 bytes. */
	CHECK_NUMBER("a full batch", kme_judge_keys(text, len, &ask, keys, &tally, &why),
		     KME_BATCH_MAX);
	memset(text, '[', sizeof(text));
	CHECK_NUMBER("too deep", kme_judge_keys(text, sizeof(text), &ask, keys, &tally, &why),
		     -EBADMSG);
	for (i = 0; i < sizeof(text); i++)
		text[i] = i % 3 == 0 ? '{' : i % 3 == 1 ? '}' : ',';
	text[0] = '[';
	CHECK_NUMBER("too many elements", kme_judge_keys(text, sizeof(text), &ask, keys, &tally, &why),
		     -EBADMSG);
}

TEST(ignores_wrong_members_of_a_status)
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
		CHECK_NUMBER(rows[i].why, kme_judge_status(rows[i].text,
			     strlen(rows[i].text), &status, &why), 0);
		CHECK_NUMBER(rows[i].why, status.max_key_per_request, rows[i].max);
		CHECK_NUMBER(rows[i].why, status.key_size, -1);
	}
	CHECK_NUMBER("an array", kme_judge_status("[]", 2, &status, &why), -EBADMSG);
	CHECK_TEXT("an array", why.text, "must be an object");
	CHECK_NUMBER("no JSON", kme_judge_status("{", 1, &status, &why), -EBADMSG);
}
