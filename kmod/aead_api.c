// SPDX-License-Identifier: GPL-2.0
/* AES-256-GCM by the kernel's crypto API. */
#include "aead_backend.h"

#include <crypto/aead.h>
#include <crypto/internal/aead.h>
#include <linux/err.h>
#include <linux/percpu.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/qlink.h>

#include "wire.h"

/**
 * DOC: Which AES-GCM of the crypto API
 *
 * A frame must be sealed before the function that seals it returns, so the
 * transform has to be synchronous. How to get the fast one differs:
 *
 * On 6.12 the AES-NI implementation hides behind an asynchronous wrapper, and
 * asking for a synchronous "gcm(aes)" gets the generic one, 12 times slower.
 * The implementation itself is "__gcm(aes)", internal and synchronous, and may
 * be called only where the FPU is usable: qlink_aead_may_run(). It is asked for by
 * this internal name because there is no other way to it: each frame would have to go
 * through the wrapper's worker, or through the slow one. When 6.12 is not supported any
 * more, this goes.
 *
 * On 7.3, and on other machines, a synchronous "gcm(aes)" is the fast one, and may
 * be called in any softirq.
 */

/**
 * DOC: Keys of transforms
 *
 * Making a transform sleeps and costs several times as much as setting its key. So
 * a transform that is not needed any more is wiped and reused for another key.
 *
 * Setting a key does not sleep in the implementations for x86, nor in that for arm64. In
 * others it may: the generic one allocates memory.
 *
 * The context of one of these transforms holds only the expanded key, so it is wiped as
 * memory, as the crypto API does when it frees a transform. To set its key to zeros costs
 * ten times as much, and a transform is wiped for each frame under a staged key without
 * a transform, even for forged ones. To wipe any other transform, its key is set to zeros:
 * its context may hold pointers.
 */

/* The name of a driver that an admin has given could be that of any cipher. */
static bool qlink_aead_api_is_gcm(struct crypto_aead *tfm)
{
	const char *name = crypto_tfm_alg_name(crypto_aead_tfm(tfm));

	return (!strcmp(name, "gcm(aes)") || !strcmp(name, "__gcm(aes)")) &&
	       crypto_aead_ivsize(tfm) == QLINK_NONCE_BYTES;
}

/**
 * struct qlink_aead_api_cpu - what one CPU needs for one frame at a time; under qlink_aead_lock()
 */
struct qlink_aead_api_cpu {
	/** @request: followed by room for the transform's own state */
	struct aead_request *request;

	/** @sg: the frame; header, text and tag are contiguous */
	struct scatterlist sg;

	/** @to: the output, where a frame is not opened in place */
	struct scatterlist to;

	/** @nonce: 16 bytes, because some transforms copy a block of it */
	u8 nonce[16] __aligned(8);
};

static DEFINE_PER_CPU(struct qlink_aead_api_cpu, qlink_aead_api_cpus);

/* What to ask the crypto API for, and what it returned; set once by qlink_aead_api_init(). */
static const char *qlink_aead_api_asked __ro_after_init;
static u32 qlink_aead_api_type __ro_after_init;
static u32 qlink_aead_api_mask __ro_after_init;
static char qlink_aead_api_name[CRYPTO_MAX_ALG_NAME] __ro_after_init;
static unsigned int qlink_aead_api_request_bytes __ro_after_init;
static bool qlink_aead_api_is_quick __ro_after_init;

static const u8 qlink_aead_api_zeros[QLINK_KEY_BYTES] __aligned(16);

/* To others it is opaque; it is the transform itself. */
static struct crypto_aead *qlink_aead_api_tfm(struct qlink_aead *aead)
{
	return (struct crypto_aead *)aead;
}

static struct crypto_aead *qlink_aead_api_alloc(void)
{
	return crypto_alloc_aead(qlink_aead_api_asked, qlink_aead_api_type, qlink_aead_api_mask);
}

/* Try the internal implementation first: where it exists, the other one is slow. */
static struct crypto_aead *qlink_aead_api_choose(const char *driver)
{
	struct crypto_aead *tfm;

	if (driver) {
		qlink_aead_api_asked = driver;
		qlink_aead_api_mask = CRYPTO_ALG_ASYNC;
		return qlink_aead_api_alloc();
	}
	qlink_aead_api_asked = "__gcm(aes)";
	qlink_aead_api_type = CRYPTO_ALG_INTERNAL;
	qlink_aead_api_mask = CRYPTO_ALG_INTERNAL | CRYPTO_ALG_ASYNC;
	tfm = qlink_aead_api_alloc();
	if (!IS_ERR(tfm))
		return tfm;

	qlink_aead_api_asked = "gcm(aes)";
	qlink_aead_api_type = 0;
	qlink_aead_api_mask = CRYPTO_ALG_ASYNC;
	return qlink_aead_api_alloc();
}

/* Since the choice, another driver of the same name may have been loaded. */
static int qlink_aead_api_check(struct crypto_aead *tfm)
{
	if (crypto_aead_reqsize(tfm) > qlink_aead_api_request_bytes)
		return -EINVAL;
	return crypto_aead_setauthsize(tfm, QLINK_TAG_BYTES);
}

static struct qlink_aead *qlink_aead_api_new(void)
{
	struct crypto_aead *tfm = qlink_aead_api_alloc();
	int err;

	if (IS_ERR(tfm))
		return ERR_CAST(tfm);
	err = qlink_aead_api_check(tfm);
	if (err) {
		crypto_free_aead(tfm);
		return ERR_PTR(err);
	}
	return (struct qlink_aead *)tfm;
}

static void qlink_aead_api_free(struct qlink_aead *aead)
{
	crypto_free_aead(qlink_aead_api_tfm(aead));
}

static void qlink_aead_api_exit(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct qlink_aead_api_cpu *here = per_cpu_ptr(&qlink_aead_api_cpus, cpu);

		kfree_sensitive(here->request);
		here->request = NULL;
		memzero_explicit(here->nonce, sizeof(here->nonce));
	}
}

static int qlink_aead_api_make_request(struct qlink_aead_api_cpu *here, int node)
{
	here->request = kzalloc_node(sizeof(*here->request) + qlink_aead_api_request_bytes,
				     GFP_KERNEL, node);
	if (!here->request)
		return -ENOMEM;
	aead_request_set_callback(here->request, 0, NULL, NULL);
	aead_request_set_ad(here->request, QLINK_HEADER_BYTES);
	sg_init_table(&here->sg, 1);
	sg_init_table(&here->to, 1);
	return 0;
}

static int qlink_aead_api_make_requests(void)
{
	int cpu, err;

	for_each_possible_cpu(cpu) {
		err = qlink_aead_api_make_request(per_cpu_ptr(&qlink_aead_api_cpus, cpu),
						  cpu_to_node(cpu));
		if (err) {
			qlink_aead_api_exit();
			return err;
		}
	}
	return 0;
}

/* These are the implementations whose setkey does not sleep; their code was read. The whole name
 * counts: the generic one that uses aes-aesni has that in its name, too.
 */
static bool qlink_aead_api_keys_quickly(const char *driver)
{
	return strstr(driver, "generic-gcm-aesni") || strstr(driver, "generic-gcm-vaes") ||
	       !strcmp(driver, "gcm-aes-ce");
}

static int qlink_aead_api_init(const char *driver)
{
	struct crypto_aead *tfm = qlink_aead_api_choose(driver);

	if (IS_ERR(tfm))
		return PTR_ERR(tfm);
	if (!qlink_aead_api_is_gcm(tfm)) {
		crypto_free_aead(tfm);
		return -EINVAL;
	}
	qlink_aead_api_request_bytes = crypto_aead_reqsize(tfm);
	strscpy(qlink_aead_api_name, crypto_tfm_alg_driver_name(crypto_aead_tfm(tfm)));
	qlink_aead_api_is_quick = qlink_aead_api_keys_quickly(qlink_aead_api_name);
	crypto_free_aead(tfm);
	return qlink_aead_api_make_requests();
}

static const char *qlink_aead_api_driver(void)
{
	return qlink_aead_api_name;
}

static bool qlink_aead_api_needs_fpu(void)
{
	return qlink_aead_api_type & CRYPTO_ALG_INTERNAL;
}

static bool qlink_aead_api_may_key_anywhere(void)
{
	return qlink_aead_api_is_quick;
}

static int qlink_aead_api_key(struct qlink_aead *aead, const u8 *key)
{
	return crypto_aead_setkey(qlink_aead_api_tfm(aead), key, QLINK_KEY_BYTES);
}

static int qlink_aead_api_wipe(struct qlink_aead *aead)
{
	struct crypto_aead *tfm = qlink_aead_api_tfm(aead);

	if (!qlink_aead_api_is_quick)
		return crypto_aead_setkey(tfm, qlink_aead_api_zeros, QLINK_KEY_BYTES);
	memzero_explicit(crypto_aead_ctx(tfm), crypto_aead_alg(tfm)->base.cra_ctxsize);
	return 0;
}

static void qlink_aead_api_forget(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct qlink_aead_api_cpu *here = per_cpu_ptr(&qlink_aead_api_cpus, cpu);

		memzero_explicit(here->nonce, sizeof(here->nonce));
		memzero_explicit(here->request->__ctx, qlink_aead_api_request_bytes);
	}
}

static struct aead_request *qlink_aead_api_prepare(struct qlink_aead *aead, u8 *to,
						   const u8 *frame, unsigned int bytes,
						   unsigned int text_bytes, const u8 *nonce)
{
	struct qlink_aead_api_cpu *here = this_cpu_ptr(&qlink_aead_api_cpus);
	struct scatterlist *sg = &here->sg;

	memcpy(here->nonce, nonce, QLINK_NONCE_BYTES);
	sg_set_buf(&here->sg, frame, bytes);
	if (to != frame) {
		sg = &here->to;
		sg_set_buf(sg, to, bytes);
	}
	aead_request_set_tfm(here->request, qlink_aead_api_tfm(aead));
	aead_request_set_crypt(here->request, &here->sg, sg, text_bytes, here->nonce);
	return here->request;
}

static int qlink_aead_api_seal(struct qlink_aead *aead, u8 *frame, unsigned int bytes,
			       const u8 *nonce)
{
	struct aead_request *request;
	int err;

	request = qlink_aead_api_prepare(aead, frame, frame, bytes, bytes - QLINK_OVERHEAD_BYTES,
					 nonce);
	err = crypto_aead_encrypt(request);
	/* A transform that completes later would still use the request then. */
	WARN_ON_ONCE(err == -EINPROGRESS || err == -EBUSY);
	return err;
}

static int qlink_aead_api_open(struct qlink_aead *aead, u8 *to, const u8 *frame,
			       unsigned int bytes, const u8 *nonce)
{
	struct aead_request *request;
	int err;

	request = qlink_aead_api_prepare(aead, to, frame, bytes, bytes - QLINK_HEADER_BYTES, nonce);
	err = crypto_aead_decrypt(request);
	WARN_ON_ONCE(err == -EINPROGRESS || err == -EBUSY);
	return err;
}

const struct qlink_aead_backend qlink_aead_api = {
	.name			= "api",
	.init			= qlink_aead_api_init,
	.exit			= qlink_aead_api_exit,
	.driver			= qlink_aead_api_driver,
	.needs_fpu		= qlink_aead_api_needs_fpu,
	.may_key_anywhere	= qlink_aead_api_may_key_anywhere,
	.new			= qlink_aead_api_new,
	.free			= qlink_aead_api_free,
	.key			= qlink_aead_api_key,
	.wipe			= qlink_aead_api_wipe,
	.forget			= qlink_aead_api_forget,
	.seal			= qlink_aead_api_seal,
	.open			= qlink_aead_api_open,
};
