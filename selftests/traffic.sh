# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154 # what lib.sh sets
# Traffic that the tests send through a link, and what a capture of the underlay shows of it.

readonly marker=516c4e6b5365637265744d61726b6572	# in everything that goes through a captured link
stream() { serve "$1" stream "${@:2}"; }
hash_of() { sha256sum <"$1"; }
json() { jq -r "$2" "$tmp/$1.json"; }

# with_ipv6: IPv6 addresses for qlink0 at both ends.
with_ipv6()
{
	local n ns

	for n in 1 2; do
		ns=ns$n
		in_ns "${!ns}" sh -c 'echo 0 >/proc/sys/net/ipv6/conf/qlink0/disable_ipv6'
		ip -n "${!ns}" address add "${inner6[n]}/64" dev qlink0 nodad
	done
}

# with_vlan: qlink0.5 at both ends.
with_vlan()
{
	local n ns

	for n in 1 2; do
		ns=ns$n
		ip -n "${!ns}" link add link qlink0 name qlink0.5 type vlan id 5
		ip -n "${!ns}" address add "203.0.113.$n/24" dev qlink0.5
		ip -n "${!ns}" link set qlink0.5 up
	done
}

# transfer FROM TO ADDRESS FILE [SEND-HOW [RECEIVE-HOW]]: sends a file; it must arrive unchanged.
transfer()
{
	local receiver

	: >"$tmp/receiver"
	stream "$2" receive "${6:-copy}" "$tmp/received" 5001 >"$tmp/receiver" 2>&1 &
	receiver=$!
	expect_soon "receiver" grep -q listening "$tmp/receiver"
	# Where nothing was sent, the receiver waits for ever.
	expect_ok "transfer to $3" stream "$1" send "${5:-copy}" "$4" "$3" 5001 || return
	wait "$receiver"
	expect_eq "hash of what $3 received" "$(hash_of "$tmp/received")" "$(hash_of "$4")"
}

ping_ok() { expect_ok "ping ${*:2}" in_ns "$1" ping -c 3 -i 0.01 -W "$deadline" -p "$marker" "${@:2}"; }

decode_into() { qlinkwire decode "${@:2}" >"$1"; }

# decode NAME [OPTION…]: opens all of $tmp/NAME.pcap; the result is in $tmp/NAME.json.
decode()
{
	local wire

	find_wire
	expect_ok "every frame opens" decode_into "$tmp/$1.json" "$tmp/$1.pcap" --keys "$tmp/keys" "${wire[@]}" "${@:2}"
	[ "$(json "$1" .n_violations)" = 0 ] || json "$1" '.violations[]'
}

# source_ports NAME: the UDP source ports in a decoded capture.
source_ports() { json "$1" '.count | keys[] | select(startswith("source port ")) | ltrimstr("source port ")'; }
other_frames() { json "$1" '[.count | keys[] | select(startswith("outer") and . != "outer sealed")] | join(" ")'; }

# Nothing is sent but what a test sends: off before the device is up, as groups are reported again later.
quiet_device() { in_ns "$1" sh -c "echo 1 >/proc/sys/net/ipv6/conf/$2/disable_ipv6"; }

# setup_forwarder bridge|route: $ns3 behind $ns2, over a device that completes no checksum.
setup_forwarder()
{
	local ns

	setup_pair
	setup_ns ns3
	ip link add veth1 netns "$ns2" type veth peer name veth1 netns "$ns3"
	in_ns "$ns2" ethtool -K veth1 tx off >/dev/null
	for ns in "$ns2" "$ns3"; do
		quiet_device "$ns" veth1
		ip -n "$ns" link set veth1 up
	done
	case $1 in
	bridge)
		ip -n "$ns2" link add br0 type bridge mcast_snooping 0
		quiet_device "$ns2" br0
		ip -n "$ns2" address flush dev qlink0
		ip -n "$ns2" link set qlink0 master br0
		ip -n "$ns2" link set veth1 master br0
		ip -n "$ns2" link set br0 up
		ip -n "$ns3" address add "${inner[3]}/24" dev veth1 ;;
	route)
		in_ns "$ns2" sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'
		ip -n "$ns2" address add 203.0.113.2/24 dev veth1
		ip -n "$ns3" address add 203.0.113.3/24 dev veth1
		ip -n "$ns3" route add 192.0.2.0/24 via 203.0.113.2
		ip -n "$ns1" route add 203.0.113.0/24 via "${inner[2]}" ;;
	esac
}

# setup_lan WORD…: $ns3 is a LAN behind the bridge of $ns2, which sends with these options.
setup_lan()
{
	modprobe sch_plug || skip "needs sch_plug"
	setup_forwarder bridge
	[ $# = 0 ] || link_set "$ns2" "$@"
}

# setup_lan_of MTU MODE: the same, with frames of this size over an underlay of 1500.
setup_lan_of()
{
	local device

	setup_lan
	for ns in "$ns1" "$ns2"; do link_set "$ns" parcel "$2"; done
	for device in "$ns1:qlink0" "$ns2:qlink0" "$ns2:veth1" "$ns2:br0" "$ns3:veth1"; do
		expect_ok "mtu of $device" ip -n "${device%:*}" link set "${device#*:}" mtu "$1"
	done
}

bursts() { /usr/bin/python3 "$here/bursts.py" --from "$ns3" --to "$ns1" "$@"; }
parcels() { stat_get "$ns2" tx_parcels; }

# setup_large MTU MODE: frames of this size at both ends, which send parcels, over an underlay of 1500.
setup_large()
{
	local ns

	setup_pair
	for ns in "$ns1" "$ns2"; do
		link_set "$ns" parcel "$2"
		expect_ok "mtu $1" ip -n "$ns" link set qlink0 mtu "$1"
	done
	with_ipv6
}

# receive_on_one_cpu NS: it takes all sealed frames, in the order of a capture. A veth hands a frame to the CPU that sends
# it, and where a queue sends from several, these would take parcels of one lane at once.
receive_on_one_cpu() { in_ns "$1" sh -c 'echo 1 >/sys/class/net/veth0/queues/rx-0/rps_cpus'; }

ping_whole() { ping_ok "$ns1" -M "do" -s $(($1 - 28)) "${inner[2]}"; ping_ok "$ns1" -M "do" -s $(($1 - 48)) "${inner6[2]}"; }

# expect_no_cut_lost: each part of a frame was followed by the next one.
expect_no_cut_lost()
{
	expect_nothing_dropped
	expect_eq "late rests" "$(stat_get "$ns1" rx_cut_late) $(stat_get "$ns2" rx_cut_late)" "0 0"
}
