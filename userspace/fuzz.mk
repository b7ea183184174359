# SPDX-License-Identifier: GPL-2.0-or-later
# Fuzzers: make fuzz FUZZ_SECONDS=60 runs each for so long.
#
# fuzz/NAME.c is one; it starts from the files in fuzz/NAME/, or from what
# fuzz/seed-NAME puts into its corpus, and keeps what it found for the next run.

CLANG ?= clang
FUZZ_SECONDS ?= 10
FUZZERS := broker config kme_json msg netlink
fuzz_broker := qlinkd/config/config qlinkd/config/reader qlinkd/agreement/policy qlinkd/broker/rings libqlink/names libqlink/names-gen \
	libqlink/parse common/number common/secret common/why common/wipe
fuzz_config := qlinkd/config/config qlinkd/config/reader qlinkd/agreement/policy libqlink/names libqlink/names-gen libqlink/parse \
	common/number common/secret common/why common/wipe
fuzz_kme_json := qlinkd/kme/json qlinkd/kme/memory common/number common/secret common/why common/wipe
fuzz_msg := qlinkd/agreement/message qlinkd/agreement/policy common/why
fuzz_netlink := libqlink/attr libqlink/attrs-gen libqlink/key libqlink/link libqlink/names libqlink/names-gen libqlink/netns libqlink/nl \
	libqlink/parse libqlink/record common/number common/why qlinkd/peer/route
# libnl reads from the fuzzer, not from a socket.
$(O)/fuzz/netlink: LDFLAGS += -Wl,--wrap=nl_connect,--wrap=nl_recvmsgs

$(O)/fuzz/%: fuzz/%.c Makefile fuzz.mk $(wildcard common/*.[ch] libqlink/*.[ch] qlinkd/*.[ch] qlinkd/*/*.[ch])
	@mkdir -p $(@D)
	$(CLANG) $(CPPFLAGS) -std=gnu11 -Wall -Wextra -Werror -O1 -g $(SANITIZE) \
		-fsanitize=fuzzer $(LDFLAGS) -o $@ $< $(addsuffix .c,$(fuzz_$*)) \
		$(call libs,$(AGENT_PACKAGES)) -lm

fuzz: $(FUZZERS:%=$(O)/fuzz/%)
	@for name in $(FUZZERS); do \
		corpus=$(O)/fuzz/$$name.corpus; mkdir -p $$corpus; \
		[ ! -d fuzz/$$name ] || cp fuzz/$$name/* $$corpus/; \
		[ ! -x fuzz/seed-$$name ] || fuzz/seed-$$name $$corpus || exit 1; \
		$(O)/fuzz/$$name -max_total_time=$(FUZZ_SECONDS) -max_len=8192 \
			-verbosity=1 -artifact_prefix=$(O)/fuzz/ $$corpus || exit 1; \
	done

.PHONY: fuzz
