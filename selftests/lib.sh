# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What the tests share in addition to KTAP: namespaces, links, keys, counters, captures.

set -u
umask 077	# only the owner may read key files
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=ktap.sh
. "$here/ktap.sh"

# ---- the server: runs Python tools and programs in namespaces without starting new interpreters ----

# server_start: called before the first test. Requests wait until the server is ready or has ended.
server_start()
{
	server_dir=$top/server
	mkdir "$server_dir"
	mkfifo "$server_dir"/{requests,free,never,{0..9},{a..z}}
	exec {server_requests}<>"$server_dir/requests" {server_free}<>"$server_dir/free"
	{
		/usr/bin/python3 "$here/server.py" "$server_dir" $$
		{ : >"$server_dir/ended"; } 2>/dev/null
		printf 0 >&"$server_free"
	} &
}

# serve NAMESPACE VERB [WORD…]: see server.py; '' is our own namespace. The server takes its standard output
# from $out, because ours is the request while echo runs. Only the server writes to $answer, which ends with
# it. Do not give read a timeout: it would lose input that arrives at that moment.
serve()
{
	local slot answer out status=125 words

	read -r -N 1 -u "$server_free" slot
	if [ ! -e "$server_dir/ended" ]; then
		exec {answer}<"$server_dir/$slot" {out}>&1
		printf -v words '\x1f%s' "${@//$'\n'/$'\x1e'}"
		echo "$BASHPID"$'\x1f'"$out"$'\x1f'"$slot$words" >&"$server_requests"
		read -r -u "$answer" status || status=125
		exec {answer}<&- {out}>&-
	fi
	printf %s "$slot" >&"$server_free"
	[ "$status" != 125 ] || echo "the server of the tests has ended" >&2
	return "$status"
}

frames() { serve '' frames "$@"; }
qlinkwire() { serve '' qlinkwire "$@"; }
nlraw() { serve "$1" nlraw "${@:2}"; }
ringtool() { serve '' ringtool "$@"; }

# in_ns NS COMMAND…. sysfs shows the namespace in which it was mounted, and a line for the server must be short.
in_ns()
{
	case $* in
	*/sys/class/*) ip netns exec "$@" ;;
	*) if [ "${#*}" -lt 3000 ]; then serve "$1" run "${@:2}"; else ip netns exec "$@"; fi ;;
	esac
}

# random_hex: sets $hex to 44 random bytes in hex.
random_hex()
{
	printf -v hex %08x "$SRANDOM" "$SRANDOM" "$SRANDOM" "$SRANDOM" "$SRANDOM" "$SRANDOM" \
		"$SRANDOM" "$SRANDOM" "$SRANDOM" "$SRANDOM" "$SRANDOM"
}

# write_hex FILE HEX
write_hex() { printf %b "${2//??/'\x'&}" >"$1"; }
to_hex() { basenc --base16 -w 0 | tr A-F a-f; }
from_hex() { tr a-f A-F | basenc --base16 -d; }

readonly link_id=7 port=47000
# shellcheck disable=SC2034 # for the tests
ns1='' ns2='' ns3=''	# setup_ns names them

# scale N: N, or a quarter of it on the debug kernel.
scale() { if is_debug_kernel; then echo $(($1 / 4)); else echo "$1"; fi; }

is_rt_kernel() { [[ $(uname -v) == *PREEMPT_RT* ]]; }

# ---- namespaces and links ----

# setup_ns VARIABLE…: new namespaces without IPv6, which would send frames by itself.
setup_ns()
{
	ns_make '' "$@"
}

# ns_make BATCH VARIABLE…: new namespaces, then a batch for ip; in BATCH, @VARIABLE stands for a namespace's name.
ns_make()
{
	local var batch='' next=$1 names=()

	shift
	for var; do
		printf -v "$var" '%s' "$var-$BASHPID"
		batch+="netns add ${!var}"$'\n'
		next=${next//@$var/${!var}}
		names+=("${!var}")
	done
	defer ns_delete "${names[@]}"
	ip -batch - <<<"$batch$next" || exit 1
	for var in "${names[@]}"; do serve "$var" prepare || exit 1; done
}

ns_delete()
{
	local batch

	printf -v batch 'netns del %s\n' "$@"
	ip -force -batch - <<<"$batch"
}

readonly mac=(- 02:00:00:00:00:0{1..9})
readonly address=(- 198.51.100.{1..9})
readonly address6=(- 2001:db8:1::{1..9})	# for udp6
readonly inner=(- 192.0.2.{1..9})
# shellcheck disable=SC2034 # for the tests
readonly inner6=(- 2001:db8::{1..9})

# make_wire [MTU]: $ns1 and $ns2 with a veth0 in each. Captures there see single datagrams.
make_wire()
{
	local ns mtu=${1:-1500}

	ns_make "link add veth0 netns @ns1 mtu $mtu address ${mac[1]} type veth peer name veth0 netns @ns2 mtu $mtu \
		address ${mac[2]}" ns1 ns2
	for ns in "$ns1" "$ns2"; do
		serve "$ns" off veth0 tx-udp-segmentation || exit 1
		[ "$under" != udp6 ] || quiet_ipv6 "$ns"
	done
}

# quiet_ipv6 NS: enables IPv6 on veth0, with as few frames of its own as possible.
quiet_ipv6()
{
	in_ns "$1" sh -c 'cd /proc/sys/net/ipv6/conf/veth0 && echo 1 >addr_gen_mode &&
		echo 0 >accept_ra && echo 0 >router_solicitations && echo 0 >disable_ipv6'
}

# wire_batch 1|2: adds ip's commands for veth0 to $batch. No ARP.
wire_batch()
{
	batch+="address add ${address[$1]}/24 dev veth0
		link set veth0 up
		neighbour add ${address[3 - $1]} lladdr ${mac[3 - $1]} dev veth0
		"
	[ "$under" != udp6 ] || batch+="address add ${address6[$1]}/64 dev veth0 nodad
		neighbour add ${address6[3 - $1]} lladdr ${mac[3 - $1]} dev veth0
		"
}

# setup_wire [MTU]: $ns1 and $ns2, connected by veth0 with addresses.
setup_wire()
{
	local batch n ns

	make_wire "$@"
	for n in 1 2; do
		ns=ns$n batch=''
		wire_batch "$n"
		ip -n "${!ns}" -batch - <<<"$batch" || exit 1
	done
}

# connect_ns NS1 NS2 DEVICE ADDRESS1 ADDRESS2: a veth pair between two namespaces.
connect_ns()
{
	ip link add "$3" netns "$1" type veth peer name "$3" netns "$2" &&
		ip -n "$1" address add "$4/24" dev "$3" && ip -n "$1" link set "$3" up &&
		ip -n "$2" address add "$5/24" dev "$3" && ip -n "$2" link set "$3" up
}

# link_words 1|2: the link options of one end over $under.
link_words()
{
	case $under in
	eth) echo "id $link_id peer ${mac[3 - $1]}" ;;
	udp) echo "id $link_id local ${address[$1]} remote ${address[3 - $1]} port $port" ;;
	udp6) echo "id $link_id local ${address6[$1]} remote ${address6[3 - $1]} port $port" ;;
	esac
}

# link_batch 1|2 [WORD…]: adds to $batch what creates qlink0 at one end, with its inner address, up.
link_batch()
{
	local n=$1 lower=()

	shift
	[ "$under" != eth ] || lower=(link veth0)
	batch+="link add ${lower[*]} name qlink0 address 02:00:00:00:01:0$n type qlink $(link_words "$n") accept static \
			hard-seconds 604800 $*
		address add ${inner[n]}/24 dev qlink0
		link set qlink0 up
		"
}

# link_add 1|2 [WORD…]: creates qlink0 at one end.
link_add()
{
	local batch='' ns=ns$1

	link_batch "$@"
	ip -n "${!ns}" -batch - <<<"$batch"
}

# setup_link: one end of an eth link, without a key.
setup_link()
{
	under=eth
	setup_wire
	link_add 1
}

# add_udp NAME [WORD…]: creates a link over UDP in $ns1.
add_udp() { ip -n "$ns1" link add "$1" type qlink "${@:2}"; }

# setup_pair [MTU]: both ends of a link over $under, with keys of epoch 1 in both directions and carrier on.
setup_pair()
{
	local batch n ns

	make_wire "$@"
	for n in 1 2; do
		ns=ns$n batch=''
		wire_batch "$n"
		link_batch "$n"
		ip -n "${!ns}" -batch - <<<"$batch" || exit 1
	done
	key_pass "$ns1" "$ns2" 1
	key_pass "$ns2" "$ns1" 1
	expect_soon "carrier" carrier_is "$ns1" 1
	expect_soon "carrier" carrier_is "$ns2" 1
}

# routed N LOCAL REMOTE: qlinkN over UDP in $ns1, up, with a transmit key.
routed()
{
	ip -n "$ns1" -batch - <<-END
		link add qlink$1 type qlink id $((7 + $1)) local $2 remote $3 port $port accept static
		link set qlink$1 up
	END
	dev=qlink$1 key_add "$ns1" tx 1 "$(key_new a)"
}

# quiet: no ARP inside the link either, so that frames can be counted.
quiet()
{
	ip -n "$ns1" neighbour replace "${inner[2]}" lladdr 02:00:00:00:01:02 dev qlink0
	ip -n "$ns2" neighbour replace "${inner[1]}" lladdr 02:00:00:00:01:01 dev qlink0
}

# carrier NS [DEVICE]: 0 or 1.
carrier() { serve "$1" carrier "${2:-qlink0}"; }
carrier_is() { [ "$(carrier "$1" "${3:-qlink0}")" = "$2" ]; }

# devices NS: the number of links.
devices() { ip -n "$1" -o link show type qlink | wc -l; }
no_device() { [ "$(devices "$1")" = 0 ]; }

# move_device FROM TO: moves qlink0 of the first end, sets its address and brings it up.
move_device()
{
	expect_ok "move" ip -n "$1" link set qlink0 netns "$2"
	ip -n "$2" address add "${inner[1]}/24" dev qlink0
	ip -n "$2" link set qlink0 up
}

# ---- frames ----

# answers NS ADDRESS: expects a ping to be answered soon.
answers() { expect_soon "an answer of $2" in_ns "$1" ping -c 1 -W 1 "$2"; }

# nobody NS: frames to $nobody go one way and are not answered.
readonly nobody=192.0.2.200
nobody() { ip -n "$1" neighbour replace "$nobody" lladdr 02:00:00:00:01:c8 dev qlink0; }

# small_frames NS: an MTU with which a key may have a limit of 10 blocks, and pings still fit.
small_frames() { ip -n "$1" link set qlink0 mtu 100; }

# ping_one_lane NS N [ADDRESS]: pings from one CPU; prints how many of N were answered.
ping_one_lane()
{
	in_ns "$1" taskset -c 0 ping -c "$2" -i 0.01 -W 1 "${3:-${inner[2]}}" | sed -nE 's/.* ([0-9]+) received.*/\1/p'
}

# in_background NS COMMAND…: runs in the background until the test ends.
in_background() { ip netns exec "$@" >/dev/null 2>&1 & defer kill $!; }

# About 300 frames a second leave an emulated CPU time for the changes that are made to the link meanwhile.
if [ "${QLINK_SOAK:-}" = 1 ]; then pace=(-f); else pace=(-i 0.003); fi

# pinging NS ADDRESS [SECONDS]: frames in both directions until the test ends; $! is the ping.
pinging() { in_background "$1" ping -q "${pace[@]}" -w "${3:-1000}" "$2"; }

# ---- keys ----

# key_new NAME: 44 random bytes in a new file, whose path it prints.
key_new()
{
	local hex

	random_hex
	write_hex "$tmp/$1" "$hex" && echo "$tmp/$1"
}

# key_add NS tx|rx EPOCH FILE [WORD…]
key_add()
{
	in_ns "$1" qlinkctl key add "${dev:-qlink0}" "$2" epoch "$3" source static "${@:5}" file "$4"
}

# find_lower_address 1|2: sets $lower_address to the source address of an end's frames on the underlay.
find_lower_address()
{
	case $under in
	eth) lower_address=${mac[$1]} ;;
	udp6) lower_address=${address6[$1]} ;;
	*) lower_address=${address[$1]} ;;
	esac
}

lower_address()
{
	local lower_address

	find_lower_address "$1"
	echo "$lower_address"
}

# find_sender NS: like find_lower_address, for the end in this namespace.
find_sender() { if [ "$1" = "$ns1" ]; then find_lower_address 1; else find_lower_address 2; fi; }

# key_pass FROM TO EPOCH [blocks=N]: installs a new key, at the receiver first; also writes it for qlinkwire.
key_pass()
{
	local lower_address

	find_sender "$1"
	serve '' pass "$1" "$2" "$3" 1 "$tmp/keys" "$lower_address" "device=${dev:-qlink0}" "${@:4}" || fail "key $3"
}

# keys_pass FROM TO FIRST COUNT [WORD=VALUE…]: installs many keys; see ringtool.py.
keys_pass()
{
	local lower_address

	find_sender "$1"
	ringtool pass "$1" "$2" "$3" "$4" "$tmp/keys" "$lower_address" "device=${dev:-qlink0}" "${@:5}" || fail "keys from $3 on"
}

# keys NS [NAME=VALUE|NAME<N|NAME>N]… [NAME…]: selects keys by these members and prints the named members of
# each, as "tx:1 rx:1", or without a NAME how many there are.
keys() { serve "$1" keys "${dev:-qlink0}" "${@:2}"; }

# sum NUMBERS: the sum of numbers in one word list.
sum()
{
	local n total=0

	for n in $1; do total=$((total + n)); done
	echo "$total"
}

# key_file NS EPOCH: writes the 44 bytes of a transmit key of this end to a file, and prints its path.
key_file()
{
	local lower_address

	find_sender "$1"
	write_hex "$tmp/$1.$2.key" \
		"$(awk -v epoch="$2" -v who="$lower_address" '$2 == epoch && $3 == who { key = $4 } END { print key }' \
			"$tmp/keys")"
	echo "$tmp/$1.$2.key"
}

# ring NS tx|rx NAME: a member of one ring, named as in qlinkctl's JSON.
ring() { serve "$1" ring "${dev:-qlink0}" "$2" "$3"; }
ring_is() { [ "$(ring "$1" "$2" "$3")" = "$4" ]; }
# link_field NS FILTER: applies a jq filter to the link.
link_field() { in_ns "$1" qlinkctl -j show "${dev:-qlink0}" | jq -r ".[0].link | $2"; }
link_field_is() { [ "$(link_field "$1" "$2")" = "$3" ]; }
link_set() { expect_ok "set ${*:2}" in_ns "$1" qlinkctl set "${dev:-qlink0}" "${@:2}"; }

# begin_to_sleep freeze|mem|disk: starts to put the host to sleep; this is cancelled once all notifiers have run.
begin_to_sleep() { /usr/bin/python3 "$here/wakeup.py" "$1"; }

# ---- counters ----

# stats NS [DEVICE]: "name:value", one per line, without FPU waits and keepalives sent, which depend on what else
# runs and on time.
stats() { serve "$1" stats "${2:-qlink0}"; }
stat_get() { serve "$1" stat qlink0 "$2"; }
stat_is_above() { [ "$(stat_get "$1" "$2")" -gt "$3" ]; }

# stats64 NS FILTER [DEVICE]: applies a jq filter to a device's standard counters, as ip shows them.
stats64() { ip -n "$1" -s -j link show "${3:-qlink0}" | jq ".[0].stats64 | $2"; }

# datagrams: the number of packets that UDP has delivered to sockets of $ns2.
datagrams()
{
	in_ns "$ns2" cat /proc/net/snmp /proc/net/snmp6 |
		awk '/^Udp: [0-9]/ { n += $2 } /^Udp6InDatagrams/ { n += $2 } END { print n }'
}

# stats_nonzero NS: "name:value …" of the counters that are not 0, without those of parcels that tell of no drop.
stats_nonzero()
{
	local pair pairs out=()

	pairs=$(stats "$1")
	[ -n "$pairs" ] || { echo "no counters"; return 1; }
	for pair in $pairs; do
		case $pair in
		*:0 | tx_parcels:* | tx_parcel_bytes:* | tx_pad_bytes:* | tx_cover:* | tx_parcel_late:* | rx_parcels:*) ;;
		*) out+=("$pair") ;;
		esac
	done
	echo "${out[*]}"
}

# expect_nothing_dropped: neither end has dropped a frame since it was created.
expect_nothing_dropped() { expect_eq "dropped" "$(stats_nonzero "$ns1") $(stats_nonzero "$ns2")" " "; }

# stats_moved NS BEFORE: "name=+n" for each counter that moved.
stats_moved()
{
	local pair pairs n out=()
	local -A was=()

	pairs=$(stats "$1")
	[ -n "$pairs" ] || { echo "no counters"; return 1; }
	for pair in $2; do was[${pair%:*}]=${pair#*:}; done
	for pair in $pairs; do
		n=$((${pair#*:} - ${was[${pair%:*}]:-0}))
		[ "$n" = 0 ] || out+=("${pair%:*}=+$n")
	done
	echo "${out[*]}"
}

moved_is() { [ "$(stats_moved "$1" "$2")" = "$3" ]; }

# expect_only_moved NS BEFORE 'name=+n …': exactly these counters moved, in the order of ethtool -S.
expect_only_moved()
{
	local end=$((SECONDS + 5)) moved

	n_checks=$((n_checks + 1))
	until moved=$(stats_moved "$1" "$2"); [ "$moved" = "$3" ]; do
		[ "$SECONDS" -le "$end" ] || { fail "counters moved: got '$moved', want '$3'"; return; }
		pause
	done
}

# ---- events ----

# listen NS FILE: writes the events of a namespace from now on to FILE, one JSON object per line.
listen()
{
	ip netns exec "$1" qlinkctl -j monitor >"$2" 2>"$2.log" &
	defer kill $!
	busywait "$deadline" grep -q listening "$2.log" || fail "monitor: $(cat "$2.log")"
}

# has_event FILE KIND: FILE holds at least one event of this kind.
has_event() { jq -se --arg kind "$2" 'any(.[].kinds[]; . == $kind)' "$1"; }

# ---- captures ----

# capture_start NS FILE: captures all frames at veth0, and whole unless $capture_bytes is less. The buffer has a place of
# that size for each frame: of whole ones, which may be of 64 KiB, it holds about a thousand.
capture_start()
{
	ip netns exec "$1" tcpdump -i "${dev:-veth0}" -s "${capture_bytes:-0}" -B 65536 ${capture_precision:+--time-stamp-precision "$capture_precision"} --immediate-mode -U -Z root -w "$2" 2>>"$2.log" &
	capture_pid=$!
	defer kill "$capture_pid"
	busywait "$deadline" grep -q 'listening on' "$2.log" || fail "tcpdump: $(cat "$2.log")"
}

# capture_is_drained FILE: tcpdump has written all that its socket received.
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
	[ -z "${QLINK_CAPTURES:-}" ] || capture_keep "$1"
}

# capture_keep FILE: leaves a capture, and the keys that the test knows, in the folder $QLINK_CAPTURES.
capture_keep()
{
	# shellcheck disable=SC2154 # run_tests' name of the test
	local name=$QLINK_CAPTURES/$test

	cp "$1" "$name.pcap"
	[ ! -e "$tmp/keys" ] || cp "$tmp/keys" "$name.keys"
}

# find_wire: sets $wire to the options by which qlinkwire.py recognizes sealed frames.
find_wire() { if [ "$under" = eth ]; then wire=(--ethertype 0x88b5); else wire=(--udp-port "$port"); fi; }

# decode_nonces PCAP: writes to $tmp/nonces how many frames each sender sealed and on which lanes, how many were
# repeated, and how many were out of order within their lane.
decode_nonces()
{
	local wire

	find_wire
	qlinkwire nonces "$1" "${wire[@]}" >"$tmp/nonces"
	expect_eq "problems" "$(jq -c .problems "$tmp/nonces")" "[]"
}

# nonces 1|2 sealed|again|back|lanes: one of these, for the frames of one end.
nonces() { jq --arg sender "$(lower_address "$1")" ".senders[\$sender].$2" "$tmp/nonces"; }
