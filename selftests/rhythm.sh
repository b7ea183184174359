#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# When parcels of a constant rate leave, and how large they are: whatever is in them, a wire-tapper sees the same.
#
# Only where virtual time is instructions: elsewhere the times are those of the machine that emulates the CPUs. The clock
# has a CPU of its own, as qlink(7) says. All else runs on the other one: the load, the receiver, the capture.

# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=traffic.sh
. "$(dirname "$0")/traffic.sh"

needs_icount=1
# shellcheck disable=SC2034 # run asks for it
readonly needs_icount
n_parcels=3000
[ "${QLINK_SOAK:-}" != 1 ] || n_parcels=10000

rhythm() { python3 "$here/rhythm.py" "$@"; }

# setup_clock: end 1 sends a parcel every millisecond, from the second CPU.
setup_clock()
{
	setup_pair
	taskset -p 1 $$ >/dev/null
	in_ns "$ns2" sh -c 'echo 1 >/sys/class/net/veth0/queues/rx-0/rps_cpus'
	taskset -p 2 $$ >/dev/null
	link_set "$ns1" parcel constant parcel-interval-us 1000
	taskset -p 1 $$ >/dev/null
}

# setup_elsewhere: 203.0.113.2 is beyond a device that drops everything.
setup_elsewhere()
{
	ip -n "$ns1" link add dummy0 type dummy
	ip -n "$ns1" address add 203.0.113.1/24 dev dummy0
	ip -n "$ns1" link set dummy0 up
	ip -n "$ns1" neighbor add 203.0.113.2 dev dummy0 lladdr 02:00:00:00:00:01
}

# capture_of NAME [LOAD-OPTION…]: what end 1 sends meanwhile is in $tmp/NAME.
capture_of()
{
	local first late

	rm -f "$tmp/stop"
	if [ $# -gt 1 ]; then in_background "$ns1" python3 "$here/rhythm.py" load --seed 1 --until "$tmp/stop" "${@:2}"; fi
	late=$(stat_get "$ns1" tx_parcel_late)
	capture_precision=nano capture_bytes=100 capture_start "$ns1" "$tmp/$1"
	first=$(stat_get "$ns1" tx_parcels)
	expect_ok "parcels" busywait 600 stat_is_above "$ns1" tx_parcels $((first + n_parcels))
	capture_stop "$tmp/$1"
	touch "$tmp/stop"
	echo "$1: $(rhythm show "$tmp/$1" "${mac[1]}"), $(($(stat_get "$ns1" tx_parcel_late) - late)) ticks missed"
	expect_eq "$1: sizes" "$(rhythm show "$tmp/$1" "${mac[1]}" | jq -c .sizes)" "$size"
}

expect_alike() { expect_ok "$1 and $2, ${3:-phases}" rhythm compare "$tmp/$1" "$tmp/$2" "${mac[1]}" --what "${3:-phases}"; }

# expect_told_apart WHAT SHARE:US: if so many frames of the capture "idle" had left so much later, that would be seen.
expect_told_apart() { expect_refused "$1, $2 late" distance rhythm compare "$tmp/idle" "$tmp/idle" "${mac[1]}" --what "$1" --late "$2"; }

# Nothing to send; keepalives, new keys and their withdrawal; bursts; more than the link carries. The last one keeps the
# other CPU busy, and these two CPUs take turns. So it is compared with the same load that does not go through the link.
each_test_times_and_sizes_do_not_follow_the_load()
{
	local first ns size="[1514]"

	setup_clock
	setup_elsewhere
	capture_of idle
	expect_told_apart phases 0.1:20
	expect_told_apart times 0.1:20

	keys_pass "$ns1" "$ns2" 2 400
	for ns in "$ns1" "$ns2"; do link_set "$ns" keepalive-ms 50 rekey-ms 100; done
	first=$(ring "$ns1" tx rekeys)
	capture_of signals
	expect_ok "rekeys" test $(($(ring "$ns1" tx rekeys) - first)) -ge $((n_parcels / 110))
	expect_ok "keepalives" test "$(stat_get "$ns1" tx_keepalive)" -ge $((n_parcels / 60))
	expect_alike idle signals
	expect_alike idle signals times
	capture_of bursts --to "${inner[2]}" --burst 30 --every 50000
	expect_alike idle bursts
	expect_alike idle bursts times
	expect_alike signals bursts epochs

	capture_of elsewhere --to 203.0.113.2 --every 500
	capture_of full --to "${inner[2]}" --every 500
	expect_ok "more than it carries" test "$(stat_get "$ns1" tx_parcel_full)" -gt 0
	expect_alike elsewhere full
	expect_alike elsewhere full times
	expect_alike elsewhere full epochs
}

# fastest: the fastest of some round trips from the LAN, in microseconds.
fastest()
{
	in_ns "$ns3" ping -q -c 20 -i 0.01 -W "$deadline" "${inner[1]}" | sed -n 's|^rtt .* = \([0-9.]*\)/.*|\1|p' | tr -d . | sed 's/^0*//'
}

# A forwarded frame that nothing follows waits as long as parcel-hold-us says, and hardly longer.
each_test_hold_is_as_long_as_it_says()
{
	local before held

	setup_lan parcel pack
	before=$(fastest)
	link_set "$ns2" parcel-hold-us 700
	held=$(fastest)
	expect_ok "round trips of $before and $held us" test $((held - before)) -ge 690 -a $((held - before)) -le 760
}

# What waits while its device goes down is not sent when its time has come.
each_test_held_frame_is_dropped_when_the_link_goes_down()
{
	local before sent

	setup_lan parcel pack parcel-hold-us 1000
	before=$(stats "$ns2")
	sent=$(stats64 "$ns2" .tx.packets veth0)
	expect_ok "a frame, and down" rhythm down "$ns3" veth1 "$ns2" qlink0
	expect_soon "dropped" stat_is_above "$ns2" tx_no_underlay 0
	expect_only_moved "$ns2" "$before" "tx_no_underlay=+1"
	expect_eq "sent" "$(stats64 "$ns2" .tx.packets veth0)" "$sent"
}

run_tests "$@"
