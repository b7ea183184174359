// SPDX-License-Identifier: GPL-2.0-or-later
/* What the kernel says of links, in the document of a site. */
#include "linkstate.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "libqlink/device.h"
#include "libqlink/json.h"
#include "libqlink/names.h"
#include "libqlink/protection.h"
#include "rfc7951.h"
#include "write.h"

/* ---- as any interface ---- */

/* RFC 8343 has the words, RFC 2863 what they mean: dormant waits for something outside. */
static const char *oper_status(const struct qlink_link *link)
{
	switch ((enum qlink_link_state)link->state) {
	case QLINK_LINK_STATE_UNCONFIGURED:
		return "not-present";
	case QLINK_LINK_STATE_ADMIN_DOWN:
		return "down";
	case QLINK_LINK_STATE_UNDERLAY_DOWN:
	case QLINK_LINK_STATE_UNDERLAY_TAKEN:
	case QLINK_LINK_STATE_NO_ROUTE:
		return "lower-layer-down";
	case QLINK_LINK_STATE_NO_KEY:
	case QLINK_LINK_STATE_PEER_LOST:
		return "dormant";
	case QLINK_LINK_STATE_UP:
		return "up";
	}
	return "unknown";
}

/* The columns of /proc/net/dev that RFC 8343 has; those of others are skipped. */
static const char *const columns[] = {
	"in-octets", NULL, "in-errors", "in-discards", NULL, NULL, NULL, NULL,
	"out-octets", NULL, "out-errors", "out-discards",
};

static bool read_columns(const char *line, const char *device, json_t *to)
{
	size_t i, len = strlen(device);
	uint64_t value;
	int n;

	line += strspn(line, " ");
	if (strncmp(line, device, len) || line[len] != ':')
		return false;
	line += len + 1;
	for (i = 0; i < sizeof(columns) / sizeof(columns[0]) && sscanf(line, "%" SCNu64 "%n", &value, &n) == 1; i++) {
		/* Errors and discards have 32 bits there. */
		if (columns[i])
			json_object_set_new(to, columns[i], strstr(columns[i], "octets") ? rfc7951_number64(value) :
					    json_integer((json_int_t)(value & UINT32_MAX)));
		line += n;
	}
	return true;
}

/* Counters begin with the kernel at the earliest. */
static json_t *statistics(const char *device)
{
	FILE *file = fopen("/proc/net/dev", "re");
	json_t *to = json_object();
	struct timespec up;
	char line[512];

	clock_gettime(CLOCK_BOOTTIME, &up);
	json_object_set_new(to, "discontinuity-time", rfc7951_time(time(NULL) - up.tv_sec));
	while (file && fgets(line, sizeof(line), file))
		if (read_columns(line, device, to))
			break;
	if (file)
		fclose(file);
	return to;
}

static void add_interface(json_t *entry, const struct qlink_link *link)
{
	struct qlink_device device;
	struct qlink_error error;
	char mac[QLINK_MAC_TEXT];

	json_object_set_new(entry, "oper-status", json_string(oper_status(link)));
	if (!qlink_device_get(link->ifname, &device, &error) && device.ifindex)
		json_object_set_new(entry, "phys-address", json_string(qlink_format_mac(device.mac, mac)));
	json_object_set_new(entry, "statistics", statistics(link->ifname));
}

/* ---- as a link ---- */

static json_t *parcels(const struct qlink_link *link)
{
	uint64_t bytes = link->stats[QLINK_A_STATS_TX_PARCEL_BYTES];
	uint64_t pad = link->stats[QLINK_A_STATS_TX_PAD_BYTES];
	json_t *to = json_object();

	if (bytes && pad <= bytes)
		json_object_set_new(to, "filled", rfc7951_decimal(100.0 * (double)(bytes - pad) / (double)bytes, 1));
	if (link->parcel_size && link->config.parcel_interval_us)
		json_object_set_new(to, "rate", rfc7951_number64(link->parcel_size * 8000000ULL /
								 link->config.parcel_interval_us));
	return to;
}

static json_t *state_of(const struct qlink_link *link)
{
	const struct qlink_attr *attr = qlink_link_attrs.attrs;
	json_t *to = json_object();
	uint32_t lacks;
	size_t i;

	json_object_set_new(to, "protection",
			    json_string(qlink_name(&qlink_protections, qlink_link_protection(link, &lacks))));
	json_object_set_new(to, "reasons", rfc7951_bits(&qlink_lacks, lacks));
	for (i = 0; i < qlink_link_attrs.n; i++, attr++)
		if (qlink_json_link_has(link, attr->type))
			json_object_set_new(to, attr->name, rfc7951_attr(attr, link));
	json_object_set_new(to, "tx", rfc7951_ring(&link->tx, true));
	json_object_set_new(to, "rx", rfc7951_ring(&link->rx, false));
	json_object_set_new(to, "counters", rfc7951_counters(link->stats, qlink_stats_names, QLINK_A_STATS_MAX));
	if (link->has_port)
		json_object_set_new(to, "port", rfc7951_counters(link->port, qlink_port_names, QLINK_A_PORT_MAX));
	json_object_set_new(to, "parcels", parcels(link));
	return to;
}

void linkstate_add(json_t *document, const struct qlink_link *links, size_t n)
{
	json_t *entry;
	size_t i;

	for (i = 0; i < n; i++) {
		entry = write_interface(document, links[i].ifname);
		add_interface(entry, &links[i]);
		json_object_set_new(entry, LINKSTATE_MEMBER, state_of(&links[i]));
	}
}
