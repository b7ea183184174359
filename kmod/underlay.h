/* SPDX-License-Identifier: GPL-2.0 */
/* What sends and receives sealed frames: a table of ops, ports that links share, and upcalls. */
#ifndef QLINK_UNDERLAY_H
#define QLINK_UNDERLAY_H

#include <linux/hashtable.h>
#include <linux/if_ether.h>
#include <linux/in6.h>
#include <linux/netdevice.h>
#include <net/ipv6.h>
#include <linux/qlink.h>

#include "endpoint.h"
#include "stats.h"

struct qlink_attach;
struct qlink_port;

/**
 * struct qlink_config - the underlay of a link, as an admin configures it
 */
struct qlink_config {
	/** @kind: follows from what is set */
	enum qlink_underlay kind;
	/** @link_id: 0 where it is not set */
	u16 link_id;
	/** @lower_ifindex: eth: the lower device, in the link netns; 0 where it is not set */
	int lower_ifindex;
	/** @ethertype: eth: of the sealed frames */
	__be16 ethertype;
	/** @has_ethertype: eth: @ethertype was set; it is not the default */
	bool has_ethertype;
	/** @has_peer: eth: @peer is set */
	bool has_peer;
	/** @peer: eth: MAC address of the peer */
	u8 peer[ETH_ALEN];
	/** @address_bytes: udp: 4 or 16, the size of @local and @remote; 0 where not set */
	u8 address_bytes;
	/** @remote_bytes: udp: the size of @remote alone, until both sizes are checked */
	u8 remote_bytes;
	/** @local: udp: our address */
	struct in6_addr local;
	/** @remote: udp: the address of the peer; all zero, with @remote_bytes set, for any */
	struct in6_addr remote;
	/** @port: udp: the port on which both ends receive; 0 where it is not set */
	__be16 port;
	/** @source_ports: udp: how many source ports flows are spread over; 1: only @port */
	u16 source_ports;
	/** @dev: udp: device in the link netns that an admin bound to; empty: the VRF of @local */
	char dev[IFNAMSIZ];
	/** @fwmark: udp: of the packets and of their route, 0 for the inner packet's and none */
	u32 fwmark;
	/** @ttl: udp: of the packets, 0 for the route's, or QLINK_TTL_INHERIT */
	u16 ttl;
	/** @dscp: udp: of the packets, or QLINK_DSCP_INHERIT */
	u8 dscp;
	/** @ecn: udp: congestion is told across the underlay, as RFC 6040 says */
	u8 ecn;
	/** @roam: udp: the endpoint follows the beacons of the peer */
	bool roam;
};

/* What of the inner IP header the outer one has too. */
#define QLINK_COPIES_DSCP	BIT(0)
#define QLINK_COPIES_ECN	BIT(1)
#define QLINK_COPIES_TTL	BIT(2)

/**
 * struct qlink_flow - what an underlay knows of a frame that it sends
 */
struct qlink_flow {
	/** @hash: of the inner flow */
	u32 hash;
	/** @tos: udp: DSCP and ECN of the outer header */
	u8 tos;
	/** @ttl: udp: of the outer header, 0 for the route's */
	u8 ttl;
	/** @copies: QLINK_COPIES_*: what the fields above have yet to copy, or have copied */
	u8 copies;
};

/**
 * qlink_config_has_any_remote() - is the peer's address to be learned?
 * @config: of any kind
 *
 * Return: whether the remote address is set to any
 */
static inline bool qlink_config_has_any_remote(const struct qlink_config *config)
{
	return config->remote_bytes && ipv6_addr_any(&config->remote);
}

/* As flow of a frame: it is sent from the port on which we receive. Where a flow has this hash,
 * that does no harm.
 */
#define QLINK_FLOW_FROM_PORT	U32_MAX

/**
 * enum qlink_xmit_verdict - what became of a sealed frame
 * @QLINK_XMIT_SENT: given to the underlay
 * @QLINK_XMIT_DOWN: the lower device is down
 * @QLINK_XMIT_NO_ROUTE: no route to the remote address
 * @QLINK_XMIT_LOOP: the route leads back into the link, or through too many tunnels
 * @QLINK_XMIT_TOO_BIG: does not fit the route
 * @QLINK_XMIT_NO_MEMORY: no room for the underlay's headers
 */
enum qlink_xmit_verdict {
	QLINK_XMIT_SENT,
	QLINK_XMIT_DOWN,
	QLINK_XMIT_NO_ROUTE,
	QLINK_XMIT_LOOP,
	QLINK_XMIT_TOO_BIG,
	QLINK_XMIT_NO_MEMORY,
};

/**
 * struct qlink_underlay_ops - one kind of underlay
 *
 * attach and detach run under RTNL, the rest with BHs off in an RCU read side.
 */
struct qlink_underlay_ops {
	/** @check: is the configuration complete and valid? extack says what is not */
	int (*check)(const struct qlink_config *config, struct netlink_ext_ack *extack);
	/** @attach: find or make the port and enter it; sets room and peer address */
	int (*attach)(struct qlink_attach *attach, struct netlink_ext_ack *extack);
	/** @follow: bind to the VRF that the local address is in now; RTNL held; optional */
	void (*follow)(struct qlink_attach *attach);
	/** @detach: leave the port; what only this link used is freed after a grace period */
	void (*detach)(struct qlink_attach *attach);
	/**
	 * @xmit: send a sealed frame, or a bundle of frames of gso_size bytes each; takes over
	 * @skb, also when it fails
	 */
	enum qlink_xmit_verdict (*xmit)(struct qlink_attach *attach, struct sk_buff *skb,
					struct qlink_flow flow);
	/** @bundle_bytes: largest size of a bundle, 0 if none can be sent now; optional */
	unsigned int (*bundle_bytes)(struct qlink_attach *attach);
	/**
	 * @route: look up the route to the peer: a reference, an ERR_PTR() where there is none,
	 * or NULL where nobody can say; RTNL held; optional
	 */
	struct dst_entry *(*route)(const struct qlink_attach *attach);
	/**
	 * @measure: largest size of a sealed frame, from the lower device or from @route; RTNL
	 * held
	 */
	unsigned int (*measure)(struct qlink_attach *attach, const struct dst_entry *route);
	/**
	 * @may_roam_to: can the endpoint of a link that roams be at this address? only where
	 * links can roam
	 */
	bool (*may_roam_to)(const struct qlink_attach *attach, const struct qlink_origin *origin);
	/** @has_carrier: could the underlay send frames? RTNL held */
	bool (*has_carrier)(const struct qlink_attach *attach);
	/**
	 * @is_taken: does another device take received frames before qlink sees them? RTNL held;
	 * optional
	 */
	bool (*is_taken)(const struct qlink_attach *attach);
};

/**
 * struct qlink_attach - one link's place on a port
 *
 * Once it has entered its port, all members but @endpoint, @oif, @max_bytes and @noted_bytes
 * are constant.
 */
struct qlink_attach {
	/** @ops: of the kind */
	const struct qlink_underlay_ops *ops;
	/** @net: the link netns, the one of the underlay */
	struct net *net;
	/** @dev: the qlink device; the attach never outlives it */
	struct net_device *dev;
	/** @config: as checked */
	struct qlink_config config;
	/** @port: its port, which other links may share */
	struct qlink_port *port;
	/** @peer: address that its frames come from; zero where that is any */
	struct qlink_peer_address peer;
	/** @node: in the port's table by peer and id */
	struct hlist_node node;
	/** @id_node: in the port's table by id alone */
	struct hlist_node id_node;
	/** @roam_node: in the port's table of links that roam, if it does */
	struct hlist_node roam_node;
	/** @endpoint: udp: where its frames are sent to */
	struct qlink_endpoint endpoint;
	/** @outer: udp: the fields of outer headers that do not follow a frame */
	struct qlink_flow outer;
	/** @oif: udp: index of the VRF or device that frames are bound to, or 0; under RTNL */
	int oif;
	/** @flow_secret: udp: key of the hash, so that a source port reveals nothing of its flow */
	u32 flow_secret;
	/** @serial: of all attaches that ever were, another one each */
	u64 serial;
	/** @headroom: bytes that the underlay's headers take */
	unsigned int headroom;
	/** @tailroom: bytes that the lower device asks for */
	unsigned int tailroom;
	/** @max_bytes: largest sealed frame; follows the underlay's device and route, under RTNL */
	unsigned int max_bytes;
	/**
	 * @noted_bytes: udp: largest sealed frame by the route that a frame last took, 0 where it
	 * found none
	 */
	unsigned int noted_bytes;
	/** @rcu: frees it */
	struct rcu_head rcu;
};

/**
 * qlink_attach_has_target() - can frames be sent, as far as is known where?
 * @attach: of any kind
 *
 * Context: Any.
 * Return: false over UDP while nobody knows where the peer is
 */
static inline bool qlink_attach_has_target(const struct qlink_attach *attach)
{
	return attach->config.kind != QLINK_UNDERLAY_UDP ||
	       rcu_access_pointer(attach->endpoint.target);
}

#define QLINK_PORT_HASH_BITS	8

/**
 * struct qlink_port - what links with the same lower device and EtherType, or
 * the same address and UDP port, share
 *
 * Its first link makes it and its last link frees it, all under RTNL. Links are found
 * under RCU.
 */
struct qlink_port {
	/** @entry: in its netns' list of its kind's ports */
	struct list_head entry;
	/** @n_links: number of attached links; RTNL */
	unsigned int n_links;
	/** @stats: QLINK_A_PORT_* */
	struct qlink_stats __percpu *stats;
	/** @links: by peer address and link id; written under RTNL */
	DECLARE_HASHTABLE(links, QLINK_PORT_HASH_BITS);
	/** @ids: the same links by link id alone; written under RTNL */
	DECLARE_HASHTABLE(ids, QLINK_PORT_HASH_BITS);
	/** @roaming: those that roam, by link id, of which each has another; written under RTNL */
	DECLARE_HASHTABLE(roaming, QLINK_PORT_HASH_BITS);
};

/**
 * struct qlink_underlay_upcalls - what an underlay tells the layers above it
 *
 * All but @follow and @follow_all are called with BHs off, in an RCU read side.
 */
struct qlink_underlay_upcalls {
	/** @rx: take over a frame of version 1 that belongs to a link */
	void (*rx)(struct qlink_attach *attach, struct sk_buff *skb);
	/** @rx_bundle: the same for frames of gso_size bytes in one packet; the last may be less */
	void (*rx_bundle)(struct qlink_attach *attach, struct sk_buff *skb);
	/** @strayed: a frame with the id that this link alone has came from another address */
	void (*strayed)(struct qlink_attach *attach);
	/** @resized: the size that fits the route has changed: link and device must follow */
	void (*resized)(struct qlink_attach *attach);
	/** @follow: the route may have changed: @follow_all has the link follow; RTNL held */
	void (*follow)(struct qlink_attach *attach);
	/** @follow_all: have links and devices follow now; RTNL held */
	void (*follow_all)(void);
};

int qlink_underlay_init(const struct qlink_underlay_upcalls *upcalls);
void qlink_underlay_exit(void);
struct list_head *qlink_underlay_ports(const struct net *net, enum qlink_underlay kind);
void qlink_underlay_note_bytes(struct qlink_attach *attach, unsigned int bytes);
enum qlink_xmit_verdict qlink_underlay_drop(struct sk_buff *skb, enum qlink_xmit_verdict verdict);

const struct qlink_underlay_ops *qlink_underlay_of(enum qlink_underlay kind);

int qlink_port_init(struct qlink_port *port);
void qlink_port_destroy(struct qlink_port *port);
int qlink_port_enter(struct qlink_port *port, struct qlink_attach *attach,
		     struct netlink_ext_ack *extack);
bool qlink_port_leave(struct qlink_port *port, struct qlink_attach *attach);
void qlink_port_follow(struct qlink_port *port);
void qlink_underlay_follow_all(void);
void qlink_port_receive(struct qlink_port *port, const struct qlink_origin *origin,
			struct sk_buff *skb);
void qlink_port_receive_bundle(struct qlink_port *port, const struct qlink_origin *origin,
			       struct sk_buff *skb);

extern const struct qlink_underlay_ops qlink_underlay_eth_ops;
extern const struct qlink_underlay_ops qlink_underlay_udp_ops;

#endif
