// SPDX-License-Identifier: GPL-2.0-or-later
/* A site as sections of options: no section and no option is there twice, and copies are whole. */
#include "qlinkctl/site/site.h"

#include <string.h>

#include "tap.h"

static struct site_section *add(struct site *site, enum site_kind kind, const char *name)
{
	struct site_section *section = site_add(site, kind, name);

	if (!section)
		BAIL_OUT();
	return section;
}

TEST(sections_are_known_by_kind_and_name)
{
	struct site site = { 0 };

	add(&site, SITE_LINK, "qlink0");
	CHECK(!site_find(&site, SITE_DEVICE, "qlink0"), "another kind of the same name is found");
	add(&site, SITE_DEVICE, "qlink0");
	CHECK(!site_add(&site, SITE_DEVICE, "qlink0"), "a section is added twice");
	CHECK_NUMBER("sections", site.n_sections, 2);

	site_remove(&site, site_find(&site, SITE_LINK, "qlink0"));
	CHECK(!site_find(&site, SITE_LINK, "qlink0"), "a removed section is found");
	CHECK(site_find(&site, SITE_DEVICE, "qlink0"), "another section is gone");
	site_free(&site);
	CHECK_NUMBER("sections after the end", site.n_sections, 0);
}

TEST(an_option_has_its_last_value)
{
	struct site site = { 0 };
	struct site_section *section = add(&site, SITE_KME, "rack");

	CHECK(!site_get(section, "url"), "an option is there before it was set");
	CHECK_NUMBER("set", site_set(section, "url", "https://192.0.2.1"), 0);
	CHECK_NUMBER("set", site_set(section, "id", "KME-A"), 0);
	CHECK_NUMBER("set again", site_set(section, "url", "https://192.0.2.2:8443"), 0);
	CHECK_TEXT("url", site_get(section, "url"), "https://192.0.2.2:8443");
	CHECK_NUMBER("options", section->n_options, 2);

	CHECK_NUMBER("remove", site_set(section, "url", NULL), 0);
	CHECK(!site_get(section, "url"), "a removed option is there");
	CHECK_TEXT("the other one", site_get(section, "id"), "KME-A");
	CHECK_NUMBER("remove what is not there", site_set(section, "url", NULL), 0);
	site_free(&site);
}

TEST(a_copy_shares_nothing)
{
	struct site site = { 0 }, copy;

	CHECK_NUMBER("set", site_set(add(&site, SITE_PEER, "site-b"), "address", "192.0.2.9"), 0);
	CHECK_NUMBER("copy", site_copy(&copy, &site), 0);
	site_free(&site);
	CHECK_TEXT("address", site_get(site_find(&copy, SITE_PEER, "site-b"), "address"), "192.0.2.9");
	site_free(&copy);
}
