// SPDX-License-Identifier: GPL-2.0-or-later
/* A key of a link, in requests and replies. */
#include "key.h"

#include <string.h>

bool qlink_key_has_id(const struct qlink_key *key)
{
	static const uint8_t none[QLINK_KME_KEY_ID_BYTES];

	return memcmp(key->kme_key_id, none, sizeof(none)) != 0;
}

int qlink_key_put_name(const struct qlink_key *key, qlink_attr_put put,
		       void *arg)
{
	int err;

	err = put(arg, QLINK_A_KEY_DIRECTION, &key->direction,
		  sizeof(key->direction));
	if (err)
		return err;
	return put(arg, QLINK_A_KEY_EPOCH, &key->epoch, sizeof(key->epoch));
}

int qlink_key_put(const struct qlink_key *key, qlink_attr_put put, void *arg)
{
	int err;

	err = qlink_key_put_name(key, put, arg);
	if (!err)
		err = put(arg, QLINK_A_KEY_SOURCE, &key->source,
			  sizeof(key->source));
	if (!err && key->kmes)
		err = put(arg, QLINK_A_KEY_KMES, &key->kmes, sizeof(key->kmes));
	if (!err && qlink_key_has_id(key))
		err = put(arg, QLINK_A_KEY_KME_KEY_ID, key->kme_key_id,
			  sizeof(key->kme_key_id));
	if (!err && key->hard_blocks)
		err = put(arg, QLINK_A_KEY_HARD_BLOCKS, &key->hard_blocks,
			  sizeof(key->hard_blocks));
	if (!err)
		err = put(arg, QLINK_A_KEY_KEY, key->secret, QLINK_KEY_BYTES);
	if (!err)
		err = put(arg, QLINK_A_KEY_SALT, key->secret + QLINK_KEY_BYTES,
			  QLINK_SALT_BYTES);
	return err;
}

int qlink_key_take(void *key, unsigned int type, const void *data, size_t len)
{
	return qlink_attr_take_of(&qlink_key_attrs, key, type, data, len);
}
