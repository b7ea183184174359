#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Links share the CPUs of a host, and nobody takes what another link needs: one link is flooded with forgeries, or one
# namespace.

# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

ns4=''	# setup_ns names it
readonly other=(- 192.0.2.{11,12})	# inside the other link

# other_link 1|2: one end of another link over the same wire.
other_link()
{
	local ns=ns$1

	ip -n "${!ns}" -batch - <<-END
		link add qlink1 address 02:00:00:00:02:0$1 type qlink id 8 local ${address[$1]} remote ${address[3 - $1]} \
			port $port accept static
		address add ${other[$1]} peer ${other[3 - $1]} dev qlink1
		link set qlink1 up
		neighbour add ${other[3 - $1]} lladdr 02:00:00:00:02:0$((3 - $1)) dev qlink1
	END
}

# plug block|release_indefinite: holds all that $ns1 sends, or lets it go at once.
plug() { expect_ok "plug" tc -n "$ns1" qdisc "$1" dev veth0 root handle 1: plug "${@:2}"; }

flood() { in_ns "$ns1" /usr/bin/python3 "$here/bundleflood.py" "${address[1]}" "${address[2]}" "$port" "$link_id" 1 "$1"; }

refused() { [ "$(stat_get "$ns2" rx_auth_error)" = "$1" ]; }
held() { [ "$(tc -n "$ns1" -s -j qdisc show dev veth0 | jq '.[0].qlen')" = "$1" ]; }

# More forged packets of one link than its queue takes, and behind them one frame of another link, arrive at once.
test_forged_flood_of_another_link()
{
	local ns n=1500 ping

	under=udp
	modprobe sch_plug || skip "needs sch_plug"
	setup_pair
	other_link 1
	other_link 2
	dev=qlink1 key_pass "$ns1" "$ns2" 1
	dev=qlink1 key_pass "$ns2" "$ns1" 1
	for ns in "$ns1" "$ns2"; do expect_ok "USO" in_ns "$ns" ethtool -K veth0 tx-udp-segmentation on; done
	expect_ok "the link learns that packets of many frames come" flood 1
	expect_soon "refused" refused 64
	answers "$ns1" "${other[2]}"

	plug add limit 100000000
	expect_ok "flood" flood "$n"
	ip netns exec "$ns1" ping -c 1 -W "$deadline" "${other[2]}" >"$tmp/ping" 2>&1 &
	ping=$!
	expect_soon "all of it and the other frame wait" held $((n + 1))
	plug change release_indefinite
	wait "$ping"
	expect_has "the other link's frame" "$(cat "$tmp/ping")" " 1 received"
	expect_eq "frames of the other link that were dropped" "$(serve "$ns2" stats qlink1 | grep -v ':0$')" ""
	expect_ok "forged frames that found no room, $(stat_get "$ns2" rx_queue_full)" \
		test "$(stat_get "$ns2" rx_queue_full)" -gt 10000
	expect_eq "forged frames in all" \
		"$(($(stat_get "$ns2" rx_queue_full) + $(stat_get "$ns2" rx_auth_error)))" $(((n + 1) * 64))
}

# round_trip: sends 200 frames over the link of $ns1 and $ns2, of which none may be lost; sets $rtt, in ms.
round_trip()
{
	local said

	said=$(in_ns "$ns1" ping -q -c 200 -i 0.01 -W "$deadline" "${inner[2]}")
	expect_has "answers" "$said" " 200 received"
	rtt=$(sed -n 's|^rtt [^=]*= [^/]*/\([^/]*\)/.*|\1|p' <<<"$said")
}

refused_more() { [ "$(serve "$ns4" stat qlink1 rx_auth_error)" -gt "$1" ]; }

# Forgeries, as many as a process can send, arrive in one namespace, while a link of another is used. The round trips
# are printed and not judged: another machine needs other times.
test_flood_in_another_namespace()
{
	local idle before

	under=udp
	setup_pair
	quiet
	setup_ns ns3 ns4
	connect_ns "$ns3" "$ns4" veth1 203.0.113.1 203.0.113.2 || exit 1
	expect_ok "USO" in_ns "$ns3" ethtool -K veth1 tx-udp-segmentation on
	ip -n "$ns4" link add qlink1 up type qlink id 9 local 203.0.113.2 remote 203.0.113.1 port "$port" accept static ||
		exit 1
	dev=qlink1 key_add "$ns4" rx 1 "$(key_new f)"

	round_trip
	idle=$rtt
	in_background "$ns3" /usr/bin/python3 "$here/bundleflood.py" 203.0.113.1 203.0.113.2 "$port" 9 1 1000000000
	expect_soon "the flood arrives" refused_more 10000
	before=$(serve "$ns4" stat qlink1 rx_auth_error)
	round_trip
	expect_ok "the flood went on" refused_more "$before"
	echo "# round trip: $idle ms; beside $(($(serve "$ns4" stat qlink1 rx_auth_error) - before)) forged frames: $rtt ms"
	expect_nothing_dropped
}

run_tests "$@"
