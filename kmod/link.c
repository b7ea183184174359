// SPDX-License-Identifier: GPL-2.0
/* A link on its underlay: how it is attached, what follows from the underlay, and its policy. */
#include "link.h"

#include <linux/ethtool.h>
#include <linux/if_vlan.h>
#include <linux/net_tstamp.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>

#include "config.h"
#include "event.h"
#include "live.h"
#include "tx.h"

const struct device_type qlink_link_type = {
	.name = KBUILD_MODNAME,
};

/**
 * qlink_link_of() - the link of a device
 * @dev: any device
 *
 * Return: its link, or NULL when it is no qlink device
 */
struct qlink_dev *qlink_link_of(const struct net_device *dev)
{
	return dev->dev.type == &qlink_link_type ? netdev_priv(dev) : NULL;
}

/**
 * qlink_link_set_carrier() - turn the carrier on or off
 * @link: alive
 *
 * It is on where frames can be sealed and the peer hears us.
 *
 * Context: Any but hard interrupts.
 */
void qlink_link_set_carrier(struct qlink_dev *link)
{
	spin_lock_bh(&link->carrier_lock);
	if (rcu_access_pointer(link->attach) && link->is_underlay_up && !link->is_unrouted &&
	    rcu_access_pointer(link->keyring.tx.current_key) && qlink_live_allows_carrier(link))
		netif_carrier_on(link->dev);
	else
		netif_carrier_off(link->dev);
	spin_unlock_bh(&link->carrier_lock);
}

/* Largest MTU where a frame may be cut: with tags and a checksum state it is still a record. */
#define QLINK_LINK_CUT_MTU	16000
static_assert(QLINK_LINK_CUT_MTU + ETH_HLEN + 4 * VLAN_HLEN + QLINK_CSUM_BYTES <=
	      QLINK_PARCEL_RECORD_BYTES_MAX);

/* The MTU whose frames the underlay carries whole. */
static unsigned int qlink_link_whole_mtu(const struct qlink_attach *attach)
{
	return attach->max_bytes - min(attach->max_bytes, QLINK_MTU_LESS);
}

static unsigned int qlink_link_max_mtu(const struct qlink_dev *link,
				       const struct qlink_attach *attach)
{
	unsigned int whole = qlink_link_whole_mtu(attach);

	switch (link->parcel) {
	case QLINK_PARCEL_MODE_OFF:
		return whole;
	case QLINK_PARCEL_MODE_PACK:
		return max(whole, QLINK_LINK_CUT_MTU);
	default:
		return QLINK_LINK_CUT_MTU;
	}
}

/**
 * qlink_link_own_mtu() - the MTU that a link has unless an admin chooses another
 * @link: registered
 *
 * Context: RTNL held.
 * Return: the largest whose frames the underlay carries whole, also where larger ones may be cut
 */
unsigned int qlink_link_own_mtu(const struct qlink_dev *link)
{
	const struct qlink_attach *attach = rtnl_dereference(link->attach);
	unsigned int max = link->dev->max_mtu;

	return attach ? min(qlink_link_whole_mtu(attach), max) : max;
}

/**
 * qlink_link_wanted_mtu() - the MTU that a link should have
 * @link: registered
 *
 * Context: RTNL held.
 * Return: its own, or the admin's choice where that is possible
 */
unsigned int qlink_link_wanted_mtu(const struct qlink_dev *link)
{
	return link->mtu_limit ? min(link->mtu_limit, link->dev->max_mtu) :
				 qlink_link_own_mtu(link);
}

/* A reference; NULL where there is no route, or where the underlay has none. */
static struct dst_entry *qlink_link_route(const struct qlink_attach *attach)
{
	struct dst_entry *route = attach->ops->route ? attach->ops->route(attach) : NULL;

	return IS_ERR(route) ? NULL : route;
}

/* Number of the search for loops that was begun last; RTNL. */
static u64 qlink_link_search;

static bool qlink_link_leads_into_loop(struct qlink_dev *link, unsigned int depth);

static int qlink_link_search_at(struct net_device *dev, struct netdev_nested_priv *priv)
{
	const unsigned int *depth = priv->data;
	struct qlink_dev *link = qlink_link_of(dev);

	return link && qlink_link_leads_into_loop(link, *depth);
}

/* Update carrier and state, and tell of a route that is lost or found. */
static void qlink_link_follow_carrier(struct qlink_dev *link, const struct qlink_attach *attach,
				      bool is_unrouted)
{
	bool was_unrouted = link->is_unrouted;

	WRITE_ONCE(link->is_underlay_taken,
		   attach->ops->is_taken && attach->ops->is_taken(attach));
	WRITE_ONCE(link->is_underlay_up,
		   !link->is_underlay_taken && attach->ops->has_carrier(attach));
	WRITE_ONCE(link->is_unrouted, is_unrouted);
	qlink_link_set_carrier(link);
	if (is_unrouted == was_unrouted)
		return;
	qlink_event_raise(link, is_unrouted ? QLINK_EVENT_KIND_ROUTE_LOST :
					      QLINK_EVENT_KIND_ROUTE_FOUND);
	if (!is_unrouted)
		qlink_live_prompt(link);
}

/**
 * qlink_link_leads_into_loop() - do a link's frames meet a link twice, directly or below others?
 * @link: registered
 * @depth: number of links that the search has led over
 *
 * Without this check, two links that are routed over each other would shrink each other's
 * MTU to nothing. Each link is looked at once in a search, however many ways lead to it:
 * bridges with many links each over the next would multiply them. A route that leads over
 * more links than devices may be stacked counts as a loop.
 *
 * Context: RTNL held, sleeps.
 * Return: true if they do
 */
static bool qlink_link_leads_into_loop(struct qlink_dev *link, unsigned int depth)
{
	const struct qlink_attach *attach = rtnl_dereference(link->attach);
	unsigned int below = depth + 1;
	struct netdev_nested_priv priv = { .data = &below };
	struct dst_entry *route;

	if (link->search == qlink_link_search)
		return link->is_in_loop;
	link->search = qlink_link_search;
	route = attach ? qlink_link_route(attach) : NULL;
	/* True while the search is below this link: that is how it finds a loop. */
	link->is_in_loop = route;
	if (route && depth < MAX_NEST_DEV)
		link->is_in_loop = qlink_link_search_at(route->dev, &priv) ||
				   netdev_walk_all_lower_dev(route->dev, qlink_link_search_at,
							     &priv);
	dst_release(route);
	return link->is_in_loop;
}

#define QLINK_LINK_ASKED_MAX	64

/**
 * qlink_link_ask_carrier() - ask the device that sends a link's sealed frames
 * @link: registered
 * @ask: called with the lower device, or for udp with the device of the route
 * @into: for @ask
 *
 * The device may be another link, or a bridge with links as ports, which is asked in turn. A
 * question ends where links lie in a loop, and after QLINK_LINK_ASKED_MAX links: bridges with
 * many links each over the next would ask forever.
 *
 * Context: RTNL held.
 * Return: what @ask returns; false where nothing is to be asked
 */
bool qlink_link_ask_carrier(struct qlink_dev *link,
			    bool (*ask)(struct net_device *carrier, void *into), void *into)
{
	const struct qlink_attach *attach = rtnl_dereference(link->attach);
	static unsigned int n_asked;
	bool is_first = !n_asked, answer = false;
	struct dst_entry *route;

	ASSERT_RTNL();

	if (!attach || n_asked >= QLINK_LINK_ASKED_MAX)
		return false;
	if (is_first)
		qlink_link_search++;
	n_asked++;
	route = qlink_link_route(attach);
	if (link->lower)
		answer = ask(link->lower, into);
	else if (route && !qlink_link_leads_into_loop(link, 0))
		answer = ask(route->dev, into);
	dst_release(route);
	if (is_first)
		n_asked = 0;
	return answer;
}

/* Does the driver of this device stamp what it sends? A link answers from what it has found. */
static bool qlink_link_stamps(struct net_device *carrier)
{
	struct kernel_ethtool_ts_info info;

	return carrier && !ethtool_get_ts_info_by_layer(carrier, &info) &&
	       info.so_timestamping & SOF_TIMESTAMPING_TX_SOFTWARE;
}

static void qlink_link_follow_one(struct qlink_dev *link)
{
	struct qlink_attach *attach = rtnl_dereference(link->attach);
	struct net_device *dev = link->dev, *carrier = link->lower;
	struct dst_entry *route;
	unsigned int mtu;

	if (!attach)
		return;
	if (attach->ops->follow)
		attach->ops->follow(attach);
	route = attach->ops->route ? attach->ops->route(attach) : NULL;
	qlink_link_follow_carrier(link, attach, IS_ERR(route));
	if (IS_ERR(route))
		route = NULL;
	WRITE_ONCE(link->is_looped, route && qlink_link_leads_into_loop(link, 0));
	if (!link->is_looped) {
		WRITE_ONCE(attach->max_bytes, attach->ops->measure(attach, route));
		carrier = route ? route->dev : carrier;
	}
	WRITE_ONCE(link->is_stamped, qlink_link_stamps(carrier));
	dst_release(route);
	WRITE_ONCE(dev->max_mtu, qlink_link_max_mtu(link, attach));
	mtu = qlink_link_wanted_mtu(link);
	if (dev->mtu != mtu)
		dev_set_mtu(dev, mtu);
}

/* The links whose underlay has changed; RTNL. Empty when nobody holds it. */
static LIST_HEAD(qlink_link_followers);

/**
 * qlink_link_must_follow() - have a link updated by the next qlink_link_follow_all()
 * @link: registered
 *
 * Context: RTNL held.
 */
void qlink_link_must_follow(struct qlink_dev *link)
{
	if (list_empty(&link->follow_entry))
		list_add_tail(&link->follow_entry, &qlink_link_followers);
}

static void qlink_link_follow_round(void)
{
	struct qlink_dev *link;
	LIST_HEAD(now);

	list_splice_init(&qlink_link_followers, &now);
	while ((link = list_first_entry_or_null(&now, struct qlink_dev, follow_entry))) {
		list_del_init(&link->follow_entry);
		qlink_link_follow_one(link);
	}
}

/**
 * qlink_link_follow_all() - update carrier and MTU of links from their underlays
 *
 * That concerns the links that must follow. When one of them gets another MTU, the
 * notifier says so inside this call, and those that may lie over it must follow, too:
 * in the next round, all together, so that each link follows once a round. There are no
 * more rounds than devices may be stacked.
 *
 * An MTU that an admin has made smaller stays.
 *
 * Context: RTNL held, sleeps.
 */
void qlink_link_follow_all(void)
{
	static bool is_running;
	unsigned int round;

	ASSERT_RTNL();
	if (is_running)
		return;
	is_running = true;
	qlink_link_search++;
	for (round = 0; round <= MAX_NEST_DEV && !list_empty(&qlink_link_followers); round++)
		qlink_link_follow_round();
	while (!list_empty(&qlink_link_followers))
		list_del_init(qlink_link_followers.next);
	is_running = false;
}

/**
 * qlink_link_follow() - update carrier and MTU of a link from its underlay
 * @link: registered
 *
 * Context: RTNL held, sleeps.
 */
void qlink_link_follow(struct qlink_dev *link)
{
	qlink_link_must_follow(link);
	qlink_link_follow_all();
}

static void qlink_attach_free_rcu(struct rcu_head *rcu)
{
	struct qlink_attach *attach = container_of(rcu, struct qlink_attach, rcu);

	qlink_endpoint_exit(&attach->endpoint);
	kfree(attach);
}

static void qlink_attach_end(struct qlink_attach *attach)
{
	attach->ops->detach(attach);
	call_rcu(&attach->rcu, qlink_attach_free_rcu);
}

static struct qlink_attach *qlink_attach_begin(struct qlink_dev *link,
					       const struct qlink_config *config,
					       struct netlink_ext_ack *extack)
{
	struct qlink_attach *attach = kzalloc(sizeof(*attach), GFP_KERNEL_ACCOUNT);
	static u64 serial;
	struct dst_entry *route;
	int err;

	if (!attach)
		return ERR_PTR(-ENOMEM);
	attach->serial = ++serial;
	attach->ops = qlink_underlay_of(config->kind);
	attach->net = link->net;
	attach->dev = link->dev;
	attach->config = *config;
	err = attach->ops->attach(attach, extack);
	if (err) {
		kfree(attach);
		return ERR_PTR(err);
	}
	route = qlink_link_route(attach);
	attach->max_bytes = attach->ops->measure(attach, route);
	dst_release(route);
	return attach;
}

/* Say why the core refused; for these errors it does not. */
static int qlink_link_explain(int err, const struct net_device *lower,
			      const struct net_device *dev, struct netlink_ext_ack *extack)
{
	if (err == -EBUSY)
		NL_SET_ERR_MSG_FMT(extack, "%s lies over %s itself", lower->name, dev->name);
	if (err == -EMLINK)
		NL_SET_ERR_MSG_FMT(extack, "%s lies over %u devices, the most that may be stacked",
				   lower->name, lower->lower_level - 1);
	return err;
}

/* For ip's "link/..." view, for lockdep's nesting, and so that no loop of devices can be made. */
static int qlink_link_set_lower(struct qlink_dev *link, const struct qlink_config *config,
				struct netlink_ext_ack *extack)
{
	struct net_device *lower = NULL;
	int err;

	if (config->kind == QLINK_UNDERLAY_ETH)
		lower = __dev_get_by_index(link->net, config->lower_ifindex);
	if (lower == link->lower)
		return 0;
	if (lower) {
		err = netdev_upper_dev_link(lower, link->dev, extack);
		if (err)
			return qlink_link_explain(err, lower, link->dev, extack);
	}
	if (link->lower)
		netdev_upper_dev_unlink(link->lower, link->dev);
	link->lower = lower;
	return 0;
}

static void qlink_link_set_room(struct qlink_dev *link, const struct qlink_attach *attach)
{
	struct net_device *dev = link->dev;

	WRITE_ONCE(dev->needed_headroom,
		   attach->headroom + QLINK_HEADER_BYTES + QLINK_CSUM_BYTES);
	WRITE_ONCE(dev->needed_tailroom, attach->tailroom + QLINK_TAG_BYTES);
}

/**
 * qlink_link_configure() - put a link on an underlay, or on another one
 * @link: registered
 * @config: checked, and not of kind none
 * @keeps_endpoint: false: it goes back to where it is configured to be
 * @extack: told the rule that is broken
 *
 * The link is attached to the new underlay before it leaves the old one, so that a
 * refusal changes nothing. What was learned of the endpoint stays where the peer stays.
 *
 * Context: RTNL held, sleeps.
 * Return: 0, or the errno of the underlay
 */
static int qlink_link_configure(struct qlink_dev *link, const struct qlink_config *config,
				bool keeps_endpoint, struct netlink_ext_ack *extack)
{
	struct qlink_attach *old = rtnl_dereference(link->attach);
	bool is_same_peer = old && qlink_config_is_same_peer(&link->config, config);
	struct qlink_attach *attach;
	int err;

	attach = qlink_attach_begin(link, config, extack);
	if (IS_ERR(attach))
		return PTR_ERR(attach);
	err = qlink_link_set_lower(link, config, extack);
	if (err) {
		qlink_attach_end(attach);
		return err;
	}
	if (old && config->kind == QLINK_UNDERLAY_UDP)
		qlink_endpoint_inherit(&attach->endpoint, &old->endpoint, keeps_endpoint &&
				       qlink_config_keeps_endpoint(config, &link->config));
	link->config = *config;
	qlink_link_set_room(link, attach);
	WRITE_ONCE(link->takes_ecn, config->ecn);
	rcu_assign_pointer(link->attach, attach);
	if (old)
		qlink_attach_end(old);
	/* The peer that was heard there may not be reached here. */
	if (!is_same_peer)
		qlink_live_forget(link);
	qlink_link_follow(link);
	qlink_live_prompt(link);
	return 0;
}

/**
 * qlink_link_detach() - take a link off its underlay
 * @link: may be off already
 *
 * Context: RTNL held, sleeps.
 * Return: whether it was on one; then frames may still reach it for a grace period
 */
bool qlink_link_detach(struct qlink_dev *link)
{
	struct qlink_attach *attach = rtnl_dereference(link->attach);

	if (!attach)
		return false;
	RCU_INIT_POINTER(link->attach, NULL);
	qlink_link_set_carrier(link);
	qlink_attach_end(attach);
	if (link->lower)
		netdev_upper_dev_unlink(link->lower, link->dev);
	link->lower = NULL;
	return true;
}

/* A tightened policy is in force when this returns: no frame is sealed or accepted against it. */
static void qlink_link_set_accept(struct qlink_dev *link, struct nlattr **attrs)
{
	const struct nlattr *sources = attrs[IFLA_QLINK_ACCEPT];
	const struct nlattr *kmes = attrs[IFLA_QLINK_ACCEPT_KMES];

	if (!sources && !kmes)
		return;
	mutex_lock(&link->mutex);
	if (sources)
		WRITE_ONCE(link->accept.sources, nla_get_u32(sources));
	if (kmes)
		WRITE_ONCE(link->accept.kmes, nla_get_u8(kmes));
	if (qlink_keyring_refuse(&link->keyring, &link->accept))
		synchronize_net();
	mutex_unlock(&link->mutex);
}

/* What is set for the clock before its mode is applies from its first tick. */
static void qlink_link_set_parcel(struct qlink_dev *link, struct nlattr **attrs)
{
	if (attrs[IFLA_QLINK_PARCEL_BYTES])
		WRITE_ONCE(link->parcel_bytes, nla_get_u16(attrs[IFLA_QLINK_PARCEL_BYTES]));
	if (attrs[IFLA_QLINK_PARCEL_INTERVAL_US])
		WRITE_ONCE(link->clock.interval_us,
			   nla_get_u32(attrs[IFLA_QLINK_PARCEL_INTERVAL_US]));
	if (attrs[IFLA_QLINK_PARCEL_QUEUE])
		WRITE_ONCE(link->clock.queue, nla_get_u16(attrs[IFLA_QLINK_PARCEL_QUEUE]));
	if (attrs[IFLA_QLINK_PARCEL_HOLD_US])
		WRITE_ONCE(link->parcel_hold_us, nla_get_u16(attrs[IFLA_QLINK_PARCEL_HOLD_US]));
	if (!attrs[IFLA_QLINK_PARCEL])
		return;
	qlink_tx_set_parcel(link, nla_get_u8(attrs[IFLA_QLINK_PARCEL]));
	/* The largest MTU depends on the mode. */
	qlink_link_follow(link);
}

static int qlink_link_check_change(const struct qlink_config *from,
				   const struct qlink_config *to,
				   struct netlink_ext_ack *extack)
{
	if (from->kind == to->kind || from->kind == QLINK_UNDERLAY_NONE)
		return 0;
	NL_SET_ERR_MSG(extack, "the kind of underlay of a link does not change");
	return -EINVAL;
}

static int qlink_link_check_roam(const struct qlink_config *config, u32 keepalive_ms,
				 struct netlink_ext_ack *extack)
{
	if (!config->roam || keepalive_ms)
		return 0;
	NL_SET_ERR_MSG(extack, "roam is on, which needs keepalive-ms at both ends");
	return -EINVAL;
}

/* Below this, the clocks of a user's links could take all CPUs of a host. */
#define QLINK_LINK_INTERVAL_US	1000

/* In the mode constant, a keepalive waits for up to two ticks each way. */
static int qlink_link_check_clock(const struct qlink_dev *link, struct nlattr **attrs,
				  u32 keepalive_ms, struct netlink_ext_ack *extack)
{
	const struct nlattr *mode = attrs ? attrs[IFLA_QLINK_PARCEL] : NULL;
	const struct nlattr *interval = attrs ? attrs[IFLA_QLINK_PARCEL_INTERVAL_US] : NULL;
	u32 us = interval ? nla_get_u32(interval) : link->clock.interval_us;

	if ((mode ? nla_get_u8(mode) : link->parcel) != QLINK_PARCEL_MODE_CONSTANT)
		return 0;
	if (keepalive_ms && keepalive_ms * 1000ULL < 4ULL * us) {
		NL_SET_ERR_MSG_FMT(extack, "keepalive-ms %u is below 4 times parcel-interval-us %u",
				   keepalive_ms, us);
		return -EINVAL;
	}
	if ((mode || interval) && us < QLINK_LINK_INTERVAL_US && !capable(CAP_NET_ADMIN)) {
		NL_SET_ERR_MSG_FMT(extack,
				   "parcel-interval-us %u is below %u, for which an admin of the host is needed",
				   us, QLINK_LINK_INTERVAL_US);
		return -EPERM;
	}
	return 0;
}

/**
 * qlink_link_change() - change a link by a request
 * @link: registered
 * @attrs: attributes IFLA_QLINK_*, checked by the policy; NULL for none
 * @lower: index of the lower device, or NULL
 * @extack: told the rule that is broken
 *
 * Context: RTNL held, sleeps.
 * Return:
 * * %0		- done
 * * %-EPERM	- no CAP_NET_ADMIN in the link netns, or a clock too fast without that of the host
 * * any other	- of qlink_keepalive_parse(), qlink_config_parse() or the underlay; nothing
 *		  has changed
 */
int qlink_link_change(struct qlink_dev *link, struct nlattr **attrs,
		      const struct nlattr *lower, struct netlink_ext_ack *extack)
{
	struct qlink_config config = link->config;
	u32 keepalive_ms = link->live.keepalive_ms;
	bool is_reset;
	int err;

	if (!rtnl_dev_link_net_capable(link->dev, link->net)) {
		NL_SET_ERR_MSG(extack, QLINK_REFUSE_LINK_NET);
		return -EPERM;
	}
	err = qlink_keepalive_parse(&keepalive_ms, attrs, extack);
	if (!err)
		err = qlink_parcel_check(attrs, extack);
	if (!err)
		err = qlink_config_parse(&config, attrs, lower, extack);
	if (!err)
		err = qlink_link_check_change(&link->config, &config, extack);
	if (!err)
		err = qlink_link_check_roam(&config, keepalive_ms, extack);
	if (!err)
		err = qlink_link_check_clock(link, attrs, keepalive_ms, extack);
	if (err)
		return err;

	/* An admin who says where a peer that roams is knows better, also if it was so before. */
	is_reset = config.roam && attrs && attrs[IFLA_QLINK_REMOTE];
	if (config.kind == QLINK_UNDERLAY_NONE)
		link->config = config;
	else if (!rtnl_dereference(link->attach) || is_reset ||
		 !qlink_config_is_same(&config, &link->config))
		err = qlink_link_configure(link, &config, !is_reset, extack);
	if (!err && qlink_limits_parse(&link->limits, attrs))
		qlink_keyring_set_limits(&link->keyring, &link->limits);
	if (!err)
		qlink_live_set(link, keepalive_ms);
	if (!err && attrs)
		qlink_link_set_parcel(link, attrs);
	if (!err && attrs)
		qlink_link_set_accept(link, attrs);
	return err;
}
