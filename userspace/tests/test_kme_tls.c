// SPDX-License-Identifier: GPL-2.0-or-later
/* TLS between the client and the simulator: what each end demands, what is negotiated, and with what. */
#include <stdio.h>
#include <string.h>

#include "kme_lab.h"
#include "tap.h"

static struct lab_client a;

static const struct kme_server *server(void)
{
	return kme_server(a.kme, 0);
}

/* How a KME is set up, what the client demands, and what comes of it. */
TEST(each_demand_is_met_or_refused_in_our_words)
{
	static const struct {
		const char *settings;
		enum kme_tls tls;
		/* empty: the KME comes up with these terms */
		const char *says, *version, *group, *suite;
	} rows[] = {
		{ "", KME_TLS_PQ, "", "1.3", "X25519MLKEM768", "TLS_AES_256_GCM_SHA384" },
		{ "", KME_TLS_1_3, "", "1.3", "X25519MLKEM768", "TLS_AES_256_GCM_SHA384" },
		{ "", KME_TLS_1_2, "", "1.3", "X25519MLKEM768", "TLS_AES_256_GCM_SHA384" },
		{ "groups hybrid\n", KME_TLS_1_3, "", "1.3", "X25519MLKEM768", "TLS_AES_256_GCM_SHA384" },
		{ "groups classical\n", KME_TLS_1_3, "", "1.3", "x25519", "TLS_AES_256_GCM_SHA384" },
		{ "groups classical\n", KME_TLS_PQ, "tls pq: the KME has no hybrid group such as X25519MLKEM768; "
		  "update it, or set tls 1.3: ", "", "", "" },
		{ "tls 1.3\n", KME_TLS_1_2, "", "1.3", "X25519MLKEM768", "TLS_AES_256_GCM_SHA384" },
		{ "tls 1.2\n", KME_TLS_PQ, "tls pq: the KME has no TLS 1.3; update it, or set tls 1.2: ", "", "", "" },
		{ "tls 1.2\n", KME_TLS_1_3, "tls 1.3: the KME has no TLS 1.3; update it, or set tls 1.2: ", "", "", "" },
		{ "tls 1.2\n", KME_TLS_1_2, "", "1.2", "x25519", "ECDHE-ECDSA-AES256-GCM-SHA384" },
		{ "tls 1.2\nsuites cbc\n", KME_TLS_1_2, "tls 1.2: the KME has no group that we accept, or no cipher "
		  "suite with ECDHE and GCM or ChaCha20-Poly1305; update it: ", "", "", "" },
	};
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		struct lab_options options = { .tls = rows[i].tls };

		lab_start(rows[i].settings, "");
		lab_client_start(&a, 0, &options);
		LAB_WAIT(&a, a.n_up[0] || a.n_down[0]);
		CHECK(!strncmp(a.why.text, rows[i].says, strlen(rows[i].says)) &&
		      !*rows[i].says == !a.why.text[0], "%stls %s: says '%s', want '%s'",
		      rows[i].settings, kme_tls_name(rows[i].tls), a.why.text, rows[i].says);
		CHECK_NUMBER("TLS is the cause", server()->counters[KME_COUNTER_TLS] > 0,
			     *rows[i].says != 0);
		CHECK_TEXT("version", server()->terms.version, rows[i].version);
		CHECK_TEXT("group", server()->terms.group, rows[i].group);
		CHECK_TEXT("suite", server()->terms.suite, rows[i].suite);
		CHECK_TEXT("subject", server()->terms.subject, *rows[i].says ? "" : "KME-A");
		lab_client_stop(&a);
		lab_stop();
	}
}

/* Each connection may be another, and only what changes is news. */
TEST(terms_that_change_are_counted)
{
	static const struct lab_options any = { .tls = KME_TLS_1_2 };

	lab_start("connection close\n", "");
	lab_client_start(&a, 0, &any);
	CHECK_NUMBER("got", lab_get(&a, 1), 1);
	CHECK_NUMBER("got", lab_get(&a, 1), 1);
	CHECK_NUMBER("once", server()->n_terms, 1);
	CHECK_TEXT("set", lab_command("set a tls 1.2"), "ok");
	CHECK_NUMBER("got", lab_get(&a, 1), 1);
	CHECK_NUMBER("changed", server()->n_terms, 2);
	CHECK_TEXT("version", server()->terms.version, "1.2");
	CHECK_NUMBER("got", lab_get(&a, 1), 1);
	CHECK_NUMBER("no change", server()->n_terms, 2);
	lab_client_stop(&a);
	lab_stop();
}

/* A reload between the start of a request and its handshake: the old files and the new ones do not fit. */
TEST(a_handshake_uses_the_credentials_that_its_request_began_with)
{
	lab_start("connection close\n", "");
	lab_client_start(&a, 0, NULL);
	CHECK_NUMBER("got", lab_get(&a, 1), 1);
	CHECK_NUMBER("asked", kme_get_keys(a.kme, 0, 3), 0);
	lab_client_renew(&a, "sae-a", "ca", "none");
	LAB_WAIT(&a, a.n_answers == 2);
	CHECK_TEXT("why", a.answer.why.text, "");
	CHECK_NUMBER("got", a.answer.n_keys, 3);
	/* And the next handshake uses the new ones, whose list is of the right CA. */
	CHECK_NUMBER("got", lab_get(&a, 3), 3);
	lab_client_stop(&a);
	lab_stop();
}
