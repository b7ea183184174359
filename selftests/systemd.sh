#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The agent as a service of systemd, with the unit that "make install" installs: it starts before its devices, is started
# again for ever, and says how its links stand. Site a has the service, site b an agent without.

# shellcheck disable=SC2034 # for run and ktap.sh
needs_systemd=yes

# shellcheck source=sites.sh
. "$(dirname "$0")/sites.sh"

# setup_service [LINE…]: two sites and their KMEs, and the service of site a, not started; the LINEs are added to its link.
setup_service()
{
	setup_sites
	kmes_start "${rich[@]}"
	systemd-sysusers 2>/dev/null
	agent_conf 1 "$@"
	agent_conf 2 "$@"
	install_service
	agent_start 2
	defer systemctl stop qlinkd
	since=$(date +'%Y-%m-%d %H:%M:%S')
}

# install_service: the configuration and the files of site a, where the unit looks for them.
install_service()
{
	local file

	rm -rf /etc/qlinkd /var/log/qlinkd
	install -d -m 750 -o qlinkd -g qlinkd /etc/qlinkd
	for file in site-a.pem site-a.key ca.pem sae-a.pem sae-a.key kme-ca.pem; do
		install -m 400 -o qlinkd -g qlinkd "$pki/$file" /etc/qlinkd/
	done
	sed -E "s,$pki/,/etc/qlinkd/,; s,$tmp/a/(control|metrics),/run/qlinkd/\1,; s,$tmp/a/audit,/var/log/qlinkd/audit," \
		"$tmp/a/conf" >/etc/qlinkd/qlinkd.conf
	chown qlinkd: /etc/qlinkd/qlinkd.conf
	ln -s /run/qlinkd/control "$tmp/a/control"
	drop_in site "NetworkNamespacePath=/run/netns/$ns1"
}

# drop_in NAME LINE…: more lines for the unit's service.
drop_in()
{
	local dir=/run/systemd/system/qlinkd.service.d

	mkdir -p "$dir"
	printf '%s\n' '[Service]' "${@:2}" >"$dir/$1.conf"
	defer rm -rf "$dir"
	systemctl daemon-reload
}

unit_is() { [ "$(systemctl show -P "$1" qlinkd)" = "$2" ]; }
# service_start: the unit is started, and the agent is ready; shows why if not.
service_start() { expect_ok "start" systemctl start qlinkd || { show_service; return 1; }; }
main_pid() { systemctl show -P MainPID qlinkd; }
status_text_has() { systemctl show -P StatusText qlinkd | grep -qF -e "$1"; }
# journal_has TEXT: the service has logged it in this test.
journal_has() { journalctl -q -o cat -u qlinkd --since "$since" | grep -qF -e "$1"; }
# show_service: prints the end of the service's log.
show_service() { journalctl -q -o cat -u qlinkd --since "$since" | tail -n 40; tail -n 20 "$tmp/b/log"; }
expect_protected() { expect_soon "active hybrid" active hybrid || show_service; }

test_starts_before_its_device_udp()
{
	setup_service
	service_start || return
	expect_eq "state" "$(systemctl is-active qlinkd)" active
	expect_soon "says why" unit_is StatusText "1 link: 1 blocked (qlink0: device: no such device)" ||
		systemctl show -P StatusText qlinkd
	links_add
	keep_busy
	expect_protected
	expect_soon "says it" unit_is StatusText "1 link: 1 protected"
	expect_has "status" "$(systemctl status qlinkd)" 'Status: "1 link: 1 protected"'
	expect_eq "user" "$(ps -o user= -p "$(main_pid)")" qlinkd
}

test_starts_after_its_device_udp()
{
	setup_service
	links_add
	keep_busy
	service_start || return
	expect_protected
	ip -n "$ns1" link delete qlink0
	expect_soon "says that it is gone" status_text_has "blocked (qlink0: device: no such device)"
	expect_eq "state" "$(systemctl is-active qlinkd)" active
}

# The service manager waits until the agent has read its configuration, and says so to who reloads.
test_reload_udp()
{
	setup_service
	links_add
	keep_busy
	service_start || return
	expect_protected
	steady_start
	local pid
	pid=$(main_pid)
	sed -i 's/outage-cover 30/outage-cover 40/' /etc/qlinkd/qlinkd.conf
	expect_ok "reload" systemctl reload qlinkd
	expect_ok "logged" journal_has reloaded
	echo "nonsense" >>/etc/qlinkd/qlinkd.conf
	systemctl reload qlinkd
	expect_ok "logged" journal_has reload-failed
	expect_soon "says it" status_text_has "reload refused: /etc/qlinkd/qlinkd.conf:"
	expect_eq "state" "$(systemctl is-active qlinkd) $(main_pid)" "active $pid"
	expect_eq "reloads" "$(status 1 .reloads)" 1
	steady_stop
}

# kill_agent N: kills the service's agent, and waits until systemd has started it the Nth time again.
kill_agent()
{
	kill -9 "$(main_pid)"
	expect_soon "restart $1" restarted "$1"
}

# The pause before a restart grows, so the agent may not run yet when the next kill is due.
restarted() { [ "$(systemctl show -P NRestarts qlinkd)" -ge "$1" ]; }

test_kills_in_a_row_udp()
{
	local n end limit=10

	# There the agent alone takes that long to start.
	! is_debug_kernel || limit=60
	setup_service "floor-ms 100"
	links_add
	keep_busy
	service_start || return
	expect_protected
	steady_start
	end=${EPOCHREALTIME/./}
	n=0
	while [ $((${EPOCHREALTIME/./} - end)) -lt 10000000 ] || [ "$n" -lt 10 ]; do
		kill_agent $((n = n + 1))
	done
	end=$SECONDS
	expect_soon "active" unit_is ActiveState active || show_service
	expect_ok "within $limit s" test $((SECONDS - end)) -le $limit
	echo "# $n kills; active $((SECONDS - end)) s after the last"
	expect_protected
	expect_soon "says it" unit_is StatusText "1 link: 1 protected"
	steady_stop
}

# An agent that does not turn its loop is ended and started again.
test_watchdog_udp()
{
	local pid

	setup_service
	drop_in watchdog "WatchdogSec=4s"
	links_add
	keep_busy
	service_start || return
	expect_protected
	steady_start
	pid=$(main_pid)
	kill -STOP "$pid"
	expect_soon "restart" restarted 1
	expect_soon "active" unit_is ActiveState active || show_service
	expect_ok "why" journal_has_of_manager "Watchdog timeout"
	expect_eq "another agent" "$(($(main_pid) != pid))" 1
	expect_protected
	steady_stop
}

journal_has_of_manager() { journalctl -q -o cat UNIT=qlinkd.service --since "$since" | grep -qF -e "$1"; }

# Private keys that root gives the service: no file of the agent's user has them.
test_credentials_udp()
{
	setup_service
	install -d -m 700 "$tmp/secret"
	mv /etc/qlinkd/{site,sae}-a.key "$tmp/secret/"
	chown root: "$tmp"/secret/*
	sed -i 's,/etc/qlinkd/\(.*-a.key\),/run/credentials/qlinkd.service/\1,' /etc/qlinkd/qlinkd.conf
	drop_in credentials "LoadCredential=site-a.key:$tmp/secret/site-a.key" "LoadCredential=sae-a.key:$tmp/secret/sae-a.key"
	links_add
	keep_busy
	service_start || return
	expect_protected
	expect_eq "reload" "$(systemctl reload qlinkd; systemctl is-active qlinkd)" active
}

# A vault is where the unit lets the agent write, and its key comes from the service manager.
test_vault_with_its_key_as_a_credential_udp()
{
	local n conf=/etc/qlinkd/qlinkd.conf

	setup_sites
	systemd-sysusers 2>/dev/null
	vaults_make 2000
	for n in 1 2; do vault_conf "$n" "policy hybrid-required"; done
	install_service
	sed -i "s,$tmp/a/vault-key,/run/credentials/qlinkd.service/vault-key,; s,$tmp/a/vault,/var/lib/qlinkd/vault," "$conf"
	install -d -m 700 -o qlinkd -g qlinkd /var/lib/qlinkd
	defer rm -rf /var/lib/qlinkd
	install -m 600 -o qlinkd -g qlinkd "$tmp/vault" /var/lib/qlinkd/
	drop_in credentials "LoadCredential=vault-key:$tmp/a/vault-key"
	agent_start 2
	defer systemctl stop qlinkd
	since=$(date +'%Y-%m-%d %H:%M:%S')
	links_add
	keep_busy
	service_start || return
	expect_protected
	expect_eq "owner of the index" "$(stat -c '%U %a' /var/lib/qlinkd/vault.index)" "qlinkd 600"
}

# journal_fields FIELD=VALUE…: the last entry of the service that has these fields, as JSON.
journal_fields() { journalctl -q -o json -u qlinkd --since "$since" "$@" | tail -n 1; }
field_is() { [ "$(journal_fields "${@:3}" | jq -r ".$1 // \"none\"")" = "$2" ]; }

# Each event has its fields in the journal, and a text that explains it; nothing of it is lost while the journal restarts.
test_journal_has_the_fields_of_events_udp()
{
	local entry id

	setup_service
	links_add
	keep_busy
	service_start || return
	expect_protected
	expect_soon "ready" field_is QLINK_PEER site-b QLINK_EVENT=ready QLINK_LINK=qlink0
	entry=$(journal_fields QLINK_EVENT=ready)
	expect_eq "of whom" "$(jq -r '[.SYSLOG_IDENTIFIER, ._SYSTEMD_UNIT, .PRIORITY, ._TRANSPORT] | join(" ")' <<<"$entry")" \
		"qlinkd qlinkd.service 6 journal"
	expect_has "line" "$(jq -r .MESSAGE <<<"$entry")" "ready link=qlink0 peer=site-b"
	id=$(sed -nE 's/^\.It ready Ta ([0-9a-f]{32})$/\1/p' /usr/share/man/man8/qlinkd.8)
	expect_eq "MESSAGE_ID" "$(jq -r .MESSAGE_ID <<<"$entry")" "${id:-none in the manual}"
	expect_soon "KME" field_is QLINK_LINK qlink0 QLINK_EVENT=kme-up QLINK_KME=rack
	expect_ok "catalog" journalctl --update-catalog
	expect_has "explained" "$(journalctl -q -x -u qlinkd QLINK_EVENT=ready --since "$since")" "Subject: Link qlink0 is ready"
	expect_ok "another journal" systemctl restart systemd-journald
	kmes stop a
	expect_ok "by fields" busywait $((3 * deadline)) field_is PRIORITY 4 QLINK_EVENT=kme-down QLINK_KME=rack
	expect_has "what to do" "$(journalctl -q -x -u qlinkd QLINK_EVENT=kme-down --since "$since")" 'qlinkctl kme check rack'
	expect_eq "none in the stream" "$(journalctl -q -o json -u qlinkd _TRANSPORT=stdout --since "$since" | grep -c 'link=')" 0
}

# The socket of the manager starts the agent, and stays while it is started again.
test_metrics_at_a_socket_of_the_manager_udp()
{
	local metrics=http://127.0.0.1:9751/metrics

	setup_service
	links_add
	defer systemctl stop qlinkd-metrics.socket
	expect_ok "socket" systemctl start qlinkd-metrics.socket
	expect_eq "not yet" "$(systemctl is-active qlinkd)" inactive
	expect_has "starts the agent" "$(curl -s -m 60 "$metrics")" 'qlinkd_agent_info{agent="site-a"'
	expect_ok "started" systemctl -q is-active qlinkd || { show_service; return; }
	expect_ok "stop" kill -9 "$(main_pid)"
	expect_has "waits for the next agent" "$(curl -s -m 60 --retry 3 --retry-all-errors "$metrics")" 'qlinkd_agent_info{agent="site-a"'
	expect_soon "restart" restarted 1
	expect_eq "by a name" "$(curl -s -o /dev/null -w '%{http_code}' -H 'Host: evil.example' "$metrics")" 421
	expect_eq "the broker has no socket" "$(ss -Hltnp 'sport = :9751' | grep -o 'pid=[0-9]*' | sort -u | wc -l)" 2
}

# The key of the state file comes sealed, as systemd-creds made it; the file lies in the folder of the unit.
test_state_key_is_a_credential_udp()
{
	local sealed=/etc/credstore.encrypted/state-key name=/run/credentials/qlinkd.service/state-key

	setup_service
	install -d -m 700 "${sealed%/*}"
	rm -rf /var/lib/qlinkd "$sealed"
	head -c 48 /dev/urandom >"$tmp/key"
	expect_ok "seal" systemd-creds encrypt --with-key=host --name=state-key "$tmp/key" "$sealed"
	rm "$tmp/key"
	defer rm -f "$sealed"
	drop_in state "LoadCredentialEncrypted=state-key:$sealed"
	sed -i "/^ audit-log /a\\ state /var/lib/qlinkd/chains\\n state-key $name" /etc/qlinkd/qlinkd.conf
	links_add
	keep_busy
	service_start || return
	expect_protected
	expect_ok "begun" journal_has "state-begun file=/var/lib/qlinkd/chains"
	expect_eq "file" "$(stat -c '%U %a' /var/lib/qlinkd/chains)" "qlinkd 600"
	expect_ok "qlinkd -n" qlinkd -n
	expect_ok "reload" systemctl reload qlinkd
	expect_ok "restart" systemctl restart qlinkd
	expect_protected
	expect_ok "read" journal_has "state-read file=/var/lib/qlinkd/chains links=1 others=0 damaged=0 other-key=0"
	expect_soon "restored" journal_has "chain-restored link=qlink0"
	expect_eq "the peer did not notice" "$(grep -cF chain-restarted "$tmp/b/log")" 0
}

# An agent that cannot start is tried for ever, with a pause that grows; a mended file ends it.
test_no_start_limit_udp()
{
	setup_service
	links_add
	keep_busy
	mv /etc/qlinkd/ca.pem "$tmp/"
	systemctl start --no-block qlinkd
	expect_soon "restarts" restarted 3
	expect_eq "state" "$(systemctl is-failed qlinkd)" activating
	mv "$tmp/ca.pem" /etc/qlinkd/
	expect_protected
}

# link_document DSCP: a link between this host and nobody.
link_document()
{
	jq -n --argjson dscp "$1" '{"ietf-interfaces:interfaces": {interface: [{name: "qlink9", type: "qlink:qlink",
		"qlink:link": {id: 9, local: "203.0.113.9", remote: "203.0.113.10", port: 47009, dscp: $dscp}}]}}' >"$tmp/document"
}

# A change whose guard is gone is put back before the links are made, with the rights that the service itself lacks.
test_interrupted_change_is_put_back()
{
	local guard

	rm -rf /etc/qlink /var/lib/qlink
	install -d /etc/qlink/links.d
	defer rm -rf /etc/qlink /var/lib/qlink
	ip link add dummy9 type dummy
	defer ip link delete dummy9
	ip address add 203.0.113.9/24 dev dummy9
	ip link set dummy9 up
	since=$(date +'%Y-%m-%d %H:%M:%S')
	link_document 5
	expect_has "apply" "$(qlinkctl apply "$tmp/document")" applied
	defer ip link delete qlink9
	link_document 7
	expect_has "it waits" "$(qlinkctl apply --confirm 600 "$tmp/document")" "put back in 600 s"
	guard=$(pgrep -x qlinkctl-guard)
	expect_ok "the guard is killed" kill -9 "$guard"
	expect_soon "gone" test ! -e "/proc/$guard"
	expect_ok "start" systemctl start qlink-links
	defer systemctl stop qlink-links
	expect_eq "dscp" "$(qlinkctl -j show qlink9 | jq '.[0].link.dscp')" 5
	expect_ok "the file" grep -q "dscp 5" /etc/qlink/links.d/00-apply.conf
	expect_has "told" "$(journalctl -q -o cat -u qlink-links --since "$since")" "a change was interrupted: what was before was put back"
	expect_has "the service runs" "$(systemctl is-active qlink-links)" active
}

run_tests "$@"
