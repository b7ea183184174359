# SPDX-License-Identifier: GPL-2.0-or-later
# The client of QKD key servers, and the simulator of two of them.

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
