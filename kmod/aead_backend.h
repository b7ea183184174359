/* SPDX-License-Identifier: GPL-2.0 */
/* What an implementation of AES-256-GCM has to do for aead.c. */
#ifndef QLINK_AEAD_BACKEND_H
#define QLINK_AEAD_BACKEND_H

#include <linux/types.h>

#include "compat.h"

/* One key, and what a backend makes of it; to everybody else it is opaque. */
struct qlink_aead;

/**
 * struct qlink_aead_backend - one way to AES-256-GCM
 *
 * Where aead.h has a function of the same name, that tells what it takes, returns and needs.
 */
struct qlink_aead_backend {
	/** @name: for the parameter of the module */
	const char *name;
	/** @init: get ready, sleeps; %-ENOENT where the kernel has no such thing; or NULL */
	int (*init)(void);
	/** @exit: undo @init, when nothing made by it is left; or NULL */
	void (*exit)(void);
	/** @driver: what it has come to after @init, for people */
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
	/** @forget: qlink_aead_forget(); or NULL, where nothing stays between frames */
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
