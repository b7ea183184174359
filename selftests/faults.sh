#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Each allocation fails once: the request or the frame reports it, nothing is left behind, and then it works.
#
# Needs a kernel with fault injection (scripts/vm --kernel debug). The VM's kmemleak reports leaked memory at the end.

needs_cpus=2
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=traffic.sh
. "$(dirname "$0")/traffic.sh"

readonly slab=/sys/kernel/debug/failslab pages=/sys/kernel/debug/fail_page_alloc

# Include allocations that may sleep, and log nothing for each.
need_faults()
{
	local dir

	for dir in $slab $pages; do
		echo N >"$dir/ignore-gfp-wait"
		echo 0 >"$dir/verbose"
		echo 0 >"$dir/probability"
	done
	modprobe qlink
}

faults() { in_ns "$ns1" env NS="$ns1" /usr/bin/python3 "$here/faults.py" "$@"; }

each_test_newlink()
{
	need_faults
	setup_wire
	expect_ok "every allocation" faults newlink "$under"
	expect_eq "devices" "$(ip -n "$ns1" -o link show type qlink)" ""
	expect_ok "works now" link_add 1
	expect_ok "delete" ip -n "$ns1" link del qlink0
	expect_ok "no port is left: the module unloads" modprobe -r qlink
}

each_test_changelink()
{
	need_faults
	setup_pair
	quiet
	expect_ok "every allocation" faults changelink "$under"
	expect_ok "works as before" in_ns "$ns1" ping -c 1 -W 2 "${inner[2]}"
}

test_install()
{
	need_faults
	under=eth
	setup_wire
	link_add 1
	expect_ok "every allocation" faults install
	expect_ok "works now" key_add "$ns1" tx 4000000 "$(key_new a)"
	expect_ok "delete" ip -n "$ns1" link del qlink0
	expect_ok "no key is left: the module unloads" modprobe -r qlink
}

each_test_xmit()
{
	need_faults
	setup_pair
	quiet
	expect_ok "every allocation" faults xmit "$ns2"
	expect_ok "works now" in_ns "$ns1" ping -c 1 -W 2 "${inner[2]}"
}

# fail_next FUNCTION: makes the next allocation of FUNCTION fail, also in a softirq.
fail_next()
{
	local range

	range=$(awk -v name="$1" '$3 == name { from = $1 } from && $1 > from && !to { to = $1 } END { print from, to }' <(grep '\[qlink\]' /proc/kallsyms | sort))
	echo "0x${range% *}" >$slab/require-start
	echo "0x${range#* }" >$slab/require-end
	echo N >$slab/task-filter
	echo 0 >$slab/space
	echo 1 >$slab/interval
	echo 1 >$slab/times
	echo 100 >$slab/probability
}

fail_no_more()
{
	echo 0 >$slab/probability
	echo 0 >$slab/require-start
	echo 0xffffffffffffffff >$slab/require-end
}

# The first frame of a lane allocates its window, unless an earlier key left one behind. Without memory the frame is
# dropped, and the next frame allocates it.
test_receive()
{
	local before

	need_faults
	defer fail_no_more
	under=eth
	setup_pair
	quiet
	expect_ok "the first lane" in_ns "$ns1" taskset -c 0 ping -c 1 -W 2 "${inner[2]}"
	before=$(stats "$ns2")
	fail_next qlink_rx_receive
	in_ns "$ns1" taskset -c 1 ping -c 1 -W 1 "${inner[2]}" >/dev/null
	fail_no_more
	expect_only_moved "$ns2" "$before" "rx_no_memory=+1"
	expect_ok "works now" in_ns "$ns1" taskset -c 1 ping -c 1 -W 2 "${inner[2]}"
}

# fault NAME VALUE: asks the module for a fault (kmod/faultpoint.h) until the test ends.
fault() { echo "$2" >"/sys/kernel/debug/qlink/$1"; defer sh -c "echo 0 >/sys/kernel/debug/qlink/$1"; }

waited() { [ "$(stat_get "$1" rx_fpu_wait)" -gt 5 ]; }

# A link is deleted while a poll holds its frames and is about to put them back.
each_test_poll_of_a_link_that_goes()
{
	setup_pair
	quiet
	pinging "$ns1" "${inner[2]}"
	pinging "$ns1" "${inner[2]}"
	fault poll-ms 20
	fault rx-waits 300
	expect_soon "frames that wait" waited "$ns2"
	expect_ok "delete" ip -n "$ns2" link del qlink0
	fault rx-waits 0
	expect_ok "no frame holds the module" ip -n "$ns1" link del qlink0
	expect_soon "the module unloads" modprobe -r qlink
}

# Sockets drop frames in pages of the memory reserves. Such a page is not used, least of all again.
each_test_pages_of_the_reserves()
{
	setup_pair
	quiet
	frames payload "$tmp/file" 400000 --marker "$marker"
	fault reserves 40
	transfer "$ns1" "$ns2" "${inner[2]}" "$tmp/file"
	expect_eq "pages that were not taken" "$(($(cat /sys/kernel/debug/qlink/reserves) < 40))" 1
	expect_eq "frames dropped at sockets" \
		"$(for ns in "$ns1" "$ns2"; do ip netns exec "$ns" nstat -asz TcpExtPFMemallocDrop | awk '/Drop/ { print $2 }'; done | xargs)" "0 0"
	expect_nothing_dropped
}

has_learned() { ip -n "$ns1" -6 route get "${address6[2]}" | grep -q "mtu 1290"; }

# A frame above a size that an ICMP message has claimed takes a route of its own; without memory it is dropped.
test_unlearn()
{
	local before

	need_faults
	defer fail_no_more
	under=udp6
	setup_pair
	quiet
	expect_ok "about a ping" frames too-big --under udp6 --from "$ns2" --to "$ns1" --about ping --mtu 1290
	expect_soon "the host learns" has_learned
	expect_ok "large" in_ns "$ns1" ping -c 1 -W 2 -s 1374 "${inner[2]}"
	before=$(stats "$ns1")
	fail_next qlink_udp6_send
	in_ns "$ns1" ping -c 1 -W 1 -s 1374 "${inner[2]}" >/dev/null
	fail_no_more
	expect_only_moved "$ns1" "$before" "tx_no_memory=+1"
	expect_ok "works now" in_ns "$ns1" ping -c 1 -W 2 -s 1374 "${inner[2]}"
}

debug_tests="newlink_eth changelink_udp install xmit_udp receive unlearn poll_of_a_link_that_goes_eth pages_of_the_reserves_udp"
if [ ! -e /proc/self/fail-nth ] || [ ! -e $slab ]; then
	echo "1..0 # SKIP needs a kernel with fault injection"
	exit 4
fi
run_tests "$@"
