# SPDX-License-Identifier: GPL-2.0
# A way in: every target but those for an admin's own machine calls a script.

KDIR ?= /lib/modules/$(shell uname -r)/build
PREFIX ?= /usr
DESTDIR ?=

all: modules userspace

help:
	@echo 'make demo        two sites, KMEs and agents in a VM: what happens when they fail'
	@echo 'make check       every build and linter, and all tests but those that take hours'
	@echo 'make bench       what a frame costs, beside macsec and others; KERNEL=6.12, QUICK=1;'
	@echo '                 HERE=1: in time, on this machine and its kernel, as root'
	@echo 'make soak        the tests that take hours'
	@echo 'make deb         Debian packages and a bill of materials, in build/deb'
	@echo
	@echo 'make             modules and userspace for this machine (Debian 13)'
	@echo 'make modules     qlink.ko for the kernel of KDIR'
	@echo 'make userspace   qlinkd, qlinkctl, qlink-vault, qlink-kmesim and the plug-in for ip'
	@echo 'make install     copies what "make" built, below DESTDIR; builds nothing'
	@echo 'make clean       removes what any of these made in the tree'

modules:
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules

userspace:
	$(MAKE) -C userspace

# Root copies, and compiles nothing.
install:
	@[ -e kmod/qlink.ko ] || { echo 'kmod/qlink.ko: not there; run make first' >&2; exit 1; }
	@built=$$(PATH=$$PATH:/usr/sbin:/sbin modinfo -F vermagic kmod/qlink.ko | cut -d ' ' -f 1); \
	wanted=$$(cat $(KDIR)/include/config/kernel.release); \
	[ "$$built" = "$$wanted" ] || \
		{ echo "kmod/qlink.ko: built for $$built, and KDIR is of $$wanted; run make again" >&2; exit 1; }
	$(MAKE) -C $(KDIR) M=$(CURDIR) INSTALL_MOD_PATH=$(DESTDIR) modules_install
	$(MAKE) -C userspace install DESTDIR=$(DESTDIR) PREFIX=$(PREFIX)

setup:
	scripts/setup

demo: setup
	scripts/demo

check:
	scripts/setup debug
	scripts/check

# On this machine it needs no lab.
ifdef HERE
bench:
	scripts/bench --here
else
bench: setup
	scripts/bench
endif

deb:
	scripts/deb

soak:
	scripts/setup debug
	scripts/check --soak

clean:
	rm -rf build selftests/unit/build
	[ ! -d userspace ] || $(MAKE) -C userspace clean
	[ ! -d $(KDIR) ] || $(MAKE) -C $(KDIR) M=$(CURDIR) clean

.PHONY: all help modules userspace install setup demo check bench deb soak clean
