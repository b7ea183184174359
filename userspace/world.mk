# SPDX-License-Identifier: GPL-2.0-or-later
# Tests with two agents whole but for their sockets: devices in memory, KMEs in simulated time.

WORLD_TESTS := carry keying month steer
WORLD := device simkme world

$(WORLD_TESTS:%=$(O)/check/test_%): $(WORLD:%=$(O)/check/tests/%.o)
$(foreach test,$(WORLD_TESTS),$(eval replaces_$(test) := qlinkd/broker.o qlinkd/kernel.o \
	qlinkd/kme.o qlinkd/services.o))

# A month takes too long under sanitizers, which see two days of it.
MONTH := $(addprefix tests/,test_month tap $(WORLD)) \
	$(addprefix qlinkd/,$(HEART) audit budget carry config keying kme_ask kme_json kme_mem kme_server link \
		log rings steer stock) \
	$(addprefix libqlink/,attr key link names nl parse protection secret wipe)

$(O)/month/test_month: $(MONTH:%=$(O)/month/%.o)
	$(CC) -o $@ $^ $(NL_LIBS) $(JSON_LIBS) $(KME_LIBS)

$(O)/month/%.o: %.c Makefile world.mk
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(STD) $(WARN) -O1 -g -c -o $@ $<

check: check-month
check-month: $(O)/month/test_month
	@echo "# test_month, 30 days"; $(O)/month/test_month

.PHONY: check-month
