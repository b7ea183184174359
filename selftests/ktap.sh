# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# KTAP for shell: runs each test of a file in a subshell of its own and checks what it expects.
#
# A file defines functions and ends with: run_tests "$@". test_NAME functions run once. each_test_NAME functions
# run twice, with $under set to eth and to udp. each_under_NAME functions also run for udp6.
# Arguments name the tests to run. $debug_tests names those that the debug kernel runs in "make check". A file
# that sets $needs_cpus is skipped on machines with fewer CPUs. One that sets $needs_systemd runs where systemd does.

# A kernel with kmemleak also has the other debug options that make it slow.
is_debug_kernel() { [ -e /sys/kernel/debug/kmemleak ]; }

# seconds; an emulated machine is slow
if is_debug_kernel; then readonly deadline=120; else readonly deadline=20; fi

list_tests()
{
	# The body may begin on the same line.
	sed -nE 's/^test_([a-z0-9_]+)\(\)( \{.*)?$/\1/p; s/^each_test_([a-z0-9_]+)\(\)( \{.*)?$/\1_eth \1_udp/p
		s/^each_under_([a-z0-9_]+)\(\)( \{.*)?$/\1_eth \1_udp \1_udp6/p' "$0"
}

# choose_tests: the tests to run when no test is named: all, or as $QLINK_TESTS says
#
#   K/N   share K of N. A test with several underlays runs over some of them in each share; a test with one
#         underlay or none runs in one share only. All shares together run everything. A file that sets
#         $in_every_share, because it depends on what differs between kernels, runs its tests with one
#         underlay or none in each share. So does a file with a single test: no share of it is empty.
#   all   all tests, also on the debug kernel, which takes several times as long for a test and otherwise runs
#         only those in $debug_tests, if the file names any
choose_tests()
{
	case ${QLINK_TESTS:=} in
	*/*) share_tests "${QLINK_TESTS%/*}" "${QLINK_TESTS#*/}" ;;
	all) list_tests ;;
	*) if is_debug_kernel && [ -n "${debug_tests-}" ]; then echo "$debug_tests"; else list_tests; fi ;;
	esac
}

# share_tests K N: share K of N, as choose_tests() says.
share_tests()
{
	local lines line underlays test=0 n

	mapfile -t lines < <(list_tests)
	[ "${#lines[@]}" != 1 ] || in_every_share=yes
	for line in "${lines[@]}"; do
		read -r -a underlays <<<"$line"
		if [ "${#underlays[@]}" = 1 ] && [ -n "${in_every_share-}" ]; then echo "${underlays[0]}"; continue; fi
		test=$((test + 1))
		for n in "${!underlays[@]}"; do
			[ $(((test + n) % $2 + 1)) != "$1" ] || echo "${underlays[n]}"
		done
	done
}

# is_wanted TEST NAME…: a NAME without its underlay stands for all underlays.
is_wanted()
{
	local test=$1 name

	shift
	for name; do
		name=${name#test_}
		[ "$test" != "$name" ] && [ "${test%_*}" != "$name" ] || return 0
	done
	return 1
}

# Frames are time-stamped while any socket asks for it. Each ping and tcpdump would turn that on and off by
# patching the kernel under load, which sometimes fails in QEMU without KVM.
hold_timestamps()
{
	socat -u UDP4-RECV:60009,bind=127.0.0.1,so-timestamp=1 OPEN:/dev/null >/dev/null 2>&1 &
}

run_tests()
{
	local tests=() test n=0 n_failed=0 n_skipped=0 rc holder line last

	if [ "$(nproc)" -lt "${needs_cpus:-1}" ]; then
		echo "1..0 # SKIP needs $needs_cpus CPUs, has $(nproc)"
		return 4
	fi
	# shellcheck disable=SC2046 # words
	[ $# -gt 0 ] || set -- $(choose_tests)
	for test in $(list_tests); do
		if is_wanted "$test" "$@"; then tests+=("$test"); fi
	done
	[ "${#tests[@]}" -ge $# ] || { echo "$0: must be of $(list_tests | tr '\n' ' '), not $*" >&2; return 2; }
	top=$(mktemp -d)
	chmod 755 "$top"	# a test may open its own folder in it to other users
	server_start
	exec {never_ready}<>"$top/server/never"
	hold_timestamps
	holder=$!
	echo "KTAP version 1"
	echo "1..${#tests[@]}"
	for test in "${tests[@]}"; do
		n=$((n + 1))
		tmp=$top/$n
		mkdir "$tmp"
		(run_test "$test") >"$tmp/log" 2>&1
		rc=$? line='' last=''
		while IFS= read -r line || [ -n "$line" ]; do echo "# ${line#\# }"; last=$line; done <"$tmp/log"
		case $rc in
		0) echo "ok $n $test" ;;
		4) echo "ok $n $test # SKIP $last"; n_skipped=$((n_skipped + 1)) ;;
		*) echo "not ok $n $test"; n_failed=$((n_failed + 1)) ;;
		esac
		rm -rf "$tmp"
	done
	kill "$holder" 2>/dev/null
	rm -rf "$top"
	[ "$n_failed" = 0 ] && [ "$n" != 0 ] || return 1
	[ "$n_skipped" != "$n" ] || return 4
}

# Runs in a subshell, so that its variables, deferred commands and namespaces end with it.
run_test()
{
	n_checks=0 n_bad=0 deferred=()
	echo "qlink-test: $1" >/dev/kmsg
	trap run_deferred EXIT
	# shellcheck disable=SC2034 # for lib.sh
	under=${1##*_}
	if declare -F "test_$1" >/dev/null; then "test_$1"
	elif declare -F "each_test_${1%_*}" >/dev/null; then "each_test_${1%_*}"
	else "each_under_${1%_*}"; fi
	run_deferred
	trap - EXIT
	expect_eq "kernel reports" "$(kernel_reports)" ""
	[ "$n_checks" -gt 1 ] || { echo "the test checks nothing"; exit 1; }
	[ "$n_bad" = 0 ] || exit 1
	exit 0
}

skip() { echo "$*"; exit 4; }
fail() { n_bad=$((n_bad + 1)); echo "$* ($(caller_place))"; }

# The file and line of the test function.
caller_place()
{
	local i

	for ((i = 1; i < ${#FUNCNAME[@]} - 1; i++)); do
		case ${BASH_SOURCE[i]} in
		*/lib.sh | */ktap.sh) ;;
		*) echo "${BASH_SOURCE[i]##*/}:${BASH_LINENO[i - 1]}"; return ;;
		esac
	done
	echo "no test function"
}

defer()
{
	local words

	printf -v words '%q ' "$@"
	deferred+=("$words")
}

run_deferred()
{
	local i

	for ((i = ${#deferred[@]} - 1; i >= 0; i--)); do eval "${deferred[i]}" >/dev/null 2>&1; done
	deferred=()
}

# Warnings of the kernel since the test began.
kernel_reports() { serve '' reports || echo "cannot read the kernel's log"; }

# pause: waits for a moment without starting a process.
pause() { read -r -t 0.02 -u "$never_ready"; }

# ---- expectations ----

expect_eq()
{
	n_checks=$((n_checks + 1))
	[ "$2" = "$3" ] || fail "$1: got '$2', want '$3'"
}

expect_has()
{
	n_checks=$((n_checks + 1))
	[[ $2 == *"$3"* ]] || fail "$1: got '$2', want '…$3…'"
}

expect_ok()
{
	local name=$1 out

	shift
	n_checks=$((n_checks + 1))
	out=$("$@" 2>&1) || { fail "$name: '$*' failed: $out"; return 1; }
}

# expect_refused NAME SUBSTRING COMMAND…: COMMAND fails and prints SUBSTRING.
expect_refused()
{
	local name=$1 why=$2 out

	shift 2
	n_checks=$((n_checks + 1))
	if out=$("$@" 2>&1); then
		fail "$name: '$*' was not refused"
	elif [[ $out != *"$why"* ]]; then
		fail "$name: got '$out', want '…$why…'"
	fi
}

# busywait SECONDS COMMAND…: repeats COMMAND until it succeeds.
busywait()
{
	local end=$((SECONDS + $1))

	shift
	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -le "$end" ] || return 1
		pause
	done
	return 0
}

expect_soon()
{
	local name=$1

	shift
	n_checks=$((n_checks + 1))
	busywait "$deadline" "$@" || { fail "$name: not within $deadline s: $*"; return 1; }
}
