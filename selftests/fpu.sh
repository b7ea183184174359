#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Frames that arrive in a softirq while a task uses the FPU (6.12): they wait; none is lost or reordered.

in_every_share=yes
needs_cpus=2
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# On a second CPU, a task encrypts all the time, so that softirqs there find the FPU in use.
readonly hog_cpu=1
fpu_waits() { stat_get "$1" "$2_fpu_wait"; }

# The implementation that has to ask whether the FPU is free.
asks_for_fpu() { grep -q '__generic-gcm-aesni' /proc/crypto; }

hog_start()
{
	modprobe algif_aead
	taskset -c $hog_cpu /usr/bin/python3 "$here/fpuhog.py" >"$tmp/hog" 2>&1 &
	defer kill $!
	expect_soon "hog" grep -q encrypting "$tmp/hog"
}

# receive_on_hog NS DEVICE: processes what the device receives on the hog's CPU.
receive_on_hog() { in_ns "$1" sh -c "echo $((1 << hog_cpu)) >/sys/class/net/$2/queues/rx-0/rps_cpus"; }

# ns3 is a host behind ns1, so that ns1 forwards into qlink0 from a softirq.
setup_site()
{
	setup_pair
	setup_ns ns3
	ip link add lan netns "$ns3" type veth peer name lan netns "$ns1" || exit 1
	ip -n "$ns3" address add 203.0.113.3/24 dev lan
	ip -n "$ns1" address add 203.0.113.1/24 dev lan
	ip -n "$ns3" link set lan up
	ip -n "$ns1" link set lan up
	ip -n "$ns3" route add default via 203.0.113.1
	ip -n "$ns2" route add 203.0.113.0/24 via "${inner[1]}"
	in_ns "$ns1" sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'
	receive_on_hog "$ns1" lan
	receive_on_hog "$ns2" veth0
}

# A receiver may have to wait for its CPU: socket buffers hold all that is sent.
hold_everything()
{
	local limit

	for limit in /proc/sys/net/core/{r,w}mem_max; do
		defer sh -c "echo $(<"$limit") >$limit"
		echo 16777216 >"$limit"
	done
}

# stream_udp NS SECONDS: sends numbered datagrams to ns2 and prints iperf3's report of the receiver.
stream_udp()
{
	in_ns "$ns2" iperf3 -s -1 -J >"$tmp/server" 2>&1 &
	local server=$!

	expect_soon "server" sh -c "ip netns exec $ns2 ss -Hltn | grep -q :5201"
	expect_ok "client" in_ns "$1" taskset -c 0 iperf3 -c "${inner[2]}" -u -b 300K -l 100 -w 4M -t "$2" || return
	wait "$server"
}

received() { jq -r ".end.streams[0].udp.$1" "$tmp/server"; }

# stream_until_waited NS LINK_NS tx|rx: sends from NS until frames had to wait at LINK_NS; none is lost.
stream_until_waited()
{
	local round

	for ((round = 1; round <= 8; round++)); do
		stream_udp "$1" 2
		expect_ok "datagrams arrived" test "$(received packets)" -gt 100
		expect_eq "lost" "$(received lost_packets)" 0
		expect_eq "out of order" "$(received out_of_order)" 0
		if ! asks_for_fpu || [ "$(fpu_waits "$2" "$3")" != 0 ]; then break; fi
	done
}

each_test_frames_wait_for_fpu()
{
	[ "$(nproc)" -gt $hog_cpu ] || skip "needs 2 CPUs, this VM has $(nproc)"
	modprobe aesni_intel
	setup_site
	hold_everything
	! asks_for_fpu || hog_start
	# Forwarded and sealed on the hog's CPU. Frames that waited leave when the FPU is free, so the other end
	# needs frames that CPU 0 sealed.
	stream_until_waited "$ns3" "$ns1" tx
	stream_until_waited "$ns1" "$ns2" rx
	if asks_for_fpu; then
		expect_ok "waited to be sealed" test "$(fpu_waits "$ns1" tx)" -gt 0
		expect_ok "waited to be opened" test "$(fpu_waits "$ns2" rx)" -gt 0
	else
		expect_eq "waited" "$(fpu_waits "$ns1" tx) $(fpu_waits "$ns2" rx)" "0 0"
	fi
	expect_nothing_dropped
}

run_tests "$@"
