#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Keys that are replaced: by frames, bytes and age, on command, and at hard limits; and how the receiver follows.

needs_cpus=2
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# setup_rekey N [WORD VALUE…]: a pair whose first end holds N more transmit keys, with these limits.
setup_rekey()
{
	setup_pair
	quiet
	[ $# = 1 ] || link_set "$ns1" "${@:2}"
	keys_pass "$ns1" "$ns2" 2 "$1"
}

# frames_by_epoch NS tx|rx: "1:10 2:10 …" of the keys that are held.
frames_by_epoch() { keys "$1" "direction=$2" 'frames>0' epoch frames; }

each_test_by_frames()
{
	setup_rekey 9 rekey-frames 10
	link_set "$ns2" grace-ms 60000
	expect_eq "answers" "$(ping_one_lane "$ns1" 55)" 55
	expect_eq "each sealed as many as it may" "$(frames_by_epoch "$ns2" rx)" "1:10 2:10 3:10 4:10 5:10 6:5"
	expect_eq "the sender has wiped the old ones" "$(frames_by_epoch "$ns1" tx)" "6:5"
	expect_eq "rekeys" "$(ring "$ns1" tx rekeys) $(ring "$ns2" rx rekeys) $(ring "$ns2" tx rekeys)" "5 5 0"
	expect_nothing_dropped
}

# A ping has 98 bytes: ten fit into 1,000, and 20 bytes are left over.
each_test_by_bytes()
{
	setup_rekey 9 rekey-bytes 1000
	link_set "$ns2" grace-ms 60000
	expect_eq "answers" "$(ping_one_lane "$ns1" 25)" 25
	expect_eq "frames" "$(frames_by_epoch "$ns2" rx)" "1:10 2:10 3:5"
	expect_nothing_dropped
}

# A frame larger than all that a key may seal uses up one key, not all of them.
each_test_by_fewer_bytes_than_a_frame()
{
	setup_rekey 9 rekey-bytes 50
	link_set "$ns2" grace-ms 60000
	expect_eq "answers" "$(ping_one_lane "$ns1" 5)" 5
	expect_eq "frames" "$(frames_by_epoch "$ns2" rx)" "1:1 2:1 3:1 4:1 5:1"
	expect_nothing_dropped
}

# Both ends have the same age limit. One sends all the time; the other has sent once, and uses no more keys.
each_test_by_age()
{
	setup_rekey 300 rekey-ms 20
	link_set "$ns2" rekey-ms 20
	keys_pass "$ns2" "$ns1" 2 300
	nobody "$ns1"
	nobody "$ns2"
	expect_eq "no frame, no age" "$(ring "$ns1" tx age_ms) $(ring "$ns1" tx rekeys)" "0 0"
	in_ns "$ns2" ping -c 1 -W 0.01 "$nobody" >/dev/null
	expect_soon "one frame, one key" ring_is "$ns2" tx rekeys 1
	in_background "$ns1" ping -i 0.002 "$nobody"
	expect_soon "many frames" rekeys_are_at_least "$ns1" 10
	expect_eq "no frame, no key" "$(ring "$ns2" tx rekeys) $(ring "$ns2" tx current_epoch)" "1 2"
	expect_nothing_dropped
}

rekeys_are_at_least() { [ "$(ring "$1" tx rekeys)" -ge "$2" ]; }

# At a soft limit with nothing staged, the key stays in use until a key arrives.
each_test_soft_limit_keeps_the_key()
{
	local words epoch=1

	setup_pair
	quiet
	for words in "rekey-frames 5" "rekey-bytes 500" "rekey-ms 1"; do
		# shellcheck disable=SC2086 # words
		link_set "$ns1" rekey-frames 0 rekey-bytes 0 rekey-ms 0 && link_set "$ns1" $words
		expect_eq "$words: answers" "$(ping_one_lane "$ns1" 12)" 12
		expect_soon "$words: overdue" ring_is "$ns1" tx overdue true
		expect_eq "$words: in use" "$(ring "$ns1" tx current_epoch) $(ring "$ns1" tx rekeys)" "$epoch $((epoch - 1))"
		epoch=$((epoch + 1))
		key_pass "$ns1" "$ns2" "$epoch"
		expect_eq "$words: at once" "$(ring "$ns1" tx current_epoch) $(ring "$ns1" tx overdue)" "$epoch false"
		expect_eq "$words: answers" "$(ping_one_lane "$ns1" 3)" 3
		expect_eq "$words: the receiver" "$(ring "$ns2" rx current_epoch)" "$epoch"
	done
	expect_nothing_dropped
}

each_test_on_command()
{
	setup_pair
	quiet
	expect_refused "nothing staged" "tx holds no staged key to rotate to" in_ns "$ns1" qlinkctl rotate qlink0
	expect_eq "in use" "$(ring "$ns1" tx current_epoch)" 1
	keys_pass "$ns1" "$ns2" 2 2
	expect_ok "rotate" in_ns "$ns1" qlinkctl rotate qlink0
	expect_eq "in use" "$(ring "$ns1" tx current_epoch) $(ring "$ns1" tx staged)" "2 1"
	expect_eq "answers" "$(ping_one_lane "$ns1" 3)" 3
	expect_eq "the receiver" "$(ring "$ns2" rx current_epoch)" 2
	expect_refused "no link" "not a qlink device" in_ns "$ns1" qlinkctl rotate lo
	expect_nothing_dropped
}

# A limit that is set while a key is in use applies to that key.
each_test_limits_of_a_key_in_use()
{
	setup_rekey 5
	expect_eq "answers" "$(ping_one_lane "$ns1" 5)" 5
	expect_eq "in use" "$(ring "$ns1" tx current_epoch)" 1
	link_set "$ns1" rekey-frames 4
	expect_eq "answers" "$(ping_one_lane "$ns1" 5)" 5
	expect_eq "in use" "$(ring "$ns1" tx current_epoch)" 2
	link_set "$ns1" rekey-frames 0 rekey-ms 1
	expect_soon "by age" ring_is "$ns1" tx current_epoch 3
	expect_nothing_dropped
}

# At a hard limit the next key takes over; without one the link is silent until a key arrives.
each_test_hard_seconds()
{
	setup_rekey 1
	# The keys of the answers are as old, and are kept for a grace longer.
	link_set "$ns1" hard-seconds 2 grace-ms 60000
	expect_eq "answers" "$(ping_one_lane "$ns1" 2)" 2
	expect_soon "the next" ring_is "$ns1" tx current_epoch 2
	expect_eq "answers" "$(ping_one_lane "$ns1" 2)" 2
	expect_soon "silence" carrier_is "$ns1" 0
	expect_eq "current" "$(ring "$ns1" tx current_epoch)" 0
	expect_ok "no key is left" has_no_keys "$ns1" tx
	expect_ok "one receive key is left" ring_is "$ns1" rx current_epoch 1
	link_set "$ns1" grace-ms 1000
	expect_soon "the key of the other direction is as old" has_no_keys "$ns1" rx
	key_pass "$ns2" "$ns1" 2
	expect_ok "rotate" in_ns "$ns2" qlinkctl rotate qlink0
	key_pass "$ns1" "$ns2" 3
	expect_soon "carrier" carrier_is "$ns1" 1
	expect_eq "answers" "$(ping_one_lane "$ns1" 2)" 2
}

has_no_keys() { [ "$(keys "$1" "direction=$2")" = 0 ]; }

# One direction runs out of keys and the other goes on, then both are out; new keys end it, and no earlier key is
# used again.
each_test_exhausted()
{
	local before n

	setup_pair
	quiet
	capture_start "$ns2" "$tmp/pcap"
	# 9 blocks per frame: three frames from here, five from there.
	small_frames "$ns1"
	small_frames "$ns2"
	key_pass "$ns1" "$ns2" 2 blocks=27
	key_pass "$ns2" "$ns1" 2 blocks=45
	for n in "$ns1" "$ns2"; do expect_ok "rotate" in_ns "$n" qlinkctl rotate qlink0; done
	expect_eq "answers" "$(ping_one_lane "$ns1" 3)" 3
	expect_eq "one more" "$(ping_one_lane "$ns1" 1)" 0
	expect_soon "carrier" carrier_is "$ns1" 0
	before=$(stats64 "$ns1" .rx.packets)
	expect_eq "answers" "$(ping_one_lane "$ns2" 2 "${inner[1]}")" 0
	expect_eq "frames still received" $(($(stats64 "$ns1" .rx.packets) - before)) 2
	expect_ok "carrier there" carrier_is "$ns2" 1
	expect_eq "one more" "$(ping_one_lane "$ns2" 1 "${inner[1]}")" 0
	expect_soon "carrier" carrier_is "$ns2" 0
	key_pass "$ns1" "$ns2" 3
	key_pass "$ns2" "$ns1" 3
	for n in "$ns1" "$ns2"; do expect_ok "carrier" carrier_is "$n" 1; done
	expect_soon "an answer" answers "$ns1"
	capture_stop "$tmp/pcap"
	decode_nonces "$tmp/pcap"
	expect_eq "sealed" "$(nonces 1 sealed) $(nonces 2 sealed)" "4 6"
	expect_eq "repeated nonces, frames of an older epoch" \
		"$(nonces 1 again) $(nonces 2 again) $(nonces 1 back) $(nonces 2 back)" "0 0 0 0"
	for n in "$ns1" "$ns2"; do expect_eq "$n: counters" "$(stats_nonzero "$n" | sed "s,:.*,,")" tx_no_key; done
}

answers() { [ "$(ping_one_lane "$1" 1)" = 1 ]; }

# Lanes take shares of what a key may seal, and the sum is exact: never more, and a lane leaves little unused.
each_test_blocks_over_two_lanes()
{
	local first second

	setup_pair
	quiet
	link_set "$ns2" grace-ms 60000
	keys_pass "$ns1" "$ns2" 2 9 blocks=900
	in_ns "$ns1" qlinkctl rotate qlink0
	in_ns "$ns1" taskset -c 0 ping -c 250 -i 0.005 -W 2 "${inner[2]}" >"$tmp/first" &
	first=$!
	in_ns "$ns1" taskset -c 1 ping -c 250 -i 0.005 -W 2 "${inner[2]}" >"$tmp/second" &
	second=$!
	wait "$first" "$second"
	expect_has "loss" "$(grep transmitted "$tmp/first")" "250 received"
	expect_has "loss" "$(grep transmitted "$tmp/second")" "250 received"
	# 9 blocks per frame: 100 frames per key, less what the other lane holds when one lane has no more.
	expect_eq "keys with more frames than they may seal" \
		"$(keys "$ns2" direction=rx 'frames>100')" 0
	expect_eq "frames in all" "$(sum "$(keys "$ns2" direction=rx frames)")" 500
	expect_eq "keys replaced early" \
		"$(keys "$ns2" direction=rx state=retired 'epoch>1' 'frames<90')" 0
	expect_nothing_dropped
}

# Thousands of keys, one per millisecond, with frames in both directions: none is lost, and no nonce is used twice.
each_test_one_key_per_millisecond()
{
	local n first second pings

	pings=$(scale 1500)
	setup_pair
	quiet
	link_set "$ns1" rekey-ms 1
	link_set "$ns2" rekey-ms 1
	keys_pass "$ns1" "$ns2" 2 3000
	keys_pass "$ns2" "$ns1" 2 3000
	capture_start "$ns2" "$tmp/pcap"
	in_ns "$ns1" ping -c "$pings" -i 0.002 -W "$deadline" "${inner[2]}" >"$tmp/first" &
	first=$!
	in_ns "$ns2" ping -c "$pings" -i 0.002 -W "$deadline" "${inner[1]}" >"$tmp/second" &
	second=$!
	wait "$first" "$second"
	capture_stop "$tmp/pcap"
	expect_has "loss" "$(grep transmitted "$tmp/first")" " 0% packet loss"
	expect_has "loss" "$(grep transmitted "$tmp/second")" " 0% packet loss"
	for n in "$ns1" "$ns2"; do
		expect_ok "$n: many rekeys" test "$(ring "$n" tx rekeys)" -gt $((pings / 5))
	done
	expect_nothing_dropped
	decode_capture $((4 * pings))
}

# decode_capture N: every frame of it opens, there are at least N, and no nonce is used twice.
decode_capture()
{
	local wire

	find_wire
	qlinkwire decode "$tmp/pcap" --keys "$tmp/keys" "${wire[@]}" >"$tmp/decoded"
	expect_eq "violations" "$(jq -c .violations "$tmp/decoded")" "[]"
	expect_ok "frames in it" test "$(jq .sealed "$tmp/decoded")" -ge "$1"
}

# TCP resends only segments that later segments show to be missing, not those that merely take long: an emulated
# machine may stall for a second.
patient_tcp()
{
	local n

	for n in "$ns1" "$ns2"; do
		in_ns "$n" sysctl -q net.ipv4.tcp_early_retrans=0
		# Data that waited until the last frame is freed would be sent from the CPU that frees it: over a veth, the
		# receiver's CPU.
		in_ns "$n" sysctl -q net.ipv4.tcp_autocorking=0 net.ipv4.tcp_pacing_ss_ratio=1000 net.ipv4.tcp_pacing_ca_ratio=1000
	done
	ip -n "$ns1" route replace "${inner[2]}" dev qlink0 rto_min 60s
	ip -n "$ns2" route replace "${inner[1]}" dev qlink0 rto_min 60s
	# Data that an acknowledgement releases is sent on the CPU that receives it: the CPU of the sender (flows.py).
	in_ns "$ns1" sh -c 'echo 1 >/sys/class/net/qlink0/queues/rx-0/rps_cpus'
	in_ns "$ns2" sh -c 'echo 2 >/sys/class/net/qlink0/queues/rx-0/rps_cpus'
	expect_eq "RPS" "$(in_ns "$ns1" cat /sys/class/net/qlink0/queues/rx-0/rps_cpus)" 1
}

# flows RECORDS PER_SECOND: both directions at once over UDP and TCP; no record may be missing or out of order. Writes
# to $tmp/mended what TCP resent or reordered.
flows()
{
	/usr/bin/python3 "$here/flows.py" "$ns1" "${inner[1]}" "$ns2" "${inner[2]}" "$1" "$2" >"$tmp/flows"
	expect_eq "lost by UDP and TCP" "$(jq -c 'select([.udp, .tcp | .. | numbers] | any(. != 0))' "$tmp/flows")" ""
	jq -c '.counted[] | select(any(. != 0))' "$tmp/flows" >>"$tmp/mended"
}

# foreign N LANE: frames of an end in lanes other than this one.
foreign() { nonces "$1" lanes | jq --arg lane "$2" '[to_entries[] | select(.key != $lane).value] | add // 0'; }

# expect_nothing_mended: TCP had nothing to reorder, unless its sender changed the CPU, which Linux does after a
# pause: that is another lane, and order is kept only within lanes.
expect_nothing_mended()
{
	local n_foreign=$(($(foreign 1 0) + $(foreign 2 $(($(nproc) - 1)))))

	if [ "$n_foreign" = 0 ]; then expect_eq "resent or reordered by TCP" "$(cat "$tmp/mended")" ""
	elif [ -s "$tmp/mended" ]; then echo "# $n_foreign frames from another CPU; TCP: $(tr '\n' ' ' <"$tmp/mended")"; fi
}

# feed EPOCH: installs keys in both directions, from EPOCH on, before they run out; until it is killed.
feed()
{
	local next=$1

	while :; do
		if [ "$(ring "$ns1" tx staged)" -lt 10000 ] || [ "$(ring "$ns2" tx staged)" -lt 10000 ]; then
			keys_pass "$ns1" "$ns2" "$next" 5000
			keys_pass "$ns2" "$ns1" "$next" 5000
			next=$((next + 5000))
		fi
		sleep 1
	done
}

# has_rekeyed N: both ends have used N keys.
has_rekeyed() { [ "$(ring "$ns1" tx rekeys)" -ge "$1" ] && [ "$(ring "$ns2" tx rekeys)" -ge "$1" ]; }

# Traffic while a hundred thousand keys are used (in make check: a thousand) is the same as under one key.
each_test_flows_under_many_keys()
{
	local n records rekeys before rounds=0

	records=$(scale 1000) rekeys=$records
	if [ "${QLINK_SOAK:-}" = 1 ]; then records=10000 rekeys=100000; fi
	setup_pair
	quiet
	patient_tcp
	capture_start "$ns2" "$tmp/pcap"
	flows "$(scale 300)" 150
	keys_pass "$ns1" "$ns2" 2 10000
	keys_pass "$ns2" "$ns1" 2 10000
	if [ "${QLINK_SOAK:-}" = 1 ]; then feed 10002 & defer kill $!; fi
	link_set "$ns1" rekey-ms 1
	link_set "$ns2" rekey-ms 1
	before=$(awk '/^MemAvailable/ { print $2 }' /proc/meminfo)
	# Each key seals at least one frame, so there are no more keys than frames.
	until has_rekeyed "$rekeys" || [ "$rounds" = 20 ]; do
		flows "$records" 150
		rounds=$((rounds + 1))
	done
	capture_stop "$tmp/pcap"
	expect_ok "rekeys" has_rekeyed "$rekeys"
	expect_nothing_dropped
	decode_nonces "$tmp/pcap"
	for n in 1 2; do
		expect_eq "$n: nonces used twice" "$(nonces "$n" again)" 0
		# With PREEMPT_RT, one sender may overtake another of its CPU between its number and its sending. Each flow
		# keeps its order, and the peer's window takes thousands of frames late.
		is_rt_kernel || expect_eq "$n: frames not in the order of their lane" "$(nonces "$n" back)" 0
		# A datagram is a frame; TCP may merge records.
		expect_ok "$n: frames" test "$(nonces "$n" sealed)" -ge $((rounds * records))
	done
	expect_nothing_mended
	if [ "${QLINK_SOAK:-}" = 1 ]; then echo "# $(ring "$ns1" tx rekeys) and $(ring "$ns2" tx rekeys) rekeys: $(jq -c .senders "$tmp/nonces")"; fi
	rm "$tmp/pcap"
	expect_ok "KiB sent meanwhile" test $((before - $(awk '/^MemAvailable/ { print $2 }' /proc/meminfo))) -lt 65536
}

debug_tests="by_age_udp one_key_per_millisecond_udp"
run_tests "$@"
