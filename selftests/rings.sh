#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Rings: thousands of staged keys, their memory, what is refused of them, and any of them used at once.

# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# slab NAME COLUMN: a column of /proc/slabinfo; 2 is objects in use, 4 the bytes of one.
slab() { awk -v name="$1" -v column="$2" '$1 == name { print $column }' /proc/slabinfo; }
# Blocks in each CPU's free list are counted as in use: empty those lists first.
slab_is_below() { echo 1 >"/sys/kernel/slab/$1/shrink" && [ "$(slab "$1" 2)" -lt "$2" ]; }

test_thousands_each_way()
{
	setup_link
	expect_ok "4,096 each way" ringtool fill "$ns1" 4096
	expect_eq "staged" "$(ring "$ns1" tx staged) $(ring "$ns1" rx staged)" "4095 4096"
	expect_eq "in use" "$(ring "$ns1" tx current_epoch)" 1
	# KASAN adds metadata to each.
	is_debug_kernel || expect_eq "bytes of one, in whole" "$(slab qlink_key 4)" 128
	expect_ok "delete the link" ip -n "$ns1" link del qlink0
	expect_soon "the memory is given back" slab_is_below qlink_key 100
}

# One key more than fits: a ring takes 32,768 staged keys.
test_full()
{
	local before

	setup_link
	expect_ok "as many as fit" ringtool fill "$ns1" 32768 rx
	before=$(stats "$ns1")
	expect_refused "one more" "rx holds 32768 staged keys, the most" key_add "$ns1" rx 40000 "$(key_new a)"
	expect_only_moved "$ns1" "$before" "key_refused=+1"
	expect_eq "staged" "$(ring "$ns1" rx staged)" 32768
	expect_ok "the other ring has room" key_add "$ns1" tx 1 "$tmp/a"
}

# The step puts all epochs into one chain of a hash without a secret: the table refused some, and took seconds for each.
# Whoever owns a user namespace could do this to the whole host.
test_epochs_that_collide()
{
	expect_ok "4,096 keys" setpriv --reuid 65534 --regid 65534 --clear-groups unshare --user --map-root-user --net sh -c "
		ip link add veth0 type veth peer name veth9 &&
		ip link add link veth0 name qlink0 type qlink id 1 peer ${mac[2]} accept static &&
		exec /usr/bin/python3 '$here/ringtool.py' fill '' 4096 rx $((0xe877b097))"
}

# One of 2,000 keys in a message is wrong: the refusal gives its number and its position.
test_refusal_names_the_key()
{
	setup_link
	expect_eq "of 13 messages" "$(ringtool refuse "$ns1")" refused
	# Four were never keys: the family's policy refuses 31 bytes.
	expect_eq "counted" "$(stat_get "$ns1" key_refused)" 9
	expect_eq "keys" "$(ring "$ns1" tx staged) $(ring "$ns1" tx current_epoch)" "1999 1000"
}

# While frames under its first keys are lost, a receiver holds keys that have no transform yet; the first frame that
# arrives is opened all the same.
each_test_blackout()
{
	local before

	setup_pair
	quiet
	nobody "$ns1"
	keys_pass "$ns1" "$ns2" 2 400
	link_set "$ns1" rekey-frames 1
	expect_eq "before" "$(ping_one_lane "$ns1" 5)" 5
	before="$(ring "$ns2" rx current_epoch) $(ring "$ns2" rx rekeys)"
	ip -n "$ns2" link set veth0 address 02:00:00:00:00:99
	ping_one_lane "$ns1" 200 "$nobody" >/dev/null
	ip -n "$ns2" link set veth0 address "${mac[2]}"
	[ "$under" = eth ] || ip -n "$ns2" neighbour replace "${address[1]}" lladdr "${mac[1]}" dev veth0
	expect_eq "the receiver has seen nothing" "$(ring "$ns2" rx current_epoch) $(ring "$ns2" rx rekeys)" "$before"
	expect_ok "the sender went on" test "$(ring "$ns1" tx current_epoch)" -gt 60
	expect_eq "the first frame after it" "$(ping_one_lane "$ns1" 1)" 1
	expect_eq "epoch" "$(ring "$ns2" rx current_epoch)" "$(ring "$ns1" tx current_epoch)"
	expect_eq "in one step" "$(ring "$ns2" rx rekeys)" $((${before#* } + 1))
	expect_eq "and the next ones" "$(ping_one_lane "$ns1" 20)" 20
	expect_nothing_dropped
}

# A frame under the last of 3,000 staged keys: the ones before it are retired, some at a time, and all but the newest
# 1,024 are wiped. A frame under one of them is late, and does not take the ring back.
test_thousands_are_skipped()
{
	under=eth
	setup_pair
	quiet
	expect_ok "grace" link_set "$ns2" grace-ms 60000
	keys_pass "$ns1" "$ns2" 2 2999
	expect_eq "staged" "$(ring "$ns2" rx staged)" 3000
	expect_ok "the last" frames forge good --under "$under" --from "$ns1" --to "$ns2" \
		--key "$(key_file "$ns1" 3000)" --epoch 3000
	expect_soon "none is staged" ring_is "$ns2" rx staged 0
	expect_soon "the newest are kept" ring_is "$ns2" rx retired 1024
	expect_ok "a late one" frames forge good --under "$under" --from "$ns1" --to "$ns2" \
		--key "$(key_file "$ns1" 2999)" --epoch 2999
	expect_eq "in use" "$(ring "$ns2" rx current_epoch) $(ring "$ns2" rx rekeys)" "3000 0"
	expect_eq "kept" "$(keys "$ns2" direction=rx epoch | tr ' ' '\n' | head -n 1)" 1976
}

# Frames of staged epochs that were forged without the key have no effect: no key is used, and none is lost.
each_test_forged_under_staged_epochs()
{
	local epoch keys

	setup_pair
	keys_pass "$ns1" "$ns2" 2 99
	keys=$(keys "$ns2" epoch state)
	key_new other >/dev/null
	for epoch in 2 50 100; do
		expect_ok "forged under $epoch" frames forge good --expect rx_auth_error --under "$under" --from "$ns1" \
			--to "$ns2" --key "$tmp/other" --epoch "$epoch"
	done
	expect_eq "keys" "$(keys "$ns2" epoch state)" "$keys"
	expect_eq "dropped, each by its tag" "$(stats_nonzero "$ns2")" "rx_auth_error:24"
	expect_ok "a frame of the key itself" frames forge good --under "$under" --from "$ns1" --to "$ns2" \
		--key "$(key_file "$ns1" 50)" --epoch 50
	expect_eq "epoch" "$(ring "$ns2" rx current_epoch)" 50
}

# The next keys are deleted together with the one in use: the key after them takes over at once.
test_delete_many_with_the_active_one()
{
	local epoch lines=() pinger log

	under=eth
	setup_pair
	quiet
	keys_pass "$ns1" "$ns2" 2 99
	log=$tmp/ping
	ip netns exec "$ns1" ping -i 0.005 "${inner[2]}" >"$log" &
	pinger=$!
	defer kill "$pinger"
	expect_soon "frames" frames_fly
	for epoch in $(seq 1 60); do lines+=("tx:$epoch"); done
	expect_ok "delete 60 in one message" nlraw "$ns1" delete qlink0 "${lines[@]}"
	expect_eq "in use" "$(ring "$ns1" tx current_epoch) $(ring "$ns1" tx staged)" "61 39"
	expect_soon "the receiver follows" ring_is "$ns2" rx current_epoch 61
	kill -INT "$pinger"
	wait "$pinger"
	expect_has "loss" "$(grep transmitted "$log")" " 0% packet loss"
	expect_nothing_dropped
}

frames_fly() { [ "$(keys "$ns2" direction=rx epoch=1 'frames>3')" = 1 ]; }

debug_tests="thousands_each_way blackout_eth forged_under_staged_epochs_udp"
run_tests "$@"
