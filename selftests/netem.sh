#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A bad line: loss, duplicates and reordering while keys change every 10 ms. Every frame is accounted for.

# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=traffic.sh
. "$(dirname "$0")/traffic.sh"

frames_per_second=200
frames=$(scale 1000)

# line NS FILTER: applies a jq filter to the statistics of the line's queue.
line() { tc -n "$1" -s -j qdisc show dev veth0 root | jq "map(select(.kind == \"netem\"))[0] | $2"; }
line_is_empty() { [ "$(line "$1" .qlen)" = 0 ]; }
counters() { stats_nonzero "$ns2" | tr ' ' '\n' | sed -nE "s/^($1):([0-9]+)$/\2/p" | awk '{ n += $1 } END { print n + 0 }'; }

# bad_line GRACE: sends frames from ns1 over the line while ns1 rekeys every 10 ms and ns2 keeps older keys for GRACE
# ms. Sets $sealed, $lost, $arrived, $again, $opened, $replayed and $late.
bad_line()
{
	setup_pair
	quiet
	link_set "$ns1" rekey-ms 10
	link_set "$ns2" grace-ms "$1"
	keys_pass "$ns1" "$ns2" 2 2000
	capture_start "$ns2" "$tmp/pcap"
	# Each frame is delayed by 0 to 200 ms on its own: many overtake others.
	expect_ok "a bad line" tc -n "$ns1" qdisc add dev veth0 root netem limit 10000 delay 100ms 100ms loss 10% duplicate 5%
	in_ns "$ns1" ping -q -i "$(awk "BEGIN { print 1 / $frames_per_second }")" -c "$frames" -W 1 "${inner[2]}" >"$tmp/ping"
	expect_soon "the line is empty" line_is_empty "$ns1"
	sealed=$(link_field "$ns1" .tx.usage.static.frames)
	lost=$(line "$ns1" .drops)
	capture_stop "$tmp/pcap"
	decode_nonces "$tmp/pcap"
	arrived=$(nonces 1 sealed)
	again=$(nonces 1 again)
	expect_soon "all that arrived is counted" all_are_counted
	expect_ok "frames sent" test "$sealed" -ge "$frames"
	expect_ok "keys used" test "$(ring "$ns1" tx rekeys)" -gt $((frames / 10))
	expect_ok "frames lost" test "$arrived" -lt "$sealed"
	expect_ok "by the line" test $((sealed - arrived)) -le "$lost"
	expect_ok "frames duplicated" test "$again" -gt 0
	expect_eq "lost, duplicated, late, and nothing else" "$(stats_nonzero "$ns2" | tr ' ' '\n' |
		grep -vE '^(rx_replay|rx_after_grace):')" ""
	expect_eq "dropped by the sender" "$(stats_nonzero "$ns1")" ""
}

# Each frame that arrived was opened, or is a duplicate, or is late.
all_are_counted()
{
	opened=$(link_field "$ns2" .rx.usage.static.frames)
	replayed=$(counters rx_replay)
	late=$(counters rx_after_grace)
	[ $((opened + replayed + late)) = $((arrived + again)) ]
}

# Within the grace no frame is late: each frame that arrived is opened, and each duplicate is a replay.
each_test_within_the_grace()
{
	local sealed lost arrived again opened replayed late

	bad_line 5000
	expect_eq "late" "$late" 0
	expect_eq "opened are those that arrived" "$opened" "$arrived"
	expect_eq "replays are the duplicates" "$replayed" "$again"
}

# With a grace shorter than the line's delay, late frames are counted as such, since their key is gone.
each_test_after_the_grace()
{
	local sealed lost arrived again opened replayed late

	bad_line 20
	expect_ok "late" test "$late" -gt 0
	expect_ok "opened arrived in time" test $((arrived - opened)) -le "$late"
	expect_ok "replays are among the duplicates" test "$replayed" -le "$again"
}

# count_of NAME: of what the first end sent in the capture, as the model of a receiver counts it.
count_of() { json line ".count[\"$1 from $(lower_address 1)\"] // 0"; }
parcels_are_counted() { [ "$(stat_get "$ns2" rx_parcels)" = "$(count_of rx_parcels)" ]; }

# Frames that are cut over parcels, some of which are lost, doubled or overtaken: what is delivered and what is counted
# is what the model makes of the parcels that arrived.
each_test_parts_of_frames()
{
	local n bytes name pings=()

	n=$(scale 400)
	setup_pair
	quiet
	link_set "$ns1" parcel pad
	expect_ok "mtu" ip -n "$ns1" link set qlink0 mtu 3500
	link_set "$ns2" parcel pad
	expect_ok "mtu" ip -n "$ns2" link set qlink0 mtu 3500
	receive_on_one_cpu "$ns2"
	capture_start "$ns2" "$tmp/line.pcap"
	expect_ok "a bad line" tc -n "$ns1" qdisc add dev veth0 root netem limit 10000 delay 5ms 2ms loss 1% duplicate 5%
	for bytes in 56 1300 2000 3400; do
		in_ns "$ns1" ping -q -i 0.004 -c "$n" -W 1 -s "$bytes" "${inner[2]}" >"$tmp/ping.$bytes" &
		pings+=($!)
	done
	wait "${pings[@]}"
	expect_soon "the line is empty" line_is_empty "$ns1"
	capture_stop "$tmp/line.pcap"
	decode line --bad-line
	expect_soon "all parcels are taken" parcels_are_counted
	expect_ok "a part of them was lost" test "$(count_of rx_cut_lost)" -gt 0
	expect_eq "delivered" "$(stats64 "$ns2" .rx.packets)" "$(count_of inner)"
	for name in rx_replay rx_cut_lost rx_cut_late; do
		expect_eq "$name" "$(stat_get "$ns2" "$name")" "$(count_of "$name")"
	done
	expect_eq "and nothing else" "$(stats_nonzero "$ns2" | tr ' ' '\n' | grep -vE '^rx_(replay|cut_lost|cut_late):')" ""
	expect_eq "dropped by the sender" "$(stats_nonzero "$ns1")" ""
	expect_ok "sent" test "$(stats64 "$ns1" .tx.packets)" -ge $((4 * n))
}

run_tests "$@"
