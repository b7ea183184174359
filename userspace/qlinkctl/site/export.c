// SPDX-License-Identifier: GPL-2.0-or-later
/* qlinkctl export: write what runs as the document of a site. */
#include "export.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agentfile.h"
#include "agentstate.h"
#include "linkstate.h"
#include "qlinkctl/agent.h"
#include "running.h"
#include "write.h"

/* Return: how many links there are; without the right to ask, none, and the document is not whole. */
static size_t get_links(struct ctl *ctl, struct qlink_link **links, bool *is_whole)
{
	struct qlink_error error;
	size_t n = 0;

	*links = NULL;
	if (qlink_nl_open(&ctl->nl, &error) || qlink_link_dump(ctl->nl, links, &n, &error)) {
		ctl_warn("devices are left out: %s", qlink_error_text(&error));
		*is_whole = false;
		return 0;
	}
	return n;
}

/* A host may have links and no agent. A file that is there and cannot be used says nothing about that. */
static void read_agent(const struct ctl *ctl, struct site *site, bool *is_whole)
{
	const char *path = ctl->config ? ctl->config : AGENTFILE_PATH;
	struct config_error error;
	int err = agentfile_read(site, path, &error);

	if (!err)
		return;
	ctl_warn("the agent is left out: %s", error.text);
	site_free(site);
	if (err != -ENOENT)
		*is_whole = false;
}

/* While the agent gives a link keys, it sets these itself, again and again: they are its plan, and not configuration. */
static void cut_plans(struct site *site)
{
	size_t i;

	for (i = 0; i < site->n_sections; i++) {
		if (site->sections[i].kind != SITE_DEVICE || !site_find(site, SITE_LINK, site->sections[i].name))
			continue;
		site_set(&site->sections[i], "rekey-ms", NULL);
		site_set(&site->sections[i], "keys-low", NULL);
	}
}

static void add_state(const struct ctl *ctl, json_t *document, const struct qlink_link *links, size_t n)
{
	json_t *status;
	int err;

	linkstate_add(document, links, n);
	status = agent_try(ctl, "status", &err);
	if (!status || json_object_get(status, "error"))
		ctl_warn("what the agent says is left out: %s: %s", agent_path(ctl),
			 status ? json_string_value(json_object_get(status, "error")) : strerror(err));
	else
		agentstate_add(document, status);
	json_decref(status);
}

static int print(json_t *document)
{
	int err;

	if (!document)
		return ctl_fail("%s", strerror(ENOMEM));
	err = json_dumpf(document, stdout, JSON_INDENT(4));
	json_decref(document);
	if (err || putchar('\n') == EOF)
		return ctl_fail("standard output: cannot be written");
	return CTL_OK;
}

int export_run(struct ctl *ctl, int argc, char **argv)
{
	struct site site = { 0 };
	struct qlink_link *links;
	json_t *document = NULL;
	bool is_whole = true;
	size_t n;
	int err;

	if (argc)
		return ctl_usage("\"%s\": export takes no argument", argv[0]);
	read_agent(ctl, &site, &is_whole);
	n = get_links(ctl, &links, &is_whole);
	err = running_add(&site, links, n, &is_whole);
	cut_plans(&site);
	if (!err)
		document = write_document(&site);
	if (document && ctl->with_state)
		add_state(ctl, document, links, n);
	free(links);
	site_free(&site);
	if (err || print(document) != CTL_OK)
		return CTL_FAILED;
	/* Who applies it with --prune would delete what is left out. */
	return is_whole ? CTL_OK : CTL_FAILED;
}
