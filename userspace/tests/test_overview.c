// SPDX-License-Identifier: GPL-2.0-or-later
/* The line that "systemctl status" shows. */
#include "qlinkd/overview.h"

#include <stdio.h>
#include <string.h>

#include "tap.h"

static const struct config_link configs[] = {
	{ .device = "qlink0" }, { .device = "qlink1" }, { .device = "qlink2" }, { .device = "qlink3" },
};

/* Links as kernel and agent would have them: protected, degraded, blocked, and not seen yet. */
static void make(struct link links[COUNT(configs)])
{
	size_t i;

	memset(links, 0, COUNT(configs) * sizeof(*links));
	for (i = 0; i < COUNT(configs); i++) {
		links[i].config = &configs[i];
		links[i].has_view = i < 3;
		links[i].view.state = i == 2 ? QLINK_LINK_STATE_NO_KEY : QLINK_LINK_STATE_UP;
		links[i].view.config.accept = 1U << QLINK_SOURCE_HYBRID | 1U << QLINK_SOURCE_PQC;
		links[i].view.tx.current_source = i ? QLINK_SOURCE_PQC : QLINK_SOURCE_HYBRID;
		links[i].view.rx.current_source = QLINK_SOURCE_HYBRID;
		links[i].view.tx.has_source = links[i].view.rx.has_source = true;
		links[i].view.tx.current_epoch = links[i].view.rx.current_epoch = 1;
		links[i].session.phase = SESSION_PHASE_READY;
	}
	links[3].session.phase = SESSION_PHASE_DOWN;
	snprintf(links[3].why, sizeof(links[3].why), "device: qlink3 is not there");
}

static void expect(const struct link *links, size_t first, size_t n, const char *want)
{
	struct overview overview = { .worst = NULL };
	char text[OVERVIEW_TEXT];
	size_t i;

	for (i = first; i < first + n; i++)
		overview_add(&overview, &links[i]);
	CHECK_TEXT("text", overview_text(&overview, text), want);
}

TEST(it_counts_the_links_and_names_the_worst)
{
	struct link links[COUNT(configs)];

	make(links);
	expect(links, 0, 0, "0 links");
	expect(links, 0, 1, "1 link: 1 protected");
	expect(links, 1, 1, "1 link: 1 degraded (qlink1: tx-source)");
	expect(links, 0, 3, "3 links: 1 protected, 1 degraded, 1 blocked (qlink2: no-key)");
	expect(links, 3, 1, "1 link: 1 blocked (qlink3: device: qlink3 is not there)");
	expect(links, 2, 2, "2 links: 2 blocked (qlink2: no-key)");
}

TEST(the_longest_overview_is_not_cut)
{
	struct overview overview = { .n = { SIZE_MAX / 4, SIZE_MAX / 4, SIZE_MAX / 4 } };
	struct link links[COUNT(configs)];
	char text[OVERVIEW_TEXT];

	make(links);
	memset(links[3].why, 'w', sizeof(links[3].why) - 1);
	overview.worst = &links[3];
	overview.level = QLINK_BLOCKED;
	CHECK(strlen(overview_text(&overview, text)) < sizeof(text) - 1, "no room: %s", text);
	CHECK(text[strlen(text) - 1] == ')', "was cut: %s", text);
}
