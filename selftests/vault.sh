#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The agents of two sites without any key server: their keys come from a vault that was carried to both.

# shellcheck source=sites.sh
. "$(dirname "$0")/sites.sh"

# vault FILE: its path at each site is $tmp/a/vault and $tmp/b/vault; this is what qlink-vault says.
vault() { expect_ok "qlink-vault $1" qlink-vault "$1" "$tmp/$2/vault" --key "$tmp/$2/vault-key" "${@:3}"; }

# vault_left a|b: how many keys a site has left of its own half.
vault_left() { qlink-vault show "$tmp/$1/vault" --key "$tmp/$1/vault-key" --json | jq ".$1.left"; }

# setup_vault KEYS [LINE…]: two sites that are protected by keys from a vault.
setup_vault()
{
	local n

	setup_sites
	vaults_make "$1"
	links_add
	for n in 1 2; do
		vault_conf "$n" "policy hybrid-required" "reserve 0" "${@:2}"
		agent_start "$n"
	done
	keep_busy
	expect_active hybrid
}

each_test_keyed_by_a_vault_alone()
{
	setup_vault 2000 "floor-ms 50" "ceiling-ms 1000"
	steady_start
	expect_soon "keys change" has_rekeys 5
	expect_soon "state" link_status_is 1 '"\(.phase) \(.protection) \(.source)"' "ready protected hybrid"
	expect_soon "up" link_status_is 1 '.kmes[0].health' up
	expect_soon "counted" link_status_is 1 '.kmes[0].stored < 1000' true
	expect_has "check" "$(ctl 1 kme check rack)" "$tmp/a/vault"
	steady_stop
	expect_eq "wrong" "$(link_status 1 .counters.violations) $(link_status 2 .counters.violations)" "0 0"
	vault check a
	vault check b
}

# has_rekeys N: each ring has had at least N rekeys.
has_rekeys()
{
	[ "$(ring "$ns1" tx rekeys)" -ge "$1" ] && [ "$(ring "$ns2" tx rekeys)" -ge "$1" ]
}

# Agents are killed at any moment: frames go on, with other keys, and the ends stay in step.
test_agents_are_killed_udp()
{
	local n round before

	setup_vault 20000 "floor-ms 50" "ceiling-ms 500"
	steady_start
	for round in 1 2 3; do
		for n in 1 2; do
			before=$(vault_left "${site[n]}")
			agent_kill "$n"
			expect_ok "no more than was given out is lost" test "$((before - $(vault_left "${site[n]}")))" -le 128
			agent_start "$n"
			expect_soon "ready $round" link_status_is "$n" .phase ready
		done
	done
	expect_active hybrid
	steady_stop
	! logged 1 "out of step" || fail "a: out of step"
	! logged 2 "out of step" || fail "b: out of step"
	vault check a
	vault check b
}

# A host is lost with its audit log, and its vault comes from the courier's copy: the other end refuses keys that it has
# spent, and says what to do.
test_older_copy_is_refused_and_mended_udp()
{
	local next

	setup_vault 2000 "floor-ms 50" "ceiling-ms 200"
	expect_soon "keys change" has_rekeys 80
	agent_kill 1
	rm -r "$tmp/a/vault.index" "$tmp/a/audit"
	cp -p "$tmp/vault" "$tmp/a/vault"
	agent_start 1
	expect_ok "named" busywait $((3 * deadline)) logged 2 "the ends are out of step" || show_logs
	next=$(sed -nE 's/.*qlink-vault skip FILE --key KEYFILE --to ([0-9a-z-]+).*/\1/p' "$tmp/b/log" | tail -n 1)
	vault skip a --to "$next"
	expect_ok "goes on" busywait $((6 * deadline)) rekeys_go_on || show_logs
	expect_active hybrid
	vault check a
}

# rekeys_go_on: site a has begun to use a key that it agreed on after the first call.
rekeys_go_on()
{
	: "${rekeys_before:=$(ring "$ns1" tx rekeys)}"
	[ "$(ring "$ns1" tx rekeys)" -gt $((rekeys_before + 3)) ]
}

# A vault that cannot be used: hybrid-required blocks, and the log says why; as soon as it is there, all goes on.
test_vault_comes_later_eth()
{
	local n

	setup_sites
	vaults_make 200
	mv "$tmp/a/vault" "$tmp/a/away"
	links_add
	for n in 1 2; do
		vault_conf "$n" "policy hybrid-required"
		agent_start "$n"
	done
	keep_busy
	expect_soon "named" logged 1 "vault $tmp/a/vault: does not exist"
	expect_soon "down" link_status_is 1 '.kmes[0].health' down
	mv "$tmp/a/away" "$tmp/a/vault"
	expect_active hybrid
}

# shellcheck disable=SC2034 # for ktap.sh
debug_tests="keyed_by_a_vault_alone_eth older_copy_is_refused_and_mended_udp"
run_tests "$@"
