// SPDX-License-Identifier: GPL-2.0-or-later
/* What the kernel would refuse of a declared link, or leave out, without asking the kernel. */
#include "rules.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#define BIT(attr)	(1ULL << (attr))

/* ---- the underlay ---- */

static const uint64_t eth_bits = BIT(IFLA_QLINK_PEER) | BIT(IFLA_QLINK_ETHERTYPE);
static const uint64_t udp_bits = BIT(IFLA_QLINK_LOCAL) | BIT(IFLA_QLINK_REMOTE) | BIT(IFLA_QLINK_PORT) |
				 BIT(IFLA_QLINK_DEV) | BIT(IFLA_QLINK_ROAM);

static bool is_eth(const char *lower, const struct qlink_config *config)
{
	return *lower || config->present & eth_bits;
}

static int check_kind(const char *lower, const struct qlink_config *config, struct qlink_why *why)
{
	if (is_eth(lower, config) && config->present & udp_bits)
		return qlink_refuse(why, -EINVAL,
				    "link, peer, ethertype and local, remote, port, dev, roam exclude each other");
	if (!is_eth(lower, config) && !(config->present & udp_bits))
		return qlink_refuse(why, -EINVAL, "no underlay: give link and peer, or local, remote and port");
	if (!qlink_config_has(config, IFLA_QLINK_ID))
		return qlink_refuse(why, -EINVAL, "id: not given");
	return 0;
}

bool rules_is_one_device(const uint8_t mac[QLINK_MAC_BYTES])
{
	static const uint8_t zero[QLINK_MAC_BYTES];

	/* The lowest bit of the first byte is that of groups. */
	return !(mac[0] & 1) && memcmp(mac, zero, sizeof(zero));
}

static int check_eth(const char *lower, const struct qlink_config *config, struct qlink_why *why)
{
	char text[QLINK_MAC_TEXT];

	if (config->dscp || config->ecn || config->ttl || config->fwmark)
		return qlink_refuse(why, -EINVAL,
				    "dscp, ecn, ttl and fwmark are of the udp underlay: eth has no IP header");
	/* The kernel would take it, use it nowhere, and never show it. */
	if (qlink_config_has(config, IFLA_QLINK_SOURCE_PORTS))
		return qlink_refuse(why, -EINVAL, "source-ports is of the udp underlay: eth has no ports");
	if (!*lower)
		return qlink_refuse(why, -EINVAL, "link: not given, the device that carries the frames");
	if (!qlink_config_has(config, IFLA_QLINK_PEER))
		return qlink_refuse(why, -EINVAL, "peer: not given, the MAC address of the other end");
	if (!rules_is_one_device(config->peer))
		return qlink_refuse(why, -EINVAL, "peer %s: not the address of one device",
				    qlink_format_mac(config->peer, text));
	return 0;
}

/* ---- addresses ---- */

static bool is_any(const struct qlink_addr *addr)
{
	static const uint8_t zero[sizeof(addr->bytes)];

	return !memcmp(addr->bytes, zero, addr->len);
}

static const char *wrong_ipv4(const struct qlink_addr *addr)
{
	static const uint8_t broadcast[4] = { 255, 255, 255, 255 };

	/* From 224 to 239 they are of groups; some networks use those above. */
	if (!addr->bytes[0] || addr->bytes[0] >> 4 == 14 || !memcmp(addr->bytes, broadcast, sizeof(broadcast)))
		return "not the address of one machine";
	return NULL;
}

static const char *wrong_ipv6(const struct qlink_addr *addr)
{
	struct in6_addr in6;

	memcpy(&in6, addr->bytes, sizeof(in6));
	if (IN6_IS_ADDR_MULTICAST(&in6) || is_any(addr))
		return "not the address of one machine";
	if (IN6_IS_ADDR_V4MAPPED(&in6))
		return "an IPv4 address in an IPv6 one";
	if (IN6_IS_ADDR_LINKLOCAL(&in6))
		return "link-local, and a link has no scope";
	return NULL;
}

static int check_address(const char *name, const struct qlink_addr *addr, struct qlink_why *why)
{
	const char *rule = addr->len == 4 ? wrong_ipv4(addr) : wrong_ipv6(addr);
	char text[QLINK_ADDR_TEXT];

	return rule ? qlink_refuse(why, -EINVAL, "%s %s: %s", name, qlink_format_addr(addr, text), rule) : 0;
}

static int check_addresses(const struct qlink_config *config, struct qlink_why *why)
{
	bool is_learned = is_any(&config->remote);
	int err = check_address("local", &config->local, why);

	if (err || is_learned)
		return err;
	if (config->local.len != config->remote.len)
		return qlink_refuse(why, -EINVAL, "local and remote: one is IPv4 and one IPv6");
	return check_address("remote", &config->remote, why);
}

static int check_roam(const struct qlink_config *config, struct qlink_why *why)
{
	bool is_learned = is_any(&config->remote), has_roam = qlink_config_has(config, IFLA_QLINK_ROAM);

	if (is_learned && has_roam && !config->roam)
		return qlink_refuse(why, -EINVAL, "remote any: needs roam, which is off");
	if ((is_learned || config->roam) && !config->keepalive_ms)
		return qlink_refuse(why, -EINVAL, "%s: needs keepalive-ms at both ends",
				    is_learned ? "remote any" : "roam on");
	return 0;
}

static int check_udp(const struct qlink_config *config, struct qlink_why *why)
{
	int err;

	if (!qlink_config_has(config, IFLA_QLINK_LOCAL))
		return qlink_refuse(why, -EINVAL, "local: not given, an address of this machine");
	if (!qlink_config_has(config, IFLA_QLINK_REMOTE))
		return qlink_refuse(why, -EINVAL, "remote: not given, the address of the other end");
	if (!qlink_config_has(config, IFLA_QLINK_PORT))
		return qlink_refuse(why, -EINVAL, "port: not given, the UDP port of both ends");
	err = check_addresses(config, why);
	return err ?: check_roam(config, why);
}

/* ---- parcels ---- */

/* In the mode constant, a keepalive waits for up to two ticks each way. */
static int check_clock(const struct qlink_config *config, struct qlink_why *why)
{
	uint32_t us = qlink_config_has(config, IFLA_QLINK_PARCEL_INTERVAL_US) ?
		      config->parcel_interval_us : QLINK_PARCEL_INTERVAL_US_DEFAULT;

	if (config->parcel != QLINK_PARCEL_MODE_CONSTANT || !config->keepalive_ms ||
	    config->keepalive_ms * 1000ULL >= 4ULL * us)
		return 0;
	return qlink_refuse(why, -EINVAL, "keepalive-ms %u: below 4 times parcel-interval-us %u",
			    config->keepalive_ms, us);
}

static int check_parcels(const struct qlink_config *config, struct qlink_why *why)
{
	if (config->parcel_bytes && config->parcel_bytes < QLINK_PARCEL_BYTES_MIN)
		return qlink_refuse(why, -EINVAL, "parcel-bytes %u: neither 0 nor a number from %d to %d",
				    config->parcel_bytes, QLINK_PARCEL_BYTES_MIN, QLINK_PARCEL_BYTES_MAX);
	return check_clock(config, why);
}

int rules_check(const char *lower, const struct qlink_config *config, struct qlink_why *why)
{
	int err = check_kind(lower, config, why);

	if (!err)
		err = is_eth(lower, config) ? check_eth(lower, config, why) : check_udp(config, why);
	return err ?: check_parcels(config, why);
}
