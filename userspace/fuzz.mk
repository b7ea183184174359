# SPDX-License-Identifier: GPL-2.0-or-later
# Fuzzers: "make fuzz FUZZ_SECONDS=60" runs each of them for 60 seconds.
#
# fuzz/NAME.c is a fuzzer. It starts from the files in fuzz/NAME/, or from those that
# fuzz/seed-NAME writes into its corpus, and keeps what it finds for the next run.
# A new fuzzer needs no line here. It links the objects that it needs from one archive,
# so it may define a function itself in the place of the one there.

CLANG ?= clang
FUZZ_SECONDS ?= 10
FUZZERS := $(basename $(notdir $(wildcard fuzz/*.c)))

# What the fuzzers test, and what that needs.
FUZZED := $(call sources,common libqlink qlinkd/agreement qlinkd/config) \
	qlinkd/base/field.c qlinkd/broker/rings.c \
	$(addprefix qlinkd/kme/,dialect.c etsi014.c json.c keys.c memory.c skip.c terms.c url.c words.c) \
	$(addprefix qlinkctl/links/,rules.c statement.c) $(addprefix qlinkctl/site/,agentfile.c document.c leaf.c site.c sitedevice.c write.c) \
	qlinkd/peer/route.c qlinkd/peer/topology.c vault/layout.c vaultctl/keys.c \
	follow/gateway.c follow/lines.c follow/overlay.c
FUZZ_FLAGS := -std=gnu11 -MMD -MP -Wall -Wextra -Werror -O1 -g $(SANITIZE)

# The broker and the configuration must need neither OpenSSL nor libcurl. Their fuzzers
# are linked without any library, so that a call of one is an error here.
FUZZ_LIBS = $(call libs,$(AGENT_PACKAGES)) -lm
$(O)/fuzz/broker $(O)/fuzz/config: FUZZ_LIBS =
# libnl reads from the fuzzer, not from a socket.
$(O)/fuzz/netlink: LDFLAGS += -Wl,--wrap=nl_connect,--wrap=nl_recvmsgs

$(O)/fuzz/obj/%.o: %.c Makefile fuzz.mk
	@mkdir -p $(@D)
	$(CLANG) $(CPPFLAGS) $(FUZZ_FLAGS) -fsanitize=fuzzer-no-link -c -o $@ $<

$(O)/fuzz/fuzzed.a: $(FUZZED:%.c=$(O)/fuzz/obj/%.o)
	rm -f $@
	$(AR) rcs $@ $^

$(FUZZERS:%=$(O)/fuzz/%): $(O)/fuzz/%: $(O)/fuzz/obj/fuzz/%.o $(O)/fuzz/fuzzed.a
	$(CLANG) $(SANITIZE) -fsanitize=fuzzer $(LDFLAGS) -o $@ $^ $(FUZZ_LIBS)

fuzz: $(FUZZERS:%=$(O)/fuzz/%)
	@for name in $(FUZZERS); do \
		corpus=$(O)/fuzz/$$name.corpus; mkdir -p $$corpus; \
		[ ! -d fuzz/$$name ] || cp fuzz/$$name/* $$corpus/; \
		[ ! -x fuzz/seed-$$name ] || fuzz/seed-$$name $$corpus || exit 1; \
		$(O)/fuzz/$$name -max_total_time=$(FUZZ_SECONDS) -max_len=8192 \
			-verbosity=1 -artifact_prefix=$(O)/fuzz/ $$corpus || exit 1; \
	done

.PHONY: fuzz
