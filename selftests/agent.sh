#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The agents of two sites with real key servers, TLS and devices: keys come, change, run out and come back, and whatever
# fails, frames go on.

# shellcheck source=sites.sh
. "$(dirname "$0")/sites.sh"

each_test_hybrid_keys_and_nothing_in_clear()
{
	setup_sites
	capture_start "$ns1" "$tmp/pcap"
	kmes_start "${rich[@]}"
	links_add
	agents_start "floor-ms 50"
	tell_first_answer "both agents were started"
	expect_active hybrid
	expect_soon "keys change" has_rekeys 5
	expect_soon "state" link_status_is 1 '"\(.phase) \(.protection) \(.source)"' "ready protected hybrid"
	expect_soon "state" link_status_is 2 '"\(.phase) \(.protection) \(.source)"' "ready protected hybrid"
	# A machine that stands still may keep a KME from answering in time, and only that burns keys here.
	logged 1 "timed out" || logged 2 "timed out" || expect_eq "burned" "$(link_status 1 .counters.keys_burned) $(link_status 2 .counters.keys_burned)" "0 0"
	capture_stop "$tmp/pcap"
	expect_sealed "$tmp/pcap"
}

# tell_first_answer SINCE: how long it takes from now, which is when SINCE was. A ping flies on.
tell_first_answer()
{
	local since=${EPOCHREALTIME/./} at

	ip netns exec "$ns1" ping -D -i 0.01 "${inner[2]}" >"$tmp/answers" 2>/dev/null &
	defer kill $!
	expect_soon "an answer" grep -q 'bytes from' "$tmp/answers" || tell_logs
	at=$(sed -nE 's/^\[([0-9.]+)\] .*bytes from.*/\1/p' "$tmp/answers" | head -n 1)
	[ -z "$at" ] || echo "# the first answer came $(((${at/./} - since) / 1000)) ms after $1"
}

# has_rekeys N: so often in each ring.
has_rekeys()
{
	[ "$(ring "$ns1" tx rekeys)" -ge "$1" ] && [ "$(ring "$ns2" tx rekeys)" -ge "$1" ] &&
		[ "$(ring "$ns1" rx rekeys)" -ge "$1" ] && [ "$(ring "$ns2" rx rekeys)" -ge "$1" ]
}

# The KMEs stop: what is in stock is used up, then post-quantum keys alone; they return, and so do hybrid keys.
test_kmes_stop_and_return_udp()
{
	setup_sites
	kmes_start "stock 1000"
	links_add
	keep_busy
	agents_start "floor-ms 400" "ceiling-ms 400" "reserve 0" "store 30" "outage-cover 30"
	expect_active hybrid
	steady_start
	kmes stop a
	kmes stop b
	expect_ok "told" busywait $((3 * deadline)) logged 1 "source-changed link=qlink0 from=hybrid to=pqc"
	expect_active pqc
	expect_soon "seen" link_status_is 1 '"\(.protection) \(.source)"' "degraded pqc"
	kmes start a
	kmes start b
	expect_soon "told" logged 1 "source-changed link=qlink0 from=pqc to=hybrid"
	expect_active hybrid
	steady_stop
}

# One KME is down: the other end has keys that this one cannot fetch, and falls back when what is staged is used up.
test_one_kme_down_udp()
{
	setup_running "floor-ms 100" "ceiling-ms 100"
	steady_start
	kmes stop b
	expect_soon "told" logged 1 "offer-refused"
	expect_ok "falls back" busywait $((3 * deadline)) ring_is "$ns1" tx current_source pqc
	kmes start b
	expect_active hybrid
	steady_stop
}

# A KME that hangs, or answers garbage, is left alone and used again when it is up.
test_a_kme_that_is_ill_eth()
{
	local fault

	setup_running "floor-ms 100" "ceiling-ms 500" "store 20" "outage-cover 20"
	steady_start
	for fault in hang garbage truncate "size 64" "http 503"; do
		# shellcheck disable=SC2086 # words
		kmes fault a $fault
		expect_soon "$fault: told" logged_since "kme-down"
		kmes clear a
		expect_soon "$fault: up again" link_status_is 1 '.kmes[0].health' up
		expect_active hybrid
		: >"$tmp/a/log"
	done
	steady_stop
}

logged_since() { grep -qE -e "$1|kme-error" "$tmp/a/log"; }

# Each agent killed at any moment and started again: frames go on.
test_an_agent_is_killed_eth()
{
	local n round

	setup_running "floor-ms 100"
	steady_start
	for round in 1 2 3; do
		for n in 1 2; do
			agent_kill "$n"
			agent_start "$n"
			expect_soon "ready $round" link_status_is "$n" .phase ready
		done
	done
	agent_kill 1
	agent_kill 2
	agent_start 1
	agent_start 2
	expect_soon "ready" link_status_is 1 .phase ready
	expect_active hybrid
	steady_stop
	expect_eq "violations" "$(link_status 1 .counters.violations) $(link_status 2 .counters.violations)" "0 0"
}

# One host is gone and comes back without a key, while the other has many staged, or thousands in a long run.
test_a_host_is_rebooted_udp()
{
	local many=150

	[ "${QLINK_SOAK:-}" != 1 ] || many=3000
	setup_running "floor-ms 5" "store 4000"
	expect_ok "keys are staged" busywait "$many" has_staged "$ns2" "$many"
	agent_kill 1
	ip -n "$ns1" link delete qlink0
	site_link_add 1
	quiet
	agent_start 1
	tell_first_answer "the agent was started again"
	expect_active hybrid
}

has_staged() { [ "$(ring "$1" tx staged)" -ge "$2" ]; }

# The device goes and comes back below a running agent.
test_a_device_is_made_anew_eth()
{
	setup_running
	ip -n "$ns1" link delete qlink0
	expect_soon "told" logged 1 "no-device link=qlink0"
	expect_eq "seen" "$(link_status 1 .phase)" no-device
	site_link_add 1
	quiet
	answers "$ns1" "${inner[2]}"
	expect_active hybrid
}

# A key a millisecond, or as many as this machine can bring from KME to kernel: nothing is lost, and what came about is told.
test_a_key_a_millisecond_udp()
{
	local seconds=5 pause=0.02 from keys used before after ms memory

	# In a minute the rings fill up: then as many keys come as frames use up.
	[ "${QLINK_SOAK:-}" != 1 ] || seconds=60 pause=0.002
	setup_sites
	kmes_start "stock 100000" "supply fibre 4000"
	links_add
	agents_start "floor-ms 1" "ceiling-ms 1" "store 4000"
	answers "$ns1" "${inner[2]}"
	keep_busy
	expect_active hybrid
	steady_start "$pause"
	from=${EPOCHREALTIME/./} keys=$(installed) used=$(ring "$ns1" tx rekeys) before=$(spent) memory=$(memory)
	expect_ok "time goes by" busywait $((3 * seconds)) has_gone_by "$from" "$seconds"
	after=$(spent) ms=$(((${EPOCHREALTIME/./} - from) / 1000))
	echo "# a second: $((($(installed) - keys) * 1000 / ms)) keys from KMEs to kernels, both directions in sum," \
		"$((($(ring "$ns1" tx rekeys) - used) * 1000 / ms)) rekeys from a to b"
	echo "# of one of $(nproc) CPUs: $(paste <(echo "$before") <(echo "$after") |
		awk -v ms="$ms" '{ printf "%s%s %d + %d %%", n++ ? ", " : "", $1, ($5 - $2) * 1000 / ms, ($6 - $3) * 1000 / ms }')," \
		"of programs and of the kernel for them"
	echo "# KiB of memory of both agents and their brokers: $memory, then $(memory)"
	expect_ok "keys came" test "$(installed)" -gt "$keys"
	steady_stop
}

installed() { echo $(($(link_status 1 .counters.tx_keys.hybrid) + $(link_status 2 .counters.tx_keys.hybrid))); }

# memory: of both agents and their brokers, in KiB.
memory()
{
	local pid

	for pid in "${agent_pid[@]:1}" $(pgrep -P "${agent_pid[1]},${agent_pid[2]}"); do
		cat "/proc/$pid/status"
	done | awk '/^VmRSS/ { sum += $2 } END { print sum }'
}

# What has been spent, in hundredths of a second in user and kernel mode: by the agents, their brokers, the KMEs, all
# processes, and none.
spent()
{
	local n

	{
		for n in 1 2; do
			echo "agents $(ticks "${agent_pid[n]}")"
			echo "brokers $(ticks "$(pgrep -P "${agent_pid[n]}")")"
		done
		echo "KMEs $(ticks "$kmesim_pid")"
		# Of the machine: user, nice, system, idle, iowait, irq, softirq.
		awk '$1 == "cpu" { print "idle", $5 + $6, 0; print "interrupts", 0, $7 + $8; print "all", $2 + $3, $4 }' /proc/stat
	} | awk '{ user[$1] += $2; system_[$1] += $3 } END { for (name in user) print name, user[name], system_[name] }' | sort
}

# ticks PID: of user and system; the name in the second field has no blank.
ticks() { awk '{ print $14, $15 }' "/proc/$1/stat"; }

# Policies without a source in common block, and say why at both ends.
test_policies_that_do_not_meet_udp()
{
	setup_sites
	kmes_start "${rich[@]}"
	links_add
	agent_conf 1 "policy hybrid-required"
	agent_conf 2 "policy pqc-only"
	agent_start 1
	agent_start 2
	expect_soon "told" logged 1 "no-source-in-common link=qlink0 policy=hybrid-required peer-policy=pqc-only"
	expect_soon "told" logged 2 "no-source-in-common link=qlink0 policy=pqc-only peer-policy=hybrid-required"
	expect_eq "seen" "$(link_status 1 '"\(.phase) \(.why)"')" \
		"blocked no-source-in-common: our policy is hybrid-required, the peer's pqc-only"
	expect_eq "keys" "$(keys "$ns1") $(keys "$ns2")" "0 0"
	# A reload of one end mends it, without a restart of the other.
	agent_conf 2 "policy prefer-hybrid"
	expect_ok "reload" ctl 2 reload
	keep_busy
	answers "$ns1" "${inner[2]}"
	expect_active hybrid
}

# Post-quantum keys alone, without a KME anywhere.
test_pqc_only_eth()
{
	setup_sites
	links_add
	agents_start "policy pqc-only" "ceiling-ms 200"
	keep_busy
	expect_active pqc
	expect_soon "keys change" has_rekeys 3
	expect_eq "KMEs" "$(link_status 1 '.kmes | length')" 0
}

# A peer whose certificate is of another CA is refused by name, and counted.
test_another_ca_udp()
{
	setup_sites
	kmes_start "${rich[@]}"
	links_add
	mkdir "$tmp/other"
	expect_ok "another CA" qlink-pki ca "$tmp/other"
	expect_ok "its certificate" qlink-pki cert "$tmp/other" site-b
	agent_conf 1
	agent_conf 2
	sed -i "s,$pki/site-b,$tmp/other/site-b,; s,$pki/ca.pem,$tmp/other/ca.pem," "$tmp/b/conf"
	agent_start 1
	agent_start 2
	expect_soon "counted" refused_somewhere
	expect_eq "no session" "$(link_status 1 .phase) $(link_status 2 .phase)" "no-peer no-peer"
	expect_eq "keys" "$(keys "$ns1") $(keys "$ns2")" "0 0"
}

refused_somewhere() { [ "$(status 1 '.refused["wrong-ca"]')" -gt 0 ] || [ "$(status 2 '.refused["wrong-ca"]')" -gt 0 ]; }

# A way to the peer through the tunnel would never come back once that is broken: it is not taken.
test_a_channel_through_the_tunnel_udp()
{
	setup_running
	sed -i "s/^ address .*/ address ${inner[2]}/; s/^ listen .*/ listen ${channel[1]}/" "$tmp/a/conf"
	sed -i "s/^ address .*/ address ${inner[1]}/; s/^ listen .*/ listen 0.0.0.0/" "$tmp/b/conf"
	agent_kill 1 TERM
	agent_kill 2 TERM
	agent_start 2
	agent_start 1
	expect_soon "refused" through_a_qlink
	expect_eq "seen" "$(status 1 '.peers[0].connected') $(status 2 '.peers[0].connected')" "false false"
}

through_a_qlink() { grep -qs 'routed through qlink0, a qlink; it must go outside' "$tmp"/[ab]/log; }

# What each key was used for can be read, and nothing can be changed in it unseen.
test_the_audit_log_eth()
{
	local id used='"event":"used".*"direction":"tx","source":"hybrid"'

	setup_running "floor-ms 50"
	expect_soon "keys were used" grep -q '"event":"used"' "$tmp/a/audit"
	expect_soon "hybrid keys" grep -q "$used" "$tmp/a/audit"
	id=$(grep "$used" "$tmp/a/audit" | head -n 1 | sed -nE 's/.*"kme_key_id":"([0-9a-f-]+)".*/\1/p')
	expect_ok "installed by the same ID" grep -q "\"event\":\"installed\".*\"direction\":\"tx\".*\"$id\"" "$tmp/a/audit"
	expect_soon "the peer received by it" grep -q "\"direction\":\"rx\".*\"kme_key_id\":\"$id\"" "$tmp/b/audit"
	agent_kill 1 TERM
	expect_has "whole" "$(qlinkd -a "$tmp/a/audit")" "0 of them torn"
	sed -i '3s/hybrid/hybris/; 3s/started/STARTED/; 3s/installed/INSTALLED/' "$tmp/a/audit"
	expect_refused "changed" "line" qlinkd -a "$tmp/a/audit"
}

# An audit log that somebody has changed, or a file with a mistake, is refused at the start, by its place.
test_what_is_refused_at_the_start_eth()
{
	setup_sites
	agent_conf 1 "policy any"
	expect_refused "configuration" "conf:25: policy any" qlinkd -n -c "$tmp/a/conf"
	expect_refused "configuration" "conf:25: policy any" qlinkd -c "$tmp/a/conf"
	agent_conf 1
	expect_ok "configuration" qlinkd -n -c "$tmp/a/conf"
	echo '{"number":1,"previous":"00"}' >"$tmp/a/audit"
	expect_refused "audit log" "line 1" ip netns exec "$ns1" timeout 20 qlinkd -c "$tmp/a/conf"
}

# Links that a reload does not change do not notice.
test_reload_eth()
{
	setup_running
	steady_start
	sessions=$(link_status 1 .counters.sessions)
	expect_ok "the same" ctl 1 reload
	expect_ok "by signal" kill -HUP "${agent_pid[1]}"
	expect_soon "both" status_is 1 .reloads 2
	expect_eq "sessions" "$(link_status 1 .counters.sessions)" "$sessions"
	echo " nonsense 7" >>"$tmp/a/conf"
	expect_refused "a mistake" "nonsense" ctl 1 reload
	expect_eq "still there" "$(link_status 1 .phase)" ready
	agent_conf 1 "floor-ms 200"
	expect_ok "another floor" ctl 1 reload
	expect_soon "ready" link_status_is 1 .phase ready
	expect_eq "sessions are counted anew" "$(link_status 1 .counters.sessions)" 1
	steady_stop
}

# Keys that somebody may know go, at both ends, in use or not; and new ones come.
test_withdraw_eth()
{
	local newest

	setup_running "floor-ms 1000"
	expect_soon "some are staged" has_staged "$ns1" 10
	newest=$(ring "$ns1" tx newest_epoch)
	expect_refused "another link" "no such link" ctl 1 withdraw qlink9
	expect_ok "withdraw" ctl 1 withdraw qlink0
	expect_soon "a new key to send" ring_is_above "$ns1" tx "$newest"
	expect_soon "and to receive" ring_is_above "$ns2" rx "$newest"
	answers "$ns1" "${inner[2]}"
	expect_ok "told" logged 1 "withdraw link=qlink0"
	expect_soon "none from before" has_no_key_up_to "$ns1" "$newest"
	expect_soon "none from before" has_no_key_up_to "$ns2" "$newest"
	expect_eq "violations" "$(link_status 1 .counters.violations) $(link_status 2 .counters.violations)" "0 0"
}

# has_no_key_up_to NS EPOCH: in the ring from a to b.
has_no_key_up_to()
{
	local direction=tx

	[ "$1" = "$ns1" ] || direction=rx
	[ "$(in_ns "$1" qlinkctl -j key show qlink0 |
		jq "map(select(.direction == \"$direction\" and .epoch <= $2)) | length")" = 0 ]
}

ring_is_above() { [ "$(ring "$1" "$2" current_epoch)" -gt "$3" ]; }

# What runs with rights, what it may do, and what is told of it.
test_rights_and_metrics_udp()
{
	local broker

	setup_running
	broker=$(pgrep -P "${agent_pid[1]}")
	expect_eq "capabilities of the agent" "$(caps "${agent_pid[1]}")" "CapEff: 0000000000004000"
	expect_eq "capabilities of the broker" "$(caps "$broker")" "CapEff: 0000000000005000"
	expect_has "no new ones" "$(cat "/proc/${agent_pid[1]}/status")" "NoNewPrivs:	1"
	expect_eq "nothing that could be swapped, but what the kernel lends it" \
		"$(awk '/^VmLck/ { locked = $2 } /^VmRSS/ { held = $2 } END { print (locked + 64 >= held) }' "/proc/${agent_pid[1]}/status")" 1
	curl -s --unix-socket "$tmp/a/metrics" http://agent/metrics >"$tmp/metrics"
	expect_has "metrics" "$(cat "$tmp/metrics")" 'qlinkd_ready{link="qlink0"} 1'
	expect_has "metrics" "$(cat "$tmp/metrics")" 'qlinkd_keys_total{link="qlink0",direction="tx",source="hybrid"}'
	kill -9 "$broker"
	expect_soon "an agent without its broker ends" agent_is_gone 1
	expect_ok "and says so" logged 1 "the broker has ended"
}

# A key from a KME is nowhere once it was used: not in memory, log, audit log, environment or command line.
test_no_key_byte_is_left_udp()
{
	local id secret n pid

	setup_sites
	kmes_start "${rich[@]}"
	kmes set b serve-twice yes
	links_add
	agents_start "floor-ms 100"
	keep_busy
	expect_active hybrid
	id=$(sed -nE 's/.*"direction":"tx".*"kme_key_ids":\["([^"]+)".*/\1/p' "$tmp/a/audit" | head -n 1)
	secret=$(kme_b_key "$id")
	expect_eq "bytes of the key $id" "${#secret}" 64
	for n in 1 2; do
		for pid in "${agent_pid[n]}" $(pgrep -P "${agent_pid[n]}"); do
			expect_eq "in memory of $(cat "/proc/$pid/comm"): a name, which must be there" \
				"$(found "$pid" "$(printf %s "site-${site[n]}/conf" | to_hex)" | sed 's/^[1-9].*/some/')" some
			expect_eq "in memory of $(cat "/proc/$pid/comm")" "$(found "$pid" "$secret")" 0
			expect_eq "in its environment and command line" \
				"$(cat "/proc/$pid/environ" "/proc/$pid/cmdline" | to_hex | grep -c "$secret")" 0
			expect_eq "core size" "$(awk '/Max core/ { print $5 }' "/proc/$pid/limits")" 0
		done
		expect_eq "in its files" "$(grep -rliE -e "$secret" -e "$(from_hex <<<"$secret" | base64 -w 0)" "$tmp/${site[n]}" | wc -l)" 0
	done
}

# found PID HEX
found() { /usr/bin/python3 "$here/findbytes.py" "$@"; }

# kme_b_key ID: its bytes, as KME b gives them to SAE-B once more.
kme_b_key()
{
	in_ns "$ns2" curl -s --cacert "$pki/kme-ca.pem" --cert "$pki/sae-b.pem" --key "$pki/sae-b.key" -k \
		"https://10.1.2.9:$kme_port/api/v1/keys/SAE-A/dec_keys?key_ID=$1" | jq -r '.keys[0].key' | base64 -d | to_hex
}

caps() { grep CapEff "/proc/$1/status" | tr -s '\t ' ' '; }
agent_is_gone() { ! kill -0 "${agent_pid[$1]}"; }

# shellcheck disable=SC2034 # for ktap.sh

run_tests "$@"
