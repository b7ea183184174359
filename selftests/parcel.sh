#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Parcels that the kernel sends: what shares one, what does not, and that nothing is lost or overtaken.

# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=traffic.sh
. "$(dirname "$0")/traffic.sh"

# setup_lan WORD…: $ns3 is a LAN behind the bridge of $ns2, which sends with these options.
setup_lan()
{
	modprobe sch_plug || skip "needs sch_plug"
	setup_forwarder bridge
	for ns in "$ns2" "$ns3"; do quiet_device "$ns" veth1; done
	[ $# = 0 ] || link_set "$ns2" "$@"
}

# Nothing is sent but what a test sends.
quiet_device() { in_ns "$1" sh -c "echo 1 >/proc/sys/net/ipv6/conf/$2/disable_ipv6"; }

bursts() { /usr/bin/python3 "$here/bursts.py" --from "$ns3" --to "$ns1" "$@"; }
parcels() { stat_get "$ns2" tx_parcels; }

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
	expect_eq "frames beside them" "$(json pack '.count["type 0"] // 0')" 0
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

# The mode changes from burst to burst.
each_test_changes_under_traffic()
{
	setup_lan
	expect_ok "in order, unchanged" bursts --bursts 16 --sizes 64,64,200,1400 --between \
		"ip netns exec $ns2 qlinkctl set qlink0 parcel \$(ip netns exec $ns2 qlinkctl -j show qlink0 |
			jq -r 'if .[0].link.parcel then \"off\" else \"pack\" end')"
	expect_ok "some in parcels" test "$(parcels)" -gt 4
	expect_nothing_dropped
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

debug_tests="mixed_sizes_keep_their_order_udp changes_under_traffic_eth"
run_tests "$@"
