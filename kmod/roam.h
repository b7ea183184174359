/* SPDX-License-Identifier: GPL-2.0 */
/* What authentic frames tell of where the peer is. */
#ifndef QLINK_ROAM_H
#define QLINK_ROAM_H

#include "qlink.h"
#include "wire.h"

void qlink_roam_hear(struct qlink_dev *link, const struct qlink_origin *origin,
		     const struct qlink_header *header, const u8 *plaintext);
void qlink_roam_beacon(struct qlink_dev *link, const struct qlink_origin *origin,
		       const struct qlink_header *header, const u8 *plaintext);
void qlink_roam_stray(struct qlink_attach *attach);

#endif
