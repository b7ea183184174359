/* SPDX-License-Identifier: GPL-2.0 */
/* Memory for sealed frames that is reused without being cleared. */
#ifndef QLINK_PAGES_H
#define QLINK_PAGES_H

#include <linux/mm_types.h>

struct page_frag *qlink_pages_room(unsigned int bytes, unsigned int align);
struct sk_buff *qlink_pages_skb(unsigned int bytes);
void qlink_pages_exit(void);

#endif
