// SPDX-License-Identifier: GPL-2.0
/* Which keys a link accepts: by source, and by how many KMEs have a secret in them. */
#include "../../kmod/accept.h"

#include "unit.h"

static void one_rule(void)
{
	static const struct {
		u32 sources;
		u8 least;
		enum qlink_source source;
		u8 kmes;
		bool is_accepted;
		const char *why;
	} rows[] = {
		{ BIT(QLINK_SOURCE_HYBRID), 1, QLINK_SOURCE_HYBRID, 1, true, "one is enough" },
		{ BIT(QLINK_SOURCE_HYBRID), 1, QLINK_SOURCE_HYBRID, 8, true, "more than enough" },
		{ BIT(QLINK_SOURCE_HYBRID), 2, QLINK_SOURCE_HYBRID, 1, false, "one too few" },
		{ BIT(QLINK_SOURCE_HYBRID), 2, QLINK_SOURCE_HYBRID, 2, true, "just enough" },
		{ BIT(QLINK_SOURCE_QKD), 8, QLINK_SOURCE_QKD, 7, false, "qkd has KMEs, too" },
		{ BIT(QLINK_SOURCE_QKD), 8, QLINK_SOURCE_QKD, 8, true, "the most" },
		{ BIT(QLINK_SOURCE_QKD), 1, QLINK_SOURCE_HYBRID, 8, false, "a source not listed" },
		{ BIT(QLINK_SOURCE_PQC), 8, QLINK_SOURCE_PQC, 0, true, "pqc has no KME" },
		{ BIT(QLINK_SOURCE_STATIC), 8, QLINK_SOURCE_STATIC, 0, true, "static has no KME" },
		{ 0, 1, QLINK_SOURCE_HYBRID, 8, false, "nothing is accepted" },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct qlink_accept accept = { .sources = rows[i].sources, .kmes = rows[i].least };

		CHECK_EQ(rows[i].why, qlink_accept_has_key(&accept, rows[i].source, rows[i].kmes),
			 rows[i].is_accepted);
	}
}

/* While a link's list changes, an install may read the one half of it from before, and the other
 * half from after. It then refuses nothing that both lists accept.
 */
static void half_changed(void)
{
	u32 from, to;
	unsigned int source;
	u8 least[2], kmes;

	for (from = 0; from < 1u << (QLINK_SOURCE_STATIC + 1); from++)
	for (to = 0; to < 1u << (QLINK_SOURCE_STATIC + 1); to++)
	for (least[0] = 1; least[0] <= 3; least[0]++)
	for (least[1] = 1; least[1] <= 3; least[1]++)
	for (source = 0; source <= QLINK_SOURCE_STATIC; source++)
	for (kmes = 0; kmes <= 3; kmes++) {
		struct qlink_accept old = { from, least[0] }, new = { to, least[1] };
		struct qlink_accept mixed = { from, least[1] };
		bool is_mixed = qlink_accept_has_key(&mixed, source, kmes);

		if (!is_mixed && qlink_accept_has_key(&old, source, kmes))
			CHECK_EQ("new refuses it", qlink_accept_has_key(&new, source, kmes), false);
	}
}

int main(void)
{
	static const struct unit_test tests[] = {
		{ "one_rule", one_rule },
		{ "half_changed", half_changed },
	};

	return unit_main(tests, ARRAY_SIZE(tests));
}
