# SPDX-License-Identifier: GPL-2.0-or-later
# Tests with two whole agents without their sockets: devices in memory, KMEs in simulated time.

WORLD_TESTS := act choose month run
WORLD := tests/auditlog.c tests/device.c tests/simkme.c tests/world.c

# Two whole agents with their sockets, and devices in memory.
$(O)/check/test_agent: $(call check_objects,tests/device.c)

$(WORLD_TESTS:%=$(O)/check/test_%): $(call check_objects,$(WORLD))

# A month takes too long under sanitizers. They test two days; this build tests the month.
month_objects = $(patsubst %.c,$(O)/month/%.o,$(1))

$(O)/month/agent.a: $(call month_objects,$(filter-out %/main.c,$(LIB) $(AGENT)))
	rm -f $@
	$(AR) rcs $@ $^

$(O)/month/test_month: $(call month_objects,tests/test_month.c tests/tap.c $(WORLD)) $(O)/month/agent.a
	$(CC) -o $@ $(filter %.o,$^) $(O)/month/agent.a $(call libs,$(AGENT_PACKAGES)) -lm

$(O)/month/%.o: %.c Makefile world.mk
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(STD) $(WARN) -O1 -g -c -o $@ $<

check: check-month
check-month: $(O)/month/test_month
	@echo "# test_month, 30 days"; $(O)/month/test_month

.PHONY: check-month
