# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What a key costs the agents of both ends, with one KME and with two mixed ones: prints, and asserts nothing of it.
#
# In a VM whose clock counts instructions (scripts/agentcost) the times are instructions, and do not depend on load.

# shellcheck source=mixed.sh
. "$(dirname "$0")/mixed.sh"

# Keys to measure over, agreed on at both ends together; they come in offers of 64.
readonly keys=3000

# cpu_ns: what all processes of both agents have used so far.
cpu_ns()
{
	local pid sum=0 used

	for pid in $(pgrep -x qlinkd); do
		read -r used _ </proc/"$pid"/schedstat && sum=$((sum + used))
	done
	echo "$sum"
}

boot_ms() { local up; read -r up _ </proc/uptime; echo "${up/./}0"; }
agreed() { echo $(($(link_status 1 .counters.tx_keys.hybrid) + $(link_status 2 .counters.tx_keys.hybrid))); }
has_agreed() { [ "$(agreed)" -ge "$1" ]; }

# The rings and the stores are full, so that what they take at the start does not count: from then on, keys are agreed
# on as fast as frames use them up.
is_full() { link_status_is "$1" '.tx.staged >= 750 and ([.kmes[].stock] | min) >= 300' true; }

measure()
{
	local from used offers ms

	for n in 1 2; do expect_ok "stock" busywait 300 is_full "$n"; done
	from=$(agreed) used=$(cpu_ns) offers=$(($(offers 1) + $(offers 2))) ms=$(boot_ms)
	expect_ok "keys" busywait 600 has_agreed $((from + keys))
	used=$(($(cpu_ns) - used)) from=$(($(agreed) - from)) offers=$(($(offers 1) + $(offers 2) - offers)) ms=$(($(boot_ms) - ms))
	echo "# $1: $((used / from)) ns of CPU a key, at both agents together"
	echo "# $((from / offers)) keys an offer; $((from * 1000 / ms)) keys a second; period $(link_status 1 .period_ms) ms"
}

test_cost_with_one_kme_udp()
{
	setup_running "floor-ms 20" "ceiling-ms 20" "store 500" "outage-cover 300"
	measure "one KME"
}

test_cost_with_two_kmes_udp()
{
	setup_mixed "floor-ms 20" "ceiling-ms 20" "store 500" "outage-cover 300" "mix-least 2"
	measure "two KMEs"
}

run_tests "$@"
