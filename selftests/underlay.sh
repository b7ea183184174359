#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The udp underlay over IPv6, and ports that links share: frames sent, told apart, counted and refused.

in_every_share=yes
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=traffic.sh
. "$(dirname "$0")/traffic.sh"

readonly E_DUPLICATE="belongs to" E_UNICAST="not a unicast" E_MAPPED="an IPv4 address in an IPv6 one"
readonly E_LINK_LOCAL="link-local" E_FAMILY="not of one family" E_ABSENT="it is no address of this host" E_IN_USE="another socket or link has this port"

sockets() { in_ns "$1" ss -Huln "sport = :$port" | wc -l; }

# Addresses of another peer, at ns2's veth0.
with_third_address()
{
	ip -n "$ns2" address add "${address[3]}/24" dev veth0
	ip -n "$ns1" neighbour add "${address[3]}" lladdr "${mac[2]}" dev veth0
	[ "$under" = udp6 ] || return 0
	ip -n "$ns2" address add "${address6[3]}/64" dev veth0 nodad
	ip -n "$ns1" neighbour add "${address6[3]}" lladdr "${mac[2]}" dev veth0
}

# All that data.sh tests for the other underlays, in one test, with a capture of the wire. No device completes UDP
# checksums here, so all of them must be complete.
test_udp6_every_kind_of_frame()
{
	local n

	under=udp6
	setup_pair
	with_vlan
	frames payload "$tmp/file" 500000 --marker "$marker"
	for n in "$ns1" "$ns2"; do in_ns "$n" ethtool -K veth0 tx off >/dev/null; done
	capture_start "$ns2" "$tmp/all.pcap"
	# First these: IPv6 and ARP send frames of their own between them.
	expect_ok "frames" frames exchange --from "$ns1" --to "$ns2" --marker "$(printf %s "$marker" | from_hex)"
	with_ipv6
	ping_ok "$ns1" "${inner[2]}"
	ping_ok "$ns2" "${inner6[1]}"
	ping_ok "$ns1" -M "do" -s $((1402 - 28)) "${inner[2]}"
	ping_ok "$ns1" -M "do" -s $((1402 - 28)) 203.0.113.2
	ping_ok "$ns1" -s 6000 "${inner[2]}"
	transfer "$ns1" "$ns2" "${inner[2]}" "$tmp/file" sendfile
	transfer "$ns2" "$ns1" "${inner6[1]}" "$tmp/file"
	transfer "$ns2" "$ns1" 203.0.113.1 "$tmp/file"
	for n in $(seq 20); do
		echo "flow $n" | in_ns "$ns1" socat -u - "UDP:${inner[2]}:$((5000 + n))"
	done
	capture_stop "$tmp/all.pcap"

	decode all --needle-hex "$marker" --needle-hex 0200000001020200000001
	expect_ok "the needles are in what was sent" test "$(json all '.in_inner | min')" -gt 0
	expect_eq "other frames" "$(other_frames all | sed 's/outer 0x86dd//')" ""
	expect_ok "checksum state" test "$(json all '.count["type 2"]')" -gt 100
	expect_ok "several source ports" test "$(source_ports all | wc -l)" -ge 4
	expect_has "whole checksums" "$(tcpdump -Z root -r "$tmp/all.pcap" -nn -vv "ip6 and udp" 2>/dev/null | head -n 2)" \
		"udp sum ok"
	expect_nothing_dropped
}

# The MTU, what is shown, and that a full-size frame is not fragmented.
test_udp6_one_source_port()
{
	under=udp6
	setup_pair
	expect_eq "mtu" "$(in_ns "$ns1" cat /sys/class/net/qlink0/mtu)" 1402
	expect_eq "shown" "$(in_ns "$ns1" qlinkctl -j show qlink0 |
		jq -r '.[0].link | .underlay, .local, .remote, .port' | paste -sd ' ')" \
		"udp ${address6[1]} ${address6[2]} $port"
	for ns in "$ns1" "$ns2"; do expect_ok "set" in_ns "$ns" qlinkctl set qlink0 source-ports 1; done
	capture_start "$ns1" "$tmp/one.pcap"
	ping_ok "$ns1" -M "do" -s $((1402 - 28)) "${inner[2]}"
	capture_stop "$tmp/one.pcap"
	decode one
	expect_eq "source ports" "$(source_ports one)" "$port"
	expect_nothing_dropped
}

# The vectors and every kind of forged header, as replay.sh has them for the other underlays.
test_udp6_forged()
{
	under=udp6
	setup_pair
	expect_ok "forged" frames forge good flip header short --under udp6 --from "$ns1" --to "$ns2" \
		--key "$(key_file "$ns1" 1)"
	expect_ok "captured and resent" frames resend --under udp6 --from "$ns1" --to "$ns2"
}

# Three links on one socket: two of one peer, told apart by id, and one of another peer with the same id.
share_a_socket()
{
	local n

	setup_pair
	with_third_address
	for n in 1 2; do
		ns=ns$n
		ip -n "${!ns}" link add qlink1 address "02:00:00:00:02:0$n" type qlink id 8 accept static \
			local "$(lower_address "$n")" remote "$(lower_address $((3 - n)))" port "$port"
	done
	ip -n "$ns1" link add qlink2 address 02:00:00:00:03:01 type qlink id 7 accept static \
		local "$(lower_address 1)" remote "$(lower_address 3)" port "$port"
	ip -n "$ns2" link add qlink2 address 02:00:00:00:03:02 type qlink id 7 accept static \
		local "$(lower_address 3)" remote "$(lower_address 1)" port "$port"
	for n in 1 2; do
		ns=ns$n
		ip -n "${!ns}" address add "203.0.113.$n/24" dev qlink1
		ip -n "${!ns}" address add "198.18.0.$n/24" dev qlink2
		ip -n "${!ns}" link set qlink1 up
		ip -n "${!ns}" link set qlink2 up
	done
	dev=qlink1 key_pass "$ns1" "$ns2" 1
	dev=qlink1 key_pass "$ns2" "$ns1" 1
	dev=qlink2 key_pass "$ns1" "$ns2" 1
	dev=qlink2 key_pass "$ns2" "$ns1" 1
	expect_eq "sockets" "$(sockets "$ns1") $(sockets "$ns2")" "1 2"
	ping_ok "$ns1" "${inner[2]}"
	ping_ok "$ns1" 203.0.113.2
	ping_ok "$ns1" 198.18.0.2
	expect_nothing_dropped
	expect_ok "one goes" ip -n "$ns1" link del qlink0
	expect_eq "sockets" "$(sockets "$ns1")" 1
	ping_ok "$ns1" 198.18.0.2
	ip -n "$ns1" link del qlink1
	ip -n "$ns1" link del qlink2
	expect_eq "sockets" "$(sockets "$ns1")" 0
}

test_udp_links_share_a_socket()
{
	under=udp
	share_a_socket
}

test_udp6_links_share_a_socket()
{
	under=udp6
	share_a_socket
}

# A frame with an unknown id, or from an unknown address, is counted by the port.
test_udp6_frames_of_no_link()
{
	local before

	under=udp6
	setup_pair
	expect_ok "id" ip -n "$ns2" link set qlink0 type qlink id 8
	before=$(stats "$ns2")
	frames forge good --under udp6 --from "$ns1" --to "$ns2" --key "$(key_file "$ns1" 1)" --expect port_rx_no_link
	expect_only_moved "$ns2" "$before" "port_rx_no_link=+8"
	expect_ok "id, and another peer" ip -n "$ns2" link set qlink0 type qlink id 7 remote "${address6[3]}"
	before=$(stats "$ns2")
	frames forge good --under udp6 --from "$ns1" --to "$ns2" --key "$(key_file "$ns1" 1)" --expect port_rx_other_peer
	expect_only_moved "$ns2" "$before" "port_rx_other_peer=+8"
}

test_udp6_duplicate_is_refused()
{
	local words

	under=udp6
	setup_wire
	link_add 1
	words=$(link_words 1)
	# shellcheck disable=SC2086 # words
	expect_refused "the same again" "id 7 of this peer $E_DUPLICATE qlink0" add_udp qlink1 $words
	# shellcheck disable=SC2086 # words
	expect_ok "another id" add_udp qlink1 ${words/7/8}
	expect_refused "a change into one" "$E_DUPLICATE" in_ns "$ns1" qlinkctl set qlink1 id 7
	expect_eq "nothing changed" "$(in_ns "$ns1" qlinkctl -j show qlink1 | jq '.[0].link.id')" 8
	expect_ok "another peer" add_udp qlink2 id 7 local "${address6[1]}" remote "${address6[3]}" port "$port"
	expect_ok "another port" add_udp qlink3 id 7 local "${address6[1]}" remote "${address6[2]}" port 47001
	expect_ok "the same port of IPv4" add_udp qlink4 id 7 local "${address[1]}" remote "${address[2]}" port "$port"
	expect_eq "sockets" "$(sockets "$ns1")" 2
}

test_udp6_refused()
{
	local a=${address6[1]} b=${address6[2]} n remote why

	under=udp6
	setup_wire
	while read -r remote why; do
		# As remote this one is any.
		[ "$remote" = :: ] || expect_refused "remote $remote" "remote $remote is $why" \
			add_udp qlink0 id 7 local "$a" remote "$remote" port "$port"
		expect_refused "local $remote" "local $remote is $why" \
			add_udp qlink0 id 7 local "$remote" remote "$b" port "$port"
	done <<-END
		ff02::1 $E_UNICAST
		:: $E_UNICAST
		::ffff:192.0.2.1 $E_MAPPED
		fe80::1 $E_LINK_LOCAL
	END
	expect_refused "mixed" "$E_FAMILY" add_udp qlink0 id 7 local "$a" remote "${address[2]}" port "$port"
	expect_refused "mixed" "$E_FAMILY" add_udp qlink0 id 7 local "${address[1]}" remote "$b" port "$port"
	expect_refused "address of another host" "local $b port $port: $E_ABSENT" add_udp qlink0 id 7 local "$b" remote "$a" port "$port"
	expect_eq "devices" "$(devices "$ns1")" 0
	ip netns exec "$ns1" socat -u "UDP6-RECV:$port" /dev/null &
	defer kill $!
	expect_soon "socat" sh -c "ip netns exec $ns1 ss -uln | grep -q :$port"
	expect_refused "port in use" "local $a port $port: $E_IN_USE" add_udp qlink0 id 7 local "$a" remote "$b" port "$port"
	expect_ok "another port" add_udp qlink0 id 7 local "$a" remote "$b" port 47001
	for n in local remote; do
		expect_refused "a change to mixed" "$E_FAMILY" in_ns "$ns1" qlinkctl set qlink0 $n "${address[1]}"
	done
	expect_eq "nothing changed" "$(in_ns "$ns1" qlinkctl -j show qlink0 |
		jq -r '.[0].link | .local, .remote' | paste -sd ' ')" "$a $b"
}

# A link changes from one address family to the other, with its keys.
test_udp_changes_family()
{
	local n ns

	under=udp6
	setup_wire
	under=udp
	link_add 1
	link_add 2
	key_pass "$ns1" "$ns2" 1
	key_pass "$ns2" "$ns1" 1
	expect_eq "mtu" "$(in_ns "$ns1" cat /sys/class/net/qlink0/mtu)" 1422
	ping_ok "$ns1" "${inner[2]}"
	for n in 1 2; do
		ns=ns$n
		expect_ok "change" in_ns "${!ns}" qlinkctl set qlink0 local "${address6[n]}" remote "${address6[3 - n]}"
	done
	expect_eq "mtu" "$(in_ns "$ns1" cat /sys/class/net/qlink0/mtu)" 1402
	ping_ok "$ns1" "${inner[2]}"
	expect_nothing_dropped
}

# The IPv6 route is deleted, leads into the link itself, and is restored.
test_udp6_no_route_and_loop()
{
	local before

	under=udp6
	setup_pair
	quiet
	ip -n "$ns1" route del 2001:db8:1::/64 dev veth0
	expect_soon "state" link_field_is "$ns1" .state no-route
	expect_soon "carrier" carrier_is "$ns1" 0
	in_ns "$ns1" sh -c 'echo 0 >/proc/sys/net/ipv6/conf/qlink0/disable_ipv6'
	ip -n "$ns1" route add "${address6[2]}" dev qlink0
	expect_soon "carrier" carrier_is "$ns1" 1
	before=$(stats "$ns1")
	expect_refused "ping" "100% packet loss" in_ns "$ns1" ping -c 2 -i 0.1 -W 1 "${inner[2]}"
	expect_has "only loops" "$(stats_moved "$ns1" "$before")" "tx_loop=+"
	expect_eq "only loops" "$(stats_moved "$ns1" "$before" | wc -w)" 1
	ip -n "$ns1" route del "${address6[2]}" dev qlink0
	ip -n "$ns1" route add 2001:db8:1::/64 dev veth0
	ping_ok "$ns1" "${inner[2]}"
}

debug_tests="udp6_links_share_a_socket"
run_tests "$@"
