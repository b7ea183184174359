// SPDX-License-Identifier: GPL-2.0-or-later
/* A change that waits: what was before is put back, whoever ends at any time, or it is kept. */
#include "qlinkctl/change/pending.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "qlinkctl/change/guard.h"
#include "qlinkctl/change/undo.h"
#include "endedat.h"
#include "tap.h"

#define DEADLINE_MS	20000

/* A folder with two files, one of which a change makes, and the folder of the change. */
struct scene {
	char folder[64], old[80], new[80], pending_folder[80];
	struct pending pending;
	struct ctl ctl;
};

static void put(const char *path, const char *text)
{
	const struct whole whole = {
		.text = (char *)text, .n = strlen(text), .mode = 0640, .uid = geteuid(), .gid = getegid(), .exists = true,
	};

	if (whole_write(&whole, path))
		BAIL_OUT();
}

/* The text of a file, or "none". */
static const char *text_of(const char *path)
{
	static char text[200];
	struct whole whole;

	if (whole_read(&whole, path))
		BAIL_OUT();
	snprintf(text, sizeof(text), "%s", whole.exists ? whole.text : "none");
	whole_free(&whole);
	return text;
}

static void open_pending(struct scene *scene)
{
	struct qlink_why why;

	if (pending_open(&scene->pending, scene->pending_folder, &why) || pending_lock(&scene->pending, &why))
		BAIL_OUT();
}

static void scene_begin(struct scene *scene)
{
	*scene = (struct scene){ .ctl.folder = "nowhere" };
	strcpy(scene->folder, "/tmp/test_pending.XXXXXX");
	if (!mkdtemp(scene->folder))
		BAIL_OUT();
	snprintf(scene->old, sizeof(scene->old), "%s/old", scene->folder);
	snprintf(scene->new, sizeof(scene->new), "%s/new", scene->folder);
	snprintf(scene->pending_folder, sizeof(scene->pending_folder), "%s/p", scene->folder);
	put(scene->old, "before\n");
	if (chmod(scene->old, 0604))
		BAIL_OUT();
	open_pending(scene);
}

static void scene_end(struct scene *scene)
{
	char command[100];

	pending_close(&scene->pending);
	snprintf(command, sizeof(command), "rm -r %s", scene->folder);
	if (system(command))
		BAIL_OUT();
}

static void keep(struct scene *scene, struct before *before)
{
	*before = (struct before){ .control = strdup("") };
	if (before_add_file(before, scene->old) || before_add_file(before, scene->new) ||
	    before_save(before, scene->pending.change))
		BAIL_OUT();
}

static void change(struct scene *scene)
{
	put(scene->old, "after\n");
	put(scene->new, "made\n");
}

static bool is_before(struct scene *scene)
{
	struct stat is;

	return !strcmp(text_of(scene->old), "before\n") && !strcmp(text_of(scene->new), "none") &&
	       !stat(scene->old, &is) && (is.st_mode & 0777) == 0604;
}

static bool is_after(struct scene *scene)
{
	return !strcmp(text_of(scene->old), "after\n") && !strcmp(text_of(scene->new), "made\n");
}

static void pause_briefly(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
}

/* The guard holds the lock until it is done. */
static bool is_over(struct scene *scene)
{
	struct qlink_why why;
	int i;

	for (i = 0; i < DEADLINE_MS / 5; i++) {
		if (!pending_lock(&scene->pending, &why))
			return true;
		pending_unlock(&scene->pending);
		pause_briefly();
	}
	return false;
}

/* ---- what is kept ---- */

TEST(what_was_before_is_put_back)
{
	struct before before;
	struct scene scene;
	struct qlink_why why;

	scene_begin(&scene);
	CHECK(!pending_has_change(&scene.pending), "there is a change before the first");
	keep(&scene, &before);
	before_free(&before);
	change(&scene);
	CHECK(is_after(&scene), "the change was not made");
	CHECK_NUMBER("undo", undo_change(&scene.ctl, &scene.pending, true, "for a test", &why), 0);
	CHECK(is_before(&scene), "it is not as before");
	CHECK(!pending_has_change(&scene.pending), "the change is still there");
	scene_end(&scene);
}

/* An administrator tries a file out before it takes the place of another one. */
TEST(a_file_of_somebody_else_stays)
{
	struct scene scene;
	char path[100];

	scene_begin(&scene);
	snprintf(path, sizeof(path), "%s.new", scene.old);
	put(path, "by hand\n");
	put(scene.old, "after\n");
	CHECK_TEXT("the file beside", text_of(path), "by hand\n");
	scene_end(&scene);
}

TEST(devices_are_kept_as_words)
{
	struct before before, after = { 0 };
	struct before_device *device;
	struct site_section *section;
	struct scene scene;

	scene_begin(&scene);
	before = (struct before){ .control = strdup("/run/control"), .seconds = 30, .deadline_ms = 1ULL << 40 };
	device = before_add_device(&before, "qlink0");
	section = device ? site_add(&device->was, SITE_DEVICE, "qlink0") : NULL;
	if (!section || site_set(section, "id", "7") || site_set(section, "up", ""))
		BAIL_OUT();
	device->touched = strdup("id dscp");
	if (!before_add_device(&before, "qlink1") || before_save(&before, scene.pending.change))
		BAIL_OUT();
	CHECK_NUMBER("load", before_load(&after, scene.pending.change), 0);
	CHECK(before_is_this_boot(&after), "another boot");
	CHECK_NUMBER("devices", after.n_devices, 2);
	CHECK_TEXT("touched", after.devices[0].touched, "id dscp");
	CHECK_TEXT("id", site_get(&after.devices[0].was.sections[0], "id"), "7");
	CHECK_TEXT("up", site_get(&after.devices[0].was.sections[0], "up"), "");
	CHECK_NUMBER("what was not there", after.devices[1].was.n_sections, 0);
	CHECK_NUMBER("deadline", after.deadline_ms, 1LL << 40);
	CHECK_TEXT("control", after.control, "/run/control");
	before_free(&before);
	before_free(&after);
	scene_end(&scene);
}

TEST(a_damaged_change_is_not_put_back)
{
	struct before before;
	struct scene scene;
	struct qlink_why why;
	char path[200];

	scene_begin(&scene);
	keep(&scene, &before);
	before_free(&before);
	change(&scene);
	snprintf(path, sizeof(path), "%s/change.json", scene.pending.change);
	put(path, "{}");
	CHECK_NUMBER("undo", undo_change(&scene.ctl, &scene.pending, true, "for a test", &why), -EBADMSG);
	CHECK(is_after(&scene), "something was put back");
	CHECK(pending_has_change(&scene.pending), "it is forgotten");
	scene_end(&scene);
}

TEST(only_one_change_is_made_at_a_time)
{
	struct pending second;
	struct scene scene;
	struct qlink_why why;

	scene_begin(&scene);
	if (pending_open(&second, scene.pending_folder, &why))
		BAIL_OUT();
	CHECK_NUMBER("a second lock", pending_lock(&second, &why), -EBUSY);
	CHECK(strstr(why.text, "another change is being made, or waits"), "said: %s", why.text);
	pending_close(&second);
	scene_end(&scene);
}

TEST(what_cannot_be_kept_whole_is_refused)
{
	struct before before = { .control = strdup("") };
	struct before_device *device;
	struct scene scene;

	scene_begin(&scene);
	/* JSON is UTF-8, and the kernel takes names that are not. */
	device = before_add_device(&before, "qlink\xff");
	if (!device)
		BAIL_OUT();
	device->touched = strdup("");
	CHECK(before_save(&before, scene.pending.change), "a device is lost without a word");
	CHECK(!pending_has_change(&scene.pending), "there is a change");
	before_free(&before);
	scene_end(&scene);
}

TEST(a_folder_that_others_may_write_is_not_trusted)
{
	struct scene scene;
	struct qlink_why why = { "" };

	scene_begin(&scene);
	pending_unlock(&scene.pending);
	if (chmod(scene.pending_folder, 0777))
		BAIL_OUT();
	CHECK_NUMBER("lock", pending_lock(&scene.pending, &why), -EPERM);
	CHECK(strstr(why.text, "others may write"), "said: %s", why.text);
	if (chmod(scene.pending_folder, 0755))
		BAIL_OUT();
	CHECK_NUMBER("lock", pending_lock(&scene.pending, &why), 0);
	scene_end(&scene);
}

/* ---- ended at each step ---- */

/* All of a change, as the command makes it. */
static void make_change(void *arg)
{
	struct scene *scene = arg;
	struct before before;

	keep(scene, &before);
	change(scene);
	if (before_forget(scene->pending.change))
		_exit(1);
	before_free(&before);
}

TEST(whoever_is_ended_at_any_step_leaves_all_or_nothing)
{
	int n, n_nothing = 0, n_back = 0, n_done = 0;
	struct scene scene;
	struct qlink_why why;
	bool goes_on = true;

	for (n = 1; goes_on && !tap_has_failed(); n++) {
		scene_begin(&scene);
		goes_on = is_ended_at(make_change, &scene, n);
		if (!pending_has_change(&scene.pending)) {
			CHECK(is_before(&scene) || is_after(&scene), "ended at %d: half of it is made", n);
			n_nothing += is_before(&scene);
			n_done += is_after(&scene);
		} else {
			CHECK(!undo_change(&scene.ctl, &scene.pending, true, "for a test", &why), "ended at %d: %s", n, why.text);
			CHECK(is_before(&scene), "ended at %d: not as before", n);
			n_back++;
		}
		scene_end(&scene);
	}
	CHECK(n_nothing > 10 && n_back > 10 && n_done > 2, "%d before, %d during, %d after it", n_nothing, n_back, n_done);
}

/* Whoever puts it back may be ended, too. */
static void put_back(void *arg)
{
	struct scene *scene = arg;
	struct qlink_why why;

	undo_change(&scene->ctl, &scene->pending, true, "for a test", &why);
}

TEST(whoever_puts_it_back_may_be_ended)
{
	struct before before;
	struct scene scene;
	struct qlink_why why;
	bool goes_on = true;
	int n;

	for (n = 1; goes_on && !tap_has_failed(); n++) {
		scene_begin(&scene);
		keep(&scene, &before);
		before_free(&before);
		change(&scene);
		goes_on = is_ended_at(put_back, &scene, n);
		if (pending_has_change(&scene.pending))
			CHECK(!undo_change(&scene.ctl, &scene.pending, true, "for a test", &why), "ended at %d: %s", n, why.text);
		CHECK(is_before(&scene), "ended at %d: not as before", n);
		scene_end(&scene);
	}
	CHECK(n > 20, "%d steps", n);
}

/* ---- the guard ---- */

/* A change that waits for so long, by a process that has ended since unless it @stays. */
static void begin_waiting(struct scene *scene, uint32_t ms, bool is_done)
{
	struct before before;
	struct timespec now;
	struct qlink_why why;
	struct guard guard;
	pid_t child = fork();
	int status;

	if (child < 0)
		BAIL_OUT();
	if (child) {
		if (waitpid(child, &status, 0) != child || status)
			BAIL_OUT();
		pending_unlock(&scene->pending);
		return;
	}
	keep(scene, &before);
	if (guard_start(&guard, &scene->ctl, &scene->pending, NULL, &why))
		_exit(1);
	change(scene);
	clock_gettime(CLOCK_BOOTTIME, &now);
	before.seconds = 7;
	before.deadline_ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000 + ms;
	if (is_done && (before_save_times(&before, scene->pending.change) || guard_done(&guard)))
		_exit(1);
	_exit(0);
}

static const char *last_of(struct scene *scene)
{
	static char text[400];

	pending_last(&scene->pending, text, sizeof(text));
	return text;
}

TEST(a_change_that_is_not_confirmed_is_put_back)
{
	struct scene scene;

	scene_begin(&scene);
	begin_waiting(&scene, 50, true);
	CHECK(is_over(&scene), "the guard does not end");
	CHECK(is_before(&scene), "it is not as before");
	CHECK(strstr(last_of(&scene), "rolled back") && strstr(last_of(&scene), "not confirmed in 7 s"), "said: %s",
	      last_of(&scene));
	scene_end(&scene);
}

TEST(a_command_that_ends_half_way_is_put_back)
{
	struct scene scene;

	scene_begin(&scene);
	begin_waiting(&scene, 3600000, false);
	CHECK(is_over(&scene), "the guard does not end");
	CHECK(is_before(&scene), "it is not as before");
	CHECK(strstr(last_of(&scene), "the command was ended while it made the change"), "said: %s", last_of(&scene));
	scene_end(&scene);
}

TEST(a_change_is_confirmed)
{
	char text[GUARD_TEXT] = "";
	struct scene scene;
	bool is_done;

	scene_begin(&scene);
	begin_waiting(&scene, 3600000, true);
	CHECK_NUMBER("asked", guard_ask(&scene.pending, "nonsense", text, &is_done), 0);
	CHECK(!is_done && strstr(text, "neither confirm nor rollback"), "said: %s", text);
	CHECK_NUMBER("asked", guard_ask(&scene.pending, "confirm", text, &is_done), 0);
	CHECK(is_done, "said: %s", text);
	CHECK(!pending_has_change(&scene.pending), "it still waits");
	CHECK(is_after(&scene), "it was put back");
	CHECK(is_over(&scene), "the guard does not end");
	scene_end(&scene);
}

/* What keeps a change from being forgotten, as a full disk does. */
static void block_forgetting(struct scene *scene, bool is_blocked)
{
	char old[160], path[200];

	snprintf(old, sizeof(old), "%s.old", scene->pending.change);
	snprintf(path, sizeof(path), "%s/folder", old);
	if (is_blocked ? mkdir(old, 0700) || mkdir(path, 0700) : rmdir(path))
		BAIL_OUT();
}

TEST(a_guard_that_cannot_confirm_goes_on)
{
	char text[GUARD_TEXT] = "";
	struct scene scene;
	bool is_done = true;

	scene_begin(&scene);
	begin_waiting(&scene, 3600000, true);
	block_forgetting(&scene, true);
	CHECK_NUMBER("asked", guard_ask(&scene.pending, "confirm", text, &is_done), 0);
	CHECK(!is_done && pending_has_change(&scene.pending), "said: %s", text);
	block_forgetting(&scene, false);
	CHECK_NUMBER("asked again", guard_ask(&scene.pending, "confirm", text, &is_done), 0);
	CHECK(is_done && is_after(&scene), "said: %s", text);
	CHECK(is_over(&scene), "the guard does not end");
	scene_end(&scene);
}

/* Whoever waits for it may not reach the machine any more. */
TEST(a_guard_that_cannot_put_back_tries_again)
{
	char text[GUARD_TEXT] = "";
	struct scene scene;
	bool is_done = true;

	scene_begin(&scene);
	begin_waiting(&scene, 3600000, true);
	block_forgetting(&scene, true);
	CHECK_NUMBER("asked", guard_ask(&scene.pending, "rollback", text, &is_done), 0);
	CHECK(!is_done, "said: %s", text);
	CHECK_NUMBER("asked", guard_ask(&scene.pending, "confirm", text, &is_done), 0);
	CHECK(!is_done && strstr(text, "is being put back"), "said: %s", text);
	block_forgetting(&scene, false);
	CHECK(is_over(&scene), "the guard does not end");
	CHECK(!pending_has_change(&scene.pending), "it still waits");
	CHECK(is_before(&scene), "it is not as before");
	CHECK(strstr(last_of(&scene), "qlinkctl rollback was called"), "said: %s", last_of(&scene));
	scene_end(&scene);
}

TEST(a_change_is_put_back_at_once)
{
	char text[GUARD_TEXT] = "";
	struct scene scene;
	bool is_done = false;

	scene_begin(&scene);
	begin_waiting(&scene, 3600000, true);
	CHECK_NUMBER("asked", guard_ask(&scene.pending, "rollback", text, &is_done), 0);
	CHECK(is_done, "said: %s", text);
	CHECK(is_before(&scene), "it is not as before");
	CHECK(is_over(&scene), "the guard does not end");
	scene_end(&scene);
}
