#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The AES-GCM implementation that seals frames: what suits the CPU, the fastest, or the one that the module parameter names.

# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=traffic.sh
. "$(dirname "$0")/traffic.sh"

# The kernel's library has AES-GCM since 7.3.
has_library() { case $(uname -r) in 6.*) return 1 ;; esac; }

# The fastest one of the crypto API, by a part of its name: AES-NI on x86, the Crypto Extensions on arm64.
case $(uname -m) in
aarch64) readonly fastest=gcm-aes-ce ;;
*) readonly fastest=generic-gcm ;;
esac

# reload [PARAMETER]: reloads the module and sets $said to its log lines. back_to_auto undoes it after the test.
reload()
{
	modprobe -r qlink || exit 1
	dmesg -C
	modprobe qlink "$@" 2>/dev/null
	reloaded=$?
	said=$(dmesg)
}
back_to_auto() { modprobe -r qlink; modprobe qlink; }

# sealer: the implementation in use.
sealer() { sed -n 's/.*qlink: frames are sealed by //p' <<<"$said"; }

# ns_of DRIVER: the time that $said gives for an implementation, in ns.
ns_of() { sed -n "s/.*qlink: $1 seals 1,400 bytes in \([0-9]*\) ns$/\1/p" <<<"$said"; }

# Without being told, the module measures nothing: the CPU has instructions for AES, so the crypto API has assembler.
test_cpu_decides()
{
	defer back_to_auto
	reload
	expect_has "implementation" "$(sealer)" "$fastest"
	expect_eq "measured" "$(grep -c ' seals 1,400 bytes ' <<<"$said")" 0
	expect_has "known answers" "$said" "qlink: self-test passed"
}

test_fastest_is_chosen()
{
	local sealer time

	defer back_to_auto
	reload aead=measure
	sealer=$(sealer)
	expect_has "implementation" "$sealer" "$fastest"
	expect_ok "its time" test "$(ns_of "$sealer")" -gt 0
	has_library || { expect_eq "measured" "$(grep -c ' seals 1,400 bytes ' <<<"$said")" 1; return; }
	time=$(ns_of "the kernel's library")
	expect_ok "the other's time, $time ns" test "$time" -gt "$(ns_of "$sealer")"
	echo "# $sealer: $(ns_of "$sealer") ns, the kernel's library: $time ns"
}

test_unknown_is_refused()
{
	defer back_to_auto
	reload aead=rot13
	expect_ok "refused" test $reloaded -ne 0
	expect_has "why" "$said" "qlink: aead=rot13 is none of auto, measure, api, api:DRIVER, library"
	expect_refused "not loaded" "" grep -q '^qlink ' /proc/modules
}

# seals_with NAME DRIVER: a link with this implementation, while keys change. Python's library opens all frames that
# it sealed, it opens all frames that Python's library sealed, and it refuses each frame with a flipped bit.
seals_with()
{
	reload "aead=$1"
	expect_has "implementation" "$(sealer)" "$2"
	setup_pair
	capture_start "$ns1" "$tmp/all.pcap"
	expect_ok "there" frames exchange --from "$ns1" --to "$ns2"
	expect_ok "back" frames exchange --from "$ns2" --to "$ns1"
	frames payload "$tmp/file" 300000 --marker "$marker"
	transfer "$ns1" "$ns2" "${inner[2]}" "$tmp/file"
	key_pass "$ns1" "$ns2" 2
	in_ns "$ns1" qlinkctl rotate qlink0
	transfer "$ns1" "$ns2" "${inner[2]}" "$tmp/file"
	expect_nothing_dropped
	capture_stop "$tmp/all.pcap"
	decode all --needle-hex "$marker"
	expect_ok "forged" frames forge flip --under "$under" --from "$ns1" --to "$ns2" --epoch 2 \
		--key "$(key_file "$ns1" 2)"
}

each_test_api()
{
	defer back_to_auto
	seals_with api "$fastest"
}

each_test_library()
{
	defer back_to_auto
	if has_library; then
		seals_with library "the kernel's library"
	else
		reload aead=library
		expect_ok "refused" test $reloaded -ne 0
		expect_has "why" "$said" "this kernel has no synchronous AES-GCM for aead=library"
	fi
}

# reload_slow: with such a driver, which is skipped on a kernel without one.
reload_slow()
{
	reload "aead=api:$(slow_driver)"
	[ $reloaded = 0 ] || skip "needs $(slow_driver)"
}

# slow_driver: a driver of the crypto API that may sleep where a key is set, as other machines than x86 have them.
slow_driver() { if has_library; then echo gcm-aes-lib; else echo 'gcm_base(ctr(aes-aesni),ghash-generic)'; fi; }

each_test_slow_keys()
{
	defer back_to_auto
	reload_slow
	seals_with "api:$(slow_driver)" "$(slow_driver)"
}

# slab_of CGROUP: bytes of kernel objects that it is charged for.
slab_of() { sed -n 's/^slab //p' "$1/memory.stat"; }

# Receive keys that need their transforms at once are made by the installer, whose cgroup pays for their slots; a worker
# that made them would be charged for nothing, and its work would be waited for under the link mutex.
test_installer_pays_for_slow_keys()
{
	local group=/sys/fs/cgroup/installer before

	grep -qw memory /sys/fs/cgroup/cgroup.controllers || skip "needs the memory controller"
	defer back_to_auto
	reload_slow
	under=eth
	setup_wire
	link_add 1
	echo +memory >/sys/fs/cgroup/cgroup.subtree_control
	mkdir "$group"
	defer rmdir "$group"
	before=$(slab_of "$group")
	expect_ok "2,000 keys" bash -c "echo \$\$ >$group/cgroup.procs && exec /usr/bin/python3 '$here/ringtool.py' fill $ns1 2000 rx"
	expect_eq "staged" "$(ring "$ns1" rx staged)" 2000
	# 128 bytes of a key, and 256 at least of its slot.
	expect_ok "charged $(($(slab_of "$group") - before))" test $(($(slab_of "$group") - before)) -ge $((2000 * (128 + 256)))
}

run_tests
