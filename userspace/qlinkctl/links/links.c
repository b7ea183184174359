// SPDX-License-Identifier: GPL-2.0-or-later
/* qlinkctl links: the links that files declare. */
#include "links.h"

#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "apply.h"
#include "declared.h"
#include "follow.h"
#include "libqlink/option.h"

/* Reads the files, and refuses the name of a device that none declares. */
static int read_for(struct ctl *ctl, struct declared *declared, int argc, char **argv)
{
	int i;

	if (declared_read(declared, ctl->folder))
		return CTL_FAILED;
	for (i = 0; i < argc; i++)
		if (!declared_find(declared, argv[i]))
			return ctl_usage("%s: no file in %s declares it", argv[i], ctl->folder);
	return CTL_OK;
}

/* All links, or those that are named. */
static bool is_meant(const struct declared_link *link, int argc, char **argv)
{
	int i;

	for (i = 0; i < argc; i++)
		if (!strcmp(link->is.device.name, argv[i]))
			return true;
	return !argc;
}

static json_t *declared_json(const struct declared_link *link, const char *state, const char *why)
{
	json_t *object = json_pack("{s:s, s:s, s:i}", "device", link->is.device.name, "file", link->file,
				   "line", (int)link->line);

	if (state)
		json_object_set_new(object, "state", json_string(state));
	if (why && *why)
		json_object_set_new(object, "why", json_string(why));
	return object;
}

static void print_result(const struct declared_link *link, const struct apply_result *result, json_t *list)
{
	if (list)
		json_array_append_new(list, declared_json(link, apply_word(result->outcome), result->text));
	else
		apply_print(link, result);
}

/* ---- apply, show ---- */

typedef void (*each_link)(struct ctl *ctl, const struct declared_link *link, struct apply_result *result);

/* A link that is not as declared makes "show" fail, one that was refused both. */
static bool is_well(each_link each, enum apply_outcome outcome)
{
	if (each == apply_look)
		return outcome == APPLY_KEPT;
	return outcome != APPLY_REFUSED;
}

static int run_each(struct ctl *ctl, each_link each, int argc, char **argv)
{
	struct declared declared;
	struct apply_result result;
	json_t *list = NULL;
	int err, status;
	size_t i;

	err = read_for(ctl, &declared, argc, argv);
	if (!err)
		err = ctl_open(ctl);
	if (!err && ctl->json)
		list = json_array();
	status = declared.n_errors ? CTL_FAILED : CTL_OK;
	for (i = 0; !err && i < declared.n; i++) {
		if (!is_meant(&declared.links[i], argc, argv))
			continue;
		each(ctl, &declared.links[i], &result);
		print_result(&declared.links[i], &result, list);
		if (!is_well(each, result.outcome))
			status = CTL_FAILED;
	}
	declared_free(&declared);
	if (!err && ctl->json)
		err = ctl_print_json(list);
	return err ?: status;
}

static int apply_run(struct ctl *ctl, int argc, char **argv)
{
	return run_each(ctl, apply_link, argc, argv);
}

static int show_links_run(struct ctl *ctl, int argc, char **argv)
{
	return run_each(ctl, apply_look, argc, argv);
}

/* ---- check ---- */

static const char *option_text(const struct qlink_config *config, unsigned int type, char text[QLINK_ATTR_TEXT])
{
	return qlink_attr_text(qlink_attr_find(&qlink_config_attrs, type), config, text);
}

/* As in "id 7, eth0 to 02:00:00:00:00:02". */
static void print_ends(const struct declared_link *link)
{
	const struct qlink_config *config = &link->is.config;
	char local[QLINK_ATTR_TEXT], remote[QLINK_ATTR_TEXT];

	printf("%s:%u: %s: id %u, ", link->file, link->line, link->is.device.name, config->id);
	if (*link->is.lower)
		printf("%s to %s\n", link->is.lower, option_text(config, IFLA_QLINK_PEER, remote));
	else
		printf("%s to %s port %u\n", option_text(config, IFLA_QLINK_LOCAL, local),
		       option_text(config, IFLA_QLINK_REMOTE, remote), config->port);
}

/* No error: a network manager may make the device. */
static void print_missing(const struct declared_link *link)
{
	if (*link->is.lower && !if_nametoindex(link->is.lower))
		printf("%s:%u: link %s: no such device now; the link waits for it\n", link->file, link->line,
		       link->is.lower);
}

static int check_run(struct ctl *ctl, int argc, char **argv)
{
	struct declared declared;
	json_t *list = ctl->json ? json_array() : NULL;
	int err = read_for(ctl, &declared, argc, argv);
	size_t i;

	for (i = 0; !err && i < declared.n; i++) {
		if (!is_meant(&declared.links[i], argc, argv))
			continue;
		if (ctl->json) {
			json_array_append_new(list, declared_json(&declared.links[i], NULL, NULL));
			continue;
		}
		print_ends(&declared.links[i]);
		print_missing(&declared.links[i]);
	}
	if (!err && !ctl->json)
		printf("%zu link%s in %zu file%s of %s, %zu error%s\n", declared.n, declared.n == 1 ? "" : "s",
		       declared.n_files, declared.n_files == 1 ? "" : "s", ctl->folder, declared.n_errors,
		       declared.n_errors == 1 ? "" : "s");
	if (!err && declared.n_errors)
		err = CTL_FAILED;
	declared_free(&declared);
	if (ctl->json && ctl_print_json(list))
		return CTL_FAILED;
	return err;
}

static const struct ctl_command commands[] = {
	{ "apply", apply_run },
	{ "check", check_run },
	{ "follow", follow_run },
	{ "show", show_links_run },
	{ NULL, NULL },
};

int links_run(struct ctl *ctl, int argc, char **argv)
{
	if (!ctl->folder)
		ctl->folder = DECLARED_FOLDER;
	return ctl_dispatch(ctl, commands, "command of links", argc, argv);
}
