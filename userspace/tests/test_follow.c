// SPDX-License-Identifier: GPL-2.0-or-later
/* The follower: documents put together, waits, etcd's messages cut anywhere, what became of a document. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "follow/backoff.h"
#include "follow/child.h"
#include "follow/gateway.h"
#include "follow/kept.h"
#include "follow/lines.h"
#include "follow/options.h"
#include "follow/outcome.h"
#include "follow/overlay.h"
#include "follow/standing.h"
#include "tap.h"

/* ---- documents ---- */

TEST(what_is_common_lies_under_the_document_of_a_site)
{
	static const struct {
		const char *why, *common, *site, *whole;
	} rows[] = {
		{ "members of both", "{\"a\":{\"x\":1}}", "{\"a\":{\"y\":2}}", "{\"a\":{\"y\":2,\"x\":1}}" },
		{ "the site wins", "{\"a\":{\"x\":1}}", "{\"a\":{\"x\":2}}", "{\"a\":{\"x\":2}}" },
		{ "the site wins over another kind", "{\"a\":{\"x\":1}}", "{\"a\":5}", "{\"a\":5}" },
		{ "lists by name", "{\"l\":[{\"name\":\"k\",\"v\":1},{\"name\":\"m\",\"v\":3}]}",
		  "{\"l\":[{\"name\":\"j\",\"v\":9},{\"name\":\"k\",\"w\":2}]}",
		  "{\"l\":[{\"name\":\"j\",\"v\":9},{\"name\":\"k\",\"w\":2,\"v\":1},{\"name\":\"m\",\"v\":3}]}" },
		{ "a list without entries", "{\"l\":[{\"name\":\"k\"}]}", "{\"l\":[]}", "{\"l\":[{\"name\":\"k\"}]}" },
		{ "arrays of words as a whole", "{\"l\":[\"a\",\"b\"]}", "{\"l\":[\"c\"]}", "{\"l\":[\"c\"]}" },
		{ "nothing in common", NULL, "{\"a\":1}", "{\"a\":1}" },
	};
	json_t *common, *site, *whole;
	char *text;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		common = rows[i].common ? json_loads(rows[i].common, 0, NULL) : NULL;
		site = json_loads(rows[i].site, 0, NULL);
		whole = overlay_documents(common, site);
		text = json_dumps(whole, JSON_COMPACT);
		CHECK_TEXT(rows[i].why, text, rows[i].whole);
		free(text);
		text = json_dumps(site, JSON_COMPACT);
		CHECK_TEXT("the site's own is not changed", text, rows[i].site);
		free(text);
		json_decref(common);
		json_decref(site);
		json_decref(whole);
	}
}

/* ---- waits ---- */

TEST(waits_double_up_to_a_limit_and_are_spread_over_half)
{
	struct backoff low = { 0 }, high = { 0 };
	uint32_t want = BACKOFF_MIN_MS, i;

	for (i = 0; i < 40; i++) {
		CHECK_NUMBER("shortest", backoff_next(&low, 0), want / 2);
		CHECK_NUMBER("longest", backoff_next(&high, want / 2), want);
		want = want * 2 > BACKOFF_MAX_MS ? BACKOFF_MAX_MS : want * 2;
	}
	backoff_reset(&low);
	CHECK_NUMBER("after a success", backoff_next(&low, 0), BACKOFF_MIN_MS / 2);
}

/* ---- etcd's messages ---- */

/* base64: /qlink/common, /qlink/sites/a; {"a":1}, {}. */
#define COMMON	"L3FsaW5rL2NvbW1vbg=="
#define SITE	"L3FsaW5rL3NpdGVzL2E="
#define ONE	"eyJhIjoxfQ=="
#define EMPTY	"e30="
/* A text and its length. */
#define WHOLE(text)	(text), sizeof(text) - 1
#define HEADER	"\"header\":{\"cluster_id\":\"18446744073709551615\",\"member_id\":\"2\",\"revision\":\"%s\",\"raft_term\":\"2\"}"

static const char stream[] =
	"{\"result\":{\"header\":{\"cluster_id\":\"7\",\"revision\":\"5\"},\"created\":true}}\n"
	"{\"result\":{\"header\":{\"revision\":\"6\"},\"events\":[{\"kv\":{\"key\":\"" COMMON "\",\"create_revision\":\"6\","
		"\"mod_revision\":\"6\",\"version\":\"1\",\"value\":\"" ONE "\"}}]}}\n"
	"\n"
	"{\"result\":{\"header\":{\"revision\":\"8\"},\"events\":[{\"kv\":{\"key\":\"" SITE "\",\"mod_revision\":\"7\","
		"\"value\":\"" ONE "\"}},{\"type\":\"DELETE\",\"kv\":{\"key\":\"" COMMON "\",\"mod_revision\":\"8\"}},"
		"{\"kv\":{\"key\":\"L3g=\",\"mod_revision\":\"8\",\"value\":\"" ONE "\"}}]}}\n";

/**
 * struct watched - a stream that is read
 */
struct watched {
	/** @keys: what is watched */
	struct gateway_keys keys;

	/** @documents: what they are */
	struct documents documents;

	/** @n_changes: lines that have changed them */
	unsigned int n_changes;

	/** @why: of the first failure */
	struct qlink_why why;
};

static int take_line(void *arg, const char *line, size_t len)
{
	struct watched *watched = arg;
	bool is_changed = false;
	int err = gateway_watched(line, len, &watched->keys, &watched->documents, &is_changed, &watched->why);

	watched->n_changes += is_changed;
	return err;
}

static void open_watched(struct watched *watched)
{
	memset(watched, 0, sizeof(*watched));
	if (gateway_keys_make(&watched->keys, "/qlink", "a"))
		BAIL_OUT();
}

static void close_watched(struct watched *watched)
{
	gateway_keys_free(&watched->keys);
	gateway_documents_free(&watched->documents);
}

TEST(a_stream_may_be_cut_at_any_byte)
{
	struct lines lines;
	struct watched watched;
	size_t cut;

	for (cut = 0; cut < sizeof(stream); cut++) {
		lines = (struct lines){ .max = 4096 };
		open_watched(&watched);
		CHECK_NUMBER("first part", lines_take(&lines, stream, cut, take_line, &watched), 0);
		CHECK_NUMBER("second part", lines_take(&lines, stream + cut, sizeof(stream) - 1 - cut,
						       take_line, &watched), 0);
		CHECK_NUMBER("changes", watched.n_changes, 2);
		CHECK(!watched.documents.common.text, "common is still there, cut at %zu", cut);
		CHECK_TEXT("site", watched.documents.site.text, "{\"a\":1}");
		CHECK_NUMBER("its revision", watched.documents.site.revision, 7);
		CHECK_NUMBER("revision", watched.documents.revision, 8);
		close_watched(&watched);
		lines_free(&lines);
	}
}

TEST(a_line_that_is_too_long_ends_the_stream)
{
	struct lines lines = { .max = 10 };
	struct watched watched;

	open_watched(&watched);
	CHECK_NUMBER("ten", lines_take(&lines, "0123456789", 10, take_line, &watched), 0);
	CHECK_NUMBER("eleven", lines_take(&lines, "0", 1, take_line, &watched), -EMSGSIZE);
	lines_free(&lines);
	close_watched(&watched);
}

TEST(a_watch_that_etcd_ends_says_why)
{
	static const struct {
		const char *line, *why;
		int err;
	} rows[] = {
		{ "{\"result\":{\"canceled\":true,\"compact_revision\":\"90\"}}",
		  "etcd has compacted what came before revision 90", -ECANCELED },
		{ "{\"result\":{\"canceled\":true,\"cancel_reason\":\"etcdserver: permission denied\"}}",
		  "etcd ends the watch: etcdserver: permission denied", -ECANCELED },
		{ "{\"error\":{\"grpc_code\":14,\"message\":\"etcdserver: no leader\"}}",
		  "etcd ends the watch: etcdserver: no leader", -EBADMSG },
		{ "{\"result\":{\"events\":[{\"kv\":{\"key\":\"" SITE "\",\"value\":\"*\"}}]}}",
		  "etcd's answer has a value that is not base64", -EBADMSG },
		{ "[]", "etcd's answer is not JSON: ", -EBADMSG },
	};
	struct watched watched;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		open_watched(&watched);
		CHECK_NUMBER(rows[i].line, take_line(&watched, rows[i].line, strlen(rows[i].line)), rows[i].err);
		CHECK_TEXT(rows[i].line, watched.why.text, rows[i].why);
		CHECK_NUMBER("changes", watched.n_changes, 0);
		close_watched(&watched);
	}
}

TEST(both_documents_are_of_one_revision)
{
	struct documents documents = { 0 };
	struct qlink_why why;
	char answer[1024];
	int len;

	len = snprintf(answer, sizeof(answer), "{" HEADER ",\"succeeded\":true,\"responses\":[{\"response_range\":{"
		       "\"kvs\":[{\"key\":\"" COMMON "\",\"mod_revision\":\"3\",\"value\":\"" EMPTY "\"}]}},"
		       "{\"response_range\":{\"kvs\":[{\"key\":\"" SITE "\",\"mod_revision\":\"4\",\"value\":\"" ONE "\"}]}}]}", "9");
	CHECK_NUMBER("both", gateway_loaded(answer, (size_t)len, &documents, &why), 0);
	CHECK_TEXT("common", documents.common.text, "{}");
	CHECK_TEXT("site", documents.site.text, "{\"a\":1}");
	CHECK_NUMBER("bytes of common", documents.common.len, 2);
	CHECK_NUMBER("bytes of the site's", documents.site.len, 7);
	CHECK_NUMBER("revision", documents.revision, 9);
	CHECK(documents.cluster == UINT64_MAX, "the cluster's number is not whole");
	len = snprintf(answer, sizeof(answer), "{" HEADER ",\"responses\":[{\"response_range\":{}}]}", "10");
	CHECK_NUMBER("one range", gateway_loaded(answer, (size_t)len, &documents, &why), -EBADMSG);
	CHECK_TEXT("why", why.text, "etcd's answer lacks range 1");
	CHECK_NUMBER("what was known stays", documents.revision, 9);
	len = snprintf(answer, sizeof(answer), "{" HEADER ",\"responses\":[{\"response_range\":{}},{\"response_range\":{}}]}", "11");
	CHECK_NUMBER("none", gateway_loaded(answer, (size_t)len, &documents, &why), 0);
	CHECK(!documents.site.text && !documents.site.revision, "there is still a document");
	gateway_documents_free(&documents);
}

TEST(requests_are_what_the_gateway_reads)
{
	struct gateway_keys keys = { 0 };
	struct qlink_why why;
	uint64_t lease;
	bool is_there;
	char *body;

	if (gateway_keys_make(&keys, "/qlink", "a"))
		BAIL_OUT();
	body = gateway_load(&keys);
	CHECK_TEXT("load", body, "{\"success\":[{\"requestRange\":{\"key\":\"" COMMON "\"}},{\"requestRange\":{\"key\":\"" SITE "\"}}]}");
	free(body);
	body = gateway_watch(&keys, 9);
	CHECK_TEXT("watch", body, "{\"create_request\":{\"key\":\"" COMMON "\",\"start_revision\":\"9\"}}\n"
		   "{\"create_request\":{\"key\":\"" SITE "\",\"start_revision\":\"9\"}}");
	free(body);
	body = gateway_put(&keys, "{}", UINT64_MAX);
	CHECK_TEXT("put", body, "{\"key\":\"L3FsaW5rL3N0YXR1cy9h\",\"value\":\"" EMPTY "\",\"lease\":\"18446744073709551615\"}");
	free(body);
	CHECK_NUMBER("granted", gateway_granted(WHOLE("{\"ID\":\"77\",\"TTL\":\"60\"}"), &lease, &why), 0);
	CHECK_NUMBER("lease", lease, 77);
	CHECK_NUMBER("none granted", gateway_granted(WHOLE("{}"), &lease, &why), -EBADMSG);
	CHECK_NUMBER("kept", gateway_kept(WHOLE("{\"result\":{\"ID\":\"77\",\"TTL\":\"60\"}}"), &is_there, &why), 0);
	CHECK(is_there, "the lease is not there");
	CHECK_NUMBER("gone", gateway_kept(WHOLE("{\"result\":{\"ID\":\"77\"}}"), &is_there, &why), 0);
	CHECK(!is_there, "the lease is there");
	gateway_refused(WHOLE("{\"error\":\"e\",\"code\":7,\"message\":\"etcdserver: permission denied\"}"), 403, &why);
	CHECK_TEXT("refused", why.text, "etcd answers with 403: etcdserver: permission denied");
	gateway_keys_free(&keys);
}

/* ---- what became of a document ---- */

TEST(what_apply_says_counts_only_with_its_exit_status)
{
	static const struct {
		int status;
		const char *out, *err;
		enum outcome_kind kind;
		const char *why;
	} rows[] = {
		{ 0, "{\"outcome\":\"applied\",\"why\":null}", "", OUTCOME_APPLIED, "" },
		{ 0, "{\"outcome\":\"unchanged\"}", "", OUTCOME_UNCHANGED, "" },
		{ 1, "{\"outcome\":\"refused\",\"why\":\"id 0\"}", "", OUTCOME_REFUSED, "id 0" },
		{ 1, "{\"outcome\":\"refused\",\"why\":\"another change is being made, or waits\"}", "", OUTCOME_WAITS,
		  "another change is being made, or waits" },
		{ 3, "{\"outcome\":\"rolled-back\",\"why\":\"qlink0\"}", "", OUTCOME_ROLLED_BACK, "qlink0" },
		{ 1, "{\"outcome\":\"applied\"}", "no\nmore", OUTCOME_FAILED, "qlinkctl apply ended with 1: no" },
		{ 0, "{\"outcome\":\"waits\"}", "", OUTCOME_FAILED, "qlinkctl apply ended with 0: " },
		{ 127, "", "not there", OUTCOME_FAILED, "qlinkctl apply ended with 127: not there" },
		{ -1, "{\"outcome\":\"applied\"}", "", OUTCOME_FAILED, "qlinkctl apply was killed, or took too long: " },
	};
	struct outcome outcome;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		outcome_of_apply(&outcome, rows[i].status, rows[i].out, rows[i].err);
		CHECK_TEXT("outcome", outcome_name(outcome.kind), outcome_name(rows[i].kind));
		CHECK_TEXT("why", outcome.why, rows[i].why);
	}
}

/* JSON carries no others: without this, nobody would learn the reason. */
TEST(a_reason_has_only_whole_letters)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "a \xc3\xbc \xe2\x82\xac \xf0\x9f\x9a\x80", "a \xc3\xbc \xe2\x82\xac \xf0\x9f\x9a\x80" },
		{ "cut \xc3", "cut ?" },
		{ "cut \xe2\x82", "cut ??" },
		{ "cut \xf0\x9f\x9a", "cut ???" },
		{ "too long \xc0\x80 \xe0\x9f\xbf \xf0\x8f\xbf\xbf", "too long ?? ??? ????" },
		{ "surrogate \xed\xa0\x80", "surrogate ???" },
		{ "above all \xf4\x90\x80\x80 \xff", "above all ???? ?" },
		{ "\xbf within", "? within" },
	};
	struct outcome outcome;
	struct qlink_why why;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		outcome_set(&outcome, OUTCOME_REFUSED, "%s", rows[i].text);
		CHECK_TEXT("outcome", outcome.why, rows[i].want);
		qlink_refuse(&why, 0, "%s", rows[i].text);
		CHECK_TEXT("rule", why.text, rows[i].want);
	}
}

TEST(a_status_says_what_is_wanted_and_what_is_so)
{
	struct outcome outcome = { 0 };
	json_t *links = json_pack("{s:s}", "qlink0", "protected");
	struct standing standing = { .site = "a", .outcome = &outcome };
	char *text;

	outcome_set(&outcome, OUTCOME_NO_DOCUMENT, "there is no %s", "/qlink/sites/a");
	text = standing_text(&standing, 0);
	CHECK_TEXT("nothing", text, "{\"site\":\"a\",\"version\":\"" QLINK_VERSION "\",\"time\":\"1970-01-01T00:00:00Z\","
		   "\"wanted\":null,\"applied\":null,\"outcome\":\"no-document\",\"why\":\"there is no /qlink/sites/a\","
		   "\"links\":null}");
	free(text);
	outcome_set(&outcome, OUTCOME_APPLIED, "%s", "");
	standing.wanted = standing.applied = 12;
	standing.links = links;
	text = standing_text(&standing, 1000000000);
	CHECK_TEXT("all", text, "{\"site\":\"a\",\"version\":\"" QLINK_VERSION "\",\"time\":\"2001-09-09T01:46:40Z\","
		   "\"wanted\":12,\"applied\":12,\"outcome\":\"applied\",\"why\":null,\"links\":{\"qlink0\":\"protected\"}}");
	free(text);
	json_decref(links);
}

TEST(what_was_tried_is_kept)
{
	char folder[] = "/tmp/qlink-follow-XXXXXX", state[80], path[90], command[80];
	struct kept kept = { .applied = 2 }, again;
	struct documents documents = { .cluster = UINT64_MAX, .common.revision = 3, .site.revision = 4 };
	struct qlink_why why;

	if (!mkdtemp(folder))
		BAIL_OUT();
	snprintf(state, sizeof(state), "%s/state", folder);
	kept_take(&kept, &documents);
	outcome_set(&kept.outcome, OUTCOME_REFUSED, "id 0");
	kept.agent = json_pack("{s:s}", "name", "a");
	CHECK_NUMBER("no file", kept_read(&again, state, "a", &why), 0);
	CHECK(!kept_is_of(&again, &documents), "nothing is taken for something");
	CHECK_NUMBER("write", kept_write(&kept, state, "a", &why), 0);
	CHECK_NUMBER("read", kept_read(&again, state, "a", &why), 0);
	CHECK(kept_is_of(&again, &documents), "they are not the same");
	CHECK_NUMBER("applied", again.applied, 2);
	CHECK_TEXT("outcome", outcome_name(again.outcome.kind), "refused");
	CHECK_TEXT("why", again.outcome.why, "id 0");
	CHECK(json_equal(again.agent, kept.agent), "the agent is another");
	documents.site.revision = 5;
	CHECK(!kept_is_of(&again, &documents), "another revision is the same");
	documents.site.revision = 4;
	documents.cluster = 1;
	CHECK(!kept_is_of(&again, &documents), "another etcd is the same");
	kept_free(&again);
	kept_free(&kept);
	snprintf(path, sizeof(path), "%s/a.json", state);
	if (truncate(path, 5))
		BAIL_OUT();
	CHECK_NUMBER("half a file", kept_read(&again, state, "a", &why), -EBADMSG);
	CHECK(!again.site, "half a file has a document");
	snprintf(command, sizeof(command), "rm -r %s", folder);
	CHECK_NUMBER("clean", system(command), 0);
}

/* ---- the child ---- */

/* Waits until it has ended. */
static int wait_for(struct child *child, uint64_t now)
{
	int status;

	while (child_end(child, now, &status) == -EAGAIN)
		child_read(child);
	return status;
}

TEST(a_child_reads_a_document_and_its_output_is_bounded)
{
	char *const copies[] = { "sh", "-c", "cat; echo said >&2; exit 3", NULL };
	char *const floods[] = { "sh", "-c", "head -c 9000000 /dev/zero | tr '\\0' x", NULL };
	char *const hangs[] = { "sleep", "1000", NULL };
	char *const missing[] = { "qlink-not-there", NULL };
	struct child child;
	struct qlink_why why;

	CHECK_NUMBER("start", child_start(&child, copies, "{}", 2, UINT64_MAX, &why), 0);
	CHECK_NUMBER("status", wait_for(&child, 0), 3);
	CHECK_TEXT("out", child.out.text, "{}");
	CHECK_TEXT("err", child.err.text, "said\n");
	child_free(&child);
	CHECK_NUMBER("start", child_start(&child, floods, "", 0, UINT64_MAX, &why), 0);
	CHECK_NUMBER("status", wait_for(&child, 0), 0);
	CHECK_NUMBER("output", child.out.len, CHILD_OUTPUT_BYTES);
	child_free(&child);
	CHECK_NUMBER("start", child_start(&child, hangs, "", 0, 5, &why), 0);
	CHECK_NUMBER("killed", wait_for(&child, 5), -1);
	child_free(&child);
	CHECK_NUMBER("no such program", child_start(&child, missing, "", 0, 5, &why), -ENOENT);
	CHECK_TEXT("why", why.text, "qlink-not-there: No such file or directory");
}

/* ---- the configuration ---- */

/* What is wrong with a file, with its name cut off; empty if nothing is. */
static const char *read_options(struct options *options, const char *content)
{
	static struct qlink_why why;
	char path[] = "/tmp/qlink-follow-XXXXXX";
	int fd = mkstemp(path);
	const char *text;

	if (fd < 0 || write(fd, content, strlen(content)) < 0)
		BAIL_OUT();
	close(fd);
	why.text[0] = '\0';
	options_read(options, "a", path, &why);
	unlink(path);
	text = strstr(why.text, path);
	return text ? text + strlen(path) + 1 : why.text;
}

TEST(the_configuration_has_defaults_and_is_checked)
{
	static const struct {
		const char *content, *why;
	} rows[] = {
		{ "", " lacks a section etcd with endpoints" },
		{ "etcd\n ttl 20\n", "1: etcd: lacks endpoints" },
		{ "etcd\n endpoints http://192.0.2.1:2379\n", "2: endpoints http://192.0.2.1:2379: must begin with https://, or "
		  "with http:// and an address of this host itself" },
		{ "etcd\n endpoints http://127.0.0.1.example:1\n", "2: endpoints http://127.0.0.1.example:1: must begin with "
		  "https://, or with http:// and an address of this host itself" },
		{ "etcd\n endpoints https://a:1/v3\n", "2: endpoints https://a:1/v3: has a path; the port must be the last part" },
		{ "etcd\n endpoints https://a:1\n key /k\n", "1: etcd: has key and lacks certificate, which it needs" },
		{ "etcd\n endpoints https://a:1\n user u\n", "1: etcd: has user and lacks password-file, which it needs" },
		{ "etcd\n endpoints https://a:1\n prefix /q/\n", "3: prefix /q/: must begin with / and not end with it" },
		{ "etcd\n endpoints https://a:1\napply\n confirm 0\n", "4: confirm 0: not a number from 1 to 3600" },
		{ "etcd\n endpoints https://a:1\napply\n prune maybe\n", "4: prune maybe: not yes or no" },
	};
	struct options options;
	struct qlink_why why;
	size_t i;

	CHECK_TEXT("good", read_options(&options, "etcd\n endpoints https://a:1 http://localhost:2\napply\n prune yes\n"), "");
	CHECK_NUMBER("endpoints", options.n_endpoints, 2);
	CHECK_TEXT("prefix", options.prefix, "/qlink");
	CHECK_NUMBER("ttl", options.ttl_ms, 60000);
	CHECK_NUMBER("confirm", options.confirm_ms, 30000);
	CHECK_NUMBER("prune", options.prune, 1);
	options_free(&options);
	for (i = 0; i < COUNT(rows); i++) {
		CHECK_TEXT(rows[i].content, read_options(&options, rows[i].content), rows[i].why);
		options_free(&options);
	}
	CHECK_NUMBER("a name that leaves the folder", options_read(&options, "../a", "/dev/null", &why), -EINVAL);
	CHECK_TEXT("why", why.text, "site ../a: must have at most 253 letters, digits and -._, and begin with a letter or a digit");
	options_free(&options);
}
