# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# How each peer of the bench is set up between the network namespaces a and b.
#
# Each runs over a veth of MTU 1500 and has MTU 1420, the largest that all of them can have, so that each cuts a stream
# into segments of the same size and none fragments. Except for the wire's MTU, all use default settings: offloads,
# checksums, queues. Ciphers are AES-256-GCM, except WireGuard's, which has only ChaCha20-Poly1305, and vxlan, which
# has none.

A=10.9.0.1
B=10.9.0.2
INNER_MTU=1420

# Without IPv6, which would send frames by itself.
lay_wire()
{
	local site

	for site in a b; do
		ip netns add "$site"
		at "$site" sysctl -e -q -w net.ipv6.conf.default.disable_ipv6=1 net.ipv6.conf.all.disable_ipv6=1
		ip -n "$site" link set lo up
	done
	ip link add wire netns a address 02:00:00:00:00:0a type veth \
		peer name wire netns b address 02:00:00:00:00:0b
	if [ "$1" != veth ]; then
		put a wire 192.0.2.1/24
		put b wire 192.0.2.2/24
	fi
}

# put SITE DEVICE ADDRESS: sets an address and brings the device up.
put()
{
	ip -n "$1" address add "$3" dev "$2"
	ip -n "$1" link set "$2" up
}

# put_inner DEVICE: at both ends, the device through which the bench sends.
put_inner()
{
	ip -n a link set "$1" mtu $INNER_MTU
	ip -n b link set "$1" mtu $INNER_MTU
	put a "$1" $A/24
	put b "$1" $B/24
}

# device_of PEER: its device at both ends, if it has one.
device_of()
{
	case $1 in
	veth) echo wire ;;
	ovpn) echo tun0 ;;
	wireguard) echo wg0 ;;
	vxlan | macsec | qlink) echo "${1}0" ;;
	esp) ;;
	esac
}

make_veth() { put_inner wire; }

# Its UDP checksum is 0 over IPv4, which is the default.
make_vxlan()
{
	ip -n a link add vxlan0 type vxlan id 42 local 192.0.2.1 remote 192.0.2.2 dstport 4789 dev wire
	ip -n b link add vxlan0 type vxlan id 42 local 192.0.2.2 remote 192.0.2.1 dstport 4789 dev wire
	put_inner vxlan0
}

# macsec_end SITE OTHER NUMBER KEY OTHER-NUMBER OTHER-KEY
macsec_end()
{
	ip -n "$1" link add link wire macsec0 type macsec port 1 cipher gcm-aes-256 encrypt on
	ip -n "$1" macsec add macsec0 tx sa 0 pn 1 on key "0$3" "$4"
	ip -n "$1" macsec add macsec0 rx port 1 address "02:00:00:00:00:0$2"
	ip -n "$1" macsec add macsec0 rx port 1 address "02:00:00:00:00:0$2" sa 0 pn 1 on key "0$5" "$6"
}

macsec_ends()
{
	local keys=("$(openssl rand -hex 32)" "$(openssl rand -hex 32)")

	macsec_end a b 1 "${keys[0]}" 2 "${keys[1]}"
	macsec_end b a 2 "${keys[1]}" 1 "${keys[0]}"
}

make_macsec()
{
	macsec_ends
	put_inner macsec0
}

# esp_state SITE FROM TO SPI REQID KEY
esp_state()
{
	ip -n "$1" xfrm state add src "$2" dst "$3" proto esp spi "$4" reqid "$5" mode tunnel replay-window 64 \
		aead 'rfc4106(gcm(aes))' "0x$6" 128
}

# esp_way SITE DIRECTION FROM TO OUTER-FROM OUTER-TO SPI KEY
esp_way()
{
	esp_state "$1" "$5" "$6" "$7" "$7" "$8"
	ip -n "$1" xfrm policy add src "$3/32" dst "$4/32" dir "$2" \
		tmpl src "$5" dst "$6" proto esp reqid "$7" mode tunnel
}

# A policy, not a device: the inner addresses are on the loopback device, and the MTU is the route's. "make_esp gso"
# loads the module that seals GSO frames whole, which nothing loads by itself; no hardware offload is involved. "make_esp
# percpu" adds an SA for each CPU.
make_esp()
{
	# 32 bytes of key and 4 of salt.
	local there back

	[ "${1-}" != gso ] || modprobe esp4_offload
	there=$(openssl rand -hex 36)
	back=$(openssl rand -hex 36)
	put a lo $A/32
	put b lo $B/32
	ip -n a route add $B/32 via 192.0.2.2 src $A mtu $INNER_MTU
	ip -n b route add $A/32 via 192.0.2.1 src $B mtu $INNER_MTU
	esp_way a out $A $B 192.0.2.1 192.0.2.2 1001 "$there"
	esp_way b in $A $B 192.0.2.1 192.0.2.2 1001 "$there"
	esp_way b out $B $A 192.0.2.2 192.0.2.1 1002 "$back"
	esp_way a in $B $A 192.0.2.2 192.0.2.1 1002 "$back"
	[ "${1-}" != percpu ] || esp_cpus
}

SPI_THERE=20000
SPI_BACK=30000
way_began=()

# Each CPU seals under an SA of its own (RFC 9611). The SA of all CPUs stays for those without one. They must be there
# before the first frame: the kernel asks first for an SA that the policy has used, and the one of all CPUs fits any.
esp_cpus()
{
	local cpu there back pins_a=() pins_b=()

	for cpu in $(online_cpus); do
		there=$(openssl rand -hex 36)
		back=$(openssl rand -hex 36)
		esp_state a 192.0.2.1 192.0.2.2 $((SPI_THERE + cpu)) 1001 "$there"
		esp_state b 192.0.2.1 192.0.2.2 $((SPI_THERE + cpu)) 1001 "$there"
		esp_state b 192.0.2.2 192.0.2.1 $((SPI_BACK + cpu)) 1002 "$back"
		esp_state a 192.0.2.2 192.0.2.1 $((SPI_BACK + cpu)) 1002 "$back"
		pins_a+=($((SPI_THERE + cpu)):"$cpu")
		pins_b+=($((SPI_BACK + cpu)):"$cpu")
	done
	# shellcheck disable=SC2154 # $here is the folder of these scripts
	at a python3 "$here/pin_sa.py" "${pins_a[@]}"
	at b python3 "$here/pin_sa.py" "${pins_b[@]}"
}

online_cpus() { awk '/^cpu[0-9]/ { print substr($1, 4) }' /proc/stat; }

# count_ways KIND UNDER: has the wire count the frames of each lane or SA that BENCH_CPU and BENCH_CPU2 may take, and sets
# $ways to their names. What has neither has no ways.
count_ways()
{
	local cpu

	tc -n b qdisc add dev wire clsact
	for cpu in "$BENCH_CPU" "$BENCH_CPU2"; do
		case $1-$2 in
		qlink-eth) way "lane-$((cpu % 256))" 0x88b5 u8 $((cpu % 256)) 0xff at 1 ;;
		qlink-udp) way "lane-$((cpu % 256))" ip u8 $((cpu % 256)) 0xff at 29 ;;
		esp-percpu) way "SA-of-CPU-$cpu" ip u32 $((SPI_THERE + cpu)) 0xffffffff at 20 ;;
		esp-*) way SA-of-all ip u32 1001 0xffffffff at 20 ;;
		esac
	done
}

# way NAME PROTOCOL MATCH…: the first is at preference 1.
way()
{
	[[ " ${ways[*]} " != *" $1 "* ]] || return 0
	ways+=("$1")
	tc -n b filter add dev wire ingress pref "${#ways[@]}" protocol "$2" u32 match "${@:3}" action ok
}

# way_frames N: how many have gone the Nth way.
way_frames() { tc -n b -s -j filter show dev wire ingress pref "$1" | jq '[.[].options.actions[]?.stats.packets] | add'; }

reset_ways()
{
	local n

	for n in "${!ways[@]}"; do way_began[n]=$(way_frames $((n + 1))); done
}

# show_ways: since the reset.
show_ways()
{
	local n

	for n in "${!ways[@]}"; do echo "${ways[n]} $(($(way_frames $((n + 1))) - way_began[n]))"; done
}

wireguard_ends()
{
	local site

	umask 077
	for site in a b; do
		wg genkey >"$site.key"
		ip -n "$site" link add wg0 type wireguard
	done
	at a wg set wg0 listen-port 51820 private-key a.key peer "$(wg pubkey <b.key)" \
		allowed-ips 10.0.0.0/8 endpoint 192.0.2.2:51820
	at b wg set wg0 listen-port 51820 private-key b.key peer "$(wg pubkey <a.key)" \
		allowed-ips 10.0.0.0/8 endpoint 192.0.2.1:51820
}

make_wireguard()
{
	wireguard_ends
	put_inner wg0
}

# openvpn_end SITE OTHER NUMBER OTHER-NUMBER TLS-SIDE NET MTU
openvpn_end()
{
	at "$1" openvpn --dev tun0 --dev-type tun --mode p2p --proto udp \
		--local "192.0.2.$3" --remote "192.0.2.$4" --lport 1194 --rport 1194 --ifconfig "$6.$3" "$6.$4" \
		--cert "$1.pem" --key "$1.key" --peer-fingerprint "$(cat "$2.print")" "$5" --dh none \
		--data-ciphers AES-256-GCM --auth none --tun-mtu "$7" --mssfix 0 \
		--daemon --writepid "$1.pid" --log "openvpn-$1.log" --verb 4
}

is_ovpn() { ip -n "$1" -d link show tun0 | grep -qw ovpn; }

# ovpn_ends NET MTU: the daemons agree on keys; the frames stay in the kernel's driver, or this fails.
ovpn_ends()
{
	local site

	modprobe ovpn
	for site in a b; do
		openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=$site" \
			-keyout "$site.key" -out "$site.pem" 2>/dev/null
		openssl x509 -in "$site.pem" -noout -fingerprint -sha256 | sed 's/.*=//' >"$site.print"
	done
	openvpn_end a b 1 2 --tls-server "$@"
	openvpn_end b a 2 1 --tls-client "$@"
	busywait 60 grep -q 'Initialization Sequence Completed' openvpn-a.log
	busywait 60 grep -q 'Initialization Sequence Completed' openvpn-b.log
	is_ovpn a && is_ovpn b
}

make_ovpn() { ovpn_ends 10.9.0 $INNER_MTU; }

# add_qlinks SITE OTHER NUMBER OTHER-NUMBER FIRST LAST UNDER: prints commands for ip.
add_qlinks()
{
	local i

	for ((i = $5; i <= $6; i++)); do
		case $7 in
		eth) echo "link add link wire name qlink$i type qlink id $((i + 1)) peer 02:00:00:00:00:0$2 accept static" ;;
		udp) echo "link add qlink$i type qlink id $((i + 1)) local 192.0.2.$3 remote 192.0.2.$4 port 4789 accept static" ;;
		esac
	done
}

# qlinks FIRST LAST UNDER: at both ends.
qlinks()
{
	add_qlinks a b 1 2 "$@" | ip -n a -batch -
	add_qlinks b a 2 1 "$@" | ip -n b -batch -
}

qlink_ends()
{
	umask 077
	qlinks 0 0 "$1"
	head -c 44 /dev/urandom >there
	head -c 44 /dev/urandom >back
	at b qlinkctl key add qlink0 rx epoch 1 file there
	at a qlinkctl key add qlink0 tx epoch 1 file there
	at a qlinkctl key add qlink0 rx epoch 1 file back
	at b qlinkctl key add qlink0 tx epoch 1 file back
}

make_qlink()
{
	qlink_ends "$1"
	put_inner qlink0
}

# add_links N UNDER: adds links over the same lower device or addresses until there are N, up and with keys. Traffic
# uses the first one.
add_links()
{
	local site i

	qlinks 1 $(($1 - 1)) "$2"
	for site in a b; do
		for ((i = 1; i < $1; i++)); do echo "link set qlink$i up"; done | ip -n $site -batch -
		at $site ./install tx 1 $(($1 - 1)) 1 $(($1 - 1)) >/dev/null
		at $site ./install rx 1 $(($1 - 1)) 1 $(($1 - 1)) >/dev/null
	done
}
