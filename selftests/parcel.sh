#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Parcels that the kernel sends: what shares one, what does not, and that nothing is lost or overtaken.

# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=traffic.sh
. "$(dirname "$0")/traffic.sh"

# expect_received N: the other end took so many parcels, and each to its end.
expect_received() { expect_eq "parcels received" "$(stat_get "$ns1" rx_parcels)" "$1"; }

# A burst of small frames leaves in a few parcels; both ends count them, and the capture shows the frames inside.
each_test_small_frames_share_parcels()
{
	local n

	setup_lan
	expect_eq "not shown while it is off" "$(link_field "$ns2" .parcel)" null
	expect_ok "without parcels" bursts --bursts 2
	expect_eq "none" "$(parcels)" 0

	link_set "$ns2" parcel pack
	expect_eq "shown" "$(link_field "$ns2" .parcel)" pack
	expect_has "ip shows it" "$(ip -n "$ns2" -d link show qlink0)" " parcel pack "
	capture_start "$ns1" "$tmp/pack.pcap"
	expect_ok "in order, unchanged" bursts --bursts 10
	capture_stop "$tmp/pack.pcap"
	n=$(parcels)
	expect_ok "320 frames in $n parcels" test "$n" -ge 20 -a "$n" -le 30
	expect_received "$n"
	decode pack
	expect_eq "parcels in the capture" "$(json pack '.count["type 3"]')" "$n"
	# A softirq may end between two frames, and leave one alone.
	expect_ok "frames beside them" test "$(json pack '.count["type 0"] // 0')" -le 5
	expect_nothing_dropped
}

# What is large goes alone, behind what came before it.
each_test_mixed_sizes_keep_their_order()
{
	setup_lan parcel pack
	expect_ok "in order, unchanged" bursts --bursts 12 --sizes 64,64,64,100,300,690,720,1000,1400
	expect_ok "some in parcels" test "$(parcels)" -gt 12
	expect_received "$(parcels)"
	expect_nothing_dropped
}

# An underlay that carries more than a parcel may have, and frames that no record could hold.
each_test_jumbo_underlay()
{
	local ns device

	setup_lan parcel pack
	for device in "$ns1:veth0" "$ns2:veth0" "$ns2:veth1" "$ns3:veth1"; do
		ip -n "${device%:*}" link set "${device#*:}" mtu 65535
	done
	for ns in "$ns1" "$ns2"; do expect_soon "MTU follows" mtu_is_above "$ns" 60000; done
	ip -n "$ns2" link set br0 mtu 60000
	expect_ok "in order, unchanged" bursts --bursts 8 --sizes 64,64,64,7000,9000,20000,40000
	expect_ok "some in parcels" test "$(parcels)" -gt 4
	expect_nothing_dropped
}

mtu_is_above() { [ "$(in_ns "$1" cat /sys/class/net/qlink0/mtu)" -gt "$2" ]; }

# One frame needs no parcel, and neither does what a process sends itself.
each_test_a_lone_frame_goes_alone()
{
	setup_lan parcel pack
	expect_ok "in order, unchanged" bursts --bursts 5 --frames 1
	ip -n "$ns2" address add "${inner[2]}/24" dev br0
	expect_ok "a process sends many" in_ns "$ns2" ping -q -c 50 -i 0.002 -W "$deadline" "${inner[1]}"
	expect_eq "parcels" "$(parcels)" 0
	expect_nothing_dropped
}

# The mode changes from burst to burst, while frames wait for others and while they do not.
each_test_changes_under_traffic()
{
	local hold

	setup_lan
	for hold in 0 1000; do
		link_set "$ns2" parcel-hold-us "$hold"
		expect_ok "in order, unchanged" bursts --bursts 16 --sizes 64,64,200,1400 --between \
			"ip netns exec $ns2 qlinkctl set qlink0 parcel \$(ip netns exec $ns2 qlinkctl -j show qlink0 |
				jq -r 'if .[0].link.parcel then \"off\" else \"pack\" end')"
	done
	expect_ok "some in parcels" test "$(parcels)" -gt 8
	expect_nothing_dropped
}

# Frames that come one by one share a parcel where they wait. rhythm.sh shows how long they do.
each_test_frames_wait_for_others()
{
	setup_lan parcel pack
	expect_refused "longer than allowed" "1001" link_set "$ns2" parcel-hold-us 1001
	expect_eq "not shown" "$(link_field "$ns2" .parcel_hold_us)" null
	link_set "$ns2" parcel-hold-us 1000
	expect_has "ip shows it" "$(ip -n "$ns2" -d link show qlink0)" " parcel-hold-us 1000 "
	expect_soon "some share one" some_share_a_parcel
	expect_ok "in order, unchanged" bursts --bursts 6 --frames 200 --sizes 64,64,64,100,300,690,720,1400
	expect_received "$(parcels)"
	link_set "$ns2" parcel pad
	expect_eq "not shown for another mode" "$(link_field "$ns2" .parcel_hold_us)" null
	expect_nothing_dropped
}

some_share_a_parcel() { bursts --bursts 4 --one-by-one >/dev/null && [ "$(parcels)" -gt 0 ]; }

# Frames wait while their device goes down and up, while the mode changes, and when the link and the module go.
each_test_held_frames_go_with_their_link()
{
	local n

	setup_lan parcel pack parcel-hold-us 1000
	bursts --bursts 1000000 --frames 64 --one-by-one >/dev/null 2>&1 &
	defer kill $!
	expect_soon "frames that wait" stat_is_above "$ns2" tx_parcels 0
	for n in 1 2 3 4 5 6 7 8; do
		ip -n "$ns2" link set qlink0 down
		ip -n "$ns2" link set qlink0 up
		link_set "$ns2" parcel off
		link_set "$ns2" parcel pack
	done
	expect_ok "delete" ip -n "$ns2" link del qlink0
	expect_ok "unload" timeout 60 modprobe -r qlink
	modprobe qlink
}

# The last key seals one full parcel, and not a second one. What a parcel has room for depends on the underlay.
each_test_frames_of_a_parcel_without_a_key()
{
	local before file fit=22

	[ "$under" = eth ] || fit=21
	setup_lan parcel pack
	file=$(key_new a)
	key_add "$ns1" rx 2 "$file"
	key_add "$ns2" tx 2 "$file" blocks 100
	expect_ok "to the last key" in_ns "$ns2" qlinkctl key del qlink0 tx epoch 1
	before=$(stats "$ns2")
	expect_refused "some do not come" "\"came\": $fit," bursts --bursts 1
	expect_only_moved "$ns2" "$before" \
		"tx_no_key=+$((32 - fit)) tx_parcels=+1 tx_parcel_bytes=+$((2 + fit * 66))"
}

# Without parcels, a frame fits the underlay or is refused; with them it is cut, and the largest is larger.
each_under_frames_larger_than_the_underlay()
{
	local mtu

	setup_wire
	link_add 1
	mtu=$(link_mtu "$ns1")
	expect_refused "without parcels" "maximum" ip -n "$ns1" link set qlink0 mtu 9000
	link_set "$ns1" parcel pack
	expect_eq "its own MTU stays" "$(link_mtu "$ns1")" "$mtu"
	expect_refused "more than a record has" "maximum" ip -n "$ns1" link set qlink0 mtu 16001
	expect_ok "the most" ip -n "$ns1" link set qlink0 mtu 16000
	link_set "$ns1" parcel off
	expect_eq "what fits again" "$(link_mtu "$ns1")" "$mtu"
	link_set "$ns1" parcel pad
	expect_eq "the admin's choice again" "$(link_mtu "$ns1")" 16000
}

link_mtu() { ip -n "$1" -j link show qlink0 | jq '.[0].mtu'; }

# 9,000 bytes over 1,500: pings that must not be fragmented, and bulk TCP, both families, whole frames on both sides.
each_under_jumbo_frames_over_a_small_underlay()
{
	setup_large 9000 pack
	capture_start "$ns1" "$tmp/large.pcap"
	ping_whole 9000
	capture_stop "$tmp/large.pcap"
	decode large
	expect_ok "cut" test "$(json large '.count["type 3"]')" -ge 84
	frames payload "$tmp/file" 1000000 --marker "$marker"
	transfer "$ns1" "$ns2" "${inner[2]}" "$tmp/file"
	transfer "$ns2" "$ns1" "${inner6[1]}" "$tmp/file"
	expect_no_cut_lost
}

# Frames of a LAN with two VLAN tags, of which only one fits the underlay as it is.
each_under_two_tags()
{
	local n ns

	setup_large 1504 pack
	for n in 1 2; do
		ns=ns$n
		ip -n "${!ns}" link add link qlink0 name outer type vlan proto 802.1ad id 7
		ip -n "${!ns}" link set outer mtu 1504 up
		ip -n "${!ns}" link add link outer name inner type vlan id 8
		ip -n "${!ns}" link set inner mtu 1500 up
		in_ns "${!ns}" sh -c 'echo 0 >/proc/sys/net/ipv6/conf/inner/disable_ipv6'
		ip -n "${!ns}" address add "203.0.113.$n/24" dev inner
		ip -n "${!ns}" address add "2001:db8:7::$n/64" dev inner nodad
	done
	ping_ok "$ns1" -M "do" -s 1472 203.0.113.2
	ping_ok "$ns1" -M "do" -s 1452 2001:db8:7::2
	frames payload "$tmp/file" 300000 --marker "$marker"
	transfer "$ns1" "$ns2" 203.0.113.2 "$tmp/file"
	transfer "$ns2" "$ns1" 2001:db8:7::1 "$tmp/file"
	expect_no_cut_lost
}

# Small, large and cut frames of a LAN, in their order.
each_test_cut_frames_keep_their_order()
{
	setup_lan_of 9000 pack
	expect_ok "in order, unchanged" bursts --bursts 12 --sizes 64,64,100,1400,1450,1500,3000,9000
	expect_ok "cut" test "$(parcels)" -gt 200
	expect_received "$(parcels)"
	expect_no_cut_lost
}

# A key that changes between two parts: the frame begins anew under the next one.
each_test_keys_change_within_cut_frames()
{
	local n

	setup_large 9000 pack
	keys_pass "$ns1" "$ns2" 2 200
	# A frame has seven parts at most.
	link_set "$ns1" rekey-frames 16
	frames payload "$tmp/file" 200000 --marker "$marker"
	transfer "$ns1" "$ns2" "${inner[2]}" "$tmp/file"
	n=$(ring "$ns1" tx rekeys)
	expect_ok "keys used: $n" test "$n" -gt 5
	expect_eq "dropped by the sender" "$(stats_nonzero "$ns1")" ""
	# What was sent of a frame under the key before is a begin that nothing follows.
	expect_eq "dropped by the receiver" "$(stats_nonzero "$ns2" | sed 's/:.*//')" rx_cut_lost
	expect_ok "no more than keys" test "$(stat_get "$ns2" rx_cut_lost)" -le "$n"
}

# No key lasts for all parts of a frame: the frame is dropped, and does not use up all keys.
each_test_keys_too_short_for_a_frame()
{
	setup_large 9000 pack
	quiet
	keys_pass "$ns1" "$ns2" 2 50
	link_set "$ns1" rekey-frames 3
	expect_refused "a large one" "100% packet loss" in_ns "$ns1" ping -c 1 -W 0.1 -s 8000 "${inner[2]}"
	expect_eq "dropped" "$(stat_get "$ns1" tx_cut_lost)" 1
	expect_ok "keys: $(ring "$ns1" tx rekeys)" test "$(ring "$ns1" tx rekeys)" -le 5
	expect_ok "a small one goes" in_ns "$ns1" ping -c 1 -W "$deadline" "${inner[2]}"
	expect_refused "a key for less than a parcel" "hard-blocks" key_add "$ns1" tx 60 "$(key_new b)" blocks 20
}

# A queue below that keeps the frames of a socket together and paces them: the parts stay in order.
each_test_parts_stay_in_order_below_fq()
{
	setup_large 9000 pack
	expect_ok "shaper" tc -n "$ns1" qdisc replace dev veth0 root handle 1: tbf rate 50mbit burst 20k limit 1m
	expect_ok "fq" tc -n "$ns1" qdisc replace dev veth0 parent 1: handle 2: fq
	frames payload "$tmp/file" 400000 --marker "$marker"
	capture_start "$ns1" "$tmp/fq.pcap"
	transfer "$ns1" "$ns2" "${inner[2]}" "$tmp/file"
	capture_stop "$tmp/fq.pcap"
	decode_nonces "$tmp/fq.pcap"
	expect_ok "parcels" test "$(stat_get "$ns1" tx_parcels)" -gt 100
	expect_eq "parts that overtook others" "$(nonces 1 back)" 0
	expect_eq "dropped by the sender" "$(stats_nonzero "$ns1" | tr ' ' '\n' | grep '^tx_')" ""
}

debug_tests="mixed_sizes_keep_their_order_udp changes_under_traffic_eth held_frames_go_with_their_link_eth"
run_tests "$@"
