#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A CPU goes offline and returns under traffic: every lost frame is counted, and the CPU's lane goes on where it was.

in_every_share=yes
needs_cpus=2
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=traffic.sh
. "$(dirname "$0")/traffic.sh"

readonly cpu=1
online() { echo "$1" >/sys/devices/system/cpu/cpu$cpu/online; }
need_cpus() { [ -w /sys/devices/system/cpu/cpu$cpu/online ] || skip "needs a second CPU that can be switched off"; }
frames_of() { sum "$(keys "$1" "direction=$2" frames)"; }
all_arrived() { [ "$(frames_of "$ns1" tx)" = "$(frames_of "$ns2" rx)" ] && [ "$(frames_of "$ns2" tx)" = "$(frames_of "$ns1" rx)" ]; }
has_sealed() { [ "$(frames_of "$1" tx)" -ge "$2" ]; }
on_cpu() { taskset -c $cpu ip netns exec "$@"; }

# goes_on NS: a hundred more frames.
goes_on() { expect_soon "frames go on" has_sealed "$1" $(($(frames_of "$1" tx) + 100)); }

test_lanes_go_on()
{
	local flooders=() round

	need_cpus
	defer online 1
	under=udp
	setup_pair
	quiet
	capture_start "$ns2" "$tmp/all.pcap"
	expect_ok "lane $cpu" on_cpu "$ns1" ping -q -c 20 -i 0.002 -W 2 "${inner[2]}"
	pinging "$ns1" "${inner[2]}"
	flooders+=($!)
	pinging "$ns2" "${inner[1]}"
	flooders+=($!)
	for round in 1 2; do
		expect_ok "off" online 0
		goes_on "$ns1"
		expect_ok "on" online 1
		expect_ok "lane $cpu, round $round" on_cpu "$ns1" ping -q -c 10 -i 0.002 -W 2 "${inner[2]}"
		goes_on "$ns2"
	done
	kill "${flooders[@]}"
	wait "${flooders[@]}"
	expect_soon "every frame sealed is opened" all_arrived
	expect_nothing_dropped
	capture_stop "$tmp/all.pcap"
	# Within a lane, sequences only grow, by one each.
	decode all
	expect_eq "violations" "$(json all .n_violations)" 0
}

# A key has lanes for all possible CPUs, including those that are offline.
each_test_keys_arrive_while_cpu_is_offline()
{
	need_cpus
	defer online 1
	setup_pair
	quiet
	expect_ok "off" online 0
	key_pass "$ns1" "$ns2" 2
	key_pass "$ns2" "$ns1" 2
	in_ns "$ns1" qlinkctl key del qlink0 tx epoch 1
	expect_ok "off: ping" in_ns "$ns1" ping -q -c 2 -i 0.01 -W 2 "${inner[2]}"
	expect_ok "on" online 1
	expect_ok "on: ping" on_cpu "$ns1" ping -q -c 5 -i 0.01 -W 2 "${inner[2]}"
	expect_soon "every frame sealed is opened" all_arrived
	expect_nothing_dropped
}

debug_tests="keys_arrive_while_cpu_is_offline_udp"
run_tests "$@"
