#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Frames of every kind through a link, what the underlay shows of them, and files that stay unchanged.

needs_cpus=2
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=traffic.sh
. "$(dirname "$0")/traffic.sh"

each_test_ping()
{
	setup_pair
	with_ipv6
	ping_ok "$ns1" "${inner[2]}"
	ping_ok "$ns2" "${inner[1]}"
	ping_ok "$ns1" "${inner6[2]}"
	ping_ok "$ns1" -M "do" -s 1394 "${inner[2]}"
	ping_ok "$ns1" -s 6000 "${inner[2]}"
	expect_nothing_dropped
}

# 1 MB is about 20 of TCP's largest segments, and more than a TCP window.
each_test_tcp()
{
	setup_pair
	with_ipv6
	frames payload "$tmp/file" "$(scale 1000000)" --marker "$marker"
	transfer "$ns1" "$ns2" "${inner[2]}" "$tmp/file"
	transfer "$ns2" "$ns1" "${inner[1]}" "$tmp/file"
	transfer "$ns1" "$ns2" "${inner6[2]}" "$tmp/file"
	expect_nothing_dropped
}

# Every kind of frame arrives byte for byte the same.
each_test_every_kind_of_frame()
{
	setup_pair
	expect_ok "there" frames exchange --from "$ns1" --to "$ns2"
	expect_ok "back" frames exchange --from "$ns2" --to "$ns1"
	expect_nothing_dropped
}

# A full-size frame with a tag, without its checksum state, is as long as the underlay allows.
each_test_vlan()
{
	local mtu

	setup_pair
	with_vlan
	mtu=$(in_ns "$ns1" cat /sys/class/net/qlink0.5/mtu)
	expect_eq "mtu" "$mtu" "$([ "$under" = eth ] && echo 1450 || echo 1422)"
	ping_ok "$ns1" -M "do" -s $((mtu - 28)) 203.0.113.2
	frames payload "$tmp/file" 300000 --marker "$marker"
	transfer "$ns1" "$ns2" 203.0.113.2 "$tmp/file"
	transfer "$ns2" "$ns1" 203.0.113.1 "$tmp/file"
	expect_nothing_dropped
}

each_test_multicast()
{
	setup_pair
	with_ipv6
	in_ns "$ns2" sh -c 'echo 0 >/proc/sys/net/ipv4/icmp_echo_ignore_broadcasts'
	ping_ok "$ns1" -I qlink0 224.0.0.1
	ping_ok "$ns1" -I qlink0 ff02::1
	ping_ok "$ns1" -b "192.0.2.255"
}

# All of this at once, with a capture of the underlay. Python opens every frame: a file of 300 frames is enough.
each_test_underlay_shows_nothing()
{
	local sent

	setup_pair
	with_vlan
	frames payload "$tmp/file" 400000 --marker "$marker"
	capture_start "$ns1" "$tmp/all.pcap"
	# These first: IPv6 and ARP send frames of their own in between.
	expect_ok "frames" frames exchange --from "$ns1" --to "$ns2" --marker "$(printf %s "$marker" | from_hex)"
	expect_ok "frames" frames exchange --from "$ns2" --to "$ns1" --marker "$(printf %s "$marker" | from_hex)"
	with_ipv6
	ping_ok "$ns1" "${inner[2]}"
	ping_ok "$ns1" "${inner6[2]}"
	ping_ok "$ns1" 203.0.113.2
	transfer "$ns1" "$ns2" "${inner[2]}" "$tmp/file"
	transfer "$ns2" "$ns1" 203.0.113.1 "$tmp/file"
	key_pass "$ns1" "$ns2" 2
	in_ns "$ns1" qlinkctl key del qlink0 tx epoch 1
	transfer "$ns1" "$ns2" "${inner6[2]}" "$tmp/file" sendfile
	# Before the capture ends: IPv6 goes on sending.
	sent=$(sum "$(keys "$ns2" frames)")
	capture_stop "$tmp/all.pcap"

	# The marker, the inner MAC addresses, and the file's first random bytes.
	decode all --needle-hex "$marker" --needle-hex 0200000001020200000001 \
		--needle-hex "$(head -c 64 "$tmp/file" | tail -c 48 | to_hex)"
	expect_ok "the needles are in what was sent" test "$(json all '.in_inner | min')" -gt 0
	expect_eq "other frames" "$(other_frames all)" ""
	expect_ok "checksum state" test "$(json all '.count["type 2"]')" -gt 100
	expect_ok "frames of both ends, some of them under a key that is gone" test "$(json all .sealed)" -ge "$sent"
	expect_nothing_dropped
}

# The outer headers of UDP datagrams, whatever is in them; decode checks their other rules.
test_udp_source_ports()
{
	local n

	under=udp
	setup_pair
	capture_start "$ns1" "$tmp/udp.pcap"
	in_ns "$ns1" ping -Q 0xb8 -t 3 -c 2 -i 0.01 -W "$deadline" "${inner[2]}" >/dev/null
	for n in $(seq 20); do
		echo "flow $n" | in_ns "$ns1" socat -u - "UDP:${inner[2]}:$((5000 + n))"
	done
	capture_stop "$tmp/udp.pcap"
	decode udp
	expect_ok "several of them" test "$(source_ports udp | wc -l)" -ge 4
	expect_eq "other frames" "$(other_frames udp)" ""
}

# capture_transfer NAME: captures and decodes a TCP transfer.
capture_transfer()
{
	frames payload "$tmp/file" 300000 --marker "$marker"
	capture_start "$ns1" "$tmp/$1.pcap"
	transfer "$ns1" "$ns2" "${inner[2]}" "$tmp/file"
	capture_stop "$tmp/$1.pcap"
	decode "$1" --needle-hex "$marker"
}

test_udp_one_source_port()
{
	local ns

	under=udp
	setup_pair
	for ns in "$ns1" "$ns2"; do in_ns "$ns" qlinkctl set qlink0 source-ports 1; done
	capture_transfer udp
	expect_eq "source ports" "$(source_ports udp)" "$port"
}

# One flow keeps one source port, so that it stays in order.
test_udp_flow_keeps_its_port()
{
	under=udp
	setup_pair
	quiet
	capture_transfer udp
	expect_ok "source ports of two directions" test "$(source_ports udp | wc -l)" -le 2
}

# Without a key no frame is sent, whatever the stack wants to send.
each_test_no_key_no_frame()
{
	setup_wire
	capture_start "$ns1" "$tmp/none.pcap"
	link_add 1
	link_add 2
	with_ipv6
	expect_eq "carrier" "$(carrier "$ns1")" 0
	expect_refused "ping" "" in_ns "$ns1" ping -c 2 -i 0.1 -W 1 "${inner[2]}"
	key_pass "$ns2" "$ns1" 1
	expect_refused "ping, with a receive key" "" in_ns "$ns1" ping -c 2 -i 0.1 -W 1 "${inner[2]}"
	# The other end has its transmit key, but no reason to send.
	in_ns "$ns2" qlinkctl key del qlink0 tx epoch 1
	capture_stop "$tmp/none.pcap"
	decode none
	expect_eq "frames of ns1" "$(json none ".count[\"from $(lower_address 1) id 7 epoch 1\"]")" null
}

# The key is deleted under traffic: frames that arrive before the queue stops are counted. The stack may stop the queue
# at once, so keys are added and deleted until a frame arrives in between.
each_test_key_is_deleted()
{
	local before

	setup_pair
	quiet
	nobody "$ns1"
	before=$(stats "$ns1")
	in_ns "$ns1" qlinkctl key del qlink0 tx epoch 1
	expect_ok "a frame without a key" ringtool blink "$ns1" 2 "$nobody"
	expect_soon "carrier" carrier_is "$ns1" 0
	capture_start "$ns1" "$tmp/after.pcap"
	expect_refused "ping" "" in_ns "$ns1" ping -q -f -c 100 -W 1 "${inner[2]}"
	capture_stop "$tmp/after.pcap"
	decode after
	expect_eq "frames" "$(json after .frames)" 0
	expect_eq "counters" "$(stats_moved "$ns1" "$before" | sed 's/=.*//')" tx_no_key
}

flood_marker() { in_ns "$1" ping -q -f -s 1000 -p "$marker" "$2"; }
has_flood() { [ "$(keys "$ns1" 'frames<101')" = 0 ]; }

# The module is unloaded while both ends send: the last frame on the wire is a sealed one, in parcels or by itself.
each_test_unload_shows_nothing() { unload_under_traffic; }
each_test_unload_shows_nothing_of_parcels() { unload_under_traffic parcel pad; }
each_test_unload_shows_nothing_of_the_clock() { unload_under_traffic parcel constant; }

# unload_under_traffic [WORD…]: of links with these options.
unload_under_traffic()
{
	local capture_bytes=2048

	setup_pair
	[ $# = 0 ] || for ns in "$ns1" "$ns2"; do link_set "$ns" "$@"; done
	capture_start "$ns1" "$tmp/unload.pcap"
	flood_marker "$ns1" "${inner[2]}" >/dev/null 2>&1 &
	defer kill $!
	flood_marker "$ns2" "${inner[1]}" >/dev/null 2>&1 &
	defer kill $!
	expect_soon "traffic" has_flood
	expect_ok "unload" timeout 60 modprobe -r qlink
	expect_refused "ping" "" in_ns "$ns1" ping -c 2 -i 0.1 -W 1 "${inner[2]}"
	capture_stop "$tmp/unload.pcap"
	modprobe qlink
	decode unload --needle-hex "$marker" --needle-hex 0200000001020200000001
	expect_ok "the needles are in what was sent" test "$(json unload '.in_inner | min')" -gt 0
	# A port that is already closed answers by ICMP, with the start of a sealed frame.
	expect_eq "other frames" "$(other_frames unload | sed 's/^outer 0x0800$//')" ""
	# A parcel has several of the more than 100 frames of each key.
	expect_ok "sealed frames" test "$(json unload .sealed)" -gt 50
}

offer_two() { in_ns "$ns1" ping -c 2 -i 0.1 -W 1 "${inner[2]}"; }

# The route to the other end leads into the link itself.
test_loop()
{
	local before

	under=udp
	setup_pair
	quiet
	ip -n "$ns1" route add "${address[2]}" dev qlink0
	before=$(stats "$ns1")
	expect_refused "ping" "100% packet loss" offer_two
	expect_only_moved "$ns1" "$before" "tx_loop=+2"
	ip -n "$ns1" route del "${address[2]}" dev qlink0
	ping_ok "$ns1" "${inner[2]}"
}

# The page cache lends its pages to the network: frames must not be sealed in place.
each_test_files_stay_whole()
{
	local file hash how

	setup_pair
	file=$(readlink -f /bin/tar)	# on disk, and of half a megabyte
	cp "$file" "$tmp/file"
	hash=$(hash_of "$file")
	for how in sendfile splice; do
		transfer "$ns1" "$ns2" "${inner[2]}" "$file" $how splice
		transfer "$ns2" "$ns1" "${inner[1]}" "$tmp/file" $how copy
		expect_eq "file in the cache, $how" "$(hash_of "$file")" "$hash"
		expect_eq "copy in the cache, $how" "$(hash_of "$tmp/file")" "$hash"
		echo 3 >/proc/sys/vm/drop_caches
		expect_eq "file on disk, $how" "$(hash_of "$file")" "$hash"
	done
	expect_nothing_dropped
}

# A link to a socket of the same host: the receiver must not open frames in the sender's pages.
each_test_file_through_bridge()
{
	local file hash

	setup_forwarder bridge
	file=$(readlink -f /bin/tar)
	hash=$(hash_of "$file")
	transfer "$ns1" "$ns3" "${inner[3]}" "$file" sendfile splice
	transfer "$ns3" "$ns1" "${inner[1]}" "$file" splice copy
	expect_eq "file in the cache" "$(hash_of "$file")" "$hash"
	echo 3 >/proc/sys/vm/drop_caches
	expect_eq "file on disk" "$(hash_of "$file")" "$hash"
}

# expect_checksums_done ADDRESS: the checksums of forwarded type 2 frames are completed.
expect_checksums_done()
{
	frames payload "$tmp/file" 300000 --marker "$marker"
	capture_start "$ns1" "$tmp/sealed.pcap"
	sealed_pid=$capture_pid
	dev=veth1 capture_start "$ns3" "$tmp/onward.pcap"
	transfer "$ns1" "$ns3" "$1" "$tmp/file"
	ip netns exec "$ns1" socat -u - "UDP:$1:9" <"$tmp/keys"
	capture_stop "$tmp/onward.pcap"
	capture_pid=$sealed_pid
	capture_stop "$tmp/sealed.pcap"
	decode sealed
	expect_ok "checksum state" test "$(json sealed '.count["type 2"]')" -gt 100
	tcpdump -Z root -r "$tmp/onward.pcap" -nn -vv "tcp and dst $1" >"$tmp/onward" 2>/dev/null
	expect_ok "right checksums" test "$(grep -c '(correct)' "$tmp/onward")" -gt 100
	expect_eq "wrong checksums" "$(grep -c incorrect "$tmp/onward")" 0
	tcpdump -Z root -r "$tmp/onward.pcap" -nn -vv "udp and dst $1" >"$tmp/onward" 2>/dev/null
	expect_eq "right UDP checksums" "$(grep -c 'udp sum ok' "$tmp/onward")" 1
}

each_test_checksums_when_bridged()
{
	setup_forwarder bridge
	expect_checksums_done "${inner[3]}"
}

each_test_checksums_when_routed()
{
	setup_forwarder route
	expect_checksums_done 203.0.113.3
}

# vectors_receive GROUP: a new receiver with the keys of one group of vectors.
vectors_receive()
{
	local epoch hex

	ip -n "$ns2" link del qlink0 2>/dev/null
	link_add 2
	# Epochs come in any order, and the machine may be slow.
	expect_ok "grace" in_ns "$ns2" qlinkctl set qlink0 grace-ms 60000
	jq -r ".groups[$1].frames[] | select(.epoch as \$e | \$e > 0 and \$e != 3) |
		\"\(.epoch) \(.key)\(.salt)\"" "$here/vectors/frames.json" | sort -n -u |
		while read -r epoch hex; do
			printf %s "$hex" | from_hex >"$tmp/vector.$epoch"
			key_add "$ns2" rx "$epoch" "$tmp/vector.$epoch"
		done
	expect_eq "keys" "$(keys "$ns2" epoch)" \
		"$(jq -r ".groups[$1].epochs | join(\" \")" "$here/vectors/frames.json")"
}

# A packet socket's ring is told which of its slots is free again. Frames of a ring have their payload in its pages.
each_test_packet_ring()
{
	setup_pair
	quiet
	expect_eq "slots that are free again" "$(in_ns "$ns1" /usr/bin/python3 "$here/packetring.py" qlink0 6 1000)" 6
	expect_soon "all frames arrive" opened_is 6
	expect_nothing_dropped
}

opened_is() { [ "$(link_field "$ns2" .rx.usage.static.frames)" = "$1" ]; }

# Frames of the independent implementation, received by the module.
each_test_vectors()
{
	setup_wire 9200
	vectors_receive 0
	expect_ok "vectors" frames vectors 0 --under "$under" --from "$ns1" --to "$ns2"
	vectors_receive 1
	expect_ok "vectors" frames vectors 1 --under "$under" --from "$ns1" --to "$ns2"
}

debug_tests="every_kind_of_frame_eth packet_ring_eth"
run_tests "$@"
