#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Declared links: made, kept, changed and refused; what they lie on comes later, goes and comes back.

# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# The words of both ends of $ns1, over udp and over eth.
readonly udp_words="qlink0 type qlink id 7 local ${address[1]} remote ${address[2]} port $port accept static"
readonly eth_words="link veth0 name qlink1 mtu 1300 address 02:00:00:00:01:09 up type qlink id 8 peer ${mac[2]}"
readonly absent="it is no address of this host"

# declare_links LINE…: the file of $ns1.
declare_links()
{
	mkdir -p "$tmp/links.d"
	printf '%s\n' "$@" >"$tmp/links.d/a.conf"
}

# links WORD…: what it prints, errors too.
links() { in_ns "$ns1" qlinkctl -f "$tmp/links.d" links "$@" 2>&1; }
both_declared() { declare_links "$udp_words" "$eth_words" " parcel pack parcel-hold-us 50"; }

# options DEVICE: all that ip shows of a link and its words set.
options() { ip -n "$ns1" -d -j link show "$1" | jq -cS '.[0] | [.link, .mtu, (.linkinfo.info_data | del(.tx, .rx))]'; }

test_made_and_kept()
{
	setup_wire
	both_declared
	expect_eq "check" "$(links check)" "$tmp/links.d/a.conf:1: qlink0: id 7, ${address[1]} to ${address[2]} port $port
$tmp/links.d/a.conf:2: qlink1: id 8, veth0 to ${mac[2]}
2 links in 1 file of $tmp/links.d, 0 errors"
	expect_eq "no device yet" "$(devices "$ns1")" 0
	expect_eq "show" "$(links show)" $'qlink0: not there\nqlink1: not there'
	expect_eq "apply" "$(links apply)" $'qlink0: made\nqlink1: made'
	key_add "$ns1" tx 1 "$(key_new a)"
	expect_eq "again" "$(links apply)" $'qlink0: as declared\nqlink1: as declared'
	expect_eq "show" "$(links show)" $'qlink0: as declared\nqlink1: as declared'
	expect_eq "the key" "$(keys "$ns1" direction=tx epoch)" 1
	expect_eq "address, up" "$(ip -n "$ns1" -j link show qlink1 | jq -r '.[0] | .address, .flags[]' | grep -cE '^(02:00:00:00:01:09|UP)$')" 2
	expect_eq "hold" "$(dev=qlink1 link_field "$ns1" .parcel_hold_us)" 50
}

# ip makes the same links of the same words.
test_words_of_ip()
{
	local by_us

	setup_wire
	both_declared
	links apply >/dev/null
	by_us=$(options qlink0)$(options qlink1)
	ip -n "$ns1" link delete qlink0
	ip -n "$ns1" link delete qlink1
	# shellcheck disable=SC2086 # words
	expect_ok "ip" ip -n "$ns1" link add $udp_words
	# shellcheck disable=SC2086
	expect_ok "ip" ip -n "$ns1" link add $eth_words parcel pack parcel-hold-us 50
	expect_has "something" "$by_us" '"parcel_hold_us":50'
	expect_eq "the same" "$by_us" "$(options qlink0)$(options qlink1)"
	expect_eq "as declared" "$(links apply)" $'qlink0: as declared\nqlink1: as declared'
}

test_changed()
{
	setup_wire
	both_declared
	links apply >/dev/null
	key_add "$ns1" tx 1 "$(key_new a)"
	link_set "$ns1" rekey-ms 500
	expect_eq "not declared" "$(links apply qlink0)" "qlink0: as declared"
	link_set "$ns1" port 47001 dscp 7
	declare_links "$udp_words dscp 0" "${eth_words/1300/1290}"
	expect_eq "show" "$(links show)" "qlink0: differs: port 47001, declared $port; dscp 7, declared 0
qlink1: differs: mtu 1300, declared 1290"
	expect_refused "show fails" "differs" links show
	expect_eq "apply" "$(links apply)" "qlink0: changed: port 47001, declared $port; dscp 7, declared 0
qlink1: changed: mtu 1300, declared 1290"
	expect_eq "show" "$(links show)" $'qlink0: as declared\nqlink1: as declared'
	expect_eq "rekey-ms, port, dscp" "$(link_field "$ns1" '[.rekey_ms, .port, .dscp // 0] | join(" ")')" "500 $port 0"
	expect_eq "the key" "$(keys "$ns1" direction=tx epoch)" 1
}

# An MTU that does not fit is refused as ip refuses it, each time, and the rest is as declared.
test_mtu_that_does_not_fit()
{
	setup_wire
	declare_links "link veth0 name qlink1 mtu 1500 up type qlink id 8 peer ${mac[2]}"
	expect_refused "apply" "a.conf:1: qlink1: refused: mtu greater than device maximum" links apply
	expect_refused "again" "a.conf:1: qlink1: refused: mtu greater than device maximum" links apply
	expect_eq "up" "$(ip -n "$ns1" -j link show qlink1 | jq -r '.[0].flags[]' | grep -cx UP)" 1
	ip -n "$ns1" link set veth0 mtu 1600
	expect_eq "it fits" "$(links apply)" "qlink1: as declared"
}

test_refused()
{
	setup_wire
	ip -n "$ns1" link add qlink1 type dummy
	both_declared
	echo "qlink2 type qlink id 7 local ${address[1]} remote ${address[2]} port $port" >>"$tmp/links.d/a.conf"
	echo "qlink3 type qlink id x" >>"$tmp/links.d/a.conf"
	expect_refused "all" "a.conf:5: id \"x\": not a number" links apply
	expect_eq "the others" "$(devices "$ns1")" 2
	expect_refused "another device" "a.conf:2: qlink1: refused: a device of this name is there: " links apply qlink1
	expect_refused "the same ends" "a.conf:4: qlink2: refused: " links apply qlink2
	declare_links "link veth0 name qlink0 type qlink id 7 peer ${mac[2]}"
	expect_refused "another kind" "a.conf:1: qlink0: refused: link, peer, ethertype and local" links apply
	expect_eq "not changed" "$(link_field "$ns1" .underlay)" udp
	expect_refused "no such link" "qlink9: no file in $tmp/links.d declares it" links apply qlink9
}

# The link is there, under its policy, before its address is.
test_address_comes_later()
{
	under=udp
	setup_wire
	link_add 2
	ip -n "$ns1" address del "${address[1]}/24" dev veth0
	declare_links "$udp_words"
	expect_has "apply" "$(links apply)" "qlink0: waits: local ${address[1]} port $port: $absent"
	expect_eq "state" "$(link_field "$ns1" .state)" unconfigured
	expect_eq "policy" "$(link_field "$ns1" '.accept | join(",")')" static
	follow_start
	ip -n "$ns1" address add "${inner[1]}/24" dev qlink0
	ip -n "$ns1" link set qlink0 up
	key_pass "$ns1" "$ns2" 1
	key_pass "$ns2" "$ns1" 1
	ip -n "$ns1" address add "${address[1]}/24" dev veth0
	expect_soon "set up" link_field_is "$ns1" .underlay udp
	expect_soon "said" followed "qlink0: changed"
	answers "$ns1" "${inner[2]}"
}

# follow_start: as a service, in the background, until it is ready. What it says goes to $tmp/said, and what it tells a
# service manager to $tmp/told.
follow_start()
{
	socat -u "UNIX-RECV:$tmp/notify" "CREATE:$tmp/told" &
	defer kill $!
	expect_soon "notify" test -S "$tmp/notify"
	NOTIFY_SOCKET=$tmp/notify ip netns exec "$ns1" qlinkctl -f "$tmp/links.d" links follow >"$tmp/said" 2>&1 &
	follower=$!
	defer kill "$follower"
	expect_soon "ready" told READY=1
}

followed() { grep -qF -e "$1" "$tmp/said"; }
told() { grep -qF -e "$1" "$tmp/told"; }
# says STATUS: this was told last.
says() { [[ $(cat "$tmp/told") == *"STATUS=$1" ]]; }
lower_is() { [ "$(ip -n "$ns1" -j link show qlink1 | jq -r '.[0].link')" = "$1" ]; }

test_lower_device_comes_and_goes()
{
	setup_wire
	declare_links "link late0 name qlink1 type qlink id 8 peer ${mac[2]}" "$udp_words"
	expect_has "check" "$(links check)" "a.conf:1: link late0: no such device now; the link waits for it"
	follow_start
	expect_soon "it waits" says "2 links: 1 set up, 1 waiting"
	expect_ok "why" followed "qlink1: waits: link late0: no such device"
	expect_eq "devices" "$(devices "$ns1")" 2
	ip -n "$ns1" link add early0 type dummy
	ip -n "$ns1" link set early0 name late0
	expect_soon "set up after a rename" lower_is late0
	expect_soon "status" says "2 links: 2 set up"
	ip -n "$ns1" link delete late0
	expect_soon "made again" says "2 links: 1 set up, 1 waiting"
	expect_eq "devices" "$(devices "$ns1")" 2
	ip -n "$ns1" link add link veth0 name late0 type vlan id 5
	expect_soon "set up again" lower_is late0
	expect_eq "show" "$(links show)" $'qlink1: as declared\nqlink0: as declared'
}

test_deleted_by_hand_stays_deleted()
{
	setup_wire
	both_declared
	follow_start
	ip -n "$ns1" link delete qlink1
	expect_soon "status" says "2 links: 1 set up, 1 deleted"
	ip -n "$ns1" link add late0 type dummy
	ip -n "$ns1" link delete late0
	expect_eq "devices" "$(devices "$ns1")" 1
	kill -HUP "$follower"
	expect_soon "made again" says "2 links: 2 set up"
	expect_eq "devices" "$(devices "$ns1")" 2
}

# Also while it waits, and before what it waits for comes.
test_deleted_while_it_waits()
{
	setup_wire
	declare_links "link late0 name qlink1 type qlink id 8 peer ${mac[2]}" "${udp_words/${address[1]}/192.0.2.77}"
	follow_start
	expect_soon "both wait" says "2 links: 0 set up, 2 waiting"
	ip -n "$ns1" link delete qlink1
	expect_soon "status" says "2 links: 0 set up, 1 waiting, 1 deleted"
	ip -n "$ns1" link delete qlink0
	expect_soon "status" says "2 links: 0 set up, 2 deleted"
	expect_ok "said" followed "qlink0: not there: it was deleted; a reload makes it again"
	ip -n "$ns1" link add late0 type dummy
	kill -HUP "$follower"
	expect_soon "made again" says "2 links: 1 set up, 1 waiting"
	declare_links
	kill -HUP "$follower"
	expect_soon "none is declared" followed "qlink1: no longer declared; it is left as it is"
}

test_reload_and_stop()
{
	setup_wire
	both_declared
	follow_start
	declare_links "$udp_words dscp 5" "qlink5 type qlink"
	kill -HUP "$follower"
	expect_soon "reloads" told RELOADING=1
	expect_soon "status" says "1 link: 1 set up, 1 left out by an error in the files"
	expect_ok "said" followed "qlink1: no longer declared; it is left as it is"
	expect_ok "said" followed "qlink0: changed: dscp none, declared 5"
	expect_ok "said" followed "a.conf:2: no underlay: "
	expect_eq "dscp" "$(link_field "$ns1" .dscp)" 5
	kill "$follower"
	wait "$follower"
	expect_eq "status of the end" "$?" 0
	expect_soon "said" told STOPPING=1
	expect_eq "the links stay" "$(devices "$ns1")" 2
}

# A hundred links at once, twice; and nothing of it without rights.
test_many()
{
	local n lines=()

	setup_wire
	for n in $(seq 100); do
		lines+=("many$n type qlink id $n local ${address[1]} remote ${address[2]} port $port")
	done
	declare_links "${lines[@]}"
	expect_eq "check" "$(links check | tail -n 1)" \
		"100 links in 1 file of $tmp/links.d, 0 errors"
	expect_refused "apply without rights" "many1: refused: " in_ns "$ns1" setpriv --bounding-set=-net_admin \
		qlinkctl -f "$tmp/links.d" links apply
	expect_eq "none" "$(devices "$ns1")" 0
	expect_eq "made" "$(links apply | grep -c ': made$')" 100
	expect_eq "kept" "$(links apply | grep -c ': as declared$')" 100
}

debug_tests="address_comes_later lower_device_comes_and_goes"
run_tests "$@"
