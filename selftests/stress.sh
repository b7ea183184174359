#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Several tasks create, key, use, change, list and delete links at once; every frame is received or counted.
#
# QLINK_SOAK=1 runs it for hours instead of seconds, with a file of 1 GB instead of 4 MB.

needs_cpus=2
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

if [ "${QLINK_SOAK:-}" = 1 ]; then rounds=2000 mib=1024 hostile=40000; elif is_debug_kernel; then rounds=2 mib=1 hostile=1000; else rounds=8 mib=4 hostile=6000; fi
deadline_all=$((120 + rounds * 10))

port_drops() { in_ns "$1" qlinkctl -j show qlink0 | jq '[.[0].port[]] | add'; }

# conserved FROM TO: each frame that one end sent was received or counted by the other.
conserved()
{
	[ "$(stats64 "$1" .tx.packets)" = "$(($(stats64 "$2" '.rx.packets + .rx.errors + .rx.dropped') + $(port_drops "$2")))" ]
}

busy() { "$@" >"$tmp/$1.${#workers[@]}.log" 2>&1 & workers+=("$! $1.${#workers[@]}"); defer kill $!; }

# Installs new keys for both directions, again and again.
rekey()
{
	local epoch

	for ((epoch = 2; epoch < 2 + rounds; epoch++)); do
		key_pass "$ns1" "$ns2" "$epoch" || return
		in_ns "$ns1" qlinkctl key del qlink0 tx epoch $((epoch - 1)) || return
		key_pass "$ns2" "$ns1" "$epoch" || return
		in_ns "$ns2" qlinkctl key del qlink0 tx epoch $((epoch - 1)) || return
	done
}

# Creates and deletes another link between the same two hosts, with keys.
come_and_go()
{
	local i ns

	for ((i = 0; i < rounds; i++)); do
		for ns in "$ns1" "$ns2"; do
			ip -n "$ns" link add link veth0 name qlink9 type qlink id 9 peer "${mac[3]}" accept static || return
			dev=qlink9 key_add "$ns" tx 1 "$(key_new "$ns.stress")" || return
			ip -n "$ns" link set qlink9 up || return
		done
		ip -n "$ns1" link del qlink9 || return
		ip -n "$ns2" link del qlink9 || return
	done
}

change()
{
	local i

	for ((i = 0; i < rounds; i++)); do
		ip -n "$ns1" link set qlink0 mtu $((1200 + i % 100)) || return
		in_ns "$ns2" qlinkctl set qlink0 accept static,qkd || return
		in_ns "$ns2" qlinkctl set qlink0 accept static || return
		ip -n "$ns2" link set qlink0 address 02:00:00:00:01:02 || return
	done
}

look()
{
	local i ns

	for ((i = 0; i < rounds; i++)); do
		for ns in "$ns1" "$ns2"; do
			in_ns "$ns" qlinkctl show && in_ns "$ns" qlinkctl key show qlink0 && ip -n "$ns" -d -s link show || return
		done
	done
}

each_test_all_at_once()
{
	local workers=() worker flood=() status n ns

	setup_pair
	quiet
	for n in 1 2; do
		ns=ns$n
		pinging "${!ns}" "${inner[3 - n]}" "$deadline_all"
		flood+=($!)
	done
	for worker in rekey $([ "$under" = udp ] || echo come_and_go) change look look; do busy "$worker"; done
	for worker in "${workers[@]}"; do
		wait "${worker% *}"
		status=$?
		[ "$status" = 0 ] || tail -n 5 "$tmp/${worker#* }.log"
		expect_eq "status of ${worker#* }" "$status" 0
	done
	kill "${flood[@]}"
	wait "${flood[@]}"
	expect_soon "one way: received or counted" conserved "$ns1" "$ns2"
	expect_soon "the other" conserved "$ns2" "$ns1"
	expect_nothing_dropped
	expect_eq "links" "$(ip -n "$ns1" -o link show type qlink | wc -l)" 1
	expect_ok "ping" in_ns "$ns1" ping -q -c 1 -W 2 "${inner[2]}"
}

each_test_a_big_file()
{
	local receiver

	setup_pair
	in_ns "$ns2" sh -c 'socat -u TCP-LISTEN:5001,reuseaddr STDOUT | sha256sum' >"$tmp/received" &
	receiver=$!
	defer kill "$receiver"
	expect_soon "receiver" sh -c "ip netns exec $ns2 ss -Hltn | grep -q :5001"
	head -c "${mib}M" /dev/urandom | tee >(sha256sum >"$tmp/sent") |
		in_ns "$ns1" socat -u STDIN "TCP:${inner[2]}:5001"
	wait "$receiver"
	expect_soon "hash of what was sent" test -s "$tmp/sent"
	expect_eq "hash of what was received" "$(cat "$tmp/received")" "$(cat "$tmp/sent")"
	expect_nothing_dropped
}

# A peer that has the keys sends parts of one frame to two CPUs at once. Each parcel is received, and no more is held than
# one begin of 32 KiB for each of 256 lanes.
each_test_hostile_parts_on_two_cpus()
{
	local epoch words=()

	setup_pair 65535
	quiet
	link_set "$ns2" grace-ms 60000
	for epoch in 2 3; do
		words+=("$epoch" "$(key_new "$epoch.key")")
		key_add "$ns2" rx "${words[@]: -2}" || fail "key $epoch"
	done
	expect_ok "all are received" send_crowd "${words[@]}"
	if ! is_debug_kernel; then
		expect_ok "held" test "$(crowd '.kib.full - .kib.first')" -le $((8704 + 4096))
		expect_ok "given back: $(crowd -c .kib)" test "$(crowd '.kib.last - .kib.first')" -le 4096
	fi
	expect_ok "frames" test "$(crowd .frames)" -gt 0
	expect_ok "begins lost" test "$(crowd .lost)" -ge 256
	key_pass "$ns1" "$ns2" 4
	expect_ok "a new key" in_ns "$ns1" qlinkctl rotate qlink0
	expect_ok "ping" in_ns "$ns1" ping -q -c 3 -i 0.01 -W "$deadline" "${inner[2]}"
}

crowd() { jq "$@" "$tmp/crowd"; }
send_crowd()
{
	timeout "$deadline_all" "$here/hostilecrowd" "$under" "$ns1" "$ns2" 7 "$hostile" "$@" >"$tmp/crowd" 2>&1 ||
		{ cat "$tmp/crowd"; return 1; }
}

debug_tests="all_at_once_eth hostile_parts_on_two_cpus_udp"
run_tests "$@"
