#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Sizes: what the underlay leaves for frames, what follows when that changes, and what happens to a frame that is
# too big.

# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=traffic.sh
. "$(dirname "$0")/traffic.sh"

mtu_of() { in_ns "$1" cat "/sys/class/net/${2:-qlink0}/mtu"; }
max_mtu_of() { ip -n "$1" -d -j link show "${2:-qlink0}" | jq '.[0].max_mtu'; }
mtu_is() { [ "$(mtu_of "$1")" = "$2" ]; }

# overhead: the bytes that $under needs.
overhead() { case $under in eth) echo 50 ;; udp) echo 78 ;; udp6) echo 98 ;; esac; }

# left N: the MTU that an underlay of N leaves.
left() { echo $(($1 - $(overhead))); }

set_lower() { ip -n "$1" link set veth0 mtu "$2"; }
send_one() { in_ns "$ns1" ping -c 1 -W 1 "${inner[2]}" >/dev/null; }

# fits: pings of the full MTU arrive unfragmented.
fits() { ping_ok "$ns1" -M "do" -s $(($(mtu_of "$ns1") - 28)) "${inner[2]}"; }

each_under_jumbo_frames()
{
	setup_pair 9000
	expect_eq "mtu" "$(mtu_of "$ns1") $(max_mtu_of "$ns1")" "$(left 9000) $(left 9000)"
	quiet
	fits
	expect_ok "frames" frames exchange --from "$ns1" --to "$ns2"
	frames payload "$tmp/file" 1000000 --marker "$marker"
	transfer "$ns1" "$ns2" "${inner[2]}" "$tmp/file"
	expect_nothing_dropped
}

# The MTU follows without any traffic. An admin's choice is an upper limit, and is used again when it fits.
each_under_follows_the_lower_device()
{
	local lower

	setup_wire
	link_add 1
	for lower in 1400 1600 1500; do
		set_lower "$ns1" "$lower"
		expect_soon "mtu over $lower" mtu_is "$ns1" "$(left "$lower")"
		expect_eq "maximum over $lower" "$(max_mtu_of "$ns1")" "$(left "$lower")"
	done
	expect_refused "more than is left" "maximum" ip -n "$ns1" link set qlink0 mtu $(($(left 1500) + 1))
	expect_eq "mtu" "$(mtu_of "$ns1")" "$(left 1500)"

	expect_ok "less" ip -n "$ns1" link set qlink0 mtu 1300
	set_lower "$ns1" 1800
	expect_eq "maximum" "$(max_mtu_of "$ns1")" "$(left 1800)"
	expect_eq "the admin's value stays" "$(mtu_of "$ns1")" 1300
	set_lower "$ns1" 1380
	expect_eq "less is left" "$(mtu_of "$ns1")" "$(min 1300 "$(left 1380)")"
	set_lower "$ns1" 1800
	expect_eq "the admin's value again" "$(mtu_of "$ns1")" 1300
	expect_ok "all that is left" ip -n "$ns1" link set qlink0 mtu "$(left 1800)"
	set_lower "$ns1" 1500
	expect_eq "it follows again" "$(mtu_of "$ns1")" "$(left 1500)"
}

min() { if [ "$1" -lt "$2" ]; then echo "$1"; else echo "$2"; fi; }

# route_change WORD…: changes the route to the peer's network.
route_change()
{
	case $under in
	udp) ip -n "$ns1" route replace 198.51.100.0/24 dev veth0 src "${address[1]}" "$@" ;;
	udp6) ip -n "$ns1" -6 route replace "${address6[2]}/128" dev veth0 "$@" ;;
	esac
}

# A changed route is noticed with the next frame.
follow_the_route()
{
	local mtu

	setup_pair
	quiet
	for mtu in 1400 1450; do
		expect_ok "route" route_change mtu "$mtu"
		send_one
		expect_soon "mtu over a route of $mtu" mtu_is "$ns1" "$(left "$mtu")"
		expect_eq "maximum" "$(max_mtu_of "$ns1")" "$(left "$mtu")"
		fits
	done
	expect_ok "route larger than its device" route_change mtu 9000
	send_one
	expect_soon "mtu" mtu_is "$ns1" "$(left 1500)"
	fits
	expect_nothing_dropped
	expect_eq "the other end" "$(mtu_of "$ns2")" "$(left 1500)"
}

test_follows_the_route_udp()
{
	under=udp
	follow_the_route
}

test_follows_the_route_udp6()
{
	under=udp6
	follow_the_route
}

# Without a route, and with a route into the link itself, the size stays.
test_keeps_its_size_without_a_route()
{
	under=udp
	setup_pair 9000
	quiet
	ip -n "$ns1" route del 198.51.100.0/24
	send_one
	set_lower "$ns1" 8000
	expect_eq "without a route" "$(mtu_of "$ns1")" "$(left 9000)"
	ip -n "$ns1" route add "${address[2]}" dev qlink0
	send_one
	expect_eq "into the link" "$(mtu_of "$ns1")" "$(left 9000)"
	ip -n "$ns1" route del "${address[2]}" dev qlink0
	ip -n "$ns1" route add 198.51.100.0/24 dev veth0 src "${address[1]}"
	send_one
	expect_soon "with one" mtu_is "$ns1" "$(left 8000)"
}

# Three links, each routed over the one before, the second through a VLAN: all follow at once.
test_links_routed_over_links_follow()
{
	local lower

	under=udp
	setup_wire
	routed 0 "${address[1]}" "${address[2]}"
	ip -n "$ns1" -batch - <<-END
		link add link qlink0 name qlink0.5 type vlan id 5
		address add 10.0.0.1/24 dev qlink0.5
		link set qlink0.5 up
	END
	routed 1 10.0.0.1 10.0.0.2
	ip -n "$ns1" address add 10.0.1.1/24 dev qlink1
	routed 2 10.0.1.1 10.0.1.2
	for lower in 1400 1500; do
		set_lower "$ns1" "$lower"
		# A VLAN's MTU shrinks with its device's; it does not grow with it.
		ip -n "$ns1" link set qlink0.5 mtu $((lower - 78))
		expect_eq "over $lower" "$(mtu_of "$ns1") $(mtu_of "$ns1" qlink1) $(mtu_of "$ns1" qlink2)" \
			"$((lower - 78)) $((lower - 156)) $((lower - 234))"
	done
}

mtus() { ip -n "$ns1" -j link show type qlink | jq -r '[.[].mtu] | join(" ")'; }

# Links routed over one another in a circle ignore each other's sizes, whatever happens around them, and so does a
# link that is routed over them. When the circle is broken, they follow again.
test_links_routed_over_each_other_stay()
{
	local n

	under=udp
	setup_wire
	routed 0 "${address[1]}" "${address[2]}"
	routed 1 "${address[1]}" "${address[3]}"
	routed 2 "${address[1]}" "${address[4]}"
	expect_eq "at first" "$(mtus)" "1422 1422 1422"
	ip -n "$ns1" -batch - <<-END
		link add link qlink0 name qlink0.5 type vlan id 5
		link set qlink0.5 up
		route add ${address[2]} dev qlink1
		route add ${address[3]} dev qlink0.5
		route add ${address[4]} dev qlink0
		neighbour add ${address[2]} lladdr 02:00:00:00:01:02 dev qlink1
		neighbour add ${address[3]} lladdr 02:00:00:00:01:02 dev qlink0.5
		neighbour add ${address[4]} lladdr 02:00:00:00:01:02 dev qlink0
	END
	for n in 1400 9000 1500; do
		set_lower "$ns1" "$n"
		expect_ok "frames" frames oversize --to "$ns1" --device qlink0 --count 2
		expect_ok "frames" frames oversize --to "$ns1" --device qlink1 --count 2
		ip -n "$ns1" link set qlink0.5 mtu $((1400 + n % 7))
		expect_eq "with $n below" "$(mtus)" "1422 1422 1422"
	done
	ip -n "$ns1" route del "${address[2]}" dev qlink1
	set_lower "$ns1" 1400
	expect_eq "no loop" "$(mtus)" "1322 1244 1244"
}

# learned: the path MTU that the host has stored for the peer.
learned()
{
	case $under in
	udp) ip -n "$ns1" route get "${address[2]}" ;;
	udp6) ip -n "$ns1" -6 route get "${address6[2]}" ;;
	esac | sed -n 's/.* mtu \([0-9]*\).*/\1/p'
}

has_learned() { [ "$(learned)" = "$1" ]; }

# Anyone can send an ICMP error. The host accepts one about a ping (7.3: also one about a frame); the link accepts
# none.
distrust_icmp()
{
	local before

	setup_pair
	quiet
	fits
	before=$(stats "$ns1")
	capture_start "$ns2" "$tmp/all.pcap"
	expect_ok "about a frame" frames too-big --under "$under" --from "$ns2" --to "$ns1" --about udp --mtu 1290
	fits
	expect_ok "about a ping" frames too-big --under "$under" --from "$ns2" --to "$ns1" --about ping --mtu 1290
	expect_soon "the host learns" has_learned 1290
	fits
	in_ns "$ns1" ping -c 2 -i 0.01 -W "$deadline" -s 6000 "${inner[2]}" >/dev/null || fail "fragments inside"
	expect_eq "mtu" "$(mtu_of "$ns1") $(max_mtu_of "$ns1")" "$(left 1500) $(left 1500)"
	set_lower "$ns1" 1480
	set_lower "$ns1" 1500
	fits
	expect_eq "mtu, measured again" "$(mtu_of "$ns1")" "$(left 1500)"
	capture_stop "$tmp/all.pcap"
	decode all
	expect_only_moved "$ns1" "$before" ""
}

test_distrusts_icmp_udp()
{
	under=udp
	distrust_icmp
}

test_distrusts_icmp_udp6()
{
	under=udp6
	distrust_icmp
}

# has_no_fragments: IP has made none in $ns1.
has_no_fragments()
{
	expect_eq "fragments" "$(in_ns "$ns1" cat /proc/net/snmp /proc/net/snmp6 |
		awk '/^Ip: [A-Z]/ { for (i = 2; i <= NF; i++) if ($i == "FragCreates") at = i }
			/^Ip: [0-9]/ { n += $at } /^Ip6FragCreates/ { n += $2 } END { print n }')" 0
}

# A route that pushes an MPLS label takes 4 bytes.
test_encapsulating_route_udp()
{
	under=udp
	modprobe -a mpls_iptunnel mpls_router || skip "needs MPLS"
	setup_pair
	quiet
	in_ns "$ns2" sh -c 'echo 1000 >/proc/sys/net/mpls/platform_labels && echo 1 >/proc/sys/net/mpls/conf/veth0/input'
	ip -n "$ns2" link set lo up
	ip -n "$ns2" -f mpls route add 100 dev lo
	ip -n "$ns1" route add "${address[2]}/32" encap mpls 100 via inet "${address[2]}" dev veth0
	expect_soon "mtu" mtu_is "$ns1" "$(left 1496)"
	fits
	has_no_fragments
	expect_nothing_dropped
}

# A route through a segment takes an IPv6 header of 40 bytes and a routing header of 24.
test_encapsulating_route_udp6()
{
	local dev

	under=udp6
	setup_pair
	quiet
	for dev in all veth0; do in_ns "$ns2" sh -c "echo 1 >/proc/sys/net/ipv6/conf/$dev/seg6_enabled"; done
	ip -n "$ns2" address add 2001:db8:9::2/128 dev veth0 nodad
	ip -n "$ns1" route add 2001:db8:9::2/128 via "${address6[2]}" dev veth0
	ip -n "$ns1" route add "${address6[2]}/128" encap seg6 mode encap segs 2001:db8:9::2 dev veth0
	expect_soon "mtu" mtu_is "$ns1" "$(left 1436)"
	fits
	has_no_fragments
	expect_nothing_dropped
}

# IPsec below the link takes what ESP needs: header, IV, padding and tag.
test_ipsec_udp6()
{
	local n ns

	under=udp6
	setup_pair
	quiet
	for n in 1 2; do
		ns=ns$n
		ip -n "${!ns}" -batch - <<-END
			xfrm state add src ${address6[1]} dst ${address6[2]} proto esp spi 1 mode transport enc cbc(aes) 0x00112233445566778899aabbccddeeff auth hmac(sha256) 0x00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff
			xfrm state add src ${address6[2]} dst ${address6[1]} proto esp spi 2 mode transport enc cbc(aes) 0x00112233445566778899aabbccddeeff auth hmac(sha256) 0x00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff
			xfrm policy add src ${address6[n]} dst ${address6[3 - n]} dir out tmpl proto esp mode transport
		END
		in_ns "${!ns}" ping -c 1 -W 1 "${inner[3 - n]}" >/dev/null
		expect_soon "mtu" mtu_is "${!ns}" "$(left 1462)"
	done
	fits
	has_no_fragments
	expect_has "ESP" "$(ip -n "$ns2" -s xfrm state | grep -A1 'lifetime current')" "bytes"
	expect_nothing_dropped
}

# A non-IP frame that is too big is only counted.
test_too_big_other_than_ip()
{
	local before

	under=eth
	setup_pair
	ip -n "$ns1" link add link qlink0 name outer type vlan proto 802.1ad id 5
	ip -n "$ns1" link set outer up
	ip -n "$ns1" link add link outer name inner type vlan id 6
	ip -n "$ns1" link set inner up
	before=$(stats "$ns1")
	expect_ok "frames" frames oversize --to "$ns1" --device inner --count 3
	expect_only_moved "$ns1" "$before" "tx_too_big=+3"
}

allow_ipv6() { in_ns "$1" sh -c "echo 0 >/proc/sys/net/ipv6/conf/$2/disable_ipv6"; }

# $ns3 behind $ns2, whose link has less room: TCP learns it and goes on.
setup_host_behind()
{
	setup_pair
	setup_ns ns3
	ip link add veth1 netns "$ns2" type veth peer name veth1 netns "$ns3"
	ip -n "$ns2" link set veth1 up
	ip -n "$ns3" link set veth1 up
	frames payload "$tmp/file" 500000 --marker "$marker"
}

each_under_too_big_when_bridged()
{
	local before

	setup_host_behind
	ip -n "$ns2" link add br0 type bridge
	ip -n "$ns2" address flush dev qlink0
	ip -n "$ns2" link set qlink0 master br0
	ip -n "$ns2" link set veth1 master br0
	ip -n "$ns2" link set br0 up
	ip -n "$ns3" address add "${inner[3]}/24" dev veth1
	allow_ipv6 "$ns1" qlink0
	allow_ipv6 "$ns3" veth1
	ip -n "$ns3" address add "${inner6[3]}/64" dev veth1 nodad
	ip -n "$ns1" address add "${inner6[1]}/64" dev qlink0 nodad
	expect_soon "ping" in_ns "$ns3" ping -c 1 -W 1 "${inner[1]}"
	expect_soon "ping" in_ns "$ns3" ping -c 1 -W 1 "${inner6[1]}"
	# The receiver must not tell the sender with its MSS.
	ip -n "$ns1" route change 192.0.2.0/24 dev qlink0 src "${inner[1]}" advmss 1460
	ip -n "$ns1" -6 route replace 2001:db8::/64 dev qlink0 proto kernel metric 256 advmss 1440
	before=$(stats "$ns2")
	transfer "$ns3" "$ns1" "${inner[1]}" "$tmp/file"
	expect_has "counted" "$(stats_moved "$ns2" "$before")" "tx_too_big=+"
	expect_eq "no other" "$(stats_moved "$ns2" "$before" | wc -w)" 1
	expect_has "learned" "$(ip -n "$ns3" route get "${inner[1]}")" "mtu $(left 1500)"
	before=$(stats "$ns2")
	transfer "$ns3" "$ns1" "${inner6[1]}" "$tmp/file"
	expect_has "counted" "$(stats_moved "$ns2" "$before")" "tx_too_big=+"
	expect_has "learned" "$(ip -n "$ns3" -6 route get "${inner6[1]}")" "mtu $(left 1500)"
	expect_refused "a datagram" "essage too long" in_ns "$ns3" ping -c 1 -W 1 -M "do" -s 1472 "${inner[1]}"
	before=$(stats "$ns2")
	transfer "$ns3" "$ns1" "${inner[1]}" "$tmp/file"
	expect_only_moved "$ns2" "$before" ""
}

test_too_big_when_routed()
{
	local before

	under=udp6
	setup_host_behind
	in_ns "$ns2" sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'
	ip -n "$ns2" address add 203.0.113.2/24 dev veth1
	ip -n "$ns3" address add 203.0.113.3/24 dev veth1
	ip -n "$ns3" route add 192.0.2.0/24 via 203.0.113.2
	ip -n "$ns1" route add 203.0.113.0/24 via "${inner[2]}" advmss 1460
	expect_soon "ping" in_ns "$ns3" ping -c 1 -W 1 "${inner[1]}"
	before=$(stats "$ns2")
	expect_refused "a datagram" "mtu = $(left 1500)" in_ns "$ns3" ping -c 1 -W 1 -M "do" -s 1472 "${inner[1]}"
	expect_refused "the next" "essage too long" in_ns "$ns3" ping -c 1 -W 1 -M "do" -s 1472 "${inner[1]}"
	transfer "$ns3" "$ns1" "${inner[1]}" "$tmp/file"
	expect_only_moved "$ns2" "$before" ""
	expect_refused "a local datagram" "essage too long" in_ns "$ns2" ping -c 1 -W 1 -M "do" -s 1472 "${inner[1]}"
}

# The features that ethtool shows for the link and for a VLAN on it, and those that the link must not have.
test_features()
{
	local dev feature

	under=udp6
	setup_wire
	link_add 1
	ip -n "$ns1" link add link qlink0 name qlink0.5 type vlan id 5
	for dev in qlink0 qlink0.5; do
		for feature in tx-scatter-gather tx-checksum-ip-generic tx-tcp-segmentation tx-tcp6-segmentation tx-udp-segmentation; do
			expect_has "$dev" "$(in_ns "$ns1" ethtool -k $dev | grep "$feature:")" ": on"
		done
	done
	for feature in tx-sctp-segmentation tx-scatter-gather-fraglist tx-gso-list; do
		expect_has qlink0 "$(in_ns "$ns1" ethtool -k qlink0 | grep "$feature:")" ": off"
	done
}

speed_of() { in_ns "$ns1" ethtool "$1" | sed -nE 's/.*(Speed|Duplex): //p' | tr '\n' ' '; }

# Speed and duplex are those of the device that sends the sealed frames, unless an admin says otherwise.
test_speed()
{
	under=eth
	setup_wire
	link_add 1
	routed 1 "${address[1]}" "${address[2]}"
	ip -n "$ns1" address add 10.0.1.1/24 dev qlink1
	routed 3 10.0.1.1 10.0.1.2
	expect_eq "eth" "$(speed_of qlink0)" "10000Mb/s Full "
	expect_eq "udp" "$(speed_of qlink1)" "10000Mb/s Full "
	expect_eq "udp over udp" "$(speed_of qlink3)" "10000Mb/s Full "
	expect_ok "set" in_ns "$ns1" ethtool -s qlink1 speed 100 duplex half
	expect_eq "as set" "$(speed_of qlink1) $(speed_of qlink3)" "100Mb/s Half  100Mb/s Half "
	expect_ok "route into the link" ip -n "$ns1" route add 10.0.1.2 dev qlink3
	expect_eq "in a loop" "$(speed_of qlink3)" "Unknown! Unknown! (255) "
	ip -n "$ns1" route del 198.51.100.0/24
	expect_ok "as the underlay again" in_ns "$ns1" ethtool -s qlink1 speed 4294967295
	expect_eq "without a route" "$(speed_of qlink1)" "Unknown! Half "
}

# ethtool says that software stamps what leaves where the underlay's driver does, and it is true.
each_test_software_stamps()
{
	local said stamp

	setup_pair
	quiet
	said=$(in_ns "$ns1" ethtool -T qlink0)
	expect_has "ethtool" "$said" "software-transmit"
	expect_has "ethtool" "$said" "software-receive"
	expect_eq "clock" "$(grep -ciE 'clock: *(none|0x|[0-9])' <<<"$said") $(grep -c 'hardware-transmit' <<<"$said")" "1 0"
	stamp=$(frames stamp --to "$ns1" "${inner[2]}") || fail "no stamp: $stamp"
	expect_ok "$stamp ns after the call" test "$stamp" -gt 0 -a "$stamp" -lt $((deadline * 1000000000))
	ip -n "$ns1" link add bare type qlink
	expect_eq "without an underlay" "$(in_ns "$ns1" ethtool -T bare | grep -c software-transmit)" 0
}

# ---- links over many links ----

# calls_of FUNCTION COMMAND…: how often the kernel calls a function of qlink's meanwhile.
calls_of()
{
	local events=/sys/kernel/tracing/kprobe_events

	echo "p:qlink_test $1" >$events
	echo 1 >/sys/kernel/tracing/events/kprobes/qlink_test/enable
	"${@:2}" >/dev/null || fail "${*:2}"
	awk '$1 == "qlink_test" { print $2 + $3 }' /sys/kernel/tracing/kprobe_profile
	echo 0 >/sys/kernel/tracing/events/kprobes/qlink_test/enable
	echo >$events
}

need_kprobes() { [ -e /sys/kernel/tracing/kprobe_events ] || skip "this kernel has no kprobes"; }

# A device with many links changes its size: each of them follows once, and once more for the others' sake.
test_each_of_many_links_follows_once()
{
	local n calls

	need_kprobes
	under=udp
	setup_wire
	for n in {1..64}; do
		echo "link add qlink$n type qlink id $n local ${address[1]} remote ${address[2]} port $port"
	done | ip -n "$ns1" -batch -
	calls=$(calls_of qlink_udp_measure set_lower "$ns1" 1400)
	expect_eq "all follow" "$(mtus | tr ' ' '\n' | sort | uniq -c | tr -s ' ')" " 64 1322"
	expect_ok "$calls times" test "$calls" -ge 64 -a "$calls" -le $((3 * 64))
}

# Bridges with four links each, routed over the next bridge: the ways down multiply, 4^6 in all, the links do not.
test_tower_of_bridges()
{
	local n i calls

	need_kprobes
	under=udp
	setup_wire
	{
		echo "address add 10.0.0.1/24 dev veth0"
		for n in {1..6}; do
			echo "link add br$n type bridge"
			for i in {1..4}; do
				echo "link add q$n.$i type qlink id $i local 10.0.$((n - 1)).1 remote 10.0.$((n - 1)).2 port $port"
				echo "link set q$n.$i up master br$n"
			done
			echo "address add 10.0.$n.1/24 dev br$n"
			echo "link set br$n up"
		done
	} | ip -n "$ns1" -batch -
	expect_eq "links" "$(devices "$ns1")" 24
	calls=$(calls_of qlink_udp_route set_lower "$ns1" 1400)
	expect_eq "the top one follows" "$(mtu_of "$ns1" q6.1)" $((1400 - 6 * 78))
	expect_ok "$calls look-ups" test "$calls" -ge 48 -a "$calls" -le $((24 * 2 * 8))
	calls=$(calls_of qlink_udp_route in_ns "$ns1" ethtool q6.1)
	expect_ok "$calls look-ups for its speed" test "$calls" -le $((24 + 2 * 64))
}

# ---- two VLAN tags ----

# A host with VLAN 6 of its own behind a bridge that adds a tag of a provider, to another host's like it: hosts of the
# link's MTU are told that 4 bytes less fit; hosts of less than the underlay leaves send what they have.
test_too_big_behind_two_tags()
{
	local before

	under=eth
	setup_host_behind
	both_tagged
	expect_soon "ping" in_ns "$ns3" ping -c 1 -W 1 10.0.6.1
	expect_soon "ping" in_ns "$ns3" ping -c 1 -W 1 2001:db8:6::1
	before=$(stats "$ns2")
	transfer "$ns3" "$ns1" 10.0.6.1 "$tmp/file"
	expect_has "counted" "$(stats_moved "$ns2" "$before")" "tx_too_big=+"
	expect_eq "no other" "$(stats_moved "$ns2" "$before" | wc -w)" 1
	expect_has "learned" "$(ip -n "$ns3" route get 10.0.6.1)" "mtu $(($(left 1500) - 4))"
	transfer "$ns3" "$ns1" 2001:db8:6::1 "$tmp/file"
	expect_has "learned" "$(ip -n "$ns3" -6 route get 2001:db8:6::1)" "mtu $(($(left 1500) - 4))"
	transfer "$ns1" "$ns3" 10.0.6.3 "$tmp/file"

	set_lower "$ns1" 1554
	set_lower "$ns2" 1554
	expect_ok "larger" ip -n "$ns1" link set outer mtu 1504
	expect_ok "larger" ip -n "$ns1" link set inner mtu 1500
	ip -n "$ns3" route flush cache
	before=$(stats "$ns2")
	expect_ok "full size" in_ns "$ns3" ping -c 1 -W "$deadline" -M "do" -s 1472 10.0.6.1
	transfer "$ns3" "$ns1" 10.0.6.1 "$tmp/file"
	transfer "$ns1" "$ns3" 10.0.6.3 "$tmp/file"
	expect_only_moved "$ns2" "$before" ""
}

# both_tagged: 10.0.6.1 in $ns1, with both tags; 10.0.6.3 in $ns3, with the inner one.
both_tagged()
{
	ip -n "$ns2" -batch - <<-END
		address flush dev qlink0
		link add br0 up type bridge vlan_filtering 1 vlan_protocol 802.1ad vlan_default_pvid 0
		link set qlink0 master br0
		link set veth1 master br0
	END
	bridge -n "$ns2" vlan add vid 5 dev qlink0
	bridge -n "$ns2" vlan add vid 5 pvid untagged dev veth1
	ip -n "$ns1" -batch - <<-END
		link add link qlink0 name outer up type vlan proto 802.1ad id 5
		link add link outer name inner up type vlan id 6
		address add 10.0.6.1/24 dev inner
	END
	ip -n "$ns3" -batch - <<-END
		link add link veth1 name inner up type vlan id 6
		address add 10.0.6.3/24 dev inner
	END
	allow_ipv6 "$ns1" inner
	allow_ipv6 "$ns3" inner
	ip -n "$ns1" address add 2001:db8:6::1/64 dev inner nodad
	ip -n "$ns3" address add 2001:db8:6::3/64 dev inner nodad
	# The receiver must not tell the sender with its MSS.
	ip -n "$ns1" route change 10.0.6.0/24 dev inner src 10.0.6.1 advmss 1460
	ip -n "$ns1" -6 route replace 2001:db8:6::/64 dev inner proto kernel metric 256 advmss 1440
}

debug_tests="too_big_when_routed"
run_tests "$@"
