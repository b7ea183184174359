# SPDX-License-Identifier: GPL-2.0-or-later
# The agent: one loop for peers, links and sockets, and the broker beside it.

# What both processes are made of, from the bottom up.
AGENT := rings broker kernel privilege services stock route address connection link carry steer \
	keying peer crowd door unixsock status control metrics agent

AGENT_LIBS := $(shell $(PKG_CONFIG) --libs libevent_core libevent_extra)

agent_objects := $(AGENT:%=$(O)/qlinkd/%.o)
test_objects += $(AGENT:%=$(O)/check/qlinkd/%.o)

all: $(O)/qlinkd/qlinkd

$(O)/qlinkd/qlinkd: $(O)/qlinkd/main.o $(agent_objects) $(service_objects) $(KME:%=$(O)/qlinkd/%.o) \
		$(O)/qlinkd/heart.a $(O)/libqlink/libqlink.a
	$(CC) $(CFLAGS) $(LDFLAGS) -pie $(LDHARDEN) -o $@ $^ $(NL_LIBS) $(JSON_LIBS) $(KME_LIBS) \
		$(AGENT_LIBS)

install: install-agent
install-agent: all
	$(INSTALL) -d $(DESTDIR)$(SBINDIR) $(DESTDIR)$(MANDIR)/man5
	$(INSTALL) -m 755 $(O)/qlinkd/qlinkd $(DESTDIR)$(SBINDIR)/
	$(INSTALL) -m 644 man/*.5 $(DESTDIR)$(MANDIR)/man5/
	$(INSTALL) -d $(DESTDIR)$(PREFIX)/lib/systemd/system $(DESTDIR)$(PREFIX)/lib/sysusers.d
	$(INSTALL) -m 644 systemd/qlinkd.service $(DESTDIR)$(PREFIX)/lib/systemd/system/
	$(INSTALL) -m 644 systemd/qlinkd.sysusers $(DESTDIR)$(PREFIX)/lib/sysusers.d/qlinkd.conf

.PHONY: install-agent
