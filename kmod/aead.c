// SPDX-License-Identifier: GPL-2.0
/* AES-256-GCM over one linear buffer: the only user of the kernel's crypto API. */
#include "aead.h"

#include <asm/simd.h>
#include <crypto/aead.h>
#include <crypto/internal/aead.h>
#include <crypto/internal/simd.h>
#include <linux/err.h>
#include <linux/local_lock.h>
#include <linux/percpu.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/qlink.h>

#include "wire.h"

/**
 * DOC: Which AES-GCM
 *
 * A frame must be sealed before the function that seals it returns, so the
 * transform has to be synchronous. How to get the fast one differs:
 *
 * On 6.12 the AES-NI implementation hides behind an asynchronous wrapper, and
 * asking for a synchronous "gcm(aes)" gets the generic one, 12 times slower.
 * The implementation itself is "__gcm(aes)", internal and synchronous, and may
 * be called only where the FPU is usable: qlink_aead_may_run().
 *
 * On 7.3 and on other machines "gcm(aes)" without the asynchronous ones is the
 * fast one, and may be called in any softirq.
 */

/**
 * DOC: Keys of transforms
 *
 * Making a transform sleeps and costs several times what keying one does, so
 * one that is not needed any more is wiped and can have another key.
 *
 * Setting a key does not sleep in the implementations for x86, and in others it
 * may: the generic one allocates. Where it does not, each CPU has one transform
 * more, by which a frame is opened whose key has none yet; it holds that key for
 * no longer than the frame takes.
 *
 * Those for x86 keep nothing but the expanded key in their context, so it is wiped as
 * memory, as the crypto API does when it frees one. Others get a key of zeros.
 */

/**
 * struct qlink_aead_cpu - what one CPU needs for one frame at a time
 */
struct qlink_aead_cpu {
	/** @lock: one frame at a time, also where BHs off does not say so (PREEMPT_RT) */
	local_lock_t lock;

	/** @request: with room for the transform's own state behind it */
	struct aead_request *request;

	/** @sg: header, text and tag are contiguous */
	struct scatterlist sg;

	/** @to: likewise, where a frame is not opened in place */
	struct scatterlist to;

	/** @spare: wiped between frames; NULL where setting a key may sleep */
	struct crypto_aead *spare;

	/** @nonce: 16 bytes, because some transforms copy a block of it */
	u8 nonce[16] __aligned(8);
};

static DEFINE_PER_CPU(struct qlink_aead_cpu, qlink_aead_cpus) = {
	.lock = INIT_LOCAL_LOCK(lock),
};

/* What to ask the crypto API for; set once by qlink_aead_init(). */
static const char *qlink_aead_name __ro_after_init;
static u32 qlink_aead_type __ro_after_init;
static u32 qlink_aead_mask __ro_after_init;
static unsigned int qlink_aead_request_bytes __ro_after_init;
static bool qlink_aead_is_quick __ro_after_init;

static const u8 qlink_aead_zeros[QLINK_KEY_BYTES] __aligned(16);

/* To others it is opaque; it is the transform itself. */
static struct crypto_aead *qlink_aead_tfm(struct qlink_aead *aead)
{
	return (struct crypto_aead *)aead;
}

static struct crypto_aead *qlink_aead_alloc(void)
{
	return crypto_alloc_aead(qlink_aead_name, qlink_aead_type, qlink_aead_mask);
}

/* Try the internal one first: where it exists, the other is the slow one. */
static struct crypto_aead *qlink_aead_choose(void)
{
	struct crypto_aead *tfm;

	qlink_aead_name = "__gcm(aes)";
	qlink_aead_type = CRYPTO_ALG_INTERNAL;
	qlink_aead_mask = CRYPTO_ALG_INTERNAL | CRYPTO_ALG_ASYNC;
	tfm = qlink_aead_alloc();
	if (!IS_ERR(tfm))
		return tfm;

	qlink_aead_name = "gcm(aes)";
	qlink_aead_type = 0;
	qlink_aead_mask = CRYPTO_ALG_ASYNC;
	return qlink_aead_alloc();
}

/* Another driver of the same name may have been loaded since. */
static int qlink_aead_check(struct crypto_aead *tfm)
{
	if (crypto_aead_reqsize(tfm) > qlink_aead_request_bytes)
		return -EINVAL;
	return crypto_aead_setauthsize(tfm, QLINK_TAG_BYTES);
}

static struct crypto_aead *qlink_aead_make(void)
{
	struct crypto_aead *tfm = qlink_aead_alloc();
	int err;

	if (IS_ERR(tfm))
		return tfm;
	err = qlink_aead_check(tfm);
	if (err) {
		crypto_free_aead(tfm);
		return ERR_PTR(err);
	}
	return tfm;
}

static void qlink_aead_free_requests(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct qlink_aead_cpu *here = per_cpu_ptr(&qlink_aead_cpus, cpu);

		kfree_sensitive(here->request);
		here->request = NULL;
		crypto_free_aead(here->spare);
		here->spare = NULL;
		memzero_explicit(here->nonce, sizeof(here->nonce));
	}
}

static int qlink_aead_make_request(struct qlink_aead_cpu *here, int node)
{
	struct crypto_aead *spare;

	here->request = kzalloc_node(sizeof(*here->request) + qlink_aead_request_bytes,
				     GFP_KERNEL, node);
	if (!here->request)
		return -ENOMEM;
	aead_request_set_callback(here->request, 0, NULL, NULL);
	aead_request_set_ad(here->request, QLINK_HEADER_BYTES);
	sg_init_table(&here->sg, 1);
	sg_init_table(&here->to, 1);
	if (!qlink_aead_is_quick)
		return 0;

	spare = qlink_aead_make();
	if (IS_ERR(spare))
		return PTR_ERR(spare);
	here->spare = spare;
	return 0;
}

static int qlink_aead_make_requests(void)
{
	int cpu, err;

	for_each_possible_cpu(cpu) {
		err = qlink_aead_make_request(per_cpu_ptr(&qlink_aead_cpus, cpu),
					      cpu_to_node(cpu));
		if (err) {
			qlink_aead_free_requests();
			return err;
		}
	}
	return 0;
}

/* The implementations whose setkey was read, and found not to sleep. The whole name counts: the
 * generic one that is built on aes-aesni has that in its name, too.
 */
static bool qlink_aead_keys_quickly(struct crypto_aead *tfm)
{
	const char *driver = crypto_tfm_alg_driver_name(crypto_aead_tfm(tfm));

	return strstr(driver, "generic-gcm-aesni") || strstr(driver, "generic-gcm-vaes");
}

/**
 * qlink_aead_init() - choose the transform and make each CPU's request
 *
 * Context: Process context, sleeps; may load crypto modules.
 * Return:
 * * %0		- ready
 * * %-ENOENT	- the kernel has no AES-GCM
 * * %-ENOMEM	- no memory
 */
int __init qlink_aead_init(void)
{
	struct crypto_aead *tfm = qlink_aead_choose();

	if (IS_ERR(tfm)) {
		pr_err("qlink: no synchronous gcm(aes) in this kernel (%ld)\n", PTR_ERR(tfm));
		return PTR_ERR(tfm);
	}
	qlink_aead_request_bytes = crypto_aead_reqsize(tfm);
	qlink_aead_is_quick = qlink_aead_keys_quickly(tfm);
	pr_info("qlink: AES-GCM by %s\n", crypto_tfm_alg_driver_name(crypto_aead_tfm(tfm)));
	crypto_free_aead(tfm);
	return qlink_aead_make_requests();
}

/**
 * qlink_aead_exit() - undo qlink_aead_init()
 *
 * Context: Process context, when no frame is in flight.
 */
void qlink_aead_exit(void)
{
	qlink_aead_free_requests();
}

/**
 * qlink_aead_may_key_anywhere() - can a frame be opened before its key has a transform?
 *
 * Return: false where setting a key may sleep: give every receive key its
 * transform before its frames come
 */
bool qlink_aead_may_key_anywhere(void)
{
	return qlink_aead_is_quick;
}

/**
 * qlink_aead_new() - make a transform that has no key yet
 *
 * Context: Process context, sleeps; not under RTNL.
 * Return: the transform, for qlink_aead_free(), or
 * * %-ENOMEM	- no memory
 * * any other	- of the crypto API
 */
struct qlink_aead *qlink_aead_new(void)
{
	return (struct qlink_aead *)qlink_aead_make();
}

/**
 * qlink_aead_free() - wipe and free a transform
 * @aead: no frame can be using it any more
 *
 * Context: Any but hard interrupts.
 */
void qlink_aead_free(struct qlink_aead *aead)
{
	crypto_free_aead(qlink_aead_tfm(aead));
}

/**
 * qlink_aead_key() - give a transform a key
 * @aead: no frame is using it
 * @key: QLINK_KEY_BYTES bytes; not kept, wiping it stays the caller's duty
 *
 * Context: Process context, sleeps; not under RTNL.
 * Return: 0, or an errno of the crypto API
 */
int qlink_aead_key(struct qlink_aead *aead, const u8 *key)
{
	return crypto_aead_setkey(qlink_aead_tfm(aead), key, QLINK_KEY_BYTES);
}

/**
 * qlink_aead_wipe() - overwrite the key of a transform
 * @aead: no frame is using it any more
 *
 * Context: Process context, sleeps; any where qlink_aead_may_key_anywhere().
 * Return: 0, or an errno of the crypto API; then free it, which wipes it, too
 */
int qlink_aead_wipe(struct qlink_aead *aead)
{
	struct crypto_aead *tfm = qlink_aead_tfm(aead);

	if (!qlink_aead_is_quick)
		return crypto_aead_setkey(tfm, qlink_aead_zeros, QLINK_KEY_BYTES);
	memzero_explicit(crypto_aead_ctx(tfm), crypto_aead_alg(tfm)->base.cra_ctxsize);
	return 0;
}

/**
 * qlink_aead_forget() - wipe what the last frames left in the CPUs' requests
 *
 * Context: Process context, while no transform is in use on this host.
 */
void qlink_aead_forget(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct qlink_aead_cpu *here = per_cpu_ptr(&qlink_aead_cpus, cpu);

		memzero_explicit(here->nonce, sizeof(here->nonce));
		memzero_explicit(here->request->__ctx, qlink_aead_request_bytes);
	}
}

/**
 * qlink_aead_may_run() - can a frame be sealed or opened right now?
 *
 * Context: BHs off.
 * Return: false where a softirq came into a task's use of the FPU (6.12): let
 * the frame wait and ask again from a later softirq
 */
bool qlink_aead_may_run(void)
{
	return !(qlink_aead_type & CRYPTO_ALG_INTERNAL) || crypto_simd_usable();
}

/**
 * qlink_aead_lock() - claim this CPU's request, and with it the lane's counter
 *
 * Context: BHs off, until qlink_aead_unlock().
 */
void qlink_aead_lock(void)
{
	local_lock_nested_bh(&qlink_aead_cpus.lock);
}

/**
 * qlink_aead_unlock() - undo qlink_aead_lock()
 */
void qlink_aead_unlock(void)
{
	local_unlock_nested_bh(&qlink_aead_cpus.lock);
}

static struct aead_request *qlink_aead_prepare(struct qlink_aead *aead, u8 *to, const u8 *frame,
					       unsigned int bytes, unsigned int text_bytes,
					       const u8 *nonce)
{
	struct qlink_aead_cpu *here = this_cpu_ptr(&qlink_aead_cpus);
	struct scatterlist *sg = &here->sg;

	memcpy(here->nonce, nonce, QLINK_NONCE_BYTES);
	sg_set_buf(&here->sg, frame, bytes);
	if (to != frame) {
		sg = &here->to;
		sg_set_buf(sg, to, bytes);
	}
	aead_request_set_tfm(here->request, qlink_aead_tfm(aead));
	aead_request_set_crypt(here->request, &here->sg, sg, text_bytes, here->nonce);
	return here->request;
}

/**
 * qlink_aead_seal() - encrypt one frame in place
 * @aead: transform of a transmit key; the caller is in its RCU read side
 * @frame: linear memory of ours alone: header, plaintext, room for the tag
 * @bytes: of @frame in all
 * @nonce: QLINK_NONCE_BYTES bytes, never used before under this key
 *
 * Context: BHs off, qlink_aead_lock() held, qlink_aead_may_run().
 * Return: 0, or a negative errno of the crypto API; then drop the frame
 */
int qlink_aead_seal(struct qlink_aead *aead, u8 *frame, unsigned int bytes, const u8 *nonce)
{
	struct aead_request *request;
	int err;

	request = qlink_aead_prepare(aead, frame, frame, bytes, bytes - QLINK_OVERHEAD_BYTES,
				     nonce);
	err = crypto_aead_encrypt(request);
	/* A transform that answers later would use the request after us. */
	WARN_ON_ONCE(err == -EINPROGRESS || err == -EBUSY);
	return err;
}

/**
 * qlink_aead_open() - check and decrypt one frame
 * @aead: transform of a receive key; the caller is in its RCU read side
 * @to: linear memory of ours alone, as large as @frame: @frame, to do it in place, or apart from it
 * @frame: linear memory: header, ciphertext, tag
 * @bytes: of @frame in all
 * @nonce: QLINK_NONCE_BYTES bytes
 *
 * Context: BHs off, qlink_aead_lock() held, qlink_aead_may_run().
 * Return:
 * * %0		- authentic; plaintext in @to, behind as many bytes as the header has
 * * %-EBADMSG	- the tag is not valid; the content is undefined
 * * any other	- of the crypto API
 */
int qlink_aead_open(struct qlink_aead *aead, u8 *to, const u8 *frame, unsigned int bytes,
		    const u8 *nonce)
{
	struct aead_request *request;
	int err;

	request = qlink_aead_prepare(aead, to, frame, bytes, bytes - QLINK_HEADER_BYTES, nonce);
	err = crypto_aead_decrypt(request);
	WARN_ON_ONCE(err == -EINPROGRESS || err == -EBUSY);
	return err;
}

/**
 * qlink_aead_open_by() - check and decrypt one frame under a key without a transform
 * @key: QLINK_KEY_BYTES bytes; not kept
 * @to: as of qlink_aead_open()
 * @frame: likewise
 * @bytes: of @frame in all
 * @nonce: QLINK_NONCE_BYTES bytes
 *
 * Context: As qlink_aead_open(); qlink_aead_may_key_anywhere().
 * Return: as qlink_aead_open()
 */
int qlink_aead_open_by(const u8 *key, u8 *to, const u8 *frame, unsigned int bytes,
		       const u8 *nonce)
{
	struct qlink_aead *spare = (struct qlink_aead *)this_cpu_read(qlink_aead_cpus.spare);
	int err = qlink_aead_key(spare, key);

	if (!err)
		err = qlink_aead_open(spare, to, frame, bytes, nonce);
	/* It cannot fail: there is a spare one only where setting a key is quick. */
	qlink_aead_wipe(spare);
	return err;
}
