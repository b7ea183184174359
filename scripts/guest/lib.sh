# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What the scripts in the VM share.

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
