/* SPDX-License-Identifier: GPL-2.0 */
/* The functions that an implementation of AES-256-GCM provides for aead.c. */
#ifndef QLINK_AEAD_BACKEND_H
#define QLINK_AEAD_BACKEND_H

#include <linux/types.h>

#include "compat.h"

/* A transform: one key as a backend has prepared it. Opaque to all others. */
struct qlink_aead;

/**
 * struct qlink_aead_backend - one implementation of AES-256-GCM
 *
 * A member with the name of a function of aead.c or aead.h has its contract.
 */
struct qlink_aead_backend {
	/** @name: value of the module parameter */
	const char *name;
	/**
	 * @init: prepare, sleeps; with the driver of this name, or any where it is NULL. %-ENOENT
	 * where the kernel does not have it; or NULL
	 */
	int (*init)(const char *driver);
	/** @exit: undo @init, when no transform is left; or NULL */
	void (*exit)(void);
	/** @driver: name of the implementation in use, for people; valid after @init */
	const char *(*driver)(void);
	/** @needs_fpu: does it run only where crypto_simd_usable()? */
	bool (*needs_fpu)(void);
	/** @may_key_anywhere: do neither @key nor @wipe ever sleep? */
	bool (*may_key_anywhere)(void);
	/** @new: qlink_aead_new() */
	struct qlink_aead *(*new)(void);
	/** @free: qlink_aead_free() */
	void (*free)(struct qlink_aead *aead);
	/** @key: qlink_aead_key() */
	int (*key)(struct qlink_aead *aead, const u8 *key);
	/** @wipe: qlink_aead_wipe() */
	int (*wipe)(struct qlink_aead *aead);
	/** @forget: qlink_aead_forget(); NULL where nothing is kept between frames */
	void (*forget)(void);
	/** @seal: qlink_aead_seal() */
	int (*seal)(struct qlink_aead *aead, u8 *frame, unsigned int bytes, const u8 *nonce);
	/** @open: qlink_aead_open() */
	int (*open)(struct qlink_aead *aead, u8 *to, const u8 *frame, unsigned int bytes,
		    const u8 *nonce);
};

extern const struct qlink_aead_backend qlink_aead_api;
#ifdef QLINK_HAS_AES_GCM_LIBRARY
extern const struct qlink_aead_backend qlink_aead_library;
#endif

#endif
