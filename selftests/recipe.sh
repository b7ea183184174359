#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The README's recipe for two sites, pasted block by block into a root shell at each, makes a link under hybrid keys.

# shellcheck source=sites.sh
. "$(dirname "$0")/sites.sh"
# shellcheck source=block.sh
. "$(dirname "$0")/block.sh"

page=$(cd -P "$here/../../.." && pwd)/README.md
readonly page outer=(- 192.0.2.1 192.0.2.2)
# Bytes that every ping has behind its time stamp, in clear.
readonly ping_bytes="'()*+,-./01234567"

# scp_make 1|2: what stands for ssh between the two; root@ADDRESS:FOLDER/ is a folder of the other site.
scp_make()
{
	cat >"$tmp/$1/bin/scp" <<-END
		#!/bin/bash
		to=\${!#}
		[[ \$to == root@${outer[3 - $1]}:/*/ ]] || { echo "scp: \$to: no such place" >&2; exit 1; }
		exec cp "\${@:1:\$#-1}" "/proc/\$(cat $tmp/$((3 - $1))/pid)/root\${to#*:}"
	END
	chmod +x "$tmp/$1/bin/scp"
}

# host_start 1|2: a root shell in a network of its own, with its own /etc, /run and /var/log. It ends at the first
# command that fails.
host_start()
{
	local dir=$tmp/$1

	mkdir -p "$dir"/{root,etc,work,bin}
	mkfifo "$dir/typed"
	scp_make "$1"
	# shellcheck disable=SC2016 # the inner shell expands these
	setsid ip netns exec "$(site_ns "$1")" bash -c '
		mount -t overlay -o "lowerdir=/etc,upperdir=$1/etc,workdir=$1/work" overlay /etc &&
			mount -t tmpfs -o mode=755 tmpfs /run && mount -t tmpfs tmpfs /var/log || exit
		cd "$1/root" && echo $$ >"$1/pid" || exit
		HOME=$1/root PATH=$1/bin:$PATH exec bash -e' bash "$dir" <>"$dir/typed" >"$dir/log" 2>&1 &
	defer kill -- "-$!"
	expect_soon "a shell at $1" test -s "$dir/pid"
}

# paste 1|2 NAME [N]: the Nth block of this name into the shell of a site, and wait until it is through.
paste()
{
	local words

	words=$(block "$2" "$page" "${3:-1}") || fail "block $2"
	type_in "$1" "block $2 ${3:-}" "$words"
}

# type_in 1|2 WHAT WORDS: WORDS into the shell of a site, and wait until it is through.
type_in()
{
	local what=$2 words=$3

	n_pasted=$((n_pasted + 1))
	printf '%s\necho pasted %s\n' "$words" "$n_pasted" 1<>"$tmp/$1/typed"
	# It waits for the first keys.
	n_checks=$((n_checks + 1))
	busywait $((4 * deadline)) grep -qx "pasted $n_pasted" "$tmp/$1/log" ||
		fail "$what: $(cat "$tmp/$1/log")"
}

# sealed_in PCAP: how many frames of the link it has.
sealed_in() { qlinkwire nonces "$1" --udp-port 7000 | jq "[.senders[].sealed] | add"; }

test_two_sites_as_the_readme_has_them()
{
	local n_pasted=0 n

	# No block goes untried; scripts/packages has the first, scripts/by-hand the second, and scripts/at-boot those for boots.
	expect_eq "blocks" "$(sed -n 's/^```sh //p' "$page" | tr '\n' ' ')" "packages by-hand site-a site-b site-a both site-a at-boot at-boot-systemd-networkd at-boot-NetworkManager at-boot-ifupdown at-boot both both "
	setup_ns ns1 ns2
	expect_ok "the wire" connect_ns "$ns1" "$ns2" veth0 "${outer[1]}" "${outer[2]}"
	host_start 1
	host_start 2
	capture_start "$ns1" "$tmp/wire"
	paste 1 site-a 1
	paste 2 site-b
	paste 1 site-a 2
	paste 1 both
	paste 2 both
	# The first keys may come before the KMEs answer.
	type_in 1 "until protected" "until qlinkctl status | grep -q 'site-b: protected'; do sleep 0.1; done"
	paste 1 site-a 3
	cat "$tmp/1/log"
	expect_has "ping" "$(cat "$tmp/1/log")" "3 received"
	expect_has "status" "$(cat "$tmp/1/log")" "link qlink0 to site-b: protected, agreement ready"
	expect_has "status" "$(cat "$tmp/1/log")" "new keys are hybrid"
	capture_stop "$tmp/wire"
	expect_ok "sealed frames" test "$(sealed_in "$tmp/wire")" -ge 6
	expect_eq "frames in clear" "$(tcpdump -Z root -n -r "$tmp/wire" net 10.9.0.0/24 2>/dev/null | wc -l)" 0
	expect_eq "payload in clear" "$(grep -c -a -F "$ping_bytes" "$tmp/wire")" 0
	# It is seen where it is in clear.
	dev=qlink0 capture_start "$ns1" "$tmp/inside"
	in_ns "$ns1" ping -c 1 -W 5 10.9.0.2 >/dev/null
	capture_stop "$tmp/inside"
	expect_ok "payload inside" grep -q -a -F "$ping_bytes" "$tmp/inside"
	parcels_as_the_readme_has_them
}

# Both directions by the clock: 23.6 Mbit/s, and next to nothing in them. A busy machine may miss ticks.
paste_top()
{
	type_in 1 "top" "qlinkctl top 2"
	# shellcheck disable=SC2016 # awk expands these
	expect_ok "rate and fill: $(grep ^qlink0 "$tmp/1/log" | tail -n 1)" awk '
		/^qlink0 / { rate = $10; fill = $11 } END { exit !(rate > 1 && rate < 30 && fill > 0 && fill < 50) }' "$tmp/1/log"
}

parcels_as_the_readme_has_them()
{
	paste 1 both 2
	paste 2 both 2
	expect_ok "1,504 bytes" in_ns "$ns1" ping -c 3 -i 0.01 -W 5 -M "do" -s 1476 10.9.0.2
	paste 1 both 3
	paste 2 both 3
	expect_ok "by the clock" in_ns "$ns1" ping -c 3 -i 0.01 -W 5 -M "do" -s 1476 10.9.0.2
	expect_has "the rate" "$(cat "$tmp/1/log")" " each of 1472 bytes, 11.776 Mbit/s"
	capture_start "$ns1" "$tmp/clock"
	paste_top
	expect_ok "under traffic" in_ns "$ns1" ping -c 20 -i 0.01 -W 5 10.9.0.2
	capture_stop "$tmp/clock"
	expect_eq "one size" "$(qlinkwire nonces "$tmp/clock" --udp-port 7000 | jq -c '[.senders[].sizes | keys[]] | unique')" '["1472"]'
}

run_tests "$@"
