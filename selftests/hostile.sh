#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A peer that has the keys and sends parcels to harm the receiver: each is counted as the model counts it, in bounded
# memory, and good frames pass afterwards.
#
# QLINK_SOAK=1 sends ten million of them instead of some thousands.

# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# Half of them go over each underlay, and half of these through a queue, which hands them over in bursts; over udp some
# come many in one packet. A soak sends others each time.
if [ "${QLINK_SOAK:-}" = 1 ]; then total=10000000 round=50000 seed=$((SRANDOM << 16))
elif is_debug_kernel; then total=16000 round=4000 seed=0
else total=100000 round=25000 seed=0; fi
# What 256 begins of the largest size take, 32 KiB each and what belongs to it; and what else comes and goes.
held_kib=8704 other_kib=2048

said() { jq "$1" "$tmp/said"; }
told() { jq -s "map($1) | add" "$tmp"/said.*; }

# send_hostile SEED EPOCH: a round under two new keys, from EPOCH on, of which the kernel at the other end knows nothing.
send_hostile()
{
	local epoch file words=()

	for epoch in "$2" $(($2 + 1)); do
		file=$(key_new "$epoch.key")
		key_add "$ns2" rx "$epoch" "$file" || { fail "key $epoch"; return 1; }
		words+=("$epoch" "$file")
	done
	if ! "$here/hostilesender" "$under" "$ns1" "$ns2" "$1" "$round" "${words[@]}" >"$tmp/said" 2>&1; then
		fail "seed $1: $(cat "$tmp/said")"
		return 1
	fi
	cp "$tmp/said" "$tmp/said.$1"
	rm "${words[1]}" "${words[3]}"
}

# expect_bounded_memory: of the last round. The debug kernel keeps what is freed for a while, and finds leaks itself.
expect_bounded_memory()
{
	is_debug_kernel && return
	expect_ok "held while parcels come, in KiB: $(said .kib)" test "$(said '.kib.most - .kib.first')" -le $((held_kib + other_kib))
	expect_ok "all begins are held" test "$(said '.kib.full - .kib.first')" -ge $((held_kib - other_kib))
	expect_ok "no more than one for each lane" test "$(said '.kib.fuller - .kib.first')" -le $((held_kib + other_kib))
	expect_ok "given back" test "$(said '.kib.last - .kib.first')" -le "$other_kib"
}

# send_rounds FIRST COUNT: numbers of rounds; each has a seed of its own.
send_rounds()
{
	local n

	for ((n = $1; n < $1 + $2; n++)); do
		send_hostile $((seed + n)) $((2 * n)) || return
		expect_bounded_memory
	done
}

each_test_peer_with_keys()
{
	local n=$((total / 4 / round)) counter ns

	modprobe sch_netem || skip "needs sch_netem"
	setup_pair 65535
	quiet
	for ns in "$ns1" "$ns2"; do expect_ok "whole bundles" in_ns "$ns" ethtool -K veth0 tx-udp-segmentation on; done
	link_set "$ns2" grace-ms 60000
	send_rounds 1 "$n" || return
	expect_ok "a queue" tc -n "$ns1" qdisc add dev veth0 root netem limit 10000 delay 1ms
	send_rounds $((n + 1)) "$n" || return
	tc -n "$ns1" qdisc del dev veth0 root
	for counter in rx_parcels rx_parcel_bad rx_cut_lost rx_cut_late rx_short rx_bad_inner rx_keepalive rx_replay rx_old; do
		expect_ok "$counter" test "$(told ".$counter")" -gt 0
	done
	expect_ok "frames delivered" test "$(told .frames)" -gt $((n * round / 4))
	expect_ok "slow batches: $(told .slow) of $(told .batches)" test "$(told .slow)" -le "$(told '.batches / 10 | floor')"
	key_pass "$ns1" "$ns2" $((4 * n + 2))
	expect_ok "a new key" in_ns "$ns1" qlinkctl rotate qlink0
	echo "$(told .parcels) parcels in $(told .seconds) s, memory in KiB: $(jq -c .kib "$tmp/said")"
	expect_ok "ping" in_ns "$ns1" ping -q -c 3 -i 0.01 -W "$deadline" "${inner[2]}"
}

debug_tests="peer_with_keys_eth"
run_tests "$@"
