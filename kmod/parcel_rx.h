/* SPDX-License-Identifier: GPL-2.0 */
/* Takes received parcels apart, and puts records that they cut together again. */
#ifndef QLINK_PARCEL_RX_H
#define QLINK_PARCEL_RX_H

#include "parcel.h"

struct napi_struct;
struct qlink_cuts;
struct qlink_dev;
struct qlink_origin;
struct sk_buff;

/**
 * struct qlink_parcel_rx - an authentic parcel
 */
struct qlink_parcel_rx {
	/** @link: it belongs to this link */
	struct qlink_dev *link;
	/** @cuts: what is held for the link */
	struct qlink_cuts **cuts;
	/** @napi: of this CPU; its cache has the memory for records */
	struct napi_struct *napi;
	/** @gro: as qlink_delivery_make() has it */
	struct napi_struct *gro;
	/** @header: of the parcel */
	const struct qlink_header *header;
	/** @origin: where it came from; NULL where that does not matter */
	const struct qlink_origin *origin;
	/** @ecn: the ECN field of the outer header */
	u8 ecn;
	/** @is_older: than the begin that is held; set while it is taken apart */
	bool is_older;
	/** @walk: where it is taken apart */
	struct qlink_parcel_walk walk;
};

void qlink_parcel_rx_take(struct qlink_parcel_rx *parcel, const u8 *plaintext,
			  unsigned int bytes);

#endif
