/* SPDX-License-Identifier: GPL-2.0 */
/* AES-256-GCM over one linear buffer. */
#ifndef QLINK_AEAD_H
#define QLINK_AEAD_H

#include <asm/simd.h>
#include <crypto/internal/simd.h>
#include <linux/local_lock.h>
#include <linux/percpu.h>
#include <linux/static_call.h>
#include <linux/types.h>

struct qlink_aead;

/**
 * struct qlink_aead_cpu - what one CPU needs for one frame at a time
 */
struct qlink_aead_cpu {
	/** @lock: one frame at a time, also where BHs off does not ensure it (PREEMPT_RT) */
	local_lock_t lock;

	/** @spare: a transform, wiped between frames; NULL where setting a key may sleep */
	struct qlink_aead *spare;
};

DECLARE_PER_CPU(struct qlink_aead_cpu, qlink_aead_cpus);
extern bool qlink_aead_needs_fpu;

static inline int qlink_aead_seal(struct qlink_aead *aead, u8 *frame, unsigned int bytes,
				  const u8 *nonce);
static inline int qlink_aead_open(struct qlink_aead *aead, u8 *to, const u8 *frame,
				  unsigned int bytes, const u8 *nonce);
/* The backend's functions, as static calls: a frame follows no pointer. */
DECLARE_STATIC_CALL(qlink_aead_do_seal, qlink_aead_seal);
DECLARE_STATIC_CALL(qlink_aead_do_open, qlink_aead_open);

int qlink_aead_init(void);
void qlink_aead_exit(void);

struct qlink_aead *qlink_aead_new(void);
void qlink_aead_free(struct qlink_aead *aead);
int qlink_aead_key(struct qlink_aead *aead, const u8 *key);
int qlink_aead_wipe(struct qlink_aead *aead);
void qlink_aead_forget(void);

bool qlink_aead_may_key_anywhere(void);
int qlink_aead_open_by(const u8 *key, u8 *to, const u8 *frame, unsigned int bytes,
		       const u8 *nonce);

/**
 * qlink_aead_may_run() - can a frame be sealed or opened right now?
 *
 * Context: BHs off.
 * Return: false where a softirq has interrupted a task's use of the FPU (6.12): let
 * the frame wait and ask again from a later softirq
 */
static inline bool qlink_aead_may_run(void)
{
	return !qlink_aead_needs_fpu || crypto_simd_usable();
}

/**
 * qlink_aead_lock() - reserve this CPU's struct qlink_aead_cpu and its lane for one frame
 *
 * Context: BHs off, until qlink_aead_unlock().
 */
static inline void qlink_aead_lock(void)
{
	local_lock_nested_bh(&qlink_aead_cpus.lock);
}

/**
 * qlink_aead_unlock() - undo qlink_aead_lock()
 */
static inline void qlink_aead_unlock(void)
{
	local_unlock_nested_bh(&qlink_aead_cpus.lock);
}

/**
 * qlink_aead_seal() - encrypt one frame in place
 * @aead: of a transmit key; the caller is in its RCU read side
 * @frame: linear memory of ours alone: header, plaintext, room for the tag
 * @bytes: of @frame in all
 * @nonce: QLINK_NONCE_BYTES bytes, never used before under this key
 *
 * Context: BHs off, qlink_aead_lock() held, qlink_aead_may_run().
 * Return: 0, or a negative errno of the backend; then drop the frame
 */
static inline int qlink_aead_seal(struct qlink_aead *aead, u8 *frame, unsigned int bytes,
				  const u8 *nonce)
{
	return static_call(qlink_aead_do_seal)(aead, frame, bytes, nonce);
}

/**
 * qlink_aead_open() - check and decrypt one frame
 * @aead: of a receive key; the caller is in its RCU read side
 * @to: linear memory of ours alone, as large as @frame; @frame itself or separate from it
 * @frame: linear memory: header, ciphertext, tag
 * @bytes: of @frame in all
 * @nonce: QLINK_NONCE_BYTES bytes
 *
 * Context: BHs off, qlink_aead_lock() held, qlink_aead_may_run().
 * Return:
 * * %0		- authentic; plaintext in @to, at the offset QLINK_HEADER_BYTES
 * * %-EBADMSG	- the tag is not valid; the content is undefined
 * * any other	- of the backend
 */
static inline int qlink_aead_open(struct qlink_aead *aead, u8 *to, const u8 *frame,
				  unsigned int bytes, const u8 *nonce)
{
	return static_call(qlink_aead_do_open)(aead, to, frame, bytes, nonce);
}

#endif
