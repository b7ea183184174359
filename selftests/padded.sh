#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Sealed frames of one size, on demand and by the clock: what a wire-tapper sees, and that nothing is lost or overtaken.

# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=traffic.sh
. "$(dirname "$0")/traffic.sh"

# sealed_bytes: the largest sealed frame that an underlay of 1500 carries.
sealed_bytes() { case $under in eth) echo 1500 ;; udp) echo 1472 ;; udp6) echo 1452 ;; esac; }

# expect_all_alike N BYTES TYPES: what end N sent in the capture has one size, and these types.
expect_all_alike() { expect_eq "end $1: sizes, types" "$(nonces "$1" sizes | jq -c 'keys') $(nonces "$1" types | jq -c 'keys')" "[\"$2\"] [\"$3\"]"; }

# The debug kernel takes milliseconds for a parcel, and both ends tick on the same machine.
slow=1
! is_debug_kernel || slow=20

# us N: an interval of a clock.
us() { echo $(($1 * slow)); }


# all_traffic: pings of all sizes, bulk both ways, a key that is replaced, keepalives.
all_traffic()
{
	local bytes

	for bytes in 0 56 500 1372; do ping_ok "$ns1" -s "$bytes" "${inner[2]}"; done
	frames payload "$tmp/file" 100000 --marker "$marker"
	transfer "$ns1" "$ns2" "${inner[2]}" "$tmp/file"
	key_pass "$ns1" "$ns2" 2
	expect_ok "rotate" in_ns "$ns1" qlinkctl rotate qlink0
	transfer "$ns2" "$ns1" "${inner[1]}" "$tmp/file"
	expect_soon "a keepalive" stat_is_above "$ns1" rx_keepalive "$(stat_get "$ns1" rx_keepalive)"
}

# setup_padded WORD…: both ends send parcels of one size, and hear each other.
setup_padded()
{
	local ns

	setup_pair
	for ns in "$ns1" "$ns2"; do link_set "$ns" keepalive-ms $((200 * slow)) "$@"; done
	for ns in "$ns1" "$ns2"; do expect_soon "carrier" carrier_is "$ns" 1; done
}

each_under_pad_has_one_size()
{
	local n

	setup_padded parcel pad
	capture_start "$ns1" "$tmp/pad.pcap"
	all_traffic
	capture_stop "$tmp/pad.pcap"
	decode_nonces "$tmp/pad.pcap"
	for n in 1 2; do expect_all_alike "$n" "$(sealed_bytes)" 3; done
	decode pad
	expect_eq "parcels without anything" "$(stat_get "$ns1" tx_cover)" 0
	expect_nothing_but_keepalives
}

# expect_nothing_but_keepalives: neither end has dropped anything.
expect_nothing_but_keepalives()
{
	local ns

	for ns in "$ns1" "$ns2"; do
		expect_eq "dropped" "$(stats_nonzero "$ns" | tr ' ' '\n' | grep -vE '^[rt]x_keepalive:')" ""
	done
}

# A size of one's own, below what the underlay carries; one above counts as that.
each_test_parcel_bytes()
{
	setup_padded parcel pad parcel-bytes 600
	expect_eq "shown" "$(link_field "$ns1" '"\(.parcel) \(.parcel_bytes) \(.parcel_interval_us)"')" "pad 600 null"
	expect_refused "too small" "parcel-bytes 127 is neither 0 nor 128 to 16032" ip -n "$ns1" link set qlink0 type qlink parcel-bytes 127
	expect_refused "too large" "16032" in_ns "$ns1" qlinkctl set qlink0 parcel-bytes 16033
	expect_refused "too short" "20" in_ns "$ns1" qlinkctl set qlink0 parcel-interval-us 19
	expect_refused "too few" "2" in_ns "$ns1" qlinkctl set qlink0 parcel-queue 1
	link_set "$ns2" parcel-bytes 3000
	capture_start "$ns1" "$tmp/pad.pcap"
	all_traffic
	capture_stop "$tmp/pad.pcap"
	decode_nonces "$tmp/pad.pcap"
	expect_all_alike 1 600 3
	expect_all_alike 2 "$(sealed_bytes)" 3
	expect_nothing_but_keepalives
}

# What is large is cut over parcels of one size: 9,000 bytes over 1,500, pings that must not be fragmented, and bulk.
each_under_pad_carries_jumbo_frames()
{
	setup_large 9000 pad
	capture_start "$ns1" "$tmp/pad.pcap"
	ping_whole 9000
	capture_stop "$tmp/pad.pcap"
	decode_nonces "$tmp/pad.pcap"
	expect_all_alike 1 "$(sealed_bytes)" 3
	frames payload "$tmp/file" 500000 --marker "$marker"
	transfer "$ns1" "$ns2" "${inner[2]}" "$tmp/file"
	transfer "$ns2" "$ns1" "${inner6[1]}" "$tmp/file"
	expect_no_cut_lost
}

# Frames of a LAN fill the parcels: the pad at the end of each burst is all that is wasted.
each_test_pad_is_filled()
{
	local bytes

	setup_lan_of 9000 pad
	expect_ok "in order, unchanged" bursts --bursts 12 --sizes 64,64,100,1400,1500,3000,9000
	bytes=$(stat_get "$ns2" tx_parcel_bytes)
	expect_ok "pad: $(stat_get "$ns2" tx_pad_bytes) of $bytes" test "$(stat_get "$ns2" tx_pad_bytes)" -lt $((12 * 1500))
	expect_eq "the other end" "$(stat_get "$ns1" rx_parcels)" "$(parcels)"
	expect_no_cut_lost
}

# By the clock: one size, only parcels, whether there is something to send or not; and the ticks add up.
each_under_constant_has_one_size()
{
	local n before

	setup_padded parcel constant parcel-interval-us "$(us 2000)"
	expect_eq "shown" "$(link_field "$ns1" '"\(.parcel) \(.parcel_interval_us) \(.parcel_queue)"')" "constant $(us 2000) 64"
	capture_start "$ns1" "$tmp/constant.pcap"
	all_traffic
	before=$(stat_get "$ns1" tx_cover)
	expect_soon "cover" stat_is_above "$ns1" tx_cover $((before + 5))
	capture_stop "$tmp/constant.pcap"
	decode_nonces "$tmp/constant.pcap"
	for n in 1 2; do
		expect_all_alike "$n" "$(sealed_bytes)" 3
		expect_eq "end $n: lanes" "$(nonces "$n" lanes | jq length)" 1
	done
	decode constant
	[ "$under" = eth ] || expect_eq "source ports" "$(source_ports constant)" "$port"
	expect_nothing_but_keepalives
}

# ticks NS: parcels sent and ticks missed.
ticks() { echo $(($(stat_get "$1" tx_parcels) + $(stat_get "$1" tx_parcel_late))); }

ticks_are_above() { [ "$(ticks "$1")" -gt "$2" ]; }

# The number of ticks follows the time and nothing else: each has a parcel, or is counted as late.
each_test_ticks_follow_the_clock()
{
	local first last begun ended

	setup_padded parcel constant parcel-interval-us "$(us 1000)"
	in_background "$ns1" ping -f -s 1000 "${inner[2]}"
	begun=$(now_us)
	first=$(ticks "$ns1")
	expect_soon "ticks" ticks_are_above "$ns1" $((first + 3000 / slow))
	last=$(ticks "$ns1")
	ended=$(now_us)
	expect_ok "at most: $((last - first)) ticks in $((ended - begun)) us" \
		test $((last - first)) -le $(((ended - begun) / $(us 1000) + 1))
	first=$(ticks "$ns1")
	begun=$(now_us)
	expect_soon "ticks" ticks_are_above "$ns1" $((first + 3000 / slow))
	ended=$(now_us)
	last=$(ticks "$ns1")
	# A tick that is late is counted when it comes: on a busy machine that may take a while.
	expect_ok "at least: $((last - first)) ticks in $((ended - begun)) us" \
		test $((last - first + 500)) -ge $(((ended - begun) / $(us 1000)))
}

now_us() { awk '{ printf "%d\n", $1 * 1000000 }' /proc/uptime; }

# A queue of two parcels: what has no room is dropped at the tail, and counted.
each_test_constant_queue()
{
	local came dropped

	setup_lan_of 1500 constant
	link_set "$ns2" parcel-interval-us 500000 parcel-queue 2
	bursts --bursts 1 --frames 200 --sizes 200 >"$tmp/output"
	expect_has "some do not come" "$(cat "$tmp/output")" '"disordered": 0, "changed": 0'
	came=$(sed -nE 's/.*"came": ([0-9]+),.*/\1/p' "$tmp/output")
	dropped=$(stat_get "$ns2" tx_parcel_full)
	expect_eq "came, dropped" "$((came + dropped))" 200
	expect_ok "at least two parcels: $came" test "$came" -ge 12
	expect_ok "not all: $dropped" test "$dropped" -gt 0
}

# A queue that is smaller than a frame takes one all the same; and so does a parcel.
each_test_small_queue_and_parcels()
{
	setup_padded parcel constant parcel-interval-us "$(us 1000)" parcel-queue 2 parcel-bytes 128
	expect_ok "a large frame" in_ns "$ns1" ping -c 1 -W "$deadline" -s 1300 "${inner[2]}"
	expect_nothing_but_keepalives
}

# What the clock cannot keep is refused.
each_test_clock_is_refused()
{
	setup_padded parcel constant parcel-interval-us 1000
	expect_refused "keepalives" "is below 4 times parcel-interval-us 1000000" \
		ip -n "$ns1" link set qlink0 type qlink keepalive-ms 3000 parcel-interval-us 1000000
	expect_refused "keepalives" "keepalive-ms 20 is below 4 times parcel-interval-us 10000" \
		ip -n "$ns1" link set qlink0 type qlink keepalive-ms 20 parcel-interval-us 10000
	expect_refused "a user's clock" "parcel-interval-us 999 is below 1000, for which an admin of the host is needed" \
		unshare -Urn ip link add qlink0 type qlink id 7 local 192.0.2.1 remote 192.0.2.2 port 7000 parcel constant parcel-interval-us 999
	expect_ok "a slower one" unshare -Urn ip link add qlink0 type qlink id 7 local 192.0.2.1 remote 192.0.2.2 port 7000 parcel constant
}

# Two programs whose frames share parcels, over a queue that looks at sockets: the parcels stay in order.
each_test_parcels_stay_in_order_below_fq()
{
	setup_padded parcel pad
	expect_ok "shaper" tc -n "$ns1" qdisc replace dev veth0 root handle 1: tbf rate 30mbit burst 20k limit 1m
	expect_ok "fq" tc -n "$ns1" qdisc replace dev veth0 parent 1: handle 2: fq
	frames payload "$tmp/file" 300000 --marker "$marker"
	capture_start "$ns1" "$tmp/fq.pcap"
	in_background "$ns1" ping -q -i 0.002 "${inner[2]}"
	transfer "$ns1" "$ns2" "${inner[2]}" "$tmp/file"
	capture_stop "$tmp/fq.pcap"
	decode_nonces "$tmp/fq.pcap"
	expect_eq "parcels that overtook others" "$(nonces 1 back)" 0
	expect_eq "dropped by the sender" "$(stats_nonzero "$ns1" | tr ' ' '\n' | grep '^tx_' | grep -v '^tx_keepalive:')" ""
}

# Bursts of a LAN, too: they wait in the qdisc.
each_test_qdisc_waits_for_a_lan()
{
	setup_lan_of 1500 constant
	link_set "$ns2" parcel-interval-us "$(us 1000)" parcel-queue 8
	expect_ok "qdisc" tc -n "$ns2" qdisc replace dev qlink0 root pfifo limit 10000
	expect_ok "in order, unchanged" bursts --bursts 3 --frames 200 --sizes 64,300,1400
	expect_no_cut_lost
}

# With a qdisc, frames wait there instead.
each_test_qdisc_waits()
{
	setup_padded parcel constant parcel-interval-us "$(us 1000)" parcel-queue 16
	expect_ok "qdisc" tc -n "$ns1" qdisc replace dev qlink0 root pfifo limit 10000
	frames payload "$tmp/file" 500000 --marker "$marker"
	transfer "$ns1" "$ns2" "${inner[2]}" "$tmp/file"
	expect_nothing_but_keepalives
	link_set "$ns1" parcel off
	transfer "$ns1" "$ns2" "${inner[2]}" "$tmp/file"
	expect_nothing_but_keepalives
}

# Each mode after each other one, under traffic: nothing is lost or overtaken. With a thousand keys a second, too.
each_test_modes_change_under_traffic()
{
	setup_lan_of 1500 pack
	link_set "$ns2" parcel-interval-us "$(us 500)" parcel-queue 4096 rekey-ms 1
	keys_pass "$ns2" "$ns1" 2 4000
	# shellcheck disable=SC2016 # for the shell of bursts
	export NS2=$ns2 STEP=$tmp/step
	seq 0 99 | awk 'BEGIN { split("off pack pad constant off pad pack constant pad off constant pack", mode) } { print mode[$1 % 12 + 1] }' >"$STEP"
	# shellcheck disable=SC2016
	expect_ok "in order, unchanged" bursts --bursts 26 --sizes 64,64,200,700,1400 --between \
		'ip netns exec "$NS2" qlinkctl set qlink0 parcel $(head -n 1 "$STEP") && sed -i 1d "$STEP"'
	# A begin that a key change has left is no frame: that frame came under the next key.
	expect_eq "dropped" "$(stats_nonzero "$ns2")$(stats_nonzero "$ns1" | sed -E 's/rx_cut_lost:[0-9]+//')" ""
	expect_ok "keys: $(ring "$ns2" tx rekeys)" test "$(ring "$ns2" tx rekeys)" -gt 100
}

# Without a key nothing leaves, and nothing waits; with one the clock goes on.
each_test_constant_without_a_key()
{
	local sent ticked=""

	setup_padded parcel constant parcel-interval-us "$(us 1000)"
	link_set "$ns1" keepalive-ms 0
	expect_ok "no key" in_ns "$ns1" qlinkctl key del qlink0 tx epoch 1
	sent=$(ticks "$ns1")
	expect_soon "a tick later" tick_has_passed
	expect_eq "none" "$(ticks "$ns1")" "$sent"
	key_pass "$ns1" "$ns2" 7
	expect_soon "again" stat_is_above "$ns1" tx_parcels $((sent + 20))
	ip -n "$ns1" link set qlink0 down
	sent=$(ticks "$ns1")
	expect_eq "none while it is down" "$(ticks "$ns1")" "$sent"
	ip -n "$ns1" link set qlink0 up
	expect_soon "again" stat_is_above "$ns1" tx_parcels $((sent + 20))
	expect_ok "removed while it ticks" ip -n "$ns1" link del qlink0
}

# A frame of which a part is in the parcel that is ready counts once when the device goes down.
each_test_down_with_a_frame_in_parts()
{
	local before sent

	setup_pair
	quiet
	link_set "$ns1" parcel constant parcel-interval-us 1000000
	expect_ok "mtu" ip -n "$ns1" link set qlink0 mtu 9000
	before=$(stats "$ns1")
	in_ns "$ns1" ping -c 1 -W 0.1 -s 8000 "${inner[2]}" >/dev/null
	sent=$(stat_get "$ns1" tx_parcels)
	expect_soon "a tick" stat_is_above "$ns1" tx_parcels "$sent"
	expect_ok "down" ip -n "$ns1" link set qlink0 down
	expect_eq "dropped" "$(stats_moved "$ns1" "$before" | tr ' ' '\n' | grep -v '^tx_\(parcel\|pad\|cover\)')" "tx_no_underlay=+1"
}

# tick_has_passed: the peer's clock, which has the same interval, has ticked ten times.
tick_has_passed() { stat_is_above "$ns2" tx_parcels "${ticked:=$(($(stat_get "$ns2" tx_parcels) + 10))}"; }

debug_tests="pad_carries_jumbo_frames_udp6 modes_change_under_traffic_eth constant_without_a_key_udp"
run_tests "$@"
