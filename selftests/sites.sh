# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Two sites with an agent each, and two KMEs: what the agent tests share in addition to lib.sh.
#
# $ns1 is site a, $ns2 is site b, $ns3 holds the KMEs. veth0 is the underlay, veth1 connects the agents, veth2
# connects a site to its KME. The files of a site are in $tmp/a and $tmp/b.

# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

readonly site=(- a b) channel=(- 203.0.113.1 203.0.113.2) kme_port=8443
# How long a KME may take, in ms; the debug kernel is slow.
if is_debug_kernel; then readonly patience=15000; else readonly patience=4000; fi
agent_pid=(- 0 0) kmesim_pid=0

# ---- certificates, made once for all tests of a file ----

# kme_ca FILE: a CA for KMEs and SAEs.
kme_ca()
{
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj "/CN=KME CA" -keyout "$1.key" \
		-out "$1.pem" 2>/dev/null
}

# kme_cert FILE CN: a certificate of a KME or an SAE, under the CA of the KMEs.
kme_cert()
{
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -CA kme-ca.pem -CAkey kme-ca.key \
		-subj "/CN=$2" -addext basicConstraints=critical,CA:FALSE -keyout "$1.key" -out "$1.pem" 2>/dev/null
}

# kme_certs: one for each KME and SAE.
kme_certs() { kme_cert kme-a KME-A && kme_cert kme-b KME-B && kme_cert sae-a SAE-A && kme_cert sae-b SAE-B; }

make_pki()
{
	pki=$top/pki
	[ ! -d "$pki" ] || return 0
	mkdir "$pki"
	(
		cd "$pki" || exit 1
		qlink-pki ca . && qlink-pki cert . site-a && qlink-pki cert . site-b || exit 1
		kme_ca kme-ca && kme_certs
	) || fail "certificates"
}

# ---- namespaces of the sites ----

# setup_sites [MTU]: three namespaces, what connects them, and the certificates; no link, no agent.
setup_sites()
{
	local n

	setup_wire "$@"
	setup_ns ns3
	connect_ns "$ns1" "$ns2" veth1 "${channel[1]}" "${channel[2]}" || fail "veth1"
	for n in 1 2; do
		ip link add "veth$n" netns "$ns3" type veth peer name veth2 netns "$(site_ns "$n")"
		ip -n "$ns3" address add "10.1.$n.9/24" dev "veth$n"
		ip -n "$ns3" link set "veth$n" up
		ip -n "$(site_ns "$n")" address add "10.1.$n.1/24" dev veth2
		ip -n "$(site_ns "$n")" link set veth2 up
		mkdir "$tmp/${site[n]}"
	done
	make_pki
}

site_ns() { if [ "$1" = 1 ]; then echo "$ns1"; else echo "$ns2"; fi; }

# ---- the KMEs ----

# A supply that never runs out, for tests of something else.
# shellcheck disable=SC2034 # for the tests
readonly rich=("stock 100000" "supply fibre 1000")

# kmes_start [LINE…]: starts both KMEs; the LINEs configure their link, for example "stock 1000".
kmes_start()
{
	{
		echo "control $tmp/kmesim"
		for n in 1 2; do
			echo "kme ${site[n]}"
			echo " id KME-${site[n]^^}"
			echo " listen 10.1.$n.9:$kme_port"
			echo " certificate $pki/kme-${site[n]}.pem"
			echo " key $pki/kme-${site[n]}.key"
			echo " ca $pki/kme-ca.pem"
			echo " dry short"
		done
		echo "link SAE-A SAE-B"
		printf ' %s\n' "$@"
	} >"$tmp/kmesim.conf"
	ip netns exec "$ns3" qlink-kmesim "$tmp/kmesim.conf" >"$tmp/kmesim.log" 2>&1 &
	kmesim_pid=$!
	defer kill "$kmesim_pid"
	expect_soon "KMEs" grep -q '^ready' "$tmp/kmesim.log"
}

# kmes COMMAND…
kmes() { expect_ok "kmesim" qlink-kmesim -s "$tmp/kmesim" "$@"; }

# ---- the agents ----

# agent_conf 1|2 [LINE…]: writes an agent's configuration; the LINEs are added to its link.
agent_conf()
{
	local own=${site[$1]} peer=${site[3 - $1]} dir=$tmp/${site[$1]}

	cat >"$dir/conf" <<-END
		agent
		 name site-$own
		 certificate $pki/site-$own.pem
		 key $pki/site-$own.key
		 ca $pki/ca.pem
		 listen ${channel[$1]}
		 control $dir/control
		 metrics $dir/metrics
		 audit-log $dir/audit
		 kme-connect-ms $patience
		 kme-timeout-ms $patience
		 kme-retry-ms 2000
		kme rack
		 url https://10.1.$1.9:$kme_port
		 id KME-${own^^}
		 certificate $pki/sae-$own.pem
		 key $pki/sae-$own.key
		 ca $pki/kme-ca.pem
		peer site-$peer
		 address ${channel[3 - $1]}
		link qlink0
		 peer site-$peer
	END
	[[ " ${*:2} " == *" policy pqc-only "* ]] || printf ' sae SAE-%s\n' "${peer^^}" >>"$dir/conf"
	[[ " ${*:2} " =~ " policy pqc-only "|" mix " ]] || echo " kmes rack" >>"$dir/conf"
	printf ' %s\n' "${@:2}" >>"$dir/conf"
	# Storing thousands of keys that most tests do not need would take minutes here.
	[[ " ${*:2} " == *" store "* ]] || echo " store 500" >>"$dir/conf"
	[[ " ${*:2} " == *" outage-cover "* ]] || echo " outage-cover 30" >>"$dir/conf"
}

# agent_start 1|2: starts an agent.
agent_start()
{
	local log=$tmp/${site[$1]}/log

	echo "-- start" >>"$log"
	ip netns exec "$(site_ns "$1")" qlinkd -c "$tmp/${site[$1]}/conf" 2>>"$log" &
	agent_pid[$1]=$!
	defer kill "${agent_pid[$1]}"
}

# agent_kill 1|2 [SIGNAL]: kills an agent and waits for its end.
agent_kill()
{
	kill "-${2:-9}" "${agent_pid[$1]}"
	wait "${agent_pid[$1]}" 2>/dev/null
}

# agents_start [LINE…]: starts both agents; the LINEs are added to their link.
agents_start()
{
	agent_conf 1 "$@"
	agent_conf 2 "$@"
	agent_start 1
	agent_start 2
}

# ctl 1|2 WORD…: runs qlinkctl against the agent of a site.
ctl() { in_ns "$(site_ns "$1")" qlinkctl -c "$tmp/${site[$1]}/control" "${@:2}"; }

# status 1|2 FILTER: applies a jq filter to an agent's status; link_status: to the status of its link.
status() { ctl "$1" -j status 2>/dev/null | jq -r "$2"; }
link_status() { status "$1" ".links[0] | $2"; }
status_is() { [ "$(status "$1" "$2")" = "$3" ]; }
offers() { link_status "$1" .counters.offers; }
more_offers() { [ "$(offers "$1")" -gt "$2" ]; }
link_status_is() { [ "$(link_status "$1" "$2")" = "$3" ]; }

# logged 1|2 TEXT: a line in the log of a site contains TEXT.
logged() { grep -qF -e "$2" "$tmp/${site[$1]}/log"; }

# active SOURCE: both directions use keys of this source.
active()
{
	local n

	for n in 1 2; do
		[ "$(ring "$(site_ns "$n")" tx current_source)" = "$1" ] || return 1
		[ "$(ring "$(site_ns "$n")" rx current_source)" = "$1" ] || return 1
	done
}

# expect_active SOURCE: both directions soon use keys of this source; prints the logs if not.
expect_active()
{
	expect_soon "active $1" active "$1" || show_logs
}

# show_logs: prints the end of both logs.
show_logs() { tail -n 60 "$tmp"/[ab]/log; }

# links_add [WORD…]: creates both ends of the link, without keys.
links_add()
{
	local n

	for n in 1 2; do
		site_link_add "$n" "$@"
	done
	quiet
}

# site_link_add 1|2 [WORD…]: creates the end of one site.
site_link_add()
{
	link_add "$@" || fail "link $1"
	link_set "$(site_ns "$1")" accept hybrid,pqc,qkd
}

# setup_running [LINE…]: two sites whose traffic is protected by hybrid keys; the LINEs are added to their link.
setup_running()
{
	setup_sites
	kmes_start "${rich[@]}"
	links_add
	agents_start "$@"
	keep_busy
	expect_active hybrid
}

# ---- vaults, in the place of KMEs ----

# vaults_make N: makes a vault of N keys, and carries a copy to each site.
vaults_make()
{
	local n

	(umask 077 && head -c 32 /dev/urandom >"$tmp/vault-key")
	expect_ok "make" qlink-vault make "$tmp/vault" --key "$tmp/vault-key" --keys "$1"
	for n in a b; do
		cp -p "$tmp/vault" "$tmp/vault-key" "$tmp/$n/"
	done
}

# vault_conf 1|2 [LINE…]: writes an agent's configuration with a vault for its only KME.
vault_conf()
{
	local own=${site[$1]}
	local dir=$tmp/$own

	agent_conf "$@"
	sed -i -e '/^kme rack/,/^peer/ { /^peer/!d }' -e '/^ sae /d' "$dir/conf"
	printf '%s\n' "kme rack" " dialect vault" " file $dir/vault" " key-file $dir/vault-key" " side $own" >>"$dir/conf"
}

# ---- traffic ----

# keep_busy: sends frames, since keys are replaced only while frames are sent.
keep_busy() { in_background "$ns1" ping -q -i 0.02 "${inner[2]}"; }

# has_gone_by SINCE SECONDS: SECONDS have passed; SINCE is in microseconds.
has_gone_by() { [ $((${EPOCHREALTIME/./} - $1)) -ge $(($2 * 1000000)) ]; }

# expect_sealed PCAP: all of the link's frames are sealed, and no nonce was repeated or used after a newer epoch.
expect_sealed()
{
	local n

	decode_nonces "$1"
	for n in 1 2; do
		expect_eq "nonces of site ${site[n]}: again, back" "$(nonces "$n" again) $(nonces "$n" back)" "0 0"
		expect_ok "frames of site ${site[n]}" test "$(nonces "$n" sealed)" -gt 10
	done
	expect_eq "in clear" "$(tcpdump -Z root -n -r "$1" "host ${inner[1]} or host ${inner[2]}" 2>/dev/null | wc -l)" 0
}

# steady_start [SECONDS]: pings in each direction every 10 ms, or every SECONDS. steady_stop expects an answer to
# each, and only sealed frames on the underlay.
steady_start()
{
	capture_start "$ns1" "$tmp/steady"
	ip netns exec "$ns1" ping -i "${1:-0.01}" -W 5 "${inner[2]}" >"$tmp/ping1" 2>&1 &
	steady=($!)
	defer kill $!
	ip netns exec "$ns2" ping -i "${1:-0.01}" -W 5 "${inner[1]}" >"$tmp/ping2" 2>&1 &
	steady+=($!)
	defer kill $!
}

# have_answers N FILE…: pings in each FILE were answered N times.
have_answers()
{
	local file

	for file in "${@:2}"; do [ "$(grep -c 'bytes from' "$file")" -ge "$1" ] || return 1; done
}

# steady_stop [LOST]: at most LOST pings were lost, 0 by default.
steady_stop()
{
	local n sent received

	expect_soon "answers to both pings" have_answers 10 "$tmp"/ping[12]
	kill -INT "${steady[@]}"
	wait "${steady[@]}"
	for n in 1 2; do
		read -r sent received < <(sed -nE 's/^([0-9]+) packets transmitted, ([0-9]+) received.*/\1 \2/p' "$tmp/ping$n")
		expect_ok "pings sent" test "${sent:-0}" -ge 10
		# One ping may be on its way when ping ends.
		expect_ok "lost of $sent pings from site ${site[n]}: $((sent - received))" \
			test "$((sent - received))" -le $((${1:-0} + 1))
	done
	capture_stop "$tmp/steady"
	expect_sealed "$tmp/steady"
	rm "$tmp/steady"
}
