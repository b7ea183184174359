// SPDX-License-Identifier: GPL-2.0-or-later
/* What a reload changes, and what one that is refused leaves as it is. */
#include "agents.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <jansson.h>

#include "qlinkd/control.h"

/* Both the reload and "qlinkd -n" must refuse what the file has now, in the same words. */
static void check_refused(const char *what, const char *want)
{
	struct config_error checked = { "" }, reloaded = { "" };
	struct agents_state before = agents_state(0), after;

	CHECK(agent_check(agents_paths[0], &checked) < 0, "%s: qlinkd -n", what);
	CHECK(agent_reload(&agents[0], &reloaded) < 0, "%s: reload", what);
	CHECK(strstr(reloaded.text, want), "%s: got '%s', want '%s'", what, reloaded.text, want);
	CHECK_TEXT(what, checked.text, reloaded.text);
	after = agents_state(0);
	CHECK(!memcmp(&before, &after, sizeof(before)), "%s: something changed", what);
}

TEST(a_reload_with_a_bad_line_changes_nothing)
{
	static const struct {
		const char *kme, *link, *want;
	} rows[] = {
		{ "\turl https://10.0.0.5:0\n", LINK, ":14: url https://10.0.0.5:0: must have a port from 1 to 65535" },
		{ "\turl https://10.0.0.5?x=y\n", LINK, ":14: url https://10.0.0.5?x=y: must not have a '?'" },
		{ "\turl https://10.0.0.5#x\n", LINK, ":14: url https://10.0.0.5#x: must not have a '#'" },
		{ "\turl https://me@10.0.0.5\n", LINK, ":14: url https://me@10.0.0.5: must not have a '@'" },
		{ "\turl http://10.0.0.5\n", LINK, ":14: url http://10.0.0.5: must begin with https://" },
		{ "", LINK, ":10: kme rack: lacks url" },
		{ KME, "\tpolicy none\n", ": policy none: not hybrid-required" },
		{ KME, "\tpolicy pqc-only\n\tkey-bytes 129\n", ": key-bytes 129: not a number from 32 to 128" },
		{ KME, "\tkmes rack\n", ": link qlink0: lacks sae" },
		{ KME, LINK "\tsuite-least 3\n", ": suite-least 3: not a number from 1 to 2" },
		{ KME, LINK "\tsuite-least 2\n", ": link qlink0: suite-least 2: needs an agent's certificate with a key of type ML-DSA-87" },
		{ KME, "\tkmes rack spare\n\tsae SAE-B\n", ": link qlink0: there is no kme spare" },
		{ KME, LINK "link qlink1\n\tpeer nobody\n\tpolicy pqc-only\n", ": link qlink1: there is no peer nobody" },
		{ KME, LINK "link qlink0\n", ": link qlink0: there is one of this name" },
		{ KME, LINK "colour red\n", ": colour: not agent, kme, peer or link" },
	};
	struct config_error error;
	uint64_t offers;
	size_t i;

	agents_start(LINK);
	WAIT_FOR(agents_ready());
	for (i = 0; i < COUNT(rows); i++) {
		agents_write(agents_paths[0], agents_conf(0, rows[i].kme, rows[i].link));
		check_refused(rows[i].want, rows[i].want);
		agents_turn();
	}
	CHECK(agents_logged(0, "reload-failed why="), "it is not in the log");
	CHECK_NUMBER("remove", unlink(agents_paths[0]), 0);
	check_refused("no file", "No such file or directory");
	/* And keys go on being agreed on. */
	offers = agents_link(0)->counters.offers;
	device_rotate(&devices[0], QLINK_DIRECTION_TX, device_staged(&devices[0].tx) - 1);
	WAIT_FOR(agents_link(0)->counters.offers > offers);
	agents_write(agents_paths[0], agents_conf(0, KME, LINK));
	CHECK_NUMBER("good again", agent_reload(&agents[0], &error), 0);
	agents_end();
}

TEST(a_reload_with_a_bad_file_changes_nothing)
{
	/* A command in the folder of the files, and the refusal behind the folder's name. */
	static const struct {
		const char *command, *want;
	} rows[] = {
		{ "rm site-a.pem", "/site-a.pem: does not exist" },
		{ ": > site-a.pem", "/site-a.pem: is empty" },
		{ "cp site-b.pem site-a.pem", "/site-a.pem: is of site-b, and has no DNS name site-a, the agent's name" },
		{ "head -n 5 site-b.pem > site-a.pem", "/site-a.pem: certificate 1 is damaged: " },
		{ "cp site-a.key site-a.pem", "/site-a.pem: has no certificate, but a private key" },
		{ "rm site-a.key", "/site-a.key: does not exist" },
		{ "cp site-b.key site-a.key", "/site-a.key: is not the key of certificate " },
		{ "chmod 604 site-a.key", "/site-a.key: others can read or change it: its mode is 0604" },
		{ "openssl pkey -in saved/site-a.key -aes256 -passout pass:x -out site-a.key", "/site-a.key: is encrypted, and qlinkd cannot ask for its pass phrase" },
		{ "rm ca.pem && mkdir ca.pem", "/ca.pem: is a folder" },
		{ "echo no > ca.pem", "/ca.pem: is not PEM" },
		{ "openssl req -x509 -newkey ML-DSA-65 -nodes -not_before 20240101000000Z -not_after 20240201000000Z -subj /CN=old "
		  "-addext subjectAltName=DNS:site-a -keyout site-a.key -out site-a.pem 2>/dev/null", "/site-a.pem: old expired on 2024-02-01 00:00:00 UTC" },
		{ "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=ec "
		  "-addext subjectAltName=DNS:site-a -keyout site-a.key -out site-a.pem 2>/dev/null", "/site-a.pem: has a key of type EC, and peers take ML-DSA-65 or ML-DSA-87" },
	};
	struct config_error error;
	size_t i;

	agents_start(LINK);
	WAIT_FOR(agents_ready());
	agents_shell("cd %s && mkdir saved && cp -p site-a.pem site-a.key ca.pem saved", agents_dir);
	for (i = 0; i < COUNT(rows); i++) {
		agents_shell("cd %s && %s", agents_dir, rows[i].command);
		check_refused(rows[i].want, rows[i].want);
		CHECK(agents_logged(0, "reload-failed why="), "%s: not in the log", rows[i].want);
		agents_shell("cd %s && rm -rf site-a.pem site-a.key ca.pem && cp -p saved/* .", agents_dir);
		agents_turn();
	}
	CHECK_NUMBER("good again", agent_reload(&agents[0], &error), 0);
	CHECK_NUMBER("sessions", agents_link(0)->counters.sessions, 1);
	CHECK_NUMBER("connections", agents[0].now.peers[0]->n_connections, 1);
	agents_end();
}

TEST(a_wrong_audit_log_or_group_is_refused_by_each)
{
	struct config_error error = { "" };
	char text[4096];

	agents_start(LINK);
	WAIT_FOR(agents_ready());
	agents_shell("cd %s && mv site-a.audit aside && : > site-a.audit", agents_dir);
	check_refused("a file", "/site-a.audit: is no folder, in which the files of the log would be");
	agents_shell("cd %s && rm site-a.audit && mv aside site-a.audit", agents_dir);
	CHECK_NUMBER("good again", agent_reload(&agents[0], &error), 0);
	snprintf(text, sizeof(text), "agent\n\toperators no-such-group\n%s",
		 agents_conf(0, KME, LINK) + strlen("agent\n"));
	agents_write(agents_paths[0], text);
	check_refused("a group", ":1: agent: operators no-such-group: there is no such group");
	agents_end();
}

#define LONG_32		"a-name-of-a-folder-with-32-bytes"
#define LONG_128	LONG_32 LONG_32 LONG_32 LONG_32
#define LONG_NAME	LONG_128 LONG_128

/* Without a log so far, "qlinkd -n" looks at the first folder above that exists. */
TEST(an_audit_log_that_cannot_be_made_is_refused_by_each)
{
	static const struct {
		const char *path, *want;
	} rows[] = {
		{ "/etc/passwd/audit", "is no folder, in which the files of the log would be" },
		{ "/" LONG_NAME "/audit", "File name too long" },
	};
	struct config_error checked, opened;
	char text[4096], path[80];
	const char *at;
	struct agent agent;
	size_t i;

	agents_start(LINK);
	snprintf(path, sizeof(path), "%s/other.conf", agents_dir);
	for (i = 0; i < COUNT(rows); i++) {
		at = strstr(agents_conf(0, KME, LINK), "\taudit-log ");
		snprintf(text, sizeof(text), "%.*s\taudit-log %s\n%s",
			 (int)(at - agents_conf(0, KME, LINK)), agents_conf(0, KME, LINK),
			 rows[i].path, strchr(at, '\n') + 1);
		agents_write(path, text);
		CHECK(agent_check(path, &checked) < 0, "%s: qlinkd -n", rows[i].path);
		CHECK(strstr(checked.text, rows[i].path) && strstr(checked.text, rows[i].want), "%s: %s",
		      rows[i].path, checked.text);
		memset(&agent, 0, sizeof(agent));
		agent.path = path;
		CHECK(agent_open(&agent, &opened) < 0, "%s: start", rows[i].path);
		CHECK_TEXT(rows[i].path, opened.text, checked.text);
		agent_close(&agent);
	}
	agents_end();
}

TEST(a_slash_at_the_end_of_a_url_does_not_harm_a_reload)
{
	struct config_error error = { "" };
	char link[200];

	snprintf(link, sizeof(link), LINK SPARE, "site-b");
	agents_start(LINK);
	WAIT_FOR(agents_ready());
	agents_write(agents_paths[0], agents_conf(0, "\turl https://127.0.0.1:9/\n", link));
	CHECK_NUMBER("check", agent_check(agents_paths[0], &error), 0);
	CHECK_NUMBER("reload", agent_reload(&agents[0], &error), 0);
	CHECK_TEXT("error", error.text, "");
	CHECK_NUMBER("links", agents[0].now.n_links, 2);
	agents_end();
}

TEST(a_change_that_needs_a_restart_changes_nothing)
{
	struct config_error error;
	struct agents_state before, after;
	char text[AGENTS_TEXT], *at;

	agents_start(LINK);
	WAIT_FOR(agents_ready());
	before = agents_state(0);
	snprintf(text, sizeof(text), "%s", agents_conf(0, KME, "\tpolicy hybrid-required\n\tkmes rack\n\tsae S\n"));
	at = strstr(text, "/control");
	at[1] = 'K';
	agents_write(agents_paths[0], text);
	CHECK_NUMBER("reload", agent_reload(&agents[0], &error), -EBUSY);
	CHECK(strstr(error.text, "agent: has changed, which needs a restart"), "%s", error.text);
	after = agents_state(0);
	CHECK(!memcmp(&before, &after, sizeof(before)), "something changed");
	agents_end();
}

TEST(a_reload_keeps_what_is_the_same_and_replaces_the_rest)
{
	struct config_error error = { "" };
	struct link *link;
	char more[200];
	int round;

	agents_start(LINK);
	WAIT_FOR(agents_ready());
	link = agents_link(0);
	snprintf(more, sizeof(more), LINK SPARE, "site-b");
	for (round = 0; round < 20; round++) {
		agents_write(agents_paths[0], agents_conf(0, KME, round % 2 ? LINK : more));
		CHECK_NUMBER("reload", agent_reload(&agents[0], &error), 0);
		CHECK_NUMBER("links", agents[0].now.n_links, round % 2 ? 1 : 2);
		CHECK(agents_link(0) == link, "the link is another one");
		CHECK_NUMBER("links of the peer", agents[0].now.peers[0]->n_links, round % 2 ? 1 : 2);
		agents_turn();
	}
	CHECK_NUMBER("sessions", link->counters.sessions, 1);
	CHECK_NUMBER("connections", agents[0].now.peers[0]->n_connections, 1);
	/* Another option of the link: it starts over, on the same connection. */
	agents_write(agents_paths[0], agents_conf(0, KME, LINK "\tceiling-ms 60000\n"));
	CHECK_NUMBER("reload", agent_reload(&agents[0], &error), 0);
	CHECK_NUMBER("sessions of the new link", agents_link(0)->counters.sessions, 0);
	WAIT_FOR(agents_link(0)->counters.sessions == 1 && agents_ready());
	CHECK_NUMBER("connections", agents[0].now.peers[0]->n_connections, 1);
	CHECK_NUMBER("reloads", agents[0].reloads, 21);
	agents_end();
}

TEST(a_tightened_policy_holds_before_the_reload_returns)
{
	struct config_error error = { "" };

	agents_start(LINK);
	WAIT_FOR(agents_ready());
	CHECK(devices[0].tx.n && devices[0].rx.n, "no keys");
	/* The peer is gone: nothing but the reload itself runs from here on. */
	agents_write(agents_paths[0], agents_conf(0, KME, "\tpolicy hybrid-required\n\tkmes rack\n\tsae SAE-B\n"));
	CHECK_NUMBER("reload", agent_reload(&agents[0], &error), 0);
	CHECK_NUMBER("accepted", devices[0].accept, 1 << QLINK_SOURCE_HYBRID);
	CHECK_NUMBER("keys to send", devices[0].tx.n, 0);
	CHECK_NUMBER("keys to receive", devices[0].rx.n, 0);
	agents_end();
}

TEST(a_policy_that_the_kernel_refuses_is_tried_again)
{
	struct config_error error = { "" };

	agents_start(LINK);
	WAIT_FOR(agents_ready());
	devices[0].any_err = -ENOMEM;
	agents_write(agents_paths[0], agents_conf(0, KME, "\tpolicy hybrid-required\n\tkmes rack\n\tsae SAE-B\n"));
	CHECK_NUMBER("reload", agent_reload(&agents[0], &error), 0);
	CHECK(agents_logged(0, "kernel-refused link=qlink0 request=restrict why=\"Cannot allocate memory\""), "not logged");
	devices[0].any_err = 0;
	WAIT_FOR(devices[0].accept == 1 << QLINK_SOURCE_HYBRID);
	agents_end();
}

/* --- what a reload would do --- */

/* Sends a line to the control socket of the first agent; the caller releases the answer. */
static json_t *ask(const char *line)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	struct control *control;
	struct qlink_why why;
	char answer[AGENTS_TEXT];
	ssize_t len = -1;
	int fd;

	snprintf(at.sun_path, sizeof(at.sun_path), "%s/control", agents_dir);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (control_open(&control, at.sun_path, &agents[0], &why) ||
	    connect(fd, (struct sockaddr *)&at, sizeof(at)) || dprintf(fd, "%s\n", line) < 0)
		BAIL_OUT();
	WAIT_FOR(len > 0 || (len = recv(fd, answer, sizeof(answer), MSG_DONTWAIT)) > 0);
	close(fd);
	control_close(control);
	return json_loadb(answer, len > 0 ? (size_t)len : 0, JSON_DISABLE_EOF_CHECK, NULL);
}

static void check_would(const char *link, const char *kme, const char *want)
{
	struct agents_state before = agents_state(0), after;
	json_t *answer;
	char *text;

	agents_write(agents_paths[0], agents_conf(0, kme, link));
	answer = ask("try-reload");
	text = json_dumps(answer, JSON_COMPACT);
	CHECK_TEXT(want, text, want);
	free(text);
	json_decref(answer);
	after = agents_state(0);
	CHECK(!memcmp(&before, &after, sizeof(before)), "%s: something changed", want);
}

TEST(a_reload_that_is_only_tried_tells_what_would_change)
{
	char more[200];

	agents_start(LINK);
	WAIT_FOR(agents_ready());
	snprintf(more, sizeof(more), LINK SPARE, "site-b");
	check_would(LINK, KME, "{\"links\":[{\"device\":\"qlink0\",\"change\":\"kept\"}],\"certificates_changed\":false}");
	check_would(more, KME, "{\"links\":[{\"device\":\"qlink0\",\"change\":\"kept\"},{\"device\":\"qlink1\",\"change\":\"new\"}],\"certificates_changed\":false}");
	check_would(LINK "\tceiling-ms 60000\n", KME, "{\"links\":[{\"device\":\"qlink0\",\"change\":\"changed\"}],\"certificates_changed\":false}");
	agents_reload(0);
	agents_write(agents_paths[0], agents_conf(0, KME, more));
	agents_reload(0);
	agents_certify(0, ".");
	check_would(LINK, KME, "{\"links\":[{\"device\":\"qlink0\",\"change\":\"kept\"},{\"device\":\"qlink1\",\"change\":\"gone\"}],\"certificates_changed\":true}");
	snprintf(more, sizeof(more), "{\"error\":\"%s:10: kme rack: lacks url\"}", agents_paths[0]);
	check_would(LINK, "", more);
	agents_end();
}
