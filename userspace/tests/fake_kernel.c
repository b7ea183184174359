// SPDX-License-Identifier: GPL-2.0-or-later
/* A kernel with links in memory, in the place of libqlink's requests. */
#include "fake_kernel.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "libqlink/event.h"
#include "libqlink/netns.h"
#include "libqlink/qlink.h"

/* What fits the underlay. */
#define MTU_MAX	1500

struct fake_link *fake_links;
unsigned int fake_changes;

struct fake_link *fake_find(const char *name)
{
	size_t i;

	for (i = 0; i < FAKE_LINKS; i++)
		if (fake_links[i].device.ifindex && !strcmp(fake_links[i].device.name, name))
			return &fake_links[i];
	return NULL;
}

static struct fake_link *find_index(uint32_t ifindex)
{
	size_t i;

	for (i = 0; i < FAKE_LINKS; i++)
		if (fake_links[i].device.ifindex == ifindex)
			return &fake_links[i];
	return NULL;
}

void fake_reset(void)
{
	if (!fake_links)
		fake_links = mmap(NULL, FAKE_LINKS * sizeof(*fake_links), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
				  -1, 0);
	memset(fake_links, 0, FAKE_LINKS * sizeof(*fake_links));
	fake_changes = 0;
}

/* Each change is a system call, as of a real kernel: a place where a process may be ended. */
static void count_change(void)
{
	fake_changes++;
	getppid();
}

static int fail(struct qlink_error *error, int err, const char *message)
{
	*error = (struct qlink_error){ .err = -err };
	snprintf(error->message, sizeof(error->message), "%s", message);
	return err;
}

/* ---- the family ---- */

const char *qlink_error_text(const struct qlink_error *error)
{
	return *error->message ? error->message : strerror(error->err);
}

int qlink_nl_open(struct qlink_nl **nl, struct qlink_error *error)
{
	static char socket;

	(void)error;
	*nl = (void *)&socket;
	return 0;
}

void qlink_nl_close(struct qlink_nl *nl)
{
	(void)nl;
}

static void show(const struct fake_link *from, struct qlink_link *link)
{
	*link = (struct qlink_link){
		.config = from->config, .ifindex = from->device.ifindex, .state = QLINK_LINK_STATE_UP,
		.underlay = QLINK_UNDERLAY_UDP, .rx.current_epoch = 1,
	};
	/* It shows no option that has its default of 0. */
	if (!link->config.dscp)
		link->config.present &= ~(1ULL << IFLA_QLINK_DSCP);
	memcpy(link->ifname, from->device.name, sizeof(link->ifname));
}

int qlink_link_get(struct qlink_nl *nl, uint32_t ifindex, struct qlink_link *link, struct qlink_error *error)
{
	(void)nl;
	if (!ifindex || !find_index(ifindex))
		return fail(error, -ENODEV, "");
	show(find_index(ifindex), link);
	return 0;
}

int qlink_link_dump(struct qlink_nl *nl, struct qlink_link **links, size_t *n, struct qlink_error *error)
{
	size_t i;

	(void)nl;
	(void)error;
	*links = calloc(FAKE_LINKS, sizeof(**links));
	*n = 0;
	for (i = 0; i < FAKE_LINKS; i++)
		if (fake_links[i].device.ifindex)
			show(&fake_links[i], &(*links)[(*n)++]);
	return 0;
}

/* Copies what a request has. */
static void set_options(struct qlink_config *to, const struct qlink_config *from)
{
	const struct qlink_attr *attr = qlink_config_attrs.attrs;
	size_t i;

	for (i = 0; i < qlink_config_attrs.n; i++, attr++)
		if (qlink_config_has(from, attr->type))
			memcpy((char *)to + attr->offset, (const char *)from + attr->offset, attr->size);
	to->present |= from->present;
}

int qlink_link_set(struct qlink_nl *nl, uint32_t ifindex, const struct qlink_config *config, struct qlink_error *error)
{
	struct fake_link *link = find_index(ifindex);
	size_t i;

	(void)nl;
	if (!link)
		return fail(error, -ENODEV, "");
	for (i = 0; i < FAKE_LINKS && qlink_config_has(config, IFLA_QLINK_ID); i++)
		if (fake_links[i].device.ifindex && &fake_links[i] != link && fake_links[i].config.id == config->id)
			return fail(error, -EEXIST, "another link has this id");
	set_options(&link->config, config);
	count_change();
	return 0;
}

/* ---- rtnetlink ---- */

int qlink_device_get(const char *name, struct qlink_device *device, struct qlink_error *error)
{
	const struct fake_link *link = fake_find(name);

	(void)error;
	*device = link ? link->device : (struct qlink_device){ 0 };
	if (!link)
		snprintf(device->name, sizeof(device->name), "%s", name);
	return 0;
}

/* No process remembers what another one has made. */
static uint32_t next_ifindex(void)
{
	uint32_t last = 10;
	size_t i;

	for (i = 0; i < FAKE_LINKS; i++)
		if (fake_links[i].device.ifindex > last)
			last = fake_links[i].device.ifindex;
	return last + 1;
}

static int make(const struct qlink_device *device, struct qlink_error *error)
{
	struct fake_link *link = find_index(0);

	if (fake_find(device->name))
		return fail(error, -EEXIST, "");
	if (!link)
		return fail(error, -ENOMEM, "");
	*link = (struct fake_link){ .device = *device, .config.present = 0 };
	link->device.ifindex = next_ifindex();
	link->device.has_mac = true;
	link->device.mtu = device->mtu ?: 1400;
	link->device.txqueuelen = device->txqueuelen ?: 1000;
	return 0;
}

int qlink_device_put(const struct qlink_device *device, struct qlink_error *error)
{
	struct fake_link *link = find_index(device->ifindex);

	if (device->mtu > MTU_MAX)
		return fail(error, -EINVAL, "mtu greater than device maximum");
	count_change();
	if (!device->ifindex)
		return make(device, error);
	if (!link)
		return fail(error, -ENODEV, "");
	if (device->mtu)
		link->device.mtu = device->mtu;
	if (device->txqueuelen)
		link->device.txqueuelen = device->txqueuelen;
	if (device->has_mac)
		memcpy(link->device.mac, device->mac, sizeof(device->mac));
	if (device->is_up || device->goes_down)
		link->device.is_up = device->is_up;
	return 0;
}

int qlink_device_delete(uint32_t ifindex, struct qlink_error *error)
{
	struct fake_link *link = find_index(ifindex);

	if (!ifindex || !link)
		return fail(error, -ENODEV, "");
	*link = (struct fake_link){ .device.ifindex = 0 };
	count_change();
	return 0;
}

int qlink_underlay_is_here(uint32_t ifindex)
{
	(void)ifindex;
	return 1;
}

unsigned int if_nametoindex(const char *name)
{
	const struct fake_link *link = fake_find(name);

	return link ? link->device.ifindex : 0;
}

/* ---- events: there are none ---- */

int qlink_monitor_open(struct qlink_monitor **monitor, struct qlink_error *error)
{
	*monitor = NULL;
	return fail(error, -EOPNOTSUPP, "");
}

void qlink_monitor_close(struct qlink_monitor *monitor)
{
	(void)monitor;
}

int qlink_monitor_fd(const struct qlink_monitor *monitor)
{
	(void)monitor;
	return -1;
}

int qlink_monitor_next(struct qlink_monitor *monitor, struct qlink_event *event, struct qlink_error *error)
{
	(void)monitor;
	(void)event;
	return fail(error, -EOPNOTSUPP, "");
}
