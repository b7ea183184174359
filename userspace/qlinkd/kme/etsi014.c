// SPDX-License-Identifier: GPL-2.0-or-later
/* The dialect of ETSI GS QKD 014 V1.1.1; no I/O. Clauses below are of that standard. */
#include "etsi014.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/number.h"
#include "json.h"
#include "keys.h"
#include "url.h"
#include "words.h"

#define KEY_BITS	(KME_SECRET_MIN_BYTES * 8U)

/* 5.1 to 5.3: the last segment of the path. */
static const char *const methods[] = {
	[KME_OP_STATUS] = "status",
	[KME_OP_ENC] = "enc_keys",
	[KME_OP_DEC] = "dec_keys",
};

/* 5.1 to 5.4. Key IDs need no encoding. */
static int write_url(char url[KME_URL_MAX], const char *base, const char *sae, enum kme_op op,
		     const struct kme_ask *ask)
{
	char segment[3 * KME_SAE_ID_MAX + 1], query[KME_KEY_ID_MAX + 32] = "";
	int len;

	if (strlen(sae) > KME_SAE_ID_MAX)
		return -ENAMETOOLONG;
	url_encode(segment, sae);
	if (ask && ask->ids)
		snprintf(query, sizeof(query), "?key_ID=%s", ask->ids[0].text);
	else if (ask)
		snprintf(query, sizeof(query), "?number=%zu&size=%u", ask->n, ask->bits ?: KEY_BITS);
	len = snprintf(url, KME_URL_MAX, "%s/api/v1/keys/%s/%s%s", base, segment, methods[op],
		       query);
	return len < KME_URL_MAX ? 0 : -ENAMETOOLONG;
}

/* 6.2 and 6.4. Key IDs need no escapes. */
static size_t write_body(char *body, const struct kme_ask *ask)
{
	char *end = body;
	size_t i;

	if (!ask->ids)
		return (size_t)sprintf(body, "{\"number\":%zu,\"size\":%u}", ask->n,
				       ask->bits ?: KEY_BITS);
	end += sprintf(end, "{\"key_IDs\":[");
	for (i = 0; i < ask->n; i++)
		end += sprintf(end, "%s{\"key_ID\":\"%s\"}", i ? "," : "", ask->ids[i].text);
	end += sprintf(end, "]}");
	return (size_t)(end - body);
}

/* One member of keys[]. Ignores members with unknown names, extensions included. */
static void judge_key(const json_t *object, struct kme_keys *keys)
{
	const json_t *id = json_object_get(object, "key_ID");
	const json_t *text = json_object_get(object, "key");
	struct kme_key *key = kme_keys_next(keys);
	ssize_t len;

	if (!key)
		return;
	if (!json_is_string(id) || !json_is_string(text)) {
		kme_keys_fault(keys, KME_FAULT_MEMBER, "must have key_ID and key, both strings");
		return;
	}
	if (!kme_keys_set_id(keys, json_string_value(id), json_string_length(id)))
		return;
	len = kme_base64_decode(json_string_value(text), json_string_length(text), key->bytes,
				sizeof(key->bytes));
	if (len < 0)
		kme_keys_fault(keys, KME_FAULT_BASE64, "must be canonical base64");
	else
		kme_keys_take(keys, (size_t)len);
}

/* 6.3: the key container. */
static int judge_container(const json_t *root, struct kme_keys *keys)
{
	const json_t *list = json_object_get(root, "keys"), *object;
	size_t i;

	if (!json_is_array(list))
		return qlink_refuse(keys->why, -EBADMSG,
				    "must be an object with an array named keys");
	json_array_foreach(list, i, object)
		judge_key(object, keys);
	return 0;
}

static int judge_keys(const char *text, size_t len, const struct kme_ask *ask,
		      struct kme_key *room, struct kme_tally *tally, struct qlink_why *why)
{
	struct kme_keys keys;
	json_t *root;
	int err;

	kme_keys_begin(&keys, ask, room, tally, why);
	err = kme_json_open(text, len, &root, why);
	if (!err) {
		err = judge_container(root, &keys);
		kme_json_close(root);
	}
	return kme_keys_end(&keys, err);
}

/*
 * Some KMEs put numbers in quotes. A value that is not a number, or negative, or above 2^31 - 1,
 * counts as absent.
 */
static int64_t number_of(const json_t *root, const char *name)
{
	const json_t *value = json_object_get(root, name);
	struct qlink_why why;
	uint64_t number;

	if (json_is_integer(value)) {
		json_int_t n = json_integer_value(value);

		return n >= 0 && n <= INT32_MAX ? n : -1;
	}
	if (json_is_string(value) &&
	    !qlink_parse_number(json_string_value(value), 0, INT32_MAX, &number, &why))
		return (int64_t)number;
	return -1;
}

/* 6.1, but every member may be absent. */
static int fill_status(const json_t *root, struct kme_status *status, struct qlink_why *why)
{
	if (!json_is_object(root))
		return qlink_refuse(why, -EBADMSG, "must be an object");
	status->key_size = number_of(root, "key_size");
	status->stored_key_count = number_of(root, "stored_key_count");
	status->max_key_count = number_of(root, "max_key_count");
	status->max_key_per_request = number_of(root, "max_key_per_request");
	status->max_key_size = number_of(root, "max_key_size");
	status->min_key_size = number_of(root, "min_key_size");
	kme_words_name(root, "master_SAE_ID", status->master);
	kme_words_name(root, "slave_SAE_ID", status->slave);
	return 0;
}

static int judge_status(const char *text, size_t len, const char *sae, struct kme_status *status,
			struct qlink_why *why)
{
	json_t *root;
	int err;

	/* Its URL names the SAE, and who knows no such SAE answers with an error. */
	(void)sae;
	why->text[0] = '\0';
	err = kme_json_open(text, len, &root, why);
	if (err)
		return err;
	err = fill_status(root, status, why);
	kme_json_close(root);
	return err;
}

/* KMEs do not agree on a status for "no key": 400, 404 and 503 are all in use. */
static enum kme_outcome outcome_of(enum kme_op op, long status)
{
	if (status == 200)
		return KME_OUTCOME_KEYS;
	if (status == 401 || status == 403)
		return KME_OUTCOME_DENIED;
	if (op != KME_OP_STATUS && status != 405 &&
	    ((status >= 400 && status <= 499) || status == 503))
		return KME_OUTCOME_EMPTY;
	return KME_OUTCOME_BROKEN;
}

static enum kme_rejects_method rejects_method(long status)
{
	if (status == 405 || status == 501)
		return KME_REJECTS_METHOD_YES;
	if (status == 400 || status == 404 || status == 415)
		return KME_REJECTS_METHOD_MAYBE;
	return KME_REJECTS_METHOD_NO;
}

static struct kme_verdict classify(enum kme_op op, long status)
{
	enum kme_outcome outcome = outcome_of(op, status);

	return (struct kme_verdict){
		.outcome = outcome,
		.rejects_method = rejects_method(status),
		/* A gateway may have lost an answer that had keys in it. */
		.may_have_burned = outcome == KME_OUTCOME_BROKEN && status >= 500 &&
				   status != 501,
	};
}

const struct kme_dialect kme_etsi014 = {
	.media_type = "application/json",
	.url_ids_max = 1,
	.has_status_of_sae = true,
	.check_url = url_check,
	.write_url = write_url,
	.write_body = write_body,
	.judge_keys = judge_keys,
	.judge_status = judge_status,
	.read_refusal = kme_words_refusal,
	.classify = classify,
};
