// SPDX-License-Identifier: GPL-2.0-or-later
/* Prints what the programs have as JSON: options with their ranges and defaults, counters, names. For check-yang. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "libqlink/names-gen.h"
#include "libqlink/event.h"
#include "libqlink/protection.h"
#include "qlinkctl/site/document.h"
#include "qlinkctl/site/leaf.h"
#include "qlinkd/config/config.h"
#include "qlinkd/kme/server.h"
#include "qlinkd/link/link.h"
#include "qlinkd/peer/tls.h"

/* ---- options ---- */

/* All options that have no default in it are there. */
static const char least[] =
	"agent\n name a\n certificate /c\n key /k\n ca /a\n"
	"peer b\n"
	"link q\n peer b\n policy prefer-hybrid\n kmes v\n"
	"kme v\n dialect vault\n file /f\n key-file /k\n side a\n";

static json_t *default_of(const struct config *config, enum site_kind kind, const char *name)
{
	const char *at = kind == SITE_AGENT ? (const char *)&config->agent :
			 kind == SITE_LINK ? (const char *)config->links : NULL;
	const struct reader_section *section = &config_sections[kind];
	const struct reader_option *option = section->options;

	while (strcmp(option->name, name))
		option++;
	if (!at)
		return json_null();
	at += option->offset;
	if (option->kind == &reader_number || option->kind == &reader_yes)
		return json_integer(*(const uint32_t *)at);
	if (option->kind == &reader_long_number)
		return json_integer((json_int_t)*(const uint64_t *)at);
	if (option->kind == &reader_seconds)
		return json_integer((json_int_t)(*(const uint64_t *)at / 1000));
	if (kind == SITE_AGENT && strcmp(name, "listen") && strcmp(name, "metrics-listen") && *(const char *const *)at)
		return json_string(*(const char *const *)at);
	return json_null();
}

static json_t *leaf_json(const struct config *config, enum site_kind kind, const struct leaf *leaf)
{
	static const char *const forms[] = {
		[LEAF_TEXT] = "text", [LEAF_NUMBER] = "number", [LEAF_NUMBER64] = "number64",
		[LEAF_INHERIT] = "inherit", [LEAF_BOOLEAN] = "boolean", [LEAF_LIST] = "list",
	};

	return json_pack("{s:s, s:s, s:I, s:I, s:b, s:b, s:b, s:o}", "name", leaf->name, "form", forms[leaf->form],
			 "min", (json_int_t)leaf->min, "max", (json_int_t)leaf->max, "zero", (int)leaf->has_zero,
			 "required", (int)leaf->is_required, "shared", (int)(kind == SITE_LINK && leaf_is_default(leaf->name)),
			 "default", kind == SITE_DEVICE ? json_null() : default_of(config, kind, leaf->name));
}

static json_t *options(void)
{
	static const char *const names[] = { "agent", "kme", "peer", "keys", "link" };
	json_t *all = json_object(), *list;
	struct config_error error;
	struct config config;
	enum site_kind kind;
	struct leaf leaf;
	size_t i;

	if (config_parse(&config, least, sizeof(least) - 1, "least", &error)) {
		fprintf(stderr, "%s\n", error.text);
		exit(1);
	}
	for (kind = SITE_AGENT; kind <= SITE_DEVICE; kind++) {
		list = json_array();
		for (i = 0; leaf_at(kind, i, &leaf); i++)
			json_array_append_new(list, leaf_json(&config, kind, &leaf));
		json_object_set_new(all, names[kind], list);
	}
	config_free(&config);
	return all;
}

/* ---- names ---- */

static void add_name(json_t *list, const char *name)
{
	char text[80];
	char *at = text;

	snprintf(text, sizeof(text), "%s", name);
	while ((at = strchr(at, '_')))
		*at = '-';
	json_array_append_new(list, json_string(text));
}

static json_t *names_of(const char *const *names, size_t n)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < n; i++)
		if (names[i])
			add_name(list, names[i]);
	return list;
}

static json_t *enum_of(const struct qlink_names *names) { return names_of(names->names, names->n); }

static json_t *set_of(const struct qlink_attr_set *set)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < set->n; i++)
		json_array_append_new(list, json_string(set->attrs[i].name));
	return list;
}

static json_t *kme_counters(void)
{
	json_t *list = json_array();
	unsigned int i;

	for (i = 0; i < KME_COUNTER_N; i++)
		add_name(list, kme_counter_name(i));
	return list;
}

static json_t *agreement_counters(void)
{
	const struct link_counter *counter;
	json_t *list = json_array();

	for (counter = link_counters; counter->name; counter++)
		add_name(list, counter->name);
	return list;
}

static json_t *refusals(void)
{
	json_t *list = json_array();
	unsigned int i;

	for (i = 0; i < TLS_N_REFUSALS; i++)
		add_name(list, tls_refusal_name(i));
	return list;
}

/* Lines of documents: says of each why it is refused, or an empty line. */
static int judge(void)
{
	struct document_error error;
	struct site site;
	char *line = NULL;
	size_t room = 0;
	json_t *root;

	while (getline(&line, &room, stdin) > 0) {
		error.text[0] = '\0';
		root = json_loads(line, 0, NULL);
		if (!root || !document_read(root, &site, &error))
			puts(root ? "" : "no JSON");
		else
			puts(error.text);
		if (root)
			site_free(&site);
		json_decref(root);
	}
	free(line);
	return 0;
}

int main(int argc, char **argv)
{
	json_t *all;

	if (argc > 1 && !strcmp(argv[1], "judge"))
		return judge();
	all = json_pack("{s:o, s:{s:o, s:o, s:o, s:o, s:o}, s:{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}}",
			"options", options(),
			"sets", "ring", set_of(&qlink_ring_attrs), "state", set_of(&qlink_link_attrs),
			"link-event", set_of(&qlink_event_attrs), "usage", set_of(&qlink_usage_attrs),
			"port-counters", names_of(qlink_port_names, QLINK_A_PORT_MAX + 1),
			"names", "counters", names_of(qlink_stats_names, QLINK_A_STATS_MAX + 1),
			"kme", kme_counters(), "agreement", agreement_counters(), "refused", refusals(),
			"source", enum_of(&qlink_sources), "link-state", enum_of(&qlink_link_states),
			"event-kind", enum_of(&qlink_event_kinds), "protection", enum_of(&qlink_protections),
			"lack", enum_of(&qlink_lacks), "parcel", enum_of(&qlink_parcel_modes));
	if (!all || json_dumpf(all, stdout, JSON_INDENT(1)))
		return 1;
	json_decref(all);
	return 0;
}
