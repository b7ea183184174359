#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Agents that keep their chains in a file, and demand a chain: killed in any way, they go on without an operator; what
# the file had earlier is noticed.

# shellcheck source=sites.sh
. "$(dirname "$0")/sites.sh"

# keep_chains 1|2: adds a state file and its key to a configuration.
keep_chains()
{
	local dir=$tmp/${site[$1]}

	(umask 077; head -c 48 /dev/urandom >"$dir/state-key")
	sed -i "/^ audit-log /a\\ state $dir/state\\n state-key $dir/state-key" "$dir/conf"
}

# setup_kept [LINE…]: two sites that demand and keep chains, and whose operators have accepted the first ones.
setup_kept()
{
	local n

	setup_sites
	kmes_start "${rich[@]}"
	links_add
	for n in 1 2; do
		agent_conf "$n" "chain-required yes" "$@"
		keep_chains "$n"
		agent_start "$n"
	done
	expect_soon "no chain yet" logged 1 "no-chain "
	for n in 1 2; do
		expect_soon "accept" ctl "$n" chain accept qlink0
	done
	keep_busy
	expect_active hybrid
}

# times TEXT: how many lines of both logs contain TEXT.
times() { cat "$tmp"/[ab]/log | grep -cF -e "$1"; }
has_offers() { [ "$(link_status "$1" .counters.offers)" -ge "$2" ]; }
metric_of() { curl -s --unix-socket "$tmp/${site[$1]}/metrics" http://agent/metrics | grep "^$2 "; }

# Stopped and killed while keys change ten times a second.
test_agents_are_killed_and_keep_their_chains_eth()
{
	local n round signal blocked

	setup_kept "floor-ms 100"
	blocked=$(times "no-chain ")
	steady_start
	for round in 1 2; do
		for signal in TERM KILL; do
			for n in 1 2; do
				agent_kill "$n" "$signal"
				agent_start "$n"
				expect_soon "$signal $round: ready" link_status_is "$n" .phase ready || show_logs
				expect_soon "$signal $round: keys" has_offers "$n" 2
			done
		done
	done
	agent_kill 1
	agent_kill 2
	agent_start 1
	agent_start 2
	expect_soon "both: ready" link_status_is 1 .phase ready
	expect_soon "both: keys" has_offers 2 2
	steady_stop
	expect_eq "chains that restarted" "$(times "chain-restarted ")" 0
	expect_eq "blocked since" "$(times "no-chain ")" "$blocked"
	expect_eq "restored" "$(times "chain-restored link=qlink0")" 10
	expect_eq "damaged" "$(times "state-read ") $(grep -c 'state-read .* damaged=0 other-key=0' "$tmp/a/log")" "10 5"
	expect_eq "failing" "$(metric_of 1 qlinkd_state_failing)" "qlinkd_state_failing 0"
	expect_eq "links" "$(metric_of 1 qlinkd_state_links)" "qlinkd_state_links 1"
}

# The file of an earlier time, as from a backup or a thief.
test_an_old_file_is_noticed_udp()
{
	local blocked

	setup_kept
	agent_kill 2 TERM
	cp "$tmp/b/state" "$tmp/old"
	agent_start 2
	expect_soon "keys" has_offers 2 3
	expect_soon "keys of the other" has_offers 1 6
	blocked=$(times "no-chain ")
	agent_kill 2 TERM
	cp "$tmp/old" "$tmp/b/state"
	steady_start
	agent_start 2
	expect_soon "blocked" link_status_is 2 .phase blocked || show_logs
	expect_soon "at both ends" link_status_is 1 .phase blocked
	expect_eq "told at both" "$(times "no-chain ")" $((blocked + 2))
	expect_eq "restored what there was" "$(grep -cF 'chain-restored ' "$tmp/b/log")" 2
	expect_ok "accept" ctl 1 chain accept qlink0
	expect_ok "accept" ctl 2 chain accept qlink0
	expect_soon "ready" link_status_is 1 .phase ready
	steady_stop
	expect_soon "keys" has_offers 2 2
	expect_eq "chains that restarted" "$(($(times "chain-restarted ") > 0))" 1
}

run_tests "$@"
