/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Records of what keys that are gone were used for. */
#ifndef QLINK_RECORD_H
#define QLINK_RECORD_H

#include <stdint.h>

#include <linux/qlink.h>

#include "attr.h"

/**
 * struct qlink_record - what one key was used for
 *
 * Times are milliseconds of CLOCK_BOOTTIME.
 */
struct qlink_record {
	/** @number: number of the record of its link, from 1 on */
	uint64_t number;

	/** @epoch: epoch of the key */
	uint64_t epoch;

	/** @first_ms: when its first frame came */
	uint64_t first_ms;

	/** @last_ms: when another key took over, or the key was removed */
	uint64_t last_ms;

	/** @frames: frames sealed or opened under it */
	uint64_t frames;

	/** @bytes: bytes of plaintext sealed or opened under it */
	uint64_t bytes;

	/** @kme_key_id: handle of the KME key ID, all zero for none */
	uint8_t kme_key_id[QLINK_KME_KEY_ID_BYTES];

	/** @direction: an enum qlink_direction */
	uint8_t direction;

	/** @source: an enum qlink_source */
	uint8_t source;

	/** @kmes: how many KMEs it had secrets of */
	uint8_t kmes;
};

extern const struct qlink_attr_set qlink_record_attrs;

/**
 * qlink_record_take() - take one attribute of the set record, a qlink_attr_take
 * @record: struct qlink_record that it goes to
 * @type: QLINK_A_RECORD_…
 * @data: its value
 * @len: bytes at @data
 *
 * Return: 0, or %-EBADMSG for a length that does not fit the type.
 */
int qlink_record_take(void *record, unsigned int type, const void *data,
		      size_t len);

#endif
