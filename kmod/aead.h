/* SPDX-License-Identifier: GPL-2.0 */
/* AES-256-GCM over one linear buffer: the only user of the kernel's crypto API. */
#ifndef QLINK_AEAD_H
#define QLINK_AEAD_H

#include <linux/types.h>

struct qlink_aead;

int qlink_aead_init(void);
void qlink_aead_exit(void);

struct qlink_aead *qlink_aead_new(void);
void qlink_aead_free(struct qlink_aead *aead);
int qlink_aead_key(struct qlink_aead *aead, const u8 *key);
int qlink_aead_wipe(struct qlink_aead *aead);
void qlink_aead_forget(void);

bool qlink_aead_may_key_anywhere(void);
bool qlink_aead_may_run(void);
void qlink_aead_lock(void);
void qlink_aead_unlock(void);
int qlink_aead_seal(struct qlink_aead *aead, u8 *frame, unsigned int bytes, const u8 *nonce);
int qlink_aead_open(struct qlink_aead *aead, u8 *to, const u8 *frame, unsigned int bytes,
		    const u8 *nonce);
int qlink_aead_open_by(const u8 *key, u8 *to, const u8 *frame, unsigned int bytes,
		       const u8 *nonce);

#endif
