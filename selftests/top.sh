#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# "qlinkctl top" on a terminal of 80 by 24, which is tmux, beside two sites with KMEs and traffic. With QLINK_SCREENS=FOLDER, what
# is on the screen goes into files there, for doc/top.md.

# shellcheck source=sites.sh
. "$(dirname "$0")/sites.sh"

# shellcheck disable=SC2034 # "run" reads it
run_by=scripts/screens

# terminal WORD…: runs a command of tmux.
terminal() { tmux -S "$tmp/tmux" -f /dev/null "$@"; }
screen() { terminal capture-pane -p -t top; }
screen_has() { screen | grep -q -e "$1"; }
press() { expect_ok "keys $*" terminal send-keys -t top "$@"; }

# shows NAME PATTERN…: one screen has all of these; it is kept under this name.
shows()
{
	local text pattern

	text=$(screen)
	for pattern in "${@:2}"; do grep -q -e "$pattern" <<<"$text" || return 1; done
	[ -z "${QLINK_SCREENS-}" ] || echo "$text" >"$QLINK_SCREENS/$1"
}

# expect_shows NAME PATTERN…: it takes some looks of top, and more on a busy machine.
expect_shows()
{
	n_checks=$((n_checks + 1))
	busywait $((3 * deadline)) shows "$@" || { fail "$1: not within $((3 * deadline)) s: ${*:2}"; screen; }
}

# top_open 1|2: starts qlinkctl top for the agent of a site.
top_open()
{
	LC_ALL=C.UTF-8 expect_ok "tmux" terminal new-session -d -s top -x 80 -y 24 \
		"ip netns exec $(site_ns "$1") qlinkctl -c $tmp/${site[$1]}/control top"
	defer terminal kill-server
	expect_soon "a screen" screen_has '^LINK .*STATE'
}

test_top_shows_two_sites_udp()
{
	setup_sites
	kmes_start "stock 2000" "supply fibre 20"
	links_add
	agents_start "floor-ms 400" "ceiling-ms 400" "reserve 0" "store 30" "outage-cover 30"
	keep_busy
	expect_active hybrid
	top_open 1
	expect_shows list '1 link: 1 protected$' '^qlink0 *protected *hybrid *[1-9].* 400 *0\.[0-9]*[1-9][0-9]* .*█' \
		'^qlink0 .* [▁▂▃▄▅▆▇█]\{10\}'
	press Enter
	expect_shows details '1 link: 1 protected$' '^state *protected, agreement ready$' '^kme *rack is up' 'TLS 1\.3, .*, with KME-A'
	press Escape
	press h
	expect_shows help '1 link: 1 protected$' 'only links that are not protected'
	press q
	kmes stop a
	kmes stop b
	expect_shows degraded '1 link: 1 degraded$' '^qlink0 *degraded *pqc '
	press q
	expect_soon "the end" eval '! terminal has-session -t top 2>/dev/null'
}

run_tests "$@"
