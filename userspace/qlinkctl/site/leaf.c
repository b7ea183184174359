// SPDX-License-Identifier: GPL-2.0-or-later
/* The options of each kind of section, and how JSON has their values. */
#include "leaf.h"

#include <string.h>

#include "libqlink/option.h"
#include "qlinkctl/links/statement.h"
#include "qlinkd/config/config.h"

/* ---- of the agent's file ---- */

static bool is_number(const struct reader_kind *kind)
{
	return kind == &reader_number || kind == &reader_long_number || kind == &reader_seconds;
}

static bool is_list(const char *name)
{
	return !strcmp(name, "kmes") || !strcmp(name, "mix");
}

static void take_agent(const struct reader_option *option, struct leaf *leaf)
{
	*leaf = (struct leaf){
		.name = option->name, .is_required = option->is_required, .min = option->min, .max = option->max,
	};
	if (option->kind == &reader_yes) {
		leaf->form = LEAF_BOOLEAN;
		leaf->yes = "yes";
		leaf->no = "no";
	} else if (is_number(option->kind)) {
		leaf->form = LEAF_NUMBER;
	} else if (is_list(option->name)) {
		leaf->form = LEAF_LIST;
		leaf->separator = ' ';
	}
}

/* ---- of a device ---- */

static const struct leaf of_rtnetlink[] = {
	{ .name = "lower", .form = LEAF_TEXT },
	{ .name = "address", .form = LEAF_TEXT },
	{ .name = "mtu", .form = LEAF_NUMBER, .min = STATEMENT_MTU_MIN, .max = STATEMENT_MTU_MAX },
	{ .name = "txqueuelen", .form = LEAF_NUMBER, .min = 1, .max = STATEMENT_QUEUE_MAX },
};

#define N_RTNETLINK	(sizeof(of_rtnetlink) / sizeof(of_rtnetlink[0]))

static enum leaf_form form_of(const struct qlink_attr *attr)
{
	switch (attr->form) {
	case QLINK_FORM_NUMBER:
		if (attr->type == IFLA_QLINK_DSCP || attr->type == IFLA_QLINK_TTL)
			return LEAF_INHERIT;
		return attr->size > sizeof(uint32_t) ? LEAF_NUMBER64 : LEAF_NUMBER;
	case QLINK_FORM_BOOLEAN:
		return LEAF_BOOLEAN;
	case QLINK_FORM_BITS:
		return LEAF_LIST;
	case QLINK_FORM_HEX:
	case QLINK_FORM_NAME:
	case QLINK_FORM_MAC:
	case QLINK_FORM_ADDRESS:
	case QLINK_FORM_TEXT:
	case QLINK_FORM_UUID:
	case QLINK_FORM_BYTES:
		break;
	}
	return LEAF_TEXT;
}

/* The policy of an attribute has one range; these have 0 beside it. */
static void add_zero(unsigned int type, struct leaf *leaf)
{
	leaf->has_zero = type == IFLA_QLINK_KEEPALIVE_MS || type == IFLA_QLINK_PARCEL_BYTES;
	if (type == IFLA_QLINK_KEEPALIVE_MS) {
		leaf->min = QLINK_KEEPALIVE_MS_MIN;
		leaf->max = QLINK_KEEPALIVE_MS_MAX;
	} else if (type == IFLA_QLINK_PARCEL_BYTES) {
		leaf->min = QLINK_PARCEL_BYTES_MIN;
	}
}

static void take_attr(const struct qlink_attr *attr, struct leaf *leaf)
{
	*leaf = (struct leaf){
		.name = attr->name, .form = form_of(attr), .min = attr->min, .max = attr->max,
		.yes = "on", .no = "off", .separator = ',', .is_required = attr->type == IFLA_QLINK_ID,
	};
	/* What stands for "inherit" is no number of its own. */
	if (leaf->form == LEAF_INHERIT)
		leaf->max--;
	add_zero(attr->type, leaf);
}

/* The lower device is one of rtnetlink's, by its name; the number of KMEs is part of accept. */
static bool is_option(const struct qlink_attr *attr)
{
	return attr->type != IFLA_QLINK_LOWER && attr->type != IFLA_QLINK_ACCEPT_KMES;
}

static bool device_at(size_t i, struct leaf *leaf)
{
	const struct qlink_attr *attr = qlink_config_attrs.attrs, *end = attr + qlink_config_attrs.n;

	if (i < N_RTNETLINK) {
		*leaf = of_rtnetlink[i];
		return true;
	}
	for (i -= N_RTNETLINK; attr < end; attr++)
		if (is_option(attr) && !i--)
			break;
	if (attr == end)
		return false;
	take_attr(attr, leaf);
	return true;
}

/* ---- all ---- */

bool leaf_at(enum site_kind kind, size_t i, struct leaf *leaf)
{
	/* Both enums have the kinds of sections of the file in the order of config_sections. */
	const struct reader_section *section = kind == SITE_DEVICE ? NULL : &config_sections[kind];

	if (!section)
		return device_at(i, leaf);
	if (i >= section->n_options)
		return false;
	take_agent(&section->options[i], leaf);
	return true;
}

bool leaf_find(enum site_kind kind, const char *name, struct leaf *leaf)
{
	size_t i;

	for (i = 0; leaf_at(kind, i, leaf); i++)
		if (!strcmp(leaf->name, name))
			return true;
	return false;
}

bool leaf_is_default(const char *name)
{
	static const char *const of_one[] = { "peer", "kmes", "mix", "sae", "psk" };
	struct leaf leaf;
	size_t i;

	for (i = 0; i < sizeof(of_one) / sizeof(of_one[0]); i++)
		if (!strcmp(of_one[i], name))
			return false;
	return leaf_find(SITE_LINK, name, &leaf);
}
