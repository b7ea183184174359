#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The device: added, configured, shown and deleted by ip and by qlinkctl; what is refused.

in_every_share=yes
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# The kernel's refusals, shortened.
readonly E_DUPLICATE="belongs to" E_OWN_LOWER="its own lower" E_NO_LOWER="no lower device" E_NO_PEER="no peer"
readonly E_UNICAST="not a unicast" E_BRIDGE_PORT="is a bridge port" E_NOT_ETHERNET="not an Ethernet"
readonly E_FAMILY="not of one family" E_NO_PORT="no port" E_NO_REMOTE="not remote" E_NO_LOCAL="not local" E_ID="id"

readonly words_eth="id 7 peer 02:00:00:00:00:02 ethertype 0x88b6 accept qkd,static"
readonly words_udp="id 7 local 198.51.100.1 remote 198.51.100.2 port 47001 source-ports 8 accept hybrid3"

# ip_json NS DEV FILTER: applies a jq filter to the output of ip -d -j link show for a device.
ip_json() { ip -n "$1" -d -j link show "$2" | jq -r ".[0] | $3"; }
ctl_json() { in_ns "$1" qlinkctl -j show "$2" | jq -r ".[0] | $3"; }

add_eth() { ip -n "$ns1" link add link veth0 name "$1" type qlink "${@:2}"; }

test_autoload()
{
	modprobe -r qlink
	setup_ns ns1
	expect_ok "unloaded" sh -c '! grep -q "^qlink " /proc/modules'
	expect_ok "add" ip -n "$ns1" link add qlink0 type qlink
	expect_ok "loaded" grep -q '^qlink ' /proc/modules
	expect_ok "delete" ip -n "$ns1" link del qlink0
	expect_eq "devices" "$(devices "$ns1")" 0
	expect_ok "unload" modprobe -r qlink
	expect_ok "the family loads it too" in_ns "$ns1" qlinkctl show
	expect_ok "loaded" grep -q '^qlink ' /proc/modules
}

test_help()
{
	local help

	help=$(ip link help qlink 2>&1)
	for word in id peer ethertype local remote port source-ports dev dscp ecn ttl fwmark accept; do
		expect_has "help" "$help" " $word "
	done
}

test_add_eth_with_every_word()
{
	setup_wire
	# shellcheck disable=SC2086 # words
	expect_ok "add" add_eth qlink0 $words_eth
	expect_has "text" "$(ip -n "$ns1" -d link show qlink0)" "qlink0@veth0"
	for words in "id 7 " "underlay eth " "peer 02:00:00:00:00:02 " "ethertype 0x88b6 " "accept qkd,static "; do
		expect_has "text" "$(ip -n "$ns1" -d link show qlink0)" "$words"
	done
	expect_eq "ip -j" "$(ip_json "$ns1" qlink0 '.link, (.linkinfo | .info_kind, (.info_data |
		.id, .underlay, .peer, .ethertype, (.accept | join(",")), .state))' | paste -sd ' ')" \
		"veth0 qlink 7 eth 02:00:00:00:00:02 34998 qkd,static admin-down"
	expect_eq "qlinkctl -j" "$(ctl_json "$ns1" qlink0 '.ifname, (.link |
		.id, .underlay, .lower, .peer, .ethertype, (.accept | join(",")), .state)' | paste -sd ' ')" \
		"qlink0 7 eth veth0 02:00:00:00:00:02 34998 qkd,static admin-down"
	expect_eq "mtu" "$(ip_json "$ns1" qlink0 .mtu)" 1450
}

test_add_udp_with_every_word()
{
	setup_wire
	# shellcheck disable=SC2086 # words
	expect_ok "add" add_udp qlink0 $words_udp
	for words in "id 7 " "underlay udp " "local 198.51.100.1 " "remote 198.51.100.2 " "port 47001 " \
		"source-ports 8 " "accept hybrid3 "; do
		expect_has "text" "$(ip -n "$ns1" -d link show qlink0)" "$words"
	done
	expect_eq "ip -j" "$(ip_json "$ns1" qlink0 '.linkinfo | .info_kind, (.info_data |
		.id, .underlay, .local, .remote, .port, .source_ports, (.accept | join(",")), .accept_kmes)' | paste -sd ' ')" \
		"qlink 7 udp 198.51.100.1 198.51.100.2 47001 8 hybrid 3"
	expect_eq "qlinkctl -j" "$(ctl_json "$ns1" qlink0 '.link |
		.id, .underlay, .local, .remote, .port, .source_ports, (.accept | join(",")), .accept_kmes' | paste -sd ' ')" \
		"7 udp 198.51.100.1 198.51.100.2 47001 8 hybrid 3"
	expect_eq "mtu" "$(ip_json "$ns1" qlink0 .mtu)" 1422
}

test_defaults()
{
	setup_wire
	expect_ok "eth" add_eth qlink0 id 1 peer "${mac[2]}"
	expect_eq "ethertype" "$(ctl_json "$ns1" qlink0 .link.ethertype)" $((0x88b5))
	expect_eq "accept" "$(ctl_json "$ns1" qlink0 '.link | "\(.accept | join(",")) \(.accept_kmes)"')" "hybrid,pqc 1"
	expect_ok "udp" add_udp qlink1 id 1 local "${address[1]}" remote "${address[2]}" port "$port"
	expect_eq "source ports" "$(ctl_json "$ns1" qlink1 .link.source_ports)" 64
	expect_eq "rings" "$(ctl_json "$ns1" qlink0 '.link | .tx.newest_epoch, .rx.newest_epoch, .tx.staged' |
		paste -sd ' ')" "0 0 0"
	expect_eq "ring ids" "$(for dev in 0 1; do ctl_json "$ns1" "qlink$dev" '.link | .tx.id, .rx.id'; done |
		grep -cE '^[0-9a-f]{32}$')" 4
	expect_eq "ring ids differ" "$(for dev in 0 1; do ctl_json "$ns1" "qlink$dev" '.link | .tx.id, .rx.id'; done |
		sort -u | wc -l)" 4
	expect_eq "address is local, unicast" $((0x$(ip_json "$ns1" qlink0 .address | cut -c 1-2) & 3)) 2
}

each_test_add_without_options_then_set()
{
	setup_wire
	expect_ok "add" ip -n "$ns1" link add qlink0 type qlink
	expect_eq "state" "$(ctl_json "$ns1" qlink0 .link.state)" unconfigured
	expect_eq "underlay" "$(ctl_json "$ns1" qlink0 .link.underlay)" none
	expect_ok "up" ip -n "$ns1" link set qlink0 up
	expect_eq "state" "$(ctl_json "$ns1" qlink0 .link.state)" unconfigured
	expect_eq "carrier" "$(carrier "$ns1")" 0
	# shellcheck disable=SC2046 # words
	expect_ok "set" in_ns "$ns1" qlinkctl set qlink0 $([ "$under" = udp ] || echo link veth0) \
		$(link_words 1) accept static
	expect_eq "underlay" "$(ctl_json "$ns1" qlink0 .link.underlay)" "$under"
	expect_eq "state" "$(ctl_json "$ns1" qlink0 .link.state)" no-key
	expect_eq "mtu" "$(ip_json "$ns1" qlink0 .mtu)" "$([ "$under" = eth ] && echo 1450 || echo 1422)"
	link_add 2
	key_pass "$ns1" "$ns2" 1
	key_pass "$ns2" "$ns1" 1
	ip -n "$ns1" address add "${inner[1]}/24" dev qlink0
	expect_ok "ping" in_ns "$ns1" ping -c 1 -W "$deadline" "${inner[2]}"
}

# ip link set and qlinkctl set change what they name; the rest stays, including keys.
each_test_change()
{
	local words

	setup_pair
	case $under in
	eth) words="peer 02:00:00:00:00:09" ;;
	udp) words="remote 198.51.100.9" ;;
	esac
	# shellcheck disable=SC2086 # words
	expect_ok "away" ip -n "$ns1" link set qlink0 type qlink $words
	expect_has "shown" "$(ip -n "$ns1" -d link show qlink0)" "$words"
	expect_eq "id stays" "$(ctl_json "$ns1" qlink0 .link.id)" 7
	expect_eq "key stays" "$(keys "$ns1")" 2
	# shellcheck disable=SC2046 # words
	expect_ok "and back" in_ns "$ns1" qlinkctl set qlink0 $(link_words 1)
	expect_ok "ping" in_ns "$ns1" ping -c 1 -W "$deadline" "${inner[2]}"
	expect_ok "id" ip -n "$ns1" link set qlink0 type qlink id 8
	expect_ok "id, the other end" in_ns "$ns2" qlinkctl set qlink0 id 8
	expect_ok "ping" in_ns "$ns1" ping -c 1 -W "$deadline" "${inner[2]}"
}

# A frame with the old id is counted by the port.
each_test_changed_id_is_in_force()
{
	local before

	setup_pair
	expect_ok "id" ip -n "$ns2" link set qlink0 type qlink id 8
	before=$(stats "$ns2")
	frames forge good --under "$under" --from "$ns1" --to "$ns2" --key "$(key_file "$ns1" 1)" --expect port_rx_no_link
	expect_only_moved "$ns2" "$before" "port_rx_no_link=+8"
}

test_switch_underlay()
{
	under=eth
	setup_pair
	expect_ok "both to udp" true
	for n in 1 2; do
		ns=ns$n
		under=udp
		# shellcheck disable=SC2046 # words
		if ! in_ns "${!ns}" qlinkctl set qlink0 $(link_words $n) 2>"$tmp/why"; then
			# A refusal is acceptable too, if it gives a reason and changes nothing.
			expect_has "a reason" "$(cat "$tmp/why")" "qlink0"
			expect_eq "underlay" "$(ctl_json "${!ns}" qlink0 .link.underlay)" eth
		else
			expect_eq "underlay" "$(ctl_json "${!ns}" qlink0 .link.underlay)" udp
		fi
	done
	expect_ok "ping" in_ns "$ns1" ping -c 1 -W "$deadline" "${inner[2]}"
}

each_test_duplicate_is_refused()
{
	local lower=()

	setup_wire
	[ "$under" = udp ] || lower=(link veth0)
	link_add 1
	# shellcheck disable=SC2046 # words
	expect_refused "the same again" "$E_DUPLICATE" \
		ip -n "$ns1" link add "${lower[@]}" name qlink1 type qlink $(link_words 1)
	expect_eq "devices" "$(devices "$ns1")" 1
	# shellcheck disable=SC2046 # words
	expect_ok "another id" ip -n "$ns1" link add "${lower[@]}" name qlink1 type qlink $(link_words 1 | sed 's/7/8/')
	expect_refused "a change into one" "$E_DUPLICATE" in_ns "$ns1" qlinkctl set qlink1 id 7
	expect_eq "nothing changed" "$(ctl_json "$ns1" qlink1 .link.id)" 8
	expect_refused "a change into one" "$E_DUPLICATE" ip -n "$ns1" link set qlink1 type qlink id 7
	case $under in
	eth) expect_ok "another peer" add_eth qlink2 id 7 peer "${mac[3]}"
	     expect_ok "another EtherType" add_eth qlink3 id 7 peer "${mac[2]}" ethertype 0x88b6 ;;
	udp) expect_ok "another peer" add_udp qlink2 id 7 local "${address[1]}" remote "${address[3]}" port "$port"
	     expect_ok "another port" add_udp qlink3 id 7 local "${address[1]}" remote "${address[2]}" port 47001 ;;
	esac
	expect_ok "delete" ip -n "$ns1" link del qlink0
	expect_ok "free again" in_ns "$ns1" qlinkctl set qlink1 id 7
}

test_refused_eth()
{
	setup_wire
	expect_refused "no id" "$E_ID" add_eth qlink0 peer "${mac[2]}"
	expect_refused "no peer" "$E_NO_PEER" add_eth qlink0 id 7
	expect_refused "no lower device" "$E_NO_LOWER" add_udp qlink0 id 7 peer "${mac[2]}"
	expect_refused "EtherType 0x05ff" "0x0600" add_eth qlink0 id 7 peer "${mac[2]}" ethertype 0x05ff
	expect_refused "id 0" "65535" add_eth qlink0 id 0 peer "${mac[2]}"
	expect_refused "id 65536" "65535" add_eth qlink0 id 65536 peer "${mac[2]}"
	expect_refused "multicast peer" "$E_UNICAST" add_eth qlink0 id 7 peer 01:00:5e:00:00:01
	expect_refused "peer 0" "$E_UNICAST" add_eth qlink0 id 7 peer 00:00:00:00:00:00
	expect_refused "peer" "MAC" add_eth qlink0 id 7 peer 02:00:00
	expect_refused "source" "sttic" add_eth qlink0 id 7 peer "${mac[2]}" accept sttic
	expect_refused "two numbers of KMEs" "qkd3 and hybrid2 have different numbers of KMEs" \
		add_eth qlink0 id 7 peer "${mac[2]}" accept hybrid2,qkd3
	expect_refused "a source twice" "names hybrid twice" add_eth qlink0 id 7 peer "${mac[2]}" accept hybrid,hybrid2
	expect_refused "a KME of none" "pqc has no KME" add_eth qlink0 id 7 peer "${mac[2]}" accept pqc2
	expect_refused "too many KMEs" "the number of KMEs is not 1 to 8" add_eth qlink0 id 7 peer "${mac[2]}" accept hybrid9
	expect_refused "a word of its own" "\"accept-kmes\": no such option" add_eth qlink0 id 7 peer "${mac[2]}" accept-kmes 2
	expect_refused "word" "foo" add_eth qlink0 id 7 foo 1
	expect_refused "both underlays" "" add_eth qlink0 id 7 peer "${mac[2]}" local 192.0.2.1 remote 192.0.2.2 port 5
	expect_refused "loopback" "$E_NOT_ETHERNET" ip -n "$ns1" link add link lo name qlink0 type qlink id 7 peer "${mac[2]}"
	ip -n "$ns1" link add br0 type bridge
	ip -n "$ns1" link set veth0 master br0
	expect_refused "bridge port" "$E_BRIDGE_PORT" add_eth qlink0 id 7 peer "${mac[2]}"
	expect_eq "devices" "$(devices "$ns1")" 0
	ip -n "$ns1" link set veth0 nomaster
	expect_ok "words in order" add_eth qlink0 id 7 peer "${mac[2]}"
	expect_refused "its own lower device" "$E_OWN_LOWER" in_ns "$ns1" qlinkctl set qlink0 link qlink0
	expect_eq "lower" "$(ctl_json "$ns1" qlink0 .link.lower)" veth0
}

test_refused_udp()
{
	local a b

	a=${address[1]} b=${address[2]}
	setup_wire
	expect_refused "no id" "$E_ID" add_udp qlink0 local "$a" remote "$b" port "$port"
	expect_refused "no port" "$E_NO_PORT" add_udp qlink0 id 7 local "$a" remote "$b"
	expect_refused "no remote" "$E_NO_REMOTE" add_udp qlink0 id 7 local "$a" port "$port"
	expect_refused "no local" "$E_NO_LOCAL" add_udp qlink0 id 7 remote "$b" port "$port"
	expect_refused "IPv6 with IPv4" "$E_FAMILY" add_udp qlink0 id 7 local 2001:db8::1 remote "$b" port "$port"
	expect_refused "port 0" "65535" add_udp qlink0 id 7 local "$a" remote "$b" port 0
	expect_refused "65 source ports" "64" add_udp qlink0 id 7 local "$a" remote "$b" port "$port" source-ports 65
	expect_refused "0 source ports" "64" add_udp qlink0 id 7 local "$a" remote "$b" port "$port" source-ports 0
	expect_refused "multicast remote" "$E_UNICAST" add_udp qlink0 id 7 local "$a" remote 224.0.0.1 port "$port"
	expect_refused "broadcast remote" "$E_UNICAST" add_udp qlink0 id 7 local "$a" remote 255.255.255.255 port "$port"
	expect_refused "local address of another host" "$b" add_udp qlink0 id 7 local "$b" remote "$a" port "$port"
	expect_eq "devices" "$(devices "$ns1")" 0
	socat_listen
	expect_refused "port in use" "47000" add_udp qlink0 id 7 local "$a" remote "$b" port "$port"
	expect_ok "another port" add_udp qlink0 id 7 local "$a" remote "$b" port 47001
}

socat_listen()
{
	ip netns exec "$ns1" socat -u "UDP4-RECV:$port" /dev/null &
	defer kill $!
	expect_soon "socat" sh -c "ip netns exec $ns1 ss -uln | grep -q :$port"
}

test_ethtool()
{
	local yaml names

	setup_wire
	under=eth
	link_add 1
	expect_eq "driver" "$(in_ns "$ns1" ethtool -i qlink0 | sed -n 's/^driver: //p')" qlink
	names=$(in_ns "$ns1" ethtool -S qlink0 | sed -n 's/^ *\([a-z_]*\): .*/\1/p')
	expect_eq "names are netlink's" "$names" "$(ctl_json "$ns1" qlink0 \
		'(.stats | keys_unsorted[]), (.port | keys_unsorted[] | "port_" + .)')"
	expect_eq "all 0" "$(stats "$ns1" | grep -vc ':0$')" 0
	yaml=$here/../include/netlink/qlink.yaml
	[ ! -f "$yaml" ] || expect_eq "names of the spec" "$names" "$(awk '
		/^    name: / { set = $2 }
		(set == "stats" || set == "port") && /^        name: / && $2 != "pad" {
			gsub("-", "_", $2); print (set == "port" ? "port_" : "") $2 }
		/^operations:/ { exit }' "$yaml")"
	expect_eq "ip -s" "$(ip_json "$ns1" qlink0 '.operstate')" DOWN
}

each_test_carrier_follows_key()
{
	setup_wire
	link_add 1
	link_add 2
	expect_eq "no key" "$(carrier "$ns1")" 0
	expect_eq "state" "$(ctl_json "$ns1" qlink0 .link.state)" no-key
	key_pass "$ns2" "$ns1" 1
	expect_eq "a receive key is not enough" "$(carrier "$ns1")" 0
	key_pass "$ns1" "$ns2" 1
	expect_soon "key" carrier_is "$ns1" 1
	expect_eq "state" "$(ctl_json "$ns1" qlink0 .link.state)" up
	expect_ok "delete" in_ns "$ns1" qlinkctl key del qlink0 tx epoch 1
	expect_soon "no key any more" carrier_is "$ns1" 0
	expect_eq "state" "$(ctl_json "$ns1" qlink0 .link.state)" no-key
	expect_eq "the other end" "$(carrier "$ns2")" 1
}

test_carrier_follows_lower()
{
	under=eth
	setup_pair
	ip -n "$ns2" link set veth0 down
	expect_soon "lower without carrier" carrier_is "$ns1" 0
	expect_soon "state" sh -c "ip netns exec $ns1 qlinkctl show qlink0 | grep -q underlay-down"
	ip -n "$ns2" link set veth0 up
	expect_soon "lower with carrier" carrier_is "$ns1" 1
	ip -n "$ns1" link set veth0 down
	expect_soon "lower down" carrier_is "$ns1" 0
	ip -n "$ns1" link set veth0 up
	expect_soon "lower up" carrier_is "$ns1" 1
	expect_soon "ping" in_ns "$ns1" ping -c 1 -W 1 "${inner[2]}"
}

# The state names the cause; if there are several, the one to fix first.
each_test_state()
{
	setup_pair
	expect_eq "up" "$(ctl_json "$ns1" qlink0 .link.state)" up
	ip -n "$ns1" link set qlink0 down
	expect_eq "down" "$(ctl_json "$ns1" qlink0 .link.state)" admin-down
	expect_eq "keys stay" "$(keys "$ns1")" 2
	ip -n "$ns1" link set qlink0 up
	expect_soon "carrier" carrier_is "$ns1" 1
	expect_ok "ping" in_ns "$ns1" ping -c 1 -W "$deadline" "${inner[2]}"
}

# A full-size frame with two tags does not fit: it is dropped, and the sender learns it for the next one.
each_test_too_big_is_dropped()
{
	local before n ns mtu

	setup_pair
	for n in 1 2; do
		ns=ns$n
		ip -n "${!ns}" link add link qlink0 name outer type vlan proto 802.1ad id 5
		ip -n "${!ns}" link set outer up
		ip -n "${!ns}" link add link outer name inner type vlan id 6
		ip -n "${!ns}" address add "203.0.113.$n/24" dev inner
		ip -n "${!ns}" link set inner up
		ip -n "${!ns}" neighbour add "203.0.113.$((3 - n))" lladdr "02:00:00:00:01:0$((3 - n))" dev inner
	done
	mtu=$(in_ns "$ns1" cat /sys/class/net/inner/mtu)
	before=$(stats "$ns1")
	expect_ok "fits" in_ns "$ns1" ping -c 1 -W "$deadline" -M "do" -s $((mtu - 28 - 4)) 203.0.113.2
	expect_only_moved "$ns1" "$before" ""
	expect_refused "does not fit" "Message too long" \
		in_ns "$ns1" ping -c 3 -i 0.01 -W 1 -M "do" -s $((mtu - 28)) 203.0.113.2
	expect_only_moved "$ns1" "$before" "tx_too_big=+1"
	expect_has "learned" "$(ip -n "$ns1" route get 203.0.113.2)" "mtu $((mtu - 4)) "
}

test_namespaces_are_apart()
{
	setup_wire
	under=udp
	link_add 1
	link_add 2
	expect_eq "shown" "$(in_ns "$ns1" qlinkctl -j show | jq length)" 1
	expect_refused "no such device" "qlink9" in_ns "$ns1" qlinkctl show qlink9
	expect_refused "not a qlink device" "veth0" in_ns "$ns1" qlinkctl show veth0
}

debug_tests="change_eth"
run_tests "$@"
