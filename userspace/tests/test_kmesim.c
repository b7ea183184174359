// SPDX-License-Identifier: GPL-2.0-or-later
/* Tests the simulator through its interfaces: HTTPS by curl, and the control socket. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kme_lab.h"
#include "kmesim/supply.h"
#include "tap.h"

#define POST(body)	" -d '" body "'"
#define NO_KEY		"00000000-0000-4000-8000-000000000000"

/* A request, the certificate that sends it, and the start of the answer. */
struct row {
	int side;
	const char *cert, *args, *want, *why;
};

static void check_rows(const struct row *rows, size_t n)
{
	const char *got;
	size_t i;

	for (i = 0; i < n; i++) {
		got = lab_curl(rows[i].side, rows[i].cert, rows[i].args);
		CHECK(!strncmp(got, rows[i].want, strlen(rows[i].want)),
		      "%s: got '%s', want '%s'", rows[i].why, got, rows[i].want);
	}
}

TEST(status_has_the_members_of_the_standard)
{
	static const struct row rows[] = {
		{ 0, "sae-a", "/SAE-B/status",
		  "200 {\"source_KME_ID\":\"KME-A\",\"target_KME_ID\":\"KME-B\","
		  "\"master_SAE_ID\":\"SAE-A\",\"slave_SAE_ID\":\"SAE-B\","
		  "\"stored_key_count\":1000,\"key_size\":256,\"max_key_count\":100000,"
		  "\"max_key_per_request\":128,\"max_key_size\":1024,\"min_key_size\":64,"
		  "\"max_SAE_ID_count\":0}", "KME a" },
		{ 1, "sae-b", "/SAE-A/status",
		  "200 {\"source_KME_ID\":\"KME-B\",\"target_KME_ID\":\"KME-A\","
		  "\"master_SAE_ID\":\"SAE-B\",\"slave_SAE_ID\":\"SAE-A\","
		  "\"stored_key_count\":1000,", "KME b has the same stock" },
		{ 0, "sae-a", "/SAE%2DB/status", "200 ", "an ID that is URL-encoded" },
	};

	lab_start("", "");
	check_rows(rows, COUNT(rows));
	lab_stop();
}

TEST(errors_have_the_text_of_the_standard)
{
	static const struct row rows[] = {
		{ 0, "sae-a", "/SAE-B/enc_keys" POST("{\"size\":257}"),
		  "400 {\"message\":\"size shall be a multiple of 8\"}", "POST, odd size" },
		{ 0, "sae-a", "/SAE-B/enc_keys?size=257",
		  "400 {\"message\":\"size shall be a multiple of 8\"}", "GET, odd size" },
		{ 0, "sae-a", "/SAE-B/enc_keys" POST("{\"extension_mandatory\":[{\"abc_x\":\"y\"}]}"),
		  "400 {\"message\":\"not all extension_mandatory parameters are supported\"}",
		  "mandatory extension" },
		{ 0, "sae-a", "/SAE-B/enc_keys" POST("{\"additional_slave_SAE_IDs\":[\"SAE-C\"]}"),
		  "400 {\"message\":\"more additional_slave_SAE_IDs than max_SAE_ID_count\"}",
		  "no multicast" },
		{ 0, "sae-a", "/SAE-B/enc_keys" POST("{\"number\":129}"),
		  "400 {\"message\":\"number is above max_key_per_request\"}", "number" },
		{ 0, "sae-a", "/SAE-B/enc_keys" POST("{\"number\":0}"),
		  "400 {\"message\":\"number must be an integer above 0\"}", "no number" },
		{ 0, "sae-a", "/SAE-B/enc_keys" POST("{\"size\":2048}"),
		  "400 {\"message\":\"size is out of range\"}", "size" },
		{ 0, "sae-a", "/SAE-B/enc_keys" POST("{\"number\":"),
		  "400 {\"message\":\"the body must be a JSON object\"}", "no JSON" },
		{ 1, "sae-b", "/SAE-A/dec_keys?key_ID=" NO_KEY,
		  "400 {\"message\":\"one or more keys specified are not found on KME\"}",
		  "unknown key by GET" },
		{ 1, "sae-b", "/SAE-A/dec_keys" POST("{\"key_IDs\":[{\"key_ID\":\"" NO_KEY "\"}]}"),
		  "400 {\"message\":\"one or more keys specified are not found on KME\"}",
		  "unknown key by POST" },
		{ 1, "sae-b", "/SAE-A/dec_keys" POST("{}"),
		  "400 {\"message\":\"key_IDs must be an array of objects, one at least\"}",
		  "no IDs" },
		{ 0, "kme-b", "/SAE-B/status",
		  "401 {\"message\":\"this SAE is not known here\"}", "unknown SAE" },
		{ 0, "sae-a", "/SAE-X/status", "400 {\"message\":\"no link with that SAE\"}",
		  "unknown peer" },
		{ 0, "sae-a", "/SAE-B/other", "404 {\"message\":\"no such resource\"}", "other path" },
		{ 0, "sae-a", "/SAE-B/status" POST("{}"),
		  "405 {\"message\":\"method not allowed\"}", "status by POST" },
		{ 0, "sae-a", "/SAE-B/enc_keys -X DELETE",
		  "405 {\"message\":\"method not allowed\"}", "DELETE" },
		{ 0, NULL, "/SAE-B/status", "000 ", "no certificate" },
		{ 0, "stranger", "/SAE-B/status", "000 ", "a certificate of another CA" },
	};

	lab_start("", "");
	check_rows(rows, COUNT(rows));
	CHECK(strstr(lab_command("status"), "\"keys\":{\"enc_keys\":0,\"dec_keys\":0}"),
	      "a refusal costs no key: %s", lab_command("status"));
	lab_stop();
}

/* The first key_ID of an answer. */
static const char *key_id(const char *answer)
{
	static char id[65];
	const char *at = strstr(answer, "\"key_ID\":\"");

	id[0] = '\0';
	if (at)
		sscanf(at, "\"key_ID\":\"%64[^\"]", id);
	return id;
}

TEST(each_slave_gets_a_key_once)
{
	char enc[512], args[256], id[65];

	lab_start("max-sae-id-count 2\n", "");
	snprintf(enc, sizeof(enc), "%s", lab_curl(0, "sae-a",
		 "/SAE-B/enc_keys" POST("{\"additional_slave_SAE_IDs\":[\"SAE-C\"],\"size\":512}")));
	snprintf(id, sizeof(id), "%s", key_id(enc));
	CHECK(!strncmp(enc, "200 {\"keys\":[{", 14) && strlen(id) == 36, "got '%s'", enc);
	snprintf(args, sizeof(args), "/SAE-A/dec_keys?key_ID=%s", id);
	CHECK_TEXT("the slave", lab_curl(1, "sae-b", args), enc);
	CHECK(!strncmp(lab_curl(1, "sae-b", args), "400 ", 4), "the slave again");
	CHECK_TEXT("the additional slave", lab_curl(1, "sae-c", args), enc);
	CHECK(!strncmp(lab_curl(1, "sae-c", args), "400 ", 4), "the same again");
	snprintf(enc, sizeof(enc), "%s", lab_curl(0, "sae-a", "/SAE-B/enc_keys"));
	snprintf(args, sizeof(args), "/SAE-A/dec_keys?key_ID=%s", key_id(enc));
	CHECK(!strncmp(lab_curl(1, "sae-c", args), "401 ", 4), "another SAE");
	CHECK_TEXT("and it is still there", lab_curl(1, "sae-b", args), enc);
	lab_stop();
}

TEST(commands_are_refused_with_value_and_rule)
{
	static const struct {
		const char *command, *says;
	} rows[] = {
		{ "tune", "error: tune: no such command" },
		{ "stop c", "error: stop: must be stop KME; KME is a or b" },
		{ "fault a absent", "error: fault: fault 'absent': no such fault" },
		{ "fault a http 99", "error: fault: http '99': not a number from 200 to 599" },
		{ "fault a size op status", "error: fault: op 'status': this fault does not apply to it" },
		{ "fault a hang count 0", "error: fault: count '0': not a number from 1 to 1000000000" },
		{ "fault a hang count", "error: fault: word 'count': must have a value" },
		{ "clear a absent", "error: clear: no such fault" },
		{ "set a colour red", "error: set: no such setting" },
		{ "set a tls 1.1", "error: set: must be any or 1.2 or 1.3" },
		{ "set a dry 200", "error: set: must be short or a number from 400 to 599" },
		{ "stock SAE-A SAE-X 5", "error: stock: there is no link between these two SAEs" },
		{ "supply SAE-A SAE-B fibre -1",
		  "error: supply: rate '-1' is not a number from 0 to 1000000000" },
		{ "supply SAE-A SAE-B pass 5 10 20",
		  "error: supply: a pass must last longer than 0 s and at most its period" },
	};
	size_t i;

	lab_start("", "");
	for (i = 0; i < COUNT(rows); i++)
		CHECK_TEXT(rows[i].command, lab_command("%s", rows[i].command), rows[i].says);
	lab_stop();
}

TEST(supplies_make_keys_over_time)
{
	static char *const fibre[] = { "fibre", "2.5" };
	static char *const pass[] = { "pass", "1000", "100", "10" };
	static const struct {
		uint64_t ms, keys;
	} passes[] = {
		{ 0, 0 }, { 5000, 500 }, { 10000, 1000 }, { 99999, 1000 },
		{ 100000, 1000 }, { 101000, 1100 }, { 250000, 3000 },
	};
	struct supply supply;
	struct qlink_why why;
	size_t i;

	CHECK_NUMBER("fibre", supply_parse(&supply, 2, fibre, &why), 0);
	CHECK_NUMBER("399 ms", supply_made(&supply, 399), 0);
	CHECK_NUMBER("400 ms", supply_made(&supply, 400), 1);
	CHECK_NUMBER("an hour", supply_made(&supply, 3600000), 9000);
	CHECK_NUMBER("pass", supply_parse(&supply, 4, pass, &why), 0);
	for (i = 0; i < COUNT(passes); i++)
		CHECK_NUMBER("passes", supply_made(&supply, passes[i].ms), passes[i].keys);
}

TEST(a_supply_can_come_from_a_file)
{
	static const struct {
		const char *text, *rule;
	} rows[] = {
		{ "# measured\n0.5 10\n\n2 5\n", "" },
		{ "1\n", "line 1: must be SECONDS KEYS" },
		{ "1 2 3\n", "line 1: must be SECONDS KEYS" },
		{ "2 1\n1 1\n", "line 2: time 1 is before that of the line above" },
		{ "x 1\n", "line 1: time 'x' is not a number from 0 to 315360000" },
	};
	char path[] = "/tmp/qlink-supply-XXXXXX";
	char *words[] = { "file", path };
	struct supply supply;
	struct qlink_why why;
	FILE *file;
	size_t i;

	close(mkstemp(path));
	for (i = 0; i < COUNT(rows); i++) {
		file = fopen(path, "we");
		fputs(rows[i].text, file);
		fclose(file);
		why.text[0] = '\0';
		CHECK_NUMBER(rows[i].text, supply_parse(&supply, 2, words, &why),
			     *rows[i].rule ? -22 : 0);
		CHECK_TEXT(rows[i].text, why.text, rows[i].rule);
		if (*rows[i].rule)
			continue;
		CHECK_NUMBER("499 ms", supply_made(&supply, 499), 0);
		CHECK_NUMBER("500 ms", supply_made(&supply, 500), 10);
		CHECK_NUMBER("later", supply_made(&supply, 2000000), 15);
		supply_free(&supply);
	}
	unlink(path);
}
