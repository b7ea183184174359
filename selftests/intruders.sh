#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Only the peer gets keys. Impostors that connect to an agent, and one between two agents, are each refused with a
# reason and counted, and the peer still connects.

# shellcheck source=sites.sh
. "$(dirname "$0")/sites.sh"

readonly agent_port=7511 every_refusal='[.refused[]] | add'

# setup_one_agent 1|2: two sites, of which only this agent runs. $tmp/other holds a certificate for the other site,
# under another CA.
setup_one_agent()
{
	setup_sites
	kmes_start "${rich[@]}"
	links_add
	agent_conf 1
	agent_conf 2
	agent_start "$1"
	mkdir "$tmp/other"
	expect_ok "another CA" qlink-pki ca "$tmp/other"
	expect_ok "its certificate" qlink-pki cert "$tmp/other" "site-${site[3 - $1]}"
	expect_soon "running" status_is "$1" "$every_refusal" 0
}

# expect_peer_connects 1|2: starts this agent, which was missing so far.
expect_peer_connects()
{
	keep_busy
	agent_start "$1"
	expect_soon "the peer connects" link_status_is $((3 - $1)) .phase ready
	expect_active hybrid
}

# cert_of_days NAME FROM TO: a certificate of site b under the CA of the agents, valid for these days.
cert_of_days()
{
	expect_ok "certificate $1" openssl req -x509 -newkey ML-DSA-65 -nodes -not_before "$2" -not_after "$3" -subj /CN=site-b \
		-CA "$pki/ca.pem" -CAkey "$pki/ca.key" -addext basicConstraints=critical,CA:FALSE \
		-addext subjectAltName=DNS:site-b -keyout "$tmp/$1.key" -out "$tmp/$1.pem"
}

# own NAME: the options with which openssl presents this certificate.
own() { echo "-cert $1.pem -key $1.key"; }

# expect_client_refused REASON WHY OPTION…: an openssl client at site b connects to site a and is refused.
expect_client_refused()
{
	local reason=$1 why=$2 before all

	shift 2
	before=$(status 1 ".refused[\"$reason\"]") all=$(status 1 "$every_refusal")
	: >"$tmp/a/log"
	ip netns exec "$ns2" timeout 60 openssl s_client -connect "${channel[1]}:$agent_port" "$@" </dev/null >"$tmp/said" 2>&1
	expect_soon "$reason: counted" status_is 1 ".refused[\"$reason\"]" $((before + 1))
	expect_eq "$reason: no other reason counted" "$(status 1 "$every_refusal")" $((all + 1))
	expect_soon "$reason: logged" grep -qE "^<4>peer-refused from=\"?${channel[2]}.* why=\"$reason: .*$why" "$tmp/a/log"
}

# Whatever certificate an impostor presents, it is refused.
test_impostors_are_refused_udp()
{
	setup_one_agent 1
	expect_ok "another site" qlink-pki cert "$pki" site-c
	cert_of_days old 20250101000000Z 20250201000000Z
	cert_of_days early 20900101000000Z 20910101000000Z
	# shellcheck disable=SC2046 # words
	{
		expect_client_refused wrong-ca "local issuer" $(own "$tmp/other/site-b")
		expect_client_refused certificate-not-valid-now "expired" $(own "$tmp/old")
		expect_client_refused certificate-not-valid-now "not yet valid" $(own "$tmp/early")
		expect_client_refused wrong-identity "site-c, want site-b" $(own "$pki/site-c")
		expect_client_refused no-certificate "did not return"
		expect_client_refused wrong-group "key share" -groups X25519 $(own "$pki/site-b")
		expect_client_refused wrong-group "key share" -groups P-256:X448 $(own "$pki/site-b")
		expect_client_refused wrong-version "protocol" -tls1_2 $(own "$pki/site-b")
	}
	expect_eq "keys" "$(keys "$ns1")" 0
	expect_peer_connects 2
}

# open_connections N ADDRESS…: keeps N idle connections from each address at site b to site a, again and again.
open_connections()
{
	ip netns exec "$ns2" /usr/bin/python3 "$here/idleclients.py" "${channel[1]}" "$agent_port" "$@" >"$tmp/idle" 2>&1 &
	defer kill $!
}

refused_as() { [ "$(status 1 ".refused[\"$1\"]")" -ge "$2" ]; }

# Clients that connect again and again and send nothing do not keep the peer out: not from any number of other
# addresses, and from the peer's own address not for long.
test_idle_clients_do_not_block_the_peer_udp()
{
	local n others=()

	setup_one_agent 1
	for ((n = 101; n < 111; n++)); do
		others+=("${channel[2]%.*}.$n")
		ip -n "$ns2" address add "${others[-1]}/24" dev veth1
	done
	open_connections 2 "${channel[2]}"
	expect_soon "from the peer's own address" refused_as handshake-timeout 2
	open_connections 8 "${others[@]}"
	expect_soon "and many others" refused_as too-many-callers 100
	expect_peer_connects 2
	expect_soon "more of them, before and after" refused_as too-many-callers $(($(status 1 '.refused["too-many-callers"]') + 20))
	expect_ok "some are logged" test "$(grep -c "peer-refused" "$tmp/a/log")" -lt $(($(status 1 "$every_refusal") / 2))
	expect_ok "and those that are not, counted" grep -q "peer-refused .* suppressed=" "$tmp/a/log"
	expect_eq "both agents still run" "$(link_status 1 .phase) $(link_status 2 .phase)" "ready ready"
}

# The connecting end reaches an impostor, with a certificate of the right name from another CA, or with the right one
# but without the post-quantum group. It stops there, and connects to the peer once the peer is back.
test_man_in_the_middle_is_refused_udp()
{
	setup_one_agent 2
	# shellcheck disable=SC2046 # words
	{
		expect_server_refused wrong-ca "local issuer" $(own "$tmp/other/site-a")
		expect_server_refused refused-by-peer "" -groups X25519 $(own "$pki/site-a")
		expect_server_refused wrong-identity "site-b, want site-a" $(own "$pki/site-b")
	}
	expect_eq "keys" "$(keys "$ns2")" 0
	expect_peer_connects 1
}

# expect_server_refused REASON WHY OPTION…: an openssl server listens at the address of site a, to which site b
# connects, and is refused.
expect_server_refused()
{
	local reason=$1 why=$2 before

	shift 2
	before=$(status 2 ".refused[\"$reason\"]")
	ip netns exec "$ns1" openssl s_server -accept "${channel[1]}:$agent_port" -quiet -CAfile "$pki/ca.pem" -Verify 1 "$@" \
		</dev/null >"$tmp/between" 2>&1 &
	defer kill $!
	expect_soon "$reason: counted" grew "$reason" "${before:-0}"
	expect_soon "$reason: logged" grep -qE "^<4>peer-unreachable peer=site-a why=\"$reason: .*$why" "$tmp/b/log"
	kill $!
	wait $! 2>/dev/null
}

grew() { [ "$(status 2 ".refused[\"$1\"]")" -gt "$2" ]; }

run_tests "$@"
