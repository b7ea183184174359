# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What the scripts in this folder share: messages, the cache, and the build root.

TREE=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
QLINK_CACHE=${QLINK_CACHE:-$HOME/.cache/qlink}
KERNELS=(6.12 7.3)
# Made when they are first needed, as are the debug kernels.
OTHER_KERNELS=(6.12-rt 7.3-rt 7.3-arm64)
DEBUG_KERNELS=(debug debug-6.12)
# What the module is only compiled for: the lab has headers and no kernel.
MACHINES=(arm64 i386)

say() { printf '%s\n' "$*"; }
warn() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
die() { warn "$@"; exit 1; }

# A wrong option or argument: first the value, then the rule.
usage_error()
{
	warn "$1 (see ${0##*/} --help)"
	exit 2
}

# The comment block under a script's second line is its help text.
show_help() { sed -n '3,/^$/s/^# \{0,1\}//p' "$0"; }

as_root()
{
	if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# is_one_of WORD WORD…: the first is among the others.
is_one_of()
{
	local word=$1 other

	shift
	for other; do [ "$word" != "$other" ] || return 0; done
	return 1
}

# tree_files [PATH…]: files of the tree that exist, committed or not yet; none that git ignores.
tree_files()
{
	git ls-files --cached --others --exclude-standard "$@" |
		while read -r file; do [ ! -e "$file" ] || echo "$file"; done
}

# The Debian mirror that this machine's apt uses; this tree names no host. An entry for Debian itself comes first, then
# its archive, then any other.
debian_mirror()
{
	local uris

	uris=$( {
		cat /etc/apt/sources.list.d/*.sources 2>/dev/null |
			awk 'tolower($1) == "uris:" { for (i = 2; i <= NF; i++) print $i }'
		cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null |
			awk '$1 == "deb" { for (i = 2; i <= NF; i++) if ($i ~ /^http/) { print $i; next } }'
	} | sed 's,/*$,,')
	uris=$(grep -E '/debian$' <<<"$uris" || grep -E '/debian/' <<<"$uris" || true)
	[ -n "$uris" ] || die "no Debian mirror in /etc/apt/sources.list*: one entry must name it"
	head -n 1 <<<"$uris"
}

# arch_of KERNEL: the machine that it is for, as Debian calls it.
arch_of() { case $1 in arm64 | *-arm64) echo arm64 ;; i386) echo i386 ;; *) echo amd64 ;; esac; }

# find_make_words KERNEL: sets $make_words to what make needs to compile for its machine, and $cross to the prefix of the tools.
find_make_words()
{
	make_words=() cross=''
	# shellcheck disable=SC2034 # the scripts use them
	case $(arch_of "$1") in
	arm64) cross=aarch64-linux-gnu- make_words=(ARCH=arm64 "CROSS_COMPILE=$cross") ;;
	i386) make_words=(ARCH=i386) ;;
	esac
}

# recipe_key FILE…: a hash that identifies what these FILEs would make.
recipe_key() { cat "$@" | sha256sum | cut -c 1-12; }

# cache_path ITEM [ARGUMENT]: the path of what scripts/lab/ITEM makes, whether it exists or not.
cache_path()
{
	printf '%s/%s-%s\n' "$QLINK_CACHE" "$1${2:+-$2}" "$(recipe_key "$TREE/scripts/lab/$1")"
}

# make_item WORDS ITEM [ARGUMENT]: makes the item, unless it exists.
make_item() { make_once "$(cache_path "${@:2}")" "$1" "$TREE/scripts/lab/$2" "${@:3}"; }

# remove_unfinished PATH: removes what a process that was killed left, whose mounts (mmdebstrap's) are still there. What is
# mounted is this machine's: /dev/shm is one of them.
remove_unfinished()
{
	local mounted

	while read -r mounted; do as_root umount "$mounted"; done < <(findmnt -rno TARGET | grep -F "$1/" | sort -r)
	as_root rm -rf --one-file-system "$1"
}

# make_once PATH WORDS COMMAND…: runs COMMAND with a new folder as its last argument and renames the folder to PATH, so
# that PATH is complete or absent. If two processes need it, the second waits for the first.
make_once()
{
	local path=$1 words=$2 log lock start=$SECONDS

	shift 2
	[ ! -e "$path" ] || return 0
	mkdir -p "$QLINK_CACHE/log"
	exec {lock}>"$QLINK_CACHE/log/${path##*/}.lock"
	flock "$lock"
	if [ ! -e "$path" ]; then
		log=$QLINK_CACHE/log/${path##*/}
		remove_unfinished "$path.new"
		mkdir -p "$path.new"
		if ! "$@" "$path.new" >"$log" 2>&1; then
			tail -n 30 "$log" >&2
			die "$words: failed, the whole log is $log"
		fi
		mv "$path.new" "$path"
		say "$words: $((SECONDS - start)) s"
	fi
	exec {lock}>&-
}

build_root() { cache_path build-root; }

# The parts of the lab that every build and VM needs; a line has the words of cache_path.
lab_items()
{
	local kernel

	printf '%s\n' build-root 'qemu amd64' 'vm-root amd64' kernel-tools
	for kernel in "${KERNELS[@]}"; do echo "kernel $kernel"; done
}

# Runs scripts/setup if a part of the lab is missing.
need_lab()
{
	local item

	while read -r item; do
		# shellcheck disable=SC2086 # words
		[ -d "$(cache_path $item)" ] || { "$TREE/scripts/setup"; return; }
	done < <(lab_items)
}

# in_build_root [--of ROOT] [--root] [--bind FROM TO]… COMMAND…: runs COMMAND in the build root (or ROOT), in /qlink, as the
# caller (or root), with FROM mounted at TO. The mounts are private and end with COMMAND.
in_build_root()
{
	local user root in_use status=0 binds=()

	user=$(id -u):$(id -g)
	root=$(build_root)
	while :; do
		case $1 in
		--of) root=$2; shift 2 ;;
		--root) user=0:0; shift ;;
		--bind) binds+=("$2" "$root$3"); shift 3 ;;
		*) break ;;
		esac
	done
	# A folder that mount made would look like a root for ever.
	[ -d "$root" ] || make_item "build root" build-root
	# While this descriptor is open, "setup prune" keeps the root.
	mkdir -p "$QLINK_CACHE/log"
	exec {in_use}>"$QLINK_CACHE/log/${root##*/}.in-use"
	flock -s "$in_use"
	# shellcheck disable=SC2016 # the inner shell expands these
	as_root unshare --mount bash -c '
		set -e
		root=$1 user=$2 n=$3
		shift 3
		for ((; n; n--)); do
			mkdir -p "$2"
			mount --bind "$1" "$2"
			shift 2
		done
		mount -t proc proc "$root/proc"
		mount --rbind /dev "$root/dev"
		mount -t tmpfs tmpfs "$root/tmp"
		exec chroot --userspec="$user" "$root" env -i HOME=/tmp LC_ALL=C.UTF-8 \
			PATH=/usr/sbin:/usr/bin:/sbin:/bin sh -c "cd /qlink && exec \"\$@\"" sh "$@"
	' bash "$root" "$user" $((${#binds[@]} / 2)) "${binds[@]}" "$@" || status=$?
	exec {in_use}>&-
	return "$status"
}

# fetch_packages DIR PACKAGE…: downloads the .deb files into DIR.
fetch_packages()
{
	local dir=$1

	shift
	in_build_root --root --bind "$dir" /qlink \
		apt-get -qq -o APT::Sandbox::User=root download "$@"
}

# newest_release SERIES FLAVOUR: the newest release (uname -r) in the archive.
newest_release()
{
	in_build_root apt-cache pkgnames "linux-image-$1." |
		sed -n "s/^linux-image-\($1\.[0-9]*+deb[0-9]*-$2\)\$/\1/p" | sort -V | tail -n 1 | grep . ||
		die "no linux-image-$1.*-$2 in the archive: the series must be in trixie or its backports"
}

# kernel_packages RELEASE FLAVOUR PART…: the packages linux-PART-… of a release, as far as Debian splits it into these.
kernel_packages()
{
	local release=$1 common=${1%"-$2"} arch=${1##*-} part names=()

	for part in "${@:3}"; do names+=("linux-$part-$release:$arch"); done
	# What a build runs is for amd64. PREEMPT_RT had common headers of its own.
	names+=("linux-kbuild-$common:amd64")
	if [[ $release = 6.12*-rt-* ]]; then
		names+=("linux-headers-$common-common-rt")
	else
		names+=("linux-headers-$common-common")
	fi
	for part in "${names[@]}"; do
		! in_build_root apt-cache show "$part" >/dev/null 2>&1 || echo "$part"
	done
}

# fetch_kernel DIR SERIES FLAVOUR PART…: unpacks these parts of the newest release into DIR/all, puts the headers into their
# place, and writes the release.
fetch_kernel()
{
	local dir=$1 release packages deb

	release=$(newest_release "$2" "$3")
	packages=$(kernel_packages "$release" "${@:3}")
	mkdir -p "$dir/debs" "$dir/all/usr/lib" "$dir/headers/usr/lib"
	# Some packages ship /lib, some /usr/lib.
	ln -s usr/lib "$dir/all/lib"
	# shellcheck disable=SC2086 # words
	fetch_packages "$dir/debs" $packages
	for deb in "$dir"/debs/*.deb; do dpkg-deb -x "$deb" "$dir/all"; done
	rm -rf "$dir/debs"
	mv "$dir/all/usr/src" "$dir/headers/usr/"
	mv "$dir"/all/usr/lib/linux-kbuild-* "$dir/headers/usr/lib/"
	echo "$release" >"$dir/release"
}

# unpack_package DEB DIR [PATTERN…]
unpack_package()
{
	local deb=$1 dir=$2

	shift 2
	dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$dir" --wildcards "$@"
}

# initrd_modules TREE RELEASE DIR: copies the modules that the VM needs for its disks and ports, uncompressed, and the
# order in which to insert them. Built-in drivers are absent.
initrd_modules()
{
	local tree=$1 release=$2 dir=$3 module file

	mkdir -p "$dir"
	: >"$dir/order"
	for module in virtio_pci virtio_blk virtio_console ext4 overlay; do
		in_build_root --bind "$tree" /kernel \
			modprobe -d /kernel/usr -S "$release" --show-depends "$module" || true
	done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' | while read -r file; do
		cp "$tree/${file#/kernel/}" "$dir/"
		echo "${file##*/}" >>"$dir/order"
	done
}

# modules_image TREE IMAGE: makes a read-only disk of TREE, just large enough.
modules_image()
{
	local size

	size=$(du -sm --apparent-size "$1" | cut -f 1)
	mke2fs -q -t ext4 -O ^has_journal -m 0 -E nodiscard -d "$1" "$2" $((size * 5 / 4 + 16))M
}

# The folder of one kernel of the lab, in the cache. It contains: release, vmlinuz, modules.img, tree (the same modules as files),
# initrd-modules, and build (what modules are built against) or headers.
kernel_dir()
{
	if is_one_of "$1" "${DEBUG_KERNELS[@]}"; then
		"$TREE/scripts/build-kernel" --path "$1"
	elif is_one_of "$1" "${MACHINES[@]}"; then
		cache_path "headers-$1"
	else
		cache_path kernel "$1"
	fi
}

# need_kernel WORD: refuses a kernel that the lab does not have.
need_kernel()
{
	local all=("${KERNELS[@]}" "${OTHER_KERNELS[@]}" "${DEBUG_KERNELS[@]}")

	is_one_of "$1" "${all[@]}" || usage_error "--kernel $1: must be one of ${all[*]}"
}

# use_kernel K: makes the lab's parts for K if they are missing; sets kernel_dir and release, and for make what
# find_make_words() sets.
use_kernel()
{
	kernel_dir=$(kernel_dir "$1")
	if is_one_of "$1" "${DEBUG_KERNELS[@]}"; then
		[ -e "$kernel_dir/release" ] || "$TREE/scripts/build-kernel" "$1"
	elif is_one_of "$1" "${MACHINES[@]}"; then
		make_item "headers for $1" "headers-$1"
	else
		make_item "kernel $1" kernel "$1"
	fi
	release=$(cat "$kernel_dir/release")
	find_make_words "$1"
}

# in_tree COMMAND…: runs COMMAND in the build root, at the top of the tree.
in_tree() { in_build_root --bind "$TREE" /qlink "$@"; }

# in_wireshark_root [--root] COMMAND…: runs COMMAND in the root that has tshark and, where Debian's looks for them, the
# dissectors of the tree.
in_wireshark_root()
{
	local word=()

	[ "$1" != --root ] || { word=(--root); shift; }
	make_item "Wireshark root" wireshark-root
	in_build_root --of "$(cache_path wireshark-root)" "${word[@]}" --bind "$TREE" /qlink \
		--bind "$TREE/userspace/wireshark" /usr/lib/x86_64-linux-gnu/wireshark/plugins/qlink "$@"
}

# make_counters FOLDER PROGRAM…: compiles counting programs of scripts/guest into FOLDER, for any root.
make_counters()
{
	local program

	for program in "${@:2}"; do
		in_tree gcc -O2 -Wall -Wextra -Werror -static -o "$1/$program" "scripts/guest/$program.c"
	done
}

# with_kernel COMMAND…: runs COMMAND in the build root, with the kernel's headers and modules in their places.
with_kernel()
{
	local binds=(--bind "$TREE" /qlink --bind "$kernel_dir/headers/usr/src" /usr/src) dir

	[ ! -e "$kernel_dir/tree" ] || binds+=(--bind "$kernel_dir/tree" /kernel)
	for dir in "$kernel_dir"/headers/usr/lib/*/; do
		[ ! -e "$dir" ] || binds+=(--bind "$dir" "/usr/lib/$(basename "$dir")")
	done
	in_build_root "${binds[@]}" "$@"
}

# mirror DIR PATH…: copies PATHs of the tree into DIR, where make may write beside them. Build products stay, so that
# only changes are made again; sources that were deleted are deleted there too.
mirror()
{
	local dir=$1

	shift
	mkdir -p "$dir"
	(cd "$TREE" && rsync -a --no-times --checksum --relative --delete --exclude build/ \
		--filter 'P *.o' --filter 'P *.d' --filter 'P .*' --filter 'P *.ko' \
		"$@" "$dir/")
}

# Makes compiler messages name the file in the tree instead of its copy.
own_paths()
{
	sed -u -e 's|\(/qlink/\)\{0,1\}build/[^/ ]*/src/||g' -e '/^warning: pahole version differs/,/^  You are using:/d'
}
