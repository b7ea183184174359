#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# qlinkd against the second implementation of its protocol, which was written from userspace/PROTOCOL.md alone: both
# key a link with each other, and each says what the document says when the other one harms a message.

# shellcheck source=sites.sh
. "$(dirname "$0")/sites.sh"

# ---- the peer ----

# peer_start 1|2 [WORD…]: starts peer.py as the agent of a site, with keys of the KMEs in $peer_kmes.
peer_start()
{
	local own=${site[$1]} peer=${site[3 - $1]} kmes=() name

	for name in "${peer_kmes[@]}"; do
		kmes+=(--kme "$name=https://10.1.$1.9:${kme_port_of[$name]}")
	done
	[ "${#kmes[@]}" = 0 ] ||
		kmes+=(--kme-certificate "$pki/sae-$own.pem" --kme-key "$pki/sae-$own.key" --kme-ca "$pki/kme-ca.pem"
			--sae "SAE-${peer^^}")
	ip netns exec "$(site_ns "$1")" /usr/bin/python3 "$here/peer.py" --name "site-$own" --peer "site-$peer" \
		--certificate "$pki/site-$own.pem" --key "$pki/site-$own.key" --ca "$pki/ca.pem" --listen "${channel[$1]}" \
		--address "${channel[3 - $1]}" --device qlink0 --link-id "$link_id" "${kmes[@]}" "${keylog[@]}" "${@:2}" \
		>"$tmp/$own/events" 2>>"$tmp/$own/log" &
	peer_pid=$!
	defer kill "$peer_pid"
}
peer_kmes=() peer_pid=0 keylog=()
declare -A kme_port_of=([rack]=$kme_port [spare]=$((kme_port + 1)))

# told 1|2 TEXT: the peer at a site has reported an event with this text.
told() { grep -qF -e "$2" "$tmp/${site[$1]}/events"; }

# told_times 1|2 TEXT: how often.
told_times() { grep -cF -e "$2" "$tmp/${site[$1]}/events"; }
told_more() { [ "$(told_times "$1" "$2")" -gt "$3" ]; }

show_both()
{
	show_logs
	tail -n 30 "$tmp"/[ab]/events
}

# record_agents: captures what the agents say to each other, and has the peer write the secrets of its connections.
record_agents()
{
	# shellcheck disable=SC2154 # run_tests' name of the test
	keylog=(--keylog "$QLINK_CAPTURES/$test-agents.keylog")
	dev=veth1 capture_start "$ns1" "$tmp/agents"
	defer stop_recording "$capture_pid"
}

# stop_recording PID: once the agents have ended; they are started later, and so end before.
stop_recording()
{
	local test=$test-agents capture_pid=$1

	capture_stop "$tmp/agents"
}

# meet N [WORD…] -- [LINE…]: starts the peer at site N with these WORDs, and qlinkd at the other site with these LINEs
# in its link; both sites have links and send frames.
meet()
{
	local n=$1 words=()

	shift
	while [ "$1" != -- ]; do words+=("$1"); shift; done
	links_add
	[ -z "${QLINK_CAPTURES:-}" ] || record_agents
	# The agent does this at its end; the peer has the kernel change keys by itself.
	link_set "$(site_ns "$n")" rekey-ms 200
	agent_conf $((3 - n)) "${@:2}"
	[ "${#peer_kmes[@]}" -lt 2 ] || spare_conf $((3 - n))
	agent_start $((3 - n))
	peer_start "$n" "${words[@]}"
	keep_busy
}

# spare_conf 1|2: tells an agent of the spare KME.
spare_conf()
{
	local own=${site[$1]}

	cat >>"$tmp/$own/conf" <<-END
		kme spare
		 url https://10.1.$1.9:${kme_port_of[spare]}
		 id KME-${own^^}
		 certificate $pki/sae-$own.pem
		 key $pki/sae-$own.key
		 ca $pki/kme-ca.pem
	END
}

# spare_kmes_start: another pair of KMEs beside the first, which does not know its keys.
spare_kmes_start()
{
	sed "s,^control .*,control $tmp/spare-kmesim,; s/:$kme_port/:${kme_port_of[spare]}/" "$tmp/kmesim.conf" >"$tmp/spare.conf"
	ip netns exec "$ns3" qlink-kmesim "$tmp/spare.conf" >"$tmp/spare.log" 2>&1 &
	defer kill $!
	expect_soon "spare KMEs" grep -q '^ready' "$tmp/spare.log"
}

# strong_pki: certificates for suite 2, for this test alone.
strong_pki()
{
	cp -r "$pki" "$tmp/pki"
	pki=$tmp/pki
	(
		cd "$pki" && rm ca.* site-* && qlink-pki --suite 2 ca . &&
			qlink-pki --suite 2 cert . site-a && qlink-pki --suite 2 cert . site-b
	) || fail "certificates"
}

# holds_all: each end holds all keys that the other one sends with or will send with.
holds_all()
{
	local from to epoch held

	for from in 1 2; do
		to=$((3 - from))
		epoch=$(keys "$(site_ns "$from")" direction=tx epoch)
		held=" $(keys "$(site_ns "$to")" direction=rx epoch | tr '\n' ' ') "
		[ -n "$epoch" ] || return 1
		for epoch in $epoch; do [[ $held == *" $epoch "* ]] || return 1; done
	done
}

# has_rekeyed N: each ring has had at least N rekeys.
has_rekeyed()
{
	local n ring

	for n in 1 2; do
		for ring in tx rx; do [ "$(ring "$(site_ns "$n")" "$ring" rekeys)" -ge "$1" ] || return 1; done
	done
}

# expect_keyed N SUITE SOURCE: both ends are keyed with the peer at site N; frames flow over some rekeys.
expect_keyed()
{
	local n=$1

	expect_soon "ready" told "$n" "\"ready\", \"suite\": $2" || { show_both; return; }
	expect_flow "$3" || return
	expect_eq "violations" "$(link_status $((3 - n)) .counters.violations) $(told_times "$n" '"violation"')" "0 0"
}

# expect_flow SOURCE: frames flow both ways over some rekeys, under keys of this source.
expect_flow()
{
	expect_soon "active $1" active "$1" || { show_both; return 1; }
	steady_start 0.05
	expect_soon "keys change" has_rekeyed 4 || show_both
	expect_soon "the same epochs at both ends" holds_all || show_both
	steady_stop
}

# Two of the second implementation: where this fails, the fault is there.
test_two_peers_udp()
{
	local n

	setup_sites
	kmes_start "${rich[@]}"
	peer_kmes=(rack)
	links_add
	for n in 1 2; do
		link_set "$(site_ns "$n")" rekey-ms 200
		peer_start "$n"
	done
	keep_busy
	expect_flow hybrid
}

# ---- both sides of the TLS connection, all kinds of keys ----

# Suite 1 with one KME.
test_one_kme_client_udp()
{
	keyed_by_one_kme 2
}

test_one_kme_server_udp()
{
	keyed_by_one_kme 1
}

keyed_by_one_kme()
{
	setup_sites
	kmes_start "${rich[@]}"
	peer_kmes=(rack)
	meet "$1" -- "floor-ms 200"
	expect_keyed "$1" 1 hybrid
}

# Suite 2, and keys of two KMEs in each key.
test_suite_2_and_two_kmes_client_udp()
{
	keyed_by_two_kmes 2
}

test_suite_2_and_two_kmes_server_udp()
{
	keyed_by_two_kmes 1
}

keyed_by_two_kmes()
{
	local n

	setup_sites
	strong_pki
	kmes_start "${rich[@]}"
	spare_kmes_start
	peer_kmes=(rack spare)
	meet "$1" --mix --kmes-least 2 --suite-least 2 -- "mix rack spare" "mix-least 2" "floor-ms 200" \
		"policy hybrid-required" "suite-least 2"
	expect_keyed "$1" 2 hybrid
	expect_ok "offered with two KMEs" told "$1" '"source": "hybrid", "kmes": 2'
	expect_eq "with fewer" "$(grep -c '"kmes": [01]' "$tmp/${site[$1]}/events")" 0
	for n in 1 2; do
		expect_eq "KMEs in each key" "$(in_ns "$(site_ns "$n")" qlinkctl -j key show qlink0 | jq 'all(.kmes == 2)')" true
	done
}

# Post-quantum keys alone, with a pre-shared secret in them.
test_pqc_and_psk_client_udp()
{
	keyed_without_a_kme 2
}

test_pqc_and_psk_server_udp()
{
	keyed_without_a_kme 1
}

keyed_without_a_kme()
{
	setup_sites
	head -c 32 /dev/urandom >"$tmp/psk"
	meet "$1" --policy pqc-only --psk "$tmp/psk" -- "policy pqc-only" "ceiling-ms 200" "psk $tmp/psk"
	expect_keyed "$1" 1 pqc
}

# Keys of a KME without a KEM, which only qkd-required at both ends allows.
test_plain_qkd_udp()
{
	setup_sites
	kmes_start "${rich[@]}"
	peer_kmes=(rack)
	meet 2 --policy qkd-required --plain-qkd -- "floor-ms 200" "policy qkd-required"
	expect_soon "agreed" told 2 '"agreed", "first": 1, "count": 3, "source": "qkd"' || show_both
	answers "$ns1" "${inner[2]}"
	answers "$ns2" "${inner[1]}"
	expect_soon "the same epochs at both ends" holds_all || show_both
}

# ---- secrets and sessions ----

# Pre-shared secrets that differ: both ends name them, and agree on no key.
test_psk_differs_udp()
{
	setup_sites
	head -c 32 /dev/urandom >"$tmp/psk"
	head -c 32 /dev/urandom >"$tmp/other"
	meet 2 --policy pqc-only --psk "$tmp/psk" -- "policy pqc-only" "psk $tmp/other"
	expect_psk_blocks 2
}

# Only one end has one.
test_psk_is_missing_udp()
{
	setup_sites
	head -c 32 /dev/urandom >"$tmp/psk"
	meet 1 --policy pqc-only --psk "$tmp/psk" -- "policy pqc-only"
	expect_psk_blocks 1
}

# expect_psk_blocks N: the peer is at site N.
expect_psk_blocks()
{
	local n=$((3 - $1))

	expect_soon "the peer says so" told "$1" '"blocked", "why": "psk"' || show_both
	expect_soon "so does the agent" link_status_is "$n" .phase blocked || show_both
	expect_ok "it logs why" logged "$n" "psk-differs"
	expect_eq "keys" "$(keys "$ns1") $(keys "$ns2")" "0 0"
}

# harmed [KIND]: the peer at site b harms messages of this kind; both agree on keys nevertheless.
harmed()
{
	setup_sites
	meet 2 --policy pqc-only ${1:+--harm "$1"} -- "policy pqc-only" "ceiling-ms 200"
	expect_active pqc
	expect_soon "keys change" has_rekeyed 3 || show_both
	expect_soon "the same epochs at both ends" holds_all || show_both
}

# fails VIOLATIONS FAILURES: how many sessions the agent has ended for these reasons.
fails() { expect_eq "violations, failures" "$(link_status 1 '.counters | "\(.violations) \(.failures)"')" "$1 $2"; }

# Suite 2 where a certificate is for suite 1: an end that demands it closes the connection; one that is told by STATE
# that the other end demands it blocks the link.
test_suite_is_too_low_client_udp()
{
	closes_low_suite 2
}

test_suite_is_too_low_server_udp()
{
	closes_low_suite 1
}

# closes_low_suite N: the peer is at site N, and the agent at the other has a certificate for suite 2. It goes on.
closes_low_suite()
{
	local n=$((3 - $1)) own=${site[3 - $1]}

	setup_sites
	cp -r "$pki" "$tmp/pki"
	pki=$tmp/pki
	(cd "$pki" && rm "site-$own".* && qlink-pki --suite 2 cert . "site-$own") || fail "certificate"
	meet "$1" --policy pqc-only -- "policy pqc-only" "suite-least 2"
	expect_soon "closed" told "$1" '"disconnected"' || show_both
	expect_soon "it says why" logged "$n" "wrong-suite" || show_both
	expect_soon "again and again" told_more "$1" '"disconnected"' 3 || show_both
	expect_ok "the agent still runs" kill -0 "${agent_pid[n]}" || agent_end "$n"
	expect_eq "sessions" "$(link_status "$n" .counters.sessions)" 0
	expect_eq "keys" "$(keys "$ns1") $(keys "$ns2")" "0 0"
}

# agent_end 1|2: prints how an agent has ended.
agent_end()
{
	wait "${agent_pid[$1]}"
	echo "it has ended with status $?: $(dmesg | grep -a qlinkd | tail -n 3)"
}

test_suite_is_too_low_for_the_peer_udp()
{
	setup_sites
	meet 2 --policy pqc-only --suite-least 2 --keep-low-suite -- "policy pqc-only"
	expect_soon "the peer says so" told 2 '"blocked", "why": "suite"' || show_both
	expect_soon "so does the agent" logged 1 "suite-too-low" || show_both
	expect_eq "blocked" "$(link_status 1 .phase)" blocked
	expect_eq "keys" "$(keys "$ns1") $(keys "$ns2")" "0 0"
}

# After a wrong key confirmation the sender withdraws the keys, and starts over.
test_confirmation_is_harmed_udp()
{
	harmed confirm
	expect_ok "withdrawn" told 2 '"withdraw", "reason": "confirm", "direction": 0'
	fails 0 1
}

# What is repeated within a session changes nothing.
test_invitations_are_repeated_udp()
{
	harmed invite-twice
	fails 0 0
}

test_invitations_are_replayed_udp()
{
	harmed invite-again
	fails 0 0
}

test_offers_are_repeated_udp()
{
	harmed offer-twice
	fails 0 0
}

test_invitations_are_repeated_with_another_nonce_udp()
{
	harmed invite-changed
	fails 0 0
}

# Another session is a violation.
test_invitation_of_another_session_udp()
{
	harmed invite-session
	fails 1 0
}

test_offer_of_another_session_udp()
{
	harmed offer-session
	fails 1 0
}

# Offers that cannot be accepted are refused with their reason, one after another; an altered ciphertext is no error, but
# gives other keys, which the sender withdraws.
test_offers_are_refused_udp()
{
	local reason

	setup_sites
	meet 2 --policy pqc-only --harm offer-chain --harm offer-point --harm offer-epoch --harm offer-ciphertext -- \
		"policy pqc-only" "ceiling-ms 200"
	expect_active pqc
	for reason in chain kem epoch; do
		expect_soon "refused: $reason" told 2 "\"reason\": \"$reason\"" || show_both
		expect_soon "it logs why" logged 1 "offer-rejected link=qlink0 reason=$reason" || show_both
	done
	expect_soon "withdrawn" told 2 '"start-over", "why": "confirm"' || show_both
	expect_soon "keys change" has_rekeyed 3 || show_both
	expect_soon "the same epochs at both ends" holds_all || show_both
	fails 0 0
}

test_key_of_an_invitation_is_bad_udp()
{
	harmed invite-key
	fails 1 0
}

test_place_of_an_offer_is_unknown_udp()
{
	setup_sites
	kmes_start "${rich[@]}"
	peer_kmes=(rack)
	meet 2 --harm offer-place -- "floor-ms 200"
	expect_soon "refused" told 2 '"reason": "kme", "place": 8' || show_both
	expect_active hybrid
	fails 0 0
}

# Messages of an earlier session are counted, and have no other effect.
test_messages_of_an_earlier_session_udp()
{
	local agreed

	harmed earlier
	kill -USR2 "$peer_pid"
	expect_soon "sent again" told 2 '"harmed", "kind": "earlier"' || show_both
	agreed=$(told_times 2 '"agreed"')
	expect_soon "offers go on" told_more 2 '"agreed"' "$agreed"
	fails 0 0
	expect_eq "sessions" "$(link_status 1 .counters.sessions)" 2
}

# An end that demands a chain blocks the link until an operator accepts that it starts from zero, and again when the
# other end has lost its chains. No key is deleted then.
test_chain_is_demanded_udp()
{
	setup_sites
	meet 2 --policy pqc-only -- "policy pqc-only" "ceiling-ms 200" "chain-required yes"
	expect_soon "the peer says so" told 2 '"blocked", "why": "chain"' || show_both
	expect_soon "so does the agent" logged 1 "no-chain"
	expect_eq "keys" "$(keys "$ns1") $(keys "$ns2")" "0 0"
	expect_ok "accept" ctl 1 chain accept qlink0
	expect_active pqc
	expect_soon "keys change" has_rekeyed 3 || show_both
	kill "$peer_pid"
	wait "$peer_pid" 2>/dev/null
	peer_start 2 --policy pqc-only
	expect_soon "without a chain" told 2 '"blocked", "why": "chain"' || show_both
	answers "$ns1" "${inner[2]}"
	answers "$ns2" "${inner[1]}"
	expect_eq "ready again" "$(told_times 2 '"ready"')" 0
}

# Another connection takes the place of the one before, whichever end asks for it: no ping is lost, no offer is.
test_connection_is_replaced_client_udp()
{
	replaces_connections 2
}

test_connection_is_replaced_server_udp()
{
	replaces_connections 1
}

# replaces_connections N: the peer is at site N.
replaces_connections()
{
	local n=$((3 - $1))

	setup_sites
	meet "$1" --policy pqc-only -- "policy pqc-only" "ceiling-ms 200"
	expect_active pqc
	steady_start 0.05
	expect_ok "the agent asks" ctl "$n" reconnect "site-${site[$1]}"
	expect_soon "changed" told "$1" '"changed"' || show_both
	expect_soon "ready" told_more "$1" '"ready"' 1 || show_both
	kill -HUP "$peer_pid"
	expect_soon "changed again" told_more "$1" '"changed"' 1 || show_both
	expect_soon "ready" told_more "$1" '"ready"' 2 || show_both
	expect_soon "the same epochs at both ends" holds_all || show_both
	steady_stop
	expect_eq "connections" "$(status "$n" '.peers[0].connections')" 3
	expect_eq "trouble" "$(link_status "$n" '.counters | .violations + .timeouts + .failures + .chain_restarts')" 0
	expect_eq "trouble of the peer" "$(grep -c 'start-over\|violation\|chain-restarted' "$tmp/${site[$1]}/events")" 0
}

# New keys of TLS change nothing above it.
test_keys_of_tls_are_changed_udp()
{
	local agreed n

	setup_sites
	meet 2 --policy pqc-only --key-update 2 -- "policy pqc-only" "ceiling-ms 200"
	expect_active pqc
	for n in 1 2 3; do
		expect_soon "KeyUpdate" told_more 2 '"key-update"' "$(told_times 2 '"key-update"')" || show_both
		agreed=$(told_times 2 '"agreed"')
		expect_soon "offers go on" told_more 2 '"agreed"' "$agreed"
	done
	expect_soon "the same epochs at both ends" holds_all || show_both
	expect_eq "connections" "$(status 1 '.peers[0].connections')" 1
	fails 0 0
}

# Each end withdraws the keys of both directions.
test_keys_are_withdrawn_udp()
{
	local newest

	harmed
	newest=$(ring "$ns1" tx newest_epoch)
	kill -USR1 "$peer_pid"
	expect_soon "answered" told 2 '"direction": 1, "how": "answered"' || show_both
	expect_eq "both" "$(told_times 2 '"how": "answered"')" 2
	expect_ok "by the agent" ctl 1 withdraw qlink0
	expect_soon "answered" told 2 '"withdraw", "reason": "command", "direction": 1' || show_both
	expect_soon "new keys" ring_is_above "$ns1" tx "$newest"
	expect_soon "the same epochs at both ends" holds_all || show_both
	answers "$ns1" "${inner[2]}"
	fails 0 0
}

ring_is_above() { [ "$(ring "$1" "$2" current_epoch)" -gt "$3" ]; }

run_tests "$@"
