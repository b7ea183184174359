#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Who is not the peer gets no key: strangers at the door of an agent, and one who stands between two. Each is refused by
# name and counted, and the peer comes in all the same.

# shellcheck source=sites.sh
. "$(dirname "$0")/sites.sh"

readonly door=7511 every_refusal='[.refused[]] | add'

# setup_door 1|2: two sites, with the agent of one of them; and in $tmp/other a certificate for the other, of another CA.
setup_door()
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
	expect_soon "there" status_is "$1" "$every_refusal" 0
}

# expect_peer_comes 1|2: this agent, late.
expect_peer_comes()
{
	keep_busy
	agent_start "$1"
	expect_soon "the peer comes in" link_status_is $((3 - $1)) .phase ready
	expect_active hybrid
}

# cert_of_days NAME FROM TO: a certificate of site b under the CA of the agents, for these days.
cert_of_days()
{
	expect_ok "certificate $1" openssl req -x509 -newkey ML-DSA-65 -nodes -not_before "$2" -not_after "$3" -subj /CN=site-b \
		-CA "$pki/ca.pem" -CAkey "$pki/ca.key" -addext basicConstraints=critical,CA:FALSE \
		-addext subjectAltName=DNS:site-b -keyout "$tmp/$1.key" -out "$tmp/$1.pem"
}

# own NAME: the options by which openssl shows this certificate.
own() { echo "-cert $1.pem -key $1.key"; }

# knock REASON WHY OPTION…: somebody at site b dials site a by plain OpenSSL, and is refused.
knock()
{
	local reason=$1 why=$2 before all

	shift 2
	before=$(status 1 ".refused[\"$reason\"]") all=$(status 1 "$every_refusal")
	: >"$tmp/a/log"
	ip netns exec "$ns2" timeout 60 openssl s_client -connect "${channel[1]}:$door" "$@" </dev/null >"$tmp/said" 2>&1
	expect_soon "$reason: counted" status_is 1 ".refused[\"$reason\"]" $((before + 1))
	expect_eq "$reason: nothing else" "$(status 1 "$every_refusal")" $((all + 1))
	expect_soon "$reason: told" grep -qE "^<4>peer-refused from=\"?${channel[2]}.* why=\"$reason: .*$why" "$tmp/a/log"
}

# What a stranger may show, whatever it is: it is not let in.
test_strangers_at_the_door_udp()
{
	setup_door 1
	expect_ok "another site" qlink-pki cert "$pki" site-c
	cert_of_days old 20250101000000Z 20250201000000Z
	cert_of_days early 20900101000000Z 20910101000000Z
	# shellcheck disable=SC2046 # words
	{
		knock wrong-ca "local issuer" $(own "$tmp/other/site-b")
		knock certificate-not-valid-now "expired" $(own "$tmp/old")
		knock certificate-not-valid-now "not yet valid" $(own "$tmp/early")
		knock wrong-identity "site-c, want site-b" $(own "$pki/site-c")
		knock no-certificate "did not return"
		knock wrong-group "key share" -groups X25519 $(own "$pki/site-b")
		knock wrong-group "key share" -groups P-256:X448 $(own "$pki/site-b")
		knock wrong-version "protocol" -tls1_2 $(own "$pki/site-b")
	}
	expect_eq "keys" "$(keys "$ns1")" 0
	expect_peer_comes 2
}

# crowd N ADDRESS…: so many of each address at site b dial site a and say nothing, again and again.
crowd()
{
	ip netns exec "$ns2" /usr/bin/python3 "$here/crowd.py" "${channel[1]}" "$door" "$@" >"$tmp/crowd" 2>&1 &
	defer kill $!
}

refused_as() { [ "$(status 1 ".refused[\"$1\"]")" -ge "$2" ]; }

# Those who dial and then say nothing, and do not cease to, keep nobody out: not from other addresses, however many, nor
# for good from the peer's own.
test_a_crowd_at_the_door_udp()
{
	local n others=()

	setup_door 1
	for ((n = 101; n < 111; n++)); do
		others+=("${channel[2]%.*}.$n")
		ip -n "$ns2" address add "${others[-1]}/24" dev veth1
	done
	crowd 2 "${channel[2]}"
	expect_soon "from the peer's own address" refused_as handshake-timeout 2
	crowd 8 "${others[@]}"
	expect_soon "and many others" refused_as too-many-callers 100
	expect_peer_comes 2
	expect_soon "more of them, before and after" refused_as too-many-callers $(($(status 1 '.refused["too-many-callers"]') + 20))
	expect_ok "some are logged" test "$(grep -c "peer-refused" "$tmp/a/log")" -lt $(($(status 1 "$every_refusal") / 2))
	expect_ok "and those that are not, counted" grep -q "peer-refused .* suppressed=" "$tmp/a/log"
	expect_eq "still there" "$(link_status 1 .phase) $(link_status 2 .phase)" "ready ready"
}

# The dialling end is taken to somebody else, who has a certificate for that name from another CA, or the right one
# without the post-quantum group: it goes no further, and finds the peer once that is there.
test_a_man_in_the_middle_udp()
{
	setup_door 2
	# shellcheck disable=SC2046 # words
	{
		stand_between wrong-ca "local issuer" $(own "$tmp/other/site-a")
		stand_between refused-by-peer "" -groups X25519 $(own "$pki/site-a")
		stand_between wrong-identity "site-b, want site-a" $(own "$pki/site-b")
	}
	expect_eq "keys" "$(keys "$ns2")" 0
	expect_peer_comes 1
}

# stand_between REASON WHY OPTION…: at the address of site a, which site b dials.
stand_between()
{
	local reason=$1 why=$2 before

	shift 2
	before=$(status 2 ".refused[\"$reason\"]")
	ip netns exec "$ns1" openssl s_server -accept "${channel[1]}:$door" -quiet -CAfile "$pki/ca.pem" -Verify 1 "$@" \
		</dev/null >"$tmp/between" 2>&1 &
	defer kill $!
	expect_soon "$reason: counted" grew "$reason" "${before:-0}"
	expect_soon "$reason: told" grep -qE "^<4>peer-unreachable peer=site-a why=\"$reason: .*$why" "$tmp/b/log"
	kill $!
	wait $! 2>/dev/null
}

grew() { [ "$(status 2 ".refused[\"$1\"]")" -gt "$2" ]; }

run_tests "$@"
