# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What a reader pastes from the README is what a test runs.

# block NAME FILE [N]: prints the Nth (1) fenced block of that name, the second word behind a fence: "```sh by-hand".
block()
{
	awk -v name="$1" -v wanted="${3:-1}" '
		/^```/ { inside = !is_open && $2 == name && ++n == wanted; is_open = !is_open; next }
		inside { print; n_lines++ }
		END { if (!n_lines) { print "no block " name " " wanted >"/dev/stderr"; exit 1 } }' "$2"
}
