# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# How each peer of the bench carries the frames of one LAN to another: la, the gateways a and b, and lb.
#
# At each gateway a bridge has the LAN and a device that carries Ethernet frames to the other one. The wire has room for
# what each adds to a frame of 1500 bytes, so that none fragments. Everything else has default settings. What cannot
# carry Ethernet frames has vxlan or GRE in it, as admins build it.

WIRE_MTU=1600
LA_MAC=02:00:00:00:01:0a
LB_MAC=02:00:00:00:01:0b

# Two devices that carry IP packets, one at each gateway, with VXLAN in them.
vxlan_in()
{
	put a "$1" 10.7.0.1/24
	put b "$1" 10.7.0.2/24
	busywait 20 at a ping -q -c 1 -W 1 10.7.0.2
	ip -n a link add vxlan0 type vxlan id 42 local 10.7.0.1 remote 10.7.0.2 dstport 4789
	ip -n b link add vxlan0 type vxlan id 42 local 10.7.0.2 remote 10.7.0.1 dstport 4789
}

# on_both COMMAND…: for ip, at both gateways.
on_both() { ip -n a "$@" && ip -n b "$@"; }

# carry_PEER: makes the devices, and sets $tunnel to their name.
carry_lan() { tunnel=''; }
carry_veth() { tunnel=wire; }
carry_macsec() { tunnel=macsec0; macsec_ends; }
carry_vxlan-wireguard() { tunnel=vxlan0; wireguard_ends; on_both link set wg0 mtu 1540; vxlan_in wg0; }
carry_vxlan-ovpn() { tunnel=vxlan0; ovpn_ends 10.7.0 1540; vxlan_in tun0; }
carry_gretap-esp() { tunnel=gre1; gretap_ends; }
carry_qlink-eth() { tunnel=qlink0; qlink_ends eth; }
carry_qlink-udp() { tunnel=qlink0; qlink_ends udp; }
carry_qlink-eth-pack() { carry_qlink-eth; on_both link set qlink0 type qlink parcel pack; }
carry_qlink-udp-pack() { carry_qlink-udp; on_both link set qlink0 type qlink parcel pack; }

# esp_hop SITE DIRECTION FROM TO SPI KEY
esp_hop()
{
	ip -n "$1" xfrm state add src "$3" dst "$4" proto esp spi "$5" reqid "$5" mode transport replay-window 64 \
		aead 'rfc4106(gcm(aes))' "0x$6" 128
	ip -n "$1" xfrm policy add src "$3/32" dst "$4/32" proto gre dir "$2" tmpl proto esp reqid "$5" mode transport
}

gretap_ends()
{
	local there back

	there=$(openssl rand -hex 36)
	back=$(openssl rand -hex 36)
	esp_hop a out 192.0.2.1 192.0.2.2 1001 "$there"
	esp_hop b in 192.0.2.1 192.0.2.2 1001 "$there"
	esp_hop b out 192.0.2.2 192.0.2.1 1002 "$back"
	esp_hop a in 192.0.2.2 192.0.2.1 1002 "$back"
	ip -n a link add gre1 type gretap local 192.0.2.1 remote 192.0.2.2
	ip -n b link add gre1 type gretap local 192.0.2.2 remote 192.0.2.1
}

# carry PEER: over a wire that has room for it.
carry()
{
	on_both link set wire mtu $WIRE_MTU
	"carry_$1"
}

# lay_lan LAN: without IPv6, which would send frames by itself.
lay_lan()
{
	ip netns add "$1"
	at "$1" sysctl -e -q -w net.ipv6.conf.default.disable_ipv6=1 net.ipv6.conf.all.disable_ipv6=1
}

# join_lan LAN GATEWAY MAC: over the gateway's bridge.
join_lan()
{
	local device

	ip link add lan netns "$1" address "$3" type veth peer name lan netns "$2"
	ip -n "$2" link add bridge0 type bridge
	for device in lan "$tunnel"; do
		[ "$device" = wire ] || ip -n "$2" link set "$device" mtu 1500
		ip -n "$2" link set "$device" master bridge0 up
	done
	ip -n "$2" link set bridge0 up
}

# The burst waits in a plug at one end; the other end counts and drops what comes. Without a tunnel, both LANs are one
# and there are no gateways.
lay_lans()
{
	lay_lan la
	lay_lan lb
	if [ -n "$tunnel" ]; then
		join_lan la a $LA_MAC
		join_lan lb b $LB_MAC
		bridge -n a fdb add $LB_MAC dev "$tunnel" master static
		bridge -n b fdb add $LB_MAC dev lan master static
	else
		ip link add lan netns la address $LA_MAC type veth peer name lan netns lb address $LB_MAC
	fi
	ip -n la link set lan up
	ip -n lb link set lan up
	tc -n la qdisc add dev lan root plug limit 1000000
	tc -n lb qdisc add dev lan clsact
	tc -n lb filter add dev lan ingress matchall action drop
}

arrived() { tc -n lb -s -j filter show dev lan ingress | jq '[.[].options.actions[]?.stats.packets] | add'; }
wire_bytes() { ip -n a -s -j link show wire | jq '.[0].stats64.tx.bytes'; }
