// SPDX-License-Identifier: GPL-2.0
/* Translates between a link and netlink attributes, for rtnetlink and generic netlink. */
#include "config.h"

#include <linux/rtnetlink.h>
#include <net/netlink.h>

#include "live.h"
#include "parcel_tx.h"
#include "ring_show.h"
#include "wire.h"

/**
 * qlink_config_default() - the configuration of a new link
 * @config: out
 */
void qlink_config_default(struct qlink_config *config)
{
	memset(config, 0, sizeof(*config));
	config->kind = QLINK_UNDERLAY_NONE;
	config->ethertype = htons(QLINK_ETHERTYPE_DEFAULT);
	config->source_ports = 64;
}

static int qlink_config_parse_address(struct in6_addr *address, u8 *bytes,
				      const struct nlattr *attr, const char *name,
				      struct netlink_ext_ack *extack)
{
	if (nla_len(attr) != sizeof(struct in_addr) && nla_len(attr) != sizeof(*address)) {
		NL_SET_ERR_MSG_ATTR_FMT(extack, attr, "%s has %d bytes, not 4 or 16", name,
					nla_len(attr));
		return -EINVAL;
	}
	*bytes = nla_len(attr);
	memset(address, 0, sizeof(*address));
	nla_memcpy(address, attr, sizeof(*address));
	return 0;
}

static void qlink_config_parse_eth(struct qlink_config *config, struct nlattr **link,
				   const struct nlattr *lower)
{
	if (lower)
		config->lower_ifindex = nla_get_u32(lower);
	if (link && link[IFLA_QLINK_ETHERTYPE]) {
		config->ethertype = nla_get_be16(link[IFLA_QLINK_ETHERTYPE]);
		config->has_ethertype = true;
	}
	if (link && link[IFLA_QLINK_PEER]) {
		nla_memcpy(config->peer, link[IFLA_QLINK_PEER], ETH_ALEN);
		config->has_peer = true;
	}
}

static void qlink_config_parse_outer(struct qlink_config *config, struct nlattr **link)
{
	if (!link)
		return;
	if (link[IFLA_QLINK_DSCP])
		config->dscp = nla_get_u8(link[IFLA_QLINK_DSCP]);
	if (link[IFLA_QLINK_ECN])
		config->ecn = nla_get_u8(link[IFLA_QLINK_ECN]);
	if (link[IFLA_QLINK_TTL])
		config->ttl = nla_get_u16(link[IFLA_QLINK_TTL]);
	if (link[IFLA_QLINK_FWMARK])
		config->fwmark = nla_get_u32(link[IFLA_QLINK_FWMARK]);
}

/* A remote that is any has the family of the local address, and nothing to send to without roam. */
static void qlink_config_parse_roam(struct qlink_config *config, struct nlattr **link)
{
	bool is_any = qlink_config_has_any_remote(config);

	if (is_any && config->address_bytes)
		config->remote_bytes = config->address_bytes;
	if (link[IFLA_QLINK_ROAM])
		config->roam = nla_get_u8(link[IFLA_QLINK_ROAM]);
	else if (is_any && link[IFLA_QLINK_REMOTE])
		config->roam = true;
}

static int qlink_config_parse_udp(struct qlink_config *config, struct nlattr **link,
				  struct netlink_ext_ack *extack)
{
	int err = 0;

	if (!link)
		return 0;
	if (link[IFLA_QLINK_LOCAL])
		err = qlink_config_parse_address(&config->local, &config->address_bytes,
						 link[IFLA_QLINK_LOCAL], "local", extack);
	if (!err && link[IFLA_QLINK_REMOTE])
		err = qlink_config_parse_address(&config->remote, &config->remote_bytes,
						 link[IFLA_QLINK_REMOTE], "remote", extack);
	if (link[IFLA_QLINK_PORT])
		config->port = nla_get_be16(link[IFLA_QLINK_PORT]);
	if (link[IFLA_QLINK_SOURCE_PORTS])
		config->source_ports = nla_get_u16(link[IFLA_QLINK_SOURCE_PORTS]);
	if (link[IFLA_QLINK_DEV])
		nla_strscpy(config->dev, link[IFLA_QLINK_DEV], sizeof(config->dev));
	qlink_config_parse_roam(config, link);
	return err;
}

/* The kind of underlay follows from the attributes that are set. */
static int qlink_config_set_kind(struct qlink_config *config, struct netlink_ext_ack *extack)
{
	bool is_eth = config->lower_ifindex || config->has_peer || config->has_ethertype;
	bool is_udp = config->address_bytes || config->remote_bytes || config->port ||
		      config->dev[0] || config->roam;

	if (is_eth && is_udp) {
		NL_SET_ERR_MSG(extack,
			       "link, peer, ethertype and local, remote, port, dev exclude each other");
		return -EINVAL;
	}
	config->kind = is_eth ? QLINK_UNDERLAY_ETH :
		       is_udp ? QLINK_UNDERLAY_UDP : QLINK_UNDERLAY_NONE;
	if (config->kind == QLINK_UNDERLAY_NONE &&
	    (config->dscp || config->ecn || config->ttl || config->fwmark)) {
		NL_SET_ERR_MSG(extack, "dscp, ecn, ttl or fwmark is set, but no udp underlay");
		return -EINVAL;
	}
	if (config->kind != QLINK_UNDERLAY_NONE && !config->link_id) {
		NL_SET_ERR_MSG(extack, "an underlay is set, but no id");
		return -EINVAL;
	}
	return 0;
}

/**
 * qlink_config_parse() - change a configuration by a request
 * @config: current; the attributes of the request change it
 * @link: attributes IFLA_QLINK_*, checked by the policy; NULL for none
 * @lower: index of the lower device, or NULL
 * @extack: told the rule that is broken
 *
 * Context: RTNL held.
 * Return:
 * * %0			- @config is complete, or has no underlay
 * * %-EINVAL		- it is not complete
 * * %-EADDRNOTAVAIL	- an address is not that of a single host
 * * %-EAFNOSUPPORT	- the kernel does not support an address family
 */
int qlink_config_parse(struct qlink_config *config, struct nlattr **link,
		       const struct nlattr *lower, struct netlink_ext_ack *extack)
{
	int err;

	if (link && link[IFLA_QLINK_ID])
		config->link_id = nla_get_u16(link[IFLA_QLINK_ID]);
	qlink_config_parse_eth(config, link, lower);
	qlink_config_parse_outer(config, link);
	err = qlink_config_parse_udp(config, link, extack);
	if (!err)
		err = qlink_config_set_kind(config, extack);
	if (err || config->kind == QLINK_UNDERLAY_NONE)
		return err;
	return qlink_underlay_of(config->kind)->check(config, extack);
}

/**
 * qlink_limits_default() - the limits of a new link
 * @limits: out
 */
void qlink_limits_default(struct qlink_limits *limits)
{
	memset(limits, 0, sizeof(*limits));
	limits->hard_seconds = QLINK_HARD_SECONDS_DEFAULT;
	limits->grace_ms = QLINK_GRACE_MS_DEFAULT;
	limits->keys_low = QLINK_KEYS_LOW_DEFAULT;
	limits->blocks2_log2 = QLINK_BLOCKS2_LOG2_DEFAULT;
}

/**
 * qlink_limits_parse() - change limits by a request
 * @limits: current; the attributes of the request change them
 * @link: attributes IFLA_QLINK_*, checked by the policy; NULL for none
 *
 * Return: whether the request names any limit
 */
bool qlink_limits_parse(struct qlink_limits *limits, struct nlattr **link)
{
	bool has_any;
	int id;

	if (!link)
		return false;
	has_any = link[IFLA_QLINK_BLOCKS2_LOG2];
	for (id = IFLA_QLINK_REKEY_MS; id <= IFLA_QLINK_KEYS_LOW; id++)
		has_any |= !!link[id];
	if (link[IFLA_QLINK_REKEY_MS])
		limits->rekey_ms = nla_get_u32(link[IFLA_QLINK_REKEY_MS]);
	if (link[IFLA_QLINK_REKEY_FRAMES])
		limits->rekey_frames = nla_get_u64(link[IFLA_QLINK_REKEY_FRAMES]);
	if (link[IFLA_QLINK_REKEY_BYTES])
		limits->rekey_bytes = nla_get_u64(link[IFLA_QLINK_REKEY_BYTES]);
	if (link[IFLA_QLINK_HARD_SECONDS])
		limits->hard_seconds = nla_get_u32(link[IFLA_QLINK_HARD_SECONDS]);
	if (link[IFLA_QLINK_GRACE_MS])
		limits->grace_ms = nla_get_u32(link[IFLA_QLINK_GRACE_MS]);
	if (link[IFLA_QLINK_KEYS_LOW])
		limits->keys_low = nla_get_u32(link[IFLA_QLINK_KEYS_LOW]);
	if (link[IFLA_QLINK_BLOCKS2_LOG2])
		limits->blocks2_log2 = nla_get_u8(link[IFLA_QLINK_BLOCKS2_LOG2]);
	return has_any;
}

/**
 * qlink_keepalive_parse() - change the keepalive interval by a request
 * @keepalive_ms: current; changed if the request names it
 * @link: attributes IFLA_QLINK_*; NULL for none
 * @extack: told the rule that is broken
 *
 * It is checked here because a netlink policy can only say one range, and 0 is allowed too.
 *
 * Return: 0 or %-ERANGE
 */
int qlink_keepalive_parse(u32 *keepalive_ms, struct nlattr **link,
			  struct netlink_ext_ack *extack)
{
	const struct nlattr *attr = link ? link[IFLA_QLINK_KEEPALIVE_MS] : NULL;
	u32 ms;

	if (!attr)
		return 0;
	ms = nla_get_u32(attr);
	if (ms && (ms < QLINK_KEEPALIVE_MS_MIN || ms > QLINK_KEEPALIVE_MS_MAX)) {
		NL_SET_ERR_MSG_ATTR_FMT(extack, attr, "keepalive-ms %u is neither 0 nor %u to %u",
					ms, QLINK_KEEPALIVE_MS_MIN, QLINK_KEEPALIVE_MS_MAX);
		return -ERANGE;
	}
	*keepalive_ms = ms;
	return 0;
}

/**
 * qlink_parcel_check() - check the sizes of a request
 * @link: attributes IFLA_QLINK_*, checked by the policy; NULL for none
 * @extack: told the rule that is broken
 *
 * It is here for the same reason as that of qlink_keepalive_parse().
 *
 * Return: 0 or %-ERANGE
 */
int qlink_parcel_check(struct nlattr **link, struct netlink_ext_ack *extack)
{
	const struct nlattr *attr = link ? link[IFLA_QLINK_PARCEL_BYTES] : NULL;
	u16 bytes = attr ? nla_get_u16(attr) : 0;

	if (!bytes || bytes >= QLINK_PARCEL_BYTES_MIN)
		return 0;
	NL_SET_ERR_MSG_ATTR_FMT(extack, attr, "parcel-bytes %u is neither 0 nor %u to %u", bytes,
				QLINK_PARCEL_BYTES_MIN, QLINK_PARCEL_BYTES_MAX);
	return -ERANGE;
}

/**
 * qlink_config_is_same() - are two configurations equal?
 * @a: made by qlink_config_default() and qlink_config_parse()
 * @b: made by qlink_config_default() and qlink_config_parse()
 *
 * Return: whether they are equal; padding is zero in both
 */
bool qlink_config_is_same(const struct qlink_config *a, const struct qlink_config *b)
{
	return !memcmp(a, b, sizeof(*a));
}

/**
 * qlink_config_is_same_peer() - do two configurations lead to the same peer, the same way?
 * @a: made by qlink_config_default() and qlink_config_parse()
 * @b: made by qlink_config_default() and qlink_config_parse()
 *
 * Return: whether they differ in fields of the outer header at most
 */
bool qlink_config_is_same_peer(const struct qlink_config *a, const struct qlink_config *b)
{
	struct qlink_config other = *b;

	other.fwmark = a->fwmark;
	other.ttl = a->ttl;
	other.dscp = a->dscp;
	other.ecn = a->ecn;
	return qlink_config_is_same(a, &other);
}

/**
 * qlink_config_keeps_endpoint() - is the peer reached the same way by two configurations?
 * @a: checked
 * @b: of any kind
 *
 * Return: whether what one has learned of the peer's endpoint is valid for the other
 */
bool qlink_config_keeps_endpoint(const struct qlink_config *a, const struct qlink_config *b)
{
	return a->roam && b->roam && a->link_id == b->link_id && a->port == b->port &&
	       a->address_bytes == b->address_bytes && ipv6_addr_equal(&a->local, &b->local) &&
	       ipv6_addr_equal(&a->remote, &b->remote);
}

static int qlink_config_fill_eth(struct sk_buff *msg, const struct qlink_config *config)
{
	if (nla_put_u32(msg, IFLA_QLINK_LOWER, config->lower_ifindex) ||
	    nla_put_be16(msg, IFLA_QLINK_ETHERTYPE, config->ethertype) ||
	    nla_put(msg, IFLA_QLINK_PEER, ETH_ALEN, config->peer))
		return -EMSGSIZE;
	return 0;
}

static int qlink_config_fill_outer(struct sk_buff *msg, const struct qlink_config *config)
{
	if ((config->dscp && nla_put_u8(msg, IFLA_QLINK_DSCP, config->dscp)) ||
	    (config->ecn && nla_put_u8(msg, IFLA_QLINK_ECN, config->ecn)) ||
	    (config->ttl && nla_put_u16(msg, IFLA_QLINK_TTL, config->ttl)) ||
	    (config->fwmark && nla_put_u32(msg, IFLA_QLINK_FWMARK, config->fwmark)))
		return -EMSGSIZE;
	return 0;
}

static int qlink_config_fill_udp(struct sk_buff *msg, const struct qlink_config *config)
{
	if (nla_put(msg, IFLA_QLINK_LOCAL, config->address_bytes, &config->local) ||
	    nla_put(msg, IFLA_QLINK_REMOTE, config->remote_bytes, &config->remote) ||
	    nla_put_be16(msg, IFLA_QLINK_PORT, config->port) ||
	    nla_put_u16(msg, IFLA_QLINK_SOURCE_PORTS, config->source_ports) ||
	    nla_put_u8(msg, IFLA_QLINK_ROAM, config->roam) ||
	    (config->dev[0] && nla_put_string(msg, IFLA_QLINK_DEV, config->dev)))
		return -EMSGSIZE;
	return qlink_config_fill_outer(msg, config);
}

/* Without roam the endpoint is as configured, and not shown a second time. */
static int qlink_config_fill_endpoint(struct sk_buff *msg, const struct qlink_dev *link)
{
	struct qlink_attach *attach = rtnl_dereference(link->attach);
	struct qlink_place now, former;

	if (!attach || !attach->config.roam)
		return 0;
	qlink_endpoint_read(&attach->endpoint, &now, &former);
	if (!now.is_known)
		return 0;
	return nla_put(msg, IFLA_QLINK_ENDPOINT, attach->config.address_bytes, &now.address) ?:
	       nla_put_be16(msg, IFLA_QLINK_ENDPOINT_PORT, now.port);
}

static int qlink_config_fill_underlay(struct sk_buff *msg, const struct qlink_config *config)
{
	switch (config->kind) {
	case QLINK_UNDERLAY_NONE:
		return 0;
	case QLINK_UNDERLAY_ETH:
		return qlink_config_fill_eth(msg, config);
	case QLINK_UNDERLAY_UDP:
		return qlink_config_fill_udp(msg, config);
	}
	return 0;
}

/* What does not apply to the mode is not shown. */
static int qlink_parcel_fill(struct sk_buff *msg, const struct qlink_dev *link)
{
	const struct qlink_attach *attach = rtnl_dereference(link->attach);
	bool is_constant = link->parcel == QLINK_PARCEL_MODE_CONSTANT;
	u16 hold_us = link->parcel == QLINK_PARCEL_MODE_PACK ? link->parcel_hold_us : 0;
	u16 size = 0;

	if (attach && link->parcel > QLINK_PARCEL_MODE_PACK)
		size = qlink_parcel_tx_bytes(link, attach) + QLINK_OVERHEAD_BYTES;
	if ((link->parcel && nla_put_u8(msg, IFLA_QLINK_PARCEL, link->parcel)) ||
	    (size && nla_put_u16(msg, IFLA_QLINK_PARCEL_SIZE, size)) ||
	    (hold_us && nla_put_u16(msg, IFLA_QLINK_PARCEL_HOLD_US, hold_us)) ||
	    (link->parcel_bytes && nla_put_u16(msg, IFLA_QLINK_PARCEL_BYTES, link->parcel_bytes)) ||
	    (is_constant && nla_put_u32(msg, IFLA_QLINK_PARCEL_INTERVAL_US,
					link->clock.interval_us)) ||
	    (is_constant && nla_put_u16(msg, IFLA_QLINK_PARCEL_QUEUE, link->clock.queue)))
		return -EMSGSIZE;
	return 0;
}

static int qlink_limits_fill(struct sk_buff *msg, const struct qlink_limits *limits)
{
	if (nla_put_u32(msg, IFLA_QLINK_REKEY_MS, limits->rekey_ms) ||
	    nla_put_u64_64bit(msg, IFLA_QLINK_REKEY_FRAMES, limits->rekey_frames,
			      IFLA_QLINK_PAD) ||
	    nla_put_u64_64bit(msg, IFLA_QLINK_REKEY_BYTES, limits->rekey_bytes,
			      IFLA_QLINK_PAD) ||
	    nla_put_u32(msg, IFLA_QLINK_HARD_SECONDS, limits->hard_seconds) ||
	    nla_put_u32(msg, IFLA_QLINK_GRACE_MS, limits->grace_ms) ||
	    nla_put_u32(msg, IFLA_QLINK_KEYS_LOW, limits->keys_low) ||
	    nla_put_u8(msg, IFLA_QLINK_BLOCKS2_LOG2, limits->blocks2_log2))
		return -EMSGSIZE;
	return 0;
}

/* The rings, and what became of earlier keys. */
static int qlink_config_fill_keys(struct sk_buff *msg, struct qlink_keyring *keyring)
{
	if (qlink_ring_fill(msg, &keyring->tx, IFLA_QLINK_TX) ||
	    qlink_ring_fill(msg, &keyring->rx, IFLA_QLINK_RX) ||
	    nla_put_u32(msg, IFLA_QLINK_WIPES, READ_ONCE(keyring->n_wipes)) ||
	    nla_put_u8(msg, IFLA_QLINK_WIPED_BY, READ_ONCE(keyring->wiped_by)) ||
	    nla_put_u32(msg, IFLA_QLINK_GENERATION, READ_ONCE(keyring->generation)) ||
	    nla_put_u64_64bit(msg, IFLA_QLINK_BLOCKS2, qlink_ring_blocks2(&keyring->tx),
			      IFLA_QLINK_PAD))
		return -EMSGSIZE;
	return 0;
}

/* Without keepalives nothing is known of the peer. */
static int qlink_config_fill_live(struct sk_buff *msg, struct qlink_dev *link)
{
	struct qlink_live_info info;

	qlink_live_read(link, &info);
	if (nla_put_u32(msg, IFLA_QLINK_KEEPALIVE_MS, info.keepalive_ms))
		return -EMSGSIZE;
	if (!info.keepalive_ms)
		return 0;
	if (nla_put_u8(msg, IFLA_QLINK_PEER_HEARD, info.is_heard) ||
	    nla_put_u64_64bit(msg, IFLA_QLINK_PEER_EPOCH, info.peer_epoch, IFLA_QLINK_PAD) ||
	    (info.echo_us && nla_put_u32(msg, IFLA_QLINK_ECHO_US, info.echo_us)))
		return -EMSGSIZE;
	return 0;
}

/**
 * qlink_config_bytes() - room that qlink_config_fill() needs at most
 *
 * Return: bytes
 */
size_t qlink_config_bytes(void)
{
	return nla_total_size(sizeof(u16)) +			/* id */
	       nla_total_size(sizeof(u8)) +			/* underlay */
	       2 * nla_total_size(sizeof(struct in6_addr)) +	/* or lower, peer, ethertype */
	       2 * nla_total_size(sizeof(u16)) +		/* port, source ports */
	       nla_total_size(IFNAMSIZ) +			/* dev */
	       2 * nla_total_size(sizeof(u8)) +			/* dscp, ecn */
	       nla_total_size(sizeof(u16)) +			/* ttl */
	       nla_total_size(sizeof(u32)) +			/* fwmark */
	       2 * nla_total_size(sizeof(u8)) +			/* roam, parcel */
	       3 * nla_total_size(sizeof(u16)) +		/* parcel bytes, size, queue */
	       nla_total_size(sizeof(u32)) +			/* parcel interval */
	       nla_total_size(sizeof(struct in6_addr)) +	/* endpoint */
	       nla_total_size(sizeof(u16)) +			/* endpoint port */
	       nla_total_size(sizeof(u32)) +			/* accept */
	       nla_total_size(sizeof(u8)) +			/* accept-kmes */
	       nla_total_size(sizeof(u8)) +			/* state */
	       2 * qlink_ring_bytes() +
	       nla_total_size(sizeof(u32)) +			/* wipes */
	       2 * nla_total_size_64bit(sizeof(u64)) +		/* rekey frames, bytes */
	       4 * nla_total_size(sizeof(u32)) +		/* rekey ms, hard, grace, low */
	       nla_total_size(sizeof(u8)) +			/* blocks2-log2 */
	       nla_total_size_64bit(sizeof(u64)) +		/* blocks2 */
	       nla_total_size(sizeof(u32)) +			/* generation */
	       2 * nla_total_size(sizeof(u32)) +		/* keepalive, echo */
	       nla_total_size(sizeof(u8)) +			/* peer heard */
	       nla_total_size_64bit(sizeof(u64)) +		/* peer epoch */
	       nla_total_size(sizeof(u8));			/* wiped by */
}

/**
 * qlink_config_fill() - show a link
 * @msg: with room; the nest that the attributes go into is open
 * @link: alive
 *
 * Context: RTNL held.
 * Return: 0, or %-EMSGSIZE without room
 */
int qlink_config_fill(struct sk_buff *msg, struct qlink_dev *link)
{
	const struct qlink_config *config = &link->config;

	if ((config->link_id && nla_put_u16(msg, IFLA_QLINK_ID, config->link_id)) ||
	    nla_put_u8(msg, IFLA_QLINK_UNDERLAY, config->kind) ||
	    qlink_config_fill_underlay(msg, config) ||
	    qlink_config_fill_endpoint(msg, link) ||
	    qlink_parcel_fill(msg, link) ||
	    nla_put_u32(msg, IFLA_QLINK_ACCEPT, READ_ONCE(link->accept.sources)) ||
	    nla_put_u8(msg, IFLA_QLINK_ACCEPT_KMES, READ_ONCE(link->accept.kmes)) ||
	    nla_put_u8(msg, IFLA_QLINK_STATE, qlink_link_state(link)) ||
	    qlink_config_fill_keys(msg, &link->keyring) ||
	    qlink_limits_fill(msg, &link->limits) ||
	    qlink_config_fill_live(msg, link))
		return -EMSGSIZE;
	return 0;
}

/**
 * qlink_stats_bytes() - room that qlink_stats_fill() needs
 *
 * Return: bytes, with the nest
 */
size_t qlink_stats_bytes(void)
{
	return nla_total_size((QLINK_A_STATS_MAX - QLINK_STATS_FIRST + 1) *
			      nla_total_size_64bit(sizeof(u64)));
}

/**
 * qlink_stats_fill() - show a link's counters
 * @msg: with room
 * @link: alive
 * @attribute: of the nest that they go into
 *
 * Context: Any.
 * Return: 0, or %-EMSGSIZE without room
 */
int qlink_stats_fill(struct sk_buff *msg, const struct qlink_dev *link, int attribute)
{
	struct nlattr *nest = nla_nest_start(msg, attribute);
	int id;

	if (!nest)
		return -EMSGSIZE;
	for (id = QLINK_STATS_FIRST; id <= QLINK_A_STATS_MAX; id++) {
		if (nla_put_u64_64bit(msg, id, qlink_stats_sum(link->stats, id),
				      QLINK_A_STATS_PAD))
			return -EMSGSIZE;
	}
	nla_nest_end(msg, nest);
	return 0;
}

/**
 * qlink_link_state() - whether a link can send frames, and if not, why
 * @link: alive
 *
 * Context: RTNL held.
 * Return: the first cause that holds
 */
enum qlink_link_state qlink_link_state(const struct qlink_dev *link)
{
	if (!rcu_access_pointer(link->attach))
		return QLINK_LINK_STATE_UNCONFIGURED;
	if (!netif_running(link->dev))
		return QLINK_LINK_STATE_ADMIN_DOWN;
	if (READ_ONCE(link->is_underlay_taken))
		return QLINK_LINK_STATE_UNDERLAY_TAKEN;
	if (!READ_ONCE(link->is_underlay_up))
		return QLINK_LINK_STATE_UNDERLAY_DOWN;
	if (READ_ONCE(link->is_unrouted))
		return QLINK_LINK_STATE_NO_ROUTE;
	if (!rcu_access_pointer(link->keyring.tx.current_key))
		return QLINK_LINK_STATE_NO_KEY;
	if (!qlink_live_allows_carrier(link))
		return QLINK_LINK_STATE_PEER_LOST;
	return QLINK_LINK_STATE_UP;
}
