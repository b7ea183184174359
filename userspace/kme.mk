# SPDX-License-Identifier: GPL-2.0-or-later
# The client of QKD key servers, the simulator of two of them, and their fuzzers.

KME := kme kme_ask kme_http kme_job kme_json kme_loop kme_mem kme_server
KMESIM := answer ask channel conf control etsi fault main server settings slab supply

KME_LIBS := $(shell $(PKG_CONFIG) --libs libcurl libssl libcrypto) -lm
KMESIM_LIBS := $(shell $(PKG_CONFIG) --libs libevent_core libevent_extra \
	libevent_openssl libssl libcrypto) -lm

kmesim_objects := $(KMESIM:%=kmesim/%.o) libqlink/parse.o libqlink/names.o \
	libqlink/secret.o libqlink/wipe.o

all: $(O)/kmesim/qlink-kmesim

$(O)/kmesim/qlink-kmesim: $(addprefix $(O)/,$(kmesim_objects))
	$(CC) $(CFLAGS) $(LDFLAGS) -pie $(LDHARDEN) -o $@ $^ $(KMESIM_LIBS) $(JSON_LIBS)

$(O)/check/kmesim/qlink-kmesim: $(addprefix $(O)/check/,$(kmesim_objects))
	$(CC) $(SANITIZE) -o $@ $^ $(KMESIM_LIBS) $(JSON_LIBS)

# Tests of the client run it against the simulator, both under sanitizers.
test_objects += $(KME:%=$(O)/check/qlinkd/%.o) $(O)/check/tests/kme_lab.o \
	$(O)/check/kmesim/supply.o
export QLINK_KMESIM := $(abspath $(O))/check/kmesim/qlink-kmesim
check: | $(O)/check/kmesim/qlink-kmesim

install: install-kmesim
install-kmesim: all
	$(INSTALL) -d $(DESTDIR)$(SBINDIR)
	$(INSTALL) -m 755 $(O)/kmesim/qlink-kmesim $(DESTDIR)$(SBINDIR)/

.PHONY: install-kmesim

# FUZZ_SECONDS of each fuzzer, from the committed seeds on.
CLANG ?= clang
FUZZ_SECONDS ?= 10
FUZZ := kme_json
fuzz_kme_json := qlinkd/kme_json qlinkd/kme_mem libqlink/names libqlink/parse \
	libqlink/secret libqlink/wipe

$(O)/fuzz/%: fuzz/%.c Makefile kme.mk $(wildcard qlinkd/kme_*.[ch] libqlink/*.[ch])
	@mkdir -p $(@D)
	$(CLANG) $(CPPFLAGS) -std=gnu11 -Wall -Wextra -Werror -O1 -g $(SANITIZE) \
		-fsanitize=fuzzer -o $@ $< $(addsuffix .c,$(fuzz_$*)) \
		$(JSON_LIBS) $(KME_LIBS)

fuzz: $(FUZZ:%=$(O)/fuzz/%)
	@for fuzzer in $^; do \
		corpus=$$fuzzer.corpus; mkdir -p $$corpus; \
		$$fuzzer -max_total_time=$(FUZZ_SECONDS) -max_len=4096 -verbosity=1 \
			-artifact_prefix=$$fuzzer. $$corpus fuzz/$${fuzzer##*/} || exit 1; \
	done

.PHONY: fuzz
