// SPDX-License-Identifier: GPL-2.0-or-later
/* qlinkctl apply, confirm, rollback: the configuration of a site as a document has it, all of it or nothing. */
#include "change.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "activate.h"
#include "common/number.h"
#include "common/printable.h"
#include "guard.h"
#include "qlinkctl/site/agentfile.h"
#include "qlinkctl/site/document.h"
#include "undo.h"

#define SECONDS_MAX	86400
#define NOTES		2000

/* One change, while it is made. */
struct run {
	struct ctl *ctl;
	uint32_t seconds;
	struct pending pending;
	struct plan plan;
	struct proof proof;
	struct guard guard;
	char notes[NOTES];
	/* Paths of the command line, from the root: a guard works in another folder. */
	char *folder, *config, *control;
};

/* ---- what is said ---- */

static json_t *outcome_json(const struct run *run, const char *outcome, const char *why)
{
	bool changed = !strcmp(outcome, "applied") || !strcmp(outcome, "waits");

	return json_pack("{s:b, s:o, s:s, s:s?}", "changed", changed, "differences",
			 difference_json(&run->plan.differences), "outcome", outcome, "why", why);
}

/* Scripts get one object, whatever comes of it. */
static int print_outcome(const struct run *run, const char *outcome, const char *why, int status)
{
	return ctl_print_json(outcome_json(run, outcome, why)) ?: status;
}

/* The reason may have words of the document, cut anywhere. */
static int refuse(const struct run *run, const char *why)
{
	char text[1400];

	snprintf(text, sizeof(text), "%s", why);
	qlink_make_printable(text);
	if (run->ctl->json)
		return print_outcome(run, "refused", text, CTL_FAILED);
	return ctl_fail("%s", text);
}

static int say(const struct run *run, const char *outcome, const char *text)
{
	if (run->ctl->json)
		return print_outcome(run, outcome, NULL, CTL_OK);
	fputs(run->notes, stdout);
	printf("%s\n", text);
	return CTL_OK;
}

/* Of confirm and rollback. */
static int say_end(const struct ctl *ctl, const char *outcome, const char *text, int status)
{
	if (ctl->json)
		return ctl_print_json(json_pack("{s:s, s:s}", "outcome", outcome, "why", text)) ?: status;
	if (status)
		return ctl_fail("%s", text);
	printf("%s\n", text);
	return CTL_OK;
}

/* ---- the document ---- */

static json_t *load(const char *path, struct document_error *error)
{
	FILE *from = strcmp(path, "-") ? fopen(path, "re") : stdin;
	json_t *root = NULL;

	if (!from)
		snprintf(error->text, sizeof(error->text), "%.300s: %s", path, strerror(errno));
	else
		root = document_load(from, path, error);
	if (from && from != stdin)
		fclose(from);
	return root;
}

/* One that was not given stays so. */
static int take_path(const char **path, char **kept)
{
	if (!*path)
		return CTL_OK;
	*kept = whole_path(*path);
	if (!*kept)
		return ctl_fail("%s: %s", *path, strerror(errno));
	*path = *kept;
	return CTL_OK;
}

/* A link stays one: what it leads to is replaced. Without a file there is only its name. */
static int take_config(struct run *run)
{
	struct ctl *ctl = run->ctl;

	ctl->config = ctl->config ?: AGENTFILE_PATH;
	run->config = realpath(ctl->config, NULL);
	if (!run->config)
		return take_path(&ctl->config, &run->config);
	ctl->config = run->config;
	return CTL_OK;
}

static int take_arguments(struct run *run, int argc)
{
	const struct ctl_change *change = &run->ctl->change;
	uint64_t seconds = 0;
	struct qlink_why why;

	if (argc != 1)
		return ctl_usage("apply needs one file, or - for standard input");
	if (change->if_protected && !change->confirm)
		return ctl_usage("--if-protected: needs --confirm");
	if (change->confirm && qlink_parse_number(change->confirm, 1, SECONDS_MAX, &seconds, &why))
		return ctl_usage("--confirm \"%s\": %s", change->confirm, why.text);
	run->seconds = (uint32_t)seconds;
	if (!run->ctl->folder)
		run->ctl->folder = DECLARED_FOLDER;
	return take_path(&run->ctl->folder, &run->folder) ?: take_config(run) ?:
	       take_path(&run->ctl->control, &run->control);
}

/* ---- before ---- */

/* One that was interrupted, by whatever ended it: nobody knows how far it came. */
static int recover(struct run *run)
{
	struct qlink_why why;

	if (!pending_has_change(&run->pending))
		return CTL_OK;
	if (undo_change(run->ctl, &run->pending, true, "it was interrupted", &why))
		return refuse(run, why.text);
	ctl_warn("a change before this one was interrupted: what was before that one was put back");
	return CTL_OK;
}

/* Only one who may change something makes the folder. */
static int lock(struct run *run)
{
	struct qlink_why why;

	if (pending_open(&run->pending, run->ctl->change.pending, &why) || pending_lock(&run->pending, &why))
		return refuse(run, why.text);
	return recover(run);
}

/* ---- the change ---- */

static int put_back(struct run *run, const char *reason)
{
	struct qlink_why why;
	char text[1000];

	if (undo_change(run->ctl, &run->pending, run->plan.has_told_agent, reason, &why)) {
		snprintf(text, sizeof(text), "%s; what was before could not be put back: %s; \"qlinkctl rollback\" tries again",
			 reason, why.text);
		return refuse(run, text);
	}
	guard_dismiss(&run->guard);
	snprintf(text, sizeof(text), "%s; nothing was changed%s%s", reason, *why.text ? ", but " : "", why.text);
	return refuse(run, text);
}

/* What was before is kept, and a guard looks after it, before anything changes. */
static int prepare(struct run *run)
{
	struct before *before = &run->plan.before;
	bool has_proof = run->ctl->change.if_protected;
	struct ctl there = *run->ctl;
	struct qlink_why why;
	int err;

	/* The agent that has the links, which the guard asks. */
	there.control = run->plan.control;

	before->seconds = run->seconds;
	if (has_proof && proof_record(&run->proof, &run->plan, &why))
		return refuse(run, why.text);
	err = before_save(before, run->pending.change);
	if (err) {
		qlink_refuse(&why, err, "%s: %s", run->pending.change, strerror(-err));
		return refuse(run, why.text);
	}
	if (!run->seconds || !guard_start(&run->guard, &there, &run->pending, has_proof ? &run->proof : NULL, &why))
		return CTL_OK;
	before_forget(run->pending.change);
	return refuse(run, why.text);
}

static int end_at_once(struct run *run)
{
	int err = before_forget(run->pending.change);

	if (err)
		return put_back(run, strerror(-err));
	pending_note(&run->pending, "applied", NULL);
	if (run->plan.changes_links)
		undo_tell_service(run->ctl);
	return say(run, "applied", "applied");
}

static int await(struct run *run)
{
	char text[GUARD_TEXT];

	if (guard_wait(&run->guard, text))
		return say(run, "applied", "applied: all links are as well protected as before");
	if (run->ctl->json)
		return print_outcome(run, "rolled-back", text, CTL_PUT_BACK);
	ctl_fail("%s", text);
	return CTL_PUT_BACK;
}

/* The time runs from here. */
static int begin_waiting(struct run *run)
{
	struct before *before = &run->plan.before;
	struct timespec now;
	char text[200];
	int err;

	clock_gettime(CLOCK_BOOTTIME, &now);
	before->deadline_ms = (uint64_t)(now.tv_sec + run->seconds) * 1000 + (uint64_t)now.tv_nsec / 1000000;
	err = before_save_times(before, run->pending.change);
	if (!err)
		err = guard_done(&run->guard);
	if (err)
		return put_back(run, strerror(-err));
	/* From now on only the guard has the lock. */
	pending_unlock(&run->pending);
	if (run->plan.changes_links)
		undo_tell_service(run->ctl);
	if (run->ctl->change.if_protected)
		return await(run);
	snprintf(text, sizeof(text), "applied; \"qlinkctl confirm\" keeps it, or what was before is put back in %u s",
		 run->seconds);
	return say(run, "waits", text);
}

static int make(struct run *run)
{
	struct qlink_why why;
	int err = prepare(run);

	if (err)
		return err;
	if (activate_plan(&run->plan, run->notes, sizeof(run->notes), &why))
		return put_back(run, why.text);
	return run->seconds ? begin_waiting(run) : end_at_once(run);
}

static int apply(struct run *run, const json_t *root)
{
	struct qlink_why why;
	int err = ctl_open(run->ctl);

	if (!err && !run->ctl->change.check)
		err = lock(run);
	if (err)
		return err;
	if (plan_make(&run->plan, run->ctl, root, &why))
		return refuse(run, why.text);
	if (!run->ctl->json)
		difference_print(&run->plan.differences, stdout);
	fflush(stdout);
	if (!run->plan.differences.n && !run->plan.n_files)
		return say(run, "unchanged", "nothing to change");
	if (run->ctl->change.check)
		return say(run, "checked", "nothing was changed");
	return make(run);
}

static int apply_file(struct run *run, const char *path)
{
	struct document_error error = { "" };
	json_t *root = load(path, &error);
	int err = root ? apply(run, root) : refuse(run, error.text);

	json_decref(root);
	return err;
}

int change_apply(struct ctl *ctl, int argc, char **argv)
{
	struct run run = { .ctl = ctl, .pending.lock = -1, .guard.fd = -1 };
	const struct ctl given = *ctl;
	int err = take_arguments(&run, argc);

	if (!err)
		err = apply_file(&run, argv[0]);
	pending_close(&run.pending);
	plan_free(&run.plan);
	proof_free(&run.proof);
	ctl->folder = given.folder;
	ctl->config = given.config;
	ctl->control = given.control;
	free(run.folder);
	free(run.config);
	free(run.control);
	return err;
}

/* ---- confirm, rollback ---- */

static int none_waits(const struct ctl *ctl, const struct pending *pending)
{
	char last[300], text[400];

	pending_last(pending, last, sizeof(last));
	snprintf(text, sizeof(text), "no change waits%s", last);
	return say_end(ctl, "none", text, CTL_FAILED);
}

/* Somebody has the lock: the guard, or a command that makes a change. */
static int ask_guard(const struct ctl *ctl, const struct pending *pending, const char *what, const char *outcome)
{
	char text[GUARD_TEXT] = "";
	bool is_done = false;
	int err = guard_ask(pending, what, text, &is_done);

	if (err)
		return say_end(ctl, "none", "a change is being made: try again when it is done", CTL_FAILED);
	return say_end(ctl, is_done ? outcome : "none", text, is_done ? CTL_OK : CTL_FAILED);
}

/* The guard was killed, and the time is not over. */
static bool may_be_confirmed(const struct pending *pending)
{
	struct before before;
	struct timespec now;
	bool may;

	clock_gettime(CLOCK_BOOTTIME, &now);
	may = !before_load(&before, pending->change) && before.deadline_ms && before_is_this_boot(&before) &&
	      (uint64_t)now.tv_sec * 1000 < before.deadline_ms;
	before_free(&before);
	return may;
}

static int confirm_locked(const struct ctl *ctl, const struct pending *pending)
{
	int err;

	if (!pending_has_change(pending))
		return none_waits(ctl, pending);
	if (!may_be_confirmed(pending))
		return say_end(ctl, "none", "the change was interrupted, or its time is over: \"qlinkctl rollback\" puts back "
			       "what was before", CTL_FAILED);
	err = before_forget(pending->change);
	if (err)
		return say_end(ctl, "none", strerror(-err), CTL_FAILED);
	pending_note(pending, "confirmed", "by qlinkctl confirm");
	return say_end(ctl, "confirmed", "confirmed", CTL_OK);
}

static int roll_back_locked(struct ctl *ctl, const struct pending *pending)
{
	struct qlink_why why;
	char text[500];

	if (!pending_has_change(pending))
		return ctl->change.if_interrupted ? CTL_OK : none_waits(ctl, pending);
	if (undo_change(ctl, pending, true,
			ctl->change.if_interrupted ? "it was interrupted" : "qlinkctl rollback was called", &why))
		return say_end(ctl, "none", why.text, CTL_FAILED);
	/* The service reads its files afterwards if it is the one that called this. */
	if (!ctl->change.if_interrupted)
		undo_tell_service(ctl);
	snprintf(text, sizeof(text), "a change was interrupted: what was before was put back%s%s", *why.text ? "; " : "",
		 why.text);
	return say_end(ctl, "rolled-back", text, CTL_OK);
}

static int end_change(struct ctl *ctl, const char *what, int argc, char **argv)
{
	bool confirms = !strcmp(what, "confirm");
	struct pending pending = { .lock = -1 };
	struct qlink_why why;
	int err;

	if (argc)
		return ctl_usage("\"%s\": %s takes no argument", argv[0], what);
	err = pending_open(&pending, ctl->change.pending, &why);
	if (!err && ctl->change.if_interrupted && !pending_has_change(&pending)) {
		pending_close(&pending);
		return CTL_OK;
	}
	if (!err)
		err = pending_lock(&pending, &why);
	if (err == -EBUSY)
		err = ctl->change.if_interrupted ? CTL_OK :
		      ask_guard(ctl, &pending, what, confirms ? "confirmed" : "rolled-back");
	else if (err)
		err = ctl_fail("%s", why.text);
	else
		err = confirms ? confirm_locked(ctl, &pending) : roll_back_locked(ctl, &pending);
	pending_close(&pending);
	return err;
}

int change_confirm(struct ctl *ctl, int argc, char **argv)
{
	return end_change(ctl, "confirm", argc, argv);
}

int change_rollback(struct ctl *ctl, int argc, char **argv)
{
	return end_change(ctl, "rollback", argc, argv);
}
