// SPDX-License-Identifier: GPL-2.0-or-later
/* The options of a link, as "ip link … type qlink" and "qlinkctl set" both take and show them. */
#include "option.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/number.h"

#define LINE_MAX_COLUMNS	78

/* Every attribute that can be set, but the lower device and what the option accept also sets. */
static bool is_option(const struct qlink_attr *attr)
{
	return attr->type != IFLA_QLINK_LOWER && attr->type != IFLA_QLINK_ACCEPT_KMES;
}

static const struct qlink_attr *find(const char *word)
{
	const struct qlink_attr *attr = qlink_config_attrs.attrs;
	size_t i;

	for (i = 0; i < qlink_config_attrs.n; i++, attr++)
		if (is_option(attr) && !strcmp(attr->name, word))
			return attr;
	return NULL;
}

/* The policy of an attribute has one range; this one has 0 beside it. */
static int parse_keepalive(const char *text, uint64_t *ms, struct qlink_why *why)
{
	*ms = 0;
	if (!strcmp(text, "0") ||
	    !qlink_parse_number(text, QLINK_KEEPALIVE_MS_MIN, QLINK_KEEPALIVE_MS_MAX, ms, why))
		return 0;
	return qlink_refuse(why, -EINVAL, "neither 0 nor a number from %d to %d",
			    QLINK_KEEPALIVE_MS_MIN, QLINK_KEEPALIVE_MS_MAX);
}

/* The number that "inherit" stands for, one above those that an option can be set to; 0 where it
 * stands for none.
 */
static uint64_t inherit(const struct qlink_attr *attr)
{
	switch (attr->type) {
	case IFLA_QLINK_DSCP:
		return QLINK_DSCP_INHERIT;
	case IFLA_QLINK_TTL:
		return QLINK_TTL_INHERIT;
	}
	return 0;
}

const char *qlink_option_word(const struct qlink_attr *attr, const void *object)
{
	return inherit(attr) && qlink_attr_number(attr, object) == inherit(attr) ? "inherit" : NULL;
}

static int parse_inherit(const struct qlink_attr *attr, const char *text, uint64_t *number,
			 struct qlink_why *why)
{
	uint64_t max = inherit(attr) - 1;

	*number = inherit(attr);
	if (!strcmp(text, "inherit") || !qlink_parse_number(text, attr->min, max, number, why))
		return 0;
	return qlink_refuse(why, -EINVAL, "neither \"inherit\" nor a number from %d to %d",
			    (int)attr->min, (int)max);
}

static int parse_boolean(const struct qlink_attr *attr, struct qlink_config *config,
			 const char *text, struct qlink_why *why)
{
	bool is_on = !strcmp(text, "on");

	if (!is_on && strcmp(text, "off"))
		return qlink_refuse(why, -EINVAL, "neither \"on\" nor \"off\"");
	qlink_attr_set_number(attr, config, is_on);
	return 0;
}

/* The EtherType is written as its digits say; a mark may be decimal. */
static int parse_hex(const struct qlink_attr *attr, struct qlink_config *config,
		     const char *text, struct qlink_why *why)
{
	unsigned long long number;
	char *end;

	if (attr->type == IFLA_QLINK_ETHERTYPE)
		return qlink_parse_ethertype(text, &config->ethertype, why);
	errno = 0;
	number = strtoull(text, &end, 0);
	if (errno || end == text || *end || *text == '-' || number > attr->max)
		return qlink_refuse(why, -EINVAL, "not a number from 0 to 0x%llx",
				    (unsigned long long)attr->max);
	qlink_attr_set_number(attr, config, number);
	return 0;
}

static int parse_number(const struct qlink_attr *attr, struct qlink_config *config,
			const char *text, struct qlink_why *why)
{
	uint64_t number;
	int err;

	if (attr->type == IFLA_QLINK_KEEPALIVE_MS)
		err = parse_keepalive(text, &number, why);
	else if (inherit(attr))
		err = parse_inherit(attr, text, &number, why);
	else
		err = qlink_parse_number(text, attr->min, attr->max, &number, why);
	if (!err)
		qlink_attr_set_number(attr, config, number);
	return err;
}

/* Any address is all zero; the kernel takes its family from the local one. */
static int parse_address(const struct qlink_attr *attr, struct qlink_addr *addr, const char *text,
			 struct qlink_why *why)
{
	if (attr->type != IFLA_QLINK_REMOTE || strcmp(text, "any"))
		return qlink_parse_addr(text, addr, why);
	*addr = (struct qlink_addr){ .len = 4 };
	return 0;
}

/* Any name but one that is too long; the kernel knows the devices. */
static int parse_text(const struct qlink_attr *attr, char *member, const char *text,
		      struct qlink_why *why)
{
	if (strlen(text) >= attr->size)
		return qlink_refuse(why, -EINVAL, "longer than %d characters", attr->size - 1);
	memset(member, 0, attr->size);
	memcpy(member, text, strlen(text));
	return 0;
}

/* A value of an enum, which takes a byte. */
static int parse_name(const struct qlink_attr *attr, uint8_t *member, const char *text,
		      struct qlink_why *why)
{
	int value = qlink_name_find(attr->names, text, strlen(text));
	char list[80];

	if (value < 0) {
		qlink_name_list(attr->names, list, sizeof(list));
		return qlink_refuse(why, -EINVAL, "not one of %s", list);
	}
	*member = (uint8_t)value;
	return 0;
}

/* A list says all of what is accepted: without a number, one KME is enough. */
static int parse_accept(struct qlink_config *config, const char *text, struct qlink_why *why)
{
	int err = qlink_parse_accept(text, &config->accept, &config->accept_kmes, why);

	if (!err)
		config->present |= 1ULL << IFLA_QLINK_ACCEPT_KMES;
	return err;
}

static int parse(const struct qlink_attr *attr, struct qlink_config *config, const char *text,
		 struct qlink_why *why)
{
	void *member = (char *)config + attr->offset;

	switch (attr->form) {
	case QLINK_FORM_NUMBER:
		return parse_number(attr, config, text, why);
	case QLINK_FORM_HEX:
		return parse_hex(attr, config, text, why);
	case QLINK_FORM_BOOLEAN:
		return parse_boolean(attr, config, text, why);
	case QLINK_FORM_BITS:
		return parse_accept(config, text, why);
	case QLINK_FORM_MAC:
		return qlink_parse_mac(text, member, why);
	case QLINK_FORM_ADDRESS:
		return parse_address(attr, member, text, why);
	case QLINK_FORM_TEXT:
		return parse_text(attr, member, text, why);
	case QLINK_FORM_NAME:
		return parse_name(attr, member, text, why);
	case QLINK_FORM_UUID:
	case QLINK_FORM_BYTES:
		break;
	}
	return qlink_refuse(why, -EINVAL, "not a form that an option has");
}

int qlink_config_word(struct qlink_config *config, const char *word,
		      const char *value, struct qlink_why *why)
{
	const struct qlink_attr *attr = find(word);
	int err;

	if (!attr)
		return -ENOENT;
	if (qlink_config_has(config, attr->type))
		return -EEXIST;
	if (!value)
		return -ENODATA;
	err = parse(attr, config, value, why);
	if (!err)
		config->present |= 1ULL << attr->type;
	return err;
}

void qlink_config_error(int err, const char *word, const char *value,
			const struct qlink_why *why, char *buf, size_t size)
{
	switch (err) {
	case -ENOENT:
		snprintf(buf, size, "\"%s\": no such option", word);
		break;
	case -EEXIST:
		snprintf(buf, size, "%s: given twice", word);
		break;
	case -ENODATA:
		snprintf(buf, size, "%s: has no value", word);
		break;
	default:
		snprintf(buf, size, "%s \"%s\": %s", word, value, why->text);
	}
}

static bool is_any(const struct qlink_addr *addr)
{
	uint8_t bits = 0, i;

	for (i = 0; i < addr->len; i++)
		bits |= addr->bytes[i];
	return addr->len && !bits;
}

static void bytes_text(const uint8_t *bytes, size_t n, char text[QLINK_ATTR_TEXT])
{
	size_t i;

	for (i = 0; i < n; i++)
		snprintf(text + i * 2, QLINK_ATTR_TEXT - i * 2, "%02x", bytes[i]);
}

/* Of all bits, only the option accept is written as text. */
static char *accept_text(const struct qlink_config *config, char text[QLINK_ATTR_TEXT])
{
	return qlink_format_accept(config->accept, config->accept_kmes, text);
}

char *qlink_attr_text(const struct qlink_attr *attr, const void *object,
		      char text[QLINK_ATTR_TEXT])
{
	const void *member = (const char *)object + attr->offset;

	switch (attr->form) {
	case QLINK_FORM_NUMBER:
		if (qlink_option_word(attr, object))
			return strcpy(text, qlink_option_word(attr, object));
		snprintf(text, QLINK_ATTR_TEXT, "%" PRIu64, qlink_attr_number(attr, object));
		break;
	case QLINK_FORM_BOOLEAN:
		return strcpy(text, qlink_attr_number(attr, object) ? "on" : "off");
	case QLINK_FORM_HEX:
		snprintf(text, QLINK_ATTR_TEXT, "0x%04" PRIx64, qlink_attr_number(attr, object));
		break;
	case QLINK_FORM_NAME:
		snprintf(text, QLINK_ATTR_TEXT, "%s",
			 qlink_name(attr->names, (unsigned int)qlink_attr_number(attr, object)));
		break;
	case QLINK_FORM_BITS:
		return accept_text(object, text);
	case QLINK_FORM_MAC:
		return qlink_format_mac(member, text);
	case QLINK_FORM_ADDRESS:
		return is_any(member) ? strcpy(text, "any") :
		       qlink_format_addr(member, text);
	case QLINK_FORM_UUID:
		return qlink_format_uuid(member, text);
	case QLINK_FORM_TEXT:
		snprintf(text, QLINK_ATTR_TEXT, "%s", (const char *)member);
		break;
	case QLINK_FORM_BYTES:
		bytes_text(member, attr->size, text);
		break;
	}
	return text;
}

/* What a help text has in the place of a value. */
static const char *placeholder(const struct qlink_attr *attr)
{
	switch (attr->form) {
	case QLINK_FORM_HEX:
		return "0xNNNN";
	case QLINK_FORM_BITS:
		return "LIST";
	case QLINK_FORM_MAC:
		return "MAC";
	case QLINK_FORM_ADDRESS:
		return "ADDR";
	case QLINK_FORM_TEXT:
		return "NAME";
	case QLINK_FORM_BOOLEAN:
		return "on|off";
	case QLINK_FORM_NAME:
		return "MODE";
	case QLINK_FORM_NUMBER:
	case QLINK_FORM_UUID:
	case QLINK_FORM_BYTES:
		break;
	}
	return "N";
}

void qlink_options_print(FILE *to, int column, const char *pad)
{
	const struct qlink_attr *attr = qlink_config_attrs.attrs;
	int at = column, len;
	char text[64];
	size_t i;

	for (i = 0; i < qlink_config_attrs.n; i++, attr++) {
		if (!is_option(attr))
			continue;
		len = snprintf(text, sizeof(text), "[%s%s %s%s]", pad, attr->name,
			       placeholder(attr), pad);
		if (at + len > LINE_MAX_COLUMNS) {
			fprintf(to, "\n%*s", column, "");
			at = column;
		}
		fprintf(to, at > column ? " %s" : "%s", text);
		at += len + 1;
	}
	fputc('\n', to);
}
