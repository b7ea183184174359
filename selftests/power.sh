#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Suspend, hibernation and clones of the VM: no key survives them, and both rings start anew. scripts/scan-memory shows
# that none survives a reboot.
#
# The kernel is told to sleep, and a wakeup event cancels it after all notifiers have run (wakeup.py). /dev/snapshot,
# with which userspace hibernates, holds the host between "prepare" and "post" while its tasks run. scripts/vm clones
# the VM: it is saved, ended and resumed with another generation ID. The sleep itself is not tested: nothing wakes the
# lab's VM, its devices do not return from "freeze" and "disk", and Debian's kernels have no /sys/power/pm_test.

in_every_share=yes
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

readonly E_ASLEEP="goes to sleep"

ring_ids() { for ns in "$ns1" "$ns2"; do link_field "$ns" '.tx.id, .rx.id'; done; }
ping_once() { in_ns "$1" ping -c 1 -W 1 "${inner[2]}"; }

# hold_snapshot hibernate|restore: the host is about to do this, until let_snapshot_go.
hold_snapshot()
{
	case $1 in
	hibernate) exec {snapshot}</dev/snapshot ;;
	restore) exec {snapshot}>/dev/snapshot ;;
	esac
}
let_snapshot_go() { exec {snapshot}>&-; }

# setup_used_pair: keys of later epochs than the first, in all states.
setup_used_pair()
{
	setup_pair
	quiet
	expect_ok "ping" ping_once "$ns1"
	key_pass "$ns1" "$ns2" 5
	key_pass "$ns1" "$ns2" 6
	key_pass "$ns2" "$ns1" 5
	ids=$(ring_ids)
}

# expect_wiped CAUSE TIMES: at both ends.
expect_wiped()
{
	local ns

	for ns in "$ns1" "$ns2"; do
		expect_eq "keys" "$(keys "$ns")" 0
		expect_eq "why" "$(link_field "$ns" '"\(.wiped_by) \(.wipes)"')" "$1 $2"
		expect_eq "rings" "$(link_field "$ns" '[.tx, .rx] | map(.newest_epoch, .current_epoch, .staged, .retired) | add')" 0
		expect_soon "carrier" carrier_is "$ns" 0
		expect_eq "state" "$(link_field "$ns" .state)" no-key
	done
	expect_eq "ring ids that are new" "$({ echo "$ids"; ring_ids; } | sort -u | wc -l)" 8
	expect_has "log" "$(dmesg | grep 'all keys wiped' | tail -n 1)" "qlink: all keys wiped: $1"
	expect_refused "ping" "" ping_once "$ns1"
}

# In a ring that starts anew, epoch 1 is free.
expect_works_again()
{
	key_pass "$ns1" "$ns2" 1
	key_pass "$ns2" "$ns1" 1
	expect_soon "carrier" carrier_is "$ns1" 1
	expect_soon "carrier" carrier_is "$ns2" 1
	expect_ok "ping" ping_once "$ns1"
}

test_suspend()
{
	under=eth
	setup_used_pair
	expect_eq "cancelled" "$(begin_to_sleep freeze)" EBUSY
	expect_wiped suspend 1
	expect_works_again
	ids=$(ring_ids)
	expect_eq "cancelled again" "$(begin_to_sleep freeze)" EBUSY
	expect_wiped suspend 2
	expect_works_again
}

test_hibernation()
{
	under=udp
	setup_used_pair
	expect_eq "cancelled" "$(begin_to_sleep disk)" EBUSY
	expect_wiped hibernation 1
	expect_works_again
}

# Between "prepare" and "post" no key is accepted; afterwards the rings have new ids.
test_no_key_is_accepted_before_post()
{
	local way snapshot n=0 before

	under=eth
	setup_used_pair
	for way in hibernate restore; do
		n=$((n + 1))
		hold_snapshot "$way"
		expect_wiped hibernation "$n"
		ids=$(ring_ids)
		before=$(stats "$ns1")
		expect_refused "a key" "$E_ASLEEP" key_add "$ns1" tx 9 "$(key_new late)"
		expect_only_moved "$ns1" "$before" "key_refused=+1"
		expect_eq "keys" "$(keys "$ns1")" 0
		let_snapshot_go
		expect_eq "ring ids that are new" "$({ echo "$ids"; ring_ids; } | sort -u | wc -l)" 8
		ids=$(ring_ids)
		expect_works_again
		ids=$(ring_ids)
	done
}

# install_for_ever NS: installs keys in both directions as fast as they are accepted.
install_for_ever()
{
	local epoch

	for ((epoch = 10; ; epoch++)); do
		head -c 44 /dev/urandom >"$tmp/$1.rx"
		head -c 44 /dev/urandom >"$tmp/$1.tx"
		printf '%s\n' "rx epoch $epoch source static file $tmp/$1.rx" "tx epoch $epoch source static file $tmp/$1.tx" |
			in_ns "$1" qlinkctl key add qlink0 batch - 2>&1 && echo installed
	done >>"$tmp/$1.log"
}

other_answers() { grep -vE "$E_ASLEEP|^installed" "$tmp/$1.log"; }

# A key is either wiped or refused: none is missed, whenever it arrives.
test_keys_arrive_while_all_are_wiped()
{
	local ns round snapshot

	under=eth
	setup_pair
	for ns in "$ns1" "$ns2"; do
		install_for_ever "$ns" &
		defer kill $!
		pinging "$ns" 192.0.2.9
	done
	for ((round = 1; round <= 2; round++)); do
		for ns in "$ns1" "$ns2"; do
			: >"$tmp/$ns.log"
			expect_soon "installs" grep -q installed "$tmp/$ns.log"
		done
		hold_snapshot hibernate
		expect_eq "keys" "$(keys "$ns1") $(keys "$ns2")" "0 0"
		for ns in "$ns1" "$ns2"; do expect_soon "refusals" grep -q "$E_ASLEEP" "$tmp/$ns.log"; done
		expect_eq "keys" "$(keys "$ns1") $(keys "$ns2")" "0 0"
		let_snapshot_go
	done
	for ns in "$ns1" "$ns2"; do expect_eq "other answers" "$(other_answers "$ns")" ""; done
	expect_eq "wipes" "$(link_field "$ns1" .wipes)" 2
}

was_cloned() { [ "$(link_field "$ns2" .wiped_by)" = clone ] && [ "$(link_field "$ns1" .wiped_by)" = clone ]; }

# The VM resumes from a snapshot of itself, as a clone: what was sealed before must not be sealed again.
test_clone()
{
	[ -e /job/.vm/can-clone ] || skip "needs a VM that is cloned on demand (scripts/vm)"
	under=udp
	setup_used_pair
	echo '<2>qlink-vm: clone' >/dev/kmsg
	expect_soon "the clone is detected" was_cloned
	expect_wiped clone 1
	expect_works_again
}

# A guest with a device tree is told of a fork in a hard interrupt, in which nothing may sleep. No install that is under
# way, or comes before the wipe, gives the link a key to seal with.
test_fork_in_a_hard_interrupt()
{
	[ -e /sys/kernel/debug/qlink/forks ] || skip "needs a kernel with fault injection"
	under=eth
	setup_used_pair
	echo 1 >/sys/kernel/debug/qlink/forks
	expect_ok "the install that is under way" key_add "$ns1" tx 7 "$(key_new late)"
	expect_soon "the wipe" was_cloned
	expect_wiped clone 1
	expect_works_again
}

debug_tests="hibernation fork_in_a_hard_interrupt"
run_tests "$@"
