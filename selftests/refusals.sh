#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What is refused, with its errno, message and counter; and who may do what: users, user namespaces, and the two
# network namespaces of a link.
#
# link.sh tests the values of options, keys.sh those of keys; malformed netlink is in keys.sh and nlraw.py.

# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

readonly E_PERMISSION="not permitted" E_LINK_NET="no CAP_NET_ADMIN in the netns of the underlay"


# as_nobody NS COMMAND…
as_nobody()
{
	in_ns "$1" setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all --bounding-set=-all "${@:2}"
}

# setup_link: one end with a transmit key that nobody else has; and qlink1, of id 8.
setup_link()
{
	under=eth
	setup_wire
	link_add 1
	ip -n "$ns1" link add link veth0 name qlink1 type qlink id 8 peer "${mac[2]}" accept static
	expect_eq "a key" "$(nlraw "$ns1" answer qlink0 install-equal 1)" ok
}

# state_of NS [DEVICE]: all that can be read of a link, except the counted refusals.
state_of()
{
	in_ns "$1" qlinkctl -j show "${2:-qlink0}" | sed 's/"key_refused": *[0-9]*//'
	in_ns "$1" qlinkctl -j key show "${2:-qlink0}"
}

# expect_answer ANSWER COUNTERS DEVICE REQUEST…: the answer and the counters are these, and nothing else changed.
expect_answer()
{
	local before was

	was=$(state_of "$ns1" "$3") before=$(dev=$3 stats "$ns1" "$3")
	expect_eq "${*:4}" "$(nlraw "$ns1" answer "${@:3}")" "$1"
	expect_eq "${*:4}: counters" "$({ echo "$before"; stats "$ns1" "$3"; } | sort | uniq -u | sed 's/:.*//' | uniq)" "$2"
	expect_eq "${*:4}: the link" "$(state_of "$ns1" "$3")" "$was"
}

test_errno_of_a_change()
{
	setup_link
	ip link add veth1 netns "$ns1" type veth peer name veth2 netns "$ns1"
	ip -n "$ns1" link add br0 type bridge
	ip -n "$ns1" link set veth1 master br0
	expect_answer "EEXIST id 7 of this peer belongs to qlink0 already" "" qlink1 id 7
	expect_answer "EEXIST id 7 of this peer belongs to qlink0 already" "" qlink1 changelink 7
	expect_answer "ERANGE integer out of range" "" qlink0 id 0
	expect_answer "EINVAL invalid attribute length" "" qlink0 id-of-4-bytes 9
	expect_answer "EINVAL link is missing" "" qlink0 no-link
	expect_answer "EADDRNOTAVAIL peer 01:00:00:00:00:01 is not a unicast address" "" qlink0 peer 01:00:00:00:00:01
	expect_answer "EBUSY veth1 is a bridge port of br0, which takes its frames" "" qlink0 lower veth1
	expect_answer "ELOOP a link cannot be its own lower device" "" qlink0 lower qlink0
	expect_answer "EINVAL lo is not an Ethernet device" "" qlink0 lower lo
	expect_eq "no link" "$(nlraw "$ns1" answer veth0 id 9)" "ENOTSUP not a qlink device"
	expect_eq "no device" "$(nlraw "$ns1" answer 999 id 9)" "ENODEV no device has index 999"
}

test_errno_of_a_key()
{
	setup_link
	expect_answer "EEXIST key 0: epoch 1 is not above 1, the newest of tx" key_refused qlink0 install 1
	expect_answer "EEXIST key 0: equals key tx 1 of this link" key_refused qlink0 install-equal 2
	expect_answer "EEXIST key 0: equals a tx key of this host" key_refused qlink1 install-equal 2
	expect_answer "ERANGE key 0: epoch 4294967298 is more than 2^32 above 1" key_refused qlink0 install $(((1 << 32) + 2))
	expect_answer "ERANGE binary attribute size out of range" "" qlink0 install-31-bytes
	expect_answer "EINVAL key 0: salt is missing" key_refused qlink0 install-no-salt
	expect_answer "EACCES key 0: source pqc is not in the accept list" key_refused qlink0 install-pqc
	expect_answer "ENOENT key 0: tx holds no epoch 9" "" qlink0 delete 9
}

# Whether a key has KMEs follows from its source; how many it needs, from the link.
test_errno_of_a_number_of_kmes()
{
	setup_link
	link_set "$ns1" accept hybrid2,pqc,static
	for n in 0 9 255; do
		expect_answer "EINVAL key 0: kmes $n is not 1 to 8, as source hybrid needs" key_refused qlink0 install-kmes "hybrid$n"
		expect_answer "ERANGE integer out of range" "" qlink0 accept-kmes "$n"
	done
	expect_answer "EINVAL key 0: kmes 0 is not 1 to 8, as source qkd needs" key_refused qlink0 install-kmes qkd0
	expect_answer "EINVAL key 0: kmes 2 is not 0, but source pqc has no KME" key_refused qlink0 install-kmes pqc2
	expect_answer "EINVAL key 0: kmes 255 is not 0, but source static has no KME" key_refused qlink0 install-kmes static255
	expect_answer "EACCES key 0: kmes 1 is below 2, the least accepted for hybrid" key_refused qlink0 install-kmes hybrid1
	expect_answer "EACCES key 0: kmes 1 is below 2, the least accepted for hybrid" key_refused qlink0 install-hybrid
	expect_answer "EACCES key 0: source qkd is not in the accept list" key_refused qlink0 install-kmes qkd8
	expect_eq "a source without a KME" "$(nlraw "$ns1" answer qlink0 install-kmes pqc0)" ok
	# What a request does not name stays: the number with the sources, and the other way round.
	expect_eq "sources" "$(nlraw "$ns1" answer qlink0 accept 10)" ok
	expect_eq "accepted" "$(link_field "$ns1" '[.accept[], .accept_kmes] | join(" ")')" "hybrid static 2"
	expect_eq "a number" "$(nlraw "$ns1" answer qlink0 accept-kmes 8)" ok
	expect_eq "accepted" "$(link_field "$ns1" '[.accept[], .accept_kmes] | join(" ")')" "hybrid static 8"
}

test_unprivileged_user()
{
	local request was

	setup_link
	was=$(state_of "$ns1")
	chmod 755 "$tmp"
	key_new a >/dev/null
	chmod 644 "$tmp/a"
	for request in "show qlink0" "key show qlink0" "key del qlink0 tx epoch 1" "set qlink0 id 9" \
		"key add qlink0 tx epoch 2 file $tmp/a"; do
		# shellcheck disable=SC2086 # words
		expect_refused "$request" "$E_PERMISSION" as_nobody "$ns1" qlinkctl $request
	done
	expect_refused "ip" "$E_PERMISSION" as_nobody "$ns1" ip link set qlink0 type qlink id 9
	for request in show keys records "id 9" "accept 15" "install 2" "delete 1" "changelink 9"; do
		# shellcheck disable=SC2086 # words
		expect_eq "$request" "$(as_nobody "$ns1" /usr/bin/python3 "$here/nlraw.py" answer qlink0 $request)" "EPERM "
	done
	expect_eq "nothing changed" "$(state_of "$ns1")" "$was"
	expect_eq "refusals counted" "$(stat_get "$ns1" key_refused)" 0
	expect_has "every user may see" "$(as_nobody "$ns1" ip -d link show qlink0)" "state up"
}

# In a user namespace of their own, all users may create links, and cannot see those of others.
test_user_namespace_of_ones_own()
{
	setup_link
	chmod 755 "$tmp"
	key_new a >/dev/null
	chmod 644 "$tmp/a"
	expect_ok "a link and a key" as_nobody "$ns1" unshare --user --map-root-user --net sh -c "
		ip link add veth0 type veth peer name veth9 && ip link add link veth0 name qlink1 type qlink id 1 peer ${mac[2]} accept static &&
		qlinkctl key add qlink1 tx epoch 1 source static file $tmp/a && qlinkctl key show qlink1 | grep -q active"
	expect_refused "a link outside" "qlink0" as_nobody "$ns1" unshare --user --map-root-user --net qlinkctl show qlink0
}

# setup_foreign: a network namespace that belongs to another user namespace, with a process that keeps it alive.
setup_foreign()
{
	ip netns exec "$ns1" setpriv --reuid 65534 --regid 65534 --clear-groups \
		unshare --user --map-root-user --net sleep 1000 &
	foreign=$!
	defer kill "$foreign"
	expect_soon "the user namespace" as_foreign ip link set lo up
	# Root gives $ns1 an ID there, as happens when a device is moved.
	nsenter -t "$foreign" -n ip netns set "$ns1" 5
}

as_foreign() { nsenter -t "$foreign" -U -n "$@"; }
foreign_answer() { as_foreign /usr/bin/python3 "$here/nlraw.py" answer "$@"; }

test_foreign_user_namespace_adds_nothing()
{
	setup_link
	setup_foreign
	expect_refused "a lower device out of sight" "veth0" \
		as_foreign ip link add link veth0 name qlink1 type qlink id 9 peer "${mac[2]}"
	# ip asks for the index first, and may not even do that.
	expect_refused "a lower device elsewhere" "Permission denied" \
		as_foreign ip link add link lo link-netnsid 5 name qlink1 type qlink id 9 peer "${mac[2]}"
	expect_refused "an address elsewhere" "$E_PERMISSION" as_foreign ip link add qlink1 link-netnsid 5 type qlink \
		id 9 local "${address[1]}" remote "${address[2]}" port "$port"
	expect_eq "links there" "$(as_foreign ip -o link show type qlink | wc -l)" 0
	expect_eq "links here" "$(devices "$ns1")" 2
	expect_ok "root may" ip -n "$ns1" link add link veth0 netns "$foreign" name qlink9 type qlink id 9 peer "${mac[2]}"
	expect_eq "links there" "$(as_foreign ip -o link show type qlink | wc -l)" 1
}

# A link given to a container: the container may use it and see its state, but not change what is sealed or for whom.
test_foreign_user_namespace_changes_nothing()
{
	local request was index

	setup_link
	setup_foreign
	ip -n "$ns1" link set qlink0 netns "$foreign"
	was=$(nsenter -t "$foreign" -n qlinkctl -j show qlink0; nsenter -t "$foreign" -n qlinkctl -j key show qlink0)
	for request in "changelink 9" "id 9" "peer 02:00:00:00:00:09" "accept 15" "install 2" "delete 1" keys records; do
		# shellcheck disable=SC2086 # words
		expect_eq "$request" "$(foreign_answer qlink0 $request)" "EPERM $E_LINK_NET"
	done
	expect_refused "ip" "$E_LINK_NET" as_foreign ip link set qlink0 type qlink id 9
	expect_refused "qlinkctl" "$E_LINK_NET" as_foreign qlinkctl set qlink0 accept qkd
	expect_refused "qlinkctl" "$E_LINK_NET" as_foreign qlinkctl key show qlink0
	expect_eq "nothing changed, nothing counted" \
		"$(nsenter -t "$foreign" -n qlinkctl -j show qlink0; nsenter -t "$foreign" -n qlinkctl -j key show qlink0)" "$was"
	expect_eq "it may look" "$(foreign_answer qlink0 show)" ok
	expect_ok "it may use" as_foreign ip link set qlink0 up address 02:00:00:00:01:55 mtu 1400 name uplink
	expect_ok "root may" nsenter -t "$foreign" -n qlinkctl set uplink id 9
	expect_ok "root may" nsenter -t "$foreign" -n qlinkctl key show uplink

	# The reverse: the underlay is the container's, the device is not.
	as_foreign ip link add veth0 type veth peer name veth1
	expect_ok "a link of its own" as_foreign ip link add link veth0 name qlink5 type qlink id 5 peer "${mac[2]}"
	nsenter -t "$foreign" -n ip link set qlink5 netns "$ns1"
	index=$(ip -n "$ns1" -j link show qlink5 | jq '.[0].ifindex')
	was=$(state_of "$ns1" qlink5)
	for request in "id 9" "accept 15" "install 2" "delete 1" keys records show; do
		# shellcheck disable=SC2086 # words
		expect_eq "$request" "$(foreign_answer "$index" $request)" "ENODEV no device has index $index"
	done
	expect_eq "nothing changed" "$(state_of "$ns1" qlink5)" "$was"
}

run_tests "$@"
