#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# "qlinkctl export" and "qlinkctl monitor --yang" beside two running sites: yanglint takes all that they print, with
# qlink.yang as it is installed.

# shellcheck disable=SC2016 # $link and $agent are variables of jq

# shellcheck source=mixed.sh
. "$(dirname "$0")/mixed.sh"

readonly module=/usr/share/yang/modules/qlink/qlink.yang ietf=/usr/share/yuma/nmda-modules/ietf

# valid TYPE FILE: yanglint takes a document of a type, strictly; prints what it says if not.
valid()
{
	yanglint -p "${module%/*}" -p "$ietf" -F ietf-interfaces: -t "$1" "$ietf"/ietf-interfaces@*.yang "$module" "$2" 2>&1
}

# export_site 1|2 [WORD…]: the document of a site, which goes to a file.
export_site() { ctl "$1" export --config "$tmp/${site[$1]}/conf" "${@:2}" >"$tmp/document.json" 2>"$tmp/said"; }

# expect_export 1|2 [WORD…]: it is valid, and nothing is left out.
expect_export()
{
	local type=config

	[ "${2-}" != --state ] || type=data
	expect_ok "export $*" export_site "$@"
	expect_eq "left out" "$(cat "$tmp/said")" ""
	expect_eq "what yanglint says" "$(valid "$type" "$tmp/document.json")" ""
}

# document FILTER: applies a jq filter to the document, with $link for the entry of the link.
document()
{
	jq -r '."ietf-interfaces:interfaces".interface[0] as $link | ."qlink:agent" as $agent | '"$1" "$tmp/document.json"
}
expect_document() { expect_eq "$1" "$(document "$1")" "$2"; }

# No secret of a site is in a document: neither bytes of private keys nor of keys of links.
expect_no_secret()
{
	local file line

	for file in "$pki"/*.key; do
		line=$(sed -n 2p "$file")
		expect_eq "lines of ${file##*/} in the document" "$(grep -cF -e "$line" "$tmp/document.json")" 0
	done
}

# exports_config: what runs is what the document says. What apply would change: it would declare a device made by hand.
exports_config()
{
	expect_export 1
	expect_document '$link.name + " " + $link.type + " " + ($link.enabled | tostring)' "qlink0 qlink:qlink true"
	expect_document '$link."qlink:link".id' "$(link_field "$ns1" .id)"
	expect_document '$link."qlink:keys" | .peer + " " + .kmes[0] + " " + .sae + " " + (.store | tostring)' "site-b rack SAE-B 500"
	expect_document '$agent | .name + " " + .key' "site-a $pki/site-a.key"
	expect_document '$agent.kme[0] | .name + " " + .url' "rack https://10.1.1.9:$kme_port"
	expect_document '$agent.peer[0] | .name + " " + .address' "site-b ${channel[2]}"
	expect_document '$link | has("qlink:state")' false
	expect_no_secret
	expect_eq "what apply would change" "$(ctl 1 -f "$tmp/none" -j apply --check --replace --config "$tmp/a/conf" \
		--pending "$tmp/pending" "$tmp/document.json" | jq -c '[.differences[] | .path + ": " + .to]')" '["device/qlink0/declared: as it is"]'
}

# exports_state: what the kernel and the agent say is there, and a controller reads what the link needs.
exports_state()
{
	keep_busy
	expect_soon "a rate" link_status_is 1 '.demand.keys_used > 0' true
	expect_export 1 --state
	expect_document '$link."qlink:state" | .protection + " " + .state + " " + .underlay' "protected up $under"
	expect_document '$link."oper-status"' up
	expect_document '$link.statistics."out-octets" | tonumber > 0' true
	expect_document '$link."qlink:state".tx."current-source"' hybrid
	expect_document '$link."qlink:state".agreement.phase' ready
	expect_document '$link."qlink:state".demand."keys-wanted"' 20.000
	expect_document '$link."qlink:state".demand | (."keys-used" | tonumber) > 0 and (.cover | tonumber) > 0' true
	expect_document '$link."qlink:state".demand.kme[0] | .name + " " + .health' "rack up"
	expect_document '$link."qlink:state".demand.kme[0]."supply-age" | tonumber < 60' true
	expect_document '$agent.kme[0].state | .health + " " + .link[0].device + " " + .link[0].tls.version' "up qlink0 1.3"
	expect_document '$agent.peer[0].state.connected' true
	expect_document '[$agent.status.certificate[] | select(."not-after" > "2026")] | length > 3' true
	expect_no_secret
}

test_a_site_is_exported_eth()
{
	setup_running "floor-ms 50"
	exports_config
	exports_state
}

test_a_site_is_exported_udp()
{
	setup_running "floor-ms 50"
	exports_config
	exports_state
}

# Each option of a link that the kernel shows is one that the module has, with parcels and secrets of two KMEs.
test_parcels_and_mixed_keys_are_exported_udp()
{
	local mode

	setup_mixed "floor-ms 50" "mix-least 2" "store 40" "outage-cover 10"
	for mode in pack pad constant; do
		link_set "$ns1" parcel "$mode" parcel-bytes 1000 parcel-hold-us 10 parcel-interval-us 2000 parcel-queue 8 \
			keepalive-ms 1000 dscp inherit ttl 7 ecn on fwmark 9
		expect_export 1 --state
		expect_document '$link."qlink:link" | .parcel + " " + .dscp + " " + .fwmark + " " + (.ttl | tostring)' "$mode inherit 0x0009 7"
		expect_document '$link."qlink:keys" | (.mix | join(" ")) + " " + (."mix-least" | tostring)' "rack satellite 2"
	done
	expect_document '$link."qlink:state".parcels.rate' 4000000
	expect_document '[$link."qlink:state".demand.kme[].name] | join(" ")' "rack satellite"
}

# Without an agent, or its file, or the right to ask the kernel, the rest is exported, and what lacks is told.
test_what_cannot_be_read_is_told_udp()
{
	setup_sites
	links_add
	expect_eq "status" "$(ctl 1 export --state --config "$tmp/none" 2>"$tmp/said" >"$tmp/document.json"; echo $?)" 0
	expect_ok "no file" grep -q "^qlinkctl: the agent is left out: $tmp/none: No such file" "$tmp/said"
	expect_ok "no agent" grep -q "^qlinkctl: what the agent says is left out: .*control" "$tmp/said"
	expect_eq "what yanglint says" "$(valid data "$tmp/document.json")" ""
	expect_document '$link."qlink:state".state' no-key
	printf '%s\n' agent " name a" " certificate /c" " key /k" " ca /a" >"$tmp/conf"
	chmod 755 "$tmp" "$top"
	chmod 644 "$tmp/conf"
	# Who applies it with --prune would delete the links: it is not whole.
	expect_eq "status" "$(in_ns "$ns1" setpriv --reuid 65534 --clear-groups qlinkctl export --config "$tmp/conf" \
		2>"$tmp/said" >"$tmp/document.json"; echo $?)" 1
	expect_ok "no right" grep -q "^qlinkctl: devices are left out: .*not permitted" "$tmp/said"
	expect_document '$agent.name' a
	expect_document '$link' null
}

# What a device gets that is made with what it needs only is what the module says as its defaults.
test_defaults_are_those_of_a_new_device()
{
	local underlay

	setup_wire
	ip -n "$ns1" addr add 192.0.2.1/24 dev veth0
	for underlay in eth udp; do
		if [ $underlay = eth ]; then
			ip -n "$ns1" link add qlink7 link veth0 type qlink id 7 peer 02:00:00:00:00:02
		else
			ip -n "$ns1" link add qlink7 type qlink id 7 local 192.0.2.1 remote 192.0.2.2 port 7000
		fi
		in_ns "$ns1" qlinkctl export --config /none >"$tmp/document.json" 2>/dev/null
		# What the kernel leaves out is a default, too: all that is given equals what yanglint fills in.
		jq "(.\"ietf-interfaces:interfaces\".interface[].\"qlink:link\") |=
			(to_entries | map(select(.key | IN(\"id\", \"lower\", \"peer\", \"local\", \"remote\", \"port\"))) | from_entries)" \
			"$tmp/document.json" >"$tmp/least.json"
		yanglint -p "${module%/*}" -p "$ietf" -F ietf-interfaces: -f json -d all -t config \
			"$ietf"/ietf-interfaces@*.yang "$module" "$tmp/least.json" >"$tmp/filled" 2>"$tmp/said"
		expect_eq "what yanglint says" "$(cat "$tmp/said")" ""
		jq -S '.. | objects | select(has("qlink:link")) | ."qlink:link" | del(.mtu, .address, .txqueuelen)' "$tmp/filled" >"$tmp/want"
		jq -S '.. | objects | select(has("qlink:link")) | ."qlink:link" | del(.mtu, .address, .txqueuelen)' "$tmp/document.json" >"$tmp/got"
		expect_eq "other values than the defaults" \
			"$(jq -n -c --slurpfile got "$tmp/got" --slurpfile want "$tmp/want" \
				'$got[0] | to_entries | map(select(.key != "roam" and .value != $want[0][.key]))')" "[]"
		expect_ok "options shown" test "$(jq length "$tmp/got")" -gt 10
		ip -n "$ns1" link del qlink7
	done
}

# notices KIND: how many notifications of a kind have come.
notices() { grep -c "^{\"qlink:$1\":" "$tmp/notices"; }
has_notice() { [ "$(notices "$1")" -gt 0 ]; }

# Real events, each valid: keys that rotate, KMEs that stop and return, an agent that is killed.
test_notifications_are_valid_udp()
{
	local line kind

	setup_running "floor-ms 50" "ceiling-ms 200" "store 30" "outage-cover 10"
	ctl 1 monitor --yang >"$tmp/notices" 2>"$tmp/said" &
	defer kill $!
	expect_soon "listening" grep -q listening "$tmp/said"
	expect_soon "rotated" grep -q '"kinds":\["rotated"' "$tmp/notices"
	kmes stop a
	kmes stop b
	for kind in kme-down source-changed; do expect_ok "$kind" busywait $((4 * deadline)) has_notice "$kind"; done
	kmes start a
	kmes start b
	expect_ok "kme-up" busywait $((4 * deadline)) has_notice kme-up
	agent_kill 2
	for kind in peer-unreachable link-blocked; do expect_soon "$kind" has_notice "$kind"; done
	agent_start 2
	for kind in peer-connected link-ready; do expect_ok "$kind" busywait $((4 * deadline)) has_notice "$kind"; done
	while read -r line; do
		echo "$line" >"$tmp/notice.json"
		expect_eq "what yanglint says of $line" "$(valid notif "$tmp/notice.json")" ""
	done < <(awk -F'"' '!seen[$2 $8]++' "$tmp/notices"; head -n 20 "$tmp/notices")
	expect_eq "the KME that was down" "$(grep -m 1 '^{"qlink:kme-down"' "$tmp/notices" | jq -r '.[] | .name + " " + .kme')" "qlink0 rack"
	expect_eq "the source" "$(grep -m 1 '^{"qlink:source-changed"' "$tmp/notices" | jq -r '.[] | .former + " " + .source')" "hybrid pqc"
}

run_tests "$@"
