// SPDX-License-Identifier: GPL-2.0-or-later
/* Puts back what was before a change: files, devices, agent. */
#include "undo.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "devices.h"
#include "qlinkctl/agent.h"
#include "qlinkctl/doctor/program.h"
#include "qlinkctl/links/declared.h"

static int put_files_back(const struct before *before, struct qlink_why *why)
{
	int err, first = 0;
	size_t i;

	for (i = before->n_files; i-- > 0;) {
		err = whole_write(&before->files[i].was, before->files[i].path);
		if (err && !first)
			first = qlink_refuse(why, err, "%s: %s", before->files[i].path, strerror(-err));
	}
	return first;
}

static int put_devices_back(struct ctl *ctl, const struct before *before, struct qlink_why *why)
{
	if (!before->n_devices || !before_is_this_boot(before))
		return 0;
	if (ctl_open(ctl))
		return qlink_refuse(why, -EIO, "the module qlink is not there");
	return devices_put_back(ctl, before, why);
}

/* One that does not run reads its file at its start. One that refuses it now would have done so before the change. */
static void reload_agent(const struct ctl *ctl, const struct before *before, struct qlink_why *why)
{
	struct ctl there = *ctl;
	const char *text;
	json_t *answer;
	int err;

	if (!*before->control)
		return;
	there.control = before->control;
	answer = agent_try(&there, "reload", &err);
	text = json_string_value(json_object_get(answer, "error"));
	if (text)
		qlink_refuse(why, 0, "its former file is back, and the agent does not take it: %.300s", text);
	else if (err == ETIMEDOUT)
		qlink_refuse(why, 0, "the agent's former file is back, and the agent does not answer");
	json_decref(answer);
}

void undo_tell_service(const struct ctl *ctl)
{
	static const char *const reload[] = { "systemctl", "--no-block", "try-reload-or-restart", "qlink-links.service", NULL };
	struct program_result result;

	/* Of another folder the service knows nothing. */
	if ((ctl->folder && strcmp(ctl->folder, DECLARED_FOLDER)) || access("/run/systemd/system", F_OK))
		return;
	program_run(reload, &result);
	free(result.out);
}

int undo_change(struct ctl *ctl, const struct pending *pending, bool tells_agent, const char *reason,
		struct qlink_why *why)
{
	struct qlink_why devices_why = { "" };
	struct before before;
	int err, files_err, devices_err;

	why->text[0] = '\0';
	err = before_load(&before, pending->change);
	if (err) {
		before_free(&before);
		return qlink_refuse(why, err, "%s: %s", pending->change, strerror(-err));
	}
	files_err = put_files_back(&before, why);
	devices_err = put_devices_back(ctl, &before, &devices_why);
	if (devices_err && !files_err)
		*why = devices_why;
	if (tells_agent)
		reload_agent(ctl, &before, files_err || devices_err ? &devices_why : why);
	err = files_err ?: devices_err;
	before_free(&before);
	if (err)
		return err;
	pending_note(pending, "rolled-back", reason);
	err = before_forget(pending->change);
	return err ? qlink_refuse(why, err, "%s: %s", pending->change, strerror(-err)) : 0;
}
