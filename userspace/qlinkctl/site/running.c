// SPDX-License-Identifier: GPL-2.0-or-later
/* The devices of a site as they are in the kernel. */
#include "running.h"

#include <errno.h>
#include <string.h>

#include "libqlink/device.h"
#include "qlinkctl/ctl.h"
#include "qlinkctl/show.h"
#include "sitedevice.h"

/* Return: whether the words of "ip link add" can say where its frames go. */
static bool get_underlay(const struct qlink_link *link, struct statement_link *to)
{
	char name[IF_NAMESIZE];
	const char *lower = show_lower(link, name);

	if (link->underlay == QLINK_UNDERLAY_NONE) {
		ctl_warn("%s: left out: it has no underlay", link->ifname);
		return false;
	}
	if (qlink_config_has(&link->config, IFLA_QLINK_LOWER) && !lower) {
		ctl_warn("%s: left out: its lower device is in another network namespace", link->ifname);
		return false;
	}
	memset(to, 0, sizeof(*to));
	if (lower)
		strncpy(to->lower, lower, sizeof(to->lower) - 1);
	to->config = link->config;
	return true;
}

static int add(struct site *site, const struct qlink_link *link, bool *is_whole)
{
	struct statement_link is;
	struct qlink_error error;
	int err;

	if (!get_underlay(link, &is)) {
		*is_whole = false;
		return 0;
	}
	if (qlink_device_get(link->ifname, &is.device, &error)) {
		ctl_refused(link->ifname, &error);
		return -error.err;
	}
	/* It was deleted since. */
	if (!is.device.ifindex)
		return 0;
	err = sitedevice_add(site, &is);
	if (err)
		ctl_fail("%s: %s", link->ifname, strerror(-err));
	return err;
}

int running_add(struct site *site, const struct qlink_link *links, size_t n, bool *is_whole)
{
	int err = 0;
	size_t i;

	for (i = 0; i < n && !err; i++)
		err = add(site, &links[i], is_whole);
	return err;
}
