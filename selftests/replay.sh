#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Frames that only an attacker sends: altered, cut, padded, replayed. Each moves one counter and none is delivered.

# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# forge KIND… [OPTION…]: injects frames as ns1 into ns2; frames.py judges each frame.
forge()
{
	expect_ok "$1" judge forge "$@" --under "$under" --from "$ns1" --to "$ns2" --key "$(key_file "$ns1" 1)"
	tail -n 1 "$tmp/verdict"
}

judge() { frames "$@" >"$tmp/verdict" || { cat "$tmp/verdict"; return 1; }; }
verdict() { tail -n 1 "$tmp/verdict" | jq -r "$1"; }

# forge_all KIND: injects them; the link works as before, and the sender has noticed nothing.
forge_all()
{
	local sender

	setup_pair
	sender=$(stats "$ns1")
	forge "$1"
	expect_eq "each dropped or delivered" "$(verdict '.dropped + .delivered')" "$(verdict .frames)"
	expect_only_moved "$ns1" "$sender" ""
	expect_ok "ping" in_ns "$ns1" ping -c 2 -i 0.01 -W "$deadline" "${inner[2]}"
}

each_test_flipped_bit()
{
	forge_all flip
}

each_test_truncated()
{
	forge_all truncate
}

each_test_padded()
{
	forge_all pad
}

each_test_bad_header()
{
	forge_all header
}

each_test_wrong_lane()
{
	forge_all lane
}

# Authentic parcels, whole, cut, lost, late and damaged, against the model.
each_test_parcels()
{
	setup_pair
	forge parcels
	expect_ok "ping" in_ns "$ns1" ping -c 2 -i 0.01 -W "$deadline" "${inner[2]}"
}

each_test_bad_inner()
{
	forge_all short
}

each_test_replayed()
{
	setup_pair
	forge replay
	expect_ok "replays" test "$(verdict .moved.rx_replay)" -ge 8
	expect_ok "too old" test "$(verdict .moved.rx_old)" -ge 6
}

# Many frames in one packet, which veth keeps whole. The first such packet makes qlink ask for them whole; from then
# on it gets them whole, unless the sender can still write to their pages.
bundled()
{
	local ns were

	setup_pair
	for ns in "$ns1" "$ns2"; do expect_ok "USO" in_ns "$ns" ethtool -K veth0 tx-udp-segmentation on; done
	forge bundle
	expect_eq "each dropped or delivered" "$(verdict '.dropped + .delivered')" "$(verdict .frames)"
	forge parcel_bundle
	were=$(datagrams)
	forge whole
	expect_eq "datagrams of a bundle" $(($(datagrams) - were)) 1
	were=$(datagrams)
	forge spliced
	expect_eq "datagrams of one in pages of the sender" $(($(datagrams) - were)) 20
	expect_eq "delivered" "$(verdict .delivered)" 20
	expect_ok "ping" in_ns "$ns1" ping -c 2 -i 0.01 -W "$deadline" "${inner[2]}"
}

test_bundled_udp()
{
	under=udp
	bundled
}

test_bundled_udp6()
{
	under=udp6
	bundled
}

# Frames that the kernel itself sealed, captured on the wire and sent again.
each_test_resent()
{
	setup_pair
	expect_ok "resent" judge resend --under "$under" --from "$ns1" --to "$ns2"
	expect_eq "replays" "$(verdict .moved.rx_replay)" 64
	expect_ok "ping" in_ns "$ns1" ping -c 2 -i 0.01 -W "$deadline" "${inner[2]}"
}

# Each epoch has its own window: the same lane and sequence are accepted once in each.
each_test_epochs_have_windows_of_their_own()
{
	setup_pair
	forge good
	expect_eq "delivered" "$(verdict .delivered)" 8
	key_pass "$ns1" "$ns2" 2
	expect_ok "epoch 2" judge forge good --under "$under" --from "$ns1" --to "$ns2" --epoch 2 \
		--key "$(key_file "$ns1" 2)"
	expect_eq "delivered" "$(verdict .delivered)" 8
	expect_ok "epoch 2, again" judge forge good --under "$under" --from "$ns1" --to "$ns2" --epoch 2 \
		--key "$(key_file "$ns1" 2)" --expect rx_replay
}

# Going down and up does not reset the window.
each_test_window_outlives_down()
{
	setup_pair
	forge good
	ip -n "$ns2" link set qlink0 down
	forge good --expect rx_down
	ip -n "$ns2" link set qlink0 up
	forge good --expect rx_replay
}

each_test_key_deleted()
{
	setup_pair
	forge good
	in_ns "$ns2" qlinkctl key del qlink0 rx epoch 1
	forge good --expect rx_no_key
}

each_test_link_deleted()
{
	local before

	setup_pair
	# A second link keeps the port open and counts for it.
	# shellcheck disable=SC2046 # words
	ip -n "$ns2" link add $([ "$under" = udp ] || echo link veth0) name qlink1 type qlink \
		$(link_words 2 | sed 's/id 7/id 8/')
	before=$(stats "$ns2" qlink1)
	ip -n "$ns2" link del qlink0
	ip -n "$ns2" link set qlink1 name qlink0
	forge good --expect port_rx_no_link
	expect_only_moved "$ns2" "$before" "port_rx_no_link=+8"
}

# A valid frame from the wrong sender. A link that alone has its id is told, at most 20 times a second; of several, none.
each_test_wrong_sender()
{
	local n

	setup_pair
	listen "$ns2" "$tmp/events"
	case $under in
	eth)
		ip -n "$ns1" link del qlink0
		ip -n "$ns1" link set veth0 address 02:00:00:00:00:77 ;;
	udp)
		ip -n "$ns1" link del qlink0
		ip -n "$ns1" address del "${address[1]}/24" dev veth0
		ip -n "$ns1" address add 198.51.100.77/24 dev veth0
		ip -n "$ns1" neighbour replace "${address[2]}" lladdr "${mac[2]}" dev veth0 ;;
	esac
	forge good --expect port_rx_other_peer
	expect_soon "event" has_event "$tmp/events" peer-address
	# shellcheck disable=SC2046 # words
	ip -n "$ns2" link add $([ "$under" = udp ] || echo link veth0) name qlink1 type qlink \
		$(link_words 2 | sed "s/${address[1]}/${address[5]}/; s/${mac[1]}/${mac[5]}/")
	ip -n "$ns2" link set qlink1 up
	n=$(told)
	forge good --expect port_rx_other_peer
	key_add "$ns2" tx 2 "$(key_new second)"
	in_ns "$ns2" qlinkctl rotate qlink0
	expect_soon "a later event" has_event "$tmp/events" rotated
	expect_eq "nobody was told" "$(told)" "$n"
}

told() { jq -c 'select(any(.kinds[]; . == "peer-address"))' "$tmp/events" | wc -l; }

debug_tests="bad_header_udp parcels_eth bundled_udp"
run_tests "$@"
