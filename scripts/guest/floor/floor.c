// SPDX-License-Identifier: GPL-2.0
/* The cost of only the kernel's AES-256-GCM for a frame: the minimum for every encrypted link.
 *
 * Counts when it is inserted. /sys/module/floor/parameters has, for each of "sizes": "seal", "open" and
 * "copy", in ticks of the TSC, which are instructions with QEMU's -icount shift=0; and "driver", the
 * implementation.
 */
#include <crypto/aead.h>
#include <linux/bottom_half.h>
#include <linux/module.h>
#include <linux/random.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/timex.h>

#define FLOOR_SIZES		2
#define FLOOR_TIMES		200
#define FLOOR_KEY_BYTES		32
#define FLOOR_NONCE_BYTES	12
#define FLOOR_AD_BYTES		16
#define FLOOR_TAG_BYTES		16
#define FLOOR_MOST_BYTES	2048

static unsigned int sizes[FLOOR_SIZES] = { 64, 1400 };
static unsigned int seal[FLOOR_SIZES], open[FLOOR_SIZES], copy[FLOOR_SIZES];
static char driver[CRYPTO_MAX_ALG_NAME];

module_param_array(sizes, uint, NULL, 0444);
module_param_array(seal, uint, NULL, 0444);
module_param_array(open, uint, NULL, 0444);
module_param_array(copy, uint, NULL, 0444);
module_param_string(driver, driver, sizeof(driver), 0444);

/**
 * struct floor_work - what all counts share
 */
struct floor_work {
	/** @tfm: synchronous, with a key */
	struct crypto_aead *tfm;
	/** @request: of @tfm, reused, which is cheapest */
	struct aead_request *request;
	/** @frame: associated data, frame and tag, sealed and opened in place */
	u8 *frame;
	/** @other: to copy to */
	u8 *other;
};

/* Before about 6.15, "gcm(aes)" may be deferred to a thread; the variant that never is has another name. */
static struct crypto_aead *floor_alloc(void)
{
	struct crypto_aead *tfm;

	tfm = crypto_alloc_aead("__gcm(aes)", CRYPTO_ALG_INTERNAL,
				CRYPTO_ALG_INTERNAL | CRYPTO_ALG_ASYNC);
	if (IS_ERR(tfm))
		tfm = crypto_alloc_aead("gcm(aes)", 0, CRYPTO_ALG_ASYNC);
	return tfm;
}

/* Ticks of one call, or 0 if it failed. */
static unsigned int floor_crypt(struct floor_work *work, unsigned int bytes,
				int (*crypt)(struct aead_request *), unsigned int tag_bytes)
{
	u8 nonce[FLOOR_NONCE_BYTES] = { 1 };
	struct scatterlist sg;
	cycles_t ticks;
	int err;

	sg_init_one(&sg, work->frame, FLOOR_AD_BYTES + bytes + FLOOR_TAG_BYTES);
	local_bh_disable();
	ticks = get_cycles();
	aead_request_set_callback(work->request, 0, NULL, NULL);
	aead_request_set_ad(work->request, FLOOR_AD_BYTES);
	aead_request_set_crypt(work->request, &sg, &sg, bytes + tag_bytes, nonce);
	err = crypt(work->request);
	ticks = get_cycles() - ticks;
	local_bh_enable();
	return err ? 0 : ticks;
}

static unsigned int floor_copy(struct floor_work *work, unsigned int bytes)
{
	cycles_t ticks;

	/* The compiler does not know this name: for memcpy() it would emit a string instruction here, which
	 * counts one instruction per byte.
	 */
	ticks = get_cycles();
	__memcpy(work->other, work->frame, bytes);
	return get_cycles() - ticks;
}

/* The minimum of many: an interrupt may fall into one. */
static int floor_count(struct floor_work *work, int n)
{
	unsigned int i, sealed, opened;

	seal[n] = open[n] = copy[n] = UINT_MAX;
	for (i = 0; i < FLOOR_TIMES; i++) {
		sealed = floor_crypt(work, sizes[n], crypto_aead_encrypt, 0);
		opened = floor_crypt(work, sizes[n], crypto_aead_decrypt, FLOOR_TAG_BYTES);
		if (!sealed || !opened)
			return -EIO;
		seal[n] = min(seal[n], sealed);
		open[n] = min(open[n], opened);
		copy[n] = min(copy[n], floor_copy(work, sizes[n]));
	}
	return 0;
}

static int floor_run(struct floor_work *work)
{
	u8 key[FLOOR_KEY_BYTES];
	int err, n;

	get_random_bytes(key, sizeof(key));
	err = crypto_aead_setkey(work->tfm, key, sizeof(key));
	for (n = 0; !err && n < FLOOR_SIZES; n++)
		err = sizes[n] <= FLOOR_MOST_BYTES ? floor_count(work, n) : -EINVAL;
	return err;
}

static int __init floor_init(void)
{
	struct floor_work work = { .tfm = floor_alloc() };
	int err = -ENOMEM;

	if (IS_ERR(work.tfm))
		return PTR_ERR(work.tfm);
	strscpy(driver, crypto_tfm_alg_driver_name(crypto_aead_tfm(work.tfm)), sizeof(driver));
	work.request = aead_request_alloc(work.tfm, GFP_KERNEL);
	work.frame = kzalloc(FLOOR_AD_BYTES + FLOOR_MOST_BYTES + FLOOR_TAG_BYTES, GFP_KERNEL);
	work.other = kzalloc(FLOOR_MOST_BYTES, GFP_KERNEL);
	if (work.request && work.frame && work.other)
		err = floor_run(&work);
	kfree(work.other);
	kfree(work.frame);
	aead_request_free(work.request);
	crypto_free_aead(work.tfm);
	return err;
}
module_init(floor_init);

static void __exit floor_exit(void)
{
}
module_exit(floor_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("the cost of AES-256-GCM alone");
