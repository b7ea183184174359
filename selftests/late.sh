#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Late frames: how long a receiver keeps older keys, when a key must go earlier, and how each reason is counted.

# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# forge EPOCH [OPTION…]: eight frames of that epoch, as if from ns1, judged by frames.py.
forge()
{
	expect_ok "epoch $1" frames forge good --under "$under" --from "$ns1" --to "$ns2" \
		--key "$(key_file "$ns1" "$1")" --epoch "$@"
}

# epochs NS STATE: the epochs of the receive keys in this state.
epochs() { keys "$1" direction=rx "state=$2" epoch; }
epochs_are() { [ "$(epochs "$1" "$2")" = "$3" ]; }

each_test_grace()
{
	setup_pair
	keys_pass "$ns1" "$ns2" 2 4
	link_set "$ns2" grace-ms 60000
	forge 1
	forge 3
	expect_eq "used or skipped" "$(epochs "$ns2" active) after $(epochs "$ns2" retired)" "3 after 1 2"
	forge 2
	expect_eq "a late frame changes nothing" "$(epochs "$ns2" active) after $(epochs "$ns2" retired)" "3 after 1 2"
	link_set "$ns2" grace-ms 1
	expect_soon "wiped" epochs_are "$ns2" retired ""
	forge 2 --expect rx_after_grace
	forge 1 --expect rx_after_grace
	expect_eq "the others" "$(epochs "$ns2" active) before $(epochs "$ns2" staged)" "3 before 4 5"
	forge 5
	expect_eq "dropped" "$(stats_nonzero "$ns2")" "rx_after_grace:16"
}

# The newest 1,024 keys are kept for late frames; keys that must go earlier have a counter of their own.
each_test_more_than_are_kept()
{
	setup_pair
	link_set "$ns2" grace-ms 60000
	keys_pass "$ns1" "$ns2" 2 1099
	forge 1100
	expect_eq "kept" "$(ring "$ns2" rx retired)" 1024
	expect_eq "the oldest of them" "$(keys "$ns2" direction=rx epoch | cut -d ' ' -f 1)" 76
	forge 75 --expect rx_evicted
	forge 1 --expect rx_evicted
	forge 76
	forge 1099
	expect_eq "dropped" "$(stats_nonzero "$ns2")" "rx_evicted:16"
}

# At most 4 MiB of windows are kept, however few keys have them: 256 lanes of a key take 150 KB.
test_windows_of_many_lanes()
{
	under=eth
	setup_pair
	link_set "$ns2" grace-ms 60000
	keys_pass "$ns1" "$ns2" 2 39
	expect_ok "frames in all lanes" ringtool lanes "$ns1" "$ns2" "$tmp/keys" 2 40
	expect_soon "the last one arrived" ring_is "$ns2" rx current_epoch 40
	expect_ok "fewer kept than were used" test "$(ring "$ns2" rx retired)" -lt 35
	expect_ok "but not few" test "$(ring "$ns2" rx retired)" -gt 20
	forge 2 --expect rx_evicted
	expect_eq "dropped" "$(stats_nonzero "$ns2")" "rx_evicted:8"
}

# A receive key expires even if no newer one is used.
each_test_lifetime()
{
	setup_pair
	link_set "$ns2" grace-ms 1 hard-seconds 3
	forge 1
	expect_soon "wiped" epochs_are "$ns2" active ""
	forge 1 --expect rx_expired
	key_pass "$ns1" "$ns2" 2
	forge 2
	expect_eq "the next one" "$(epochs "$ns2" active)" 2
	expect_eq "dropped" "$(stats_nonzero "$ns2")" "rx_expired:8"
}

# A deleted key does not count as late, and a staged one does not expire.
each_test_deleted_is_not_late()
{
	setup_pair
	keys_pass "$ns1" "$ns2" 2 2
	link_set "$ns2" grace-ms 1
	forge 2
	expect_soon "wiped" epochs_are "$ns2" retired ""
	expect_ok "delete" in_ns "$ns2" qlinkctl key del qlink0 rx epoch 2
	forge 2 --expect rx_no_key
	expect_eq "staged" "$(epochs "$ns2" staged)" 3
	expect_eq "dropped" "$(stats_nonzero "$ns2")" "rx_no_key:8"
}

debug_tests="grace_udp more_than_are_kept_udp"
run_tests "$@"
