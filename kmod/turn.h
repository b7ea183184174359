/* SPDX-License-Identifier: GPL-2.0 */
/* What frames of one link become that leave a queue together: parcels, by the mode of the link. */
#ifndef QLINK_TURN_H
#define QLINK_TURN_H

#include "pack.h"
#include "qlink.h"

/**
 * struct qlink_turn - what frames that have left a queue have become, and is not sent yet
 */
struct qlink_turn {
	/** @pack: of the parcel mode pack */
	struct qlink_pack pack;
	/** @fill: of the parcel mode pad */
	struct qlink_fill fill;
};

/**
 * qlink_turn_init() - make an empty turn
 * @turn: out
 */
static inline void qlink_turn_init(struct qlink_turn *turn)
{
	turn->pack = (struct qlink_pack){ 0 };
	qlink_fill_init(&turn->fill);
}

void qlink_turn_records(struct qlink_dev *link, struct sk_buff *skb, struct sk_buff_head *records);
void qlink_turn_out(struct qlink_dev *link, struct qlink_turn *turn);
void qlink_turn_as(struct qlink_dev *link, struct qlink_turn *turn, struct sk_buff *skb, u8 mode);
void qlink_turn_add(struct qlink_dev *link, struct qlink_turn *turn, struct sk_buff *skb);

#endif
