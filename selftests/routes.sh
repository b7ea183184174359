#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Routes of udp links: VRFs that the local address is in, devices that an admin names, and routes that go and return.

# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=traffic.sh
. "$(dirname "$0")/traffic.sh"

# master DEVICE|'': puts veth0 of $ns1 into a VRF, or into none. That takes it down and up, so what the kernel then
# forgets is set again.
master()
{
	local batch=''

	if [ -n "$1" ]; then ip -n "$ns1" link set veth0 master "$1"; else ip -n "$ns1" link set veth0 nomaster; fi
	ip -n "$ns1" neighbour flush dev veth0
	ip -n "$ns1" address flush dev veth0
	wire_batch 1
	expect_ok "addresses" ip -n "$ns1" -batch - <<<"$batch"
}

# bound_to NAME: the socket of $ns1 is bound to this device, or with '' to none.
bound_to()
{
	local word

	word=$(in_ns "$ns1" ss -Huln "sport = :$port" | awk '{ print $4 }')
	case $word in
	*%*) word=${word#*%}; word=${word%%:"$port"}; [ "${word%]}" = "$1" ] ;;
	*) [ -n "$word" ] && [ -z "$1" ] ;;
	esac
}

link_state_is() { link_field_is "$ns1" .state "$1"; }

# The local address is in a VRF when the link is made, leaves it, and returns; the socket follows.
vrf()
{
	setup_wire
	ip -n "$ns1" link add red type vrf table 100
	ip -n "$ns1" link set red up
	master red
	link_add 1
	link_add 2
	key_pass "$ns1" "$ns2" 1
	key_pass "$ns2" "$ns1" 1
	expect_soon "carrier" carrier_is "$ns1" 1
	expect_ok "bound to the VRF" bound_to red
	ping_ok "$ns1" -s 1300 "${inner[2]}"
	expect_nothing_dropped
	master ''
	expect_soon "bound to none" bound_to ''
	expect_soon "state" link_state_is up
	answers "$ns1" "${inner[2]}"
	master red
	expect_soon "bound to the VRF again" bound_to red
	expect_soon "state" link_state_is up
	answers "$ns1" "${inner[2]}"
	ip -n "$ns1" link del red
	master ''
	expect_soon "bound to none, because the VRF is gone" bound_to ''
	answers "$ns1" "${inner[2]}"
}

test_vrf_udp()
{
	under=udp
	vrf
}

test_vrf_udp6()
{
	under=udp6
	vrf
}

# An address that is in two VRFs: the admin says in which one. A device that is gone is no route; its successor is.
test_dev()
{
	local words

	under=udp
	setup_wire
	words=$(link_words 1)
	ip -n "$ns1" link add red type vrf table 100
	ip -n "$ns1" link set red up
	# shellcheck disable=SC2086 # words
	expect_refused "no such device" "dev blue: no such device" add_udp qlink1 $words dev blue
	# shellcheck disable=SC2086 # words
	expect_refused "not in this VRF" "it is no address of this host, by dev red" add_udp qlink1 $words dev red
	expect_refused "of eth" "exclude each other" ip -n "$ns1" link add link veth0 name qlink1 type qlink id 7 \
		peer "${mac[2]}" dev red
	ip -n "$ns1" link add blue type vrf table 101
	ip -n "$ns1" link set blue up
	ip -n "$ns1" link add dummy0 type dummy
	ip -n "$ns1" link set dummy0 master blue
	ip -n "$ns1" address add "${address[1]}/24" dev dummy0
	ip -n "$ns1" link set dummy0 up
	master red
	link_add 1 dev red
	link_add 2
	key_pass "$ns1" "$ns2" 1
	key_pass "$ns2" "$ns1" 1
	expect_eq "shown" "$(link_field "$ns1" .dev)" red
	expect_soon "state" link_state_is up
	ping_ok "$ns1" "${inner[2]}"
	link_set "$ns1" dev blue
	expect_ok "bound" bound_to blue
	expect_refused "no answer there" "100% packet loss" in_ns "$ns1" ping -c 1 -W 1 "${inner[2]}"
	link_set "$ns1" dev ''
	expect_eq "shown" "$(link_field "$ns1" .dev)" null
	link_set "$ns1" dev red
	answers "$ns1" "${inner[2]}"
	ip -n "$ns1" link del red
	expect_soon "state" link_state_is no-route
	ip -n "$ns1" link add red type vrf table 100
	ip -n "$ns1" link set red up
	master red
	expect_soon "state" link_state_is up
	answers "$ns1" "${inner[2]}"
}

# route add|del: the route to the peer's network.
route()
{
	case $under in
	udp) ip -n "$ns1" route "$1" 198.51.100.0/24 dev veth0 ;;
	udp6) ip -n "$ns1" route "$1" 2001:db8:1::/64 dev veth0 ;;
	esac
}

no_route_is_counted() { [ "$(stat_get "$ns1" tx_no_route)" -ge 2 ]; }

# Nothing is sent, so only the route itself tells. Then with keepalives, which are counted as long as there is none.
route_goes_and_returns()
{
	local before

	setup_pair
	quiet
	listen "$ns1" "$tmp/events"
	before=$(stats "$ns1")
	route del
	expect_soon "state" link_state_is no-route
	expect_soon "carrier" carrier_is "$ns1" 0
	expect_soon "event" has_event "$tmp/events" route-lost
	route add
	expect_soon "state" link_state_is up
	expect_soon "carrier" carrier_is "$ns1" 1
	expect_soon "event" has_event "$tmp/events" route-found
	expect_only_moved "$ns1" "$before" ""
	ping_ok "$ns1" "${inner[2]}"
	for ns in "$ns1" "$ns2"; do link_set "$ns" keepalive-ms 50; done
	expect_soon "carrier" carrier_is "$ns1" 1
	before=$(stats "$ns1")
	route del
	expect_soon "state" link_state_is no-route
	expect_soon "keepalives meet no route" no_route_is_counted
	expect_has "only that" "$(stats_moved "$ns1" "$before")" "tx_no_route=+"
	expect_eq "only that" "$(stats_moved "$ns1" "$before" | tr ' ' '\n' | grep -vc rx_keepalive)" 1
	route add
	expect_soon "carrier" carrier_is "$ns1" 1
	# On a slow machine keepalives come late now and then.
	expect_soon "state" link_state_is up
	ping_ok "$ns1" "${inner[2]}"
}

test_route_goes_and_returns_udp()
{
	under=udp
	route_goes_and_returns
}

test_route_goes_and_returns_udp6()
{
	under=udp6
	route_goes_and_returns
}


debug_tests="route_goes_and_returns_udp6"
run_tests "$@"
