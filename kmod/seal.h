/* SPDX-License-Identifier: GPL-2.0 */
/* Seals plaintexts under the keys of a link, and sends them. */
#ifndef QLINK_SEAL_H
#define QLINK_SEAL_H

#include "qlink.h"

bool qlink_seal_can_send(const struct qlink_dev *link);
int qlink_seal_begin(struct qlink_dev *link, u16 link_id, u8 *frame, unsigned int bytes, u8 type,
		     struct qlink_key **key);
int qlink_seal_end(struct qlink_key *key, u8 *frame, unsigned int bytes);
int qlink_seal(struct qlink_dev *link, u16 link_id, u8 *frame, unsigned int bytes, u8 type);
unsigned int qlink_seal_counter(int err);

bool qlink_seal_emit(struct qlink_dev *link, struct qlink_attach *attach, struct sk_buff *skb,
		     unsigned int n, struct qlink_flow flow);
bool qlink_seal_send(struct qlink_dev *link, struct qlink_attach *attach, struct sk_buff *skb,
		     unsigned int n, u8 type, struct qlink_flow flow);

#endif
