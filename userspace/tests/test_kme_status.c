// SPDX-License-Identifier: GPL-2.0-or-later
/* What a whole agent says about the KMEs of the simulator: in its status, metrics and log. */
#include "agents.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/buffer.h>

#include "kme_lab.h"
#include "qlinkctl/agent.h"
#include "qlinkctl/kme.h"
#include "qlinkd/control.h"
#include "qlinkd/metrics.h"
#include "qlinkd/status.h"

#define USES_REAL	"\tkmes real\n\tsae SAE-B\n"

/* Both agents, and agent 0 with a link that uses KME a of the simulator, whose section ends with @more. */
static void start(const char *settings, const char *more)
{
	char section[600], kme[800];

	lab_start(settings, "");
	agents_start(LINK);
	lab_kme(section, sizeof(section), 0, "real");
	snprintf(kme, sizeof(kme), KME "%s%s", section, more);
	agents_write(agents_paths[0], agents_conf(0, kme, USES_REAL));
	agents_reload(0);
}

static void stop(void)
{
	agents_end();
	lab_stop();
}

static const struct kme_server *server(void)
{
	return stocks_server(agents_link(0)->stocks, 0);
}

/* The metrics, valid until the next call. */
static const char *read_metrics(void)
{
	static char text[1 << 16];
	struct evbuffer *out = evbuffer_new();
	int len;

	metrics_write(out, &agents[0]);
	len = evbuffer_remove(out, text, sizeof(text) - 1);
	text[len < 0 ? 0 : len] = '\0';
	evbuffer_free(out);
	return text;
}

/* What "qlinkctl status" prints. */
static const char *print_status(void)
{
	static char text[8192];
	json_t *status = status_of(&agents[0]);
	FILE *file = fmemopen(text, sizeof(text), "w");

	agent_print(status, file);
	fclose(file);
	json_decref(status);
	return text;
}

TEST(what_was_negotiated_is_in_status_metrics_and_log)
{
	json_t *status, *tls;

	start("connection close\n", "");
	CHECK(!strstr(read_metrics(), "qlinkd_kme_tls_info{"), "terms before a connection");
	WAIT_FOR(server()->terms.version[0]);
	status = status_of(&agents[0]);
	tls = json_object_get(json_array_get(json_object_get(json_array_get(json_object_get(
		status, "links"), 0), "kmes"), 0), "tls");
	CHECK_TEXT("version", json_string_value(json_object_get(tls, "version")), "1.3");
	CHECK_TEXT("group", json_string_value(json_object_get(tls, "group")), "X25519MLKEM768");
	CHECK_TEXT("suite", json_string_value(json_object_get(tls, "suite")), "TLS_AES_256_GCM_SHA384");
	CHECK_TEXT("subject", json_string_value(json_object_get(tls, "subject")), "KME-A");
	json_decref(status);
	CHECK(strstr(print_status(), "    kme real is up; TLS 1.3, X25519MLKEM768, TLS_AES_256_GCM_SHA384, with KME-A\n"),
	      "%s", print_status());
	CHECK(strstr(read_metrics(), "qlinkd_kme_tls_info{link=\"qlink0\",kme=\"real\",version=\"1.3\",group=\"X25519MLKEM768\","
		     "suite=\"TLS_AES_256_GCM_SHA384\",subject=\"KME-A\"} 1\n"), "%s", read_metrics());
	/* Many connections, and one line; and another one for other terms. */
	WAIT_FOR(server()->counters[KME_COUNTER_ANSWERED] > 5 && agents_logged(0, "kme-tls"));
	CHECK_NUMBER("lines", agents_logged(0, "<6>kme-tls link=qlink0 kme=real version=1.3 group=X25519MLKEM768 "
					    "suite=TLS_AES_256_GCM_SHA384 subject=KME-A\n"), 1);
	CHECK_TEXT("set", lab_command("set a groups classical"), "ok");
	lab_command("stock SAE-A SAE-B 1000");
	WAIT_FOR(agents_logged(0, "kme-tls") == 2);
	CHECK_NUMBER("lines", agents_logged(0, "group=x25519 "), 1);
	stop();
}

TEST(a_demand_that_the_kme_does_not_meet_is_the_reason_why_it_is_down)
{
	start("groups classical\n", "\ttls pq\n");
	WAIT_FOR(server()->health == KME_HEALTH_DOWN);
	CHECK(strstr(print_status(), "    kme real is down: tls pq: the KME has no hybrid group such as X25519MLKEM768; "
		     "update it, or set tls 1.3: "), "%s", print_status());
	CHECK(agents_logged(0, "kme-down link=qlink0 kme=real why=\"tls pq: the KME has no hybrid group"), "no line");
	stop();
}

/* A KME of the simulator whose key file does not exist. */
static void write_without_key(void)
{
	char section[600], kme[800], *at;

	lab_kme(section, sizeof(section), 0, "real");
	at = strstr(section, "sae-a.key");
	memcpy(at, "gone", 4);
	snprintf(kme, sizeof(kme), KME "%s", section);
	agents_write(agents_paths[0], agents_conf(0, kme, USES_REAL));
}

TEST(a_bad_file_of_a_kme_is_refused_by_a_reload_and_not_by_the_start)
{
	struct config_error checked = { "" }, error = { "" };

	start("", "");
	WAIT_FOR(server()->health == KME_HEALTH_UP);
	write_without_key();
	CHECK(agent_check(agents_paths[0], &checked) < 0, "qlinkd -n takes it");
	CHECK(strstr(checked.text, ": kme real: key /tmp/") && strstr(checked.text, "/gonea.key: does not exist"), "%s", checked.text);
	CHECK(agent_reload(&agents[0], &error) < 0, "a reload takes it");
	CHECK_TEXT("the same words", error.text, checked.text);
	CHECK_NUMBER("all goes on", server()->health, KME_HEALTH_UP);
	/* At the start it is this KME's trouble, and the link has keys all the same. */
	error.text[0] = '\0';
	CHECK_NUMBER("start", agents_restart(0, &error), 0);
	CHECK_TEXT("start", error.text, "");
	WAIT_FOR(agents_ready() && server()->health == KME_HEALTH_DOWN);
	CHECK(agents_logged(0, "<4>kme-down link=qlink0 kme=real why=\"key /tmp/") == 1 &&
	      agents_logged(0, "/gonea.key: does not exist\""), "it is not in the log");
	CHECK(strstr(print_status(), "    kme real is down: key /tmp/"), "%s", print_status());
	CHECK_NUMBER("nothing was sent", server()->counters[KME_COUNTER_STATUS], 0);
	/* The file is there, and a reload takes it. */
	agents_shell("cd %s && cp -p sae-a.key gonea.key", lab_folder());
	agents_reload(0);
	WAIT_FOR(server()->health == KME_HEALTH_UP && stocks_held(agents_link(0)->stocks));
	WAIT_FOR(agents_logged(0, "kme-tls"));
	stop();
}

/* KME a of the simulator by SKIP, and a pre-shared key in a file of its own. */
static void write_with_psk(void)
{
	char section[600], kme[800];
	unsigned int port = 0;
	const char *url;

	lab_kme(section, sizeof(section), 0, "real");
	url = strstr(section, "https://127.0.0.1:");
	CHECK(url && sscanf(url, "https://127.0.0.1:%u", &port) == 1, "no URL in '%s'", section);
	snprintf(kme, sizeof(kme), KME "kme real\n\turl https://127.0.0.1:%u\n\tdialect skip\n\tpsk-id encryptor-a\n"
		 "\tpsk-file %s/ours.psk\n", port, lab_folder());
	agents_write(agents_paths[0], agents_conf(0, kme, USES_REAL));
}

TEST(a_reload_takes_another_pre_shared_key)
{
	struct config_error error = { "" };
	const struct stocks *before;

	lab_start_psk("dialect skip\n", false);
	agents_start(LINK);
	agents_shell("cd %s && cp -p other.psk ours.psk", lab_folder());
	write_with_psk();
	agents_reload(0);
	WAIT_FOR(server()->health == KME_HEALTH_DOWN);
	CHECK(agents_logged(0, "<4>kme-down link=qlink0 kme=real why=\"the KME has another key for our psk-id: "), "no line");
	before = agents_link(0)->stocks;
	agents_shell("cd %s && chmod 0644 ours.psk && : >ours.psk", lab_folder());
	CHECK(agent_reload(&agents[0], &error) < 0, "a reload takes an empty file");
	CHECK(strstr(error.text, ": kme real: psk-file /tmp/") && strstr(error.text, "/ours.psk: is empty"), "%s", error.text);
	agents_shell("cd %s && cp a.psk ours.psk", lab_folder());
	CHECK(agent_reload(&agents[0], &error) < 0, "a reload takes a file of all");
	CHECK(strstr(error.text, "/ours.psk: others can read or change it: its mode is 0644"), "%s", error.text);
	agents_shell("cd %s && chmod 0600 ours.psk", lab_folder());
	agents_reload(0);
	CHECK(agents_link(0)->stocks == before, "the link was made again");
	WAIT_FOR(server()->health == KME_HEALTH_UP && stocks_held(agents_link(0)->stocks));
	CHECK(strstr(print_status(), "    kme real is up; TLS 1.3, X25519MLKEM768, TLS_AES_256_GCM_SHA384, with psk-id "
		     "encryptor-a\n"), "%s", print_status());
	stop();
}

/* The agent has no peer without its own files. */
TEST(a_bad_file_of_the_agent_is_refused_by_the_start)
{
	struct config_error error = { "" };

	start("", "");
	agents_shell("cd %s && mv site-a.key saved.key", agents_dir);
	CHECK(agents_restart(0, &error) < 0, "it starts");
	CHECK(strstr(error.text, ": agent: key /tmp/") && strstr(error.text, "/site-a.key: does not exist"), "%s", error.text);
	agents_shell("cd %s && mv saved.key site-a.key", agents_dir);
	CHECK_NUMBER("start", agents_restart(0, &error), 0);
	stop();
}

/* --- a key that a KME gives again after a restart of the agent --- */

static const char *conf_with_real(unsigned int end)
{
	char section[600], kme[800], link[200];

	lab_kme(section, sizeof(section), (int)end, "real");
	snprintf(kme, sizeof(kme), KME "%s", section);
	snprintf(link, sizeof(link), "\tkmes real\n\tsae %s\n\tstore 8\n\toutage-cover 8\n",
		 end ? "SAE-A" : "SAE-B");
	return agents_conf(end, kme, link);
}

/* Agent 0's KME gives again what it gave first, which was used before the restart. */
TEST(a_key_that_was_used_before_a_restart_is_refused)
{
	struct config_error error = { "" };
	unsigned int end;

	lab_start("serve-twice yes\n", "serve-twice yes\n");
	agents_start(LINK);
	for (end = 0; end < 2; end++) {
		agents_write(agents_paths[end], conf_with_real(end));
		agents_reload(end);
		/* The oldest key is one that agent 0 was given first. */
		WAIT_FOR(stocks_held(agents_link(end)->stocks) == 8);
	}
	WAIT_FOR(agents_link(0)->counters.tx_keys[QLINK_SOURCE_HYBRID]);
	CHECK_NUMBER("refused before", (long long)agents_link(0)->counters.keys_refused, 0);
	CHECK_TEXT("repeat", lab_command("set a repeat-keys yes"), "ok");
	CHECK_NUMBER("start", agents_restart(0, &error), 0);
	WAIT_FOR(agents_link(0)->counters.keys_refused);
	CHECK(agents_logged(0, "keys-refused") && agents_logged(0, "the KME gave it or its ID before"), "no line");
	stop();
}

/* --- qlinkctl kme check --- */

/* What a check prints, and its exit status. */
struct checked {
	char text[4096];
	int status;
};

/* In the child: what main() of qlinkctl does. */
static void run_qlinkctl(int out, const char *path, bool json, char **words)
{
	struct ctl ctl = { .control = path, .json = json };
	int argc = 0;

	while (words[argc])
		argc++;
	dup2(out, STDOUT_FILENO);
	dup2(out, STDERR_FILENO);
	argc = kme_command_run(&ctl, argc, words);
	fflush(stdout);
	_exit(argc);
}

static bool is_over(pid_t child, int *status)
{
	return *status != -1 || waitpid(child, status, WNOHANG) == child;
}

/* Both agents go on while qlinkctl runs in a process of its own. */
static struct checked check(bool json, const char *name, const char *option, const char *device)
{
	char *words[] = { (char *)"check", (char *)name, (char *)option, (char *)device, NULL };
	struct checked checked = { "", 0 };
	struct control *control = NULL;
	struct qlink_why why = { "" };
	char path[64];
	ssize_t n;
	int fds[2];
	pid_t child;

	snprintf(path, sizeof(path), "%s/control", agents_dir);
	CHECK_NUMBER("control", control_open(&control, path, &agents[0], &why), 0);
	if (pipe(fds))
		BAIL_OUT();
	fflush(stdout);
	child = fork();
	if (!child)
		run_qlinkctl(fds[1], path, json, words);
	checked.status = -1;
	WAIT_FOR(is_over(child, &checked.status));
	n = read(fds[0], checked.text, sizeof(checked.text) - 1);
	checked.text[n > 0 ? n : 0] = '\0';
	checked.status = WEXITSTATUS(checked.status);
	close(fds[0]);
	close(fds[1]);
	control_close(control);
	return checked;
}

/* Keys in stock at the simulator. */
static int stored(void)
{
	const char *at = strstr(lab_command("status"), "\"stored\":");

	return at ? atoi(at + 9) : -1;
}

/* A link that has all keys that it wants, so that only the check can take one. */
static void start_filled_as(const char *settings, const char *options)
{
	char section[600], kme[800];

	lab_start(settings, "");
	agents_start(LINK);
	lab_kme(section, sizeof(section), 0, "real");
	snprintf(kme, sizeof(kme), KME "%s%s", section, options);
	agents_write(agents_paths[0], agents_conf(0, kme, USES_REAL "\tstore 8\n\toutage-cover 8\n"));
	agents_reload(0);
	WAIT_FOR(stocks_held(agents_link(0)->stocks) == 8);
}

static void start_filled(const char *settings)
{
	start_filled_as(settings, "");
}

TEST(a_check_takes_no_key_and_reports_what_an_operator_needs)
{
	struct checked checked;
	int before;

	start_filled("");
	before = stored();
	checked = check(false, "real", NULL, NULL);
	CHECK_NUMBER("status", checked.status, 0);
	CHECK(!strncmp(checked.text, "kme real at https://127.0.0.1:", 30) &&
	      strstr(checked.text, ", asked about SAE SAE-B: well\n"
		     "    TLS 1.3, X25519MLKEM768, TLS_AES_256_GCM_SHA384, with KME-A\n"), "%s", checked.text);
	CHECK(strstr(checked.text, " s ahead\n    SAE SAE-A here, SAE-B at the peer; dialect etsi014\n"
		     "    keys of 256 bits, 64 to 1024 on request; at most 128 at once\n    992 keys in stock, of at most 100000\n"
		     "    link qlink0 uses method post, and asks for at most "), "%s", checked.text);
	CHECK(!strstr(checked.text, "was taken"), "%s", checked.text);
	CHECK_NUMBER("keys", stored(), before);
	stop();
}

TEST(a_check_takes_one_key_where_told_to)
{
	struct checked checked;
	json_t *report;
	int before;

	start_filled("");
	before = stored();
	checked = check(true, "real", "take-key", NULL);
	CHECK_NUMBER("status", checked.status, 0);
	report = json_loads(checked.text, 0, NULL);
	CHECK_NUMBER("bits", json_integer_value(json_object_get(report, "taken_bits")), 256);
	CHECK(json_is_true(json_object_get(report, "well")), "%s", checked.text);
	CHECK_NUMBER("clock", llabs(json_integer_value(json_object_get(report, "clock_ahead_s"))) < 2, 1);
	json_decref(report);
	CHECK_NUMBER("keys", stored(), before - 1);
	CHECK_NUMBER("those of the link", stocks_held(agents_link(0)->stocks), 8);
	/* A KME whose status is good and that gives no key is not well. */
	lab_command("stock SAE-A SAE-B 0");
	checked = check(false, "real", "take-key", NULL);
	CHECK_NUMBER("status", checked.status, 1);
	CHECK(strstr(checked.text, ": not well: answers enc_keys with 503: \"not enough keys in stock\"\n"),
	      "%s", checked.text);
	stop();
}

TEST(a_check_says_why_a_kme_is_not_well)
{
	struct checked checked;

	start_filled("");
	lab_command("set a max-key-size 128");
	checked = check(false, "real", NULL, NULL);
	CHECK_NUMBER("status", checked.status, 1);
	CHECK(strstr(checked.text, "not well: gives keys of at most 128 bits, and qlinkd takes 256 or more\n"),
	      "%s", checked.text);
	lab_command("stop a");
	checked = check(false, "real", NULL, NULL);
	CHECK_NUMBER("status", checked.status, 1);
	CHECK(strstr(checked.text, ": not well: nobody listens at its url: "), "%s", checked.text);
	checked = check(false, "nowhere", NULL, NULL);
	CHECK_NUMBER("status", checked.status, 1);
	CHECK_TEXT("no such KME", checked.text, "qlinkctl: qlinkd: kme nowhere: there is no such section\n");
	checked = check(false, "rack", NULL, NULL);
	CHECK_TEXT("no link", checked.text,
		   "qlinkctl: qlinkd: kme rack: no link uses it, so that there is no SAE to ask about\n");
	checked = check(false, "real", "key", NULL);
	CHECK_NUMBER("status", checked.status, 2);
	CHECK_TEXT("another word", checked.text, "qlinkctl: \"key\": must be link DEVICE or take-key\n");
	checked = check(false, "real", "link", "qlink7");
	CHECK_NUMBER("status", checked.status, 1);
	CHECK_TEXT("another link", checked.text,
		   "qlinkctl: qlinkd: link qlink7: there is none that uses kme real\n");
	checked = check(false, "real", "link", "qlink0");
	CHECK(strstr(checked.text, ": not well: nobody listens at its url: "), "%s", checked.text);
	stop();
}

/* The link fills its store although each request gives one key. */
TEST(a_check_knows_skip)
{
	struct checked checked;

	start_filled_as("dialect skip\n", "\tdialect skip\n");
	CHECK_NUMBER("keys", stored(), 992);
	checked = check(false, "real", "take-key", NULL);
	CHECK_NUMBER("status", checked.status, 0);
	CHECK(strstr(checked.text, ", asked about SAE SAE-B: well\n"), "%s", checked.text);
	CHECK(strstr(checked.text, "    SAE SAE-A here, SAE-B at the peer; dialect skip\n"
		     "    keys of ? bits, ? to ? on request; at most 1 at once\n"
		     "    ? keys in stock, of at most ?\n"
		     "    link qlink0 uses method get, and asks for at most 1 keys at once\n"
		     "    one key of 256 bits was taken; neither end will use it\n"), "%s", checked.text);
	lab_command("set a entropy-only yes");
	checked = check(false, "real", NULL, NULL);
	CHECK_NUMBER("status", checked.status, 1);
	CHECK(strstr(checked.text, ": not well: gives no keys: its capabilities have key false\n"), "%s", checked.text);
	stop();
}
