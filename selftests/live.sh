#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Keepalives: the carrier comes on with the first echo and goes off when either direction is lost; recorded or delayed
# keepalives do not bring it back.

# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# keepalives MS [MS]: sets these intervals and waits until the ends hear each other.
keepalives()
{
	link_set "$ns1" keepalive-ms "$1"
	link_set "$ns2" keepalive-ms "${2-$1}"
	expect_both_heard
}

# setup_live MS [MS]: a pair with keepalives.
setup_live()
{
	setup_pair
	quiet
	keepalives "$@"
}

carriers_are() { [ "$(carrier "$ns1") $(carrier "$ns2")" = "$1" ]; }

# On a busy machine a keepalive of a short interval may be late: then the carrier goes off once more and comes back.
expect_both_heard()
{
	expect_soon "carriers" carriers_are "1 1"
	expect_soon "states" both_show '"\(.state) \(.peer_heard)"' "up true up true"
}

# both_show FILTER TEXT: both ends show this, and their carriers are on.
both_show() { [ "$(link_field "$ns1" "$1") $(link_field "$ns2" "$1")" = "$2" ] && carriers_are "1 1"; }

expect_lost()
{
	expect_soon "carrier" carrier_is "$1" 0
	expect_eq "state" "$(link_field "$1" '"\(.state) \(.peer_heard)"')" "peer-lost false"
}

# mute NS: from now on the frames of this end are lost; it still receives.
mute() { expect_ok "mute" tc -n "$1" qdisc add dev veth0 root netem loss 100%; }
unmute() { expect_ok "unmute" tc -n "$1" qdisc del dev veth0 root; }

packets() { stats64 "$1" '[.tx.packets, .rx.packets]'; }
carrier_changes() { in_ns "$1" cat /sys/class/net/qlink0/carrier_changes; }

# event_count FILE KIND: how many events are of this kind.
event_count() { jq -s --arg kind "$2" '[.[] | select(any(.kinds[]; . == $kind))] | length' "$1"; }
event_count_are() { [ "$(event_count "$1" "$2")" = "$3" ]; }

# dropped NS: "name:value …" of the counters that are not 0 and not about keepalives.
dropped() { stats_nonzero "$1" | sed -E 's/ ?rx_keepalive:[0-9]+//'; }

each_test_first_echo()
{
	local packets

	setup_pair
	quiet
	packets="$(packets "$ns1") $(packets "$ns2")"
	listen "$ns1" "$tmp/events"
	link_set "$ns1" keepalive-ms 50
	expect_soon "the carrier goes at once" carrier_is "$ns1" 0
	expect_soon "it sends keepalives" stat_is_above "$ns1" tx_keepalive 4
	expect_eq "state with a silent peer" "$(link_field "$ns1" '"\(.state) \(.peer_heard) \(.peer_epoch) \(.echo_us)"')" \
		"peer-lost false 0 null"
	expect_eq "the peer, without keepalives" "$(carrier "$ns2") $(link_field "$ns2" '"\(.state) \(.peer_heard)"')" \
		"1 up null"
	expect_soon "the peer receives them" stat_is_above "$ns2" rx_keepalive 4
	expect_eq "the peer sends none" "$(stat_get "$ns2" tx_keepalive)" 0
	expect_eq "events so far" "$(jq -c .kinds "$tmp/events")" ""
	link_set "$ns2" keepalive-ms 50
	expect_both_heard
	expect_soon "event" has_event "$tmp/events" peer-heard
	expect_soon "the peer reports our epoch" link_field_is "$ns1" .peer_epoch 1
	expect_eq "an echo" "$(link_field "$ns1" '.echo_us > 0')" true
	expect_eq "packets" "$(packets "$ns1") $(packets "$ns2")" "$packets"
	expect_eq "answers" "$(ping_one_lane "$ns1" 3)" 3
	expect_eq "dropped" "$(dropped "$ns1") $(dropped "$ns2")" " "
}

# Either direction alone: both ends notice, three intervals after they sent the last stamp that was echoed.
each_test_one_way_cut()
{
	local muted ns sent most began n=0 per=1

	setup_pair
	quiet
	listen "$ns1" "$tmp/$ns1"
	listen "$ns2" "$tmp/$ns2"
	keepalives 1000
	for muted in "$ns1" "$ns2"; do
		n=$((n + 1))
		began=$EPOCHSECONDS
		sent="$(stat_get "$ns1" tx_keepalive) $(stat_get "$ns2" tx_keepalive)"
		mute "$muted"
		expect_soon "both are off" carriers_are "0 0"
		[ "$under" = eth ] || per=2	# over UDP a beacon goes before each
		sent="$(($(stat_get "$ns1" tx_keepalive) - ${sent% *})) $(($(stat_get "$ns2" tx_keepalive) - ${sent#* }))"
		# A machine that stalls sees it later. Then at least no more were sent than one in a second.
		most=$((EPOCHSECONDS - began + 2))
		[ "$most" -gt 4 ] || most=4
		expect_ok "keepalives meanwhile" test "${sent% *}" -le $((most * per))
		expect_ok "keepalives of the other" test "${sent#* }" -le $((most * per))
		expect_lost "$ns1"
		expect_lost "$ns2"
		unmute "$muted"
		expect_both_heard
		for ns in "$ns1" "$ns2"; do
			expect_soon "$ns: heard again" event_count_are "$tmp/$ns" peer-heard $((n + 1))
			expect_eq "$ns: lost" "$(event_count "$tmp/$ns" peer-lost)" "$n"
		done
	done
	for ns in "$ns1" "$ns2"; do
		expect_eq "$ns: what the events say" \
			"$(jq -sc '[.[] | select(any(.kinds[]; startswith("peer-") and . != "peer-epoch")) | .peer_heard]' "$tmp/$ns")" \
			"[true,false,true,false,true]"
	done
	expect_eq "answers" "$(ping_one_lane "$ns1" 3)" 3
}

# Keepalives that the peer sent while it was heard are sent again when it is not.
each_test_recorded()
{
	local n

	setup_live 100
	capture_start "$ns2" "$tmp/pcap"
	n=$(stat_get "$ns2" rx_keepalive)
	expect_soon "some to record" stat_is_above "$ns2" rx_keepalive $((n + 5))
	capture_stop "$tmp/pcap"
	link_set "$ns1" keepalive-ms 0
	expect_eq "without keepalives it has a carrier" "$(carrier "$ns1") $(link_field "$ns1" .state)" "1 up"
	expect_lost "$ns2"
	expect_ok "each is a replay" frames replay "$tmp/pcap" --under "$under" --from "$ns1" --to "$ns2"
	expect_eq "carrier" "$(carrier "$ns2") $(link_field "$ns2" .peer_heard)" "0 false"
	expect_ok "keepalives among them" test "$(stat_get "$ns2" rx_replay)" -ge 5
	link_set "$ns1" keepalive-ms 100
	expect_both_heard
}

# answer ECHO: a keepalive that the peer could have sent, made by the second implementation of the wire.
answer()
{
	n_answers=$((n_answers + 1))
	frames answer "$1" --under "$under" --from "$ns1" --to "$ns2" --key "$(key_file "$ns1" 1)" \
		--peer-key "$(key_file "$ns2" 1)" --sequence "$n_answers" >"$tmp/answer" || fail "answer: $(cat "$tmp/answer")"
}
answered() { tail -n 1 "$tmp/answer" | jq -r "$1"; }

# An echo that is old, invented or missing does not count. A right one counts, once.
each_test_wrong_echoes()
{
	local echo n_answers=0

	setup_pair
	quiet
	link_set "$ns2" keepalive-ms 500
	for echo in none old unsent; do
		answer "$echo"
		expect_eq "$echo: carrier" "$(carrier "$ns2") $(link_field "$ns2" '"\(.state) \(.peer_heard)"')" \
			"0 peer-lost false"
	done
	expect_eq "their epoch counts all the same" "$(link_field "$ns2" .peer_epoch)" 4
	expect_eq "the interval that it reports" "$(answered .interval)" 500
	expect_eq "the stamp that it echoes" "$(answered .echo)" 7779
	listen "$ns2" "$tmp/events"
	answer last
	expect_soon "event" has_event "$tmp/events" peer-heard
	expect_soon "for three intervals" has_event "$tmp/events" peer-lost
	expect_lost "$ns2"
	expect_eq "our epoch" "$(answered .epoch)" 1
	answer old
	expect_eq "carrier" "$(carrier "$ns2")" 0
}

# The slower end is heard for three of its own intervals.
each_test_other_intervals()
{
	local before

	setup_live 100 1000
	before="$(carrier_changes "$ns1") $(carrier_changes "$ns2")"
	expect_soon "many of the one" stat_is_above "$ns2" rx_keepalive 30
	expect_ok "fewer of the other" test "$(stat_get "$ns1" rx_keepalive)" -lt 20
	link_set "$ns1" keepalive-ms 300
	expect_soon "and more" stat_is_above "$ns2" rx_keepalive 40
	expect_eq "the carriers stayed" "$(carrier_changes "$ns1") $(carrier_changes "$ns2")" "$before"
	expect_eq "answers" "$(ping_one_lane "$ns1" 3)" 3
	mute "$ns2"
	expect_soon "both are off" carriers_are "0 0"
	unmute "$ns2"
	expect_both_heard
}

each_test_off_at_one_end()
{
	setup_live 100
	link_set "$ns2" keepalive-ms 0
	expect_eq "without keepalives" "$(carrier "$ns2") $(link_field "$ns2" '"\(.state) \(.keepalive_ms) \(.peer_heard)"')" \
		"1 up 0 null"
	expect_lost "$ns1"
	link_set "$ns1" keepalive-ms 0
	expect_soon "at once" carrier_is "$ns1" 1
	expect_eq "state" "$(link_field "$ns1" '"\(.state) \(.peer_heard)"')" "up null"
	link_set "$ns1" keepalive-ms 100
	expect_lost "$ns1"
	link_set "$ns2" keepalive-ms 100
	expect_both_heard
}

test_refusals()
{
	local ms

	under=eth
	setup_pair
	link_set "$ns1" keepalive-ms 60000
	for ms in 9 1 60001 4294967295; do
		expect_refused "qlinkctl $ms" "neither 0 nor a number from 10 to 60000" \
			in_ns "$ns1" qlinkctl set qlink0 keepalive-ms "$ms"
		expect_refused "ip $ms" "neither 0 nor a number from 10 to 60000" \
			ip -n "$ns1" link set qlink0 type qlink keepalive-ms "$ms"
		expect_eq "the kernel" "$(nlraw "$ns1" answer qlink0 keepalive-ms "$ms")" \
			"ERANGE keepalive-ms $ms is neither 0 nor 10 to 60000"
	done
	expect_eq "as it was" "$(link_field "$ns1" .keepalive_ms)" 60000
	expect_has "ip shows it" "$(ip -n "$ns1" -d link show qlink0)" "keepalive-ms 60000 blocks2-log2 77 peer-not-heard"
	expect_eq "ip shows it to scripts" \
		"$(ip -n "$ns1" -d -j link show qlink0 | jq -c '.[0].linkinfo.info_data | [.state, .keepalive_ms, .peer_heard]')" \
		'["peer-lost",60000,false]'
	expect_ok "the shortest" ip -n "$ns1" link set qlink0 type qlink keepalive-ms 10
	expect_ok "none" ip -n "$ns1" link set qlink0 type qlink keepalive-ms 0
	expect_soon "carrier" carrier_is "$ns1" 1
}

# Keepalives share keys with frames, and lose none.
peer_is_past() { [ "$(link_field "$ns1" .peer_epoch)" -gt "$1" ]; }

# The interval is long: on a busy machine a keepalive may be late, and one that is takes the carrier away.
each_test_rekeying()
{
	local before

	setup_live 2000
	before="$(carrier_changes "$ns1") $(carrier_changes "$ns2")"
	link_set "$ns1" rekey-ms 5
	link_set "$ns2" rekey-ms 5
	keys_pass "$ns1" "$ns2" 2 3000
	keys_pass "$ns2" "$ns1" 2 3000
	expect_eq "answers" "$(ping_one_lane "$ns1" 300)" 300
	expect_ok "many rekeys" test "$(ring "$ns1" tx rekeys)" -gt 50
	expect_soon "the peer reports newer epochs" peer_is_past 10
	expect_eq "the carriers stayed" "$(carrier_changes "$ns1") $(carrier_changes "$ns2")" "$before"
	expect_eq "dropped" "$(dropped "$ns1") $(dropped "$ns2")" " "
}

each_test_down_and_up()
{
	local n

	setup_live 100
	ip -n "$ns1" link set qlink0 down
	n=$(stat_get "$ns1" tx_keepalive)
	expect_lost "$ns2"
	expect_eq "none is sent" "$(stat_get "$ns1" tx_keepalive)" "$n"
	expect_eq "state" "$(link_field "$ns1" '"\(.state) \(.peer_heard)"')" "admin-down false"
	ip -n "$ns1" link set qlink0 up
	expect_both_heard
	ip -n "$ns1" link set veth0 down
	expect_soon "both are off" carriers_are "0 0"
	ip -n "$ns1" link set veth0 up
	[ "$under" = eth ] || ip -n "$ns1" neighbour replace "${address[2]}" lladdr "${mac[2]}" dev veth0
	expect_both_heard
}

# Without a transmit key, an end is silent; the other end does not know why.
each_test_without_a_key()
{
	setup_live 100
	in_ns "$ns1" qlinkctl key del qlink0 tx epoch 1
	expect_eq "state" "$(carrier "$ns1") $(link_field "$ns1" .state)" "0 no-key"
	expect_lost "$ns2"
	key_pass "$ns1" "$ns2" 2
	expect_both_heard
	expect_soon "the peer reports the new epoch" link_field_is "$ns1" .peer_epoch 2
}

# A peer that was heard under another id does not count as heard.
each_test_another_id()
{
	setup_live 100
	listen "$ns1" "$tmp/events"
	link_set "$ns1" id 8
	expect_lost "$ns1"
	expect_soon "event" has_event "$tmp/events" peer-lost
	expect_lost "$ns2"
	link_set "$ns2" id 8
	expect_both_heard
}

# A wipe forgets the stamps with the keys, and recorded keepalives do not open any more.
test_wipe()
{
	under=udp
	setup_pair
	quiet
	listen "$ns1" "$tmp/events"
	keepalives 100
	capture_start "$ns2" "$tmp/pcap"
	expect_soon "some to record" stat_is_above "$ns2" rx_keepalive "$(($(stat_get "$ns2" rx_keepalive) + 3))"
	capture_stop "$tmp/pcap"
	expect_eq "cancelled" "$(begin_to_sleep freeze)" EBUSY
	expect_soon "event" has_event "$tmp/events" peer-lost
	expect_eq "state" "$(link_field "$ns1" '"\(.state) \(.peer_heard) \(.peer_epoch)"')" "no-key false 0"
	expect_ok "another key of the same epoch" key_add "$ns2" rx 1 "$(key_new other)"
	expect_ok "recorded keepalives" frames replay "$tmp/pcap" --under udp --from "$ns1" --to "$ns2" --expect rx_auth_error
	key_pass "$ns1" "$ns2" 2
	expect_eq "one direction is not enough" "$(carrier "$ns1") $(link_field "$ns1" .state)" "0 peer-lost"
	key_pass "$ns2" "$ns1" 2
	expect_both_heard
	expect_soon "heard again" event_count_are "$tmp/events" peer-heard 2
	expect_eq "lost once" "$(event_count "$tmp/events" peer-lost)" 1
}

# A link is deleted while keepalives are sent.
each_test_deleted()
{
	local n

	setup_pair
	quiet
	link_set "$ns1" keepalive-ms 10
	link_set "$ns2" keepalive-ms 10
	for n in 1 2 3 4 5; do
		expect_ok "delete" ip -n "$ns1" link del qlink0
		link_add 1 keepalive-ms 10
		key_add "$ns1" tx 1 "$(key_new "k$n")"
		expect_soon "it sends" stat_is_above "$ns1" tx_keepalive 2
	done
	expect_lost "$ns1"
	expect_lost "$ns2"
}

debug_tests="one_way_cut_udp"
run_tests "$@"
