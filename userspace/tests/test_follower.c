// SPDX-License-Identifier: GPL-2.0-or-later
/* The follower of a site: what it does about documents, and what its status says meanwhile. No etcd is there. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "follow/follower.h"
#include "tap.h"

#define CLUSTER	7

static char folder[] = "/tmp/qlink-follower-XXXXXX";
static struct options options = {
	.site = "a", .prefix = "/qlink", .endpoints = { "http://127.0.0.1:1" }, .n_endpoints = 1, .ttl_ms = 60000,
	.confirm_ms = 30000,
};
static struct follower follower;
static uint64_t now;

/* ---- a program in the place of qlinkctl ---- */

static void shell(const char *command)
{
	if (system(command))
		BAIL_OUT();
}

/* It keeps the document that it reads, does what @script says, and a line of "tries" says that it was run. */
static void write_qlinkctl(const char *script)
{
	char path[80];
	FILE *file;

	snprintf(path, sizeof(path), "%s/qlinkctl", folder);
	file = fopen(path, "w");
	if (!file)
		BAIL_OUT();
	fprintf(file, "#!/bin/sh\ncd %s || exit\ncat >document\necho >>tries\n%s\n", folder, script);
	if (fclose(file) || chmod(path, 0700))
		BAIL_OUT();
}

static int n_tries(void)
{
	char path[80];
	struct stat stats;

	snprintf(path, sizeof(path), "%s/tries", folder);
	return stat(path, &stats) ? 0 : (int)stats.st_size;
}

static void begin(void)
{
	static char path[400], state[80];
	static bool is_made;
	struct qlink_why why;

	if (!is_made && !mkdtemp(folder))
		BAIL_OUT();
	is_made = true;
	snprintf(path, sizeof(path), "rm -rf %s/*", folder);
	shell(path);
	snprintf(path, sizeof(path), "%s:/usr/bin:/bin", folder);
	setenv("PATH", path, 1);
	snprintf(state, sizeof(state), "%s/state", folder);
	options.state = state;
	options.prune = 0;
	now = 1000;
	if (follower_open(&follower, &options, &why))
		BAIL_OUT();
}

static void end(void)
{
	follower_close(&follower);
}

static void set_document(struct document *document, const char *text, uint64_t revision)
{
	free(document->text);
	*document = (struct document){ 0 };
	if (text)
		*document = (struct document){ .text = strdup(text), .len = strlen(text), .revision = revision };
}

/* As if etcd had said so. */
static void have(const char *text, uint64_t revision)
{
	struct documents *documents = &follower.etcd.documents;

	documents->cluster = CLUSTER;
	documents->revision = revision;
	set_document(&documents->site, text, revision);
	follower.etcd.is_changed = true;
}

/* Goes on until there is nothing to do. */
static void settle(void)
{
	struct pollfd fd;

	follower_run(&follower, now);
	now += 200;
	do {
		follower_run(&follower, now);
		fd = (struct pollfd){ .fd = follower.child.pidfd, .events = POLLIN };
		if (follower.child.pid && poll(&fd, 1, 10000) < 0)
			BAIL_OUT();
	} while (follower.child.pid);
}

static const char *outcome(void)
{
	return outcome_name(follower.outcome.kind);
}

#define APPLIED	"echo '{\"outcome\":\"applied\"}'"
#define REFUSED	"echo '{\"outcome\":\"refused\",\"why\":\"id 0\"}'; exit 1"

/* ---- what the status says ---- */

TEST(a_status_between_a_put_and_its_try_does_not_say_applied)
{
	begin();
	write_qlinkctl(APPLIED);
	have("{}", 3);
	settle();
	CHECK(follower.etcd.status && strstr(follower.etcd.status, "\"wanted\":3,\"applied\":3,\"outcome\":\"applied\""),
	      "status: %s", follower.etcd.status);
	/* A link changes before the new document is tried. */
	have("{\"x\":1}", 5);
	follower.must_tell = true;
	follower_run(&follower, now);
	CHECK(follower.etcd.status && strstr(follower.etcd.status, "\"wanted\":5,\"applied\":3,\"outcome\":\"waits\""),
	      "status: %s", follower.etcd.status);
	settle();
	CHECK_TEXT("outcome", outcome(), "applied");
	end();
}

TEST(a_reason_that_is_cut_within_a_letter_is_told_and_kept)
{
	struct kept again;
	struct qlink_why why;

	begin();
	/* 299 letters of two bytes and one of one, of which 599 bytes are kept. */
	write_qlinkctl("echo \"{\\\"outcome\\\":\\\"refused\\\",\\\"why\\\":\\\"$(printf '%0301d' 0 | sed 's/0/ü/g')\\\"}\"; exit 1");
	have("{}", 3);
	settle();
	CHECK_TEXT("outcome", outcome(), "refused");
	CHECK(follower.etcd.status && strstr(follower.etcd.status, "\"outcome\":\"refused\""), "status: %s",
	      follower.etcd.status ? "another" : "none");
	CHECK_NUMBER("read", kept_read(&again, options.state, options.site, &why), 0);
	CHECK_TEXT("kept", outcome_name(again.outcome.kind), "refused");
	kept_free(&again);
	end();
}

TEST(a_long_difference_does_not_hide_that_a_document_was_rolled_back)
{
	begin();
	write_qlinkctl("echo \"{\\\"differences\\\":[\\\"$(head -c 300000 /dev/zero | tr '\\0' x)\\\"],"
		       "\\\"outcome\\\":\\\"rolled-back\\\",\\\"why\\\":\\\"qlink0\\\"}\"; exit 3");
	have("{}", 3);
	settle();
	CHECK_TEXT("outcome", outcome(), "rolled-back");
	now += 60000;
	settle();
	CHECK_NUMBER("it is not tried again", n_tries(), 1);
	end();
}

/* ---- another etcd, and documents that are gone ---- */

TEST(another_document_with_the_same_revision_is_applied)
{
	begin();
	write_qlinkctl(APPLIED);
	have("{\"x\":1}", 3);
	settle();
	have("{\"x\":1}", 3);
	settle();
	CHECK_NUMBER("tries of the same", n_tries(), 1);
	/* An etcd that was set up anew with the same names has the same number, and counts from 1 again. */
	have("{\"x\":2}", 3);
	settle();
	CHECK_NUMBER("tries of another", n_tries(), 2);
	end();
}

TEST(prune_deletes_only_what_was_applied_from_this_history)
{
	begin();
	options.prune = 1;
	write_qlinkctl(REFUSED);
	have("{}", 3);
	settle();
	have(NULL, 4);
	settle();
	CHECK_NUMBER("a refused document was deleted: tries", n_tries(), 1);
	CHECK_TEXT("outcome", outcome(), "no-document");
	write_qlinkctl(APPLIED);
	have("{}", 5);
	settle();
	/* An etcd that was set up anew with the same names, and is empty. */
	have(NULL, 1);
	settle();
	CHECK_NUMBER("an empty etcd: tries", n_tries(), 2);
	CHECK_TEXT("outcome", outcome(), "no-document");
	have(NULL, 6);
	settle();
	CHECK_NUMBER("an applied document was deleted: tries", n_tries(), 3);
	end();
}
