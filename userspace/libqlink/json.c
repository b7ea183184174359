// SPDX-License-Identifier: GPL-2.0-or-later
/* What is shown of a link as JSON: ip writes it with its own functions, qlinkctl with jansson. */
#include "json.h"

#include <string.h>

#include "option.h"
#include "protection.h"

static bool is_zero(const uint8_t *bytes, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (bytes[i])
			return false;
	return true;
}

void qlink_json_attr(const struct qlink_json *json, const struct qlink_attr *attr,
		     const void *object)
{
	const uint8_t *member = (const uint8_t *)object + attr->offset;
	char text[QLINK_ATTR_TEXT];

	switch (attr->form) {
	case QLINK_FORM_NUMBER:
		if (qlink_option_word(attr, object))
			break;
		json->number(json->arg, attr->key, qlink_attr_number(attr, object));
		return;
	case QLINK_FORM_HEX:
		json->number(json->arg, attr->key, qlink_attr_number(attr, object));
		return;
	case QLINK_FORM_BOOLEAN:
		json->boolean(json->arg, attr->key, qlink_attr_number(attr, object));
		return;
	case QLINK_FORM_BITS:
		json->bits(json->arg, attr->key, attr->names,
			   (uint32_t)qlink_attr_number(attr, object));
		return;
	case QLINK_FORM_UUID:
		if (is_zero(member, attr->size))
			return;
		break;
	case QLINK_FORM_NAME:
	case QLINK_FORM_MAC:
	case QLINK_FORM_ADDRESS:
	case QLINK_FORM_TEXT:
	case QLINK_FORM_BYTES:
		break;
	}
	json->text(json->arg, attr->key, qlink_attr_text(attr, object, text));
}

void qlink_json_attrs(const struct qlink_json *json, const struct qlink_attr_set *set,
		      const void *object)
{
	size_t i;

	for (i = 0; i < set->n; i++)
		qlink_json_attr(json, &set->attrs[i], object);
}

static void write_usage(const struct qlink_json *json, const struct qlink_usage *usage)
{
	unsigned int i;

	json->open(json->arg, "usage");
	for (i = 0; i <= QLINK_SOURCE_STATIC; i++) {
		if (!usage[i].frames)
			continue;
		json->open(json->arg, qlink_name(&qlink_sources, i));
		json->number(json->arg, "frames", usage[i].frames);
		json->number(json->arg, "bytes", usage[i].bytes);
		json->close(json->arg);
	}
	json->close(json->arg);
}

bool qlink_json_ring_has(const struct qlink_ring *ring, unsigned int type, bool is_tx)
{
	switch (type) {
	case QLINK_A_RING_CURRENT_SOURCE:
	case QLINK_A_RING_CURRENT_KMES:
		return ring->has_source;
	case QLINK_A_RING_AGE_MS:
		return ring->current_epoch;
	case QLINK_A_RING_OVERDUE:
		return is_tx;
	}
	return true;
}

void qlink_json_ring(const struct qlink_json *json, const char *name,
		     const struct qlink_ring *ring)
{
	const struct qlink_attr *attr = qlink_ring_attrs.attrs;
	bool is_tx = !strcmp(name, "tx");
	size_t i;

	json->open(json->arg, name);
	for (i = 0; i < qlink_ring_attrs.n; i++, attr++)
		if (qlink_json_ring_has(ring, attr->type, is_tx))
			qlink_json_attr(json, attr, ring);
	write_usage(json, ring->usage);
	json->close(json->arg);
}

static void write_config(const struct qlink_json *json, const struct qlink_config *config)
{
	const struct qlink_attr *attr = qlink_config_attrs.attrs;
	size_t i;

	for (i = 0; i < qlink_config_attrs.n; i++, attr++) {
		if (!qlink_config_has(config, attr->type))
			continue;
		/* An index, beside the name that only qlinkctl knows. */
		if (attr->type == IFLA_QLINK_LOWER)
			json->number(json->arg, "lower_ifindex", config->lower);
		else
			qlink_json_attr(json, attr, config);
	}
}

bool qlink_json_link_has(const struct qlink_link *link, unsigned int type)
{
	switch (type) {
	case IFLA_QLINK_PEER_HEARD:
	case IFLA_QLINK_PEER_EPOCH:
		return link->has_peer;
	case IFLA_QLINK_ECHO_US:
		return link->has_peer && link->echo_us;
	case IFLA_QLINK_WIPED_BY:
		return link->wipes;
	case IFLA_QLINK_PARCEL_SIZE:
		return link->parcel_size;
	case IFLA_QLINK_ENDPOINT:
	case IFLA_QLINK_ENDPOINT_PORT:
		return link->endpoint.len;
	}
	return true;
}

void qlink_json_link(const struct qlink_json *json, const struct qlink_link *link,
		     const char *lower)
{
	const struct qlink_attr *attr = qlink_link_attrs.attrs;
	enum qlink_protection protection;
	uint32_t lacks;
	size_t i;

	protection = qlink_link_protection(link, &lacks);
	json->text(json->arg, "protection", qlink_name(&qlink_protections, protection));
	json->bits(json->arg, "lacks", &qlink_lacks, lacks);
	for (i = 0; i < qlink_link_attrs.n; i++, attr++)
		if (qlink_json_link_has(link, attr->type))
			qlink_json_attr(json, attr, link);
	if (lower)
		json->text(json->arg, "lower", lower);
	write_config(json, &link->config);
	qlink_json_ring(json, "tx", &link->tx);
	qlink_json_ring(json, "rx", &link->rx);
}
