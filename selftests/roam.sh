#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A peer whose address and port are learned: behind a NAT, behind a modem that changes its address, and what must not
# move it: forged, recorded and delayed frames.

# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=traffic.sh
. "$(dirname "$0")/traffic.sh"

# pick TEXT4 TEXT6: the one of the address family under test.
pick() { if [ "$under" = udp6 ]; then echo "$2"; else echo "$1"; fi; }

endpoint() { link_field "$1" '"\(.endpoint) \(.endpoint_port)"'; }
endpoint_is() { [ "$(endpoint "$1")" = "$2" ]; }
endpoint_is_at() { [ "$(link_field "$1" .endpoint)" = "$2" ]; }
is_heard() { [ "$(link_field "$1" '"\(.state) \(.peer_heard)"')" = "up true" ]; }
carrier_changes() { in_ns "$1" cat /sys/class/net/qlink0/carrier_changes; }

# ---- behind a NAT: the site is $ns1, the hub $ns2, the NAT $ns3 ----

with_ipv6_at()
{
	local dev

	for dev in "${@:2}"; do
		in_ns "$1" sh -c "cd /proc/sys/net/ipv6/conf/$dev && echo 1 >addr_gen_mode && echo 0 >accept_ra &&
			echo 0 >disable_ipv6 && echo 1 >forwarding"
	done
}

# setup_nat: hub_address, nat_address and nat_address2, of the family under test. The NAT cannot ask for its neighbours
# over IPv6: it has no link-local addresses, to send few frames of its own.
setup_nat()
{
	local bits nodad="" site gate

	ns_make "link add veth0 netns @ns2 address ${mac[2]} type veth peer name out netns @ns3
		link add veth0 netns @ns1 address ${mac[1]} type veth peer name in netns @ns3" ns1 ns2 ns3
	hub_address=$(pick "${address[2]}" "${address6[2]}")
	nat_address=$(pick "${address[3]}" "${address6[3]}")
	nat_address2=$(pick "${address[4]}" "${address6[4]}")
	site=$(pick 10.0.0.2 fd00::2) gate=$(pick 10.0.0.1 fd00::1) bits=$(pick 24 64)
	if [ "$under" = udp6 ]; then
		nodad=nodad
		with_ipv6_at "$ns1" veth0
		with_ipv6_at "$ns2" veth0
		with_ipv6_at "$ns3" all in out
	fi
	in_ns "$ns3" sh -c "echo 1 >/proc/sys/net/ipv4/ip_forward"
	ip -n "$ns3" -batch - <<-END
		address add $nat_address/$bits dev out $nodad
		address add $gate/$bits dev in $nodad
		link set out up
		link set in up
		neighbour add $hub_address lladdr ${mac[2]} dev out
		neighbour add $site lladdr ${mac[1]} dev in
	END
	ip -n "$ns2" -batch - <<-END
		address add $hub_address/$bits dev veth0 $nodad
		link set veth0 up
	END
	ip -n "$ns1" -batch - <<-END
		address add $site/$bits dev veth0 $nodad
		link set veth0 up
		route add default via $gate dev veth0
	END
	serve "$ns3" nat || fail "nat"
	add_end "$ns1" 1 local "$site" remote "$hub_address"
	add_end "$ns2" 2 local "$hub_address" remote any
	key_pass "$ns2" "$ns1" 1
}

# add_end NS N WORD…
add_end()
{
	ip -n "$1" -batch - <<-END
		link add qlink0 address 02:00:00:00:01:0$2 type qlink id $link_id port $port accept static \
			hard-seconds 604800 keepalive-ms 1000 ${*:3}
		address add ${inner[$2]}/24 dev qlink0
		link set qlink0 up
	END
}

# flows FROM TO-ADDRESS FIRST: twenty flows of one frame each.
flows()
{
	local n

	for n in $(seq 20); do echo "flow $n" | in_ns "$1" socat -u - "UDP:$2:$(($3 + n))"; done
}

# frames_rise NS N: the device has received at least N packets.
frames_rise() { [ "$(stats64 "$1" .rx.packets)" -ge "$2" ]; }

behind_nat()
{
	local seen n

	setup_nat
	expect_eq "the hub does not know the peer" \
		"$(link_field "$ns2" '"\(.remote) \(.roam) \(.endpoint) \(.state)"')" "any true null peer-lost"
	expect_has "and says so" "$(in_ns "$ns2" qlinkctl show qlink0)" "not known yet"
	expect_eq "it sends nothing" "$(stat_get "$ns2" tx_keepalive) $(stats_nonzero "$ns2")" "0 "
	listen "$ns2" "$tmp/events"
	capture_start "$ns2" "$tmp/wire.pcap"
	key_pass "$ns1" "$ns2" 1
	expect_soon "the hub hears the site" is_heard "$ns2"
	expect_soon "the site hears the hub" is_heard "$ns1"
	expect_soon "carrier" carrier_is "$ns1" 1
	expect_eq "where the peer is" "$(link_field "$ns2" .endpoint)" "$nat_address"
	seen=$(link_field "$ns2" .endpoint_port)
	expect_ok "the NAT has changed the port: $seen" test "$seen" != "$port"
	expect_has "ip shows it" "$(ip -n "$ns2" -d link show qlink0)" "remote any port $port source-ports 64 roam on"
	expect_has "ip shows it" "$(ip -n "$ns2" -d link show qlink0)" " endpoint $nat_address endpoint-port $seen "
	expect_has "qlinkctl shows it" "$(in_ns "$ns2" qlinkctl show qlink0)" "$nat_address port $seen"
	ping_ok "$ns1" "${inner[2]}"
	ping_ok "$ns2" "${inner[1]}"
	n=$(stats64 "$ns2" .rx.packets)
	flows "$ns1" "${inner[2]}" 5000
	expect_soon "flows to the hub" frames_rise "$ns2" $((n + 20))
	n=$(stats64 "$ns1" .rx.packets)
	flows "$ns2" "${inner[1]}" 6000
	expect_soon "flows to the site" frames_rise "$ns1" $((n + 20))
	expect_soon "keepalives go on" stat_is_above "$ns2" rx_keepalive "$(($(stat_get "$ns2" rx_keepalive) + 4))"
	expect_eq "it moved once, and nothing was dropped" \
		"$(stats_nonzero "$ns2" | sed -E 's/rx_keepalive:[0-9]+ ?//')" "peer_moved:1"
	expect_eq "the site" "$(stats_nonzero "$ns1" | sed -E 's/rx_keepalive:[0-9]+ ?//')" ""
	expect_eq "the endpoint stayed" "$(endpoint "$ns2")" "$nat_address $seen"
	capture_stop "$tmp/wire.pcap"
	expect_eq "the hub sends from one port" "$(ports_of "$hub_address" wire)" "$port"
	expect_ok "the site from many" test "$(ports_of "$nat_address" wire | wc -w)" -ge 5
	expect_soon "event" has_event "$tmp/events" peer-moved
	expect_eq "what it says" \
		"$(jq -sc '[.[] | select(any(.kinds[]; . == "peer-moved")) | [.endpoint, .endpoint_port, .former]]' "$tmp/events")" \
		"[[\"$nat_address\",$seen,null]]"
}

# ports_of ADDRESS NAME: from which UDP ports an address sends, in a capture.
ports_of()
{
	tcpdump -Z root -r "$tmp/$2.pcap" -nn "src host $1 and udp" 2>/dev/null |
		sed -nE 's/^.* IP6? [0-9a-f.:]+\.([0-9]+) > .*/\1/p' | sort -u | paste -sd ' '
}

# n_packets NAME FILTER: how many packets of a capture a filter of tcpdump takes.
n_packets() { tcpdump -Z root -r "$tmp/$1.pcap" -nn "$2" 2>/dev/null | wc -l; }

test_udp_behind_nat()
{
	under=udp
	behind_nat
}

test_udp6_behind_nat()
{
	under=udp6
	behind_nat
}

# padded_behind_nat MODE: beacons travel in parcels, from the same port.
padded_behind_nat()
{
	local ns

	setup_nat
	for ns in "$ns1" "$ns2"; do link_set "$ns" parcel "$1"; done
	capture_start "$ns2" "$tmp/wire.pcap"
	key_pass "$ns1" "$ns2" 1
	expect_soon "the hub hears the site" is_heard "$ns2"
	expect_soon "the site hears the hub" is_heard "$ns1"
	expect_soon "carrier" carrier_is "$ns1" 1
	ping_ok "$ns1" "${inner[2]}"
	ping_ok "$ns2" "${inner[1]}"
	expect_soon "keepalives go on" stat_is_above "$ns2" rx_keepalive "$(($(stat_get "$ns2" rx_keepalive) + 4))"
	expect_eq "it moved once, and nothing was dropped" \
		"$(stats_nonzero "$ns2" | sed -E "s/[rt]x_keepalive:[0-9]+ ?//g")" "peer_moved:1"
	capture_stop "$tmp/wire.pcap"
	expect_ok "what was sent" test "$(n_packets wire udp)" -gt 8
	# The type is the lower half of the first byte; the length has the header of UDP.
	expect_eq "other types than a parcel" "$(n_packets wire 'udp and udp[8] & 0xf != 3')" 0
	expect_eq "other sizes" "$(n_packets wire 'udp and udp[4:2] != 1480')" 0
}

test_padded_behind_nat() { under=udp; padded_behind_nat pad; }
test_constant_behind_nat() { under=udp; padded_behind_nat constant; }

# A NAT that changes ports, at an end whose endpoint is fixed: it hears the peer, the peer does not hear it, and it says
# why. Then it roams.
test_nat_without_roam()
{
	local before

	under=udp
	setup_nat
	link_set "$ns2" remote "$nat_address" roam off
	listen "$ns2" "$tmp/events"
	before=$(stats "$ns2")
	key_pass "$ns1" "$ns2" 1
	expect_soon "event" has_event "$tmp/events" peer-port
	expect_soon "keepalives come" stat_is_above "$ns2" rx_keepalive 6
	expect_eq "and are counted" "$(stats_moved "$ns2" "$before" | wc -w) $(stats_moved "$ns2" "$before" |
		sed -E 's/rx_keepalive=.([0-9]+) rx_peer_port=.[0-9]+/delivered/')" "2 delivered"
	expect_eq "both are lost" "$(link_field "$ns1" .state) $(link_field "$ns2" .state)" "peer-lost peer-lost"
	expect_eq "the site hears nothing" "$(stat_get "$ns1" rx_keepalive)" 0
	link_set "$ns2" roam on
	expect_soon "heard" is_heard "$ns2"
	expect_soon "heard" is_heard "$ns1"
	before=$(stat_get "$ns2" rx_peer_port)
	answers "$ns1" "${inner[2]}"
	expect_eq "nothing is odd any more" "$(stat_get "$ns2" rx_peer_port)" "$before"
}

# The NAT's address changes while frames go in both directions: the next beacon moves the endpoint. No carrier is lost.
test_modem_changes_its_address()
{
	local before changes n seen

	under=udp
	setup_nat
	key_pass "$ns1" "$ns2" 1
	expect_soon "the hub hears the site" is_heard "$ns2"
	expect_soon "the site hears the hub" is_heard "$ns1"
	# The three intervals that the carrier lasts must be longer than a busy machine takes for all this.
	link_set "$ns1" keepalive-ms 3000
	link_set "$ns2" keepalive-ms 3000
	answers "$ns2" "${inner[1]}"
	before=$(endpoint "$ns2")
	changes="$(carrier_changes "$ns1") $(carrier_changes "$ns2")"
	pinging "$ns2" "${inner[1]}"
	pinging "$ns1" "${inner[2]}"
	listen "$ns2" "$tmp/events"
	capture_start "$ns2" "$tmp/wire.pcap"
	expect_ok "the modem" ip -n "$ns3" -batch - <<-END
		address del $nat_address/24 dev out
		address add $nat_address2/24 dev out
	END
	expect_soon "the endpoint is there" endpoint_is_at "$ns2" "$nat_address2"
	seen=$(link_field "$ns2" .endpoint_port)
	answers "$ns2" "${inner[1]}"
	answers "$ns1" "${inner[2]}"
	capture_stop "$tmp/wire.pcap"
	n=$(tcpdump -Z root -r "$tmp/wire.pcap" -nn "udp and host $nat_address2" 2>/dev/null |
		awk -v from="$nat_address2.$seen" -v to="$nat_address2.$seen:" '$3 == from { n++ } $5 == to { print n + 0; exit }')
	expect_ok "with the first beacon: beacons before the first answer: $n" test "$n" -ge 1 -a "$n" -le 2
	expect_eq "carriers" "$(carrier_changes "$ns1") $(carrier_changes "$ns2")" "$changes"
	expect_soon "event" has_event "$tmp/events" peer-moved
	expect_eq "what it says" \
		"$(jq -sr '[.[] | select(any(.kinds[]; . == "peer-moved"))][0] | "\(.endpoint) \(.former) \(.former_port)"' "$tmp/events")" \
		"$nat_address2 $before"
	expect_eq "moves" "$(stat_get "$ns2" peer_moved)" 2
}

# ---- without a NAT: frames that the test makes come to $ns2 as if from $ns1 ----

# setup_roaming: a pair whose second end roams, with a second address at the first end. The second end has heard the
# first one, which sends no more keepalives, so that those of the tests can be counted. The first ones are in $tmp/pcap.
setup_roaming()
{
	setup_pair
	quiet
	capture_start "$ns2" "$tmp/pcap"
	other=$(pick "${address[3]}" "${address6[3]}")
	# shellcheck disable=SC2046 # words
	ip -n "$ns1" address add $(pick "$other/24" "$other/64 nodad") dev veth0
	ip -n "$ns2" neighbour add "$other" lladdr "${mac[1]}" dev veth0
	link_set "$ns2" keepalive-ms 100 roam on
	link_set "$ns1" keepalive-ms 100
	expect_soon "keepalives" stat_is_above "$ns2" rx_keepalive 5
	expect_soon "heard" both_heard
	link_set "$ns2" keepalive-ms 60000
	link_set "$ns1" keepalive-ms 0
	capture_stop "$tmp/pcap"
	home="$(lower_address 1) $port"
	sequence=0
	expect_eq "the endpoint as configured" "$(endpoint "$ns2")" "$home"
}

both_heard() { is_heard "$ns1" && is_heard "$ns2"; }

# beacon STAMP [WORD…]: a beacon with this stamp from the other address; $taken_s is how long it took.
beacon()
{
	sequence=$((sequence + 100))
	taken_s=$(frames beacons --under "$under" --from "$ns1" --to "$ns2" --key "$(key_file "$ns1" "${epoch:-1}")" \
		--sequence "$sequence" --stamp "$1" --address "$other" "${@:2}") || fail "beacon: $taken_s"
}

# expect_stays WHY COUNTERS COMMAND…: the endpoint does not move, and only these counters do.
expect_stays()
{
	local before

	before=$(stats "$ns2")
	"${@:3}"
	expect_only_moved "$ns2" "$before" "$2"
	expect_eq "$1" "$(endpoint "$ns2")" "$home"
}

# A frame of the right key, but of no kind that moves the endpoint.
good_frames() { frames forge good --under "$under" --from "$ns1" --to "$ns2" --key "$(key_file "$ns1" 1)" "$@" >"$tmp/out"; }
forged_beacon()
{
	frames beacons --under "$under" --from "$ns1" --to "$ns2" --key "$(key_new wrong)" --sequence 7 --stamp "$late" \
		--address "$other" >/dev/null || fail "forge"
}
replay_all() { frames replay "$tmp/pcap" --under "$under" --from "$ns1" --to "$ns2" --address "$other" >"$tmp/out"; }

readonly late=9000000000000000000

what_does_not_move()
{
	local n

	setup_roaming
	link_set "$ns2" grace-ms 60000
	ping_ok "$ns1" "${inner[2]}"
	expect_stays "a forged beacon" "rx_auth_error=+1" forged_beacon
	n=$(stat_get "$ns2" rx_replay)
	expect_ok "recorded frames, beacons among them" replay_all
	expect_ok "each is a replay" test "$(stat_get "$ns2" rx_replay)" -ge $((n + 5))
	expect_eq "the endpoint" "$(endpoint "$ns2")" "$home"
	expect_stays "a delayed beacon, in a lane of its own" "rx_keepalive=+1" beacon 1
	expect_stays "a keepalive" "rx_keepalive=+1" beacon "$late" --interval 60000
	expect_ok "frames" good_frames --address "$other"
	expect_eq "the endpoint" "$(endpoint "$ns2")" "$home"
	key_pass "$ns1" "$ns2" 2
	in_ns "$ns1" qlinkctl rotate qlink0
	ping_ok "$ns1" "${inner[2]}"
	expect_stays "a beacon of an older epoch" "rx_keepalive=+1" beacon "$late"
	expect_eq "moves" "$(stat_get "$ns2" peer_moved)" 0
	ping_ok "$ns2" "${inner[1]}"
	epoch=2 beacon "$late" --epoch 2
	expect_soon "one with nothing wrong moves it" endpoint_is "$ns2" "$other 40000"
}

test_udp_what_does_not_move()
{
	under=udp
	what_does_not_move
}

# The endpoint follows, at most once a second; routes and MTU go with it; what an admin sets puts it back.
what_moves()
{
	local before heard

	setup_roaming
	expect_ok "a narrower route" ip -n "$ns2" route add "$other" dev veth0 mtu 1400
	before=$(stats "$ns2")
	beacon "$late"
	expect_only_moved "$ns2" "$before" "rx_keepalive=+1 peer_moved=+1"
	expect_eq "there" "$(endpoint "$ns2")" "$other 40000"
	in_ns "$ns2" ping -c 1 -W 0.1 "${inner[1]}" >/dev/null
	expect_soon "the MTU of the route" mtu_is "$ns2" $((1400 - $(pick 78 98)))
	link_set "$ns2" source-ports 8
	expect_eq "still there" "$(endpoint "$ns2")" "$other 40000"
	before=$(stat_get "$ns2" peer_moved)
	heard=$(stat_get "$ns2" rx_keepalive)
	beacon $((late + 1)) --count 50
	# One that comes later would move the endpoint again.
	expect_soon "all have come" has_heard_until $((heard + 50))
	expect_ok "moves in $taken_s s" test "$(($(stat_get "$ns2" peer_moved) - before))" -le $((taken_s + 2))
	link_set "$ns2" remote "$(lower_address 1)"
	expect_eq "back" "$(endpoint "$ns2")" "$home"
	expect_soon "the MTU" mtu_is "$ns2" $((1500 - $(pick 78 98)))
	link_set "$ns1" keepalive-ms 200
	link_set "$ns2" keepalive-ms 200
	expect_soon "heard there" both_heard
	ping_ok "$ns2" "${inner[1]}"
	beacon $((late + 100))
	expect_soon "it moves again" endpoint_is "$ns2" "$other 40000"
	link_set "$ns2" roam off
	expect_eq "off" "$(endpoint "$ns2")" "null null"
	expect_soon "heard" both_heard
	answers "$ns2" "${inner[1]}"
	beacon $((late + 200))
	expect_soon "it moves no more" stat_is_above "$ns2" port_rx_other_peer 0
}

mtu_is() { [ "$(in_ns "$1" cat /sys/class/net/qlink0/mtu)" = "$2" ]; }
has_heard_until() { [ "$(stat_get "$ns2" rx_keepalive)" -ge "$1" ]; }

test_udp_what_moves()
{
	under=udp
	what_moves
}

test_udp6_what_moves()
{
	under=udp6
	what_moves
}

# ---- options, and links that share a port ----

test_refused()
{
	local a=${address[1]} b=${address[2]}

	under=udp
	setup_wire
	add_udp roams id 7 local "$a" remote any port "$port" keepalive-ms 1000
	expect_eq "any means roam" "$(dev=roams link_field "$ns1" '"\(.remote) \(.roam) \(.endpoint)"')" "any true null"
	expect_refused "roam off" "remote is any, and roam is off" in_ns "$ns1" qlinkctl set roams roam off
	expect_refused "without keepalives" "roam is on, which needs keepalive-ms" in_ns "$ns1" qlinkctl set roams keepalive-ms 0
	expect_refused "a new one without" "roam is on, which needs keepalive-ms" \
		add_udp qlink1 id 8 local "$a" remote "$b" port "$port" roam on
	expect_refused "two of any" "id 7 of this peer belongs to roams already" \
		add_udp qlink1 id 7 local "$a" remote any port "$port" keepalive-ms 1000
	expect_refused "two that roam" "id 7 belongs to roams already, which roams too" \
		add_udp qlink1 id 7 local "$a" remote "$b" port "$port" keepalive-ms 1000 roam on
	expect_refused "neither" 'neither "on" nor "off"' in_ns "$ns1" qlinkctl set roams roam maybe
	expect_refused "over eth" "exclude each other" \
		ip -n "$ns1" link add link veth0 name qlink1 type qlink id 7 peer "${mac[2]}" roam on keepalive-ms 1000
	expect_ok "one that does not" add_udp qlink1 id 7 local "$a" remote "$b" port "$port"
	expect_ok "another id" add_udp qlink2 id 8 local "$a" remote "$b" port "$port" keepalive-ms 1000 roam on
	expect_ok "from any to an address" in_ns "$ns1" qlinkctl set roams remote "${address[3]}"
	expect_eq "roam stays" "$(dev=roams link_field "$ns1" '"\(.remote) \(.roam) \(.endpoint)"')" \
		"${address[3]} true ${address[3]}"
	expect_ok "off" in_ns "$ns1" qlinkctl set roams roam off keepalive-ms 0
}

# A frame of an id that two links have belongs to the one with its address; from elsewhere, to the one that roams.
test_exact_address_goes_first()
{
	local before

	under=udp
	setup_roaming
	ip -n "$ns2" link add fixed type qlink id "$link_id" local "${address[2]}" remote "$other" port "$port" accept static
	ip -n "$ns2" link set fixed up
	before=$(stats "$ns2" fixed)
	beacon "$late"
	expect_soon "the fixed one" fixed_has_counted "$before"
	expect_eq "the endpoint" "$(endpoint "$ns2")" "$home"
	ip -n "$ns2" link del fixed
	beacon "$late"
	expect_soon "the one that roams" endpoint_is "$ns2" "$other 40000"
}

fixed_has_counted() { [ "$(stats_moved_of fixed "$1")" = "rx_no_key=+1" ]; }
stats_moved_of() { diff <(echo "$2") <(stats "$ns2" "$1") | sed -nE 's/^> (.*):1$/\1=+1/p'; }

debug_tests="udp_what_does_not_move udp6_what_moves"
run_tests "$@"
