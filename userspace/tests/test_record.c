// SPDX-License-Identifier: GPL-2.0-or-later
/* Records: reading a message, the names in the JSON, missing values in the table. */
#include "qlinkctl/record.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "members.h"
#include "tap.h"

static struct qlink_record sample(uint64_t number)
{
	return (struct qlink_record){
		.number = number, .epoch = 3, .first_ms = 1000, .last_ms = 2000,
		.frames = 5, .bytes = 490, .kme_key_id = { 0x01, 0x23 },
		.direction = QLINK_DIRECTION_RX, .source = QLINK_SOURCE_HYBRID,
		.kmes = 2,
	};
}

TEST(each_attribute_of_a_record_sets_its_member)
{
	static const struct {
		unsigned int type;
		size_t size;
	} attrs[] = {
		{ QLINK_A_RECORD_NUMBER, 8 }, { QLINK_A_RECORD_DIRECTION, 1 },
		{ QLINK_A_RECORD_EPOCH, 8 }, { QLINK_A_RECORD_SOURCE, 1 },
		{ QLINK_A_RECORD_KME_KEY_ID, 16 }, { QLINK_A_RECORD_FIRST_MS, 8 },
		{ QLINK_A_RECORD_LAST_MS, 8 }, { QLINK_A_RECORD_FRAMES, 8 },
		{ QLINK_A_RECORD_BYTES, 8 }, { QLINK_A_RECORD_KMES, 1 },
	};
	struct qlink_record got = { 0 };
	uint8_t value[16] = { 0 };
	size_t i;

	for (i = 0; i < COUNT(attrs); i++) {
		value[0] = (uint8_t)(i + 1);
		CHECK_NUMBER("taken", qlink_record_take(&got, attrs[i].type, value,
							attrs[i].size), 0);
		CHECK_NUMBER("too short", qlink_record_take(&got, attrs[i].type,
			     value, attrs[i].size - 1), -EBADMSG);
	}
	CHECK_NUMBER("number", got.number, 1);
	CHECK_NUMBER("direction", got.direction, 2);
	CHECK_NUMBER("epoch", got.epoch, 3);
	CHECK_NUMBER("source", got.source, 4);
	CHECK_NUMBER("KME key ID", got.kme_key_id[0], 5);
	CHECK_NUMBER("first", got.first_ms, 6);
	CHECK_NUMBER("last", got.last_ms, 7);
	CHECK_NUMBER("frames", got.frames, 8);
	CHECK_NUMBER("bytes", got.bytes, 9);
	CHECK_NUMBER("KMEs", got.kmes, 10);
	CHECK_NUMBER("an unknown attribute is ignored",
		     qlink_record_take(&got, 99, value, 3), 0);
}

static void check_json(const char *why, const struct qlink_record *record,
		       const char *want)
{
	json_t *object = record_json(record);

	check_members(why, object, want);
	json_decref(object);
}

TEST(json_has_the_documented_names)
{
	struct qlink_record record = sample(7);

	check_json("with a KME key ID", &record,
		"{\"number\":7,\"direction\":\"rx\",\"epoch\":3,\"source\":\"hybrid\",\"kmes\":2,"
		"\"first_ms\":1000,\"last_ms\":2000,\"frames\":5,\"bytes\":490,"
		"\"kme_key_id\":\"01230000-0000-0000-0000-000000000000\"}");
	memset(record.kme_key_id, 0, sizeof(record.kme_key_id));
	record.source = 200;
	record.kmes = 0;
	check_json("without, and of a newer kernel", &record,
		"{\"number\":7,\"direction\":\"rx\",\"epoch\":3,\"source\":\"unknown\",\"kmes\":0,"
		"\"first_ms\":1000,\"last_ms\":2000,\"frames\":5,\"bytes\":490}");
}

TEST(the_table_shows_missing_values)
{
	struct qlink_record records[] = { sample(8), sample(9), sample(12) };
	char *got = NULL;
	size_t len;
	FILE *to = open_memstream(&got, &len);

	record_text(4, records, COUNT(records), to);
	fclose(to);
	CHECK(strstr(got, "\n3 records are missing\n         8 rx "), "got '%s'", got);
	CHECK(strstr(got, " 3 hybrid2  "), "got '%s'", got);
	CHECK(strstr(got, "\n2 records are missing\n        12 rx "), "got '%s'", got);
	free(got);
	to = open_memstream(&got, &len);
	record_text(7, records, 2, to);
	fclose(to);
	CHECK(!strstr(got, "missing"), "got '%s'", got);
	free(got);
	to = open_memstream(&got, &len);
	record_text(7, records, 0, to);
	fclose(to);
	CHECK_TEXT("no record, no line", got, "");
	free(got);
}
