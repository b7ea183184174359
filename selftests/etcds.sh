# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Two sites that follow an etcd of three nodes: what tests of qlink-follow share in addition to sites.sh.
#
# $hub has a bridge; the nodes, $node1 to $node3, and both sites reach each other over it by their ctl0. The files of a node
# are in $tmp/etcd1 to $tmp/etcd3.

# shellcheck source=sites.sh
. "$(dirname "${BASH_SOURCE[0]}")/sites.sh"

readonly node_address=(- 10.3.0.1 10.3.0.2 10.3.0.3) control_address=(- 10.3.0.11 10.3.0.12) operator=10.3.0.9
readonly endpoints=(https://10.3.0.{1..3}:2379)
etcd_pid=(- 0 0 0) follow_pid=(- 0 0)
# shellcheck disable=SC2034 # by indirection
hub='' node1='' node2='' node3=''	# setup_ns names them

# ---- certificates, made once for all tests of a file ----

# etcd_cert NAME [ADDRESS]: one that serves and calls, as etcd's gateway does both. The gateway refuses a caller that has a
# common name once there are users.
etcd_cert()
{
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -CA ca.pem -CAkey ca.key -subj "/O=$1" \
		-addext basicConstraints=critical,CA:FALSE -addext extendedKeyUsage=serverAuth,clientAuth \
		${2:+-addext "subjectAltName=IP:$2"} -keyout "$1.key" -out "$1.pem" 2>/dev/null
}

make_etcd_pki()
{
	local n

	etcd_pki=$top/etcd-pki
	[ ! -d "$etcd_pki" ] || return 0
	mkdir "$etcd_pki"
	(
		cd "$etcd_pki" || exit 1
		openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj "/CN=etcd CA" -keyout ca.key \
			-out ca.pem 2>/dev/null || exit 1
		for n in 1 2 3; do etcd_cert "node$n" "${node_address[n]}" || exit 1; done
		etcd_cert operator && etcd_cert site-a && etcd_cert site-b
	) || fail "certificates of etcd"
}

# ---- the nodes ----

# connect_hub NS PORT ADDRESS: a ctl0 in NS, and a PORT of the bridge.
connect_hub()
{
	ip link add "$2" netns "$hub" type veth peer name ctl0 netns "$1" &&
		ip -n "$hub" link set "$2" master br0 up &&
		ip -n "$1" address add "$3/24" dev ctl0 && ip -n "$1" link set ctl0 up
}

# etcd_start N [WORD…]: starts a node; it has its data of before, if there are any.
etcd_start()
{
	local ns=node$1 at=${node_address[$1]} cert=$etcd_pki/node$1

	ip netns exec "${!ns}" etcd --name "node$1" --data-dir "$tmp/etcd$1" --unsafe-no-fsync --logger zap --log-level warn \
		--heartbeat-interval 300 --election-timeout 3000 --bcrypt-cost 4 \
		--listen-client-urls "https://$at:2379" --advertise-client-urls "https://$at:2379" \
		--cert-file "$cert.pem" --key-file "$cert.key" --trusted-ca-file "$etcd_pki/ca.pem" --client-cert-auth \
		--tls-min-version TLS1.3 --peer-cert-file "$cert.pem" --peer-key-file "$cert.key" \
		--peer-trusted-ca-file "$etcd_pki/ca.pem" --peer-client-cert-auth \
		--listen-peer-urls "https://$at:2380" --initial-advertise-peer-urls "https://$at:2380" \
		--initial-cluster node1=https://10.3.0.1:2380,node2=https://10.3.0.2:2380,node3=https://10.3.0.3:2380 \
		>>"$tmp/etcd$1.log" 2>&1 &
	etcd_pid[$1]=$!
	defer kill -9 "${etcd_pid[$1]}"
}

# operator WORD…: etcdctl as the operator.
operator()
{
	ip netns exec "$hub" etcdctl --endpoints "$(IFS=,; echo "${endpoints[*]}")" --cacert "$etcd_pki/ca.pem" \
		--cert "$etcd_pki/operator.pem" --key "$etcd_pki/operator.key" ${operator_user:+--user "$operator_user"} \
		--dial-timeout 10s --command-timeout 20s "$@"
}
operator_user=''

# statuses_start: writes each change of a status to $tmp/statuses from now on.
statuses_start()
{
	operator watch --prefix /qlink/status/ >"$tmp/statuses" 2>&1 &
	defer kill $!
}

# status_has a|b FILTER: the last status of a site is so, by a filter of jq; none is null.
status_has()
{
	awk -v key="/qlink/status/$1" '$0 == key { getline; last = $0 } END { print last ? last : "null" }' "$tmp/statuses" |
		jq -e "$2" >/dev/null
}

# expect_status a|b FILTER: soon.
expect_status()
{
	expect_soon "status of $1: $2" status_has "$@" && return
	tail -n 12 "$tmp/statuses"
	tail -n 20 "$tmp/$1/follow.log"
	return 1
}

# ---- the sites ----

# setup_followed: two sites and their certificates, nothing else of them, and an etcd that runs.
setup_followed()
{
	local n ns

	setup_sites
	setup_ns hub node1 node2 node3
	ip -n "$hub" link add br0 type bridge
	ip -n "$hub" address add "$operator/24" dev br0
	ip -n "$hub" link set br0 up
	make_etcd_pki
	for n in 1 2 3; do ns=node$n; connect_hub "${!ns}" "$ns" "${node_address[n]}"; done
	for n in 1 2; do connect_hub "$(site_ns "$n")" "site$n" "${control_address[n]}"; done
	for n in 1 2 3; do etcd_start "$n"; done
	expect_ok "etcd" busywait 60 operator endpoint health || tail -n 5 "$tmp"/etcd?.log
}

# site_document 1|2 [FILTER]: the document of a site, changed by a filter of jq.
site_document()
{
	local own=${site[$1]} peer=${site[3 - $1]} dir=$tmp/${site[$1]}

	jq -c "${2:-.}" <<-END
		{
		  "ietf-interfaces:interfaces": {"interface": [{
		    "name": "qlink0", "type": "qlink:qlink", "enabled": true,
		    "qlink:link": {"id": $link_id, "address": "02:00:00:00:01:0$1", "local": "${address[$1]}", "remote": "${address[3 - $1]}", "port": $port,
		                   "accept": ["pqc"], "keepalive-ms": 100},
		    "qlink:keys": {"peer": "site-$peer"}}]},
		  "qlink:agent": {
		    "name": "site-$own", "certificate": "$pki/site-$own.pem", "key": "$pki/site-$own.key", "ca": "$pki/ca.pem",
		    "listen": "${channel[$1]}", "control": "$dir/control", "metrics": "$dir/metrics", "audit-log": "$dir/audit",
		    "peer": [{"name": "site-$peer", "address": "${channel[3 - $1]}"}]}
		}
	END
}

readonly common_document='{"qlink:agent": {"defaults": {"policy": "pqc-only", "floor-ms": 200}}}'

# put KEY VALUE: below /qlink.
put() { expect_ok "put $1" operator put "/qlink/$1" "$2"; }

# put_documents: what both sites have in common, and the documents of both.
put_documents()
{
	put common "$common_document"
	put sites/a "$(site_document 1)"
	put sites/b "$(site_document 2)"
}

# follow_conf 1|2 [LINE…]: the LINEs are added to the section apply.
follow_conf()
{
	local dir=$tmp/${site[$1]}

	{
		echo "etcd"
		printf ' %s\n' "endpoints ${endpoints[*]}" "ca $etcd_pki/ca.pem" "certificate $etcd_pki/site-${site[$1]}.pem" \
			"key $etcd_pki/site-${site[$1]}.key" "ttl 10" ${site_user:+"user site-${site[$1]}" "password-file $tmp/password"}
		echo "apply"
		printf ' %s\n' "config $dir/conf" "control $dir/control" "folder $dir/links.d" "pending $dir/pending" \
			"state $dir/state" "${@:2}"
		[[ " ${*:2}" == *" confirm "* ]] || echo " confirm 20"
	} >"$dir/follow.conf"
}
site_user=''

# follow_start 1|2: starts a follower with its configuration of before.
follow_start()
{
	local dir=$tmp/${site[$1]}

	mkdir -p "$dir/links.d"
	ip netns exec "$(site_ns "$1")" qlink-follow -c "$dir/follow.conf" "${site[$1]}" 2>>"$dir/follow.log" &
	follow_pid[$1]=$!
	defer kill "${follow_pid[$1]}"
}

# followed_logged 1|2 TEXT: the follower of a site has said so.
followed_logged() { grep -qF -e "$2" "$tmp/${site[$1]}/follow.log"; }

# setup_following [LINE…]: both sites have become as their documents say, and are protected; the LINEs are for follow_conf.
setup_following()
{
	setup_followed
	statuses_start
	setup_sites_following "$@"
}

# setup_sites_following [LINE…]: that, once etcd runs.
setup_sites_following()
{
	local n

	put_documents
	for n in 1 2; do
		follow_conf "$n" "$@"
		follow_start "$n"
	done
	for n in a b; do expect_status "$n" '.outcome == "applied" and .wanted == .applied' || return; done
	for n in 1 2; do
		ip -n "$(site_ns "$n")" address add "${inner[n]}/24" dev qlink0
		agent_start "$n"
	done
	quiet
	keep_busy
	for n in a b; do expect_status "$n" '.links.qlink0 == "protected"'; done
}

# cut PORT…, mend PORT…: takes ports of the bridge down, and up again.
cut() { local device; for device; do ip -n "$hub" link set "$device" down; done; }
mend() { local device; for device; do ip -n "$hub" link set "$device" up; done; }
