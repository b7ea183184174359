#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Sites that follow their documents in an etcd of three nodes: whatever fails there, their links go on.

# shellcheck disable=SC2034 # for run: scripts/check has a VM for these
run_by=kselftests-follow

# shellcheck source=etcds.sh
. "$(dirname "$0")/etcds.sh"

# grant_users: users of etcd that read what they follow, and write their own status.
grant_users()
{
	local n

	(umask 077 && echo "secret-of-sites" >"$tmp/password")
	operator user add root --new-user-password of-root && operator user grant-role root root || return
	for n in a b; do
		operator role add "site-$n" &&
			operator role grant-permission "site-$n" read /qlink/common &&
			operator role grant-permission "site-$n" read "/qlink/sites/$n" &&
			operator role grant-permission "site-$n" write "/qlink/status/$n" &&
			operator user add --interactive=false "site-$n" <"$tmp/password" &&
			operator user grant-role "site-$n" "site-$n" || return
	done
	operator auth enable
}

floor_is() { grep -qx "[[:space:]]*floor-ms $2" "$tmp/${site[$1]}/conf"; }
# set_floor MS: what both sites have in common, with another option.
set_floor() { put common "$(jq -c ".\"qlink:agent\".defaults.\"floor-ms\" = $1" <<<"$common_document")"; }
# wrong_remote: the document of site a, whose link would send frames to nobody.
wrong_remote() { site_document 1 ".\"ietf-interfaces:interfaces\".interface[0].\"qlink:link\".remote = \"${address[9]}\""; }
remote_is() { link_field_is "$ns1" .remote "$1"; }
readonly done_all='.outcome == "applied" and .wanted == .applied and .links.qlink0 == "protected"'

# A document becomes a site; a bad one changes nothing, and is told; a deleted one deletes nothing unless prune is yes.
test_documents_udp()
{
	local n

	setup_following || return
	steady_start
	set_floor 300
	for n in 1 2; do expect_soon "floor at $n" floor_is "$n" 300; done
	for n in a b; do expect_status "$n" "$done_all"; done
	put sites/a "$(site_document 1 '."ietf-interfaces:interfaces".interface[0]."qlink:link".id = 0')"
	expect_status a '.outcome == "refused" and (.why | contains("id")) and .wanted > .applied'
	put sites/a '{"qlink:agent": }'
	expect_status a '.outcome == "refused" and (.why | contains("/qlink/sites/a: line 1"))'
	put sites/a "$(site_document 1)"
	expect_status a '.outcome == "unchanged" and .wanted == .applied'
	expect_ok "delete" operator del /qlink/sites/b
	expect_status b '.outcome == "no-document" and .wanted == null and (.why | contains("was deleted"))'
	expect_eq "devices" "$(devices "$ns2")" 1
	steady_stop

	kill "${follow_pid[2]}"
	follow_conf 2 "prune yes"
	follow_start 2
	expect_soon "deleted" no_device "$ns2"
	expect_status b '.outcome == "applied" and .links == {}'
	expect_eq "the agent stays" "$(status 2 '"\(.name) \(.links | length)"')" "site-b 0"
}

# A change after which nobody hears the site is put back, also if the follower is killed meanwhile.
test_rolled_back_udp()
{
	setup_following "confirm 8" || return
	put sites/a "$(wrong_remote)"
	expect_status a '.outcome == "rolled-back" and (.why | contains("qlink0")) and .wanted > .applied'
	expect_ok "remote" remote_is "${address[2]}"
	expect_status a '.links.qlink0 == "protected"'

	put sites/a "$(wrong_remote)"
	expect_soon "changed" remote_is "${address[9]}"
	kill -9 "${follow_pid[1]}"
	: >"$tmp/statuses"
	follow_start 1
	expect_status a '.outcome == "waits" and (.why | contains("another change is being made"))'
	expect_status a '.outcome == "rolled-back"'
	expect_ok "remote" remote_is "${address[2]}"
	expect_eq "nothing waits" "$(ls "$tmp/a/pending/change" 2>/dev/null)" ""
	# It is not tried again after a restart, but when it is put again.
	kill -9 "${follow_pid[1]}"
	: >"$tmp/statuses"
	: >"$tmp/a/follow.log"
	follow_start 1
	expect_status a '.outcome == "rolled-back"'
	expect_refused "tried again" "" followed_logged 1 "revision"
	put sites/a "$(site_document 1)"
	expect_status a '.outcome == "unchanged" and .wanted == .applied and .links.qlink0 == "protected"'
}

# A site that is cut off goes on; its status goes; it catches up, also past what was compacted.
test_parted_udp()
{
	local revision

	setup_following || return
	steady_start
	cut site1
	expect_ok "the status goes" busywait 60 status_has a '. == null'
	set_floor 300
	set_floor 400
	put sites/a "$(site_document 1 '."ietf-interfaces:interfaces".interface[0]."qlink:link".dscp = 9')"
	expect_soon "the other site" floor_is 2 400
	revision=$(operator get -w json /qlink/common | jq .header.revision)
	expect_ok "compact" operator compact --physical "$revision"
	expect_ok "as before" floor_is 1 200
	mend site1
	expect_ok "catches up" busywait 120 status_has a "$done_all" || tail "$tmp/a/follow.log"
	expect_ok "floor" floor_is 1 400
	expect_eq "dscp" "$(link_field "$ns1" .dscp)" 9
	expect_ok "said" followed_logged 1 "the site goes on as it is"
	steady_stop
}

# leader: the number of the node that leads.
leader()
{
	operator endpoint status -w json | jq -r '.[] | select(.Status.leader == .Status.header.member_id) | .Endpoint' |
		sed 's/.*\.\([0-9]\):.*/\1/'
}

# The leader is killed: what is put is followed all the same. Without a majority sites go on, and follow when it is back.
# Sites have users, which may do no more than they must.
test_nodes_udp()
{
	local n

	setup_followed
	expect_ok "users" grant_users
	site_user=yes operator_user=root:of-root
	statuses_start
	setup_sites_following || return
	operator_user="site-a:secret-of-sites"
	expect_refused "another's document" "permission denied" operator get /qlink/sites/b
	expect_refused "its own document" "permission denied" operator put /qlink/sites/a '{}'
	expect_refused "another's status" "permission denied" operator put /qlink/status/b '{}'
	operator_user=root:of-root
	steady_start
	n=$(leader)
	kill -9 "${etcd_pid[n]}"
	expect_soon "put" operator put /qlink/common "$(jq -c '."qlink:agent".defaults."floor-ms" = 300' <<<"$common_document")"
	for n in 1 2; do expect_soon "floor at $n" floor_is "$n" 300; done
	for n in 1 2 3; do kill -0 "${etcd_pid[n]}" 2>/dev/null || etcd_start "$n"; done
	expect_soon "all nodes" operator endpoint health
	cut node2 node3
	expect_soon "no leader" followed_logged 1 "the site goes on as it is"
	mend node2 node3
	expect_soon "put" operator put /qlink/common "$(jq -c '."qlink:agent".defaults."floor-ms" = 400' <<<"$common_document")"
	for n in 1 2; do expect_ok "floor at $n" busywait 90 floor_is "$n" 400; done
	steady_stop
}

run_tests "$@"
