// SPDX-License-Identifier: GPL-2.0-or-later
/* Makes a change: devices, files, agent, in this order. */
#include "activate.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "qlinkctl/agent.h"
#include "qlinkctl/doctor/program.h"

#define NOT_INSTALLED	127

__attribute__((format(printf, 3, 4)))
static void note(char *notes, size_t room, const char *format, ...)
{
	size_t n = strlen(notes);
	va_list ap;

	va_start(ap, format);
	vsnprintf(notes + n, room - n, format, ap);
	va_end(ap);
}

/* Only its own folder: the one above is there, or somebody has another idea of where files lie. */
static void make_folder(const char *path)
{
	char *folder = strndup(path, (size_t)(strrchr(path, '/') - path));

	if (folder)
		mkdir(folder, 0755);
	free(folder);
}

static int write_files(const struct plan *plan, struct qlink_why *why)
{
	const struct plan_file *file = plan->files, *end = file + plan->n_files;
	int err = 0;

	for (; file < end && !err; file++) {
		if (file->to.exists && strchr(file->path, '/'))
			make_folder(file->path);
		err = whole_write(&file->to, file->path);
		if (err)
			qlink_refuse(why, err, "%s: %s", file->path, strerror(-err));
	}
	return err;
}

/* An agent that does not run refuses nothing: its program does, where there is one. */
static int judge_file(const struct plan *plan, char *notes, size_t room, struct qlink_why *why)
{
	const char *const check[] = { "qlinkd", "-n", "-c", plan->config, NULL };
	struct program_result result;

	program_run(check, &result);
	free(result.out);
	if (result.status && result.status != NOT_INSTALLED)
		return qlink_refuse(why, -EINVAL, "%.380s", *result.err ? result.err : "qlinkd -n failed");
	note(notes, room, "the agent does not run: it reads %s at its start\n", plan->config);
	return 0;
}

static int reload_agent(struct plan *plan, char *notes, size_t room, struct qlink_why *why)
{
	struct ctl there = *plan->ctl;
	const char *text;
	json_t *answer;
	int err;

	if (!plan->changes_agent)
		return 0;
	there.control = plan->before.control;
	answer = agent_try(&there, "reload", &err);
	if (!answer && (err == ENOENT || err == ECONNREFUSED))
		return judge_file(plan, notes, room, why);
	plan->has_told_agent = !answer;
	if (!answer)
		return qlink_refuse(why, -err, "%s: %s", plan->before.control, strerror(err));
	text = json_string_value(json_object_get(answer, "error"));
	plan->has_told_agent = !text;
	err = text ? qlink_refuse(why, -EINVAL, "the agent refuses it: %.350s", text) : 0;
	json_decref(answer);
	return err;
}

static void note_waiting(const struct devices *devices, char *notes, size_t room)
{
	size_t i;

	for (i = 0; i < devices->n_wanted; i++)
		if (devices->results[i].outcome == APPLY_WAITS)
			note(notes, room, "%s waits: %s\n", devices->wanted[i].is.device.name, devices->results[i].text);
}

int activate_plan(struct plan *plan, char *notes, size_t room, struct qlink_why *why)
{
	int err = devices_activate(&plan->devices, why);

	if (!err)
		note_waiting(&plan->devices, notes, room);
	return err ?: write_files(plan, why) ?: reload_agent(plan, notes, room, why) ?:
	       devices_prune(&plan->devices, why);
}
