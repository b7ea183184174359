/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How one KME behaves: its limits, and how products differ. */
#ifndef KMESIM_SETTINGS_H
#define KMESIM_SETTINGS_H

#include "libqlink/parse.h"

/* Each setting has a number as its value; settings.c has a table of the allowed values. */
enum setting {
	SETTING_KEY_SIZE,
	SETTING_MIN_KEY_SIZE,
	SETTING_MAX_KEY_SIZE,
	SETTING_MAX_KEY_COUNT,
	SETTING_MAX_KEY_PER_REQUEST,
	SETTING_MAX_SAE_ID_COUNT,
	SETTING_STORED_KEY_COUNT,
	SETTING_OVER_LIMIT,
	SETTING_DRY,
	SETTING_NOT_FOUND,
	SETTING_PEER_DOWN,
	SETTING_METHODS,
	SETTING_IGNORE_SIZE,
	SETTING_IGNORE_QUERY,
	SETTING_KEEP_BATCHES,
	SETTING_KEEP_MS,
	SETTING_SERVE_TWICE,
	SETTING_KEY_IDS,
	SETTING_ORDER,
	SETTING_JSON,
	SETTING_STATUS_NUMBERS,
	SETTING_ERROR_BODY,
	SETTING_CONNECTION,
	SETTING_TLS,
	SETTING_STATUS_SAE,
	SETTING_GROUPS,
	SETTING_SUITES,
	SETTING_MS_PER_KEY,
	SETTING_REPEAT_KEYS,
	SETTING_PARALLEL,
	SETTING_ONE_END,
	SETTING_DIALECT,
	SETTING_PSK_HASH,
	SETTING_ENTROPY_ONLY,
	SETTING_N,
};

/* Values of settings that take words, in the order of the words in the table. */
enum { OVER_LIMIT_ERROR, OVER_LIMIT_SHORT };
enum { METHODS_BOTH, METHODS_POST, METHODS_GET };
enum { KEY_IDS_UUID, KEY_IDS_OPAQUE };
enum { ORDER_SAME, ORDER_REVERSE };
enum { JSON_IS_COMPACT, JSON_IS_PRETTY };
enum { STATUS_NUMBERS, STATUS_STRINGS };
enum { ERROR_BODY_MESSAGE, ERROR_BODY_DETAIL, ERROR_BODY_TEXT, ERROR_BODY_HTML,
       ERROR_BODY_EMPTY };
enum { CONNECTION_KEEP, CONNECTION_CLOSE };
enum { TLS_ANY, TLS_1_2, TLS_1_3 };
enum { STATUS_SAE_ASKED, STATUS_SAE_PARTNER };
enum { GROUPS_ANY, GROUPS_CLASSICAL, GROUPS_HYBRID };
enum { SUITES_ANY, SUITES_CBC };
enum { DIALECT_ETSI014, DIALECT_SKIP };
enum { PSK_HASH_SHA384, PSK_HASH_SHA256 };
/* Values of the words that dry, peer-down and stored-key-count take besides numbers. */
#define DRY_SHORT	0
#define PEER_DOWN_HANG	0
#define STORED_TRUE	(-1)

/**
 * struct settings - how one KME behaves
 */
struct settings {
	/** @value: by enum setting */
	int value[SETTING_N];
};

/**
 * settings_init() - set the defaults, which follow the standard
 * @settings: filled in
 */
void settings_init(struct settings *settings);

/**
 * settings_set() - change one setting
 * @settings: the settings
 * @name: name of the setting, as in qlink-kmesim(8)
 * @text: its new value
 * @why: filled in on failure
 *
 * Return: 0, %-ENOENT if there is no such setting, or %-EINVAL.
 */
int settings_set(struct settings *settings, const char *name, const char *text,
		 struct qlink_why *why);

#endif
