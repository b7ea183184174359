#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The agents of two sites with real KMEs, TLS and devices: keys arrive, are replaced, run out and return; whatever
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
	print_first_answer "both agents were started"
	expect_active hybrid
	expect_soon "keys change" has_rekeys 5
	expect_soon "state" link_status_is 1 '"\(.phase) \(.protection) \(.source)"' "ready protected hybrid"
	expect_soon "state" link_status_is 2 '"\(.phase) \(.protection) \(.source)"' "ready protected hybrid"
	# If the machine stalls, a KME may not answer in time; only that burns keys here.
	logged 1 "timed out" || logged 2 "timed out" || expect_eq "burned" "$(link_status 1 .counters.keys_burned) $(link_status 2 .counters.keys_burned)" "0 0"
	capture_stop "$tmp/pcap"
	expect_sealed "$tmp/pcap"
}

# print_first_answer WHAT: prints how long it takes from now to the first answer; WHAT says what happens now. The
# ping goes on.
print_first_answer()
{
	local since=${EPOCHREALTIME/./} at

	ip netns exec "$ns1" ping -D -i 0.01 "${inner[2]}" >"$tmp/answers" 2>/dev/null &
	defer kill $!
	expect_soon "an answer" grep -q 'bytes from' "$tmp/answers" || show_logs
	at=$(sed -nE 's/^\[([0-9.]+)\] .*bytes from.*/\1/p' "$tmp/answers" | head -n 1)
	[ -z "$at" ] || echo "# the first answer came $(((${at/./} - since) / 1000)) ms after $1"
}

# has_rekeys N: each ring has had at least N rekeys.
has_rekeys()
{
	[ "$(ring "$ns1" tx rekeys)" -ge "$1" ] && [ "$(ring "$ns2" tx rekeys)" -ge "$1" ] &&
		[ "$(ring "$ns1" rx rekeys)" -ge "$1" ] && [ "$(ring "$ns2" rx rekeys)" -ge "$1" ]
}

# Key servers that speak SKIP: one knows its site by a pre-shared key, the other by a certificate.
test_skip_key_servers_udp()
{
	local n

	setup_sites
	(umask 077 && head -c 32 /dev/urandom | to_hex >"$tmp/a/psk")
	kmes_start "${rich[@]}" "sae SAE-A psk-id encryptor-a psk-file $tmp/a/psk"
	links_add
	for n in 1 2; do
		kmes set "${site[n]}" dialect skip
		agent_conf "$n" "floor-ms 50"
		sed -i 's/^kme rack$/&\n dialect skip/' "$tmp/${site[n]}/conf"
	done
	sed -i -e '/^ id KME-A$/d; /sae-a\.key$/d; /kme-ca\.pem$/d' \
		-e "s|^ certificate .*/sae-a\.pem| psk-id encryptor-a\n psk-file $tmp/a/psk|" "$tmp/a/conf"
	agent_start 1
	agent_start 2
	keep_busy
	expect_active hybrid
	expect_soon "keys change" has_rekeys 5
	expect_eq "the KME of a" "$(link_status 1 '.kmes[0].tls.subject')" "psk-id encryptor-a"
	expect_eq "the KME of b" "$(link_status 2 '.kmes[0].tls.subject')" KME-B
	expect_has "a check" "$(ctl 1 kme check rack take-key)" "SAE SAE-A here, SAE-B at the peer; dialect skip"
	logged 1 "timed out" || logged 2 "timed out" || expect_eq "burned" "$(link_status 1 .counters.keys_burned) $(link_status 2 .counters.keys_burned)" "0 0"
}

# The KMEs stop: keys in stock are used up, then only post-quantum keys are used. The KMEs return, and so do
# hybrid keys.
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
	expect_ok "logged" busywait $((3 * deadline)) logged 1 "source-changed link=qlink0 from=hybrid to=pqc"
	# Keys that were agreed on before last longest.
	expect_ok "both ends use post-quantum keys alone" busywait $((3 * deadline)) active pqc
	expect_soon "status" link_status_is 1 '"\(.protection) \(.source)"' "degraded pqc"
	kmes start a
	kmes start b
	expect_soon "logged" logged 1 "source-changed link=qlink0 from=pqc to=hybrid"
	expect_active hybrid
	steady_stop
}

# One KME is down: the other end has keys that this end cannot fetch, and falls back when its staged keys are used
# up.
test_one_kme_down_udp()
{
	setup_running "floor-ms 100" "ceiling-ms 100"
	steady_start
	kmes stop b
	expect_soon "logged" logged 1 "offer-refused"
	expect_ok "falls back" busywait $((3 * deadline)) ring_is "$ns1" tx current_source pqc
	kmes start b
	expect_active hybrid
	steady_stop
}

# A KME that hangs or answers garbage is left alone, and used again when it has recovered.
test_faulty_kme_recovers_eth()
{
	local fault

	setup_running "floor-ms 100" "ceiling-ms 500" "store 20" "outage-cover 20"
	steady_start
	for fault in hang garbage truncate "size 64" "http 503"; do
		# shellcheck disable=SC2086 # words
		kmes fault a $fault
		expect_soon "$fault: logged" logged_since "kme-down"
		kmes clear a
		expect_soon "$fault: up again" link_status_is 1 '.kmes[0].health' up
		expect_active hybrid
		: >"$tmp/a/log"
	done
	steady_stop
}

logged_since() { grep -qE -e "$1|kme-error" "$tmp/a/log"; }

# Each agent is killed at any moment and started again: frames go on.
test_agent_is_killed_eth()
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

# One host is lost and returns without a key, while the other has many staged keys, or thousands in a long run.
test_host_is_rebooted_udp()
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
	print_first_answer "the agent was started again"
	expect_active hybrid
}

has_staged() { [ "$(ring "$1" tx staged)" -ge "$2" ]; }

# The device is deleted and created again under a running agent.
test_device_is_recreated_eth()
{
	setup_running
	ip -n "$ns1" link delete qlink0
	expect_soon "logged" logged 1 "no-device link=qlink0"
	expect_eq "status" "$(link_status 1 .phase)" no-device
	site_link_add 1
	quiet
	answers "$ns1" "${inner[2]}"
	expect_active hybrid
}

# The module goes under traffic, with both links, and comes back. The agents stay.
test_module_is_unloaded_udp()
{
	local n

	setup_running
	for n in 1 2; do link_set "$(site_ns "$n")" parcel constant; done
	capture_start "$ns1" "$tmp/unload"
	expect_active hybrid
	expect_ok "unload" timeout 60 modprobe -r qlink
	for n in 1 2; do expect_soon "logged" logged "$n" "no-device link=qlink0"; done
	expect_refused "ping" "unreachable" in_ns "$ns1" ping -c 2 -i 0.1 -W 1 "${inner[2]}"
	capture_stop "$tmp/unload"
	expect_sealed "$tmp/unload"
	expect_ok "nobody has loaded it" sh -c '! grep -q "^qlink " /proc/modules'
	modprobe qlink
	links_add
	answers "$ns1" "${inner[2]}"
	expect_active hybrid
	expect_ok "the same agents" kill -0 "${agent_pid[1]}" "${agent_pid[2]}"
}

# One key per millisecond, or as many as this machine can bring from KME to kernel: nothing is lost. Prints the
# rates that were reached.
test_one_key_per_millisecond_udp()
{
	local seconds=5 pause=0.02 from keys used before after ms memory

	# Within a minute the rings fill up; then keys arrive only as fast as frames use them up.
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
	expect_ok "time passes" busywait $((3 * seconds)) has_gone_by "$from" "$seconds"
	after=$(spent) ms=$(((${EPOCHREALTIME/./} - from) / 1000))
	echo "# per second: $((($(installed) - keys) * 1000 / ms)) keys from KMEs to kernels, sum of both directions," \
		"$((($(ring "$ns1" tx rekeys) - used) * 1000 / ms)) rekeys from a to b"
	echo "# CPU use in user and kernel mode, of one of $(nproc) CPUs: $(paste <(echo "$before") <(echo "$after") |
		awk -v ms="$ms" '{ printf "%s%s %d + %d %%", n++ ? ", " : "", $1, ($5 - $2) * 1000 / ms, ($6 - $3) * 1000 / ms }')"
	echo "# memory of both agents and their brokers, in KiB: $memory, then $(memory)"
	expect_ok "keys arrived" test "$(installed)" -gt "$keys"
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

# spent: CPU time so far, in hundredths of a second in user and kernel mode, of the agents, their brokers, the
# KMEs, all processes, and idle.
spent()
{
	local n

	{
		for n in 1 2; do
			echo "agents $(ticks "${agent_pid[n]}")"
			echo "brokers $(ticks "$(pgrep -P "${agent_pid[n]}")")"
		done
		echo "KMEs $(ticks "$kmesim_pid")"
		# The machine: user, nice, system, idle, iowait, irq, softirq.
		awk '$1 == "cpu" { print "idle", $5 + $6, 0; print "interrupts", 0, $7 + $8; print "all", $2 + $3, $4 }' /proc/stat
	} | awk '{ user[$1] += $2; system_[$1] += $3 } END { for (name in user) print name, user[name], system_[name] }' | sort
}

# ticks PID: user and system time; the name in the second field has no blank.
ticks() { awk '{ print $14, $15 }' "/proc/$1/stat"; }

# Policies without a common source block, and both ends say why.
test_policies_without_common_source_udp()
{
	setup_sites
	kmes_start "${rich[@]}"
	links_add
	agent_conf 1 "policy hybrid-required"
	agent_conf 2 "policy pqc-only"
	agent_start 1
	agent_start 2
	expect_soon "logged" logged 1 "no-source-in-common link=qlink0 policy=hybrid-required peer-policy=pqc-only"
	expect_soon "logged" logged 2 "no-source-in-common link=qlink0 policy=pqc-only peer-policy=hybrid-required"
	expect_eq "status" "$(link_status 1 '"\(.phase) \(.why)"')" \
		"blocked no-source-in-common: our policy is hybrid-required, the peer's pqc-only"
	expect_eq "keys" "$(keys "$ns1") $(keys "$ns2")" "0 0"
	# Reloading one end fixes it, without a restart of the other.
	agent_conf 2 "policy prefer-hybrid"
	expect_ok "reload" ctl 2 reload
	keep_busy
	answers "$ns1" "${inner[2]}"
	expect_active hybrid
}

# Only post-quantum keys, without any KME.
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

# A peer whose certificate is of another CA is refused with this reason, and counted.
test_peer_of_another_ca_is_refused_udp()
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

# A route to the peer through the tunnel could not recover once the tunnel fails: it is not used.
test_route_through_the_tunnel_is_refused_udp()
{
	setup_running
	expect_refused_inside
}

# Nor is one through a bridge with the tunnel as a port.
test_route_through_a_bridge_of_the_tunnel_is_refused_udp()
{
	local n

	setup_running
	for n in 1 2; do
		ip -n "$(site_ns "$n")" -batch - <<-END
			link add br0 type bridge
			link set br0 up
			address flush dev qlink0
			link set qlink0 master br0
			address add ${inner[n]}/24 dev br0
		END
	done
	expect_refused_inside
}

# expect_refused_inside: the agents restart and use the addresses inside the tunnel to reach each other.
expect_refused_inside()
{
	sed -i "s/^ address .*/ address ${inner[2]}/; s/^ listen .*/ listen ${channel[1]}/" "$tmp/a/conf"
	sed -i "s/^ address .*/ address ${inner[1]}/; s/^ listen .*/ listen 0.0.0.0/" "$tmp/b/conf"
	agent_kill 1 TERM
	agent_kill 2 TERM
	agent_start 2
	agent_start 1
	expect_soon "refused" through_a_qlink
	expect_soon "status" status_is 1 '.peers[0].connected' false
	expect_eq "status" "$(status 2 '.peers[0].connected')" false
}

through_a_qlink() { grep -qs 'routed through qlink0, a qlink device; it must go outside' "$tmp"/[ab]/log; }

# The audit log says what each key was used for, and changes to it are detected.
test_audit_log_eth()
{
	local id log=$tmp/a/audit/audit-0000000001.jsonl used='"event":"used".*"direction":"tx","source":"hybrid"'

	setup_running "floor-ms 50"
	expect_soon "keys were used" grep -qs '"event":"used"' "$log"
	expect_soon "hybrid keys" grep -q "$used" "$log"
	id=$(grep "$used" "$log" | head -n 1 | sed -nE 's/.*"kme_key_id":"([0-9a-f-]+)".*/\1/p')
	expect_ok "installed by the same ID" grep -q "\"event\":\"installed\".*\"direction\":\"tx\".*\"$id\"" "$log"
	expect_soon "the peer received by it" \
		grep -q "\"direction\":\"rx\".*\"kme_key_id\":\"$id\"" "$tmp/b/audit/audit-0000000001.jsonl"
	agent_kill 1 TERM
	expect_has "whole" "$(qlinkd -a "$tmp/a/audit" -c "$tmp/a/conf")" "signature checked"
	cp "$log" "$tmp/whole"
	sed -i '3s/"event"/"evemt"/' "$log"
	expect_refused "changed" "audit-0000000001.jsonl:4: line 4, expected line 4: it, or the line before it, was changed" \
		qlinkd -a "$tmp/a/audit"
	sed '$d' "$tmp/whole" >"$log"
	expect_refused "cut" "lines at the end are missing" qlinkd -a "$tmp/a/audit"
}

# A damaged audit log does not keep the agent from starting: it says so, and goes on in another file.
test_agent_starts_with_a_damaged_audit_log_eth()
{
	setup_running
	expect_soon "the log" grep -qs '"event":"connected"' "$tmp/a/audit/audit-0000000001.jsonl"
	agent_kill 1 KILL
	echo '{"number":1,"previous":"00"}' >>"$tmp/a/audit/audit-0000000001.jsonl"
	agent_start 1
	expect_soon "goes on" grep -qs '"event":"connected"' "$tmp/a/audit/audit-0000000002.jsonl"
	expect_soon "is told" grep -q 'audit-damaged file=1 from-byte=[0-9]* bytes=29' "$tmp/a/log"
	agent_kill 1 TERM
	expect_has "whole" "$(qlinkd -a "$tmp/a/audit" -c "$tmp/a/conf")" "29 bytes that a crash damaged are set aside"
}

# While the disk of the audit log is full, keys are agreed and frames go on; afterwards nothing is missing.
test_full_disk_of_the_audit_log_eth()
{
	local newest

	setup_sites
	kmes_start "${rich[@]}"
	links_add
	mkdir -p "$tmp/a/audit"
	mount -t tmpfs -o size=2m none "$tmp/a/audit"
	defer umount "$tmp/a/audit"
	head -c 2000k /dev/zero >"$tmp/a/audit/filler"
	agents_start "floor-ms 20"
	keep_busy
	expect_active hybrid
	steady_start
	expect_soon "is told" logged 1 'audit-not-written why="No space left on device"' || show_logs
	curl -s --unix-socket "$tmp/a/metrics" http://agent/metrics >"$tmp/metrics"
	expect_has "metric" "$(cat "$tmp/metrics")" 'qlinkd_audit_failing 1'
	newest=$(ring "$ns1" tx current_epoch)
	expect_soon "keys go on" ring_is_above "$ns1" tx $((newest + 100))
	rm "$tmp/a/audit/filler"
	expect_soon "is written again" logged 1 'audit-written dropped=0'
	steady_stop
	agent_kill 1 TERM
	expect_has "whole" "$(qlinkd -a "$tmp/a/audit" -c "$tmp/a/conf")" ", 0 breaks;"
}

frozen() { busybox fsfreeze "$1" "$tmp/a/audit"; }

# A disk that takes nothing for a while, and gives no error either.
test_slow_disk_of_the_audit_log_eth()
{
	local frozen_at newest

	modprobe loop || skip "needs loop devices"
	setup_sites
	kmes_start "${rich[@]}"
	links_add
	mkdir -p "$tmp/a/audit"
	truncate -s 32M "$tmp/disk"
	busybox mke2fs -F "$tmp/disk" >/dev/null || fail "mke2fs"
	mount -o loop "$tmp/disk" "$tmp/a/audit" || fail "no file system"
	defer umount "$tmp/a/audit"
	agents_start "floor-ms 20"
	keep_busy
	expect_active hybrid
	steady_start
	expect_ok "freeze" frozen --freeze
	frozen_at=${EPOCHREALTIME/./}
	newest=$(ring "$ns1" tx current_epoch)
	expect_soon "is told" logged 1 'audit-not-written why="the disk is too slow"' || show_logs
	[ "${QLINK_SOAK:-}" != 1 ] || expect_ok "frozen for a minute" busywait 100 has_gone_by "$frozen_at" 60
	curl -s --unix-socket "$tmp/a/metrics" http://agent/metrics >"$tmp/metrics"
	expect_has "metric" "$(cat "$tmp/metrics")" 'qlinkd_audit_failing 1'
	expect_soon "keys go on" ring_is_above "$ns1" tx $((newest + 100))
	expect_ok "thaw" frozen --unfreeze
	expect_soon "is written again" logged 1 'audit-written dropped=0'
	steady_stop
	agent_kill 1 TERM
	expect_has "whole" "$(qlinkd -a "$tmp/a/audit" -c "$tmp/a/conf")" ", 0 breaks;"
}

# A configuration file with an error is refused at the start, with its line.
test_bad_files_are_refused_at_start_eth()
{
	setup_sites
	agent_conf 1 "policy any"
	expect_refused "configuration" "conf:25: policy any" qlinkd -n -c "$tmp/a/conf"
	expect_refused "configuration" "conf:25: policy any" qlinkd -c "$tmp/a/conf"
	agent_conf 1
	expect_ok "configuration" qlinkd -n -c "$tmp/a/conf"
	echo text >"$tmp/a/audit"
	expect_refused "audit log" "audit log $tmp/a/audit: is no folder, in which the files of the log would be" \
		ip netns exec "$ns1" timeout 20 qlinkd -c "$tmp/a/conf"
}

# Links that a reload does not change are not disturbed.
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

# setup_renewal: protected agents whose certificates this test alone uses, and pings both ways.
setup_renewal()
{
	setup_sites
	cp -r "$pki" "$tmp/pki"
	pki=$tmp/pki
	kmes_start "${rich[@]}"
	links_add
	agents_start "floor-ms 100"
	keep_busy
	expect_active hybrid
	steady_start
}

# Certificates of the agents and their SAEs are replaced in place: a reload takes them into use, under traffic.
test_certificates_are_replaced_eth()
{
	local n before offers changes

	setup_renewal
	for n in 1 2; do
		before=$(serials "$n") changes=$(link_status "$n" .counters.source_changes)
		expect_ok "new certificates" renew "${site[n]}"
		expect_has "dry run" "$(ctl "$n" reload --dry-run)" "link qlink0: kept"
		expect_has "dry run" "$(ctl "$n" reload --dry-run)" "made again with other certificates"
		expect_ok "reload" ctl "$n" reload
		expect_ok "other serial numbers" test "$(serials "$n")" != "$before"
		# The connection of the first round counts, too.
		expect_soon "a new connection" status_is "$n" '.peers[0].connections' $((n + 1))
		offers=$(link_status "$n" .counters.offers)
		expect_soon "new keys" link_status_is "$n" ".counters.offers > $offers" true
		expect_eq "no fallback" "$(link_status "$n" .counters.source_changes)" "$changes"
	done
	steady_stop
}

# Twenty times another connection, asked for at either end in turn, under 1,000 rekeys a minute: no key is burned, and
# no frame is lost.
test_connections_are_replaced_udp()
{
	local n asked round

	setup_running "floor-ms 60" "ceiling-ms 60"
	expect_soon "keys change" has_rekeys 50
	steady_start
	for round in {1..20}; do
		asked=$((round % 2 + 1))
		expect_ok "reconnect $round" ctl "$asked" reconnect "site-${site[3 - asked]}"
		for n in 1 2; do
			expect_soon "connection $round" status_is "$n" '.peers[0].connections' $((round + 1))
			expect_soon "ready $round" link_status_is "$n" .counters.sessions $((round + 1))
		done
	done
	for n in 1 2; do expect_soon "new keys" more_offers "$n" "$(offers "$n")"; done
	steady_stop
	for n in 1 2; do
		# If the machine stalls, a KME may not answer in time; only that burns keys here.
		logged "$n" "timed out" || expect_eq "burned" "$(link_status "$n" .counters.keys_burned)" 0
		expect_eq "trouble" "$(link_status "$n" '.counters | .violations + .timeouts + .failures + .chain_restarts')" 0
	done
	expect_refused "no such peer" "no such peer" ctl 1 reconnect nobody
}

# The CA of the KMEs is replaced under traffic, as an operator does it: both CAs are trusted, then the certificates of
# KMEs and SAEs change, then the old CA goes.
test_ca_of_the_kmes_is_replaced_udp()
{
	local n before=() changes

	setup_renewal
	changes=$(changes_of_sources)
	before=(- "$(serials 1)" "$(serials 2)")
	(
		cd "$pki" && mv kme-ca.pem old-ca.pem && kme_ca new-ca && cat old-ca.pem new-ca.pem >kme-ca.pem
	) || fail "another CA"
	reload_both
	expect_new_keys
	(
		# The key signs from now on; openssl takes the first certificate of a file.
		cd "$pki" && mv new-ca.key kme-ca.key && cat new-ca.pem old-ca.pem >kme-ca.pem && kme_certs
	) || fail "other certificates"
	for n in a b; do kmes restart "$n" 0; done
	reload_both
	expect_new_keys
	for n in 1 2; do expect_ok "other serial numbers" test "$(serials "$n")" != "${before[n]}"; done
	cp "$pki/new-ca.pem" "$pki/kme-ca.pem"
	for n in a b; do kmes restart "$n" 0; done
	reload_both
	expect_new_keys
	expect_eq "CA in use" "$(status 1 '[.certificates[] | select(.use == "ca") | .serial] | length')" 2
	expect_eq "no fallback" "$(changes_of_sources)" "$changes"
	steady_stop
}

changes_of_sources() { echo "$(link_status 1 .counters.source_changes) $(link_status 2 .counters.source_changes)"; }
reload_both() { expect_ok "reload" ctl 1 reload; expect_ok "reload" ctl 2 reload; }

# expect_new_keys: both agents get more keys from their KMEs, and agree on more.
expect_new_keys()
{
	local n got keys

	for n in 1 2; do
		got=$(link_status "$n" .kmes[0].counters.keys) keys=$(link_status "$n" .counters.tx_keys.hybrid)
		expect_soon "keys from the KME" link_status_is "$n" ".kmes[0].counters.keys > $got" true
		expect_soon "hybrid keys" link_status_is "$n" ".counters.tx_keys.hybrid > $keys" true
	done
}

# serials 1|2: serial numbers of the certificates of an agent, its own first.
serials() { status "$1" '[.certificates[] | select(.use == "certificate") | .serial] | join(" ")'; }

# renew SITE: new certificates and keys for an agent and its SAE.
renew()
(
	cd "$pki" && rm "site-$1.pem" "site-$1.key" && qlink-pki cert . "site-$1" && kme_cert "sae-$1" "SAE-${1^^}"
)

# A policy is tightened while the peer is away: what it no longer allows is deleted before the reload returns.
test_policy_is_tightened_without_a_peer_udp()
{
	setup_sites
	links_add
	agents_start "policy pqc-only"
	keep_busy
	expect_active pqc
	agent_kill 2 KILL
	agent_conf 1 "policy hybrid-required"
	expect_ok "reload" ctl 1 reload
	expect_eq "keys" "$(keys "$ns1")" 0
	expect_has "accepted" "$(in_ns "$ns1" qlinkctl -j show qlink0)" '"accept":["hybrid"]'
}

# Withdrawn keys are deleted at both ends, in use or not, and new ones are agreed.
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
	expect_ok "logged" logged 1 "withdraw link=qlink0"
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

# The privileges of each process, and the metrics.
test_rights_and_metrics_udp()
{
	local broker

	setup_running
	broker=$(pgrep -P "${agent_pid[1]}")
	expect_eq "capabilities of the agent" "$(caps "${agent_pid[1]}")" "CapEff: 0000000000004000"
	expect_eq "capabilities of the broker" "$(caps "$broker")" "CapEff: 0000000000005000"
	expect_has "no new privileges" "$(cat "/proc/${agent_pid[1]}/status")" "NoNewPrivs:	1"
	# AddressSanitizer cannot have its memory locked.
	[ -n "${ASAN_OPTIONS:-}" ] || expect_eq "all memory is locked, except what the kernel adds" \
		"$(awk '/^VmLck/ { locked = $2 } /^VmRSS/ { held = $2 } END { print (locked + 64 >= held) }' "/proc/${agent_pid[1]}/status")" 1
	curl -s --unix-socket "$tmp/a/metrics" http://agent/metrics >"$tmp/metrics"
	expect_has "metrics" "$(cat "$tmp/metrics")" 'qlinkd_ready{link="qlink0"} 1'
	expect_has "metrics" "$(cat "$tmp/metrics")" 'qlinkd_keys_total{link="qlink0",direction="tx",source="hybrid"}'
	expect_has "metrics" "$(cat "$tmp/metrics")" 'qlinkd_device_tx_parcels_total{link="qlink0"} 0'
	kill -9 "$broker"
	expect_soon "agent ends without its broker" agent_is_gone 1
	expect_ok "it logs why" logged 1 "the broker has ended"
}

# A key from a KME is nowhere to be found once it was used: not in memory, log, audit log, environment or command
# line.
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
	id=$(sed -nE 's/.*"direction":"tx".*"kme_key_ids":\["([^"]+)".*/\1/p' "$tmp/a/audit/audit-0000000001.jsonl" | head -n 1)
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

# kme_b_key ID: the bytes of a key, served once more by KME b to SAE-B.
kme_b_key()
{
	in_ns "$ns2" curl -s --cacert "$pki/kme-ca.pem" --cert "$pki/sae-b.pem" --key "$pki/sae-b.key" -k \
		"https://10.1.2.9:$kme_port/api/v1/keys/SAE-A/dec_keys?key_ID=$1" | jq -r '.keys[0].key' | base64 -d | to_hex
}

caps() { grep CapEff "/proc/$1/status" | tr -s '\t ' ' '; }
agent_is_gone() { ! kill -0 "${agent_pid[$1]}"; }

# shellcheck disable=SC2034 # for ktap.sh

run_tests "$@"
