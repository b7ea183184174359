/* SPDX-License-Identifier: GPL-2.0 */
/* Seals and sends the parcels that a fill is written into. */
#ifndef QLINK_PARCEL_TX_H
#define QLINK_PARCEL_TX_H

#include "qlink.h"

unsigned int qlink_parcel_tx_bytes(const struct qlink_dev *link,
				   const struct qlink_attach *attach);
unsigned int qlink_parcel_tx_share(const struct qlink_fill *fill,
				   const struct qlink_attach *attach);
struct qlink_flow qlink_parcel_tx_flow(const struct qlink_attach *attach, u32 hash);
u32 qlink_parcel_tx_hash(void);

struct sk_buff *qlink_parcel_tx_make(struct qlink_dev *link, struct qlink_attach *attach,
				     struct qlink_fill *fill, unsigned int bytes,
				     struct qlink_fill_sum *sum);
void qlink_parcel_tx_count(struct qlink_dev *link, unsigned int bytes,
			   const struct qlink_fill_sum *sum);
void qlink_parcel_tx_drop(struct qlink_dev *link, struct qlink_fill *fill, unsigned int counter);
void qlink_parcel_tx_send(struct qlink_dev *link, struct qlink_attach *attach,
			  struct qlink_fill *fill, unsigned int bytes, struct qlink_flow flow);
void qlink_parcel_tx_send_all(struct qlink_dev *link, struct qlink_attach *attach,
			      struct qlink_fill *fill, unsigned int bytes,
			      struct qlink_flow flow);

#endif
