#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A link and the devices around it: others that want its lower device, devices on top, links over links, loops.
#
# Open vSwitch is not tested here: one of its ports has the switch as its master, as a bridge port has the bridge,
# and kmod/underlay_eth.c checks nothing else.

# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=traffic.sh
. "$(dirname "$0")/traffic.sh"

link_json() { ip -n "$1" -d -j link show "$2" | jq -r ".[0].$3"; }
ctl_state() { in_ns "$1" qlinkctl -j show "${2:-qlink0}" | jq -r '.[0].link.state'; }
state_is() { [ "$(ctl_state "$1")" = "$2" ]; }
sent() { stats64 "$1" .tx.packets "$2"; }
quiet_links() { for dev; do stats "$ns1" "$dev"; stats "$ns2" "$dev"; done 2>/dev/null | grep -v ':0$'; }

# both COMMANDS: runs ip -batch at both ends; @N stands for the end, @O for the other.
both()
{
	local n ns

	for n in 1 2; do
		ns=ns$n
		sed "s/@N/$n/g; s/@O/$((3 - n))/g" <<<"$1" | ip -n "${!ns}" -batch - || fail "ip at $n"
	done
}

# setup_cable N: a second wire, vethN, with addresses 198.51.10N.*.
setup_cable()
{
	ip link add "veth$1" netns "$ns1" address "02:00:00:00:1$1:01" type veth \
		peer name "veth$1" netns "$ns2" address "02:00:00:00:1$1:02"
	both "address add 198.51.10$1.@N/24 dev veth$1
		link set veth$1 up"
}

# give_keys DEVICE: keys of epoch 1 in both directions.
give_keys()
{
	dev=$1 key_pass "$ns1" "$ns2" 1
	dev=$1 key_pass "$ns2" "$ns1" 1
	expect_soon "carrier of $1" carrier_is "$ns1" 1 "$1"
	expect_soon "carrier of $1" carrier_is "$ns2" 1 "$1"
}

# pair_over LOWER DEVICE ID SUBNET: an eth link at both ends.
pair_over()
{
	local n ns other

	for n in 1 2; do
		ns=ns$n other=ns$((3 - n))
		expect_ok "link over $1" ip -n "${!ns}" link add link "$1" name "$2" type qlink \
			id "$3" peer "$(link_json "${!other}" "$1" address)" accept static
	done
	both "address add $4.@N/24 dev $2
		link set $2 up"
	give_keys "$2"
}

# pair_to UNDERLAY-SUBNET DEVICE ID SUBNET: a udp link at both ends.
pair_to()
{
	both "link add $2 type qlink id $3 local $1.@N remote $1.@O port $port accept static
		address add $4.@N/24 dev $2
		link set $2 up"
	give_keys "$2"
}

# ---- others that want the lower device ----

expect_taken()
{
	expect_eq "$1" "$(ctl_state "$ns1")" underlay-taken
	expect_has "$1: ip" "$(ip -n "$ns1" -d link show qlink0)" "state underlay-taken"
	expect_eq "$1: carrier" "$(in_ns "$ns1" cat /sys/class/net/qlink0/carrier)" 0
	expect_refused "$1: a new link" "which takes its frames" \
		ip -n "$ns1" link add link veth0 name qlink9 type qlink id 9 peer "${mac[2]}"
	expect_refused "$1: a change" "which takes its frames" in_ns "$ns1" qlinkctl set qlink0 id 9
	expect_eq "$1: id" "$(in_ns "$ns1" qlinkctl -j show qlink0 | jq '.[0].link.id')" 7
}

expect_back()
{
	expect_eq "$1" "$(ctl_state "$ns1")" up
	expect_soon "$1: carrier" carrier_is "$ns1" 1
	answers "$ns1" "${inner[2]}"
}

test_lower_is_taken_by_a_bridge()
{
	under=eth
	setup_pair
	ip -n "$ns1" link add br0 up type bridge
	expect_ok "enslave" ip -n "$ns1" link set veth0 master br0
	expect_taken "port of a bridge"
	expect_eq "the keys stay" "$(keys "$ns1")" 2
	expect_ok "release" ip -n "$ns1" link set veth0 nomaster
	expect_back "released"
	ip -n "$ns1" link set veth0 master br0
	ip -n "$ns1" link set veth0 down
	expect_eq "state: taken comes before down" "$(ctl_state "$ns1")" underlay-taken
	expect_ok "delete the bridge" ip -n "$ns1" link del br0
	expect_eq "state: then down" "$(ctl_state "$ns1")" underlay-down
	ip -n "$ns1" link set veth0 up
	expect_soon "underlay" state_is "$ns1" up
	expect_back "without bridge"
}

# A macvlan in passthru mode leaves no frames to others; one in bridge mode takes only its own.
test_macvlan_on_lower()
{
	under=eth
	setup_pair
	expect_ok "passthru" ip -n "$ns1" link add link veth0 name mv0 type macvlan mode passthru
	expect_taken "under a passthru macvlan"
	expect_ok "delete" ip -n "$ns1" link del mv0
	expect_back "released"
	both "link add link veth0 name mv0 up type macvlan mode bridge
		address add 10.0.9.@N/24 dev mv0"
	expect_back "beside a macvlan"
	pair_over mv0 qlink1 7 10.0.1
	answers "$ns1" 10.0.9.2
	answers "$ns1" 10.0.1.2
	expect_eq "each sees only its own frames" "$(quiet_links qlink0 qlink1)" ""
}

# bond NS SLAVES WORD…: an active-backup bond.
bond()
{
	local slave

	ip -n "$1" link add bond0 type bond mode active-backup "${@:3}"
	for slave in $2; do
		ip -n "$1" link set "$slave" down
		expect_ok "enslave $slave" ip -n "$1" link set "$slave" master bond0
	done
	ip -n "$1" link set bond0 up
}

active_is() { [ "$(link_json "$1" bond0 linkinfo.info_data.active_slave)" = "$2" ]; }

# Over a bond: the link uses the bond's active cable, one or the other.
test_lower_is_a_bond()
{
	setup_wire
	setup_cable 1
	bond "$ns1" "veth0 veth1" miimon 50 primary veth0
	bond "$ns2" "veth0 veth1" miimon 50 primary veth0
	expect_soon "active" active_is "$ns1" veth0
	expect_soon "active" active_is "$ns2" veth0
	pair_over bond0 qlink0 7 192.0.2
	answers "$ns1" "${inner[2]}"
	ip -n "$ns2" link set veth0 down
	expect_soon "the other cable" active_is "$ns1" veth1
	expect_soon "the other cable" active_is "$ns2" veth1
	expect_back "by the other cable"
	ip -n "$ns2" link set veth1 down
	expect_soon "no cable" state_is "$ns1" underlay-down
	expect_eq "carrier" "$(in_ns "$ns1" cat /sys/class/net/qlink0/carrier)" 0
	ip -n "$ns2" link set veth1 up
	expect_soon "a cable" state_is "$ns1" up
	answers "$ns1" "${inner[2]}"
	bond_gets_another_mac
}

# The MAC address of the peer's bond changes: its frames are not taken, the event says why, and the carrier goes.
bond_gets_another_mac()
{
	listen "$ns1" "$tmp/events"
	link_set "$ns1" keepalive-ms 200
	link_set "$ns2" keepalive-ms 200
	expect_soon "heard" state_is "$ns1" up
	expect_eq "nothing to report" "$(stat_get "$ns1" port_rx_other_peer)" 0
	ip -n "$ns2" link set bond0 address 02:00:00:00:00:99
	expect_soon "lost" state_is "$ns1" peer-lost
	expect_soon "lost" state_is "$ns2" peer-lost
	expect_soon "event" has_event "$tmp/events" peer-address
	expect_ok "frames of the port" test "$(stat_get "$ns1" port_rx_other_peer)" -gt 0
	expect_eq "they are those of the port, not of no link" "$(stat_get "$ns1" port_rx_no_link)" 0
	link_set "$ns1" peer 02:00:00:00:00:99
	expect_soon "heard again" state_is "$ns1" up
	answers "$ns1" "${inner[2]}"
}

# Over one slave of a bond: the link stays on this cable, active or not, as LLDP does. If the bond is a bridge port,
# the bridge takes the slave's frames too.
test_lower_is_a_slave_of_a_bond()
{
	setup_wire
	setup_cable 1
	bond "$ns1" "veth0 veth1" miimon 50
	ip -n "$ns1" address add 10.0.8.1/24 dev bond0
	ip -n "$ns2" address add 10.0.8.2/24 dev veth0
	pair_over veth0 qlink0 7 192.0.2
	expect_soon "active" active_is "$ns1" veth0
	answers "$ns1" "${inner[2]}"
	answers "$ns1" 10.0.8.2
	expect_ok "the other is active" ip -n "$ns1" link set bond0 type bond active_slave veth1
	expect_back "over the slave that waits"
	ip -n "$ns1" link set bond0 type bond active_slave veth0
	ip -n "$ns1" link add br0 up type bridge
	expect_ok "the bond into a bridge" ip -n "$ns1" link set bond0 master br0
	expect_taken "the bond is a bridge port"
	expect_ok "release" ip -n "$ns1" link set bond0 nomaster
	expect_back "released"
	expect_ok "out of the bond" ip -n "$ns1" link set veth0 nomaster
	ip -n "$ns1" link set veth0 up
	expect_soon "underlay" state_is "$ns1" up
	expect_back "no slave any more"
}

# Over a VLAN and over the device below it, with the same id and peer: two separate links.
test_lower_is_a_vlan()
{
	under=eth
	setup_pair
	both "link add link veth0 name veth0.5 type vlan id 5
		address add 10.0.7.@N/24 dev veth0.5
		link set veth0.5 up"
	pair_over veth0.5 qlink1 7 10.0.1
	answers "$ns1" "${inner[2]}"
	answers "$ns1" 10.0.1.2
	answers "$ns1" 10.0.7.2
	expect_eq "each sees only its own frames" "$(quiet_links qlink0 qlink1)" ""
	expect_refused "a lower device on top" "veth0.6 lies over qlink0 itself" sh -c "
		ip -n $ns1 link add link qlink0 name veth0.6 type vlan id 6 &&
		ip netns exec $ns1 qlinkctl set qlink0 link veth0.6"
	expect_eq "lower" "$(link_json "$ns1" qlink0 link)" veth0
	expect_ok "delete the VLAN" ip -n "$ns1" link del veth0.5
	expect_eq "its link goes with it, the other stays" "$(devices "$ns1")" 1
	answers "$ns1" "${inner[2]}"
}

# ---- devices on top of a link ----

# One of two cables is cut. Over Ethernet the link's carrier shows it; UDP may have found another route, so the bond
# has to check by ARP.
each_test_bond_fails_over()
{
	local n ns monitor interval=200

	# An answer must arrive within this time, also from the debug kernel.
	! is_debug_kernel || interval=2000
	setup_wire
	setup_cable 1
	for n in 1 2; do
		ns=ns$n
		case $under in
		eth) monitor="miimon 50" ;;
		udp) monitor="arp_interval $interval arp_ip_target 10.0.8.$((3 - n))" ;;
		esac
		# shellcheck disable=SC2086 # words
		ip -n "${!ns}" link add bond0 mtu 1400 type bond mode active-backup $monitor
	done
	case $under in
	eth) pair_over veth0 qlink0 7 192.0.2; pair_over veth1 qlink1 7 10.0.1 ;;
	udp) pair_to 198.51.100 qlink0 7 192.0.2; pair_to 198.51.101 qlink1 7 10.0.1 ;;
	esac
	both "address flush dev qlink0
		address flush dev qlink1
		link set qlink0 down
		link set qlink1 down
		link set qlink0 master bond0
		link set qlink1 master bond0
		address add 10.0.8.@N/24 dev bond0
		link set bond0 up"
	expect_soon "active" active_is "$ns1" qlink0
	expect_eq "the slaves have one address" "$(link_json "$ns1" qlink0 address)" "$(link_json "$ns1" qlink1 address)"
	expect_eq "the slaves have the MTU of the bond" "$(link_json "$ns1" qlink1 mtu)" 1400
	answers "$ns1" 10.0.8.2
	expect_ok "cut" ip -n "$ns2" link set veth0 down
	expect_soon "the other link" active_is "$ns1" qlink1
	answers "$ns1" 10.0.8.2
	if [ "$under" = eth ]; then expect_eq "why" "$(ctl_state "$ns1")" underlay-down; fi
	expect_eq "slave" "$(ctl_state "$ns1" qlink1)" up
	expect_ok "repair" ip -n "$ns2" link set veth0 up
	ip -n "$ns2" address replace 198.51.100.2/24 dev veth0
	expect_ok "cut the other" ip -n "$ns2" link set veth1 down
	expect_soon "back to the first" active_is "$ns1" qlink0
	answers "$ns1" 10.0.8.2
}

# LACP over two udp links: both ports are of one aggregator and carry frames, because both have a speed.
test_lacp_over_udp()
{
	setup_wire
	setup_cable 1
	under=udp
	pair_to 198.51.100 qlink0 7 192.0.2
	pair_to 198.51.101 qlink1 7 10.0.1
	both "address flush dev qlink0
		address flush dev qlink1
		link set qlink0 down
		link set qlink1 down
		link add bond0 mtu 1400 type bond mode 802.3ad miimon 50 lacp_rate fast
		link set qlink0 master bond0
		link set qlink1 master bond0
		address add 10.0.8.@N/24 dev bond0
		link set bond0 up"
	expect_soon "both ports" lacp_is_up "$ns1"
	expect_soon "both ports" lacp_is_up "$ns2"
	answers "$ns1" 10.0.8.2
}

# lacp_is_up NS: two ports of one aggregator that collect and distribute (bits 4 and 5 of 0x3f).
lacp_is_up()
{
	in_ns "$1" cat /proc/net/bonding/bond0 | awk '
		/^Slave Interface/ { slave = $3 }
		slave && /Aggregator ID/ { id[$3]++ }
		slave && /port state:/ && ++n % 2 && $3 == 63 { n_up++ }
		END { for (i in id) same = id[i]; exit !(same == 2 && n_up == 2) }'
}

# What bridges, VLANs, macvlans and admins do to a device.
test_operations_on_a_device()
{
	under=udp
	setup_pair
	expect_has "ethtool" "$(in_ns "$ns1" ethtool qlink0)" "Link detected: yes"
	both "link add link qlink0 name mv0 up type macvlan mode bridge
		address add 10.0.1.@N/24 dev mv0
		link add link qlink0 name qlink0.5 up type vlan id 5
		link add link qlink0.5 name mv5 up type macvlan mode bridge
		address add 10.0.5.@N/24 dev mv5"
	answers "$ns1" 10.0.1.2
	answers "$ns1" 10.0.5.2
	expect_eq "a second address does not make the device promiscuous" "$(link_json "$ns1" qlink0 promiscuity)" 0

	expect_ok "multicast" ip -n "$ns1" maddress add 01:00:5e:7f:00:01 dev qlink0
	expect_has "multicast" "$(ip -n "$ns1" maddress show dev qlink0)" 01:00:5e:7f:00:01
	expect_ok "promiscuous" ip -n "$ns1" link set qlink0 promisc on
	expect_eq "promiscuous" "$(link_json "$ns1" qlink0 promiscuity)" 1
	expect_ok "promiscuous no more" ip -n "$ns1" link set qlink0 promisc off
	expect_ok "address" ip -n "$ns1" link set qlink0 address 02:00:00:00:01:99
	expect_refused "multicast address" "Cannot assign" ip -n "$ns1" link set qlink0 address 01:00:5e:00:00:01
	# Otherwise the macvlan would answer for its neighbour too.
	in_ns "$ns1" sh -c 'echo 1 >/proc/sys/net/ipv4/conf/all/arp_ignore'
	ip -n "$ns2" neighbour flush dev qlink0
	answers "$ns2" "${inner[1]}"
	expect_eq "its address" "$(ip -n "$ns2" -j neighbour show "${inner[1]}" dev qlink0 | jq -r '.[0].lladdr')" \
		02:00:00:00:01:99

	ip -n "$ns1" link del mv0
	ip -n "$ns1" link add br0 up type bridge
	expect_ok "into a bridge" ip -n "$ns1" link set qlink0 master br0
	ip -n "$ns1" address flush dev qlink0
	ip -n "$ns1" address add "${inner[1]}/24" dev br0
	answers "$ns1" "${inner[2]}"
	expect_eq "promiscuity" "$(link_json "$ns1" qlink0 promiscuity)" 1
	ip -n "$ns1" link set qlink0 nomaster
	expect_eq "promiscuity" "$(link_json "$ns1" qlink0 promiscuity)" 0
	expect_ok "delete with all on top" ip -n "$ns1" link del qlink0
	expect_eq "on top" "$(ip -n "$ns1" -o link show | grep -cE 'mv5|qlink')" 0
}

# ---- links over links ----

# A link over a link over a cable.
each_test_stack()
{
	local upper=$under room size

	under=eth
	setup_pair
	case $upper in
	eth) pair_over qlink0 qlink1 7 10.0.1 ;;
	udp) pair_to 192.0.2 qlink1 7 10.0.1 ;;
	esac
	expect_eq "mtu" "$(link_json "$ns1" qlink1 mtu)" "$([ "$upper" = eth ] && echo 1400 || echo 1372)"
	both "link add link qlink1 name qlink1.5 up type vlan id 5
		address add 10.0.5.@N/24 dev qlink1.5"
	# Headroom is shown since 6.14; without it, comparing proves nothing.
	room=$(nlraw "$ns1" room qlink0; nlraw "$ns1" room qlink1)
	for size in 0 56 500 1300; do
		expect_has "ping" "$(in_ns "$ns1" ping -q -f -c 200 -W "$deadline" -s "$size" 10.0.5.2)" " 0% packet loss"
	done
	expect_eq "room" "$(nlraw "$ns1" room qlink0; nlraw "$ns1" room qlink1)" "$room"
	expect_eq "nothing dropped" "$(quiet_links qlink0 qlink1)" ""
	expect_ok "delete the lower" ip -n "$ns1" link del qlink0
	expect_eq "links" "$(devices "$ns1")" "$([ "$upper" = eth ] && echo 0 || echo 1)"
}

# ---- XDP ----

# The debug kernel has no bpf(2).
needs_bpf() { [ -e /proc/sys/kernel/unprivileged_bpf_disabled ] || skip "needs a kernel with BPF"; }

# xdp NS DEVICE MODE ACTION: an XDP program, until xdp_end.
xdp()
{
	exec {xdp_end}<> <(:)
	/usr/bin/python3 "$here/xdp.py" "$@" >"$tmp/xdp" 2>&1 <&"$xdp_end" &
	xdp_pid=$!
	defer kill "$xdp_pid"
	expect_soon "XDP on $2" grep -q attached "$tmp/xdp"
}

xdp_counter() { in_ns "$ns2" ethtool -S veth1 | awk -v name="rx_queue_0_$1:" '$1 == name { print $2 }'; }
xdp_end() { kill "$xdp_pid"; wait "$xdp_pid"; }

# The link has no XDP of its own: generic XDP sees the frames that it has opened, native XDP is refused.
each_test_xdp_on_the_link()
{
	needs_bpf
	setup_pair
	expect_ok "before" in_ns "$ns1" ping -c 1 -W "$deadline" "${inner[2]}"
	expect_refused "native" "Operation not supported" /usr/bin/python3 "$here/xdp.py" "$ns2" qlink0 native drop </dev/null
	xdp "$ns2" qlink0 generic drop
	expect_refused "dropped" "100% packet loss" in_ns "$ns1" ping -c 3 -i 0.01 -W 0.2 "${inner[2]}"
	xdp_end
	expect_ok "after" in_ns "$ns1" ping -c 1 -W "$deadline" "${inner[2]}"
}

# XDP of a LAN's device sends its frames into the link: generic XDP does, native XDP finds no device that takes them.
each_test_xdp_into_the_link()
{
	needs_bpf
	modprobe sch_plug || skip "needs sch_plug"
	setup_pair
	setup_ns ns3
	ip link add veth1 netns "$ns2" type veth peer name veth1 netns "$ns3"
	for ns in "$ns2" "$ns3"; do
		quiet_device "$ns" veth1
		ip -n "$ns" link set veth1 up
	done
	xdp "$ns2" veth1 generic qlink0
	expect_ok "generic: in order, unchanged" bursts --bursts 2
	xdp_end
	xdp "$ns2" veth1 native qlink0
	expect_refused "native" '"came": 0,' bursts --bursts 1
	expect_eq "frames that XDP saw, sent elsewhere, and lost" \
		"$(xdp_counter xdp_packets) $(xdp_counter xdp_redirect) $(xdp_counter drops)" "32 0 32"
	xdp_end
}

# napi_id NS: the NAPI that a socket there would poll for the next datagram, by what brought the last one.
napi_id()
{
	in_ns "$1" /usr/bin/python3 -c '
import socket
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind(("", 7777))
print("bound", flush=True)
sock.recv(100)
print("napi", sock.getsockopt(socket.SOL_SOCKET, 56))'
}

# A socket that polls the NAPI of a link would not poll the network card, and would open frames on the wrong CPU.
each_test_sockets_do_not_poll_the_link()
{
	setup_pair
	napi_id "$ns2" >"$tmp/napi" 2>&1 &
	expect_soon "a socket" grep -q bound "$tmp/napi"
	in_ns "$ns1" bash -c "echo >/dev/udp/${inner[2]}/7777"
	wait $!
	expect_eq "its NAPI" "$(grep napi "$tmp/napi")" "napi 0"
}

# The kernel allows eight stacked devices; a frame gets from the top one to the cable.
test_stack_of_eight()
{
	local n below=veth0

	setup_wire
	for n in 0 1 2 3 4 5 6; do
		expect_ok "qlink$n" ip -n "$ns1" link add link $below name "qlink$n" up type qlink \
			id 7 peer "${mac[2]}" accept static
		dev=qlink$n key_add "$ns1" tx 1 "$(key_new a)"
		below=qlink$n
	done
	expect_refused "one too many" "qlink6 lies over 7 devices" \
		ip -n "$ns1" link add link qlink6 name qlink7 type qlink id 7 peer "${mac[2]}"
	expect_eq "links" "$(devices "$ns1")" 7
	expect_soon "carrier" carrier_is "$ns1" 1 qlink6
	ip -n "$ns1" address add 10.0.1.1/24 dev qlink6
	ip -n "$ns1" neighbour add 10.0.1.2 lladdr 02:00:00:00:01:02 dev qlink6
	in_ns "$ns1" ping -c 1 -W 1 10.0.1.2 >/dev/null
	for n in 0 1 2 3 4 5 6; do expect_eq "sent by qlink$n" "$(sent "$ns1" "qlink$n")" 1; done
	expect_eq "dropped" "$(quiet_links qlink{0..6})" ""
}

# one_end N LOCAL REMOTE: one end of a udp link qlinkN with 10.0.N.1, which does not use ARP for 10.0.N.2.
one_end()
{
	routed "$@"
	ip -n "$ns1" -batch - <<-END
		address add 10.0.$1.1/24 dev qlink$1
		neighbour add 10.0.$1.2 lladdr 02:00:00:00:01:02 dev qlink$1
	END
}

offer() { in_ns "$1" ping -c 2 -i 0.01 -W 1 "$2" >/dev/null; }

# UDP through UDP through UDP: the kernel nests three such tunnels. The fourth must count the frames that it drops.
test_tunnels_too_deep()
{
	local before

	setup_wire
	one_end 0 "${address[1]}" "${address[2]}"
	one_end 1 10.0.0.1 10.0.0.2
	one_end 2 10.0.1.1 10.0.1.2
	one_end 3 10.0.2.1 10.0.2.2
	before=$(stats "$ns1")
	offer "$ns1" 10.0.2.2
	expect_eq "sent" "$(sent "$ns1" qlink0)" 2
	expect_only_moved "$ns1" "$before" ""
	offer "$ns1" 10.0.3.2
	expect_only_moved "$ns1" "$before" "tx_loop=+2"
	expect_eq "sent" "$(sent "$ns1" qlink0)" 2
	expect_eq "the others" "$(quiet_links qlink1 qlink2 qlink3)" ""
}

# setup_loop_of_two: A over B over A: neither route alone leads back.
setup_loop_of_two()
{
	setup_wire
	one_end 0 "${address[1]}" "${address[2]}"
	one_end 1 "${address[1]}" "${address[3]}"
	ip -n "$ns1" -batch - <<-END
		route add ${address[2]} dev qlink1
		route add ${address[3]} dev qlink0
		neighbour add ${address[2]} lladdr 02:00:00:00:01:02 dev qlink1
		neighbour add ${address[3]} lladdr 02:00:00:00:01:02 dev qlink0
	END
}

test_loop_of_two()
{
	local before

	setup_loop_of_two
	before=$(stats "$ns1")
	offer "$ns1" 10.0.0.2
	expect_only_moved "$ns1" "$before" "tx_loop=+2"
	expect_eq "the other" "$(quiet_links qlink1)" ""

	ip -n "$ns1" link del qlink1
	expect_ok "eth over it" ip -n "$ns1" link add link qlink0 name qlink1 up type qlink id 9 peer "${mac[2]}" accept static
	dev=qlink1 key_add "$ns1" tx 1 "$(key_new a)"
	ip -n "$ns1" route add "${address[2]}" dev qlink1
	ip -n "$ns1" neighbour add "${address[2]}" lladdr 02:00:00:00:01:02 dev qlink1
	before=$(stats "$ns1")
	offer "$ns1" 10.0.0.2
	expect_only_moved "$ns1" "$before" "tx_loop=+2"
	expect_eq "the other" "$(quiet_links qlink1)" ""
	ip -n "$ns1" route del "${address[2]}" dev qlink1
	offer "$ns1" 10.0.0.2
	expect_only_moved "$ns1" "$before" "tx_loop=+2"
}

# Nothing is too big where frames are cut: only the link itself can know that it lies in a loop.
test_loop_of_two_with_parcels()
{
	local mode link before

	setup_loop_of_two
	for mode in pad constant pack; do
		for link in qlink0 qlink1; do
			dev=$link link_set "$ns1" parcel $mode parcel-bytes 1000
			expect_ok "mtu" ip -n "$ns1" link set "$link" mtu 9000
		done
		before=$(stat_get "$ns1" tx_loop)
		offer "$ns1" 10.0.0.2
		expect_soon "$mode: dropped" stat_is_above "$ns1" tx_loop "$before"
	done
	ip -n "$ns1" route del "${address[2]}" dev qlink1
	expect_ok "removed" ip -n "$ns1" link del qlink0
	expect_ok "removed" ip -n "$ns1" link del qlink1
}

debug_tests="bond_fails_over_eth operations_on_a_device stack_udp"
run_tests "$@"
