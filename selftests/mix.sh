#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Keys with secrets of several KMEs, and what else an end demands of them: a pre-shared secret, suite 2.

# shellcheck source=mixed.sh
. "$(dirname "$0")/mixed.sh"

# What most tests add to the link: few keys in stock and staged, so that a KME that stops is soon missed.
readonly short=("floor-ms 100" "ceiling-ms 200" "store 40" "outage-cover 10")

# key_ids 1|2 EVENT KME: the IDs that the audit log of a site has for a KME.
key_ids()
{
	jq -r "select(.event == \"$2\" and .direction == \"tx\" and .kme == \"$3\") | .kme_key_ids[]" "$tmp/${site[$1]}"/audit/audit-*.jsonl
}

has_ids() { [ "$(key_ids 1 "$1" "$2" | wc -l)" -gt 3 ]; }

test_each_key_has_secrets_of_both_kmes_eth()
{
	local n direction

	setup_mixed "${short[@]}" "mix-least 2"
	steady_start
	expect_eq "the kernel demands" "$(link_field "$ns1" '"\(.accept | sort | join(",")) \(.accept_kmes)"')" "hybrid,pqc 2"
	expect_eq "status" "$(link_status 1 '"\(.mix) \(.mix_least) \(.tx_kmes) \(.rx_kmes)"')" "true 2 2 2"
	for n in 1 2; do
		for direction in tx rx; do
			expect_soon "in use" link_field_is "$(site_ns "$n")" ".$direction | \"\(.current_source) \(.current_kmes)\"" \
				"hybrid 2"
		done
	done
	expect_soon "IDs of the first KME" has_ids installed 1/KME-A
	expect_soon "IDs of the second" has_ids mixed 2/KME-A
	expect_eq "IDs of both" "$(comm -12 <(key_ids 1 installed 1/KME-A | sort) <(key_ids 1 mixed 2/KME-A | sort))" ""
	expect_refused "a key of one KME" "kmes" in_ns "$ns1" qlinkctl key add qlink0 tx epoch 999999 source hybrid kmes 1 \
		file "$(key_new one)"
	steady_stop
}

# Either KME is stopped, hangs, gives nonsense, other keys, or is restarted: frames go on, under keys of the other.
test_either_kme_may_fail_udp()
{
	local which fault

	setup_mixed "${short[@]}"
	steady_start
	for which in kmes satellite; do
		for fault in hang garbage; do
			"$which" fault a "$fault"
			expect_mixed 1
			"$which" clear a
			expect_mixed 2
		done
		"$which" stop b
		expect_mixed 1
		"$which" start b
		expect_mixed 2
	done
	expect_eq "changes of source" "$(link_status 1 .counters.source_changes)" 0
	expect_ok "logged" logged 1 "kmes-changed link=qlink0 direction=tx from=2 to=1"
	steady_stop
}

# The satellite's keys differ at one end: no such key is used, and the link goes on without it.
test_kme_that_lies_gives_no_key_udp()
{
	setup_mixed "${short[@]}"
	steady_start
	satellite fault b wrong-key op dec_keys
	expect_soon "noticed" logged 1 "session-failed link=qlink0 reason=confirm"
	satellite clear b
	expect_mixed 2
	steady_stop
}

# With too few KMEs there is no hybrid key: hybrid-required makes none, prefer-hybrid falls back; and both return.
test_fewer_kmes_than_demanded_eth()
{
	setup_mixed "${short[@]}" "mix-least 2" "policy hybrid-required"
	satellite stop a
	satellite stop b
	# Those that are staged are used first.
	expect_ok "no keys" busywait $((4 * deadline)) link_status_is 1 '"\(.source) \(.usable)"' "null 0"
	expect_ok "logged" logged 1 "source-changed link=qlink0 from=hybrid to=none"
	expect_eq "the kernel" "$(ring "$ns1" tx current_source)" hybrid
	satellite start a
	satellite start b
	expect_soon "back" link_status_is 1 .source hybrid
	expect_mixed 2
}

test_fewer_kmes_than_demanded_fall_back_udp()
{
	local n

	setup_mixed "${short[@]}" "mix-least 2"
	steady_start
	satellite stop a
	satellite stop b
	for n in 1 2; do expect_ok "falls back" busywait $((4 * deadline)) link_status_is "$n" '"\(.source) \(.tx_kmes) \(.rx_kmes)"' "pqc 0 0"; done
	expect_active pqc
	satellite start a
	satellite start b
	expect_mixed 2
	steady_stop
}

make_psk() { head -c 48 /dev/urandom >"$1" && chmod 600 "$1"; }

# A pre-shared secret: in use, other than the peer's, and mended by a reload.
test_pre_shared_secret_eth()
{
	local n

	setup_sites
	kmes_start "${rich[@]}"
	links_add
	make_psk "$tmp/a/psk"
	make_psk "$tmp/b/psk"
	for n in 1 2; do
		agent_conf "$n" "psk $tmp/${site[n]}/psk"
		agent_start "$n"
	done
	for n in 1 2; do
		expect_soon "blocked" link_status_is "$n" .phase blocked
		expect_ok "named" logged "$n" "psk-differs link=qlink0 why=\"the pre-shared secrets (psk) of the two ends differ"
		expect_eq "keys" "$(ring "$(site_ns "$n")" tx newest_epoch)" 0
	done
	cp "$tmp/a/psk" "$tmp/b/psk"
	expect_ok "reload" ctl 2 reload
	keep_busy
	expect_active hybrid
	expect_eq "status" "$(link_status 1 .psk)" true
	# A reload of the same bytes disturbs nothing.
	n=$(link_status 1 .counters.sessions)
	expect_ok "reload" ctl 1 reload
	expect_eq "sessions" "$(link_status 1 .counters.sessions)" "$n"
	sed -i '/ psk /d' "$tmp/b/conf"
	expect_ok "reload" ctl 2 reload
	expect_soon "blocked" link_status_is 1 .phase blocked
	expect_ok "named" logged 1 "this end has a pre-shared secret (psk) for this link, the peer has none"
	expect_ok "named there" logged 2 "the peer has a pre-shared secret (psk) for this link, this end has none"
}

test_suite_2_udp()
{
	local n

	setup_sites
	kmes_start "${rich[@]}"
	links_add
	(
		mkdir "$tmp/pki2" && cd "$tmp/pki2" && qlink-pki --suite 2 ca . && qlink-pki --suite 2 cert . site-a &&
			qlink-pki --suite 2 cert . site-b
	) || fail "certificates"
	for n in 1 2; do
		agent_conf "$n" "suite-least 2"
		sed -i -E "s#$pki/(site-.|ca)\.#$tmp/pki2/\1.#" "$tmp/${site[n]}/conf"
		agent_start "$n"
	done
	keep_busy
	expect_active hybrid
	expect_eq "suites" "$(link_status 1 .suite) $(link_status 2 .suite)" "2 2"
}

run_tests "$@"
