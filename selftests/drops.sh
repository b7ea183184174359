#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Frames that a busy or broken host drops: each moves the one counter that says why.
#
# rx_open_error has no test: with the linear buffers that it gets, the cipher can fail by the tag only.

# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# only_moved NS BEFORE NAME: only this counter moved.
only_moved() { [[ $(stats_moved "$1" "$2") =~ ^$3=\+[0-9]+$ ]]; }

flood() { in_background "$1" ping -q -f -w 60 "$2"; }

# The stack sends frames until it has noticed that the carrier is off.
unplug_and_plug() { ip -n "$1" link set veth0 down; ip -n "$1" link set veth0 up; [ "$(stat_get "$1" tx_no_underlay)" -gt 0 ]; }

test_lower_device_goes_down()
{
	local before

	under=eth
	setup_pair
	quiet
	before=$(stats "$ns1")
	flood "$ns1" "${inner[2]}"
	flood "$ns1" "${inner[2]}"
	expect_soon "frames that met a lower device that was down" unplug_and_plug "$ns1"
	ip netns pids "$ns1" | xargs -r kill
	expect_ok "no other counter: $(stats_moved "$ns1" "$before")" only_moved "$ns1" "$before" tx_no_underlay
}

run_tests "$@"
