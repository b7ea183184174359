// SPDX-License-Identifier: GPL-2.0-or-later
/* The client against the simulator over TLS where both speak SKIP: keys, faults, pre-shared keys. */
#include <stdio.h>
#include <string.h>

#include "kme_lab.h"
#include "tap.h"

#define SKIP		"dialect skip\n"
#define NO_KEY		"000000000000000000000000"

static const struct lab_options skip = { .dialect = KME_DIALECT_SKIP };
static struct lab_client a, b;

static void both_start(const char *more_a)
{
	char text[256];

	snprintf(text, sizeof(text), SKIP "%s", more_a);
	lab_start(text, SKIP);
	lab_client_start(&a, 0, &skip);
	lab_client_start(&b, 1, &skip);
	LAB_WAIT(&a, a.n_up[0]);
	LAB_WAIT(&b, b.n_up[0]);
}

static void both_stop(void)
{
	lab_client_stop(&a);
	lab_client_stop(&b);
	lab_stop();
}

static bool is_same_key(const struct kme_key *one, const struct kme_key *other)
{
	return !strcmp(one->id.text, other->id.text) && one->len == other->len &&
	       !memcmp(one->bytes, other->bytes, one->len);
}

/* --- keys --- */

TEST(both_ends_get_the_same_key_one_at_a_time)
{
	struct kme_key keys[3];
	size_t i;

	both_start("");
	CHECK_TEXT("we", kme_server(a.kme, 0)->status.master, "SAE-A");
	CHECK_TEXT("the peer", kme_server(a.kme, 0)->status.slave, "SAE-B");
	for (i = 0; i < 3; i++) {
		CHECK_NUMBER("one of five", lab_get(&a, 5), 1);
		CHECK_NUMBER("asked for", a.answer.n_sent, 1);
		CHECK_TEXT("why", a.answer.why.text, "");
		keys[i] = a.keys[0];
	}
	CHECK_NUMBER("bytes", keys[0].len, 32);
	CHECK(strcmp(keys[0].id.text, keys[1].id.text), "one ID twice");
	/* Each has a request of its own. */
	CHECK_NUMBER("fetched", lab_fetch(&b, keys, 3), 3);
	for (i = 0; i < 3; i++)
		CHECK(is_same_key(&b.keys[i], &keys[b.keys[i].place]), "key %zu differs", i);
	CHECK_NUMBER("requests", lab_counter(&b, KME_COUNTER_DEC), 3);
	CHECK_NUMBER("keys", lab_counter(&b, KME_COUNTER_KEYS), 3);
	CHECK_NUMBER("no other method was tried", lab_counter(&b, KME_COUNTER_METHOD), 0);
	CHECK_NUMBER("fetched twice", lab_fetch(&b, keys, 1), 0);
	CHECK_NUMBER("outcome", b.answer.outcome, KME_OUTCOME_EMPTY);
	CHECK_TEXT("why", b.answer.why.text, "answers dec_keys with 400: "
		   "\"one or more keys specified are not found on KME\"");
	CHECK_NUMBER("still up", kme_server(b.kme, 0)->health, KME_HEALTH_UP);
	CHECK(strstr(lab_command("status"), "\"stored\":997"), "%s", lab_command("status"));
	both_stop();
}

TEST(a_key_that_is_lost_does_not_cost_the_others)
{
	struct kme_key keys[3] = { { .id = { NO_KEY } } };
	size_t i;

	both_start("");
	for (i = 1; i < 3; i++) {
		CHECK_NUMBER("got", lab_get(&a, 1), 1);
		keys[i] = a.keys[0];
	}
	CHECK_NUMBER("fetched", lab_fetch(&b, keys, 3), 2);
	CHECK_NUMBER("the second", b.keys[0].place, 1);
	CHECK_NUMBER("the third", b.keys[1].place, 2);
	CHECK_NUMBER("empty", lab_counter(&b, KME_COUNTER_EMPTY), 1);
	CHECK_NUMBER("burned", b.answer.n_burned, 0);
	both_stop();
}

TEST(a_kme_without_keys_is_up_and_empty)
{
	both_start("");
	CHECK_TEXT("stock", lab_command("stock SAE-A SAE-B 0"), "ok");
	CHECK_NUMBER("none", lab_get(&a, 1), 0);
	CHECK_TEXT("outcome", kme_outcome_name(a.answer.outcome), "empty");
	CHECK_TEXT("why", a.answer.why.text, "answers enc_keys with 503: \"not enough keys in stock\"");
	CHECK_NUMBER("up", kme_server(a.kme, 0)->health, KME_HEALTH_UP);
	CHECK_TEXT("stock", lab_command("stock SAE-A SAE-B 1"), "ok");
	CHECK_NUMBER("the last one", lab_get(&a, 1), 1);
	both_stop();
}

TEST(links_of_one_agent_share_connections_and_not_keys)
{
	static struct lab_client c;
	struct lab_options options = { .dialect = KME_DIALECT_SKIP };

	lab_start(SKIP, SKIP);
	lab_client_start(&a, 0, &options);
	LAB_WAIT(&a, a.n_up[0]);
	options.beside = &a;
	lab_client_start(&c, 0, &options);
	LAB_WAIT(&c, c.n_up[0]);
	CHECK_NUMBER("both ask", kme_get_keys(a.kme, 0, 1), 0);
	CHECK_NUMBER("both ask", kme_get_keys(c.kme, 0, 1), 0);
	LAB_WAIT(&a, a.n_answers);
	LAB_WAIT(&c, c.n_answers);
	CHECK_NUMBER("one key", a.answer.n_keys, 1);
	CHECK_NUMBER("and one", c.answer.n_keys, 1);
	CHECK(strcmp(a.keys[0].id.text, c.keys[0].id.text), "it is the same");
	lab_client_stop(&c);
	lab_client_stop(&a);
	lab_stop();
}

/* --- faults: the outcome, the counters that move, and the reason --- */

TEST(each_fault_has_its_reason_and_counter)
{
	static const struct {
		const char *fault;
		enum kme_outcome outcome;
		size_t n_keys, n_burned;
		const char *moved, *says;
	} rows[] = {
		{ "http 400", KME_OUTCOME_EMPTY, 0, 0, "enc_keys_requests 1, empty 1", "answers enc_keys with 400" },
		{ "http 404", KME_OUTCOME_EMPTY, 0, 0, "enc_keys_requests 1, empty 1", "answers enc_keys with 404" },
		{ "http 403", KME_OUTCOME_DENIED, 0, 0, "enc_keys_requests 1, denied 1", "answers enc_keys with 403" },
		/* There is no other method to try. */
		{ "http 405", KME_OUTCOME_BROKEN, 0, 0, "enc_keys_requests 1, http 1", "answers enc_keys with 405" },
		{ "http 500", KME_OUTCOME_BROKEN, 0, 1, "enc_keys_requests 1, http 1, keys_burned 1",
		  "answers enc_keys with 500" },
		{ "html 200", KME_OUTCOME_BROKEN, 0, 1, "enc_keys_requests 1, malformed 1, keys_burned 1",
		  "not JSON: line 1, column 1" },
		{ "truncate", KME_OUTCOME_BROKEN, 0, 1, "enc_keys_requests 1, malformed 1, keys_burned 1",
		  "not JSON: line 1, column" },
		{ "huge 512", KME_OUTCOME_BROKEN, 0, 1, "enc_keys_requests 1, too_big 1, keys_burned 1",
		  "answers with more than 17408 bytes" },
		{ "short", KME_OUTCOME_BROKEN, 0, 1,
		  "enc_keys_requests 1, answered 1, keys_burned 1, bad_member 1",
		  "key 1: must have keyId and key, both strings" },
		{ "size 128", KME_OUTCOME_BROKEN, 0, 1,
		  "enc_keys_requests 1, answered 1, keys_burned 1, bad_size 1",
		  "key 1: has 128 bits, want 256 to 1024" },
		{ "bad-id", KME_OUTCOME_BROKEN, 0, 1, "enc_keys_requests 1, answered 1, keys_burned 1, bad_id 1",
		  "key 1: its keyId must have 8 to 64 hexadecimal digits" },
		{ "bad-base64", KME_OUTCOME_BROKEN, 0, 1, "enc_keys_requests 1, answered 1, keys_burned 1, bad_hex 1",
		  "key 1: must be hexadecimal, two digits for each byte" },
		{ "size 512", KME_OUTCOME_KEYS, 1, 0, "enc_keys_requests 1, answered 1, keys 1", "" },
	};
	struct kme_server before;
	size_t i;

	both_start("");
	for (i = 0; i < COUNT(rows); i++) {
		LAB_WAIT(&a, kme_server(a.kme, 0)->health == KME_HEALTH_UP);
		CHECK_TEXT("fault", lab_command("fault a %s op enc_keys count 1", rows[i].fault), "ok");
		before = *kme_server(a.kme, 0);
		lab_get(&a, 1);
		CHECK_TEXT(rows[i].fault, kme_outcome_name(a.answer.outcome), kme_outcome_name(rows[i].outcome));
		CHECK_NUMBER(rows[i].fault, a.answer.n_keys, rows[i].n_keys);
		CHECK_NUMBER(rows[i].fault, a.answer.n_burned, rows[i].n_burned);
		CHECK_TEXT(rows[i].fault, lab_moved(&a, &before), rows[i].moved);
		CHECK(strstr(a.answer.why.text, rows[i].says) && !*rows[i].says == !a.answer.why.text[0],
		      "%s: says '%s', want '%s'", rows[i].fault, a.answer.why.text, rows[i].says);
	}
	both_stop();
}

TEST(a_key_with_another_id_than_the_requested_one_is_refused)
{
	struct kme_server before;

	both_start("");
	CHECK_NUMBER("got", lab_get(&a, 1), 1);
	CHECK_TEXT("fault", lab_command("fault b wrong-id op dec_keys count 1"), "ok");
	before = *kme_server(b.kme, 0);
	CHECK_NUMBER("none", lab_fetch(&b, a.keys, 1), 0);
	CHECK_TEXT("why", b.answer.why.text, "key 1: its key_ID was not asked for");
	CHECK_TEXT("counters", lab_moved(&b, &before),
		   "dec_keys_requests 1, answered 1, keys_burned 1, unknown_id 1");
	CHECK_NUMBER("burned", b.answer.n_burned, 1);
	both_stop();
}

/* --- capabilities that do not fit --- */

TEST(wrong_set_ups_are_named)
{
	static const struct {
		struct lab_options options;
		const char *says;
		enum kme_counter counter;
	} rows[] = {
		{ { .dialect = KME_DIALECT_SKIP, .sae = "SAE-X" },
		  "has no peer 'SAE-X', which sae names: its remoteSystemID is 'SAE-B', 'SAE-C'", KME_COUNTER_DENIED },
		/* The IDs of both ends are swapped. */
		{ { .dialect = KME_DIALECT_SKIP, .sae = "SAE-A" },
		  "has no peer 'SAE-A', which sae names: its remoteSystemID is 'SAE-B', 'SAE-C'", KME_COUNTER_DENIED },
		{ { .dialect = KME_DIALECT_SKIP, .url = "/skip" }, "/skip is not its url: answers status with 404",
		  KME_COUNTER_HTTP },
		{ { .dialect = KME_DIALECT_ETSI014 }, "is not its url: answers status with 404", KME_COUNTER_HTTP },
		{ { .dialect = KME_DIALECT_SKIP, .cert = "kme-b" }, "does not know our certificate: ",
		  KME_COUNTER_DENIED },
	};
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		lab_start(SKIP, SKIP);
		lab_client_start(&a, 0, &rows[i].options);
		LAB_WAIT(&a, a.n_down[0] || a.n_up[0]);
		CHECK(strstr(a.why.text, rows[i].says), "row %zu: says '%s', want '%s'", i, a.why.text, rows[i].says);
		CHECK_NUMBER(rows[i].says, lab_counter(&a, rows[i].counter), 1);
		lab_client_stop(&a);
		lab_stop();
	}
	lab_start("", "");
	lab_client_start(&a, 0, &skip);
	LAB_WAIT(&a, a.n_down[0]);
	CHECK(strstr(a.why.text, "is not its url: answers status with 404"), "a KME of ETSI 014: %s", a.why.text);
	lab_client_stop(&a);
	lab_stop();
}

/* --- pre-shared keys --- */

TEST(a_pre_shared_key_stands_for_certificates_in_each_version_of_tls)
{
	static const struct {
		const char *settings;
		struct lab_options options;
		const char *version, *group, *suite;
	} rows[] = {
		{ "", { .psk = "a" }, "1.3", "X25519MLKEM768", "TLS_AES_256_GCM_SHA384" },
		{ "", { .psk = "a", .tls = KME_TLS_PQ }, "1.3", "X25519MLKEM768", "TLS_AES_256_GCM_SHA384" },
		{ "", { .psk = "a", .tls = KME_TLS_1_2 }, "1.3", "X25519MLKEM768", "TLS_AES_256_GCM_SHA384" },
		{ "groups classical\n", { .psk = "a" }, "1.3", "x25519", "TLS_AES_256_GCM_SHA384" },
		{ "psk-hash sha256\n", { .psk = "a", .psk_hash = PSK_HASH_SHA256 }, "1.3", "X25519MLKEM768",
		  "TLS_CHACHA20_POLY1305_SHA256" },
		{ "tls 1.2\n", { .psk = "a", .tls = KME_TLS_1_2 }, "1.2", "", "DHE-PSK-AES256-GCM-SHA384" },
	};
	struct lab_options options;
	char text[64];
	size_t i;

	/* Each with a KME that has certificates too, and with one that has none. */
	for (i = 0; i < 2 * COUNT(rows); i++) {
		options = rows[i / 2].options;
		options.dialect = KME_DIALECT_SKIP;
		snprintf(text, sizeof(text), SKIP "%s", rows[i / 2].settings);
		lab_start_psk(text, i % 2);
		lab_client_start(&a, 0, &options);
		LAB_WAIT(&a, a.n_up[0] || a.n_down[0]);
		CHECK_TEXT(rows[i / 2].settings, a.why.text, "");
		CHECK_TEXT("version", kme_server(a.kme, 0)->terms.version, rows[i / 2].version);
		CHECK_TEXT("group", kme_server(a.kme, 0)->terms.group, rows[i / 2].group);
		CHECK_TEXT("suite", kme_server(a.kme, 0)->terms.suite, rows[i / 2].suite);
		CHECK_TEXT("who", kme_server(a.kme, 0)->terms.subject, "psk-id encryptor-a");
		CHECK_TEXT("it knows us", kme_server(a.kme, 0)->status.master, "SAE-A");
		CHECK_NUMBER("a key", lab_get(&a, 1), 1);
		lab_client_stop(&a);
		lab_stop();
	}
}

TEST(ends_with_a_pre_shared_key_and_with_a_certificate_get_the_same_key)
{
	static const struct lab_options psk = { .dialect = KME_DIALECT_SKIP, .psk = "a" };
	struct kme_key key;

	lab_start_psk(SKIP, true);
	lab_client_start(&a, 0, &psk);
	lab_client_start(&b, 1, &skip);
	CHECK_NUMBER("got", lab_get(&a, 1), 1);
	key = a.keys[0];
	CHECK_NUMBER("fetched", lab_fetch(&b, &key, 1), 1);
	CHECK(is_same_key(&b.keys[0], &key), "the keys differ");
	CHECK_TEXT("who", kme_server(b.kme, 0)->terms.subject, "KME-B");
	both_stop();
}

/* A KME must not be able to do without the key, whatever certificate it has. */
TEST(a_wrong_pre_shared_key_is_named)
{
#define UNKNOWN	"the KME does not know our psk-id, or not with our psk-hash"
	static const struct {
		const char *settings;
		bool has_certificates;
		struct lab_options options;
		const char *says;
	} rows[] = {
		{ "", true, { .psk = "other" }, "the KME has another key for our psk-id: " },
		{ "", false, { .psk = "other" }, "the KME has another key for our psk-id: " },
		{ "tls 1.2\n", true, { .psk = "other", .tls = KME_TLS_1_2 },
		  "the KME has another key for our psk-id: " },
		{ "", true, { .psk = "a", .psk_id = "nobody" }, UNKNOWN ", and shows a certificate: " },
		{ "", false, { .psk = "a", .psk_id = "nobody" }, UNKNOWN ", or has no group that we accept: " },
		{ "tls 1.2\n", true, { .psk = "a", .psk_id = "nobody", .tls = KME_TLS_1_2 },
		  "the KME does not know our psk-id: " },
		/* The key of another SAE's KME. */
		{ "", true, { .psk = "b", .psk_id = "encryptor-b" }, UNKNOWN ", and shows a certificate: " },
		{ "psk-hash sha256\n", true, { .psk = "a" }, UNKNOWN ", and shows a certificate: " },
		{ "", true, { .psk = "a", .psk_hash = PSK_HASH_SHA256 }, UNKNOWN ", and shows a certificate: " },
		{ "tls 1.2\n", true, { .psk = "a" }, "tls 1.3: the KME has no TLS 1.3; update it, or set tls 1.2: " },
		{ "groups classical\n", true, { .psk = "a", .tls = KME_TLS_PQ },
		  UNKNOWN ", or has no group that we accept: " },
	};
	struct lab_options options;
	char text[64];
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		options = rows[i].options;
		options.dialect = KME_DIALECT_SKIP;
		snprintf(text, sizeof(text), SKIP "%s", rows[i].settings);
		lab_start_psk(text, rows[i].has_certificates);
		lab_client_start(&a, 0, &options);
		LAB_WAIT(&a, a.n_up[0] || a.n_down[0]);
		CHECK(!strncmp(a.why.text, rows[i].says, strlen(rows[i].says)), "row %zu: says '%s', want '%s'", i,
		      a.why.text, rows[i].says);
		CHECK_NUMBER("TLS is the cause", lab_counter(&a, KME_COUNTER_TLS), 1);
		CHECK_NUMBER("no terms", kme_server(a.kme, 0)->n_terms, 0);
		CHECK_NUMBER("no request", strstr(lab_command("status"), "\"requests\":{\"status\":0") != NULL, 1);
		lab_client_stop(&a);
		lab_stop();
	}
	/* It knows nobody's key. */
	lab_start(SKIP, SKIP);
	options = (struct lab_options){ .dialect = KME_DIALECT_SKIP, .psk = "a" };
	lab_client_start(&a, 0, &options);
	LAB_WAIT(&a, a.n_up[0] || a.n_down[0]);
	CHECK(!strncmp(a.why.text, UNKNOWN ", and shows a certificate: ", strlen(UNKNOWN)), "says '%s'", a.why.text);
	lab_client_stop(&a);
	lab_stop();
}

TEST(the_name_and_the_file_of_a_pre_shared_key_are_said)
{
	static const struct lab_options options = { .dialect = KME_DIALECT_SKIP, .psk = "other" };
	char want[96];

	lab_start_psk(SKIP, true);
	snprintf(want, sizeof(want), "%s/other.psk (encryptor-a): ", lab_folder());
	lab_client_start(&a, 0, &options);
	LAB_WAIT(&a, a.n_down[0]);
	CHECK(strstr(a.why.text, want), "says '%s', want '%s'", a.why.text, want);
	/* And one that is right from now on is used. */
	lab_client_renew_psk(&a, "a", "encryptor-a");
	CHECK_NUMBER("got", lab_get(&a, 1), 1);
	CHECK_TEXT("who", kme_server(a.kme, 0)->terms.subject, "psk-id encryptor-a");
	CHECK_TEXT("refusal", lab_command("fault a http 401 op enc_keys count 1"), "ok");
	CHECK_NUMBER("none", lab_get(&a, 1), 0);
	snprintf(want, sizeof(want), "does not know our psk-file: %s/a.psk (encryptor-a): ", lab_folder());
	CHECK(strstr(a.answer.why.text, want), "says '%s', want '%s'", a.answer.why.text, want);
	lab_client_stop(&a);
	lab_stop();
}

/* --- the simulator by itself --- */

TEST(the_simulator_answers_as_the_draft_says)
{
	static const struct {
		const char *cert, *args, *want;
	} rows[] = {
		{ "sae-a", "capabilities", "200 {\"entropy\":false,\"key\":true,\"algorithm\":\"simulated QKD\","
		  "\"localSystemID\":\"SAE-A\",\"remoteSystemID\":[\"SAE-B\",\"SAE-C\"]}" },
		{ "sae-a", "'key?remoteSystemID=SAE-B'", "200 {\"keyId\":\"" },
		{ "sae-a", "'key?remoteSystemID=SAE%2DB&size=512'", "200 {\"keyId\":\"" },
		{ "sae-a", "'key?remoteSystemID=SAE-B&size=257'", "400 {\"message\":\"size shall be a multiple of 8\"}" },
		{ "sae-a", "'key?remoteSystemID=SAE-B&size=x'", "400 {\"message\":\"size must be an integer above 0\"}" },
		{ "sae-a", "'key?remoteSystemID=SAE-X'", "400 {\"message\":\"no link with that SAE\"}" },
		{ "sae-a", "key", "400 {\"message\":\"no link with that SAE\"}" },
		{ "sae-a", "'key/" NO_KEY "?remoteSystemID=SAE-B'",
		  "400 {\"message\":\"one or more keys specified are not found on KME\"}" },
		{ "sae-a", "'key/xyz?remoteSystemID=SAE-B'", "400 {\"message\":\"keyId is malformed\"}" },
		{ "sae-a", "'key/?remoteSystemID=SAE-B'", "400 {\"message\":\"keyId is malformed\"}" },
		{ "sae-a", "'key?remoteSystemID=SAE-B' -d '{}'", "405 {\"message\":\"method not allowed\"}" },
		{ "sae-a", "entropy", "404 {\"message\":\"no such resource\"}" },
		{ "kme-b", "capabilities", "401 {\"message\":\"this SAE is not known here\"}" },
		{ NULL, "capabilities", "000 " },
	};
	const char *got;
	size_t i;

	lab_start(SKIP, SKIP);
	for (i = 0; i < COUNT(rows); i++) {
		got = lab_curl(0, rows[i].cert, rows[i].args);
		CHECK(!strncmp(got, rows[i].want, strlen(rows[i].want)), "%s: got '%s', want '%s'", rows[i].args, got,
		      rows[i].want);
	}
	lab_stop();
}

/* What "qlink-kmesim -n" says about a configuration, behind the name of its file. */
static const char *checked(const char *conf)
{
	static char said[512];
	char command[600];
	size_t n = 0;
	FILE *pipe;

	snprintf(command, sizeof(command), "cd %s && printf '%s' >wrong && $QLINK_KMESIM -n wrong 2>&1", lab_folder(), conf);
	pipe = popen(command, "r");
	if (pipe) {
		n = fread(said, 1, sizeof(said) - 1, pipe);
		pclose(pipe);
	}
	said[n] = '\0';
	return strncmp(said, "qlink-kmesim: wrong:", 20) ? said : said + 20;
}

TEST(a_wrong_configuration_of_the_simulator_is_refused_by_line)
{
	static const struct {
		const char *conf, *says;
	} rows[] = {
		{ "sae SAE-A psk-id x psk-file a.psk", "1: sae SAE-A: must be sae ID serial HEX, or sae ID psk-id TEXT psk-file "
		  "PATH, below a link with that ID\n" },
		{ "link SAE-A SAE-B\\nsae SAE-A psk-id x", "2: sae SAE-A: must be sae ID serial HEX, or sae ID psk-id TEXT "
		  "psk-file PATH, below a link with that ID\n" },
		{ "link SAE-A SAE-B\\nsae SAE-A psk-id x psk-file nowhere",
		  "2: sae SAE-A: nowhere: No such file or directory\n" },
		{ "link SAE-A SAE-B\\nsae SAE-A psk-id x psk-file ca.pem",
		  "2: sae SAE-A: ca.pem: must have 64 to 128 hexadecimal digits\n" },
		{ "kme a\\ndialect etsi", "2: dialect etsi: must be etsi014 or skip\n" },
		/* Nobody could connect to it. */
		{ "kme a\\nid A\\nlisten 127.0.0.1:0\\nlink SAE-A SAE-B\\nsae SAE-B psk-id x psk-file b.psk",
		  " kme a must have certificate\n" },
		{ "kme a\\nid A\\nlisten 127.0.0.1:0\\nkey a\\nlink SAE-A SAE-B\\nsae SAE-A psk-id x psk-file a.psk",
		  " kme a must have certificate\n" },
	};
	size_t i;

	for (i = 0; i < COUNT(rows); i++)
		CHECK_TEXT(rows[i].conf, checked(rows[i].conf), rows[i].says);
}
