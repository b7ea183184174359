/* SPDX-License-Identifier: GPL-2.0 */
/* Sealed frames of one size, side by side in one packet, which a device below takes apart. */
#ifndef QLINK_BUNDLE_H
#define QLINK_BUNDLE_H

#include <linux/skbuff.h>

#define QLINK_BUNDLE_FRAMES_MAX	64	/* as many as UDP's own segmentation took at first */

struct sk_buff *qlink_bundle_new(unsigned int headroom);
u8 *qlink_bundle_room(const struct sk_buff *bundle, unsigned int bytes);
void qlink_bundle_add(struct sk_buff *bundle, unsigned int bytes);

#endif
