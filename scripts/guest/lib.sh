# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What the scripts of this folder share.

# at NETNS COMMAND…
at() { ip netns exec "$1" "${@:2}"; }

# busywait SECONDS COMMAND…: repeats COMMAND until it succeeds.
busywait()
{
	local end=$((SECONDS + $1))

	shift
	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$end" ] || { echo "${0##*/}: timed out waiting for: $*" >&2; exit 1; }
	done
}

# find_idle CPU: sets $idle to how long it has been idle, in ticks of 10 ms. Without a process, which would need a CPU.
find_idle()
{
	local name wait

	while read -r name _ _ _ idle wait _; do
		[ "$name" != "cpu$1" ] || { idle=$((idle + wait)); return; }
	done </proc/stat
}

# is_quiet CPU: it is idle for nine tenths of 0.3 s.
is_quiet()
{
	local idle before

	[ -n "${never_ready-}" ] || exec {never_ready}<> <(:)
	find_idle "$1"
	before=$idle
	read -r -t 0.3 -u "$never_ready" || true
	find_idle "$1"
	[ $((idle - before)) -ge 27 ]
}

# Waits until what a new device does by itself is over. The bench in the VM counts no idle time; elsewhere the CPU says it,
# unless it has other work, which the figures include.
rest()
{
	local end=$((SECONDS + 5))

	[ -n "${BENCH_CPU-}" ] || { sleep 3; return; }
	until is_quiet "$BENCH_CPU" || [ "$SECONDS" -ge "$end" ]; do :; done
}
