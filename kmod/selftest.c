// SPDX-License-Identifier: GPL-2.0
/* Known-answer tests of AES-256-GCM when the module is loaded. */
#include "selftest.h"

#include <linux/err.h>
#include <linux/errno.h>
#include <linux/init.h>
#include <linux/printk.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/qlink.h>

#include "aead.h"
#include "wire.h"

/**
 * DOC: Self-test
 *
 * Distributions build their kernels without the crypto API's own tests, and a CPU, an
 * emulator or a driver may compute wrongly. Two ends that are wrong in the same way would
 * not notice. So the implementation that was chosen must seal and open frames of several
 * sizes as another implementation did (selftests/unit/make-answers), and must refuse
 * frames that were changed. Otherwise the module does not load, and there is no link.
 *
 * The frames run through those parts of vector code that differ: less than a block, blocks
 * with a remainder, and the loops for many blocks at once.
 */

#define QLINK_ANSWER_BYTES_MAX	4096

/**
 * struct qlink_answer - what sealing a text must give
 */
struct qlink_answer {
	/** @bytes: of the text; byte i of it is 7 i + 3 */
	unsigned int bytes;

	/** @tag: of header and ciphertext, so that it tells all of these */
	u8 tag[QLINK_TAG_BYTES];
};

/* Key, nonce and header count upwards from 0x00, 0x40 and 0x80. */
static const struct qlink_answer qlink_answers[] __initconst = {
	{ 14, { 0xd8, 0xcf, 0x85, 0x55, 0x50, 0xc3, 0xd6, 0x3e,
		0x0e, 0xa5, 0x85, 0x7e, 0xd6, 0xdf, 0x93, 0x70 } },
	{ 257, { 0xe3, 0xbb, 0xf6, 0xb2, 0xf5, 0xc6, 0xb9, 0xf5,
		0x86, 0x57, 0x9d, 0x61, 0x8d, 0x4c, 0xc7, 0x61 } },
	{ 1514, { 0x48, 0xf7, 0x83, 0x46, 0xd8, 0x54, 0x4c, 0xc0,
		0x9d, 0x45, 0x96, 0x55, 0xce, 0x50, 0x2f, 0x94 } },
	{ 4096, { 0x95, 0xd4, 0xec, 0x17, 0xc0, 0xa8, 0x19, 0x38,
		0x55, 0xc1, 0x7f, 0xe9, 0xd3, 0x4c, 0xe6, 0xcb } },
};

static void __init qlink_selftest_count(u8 *to, unsigned int bytes, u8 first)
{
	while (bytes--)
		*to++ = first++;
}

static void __init qlink_selftest_text(u8 *to, unsigned int bytes)
{
	unsigned int i;

	for (i = 0; i < bytes; i++)
		to[i] = 7 * i + 3;
}

/* Seal or open @frame, as the data path does. */
static int __init qlink_selftest_run(struct qlink_aead *aead, u8 *frame, unsigned int bytes,
				     bool seals)
{
	u8 nonce[QLINK_NONCE_BYTES];
	int err;

	qlink_selftest_count(nonce, sizeof(nonce), 0x40);
	local_bh_disable();
	qlink_aead_lock();
	err = seals ? qlink_aead_seal(aead, frame, bytes, nonce) :
		      qlink_aead_open(aead, frame, frame, bytes, nonce);
	qlink_aead_unlock();
	local_bh_enable();
	return err;
}

/* The frame of an answer, sealed; its tag must be the one of the answer. */
static int __init qlink_selftest_seal(struct qlink_aead *aead, u8 *frame,
				      const struct qlink_answer *answer)
{
	int err;

	qlink_selftest_count(frame, QLINK_HEADER_BYTES, 0x80);
	qlink_selftest_text(frame + QLINK_HEADER_BYTES, answer->bytes);
	err = qlink_selftest_run(aead, frame, answer->bytes + QLINK_OVERHEAD_BYTES, true);
	if (err)
		return err;
	frame += QLINK_HEADER_BYTES + answer->bytes;
	return memcmp(frame, answer->tag, QLINK_TAG_BYTES) ? -EBADMSG : 0;
}

/* The sealed frame must open to its text. */
static int __init qlink_selftest_open(struct qlink_aead *aead, u8 *frame,
				      const struct qlink_answer *answer)
{
	const u8 *text = frame + QLINK_HEADER_BYTES;
	unsigned int i;
	int err;

	err = qlink_selftest_run(aead, frame, answer->bytes + QLINK_OVERHEAD_BYTES, false);
	for (i = 0; !err && i < answer->bytes; i++)
		if (text[i] != (u8)(7 * i + 3))
			err = -EBADMSG;
	return err;
}

/* With one bit changed, at this byte, it must not open. */
static int __init qlink_selftest_refuse(struct qlink_aead *aead, u8 *frame,
					const struct qlink_answer *answer, unsigned int at)
{
	int err = qlink_selftest_seal(aead, frame, answer);

	if (err)
		return err;
	frame[at] ^= 1;
	err = qlink_selftest_run(aead, frame, answer->bytes + QLINK_OVERHEAD_BYTES, false);
	if (!err)
		return -EKEYREJECTED;
	return err == -EBADMSG ? 0 : err;
}

static int __init qlink_selftest_one(struct qlink_aead *aead, u8 *frame,
				     const struct qlink_answer *answer)
{
	unsigned int text = QLINK_HEADER_BYTES, tag = text + answer->bytes;

	return qlink_selftest_seal(aead, frame, answer) ?:
	       qlink_selftest_open(aead, frame, answer) ?:
	       qlink_selftest_refuse(aead, frame, answer, 0) ?:
	       qlink_selftest_refuse(aead, frame, answer, text) ?:
	       qlink_selftest_refuse(aead, frame, answer, tag - 1) ?:
	       qlink_selftest_refuse(aead, frame, answer, tag + QLINK_TAG_BYTES - 1);
}

static int __init qlink_selftest_all(struct qlink_aead *aead, u8 *frame)
{
	u8 key[QLINK_KEY_BYTES];
	unsigned int i;
	int err;

	qlink_selftest_count(key, sizeof(key), 0);
	err = qlink_aead_key(aead, key);
	for (i = 0; !err && i < ARRAY_SIZE(qlink_answers); i++) {
		err = qlink_selftest_one(aead, frame, &qlink_answers[i]);
		if (err)
			pr_err("qlink: AES-GCM is wrong for a frame of %u bytes (%d): the module is not loaded\n",
			       qlink_answers[i].bytes, err);
	}
	return err;
}

/**
 * qlink_selftest() - test the AES-256-GCM that frames are sealed by
 *
 * As FPT_FLS.1 of the NIAP PP-Module for MACsec asks: after a failure nothing is sent.
 *
 * Context: Process context, sleeps; after qlink_aead_init(), before any device is there.
 * Return:
 * * %0			- it is right
 * * %-EBADMSG		- it gave another result than the known one
 * * %-EKEYREJECTED	- it opened a frame that was changed
 * * any other		- no memory, or an errno of the backend
 */
int __init qlink_selftest(void)
{
	struct qlink_aead *aead = qlink_aead_new();
	u8 *frame;
	int err;

	if (IS_ERR(aead))
		return PTR_ERR(aead);
	frame = kmalloc(QLINK_ANSWER_BYTES_MAX + QLINK_OVERHEAD_BYTES, GFP_KERNEL);
	err = frame ? qlink_selftest_all(aead, frame) : -ENOMEM;
	kfree(frame);
	qlink_aead_free(aead);
	if (!err)
		pr_info("qlink: self-test passed\n");
	return err;
}
