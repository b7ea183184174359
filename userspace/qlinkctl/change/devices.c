// SPDX-License-Identifier: GPL-2.0-or-later
/* The devices of a change: as they are, as they become, and put back. */
#include "devices.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libqlink/netns.h"
#include "libqlink/option.h"
#include "qlinkctl/links/compare.h"
#include "qlinkctl/site/sitedevice.h"

/* ---- the document ---- */

static int read_device(struct devices *devices, const struct site_section *section, struct qlink_why *why)
{
	struct declared_link *link = &devices->wanted[devices->n_wanted];
	struct qlink_why rule = { "" };
	const char *option;
	int err;

	*link = (struct declared_link){ .file = "document" };
	err = sitedevice_parse(section, &link->is, &option, &rule);
	if (err)
		return qlink_refuse(why, err, "%s: %s%s%.300s", section->name, option ? option : "", option ? ": " : "",
				    *rule.text ? rule.text : strerror(-err));
	devices->n_wanted++;
	return 0;
}

int devices_read(struct devices *devices, const struct site *document, struct qlink_why *why)
{
	int err = 0;
	size_t i;

	devices->wanted = calloc(document->n_sections + 1, sizeof(*devices->wanted));
	devices->results = calloc(document->n_sections + 1, sizeof(*devices->results));
	if (!devices->wanted || !devices->results)
		return qlink_refuse(why, -ENOMEM, "%s", strerror(ENOMEM));
	for (i = 0; i < document->n_sections && !err; i++)
		if (document->sections[i].kind == SITE_DEVICE)
			err = read_device(devices, &document->sections[i], why);
	return err;
}

void devices_free(struct devices *devices)
{
	free(devices->wanted);
	free(devices->results);
	free(devices->doomed);
	*devices = (struct devices){ 0 };
}

static const struct declared_link *find_wanted(const struct devices *devices, const char *name)
{
	size_t i;

	for (i = 0; i < devices->n_wanted; i++)
		if (!strcmp(devices->wanted[i].is.device.name, name))
			return &devices->wanted[i];
	return NULL;
}

/* ---- what is there ---- */

/* Options that the document has, and that are in force without being shown. */
static int add_not_shown(struct site_section *section, const struct qlink_config *wanted,
			 const struct qlink_config *is)
{
	const struct qlink_attr *attr = qlink_config_attrs.attrs;
	char text[QLINK_ATTR_TEXT];
	int err = 0;
	size_t i;

	for (i = 0; i < qlink_config_attrs.n && !err; i++, attr++) {
		if (!qlink_config_has(wanted, attr->type) || qlink_config_has(is, attr->type) ||
		    attr->type == IFLA_QLINK_ACCEPT_KMES)
			continue;
		qlink_attr_text(attr, compare_is_hidden(is, attr->type) ? wanted : is, text);
		if (*text)
			err = site_set(section, attr->name, text);
	}
	return err;
}

/* A name says nothing of a lower device in another network namespace, and it cannot be changed from here. */
static void name_lower(struct statement_link *is, const struct qlink_link *link, const struct declared_link *wanted)
{
	if (qlink_underlay_is_here(link->ifindex) <= 0)
		snprintf(is->lower, sizeof(is->lower), "%s", wanted ? wanted->is.lower : "");
	else if (qlink_config_has(&link->config, IFLA_QLINK_LOWER) && !if_indextoname(link->config.lower, is->lower))
		is->lower[0] = '\0';
}

static int look_at(const struct devices *devices, struct site *now, const struct qlink_link *link,
		   struct qlink_why *why)
{
	const struct declared_link *wanted = find_wanted(devices, link->ifname);
	struct statement_link is = { .config = link->config };
	struct site_section *section;
	struct qlink_error error;
	int err;

	if (qlink_device_get(link->ifname, &is.device, &error))
		return qlink_refuse(why, -error.err, "%s: %s", link->ifname, qlink_error_text(&error));
	if (!is.device.ifindex)
		return 0;
	name_lower(&is, link, wanted);
	is.config.present &= ~(1ULL << IFLA_QLINK_LOWER);
	err = sitedevice_add(now, &is);
	section = site_find(now, SITE_DEVICE, link->ifname);
	if (!err && section && wanted)
		err = add_not_shown(section, &wanted->is.config, &link->config);
	return err ? qlink_refuse(why, err, "%s: %s", link->ifname, strerror(-err)) : 0;
}

int devices_look(const struct devices *devices, struct site *now, struct qlink_why *why)
{
	struct qlink_link *links = NULL;
	struct qlink_error error;
	size_t n = 0, i;
	int err = 0;

	if (qlink_link_dump(devices->ctl->nl, &links, &n, &error))
		return qlink_refuse(why, -error.err, "%s", qlink_error_text(&error));
	for (i = 0; i < n && !err; i++)
		if (links[i].ifindex)
			err = look_at(devices, now, &links[i], why);
	free(links);
	return err;
}

/* ---- what will be touched ---- */

static void add_word(char *words, size_t room, const char *word)
{
	size_t n = strlen(words);

	snprintf(words + n, room - n, "%s%s", n ? " " : "", word);
}

static const struct {
	const char *word;
	unsigned int hidden_with;
} modes[] = {
	/* What the kernel shows only in a mode of parcels goes with the mode. */
	{ "parcel-hold-us", IFLA_QLINK_PARCEL_HOLD_US },
	{ "parcel-interval-us", IFLA_QLINK_PARCEL_INTERVAL_US },
	{ "parcel-queue", IFLA_QLINK_PARCEL_QUEUE },
};

static void list_touched(const struct comparison *comparison, const struct qlink_config *is, char *words, size_t room)
{
	const struct qlink_config *change = &comparison->change;
	const struct qlink_attr *attr = qlink_config_attrs.attrs;
	size_t i;

	*words = '\0';
	for (i = 0; i < qlink_config_attrs.n; i++, attr++)
		if (qlink_config_has(change, attr->type) && attr->type != IFLA_QLINK_ACCEPT_KMES &&
		    attr->type != IFLA_QLINK_LOWER)
			add_word(words, room, attr->name);
	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (qlink_config_has(change, IFLA_QLINK_PARCEL) && qlink_config_has(is, modes[i].hidden_with) &&
		    !qlink_config_has(change, modes[i].hidden_with))
			add_word(words, room, modes[i].word);
	if (qlink_config_has(change, IFLA_QLINK_LOWER))
		add_word(words, room, "lower");
	if (comparison->device.mtu)
		add_word(words, room, "mtu");
	if (comparison->device.txqueuelen)
		add_word(words, room, "txqueuelen");
	if (comparison->device.has_mac)
		add_word(words, room, "address");
	if (comparison->device.is_up)
		add_word(words, room, "up");
}

static int keep(struct before *before, const char *name, const struct site_section *was, const char *touched)
{
	struct before_device *device = before_add_device(before, name);
	struct site_section *section;
	int err = device ? 0 : -ENOMEM;
	size_t i;

	if (err)
		return err;
	device->touched = strdup(touched);
	section = was ? site_add(&device->was, SITE_DEVICE, name) : NULL;
	if (!device->touched || (was && !section))
		return -ENOMEM;
	for (i = 0; was && i < was->n_options && !err; i++)
		err = site_set(section, was->options[i].name, was->options[i].value);
	return err;
}

static int record_wanted(struct devices *devices, const struct declared_link *link, const struct site *now,
			 struct before *before, struct qlink_why *why)
{
	const char *name = link->is.device.name;
	const struct site_section *was = site_find(now, SITE_DEVICE, name);
	struct comparison comparison = { 0 };
	struct qlink_device device;
	struct qlink_error error;
	struct qlink_link is;
	char touched[500];
	uint32_t lower;

	if (qlink_device_get(name, &device, &error))
		return qlink_refuse(why, -error.err, "%s: %s", name, qlink_error_text(&error));
	if (!device.ifindex)
		return keep(before, name, NULL, "");
	if (!was)
		return qlink_refuse(why, -EEXIST, "%s: there is a device of this name, and it is not a qlink device", name);
	if (qlink_link_get(devices->ctl->nl, device.ifindex, &is, &error))
		return qlink_refuse(why, -error.err, "%s: %s", name, qlink_error_text(&error));
	lower = *link->is.lower && qlink_underlay_is_here(device.ifindex) > 0 ? if_nametoindex(link->is.lower) : 0;
	compare_options(&comparison, link, lower, &is);
	compare_device(&comparison, link, &device);
	list_touched(&comparison, &is.config, touched, sizeof(touched));
	return *touched ? keep(before, name, was, touched) : 0;
}

static int record_doomed(struct devices *devices, const struct site_section *section, struct before *before)
{
	uint32_t *doomed = reallocarray(devices->doomed, devices->n_doomed + 1, sizeof(*doomed));

	if (!doomed)
		return -ENOMEM;
	devices->doomed = doomed;
	doomed[devices->n_doomed++] = if_nametoindex(section->name);
	return keep(before, section->name, section, "");
}

int devices_record(struct devices *devices, const struct site *now, const struct site *next, struct before *before,
		   struct qlink_why *why)
{
	const struct site_section *section;
	int err = 0;
	size_t i;

	why->text[0] = '\0';
	for (i = 0; i < devices->n_wanted && !err; i++)
		err = record_wanted(devices, &devices->wanted[i], now, before, why);
	for (i = 0; i < now->n_sections && !err; i++) {
		section = &now->sections[i];
		if (section->kind == SITE_DEVICE && !site_find(next, SITE_DEVICE, section->name))
			err = record_doomed(devices, section, before);
	}
	if (err && !*why->text)
		qlink_refuse(why, err, "%s", strerror(-err));
	return err;
}

/* ---- the change ---- */

/* What no two links can have may be had by one that changes later. */
static bool may_be_freed(const struct apply_result *result)
{
	return result->err == -EEXIST || result->err == -EADDRINUSE;
}

/* Makes and changes those that were not, or were refused. Returns how many are still refused. */
static size_t pass(struct devices *devices, bool is_first, const struct apply_result **refused, const char **name)
{
	struct apply_result *result;
	size_t i, n = 0;

	*refused = NULL;
	for (i = 0; i < devices->n_wanted; i++) {
		result = &devices->results[i];
		if (is_first || result->outcome == APPLY_REFUSED)
			apply_link(devices->ctl, &devices->wanted[i], result);
		if (result->outcome != APPLY_REFUSED)
			continue;
		n++;
		/* One that nothing will free is told first. */
		if (!*refused || (may_be_freed(*refused) && !may_be_freed(result))) {
			*refused = result;
			*name = devices->wanted[i].is.device.name;
		}
	}
	return n;
}

int devices_activate(struct devices *devices, struct qlink_why *why)
{
	const struct apply_result *refused;
	bool has_pruned = false;
	const char *name = "";
	size_t left, n;
	int err;

	left = pass(devices, true, &refused, &name);
	while (left && may_be_freed(refused)) {
		n = pass(devices, false, &refused, &name);
		if (n == left && (has_pruned || !devices->n_doomed))
			break;
		if (n == left) {
			err = devices_prune(devices, why);
			if (err)
				return err;
			has_pruned = true;
		}
		left = n;
	}
	return left ? qlink_refuse(why, refused->err ?: -EEXIST, "%s: %s", name, refused->text) : 0;
}

int devices_prune(struct devices *devices, struct qlink_why *why)
{
	struct qlink_error error;

	while (devices->n_doomed) {
		if (qlink_device_delete(devices->doomed[devices->n_doomed - 1], &error) && error.err != ENODEV)
			return qlink_refuse(why, -error.err, "a device that goes: %s", qlink_error_text(&error));
		devices->n_doomed--;
	}
	return 0;
}

/* ---- and back ---- */

static bool is_touched(const struct before_device *device, const char *word)
{
	size_t n = strlen(word);
	const char *at = device->touched;

	while ((at = strstr(at, word))) {
		if ((at == device->touched || at[-1] == ' ') && (!at[n] || at[n] == ' '))
			return true;
		at += n;
	}
	return false;
}

/* Leaves of a whole link what was touched; what it did not have is its default of 0. */
static void cut(struct statement_link *is, const struct before_device *device)
{
	const struct qlink_attr *attr = qlink_config_attrs.attrs;
	uint64_t present = 0;
	size_t i;

	for (i = 0; i < qlink_config_attrs.n; i++, attr++)
		if (is_touched(device, attr->name))
			present |= 1ULL << attr->type;
	if (present & 1ULL << IFLA_QLINK_ACCEPT)
		present |= 1ULL << IFLA_QLINK_ACCEPT_KMES;
	is->config.present = present;
	if (!is_touched(device, "lower"))
		is->lower[0] = '\0';
	if (!is_touched(device, "mtu"))
		is->device.mtu = 0;
	if (!is_touched(device, "txqueuelen"))
		is->device.txqueuelen = 0;
	if (!is_touched(device, "address"))
		is->device.has_mac = false;
	is->device.is_up = false;
}

static int take_down(const char *name, uint32_t ifindex, struct qlink_why *why)
{
	struct qlink_device device = { .ifindex = ifindex, .goes_down = true };
	struct qlink_error error;

	snprintf(device.name, sizeof(device.name), "%s", name);
	return qlink_device_put(&device, &error) ?
	       qlink_refuse(why, -error.err, "%s: %s", name, qlink_error_text(&error)) : 0;
}

static int take_option(struct statement_link *is, const struct site_option *option, struct qlink_why *why)
{
	struct qlink_device *device = &is->device;

	if (!strcmp(option->name, "lower"))
		snprintf(is->lower, sizeof(is->lower), "%s", option->value);
	else if (!strcmp(option->name, "mtu"))
		device->mtu = (uint32_t)strtoul(option->value, NULL, 10);
	else if (!strcmp(option->name, "txqueuelen"))
		device->txqueuelen = (uint32_t)strtoul(option->value, NULL, 10);
	else if (!strcmp(option->name, "address"))
		device->has_mac = !qlink_parse_mac(option->value, device->mac, why);
	else if (!strcmp(option->name, "up"))
		device->is_up = true;
	else
		return qlink_config_word(&is->config, option->name, option->value, why);
	return 0;
}

/* The rules for files do not hold: a link may lack an underlay. */
static int take_options(struct statement_link *is, const struct site_section *section, struct qlink_why *why)
{
	struct qlink_why rule = { "" };
	int err = 0;
	size_t i;

	snprintf(is->device.name, sizeof(is->device.name), "%s", section->name);
	for (i = 0; i < section->n_options && !err; i++)
		err = take_option(is, &section->options[i], &rule);
	return err ? qlink_refuse(why, err, "%s: %s %.40s: %.200s", section->name, section->options[i - 1].name,
				  section->options[i - 1].value, rule.text) : 0;
}

/* The kernel has no way to take the underlay of a link away. */
static bool was_without_underlay(const struct before_device *device)
{
	return is_touched(device, "id") && !site_get(&device->was.sections[0], "id");
}

static int delete_device(const char *name, uint32_t ifindex, struct qlink_why *why)
{
	struct qlink_error error;

	if (!qlink_device_delete(ifindex, &error) || error.err == ENODEV)
		return 0;
	return qlink_refuse(why, -error.err, "%s: %s", name, qlink_error_text(&error));
}

static int put_back_existing(struct ctl *ctl, const struct before_device *device, uint32_t ifindex,
			     struct qlink_why *why)
{
	struct declared_link link = { .file = "before" };
	struct apply_result result;
	bool was_up;
	int err;

	err = take_options(&link.is, &device->was.sections[0], why);
	if (!err && ifindex && was_without_underlay(device)) {
		err = delete_device(device->name, ifindex, why);
		ifindex = 0;
	}
	if (err)
		return err;
	was_up = link.is.device.is_up;
	if (ifindex)
		cut(&link.is, device);
	apply_link(ctl, &link, &result);
	if (result.outcome == APPLY_REFUSED)
		return qlink_refuse(why, result.err ?: -EIO, "%s: %.300s", device->name, result.text);
	return ifindex && !was_up && is_touched(device, "up") ? take_down(device->name, ifindex, why) : 0;
}

/* One that the change made goes; another kind of device of this name is not ours. */
static int put_back_nothing(struct ctl *ctl, const struct before_device *device, uint32_t ifindex,
			    struct qlink_why *why)
{
	struct qlink_error error;
	struct qlink_link link;

	if (!ifindex || qlink_link_get(ctl->nl, ifindex, &link, &error))
		return 0;
	return delete_device(device->name, ifindex, why);
}

static int put_back(struct ctl *ctl, const struct before_device *device, struct qlink_why *why)
{
	uint32_t ifindex = if_nametoindex(device->name);

	return device->was.n_sections ? put_back_existing(ctl, device, ifindex, why) :
					put_back_nothing(ctl, device, ifindex, why);
}

/* Those that the change made first, since they may have what the others are to have again. */
static size_t put_back_pass(struct ctl *ctl, const struct before *before, bool *is_back, struct qlink_why *why)
{
	struct qlink_why rule;
	size_t i, n_failed = 0;
	bool existed;
	int round;

	for (round = 0; round < 2; round++) {
		for (i = 0; i < before->n_devices; i++) {
			existed = before->devices[i].was.n_sections;
			if (is_back[i] || existed != (round == 1))
				continue;
			is_back[i] = !put_back(ctl, &before->devices[i], &rule);
			if (!is_back[i] && !n_failed++)
				*why = rule;
		}
	}
	return n_failed;
}

int devices_put_back(struct ctl *ctl, const struct before *before, struct qlink_why *why)
{
	bool *is_back = calloc(before->n_devices + 1, sizeof(*is_back));
	size_t n, last;

	if (!is_back)
		return qlink_refuse(why, -ENOMEM, "%s", strerror(ENOMEM));
	n = put_back_pass(ctl, before, is_back, why);
	do {
		last = n;
		n = n ? put_back_pass(ctl, before, is_back, why) : 0;
	} while (n && n < last);
	free(is_back);
	return n ? -EIO : 0;
}
