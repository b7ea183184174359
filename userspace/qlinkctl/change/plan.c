// SPDX-License-Identifier: GPL-2.0-or-later
/* What a document changes: differences, devices, and the files as they are to be. */
#include "plan.h"

#include <errno.h>
#include <grp.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "qlinkctl/agent.h"
#include "qlinkctl/site/agentfile.h"
#include "qlinkctl/site/document.h"
#include "qlinkctl/site/linksfile.h"
#include "qlinkctl/site/merge.h"

#define MARK	"# Written by \"qlinkctl apply\""
#define HEAD	MARK ", which replaces it as a whole: change the document of the site, not this file.\n"
#define KEPT	".before-apply"

static int no_memory(struct qlink_why *why)
{
	return qlink_refuse(why, -ENOMEM, "%s", strerror(ENOMEM));
}

/* ---- what there is ---- */

static int read_files(struct plan *plan, struct qlink_why *why)
{
	struct config_error error = { "" };
	int err;

	err = agentfile_read(&plan->now, plan->config, &error);
	if (err && err != -ENOENT)
		return qlink_refuse(why, err, "%.390s", error.text);
	if (declared_read(&plan->declared, plan->ctl->folder))
		return qlink_refuse(why, -EIO, "%s: cannot be read", plan->ctl->folder);
	if (plan->declared.n_errors)
		return qlink_refuse(why, -EINVAL, "%s has a file with an error: \"qlinkctl links check\" shows it",
				    plan->ctl->folder);
	return devices_look(&plan->devices, &plan->now, why);
}

/* ---- who declares a device ---- */

static bool same_options(const struct site_section *a, const struct site_section *b)
{
	const char *other;
	size_t i;

	for (i = 0; i < a->n_options; i++) {
		other = site_get(b, a->options[i].name);
		if (!other || strcmp(a->options[i].value, other))
			return false;
	}
	return a->n_options == b->n_options;
}

/* Another file declares the device, and the document says something else of it. */
static bool contradicts(const struct plan *plan, const struct site *elsewhere, const char *name)
{
	const struct site_section *wanted = site_find(&plan->document, SITE_DEVICE, name);
	const struct site_section *there = site_find(elsewhere, SITE_DEVICE, name);

	if (wanted)
		return !same_options(wanted, there);
	return plan->ctl->change.prune && !site_find(&plan->document, SITE_LINK, name);
}

static int add_file(struct plan *plan, const char *path, const struct whole *to, struct qlink_why *why)
{
	struct plan_file *files = reallocarray(plan->files, plan->n_files + 1, sizeof(*files)), *file;

	if (!files)
		return no_memory(why);
	plan->files = files;
	file = &files[plan->n_files++];
	*file = (struct plan_file){ .path = strdup(path), .to = *to };
	file->to.text = to->text ? malloc(to->n + 1) : NULL;
	if (!file->path || (to->text && !file->to.text))
		return no_memory(why);
	if (to->text)
		memcpy(file->to.text, to->text, to->n + 1);
	return 0;
}

/* What was written by hand stays beside, where nothing reads it. */
static int keep_beside(struct plan *plan, const char *path, const struct whole *is, struct qlink_why *why)
{
	char *beside;
	int err;

	if (asprintf(&beside, "%s" KEPT, path) < 0)
		return no_memory(why);
	err = add_file(plan, beside, is, why);
	free(beside);
	return err;
}

static bool is_planned(const struct plan *plan, const char *path)
{
	size_t i;

	for (i = 0; i < plan->n_files; i++)
		if (!strcmp(plan->files[i].path, path))
			return true;
	return false;
}

static int take_over(struct plan *plan, const char *path, struct qlink_why *why)
{
	static const struct whole nothing;
	struct whole is;
	int err = whole_read(&is, path);

	if (err)
		return qlink_refuse(why, err, "%s: %s", path, strerror(-err));
	err = keep_beside(plan, path, &is, why) ?: add_file(plan, path, &nothing, why);
	whole_free(&is);
	return err;
}

static int refuse_by_hand(const char *path, unsigned int line, const char *name, struct qlink_why *why)
{
	if (name)
		return qlink_refuse(why, -EEXIST, "%.100s:%u: %s is declared there by hand: change it there, or have --replace "
				    "take over all links of this file, which is kept with " KEPT " at its end", path, line, name);
	return qlink_refuse(why, -EEXIST, "%.200s was written by hand: --replace takes its place, and keeps it with " KEPT
			    " at its end", path);
}

/* Takes over files that contradict the document, if that is asked for. */
static int resolve_others(struct plan *plan, const struct site *all, struct qlink_why *why)
{
	const struct declared_link *link = plan->declared.links, *end = link + plan->declared.n;
	int err = 0;

	for (; link < end && !err; link++) {
		if (!strcmp(link->file, plan->links) || !contradicts(plan, all, link->is.device.name) ||
		    is_planned(plan, link->file))
			continue;
		err = plan->ctl->change.replace ? take_over(plan, link->file, why) :
						  refuse_by_hand(link->file, link->line, link->is.device.name, why);
	}
	return err;
}

static int add_section(struct site *to, const struct site_section *from)
{
	struct site_section *section = site_add(to, SITE_DEVICE, from->name);
	int err = section ? 0 : -ENOMEM;
	size_t i;

	for (i = 0; i < from->n_options && !err; i++)
		err = site_set(section, from->options[i].name, from->options[i].value);
	return err;
}

/* Parts what our file and those that are taken over declare from what other files go on to declare. */
static int part(const struct plan *plan, const struct site *all, struct site *ours, struct site *others)
{
	const struct declared_link *link = plan->declared.links, *end = link + plan->declared.n;
	bool is_ours;
	int err = 0;

	for (; link < end && !err; link++) {
		is_ours = !strcmp(link->file, plan->links) || is_planned(plan, link->file);
		err = add_section(is_ours ? ours : others, site_find(all, SITE_DEVICE, link->is.device.name));
	}
	return err;
}

/* The devices of the document that no other file declares already, and ours of which it has only the keys. */
static int wanted_here(const struct plan *plan, const struct site *ours, const struct site *others, struct site *wanted)
{
	const struct site_section *section;
	int err = 0;
	size_t i;

	for (i = 0; i < plan->document.n_sections && !err; i++) {
		section = &plan->document.sections[i];
		if (section->kind == SITE_LINK && !site_find(&plan->document, SITE_DEVICE, section->name))
			section = site_find(ours, SITE_DEVICE, section->name);
		if (section && section->kind == SITE_DEVICE && !site_find(others, SITE_DEVICE, section->name))
			err = add_section(wanted, section);
	}
	return err;
}

/* One that is as wanted already, and that a boot would not make so. */
static int note_declared(struct plan *plan, const struct site *ours)
{
	const struct site_section *section, *was;
	int err = 0;
	size_t i;

	for (i = 0; i < plan->declares.n_sections && !err; i++) {
		section = &plan->declares.sections[i];
		was = site_find(ours, SITE_DEVICE, section->name);
		if ((was && same_options(was, section)) ||
		    difference_touches(&plan->differences, SITE_DEVICE, section->name))
			continue;
		err = difference_add(&plan->differences, section, "declared", was ? "otherwise" : NULL, "as it is");
	}
	for (i = 0; i < ours->n_sections && !err; i++) {
		section = &ours->sections[i];
		if (!site_find(&plan->declares, SITE_DEVICE, section->name) &&
		    !difference_touches(&plan->differences, SITE_DEVICE, section->name))
			err = difference_add(&plan->differences, section, "declared", "", NULL);
	}
	return err;
}

static int plan_links(struct plan *plan, struct qlink_why *why)
{
	struct site all = { 0 }, ours = { 0 }, others = { 0 }, wanted = { 0 };
	int err = linksfile_add(&all, &plan->declared);

	if (!err)
		err = resolve_others(plan, &all, why);
	else
		qlink_refuse(why, err, "%s: %s", plan->ctl->folder, strerror(-err));
	if (!err && (part(plan, &all, &ours, &others) || wanted_here(plan, &ours, &others, &wanted) ||
		     merge_site(&plan->declares, &ours, &wanted, plan->ctl->change.prune) ||
		     note_declared(plan, &ours)))
		err = no_memory(why);
	site_free(&all);
	site_free(&ours);
	site_free(&others);
	site_free(&wanted);
	return err;
}

/* ---- the agent ---- */

static int refuse_fault(const struct agentfile_fault *fault, int err, struct qlink_why *why)
{
	static const char *const kinds[] = {
		[SITE_AGENT] = "agent", [SITE_KME] = "kme", [SITE_PEER] = "peer", [SITE_LINK] = "link",
		[SITE_DEVICE] = "device",
	};

	if (err != -EINVAL)
		return qlink_refuse(why, err, "%s", strerror(-err));
	if (!fault->section)
		return qlink_refuse(why, err, "%.380s", fault->text);
	return qlink_refuse(why, err, "%s%s%s: %.300s", kinds[fault->section->kind], *fault->section->name ? "/" : "",
			    fault->section->name, fault->text);
}

/* The agent would wait for a device that nobody makes. */
static int check_devices_of_links(const struct plan *plan, struct qlink_why *why)
{
	const struct site_section *section;
	size_t i;

	for (i = 0; i < plan->document.n_sections; i++) {
		section = &plan->document.sections[i];
		if (section->kind == SITE_LINK && !site_find(&plan->next, SITE_DEVICE, section->name) &&
		    !declared_find(&plan->declared, section->name))
			return qlink_refuse(why, -ENODEV, "link/%s: there is no such device, and the document has none",
					    section->name);
	}
	return 0;
}

static int check_agent(struct plan *plan, struct qlink_why *why)
{
	struct agentfile_fault fault = { .section = NULL };
	struct site judged = { 0 };
	size_t i;
	int err;

	for (i = 0; i < plan->differences.n && !plan->changes_agent; i++)
		plan->changes_agent = strncmp(plan->differences.items[i].path, "device/", strlen("device/"));
	if (!plan->changes_agent)
		return 0;
	err = agentfile_check(&plan->next, false, &judged, &fault);
	if (err)
		refuse_fault(&fault, err, why);
	site_free(&judged);
	return err ?: check_devices_of_links(plan, why);
}

/* ---- the files ---- */

static char *text_of(const struct site *site, int (*write)(const struct site *site, FILE *to), size_t *n)
{
	char *text = NULL;
	FILE *to = open_memstream(&text, n);
	int err;

	if (!to)
		return NULL;
	fputs(HEAD, to);
	err = write(site, to);
	if (fclose(to) || err) {
		free(text);
		return NULL;
	}
	return text;
}

static gid_t agent_group(void)
{
	const struct group *group = getgrnam("qlinkd");

	return group ? group->gr_gid : 0;
}

static bool is_by_hand(const struct whole *is)
{
	return is->exists && strncmp(is->text, MARK, strlen(MARK));
}

/* It has the owner and the permissions that it had. */
static int add_text(struct plan *plan, const char *path, const struct whole *is, mode_t mode, gid_t group,
		    char *text, size_t n, struct qlink_why *why)
{
	struct whole to = { .text = text, .n = n, .mode = mode, .uid = geteuid(), .gid = group, .exists = true };

	if (!text)
		return no_memory(why);
	if (is->exists) {
		to.mode = is->mode;
		to.uid = is->uid;
		to.gid = is->gid;
	}
	return add_file(plan, path, &to, why);
}

static int plan_agent_file(struct plan *plan, struct qlink_why *why)
{
	struct whole is;
	size_t n = 0;
	char *text;
	int err;

	if (!plan->changes_agent)
		return 0;
	err = whole_read(&is, plan->config);
	if (err)
		return qlink_refuse(why, err, "%s: %s", plan->config, strerror(-err));
	if (is_by_hand(&is))
		err = plan->ctl->change.replace ? keep_beside(plan, plan->config, &is, why) :
						  refuse_by_hand(plan->config, 0, NULL, why);
	if (!err) {
		text = text_of(&plan->next, agentfile_write, &n);
		err = add_text(plan, plan->config, &is, 0640, geteuid() ? getegid() : agent_group(), text, n, why);
		free(text);
	}
	whole_free(&is);
	return err;
}

static int plan_links_file(struct plan *plan, struct qlink_why *why)
{
	static const struct whole nothing;
	struct whole is;
	size_t n = 0;
	char *text;
	int err;

	err = whole_read(&is, plan->links);
	if (err)
		return qlink_refuse(why, err, "%s: %s", plan->links, strerror(-err));
	text = text_of(&plan->declares, linksfile_write, &n);
	if (!text)
		err = no_memory(why);
	else if (!plan->declares.n_sections)
		plan->changes_links = is.exists;
	else
		plan->changes_links = !is.exists || is.n != n || memcmp(is.text, text, n);
	if (!err && plan->changes_links && is_by_hand(&is) && !plan->ctl->change.replace)
		err = refuse_by_hand(plan->links, 0, NULL, why);
	if (!err && plan->changes_links && is_by_hand(&is))
		err = keep_beside(plan, plan->links, &is, why);
	if (!err && plan->changes_links)
		err = plan->declares.n_sections ? add_text(plan, plan->links, &is, 0644, getegid(), text, n, why) :
						  add_file(plan, plan->links, &nothing, why);
	free(text);
	whole_free(&is);
	return err;
}

/* ---- what is kept ---- */

static int keep_all(struct plan *plan, struct qlink_why *why)
{
	/* Where one listens that runs; one without a file has yet to be started. */
	const struct site_section *agent = site_find(&plan->now, SITE_AGENT, "") ?: site_find(&plan->next, SITE_AGENT, "");
	const char *control = agent ? site_get(agent, "control") : NULL;
	int err = 0;
	size_t i;

	plan->control = plan->ctl->control ?: control ?: AGENT_CONTROL;
	for (i = 0; i < plan->n_files && !err; i++) {
		err = before_add_file(&plan->before, plan->files[i].path);
		if (err)
			qlink_refuse(why, err, "%s: %s", plan->files[i].path, strerror(-err));
	}
	if (!err && plan->changes_agent) {
		plan->before.control = strdup(plan->control);
		if (!plan->before.control)
			err = no_memory(why);
	}
	return err ?: devices_record(&plan->devices, &plan->now, &plan->next, &plan->before, why);
}

/* ---- the whole ---- */

static int compare(struct plan *plan, struct qlink_why *why)
{
	if (merge_site(&plan->next, &plan->now, &plan->document, plan->ctl->change.prune) ||
	    difference_find(&plan->differences, &plan->now, &plan->next))
		return no_memory(why);
	return 0;
}

int plan_make(struct plan *plan, struct ctl *ctl, const json_t *root, struct qlink_why *why)
{
	struct document_error error = { "" };
	int err;

	*plan = (struct plan){ .ctl = ctl, .config = ctl->config ?: AGENTFILE_PATH, .devices.ctl = ctl };
	if (asprintf(&plan->links, "%s/" PLAN_LINKS, ctl->folder) < 0) {
		plan->links = NULL;
		return no_memory(why);
	}
	err = document_read(root, &plan->document, &error);
	if (err)
		return qlink_refuse(why, err, "%.390s", *error.text ? error.text : strerror(-err));
	return devices_read(&plan->devices, &plan->document, why) ?: read_files(plan, why) ?: compare(plan, why) ?:
	       check_agent(plan, why) ?: plan_links(plan, why) ?: plan_agent_file(plan, why) ?:
	       plan_links_file(plan, why) ?: keep_all(plan, why);
}

void plan_free(struct plan *plan)
{
	size_t i;

	for (i = 0; i < plan->n_files; i++) {
		free(plan->files[i].path);
		whole_free(&plan->files[i].to);
	}
	free(plan->files);
	free(plan->links);
	declared_free(&plan->declared);
	difference_free(&plan->differences);
	devices_free(&plan->devices);
	before_free(&plan->before);
	site_free(&plan->document);
	site_free(&plan->now);
	site_free(&plan->next);
	site_free(&plan->declares);
	*plan = (struct plan){ .ctl = NULL };
}
