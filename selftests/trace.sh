#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Tracepoints say what the counters say, and the core's reasons of drops are true.

# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

readonly tracing=/sys/kernel/tracing/instances/qlink-test

# trace_start EVENT…: traces these events until the test ends.
trace_start()
{
	local event

	modprobe qlink
	mkdir "$tracing" || fail "no tracefs"
	defer rmdir "$tracing"
	for event; do echo 1 >"$tracing/events/$event/enable" || fail "no event $event"; done
}

# traced TEXT: a traced event holds it.
traced() { grep -qF -- "$1" "$tracing/trace"; }

test_keys_and_drops()
{
	under=eth
	trace_start qlink skb/kfree_skb
	setup_pair
	quiet
	expect_soon "a key in use" traced "qlink_key_taken: dev=qlink0 direction=tx epoch=1 source=static kmes=0 state=staged"
	expect_ok "forge" frames forge flip --under eth --from "$ns1" --to "$ns2" --key "$(key_file "$ns1" 1)"
	expect_soon "a forged frame" traced "qlink_drop: dev=qlink0 counter=rx_auth_error frames=1"
	expect_eq "as many as the counter says" "$(grep -cF 'counter=rx_auth_error' "$tracing/trace")" \
		"$(stat_get "$ns2" rx_auth_error)"
	expect_ok "the other end goes down" ip -n "$ns2" link set qlink0 down
	in_ns "$ns1" ping -c 1 -W 1 "${inner[2]}" >/dev/null
	expect_soon "a frame for a device that is down" traced "counter=rx_down"
	expect_soon "the core's reason" traced "reason: DEV_READY"
	expect_ok "delete" in_ns "$ns1" qlinkctl key del qlink0 tx epoch 1
	expect_soon "the key gone" traced "qlink_key_gone: dev=qlink0 direction=tx epoch=1 source=static kmes=0 state=active"
}

run_tests "$@"
