#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# "qlinkctl doctor" on two sites of which one thing at a time is broken: it names the cause, and says "protected" once
# that is mended.

# shellcheck source=sites.sh
. "$(dirname "$0")/sites.sh"

# The debug kernel takes minutes for a table of set-ups. They test a program; the kernel that they use is tested elsewhere.
# shellcheck disable=SC2034 # for ktap.sh
debug_tests="a_user_without_rights_udp"

# ---- what doctor says ----

# How long doctor may take to see a change, in s. It looks for seconds, and an agent that cannot reach somebody tries again
# after seconds; on a busy machine both take several times as long.
readonly doctor_deadline=$((3 * deadline))

# doctor 1|2 [DEVICE]: what it says about a link of a site, as JSON.
doctor()
{
	in_ns "$(site_ns "$1")" qlinkctl -c "$tmp/${site[$1]}/control" -j doctor "${2:-qlink0}" config "$tmp/${site[$1]}/conf"
}

# says 1|2 DEVICE STATUS FILTER: doctor exits with this status, and this jq filter holds for the link. What it said stays in
# $tmp/said.
says()
{
	local status=0

	doctor "$1" "$2" >"$tmp/said" || status=$?
	[ "$status" = "$3" ] && jq -e ".[0] | $4" "$tmp/said"
}

# expect_in_time NAME COMMAND…
expect_in_time()
{
	n_checks=$((n_checks + 1))
	busywait "$doctor_deadline" "${@:2}" || { fail "$1: not within $doctor_deadline s: ${*:2}"; return 1; }
}

show_said() { jq -c '.[0] | {verdict, causes, unseen}' "$tmp/said"; }

# expect_named 1|2 CAUSE [of DEVICE] [with CAUSE] [alone] [says TEXT]: doctor soon names CAUSE first, for this device instead of
# qlink0, with that consequence, without a second cause, with this text. All of it is in one answer: an answer that
# is given while something changes may name what was before.
expect_named()
{
	local end=$1 cause=$2 device=qlink0
	local filter=".causes[0] | .cause == \"$2\" and .what != \"\" and .evidence != \"\" and .command != \"\""

	n_setups=$((n_setups + 1))
	shift 2
	while [ $# -gt 0 ]; do
		case $1 in
		of) device=$2; shift ;;
		with) filter+=" and any(.consequences[]; .cause == \"$2\")"; shift ;;
		says) filter+=" and (tostring | contains(\"$2\"))"; shift ;;
		alone) filter="(.causes | length) == 1 and ($filter)" ;;
		esac
		shift
	done
	expect_in_time "site ${site[end]}: $cause" says "$end" "$device" 1 "$filter" || show_said
}

expect_protected()
{
	expect_in_time "site ${site[$1]}: protected" says "$1" qlink0 0 '.verdict == "protected" and .causes == []' || show_said
}

n_setups=0

# works: the kernel of both ends says that frames go both ways; quicker to ask than doctor.
works()
{
	link_field_is "$ns1" '"\(.protection) \(.peer_heard)"' "protected true" &&
		link_field_is "$ns2" '"\(.protection) \(.peer_heard)"' "protected true"
}
expect_works() { expect_in_time "mended" works; }

# ---- keys that are installed by hand, without an agent ----

# setup_hand_keyed: two ends with static keys and keepalives.
setup_hand_keyed()
{
	local n

	setup_pair
	mkdir "$tmp"/{a,b}
	for n in 1 2; do link_set "$(site_ns "$n")" keepalive-ms 300; done
	expect_works
	expect_protected 1
}

# wire_again 1|2: gives veth0 its address and neighbour again.
wire_again()
{
	local batch=''

	wire_batch "$1"
	ip -n "$(site_ns "$1")" -force -batch - <<<"$batch" 2>/dev/null
}

# nft 1|2 LINE…: commands of nft in a site.
nft() { expect_ok "nft" ip netns exec "$(site_ns "$1")" nft -f - <<<"$(printf '%s\n' "${@:2}")"; }
# wall 1|2 HOOK POLICY RULE…: a table of a firewall, in place of the one before.
wall()
{
	nft "$1" "add table inet wall" "delete table inet wall" "table inet wall {" \
		"chain c {" "type filter hook $2 priority 0; policy $3" "${@:4}" "}" "}"
}
no_wall() { nft "$1" "delete table inet wall"; }

each_test_static_keys()
{
	setup_hand_keyed
	ip -n "$ns1" link set qlink0 down
	expect_named 1 device-down alone
	ip -n "$ns1" link set qlink0 up
	ip -n "$ns1" link set veth0 down
	expect_named 1 lower-down alone
	ip -n "$ns1" link set veth0 up
	wire_again 1
	expect_works
	ip -n "$ns2" link set veth0 down
	expect_named 1 no-carrier alone
	ip -n "$ns2" link set veth0 up
	wire_again 2
	expect_works
	link_set "$ns2" id 8
	expect_named 1 id-differs
	link_set "$ns2" id "$link_id"
	expect_works
	break_keys
	expect_named 1 no-device of qlink9
	expect_named 1 not-qlink of veth0
	expect_ok "add" ip -n "$ns1" link add qlink8 type qlink
	expect_named 1 no-underlay of qlink8
	ip -n "$ns1" link delete qlink8
	"break_$under"
	expect_works
	expect_protected 1
	expect_protected 2
	echo "# $n_setups broken set-ups"
}

# break_keys: keys that are missing at one end.
break_keys()
{
	local file

	file=$(key_new lost)
	key_add "$ns2" tx 100 "$file"
	expect_ok "rotate" in_ns "$ns2" qlinkctl rotate qlink0
	expect_named 1 keys-differ
	key_add "$ns1" rx 100 "$file"
	expect_works
	expect_ok "delete" in_ns "$ns1" qlinkctl key del qlink0 rx epoch 100
	in_ns "$ns1" qlinkctl key del qlink0 rx epoch 1 2>/dev/null
	expect_named 1 no-rx-key alone
	key_pass "$ns2" "$ns1" 101
	expect_ok "rotate" in_ns "$ns2" qlinkctl rotate qlink0
	expect_works
	expect_ok "delete" in_ns "$ns1" qlinkctl key del qlink0 tx epoch 1
	expect_named 1 no-key with one-way alone
	key_pass "$ns1" "$ns2" 2
	expect_works
}

# What only links over Ethernet can have.
break_eth()
{
	link_set "$ns2" peer 02:00:00:00:00:09
	expect_named 1 silent
	link_set "$ns2" peer "${mac[1]}"
	link_set "$ns1" peer 02:00:00:00:00:09
	expect_named 1 address-differs
	link_set "$ns1" peer "${mac[2]}"
	expect_works
	ip -n "$ns1" link add br0 type bridge
	ip -n "$ns1" link set veth0 master br0
	expect_named 1 lower-taken says "nomaster"
	ip -n "$ns1" link set veth0 nomaster
	ip -n "$ns1" link delete br0
	expect_works
	nft 1 "table netdev wall {" "chain c {" "type filter hook ingress device veth0 priority 0; policy accept" \
		"ether type 0x88b5 drop" "}" "}"
	expect_named 1 firewall-frames says "chain c in table netdev wall"
	nft 1 "delete table netdev wall"
}

# What only links over UDP can have.
break_udp()
{
	break_routes
	wall 1 input accept "udp dport $port drop"
	expect_named 1 firewall-frames says "nft insert rule inet wall c udp dport $port accept" alone
	wall 1 input drop "ct state established,related accept" "iifname lo accept" "tcp dport 22 accept"
	expect_named 1 firewall-frames says "the policy of chain c"
	# The command that doctor gives mends it.
	nft 1 "insert rule inet wall c udp dport $port accept"
	expect_works
	wall 1 output accept "ip daddr { ${address[2]}, ${address[5]} } drop"
	expect_named 1 firewall-frames says "that leave"
	no_wall 1
	# A firewall that cannot be seen from here.
	wall 2 input accept "udp dport $port drop"
	expect_named 1 one-way
	expect_named 2 firewall-frames
	wall 2 output accept "udp dport $port drop"
	expect_named 1 silent
	no_wall 2
	expect_works
	link_set "$ns2" port 47001
	expect_named 1 port-unreachable
	link_set "$ns2" port "$port"
	ip -n "$ns2" address add "${address[5]}/24" dev veth0
	link_set "$ns2" local "${address[5]}"
	expect_named 1 address-differs
	link_set "$ns2" local "${address[2]}"
}

break_routes()
{
	ip -n "$ns1" address del "${address[1]}/24" dev veth0
	expect_named 1 no-local-address
	wire_again 1
	expect_works
	ip -n "$ns1" route add unreachable "${address[2]}"
	expect_named 1 no-route with one-way alone
	ip -n "$ns1" route replace "${address[2]}" dev qlink0
	ip -n "$ns1" route del unreachable "${address[2]}" 2>/dev/null
	expect_named 1 route-loop
	ip -n "$ns1" route del "${address[2]}"
	expect_works
	ip -n "$ns2" link set veth0 arp off
	ip -n "$ns1" neighbour del "${address[2]}" dev veth0
	expect_named 1 neighbour-silent
	ip -n "$ns2" link set veth0 arp on
	wire_again 1
	wire_again 2
	expect_works
}

# ---- agents ----

# agent_again 1|2 [SED…]: starts an agent with its configuration changed by sed, from how it was at first.
agent_again()
{
	local dir=$tmp/${site[$1]}

	# It may have refused to start.
	agent_kill "$1" 2>/dev/null
	rm -f "$dir/control"
	sed "${@:2}" "$dir/conf.good" >"$dir/conf"
	agent_start "$1"
}

# agent_mended 1|2: starts it as it was.
agent_mended() { agent_again "$1" -e ''; }

both_ready() { link_status_is 1 .phase ready && link_status_is 2 .phase ready && works; }
expect_ready() { expect_in_time "ready" both_ready || show_logs; }

# certificate FILE NAME CA FROM TO [KEY]: a certificate of an agent, valid from and until so many days from now.
certificate()
{
	openssl req -x509 -newkey "${6:-ML-DSA-65}" -nodes -subj "/CN=$2" -CA "$3.pem" -CAkey "$3.key" \
		-not_before "$(date -u -d "$4 days" +%Y%m%d%H%M%SZ)" -not_after "$(date -u -d "$5 days" +%Y%m%d%H%M%SZ)" \
		-addext basicConstraints=critical,CA:FALSE -addext keyUsage=critical,digitalSignature \
		-addext extendedKeyUsage=serverAuth,clientAuth -addext "subjectAltName=DNS:$2" \
		-keyout "$1.key" -out "$1.pem" 2>"$1.log" || fail "certificate: $(cat "$1.log")"
}

setup_agents()
{
	local n

	setup_running "floor-ms 100" "ceiling-ms 400" "$@"
	for n in 1 2; do
		link_set "$(site_ns "$n")" keepalive-ms 300
		cp "$tmp/${site[n]}/conf" "$tmp/${site[n]}/conf.good"
	done
	expect_ready
	expect_protected 1
	expect_protected 2
}

# Site b calls, site a is called. Where no connection is needed, a's agent is broken.
test_agents_udp()
{
	setup_agents
	break_agent
	break_way
	expect_protected 1
	expect_protected 2
	echo "# $n_setups broken set-ups"
}

break_agent()
{
	agent_kill 1
	expect_named 1 agent-down says "systemctl enable --now qlinkd"
	expect_named 2 peer-agent-down
	sed -i "s/^ floor-ms .*/ floor-ms x/" "$tmp/a/conf"
	expect_named 1 config-refused with agent-down
	sed "s,$pki/site-a.key,$tmp/a/none.key," "$tmp/a/conf.good" >"$tmp/a/conf"
	expect_named 1 file-unreadable with agent-down
	sed "s,name site-a,name site-x," "$tmp/a/conf.good" >"$tmp/a/conf"
	expect_named 1 certificate-name
	agent_mended 1
	expect_ready
	agent_again 1 's/^link qlink0/link qlink7/'
	expect_named 1 link-unknown
	agent_mended 1
	expect_ready
	kill -STOP "${agent_pid[1]}"
	expect_named 1 agent-silent
	kill -CONT "${agent_pid[1]}"
	expect_ready
}

break_way()
{
	wall 2 output accept "tcp dport 7511 drop"
	expect_named 2 firewall-agents
	no_wall 2
	wall 1 input accept "tcp dport 7511 drop"
	agent_mended 2
	expect_named 2 peer-unreachable
	expect_named 1 firewall-agents
	no_wall 1
	expect_ready
	ip -n "$ns2" route add "${channel[1]}" dev qlink0
	agent_mended 2
	expect_named 2 through-qlink
	ip -n "$ns2" route replace unreachable "${channel[1]}"
	ip -n "$ns2" route del "${channel[1]}" dev qlink0 2>/dev/null
	expect_named 2 agent-no-route
	ip -n "$ns2" route del unreachable "${channel[1]}"
	expect_ready
}

# What the agents hold of each other: certificates and demands.
test_trust_udp()
{
	setup_agents
	break_certificates
	break_demands
	expect_protected 1
	expect_protected 2
	echo "# $n_setups broken set-ups"
}

# own_files a|b NAME: a script for sed that has the agent use NAME.pem and NAME.key.
own_files() { echo "s,$pki/site-$1[.],$tmp/$2.,"; }

break_certificates()
{
	certificate "$tmp/expired" site-a "$pki/ca" -20 -10
	agent_again 1 "$(own_files a expired)"
	expect_named 1 certificate-expired
	expect_named 2 peer-certificate
	mkdir "$tmp/other"
	qlink-pki ca "$tmp/other"
	certificate "$tmp/foreign" site-a "$tmp/other/ca" -1 10
	agent_again 1 "$(own_files a foreign)"
	expect_named 2 peer-ca
	certificate "$tmp/named" site-c "$pki/ca" -1 10
	agent_again 1 -e "$(own_files a named)" -e "s/name site-a/name site-c/"
	expect_named 2 peer-name
	certificate "$tmp/early" site-a "$pki/ca" 10 20
	agent_again 1 "$(own_files a early)"
	expect_named 1 certificate-early
	break_clock
	agent_mended 1
	expect_ready
	# The end that is called knows what it has told the caller.
	certificate "$tmp/foreign-b" site-b "$tmp/other/ca" -1 10
	agent_again 2 "$(own_files b foreign-b)"
	expect_named 1 peer-ca
	expect_named 2 peer-refuses
	agent_mended 2
	expect_ready
}

# All certificates of a site begin later than its clock.
break_clock()
{
	openssl req -x509 -newkey ML-DSA-65 -nodes -subj "/CN=late" -not_before "$(date -u -d "5 days" +%Y%m%d%H%M%SZ)" \
		-not_after "$(date -u -d "50 days" +%Y%m%d%H%M%SZ)" -addext basicConstraints=critical,CA:TRUE,pathlen:0 \
		-addext keyUsage=critical,keyCertSign,cRLSign -keyout "$tmp/late.key" -out "$tmp/late.pem" 2>/dev/null
	certificate "$tmp/later" site-a "$tmp/late" 10 20
	agent_again 1 -e "$(own_files a later)" -e "/^agent/,/^kme/s,$pki/ca.pem,$tmp/late.pem,"
	expect_named 1 clock-wrong with certificate-early
}

break_demands()
{
	local n

	agent_again 1 's/^ peer site-b$/&\n policy qkd-required/'
	agent_again 2 -e 's/^ peer site-a$/&\n policy pqc-only/' -e '/^ sae SAE/d' -e '/^ kmes/d'
	expect_named 1 policies-differ says "qkd-required"
	for n in 1 2; do link_set "$(site_ns "$n")" accept hybrid,pqc,qkd; done
	(umask 077 && head -c 32 /dev/urandom >"$tmp/psk")
	agent_again 1 "s,^ peer site-b\$,&\n psk $tmp/psk,"
	agent_mended 2
	expect_named 1 psk-differs says "this end has"
	agent_again 1 's/^ peer site-b$/&\n chain-required yes/'
	agent_mended 2
	expect_named 1 chain-restarts says "qlinkctl chain accept qlink0"
	agent_mended 1
	agent_again 2 's/^ peer site-a$/&\n suite-least 2/'
	expect_named 2 config-refused says "key of type ML-DSA-87"
	certificate "$tmp/strong" site-b "$pki/ca" -1 10 ML-DSA-87
	agent_again 2 -e 's/^ peer site-a$/&\n suite-least 2/' -e "$(own_files b strong)"
	expect_named 2 peer-suite
	agent_mended 2
	expect_ready
}

# ---- key servers ----

test_key_servers_udp()
{
	# Without post-quantum keys to fall back on, it does not take long until something is missing.
	setup_agents "store 40" "outage-cover 5"
	kmes stop a
	expect_named 1 kme-down says "KME rack"
	kmes start a
	kmes fault a http 401
	expect_named 1 kme-refuses
	kmes fault a http 503
	expect_named 1 kme-fails
	kmes clear a
	expect_soon "the KME is up" link_status_is 1 '.kmes[0].health' up
	agent_again 1 "s,^ ca $pki/kme-ca.pem,  ca $pki/ca.pem,"
	expect_named 1 kme-tls
	agent_again 1 "s/^ sae SAE-B/ sae SAE-X/"
	expect_named 1 kme-sae
	agent_again 1 "s/^ sae SAE-B/ sae SAE-A/"
	expect_named 1 kme-swapped
	agent_again 1 "s,$pki/sae-a.key,$tmp/a/none.key,"
	expect_named 1 kme-files
	agent_mended 1
	kmes supply SAE-A SAE-B none
	kmes stock SAE-A SAE-B 0
	expect_named 1 stock-dry says "no QKD keys in stock"
	kmes supply SAE-A SAE-B fibre 1000
	expect_active hybrid
	expect_protected 1
	expect_protected 2
	echo "# $n_setups broken set-ups"
}

# ---- the module, and who asks ----

# Doctor changes nothing, so it does not load the module either.
test_module_udp()
{
	local modules file

	modules=/lib/modules/$(uname -r)
	file=$(modinfo -F filename qlink)
	setup_wire
	mkdir "$tmp/a"
	: >"$tmp/a/conf"
	expect_ok "unload" timeout 60 modprobe -r qlink
	defer modprobe qlink
	expect_named 1 module-unloaded says "modprobe qlink"
	expect_ok "it is not loaded" test ! -e /sys/module/qlink
	mount -t tmpfs none "$modules"
	defer umount "$modules"
	expect_named 1 module-missing
	umount "$modules"
	unsigned_module
	expect_ok "load" modprobe qlink
	# Another build was installed over the one that runs.
	sed 's/srcversion=./srcversion=X/' "$file" >"$tmp/other.ko"
	mount --bind "$tmp/other.ko" "$file"
	defer umount "$file"
	doctor 1 >"$tmp/said"
	expect_has "notes" "$(jq -r '.[0].notes[].cause' "$tmp/said")" module-differs
	umount "$file"
	doctor 1 >"$tmp/said"
	expect_eq "notes" "$(jq -r '.[0].notes[].cause' "$tmp/said")" ""
	echo "# $n_setups broken set-ups"
}

# The kernel of the VM says that it demands signatures; it cannot be asked to do so for this test only.
unsigned_module()
{
	local says=/sys/module/module/parameters/sig_enforce

	if [ ! -e "$says" ] || [ -n "$(modinfo -F signer qlink)" ]; then return; fi
	echo Y >"$tmp/enforced"
	mount --bind "$tmp/enforced" "$says"
	defer umount "$says"
	expect_named 1 module-unsigned says "mokutil --import"
	umount "$says"
}

# Without rights there is less to see. What is seen is true, and the rest is said.
test_a_user_without_rights_udp()
{
	setup_hand_keyed
	chmod 711 "$tmp" "$top"
	ip netns exec "$ns1" setpriv --reuid 65534 --regid 65534 --clear-groups qlinkctl -c "$tmp/a/control" -j doctor qlink0 \
		>"$tmp/said" 2>"$tmp/err"
	expect_eq "status" $? 0
	expect_eq "errors" "$(cat "$tmp/err")" ""
	expect_eq "verdict" "$(jq -r '.[0].verdict' "$tmp/said")" protected
	expect_has "unseen" "$(jq -r '.[0].unseen[]' "$tmp/said")" "rules of a firewall on this machine"
	ip -n "$ns1" link set veth0 down
	ip netns exec "$ns1" setpriv --reuid 65534 --regid 65534 --clear-groups qlinkctl -c "$tmp/a/control" doctor qlink0 >"$tmp/said"
	expect_eq "status" $? 1
	expect_has "text" "$(cat "$tmp/said")" "veth0, which sealed frames leave by, is down (lower-down)"
	expect_refused "two devices" "takes one device" in_ns "$ns1" qlinkctl doctor qlink0 qlink1
}

run_tests "$@"
