#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Two sites whose KMEs bear the requests of one end at a time.

# shellcheck source=sites.sh
. "$(dirname "$0")/sites.sh"

kmes_status() { qlink-kmesim -s "$tmp/kmesim" status; }

# met: requests for keys that met one of the other end, at both KMEs together.
met() { kmes_status | jq '.a.met + .b.met'; }
have_met() { [ "$(met)" -gt 0 ]; }

# has_keys N: each end has had N keys at least from its KME, and has fetched as many of the peer.
has_keys()
{
	kmes_status | jq -e --argjson n "$1" '[.a, .b | .keys | .enc_keys, .dec_keys] | min >= $n' >/dev/null
}

# Requests never meet as long as the ends take turns, and keys keep coming. Once a reload ends the turns, they meet;
# frames go on.
test_ends_take_turns_at_kmes_that_bear_one_udp()
{
	local n

	setup_sites
	kmes_start "${rich[@]}"
	for n in a b; do
		kmes set "$n" one-end yes
		kmes set "$n" ms-per-key 20
	done
	links_add
	for n in 1 2; do
		agent_conf "$n" "floor-ms 200" "store 60"
		sed -i 's/^kme rack$/&\n turn-ms 6000/' "$tmp/${site[n]}/conf"
		agent_start "$n"
	done
	keep_busy
	expect_active hybrid
	steady_start
	expect_ok "keys, and those of the peer" busywait $((3 * deadline)) has_keys 20
	echo "# $(kmes_status | jq -c '[.a, .b | {keys, requests}]')"
	expect_eq "requests that met" "$(met)" 0
	expect_ok "still hybrid" active hybrid
	kmes set a ms-per-key 100
	kmes set b ms-per-key 100
	for n in 1 2; do
		expect_eq "site ${site[n]}: KME" "$(link_status "$n" '.kmes[0].health')" up
		sed -i '/turn-ms/d' "$tmp/${site[n]}/conf"
		expect_ok "reload" ctl "$n" reload
	done
	expect_ok "requests meet without turns" busywait $((3 * deadline)) have_met
	steady_stop
}

run_tests "$@"
