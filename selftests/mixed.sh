# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Two sites whose keys have secrets of two KMEs each: what tests of them share in addition to sites.sh.

# shellcheck source=sites.sh
. "$(dirname "${BASH_SOURCE[0]}")/sites.sh"

readonly second_port=8444

# second_start [LINE…]: starts a second pair of KMEs, the satellite; the LINEs configure its link.
second_start()
{
	sed -e "s/:$kme_port/:$second_port/; s|^control .*|control $tmp/satellite|" -e '/^link/q' "$tmp/kmesim.conf" \
		>"$tmp/satellite.conf"
	printf ' %s\n' "$@" >>"$tmp/satellite.conf"
	ip netns exec "$ns3" qlink-kmesim "$tmp/satellite.conf" >"$tmp/satellite.log" 2>&1 &
	defer kill $!
	expect_soon "satellite" grep -q '^ready' "$tmp/satellite.log"
}

# satellite COMMAND…: as kmes, for the second pair.
satellite() { expect_ok "satellite" qlink-kmesim -s "$tmp/satellite" "$@"; }

# mix_conf 1|2 [LINE…]: writes an agent's configuration with both KMEs in each key.
mix_conf()
{
	agent_conf "$1" "mix rack satellite" "${@:2}"
	sed -n "/^kme rack/,/ca /s/kme rack/kme satellite/; s/:$kme_port/:$second_port/; /^kme satellite/,/^ ca /p" \
		"$tmp/${site[$1]}/conf" >>"$tmp/${site[$1]}/conf.second"
	cat "$tmp/${site[$1]}/conf.second" >>"$tmp/${site[$1]}/conf"
}

# setup_mixed [LINE…]: two sites whose traffic is protected by keys of both KMEs.
setup_mixed()
{
	local n

	setup_sites
	kmes_start "${rich[@]}"
	second_start "${rich[@]}"
	links_add
	for n in 1 2; do
		mix_conf "$n" "$@"
		agent_start "$n"
	done
	keep_busy
	expect_mixed 2
}

# mixed NUMBER: the keys that both sites agreed on last have secrets of so many KMEs. They are used some 20 s later.
mixed()
{
	local n

	for n in 1 2; do
		link_status_is "$n" '"\(.source) \(.tx_kmes) \(.rx_kmes)"' "hybrid $1 $1" || return 1
	done
}

expect_mixed() { expect_soon "keys of $1 KMEs" mixed "$1" || show_logs; }
