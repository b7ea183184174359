#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Events: which are sent, in which order, to whom, and how many.

# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# last FILE FILTER: applies a jq filter to the newest event.
last() { jq -s ".[-1] | $2" "$1"; }

# expect_numbered FILE: the numbers are consecutive.
expect_numbered()
{
	expect_eq "numbers without a gap" \
		"$(jq -s '[.[].sequence] | . == [range(.[0]; .[0] + length)]' "$1")" true
}

each_test_events_of_keys()
{
	local n

	setup_pair
	quiet
	listen "$ns1" "$tmp/sender"
	listen "$ns2" "$tmp/receiver"
	keys_pass "$ns1" "$ns2" 2 1
	expect_ok "rotate" in_ns "$ns1" qlinkctl rotate qlink0
	expect_soon "rotated" has_event "$tmp/sender" rotated
	expect_eq "epoch" "$(last "$tmp/sender" .tx.current_epoch)" 2
	expect_eq "answers" "$(ping_one_lane "$ns1" 3)" 3
	expect_soon "the peer's epoch" has_event "$tmp/receiver" peer-epoch
	expect_eq "epoch" "$(last "$tmp/receiver" .rx.current_epoch)" 2
	link_set "$ns1" rekey-frames 1
	expect_eq "answers" "$(ping_one_lane "$ns1" 3)" 3
	expect_soon "overdue" has_event "$tmp/sender" overdue
	link_set "$ns1" keys-low 3 rekey-frames 0
	keys_pass "$ns1" "$ns2" 3 4
	for n in 1 2; do expect_ok "rotate" in_ns "$ns1" qlinkctl rotate qlink0; done
	expect_soon "keys low" has_event "$tmp/sender" keys-low
	for n in 2 3 4 5 6; do in_ns "$ns1" qlinkctl key del qlink0 tx epoch "$n" 2>"$tmp/err"; done
	expect_soon "exhausted" has_event "$tmp/sender" exhausted
	expect_eq "each direction has only its own events" \
		"$(jq -s '[.[].kinds[]] | unique | join(" ")' "$tmp/receiver")" '"peer-epoch"'
	expect_numbered "$tmp/sender"
	expect_numbered "$tmp/receiver"
}

# The module goes and comes back: the listener says that it may have missed some, and hears those of the new one.
test_events_of_a_module_that_was_loaded_again()
{
	setup_link
	listen "$ns1" "$tmp/heard"
	expect_ok "unload" timeout 60 modprobe -r qlink
	modprobe qlink
	link_add 1
	key_add "$ns1" tx 1 "$(key_new a)"
	expect_ok "delete its key" in_ns "$ns1" qlinkctl key del qlink0 tx epoch 1
	expect_soon "exhausted" has_event "$tmp/heard" exhausted
	expect_has "lost" "$(cat "$tmp/heard.log")" "events were lost"
}

# Events have the device's name of that moment, also after a move that renames it.
test_events_name_the_device()
{
	setup_link
	setup_ns ns3
	listen "$ns1" "$tmp/here"
	listen "$ns3" "$tmp/there"
	expect_ok "rename" ip -n "$ns1" link set qlink0 name renamed
	dev=renamed key_add "$ns1" tx 1 "$(key_new a)"
	expect_ok "delete its key" in_ns "$ns1" qlinkctl key del renamed tx epoch 1
	expect_soon "exhausted" has_event "$tmp/here" exhausted
	expect_eq "name" "$(last "$tmp/here" .ifname)" '"renamed"'
	expect_ok "move" ip -n "$ns1" link set renamed netns "$ns3" name third
	dev=third key_add "$ns3" tx 2 "$(key_new b)"
	expect_ok "delete its key" in_ns "$ns3" qlinkctl key del third tx epoch 2
	expect_soon "exhausted" has_event "$tmp/there" exhausted
	expect_eq "name" "$(last "$tmp/there" .ifname)" '"third"'
	expect_eq "name, in the link netns" "$(last "$tmp/here" .ifname)" '"third"'
}

# Many bad frames cause only a few events, and the last event counts them all.
each_test_bad_frames_make_few_events()
{
	local n

	setup_pair
	listen "$ns2" "$tmp/events"
	key_new other >/dev/null
	for n in 1 2 3 4 5 6; do
		expect_ok "forged" frames forge good --expect rx_auth_error --under "$under" --from "$ns1" --to "$ns2" \
			--key "$tmp/other"
	done
	expect_soon "event" has_event "$tmp/events" auth-failures
	expect_soon "all of them in the end" last_failures_are 48
	expect_ok "fewer events than frames" test "$(wc -l <"$tmp/events")" -lt 48
	expect_numbered "$tmp/events"
	listen "$ns1" "$tmp/replays"
	expect_ok "replayed" frames resend --under "$under" --from "$ns2" --to "$ns1"
	expect_soon "event" has_event "$tmp/replays" replays
}

last_failures_are() { [ "$(last "$tmp/events" .auth_failures)" = "$1" ]; }

# A thousand keys a second are reported in a few events, and the last event names the last key.
each_test_many_rotations_make_few_events()
{
	local epoch

	setup_pair
	quiet
	keys_pass "$ns1" "$ns2" 2 300
	listen "$ns1" "$tmp/events"
	link_set "$ns1" rekey-frames 1
	expect_eq "answers" "$(ping_one_lane "$ns1" 200)" 200
	link_set "$ns1" rekey-frames 0
	epoch=$(ring "$ns1" tx current_epoch)
	expect_soon "the last key" last_epoch_is "$epoch"
	expect_ok "fewer events than keys" test "$(wc -l <"$tmp/events")" -lt "$epoch"
	expect_eq "keys reported" "$(last "$tmp/events" .tx.rekeys)" $((epoch - 1))
	expect_numbered "$tmp/events"
	expect_nothing_dropped
}

last_epoch_is() { [ "$(last "$tmp/events" .tx.current_epoch)" = "$1" ]; }

# Events of a device that was moved go to its own namespace and to that of its underlay, without an index there.
test_namespaces()
{
	under=eth
	setup_pair
	setup_ns ns3
	move_device "$ns1" "$ns3"
	listen "$ns1" "$tmp/underlay"
	listen "$ns2" "$tmp/peer"
	listen "$ns3" "$tmp/device"
	keys_pass_here()
	{
		key_new "k$1" >/dev/null
		in_ns "$ns3" qlinkctl key add qlink0 tx epoch "$1" source static file "$tmp/k$1"
	}
	expect_ok "a key" keys_pass_here 2
	expect_ok "rotate" in_ns "$ns3" qlinkctl rotate qlink0
	expect_soon "where the device is" has_event "$tmp/device" rotated
	expect_soon "where its underlay is" has_event "$tmp/underlay" rotated
	expect_eq "index" "$(last "$tmp/device" .ifindex) $(last "$tmp/underlay" .ifindex)" \
		"$(in_ns "$ns3" cat /sys/class/net/qlink0/ifindex) null"
	expect_eq "elsewhere" "$(cat "$tmp/peer")" ""
}

debug_tests="events_of_keys_eth"
run_tests "$@"
