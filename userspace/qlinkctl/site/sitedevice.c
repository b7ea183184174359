// SPDX-License-Identifier: GPL-2.0-or-later
/* The device of a link: as a section of a site, and as "ip link add" has it. */
#include "sitedevice.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "libqlink/option.h"

/* ---- to a section ---- */

static int set_number(struct site_section *section, const char *name, uint32_t number)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", number);
	return number ? site_set(section, name, text) : 0;
}

static int set_device(struct site_section *section, const struct statement_link *link)
{
	const struct qlink_device *device = &link->device;
	char mac[QLINK_MAC_TEXT];
	int err = 0;

	if (*link->lower)
		err = site_set(section, "lower", link->lower);
	if (!err && device->has_mac)
		err = site_set(section, "address", qlink_format_mac(device->mac, mac));
	if (!err)
		err = set_number(section, "mtu", device->mtu);
	if (!err)
		err = set_number(section, "txqueuelen", device->txqueuelen);
	if (!err && device->is_up)
		err = site_set(section, "up", "");
	return err;
}

static int set_options(struct site_section *section, const struct qlink_config *config)
{
	const struct qlink_attr *attr = qlink_config_attrs.attrs;
	char text[QLINK_ATTR_TEXT];
	int err = 0;
	size_t i;

	for (i = 0; i < qlink_config_attrs.n && !err; i++, attr++) {
		/* An index, and a part of accept. */
		if (attr->type == IFLA_QLINK_LOWER || attr->type == IFLA_QLINK_ACCEPT_KMES)
			continue;
		qlink_attr_text(attr, config, text);
		/* No name is that of no device, which is the default. */
		if (qlink_config_has(config, attr->type) && *text)
			err = site_set(section, attr->name, text);
	}
	return err;
}

int sitedevice_add(struct site *site, const struct statement_link *link)
{
	struct site_section *section;

	if (site_find(site, SITE_DEVICE, link->device.name))
		return -EEXIST;
	section = site_add(site, SITE_DEVICE, link->device.name);
	if (!section)
		return -ENOMEM;
	return set_device(section, link) ?: set_options(section, &link->config);
}

/* ---- from a section ---- */

static int add_word(struct statement *statement, const char *word, size_t place)
{
	if (statement->n == STATEMENT_WORDS)
		return -EINVAL;
	statement->words[statement->n] = strdup(word);
	if (!statement->words[statement->n])
		return -ENOMEM;
	statement->lines[statement->n++] = (unsigned int)place;
	return 0;
}

static bool is_head(const char *name)
{
	static const char *const names[] = { "lower", "address", "mtu", "txqueuelen", "up" };
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(names[i], name))
			return true;
	return false;
}

static int add_options(struct statement *statement, const struct site_section *section, bool heads)
{
	const struct site_option *option = section->options;
	int err = 0;
	size_t i;

	for (i = 0; i < section->n_options && !err; i++, option++) {
		if (is_head(option->name) != heads)
			continue;
		err = add_word(statement, strcmp(option->name, "lower") ? option->name : "link", i + 1);
		if (!err && strcmp(option->name, "up"))
			err = add_word(statement, option->value, i + 1);
	}
	return err;
}

int sitedevice_words(const struct site_section *section, struct statement *statement)
{
	return add_word(statement, "name", 0) ?: add_word(statement, section->name, 0) ?:
	       add_options(statement, section, true) ?:
	       add_word(statement, "type", 0) ?: add_word(statement, "qlink", 0) ?:
	       add_options(statement, section, false);
}

int sitedevice_parse(const struct site_section *section, struct statement_link *link, const char **option,
		     struct qlink_why *why)
{
	struct statement statement = { .n = 0 };
	unsigned int place = 0;
	int err;

	*option = NULL;
	err = sitedevice_words(section, &statement);
	if (err == -EINVAL)
		qlink_refuse(why, err, "%zu options: more than a link can have", section->n_options);
	if (!err) {
		err = statement_parse(&statement, link, &place, why);
		if (err && place)
			*option = section->options[place - 1].name;
	}
	statement_clear(&statement);
	return err;
}
