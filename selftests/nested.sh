#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Three sites in a row, each with an agent: a link per hop, and an end-to-end link inside both.

# shellcheck source=sites.sh
. "$(dirname "$0")/sites.sh"

# $ns1, $ns2 and $ns3 are the sites a, b and c; $ns4 connects the agents only and forwards no traffic.
readonly control=(- 203.0.113.{1..3})
ns4=''

# agent_at N LINE…: starts the agent of a site; its file has these lines after those that all have.
agent_at()
{
	local dir=$tmp/$1

	mkdir "$dir"
	{
		echo agent
		printf ' %s\n' "name s$1" "certificate $pki/s$1.pem" "key $pki/s$1.key" "ca $pki/ca.pem" \
			"listen ${control[$1]}" "control $dir/control" "metrics $dir/metrics" "audit-log $dir/audit"
		for n in 1 2 3; do
			[ "$n" = "$1" ] || printf '%s\n' "peer s$n" " address ${control[n]}"
		done
		printf '%s\n' "${@:2}"
	} >"$dir/conf"
	ip netns exec "$(site_ns "$1")" qlinkd -c "$dir/conf" 2>"$dir/log" &
	defer kill $!
}

site_ns() { case $1 in 1) echo "$ns1" ;; 2) echo "$ns2" ;; 3) echo "$ns3" ;; esac; }

# setup_three_sites: two wires in a row, and the network of the agents.
setup_three_sites()
{
	local n

	setup_ns ns1 ns2 ns3 ns4
	expect_ok "a wire" connect_ns "$ns1" "$ns2" wire1 198.51.100.1 198.51.100.2
	expect_ok "a wire" connect_ns "$ns2" "$ns3" wire2 198.51.101.2 198.51.101.3
	ip -n "$ns4" link add bridge0 type bridge
	ip -n "$ns4" link set bridge0 up
	for n in 1 2 3; do
		ip link add control netns "$(site_ns "$n")" type veth peer name "port$n" netns "$ns4"
		ip -n "$ns4" link set "port$n" master bridge0 up
		ip -n "$(site_ns "$n")" address add "${control[n]}/24" dev control
		ip -n "$(site_ns "$n")" link set control up
	done
	in_ns "$ns2" sysctl -q net.ipv4.ip_forward=1
	pki=$tmp/pki
	mkdir "$pki"
	qlink-pki ca "$pki"
	for n in 1 2 3; do qlink-pki cert "$pki" "s$n" || fail "certificates"; done
}

# hop NS NAME ID LOCAL REMOTE ADDRESS: one end of a link over UDP, up.
hop()
{
	ip -n "$1" -batch - <<-END || fail "$2"
		link add $2 type qlink id $3 local $4 remote $5 port $((47000 + $3)) accept pqc
		address add $6/24 dev $2
		link set $2 up
	END
}

test_end_to_end_within_hops()
{
	local pqc=" policy pqc-only" n

	setup_three_sites
	hop "$ns1" ab 1 198.51.100.1 198.51.100.2 10.8.1.1
	hop "$ns2" ab 1 198.51.100.2 198.51.100.1 10.8.1.2
	hop "$ns2" bc 2 198.51.101.2 198.51.101.3 10.8.2.2
	hop "$ns3" bc 2 198.51.101.3 198.51.101.2 10.8.2.3
	ip -n "$ns1" route add 10.8.2.0/24 via 10.8.1.2
	ip -n "$ns3" route add 10.8.1.0/24 via 10.8.2.2
	agent_at 1 "link ab" " peer s2" "$pqc" "link ac" " peer s3" "$pqc"
	agent_at 2 "link ab" " peer s1" "$pqc" "link bc" " peer s3" "$pqc"
	agent_at 3 "link bc" " peer s2" "$pqc" "link ac" " peer s1" "$pqc"
	answers "$ns1" 10.8.2.3
	hop "$ns1" ac 3 10.8.1.1 10.8.2.3 10.9.0.1
	hop "$ns3" ac 3 10.8.2.3 10.8.1.1 10.9.0.3
	dev=ab capture_start "$ns2" "$tmp/hop.pcap"
	answers "$ns1" 10.9.0.3
	mtu=$(ip -n "$ns1" -j link show ac | jq '.[0].mtu')
	expect_ok "an MTU below that of the hops" test "$mtu" -lt "$(ip -n "$ns1" -j link show ab | jq '.[0].mtu')"
	expect_ok "frames of $mtu bytes" in_ns "$ns1" ping -c 3 -i 0.05 -W 5 -M 'do' -s $((mtu - 28)) 10.9.0.3
	capture_stop "$tmp/hop.pcap"
	expect_eq "frames of the end-to-end link in clear at site b" \
		"$(tcpdump -Z root -n -r "$tmp/hop.pcap" "not udp port 47003 and not arp" 2>/dev/null | wc -l)" 0
	expect_ok "and sealed" test "$(tcpdump -Z root -n -r "$tmp/hop.pcap" "udp port 47003" 2>/dev/null | wc -l)" -gt 6
	expect_eq "rings of their own" "$({ for n in ab ac; do dev=$n ring "$ns1" tx id; dev=$n ring "$ns1" rx id; done; } | sort -u | wc -l)" 4
	for n in 1 2 3; do expect_eq "violations at $n" "$(grep -c violated "$tmp/$n/log")" 0; done
}

# shellcheck disable=SC2034 # for ktap.sh
debug_tests="end_to_end_within_hops"
run_tests "$@"
