// SPDX-License-Identifier: GPL-2.0-or-later
/* Whether the agent's configuration is read, and which error a wrong one causes. */
#include "qlinkd/config/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "qlinkd/agreement/policy.h"
#include "qlinkd/config/reload.h"
#include "tap.h"

#define AGENT							\
	"agent\n"						\
	"\tname site-a\n"					\
	"\tcertificate /etc/qlinkd/site-a.pem\n"		\
	"\tkey /run/credentials/qlinkd.service/site-a.key\n"	\
	"\tca /etc/qlinkd/ca.pem\n"				\
	"\tlisten [::]:7512\n"
#define KME(name, host)						\
	"kme " name "\n"					\
	"\turl https://" host ":8443\n"				\
	"\tcertificate /etc/qlinkd/sae.pem\n"			\
	"\tkey /etc/qlinkd/sae.key\n"				\
	"\tca /etc/qlinkd/kme-ca.pem\n"
#define SKIP	"kme a\n\turl https://x\n\tdialect skip\n"
#define PEER							\
	"peer site-b\n"						\
	"\taddress 198.51.100.2\n"
#define LINK							\
	"link qlink0\n"						\
	"\tpeer site-b\n"					\
	"\tkmes vienna graz\n"					\
	"\tsae SAE-B\n"
#define KMES	KME("vienna", "192.0.2.1") KME("graz", "192.0.2.2")

/* Longer than an ID may be, and than a socket's path. */
#define TEN		"0123456789"
#define LONG_ID		TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

static int parse(struct config *config, const char *text, struct config_error *error)
{
	return config_parse(config, text, strlen(text), "qlinkd.conf", error);
}

static void refused(const char *text, const char *want)
{
	struct config_error error;
	struct config config;

	CHECK_NUMBER(want, parse(&config, text, &error), -EINVAL);
	CHECK_TEXT("error", error.text, want);
	config_free(&config);
}

TEST(every_option_is_read)
{
	/* The link comes before the sections that it names; comments and blank lines are ignored. */
	static const char text[] = "# a comment\n\n" LINK "\tpolicy hybrid-required # why not\n"
		"\tstore 5000\n\toutage-cover 400\n\tkey-bytes 32\n\tmax-age-s 3600\n"
		"\tfloor-ms 10\n\tceiling-ms 60000\n\treserve 7\n"
		KMES "\tid KME-2\n\tdialect skip\n\tmethod get\n\ttls pq\n\tparallel 1\n\tturn-ms 2000\n" PEER AGENT
		"\tcontrol /run/a\n\toperators netops\n\tmetrics /run/b\n\taudit-log /run/c\n\tstate /run/d\n"
		"\tstate-key /run/e\n\taudit-file-mib 7\n\taudit-file-hours 8\n"
		"\tkme-connect-ms 100\n\tkme-timeout-ms 60000\n\tkme-retry-ms 500";
	const struct config_link *link;
	struct config_error error;
	struct config config;

	CHECK_NUMBER("parse", parse(&config, text, &error), 0);
	CHECK_TEXT("error", error.text, "");
	CHECK_TEXT("name", config.agent.name, "site-a");
	CHECK_TEXT("key", config.agent.key, "/run/credentials/qlinkd.service/site-a.key");
	CHECK_NUMBER("listen", config.agent.listen.addr.len, 16);
	CHECK_NUMBER("port", config.agent.listen.port, 7512);
	CHECK_TEXT("control", config.agent.control, "/run/a");
	CHECK_TEXT("metrics", config.agent.metrics, "/run/b");
	CHECK_TEXT("operators", config.agent.operators, "netops");
	CHECK_TEXT("audit log", config.agent.audit_log, "/run/c");
	CHECK_TEXT("state", config.agent.state, "/run/d");
	CHECK_TEXT("its key", config.agent.state_key, "/run/e");
	CHECK_NUMBER("its files", config.agent.audit_file_mib, 7);
	CHECK_NUMBER("their age", config.agent.audit_file_hours, 8);
	CHECK_NUMBER("connect", config.agent.kme_connect_ms, 100);
	CHECK_NUMBER("timeout", config.agent.kme_timeout_ms, 60000);
	CHECK_NUMBER("retry", config.agent.kme_retry_ms, 500);
	CHECK_NUMBER("kmes", config.n_kmes, 2);
	CHECK_TEXT("url", config.kmes[1].node.url, "https://192.0.2.2:8443");
	CHECK_TEXT("id", config.kmes[1].node.id, "KME-2");
	CHECK_NUMBER("method", config.kmes[1].node.method, KME_METHOD_GET);
	CHECK_NUMBER("dialect", config.kmes[1].node.dialect, KME_DIALECT_SKIP);
	CHECK_NUMBER("the other's dialect", config.kmes[0].node.dialect, KME_DIALECT_ETSI014);
	CHECK_NUMBER("tls", config.kmes[1].node.tls, KME_TLS_PQ);
	CHECK_NUMBER("the other's tls", config.kmes[0].node.tls, KME_TLS_1_3);
	CHECK_NUMBER("parallel", config.kmes[1].node.parallel, 1);
	CHECK_NUMBER("turns", config.kmes[1].node.turn_ms, 2000);
	CHECK_NUMBER("the other has none", config.kmes[0].node.turn_ms, 0);
	CHECK_NUMBER("the other's method", config.kmes[0].node.method, KME_METHOD_AUTO);
	CHECK(!config.kmes[0].node.id, "the other has an ID");
	CHECK_NUMBER("peer's port", config.peers[0].address.port, 7511);
	link = config_find_link(&config, "qlink0");
	CHECK(link == &config.links[0], "the link is not found");
	CHECK_NUMBER("its kmes", link->n_kmes, 2);
	CHECK_TEXT("the second", config.kmes[link->kmes[1]].name, "graz");
	CHECK_TEXT("sae", link->sae, "SAE-B");
	CHECK_NUMBER("policy", link->policy, POLICY_HYBRID_REQUIRED);
	CHECK_NUMBER("store", link->store.capacity, 5000);
	CHECK_NUMBER("cover", link->store.outage_cover, 400);
	CHECK_NUMBER("key bytes", link->store.key_bytes, 32);
	CHECK_NUMBER("age", link->store.max_age_ms, 3600000);
	CHECK_NUMBER("floor", link->pacing.floor_ms, 10);
	CHECK_NUMBER("ceiling", link->pacing.ceiling_ms, 60000);
	CHECK_NUMBER("reserve", link->pacing.reserve, 7);
	CHECK(!config_find_link(&config, "qlink1"), "a link that does not exist");
	config_free(&config);
}

TEST(missing_options_have_defaults)
{
	struct config_error error;
	struct config config;

	CHECK_NUMBER("parse", parse(&config, AGENT KMES PEER LINK, &error), 0);
	CHECK_TEXT("control", config.agent.control, "/run/qlinkd/control");
	CHECK_TEXT("metrics", config.agent.metrics, "/run/qlinkd/metrics");
	CHECK_TEXT("audit log", config.agent.audit_log, "/var/log/qlinkd/audit");
	CHECK_NUMBER("its files", config.agent.audit_file_mib, 64);
	CHECK_NUMBER("their age", config.agent.audit_file_hours, 24);
	CHECK_NUMBER("timeout", config.agent.kme_timeout_ms, 5000);
	CHECK_NUMBER("policy", config.links[0].policy, POLICY_PREFER_HYBRID);
	CHECK_NUMBER("store", config.links[0].store.capacity, 20000);
	CHECK_NUMBER("cover", config.links[0].store.outage_cover, 1000);
	CHECK_NUMBER("age", config.links[0].store.max_age_ms, 604800000);
	CHECK_NUMBER("ceiling", config.links[0].pacing.ceiling_ms, 120000);
	CHECK_NUMBER("reserve", config.links[0].pacing.reserve, 32);
	config_free(&config);
}

TEST(wrong_lines_are_refused)
{
	refused("name x\n", "qlinkd.conf:1: name: not agent, kme, peer or link; options are indented");
	refused("\n\tname x\n", "qlinkd.conf:2: name: before the first agent, kme, peer or link");
	refused("agent\n\tcolour red\n", "qlinkd.conf:2: colour: not an option of agent, which has name, "
		"certificate, key, ca, crl, listen, control, operators, metrics, metrics-listen, audit-log, state, state-key, audit-file-mib, audit-file-hours, reconnect-hours, kme-connect-ms, kme-timeout-ms, kme-retry-ms");
	refused("agent\n\tname\n", "qlinkd.conf:2: name: lacks a value");
	refused("agent\n\tname a b\n", "qlinkd.conf:2: name: has 2 values, and takes one");
	refused("agent\n\tname a\n\n\tname b\n", "qlinkd.conf:4: name: is in line 2 already");
	refused("agent x\n", "qlinkd.conf:1: agent: must be followed by nothing in its line");
	refused("kme\n", "qlinkd.conf:1: kme: must be followed by a name");
	refused("link a b\n", "qlinkd.conf:1: link: must be followed by a device");
	refused("agent\n\tname a\001b\n", "qlinkd.conf:2: has a control character");
	refused("agent\n\tkey 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n", "qlinkd.conf:2: key: more than 16 words");
}

TEST(a_nul_character_hides_nothing)
{
	static const char text[] = "agent\n\tname a\0 b\n";
	struct config_error error;
	struct config config;
	size_t cut;

	for (cut = 1; cut <= 2; cut++) {
		CHECK_NUMBER("parse", config_parse(&config, text, sizeof(text) - cut, "f", &error), -EINVAL);
		CHECK_TEXT("error", error.text, "f:2: has a control character");
		config_free(&config);
	}
}

TEST(wrong_values_are_refused)
{
	refused("agent\n\tkey site.key\n", "qlinkd.conf:2: key site.key: not an absolute path");
	refused("agent\n\tkme-timeout-ms 99\n", "qlinkd.conf:2: kme-timeout-ms 99: not a number from 100 to 60000");
	refused("agent\n\tlisten [::1\n", "qlinkd.conf:2: listen [::1: not ADDRESS:PORT, with an IPv6 address in brackets");
	refused("agent\n\tlisten ::1:70000:x\n", "qlinkd.conf:2: listen ::1:70000:x: the address is not an IPv4 or IPv6 address");
	refused("agent\n\tlisten 192.0.2.1:65536\n", "qlinkd.conf:2: listen 192.0.2.1:65536: the port is not a number from 1 to 65535");
	refused("kme a\n\turl http://x\n", "qlinkd.conf:2: url http://x: must begin with https://");
	refused("kme a\n\turl https://x:80100\n", "qlinkd.conf:2: url https://x:80100: must have a port from 1 to 65535");
	refused("kme a\n\turl https://x?y\n", "qlinkd.conf:2: url https://x?y: must not have a '?'");
	refused("kme a\n\turl ///\n", "qlinkd.conf:2: url : must begin with https://");
	refused("kme a\n\tid " LONG_ID "\n", "qlinkd.conf:2: id 0123456789012345678901234567890123456789...: has 130 bytes, and may have 128");
	refused("link a\n\tsae " LONG_ID "\n", "qlinkd.conf:2: sae 0123456789012345678901234567890123456789...: has 130 bytes, and may have 128");
	refused("link a\n\tkey-bytes 129\n", "qlinkd.conf:2: key-bytes 129: not a number from 32 to 128");
	refused("agent\n\tname .example\n", "qlinkd.conf:2: name .example: must have at most 253 letters, digits and -._, and begin with a letter or a digit");
	refused("peer a\"b\n", "qlinkd.conf:1: peer a\"b: must have at most 253 letters, digits and -._, and begin with a letter or a digit");
	refused("kme -\n", "qlinkd.conf:1: kme -: must have at most 253 letters, digits and -._, and begin with a letter or a digit");
	refused("link a\"b\n", "qlinkd.conf:1: link a\"b: not the name of a device, of at most 15 characters");
	refused("agent\n\tcontrol /" LONG_ID "\n", "qlinkd.conf:2: control /012345678901234567890123456789012345678...: has 131 bytes, and a socket may have 107");
	refused("kme a\n\ttls 1.1\n", "qlinkd.conf:2: tls 1.1: not pq, 1.3 or 1.2");
	refused("kme a\n\tdialect etsi-014\n", "qlinkd.conf:2: dialect etsi-014: not etsi014, skip or vault");
	refused("kme a\n\tside c\n", "qlinkd.conf:2: side c: not a or b");
	refused("kme a\n\tfile v\n", "qlinkd.conf:2: file v: not an absolute path");
	refused("kme a\n\tdialect skip etsi014\n", "qlinkd.conf:2: dialect: has 2 values, and takes one");
	refused("kme a\n\tpsk-id " LONG_ID "\n", "qlinkd.conf:2: psk-id 0123456789012345678901234567890123456789...: has 130 bytes, and may have 128");
	refused("kme a\n\tpsk-file p\n", "qlinkd.conf:2: psk-file p: not an absolute path");
	refused("kme a\n\tpsk-hash md5\n", "qlinkd.conf:2: psk-hash md5: not sha384 or sha256");
	refused("kme a\n\tparallel 0\n", "qlinkd.conf:2: parallel 0: not a number from 1 to 8");
	refused("kme a\n\tturn-ms 999\n", "qlinkd.conf:2: turn-ms 999: not a number from 1000 to 6000");
	refused("kme a\n\tturn-ms 6001\n", "qlinkd.conf:2: turn-ms 6001: not a number from 1000 to 6000");
	refused("kme a\n\tmethod put\n", "qlinkd.conf:2: method put: not auto, post or get");
	refused("link a\n\tpolicy none\n", "qlinkd.conf:2: policy none: not hybrid-required, qkd-required, prefer-hybrid or pqc-only");
	refused("link a\n\tkmes a b a\n", "qlinkd.conf:2: kmes: a is named twice");
	refused("link a\n\tkmes 1 2 3 4 5 6 7 8 9\n", "qlinkd.conf:2: kmes: has 9 names, and takes 8 at most");
	refused("link a\n\tmix 1 2 3 4 5\n", "qlinkd.conf:2: mix: has 5 names, and takes 4 at most");
	refused("link a\n\tkmes 1\n\tmix 2\n", "qlinkd.conf:3: mix: the link has kmes or mix already; it takes one of them");
	refused("link a\n\tmix 1\n\tkmes 2\n", "qlinkd.conf:3: kmes: the link has kmes or mix already; it takes one of them");
	refused("link a\n\tmix-least 5\n", "qlinkd.conf:2: mix-least 5: not a number from 1 to 4");
	refused("link a\n\tpsk secret\n", "qlinkd.conf:2: psk secret: not an absolute path");
	refused("link a\n\tchain-required on\n", "qlinkd.conf:2: chain-required on: not yes or no");
	/* Labels of metrics and JSON would have to quote these, and none of them takes the last two. */
	refused("link a\\b\n", "qlinkd.conf:1: link a\\b: not the name of a device, of at most 15 characters");
	refused("link a\x01" "b\n", "qlinkd.conf:1: has a control character");
	refused("link a\xff\n", "qlinkd.conf:1: link a\xff: not the name of a device, of at most 15 characters");
	refused("kme a\"b\n", "qlinkd.conf:1: kme a\"b: must have at most 253 letters, digits and -._, and begin with a letter or a digit");
	refused("link a/b\n", "qlinkd.conf:1: link a/b: not the name of a device, of at most 15 characters");
	refused("link sixteen_letters_\n", "qlinkd.conf:1: link sixteen_letters_: not the name of a device, of at most 15 characters");
}

TEST(a_pre_shared_key_takes_the_place_of_certificates)
{
	struct config_error error;
	struct config config;

	CHECK_NUMBER("parse", parse(&config, AGENT SKIP "\tpsk-id site-a\n\tpsk-file /p\n\tpsk-hash sha256\n", &error), 0);
	CHECK_TEXT("error", error.text, "");
	CHECK_TEXT("its name", config.kmes[0].node.psk_id, "site-a");
	CHECK_TEXT("its file", config.kmes[0].node.psk_file, "/p");
	CHECK_NUMBER("its hash", config.kmes[0].node.psk_hash, PSK_HASH_SHA256);
	CHECK(!config.kmes[0].node.certificate, "a certificate");
	config_free(&config);
}

TEST(a_slash_at_the_end_of_a_url_is_no_error)
{
	struct config_error error;
	struct config config;

	CHECK_NUMBER("parse", parse(&config, AGENT "kme a\n\turl https://k:8443//\n\tcertificate /c\n\tkey /k\n\tca /a\n", &error), 0);
	CHECK_TEXT("url", config.kmes[0].node.url, "https://k:8443");
	config_free(&config);
}

#define VAULT		"kme v\n\tdialect vault\n\tfile /v\n\tkey-file /k\n\tside b\n"

/* No server, no certificate, and no SAE that it would know the peer by. */
TEST(a_vault_is_a_kme_that_needs_a_file_a_key_and_a_side)
{
	struct config config;
	struct config_error error;
	static const char text[] = AGENT PEER VAULT "link a\n\tpeer site-b\n\tkmes v\n";

	CHECK_NUMBER("parse", config_parse(&config, text, strlen(text), "qlinkd.conf", &error), 0);
	CHECK_TEXT("error", error.text, "");
	CHECK_NUMBER("dialect", config.kmes[0].node.dialect, KME_DIALECT_VAULT);
	CHECK_TEXT("file", config.kmes[0].node.url, "/v");
	CHECK_TEXT("key file", config.kmes[0].node.key, "/k");
	CHECK_NUMBER("side", config.kmes[0].node.side, 1);
	CHECK_TEXT("sae", config.links[0].sae, "site-b");
	config_free(&config);
	refused("kme v\n\tdialect vault\n", "qlinkd.conf:1: kme v: lacks file");
	refused("kme v\n\tdialect vault\n\tfile /v\n", "qlinkd.conf:1: kme v: lacks key-file");
	refused("kme v\n\tdialect vault\n\tfile /v\n\tkey-file /k\n", "qlinkd.conf:1: kme v: lacks side");
	refused("kme v\n\turl https://x\n\tdialect vault\n\tfile /v\n", "qlinkd.conf:2: url: dialect vault has none");
	refused(VAULT "\ttls pq\n", "qlinkd.conf:6: tls: dialect vault has none");
	refused(VAULT "\tcertificate /c\n", "qlinkd.conf:6: certificate: dialect vault has none");
	refused(VAULT "\tparallel 1\n", "qlinkd.conf:6: parallel: dialect vault has none");
	refused("kme v\n\turl https://x\n\tside a\n", "qlinkd.conf:3: side: dialect etsi014 has none");
	refused("kme v\n\tdialect skip\n\tfile /v\n", "qlinkd.conf:3: file: dialect skip has none");
}

TEST(wrong_sections_are_refused)
{
	refused("", "qlinkd.conf:0: lacks a section agent");
	refused(AGENT "agent\n", "qlinkd.conf:7: agent: there is one in line 1");
	refused("\nagent\n\tname a\npeer b\n", "qlinkd.conf:2: agent: lacks certificate");
	refused("kme a\n\turl https://x\n", "qlinkd.conf:1: kme a: lacks certificate");
	refused("kme a\n\turl https://x\n\tcertificate /c\n\tkey /k\n", "qlinkd.conf:1: kme a: lacks ca");
	refused("kme a\n\tdialect skip\n", "qlinkd.conf:1: kme a: lacks url");
	refused(KME("a", "x") "\tpsk-id b\n\tpsk-file /p\n",
		"qlinkd.conf:1: kme a: has a psk-id or psk-file, and dialect etsi014 has only certificates");
	refused(SKIP "\tpsk-id b\n", "qlinkd.conf:1: kme a: lacks psk-file");
	refused(SKIP "\tpsk-file /p\n", "qlinkd.conf:1: kme a: lacks psk-id");
	refused(SKIP "\tpsk-id b\n\tpsk-file /p\n\tca /c\n",
		"qlinkd.conf:1: kme a: has ca, and psk-file, which takes its place");
	refused(SKIP "\tpsk-id b\n\tpsk-file /p\n\tid KME-A\n",
		"qlinkd.conf:1: kme a: has id, and psk-file, which takes its place");
	refused(KME("a", "x") "kme a\n", "qlinkd.conf:6: kme a: there is one of this name");
	refused(KME("a", "x") "\tmethod post\n\tdialect skip\n",
		"qlinkd.conf:1: kme a: method post, and dialect skip has only GET");
	refused(PEER PEER, "qlinkd.conf:3: peer site-b: there is one of this name");
	refused(LINK LINK, "qlinkd.conf:5: link qlink0: there is one of this name");
	refused("\nlink a\n\tpeer b\n", "qlinkd.conf:2: link a: lacks kmes or mix, which policy prefer-hybrid needs");
	refused("link a\n\tpeer b\n\tmix c d\n\tmix-least 3\n\tsae S\n", "qlinkd.conf:1: link a: mix-least 3 is above the 2 KMEs of mix");
	refused(LINK "\tmix-least 2\n", "qlinkd.conf:1: link qlink0: mix-least 2 needs mix, and the link has none");
	refused(LINK "\tpolicy pqc-only\n", "qlinkd.conf:1: link qlink0: has kmes, which policy pqc-only does not use");
	refused(AGENT PEER KME("c", "x") "link a\n\tpeer site-b\n\tkmes c\n",
		"qlinkd.conf:14: link a: lacks sae, by which its kmes know the peer");
	refused(LINK "\tfloor-ms 11\n\tceiling-ms 10\n", "qlinkd.conf:1: link qlink0: floor-ms 11 is above ceiling-ms 10");
	refused(LINK "\tstore 10\n", "qlinkd.conf:1: link qlink0: outage-cover 1000 is above store 10");
}

TEST(metrics_are_for_this_host_unless_a_word_says_otherwise)
{
	static const struct { const char *words, *address; uint16_t port; } rows[] = {
		{ "127.0.0.1:9751", "127.0.0.1", 9751 }, { "127.8.0.1:1", "127.8.0.1", 1 },
		{ "[::1]:9751", "::1", 9751 },
		{ "192.0.2.1:9751 in-clear-to-anyone", "192.0.2.1", 9751 },
		{ "[::]:9751 in-clear-to-anyone", "::", 9751 },
		{ "127.0.0.1:9751 in-clear-to-anyone", "127.0.0.1", 9751 },
	};
	char text[500], address[QLINK_ADDR_TEXT];
	struct config_error error;
	struct config config;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		snprintf(text, sizeof(text), AGENT "\tmetrics-listen %s\n", rows[i].words);
		CHECK_NUMBER(rows[i].words, parse(&config, text, &error), 0);
		qlink_format_addr(&config.agent.metrics_listen.addr, address);
		CHECK_TEXT("address", address, rows[i].address);
		CHECK_NUMBER("port", config.agent.metrics_listen.port, rows[i].port);
		config_free(&config);
	}
	CHECK_NUMBER("none", parse(&config, AGENT, &error), 0);
	CHECK_NUMBER("no address", config.agent.metrics_listen.addr.len, 0);
	config_free(&config);
	refused("agent\n\tmetrics-listen 192.0.2.1:9751\n", "qlinkd.conf:2: metrics-listen 192.0.2.1:9751: is no address of "
		"the loopback device; other hosts may read the metrics only with in-clear-to-anyone behind it");
	refused("agent\n\tmetrics-listen 0.0.0.0:9751\n", "qlinkd.conf:2: metrics-listen 0.0.0.0:9751: is no address of "
		"the loopback device; other hosts may read the metrics only with in-clear-to-anyone behind it");
	refused("agent\n\tmetrics-listen [::ffff:127.0.0.1]:9751\n", "qlinkd.conf:2: metrics-listen [::ffff:127.0.0.1]:9751: "
		"is no address of the loopback device; other hosts may read the metrics only with in-clear-to-anyone behind it");
	refused("agent\n\tmetrics-listen 127.0.0.1\n", "qlinkd.conf:2: metrics-listen 127.0.0.1: lacks a port");
	refused("agent\n\tmetrics-listen 127.0.0.1:9751 yes\n", "qlinkd.conf:2: metrics-listen: must be ADDRESS:PORT, and "
		"nothing or in-clear-to-anyone behind it");
	refused("agent\n\tmetrics-listen localhost:9751\n", "qlinkd.conf:2: metrics-listen localhost:9751: the address is not an IPv4 or IPv6 address");
}

TEST(unknown_names_are_refused)
{
	refused(AGENT KMES LINK, "qlinkd.conf:17: link qlink0: there is no peer site-b");
	refused(AGENT PEER KME("vienna", "x") LINK, "qlinkd.conf:14: link qlink0: there is no kme graz");
	refused(AGENT "peer b\n\taddress 0.0.0.0\n", "qlinkd.conf:7: peer b: its address is no address of a host");
	refused(AGENT "\tmetrics /run/qlinkd/control\n", "qlinkd.conf:1: agent: control and metrics must be different files");
	refused(AGENT "\tstate /run/s\n\tstate-key /run/s\n", "qlinkd.conf:1: agent: state and state-key must be different files");
	refused(AGENT "\tstate /run/s\n", "qlinkd.conf:1: agent: has state and lacks state-key, which it needs");
	refused(AGENT "\tstate-key /run/s\n", "qlinkd.conf:1: agent: has state-key and lacks state, which it needs");
	refused(AGENT "peer site-a\n", "qlinkd.conf:7: peer site-a: is the agent's own name");
}

/* Whether qlink0 is the same in @old and @now. */
static bool is_same(const char *old, const char *now)
{
	struct config_error error;
	struct config a, b;
	bool same;

	CHECK_NUMBER(old, parse(&a, old, &error), 0);
	CHECK_NUMBER(now, parse(&b, now, &error), 0);
	CHECK_TEXT("error", error.text, "");
	same = reload_same_link(&a, &b, "qlink0");
	config_free(&a);
	config_free(&b);
	return same;
}

TEST(a_reload_finds_what_changed)
{
	static const char before[] = AGENT KMES PEER LINK;

	CHECK(is_same(before, before), "the same file");
	CHECK(is_same(before, LINK PEER KME("graz", "192.0.2.2") KME("vienna", "192.0.2.1") AGENT), "another order");
	CHECK(is_same(before, AGENT KMES PEER LINK "link other\n\tpeer site-b\n\tpolicy pqc-only\n"), "another link");
	CHECK(is_same(before, AGENT KMES PEER LINK "\tstore 20000\n"), "a default that is written out");
	CHECK(!is_same(before, AGENT KMES PEER LINK "\tstore 20001\n"), "an option");
	CHECK(!is_same(before, AGENT KMES PEER LINK "\tpolicy qkd-required\n"), "a policy");
	CHECK(!is_same(before, AGENT KMES PEER LINK "\tmax-age-s 1\n"), "an age");
	CHECK(!is_same(before, AGENT KME("vienna", "192.0.2.3") KME("graz", "192.0.2.2") PEER LINK), "a KME's address");
	CHECK(!is_same(before, AGENT KMES "\tmethod post\n" PEER LINK), "a KME's method");
	CHECK(!is_same(before, AGENT KMES "\tdialect skip\n" PEER LINK), "a KME's dialect");
	CHECK(is_same(before, AGENT KMES "\tdialect etsi014\n" PEER LINK), "the default dialect");
	CHECK(!is_same(before, AGENT KMES "\tparallel 1\n" PEER LINK), "how many requests it gets at a time");
	CHECK(!is_same(before, AGENT KMES "\tturn-ms 2000\n" PEER LINK), "turns at it");
	CHECK(!is_same(before, AGENT KMES "\ttls 1.2\n" PEER LINK), "a KME's TLS");
	CHECK(!is_same(before, AGENT KMES "peer site-b\n\taddress 198.51.100.3\n" LINK), "the peer's address");
	CHECK(!is_same(before, AGENT KMES PEER "link qlink0\n\tpeer site-b\n\tkmes graz vienna\n\tsae SAE-B\n"), "the order of KMEs");
	CHECK(!is_same(before, AGENT KMES PEER "link qlink0\n\tpeer site-b\n\tmix vienna graz\n\tsae SAE-B\n"), "mixed");
	CHECK(!is_same(before, AGENT KMES PEER LINK "\tpsk /psk\n"), "a psk");
	CHECK(!is_same(before, AGENT KMES PEER LINK "\tchain-required yes\n"), "a chain is required");
	CHECK(!is_same(before, AGENT KMES PEER LINK "\tsuite-least 2\n"), "suite-least");
	CHECK(is_same(before, AGENT KMES PEER LINK "\tchain-required no\n"), "what holds anyway");
	CHECK(!is_same(before, AGENT KMES PEER), "no link");
}

TEST(a_change_of_any_agent_option_is_detected)
{
	static const char *const others[] = {
		AGENT "\tcontrol /x\n", AGENT "\tmetrics /x\n", AGENT "\tmetrics-listen 127.0.0.1:1\n", AGENT "\taudit-log /x\n",
		AGENT "\tstate /x\n\tstate-key /k\n",
		AGENT "\toperators x\n", AGENT "\taudit-file-mib 7\n", AGENT "\taudit-file-hours 7\n",
		AGENT "\tkme-timeout-ms 1000\n", AGENT "\tkme-connect-ms 1000\n", AGENT "\tkme-retry-ms 1000\n",
		"agent\n\tname site-a\n\tcertificate /c\n\tkey /k\n\tca /ca\n",
	};
	struct config_error error;
	struct config a, b;
	size_t i;

	CHECK_NUMBER("parse", parse(&a, AGENT, &error), 0);
	CHECK(reload_same_agent(&a, &a), "differs from itself");
	for (i = 0; i < COUNT(others); i++) {
		CHECK_NUMBER("parse", parse(&b, others[i], &error), 0);
		CHECK(!reload_same_agent(&a, &b), "%s is the same", others[i]);
		config_free(&b);
	}
	config_free(&a);
}

TEST(unreadable_files_are_refused)
{
	char path[] = "/tmp/qlinkd.conf.XXXXXX";
	struct config_error error;
	struct config config;
	int fd = mkstemp(path);

	CHECK_NUMBER("no file", config_read(&config, "/nowhere/qlinkd.conf", &error), -ENOENT);
	CHECK_TEXT("error", error.text, "/nowhere/qlinkd.conf: No such file or directory");
	config_free(&config);
	CHECK_NUMBER("a folder", config_read(&config, "/", &error), -EISDIR);
	config_free(&config);
	CHECK_NUMBER("grow", ftruncate(fd, CONFIG_BYTES_MAX + 1), 0);
	CHECK_NUMBER("too big", config_read(&config, path, &error), -EINVAL);
	CHECK(strstr(error.text, ":0: more than 1048576 bytes"), "%s", error.text);
	config_free(&config);
	CHECK_NUMBER("write", ftruncate(fd, 0) || pwrite(fd, AGENT, strlen(AGENT), 0) < 0, 0);
	CHECK_NUMBER("good", config_read(&config, path, &error), 0);
	config_free(&config);
	close(fd);
	unlink(path);
}

/* Read the text between .Bd and .Ed in the section EXAMPLES of a manual page. */
static void read_example(const char *path, char *text, size_t room)
{
	FILE *file = fopen(path, "re");
	bool is_inside = false, is_example = false;
	char line[200];

	text[0] = '\0';
	while (file && fgets(line, sizeof(line), file)) {
		if (!strncmp(line, ".Sh", 3))
			is_example = strstr(line, "EXAMPLES");
		else if (!strncmp(line, ".Bd", 3) || !strncmp(line, ".Ed", 3))
			is_inside = line[1] == 'B';
		else if (is_inside && is_example && strlen(text) + strlen(line) < room)
			strcat(text, line);
	}
	if (file)
		fclose(file);
}

TEST(the_example_in_the_manual_is_valid)
{
	struct config_error error;
	struct config config;
	char text[4096];

	read_example("man/qlinkd.conf.5", text, sizeof(text));
	parse(&config, text, &error);
	CHECK_TEXT("error", error.text, "");
	CHECK_NUMBER("links", config.n_links, 1);
	CHECK_NUMBER("its kmes", config.n_links ? config.links[0].n_kmes : 0, 2);
	config_free(&config);
}
