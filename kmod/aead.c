// SPDX-License-Identifier: GPL-2.0
/* AES-256-GCM over one linear buffer, by the backend that suits this machine. */
#include "aead.h"

#include <linux/cpufeature.h>
#include <linux/err.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/qlink.h>

#include "aead_backend.h"
#include "wire.h"

/**
 * DOC: Which backend
 *
 * The module parameter says it. By default the CPU decides: where it has instructions for AES
 * and for GCM's hash, the crypto API has assembler that uses them for whole frames. The library
 * of 7.3 has none; it works block by block and is 5 times slower. Without such instructions
 * both are written in C, and the library is better, because it sets a key without
 * sleeping. An admin who wants to know, or has a CPU that this rule does not name, asks for
 * a measurement: then each available backend seals some frames, and the quickest one is
 * used. It is not the default, because a disturbed measurement would choose the slow one.
 *
 * Where setting a key does not sleep, each CPU has a spare transform. It opens a frame whose key
 * has no transform yet, and holds that key only as long as the frame takes.
 */

#define QLINK_AEAD_TRY_BYTES	(1400 + QLINK_OVERHEAD_BYTES)
#define QLINK_AEAD_TRIES	16

#define QLINK_AEAD_DRIVER	"api:"

static const char *const qlink_aead_names[] = { "auto", "measure", "api", "library" };
static char *qlink_aead_wanted = "auto";
module_param_named(aead, qlink_aead_wanted, charp, 0444);
MODULE_PARM_DESC(aead, "AES-GCM by the kernel's crypto API (api) or one of its drivers (api:DRIVER), its library (library), what suits the CPU (auto), or what is quickest now (measure)");

DEFINE_PER_CPU(struct qlink_aead_cpu, qlink_aead_cpus) = {
	.lock = INIT_LOCAL_LOCK(lock),
};

static const struct qlink_aead_backend *const qlink_aead_backends[] = {
	&qlink_aead_api,
#ifdef QLINK_HAS_AES_GCM_LIBRARY
	&qlink_aead_library,
#endif
};

static const struct qlink_aead_backend *qlink_aead_backend __ro_after_init;
bool qlink_aead_needs_fpu __ro_after_init;
static bool qlink_aead_is_quick __ro_after_init;

DEFINE_STATIC_CALL_NULL(qlink_aead_do_seal, qlink_aead_seal);
DEFINE_STATIC_CALL_NULL(qlink_aead_do_open, qlink_aead_open);

/* How long it takes to seal a frame: the shortest of several times, so that no interrupt counts. */
static int __init qlink_aead_try(const struct qlink_aead_backend *backend,
				 struct qlink_aead *aead, u8 *frame, u64 *best_ns)
{
	u8 nonce[QLINK_NONCE_BYTES] = {};
	u64 start;
	int i, err;

	*best_ns = U64_MAX;
	for (i = 0; i < QLINK_AEAD_TRIES; i++) {
		local_bh_disable();
		qlink_aead_lock();
		start = ktime_get_ns();
		err = backend->seal(aead, frame, QLINK_AEAD_TRY_BYTES, nonce);
		*best_ns = min(*best_ns, ktime_get_ns() - start);
		qlink_aead_unlock();
		local_bh_enable();
		if (err)
			return err;
	}
	return 0;
}

/* The key and the frame are zeros, and the result does not leave this function. */
static int __init qlink_aead_measure(const struct qlink_aead_backend *backend, u64 *ns)
{
	static const u8 zeros[QLINK_KEY_BYTES] __aligned(16);
	struct qlink_aead *aead = backend->new();
	u8 *frame;
	int err;

	if (IS_ERR(aead))
		return PTR_ERR(aead);
	frame = kzalloc(QLINK_AEAD_TRY_BYTES, GFP_KERNEL);
	err = frame ? backend->key(aead, zeros) : -ENOMEM;
	if (!err)
		err = qlink_aead_try(backend, aead, frame, ns);
	kfree(frame);
	backend->free(aead);
	return err;
}

static void qlink_aead_stop(const struct qlink_aead_backend *backend)
{
	if (backend && backend->exit)
		backend->exit();
}

static bool __init qlink_aead_is_wanted(const char *name)
{
	return !strcmp(qlink_aead_wanted, name);
}

static int __init qlink_aead_start(const struct qlink_aead_backend *backend, const char *driver)
{
	return backend->init ? backend->init(driver) : 0;
}

/* Measure a backend that was started; undo that where the measurement fails. */
static int __init qlink_aead_tell_time(const struct qlink_aead_backend *backend, u64 *ns)
{
	int err = qlink_aead_measure(backend, ns);

	if (err)
		qlink_aead_stop(backend);
	else
		pr_info("qlink: %s seals 1,400 bytes in %llu ns\n", backend->driver(), *ns);
	return err;
}

/* Choose the quickest backend; returns 0, or why there is none. */
static int __init qlink_aead_choose_quickest(void)
{
	u64 ns, best_ns = U64_MAX;
	int i, err, why = -ENOENT;

	for (i = 0; i < ARRAY_SIZE(qlink_aead_backends); i++) {
		const struct qlink_aead_backend *backend = qlink_aead_backends[i];

		err = qlink_aead_start(backend, NULL) ?: qlink_aead_tell_time(backend, &ns);
		if (err) {
			why = err;
		} else if (ns < best_ns) {
			qlink_aead_stop(qlink_aead_backend);
			qlink_aead_backend = backend;
			best_ns = ns;
		} else {
			qlink_aead_stop(backend);
		}
	}
	return qlink_aead_backend ? 0 : why;
}

/* Choose the backend of this name; returns 0, or why there is none. */
static int __init qlink_aead_choose_named(const char *name, const char *driver)
{
	int i, err;

	for (i = 0; i < ARRAY_SIZE(qlink_aead_backends); i++) {
		if (strcmp(qlink_aead_backends[i]->name, name))
			continue;
		err = qlink_aead_start(qlink_aead_backends[i], driver);
		if (!err)
			qlink_aead_backend = qlink_aead_backends[i];
		return err;
	}
	return -ENOENT;
}

/* Has the CPU instructions for AES and for GCM's hash? */
static bool __init qlink_aead_cpu_has_gcm(void)
{
#if defined(CONFIG_X86)
	return boot_cpu_has(X86_FEATURE_AES) && boot_cpu_has(X86_FEATURE_PCLMULQDQ);
#elif defined(CONFIG_ARM64)
	return cpu_have_named_feature(AES) && cpu_have_named_feature(PMULL);
#else
	return false;
#endif
}

/* The one that suits the CPU, or else the other one. */
static int __init qlink_aead_choose_auto(void)
{
	bool has_gcm = qlink_aead_cpu_has_gcm();

	if (!qlink_aead_choose_named(has_gcm ? "api" : "library", NULL))
		return 0;
	return qlink_aead_choose_named(has_gcm ? "library" : "api", NULL);
}

static int __init qlink_aead_choose(void)
{
	size_t prefix = strlen(QLINK_AEAD_DRIVER);

	if (qlink_aead_is_wanted("auto"))
		return qlink_aead_choose_auto();
	if (qlink_aead_is_wanted("measure"))
		return qlink_aead_choose_quickest();
	if (!strncmp(qlink_aead_wanted, QLINK_AEAD_DRIVER, prefix))
		return qlink_aead_choose_named("api", qlink_aead_wanted + prefix);
	return qlink_aead_choose_named(qlink_aead_wanted, NULL);
}

static void qlink_aead_free_spares(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct qlink_aead_cpu *here = per_cpu_ptr(&qlink_aead_cpus, cpu);

		if (here->spare)
			qlink_aead_free(here->spare);
		here->spare = NULL;
	}
}

static int __init qlink_aead_make_spares(void)
{
	struct qlink_aead *spare;
	int cpu;

	for_each_possible_cpu(cpu) {
		spare = qlink_aead_new();
		if (IS_ERR(spare)) {
			qlink_aead_free_spares();
			return PTR_ERR(spare);
		}
		per_cpu(qlink_aead_cpus, cpu).spare = spare;
	}
	return 0;
}

/**
 * qlink_aead_init() - choose the backend and make each CPU's spare transform
 *
 * Context: Process context, sleeps; may load crypto modules.
 * Return:
 * * %0		- ready
 * * %-EINVAL	- the module parameter has an unknown value
 * * %-ENOENT	- the kernel has no AES-GCM, or not the one that the parameter names
 * * %-ENOMEM	- no memory
 */
int __init qlink_aead_init(void)
{
	int err;

	if (strncmp(qlink_aead_wanted, QLINK_AEAD_DRIVER, strlen(QLINK_AEAD_DRIVER)) &&
	    match_string(qlink_aead_names, ARRAY_SIZE(qlink_aead_names), qlink_aead_wanted) < 0) {
		pr_err("qlink: aead=%s is none of auto, measure, api, api:DRIVER, library\n",
		       qlink_aead_wanted);
		return -EINVAL;
	}
	err = qlink_aead_choose();
	if (err) {
		pr_err("qlink: this kernel has no synchronous AES-GCM for aead=%s (%d)\n",
		       qlink_aead_wanted, err);
		return err;
	}
	qlink_aead_needs_fpu = qlink_aead_backend->needs_fpu();
	qlink_aead_is_quick = qlink_aead_backend->may_key_anywhere();
	static_call_update(qlink_aead_do_seal, qlink_aead_backend->seal);
	static_call_update(qlink_aead_do_open, qlink_aead_backend->open);
	pr_info("qlink: frames are sealed by %s\n", qlink_aead_backend->driver());

	err = qlink_aead_is_quick ? qlink_aead_make_spares() : 0;
	if (err)
		qlink_aead_stop(qlink_aead_backend);
	return err;
}

/**
 * qlink_aead_exit() - undo qlink_aead_init()
 *
 * Context: Process context, when no frame is in flight.
 */
void qlink_aead_exit(void)
{
	qlink_aead_free_spares();
	qlink_aead_stop(qlink_aead_backend);
}

/**
 * qlink_aead_may_key_anywhere() - can a key be set in any context?
 *
 * Return: false where setting a key may sleep; then every receive key must have its
 * transform before its frames come
 */
bool qlink_aead_may_key_anywhere(void)
{
	return qlink_aead_is_quick;
}

/**
 * qlink_aead_new() - make a transform, without a key
 *
 * Context: Process context, sleeps; not under RTNL.
 * Return: the transform, for qlink_aead_free(), or
 * * %-ENOMEM	- no memory
 * * any other	- of the backend
 */
struct qlink_aead *qlink_aead_new(void)
{
	return qlink_aead_backend->new();
}

/**
 * qlink_aead_free() - wipe and free a transform
 * @aead: no frame can be using it any more
 *
 * Context: Any but hard interrupts.
 */
void qlink_aead_free(struct qlink_aead *aead)
{
	qlink_aead_backend->free(aead);
}

/**
 * qlink_aead_key() - set the key of a transform
 * @aead: no frame is using it
 * @key: QLINK_KEY_BYTES bytes; not kept, wiping it stays the caller's duty
 *
 * Context: Process context, sleeps; not under RTNL.
 * Return: 0, or an errno of the backend
 */
int qlink_aead_key(struct qlink_aead *aead, const u8 *key)
{
	return qlink_aead_backend->key(aead, key);
}

/**
 * qlink_aead_wipe() - overwrite the key of a transform, which can have another then
 * @aead: no frame is using it any more
 *
 * Context: Process context, sleeps; any where qlink_aead_may_key_anywhere().
 * Return: 0, or an errno of the backend; then free the transform, which wipes it, too
 */
int qlink_aead_wipe(struct qlink_aead *aead)
{
	return qlink_aead_backend->wipe(aead);
}

/**
 * qlink_aead_forget() - wipe what the last frames have left in each CPU's memory
 *
 * Context: Process context, while no key is in use on this host.
 */
void qlink_aead_forget(void)
{
	if (qlink_aead_backend->forget)
		qlink_aead_backend->forget();
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
	struct qlink_aead *spare = this_cpu_read(qlink_aead_cpus.spare);
	int err = qlink_aead_key(spare, key);

	if (!err)
		err = qlink_aead_open(spare, to, frame, bytes, nonce);
	/* It cannot fail: there is a spare transform only where setting a key does not sleep. */
	qlink_aead_wipe(spare);
	return err;
}
