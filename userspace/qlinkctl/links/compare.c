// SPDX-License-Identifier: GPL-2.0-or-later
/* What a link is, beside what a file declares. */
#include "compare.h"

#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "libqlink/option.h"

#define BIT(attr)	(1ULL << (attr))

/* All that make or concern an underlay. */
#define UNDERLAY_BITS							\
	(BIT(IFLA_QLINK_ID) | BIT(IFLA_QLINK_LOWER) | BIT(IFLA_QLINK_PEER) |	\
	 BIT(IFLA_QLINK_ETHERTYPE) | BIT(IFLA_QLINK_LOCAL) | BIT(IFLA_QLINK_REMOTE) |	\
	 BIT(IFLA_QLINK_PORT) | BIT(IFLA_QLINK_SOURCE_PORTS) | BIT(IFLA_QLINK_DEV) |	\
	 BIT(IFLA_QLINK_ROAM) | BIT(IFLA_QLINK_DSCP) | BIT(IFLA_QLINK_ECN) |	\
	 BIT(IFLA_QLINK_TTL) | BIT(IFLA_QLINK_FWMARK))

/* What the kernel shows only in a mode of parcels that uses it. */
#define HIDDEN_BITS							\
	(BIT(IFLA_QLINK_PARCEL_HOLD_US) | BIT(IFLA_QLINK_PARCEL_INTERVAL_US) |	\
	 BIT(IFLA_QLINK_PARCEL_QUEUE))

static void note(struct comparison *comparison, const char *name, const char *is, const char *declared)
{
	size_t n = strlen(comparison->text);

	snprintf(comparison->text + n, sizeof(comparison->text) - n, "%s%s %s, declared %s",
		 n ? "; " : "", name, *is ? is : "none", declared);
}

static void note_number(struct comparison *comparison, const char *name, uint32_t is, uint32_t declared)
{
	char is_text[16], text[16];

	snprintf(is_text, sizeof(is_text), "%u", is);
	snprintf(text, sizeof(text), "%u", declared);
	note(comparison, name, is_text, text);
}

/* ---- options ---- */

/* As text, so that any is the same in each family, and what is not shown is its default of 0. */
static bool differs(const struct qlink_attr *attr, const struct qlink_config *declared,
		    const struct qlink_config *is, char is_text[QLINK_ATTR_TEXT], char text[QLINK_ATTR_TEXT])
{
	qlink_attr_text(attr, declared, text);
	qlink_attr_text(attr, is, is_text);
	return strcmp(text, is_text);
}

/* The kernel shows no hold of 0 in the mode that uses it, either. */
bool compare_is_hidden(const struct qlink_config *is, unsigned int type)
{
	bool is_used = type == IFLA_QLINK_PARCEL_HOLD_US && is->parcel == QLINK_PARCEL_MODE_PACK;

	return !qlink_config_has(is, type) && BIT(type) & HIDDEN_BITS && !is_used;
}

static void compare_option(struct comparison *comparison, const struct qlink_attr *attr,
			   const struct qlink_config *declared, const struct qlink_config *is)
{
	char is_text[QLINK_ATTR_TEXT], text[QLINK_ATTR_TEXT];

	if (compare_is_hidden(is, attr->type))
		return;
	/* The least number of KMEs is part of what accept says. */
	if (attr->type == IFLA_QLINK_ACCEPT_KMES || !differs(attr, declared, is, is_text, text))
		return;
	comparison->change.present |= BIT(attr->type);
	if (attr->type == IFLA_QLINK_ACCEPT)
		comparison->change.present |= BIT(IFLA_QLINK_ACCEPT_KMES);
	note(comparison, attr->name, qlink_config_has(is, attr->type) ? is_text : "", text);
}

static void compare_lower(struct comparison *comparison, const struct declared_link *link, uint32_t lower,
			  const struct qlink_config *is)
{
	char name[IF_NAMESIZE] = "";

	comparison->change.lower = lower;
	if (!lower || (qlink_config_has(is, IFLA_QLINK_LOWER) && is->lower == lower))
		return;
	comparison->change.present |= BIT(IFLA_QLINK_LOWER);
	if (qlink_config_has(is, IFLA_QLINK_LOWER) && !if_indextoname(is->lower, name))
		strcpy(name, "another");
	note(comparison, "link", name, link->is.lower);
}

void compare_options(struct comparison *comparison, const struct declared_link *link, uint32_t lower,
		     const struct qlink_link *is)
{
	const struct qlink_config *declared = &link->is.config;
	const struct qlink_attr *attr = qlink_config_attrs.attrs;
	size_t i;

	comparison->change = *declared;
	comparison->change.present = 0;
	for (i = 0; i < qlink_config_attrs.n; i++, attr++)
		if (qlink_config_has(declared, attr->type))
			compare_option(comparison, attr, declared, &is->config);
	if (comparison->change.present & BIT(IFLA_QLINK_PARCEL))
		comparison->change.present |= declared->present & HIDDEN_BITS;
	compare_lower(comparison, link, lower, &is->config);
}

void compare_cut_underlay(struct qlink_config *change)
{
	change->present &= ~UNDERLAY_BITS;
}

/* ---- the device ---- */

static void compare_mac(struct comparison *comparison, const struct qlink_device *declared,
			const struct qlink_device *is)
{
	char is_text[QLINK_MAC_TEXT], text[QLINK_MAC_TEXT];

	if (!declared->has_mac || !memcmp(declared->mac, is->mac, sizeof(is->mac)))
		return;
	memcpy(comparison->device.mac, declared->mac, sizeof(declared->mac));
	comparison->device.has_mac = true;
	comparison->has_device = true;
	note(comparison, "address", qlink_format_mac(is->mac, is_text), qlink_format_mac(declared->mac, text));
}

void compare_device(struct comparison *comparison, const struct declared_link *link,
		    const struct qlink_device *is)
{
	const struct qlink_device *declared = &link->is.device;
	struct qlink_device *device = &comparison->device;

	*device = (struct qlink_device){ .ifindex = is->ifindex };
	memcpy(device->name, declared->name, sizeof(device->name));
	if (declared->mtu && declared->mtu != is->mtu) {
		device->mtu = declared->mtu;
		note_number(comparison, "mtu", is->mtu, declared->mtu);
	}
	if (declared->txqueuelen && declared->txqueuelen != is->txqueuelen) {
		device->txqueuelen = declared->txqueuelen;
		note_number(comparison, "txqueuelen", is->txqueuelen, declared->txqueuelen);
	}
	if (declared->is_up && !is->is_up) {
		device->is_up = true;
		note(comparison, "state", "down", "up");
	}
	comparison->has_device = device->mtu || device->txqueuelen || device->is_up;
	compare_mac(comparison, declared, is);
}
