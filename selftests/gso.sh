#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Frames that are larger than the wire allows, and the segments that the link cuts them into: byte for byte the
# same as the kernel makes of these frames for a device without offloads.

# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=traffic.sh
. "$(dirname "$0")/traffic.sh"

readonly sender=02:00:00:00:01:01	# qlink0 of $ns1
ns4=''	# setup_ns names it
segments() { serve "$1" segments "${@:2}"; }

# setup_reference: each frame that $ns1 sends to qlink0 is also sent through ref0, which makes the kernel cut it.
setup_reference()
{
	setup_ns ns4
	ip link add ref0 netns "$ns1" type veth peer name ref1 netns "$ns4"
	ip -n "$ns1" link set ref0 up
	ip -n "$ns4" link set ref1 up
	expect_ok "no offload" in_ns "$ns1" ethtool -K ref0 tx off tx-udp-segmentation off
	expect_has "TSO" "$(in_ns "$ns1" ethtool -k ref0 | grep tx-tcp-segmentation:)" ": off"
	expect_ok "clsact" tc -n "$ns1" qdisc add dev qlink0 clsact
	expect_ok "mirror" tc -n "$ns1" filter add dev qlink0 egress matchall action mirred egress mirror dev ref0
}

# sent: the frames and bytes that qlink0 has counted as sent.
sent() { stats64 "$ns1" '"\(.tx.packets) \(.tx.bytes)"' | tr -d '"'; }

# watch [DEVICE MAC]: captures the wire, the reference, and what the stack sends to qlink0, or what MAC sends to
# DEVICE of $ns1.
watch()
{
	before=$(sent) giver=${2:-$sender}
	capture_start "$ns1" "$tmp/wire.pcap"
	wire_pid=$capture_pid
	dev=ref0 capture_start "$ns1" "$tmp/ref.pcap"
	ref_pid=$capture_pid
	dev=${1:-qlink0} capture_start "$ns1" "$tmp/tap.pcap"
}

# compare NAME [LEAST]: compares all that was sent since watch, some of it in frames above LEAST bytes. Sets $large
# and $cwr to the number of these frames and of those with a CWR; sets $n_frames and $n_bytes.
compare()
{
	local ns same

	# An end may still have something to say, and the captures do not stop at once.
	for ns in "$ns1" "$ns2"; do busywait "$deadline" has_no_connection "$ns"; done
	capture_stop "$tmp/tap.pcap"
	capture_pid=$ref_pid capture_stop "$tmp/ref.pcap"
	capture_pid=$wire_pid capture_stop "$tmp/wire.pcap"
	decode wire --inner "$tmp/inner.pcap"
	same=$(segments '' same "$sender" "$tmp/ref.pcap" "$tmp/inner.pcap") || fail "$1: $same"
	n_frames=$(jq .frames <<<"$same") n_bytes=$(jq .bytes <<<"$same")
	expect_ok "$1: $n_frames frames, $n_bytes bytes, of those that were counted, $(counted)" counted_is_near
	segments '' large "$giver" "${2:-2000}" "$tmp/tap.pcap" >"$tmp/large"
	large=$(jq .large "$tmp/large") cwr=$(jq .cwr "$tmp/large")
	expect_ok "$1: large frames, $large" test "$large" -gt 2
}

has_no_connection() { [ -z "$(in_ns "$1" ss -Htn state connected exclude time-wait)" ]; }

# counted: the frames and bytes sent since watch.
counted()
{
	local was now

	read -r -a was <<<"$before"
	read -r -a now <<<"$(sent)"
	echo "$((now[0] - was[0])) $((now[1] - was[1]))"
}

# IPv6 and ARP send small frames by themselves, the longer the more. A frame with data is not small.
counted_is_near()
{
	local n

	read -r -a n <<<"$(counted)"
	n=($((n[0] - n_frames)) $((n[1] - n_bytes)))
	[ "${n[0]}" -ge 0 ] && [ "${n[0]}" -lt 100 ] && [ "${n[1]}" -ge $((n[0] * 42)) ] && [ "${n[1]}" -le $((n[0] * 200)) ]
}

# pass_files NAME ADDRESS…: sends one file to each address and compares.
pass_files()
{
	local to

	watch
	for to in "${@:2}"; do transfer "$ns1" "$ns2" "$to" "$tmp/file"; done
	compare "$1"
}

# setup SIZE [MTU]: a pair, a reference, and a file.
setup()
{
	setup_pair "${@:2}"
	with_ipv6
	setup_reference
	# On a busy machine, TCP would otherwise send two segments at a time.
	expect_ok "large frames" in_ns "$ns1" sysctl -qw net.ipv4.tcp_min_tso_segs=8
	frames payload "$tmp/file" "$1" --marker "$marker"
	answers "$ns1" "${inner[2]}"
	answers "$ns1" "${inner6[2]}"
}

each_test_tcp()
{
	setup 200001
	pass_files "IPv4 and IPv6" "${inner[2]}" "${inner6[2]}"
	expect_nothing_dropped
}

# The receiver announces an odd MSS; the last segment has any size.
each_test_odd_mss()
{
	local mss

	setup 70003
	for mss in 537 1001; do
		expect_ok "route" ip -n "$ns2" route change 192.0.2.0/24 dev qlink0 src "${inner[2]}" advmss "$mss"
		expect_ok "route" ip -n "$ns2" -6 route replace 2001:db8::/64 dev qlink0 proto kernel metric 256 advmss "$mss"
		pass_files "MSS $mss" "${inner[2]}" "${inner6[2]}"
		expect_ok "frames" test "$n_frames" -gt $((140000 / mss))
	done
	expect_nothing_dropped
}

# With a tag, a full-size segment leaves no room for its checksum state; a smaller one does.
each_test_vlan()
{
	setup 100001
	with_vlan
	answers "$ns1" 203.0.113.2
	pass_files "full size" 203.0.113.2
	expect_eq "checksums finished" "$(json wire '.count["type 0"] > 60')" true
	expect_ok "route" ip -n "$ns2" route change 203.0.113.0/24 dev qlink0.5 src 203.0.113.2 advmss 1333
	pass_files "MSS 1333" 203.0.113.2
	expect_eq "checksums left" "$(json wire '.count["type 2"] > 60')" true
	expect_nothing_dropped
}

each_test_udp()
{
	local to

	setup 1000
	watch
	for to in "${inner[2]}" "${inner6[2]}"; do
		expect_ok "equal ones" segments "$ns1" udp "$to" 9 1000 40000
		expect_ok "a last one that is smaller" segments "$ns1" udp "$to" 9 1111 50003
		expect_ok "small ones" segments "$ns1" udp "$to" 9 13 130
	done
	compare "UDP"
	expect_eq "frames" "$n_frames" $((2 * (40 + 46 + 10)))
	expect_nothing_dropped
}

# setup_host_behind 1|2: creates $ns3 behind one end, which forwards frames between $ns3 and the other end of the link.
setup_host_behind()
{
	local ns=ns$1

	setup_ns ns3
	expect_ok "a wire" connect_ns "${!ns}" "$ns3" veth1 "203.0.113.$1" 203.0.113.3
	in_ns "${!ns}" sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'
	ip -n "$ns3" route add 192.0.2.0/24 via "203.0.113.$1"
}

# setup_forwarded_bursts: creates $ns3, whose frames $ns1 forwards through the link. They arrive in bursts.
setup_forwarded_bursts()
{
	setup_host_behind 1
	expect_ok "a known address" ip -n "$ns3" link set veth1 address "${mac[3]}"
	expect_ok "GRO" in_ns "$ns1" ethtool -K veth1 gro on
	expect_ok "bursts" tc -n "$ns3" qdisc add dev veth1 root netem limit 10000 slot 20ms
	ip -n "$ns2" route add 203.0.113.0/24 via "${inner[1]}" advmss 1333
	answers "$ns3" "${inner[2]}"
}

# Frames that GRO merged on arrival: as pages, which the link takes; and as a list of frames, which it does not
# take.
each_test_merged_by_gro()
{
	setup 200001
	setup_forwarded_bursts
	expect_ok "no TSO" in_ns "$ns3" ethtool -K veth1 tso off
	watch
	transfer "$ns3" "$ns2" "${inner[2]}" "$tmp/file"
	compare "pages"
	expect_ok "linear frames" in_ns "$ns3" ethtool -K veth1 tx off sg off
	watch veth1 "${mac[3]}"
	transfer "$ns3" "$ns2" "${inner[2]}" "$tmp/file"
	compare "lists"
	expect_nothing_dropped
}

# min_tso_segs N: frames of at least so many segments, however slow an emulated machine is.
min_tso_segs() { in_ns "$ns1" sh -c "echo $1 >/proc/sys/net/ipv4/tcp_min_tso_segs"; }

# allow_big_frames: frames as large as an admin can configure.
allow_big_frames()
{
	expect_ok "sizes" ip -n "$ns1" link set qlink0 gso_max_size 150000 gso_ipv4_max_size 150000
	min_tso_segs 110
	expect_ok "route" ip -n "$ns1" route change 192.0.2.0/24 dev qlink0 src "${inner[1]}" initcwnd 400
	expect_ok "route" ip -n "$ns1" -6 route replace 2001:db8::/64 dev qlink0 proto kernel metric 256 initcwnd 400
}

# Segments that are larger than a page of the CPU.
each_test_jumbo_segments()
{
	setup 2000001 40000
	allow_big_frames
	watch
	transfer "$ns1" "$ns2" "${inner[2]}" "$tmp/file"
	compare "jumbo" 45000
	expect_nothing_dropped
}

# Frames larger than the IP length field can say.
each_test_big_tcp()
{
	setup 4000000
	allow_big_frames
	expect_refused "more than the kernel has" "" ip -n "$ns1" link set qlink0 gso_max_size 600000
	watch
	transfer "$ns1" "$ns2" "${inner[2]}" "$tmp/file"
	transfer "$ns1" "$ns2" "${inner6[2]}" "$tmp/file"
	compare "BIG TCP" 65600
	expect_nothing_dropped
}

# Some of the frames from $ns2 to $ns3 are marked, and the sender reports once that it has slowed down.
each_test_congestion()
{
	local try

	setup 700000
	min_tso_segs 6
	setup_host_behind 2
	ip -n "$ns1" route add 203.0.113.0/24 via "${inner[2]}"
	in_ns "$ns1" sh -c 'echo 1 >/proc/sys/net/ipv4/tcp_ecn'
	in_ns "$ns3" sh -c 'echo 1 >/proc/sys/net/ipv4/tcp_ecn'
	expect_ok "marks" tc -n "$ns2" qdisc add dev veth1 root netem limit 10000 loss 3% ecn
	answers "$ns1" 203.0.113.3
	for try in 1 2 3 4 5; do
		watch
		transfer "$ns1" "$ns3" 203.0.113.3 "$tmp/file"
		compare "congestion, $try"
		[ "$cwr" = 0 ] || break
	done
	expect_ok "large frames with a CWR, $cwr" test "$cwr" -gt 0
	expect_nothing_dropped
}

# A sender that asks for the time when a byte was sent gets it, whichever segment carried the byte.
each_test_time_of_sending()
{
	local receiver

	setup 1000
	stream "$ns2" receive copy "$tmp/received" 5001 >"$tmp/receiver" 2>&1 &
	receiver=$!
	expect_soon "receiver" grep -q listening "$tmp/receiver"
	expect_ok "stamp of the last byte" segments "$ns1" stamped "${inner[2]}" 5001 50000 || return
	wait "$receiver"
	expect_eq "bytes received" "$(wc -c <"$tmp/received")" 50000
	expect_nothing_dropped
}

# Keys are replaced in the middle of large frames, as often as possible.
each_test_keys_change_within_a_frame()
{
	setup 200001
	keys_pass "$ns1" "$ns2" 2 200
	link_set "$ns1" rekey-frames 3
	pass_files "keys" "${inner[2]}"
	# How many frames the file takes depends on how TCP cuts it.
	expect_ok "keys used" test "$(ring "$ns1" tx rekeys)" -gt 20
	expect_nothing_dropped
}

# tcp_counter NAME: a counter of TCP in $ns1.
tcp_counter() { ip netns exec "$ns1" nstat -asz "$1" | awk -v name="$1" '$1 == name { print $2 }'; }

# shaped_by QDISC HANDLE: sends a file through a shaper whose queue is of this kind; the frames leave in the order in which
# they were sealed.
shaped_by()
{
	local reorders

	expect_ok "shaper" tc -n "$ns1" qdisc replace dev veth0 root handle 1: tbf rate 30mbit burst 20k limit 1m
	expect_ok "$1" tc -n "$ns1" qdisc replace dev veth0 parent 1: handle "$2:" "$1"
	reorders=$(tcp_counter TcpExtTCPSACKReorder)
	capture_start "$ns1" "$tmp/$1.pcap"
	transfer "$ns1" "$ns2" "${inner[2]}" "$tmp/file"
	capture_stop "$tmp/$1.pcap"
	decode_nonces "$tmp/$1.pcap"
	expect_ok "$1: frames, $(nonces 1 sealed)" test "$(nonces 1 sealed)" -gt 500
	expect_eq "$1: frames that overtook others" "$(nonces 1 back)" 0
	# A veth hands a frame to the CPU that sends it: with several, the receiver may see another order.
	[ "$(nproc)" -gt 1 ] ||
		expect_eq "$1: reorders that TCP saw" "$(tcp_counter TcpExtTCPSACKReorder)" "$reorders"
	expect_eq "$1: frames that the shaper dropped" \
		"$(tc -n "$ns1" -s -j qdisc show dev veth0 | jq 'map(.drops) | add')" 0
}

# fq has a queue for each socket, and one for frames without any: all segments of a frame belong to its socket.
each_test_shaper_keeps_the_order()
{
	setup_pair
	quiet
	min_tso_segs 20
	frames payload "$tmp/file" 1000000 --marker "$marker"
	shaped_by pfifo 2
	shaped_by fq 3
	expect_nothing_dropped
}

all_are_opened()
{
	[ "$(link_field "$ns2" .rx.usage.static.frames)" = "$(link_field "$ns1" .tx.usage.static.frames)" ]
}

# A device that segments UDP gets many frames in one packet.
bundles()
{
	local ns n

	setup 400000
	min_tso_segs 20
	for ns in "$ns1" "$ns2"; do expect_ok "USO" in_ns "$ns" ethtool -K veth0 tx-udp-segmentation on; done
	capture_start "$ns1" "$tmp/wire.pcap"
	transfer "$ns1" "$ns2" "${inner[2]}" "$tmp/file"
	transfer "$ns1" "$ns2" "${inner6[2]}" "$tmp/file"
	capture_stop "$tmp/wire.pcap"
	n=$(segments '' large "${mac[1]}" 4000 "$tmp/wire.pcap" | jq .large)
	expect_ok "bundles, $n" test "$n" -gt 10
	expect_soon "all frames are opened" all_are_opened
	expect_nothing_dropped

	expect_ok "no checksums" in_ns "$ns1" ethtool -K veth0 tx off
	capture_start "$ns1" "$tmp/single.pcap"
	transfer "$ns1" "$ns2" "${inner[2]}" "$tmp/file"
	capture_stop "$tmp/single.pcap"
	decode single
	expect_eq "bundles without checksums" "$(segments '' large "${mac[1]}" 2000 "$tmp/single.pcap" | jq .large)" 0
	expect_nothing_dropped
}

opened() { link_field "$ns2" .rx.usage.static.frames; }

# A bundle that is not split on the way reaches the link whole.
bundles_whole()
{
	local ns was_opened were_datagrams

	setup 400000
	min_tso_segs 20
	for ns in "$ns1" "$ns2"; do expect_ok "USO" in_ns "$ns" ethtool -K veth0 tx-udp-segmentation on; done
	transfer "$ns1" "$ns2" "${inner[2]}" "$tmp/file"
	was_opened=$(opened) were_datagrams=$(datagrams)
	transfer "$ns1" "$ns2" "${inner[2]}" "$tmp/file"
	expect_soon "all frames are opened" all_are_opened
	expect_nothing_dropped
	expect_ok "datagrams, $were_datagrams to $(datagrams), of frames, $was_opened to $(opened)" \
		test $((4 * ($(datagrams) - were_datagrams))) -lt $(($(opened) - was_opened))
}

test_bundles_whole_udp()
{
	under=udp
	bundles_whole
}

test_bundles_whole_udp6()
{
	under=udp6
	bundles_whole
}

test_bundles_udp()
{
	under=udp
	bundles
}

test_bundles_udp6()
{
	under=udp6
	bundles
}

debug_tests="tcp_eth bundles_whole_udp"
run_tests "$@"
