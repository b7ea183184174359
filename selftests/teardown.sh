#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Links, devices, namespaces, keys and the module are removed under traffic; nothing is left and the kernel does not
# warn.

needs_cpus=2
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# floods: frames in both directions until the test ends.
floods()
{
	pinging "$ns1" "${inner[2]}"
	pinging "$ns2" "${inner[1]}"
	expect_soon "traffic" has_traffic "$ns1"
	expect_soon "traffic" has_traffic "$ns2"
}

# traffic: floods, and streams that keep the queues full.
traffic()
{
	local n ns

	for n in 1 2; do
		ns=ns$n
		in_background "${!ns}" socat -u TCP-LISTEN:5001,fork,reuseaddr /dev/null
		in_background "${!ns}" socat -u /dev/zero "TCP:${inner[3 - n]}:5001,retry=50,interval=0.2"
	done
	floods
}

has_traffic() { [ "$(keys "$1" 'frames<51')" = 0 ]; }

# Nothing holds the module: it unloads, and does not hang.
expect_all_gone()
{
	run_deferred
	expect_ok "unload" timeout 60 modprobe -r qlink
	expect_refused "loaded" "" grep '^qlink ' /proc/modules
	modprobe qlink
}

each_test_delete_link()
{
	setup_pair
	traffic
	expect_ok "delete" ip -n "$ns1" link del qlink0
	expect_eq "devices" "$(devices "$ns1")" 0
	expect_ok "delete the other" ip -n "$ns2" link del qlink0
	expect_all_gone
}

each_test_delete_and_add_over_and_over()
{
	local n

	setup_pair
	floods
	for n in $(seq 2 6); do
		ip -n "$ns1" link del qlink0
		link_add 1
		key_pass "$ns1" "$ns2" "$n"
		key_pass "$ns2" "$ns1" "$n"
		in_ns "$ns2" qlinkctl key del qlink0 tx epoch $((n - 1))
	done
	expect_soon "ping" in_ns "$ns1" ping -c 1 -W 1 "${inner[2]}"
	expect_all_gone
}

each_test_delete_lower()
{
	setup_pair
	traffic
	expect_ok "delete" ip -n "$ns1" link del veth0
	if [ "$under" = eth ]; then
		expect_soon "links went with it" no_device "$ns1"
		expect_soon "links went with it" no_device "$ns2"
	else
		expect_eq "links stay" "$(devices "$ns1")" 1
	fi
	expect_all_gone
}

each_test_delete_namespaces()
{
	setup_pair
	traffic
	expect_ok "delete" ip netns del "$ns2"
	expect_ok "delete" ip netns del "$ns1"
	expect_all_gone
}

# The device is in one namespace, its underlay in another: either may be deleted first. (No streams: an orphaned
# TCP socket keeps its namespace for minutes.)
each_test_moved_then_underlay_goes()
{
	setup_pair
	setup_ns ns3
	floods
	move_device "$ns1" "$ns3"
	answers "$ns3" "${inner[2]}"
	pinging "$ns3" "${inner[2]}"
	ip netns pids "$ns1" | xargs -r kill
	expect_ok "delete" ip netns del "$ns1"
	expect_soon "it went with its underlay" no_device "$ns3"
	expect_all_gone
}

each_test_moved_then_goes()
{
	setup_pair
	setup_ns ns3
	traffic
	move_device "$ns1" "$ns3"
	answers "$ns3" "${inner[2]}"
	expect_ok "delete" ip netns del "$ns3"
	expect_soon "the id is free again" link_add 1
	expect_all_gone
}

each_test_delete_keys()
{
	setup_pair
	traffic
	expect_ok "receive key" in_ns "$ns2" qlinkctl key del qlink0 rx epoch 1
	expect_ok "transmit key" in_ns "$ns1" qlinkctl key del qlink0 tx epoch 1
	expect_soon "carrier" carrier_is "$ns1" 0
	key_pass "$ns1" "$ns2" 2
	expect_soon "ping" in_ns "$ns1" ping -c 1 -W 1 "${inner[2]}"
	expect_all_gone
}

# All options are changed under traffic while others read them.
each_test_change_while_watched()
{
	local n

	setup_pair
	floods
	for ns in "$ns1" "$ns2"; do
		in_background "$ns" sh -c 'while :; do qlinkctl show; qlinkctl key show qlink0; ethtool -S qlink0; ip -d link; done'
	done
	for n in $(seq 5); do
		ip -n "$ns1" link set qlink0 down
		in_ns "$ns1" qlinkctl set qlink0 id $((100 + n))
		ip -n "$ns1" link set qlink0 up
		# shellcheck disable=SC2046 # words
		ip -n "$ns1" link set qlink0 type qlink $(link_words 1)
		ip -n "$ns1" link set qlink0 mtu $((1000 + n))
		in_ns "$ns2" qlinkctl set qlink0 accept static,qkd
	done
	expect_soon "ping" in_ns "$ns1" ping -c 1 -W 1 "${inner[2]}"
	expect_ok "delete" ip -n "$ns1" link del qlink0
	expect_all_gone
}

each_test_unload()
{
	setup_pair
	traffic
	expect_ok "unload" timeout 60 modprobe -r qlink
	expect_refused "loaded" "" grep '^qlink ' /proc/modules
	expect_eq "devices" "$(devices "$ns1") $(devices "$ns2")" "0 0"
	expect_all_gone
}

readonly udp_ms=/sys/kernel/debug/qlink/udp-ms

# A packet that has found the port is slower than the release of the port: nothing stays armed in freed memory.
test_udp_port_goes_under_a_packet()
{
	modprobe qlink
	[ -e $udp_ms ] || skip "needs a kernel with fault injection"
	under=udp
	setup_pair
	in_ns "$ns1" ethtool -K veth0 tx-udp-segmentation on >/dev/null
	echo 3000 >$udp_ms
	defer sh -c "echo 0 >$udp_ms"
	expect_ok "delete" /usr/bin/python3 "$here/latepacket.py" "$ns1" "$ns2" "${address[2]}" "$port" qlink0
	expect_all_gone
}

debug_tests="delete_namespaces_eth unload_udp udp_port_goes_under_a_packet"
run_tests "$@"
