// SPDX-License-Identifier: GPL-2.0-or-later
/* A link: its configuration, its rings and its attributes. */
#include "link.h"

#include <errno.h>
#include <string.h>

int qlink_config_put(const struct qlink_config *config, qlink_attr_put put,
		     void *arg)
{
	const struct qlink_attr *attr = qlink_config_attrs.attrs;
	size_t i;
	int err;

	for (i = 0; i < qlink_config_attrs.n; i++, attr++) {
		if (!qlink_config_has(config, attr->type))
			continue;
		err = qlink_attr_put_member(attr, config, put, arg);
		if (err)
			return err;
	}
	return 0;
}

static int usage_take_attr(void *usage, unsigned int type, const void *data,
			   size_t len)
{
	return qlink_attr_take_of(&qlink_usage_attrs, usage, type, data, len);
}

/* A source that only a newer kernel has is ignored. */
static int usage_take(struct qlink_ring *ring, const void *data, size_t len)
{
	struct qlink_usage usage = { 0 };
	int err;

	err = qlink_attr_walk(data, len, usage_take_attr, &usage);
	if (!err && usage.source <= QLINK_SOURCE_STATIC)
		ring->usage[usage.source] = usage;
	return err;
}

int qlink_ring_take(void *arg, unsigned int type, const void *data, size_t len)
{
	struct qlink_ring *ring = arg;

	if (type == QLINK_A_RING_USAGE)
		return usage_take(ring, data, len);
	if (type == QLINK_A_RING_CURRENT_SOURCE)
		ring->has_source = true;
	return qlink_attr_take_of(&qlink_ring_attrs, ring, type, data, len);
}

static int config_take(struct qlink_config *config, const struct qlink_attr *attr,
		       const void *data, size_t len)
{
	int err = qlink_attr_take_member(attr, config, data, len);

	if (!err)
		config->present |= 1ULL << attr->type;
	return err;
}

int qlink_link_take(void *arg, unsigned int type, const void *data, size_t len)
{
	const struct qlink_attr *of_config = qlink_attr_find(&qlink_config_attrs, type);
	struct qlink_link *link = arg;

	if (of_config)
		return config_take(&link->config, of_config, data, len);
	switch (type) {
	case IFLA_QLINK_TX:
		return qlink_attr_walk(data, len, qlink_ring_take, &link->tx);
	case IFLA_QLINK_RX:
		return qlink_attr_walk(data, len, qlink_ring_take, &link->rx);
	case IFLA_QLINK_PEER_HEARD:
		link->has_peer = true;
		break;
	}
	return qlink_attr_take_of(&qlink_link_attrs, link, type, data, len);
}

int qlink_stats_take(void *stats, unsigned int type, const void *data,
		     size_t len)
{
	uint64_t *counters = stats;

	if (type > QLINK_A_STATS_MAX || type == QLINK_A_STATS_PAD)
		return 0;
	return qlink_attr_copy(&counters[type], sizeof(*counters), data, len);
}

static int port_take(void *port, unsigned int type, const void *data, size_t len)
{
	uint64_t *counters = port;

	if (type > QLINK_A_PORT_MAX || type == QLINK_A_PORT_PAD)
		return 0;
	return qlink_attr_copy(&counters[type], sizeof(*counters), data, len);
}

int qlink_name_take(char *name, size_t size, const void *data, size_t len)
{
	size_t n = strnlen(data, len);

	if (n >= size)
		return -EBADMSG;
	memcpy(name, data, n);
	name[n] = '\0';
	return 0;
}

int qlink_link_take_message(void *arg, unsigned int type, const void *data,
			    size_t len)
{
	struct qlink_link *link = arg;

	switch (type) {
	case QLINK_A_IFINDEX:
		return qlink_attr_copy(&link->ifindex, sizeof(link->ifindex),
				       data, len);
	case QLINK_A_IFNAME:
		return qlink_name_take(link->ifname, sizeof(link->ifname), data, len);
	case QLINK_A_LINK:
		return qlink_attr_walk(data, len, qlink_link_take, link);
	case QLINK_A_STATS:
		return qlink_attr_walk(data, len, qlink_stats_take, link->stats);
	case QLINK_A_PORT:
		link->has_port = true;
		return qlink_attr_walk(data, len, port_take, link->port);
	}
	return 0;
}
