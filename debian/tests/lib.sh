# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What the tests of the packages share.

# shellcheck disable=SC2034 # the tests use it
ours=(qlink-dkms qlink-tools qlinkd qlink-kmesim qlink-wireshark)

# A command that ends a test by failing is named.
trap 'echo "${0##*/}: line $LINENO failed: $BASH_COMMAND"' ERR

n_wrong=0
wrong() { echo "${0##*/}: $*"; n_wrong=$((n_wrong + 1)); }
# finish: the status of the test.
finish() { [ "$n_wrong" = 0 ]; exit; }

# expect NAME GOT WANT
expect() { [ "$2" = "$3" ] || wrong "$1: got '$2', want '$3'"; }

# expect_ok NAME COMMAND…
expect_ok() { "${@:2}" || wrong "$1: not so: ${*:2}"; }

# expect_has NAME TEXT COMMAND…: it succeeds and prints TEXT.
expect_has()
{
	local said

	if ! said=$("${@:3}" 2>&1); then
		wrong "$1: '${*:3}' failed: $said"
	elif [[ $said != *"$2"* ]]; then
		wrong "$1: '${*:3}' printed '$said', want '…$2…'"
	fi
}

# expect_refused NAME TEXT COMMAND…: it fails and prints TEXT.
expect_refused()
{
	local said

	if said=$("${@:3}" 2>&1); then
		wrong "$1: '${*:3}' did not fail: $said"
	elif [[ $said != *"$2"* ]]; then
		wrong "$1: '${*:3}' printed '$said', want '…$2…'"
	fi
}

# soon SECONDS COMMAND…: repeats it until it succeeds; says so and fails if it does not in that time.
soon()
{
	local end=$((SECONDS + $1))

	until "${@:2}" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$end" ] || { wrong "not within $1 s: ${*:2}"; return 1; }
		read -rt 0.1 <> <(:) || true
	done
}

# apt_get WORD…: nobody is there to answer.
apt_get() { DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Dpkg::Use-Pty=0 "$@"; }

# version PACKAGE: the one that is installed.
version() { dpkg-query -W -f '${Version}' "$1"; }

# --- two sites: this machine with its service, and a network namespace with an agent of its own ---

other=/root/site-b

links_add()
{
	ip link add qlink0 type qlink id 7 local 192.0.2.1 remote 192.0.2.2 port 7000
	ip address add 10.9.0.1/24 dev qlink0
	ip link set qlink0 up
}

other_link_add()
{
	ip -n b link add qlink0 type qlink id 7 local 192.0.2.2 remote 192.0.2.1 port 7000
	ip -n b address add 10.9.0.2/24 dev qlink0
	ip -n b link set qlink0 up
}

wire_add()
{
	ip netns add b
	ip link add wire0 type veth peer name wire0 netns b
	ip address add 192.0.2.1/24 dev wire0
	ip link set wire0 up
	ip -n b address add 192.0.2.2/24 dev wire0
	ip -n b link set wire0 up
	ip -n b link set lo up
}

# Simulated key servers, with certificates of the CA that the agents' are of.
kmes_start()
{
	local s port=8440

	mkdir -m 700 "$other" "$other/pki"
	(cd "$other" && qlink-pki ca pki &&
		for s in site-a.example site-b.example kme-a kme-b; do qlink-pki cert pki "$s"; done
		for s in a b; do
			printf '%s\n' "kme $s" "id kme-$s" "listen 192.0.2.1:$((++port))" \
				"certificate pki/kme-$s.pem" "key pki/kme-$s.key" "ca pki/ca.pem"
		done >kmesim.conf
		printf '%s\n' "link site-a.example site-b.example" "stock 1000" "supply fibre 20" >>kmesim.conf
		setsid qlink-kmesim kmesim.conf >kmesim.log 2>&1 &)
	soon 30 grep -q '^ready' "$other/kmesim.log"
}

# example URL ID SAE PEER-ADDRESS: the packaged example, with its marked lines changed.
example()
{
	sed "s,^\( *url \).*,\1$1,; s,^\( *id \).*,\1$2,; s,^\( *sae \).*,\1$3,; s,^\( *address \).*,\1$4," \
		/usr/share/doc/qlinkd/examples/qlinkd.conf
}

# As the example says: root owns the files, and the agent's group may read them.
site_a_configure()
{
	local to

	for to in site-a sae-a; do
		install -o root -g qlinkd -m 640 "$other/pki/site-a.example.pem" "/etc/qlinkd/$to.pem"
		install -o root -g qlinkd -m 640 "$other/pki/site-a.example.key" "/etc/qlinkd/$to.key"
	done
	for to in ca kme-ca; do install -o root -g qlinkd -m 640 "$other/pki/ca.pem" "/etc/qlinkd/$to.pem"; done
	example https://192.0.2.1:8441 kme-a site-b.example 192.0.2.2 >/etc/qlinkd/qlinkd.conf
}

# The same with both names swapped.
site_b_start()
{
	example https://192.0.2.1:8442 kme-b site-b.example 192.0.2.1 |
		sed "s,site-b.example,OTHER,; s,site-a.example,site-b.example,; s,OTHER,site-a.example,
			s,^\( *listen \).*,\1192.0.2.2,; s,/etc/qlinkd/[a-z]*ca.pem,$other/pki/ca.pem,
			s,/etc/qlinkd/[a-z]*-a\.,$other/pki/site-b.example.,
			/^agent/a\\ control $other/control\n metrics $other/metrics\n audit-log $other/audit" >"$other/qlinkd.conf"
	setsid ip netns exec b qlinkd -c "$other/qlinkd.conf" >"$other/log" 2>&1 &
}

is_protected() { qlinkctl status | grep -q 'to site-b.example: protected'; }

# pings_start FILE: a ping through the link every 10 ms.
pings_start()
{
	ping -i 0.01 -D 10.9.0.2 >"$1" 2>&1 &
	pinging=$!
}

# pings_stop FILE: sets $sent and $lost, of those whose answers could have come, and $gap, the longest time without any in ms.
pings_stop()
{
	kill -INT "$pinging"
	wait "$pinging" || true
	# shellcheck disable=SC2034 # the tests use them
	read -r sent lost gap < <(sed -nE 's/^\[([0-9.]+)\].*icmp_seq=([0-9]+) .*time=.*/\1 \2/p' "$1" | awk '
		{
			# The number has 16 bits.
			if ($2 + base < last - 30000) base += 65536
			at = $2 + base
			if (!n++) first = at; else if ($1 - before > gap) gap = $1 - before
			if (at > last) last = at
			before = $1
		}
		END { printf "%d %d %d\n", last - first + 1, last - first + 1 - n, 1000 * gap }')
}
