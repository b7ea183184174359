/* SPDX-License-Identifier: GPL-2.0 */
/* Small frames that are put into one parcel. */
#ifndef QLINK_PACK_H
#define QLINK_PACK_H

#include "underlay.h"

/**
 * struct qlink_pack - frames that will leave together; all zero while there are none
 */
struct qlink_pack {
	/** @first: the first frame as long as it is the only one: alone it needs no parcel */
	struct sk_buff *first;
	/** @parcel: plaintext of the parcel, from the second frame on */
	struct sk_buff *parcel;
	/** @flow: the fields of the outer header that all frames have */
	struct qlink_flow flow;
	/** @priority: that all have, by which queues below choose */
	u32 priority;
	/** @mark: that all have */
	u32 mark;
	/** @n: frames */
	unsigned int n;
	/** @bytes: of them */
	unsigned int bytes;
	/** @max_bytes: of the plaintext */
	unsigned int max_bytes;
};

bool qlink_pack_takes(const struct qlink_attach *attach, struct sk_buff *skb);
bool qlink_pack_may_wait(const struct qlink_attach *attach, struct sk_buff *skb, unsigned int n,
			 unsigned int bytes);
bool qlink_pack_fits(const struct qlink_pack *pack, const struct sk_buff *skb,
		     const struct qlink_flow *flow);
bool qlink_pack_add(struct qlink_pack *pack, const struct qlink_attach *attach,
		    struct sk_buff *skb, const struct qlink_flow *flow);

/**
 * qlink_pack_is_empty() - is there no frame?
 * @pack: the pack
 *
 * Return: whether there is none
 */
static inline bool qlink_pack_is_empty(const struct qlink_pack *pack)
{
	return !pack->n;
}

#endif
