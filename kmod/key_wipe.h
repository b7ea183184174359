/* SPDX-License-Identifier: GPL-2.0 */
/* The wiping of keys that have left their rings. */
#ifndef QLINK_KEY_WIPE_H
#define QLINK_KEY_WIPE_H

#include "key.h"

void qlink_key_wipe_init(void);
void qlink_key_wipe_exit(void);

void qlink_key_free(struct qlink_key *key);
void qlink_key_flush(void);

#endif
