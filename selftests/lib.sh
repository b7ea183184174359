# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What the tests share besides KTAP: namespaces, links, keys, counters, captures.

set -u
umask 077	# key files are their owner's alone
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=ktap.sh
. "$here/ktap.sh"

frames() { /usr/bin/python3 "$here/frames.py" "$@"; }
qlinkwire() { /usr/bin/python3 "$here/qlinkwire.py" "$@"; }
to_hex() { basenc --base16 -w 0 | tr A-F a-f; }
from_hex() { tr a-f A-F | basenc --base16 -d; }
nlraw() { in_ns "$1" /usr/bin/python3 "$here/nlraw.py" "${@:2}"; }

readonly link_id=7 port=47000
# shellcheck disable=SC2034 # for the tests
ns1='' ns2='' ns3=''	# setup_ns names them

# ---- namespaces and links ----

in_ns() { ip netns exec "$@"; }

# setup_ns VARIABLE…: fresh namespaces without IPv6, which would send frames of its own accord.
setup_ns()
{
	local var

	for var; do
		printf -v "$var" '%s' "$var-$BASHPID"
		ip netns add "${!var}" || exit 1
		defer ip netns del "${!var}"
		in_ns "${!var}" sh -c 'ip link set lo up; cd /proc/sys/net/ipv6/conf &&
			echo 1 >all/disable_ipv6 && echo 1 >default/disable_ipv6'
	done
}

readonly mac=(- 02:00:00:00:00:0{1..9})
readonly address=(- 198.51.100.{1..9})
readonly address6=(- 2001:db8:1::{1..9})	# for udp6
readonly inner=(- 192.0.2.{1..9})
# shellcheck disable=SC2034 # for the tests
readonly inner6=(- 2001:db8::{1..9})

# setup_wire [MTU]: $ns1 and $ns2, a veth0 in each. No ARP, and captures see single datagrams.
setup_wire()
{
	local n ns mtu=${1:-1500}

	setup_ns ns1 ns2
	ip link add veth0 netns "$ns1" mtu "$mtu" address "${mac[1]}" type veth \
		peer name veth0 netns "$ns2" mtu "$mtu" address "${mac[2]}" || exit 1
	for n in 1 2; do
		ns=ns$n
		ip -n "${!ns}" -batch - <<-END || exit 1
			address add ${address[n]}/24 dev veth0
			link set veth0 up
			neighbour add ${address[3 - n]} lladdr ${mac[3 - n]} dev veth0
		END
		in_ns "${!ns}" ethtool -K veth0 tx-udp-segmentation off >/dev/null
		[ "$under" != udp6 ] || wire_ipv6 "$n" "${!ns}"
	done
}

# wire_ipv6 1|2 NS: IPv6 for veth0, as quiet as it can be.
wire_ipv6()
{
	in_ns "$2" sh -c 'cd /proc/sys/net/ipv6/conf/veth0 && echo 1 >addr_gen_mode &&
		echo 0 >accept_ra && echo 0 >router_solicitations && echo 0 >disable_ipv6'
	ip -n "$2" address add "${address6[$1]}/64" dev veth0 nodad
	ip -n "$2" neighbour add "${address6[3 - $1]}" lladdr "${mac[3 - $1]}" dev veth0
}

# link_words 1|2: the words of $under for one end.
link_words()
{
	case $under in
	eth) echo "id $link_id peer ${mac[3 - $1]}" ;;
	udp) echo "id $link_id local ${address[$1]} remote ${address[3 - $1]} port $port" ;;
	udp6) echo "id $link_id local ${address6[$1]} remote ${address6[3 - $1]} port $port" ;;
	esac
}

# link_add 1|2 [WORD…]: qlink0 at one end, with its inner address, up.
link_add()
{
	local n=$1 ns=ns$1 lower=()

	shift
	[ "$under" != eth ] || lower=(link veth0)
	ip -n "${!ns}" -batch - <<-END
		link add ${lower[*]} name qlink0 address 02:00:00:00:01:0$n type qlink $(link_words "$n") accept static $*
		address add ${inner[n]}/24 dev qlink0
		link set qlink0 up
	END
}

# setup_pair [MTU]: two ends of a link over $under, keys of epoch 1 both ways, carrier on.
setup_pair()
{
	setup_wire "$@"
	link_add 1 || exit 1
	link_add 2 || exit 1
	key_pass "$ns1" "$ns2" 1
	key_pass "$ns2" "$ns1" 1
	expect_soon "carrier" carrier_is "$ns1" 1
	expect_soon "carrier" carrier_is "$ns2" 1
}

# quiet: no ARP inside either, so that frames can be counted.
quiet()
{
	ip -n "$ns1" neighbour replace "${inner[2]}" lladdr 02:00:00:00:01:02 dev qlink0
	ip -n "$ns2" neighbour replace "${inner[1]}" lladdr 02:00:00:00:01:01 dev qlink0
}

carrier_is() { [ "$(in_ns "$1" cat "/sys/class/net/${3:-qlink0}/carrier")" = "$2" ]; }

# ---- keys ----

# key_new NAME: 44 random bytes in a new file, whose path it prints.
key_new() { head -c 44 /dev/urandom >"$tmp/$1" && echo "$tmp/$1"; }

# key_add NS tx|rx EPOCH FILE [WORD…]
key_add()
{
	in_ns "$1" qlinkctl key add "${dev:-qlink0}" "$2" epoch "$3" source static "${@:5}" file "$4"
}

lower_address()
{
	case $under in
	eth) echo "${mac[$1]}" ;;
	udp) echo "${address[$1]}" ;;
	udp6) echo "${address6[$1]}" ;;
	esac
}

key_file() { echo "$tmp/$1.$2.key"; }

# key_pass FROM TO EPOCH [WORD…]: a new key, at the receiver first; qlinkwire learns it too.
key_pass()
{
	local file sender

	file=$(key_new "$1.$3.key")
	if [ "$1" = "$ns1" ]; then sender=$(lower_address 1); else sender=$(lower_address 2); fi
	echo "$link_id $3 $sender $(to_hex <"$file")" >>"$tmp/keys"
	key_add "$2" rx "$3" "$file" || fail "key $3 at the receiver"
	key_add "$1" tx "$3" "$file" "${@:4}" || fail "key $3 at the sender"
}

# keys NS FILTER: jq on the keys of qlink0.
keys() { in_ns "$1" qlinkctl -j key show "${dev:-qlink0}" | jq -r "$2"; }

# ---- counters ----

stats() { in_ns "$1" ethtool -S "${2:-qlink0}" | awk '/^ / { print $1 $2 }' | grep -v '_fpu_wait:'; }
stat_get() { in_ns "$1" ethtool -S qlink0 | awk -v name="$2:" '$1 == name { print $2 }'; }

# stats_moved NS BEFORE: "name=+n" for each that moved.
stats_moved()
{
	{ echo "$2"; echo; stats "$1"; } | awk -F : '
		/^$/ { after = 1; next }
		!after { was[$1] = $2; next }
		$2 != was[$1] { printf "%s%s=+%d", sep, $1, $2 - was[$1]; sep = " " }'
}

moved_is() { [ "$(stats_moved "$1" "$2")" = "$3" ]; }

# expect_only_moved NS BEFORE 'name=+n …': exactly these, in the order of ethtool -S.
expect_only_moved()
{
	n_checks=$((n_checks + 1))
	busywait 5 moved_is "$@" || fail "counters moved: got '$(stats_moved "$1" "$2")', want '$3'"
}

# ---- captures ----

# capture_start NS FILE: all that passes at veth0.
capture_start()
{
	ip netns exec "$1" tcpdump -i "${dev:-veth0}" -s 0 -B 65536 --immediate-mode -U -Z root -w "$2" 2>>"$2.log" &
	capture_pid=$!
	defer kill "$capture_pid"
	busywait "$deadline" grep -q 'listening on' "$2.log" || fail "tcpdump: $(cat "$2.log")"
}

# Whether tcpdump has written all that its socket received.
capture_is_drained()
{
	: >"$1.log"
	kill -USR1 "$capture_pid"
	busywait 2 grep -q 'dropped by kernel' "$1.log"
	sed -nE 's/.* ([0-9]+) packets? captured, ([0-9]+) packets? received.*/\1 \2/p' "$1.log" |
		tail -n 1 | awk '{ n++; same = $1 == $2 } END { exit !(n && same) }'
}

capture_stop()
{
	busywait "$deadline" capture_is_drained "$1"
	kill -INT "$capture_pid"
	wait "$capture_pid"
	expect_has "capture" "$(tr '\n' ' ' <"$1.log")" " 0 packets dropped by kernel"
}
