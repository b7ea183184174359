// SPDX-License-Identifier: GPL-2.0-or-later
/* Whole agents with a state file: a restart and a reload go on with the chains, and bad settings are refused. */
#include "agents.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define REQUIRED	LINK "\tchain-required yes\n"

/* The configuration of an agent with a state file and its key, or with other lines. */
static const char *conf(unsigned int i, const char *lines, const char *link)
{
	static char text[AGENTS_TEXT + 200];
	char own[200];

	snprintf(own, sizeof(own), "\tstate %s/%s.state\n\tstate-key %s/state-key\n", agents_dir,
		 agents_names[i], agents_dir);
	snprintf(text, sizeof(text), "agent\n%s%s", lines ?: own, agents_conf(i, KME, link) + strlen("agent\n"));
	return text;
}

/* Both agents keep their chains, and have keys. */
static void start(const char *link)
{
	struct config_error error = { "" };
	unsigned int i;

	agents_start(link);
	agents_shell("cd %s && rm -f *.state && umask 077 && head -c 48 /dev/urandom > state-key", agents_dir);
	for (i = 0; i < 2; i++) {
		agents_write(agents_paths[i], conf(i, NULL, link));
		CHECK_NUMBER("restart", agents_restart(i, &error), 0);
		CHECK_TEXT("error", error.text, "");
		CHECK_NUMBER("begun", agents_logged(i, "state-begun file="), 1);
		link_accept_chain(agents_link(i));
	}
	WAIT_FOR(agents_ready());
}

static void until_new_keys(void)
{
	uint64_t before[2] = { agents_link(0)->counters.offers, agents_link(1)->counters.offers };
	unsigned int i;

	for (i = 0; i < 2; i++)
		device_rotate(&devices[i], QLINK_DIRECTION_TX, device_staged(&devices[i].tx) - 1);
	WAIT_FOR(agents_link(0)->counters.offers > before[0] && agents_link(1)->counters.offers > before[1]);
}

static unsigned int restarts(void)
{
	return agents_logged(0, "chain-restarted ") + agents_logged(1, "chain-restarted ");
}

TEST(a_restart_needs_no_operator)
{
	struct config_error error = { "" };
	unsigned int i, said;

	start(REQUIRED);
	said = agents_logged(0, "no-chain ") + agents_logged(1, "no-chain ");
	for (i = 0; i < 2; i++) {
		CHECK_NUMBER("restart", agents_restart(i, &error), 0);
		CHECK_NUMBER("read", agents_logged(i, "<6>state-read file="), 1);
		WAIT_FOR(agents_ready());
		CHECK_NUMBER("restored", agents_logged(i, "chain-restored link=qlink0"), 1);
		until_new_keys();
	}
	CHECK_NUMBER("restarts", restarts(), 0);
	CHECK_NUMBER("blocked", agents_logged(0, "no-chain ") + agents_logged(1, "no-chain "), said);
	CHECK_NUMBER("lost", agents_logged(0, "state-lost "), 0);
	agents_end();
}

/* A link that changes is made anew, and its chains are those that the old one had at last. */
TEST(a_reload_that_changes_a_link_goes_on_with_its_chains)
{
	struct link *before;

	start(REQUIRED);
	until_new_keys();
	before = agents_link(0);
	agents_write(agents_paths[0], conf(0, NULL, REQUIRED "\tfloor-ms 200\n"));
	agents_reload(0);
	CHECK(agents_link(0) != before || agents_link(0)->config->pacing.floor_ms == 200, "the same link");
	WAIT_FOR(agents_ready());
	CHECK_NUMBER("restored", agents_logged(0, "chain-restored link=qlink0"), 1);
	until_new_keys();
	CHECK_NUMBER("restarts", restarts(), 0);
	agents_end();
}

/* A disk that the test breaks: it stands in for the real one. */
static _Atomic int sync_err;

int fdatasync(int fd)
{
	(void)fd;
	errno = sync_err;
	return sync_err ? -1 : 0;
}

TEST(keys_go_on_while_the_disk_fails_and_the_end_says_what_is_lost)
{
	struct config_error error = { "" };

	start(REQUIRED);
	sync_err = EIO;
	until_new_keys();
	until_new_keys();
	WAIT_FOR(agents_logged(0, "<3>state-not-written why=\"Input/output error\" links=1"));
	CHECK_NUMBER("restart", agents_restart(0, &error), 0);
	CHECK_NUMBER("lost", agents_logged(0, "<3>state-lost why="), 1);
	sync_err = 0;
	WAIT_FOR(agents_logged(1, "state-written "));
	agents_end();
}

TEST(bad_settings_are_refused_by_each)
{
	/* Lines of the section agent, a command in the folder of the files, and the refusal. */
	static const struct {
		const char *lines, *command, *want;
	} rows[] = {
		{ "\tstate /tmp/state\n", "true", ":1: agent: has state and lacks state-key, which it needs" },
		{ "", "true", ":1: agent: has changed, which needs a restart" },
		{ NULL, "rm state-key", "/state-key: does not exist" },
		{ NULL, "head -c 31 saved > state-key", "/state-key: has 31 bytes; a state key has 32 to 1024" },
		{ NULL, "chmod 644 state-key", "/state-key: others can read or change it: its mode is 0644" },
		{ NULL, "rm -f site-a.state && mkdir site-a.state", "/site-a.state: is no regular file" },
	};
	struct config_error error;
	size_t i;

	start(LINK);
	agents_shell("cd %s && cp -p state-key saved", agents_dir);
	for (i = 0; i < COUNT(rows); i++) {
		error.text[0] = '\0';
		agents_write(agents_paths[0], conf(0, rows[i].lines, LINK));
		agents_shell("cd %s && %s", agents_dir, rows[i].command);
		CHECK(agent_reload(&agents[0], &error) < 0, "%s: reloaded", rows[i].want);
		CHECK(strstr(error.text, rows[i].want), "got '%s', want '%s'", error.text, rows[i].want);
		agents_shell("cd %s && rm -rf site-a.state state-key && cp -p saved state-key", agents_dir);
	}
	agents_write(agents_paths[0], conf(0, NULL, LINK));
	CHECK_NUMBER("good again", agent_reload(&agents[0], &error), 0);
	CHECK_NUMBER("qlinkd -n", agent_check(agents_paths[0], &error), 0);
	agents_shell("cd %s && rm state-key", agents_dir);
	CHECK(agent_check(agents_paths[0], &error) < 0 && strstr(error.text, "/state-key: does not exist"),
	      "qlinkd -n: '%s'", error.text);
	agents_shell("cd %s && cp -p saved state-key", agents_dir);
	agents_end();
}
