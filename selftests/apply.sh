#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The document of a site, applied: all of it or nothing over devices, files and agent; and what is put back.

# shellcheck source=sites.sh
. "$(dirname "$0")/sites.sh"

# ---- documents ----

# A document of site $own, with N links from qlink0 on; $keys is what the agent knows of each.
# shellcheck disable=SC2016 # of jq
readonly to_document='{
	"ietf-interfaces:interfaces": {interface: [range($n) | {
		name: "qlink\(.)", type: "qlink:qlink", enabled: true,
		"qlink:link": {id: (100 + .), local: $local, remote: $remote, port: 47000, "keepalive-ms": 100},
		"qlink:keys": ({peer: "site-\($peer)"} + $keys)
	}]},
	"qlink:agent": {
		name: "site-\($own)", certificate: "\($pki)/site-\($own).pem", key: "\($pki)/site-\($own).key", ca: "\($pki)/ca.pem",
		listen: $listen, control: "\($dir)/control", metrics: "\($dir)/metrics", "audit-log": "\($dir)/audit",
		"kme-connect-ms": $patience, "kme-timeout-ms": $patience, "kme-retry-ms": 2000,
		kme: [{name: "rack", url: "https://10.1.\($site).9:8443", id: "KME-\($own | ascii_upcase)",
			certificate: "\($pki)/sae-\($own).pem", key: "\($pki)/sae-\($own).key", ca: "\($pki)/kme-ca.pem"}],
		peer: [{name: "site-\($peer)", address: $address}]
	}
}'
readonly pqc='{policy: "pqc-only", "floor-ms": 500}'

# document 1|2 N [FILTER]: writes $tmp/a/doc or $tmp/b/doc, after a jq filter.
document()
{
	local own=${site[$1]} peer=${site[3 - $1]}

	jq -n --argjson n "$2" --argjson site "$1" --arg own "$own" --arg peer "$peer" --arg pki "$pki" --arg dir "$tmp/$own" \
		--arg local "${address[$1]}" --arg remote "${address[3 - $1]}" --arg listen "${channel[$1]}" \
		--arg address "${channel[3 - $1]}" --argjson patience "$patience" "${keys:-$pqc} as \$keys | $to_document | ${3:-.}" \
		>"$tmp/$own/doc" || fail "document"
}

# on 1|2 COMMAND WORD…: apply, confirm or rollback at a site.
on()
{
	local dir=$tmp/${site[$1]}

	case $2 in
	apply) in_ns "$(site_ns "$1")" qlinkctl -f "$dir/links.d" apply --pending "$dir/pending" --config "$dir/conf" "${@:3}" ;;
	*) in_ns "$(site_ns "$1")" qlinkctl --pending "$dir/pending" "${@:2}" ;;
	esac
}
# apply 1|2 [OPTION…]: the document of a site.
apply() { on "$1" apply "${@:2}" "$tmp/${site[$1]}/doc" 2>&1; }
exit_of() { "$@" >/dev/null 2>&1; echo $?; }

# whole 1|2: all that a change may touch at a site.
whole()
{
	local dir=$tmp/${site[$1]}

	(cd "$dir" && sha256sum conf* links.d/* 2>/dev/null)
	ip -n "$(site_ns "$1")" -d -j link show type qlink |
		jq -cS 'map([.ifname, .mtu, .txqlen, .address, (.flags | index("UP") != null), (.linkinfo.info_data | [.id, .local, .remote, .port, .dscp, .accept, .keepalive_ms])])'
	[ ! -S "$dir/control" ] || status "$1" .reloads
}

# setup_applied [N]: two sites with N links each, made by their documents, without agents.
setup_applied()
{
	local n

	setup_sites
	for n in 1 2; do
		document "$n" "${1:-1}"
		expect_has "apply" "$(apply "$n")" "applied"
	done
}
# ready 1|2 N: so many links have agreed.
ready() { [ "$(status "$1" '[.links[] | select(.phase == "ready" and .protection == "protected")] | length')" = "$2" ]; }
# setup_ready [N]: agents run, too, and all links are protected.
setup_ready()
{
	local n

	setup_applied "$@"
	for n in 1 2; do agent_start "$n"; done
	for n in 1 2; do expect_ok "ready" busywait $((4 * deadline)) ready "$n" "${1:-1}" || show_logs; done
}

# expect_unchanged WHAT 1|2 STATUS TEXT COMMAND…: it exits with STATUS, says TEXT, and changes nothing.
expect_unchanged()
{
	local before said status

	before=$(whole "$2")
	said=$("${@:5}" 2>&1)
	status=$?
	expect_has "$1: said" "$said" "$4"
	expect_eq "$1: status" "$status" "$3"
	expect_eq "$1: nothing changed" "$(whole "$2")" "$before"
}

# ---- one site ----

test_made_from_nothing()
{
	setup_sites
	document 1 2
	expect_has "check" "$(apply 1 --check)" "device/qlink1: none -> there"
	expect_eq "no device" "$(devices "$ns1")" 0
	expect_refused "no file" "No such file" ls "$tmp/a/conf" "$tmp/a/links.d"
	expect_has "apply" "$(apply 1)" "the agent does not run: it reads $tmp/a/conf at its start"
	expect_eq "devices" "$(devices "$ns1")" 2
	expect_eq "the file's permissions" "$(stat -c %a "$tmp/a/conf")" 640
	expect_ok "links" in_ns "$ns1" qlinkctl -f "$tmp/a/links.d" links show
	expect_ok "the agent's file" qlinkd -n -c "$tmp/a/conf"
	expect_unchanged "again" 1 0 "nothing to change" apply 1
	expect_eq "JSON" "$(apply 1 -j | jq -c '[.changed, .outcome, .why, (.differences | length)]')" '[false,"unchanged",null,0]'
}

test_changed_and_pruned()
{
	setup_ready 3
	document 1 3 'del(."ietf-interfaces:interfaces".interface[2]) |
		."ietf-interfaces:interfaces".interface[0]."qlink:link".dscp = 9 |
		."ietf-interfaces:interfaces".interface[1]."qlink:keys"."suite-least" = 1'
	expect_eq "what changes" "$(apply 1 | grep -v ^applied)" "device/qlink0/dscp: 0 -> 9"
	expect_eq "not named, not pruned" "$(devices "$ns1") $(status 1 '.links | length')" "3 3"
	expect_eq "the agent was left alone" "$(status 1 .reloads)" 0
	expect_has "prune" "$(apply 1 --prune)" "link/qlink2: there -> none
device/qlink2: there -> none"
	expect_eq "pruned" "$(devices "$ns1") $(status 1 '.links | length') $(grep -c qlink2 "$tmp/a/conf" "$tmp/a/links.d/00-apply.conf" | paste -sd' ')" \
		"2 2 $tmp/a/conf:0 $tmp/a/links.d/00-apply.conf:0"
	expect_eq "dscp" "$(link_field "$ns1" .dscp)" 9
	expect_unchanged "again" 1 0 "nothing to change" apply 1 --prune
}

# What is wrong with the document itself changes nothing.
test_refused()
{
	setup_ready 2
	document 1 2 '."ietf-interfaces:interfaces".interface[1]."qlink:keys".peer = "site-x"'
	expect_unchanged "unknown peer" 1 1 "there is no peer site-x" apply 1
	document 1 2 '."ietf-interfaces:interfaces".interface[1]."qlink:keys" = {peer: "site-b", kmes: ["x"], sae: "B"}'
	expect_unchanged "unknown KME" 1 1 "there is no kme x" apply 1
	document 1 2 '."ietf-interfaces:interfaces".interface += [{name: "qlink9", type: "qlink:qlink", "qlink:keys": {peer: "site-b", policy: "pqc-only"}}]'
	expect_unchanged "unknown link" 1 1 "link/qlink9: there is no such device, and the document has none" apply 1
	document 1 2 '."ietf-interfaces:interfaces".interface[0]."qlink:link".nonsense = 1'
	expect_unchanged "unknown member" 1 1 "nonsense" apply 1
	ip -n "$ns1" link add qlink7 type dummy
	document 1 8
	expect_unchanged "another kind of device" 1 1 "qlink7: there is a device of this name, and it is not a qlink device" apply 1
}

# The agent has the last word, and the kernel a word on each device: all is put back.
test_put_back_if_refused()
{
	setup_ready 3
	document 1 3 '."ietf-interfaces:interfaces".interface[0]."qlink:link".dscp = 9 | ."qlink:agent".kme[0].certificate = "/none.pem"'
	expect_unchanged "a certificate is missing" 1 1 "the agent refuses it: " apply 1
	document 1 4 '."ietf-interfaces:interfaces".interface[0]."qlink:link".dscp = 9 | ."ietf-interfaces:interfaces".interface[1]."qlink:link".mtu = 60000'
	expect_unchanged "one MTU of many does not fit" 1 1 "qlink1: mtu greater than device maximum; nothing was changed" apply 1
	document 1 4 '."ietf-interfaces:interfaces".interface[3]."qlink:link".id = 100'
	expect_unchanged "one id of many is taken" 1 1 "qlink3: " apply 1
	expect_eq "-j" "$(on 1 apply -j "$tmp/a/doc" | jq -c '[.changed, .outcome]')" '[false,"refused"]'
}

# A link takes the id of one that gets another in the same change, whatever their order; it is refused while it is taken.
test_id_of_another()
{
	setup_applied 2
	document 1 2 '."ietf-interfaces:interfaces".interface |= (.[0]."qlink:link".id = 101 | .[1]."qlink:link".id = 102)'
	expect_has "apply" "$(apply 1)" applied
	expect_eq "ids" "$(link_field "$ns1" .id) $(dev=qlink1 link_field "$ns1" .id)" "101 102"
	document 1 2 '."ietf-interfaces:interfaces".interface |= (.[0]."qlink:link".id = 102 | .[1]."qlink:link".id = 101)'
	expect_unchanged "exchanged" 1 1 "qlink0: id 102 of this peer belongs to qlink1 already; nothing was changed" apply 1
}

# What was written by hand is not lost.
test_written_by_hand()
{
	setup_sites
	agent_conf 1 "policy pqc-only"
	mkdir "$tmp/a/links.d"
	echo "qlink0 type qlink id 9 local ${address[1]} remote ${address[2]} port $port" >"$tmp/a/links.d/mine.conf"
	in_ns "$ns1" qlinkctl -f "$tmp/a/links.d" links apply >/dev/null
	document 1 1
	expect_unchanged "a link" 1 1 "links.d/mine.conf:1: qlink0 is declared there by hand" apply 1
	document 1 0 '."qlink:agent".peer[0].address = "203.0.113.9"'
	expect_unchanged "the agent" 1 1 "conf was written by hand: --replace takes its place" apply 1
	cp "$tmp/a/conf" "$tmp/a/mine"
	document 1 1
	expect_has "replace" "$(apply 1 --replace)" applied
	expect_ok "the agent's is kept" cmp "$tmp/a/mine" "$tmp/a/conf.before-apply"
	expect_eq "links.d" "$(ls "$tmp/a/links.d")" $'00-apply.conf\nmine.conf.before-apply'
	expect_eq "id" "$(link_field "$ns1" .id)" 100
	expect_unchanged "again" 1 0 "nothing to change" apply 1
}

# ---- confirm and rollback ----

waits() { [ -e "$tmp/${site[$1]}/pending/change" ]; }
back() { ! waits "$1"; }
dscp9='."ietf-interfaces:interfaces".interface[0]."qlink:link".dscp = 9 | ."ietf-interfaces:interfaces".interface[0]."qlink:keys"."floor-ms" = 400'

test_confirmed()
{
	setup_ready
	document 1 1 "$dscp9"
	expect_has "apply" "$(apply 1 --confirm 60)" "\"qlinkctl confirm\" keeps it, or what was before is put back in 60 s"
	expect_unchanged "a second one" 1 1 "another change is being made, or waits" apply 1
	expect_unchanged "of rollback at boot" 1 0 "" on 1 rollback --if-interrupted
	expect_eq "confirm" "$(on 1 confirm)" confirmed
	expect_eq "dscp" "$(link_field "$ns1" .dscp)" 9
	expect_ok "in the file" grep -q "floor-ms 400" "$tmp/a/conf"
	expect_refused "twice" "no change waits; the last one was confirmed at" on 1 confirm
	expect_unchanged "again" 1 0 "nothing to change" apply 1
}

test_rolled_back()
{
	local before

	setup_ready
	before=$(whole 1 | head -n -1)
	document 1 1 "$dscp9"
	apply 1 --confirm 60 >/dev/null
	expect_eq "rollback" "$(on 1 rollback)" "qlinkctl rollback was called: what was before was put back"
	expect_eq "as before" "$(whole 1 | head -n -1)" "$before"
	expect_refused "twice" "no change waits; the last one was rolled back at" on 1 rollback
	apply 1 --confirm 1 >/dev/null
	expect_soon "not confirmed" back 1
	expect_refused "why" "not confirmed in 1 s" on 1 confirm
	expect_eq "as before" "$(whole 1 | head -n -1)" "$before"
	expect_eq "reloads: 2 changes, 2 put back" "$(status 1 .reloads)" 4
}

# The shell goes with its terminal; the guard stays. It is killed: the change waits for who starts the links.
test_guard_survives_and_is_killed()
{
	local before

	setup_ready
	before=$(whole 1 | head -n -1)
	document 1 1 "$dscp9"
	setsid bash -c "trap - HUP; ip netns exec $ns1 qlinkctl -f $tmp/a/links.d apply --pending $tmp/a/pending --config $tmp/a/conf --confirm 3 $tmp/a/doc >/dev/null; kill -HUP 0"
	expect_ok "it waits" waits 1
	expect_eq "one guard" "$(guards)" 1
	expect_soon "put back" back 1
	expect_eq "as before" "$(whole 1 | head -n -1)" "$before"
	apply 1 --confirm 60 >/dev/null
	guard_kill 9
	expect_eq "at boot" "$(on 1 rollback --if-interrupted)" "a change was interrupted: what was before was put back"
	expect_eq "as before" "$(whole 1 | head -n -1)" "$before"
	apply 1 --confirm 60 >/dev/null
	guard_kill 9
	expect_eq "confirmed without a guard" "$(on 1 confirm)" confirmed
	apply 1 >/dev/null
	document 1 1
	apply 1 --confirm 60 >/dev/null
	guard_kill TERM
	expect_soon "told to end" back 1
	expect_eq "as it was confirmed" "$(link_field "$ns1" .dscp)" 9
}
# guards: the guards of this test.
guards() { find /proc/[0-9]*/fd -lname "$tmp/a/pending/lock" 2>/dev/null | cut -d/ -f3 | sort -u | wc -l; }
no_guard() { [ "$(guards)" = 0 ]; }
guard_kill()
{
	find /proc/[0-9]*/fd -lname "$tmp/a/pending/lock" 2>/dev/null | cut -d/ -f3 | sort -u | xargs -r kill "-$1"
	expect_soon "no guard" no_guard
}

# A boot has made the devices anew, of files: those are put back, and nothing else.
test_interrupted_by_a_boot()
{
	local conf

	setup_applied
	conf=$(cat "$tmp/a/conf")
	document 1 1 "$dscp9"
	apply 1 --confirm 60 >/dev/null
	guard_kill 9
	sed -i 's/"boot": "[^"]*"/"boot": "another"/' "$tmp/a/pending/change/change.json"
	expect_eq "at boot" "$(on 1 rollback --if-interrupted)" "a change was interrupted: what was before was put back"
	expect_eq "the file" "$(cat "$tmp/a/conf")" "$conf"
	expect_refused "in the file of links" "" grep -q dscp "$tmp/a/links.d/00-apply.conf"
	expect_eq "the device is left alone" "$(link_field "$ns1" .dscp)" 9
}

# settled 1|2: what no change of another link may touch, of each link but qlink25: lost carriers, sessions and keys.
settled()
{
	ip netns exec "$(site_ns "$1")" sh -c 'cd /sys/class/net && grep . qlink*/carrier_down_count | grep -v qlink25/'
	status "$1" '.links[] | select(.device != "qlink25") | [.device, .protection, (.counters | .sessions, .timeouts, .failures,
		.violations, .keys_burned)] | @csv'
}
carrier25_is() { [ "$(carrier "$(site_ns "$1")" qlink25)" = "$2" ]; }

# few_hybrid 1|2: a filter that gives three of all links keys of the KMEs. A machine under load sends keepalives late.
few_hybrid()
{
	local peer=${site[3 - $1]}

	echo ".\"ietf-interfaces:interfaces\".interface[:3][].\"qlink:keys\" |= {peer, kmes: [\"rack\"], sae: \"SAE-${peer^^}\",
		store: 100, \"outage-cover\": 30} |
		.\"ietf-interfaces:interfaces\".interface[].\"qlink:link\".\"keepalive-ms\" = 1000"
}

# The address of the peer of one link of 50 is changed, and is wrong, at both ends; nobody confirms it.
test_wrong_address_of_one_of_50()
{
	local n ping before=() calm=() seconds=12 change

	[ "${QLINK_SOAK:-}" != 1 ] || seconds=30
	setup_sites
	kmes_start "${rich[@]}"
	for n in 1 2; do document "$n" 50 "$(few_hybrid "$n")" && apply "$n" >/dev/null; done
	for n in 1 2; do agent_start "$n"; done
	for n in 1 2; do expect_ok "ready" busywait $((8 * deadline)) ready "$n" 50 || show_logs; done
	for n in 1 2; do ip -n "$(site_ns "$n")" address add "192.0.2.$n/24" dev qlink0; done
	ip netns exec "$ns1" ping -i 0.02 192.0.2.2 >"$tmp/pings" 2>&1 &
	ping=$! && defer kill "$ping"
	expect_soon "pings" grep -q 'bytes from' "$tmp/pings"
	for n in 1 2; do before[n]=$(whole "$n" | head -n -1) calm[n]=$(settled "$n"); done
	for n in 1 2; do
		change='."ietf-interfaces:interfaces".interface[25]."qlink:link".remote = "198.51.100.77"'
		document "$n" 50 "$(few_hybrid "$n") | $change"
		expect_eq "apply" "$(apply "$n" --confirm "$seconds")" "device/qlink25/remote: ${address[3 - n]} -> 198.51.100.77
applied; \"qlinkctl confirm\" keeps it, or what was before is put back in $seconds s"
	done
	for n in 1 2; do expect_soon "this link is cut" carrier25_is "$n" 0; done
	for n in 1 2; do expect_ok "put back" busywait $((seconds + deadline)) back "$n"; done
	for n in 1 2; do expect_soon "this link is back" carrier25_is "$n" 1; done
	for n in 1 2; do
		expect_eq "as before" "$(whole "$n" | head -n -1)" "${before[n]}"
		expect_eq "no other link noticed" "$(settled "$n")" "${calm[n]}"
		expect_refused "told" "not confirmed in $seconds s" on "$n" confirm
		expect_eq "reloads" "$(status "$n" .reloads)" 0
	done
	kill -INT "$ping"
	expect_soon "all answered" grep -q ' 0% packet loss' "$tmp/pings"
}

test_if_protected()
{
	local n

	setup_ready
	for n in 1 2; do document "$n" 1 "$dscp9"; done
	expect_has "good" "$(apply 1 --confirm 30 --if-protected)" "applied: all links are as well protected as before"
	expect_ok "nothing waits" back 1
	document 1 1 "$dscp9"' | ."ietf-interfaces:interfaces".interface[0]."qlink:link".remote = "198.51.100.77"'
	expect_eq "bad" "$(exit_of apply 1 --confirm 3 --if-protected)" 3
	expect_eq "put back" "$(link_field "$ns1" .remote)" "${address[2]}"
	expect_refused "why" "not as well protected as before in 3 s: qlink0: " on 1 confirm
	expect_soon "ready" ready 1 1
}

# shellcheck disable=SC2034 # of ktap.sh
debug_tests="made_from_nothing put_back_if_refused rolled_back"
run_tests "$@"
