#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Policy: a shorter accept list, set under traffic, is in force when the command returns.

# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# key_of_source FROM TO EPOCH SOURCE [WORD…]: installs a key that is marked with this source.
key_of_source()
{
	key_new "$3" >/dev/null
	expect_ok "${*:4} at the receiver" in_ns "$2" qlinkctl key add qlink0 rx epoch "$3" source "${@:4}" file "$tmp/$3"
	expect_ok "${*:4} at the sender" in_ns "$1" qlinkctl key add qlink0 tx epoch "$3" source "${@:4}" file "$tmp/$3"
}

# setup_mixed: ns1 seals with a pqc key; static and hybrid keys follow in turn.
setup_mixed()
{
	local epoch

	setup_pair
	quiet
	nobody "$ns1"
	link_set "$ns1" accept hybrid,pqc,static
	link_set "$ns2" accept hybrid,pqc,static grace-ms 60000
	key_of_source "$ns1" "$ns2" 2 pqc
	for epoch in 3 5; do key_of_source "$ns1" "$ns2" "$epoch" static; done
	for epoch in 6 7; do key_of_source "$ns1" "$ns2" "$epoch" hybrid; done
	expect_ok "rotate" in_ns "$ns1" qlinkctl rotate qlink0
}

# setup_kmes: ns1 seals with a key of one KME; keys of one, two, one and three follow, then one of no KME.
setup_kmes()
{
	local epoch

	setup_pair
	quiet
	nobody "$ns1"
	link_set "$ns1" accept qkd,hybrid,pqc,static
	link_set "$ns2" accept qkd,hybrid,pqc,static grace-ms 60000
	key_of_source "$ns1" "$ns2" 2 hybrid
	key_of_source "$ns1" "$ns2" 3 qkd
	key_of_source "$ns1" "$ns2" 4 hybrid kmes 2
	key_of_source "$ns1" "$ns2" 5 hybrid kmes 1
	key_of_source "$ns1" "$ns2" 6 hybrid kmes 3
	key_of_source "$ns1" "$ns2" 7 pqc
	expect_ok "rotate" in_ns "$ns1" qlinkctl rotate qlink0
}

# sources NS DIRECTION: the sources of the keys that are held.
sources() { keys "$1" "direction=$2" source | tr ' ' '\n' | sort -u | paste -sd ' '; }

# The sender: after the marker, no frame is sealed with a key of a refused source.
test_sender()
{
	under=eth
	setup_mixed
	tighten_sender hybrid 6
	expect_eq "sources" "$(sources "$ns1" tx)" hybrid
}

# The same for keys of too few KMEs: one in use and one staged go, keys of more and those without a KME stay.
test_sender_with_too_few_kmes()
{
	under=eth
	setup_kmes
	tighten_sender qkd2,hybrid2,pqc 4
	expect_eq "keys" "$(keys "$ns1" direction=tx epoch kmes)" "4:2 6:3 7:0"
	link_set "$ns1" accept hybrid3
	expect_eq "keys" "$(keys "$ns1" direction=tx epoch kmes)" "6:3"
	expect_soon "frames" frames_under 6
	link_set "$ns1" accept hybrid8
	expect_eq "keys" "$(keys "$ns1" direction=tx epoch)" ""
	expect_soon "blocked" carrier_is "$ns1" 0
}

# tighten_sender LIST EPOCH: ns1, which seals under epoch 2, accepts only LIST and then seals under EPOCH alone; epochs 3
# and 5 were never used.
tighten_sender()
{
	capture_start "$ns1" "$tmp/pcap"
	in_background "$ns1" ping -i 0.002 "$nobody"
	expect_soon "frames under a key to be refused" frames_under 2
	link_set "$ns1" accept "$1"
	in_ns "$ns1" python3 -c 'import socket
sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
sock.bind(("veth0", 0))
sock.send(bytes(12) + b"\x88\xb9" + bytes(46))'
	expect_soon "frames under the next key" frames_under "$2"
	capture_stop "$tmp/pcap"
	expect_eq "epochs after the marker" "$(epochs_after_marker "$tmp/pcap")" "$2"
	expect_eq "keys that were never used" "$(keys "$ns2" epoch=3 'frames>0') $(keys "$ns2" epoch=5 'frames>0')" "0 0"
}

frames_under() { [ "$(keys "$ns1" direction=tx "epoch=$1" 'frames>5')" = 1 ]; }

# epochs_after_marker FILE: the epochs of the sealed frames after the frame of type 0x88b9, each once.
epochs_after_marker()
{
	python3 -c 'import sys
sys.path.insert(0, sys.argv[2])
import capture
epochs, seen = set(), False
for packet in capture.read_pcap(open(sys.argv[1], "rb").read()):
    if packet[12:14] == b"\x88\xb9":
        seen = True
    elif seen and packet[12:14] == b"\x88\xb5":
        epochs.add(int.from_bytes(packet[18:24], "big"))
print(*sorted(epochs))' "$1" "$here"
}

# The receiver: once the command has returned, no more frames are delivered, though they still arrive.
each_test_receiver()
{
	setup_mixed
	tighten_receiver hybrid 6
	expect_eq "sources" "$(sources "$ns2" rx)" hybrid
}

# The same for keys of too few KMEs.
each_test_receiver_with_too_few_kmes()
{
	setup_kmes
	tighten_receiver hybrid2,pqc 4
	expect_eq "keys" "$(keys "$ns2" direction=rx epoch kmes)" "4:2 6:3 7:0"
}

# tighten_receiver LIST EPOCH: ns2, which opens frames under epoch 2, accepts only LIST; then ns1 does, and seals under
# EPOCH.
tighten_receiver()
{
	local came

	in_background "$ns1" ping -i 0.002 "$nobody"
	expect_soon "frames under a key to be refused" ring_is "$ns2" rx current_epoch 2
	link_set "$ns2" accept "$1"
	came=$(received)
	expect_soon "more arrive" arrived 20
	expect_eq "none is delivered" "$(received)" "$came"
	expect_ok "the sender uses an accepted one" in_ns "$ns1" qlinkctl set qlink0 accept "$1"
	expect_soon "frames again" ring_is "$ns2" rx current_epoch "$2"
}

received() { stats64 "$ns2" .rx.packets; }
arrived() { [ "$(stat_get "$ns2" rx_no_key)" -ge "$1" ]; }

# If all keys that were to follow are refused, the key after them follows, without a command.
test_next_keys_are_refused()
{
	under=eth
	setup_pair
	quiet
	link_set "$ns1" accept hybrid,pqc,static
	link_set "$ns2" accept hybrid,pqc,static grace-ms 60000
	keys_pass "$ns1" "$ns2" 2 40 source=pqc
	keys_pass "$ns1" "$ns2" 42 3 source=hybrid
	link_set "$ns1" accept hybrid,static
	link_set "$ns2" accept hybrid,static
	expect_eq "staged" "$(ring "$ns1" tx staged) $(ring "$ns1" tx current_epoch)" "3 1"
	link_set "$ns1" rekey-frames 1
	expect_soon "frames under a key that was far away" frames_reach 42
	expect_nothing_dropped
}

frames_reach()
{
	in_ns "$ns1" ping -c 1 -W 1 "${inner[2]}" >/dev/null && [ "$(ring "$ns2" rx current_epoch)" -ge "$1" ]
}

# A later key of a refused source is refused too, with its whole message.
test_later_keys()
{
	under=eth
	setup_mixed
	link_set "$ns1" accept hybrid
	expect_refused "static" "source static is not in the accept list" key_add "$ns1" tx 9 "$(key_new late)"
	expect_eq "counted" "$(stat_get "$ns1" key_refused)" 1
	link_set "$ns1" accept hybrid2
	expect_refused "hybrid" "kmes 1 is below 2, the least accepted for hybrid" \
		in_ns "$ns1" qlinkctl key add qlink0 tx epoch 9 source hybrid file "$tmp/late"
	expect_eq "counted" "$(stat_get "$ns1" key_refused)" 2
	link_set "$ns1" accept none
	expect_eq "none" "$(sources "$ns1" tx) $(sources "$ns1" rx)" " "
	expect_soon "blocked" carrier_is "$ns1" 0
}

debug_tests="next_keys_are_refused"
run_tests "$@"
