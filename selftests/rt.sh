#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Senders that preempt each other. Every kernel runs this; on one with PREEMPT_RT a sender loses its CPU in the middle of
# sending.

# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# add_upper: qlink1 over qlink0 at both ends, over $under, with addresses 10.0.1.*.
add_upper()
{
	local n ns words

	for n in 1 2; do
		ns=ns$n
		case $under in
		eth) words="link qlink0 name qlink1 type qlink id 8 peer 02:00:00:00:01:0$((3 - n))" ;;
		udp) words="name qlink1 type qlink id 8 local ${inner[n]} remote ${inner[3 - n]} port $port" ;;
		esac
		ip -n "${!ns}" -batch - <<-END
			link add $words accept static
			address add 10.0.1.$n/24 dev qlink1
			link set qlink1 up
		END
	done
	dev=qlink1 key_pass "$ns1" "$ns2" 1
	dev=qlink1 key_pass "$ns2" "$ns1" 1
}

# all_arrive DEVICE: what one end has sent, the other has received.
all_arrive() { [ "$(stats64 "$ns1" .tx.packets "$1")" = "$(stats64 "$ns2" .rx.packets "$1")" ]; }

# Two processes on one CPU send through a link, and through a link over it. Neither one's frames are taken for frames
# of the other that come back, and each arrives.
each_test_senders_on_one_cpu()
{
	local upper=$under sent

	under=eth
	setup_pair
	under=$upper
	add_upper
	answers "$ns1" 10.0.1.2
	answers "$ns1" "${inner[2]}"
	sent=$(ip netns exec "$ns1" /usr/bin/python3 "$here/preempt.py" 300 "${inner[2]}" 10.0.1.2)
	expect_ok "datagrams sent, $sent" test "$sent" -gt 600
	for dev in qlink0 qlink1; do
		expect_eq "$dev: came back" "$(stats "$ns1" "$dev" | grep tx_loop)" tx_loop:0
		expect_eq "$dev: dropped" "$({ stats "$ns1" "$dev"; stats "$ns2" "$dev"; } | grep -v ':0$')" ""
		expect_soon "$dev: all arrive" all_arrive "$dev"
	done
}

run_tests "$@"
