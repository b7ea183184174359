// SPDX-License-Identifier: GPL-2.0-or-later
/* Reads the document of a site: JSON (RFC 7951) after qlink.yang. */
#include "document.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "agentfile.h"
#include "leaf.h"
#include "sitedevice.h"
#include "write.h"

/* The only value of more than one word that is no list. */
#define TWO_WORDS	"metrics-listen"

/* A document that is read. */
struct reading {
	/* As the document says it. */
	struct site raw;
	/* What it says once for all links, as a section of its own. */
	struct site defaults;
	bool has_agent;
	/* Where in the document, as a path. */
	char path[1000];
	struct document_error *error;
};

__attribute__((format(printf, 2, 3)))
static int refuse(struct reading *reading, const char *format, ...)
{
	int n = snprintf(reading->error->text, sizeof(reading->error->text), "%s: ",
			 *reading->path ? reading->path : "/");
	va_list args;

	va_start(args, format);
	vsnprintf(reading->error->text + n, sizeof(reading->error->text) - (size_t)n, format, args);
	va_end(args);
	return -EINVAL;
}

static int no_memory(struct reading *reading)
{
	refuse(reading, "no memory");
	return -ENOMEM;
}

/* Makes the path longer. Returns its length so far, for leave(). */
__attribute__((format(printf, 2, 3)))
static size_t enter(struct reading *reading, const char *format, ...)
{
	size_t len = strlen(reading->path);
	va_list args;

	va_start(args, format);
	vsnprintf(reading->path + len, sizeof(reading->path) - len, format, args);
	va_end(args);
	return len;
}

/* Not after an error, whose path was written already. */
static void leave(struct reading *reading, size_t len)
{
	reading->path[len] = '\0';
}

static const char *type_name(const json_t *value)
{
	switch (json_typeof(value)) {
	case JSON_OBJECT: return "an object";
	case JSON_ARRAY: return "a list";
	case JSON_STRING: return "a string";
	case JSON_INTEGER: return "a number";
	case JSON_REAL: return "a number with a fraction";
	case JSON_TRUE: return "true";
	case JSON_FALSE: return "false";
	case JSON_NULL: break;
	}
	return "null";
}

static int refuse_type(struct reading *reading, const json_t *value, const char *must)
{
	return refuse(reading, "%s: must be %s", type_name(value), must);
}

/* ---- values ---- */

/* Also one of U+0080 to U+009F, which some terminals obey. */
static bool is_control(const char *at)
{
	const unsigned char *bytes = (const unsigned char *)at;

	return bytes[0] < ' ' || bytes[0] == 0x7f || (bytes[0] == 0xc2 && bytes[1] < 0xa0);
}

/* A file has words: what parts them, or begins a comment, is in none. */
static int check_word(struct reading *reading, const char *text, const char *blanks)
{
	const char *at;

	if (!*text)
		return refuse(reading, "\"\": must not be empty");
	for (at = text; *at; at++)
		if (is_control(at) || (*at == ' ' && !strchr(blanks, ' ')))
			return refuse(reading, "\"%.60s\": must be one word, without blanks and control characters",
				      text);
	if (*text == '#' || *text == ' ' || strstr(text, "  ") || strstr(text, " #") || at[-1] == ' ')
		return refuse(reading, "\"%.60s\": must not begin with # or a blank, or end with a blank", text);
	return 0;
}

static int take_text(struct reading *reading, const struct leaf *leaf, const json_t *value,
		     struct site_section *section)
{
	const char *text = json_string_value(value);

	if (!text)
		return refuse_type(reading, value, "a string");
	if (check_word(reading, text, strcmp(leaf->name, TWO_WORDS) ? "" : " "))
		return -EINVAL;
	return site_set(section, leaf->name, text) ? no_memory(reading) : 0;
}

static int take_number(struct reading *reading, const struct leaf *leaf, const json_t *value,
		       struct site_section *section)
{
	char text[24];

	if (!json_is_integer(value))
		return refuse_type(reading, value, "a whole number");
	snprintf(text, sizeof(text), "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	if (json_integer_value(value) < 0)
		return refuse(reading, "%s: must not be negative", text);
	return site_set(section, leaf->name, text) ? no_memory(reading) : 0;
}

/* RFC 7951, 6.1: JavaScript would round it. */
static int take_number64(struct reading *reading, const struct leaf *leaf, const json_t *value,
			 struct site_section *section)
{
	const char *text = json_string_value(value);

	if (!text)
		return refuse_type(reading, value, "a string of digits, as a number of 64 bits is");
	if (!*text || text[strspn(text, "0123456789")])
		return refuse(reading, "\"%.40s\": must be digits", text);
	return site_set(section, leaf->name, text) ? no_memory(reading) : 0;
}

static int take_boolean(struct reading *reading, const struct leaf *leaf, const json_t *value,
			struct site_section *section)
{
	if (!json_is_boolean(value))
		return refuse_type(reading, value, "true or false");
	return site_set(section, leaf->name, json_is_true(value) ? leaf->yes : leaf->no) ? no_memory(reading) : 0;
}

static int take_list(struct reading *reading, const struct leaf *leaf, const json_t *value,
		     struct site_section *section)
{
	const json_t *item;
	char text[1400] = "";
	size_t len = 0, i;

	if (!json_is_array(value))
		return refuse_type(reading, value, "a list of strings");
	json_array_foreach(value, i, item) {
		if (!json_is_string(item))
			return refuse_type(reading, item, "a string in a list");
		if (check_word(reading, json_string_value(item), ""))
			return -EINVAL;
		if (strchr(json_string_value(item), leaf->separator))
			return refuse(reading, "\"%.60s\": must be two items", json_string_value(item));
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%.*s%s", i ? 1 : 0, &leaf->separator,
					json_string_value(item));
		if (len >= sizeof(text))
			return refuse(reading, "more than %zu bytes", sizeof(text));
	}
	return *text && site_set(section, leaf->name, text) ? no_memory(reading) : 0;
}

static int take_leaf(struct reading *reading, const struct leaf *leaf, const json_t *value,
		     struct site_section *section)
{
	switch (leaf->form) {
	case LEAF_TEXT:
		return take_text(reading, leaf, value, section);
	case LEAF_NUMBER:
		return take_number(reading, leaf, value, section);
	case LEAF_NUMBER64:
		return take_number64(reading, leaf, value, section);
	case LEAF_INHERIT:
		return json_is_string(value) ? take_text(reading, leaf, value, section) :
		       take_number(reading, leaf, value, section);
	case LEAF_BOOLEAN:
		return take_boolean(reading, leaf, value, section);
	case LEAF_LIST:
		return take_list(reading, leaf, value, section);
	}
	return 0;
}

/* ---- sections ---- */

/* The word for word equal member; RFC 7951 lets none of them have a prefix. */
static bool is_one_of(const char *name, const char *const *names)
{
	for (; *names; names++)
		if (!strcmp(*names, name))
			return true;
	return false;
}

static int refuse_member(struct reading *reading, const char *name)
{
	return refuse(reading, "\"%.60s\": qlink.yang has no such member here", name);
}

/* All members of an object that are options, without those in @others. */
static int read_leaves(struct reading *reading, const json_t *object, struct site_section *section,
		       const char *const *others)
{
	bool is_default = section == reading->defaults.sections;
	const json_t *value;
	const char *name;
	struct leaf leaf;
	size_t len;
	int err;

	json_object_foreach((json_t *)object, name, value) {
		if (is_one_of(name, others))
			continue;
		if (!leaf_find(section->kind, name, &leaf) || (is_default && !leaf_is_default(name)))
			return refuse_member(reading, name);
		len = enter(reading, "/%s", name);
		err = take_leaf(reading, &leaf, value, section);
		if (err)
			return err;
		leave(reading, len);
	}
	return 0;
}

static int read_section(struct reading *reading, const json_t *object, enum site_kind kind, const char *name,
			const char *const *others)
{
	struct site_section *section;

	if (!json_is_object(object))
		return refuse_type(reading, object, "an object");
	section = site_add(&reading->raw, kind, name);
	if (!section)
		return no_memory(reading);
	return read_leaves(reading, object, section, others);
}

/* The key of an entry of a list. */
static const char *read_name(struct reading *reading, const json_t *entry)
{
	const json_t *name = json_object_get(entry, "name");
	size_t len;

	if (!json_is_object(entry)) {
		refuse_type(reading, entry, "an object");
		return NULL;
	}
	if (!name) {
		refuse(reading, "lacks name, the key of the list");
		return NULL;
	}
	len = enter(reading, "/name");
	if (!json_is_string(name)) {
		refuse_type(reading, name, "a string");
		return NULL;
	}
	if (check_word(reading, json_string_value(name), ""))
		return NULL;
	leave(reading, len);
	return json_string_value(name);
}

/* ---- the agent ---- */

static int read_list(struct reading *reading, const json_t *list, const char *member, enum site_kind kind)
{
	static const char *const others[] = { "name", "state", NULL };
	const char *name;
	const json_t *entry;
	size_t len, i;
	int err;

	if (!list)
		return 0;
	len = enter(reading, "/%s", member);
	if (!json_is_array(list))
		return refuse_type(reading, list, "a list");
	json_array_foreach(list, i, entry) {
		name = read_name(reading, entry);
		if (!name)
			return -EINVAL;
		enter(reading, "[name='%.80s']", name);
		if (site_find(&reading->raw, kind, name))
			return refuse(reading, "is there twice");
		err = read_section(reading, entry, kind, name, others);
		if (err)
			return err;
		leave(reading, len + strlen(member) + 1);
	}
	leave(reading, len);
	return 0;
}

static int read_defaults(struct reading *reading, const json_t *defaults)
{
	static const char *const none[] = { NULL };
	size_t len;
	int err;

	if (!site_add(&reading->defaults, SITE_LINK, "defaults"))
		return no_memory(reading);
	if (!defaults)
		return 0;
	len = enter(reading, "/defaults");
	if (!json_is_object(defaults))
		return refuse_type(reading, defaults, "an object");
	err = read_leaves(reading, defaults, reading->defaults.sections, none);
	if (!err)
		leave(reading, len);
	return err;
}

static int read_agent(struct reading *reading, const json_t *agent)
{
	static const char *const others[] = { "kme", "peer", "defaults", "status", NULL };
	int err;

	reading->has_agent = true;
	enter(reading, "/" WRITE_AGENT);
	err = read_section(reading, agent, SITE_AGENT, "", others) ?:
	      read_list(reading, json_object_get(agent, "kme"), "kme", SITE_KME) ?:
	      read_list(reading, json_object_get(agent, "peer"), "peer", SITE_PEER) ?:
	      read_defaults(reading, json_object_get(agent, "defaults"));
	if (!err)
		leave(reading, 0);
	return err;
}

/* ---- interfaces ---- */

/* State, and what says nothing of a link. */
static const char *const passed_over[] = {
	"name", "type", "description", "admin-status", "oper-status", "last-change", "if-index", "phys-address",
	"higher-layer-if", "lower-layer-if", "speed", "statistics", "qlink:state", NULL
};

static int set_up(struct reading *reading, const char *name, const json_t *enabled)
{
	struct site_section *section = site_find(&reading->raw, SITE_DEVICE, name);

	if (enabled && !json_is_boolean(enabled)) {
		enter(reading, "/enabled");
		return refuse_type(reading, enabled, "true or false");
	}
	/* True is its default. */
	if (!section || json_is_false(enabled))
		return 0;
	return site_set(section, "up", "") ? no_memory(reading) : 0;
}

static int read_part(struct reading *reading, const char *member, const json_t *value, const char *name)
{
	static const char *const none[] = { NULL };
	enum site_kind kind = strcmp(member, WRITE_LINK) ? SITE_LINK : SITE_DEVICE;
	size_t len = enter(reading, "/%s", member);
	int err = read_section(reading, value, kind, name, none);

	if (!err)
		leave(reading, len);
	return err;
}

static int read_link(struct reading *reading, const json_t *entry, const char *name)
{
	const char *member;
	const json_t *value;
	int err = 0;

	json_object_foreach((json_t *)entry, member, value) {
		if (is_one_of(member, passed_over) || !strcmp(member, "enabled"))
			continue;
		if (!strcmp(member, WRITE_LINK) || !strcmp(member, WRITE_KEYS))
			err = read_part(reading, member, value, name);
		else if (!strchr(member, ':') || !strncmp(member, "qlink:", 6))
			err = refuse_member(reading, member);
		if (err)
			return err;
	}
	return set_up(reading, name, json_object_get(entry, "enabled"));
}

static int read_interface(struct reading *reading, const json_t *entry)
{
	const json_t *type = json_object_get(entry, "type");
	const char *name = read_name(reading, entry);

	if (!name)
		return -EINVAL;
	enter(reading, "[name='%.80s']", name);
	if (!type)
		return refuse(reading, "lacks type, as " WRITE_TYPE);
	if (!json_is_string(type) || !strchr(json_string_value(type), ':') ||
	    (!strncmp(json_string_value(type), "qlink:", 6) && strcmp(json_string_value(type), WRITE_TYPE))) {
		enter(reading, "/type");
		return json_is_string(type) ?
		       refuse(reading, "\"%.60s\": must be that of a module, as " WRITE_TYPE, json_string_value(type)) :
		       refuse_type(reading, type, "a string");
	}
	return strcmp(json_string_value(type), WRITE_TYPE) ? 0 : read_link(reading, entry, name);
}

/* The same name twice may also be one of another kind of interface. */
static bool is_twice(const json_t *list, size_t n)
{
	const char *name = json_string_value(json_object_get(json_array_get(list, n), "name"));
	const char *other;
	size_t i;

	for (i = 0; name && i < n; i++) {
		other = json_string_value(json_object_get(json_array_get(list, i), "name"));
		if (other && !strcmp(other, name))
			return true;
	}
	return false;
}

static int read_interfaces(struct reading *reading, const json_t *interfaces)
{
	const json_t *list, *entry, *value;
	const char *member;
	size_t i, len;
	int err;

	enter(reading, "/" WRITE_INTERFACES);
	if (!json_is_object(interfaces))
		return refuse_type(reading, interfaces, "an object");
	json_object_foreach((json_t *)interfaces, member, value)
		if (strcmp(member, "interface") && (!strchr(member, ':') || !strncmp(member, "qlink:", 6)))
			return refuse_member(reading, member);
	list = json_object_get(interfaces, "interface");
	len = enter(reading, "/interface");
	if (list && !json_is_array(list))
		return refuse_type(reading, list, "a list");
	json_array_foreach(list, i, entry) {
		len = strlen(reading->path);
		if (is_twice(list, i)) {
			enter(reading, "[name='%.80s']", json_string_value(json_object_get(entry, "name")));
			return refuse(reading, "is there twice");
		}
		err = read_interface(reading, entry);
		if (err)
			return err;
		leave(reading, len);
	}
	leave(reading, 0);
	return 0;
}

/* ---- the whole ---- */

static int read_root(struct reading *reading, const json_t *root)
{
	const json_t *value;
	const char *member;
	int err = 0;

	if (!json_is_object(root))
		return refuse_type(reading, root, "an object");
	json_object_foreach((json_t *)root, member, value) {
		if (!strcmp(member, WRITE_INTERFACES))
			err = read_interfaces(reading, value);
		else if (!strcmp(member, WRITE_AGENT))
			err = read_agent(reading, value);
		else if (!strchr(member, ':') || !strncmp(member, "qlink:", 6) ||
			 !strncmp(member, "ietf-interfaces:", 16))
			err = refuse_member(reading, member);
		if (err)
			return err;
	}
	return 0;
}

/* Where the document has a section, and perhaps one of its options. */
static void enter_section(struct reading *reading, const struct site_section *section, const char *option)
{
	leave(reading, 0);
	if (section == reading->defaults.sections)
		enter(reading, "/" WRITE_AGENT "/defaults");
	else if (section->kind == SITE_AGENT)
		enter(reading, "/" WRITE_AGENT);
	else if (section->kind == SITE_KME || section->kind == SITE_PEER)
		enter(reading, "/" WRITE_AGENT "/%s[name='%.80s']", config_sections[section->kind].name, section->name);
	else
		enter(reading, "/" WRITE_INTERFACES "/interface[name='%.80s']/%s", section->name,
		      section->kind == SITE_LINK ? WRITE_KEYS : WRITE_LINK);
	if (option)
		enter(reading, "/%s", option);
}

static int refuse_fault(struct reading *reading, const struct agentfile_fault *fault)
{
	leave(reading, 0);
	if (fault->section)
		enter_section(reading, fault->section, fault->option ? fault->option->name : NULL);
	return refuse(reading, "%s", fault->text);
}

/* Only a link that mixes has a use for the least number to mix. */
static int expand(struct reading *reading, struct site_section *link)
{
	const struct site_section *defaults = reading->defaults.sections;
	const struct site_option *option;
	int err = 0;
	size_t i;

	for (i = 0; i < defaults->n_options && !err; i++) {
		option = &defaults->options[i];
		if (!site_get(link, option->name) && (strcmp(option->name, "mix-least") || site_get(link, "mix")))
			err = site_set(link, option->name, option->value);
	}
	return err ? no_memory(reading) : 0;
}

static int judge_agent(struct reading *reading, struct site *site)
{
	struct agentfile_fault fault;
	int err = 0;
	size_t i;

	if (reading->has_agent) {
		err = agentfile_check_defaults(reading->defaults.sections, &fault);
		for (i = 0; i < reading->raw.n_sections && !err; i++)
			if (reading->raw.sections[i].kind == SITE_LINK)
				err = expand(reading, &reading->raw.sections[i]);
	}
	if (!err)
		err = agentfile_check(&reading->raw, !reading->has_agent, site, &fault);
	return err == -EINVAL ? refuse_fault(reading, &fault) : err ? no_memory(reading) : 0;
}

static int judge_device(struct reading *reading, const struct site_section *section, struct site *site)
{
	struct statement_link link;
	struct qlink_why why;
	const char *option;
	int err = sitedevice_parse(section, &link, &option, &why);

	if (!err)
		err = sitedevice_add(site, &link);
	if (err != -EINVAL)
		return err ? no_memory(reading) : 0;
	enter_section(reading, section, option);
	return refuse(reading, "%s", why.text);
}

int document_read(const json_t *root, struct site *site, struct document_error *error)
{
	struct reading reading = { .error = error };
	int err = read_root(&reading, root);
	size_t i;

	*site = (struct site){ 0 };
	if (!err)
		err = judge_agent(&reading, site);
	for (i = 0; i < reading.raw.n_sections && !err; i++)
		if (reading.raw.sections[i].kind == SITE_DEVICE)
			err = judge_device(&reading, &reading.raw.sections[i], site);
	site_free(&reading.raw);
	site_free(&reading.defaults);
	return err;
}

json_t *document_load(FILE *file, const char *path, struct document_error *error)
{
	char *text = malloc(DOCUMENT_BYTES_MAX + 1);
	size_t len = text ? fread(text, 1, DOCUMENT_BYTES_MAX + 1, file) : 0;
	json_t *root = NULL;
	json_error_t wrong;

	if (!text || ferror(file))
		snprintf(error->text, sizeof(error->text), "%s: %s", path, strerror(text ? errno : ENOMEM));
	else if (len > DOCUMENT_BYTES_MAX)
		snprintf(error->text, sizeof(error->text), "%s: larger than 16 MiB", path);
	else
		root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &wrong);
	if (!root && text && !ferror(file) && len <= DOCUMENT_BYTES_MAX)
		snprintf(error->text, sizeof(error->text), "%s:%d:%d: %s", path, wrong.line, wrong.column,
			 wrong.text);
	free(text);
	return root;
}
