#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What remains of keys that are gone: records, sums by source, the squares of what was sealed; and lists that report
# a change during the dump.

# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# records NS FILTER [AFTER]: applies a jq filter to the records of qlink0.
records() { in_ns "$1" qlinkctl -j record show qlink0 after "${3:-0}" | jq -c "$2"; }
records_are() { [ "$(records "$1" "$2")" = "$3" ]; }
uptime_ms() { awk '{ printf "%d", $1 * 1000 }' /proc/uptime; }

readonly kme=0123456789abcdef0123456789abcdef
readonly uuid=01234567-89ab-cdef-0123-456789abcdef

# A key that sealed five frames and one that opened them leave records; keys that were never used leave none.
each_test_record_of_a_used_key()
{
	local before bytes

	setup_pair
	quiet
	link_set "$ns2" grace-ms 1
	keys_pass "$ns1" "$ns2" 2 3 "id=$kme"
	expect_eq "none yet" "$(records "$ns1" .)$(records "$ns2" .)" "[][]"
	expect_ok "rotate" in_ns "$ns1" qlinkctl rotate qlink0
	before=$(uptime_ms)
	expect_eq "answers" "$(ping_one_lane "$ns1" 5)" 5
	bytes=$(keys "$ns1" direction=tx epoch=2 bytes)
	expect_ok "rotate" in_ns "$ns1" qlinkctl rotate qlink0
	expect_soon "record of the key that sealed" records_are "$ns1" length 1
	expect_eq "epoch 1 had no frame" "$(records "$ns1" '.[0] | [.number, .direction, .epoch, .source, .frames, .bytes]')" \
		"[1,\"tx\",2,\"static\",5,$bytes]"
	expect_eq "its KME key ID" "$(records "$ns1" '.[0].kme_key_id')" "\"$uuid\""
	expect_ok "first frame" test "$(records "$ns1" '.[0].first_ms')" -ge "$((before - 10))"
	expect_ok "last" test "$(records "$ns1" '.[0].last_ms')" -ge "$(records "$ns1" '.[0].first_ms')"
	expect_ok "not later than now" test "$(records "$ns1" '.[0].last_ms')" -le "$(uptime_ms)"
	expect_eq "answers" "$(ping_one_lane "$ns1" 2)" 2
	expect_soon "record of the key that opened" records_are "$ns2" length 1
	expect_eq "the same" "$(records "$ns2" '.[0] | [.direction, .epoch, .source, .frames, .bytes, .kme_key_id]')" \
		"[\"rx\",2,\"static\",5,$bytes,\"$uuid\"]"
	expect_ok "the other keys are deleted" in_ns "$ns1" qlinkctl key del qlink0 tx epoch 4
	expect_ok "the other keys are deleted" in_ns "$ns1" qlinkctl key del qlink0 tx epoch 3
	expect_soon "one more record" records_are "$ns1" '[.[] | [.number, .epoch, .frames]]' '[[1,2,5],[2,3,2]]'
	expect_eq "after the first" "$(records "$ns1" '[.[].number]' 1)" "[2]"
	expect_eq "after the last" "$(records "$ns1" . 2)$(records "$ns1" . 99)" "[][]"
	expect_has "text" "$(in_ns "$ns1" qlinkctl record show qlink0)" "$uuid"
}

# How many KMEs had a secret in a key stays in its record; events show it of the key in use.
test_record_of_a_key_of_three_kmes()
{
	under=udp
	setup_pair
	quiet
	link_set "$ns1" accept hybrid3,pqc,static
	link_set "$ns2" accept hybrid3,pqc,static grace-ms 1
	keys_pass "$ns1" "$ns2" 2 1 source=hybrid kmes=3
	keys_pass "$ns1" "$ns2" 3 1 source=pqc
	listen "$ns1" "$tmp/events"
	for n in 2 3; do
		expect_ok "rotate" in_ns "$ns1" qlinkctl rotate qlink0
		expect_eq "answers" "$(ping_one_lane "$ns1" "$n")" "$n"
		expect_soon "event" in_event "$n"
	done
	expect_eq "three" "$(jq -s 'map(select(.tx.current_epoch == 2).tx.current_kmes) | unique' -c "$tmp/events")" "[3]"
	expect_eq "none" "$(jq -s 'map(select(.tx.current_epoch == 3).tx.current_kmes) | unique' -c "$tmp/events")" "[0]"
	expect_soon "record" records_are "$ns1" length 1
	expect_eq "of the sender" "$(records "$ns1" '.[0] | [.epoch, .source, .kmes]')" '[2,"hybrid",3]'
	expect_soon "record" records_are "$ns2" length 1
	expect_eq "of the receiver" "$(records "$ns2" '.[0] | [.epoch, .source, .kmes]')" '[2,"hybrid",3]'
	expect_has "text" "$(in_ns "$ns1" qlinkctl record show qlink0)" " hybrid3 "
	link_set "$ns1" accept static
	expect_soon "record" records_are "$ns1" 'map(.kmes)' "[3,0]"
}

# in_event EPOCH: an event has come while this was the epoch of the active transmit key.
in_event() { jq -se --argjson epoch "$1" 'any(.[]; .tx.current_epoch == $epoch)' "$tmp/events"; }

# uses_keys N: sends more frames; N keys have been used.
uses_keys()
{
	in_ns "$ns1" ping -q -f -c 2000 "${inner[2]}" >"$tmp/ping"
	[ "$(ring "$ns1" tx current_epoch)" -gt "$1" ]
}

# More keys than records: the oldest are missing, and the numbers of the others show it.
test_more_than_are_kept()
{
	local n last

	under=eth
	setup_pair
	quiet
	keys_pass "$ns1" "$ns2" 2 9999
	link_set "$ns1" rekey-frames 1
	# While the transform of a key is not made yet, the key before it seals more frames.
	expect_soon "keys used" uses_keys 8250
	expect_soon "records" records_are "$ns1" 'length' 8192
	n=$(records "$ns1" '.[0].number')
	last=$(records "$ns1" '.[-1].number')
	expect_eq "from the oldest that is left" "$n" $((last - 8191))
	expect_ok "some are missing" test "$n" -gt 1
	expect_eq "none between them" "$(records "$ns1" '[.[].number] | . == [range(.[0]; .[0] + length)]')" true
	expect_has "text says so" "$(in_ns "$ns1" qlinkctl record show qlink0 | head -n 2)" "$((n - 1)) records are missing"
	expect_eq "the sum of all" "$(link_field "$ns1" .tx.usage.static.frames)" "$(stats64 "$ns1" .tx.packets)"
}

# usage NS tx|rx: frames by source, as {"qkd": 3, …}.
usage() { link_field "$1" ".$2.usage | map_values(.frames)" | tr -d ' \n'; }
usage_is() { [ "$(usage "$1" "$2")" = "$3" ]; }

# What keys were used for is summed by source, and stays when the keys are gone.
each_test_sums_by_source()
{
	local source epoch=1 bytes

	setup_pair
	quiet
	link_set "$ns1" accept qkd,hybrid,pqc,static
	link_set "$ns2" accept qkd,hybrid,pqc,static grace-ms 1
	for source in qkd hybrid pqc; do
		epoch=$((epoch + 1))
		keys_pass "$ns1" "$ns2" "$epoch" 1 "source=$source"
		expect_ok "rotate" in_ns "$ns1" qlinkctl rotate qlink0
		expect_eq "answers" "$(ping_one_lane "$ns1" "$epoch")" "$epoch"
	done
	expect_eq "sealed" "$(usage "$ns1" tx)" '{"qkd":2,"hybrid":3,"pqc":4}'
	expect_soon "opened" usage_is "$ns2" rx '{"qkd":2,"hybrid":3,"pqc":4}'
	bytes=$(link_field "$ns1" .tx.usage.pqc.bytes)
	expect_eq "bytes" "$bytes" $((4 * 98))
	link_set "$ns1" accept static
	expect_eq "the keys are gone" "$(keys "$ns1" direction=tx)" 0
	expect_eq "their sums remain" "$(usage "$ns1" tx) $(link_field "$ns1" .tx.usage.pqc.bytes)" \
		"{\"qkd\":2,\"hybrid\":3,\"pqc\":4} $bytes"
	expect_eq "ip shows it too" "$(ip -n "$ns1" -d -j link show qlink0 |
		jq -c '.[0].linkinfo.info_data.tx.usage | map_values(.frames)')" '{"qkd":2,"hybrid":3,"pqc":4}'
}

# Each key counts with the square of its blocks. When the sum exceeds a limit, one event reports it.
test_blocks_squared()
{
	local n sum=0

	under=udp
	setup_pair
	quiet
	listen "$ns1" "$tmp/events"
	keys_pass "$ns1" "$ns2" 2 8
	link_set "$ns1" blocks2-log2 18
	for n in 1 2 3 4; do
		# 98 bytes are 7 blocks, and two more for the tag: 540 of them are above 2^18.
		expect_eq "answers" "$(ping_one_lane "$ns1" 60)" 60
		sum=$((sum + (540 * 540 + 65535) / 65536))
		expect_eq "sum with the key in use" "$(link_field "$ns1" .blocks2)" "$sum"
		expect_ok "rotate" in_ns "$ns1" qlinkctl rotate qlink0
		expect_soon "sum without a key in use" link_field_is "$ns1" .blocks2 "$sum"
	done
	expect_soon "event" has_event "$tmp/events" blocks2-high
	expect_eq "once" "$(jq -s '[.[] | select(any(.kinds[]; . == "blocks2-high"))] | length' "$tmp/events")" 1
	expect_refused "too little" "from 16 to 79" in_ns "$ns1" qlinkctl set qlink0 blocks2-log2 15
	expect_refused "too much" "from 16 to 79" in_ns "$ns1" qlinkctl set qlink0 blocks2-log2 80
}

# Changes on request make a new generation; what the kernel does by itself does not.
test_generation()
{
	local n

	under=eth
	setup_pair
	quiet
	n=$(link_field "$ns1" .generation)
	keys_pass "$ns1" "$ns2" 2 4
	expect_eq "installed" "$(link_field "$ns1" .generation)" $((n + 1))
	expect_ok "rotate" in_ns "$ns1" qlinkctl rotate qlink0
	expect_eq "answers" "$(ping_one_lane "$ns1" 3)" 3
	expect_eq "rotated" "$(link_field "$ns1" .generation)" $((n + 1))
	expect_ok "delete" in_ns "$ns1" qlinkctl key del qlink0 tx epoch 5
	expect_eq "deleted" "$(link_field "$ns1" .generation)" $((n + 2))
	expect_refused "delete it again" "holds no epoch 5" in_ns "$ns1" qlinkctl key del qlink0 tx epoch 5
	expect_eq "refused" "$(link_field "$ns1" .generation)" $((n + 2))
	link_set "$ns1" accept qkd
	expect_eq "refused by policy" "$(link_field "$ns1" .generation)" $((n + 3))
	expect_eq "nothing to refuse" "$(link_set "$ns1" accept pqc; link_field "$ns1" .generation)" $((n + 3))
	link_set "$ns1" accept static
	keys_pass "$ns1" "$ns2" 10 2000
	expect_eq "dump interrupted by an install" "$(nlraw "$ns1" interrupt qlink0)" "interrupted"
	expect_eq "dump without an install" "$(nlraw "$ns1" interrupt qlink0 nothing)" "whole"
}

# protection NS: one word, then what is missing.
protection() { link_field "$1" '[.protection] + .lacks | join(" ")'; }

# How well a link protects its frames.
test_protection()
{
	under=udp
	setup_wire
	link_add 1
	link_add 2
	expect_eq "without a key" "$(protection "$ns1") $(link_field "$ns1" .state)" "blocked no-key"
	key_pass "$ns1" "$ns2" 1
	expect_eq "one way" "$(protection "$ns1")" "degraded no-rx-key"
	expect_has "text" "$(in_ns "$ns1" qlinkctl show qlink0)" "qlink0: degraded: no-rx-key"
	key_pass "$ns2" "$ns1" 1
	expect_eq "both ways" "$(protection "$ns1")" protected
	expect_has "text" "$(in_ns "$ns1" qlinkctl show qlink0)" "qlink0: protected"
	quiet
	expect_eq "answers" "$(ping_one_lane "$ns1" 3)" 3
	expect_eq "in use" "$(protection "$ns1")" protected
	link_set "$ns1" accept hybrid,static
	expect_eq "it could be better" "$(protection "$ns1")" "degraded tx-source rx-source"
	link_set "$ns1" accept static rekey-frames 1
	expect_eq "answers" "$(ping_one_lane "$ns1" 3)" 3
	expect_eq "it should be another" "$(protection "$ns1")" "degraded tx-overdue"
	expect_eq "ip shows it too" "$(ip -n "$ns1" -d -j link show qlink0 |
		jq -r '.[0].linkinfo.info_data | [.protection] + .lacks | join(" ")')" "degraded tx-overdue"
	ip -n "$ns1" link set qlink0 down
	expect_eq "down" "$(protection "$ns1")" blocked
	expect_has "text" "$(in_ns "$ns1" qlinkctl show qlink0)" "qlink0: blocked: admin-down"
}

run_tests "$@"
