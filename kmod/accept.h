/* SPDX-License-Identifier: GPL-2.0 */
/* Which keys a link accepts. */
#ifndef QLINK_ACCEPT_H
#define QLINK_ACCEPT_H

#include <linux/bits.h>
#include <linux/types.h>
#include <linux/qlink.h>

/**
 * struct qlink_accept - the keys that a link accepts
 */
struct qlink_accept {
	/** @sources: a bit for each enum qlink_source */
	u32 sources;
	/** @kmes: the least number of KMEs of a key whose source has any, from 1 on */
	u8 kmes;
};

/**
 * qlink_source_has_kme() - are secrets of KMEs mixed in the keys of a source?
 * @source: any
 *
 * Return: whether such a key has 1 to QLINK_KMES_MAX KMEs; otherwise it has 0
 */
static inline bool qlink_source_has_kme(enum qlink_source source)
{
	return source == QLINK_SOURCE_QKD || source == QLINK_SOURCE_HYBRID;
}

/**
 * qlink_accept_has_source() - is a source among those that a link accepts?
 * @accept: of the link
 * @source: of a key
 *
 * Return: whether it is; the key may still have too few KMEs
 */
static inline bool qlink_accept_has_source(const struct qlink_accept *accept,
					   enum qlink_source source)
{
	return accept->sources & BIT(source);
}

/**
 * qlink_accept_has_key() - does a link accept a key?
 * @accept: of the link
 * @source: of the key
 * @kmes: of the key, 0 for a source without a KME
 *
 * This is the whole rule: nothing else decides whether a key may be installed or kept.
 *
 * Return: whether it does
 */
static inline bool qlink_accept_has_key(const struct qlink_accept *accept,
					enum qlink_source source, u8 kmes)
{
	return qlink_accept_has_source(accept, source) &&
	       (!qlink_source_has_kme(source) || kmes >= accept->kmes);
}

#endif
