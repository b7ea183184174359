#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Fields of the outer IP header that an admin sets: DSCP, ECN, TTL and mark, as the wire shows them.

# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=traffic.sh
. "$(dirname "$0")/traffic.sh"

# fields FILE FROM: "DSCP-and-ECN TTL" of the captured packets from an address, each combination once.
fields()
{
	tcpdump -Z root -nn -v -r "$1" "src host $2" 2>/dev/null | sed -nE \
		-e 's/.*IP \(tos (0x[0-9a-f]+).* ttl ([0-9]+),.*/\1 \2/p' \
		-e 's/.*IP6 \(class (0x[0-9a-f]+).* hlim ([0-9]+),.*/\1 \2/p' \
		-e '/class/!s/.*IP6 \(.*hlim ([0-9]+),.*/0x0 \1/p' | sed 's/^0x0\([0-9a-f]\)/0x\1/' | sort -u |
		paste -sd ' '
}

# shows DEVICE FROM WHAT WANT [WORD…]: a ping with these options comes to $ns2 in packets with these fields.
shows()
{
	local file

	file=$(mktemp "$tmp/XXXXXX.pcap")
	dev=$1 capture_start "$ns2" "$file"
	in_ns "$ns1" ping -c 2 -i 0.01 -W "$deadline" "${@:5}" "${inner[2]}" >/dev/null || fail "$3: no answer"
	capture_stop "$file"
	expect_eq "$3" "$(fields "$file" "$2")" "$4"
	expect_eq "checksums" "$(tcpdump -Z root -nn -v -r "$file" 2>/dev/null | grep -c 'bad cksum\|wrong')" 0
}

# wire_shows WHAT WANT [WORD…]: the outer fields; inner_shows: those inside the link.
wire_shows() { shows veth0 "$(lower_address 1)" "$@"; }
inner_shows() { shows qlink0 "${inner[1]}" "$@"; }

dscp_and_ttl()
{
	setup_pair
	quiet
	wire_shows "default" "0x0 64" -Q 0xb8 -t 9
	link_set "$ns1" dscp 46
	wire_shows "dscp 46" "0xb8 64" -Q 0x28
	link_set "$ns1" dscp inherit
	expect_eq "shown" "$(link_field "$ns1" .dscp)" inherit
	wire_shows "inherited" "0x28 64" -Q 0x28
	wire_shows "inherited, without ECN" "0x28 64" -Q 0x2a
	link_set "$ns1" dscp 0 ttl 5
	wire_shows "ttl 5" "0x0 5" -Q 0x28
	link_set "$ns1" ttl inherit
	wire_shows "inherited" "0x0 33" -t 33
	link_set "$ns1" dscp inherit
	with_vlan
	ip -n "$ns1" neighbour replace 203.0.113.2 lladdr 02:00:00:00:01:02 dev qlink0.5
	capture_start "$ns2" "$tmp/vlan.pcap"
	ping_ok "$ns1" -Q 0x48 -t 77 203.0.113.2
	capture_stop "$tmp/vlan.pcap"
	expect_has "behind a VLAN tag" "$(fields "$tmp/vlan.pcap" "$(lower_address 1)")" "0x48 77"
	link_set "$ns1" dscp 0 ttl 0
	expect_eq "shown" "$(link_field "$ns1" '"\(.dscp) \(.ttl)"')" "null null"
	wire_shows "default again" "0x0 64" -Q 0x28
	expect_nothing_dropped
}

test_dscp_and_ttl_udp()
{
	under=udp
	dscp_and_ttl
}

test_dscp_and_ttl_udp6()
{
	under=udp6
	dscp_and_ttl
}

# munge MATCH…: the packets that leave $ns1 become marked as congested.
munge()
{
	local field=(ip tos) protocol=ip

	[ "$under" != udp6 ] || field=(ip6 traffic_class) protocol=ipv6
	in_ns "$ns1" tc qdisc add dev veth0 clsact
	in_ns "$ns1" tc filter add dev veth0 egress protocol $protocol "$@" \
		action pedit ex munge "${field[@]}" set 0x03 retain 0x03 pipe csum ip4h
}

# netem marks what says that it can be marked, and drops the rest.
ecn()
{
	local ns

	setup_pair
	quiet
	wire_shows "off" "0x0 64" -Q 0x2
	for ns in "$ns1" "$ns2"; do link_set "$ns" ecn on; done
	expect_eq "shown" "$(link_field "$ns1" .ecn)" true
	wire_shows "ECT(0)" "0x2 64" -Q 0x2
	wire_shows "ECT(1), without DSCP" "0x1 64" -Q 0x29
	wire_shows "CE" "0x3 64" -Q 0x3
	wire_shows "Not-ECT" "0x0 64" -Q 0x28
	in_ns "$ns1" tc qdisc add dev veth0 root netem loss 100% ecn
	inner_shows "congestion" "0x2b 64" -Q 0x2a
	inner_shows "congestion" "0x3 64" -Q 0x1
	link_set "$ns2" ecn off
	inner_shows "not taken" "0x2a 64" -Q 0x2a
	link_set "$ns2" ecn on
	expect_nothing_dropped
}

# Marked by somebody who may not: a packet that cannot be told is dropped.
bad_ecn()
{
	local before ns

	setup_pair
	quiet
	for ns in "$ns1" "$ns2"; do link_set "$ns" ecn on; done
	munge matchall
	before=$(stats "$ns2")
	expect_refused "marked" "100% packet loss" in_ns "$ns1" ping -c 2 -i 0.01 -W 1 "${inner[2]}"
	expect_only_moved "$ns2" "$before" "rx_bad_ecn=+2"
	inner_shows "others are told" "0x3 64" -Q 0x2
}

test_ecn_udp()
{
	under=udp
	ecn
}

test_ecn_udp6()
{
	under=udp6
	ecn
}

test_bad_ecn_udp()
{
	under=udp
	bad_ecn
}

test_bad_ecn_udp6()
{
	under=udp6
	bad_ecn
}

# TCP through the link negotiates ECN; segments that are sealed together carry it, and arrive together.
test_ecn_of_segments_udp6()
{
	local ns

	under=udp6
	setup_pair
	for ns in "$ns1" "$ns2"; do
		link_set "$ns" ecn on dscp inherit
		in_ns "$ns" sh -c 'echo 1 >/proc/sys/net/ipv4/tcp_ecn'
		in_ns "$ns" ethtool -K veth0 tx-udp-segmentation on >/dev/null
	done
	frames payload "$tmp/file" 500000 --marker "$marker"
	capture_start "$ns2" "$tmp/tcp.pcap"
	transfer "$ns1" "$ns2" "${inner[2]}" "$tmp/file"
	capture_stop "$tmp/tcp.pcap"
	expect_has "ECT(0)" "$(fields "$tmp/tcp.pcap" "$(lower_address 1)")" "0x2 64"
	munge flower ip_tos 0x2/0x3
	transfer "$ns1" "$ns2" "${inner[2]}" "$tmp/file"
	expect_has "the receiver heard of congestion" "$(in_ns "$ns2" cat /proc/net/netstat | awk '
		/^IpExt/ && !n { for (i = 1; i <= NF; i++) if ($i == "InCEPkts") n = i; next }
		/^IpExt/ { print ($n > 0 ? "marked" : "none") }')" marked
}

# marked: how many packets with the mark have left $ns1.
marked() { in_ns "$ns1" tc -s filter show dev veth0 egress | sed -n 's/.* \([0-9]*\) pkt.*/\1/p'; }

# The mark chooses the route, and is on the packets, also where the device is in another namespace.
fwmark()
{
	setup_pair
	quiet
	case $under in
	udp) set -- -4 198.51.100.0/24 ip ;;
	udp6) set -- -6 2001:db8:1::/64 ipv6 ;;
	esac
	ip -n "$ns1" "$1" rule add fwmark 7 table 100
	ip -n "$ns1" "$1" route add "$2" dev veth0 table 100
	ip -n "$ns1" "$1" route del "$2" dev veth0
	expect_soon "state" link_field_is "$ns1" .state no-route
	link_set "$ns1" fwmark 0x7
	expect_eq "shown" "$(link_field "$ns1" .fwmark)" 7
	expect_soon "carrier" carrier_is "$ns1" 1
	in_ns "$ns1" tc qdisc add dev veth0 clsact
	in_ns "$ns1" tc filter add dev veth0 egress protocol "$3" handle 7 fw action pass
	ping_ok "$ns1" "${inner[2]}"
	expect_eq "marked" "$(marked)" 3
	setup_ns ns3
	move_device "$ns1" "$ns3"
	answers "$ns3" "${inner[2]}"
	expect_ok "marked there too" test "$(marked)" -gt 3
}

test_fwmark_udp()
{
	under=udp
	fwmark
}

test_fwmark_udp6()
{
	under=udp6
	fwmark
}

test_refused()
{
	local words

	under=eth
	setup_wire
	while read -r words; do
		# shellcheck disable=SC2086 # words
		expect_refused "$words over eth" "of the udp underlay" ip -n "$ns1" link add link veth0 name qlink0 \
			type qlink id 7 peer "${mac[2]}" $words
	done <<-END
		dscp 1
		ecn on
		ttl inherit
		fwmark 5
	END
}

debug_tests="ecn_udp"
run_tests "$@"
