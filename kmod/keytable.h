/* SPDX-License-Identifier: GPL-2.0 */
/* The keys of the whole host: a table by epoch, and one by which equal keys are found. */
#ifndef QLINK_KEYTABLE_H
#define QLINK_KEYTABLE_H

#include <linux/netlink.h>

#include "key.h"

int qlink_keytable_init(void);
void qlink_keytable_exit(void);

int qlink_keytable_add(struct qlink_key *key);
void qlink_keytable_remove(struct qlink_key *key);

struct qlink_key *qlink_keytable_find(const struct qlink_ring *ring, u64 epoch);
int qlink_keytable_check_equal(const struct qlink_key *key, const struct qlink_ring *other_ring,
			       unsigned int index, struct netlink_ext_ack *extack);

#endif
