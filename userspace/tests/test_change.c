// SPDX-License-Identifier: GPL-2.0-or-later
/* What a document changes of a site: differences, and what stays. */
#include <stdlib.h>
#include <string.h>

#include "qlinkctl/site/difference.h"
#include "qlinkctl/site/merge.h"
#include "tap.h"

/* One line of a site: section, or option and value of the section before. */
struct line {
	int kind;
	const char *name, *value;
};

#define OPTION	-1
#define END	-2

static struct site site_of(const struct line *line)
{
	struct site_section *section = NULL;
	struct site site = { 0 };

	for (; line->kind != END; line++) {
		if (line->kind == OPTION && site_set(section, line->name, line->value))
			BAIL_OUT();
		if (line->kind != OPTION)
			section = site_add(&site, (enum site_kind)line->kind, line->name);
		if (!section)
			BAIL_OUT();
	}
	return site;
}

static const struct line before[] = {
	{ SITE_AGENT, "", NULL }, { OPTION, "name", "site-a" }, { OPTION, "kme-timeout-ms", "4000" },
	{ SITE_KME, "rack", NULL }, { OPTION, "url", "https://10.1.1.9" },
	{ SITE_PEER, "site-b", NULL }, { OPTION, "address", "203.0.113.2" },
	{ SITE_LINK, "qlink0", NULL }, { OPTION, "peer", "site-b" }, { OPTION, "policy", "prefer-hybrid" },
	{ SITE_DEVICE, "qlink0", NULL }, { OPTION, "id", "7" }, { OPTION, "dscp", "5" },
	{ END, NULL, NULL },
};

/* Compares, and prints all differences into one text. */
static const char *differences_of(const struct site *now, const struct site *next)
{
	struct differences differences = { 0 };
	static char text[4096];
	FILE *to = fmemopen(text, sizeof(text), "w");

	if (!to || difference_find(&differences, now, next))
		BAIL_OUT();
	difference_print(&differences, to);
	fputc('\0', to);
	fclose(to);
	difference_free(&differences);
	return text;
}

/* The differences that a document makes. */
static const char *change_by(const struct line *document, bool prunes)
{
	struct site now = site_of(before), wanted = site_of(document), next;
	const char *text;

	if (merge_site(&next, &now, &wanted, prunes))
		BAIL_OUT();
	text = differences_of(&now, &next);
	site_free(&now);
	site_free(&wanted);
	site_free(&next);
	return text;
}

TEST(the_same_is_no_difference)
{
	CHECK_TEXT("the same document", change_by(before, true), "");
	CHECK_TEXT("an empty document", change_by((const struct line[]){ { END, NULL, NULL } }, false), "");
}

TEST(a_default_is_the_same_as_nothing)
{
	static const struct line with[] = {
		{ SITE_LINK, "qlink0", NULL }, { OPTION, "peer", "site-b" }, { OPTION, "store", "20000" },
		{ SITE_AGENT, "", NULL }, { OPTION, "name", "site-a" },
		{ OPTION, "kme-timeout-ms", "4000" }, { OPTION, "control", "/run/qlinkd/control" },
		{ END, NULL, NULL },
	};

	CHECK_TEXT("policy left out, store and control given", change_by(with, false), "");
}

TEST(an_option_left_out_goes_back_to_its_default)
{
	static const struct line without[] = {
		{ SITE_AGENT, "", NULL }, { OPTION, "name", "site-a" },
		{ SITE_PEER, "site-b", NULL },
		{ END, NULL, NULL },
	};

	CHECK_TEXT("differences", change_by(without, false),
		   "agent/kme-timeout-ms: 4000 -> none\n"
		   "peer/site-b/address: 203.0.113.2 -> none\n");
}

TEST(an_option_of_a_device_left_out_is_not_touched)
{
	static const struct line device[] = {
		{ SITE_DEVICE, "qlink0", NULL }, { OPTION, "id", "8" }, { OPTION, "ttl", "9" },
		{ END, NULL, NULL },
	};

	CHECK_TEXT("differences", change_by(device, false),
		   "device/qlink0/id: 7 -> 8\n"
		   "device/qlink0/ttl: none -> 9\n");
}

TEST(a_new_section_is_listed_with_its_options)
{
	static const struct line peer[] = {
		{ SITE_PEER, "site-c", NULL }, { OPTION, "address", "203.0.113.3" },
		{ SITE_DEVICE, "qlink1", NULL }, { OPTION, "up", "" },
		{ END, NULL, NULL },
	};

	CHECK_TEXT("differences", change_by(peer, false),
		   "peer/site-c: none -> there\n"
		   "peer/site-c/address: none -> 203.0.113.3\n"
		   "device/qlink1: none -> there\n"
		   "device/qlink1/up: none -> there\n");
}

TEST(only_prune_drops_a_section)
{
	static const struct line agent[] = {
		{ SITE_AGENT, "", NULL }, { OPTION, "name", "site-a" }, { OPTION, "kme-timeout-ms", "4000" },
		{ SITE_KME, "rack", NULL }, { OPTION, "url", "https://10.1.1.9" },
		{ END, NULL, NULL },
	};

	CHECK_TEXT("without prune", change_by(agent, false), "");
	CHECK_TEXT("with prune", change_by(agent, true),
		   "peer/site-b: there -> none\n"
		   "link/qlink0: there -> none\n"
		   "device/qlink0: there -> none\n");
}

TEST(prune_keeps_the_device_of_a_link_whose_keys_are_named)
{
	static const struct line agent[] = {
		{ SITE_AGENT, "", NULL }, { OPTION, "name", "site-a" }, { OPTION, "kme-timeout-ms", "4000" },
		{ SITE_KME, "rack", NULL }, { OPTION, "url", "https://10.1.1.9" },
		{ SITE_LINK, "qlink0", NULL }, { OPTION, "peer", "site-b" },
		{ END, NULL, NULL },
	};

	CHECK_TEXT("with prune", change_by(agent, true), "peer/site-b: there -> none\n");
}

TEST(a_section_keeps_its_place)
{
	static const struct line document[] = {
		{ SITE_PEER, "site-c", NULL }, { SITE_KME, "rack", NULL }, { OPTION, "url", "https://10.1.1.8" },
		{ END, NULL, NULL },
	};
	struct site now = site_of(before), wanted = site_of(document), next;

	if (merge_site(&next, &now, &wanted, false))
		BAIL_OUT();
	CHECK_NUMBER("sections", next.n_sections, 6);
	CHECK_TEXT("the KME's place", next.sections[1].name, "rack");
	CHECK_TEXT("its url", site_get(&next.sections[1], "url"), "https://10.1.1.8");
	CHECK_TEXT("the new one", next.sections[5].name, "site-c");
	site_free(&now);
	site_free(&wanted);
	site_free(&next);
}

TEST(a_section_is_touched_by_its_own_differences)
{
	struct site now = site_of(before), next = { 0 };
	struct differences differences = { 0 };

	if (site_copy(&next, &now) || site_set(site_find(&next, SITE_LINK, "qlink0"), "store", "30") ||
	    difference_find(&differences, &now, &next))
		BAIL_OUT();
	CHECK(difference_touches(&differences, SITE_LINK, "qlink0"), "the link itself");
	CHECK(!difference_touches(&differences, SITE_LINK, "qlink"), "another whose name begins alike");
	CHECK(!difference_touches(&differences, SITE_DEVICE, "qlink0"), "its device");
	difference_free(&differences);
	site_free(&now);
	site_free(&next);
}

TEST(scripts_get_null_for_nothing)
{
	static const struct line document[] = {
		{ SITE_LINK, "qlink0", NULL }, { OPTION, "peer", "site-b" }, { OPTION, "store", "30" },
		{ END, NULL, NULL },
	};
	struct site now = site_of(before), next = site_of(document);
	struct differences differences = { 0 };
	json_t *list;
	char *text;

	while (now.n_sections > 1)
		site_remove(&now, &now.sections[now.sections[0].kind == SITE_LINK ? 1 : 0]);
	if (difference_find(&differences, &now, &next))
		BAIL_OUT();
	list = difference_json(&differences);
	text = json_dumps(list, JSON_COMPACT);
	CHECK_TEXT("JSON", text, "[{\"path\":\"link/qlink0/store\",\"from\":null,\"to\":\"30\"}]");
	free(text);
	json_decref(list);
	difference_free(&differences);
	site_free(&now);
	site_free(&next);
}
