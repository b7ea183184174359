// SPDX-License-Identifier: GPL-2.0-or-later
/* Has a site be as its documents in etcd say. */
#include "follower.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "libqlink/qlink.h"
#include "linkstate.h"
#include "overlay.h"
#include "say.h"
#include "standing.h"

/* A second change within this time is applied with the first. */
#define DEBOUNCE_MS	100
/* Between two looks at the links. */
#define LOOK_MS		5000
/* After that much time the status says that a change waits for its links. */
#define WAITS_MS	2000
/* What apply may take beyond the time for its links. */
#define APPLY_MS	60000

static uint64_t newer(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static uint64_t first_of(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* What sites have in common is no site by itself. */
static uint64_t wanted_revision(const struct follower *follower)
{
	const struct documents *documents = &follower->etcd.documents;

	return documents->site.text ? newer(documents->common.revision, documents->site.revision) : 0;
}

/* The revision that the site is as, if it is one of this etcd and of its history. */
static uint64_t applied_revision(const struct follower *follower)
{
	const struct documents *documents = &follower->etcd.documents;
	const struct kept *kept = &follower->kept;

	return kept->cluster == documents->cluster && kept->applied <= documents->revision ? kept->applied : 0;
}

/* ---- what is wanted ---- */

static void set_outcome(struct follower *follower, const struct outcome *outcome)
{
	follower->outcome = *outcome;
	follower->must_tell = true;
}

/*
 * An etcd that was never asked, or another one than before, has nothing to say about a site by having
 * no document: only one that was there and applied can have been deleted. An etcd that was set up anew
 * with the same names and addresses has the same number; its revisions begin again.
 */
static bool was_deleted(const struct follower *follower)
{
	return follower->kept.site && applied_revision(follower) && follower->etcd.documents.revision > follower->kept.site;
}

/* It is told with what else there is to tell: most documents are applied at once. */
static void begin_waiting(struct follower *follower, uint64_t revision)
{
	outcome_set(&follower->outcome, OUTCOME_WAITS, "revision %" PRIu64 " is being applied", revision);
}

static void miss_document(struct follower *follower)
{
	const char *key = follower->etcd.keys.site;
	struct outcome outcome;

	outcome_set(&outcome, OUTCOME_NO_DOCUMENT, was_deleted(follower) ?
		    "%s was deleted; the site stays as it is, as prune is no" :
		    "there is no %s; the site stays as it is", key);
	if (strcmp(outcome.why, follower->outcome.why))
		say(LOG_NOTICE, "%s", outcome.why);
	set_outcome(follower, &outcome);
	follower->apply_ms = UINT64_MAX;
}

/* Decides what to do about documents that may have changed. */
static void decide(struct follower *follower, uint64_t now)
{
	const struct documents *documents = &follower->etcd.documents;

	if (follower->child.pid)
		return;
	if (kept_is_of(&follower->kept, documents)) {
		set_outcome(follower, &follower->kept.outcome);
		follower->apply_ms = UINT64_MAX;
	} else if (!documents->site.text && !(follower->options->prune && was_deleted(follower))) {
		miss_document(follower);
	} else {
		backoff_reset(&follower->backoff);
		if (!kept_is_of(&follower->tried, documents))
			begin_waiting(follower, newer(documents->common.revision, documents->site.revision));
		/* Changes without end do not put it off for ever. */
		follower->apply_ms = first_of(follower->apply_ms, now + DEBOUNCE_MS);
	}
}

/* ---- a try ---- */

/* Remembers what was tried. What the site is as, it still is after a try without success. */
static void keep(struct follower *follower, const struct outcome *outcome, bool is_done)
{
	struct kept *kept = &follower->kept, *tried = &follower->tried;
	struct qlink_why why;

	tried->outcome = *outcome;
	tried->applied = is_done ? newer(tried->common, tried->site) : applied_revision(follower);
	if (!is_done) {
		json_decref(tried->agent);
		tried->agent = json_incref(kept->agent);
	}
	kept_free(kept);
	*kept = *tried;
	json_incref(kept->agent);
	follower->apply_ms = UINT64_MAX;
	if (kept_write(kept, follower->options->state, follower->options->site, &why))
		say(LOG_WARNING, "%s; after a restart the document is applied again", why.text);
}

/* The end of a try, successful or not. */
static void conclude(struct follower *follower, const struct outcome *outcome, uint64_t now)
{
	struct kept *tried = &follower->tried;
	uint64_t revision = newer(tried->common, tried->site);
	bool is_done = outcome->kind == OUTCOME_APPLIED || outcome->kind == OUTCOME_UNCHANGED;

	/* The same failure is not said again. */
	if (outcome_is_final(outcome->kind) || strcmp(outcome->why, follower->outcome.why))
		say(is_done ? LOG_INFO : LOG_WARNING, "revision %" PRIu64 ": %s%s%s", revision, outcome_name(outcome->kind),
		    *outcome->why ? ": " : "", outcome->why);
	follower->look_ms = now;
	set_outcome(follower, outcome);
	if (outcome_is_final(outcome->kind))
		keep(follower, outcome, is_done);
	else
		follower->apply_ms = now + backoff_next(&follower->backoff, (uint32_t)now);
	if (!kept_is_of(tried, &follower->etcd.documents))
		decide(follower, now);
}

/* Parses one document; sets @outcome if it is no JSON object. */
static json_t *parse(const char *key, const struct document *document, struct outcome *outcome)
{
	json_error_t error;
	json_t *object = json_loadb(document->text, document->len, JSON_REJECT_DUPLICATES, &error);

	if (json_is_object(object))
		return object;
	if (object)
		outcome_set(outcome, OUTCOME_REFUSED, "%s: is not a JSON object", key);
	else
		outcome_set(outcome, OUTCOME_REFUSED, "%s: line %d: %s", key, error.line, error.text);
	json_decref(object);
	return NULL;
}

/* What a document says of the agent itself, without its key servers, peers and defaults. */
static json_t *agent_alone(const json_t *document)
{
	const json_t *agent = json_object_get(document, "qlink:agent");
	json_t *alone = json_object(), *value;
	const char *name;

	json_object_foreach((json_t *)agent, name, value) {
		if (!json_is_object(value) && !json_is_object(json_array_get(value, 0)))
			json_object_set(alone, name, value);
	}
	return alone;
}

/* The document of a site; NULL with @outcome if there is none. */
static json_t *site_document(const struct follower *follower, struct outcome *outcome)
{
	const struct documents *documents = &follower->etcd.documents;
	json_t *common = NULL, *site, *whole = NULL;

	/* It was deleted, and we prune: what remains is an agent without links. */
	if (!documents->site.text)
		return json_pack("{s:O*}", "qlink:agent", follower->kept.agent);
	site = parse(follower->etcd.keys.site, &documents->site, outcome);
	if (site && documents->common.text)
		common = parse(follower->etcd.keys.common, &documents->common, outcome);
	if (site && (common || !documents->common.text)) {
		whole = overlay_documents(common, site);
		if (!whole)
			outcome_set(outcome, OUTCOME_FAILED, "no memory for the document");
	}
	json_decref(common);
	json_decref(site);
	return whole;
}

static void add_option(char **argv, size_t *n, const char *option, const char *value)
{
	if (!value)
		return;
	argv[(*n)++] = (char *)option;
	argv[(*n)++] = (char *)value;
}

static int start_child(struct follower *follower, const char *document, uint64_t now, struct qlink_why *why)
{
	const struct options *options = follower->options;
	char *argv[20] = { "qlinkctl", "-j" }, confirm[24];
	size_t n = 2;

	snprintf(confirm, sizeof(confirm), "%" PRIu64, options->confirm_ms / 1000);
	add_option(argv, &n, "-c", options->control);
	add_option(argv, &n, "-f", options->folder);
	argv[n++] = "apply";
	add_option(argv, &n, "--confirm", confirm);
	argv[n++] = "--if-protected";
	if (options->prune)
		argv[n++] = "--prune";
	add_option(argv, &n, "--config", options->config);
	add_option(argv, &n, "--pending", options->pending);
	argv[n++] = "-";
	follower->waits_ms = now + WAITS_MS;
	return child_start(&follower->child, argv, document, strlen(document), now + options->confirm_ms + APPLY_MS, why);
}

static void try(struct follower *follower, uint64_t now)
{
	const struct documents *documents = &follower->etcd.documents;
	struct outcome outcome = { .kind = OUTCOME_FAILED };
	json_t *document = site_document(follower, &outcome);
	char *text = document ? json_dumps(document, JSON_COMPACT) : NULL;
	struct qlink_why why;

	follower->apply_ms = UINT64_MAX;
	kept_free(&follower->tried);
	kept_take(&follower->tried, documents);
	follower->tried.agent = agent_alone(document);
	json_decref(document);
	if (text && start_child(follower, text, now, &why))
		outcome_set(&outcome, OUTCOME_FAILED, "%s", why.text);
	free(text);
	if (!follower->child.pid)
		conclude(follower, &outcome, now);
}

static void look_at_child(struct follower *follower, uint64_t now)
{
	struct outcome outcome;
	int status;

	child_read(&follower->child);
	if (!child_end(&follower->child, now, &status)) {
		outcome_of_apply(&outcome, status, follower->child.out.text, follower->child.err.text);
		child_free(&follower->child);
		conclude(follower, &outcome, now);
	} else if (now >= follower->waits_ms) {
		follower->waits_ms = UINT64_MAX;
		begin_waiting(follower, newer(follower->tried.common, follower->tried.site));
		follower->must_tell = true;
	}
}

/* ---- the status ---- */

static void look_at_links(struct follower *follower, uint64_t now)
{
	json_t *links = linkstate_read(&follower->nl);

	follower->look_ms = now + LOOK_MS;
	if (json_equal(links, follower->links)) {
		json_decref(links);
		return;
	}
	json_decref(follower->links);
	follower->links = links;
	follower->must_tell = true;
}

static void tell(struct follower *follower)
{
	struct standing standing = {
		.site = follower->options->site, .wanted = wanted_revision(follower),
		.applied = applied_revision(follower), .outcome = &follower->outcome,
		.links = follower->links,
	};
	char *text = standing_text(&standing, time(NULL));

	if (!text)
		return;
	etcd_put(&follower->etcd, text);
	follower->must_tell = false;
}

/* ---- the whole ---- */

void follower_run(struct follower *follower, uint64_t now)
{
	etcd_run(&follower->etcd, now);
	if (etcd_take_change(&follower->etcd))
		decide(follower, now);
	if (follower->child.pid)
		look_at_child(follower, now);
	else if (now >= follower->apply_ms)
		try(follower, now);
	if (now >= follower->look_ms)
		look_at_links(follower, now);
	/* Before the first documents there is nothing to tell. */
	if (follower->must_tell && follower->outcome.kind)
		tell(follower);
}

uint64_t follower_due(const struct follower *follower)
{
	uint64_t due = first_of(etcd_due(&follower->etcd), follower->look_ms);

	if (follower->child.pid)
		return first_of(due, first_of(follower->waits_ms, follower->child.deadline_ms));
	return first_of(due, follower->apply_ms);
}

void follower_text(const struct follower *follower, char *text, size_t room)
{
	uint64_t wanted = wanted_revision(follower);

	if (follower->etcd.state != ETCD_UP)
		snprintf(text, room, "no etcd: %.200s", *follower->etcd.why.text ? follower->etcd.why.text : "connecting");
	else if (follower->outcome.kind)
		snprintf(text, room, "revision %" PRIu64 ": %s%s%.200s", wanted, outcome_name(follower->outcome.kind),
			 *follower->outcome.why ? ": " : "", follower->outcome.why);
	else
		snprintf(text, room, "revision %" PRIu64, wanted);
}

int follower_open(struct follower *follower, const struct options *options, struct qlink_why *why)
{
	struct qlink_why unreadable;

	*follower = (struct follower){ .options = options, .apply_ms = UINT64_MAX, .child.pidfd = -1 };
	follower->child.out.fd = follower->child.err.fd = -1;
	if (kept_read(&follower->kept, options->state, options->site, &unreadable))
		say(LOG_WARNING, "%s; the document is applied again", unreadable.text);
	return etcd_open(&follower->etcd, options, why);
}

void follower_close(struct follower *follower)
{
	child_free(&follower->child);
	kept_free(&follower->kept);
	kept_free(&follower->tried);
	etcd_close(&follower->etcd);
	qlink_nl_close(follower->nl);
	json_decref(follower->links);
}
