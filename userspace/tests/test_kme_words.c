// SPDX-License-Identifier: GPL-2.0-or-later
/* What an operator reads for each wrong set-up of a KME: by "qlinkd -n", and from the simulator. */
#include "agents.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kme_lab.h"

#define NOBODY	65534

/* --- what "qlinkd -n" refuses --- */

/* qlinkd(8) has both columns, in the same words; tests/check-man compares them. */
static const struct {
	const char *setup, *words;
	/* the URL, and a command in the folder of the files */
	const char *url, *command;
} checked_setups[] = {
	{ "port 0", "must have a port from 1 to 65535", "https://127.0.0.1:0", "" },
	{ "port above 65535", "must have a port from 1 to 65535", "https://127.0.0.1:80100", "" },
	{ "certificate file missing", "does not exist", NULL, "rm sae.pem" },
	{ "certificate expired", "expired on", NULL, "cp ../old-sae.pem sae.pem && cp ../old-sae.key sae.key" },
	{ "key file missing", "does not exist", NULL, "rm sae.key" },
	{ "key file not readable", "may not read it", NULL, "chmod 000 sae.key" },
	{ "key file empty", "is empty", NULL, ": > sae.key" },
	{ "key file encrypted", "is encrypted, and qlinkd cannot ask for its pass phrase", NULL,
	  "openssl pkey -in ../sae-a.key -aes256 -passout pass:x -out sae.key" },
	{ "key of another certificate", "is not the key of certificate", NULL, "cp ../sae-b.key sae.key" },
	{ "CA file without a CA", "has no certificate, but a private key", NULL, "cp ../sae-a.key ca.pem" },
};

/* The files of a KME of its own, as good ones; and all that the agent reads belongs to its user. */
static void make_files(void)
{
	agents_shell("cd %s && rm -rf words && mkdir words && cp -p ca.pem words && cp -p sae-a.pem words/sae.pem && "
		     "cp -p sae-a.key words/sae.key", lab_folder());
}

static void give_files(void)
{
	if (!geteuid())
		agents_shell("chown -R %u %s %s", NOBODY, lab_folder(), agents_dir);
}

/* As the agent's user, because root can read everything. */
static int check(struct config_error *error)
{
	int err;

	give_files();
	if (!geteuid() && seteuid(NOBODY))
		BAIL_OUT();
	err = agent_check(agents_paths[0], error);
	if (!getuid() && seteuid(0))
		BAIL_OUT();
	return err;
}

static void write_conf(const char *url)
{
	char kme[800];

	snprintf(kme, sizeof(kme), KME "kme real\n\turl %s\n\tcertificate %s/words/sae.pem\n"
		 "\tkey %s/words/sae.key\n\tca %s/words/ca.pem\n", url ?: "https://127.0.0.1:9", lab_folder(),
		 lab_folder(), lab_folder());
	agents_write(agents_paths[0], agents_conf(0, kme, "\tkmes real\n\tsae SAE-B\n"));
}

TEST(a_check_of_the_configuration_names_each_wrong_setup)
{
	struct config_error error = { "" };
	size_t i;

	agents_files();
	agents_ports[0] = agents_ports[1] = 7511;
	snprintf(agents_paths[0], sizeof(agents_paths[0]), "%s/words.conf", agents_dir);
	make_files();
	write_conf(NULL);
	CHECK_NUMBER("a right one", check(&error), 0);
	CHECK_TEXT("a right one", error.text, "");
	for (i = 0; i < COUNT(checked_setups); i++) {
		make_files();
		agents_shell("cd %s/words && : && %s", lab_folder(), *checked_setups[i].command ? checked_setups[i].command : ":");
		write_conf(checked_setups[i].url);
		CHECK(check(&error) < 0, "%s: accepted", checked_setups[i].setup);
		CHECK(strstr(error.text, checked_setups[i].words), "%s: says '%s', want '%s'",
		      checked_setups[i].setup, error.text, checked_setups[i].words);
		CHECK(strstr(error.text, checked_setups[i].url ?: "kme real: "), "%s: not where: '%s'",
		      checked_setups[i].setup, error.text);
	}
}

/* --- what only the KME shows --- */

#define TLS_1_2	"tls 1.2\n"
#define SKIP	"dialect skip\n"

static const struct {
	const char *setup, *words;
	struct lab_options options;
	/* settings of the KME, its certificate if not the right one, a fault of its status */
	const char *settings, *certificate, *fault;
	bool is_up;
} asked_setups[] = {
	{ "wrong CA", "our ca file does not have the CA of the KME's certificate", .options = { .ca = "other-ca" } },
	{ "certificate of an unknown CA", "the KME does not accept our certificate, because it does not know the CA of it",
	  .options = { .cert = "stranger", .tls = KME_TLS_1_2 }, .settings = TLS_1_2 },
	{ "certificate expired at the KME", "the KME does not accept our certificate, because it has expired",
	  .options = { .cert = "old-sae", .tls = KME_TLS_1_2 }, .settings = TLS_1_2 },
	{ "certificate of an unknown SAE", "does not know our certificate", .options = { .cert = "sae-b" } },
	{ "unknown SAE of the peer", "knows no SAE", .options = { .sae = "SAE-X" } },
	{ "swapped SAE IDs", "the SAE IDs of both ends are swapped", .options = { .sae = "SAE-A" }, .settings = "status-sae partner\n" },
	{ "another SAE than the KME names", "is that the same SAE?", .options = { .sae = "SAE-X" }, .settings = "status-sae partner\n",
	  .is_up = true },
	{ "wrong path", "is not its url", .options = { .url = "/wrong" } },
	{ "wrong KME ID", "its certificate does not have the KME ID", .options = { .id = "KME-X" } },
	{ "wrong host and no KME ID", "the KME's certificate is not of the host in its url, and there is no id",
	  .options = { .id = "-" } },
	{ "expired certificate of the KME", "the KME's certificate has expired", .certificate = "old-kme" },
	{ "unknown host", "the host in its url cannot be found", .options = { .url = "https://kme.invalid" } },
	{ "wrong port", "nobody listens at its url", .options = { .url = "https://127.0.0.1:1" } },
	{ "old TLS", "the KME has no TLS 1.3", .settings = TLS_1_2 },
	{ "old groups", "the KME has no hybrid group", .options = { .tls = KME_TLS_PQ }, .settings = "groups classical\n" },
	{ "unknown peer with dialect skip", "has no peer", .options = { .dialect = KME_DIALECT_SKIP, .sae = "SAE-X" },
	  .settings = SKIP },
	{ "no keys with dialect skip", "gives no keys: its capabilities have key false",
	  .options = { .dialect = KME_DIALECT_SKIP }, .settings = SKIP "entropy-only yes\n" },
	{ "another pre-shared key", "the KME has another key for our psk-id",
	  .options = { .dialect = KME_DIALECT_SKIP, .psk = "other" }, .settings = SKIP },
	{ "unknown name of a pre-shared key", "the KME does not know our psk-id",
	  .options = { .dialect = KME_DIALECT_SKIP, .psk = "a", .psk_id = "nobody" }, .settings = SKIP },
	{ "not a KME", "answers status with what is no status", .fault = "html 200" },
};

static void ask(size_t i, struct lab_client *client)
{
	if (asked_setups[i].certificate)
		lab_start_as(asked_setups[i].certificate);
	else if (asked_setups[i].options.psk)
		lab_start_psk(asked_setups[i].settings, true);
	else
		lab_start(asked_setups[i].settings ?: "", "");
	if (asked_setups[i].fault)
		CHECK_TEXT("fault", lab_command("fault a %s op status", asked_setups[i].fault), "ok");
	lab_client_start(client, 0, &asked_setups[i].options);
	LAB_WAIT(client, client->n_up[0] || client->n_down[0]);
}

/* The same words are in the report and in the status, and say whom or what we have where that helps. */
TEST(a_kme_shows_each_wrong_setup)
{
	static struct lab_client client;
	const char *why;
	size_t i;

	for (i = 0; i < COUNT(asked_setups); i++) {
		ask(i, &client);
		why = client.why.text;
		CHECK_NUMBER(asked_setups[i].setup, client.n_up[0] > 0, asked_setups[i].is_up);
		CHECK(strstr(why, asked_setups[i].words), "%s: says '%s', want '%s'", asked_setups[i].setup, why,
		      asked_setups[i].words);
		CHECK_TEXT(asked_setups[i].setup, kme_server(client.kme, 0)->why.text, why);
		if (asked_setups[i].options.cert)
			CHECK(strstr(why, asked_setups[i].options.cert), "%s: does not name our file: '%s'",
			      asked_setups[i].setup, why);
		if (asked_setups[i].options.ca)
			CHECK(strstr(why, asked_setups[i].options.ca), "%s: does not name our file: '%s'",
			      asked_setups[i].setup, why);
		if (asked_setups[i].options.psk)
			CHECK(strstr(why, asked_setups[i].options.psk), "%s: does not name our file: '%s'",
			      asked_setups[i].setup, why);
		lab_client_stop(&client);
		lab_stop();
	}
}

/* A name with bytes that are not printed is compared as far as it is; and the case does not count. */
TEST(names_of_an_sae_are_compared_as_they_are_reported)
{
	static const struct {
		const char *sae, *says;
	} rows[] = {
		{ "sae-b", "" },
		{ "SAE-\xc3\xa9", "its status is about SAE 'SAE-B', and sae is 'SAE-" },
		{ "SAE-", "is that the same SAE? It takes us for 'SAE-A'" },
		{ "SAE-BB", "is that the same SAE? It takes us for 'SAE-A'" },
		{ "sae-a", "takes us for SAE 'sae-a', which sae says is the peer" },
	};
	static struct lab_client client;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		struct lab_options options = { .sae = rows[i].sae };

		lab_start("status-sae partner\n", "");
		lab_client_start(&client, 0, &options);
		LAB_WAIT(&client, client.n_up[0] || client.n_down[0]);
		CHECK(strstr(client.why.text, rows[i].says) && !*rows[i].says == !client.why.text[0],
		      "%s: says '%s', want '%s'", rows[i].sae, client.why.text, rows[i].says);
		lab_client_stop(&client);
		lab_stop();
	}
}
