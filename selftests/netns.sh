#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A link and its two network namespaces: that of the device, which may change, and that of the link, where the
# underlay stays; and very many links. (teardown.sh deletes under traffic, refusals.sh tests permissions.)

in_every_share=yes
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# Moved up and under traffic, there and back: keys, counters and the underlay stay the same.
each_test_device_moves_under_traffic()
{
	local n before

	setup_pair
	setup_ns ns3
	pinging "$ns2" "${inner[1]}"
	for n in 1 2; do
		answers "$ns1" "${inner[2]}"
		before=$(sum "$(keys "$ns1" direction=tx frames)")
		move_device "$ns1" "$ns3"
		answers "$ns3" "${inner[2]}"
		expect_eq "the underlay is elsewhere" \
			"$(ip -n "$ns3" -d -j link show qlink0 | jq '.[0].link_netnsid != null')" true
		expect_ok "the key goes on counting" [ "$(sum "$(keys "$ns3" direction=tx frames)")" \
			-gt "$before" ]
		move_device "$ns3" "$ns1"
	done
	expect_eq "keys" "$(keys "$ns1" direction epoch)" "tx:1 rx:1"
	expect_eq "state" "$(in_ns "$ns1" qlinkctl -j show qlink0 | jq -r '.[0].link.state')" up
	answers "$ns1" "${inner[2]}"
}

# Created in one namespace over the lower device of another, then moved there and further.
test_created_from_another_namespace()
{
	setup_wire
	setup_ns ns3
	under=eth
	expect_ok "add" ip -n "$ns1" link add link veth0 netns "$ns3" name qlink0 type qlink id 7 peer "${mac[2]}" accept static
	expect_eq "here" "$(devices "$ns3") $(devices "$ns1")" "1 0"
	ip -n "$ns3" address add "${inner[1]}/24" dev qlink0
	ip -n "$ns3" link set qlink0 up
	link_add 2
	ns=$ns1 ns1=$ns3
	key_pass "$ns1" "$ns2" 1
	key_pass "$ns2" "$ns1" 1
	ns1=$ns
	answers "$ns3" "${inner[2]}"
	expect_refused "the same where the underlay is" "belongs to qlink0" \
		ip -n "$ns1" link add link veth0 name qlink1 type qlink id 7 peer "${mac[2]}"
	expect_ok "the underlay goes" ip -n "$ns1" link del veth0
	expect_soon "the link goes with it" no_device "$ns3"
}

# The lower device of an eth link, or the device of a udp link's route, moves to another namespace and returns.
each_test_lower_moves()
{
	setup_pair
	setup_ns ns3
	quiet
	pinging "$ns2" "${inner[1]}"
	expect_ok "move" ip -n "$ns1" link set veth0 netns "$ns3"
	if [ "$under" = eth ]; then
		expect_eq "the link is gone" "$(devices "$ns1") $(devices "$ns3")" "0 0"
		expect_eq "nothing is left on the device" "$(ip -n "$ns3" -o link show | grep -c qlink)" 0
	else
		expect_eq "the link stays" "$(devices "$ns1")" 1
		expect_soon "state" link_field_is "$ns1" .state no-route
		ip -n "$ns3" link set veth0 netns "$ns1"
		ip -n "$ns1" address add "${address[1]}/24" dev veth0
		ip -n "$ns1" link set veth0 up
		answers "$ns1" "${inner[2]}"
	fi
}

# qlink1 over qlink0, whose device is in another namespace than its underlay: all three namespaces are deleted, in
# every order.
test_namespaces_of_a_stack_are_deleted()
{
	local order ns

	under=eth
	for order in "ns1 ns3 ns2" "ns3 ns1 ns2" "ns2 ns1 ns3"; do
		setup_pair
		setup_ns ns3
		move_device "$ns1" "$ns3"
		ip -n "$ns3" link add link qlink0 name qlink1 up type qlink id 7 peer 02:00:00:00:01:02
		ip -n "$ns3" link add qlink2 up type qlink id 7 local "${inner[1]}" remote "${inner[2]}" port "$port"
		expect_eq "$order: links" "$(devices "$ns3")" 3
		pinging "$ns3" "${inner[2]}"
		for ns in $order; do
			ip netns pids "${!ns}" | xargs -r kill
			expect_ok "$order: delete $ns" ip netns del "${!ns}"
			if [ "$order $ns" = "ns1 ns3 ns2 ns1" ]; then
				expect_soon "the links over the lower device go, the other stays" \
					sh -c "[ \$(ip -n $ns3 -o link show type qlink | grep -c qlink2) = 1 ] &&
						[ \$(ip -n $ns3 -o link show type qlink | wc -l) = 1 ]"
			fi
		done
		run_deferred
	done
	expect_ok "the module can be unloaded" timeout 60 modprobe -r qlink
	modprobe qlink
}

# ---- very many ----

# many COUNT LOWER-WORDS LINK-WORDS: links q1… at both ends, with keys; frames take their own link, also while one
# is deleted.
many()
{
	local n ns i

	for n in 1 2; do
		ns=ns$n
		for ((i = 1; i <= $1; i++)); do
			echo "link add $2 name q$i up type qlink id $i ${3//@O/$((3 - n))} accept static"
		done | sed "s/@N/$n/g" >"$tmp/batch"
		expect_ok "add $1 at $n" ip -n "${!ns}" -batch "$tmp/batch"
	done
	expect_eq "links" "$(devices "$ns1") $(devices "$ns2")" "$1 $1"
	expect_ok "frames" ip netns exec "$ns1" /usr/bin/python3 "$here/many.py" "$ns1" "$ns2" "$1"
	expect_eq "dropped by any link" "$(for i in 1 2 $(($1 / 2 + 1)) "$1"; do
		stats "$ns1" "q$i"; stats "$ns2" "q$i"; done | grep -v ':0$' | sort -u)" ""
	expect_eq "links" "$(devices "$ns1") $(devices "$ns2")" "$(($1 - 1)) $1"
	expect_eq "all are dumped" "$(in_ns "$ns1" qlinkctl -j show | jq length)" $(($1 - 1))
}

test_64_links_over_one_device()
{
	setup_wire
	many 64 "link veth0" "peer 02:00:00:00:00:0@O"
	expect_ok "the lower device goes with all" timeout 60 ip -n "$ns1" link del veth0
	expect_eq "links" "$(devices "$ns1") $(devices "$ns2")" "0 0"
}

test_1000_links_between_two_addresses()
{
	setup_wire
	many "$(is_debug_kernel && echo 100 || echo 1000)" "" "local 198.51.100.@N remote 198.51.100.@O port $port"
	expect_ok "the namespace goes with all" timeout 60 ip netns del "$ns1"
}

debug_tests="device_moves_under_traffic_eth"
run_tests "$@"
