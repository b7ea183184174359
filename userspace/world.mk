# SPDX-License-Identifier: GPL-2.0-or-later
# Tests with two whole agents without their sockets: devices in memory, KMEs in simulated time.

WORLD_TESTS := act choose habits keptchain month peers rates run screen stocks thousand year
# These take too long under sanitizers, which see a part of the time; a build without them tests all.
LONG_TESTS := month peers rates screen thousand year
WORLD := tests/auditlog.c tests/device.c tests/simkme.c tests/world.c

# Two whole agents with their sockets, and devices in memory.
$(O)/check/test_agent $(O)/check/test_agentstate $(O)/check/test_border $(O)/check/test_export $(O)/check/test_kme_status $(O)/check/test_kme_words $(O)/check/test_reconnect $(O)/check/test_reload: $(call check_objects,tests/agents.c tests/device.c)

$(WORLD_TESTS:%=$(O)/check/test_%): $(call check_objects,$(WORLD))

# Whole agents in processes of their own.
FLEET_TESTS := peers screen thousand
$(FLEET_TESTS:%=$(O)/check/test_%): $(call check_objects,tests/fleet.c)

long_objects = $(patsubst %.c,$(O)/long/%.o,$(1))

$(O)/long/agent.a: $(call long_objects,$(filter-out %/main.c,$(LIB) $(AGENT)))
	rm -f $@
	$(AR) rcs $@ $^

$(LONG_TESTS:%=$(O)/long/test_%): $(O)/long/test_%: $(O)/long/tests/test_%.o $(call long_objects,tests/tap.c $(WORLD)) $(O)/long/agent.a
	$(CC) -o $@ $(filter %.o,$^) $(O)/long/agent.a $(call libs,$(AGENT_PACKAGES)) -lm

$(FLEET_TESTS:%=$(O)/long/test_%): $(call long_objects,tests/fleet.c)

$(O)/long/%.o: %.c Makefile world.mk
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(STD) $(WARN) -O1 -g -c -o $@ $<

# This one has qlinkctl under sanitizers draw on a terminal; its agents need none.
$(O)/long/test_screen: | $(O)/check/qlinkctl/qlinkctl

check: check-long
check-long: $(LONG_TESTS:%=$(O)/long/test_%)
	@err=0; for test in $^; do echo "# $${test##*/}, long"; "$$test" || err=1; done; exit $$err

.PHONY: check-long
