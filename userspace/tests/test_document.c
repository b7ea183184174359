// SPDX-License-Identifier: GPL-2.0-or-later
/* The document of a site: every option survives each form, and a fault is told with its place. */
#include "qlinkctl/site/document.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "qlinkctl/site/agentfile.h"
#include "qlinkctl/site/leaf.h"
#include "qlinkctl/site/linksfile.h"
#include "qlinkctl/site/write.h"
#include "tap.h"

/* From the folder that tests run in. */
#define DOCUMENTS	"tests/documents/"

static json_t *load(const char *path)
{
	struct document_error error = { "" };
	FILE *file = fopen(path, "r");
	json_t *root = file ? document_load(file, path, &error) : NULL;

	CHECK(root, "%s: %s", path, error.text);
	if (!root)
		BAIL_OUT();
	fclose(file);
	return root;
}

static json_t *parse(const char *text)
{
	json_t *root = json_loads(text, 0, NULL);

	if (!root)
		BAIL_OUT();
	return root;
}

static void read_site(const json_t *root, struct site *site)
{
	struct document_error error = { "" };

	CHECK(!document_read(root, site, &error), "refused: %s", error.text);
}

static void check_same(const char *what, const json_t *got, const json_t *want)
{
	char *text = json_dumps(got, JSON_INDENT(1)), *wanted = json_dumps(want, JSON_INDENT(1));

	CHECK(json_equal(got, want), "%s: got %s\nwant %s", what, text, wanted);
	free(text);
	free(wanted);
}

/* ---- both ways ---- */

TEST(every_option_survives_a_document)
{
	json_t *root = load(DOCUMENTS "every.json"), *again;
	struct site site;

	read_site(root, &site);
	again = write_document(&site);
	check_same("document", again, root);
	json_decref(again);
	json_decref(root);
	site_free(&site);
}

/* What a test does not have, it cannot lose: each option of the programs is in the document. */
TEST(the_document_has_every_option)
{
	json_t *root = load(DOCUMENTS "every.json");
	enum site_kind kind;
	struct site site;
	struct leaf leaf;
	size_t i, k;

	read_site(root, &site);
	for (kind = SITE_AGENT; kind <= SITE_DEVICE; kind++) {
		for (i = 0; leaf_at(kind, i, &leaf); i++) {
			for (k = 0; k < site.n_sections; k++)
				if (site.sections[k].kind == kind && site_get(&site.sections[k], leaf.name))
					break;
			CHECK(k < site.n_sections, "no section of kind %u has %s", kind, leaf.name);
		}
		CHECK(i, "kind %u has no options", kind);
	}
	json_decref(root);
	site_free(&site);
}

static void write_file(const char *path, const struct site *site, int (*write)(const struct site *, FILE *))
{
	FILE *file = fopen(path, "w");

	if (!file)
		BAIL_OUT();
	CHECK_NUMBER("write", write(site, file), 0);
	fclose(file);
}

static void read_files(const char *folder, const char *agent, struct site *site)
{
	struct declared declared;
	struct config_error error = { "" };

	CHECK_NUMBER("links", declared_read(&declared, folder), 0);
	CHECK_NUMBER("wrong links", declared.n_errors, 0);
	CHECK_NUMBER("add links", linksfile_add(site, &declared), 0);
	declared_free(&declared);
	CHECK(!agentfile_read(site, agent, &error), "%s", error.text);
}

TEST(every_option_survives_the_files)
{
	char folder[] = "/tmp/qlink-document-XXXXXX", agent[80], links[80], command[80];
	json_t *root = load(DOCUMENTS "every.json"), *again;
	struct site site, read = { 0 };

	if (!mkdtemp(folder))
		BAIL_OUT();
	snprintf(agent, sizeof(agent), "%s/agent", folder);
	snprintf(links, sizeof(links), "%s/00.conf", folder);
	read_site(root, &site);
	write_file(agent, &site, agentfile_write);
	write_file(links, &site, linksfile_write);
	read_files(folder, agent, &read);
	again = write_document(&read);
	check_same("document", again, root);
	snprintf(command, sizeof(command), "rm -r %s", folder);
	CHECK_NUMBER("remove", system(command), 0);
	json_decref(again);
	json_decref(root);
	site_free(&site);
	site_free(&read);
}

TEST(values_become_as_the_programs_show_them)
{
	json_t *root = parse("{\"ietf-interfaces:interfaces\":{\"interface\":[{\"name\":\"q\",\"type\":\"qlink:qlink\","
			     "\"qlink:link\":{\"id\":1,\"local\":\"2001:DB8:0:0::1\",\"remote\":\"2001:db8::2\","
			     "\"port\":7000,\"fwmark\":\"17\",\"address\":\"02:00:00:00:00:AB\",\"accept\":[\"pqc\",\"hybrid\"]}}]}}");
	const struct site_section *section;
	struct site site;

	read_site(root, &site);
	section = site_find(&site, SITE_DEVICE, "q");
	if (!section)
		BAIL_OUT();
	CHECK_TEXT("local", site_get(section, "local"), "2001:db8::1");
	CHECK_TEXT("fwmark", site_get(section, "fwmark"), "0x0011");
	CHECK_TEXT("address", site_get(section, "address"), "02:00:00:00:00:ab");
	CHECK_TEXT("accept", site_get(section, "accept"), "hybrid,pqc");
	CHECK_TEXT("up", site_get(section, "up"), "");
	json_decref(root);
	site_free(&site);
}

/* ---- what belongs to others, and defaults ---- */

TEST(state_and_other_modules_are_passed_over)
{
	json_t *root = parse("{\"ietf-system:system\":{\"x\":1},\"ietf-interfaces:interfaces\":{\"interface\":["
			     "{\"name\":\"eth0\",\"type\":\"iana-if-type:ethernetCsmacd\",\"whatever\":[]},"
			     "{\"name\":\"q\",\"type\":\"qlink:qlink\",\"oper-status\":\"up\",\"ietf-ip:ipv4\":{},"
			     "\"qlink:state\":{\"protection\":\"protected\"},"
			     "\"qlink:link\":{\"id\":1,\"lower\":\"eth0\",\"peer\":\"02:00:00:00:00:02\"}}]}}");
	struct site site;

	read_site(root, &site);
	CHECK_NUMBER("sections", site.n_sections, 1);
	CHECK(site_find(&site, SITE_DEVICE, "q"), "the link is not there");
	json_decref(root);
	site_free(&site);
}

TEST(defaults_are_of_each_link_that_does_not_say_it)
{
	json_t *root = load(DOCUMENTS "every.json");
	const struct site_section *section;
	struct site site;

	json_object_set_new(json_object_get(root, "qlink:agent"), "defaults",
			    json_pack("{s:i, s:s, s:i, s:b}", "store", 4000, "policy", "qkd-required", "mix-least", 2,
				      "chain-required", 1));
	json_object_del(json_object_get(write_interface(root, "qlink1"), "qlink:keys"), "mix-least");
	read_site(root, &site);
	section = site_find(&site, SITE_LINK, "qlink0");
	CHECK_TEXT("store of its own", site_get(section, "store"), "5000");
	CHECK_TEXT("policy of its own", site_get(section, "policy"), "hybrid-required");
	CHECK(!site_get(section, "mix-least"), "a link that does not mix has mix-least");
	section = site_find(&site, SITE_LINK, "qlink1");
	CHECK_TEXT("store", site_get(section, "store"), "4000");
	CHECK_TEXT("policy", site_get(section, "policy"), "qkd-required");
	CHECK_TEXT("mix-least", site_get(section, "mix-least"), "2");
	CHECK_TEXT("chain-required", site_get(section, "chain-required"), "yes");
	CHECK_TEXT("policy of the third", site_get(site_find(&site, SITE_LINK, "qlink2"), "policy"), "pqc-only");
	json_decref(root);
	site_free(&site);
}

/* A part of a site names peers and KMEs that the rest has. */
TEST(a_document_without_an_agent_is_a_part)
{
	json_t *root = load(DOCUMENTS "every.json");
	struct site site;

	json_object_del(root, "qlink:agent");
	read_site(root, &site);
	CHECK_NUMBER("sections", site.n_sections, 5);
	CHECK_TEXT("peer", site_get(site_find(&site, SITE_LINK, "qlink0"), "peer"), "site-b.example");
	json_decref(root);
	site_free(&site);
}

/* ---- faults ---- */

/* The member that a fault is about: the last step of its path, of an object or of a list. */
static void make_fault(json_t *at, const json_t *fault)
{
	const json_t *path = json_object_get(fault, "at"), *value = json_object_get(fault, "value"), *step;
	size_t i, last = json_array_size(path) - 1;

	for (i = 0; i < last; i++) {
		step = json_array_get(path, i);
		at = json_is_integer(step) ? json_array_get(at, (size_t)json_integer_value(step)) :
					     json_object_get(at, json_string_value(step));
	}
	step = json_array_get(path, last);
	if (json_is_integer(step))
		json_array_set(at, (size_t)json_integer_value(step), (json_t *)value);
	else if (!strcmp(json_string_value(step), "+"))
		json_array_append(at, (json_t *)value);
	else if (value)
		json_object_set(at, json_string_value(step), (json_t *)value);
	else
		json_object_del(at, json_string_value(step));
}

static void check_fault(const json_t *fault)
{
	const char *name = json_string_value(json_object_get(fault, "fault"));
	const char *why = json_string_value(json_object_get(fault, "why"));
	struct document_error error = { "" };
	json_t *root = load(DOCUMENTS "every.json");
	struct site site;

	make_fault(root, fault);
	CHECK_NUMBER(name, document_read(root, &site, &error), -22);
	CHECK(!strcmp(error.text, why), "%s: got '%s', want '%s'", name, error.text, why);
	json_decref(root);
	site_free(&site);
}

/* Each is also refused by yanglint with qlink.yang, see check-yang. */
TEST(each_fault_is_told_with_its_place_and_its_rule)
{
	json_t *faults = load(DOCUMENTS "faults.json"), *fault;
	size_t i;

	json_array_foreach(faults, i, fault)
		check_fault(fault);
	CHECK(i > 40, "only %zu faults", i);
	json_decref(faults);
}

static void check_refused(const char *text, const char *why)
{
	struct document_error error = { "" };
	FILE *file = fmemopen((void *)text, strlen(text), "r");
	json_t *root;

	if (!file)
		BAIL_OUT();
	root = document_load(file, "f", &error);
	CHECK(!root, "%s: is taken", text);
	CHECK_TEXT(text, error.text, why);
	fclose(file);
}

TEST(what_is_no_json_is_refused_with_its_line)
{
	check_refused("{\"a\":1,\n\"a\":2}", "f:2:3: duplicate object key near '\"a\"'");
	check_refused("{", "f:1:1: string or '}' expected near end of file");
}
