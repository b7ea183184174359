#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Keys: installed, listed, deleted and used up; what is refused of them; and that no key byte is ever printed.

# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# The kernel's refusals, shortened.
readonly E_ACCEPT="accept list" E_FAR="more than 2^32 above" E_EQUAL_LINK="of this link" E_EQUAL_HOST="of this host"
readonly E_ABSENT="holds no epoch" E_BYTES="44"
e_known() { echo "is not above $1"; }

key_del() { in_ns "$1" qlinkctl key del qlink0 "$2" epoch "$3"; }

# held NS: "tx:1:active rx:1:staged …"
held() { keys "$1" direction epoch state; }

# field NS DIRECTION EPOCH NAME: a member of one key.
field() { keys "$1" "direction=$2" "epoch=$3" "$4"; }

# expect_key_refused NAME SUBSTRING COMMAND…: COMMAND is refused and counted, and changes nothing.
expect_key_refused()
{
	local before was

	was=$(held "$ns1") before=$(stats "$ns1")
	expect_refused "$@"
	expect_only_moved "$ns1" "$before" "key_refused=+1"
	expect_eq "$1: keys held" "$(held "$ns1")" "$was"
}

test_add_and_list()
{
	local id=123e4567-e89b-12d3-a456-426614174000

	setup_link
	ip -n "$ns1" link set qlink0 type qlink accept qkd,hybrid,pqc,static
	expect_ok "add" in_ns "$ns1" qlinkctl key add qlink0 tx epoch 5 source hybrid id "$id" blocks 1000 \
		file "$(key_new a)"
	expect_ok "add" in_ns "$ns1" qlinkctl key add qlink0 tx epoch 6 source qkd file "$(key_new b)"
	expect_ok "add by standard input" sh -c "cat $(key_new c) | ip netns exec $ns1 \
		qlinkctl key add qlink0 rx epoch 281474976710655 source pqc file -"
	expect_eq "keys" "$(held "$ns1")" "tx:5:active tx:6:staged rx:281474976710655:staged"
	expect_eq "the first two" "$(in_ns "$ns1" qlinkctl -j key show qlink0 | jq -c '.[:2] | map([
		.direction, .epoch, .state, .source, .kme_key_id, .hard_blocks, .frames, .bytes])')" \
		"[[\"tx\",5,\"active\",\"hybrid\",\"$id\",1000,0,0],[\"tx\",6,\"staged\",\"qkd\",null,134217728,0,0]]"
	expect_has "text" "$(in_ns "$ns1" qlinkctl key show qlink0)" "$id"
	expect_eq "rings" "$(in_ns "$ns1" qlinkctl -j show qlink0 | jq -c '.[0].link |
		[.tx.newest_epoch, .tx.current_epoch, .tx.current_source, .tx.staged,
		 .rx.newest_epoch, .rx.current_epoch, .rx.staged]')" \
		'[6,5,"hybrid",1,281474976710655,0,1]'
}

each_test_states()
{
	setup_pair
	quiet
	expect_eq "keys" "$(held "$ns1")" "tx:1:active rx:1:staged"
	expect_eq "answers" "$(ping_one_lane "$ns1" 3)" 3
	expect_eq "keys" "$(held "$ns1")" "tx:1:active rx:1:active"
	expect_eq "frames" "$(field "$ns1" tx 1 frames) $(field "$ns1" rx 1 frames)" "3 3"
	expect_eq "bytes" "$(field "$ns1" tx 1 bytes) $(field "$ns1" rx 1 bytes)" "294 294"
	key_pass "$ns1" "$ns2" 2
	expect_eq "staged" "$(held "$ns1") $(held "$ns2")" \
		"tx:1:active tx:2:staged rx:1:active tx:1:active rx:1:active rx:2:staged"
	expect_ok "delete" key_del "$ns1" tx 1
	expect_eq "the next took over" "$(held "$ns1")" "tx:2:active rx:1:active"
	expect_eq "answers" "$(ping_one_lane "$ns1" 3)" 3
	expect_eq "the receiver follows" "$(field "$ns2" rx 2 state) $(field "$ns2" rx 2 frames)" "active 3"
	expect_soon "the old one is wiped" sh -c "! ip netns exec $ns2 qlinkctl key show qlink0 | grep -q 'rx  *1 '"
}

# Install at the receiver, then at the sender: no frame is lost while keys change.
each_test_no_frame_lost_while_keys_change()
{
	local epoch log pinger

	setup_pair
	quiet
	log=$tmp/ping
	ip netns exec "$ns1" ping -i 0.005 "${inner[2]}" >"$log" &
	pinger=$!
	defer kill "$pinger"
	for epoch in $(seq 2 12); do
		key_pass "$ns1" "$ns2" "$epoch"
		key_del "$ns1" tx $((epoch - 1))
		key_pass "$ns2" "$ns1" "$epoch"
		key_del "$ns2" tx $((epoch - 1))
		expect_soon "frames under epoch $epoch" frames_under "$epoch"
	done
	kill -INT "$pinger"
	wait "$pinger"
	expect_has "loss" "$(grep transmitted "$log")" " 0% packet loss"
	expect_nothing_dropped
}

frames_under() { [ "$(field "$ns1" tx "$1" frames)" -gt 0 ] && [ "$(field "$ns1" rx "$1" frames)" -gt 0 ]; }

test_known_epoch()
{
	setup_link
	key_add "$ns1" tx 7 "$(key_new a)"
	expect_key_refused "the same epoch" "$(e_known 7)" key_add "$ns1" tx 7 "$(key_new b)"
	expect_key_refused "an older epoch" "$(e_known 7)" key_add "$ns1" tx 6 "$(key_new b)"
	expect_ok "the other ring is free" key_add "$ns1" rx 3 "$(key_new c)"
	expect_key_refused "an older epoch there" "$(e_known 3)" key_add "$ns1" rx 2 "$(key_new d)"
	expect_ok "delete" key_del "$ns1" tx 7
	expect_key_refused "an epoch that was deleted" "$(e_known 7)" key_add "$ns1" tx 7 "$(key_new b)"
	expect_ok "down and up" sh -c "ip -n $ns1 link set qlink0 up; ip -n $ns1 link set qlink0 down"
	expect_key_refused "an epoch from before down" "$(e_known 7)" key_add "$ns1" tx 7 "$(key_new b)"
	expect_ok "a newer one" key_add "$ns1" tx 8 "$(key_new b)"
}

test_epoch_far_ahead()
{
	local top=$((7 + (1 << 32)))

	setup_link
	key_add "$ns1" tx 7 "$(key_new a)"
	expect_key_refused "2^32 + 1 ahead" "$E_FAR" key_add "$ns1" tx $((top + 1)) "$(key_new b)"
	expect_ok "2^32 ahead" key_add "$ns1" tx "$top" "$(key_new b)"
	expect_ok "the first of a ring is free" key_add "$ns1" rx $(((1 << 48) - 2)) "$(key_new c)"
	expect_ok "the last there is" key_add "$ns1" rx $(((1 << 48) - 1)) "$(key_new d)"
	expect_key_refused "there is no newer one" "$(e_known $(((1 << 48) - 1)))" key_add "$ns1" rx 9 "$(key_new e)"
	expect_refused "2^48" "" key_add "$ns1" rx $((1 << 48)) "$(key_new e)"
	expect_refused "0" "" key_add "$ns1" tx 0 "$(key_new e)"
}

test_equal_keys()
{
	local a

	setup_link
	link_add 2
	a=$(key_new a)
	key_add "$ns1" tx 1 "$a"
	expect_key_refused "in the same ring" "$E_EQUAL_LINK" key_add "$ns1" tx 2 "$a"
	expect_key_refused "in the other ring" "$E_EQUAL_LINK" key_add "$ns1" rx 2 "$a"
	{ head -c 32 "$a"; head -c 12 /dev/urandom; } >"$tmp/salted"
	expect_key_refused "with another salt" "$E_EQUAL_LINK" key_add "$ns1" tx 2 "$tmp/salted"
	ns=$ns1 ns1=$ns2
	expect_key_refused "a transmit key of another link" "$E_EQUAL_HOST" key_add "$ns2" tx 1 "$tmp/salted"
	ns1=$ns
	expect_ok "a receive key of another link" key_add "$ns2" rx 1 "$a"
	expect_ok "another key" key_add "$ns1" rx 1 "$(key_new b)"
	expect_key_refused "equal to a receive key" "$E_EQUAL_LINK" key_add "$ns1" tx 2 "$tmp/b"
	expect_key_refused "equal in one message" "key 1" batch "tx epoch 2 file $(key_new c)" "rx epoch 2 file $tmp/c"
}

# batch LINE…: installs many keys with one message.
batch()
{
	printf '%s\n' "$@" | sed 's/ file/ source static file/' >"$tmp/batch"
	in_ns "$ns1" qlinkctl key add qlink0 batch "$tmp/batch"
}

test_all_or_none()
{
	setup_link
	expect_ok "three" batch "tx epoch 1 file $(key_new a)" "rx epoch 9 file $(key_new b)" "tx epoch 4 file $(key_new c)"
	expect_eq "keys" "$(held "$ns1")" "tx:1:active tx:4:staged rx:9:staged"
	expect_key_refused "the last is old" "key 2: epoch 4" \
		batch "rx epoch 10 file $(key_new d)" "tx epoch 5 file $(key_new e)" "tx epoch 4 file $(key_new f)"
	expect_key_refused "out of order" "key 1: epoch 5" \
		batch "tx epoch 6 file $(key_new d)" "tx epoch 5 file $(key_new e)"
	expect_key_refused "the first is refused" "key 0" \
		batch "rx epoch 9 file $(key_new d)" "tx epoch 5 file $(key_new e)"
	expect_ok "those that were not installed are free" \
		batch "rx epoch 10 file $tmp/d" "tx epoch 5 file $tmp/e" "tx epoch 6 file $tmp/f"
}

test_many_keys_in_one_message()
{
	local n lines=()

	setup_link
	head -c $((600 * 44)) /dev/urandom | split -b 44 -a 3 -d - "$tmp/k"
	for n in $(seq -w 0 299); do lines+=("tx epoch $((1 + 10#$n)) file $tmp/k$n"); done
	for n in $(seq -w 300 599); do lines+=("rx epoch $((1 + 10#$n)) file $tmp/k$n"); done
	expect_ok "600 keys" batch "${lines[@]}"
	expect_eq "keys" "$(keys "$ns1")" 600
	expect_eq "dumped in order, once" "$(keys "$ns1" direction=tx epoch | tr ' ' '\n' | sha256sum)" \
		"$(seq 300 | sha256sum)"
	expect_ok "delete one in the middle" key_del "$ns1" tx 150
	expect_eq "keys" "$(keys "$ns1")" 599
	expect_ok "delete the link with all" ip -n "$ns1" link del qlink0
}

test_source_not_accepted()
{
	setup_link
	ip -n "$ns1" link set qlink0 type qlink accept hybrid,pqc
	expect_key_refused "static" "$E_ACCEPT" key_add "$ns1" tx 1 "$(key_new a)"
	expect_key_refused "qkd" "$E_ACCEPT" in_ns "$ns1" qlinkctl key add qlink0 rx epoch 1 source qkd file "$tmp/a"
	expect_ok "hybrid" in_ns "$ns1" qlinkctl key add qlink0 tx epoch 1 source hybrid file "$tmp/a"
	expect_ok "pqc" in_ns "$ns1" qlinkctl key add qlink0 tx epoch 2 source pqc file "$(key_new b)"
}

# How many KMEs have a secret in a key is kept and shown; too few are refused.
test_number_of_kmes()
{
	setup_link
	ip -n "$ns1" link set qlink0 type qlink accept hybrid2,pqc
	key_new a >/dev/null
	expect_key_refused "one by default" "kmes 1 is below 2, the least accepted for hybrid" \
		in_ns "$ns1" qlinkctl key add qlink0 tx epoch 1 source hybrid file "$tmp/a"
	expect_key_refused "one" "kmes 1 is below 2" in_ns "$ns1" qlinkctl key add qlink0 rx epoch 1 source hybrid kmes 1 file "$tmp/a"
	expect_key_refused "of a source without a KME" "source pqc has no KME" \
		in_ns "$ns1" qlinkctl key add qlink0 tx epoch 1 source pqc kmes 2 file "$tmp/a"
	expect_key_refused "a good key before a bad one" "key 1: kmes 1 is below 2" in_ns "$ns1" sh -c "printf '%s\n' \
		'tx epoch 1 source hybrid kmes 2 file $(key_new b)' 'tx epoch 2 source hybrid kmes 1 file $tmp/a' |
		qlinkctl key add qlink0 batch -"
	expect_ok "two" in_ns "$ns1" qlinkctl key add qlink0 tx epoch 1 source hybrid kmes 2 file "$tmp/a"
	expect_ok "more" in_ns "$ns1" qlinkctl key add qlink0 tx epoch 2 source hybrid kmes 8 file "$tmp/b"
	expect_ok "none" in_ns "$ns1" qlinkctl key add qlink0 tx epoch 3 source pqc file "$(key_new c)"
	expect_eq "keys" "$(keys "$ns1" epoch source kmes)" "1:hybrid:2 2:hybrid:8 3:pqc:0"
	expect_eq "JSON" "$(in_ns "$ns1" qlinkctl -j key show qlink0 | jq -c 'map([.source, .kmes])')" \
		'[["hybrid",2],["hybrid",8],["pqc",0]]'
	expect_eq "text" "$(in_ns "$ns1" qlinkctl key show qlink0 | awk 'NR > 1 { print $3 }' | paste -sd ' ')" "hybrid2 hybrid8 pqc"
	expect_eq "the ring" "$(link_field "$ns1" '.tx | "\(.current_source) \(.current_kmes)"')" "hybrid 2"
	expect_eq "a ring without a key" "$(link_field "$ns1" .rx.current_kmes)" null
	expect_has "text" "$(in_ns "$ns1" qlinkctl show qlink0)" "epoch 1 (hybrid2), newest 3"
	expect_has "text" "$(in_ns "$ns1" qlinkctl show qlink0)" "accept       hybrid2,pqc"
	expect_has "ip" "$(ip -n "$ns1" -d link show qlink0)" " accept hybrid2,pqc "
	expect_has "ip" "$(ip -n "$ns1" -d link show qlink0)" " tx epoch 1 hybrid2 newest 3 "
	expect_eq "ip -j" "$(ip -n "$ns1" -d -j link show qlink0 |
		jq -c '.[0].linkinfo.info_data | [.accept, .accept_kmes, .tx.current_kmes]')" '[["hybrid","pqc"],2,2]'
	ip -n "$ns1" link set qlink0 type qlink accept hybrid,pqc
	expect_eq "one is enough again" "$(link_field "$ns1" .accept_kmes)" 1
	expect_ok "one" in_ns "$ns1" qlinkctl key add qlink0 tx epoch 4 source hybrid file "$(key_new d)"
	expect_eq "by default" "$(field "$ns1" tx 4 kmes)" 1
}

# A shorter accept list is in force when the command returns, also for keys that are held.
each_test_accept_is_tightened()
{
	local before

	setup_pair
	quiet
	expect_eq "answers" "$(ping_one_lane "$ns1" 2)" 2
	expect_ok "the receiver" in_ns "$ns2" qlinkctl set qlink0 accept hybrid
	expect_eq "keys" "$(held "$ns2")" ""
	before=$(stats "$ns2")
	in_ns "$ns1" ping -c 3 -i 0.01 -W 1 "${inner[2]}" >/dev/null
	expect_only_moved "$ns2" "$before" "rx_no_key=+3"
	expect_ok "the sender" ip -n "$ns1" link set qlink0 type qlink accept hybrid
	expect_eq "keys" "$(held "$ns1")" ""
	expect_soon "carrier" carrier_is "$ns1" 0
}

test_key_file_sizes()
{
	setup_link
	for n in 0 43 45 88; do
		head -c $n /dev/urandom >"$tmp/short"
		expect_refused "$n bytes" "$E_BYTES" key_add "$ns1" tx 1 "$tmp/short"
	done
	expect_refused "no file" "No such file" key_add "$ns1" tx 1 "$tmp/none"
	expect_eq "keys" "$(held "$ns1")" ""
}

test_words()
{
	setup_link
	key_new a >/dev/null
	for words in "up epoch 1" "tx" "tx epoch 1 source stat" "tx epoch x" "tx epoch 1 id 1234" \
		"tx epoch 1 kmes 0" "tx epoch 1 kmes 9" "tx epoch 1 blocks 0" "tx epoch 1 blocks 1073741825" "tx epoch 1 foo 1" "tx epoch 1 epoch 2"; do
		# shellcheck disable=SC2086 # words
		expect_refused "$words" "" in_ns "$ns1" qlinkctl key add qlink0 $words file "$tmp/a"
	done
	expect_refused "blocks of a receive key" "" key_add "$ns1" rx 1 "$tmp/a" blocks 5
	expect_refused "no such link" "qlink9" in_ns "$ns1" qlinkctl key add qlink9 tx epoch 1 file "$tmp/a"
	expect_refused "not a link" "lo" in_ns "$ns1" qlinkctl key add lo tx epoch 1 file "$tmp/a"
	expect_eq "keys" "$(held "$ns1")" ""
}

test_delete()
{
	setup_link
	key_add "$ns1" tx 1 "$(key_new a)"
	expect_refused "an epoch that is not held" "$E_ABSENT 2" key_del "$ns1" tx 2
	expect_refused "the other ring" "$E_ABSENT 1" key_del "$ns1" rx 1
	expect_eq "keys" "$(held "$ns1")" "tx:1:active"
	expect_ok "delete" key_del "$ns1" tx 1
	expect_refused "again" "$E_ABSENT 1" key_del "$ns1" tx 1
}

# After its key is deleted, a receiver opens no frame under it.
each_test_delete_receive_key()
{
	local before

	setup_pair
	quiet
	expect_eq "answers" "$(ping_one_lane "$ns1" 2)" 2
	expect_ok "delete" key_del "$ns2" rx 1
	before=$(stats "$ns2")
	in_ns "$ns1" ping -c 4 -i 0.01 -W 1 "${inner[2]}" >/dev/null
	expect_only_moved "$ns2" "$before" "rx_no_key=+4"
}

# 98 bytes of plaintext are 7 blocks, and 2 more: 40 blocks are 4 frames.
each_test_block_limit()
{
	setup_pair
	quiet
	small_frames "$ns1"
	key_pass "$ns1" "$ns2" 2 blocks=40
	key_pass "$ns1" "$ns2" 3 blocks=18
	key_del "$ns1" tx 1
	expect_eq "all answered" "$(ping_one_lane "$ns1" 6)" 6
	expect_eq "epoch 2 sealed" "$(field "$ns2" rx 2 frames)" 4
	expect_eq "epoch 3 sealed" "$(field "$ns2" rx 3 frames)" 2
	expect_eq "keys" "$(keys "$ns1" direction=tx epoch)" 3
	expect_eq "nothing dropped" "$(stats_nonzero "$ns1")" ""
	before=$(stats "$ns1")
	in_ns "$ns1" taskset -c 0 ping -c 1 -W 1 "${inner[2]}" >/dev/null
	expect_only_moved "$ns1" "$before" "tx_no_key=+1"
	expect_soon "carrier" carrier_is "$ns1" 0
	expect_eq "keys" "$(held "$ns1" | tr ' ' '\n' | grep -c tx)" 0
	key_pass "$ns1" "$ns2" 4
	expect_soon "carrier" carrier_is "$ns1" 1
	expect_soon "answers again" sh -c "[ \"\$(ip netns exec $ns1 ping -c 1 -W 1 ${inner[2]} | grep -c ' 0%')\" = 1 ]"
}

# A key that cannot seal a single frame would be used up by it, and all keys after it, too. It is refused; where the MTU
# has grown since, the frame is dropped and the key stays.
test_block_limit_below_one_frame()
{
	local before

	under=eth
	setup_pair
	quiet
	# 1,450 bytes, 14 of the Ethernet header and 4 of a VLAN tag.
	expect_key_refused "a limit below a frame" "key 0: hard-blocks 93 is below 94, a frame of MTU 1450" \
		key_add "$ns1" tx 2 "$(key_new a)" blocks 93
	expect_ok "as much as a frame" key_add "$ns1" tx 2 "$tmp/a" blocks 94
	small_frames "$ns1"
	key_pass "$ns1" "$ns2" 3 blocks=27
	key_del "$ns1" tx 1
	key_del "$ns1" tx 2
	ip -n "$ns1" link set qlink0 mtu 1450
	before=$(stats "$ns1")
	in_ns "$ns1" ping -c 1 -W 1 -s 400 "${inner[2]}" >/dev/null
	expect_only_moved "$ns1" "$before" "tx_no_key=+1"
	expect_eq "the key" "$(field "$ns1" tx 3 state) $(field "$ns1" tx 3 frames)" "active 0"
	expect_eq "smaller frames" "$(ping_one_lane "$ns1" 1)" 1
}

# Key and salt, in every form in which they could be printed.
test_no_key_byte_is_printed()
{
	local hex dumps

	under=udp
	setup_pair
	hex=$(to_hex <"$(key_file "$ns1" 1)")
	dumps=$({ in_ns "$ns1" qlinkctl -j key show qlink0; in_ns "$ns1" qlinkctl key show qlink0
		in_ns "$ns1" qlinkctl -j show qlink0; ip -n "$ns1" -d -s -j link show; in_ns "$ns1" ethtool -S qlink0
		nlraw "$ns1" dump qlink0; dmesg; } 2>&1)
	expect_has "the dumps hold the link" "$dumps" "$(printf qlink0 | to_hex)"
	for part in "${hex:0:16}" "${hex:48:16}" "${hex:64:24}"; do
		expect_eq "in the dumps" "$(grep -ci "$part" <<<"$dumps")" 0
		expect_eq "backwards" "$(grep -ci "$(fold -w 2 <<<"$part" | tac | tr -d '\n')" <<<"$dumps")" 0
	done
}

test_malformed_requests()
{
	setup_link
	expect_ok "all refused" nlraw "$ns1" refuse qlink0
}

debug_tests="accept_is_tightened_udp many_keys_in_one_message"
run_tests "$@"
