#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Faults on the agents' connection: a record is lost, altered, duplicated, delayed or cut, at any place. Frames go on,
# and the next offer works.

# shellcheck source=sites.sh
. "$(dirname "$0")/sites.sh"

readonly between=7599

# plan STEP: every STEPth of all possible faults, in proxy.py's format. A handshake takes four records from each end,
# and a first agreement on both directions about ten.
plan()
{
	local way nth fault n=0

	for nth in {0..15}; do
		for way in out in; do
			for fault in lose alter twice swap late cut; do
				[ $((n++ % $1)) != 0 ] || echo "$way $nth $fault"
			done
		done
	done
}

# proxy_start: at site a, before the agent's own port. It follows the plan once it is told to; $tmp/done lists what
# it did.
proxy_start()
{
	ip netns exec "$ns1" /usr/bin/python3 "$here/proxy.py" "${channel[1]}" "$between" "${channel[1]}" 7511 \
		<"$tmp/plan" >"$tmp/done" &
	proxy=$!
	defer kill "$proxy"
	expect_soon "the proxy listens" grep -q listening "$tmp/done"
}

# The agents of two sites; site b connects to site a through the proxy.
setup_proxied()
{
	setup_sites
	kmes_start "${rich[@]}"
	links_add
	agent_conf 1 "$@"
	agent_conf 2 "$@"
	sed -i "s,^ address .*, address ${channel[1]}:$between," "$tmp/b/conf"
	proxy_start
	agent_start 1
	agent_start 2
	keep_busy
	expect_active hybrid
}

all_done() { grep -q "all done" "$tmp/done"; }

# Each fault at most ends a connection: both ends hold the same keys, and the next offer works.
test_records_are_damaged_udp()
{
	# This step has no factor in common with the number of faults, so that every kind occurs.
	local n proxy before step=7

	[ "${QLINK_SOAK:-}" != 1 ] || step=1
	plan "$step" >"$tmp/plan"
	setup_proxied "floor-ms 100" "ceiling-ms 100"
	steady_start
	before="$(stats "$ns1") $(stats "$ns2")"
	kill -USR1 "$proxy"
	expect_ok "all of it done" busywait $((2400 / step + 60)) all_done
	all_done || { tail -n 1 "$tmp/done"; show_logs; }
	expect_soon "connected" status_is 2 '.peers[0].connected' true
	for n in 1 2; do expect_soon "ready" link_status_is "$n" .phase ready; done
	for n in 1 2; do expect_ok "new keys" busywait $((3 * deadline)) more_offers "$n" "$(offers "$n")"; done
	expect_active hybrid
	steady_stop
	expect_eq "dropped" "$(stats "$ns1") $(stats "$ns2")" "$before"
	expect_ok "connections" test "$(status 1 '.peers[0].connections')" -gt 1
	expect_eq "violations" "$(link_status 1 .counters.violations) $(link_status 2 .counters.violations)" "0 0"
	echo "# $(wc -l <"$tmp/plan") faults, $(status 1 '.peers[0].connections') connections, refused: $(status 1 '[.refused | to_entries[] | select(.value > 0)] | from_entries | tostring')"
}

# Agents that cannot reach each other: staged keys are used up, then the last key stays in use.
test_connection_is_cut_udp()
{
	local cut

	setup_running "floor-ms 100"
	steady_start
	ip -n "$ns1" link set veth1 down
	cut=${EPOCHREALTIME/./}
	expect_soon "seen" status_is 1 '.peers[0].connected' false
	expect_soon "all are used" ring_is "$ns1" tx staged 0
	[ "${QLINK_SOAK:-}" != 1 ] || expect_ok "cut for a minute" busywait 100 has_gone_by "$cut" 60
	ip -n "$ns1" link set veth1 up
	expect_soon "again" status_is 1 '.peers[0].connected' true
	expect_soon "ready" link_status_is 1 .phase ready
	expect_soon "and new keys" more_offers 1 "$(offers 1)"
	steady_stop
}

run_tests "$@"
