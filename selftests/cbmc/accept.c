// SPDX-License-Identifier: GPL-2.0
/* No list accepts a key whose source it lacks, or that has fewer KMEs than it demands. */
/* cbmc: --unwind 2 --unsigned-overflow-check */
/* mutant: kmod/accept.h s/!qlink_source_has_kme(source) ||// */
/* mutant: kmod/accept.h s/kmes >= accept->kmes/kmes >= accept->kmes - 1/ */
#include "nondet.h"

#include "../../kmod/accept.h"

void harness(void)
{
	struct qlink_accept accept = { nondet_u32(), nondet_u8() };
	enum qlink_source source = nondet_u8();
	u8 kmes = nondet_u8();
	bool is_accepted, has_kme;

	__CPROVER_assume(source <= QLINK_SOURCE_STATIC && accept.kmes >= 1);
	is_accepted = qlink_accept_has_key(&accept, source, kmes);
	has_kme = source == QLINK_SOURCE_QKD || source == QLINK_SOURCE_HYBRID;
	assert(is_accepted == ((accept.sources >> source & 1) && (!has_kme || kmes >= accept.kmes)));
}
