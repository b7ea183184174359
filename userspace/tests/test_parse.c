// SPDX-License-Identifier: GPL-2.0-or-later
/* Words of the command line: which are accepted, and which rule refuses the others. */
#include "libqlink/parse.h"

#include <errno.h>
#include <string.h>

#include "common/number.h"
#include "tap.h"

TEST(numbers_outside_their_limits_are_refused)
{
	static const struct {
		const char *text;
		uint64_t min, max;
		bool ok;
		uint64_t value;
		const char *why;
	} rows[] = {
		{ "1", 1, 64, true, 1, "the smallest" },
		{ "64", 1, 64, true, 64, "the largest" },
		{ "0", 1, 64, false, 0, "below the smallest" },
		{ "65", 1, 64, false, 0, "above the largest" },
		{ "281474976710655", 1, QLINK_EPOCH_MAX, true, QLINK_EPOCH_MAX, "48 bits" },
		{ "281474976710656", 1, QLINK_EPOCH_MAX, false, 0, "49 bits" },
		{ "18446744073709551615", 0, UINT64_MAX, true, UINT64_MAX, "64 bits" },
		{ "18446744073709551616", 0, UINT64_MAX, false, 0, "65 bits" },
		{ "99999999999999999999999", 0, UINT64_MAX, false, 0, "far too many digits" },
		{ "007", 1, 64, true, 7, "leading zeros are decimal" },
		{ "", 0, 64, false, 0, "nothing" },
		{ "-1", 0, UINT64_MAX, false, 0, "a sign that strtoull() would accept" },
		{ "+1", 0, 64, false, 0, "a plus" },
		{ " 1", 0, 64, false, 0, "a blank before it" },
		{ "1 ", 0, 64, false, 0, "a blank after it" },
		{ "0x10", 0, 64, false, 0, "hexadecimal" },
		{ "1k", 0, 64, false, 0, "a unit" },
	};
	struct qlink_why why;
	uint64_t value;
	size_t i;
	int err;

	for (i = 0; i < COUNT(rows); i++) {
		value = 0;
		why.text[0] = '\0';
		err = qlink_parse_number(rows[i].text, rows[i].min, rows[i].max,
					 &value, &why);
		CHECK_NUMBER(rows[i].why, err, rows[i].ok ? 0 : -EINVAL);
		CHECK_NUMBER(rows[i].why, value, rows[i].value);
		CHECK(rows[i].ok == !why.text[0], "%s: rule '%s'", rows[i].why,
		      why.text);
	}
}

TEST(a_number_rule_names_the_limits)
{
	struct qlink_why why;
	uint64_t value;

	qlink_parse_number("0", 1, QLINK_EPOCH_MAX, &value, &why);
	CHECK_TEXT("epoch", why.text, "not a number from 1 to 281474976710655");
}

TEST(ethertypes_are_hexadecimal_and_not_lengths)
{
	static const struct {
		const char *text;
		bool ok;
		uint16_t value;
		const char *why;
	} rows[] = {
		{ "0x88b5", true, 0x88b5, "the default" },
		{ "0x88B5", true, 0x88b5, "upper case digits" },
		{ "0x0600", true, 0x0600, "the smallest" },
		{ "0x600", true, 0x0600, "three digits" },
		{ "0xffff", true, 0xffff, "the largest" },
		{ "0x05ff", false, 0, "a length of 802.3" },
		{ "0x10000", false, 0, "17 bits" },
		{ "0x", false, 0, "no digits" },
		{ "88b5", false, 0, "no 0x" },
		{ "34997", false, 0, "decimal" },
		{ "0x88b5x", false, 0, "text after it" },
		{ "0x8g", false, 0, "no digit" },
		{ "", false, 0, "nothing" },
	};
	struct qlink_why why;
	uint16_t value;
	size_t i;
	int err;

	for (i = 0; i < COUNT(rows); i++) {
		value = 0;
		err = qlink_parse_ethertype(rows[i].text, &value, &why);
		CHECK_NUMBER(rows[i].why, err, rows[i].ok ? 0 : -EINVAL);
		CHECK_NUMBER(rows[i].why, value, rows[i].value);
	}
	CHECK_TEXT("rule", why.text, "not an EtherType from 0x0600 to 0xffff");
}

TEST(macs_are_six_pairs)
{
	static const struct {
		const char *text;
		bool ok;
		const char *why;
	} rows[] = {
		{ "02:00:00:00:aB:01", true, "either case" },
		{ "02:00:00:00:00", false, "five pairs" },
		{ "02:00:00:00:00:01:02", false, "seven pairs" },
		{ "02:00:00:00:00:1", false, "half a pair" },
		{ "02:00:00:00:00:", false, "a colon after it" },
		{ "02-00-00-00-00-01", false, "dashes" },
		{ "020000000001", false, "no colons" },
		{ "02:00:00:00:00:0g", false, "no digit" },
		{ " 02:00:00:00:00:01", false, "a blank before it" },
		{ "", false, "nothing" },
	};
	static const uint8_t want[] = { 2, 0, 0, 0, 0xab, 1 };
	uint8_t mac[QLINK_MAC_BYTES];
	char text[QLINK_MAC_TEXT];
	struct qlink_why why;
	size_t i;
	int err;

	for (i = 0; i < COUNT(rows); i++) {
		memset(mac, 0xee, sizeof(mac));
		err = qlink_parse_mac(rows[i].text, mac, &why);
		CHECK_NUMBER(rows[i].why, err, rows[i].ok ? 0 : -EINVAL);
		if (rows[i].ok)
			CHECK(!memcmp(mac, want, sizeof(want)), "%s: wrong bytes",
			      rows[i].why);
		else
			CHECK(mac[0] == 0xee, "%s: the result was changed", rows[i].why);
	}
	CHECK_TEXT("rule", why.text, "not a MAC address like 02:00:00:00:00:01");
	CHECK_TEXT("written", qlink_format_mac(want, text), "02:00:00:00:ab:01");
}

TEST(addresses_can_be_ipv4_or_ipv6)
{
	static const struct {
		const char *text;
		int len;
		const char *why;
	} rows[] = {
		{ "192.0.2.1", 4, "IPv4" },
		{ "2001:db8::1", 16, "IPv6" },
		{ "::ffff:192.0.2.1", 16, "IPv4 in IPv6 stays IPv6" },
		{ "192.0.2.1/24", 0, "a prefix" },
		{ "192.0.2", 0, "three parts" },
		{ "0300.0.2.1", 0, "octal" },
		{ "fe80::1%eth0", 0, "a scope" },
		{ "localhost", 0, "a name" },
		{ "", 0, "nothing" },
	};
	char text[QLINK_ADDR_TEXT];
	struct qlink_addr addr;
	struct qlink_why why;
	size_t i;
	int err;

	for (i = 0; i < COUNT(rows); i++) {
		memset(&addr, 0, sizeof(addr));
		err = qlink_parse_addr(rows[i].text, &addr, &why);
		CHECK_NUMBER(rows[i].why, err, rows[i].len ? 0 : -EINVAL);
		CHECK_NUMBER(rows[i].why, addr.len, rows[i].len);
		if (rows[i].len)
			CHECK_TEXT(rows[i].why, qlink_format_addr(&addr, text),
				   rows[i].text);
	}
	CHECK_TEXT("rule", why.text, "not an IPv4 or IPv6 address");
	CHECK_TEXT("no address", qlink_format_addr(&addr, text), "none");
}

TEST(uuids_have_their_usual_form)
{
	static const struct {
		const char *text;
		bool ok;
		const char *why;
	} rows[] = {
		{ "123e4567-e89b-12d3-a456-426614174000", true, "lower case" },
		{ "123E4567-E89B-12D3-A456-426614174000", true, "upper case" },
		{ "123e4567e89b12d3a456426614174000", false, "no dashes" },
		{ "123e4567-e89b-12d3-a456-42661417400", false, "a digit short" },
		{ "123e4567-e89b-12d3-a456-4266141740000", false, "a digit long" },
		{ "123e456-7e89b-12d3-a456-426614174000", false, "a dash in the wrong place" },
		{ "{123e4567-e89b-12d3-a456-426614174000}", false, "braces" },
		{ "123e4567-e89b-12d3-a456", false, "cut at a dash" },
		{ "123e4567", false, "cut before a dash" },
		{ "key-0001", false, "an ID that is no UUID" },
		{ "", false, "nothing" },
	};
	static const uint8_t want[] = {
		0x12, 0x3e, 0x45, 0x67, 0xe8, 0x9b, 0x12, 0xd3,
		0xa4, 0x56, 0x42, 0x66, 0x14, 0x17, 0x40, 0x00,
	};
	uint8_t uuid[QLINK_KME_KEY_ID_BYTES];
	char text[QLINK_UUID_TEXT];
	struct qlink_why why;
	size_t i;
	int err;

	for (i = 0; i < COUNT(rows); i++) {
		memset(uuid, 0xee, sizeof(uuid));
		err = qlink_parse_uuid(rows[i].text, uuid, &why);
		CHECK_NUMBER(rows[i].why, err, rows[i].ok ? 0 : -EINVAL);
		if (rows[i].ok)
			CHECK(!memcmp(uuid, want, sizeof(want)), "%s: wrong bytes",
			      rows[i].why);
		else
			CHECK(uuid[0] == 0xee, "%s: the result was changed",
			      rows[i].why);
	}
	CHECK_TEXT("rule", why.text,
		   "not a UUID like 123e4567-e89b-12d3-a456-426614174000");
	CHECK_TEXT("written", qlink_format_uuid(want, text), rows[0].text);
}

TEST(accept_lists_name_a_source_only_once)
{
	static const struct {
		const char *text;
		uint32_t mask;
		const char *rule;
		const char *why;
	} rows[] = {
		{ "qkd", 1, "", "the first source" },
		{ "static", 8, "", "the last source" },
		{ "hybrid,pqc", 6, "", "the default" },
		{ "static,qkd,pqc,hybrid", 15, "", "all, in any order" },
		{ "qkd,none", 0, "\"none\" is none of qkd, hybrid, pqc, static", "none among others" },
		{ "qkd,qkd", 0, "names qkd twice", "one twice" },
		{ "qkd,foo", 0, "\"foo\" is none of qkd, hybrid, pqc, static", "no source" },
		{ "qkd,", 0, "\"\" is none of qkd, hybrid, pqc, static", "a comma after it" },
		{ ",qkd", 0, "\"\" is none of qkd, hybrid, pqc, static", "a comma before it" },
		{ "", 0, "\"\" is none of qkd, hybrid, pqc, static", "nothing" },
		{ "QKD", 0, "\"QKD\" is none of qkd, hybrid, pqc, static", "upper case" },
		{ "qk", 0, "\"qk\" is none of qkd, hybrid, pqc, static", "cut short" },
		{ "qkd pqc", 0, "\"qkd pqc\" is none of qkd, hybrid, pqc, static", "a blank" },
	};
	struct qlink_why why;
	uint32_t mask = 15;
	uint8_t kmes = 8;
	size_t i;
	int err;

	CHECK_NUMBER("none", qlink_parse_accept("none", &mask, &kmes, &why), 0);
	CHECK_NUMBER("none", mask, 0);
	CHECK_NUMBER("none", kmes, 1);
	for (i = 0; i < COUNT(rows); i++) {
		mask = 0;
		kmes = 0;
		why.text[0] = '\0';
		err = qlink_parse_accept(rows[i].text, &mask, &kmes, &why);
		CHECK_NUMBER(rows[i].why, err, rows[i].mask ? 0 : -EINVAL);
		CHECK_NUMBER(rows[i].why, mask, rows[i].mask);
		CHECK_NUMBER(rows[i].why, kmes, rows[i].mask ? 1 : 0);
		CHECK_TEXT(rows[i].why, why.text, rows[i].rule);
	}
}

TEST(accept_lists_have_one_number_of_kmes)
{
	static const struct {
		const char *text;
		uint32_t mask;
		uint8_t kmes;
		const char *rule;
		const char *why;
	} rows[] = {
		{ "hybrid2,pqc", 6, 2, "", "one source with a number" },
		{ "pqc,qkd8", 5, 8, "", "the most" },
		{ "hybrid1", 2, 1, "", "as without a number" },
		{ "qkd3,static,hybrid3", 11, 3, "", "the same for both" },
		{ "hybrid0", 0, 0, "\"hybrid0\": the number of KMEs is not 1 to 8", "no KME" },
		{ "qkd9", 0, 0, "\"qkd9\": the number of KMEs is not 1 to 8", "too many" },
		{ "qkd4294967298", 0, 0, "\"qkd4294967298\": the number of KMEs is not 1 to 8", "2 in 32 bits" },
		{ "pqc2", 0, 0, "\"pqc2\": source pqc has no KME, so it takes no number", "no KME in it" },
		{ "hybrid,hybrid2", 0, 0, "names hybrid twice", "one twice" },
		{ "hybrid2,qkd3", 0, 0, "qkd3 and hybrid2 have different numbers of KMEs", "two numbers" },
		{ "qkd,hybrid2", 0, 0, "qkd and hybrid2 have different numbers of KMEs", "without one is 1" },
		{ "hybrid2x", 0, 0, "\"hybrid2x\" is none of qkd, hybrid, pqc, static", "more behind it" },
		{ "2", 0, 0, "\"2\" is none of qkd, hybrid, pqc, static", "no source" },
		{ "none2", 0, 0, "\"none2\" is none of qkd, hybrid, pqc, static", "none is no source" },
	};
	char text[QLINK_ACCEPT_TEXT];
	struct qlink_why why;
	uint32_t mask, again;
	uint8_t kmes, n;
	size_t i;
	int err;

	for (i = 0; i < COUNT(rows); i++) {
		mask = kmes = 0;
		why.text[0] = '\0';
		err = qlink_parse_accept(rows[i].text, &mask, &kmes, &why);
		CHECK_NUMBER(rows[i].why, err, rows[i].mask ? 0 : -EINVAL);
		CHECK_NUMBER(rows[i].why, mask, rows[i].mask);
		CHECK_NUMBER(rows[i].why, kmes, rows[i].kmes);
		CHECK_TEXT(rows[i].why, why.text, rows[i].rule);
		if (err)
			continue;
		CHECK_NUMBER(rows[i].why, qlink_parse_accept(qlink_format_accept(mask, kmes, text),
							     &again, &n, &why), 0);
		CHECK(again == mask && n == kmes, "%s: written as %s", rows[i].text, text);
	}
}

TEST(a_long_word_does_not_overrun_the_rule)
{
	struct qlink_why why;
	uint32_t mask;
	uint8_t kmes;
	char text[1000];

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	CHECK_NUMBER("refused", qlink_parse_accept(text, &mask, &kmes, &why), -EINVAL);
	CHECK_NUMBER("cut", strlen(why.text), sizeof(why.text) - 1);
}

TEST(accept_masks_are_written_as_they_are_read)
{
	static const struct {
		uint32_t mask;
		uint8_t kmes;
		const char *text;
		const char *why;
	} rows[] = {
		{ 6, 1, "hybrid,pqc", "the default" },
		{ 6, 0, "hybrid,pqc", "an older kernel" },
		{ 6, 2, "hybrid2,pqc", "two KMEs" },
		{ 15, 1, "qkd,hybrid,pqc,static", "all" },
		{ 0, 2, "none", "no source" },
		{ 0x18, 2, "static,0x10", "a source of a newer kernel" },
		{ 0xffffffff, 255, "qkd255,hybrid255,pqc,static,0xfffffff0", "the longest" },
	};
	char text[QLINK_ACCEPT_TEXT];
	size_t i;

	for (i = 0; i < COUNT(rows); i++)
		CHECK_TEXT(rows[i].why, qlink_format_accept(rows[i].mask, rows[i].kmes, text),
			   rows[i].text);
}

TEST(a_source_is_written_with_its_number_of_kmes)
{
	char text[QLINK_SOURCE_TEXT];

	CHECK_TEXT("two", qlink_format_source(QLINK_SOURCE_HYBRID, 2, text), "hybrid2");
	CHECK_TEXT("one", qlink_format_source(QLINK_SOURCE_QKD, 1, text), "qkd");
	CHECK_TEXT("none", qlink_format_source(QLINK_SOURCE_PQC, 0, text), "pqc");
	CHECK_TEXT("the longest", qlink_format_source(200, 255, text), "unknown255");
}

TEST(sources_and_directions_are_found_by_full_name_only)
{
	struct qlink_why why;
	uint8_t value = 0xee;

	CHECK_NUMBER("pqc", qlink_parse_source("pqc", &value, &why), 0);
	CHECK_NUMBER("pqc", value, QLINK_SOURCE_PQC);
	CHECK_NUMBER("pq", qlink_parse_source("pq", &value, &why), -EINVAL);
	CHECK_TEXT("pq", why.text, "not a source: qkd, hybrid, pqc, static");
	CHECK_NUMBER("rx", qlink_parse_direction("rx", &value, &why), 0);
	CHECK_NUMBER("rx", value, QLINK_DIRECTION_RX);
	CHECK_NUMBER("both", qlink_parse_direction("both", &value, &why), -EINVAL);
	CHECK_TEXT("both", why.text, "not a direction: tx, rx");
}
