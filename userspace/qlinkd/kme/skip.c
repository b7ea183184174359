// SPDX-License-Identifier: GPL-2.0-or-later
/* The dialect of SKIP, the Secure Key Integration Protocol of draft-cisco-skip; no I/O. */
#include "skip.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/hex.h"
#include "json.h"
#include "keys.h"
#include "qlinkd/base/field.h"
#include "url.h"
#include "words.h"

#define KEY_BITS	(KME_SECRET_MIN_BYTES * 8U)
#define HEX_DIGITS	"0123456789abcdefABCDEF"
/* Of the peers that a key provider has, an error names this many. */
#define NAMED_MAX	3

/**
 * DOC: What SKIP calls things
 *
 * A key provider is what we call a KME. It has a name, its localSystemID, and knows those of other key
 * providers as remoteSystemID. One provider serves one encryptor, so that our sae, the name of the peer, is
 * the remoteSystemID that stands for the peer and its provider.
 *
 * The draft leaves to each provider what it does when it has no key. Here this is read as with other
 * key servers: from the status, and from its words.
 */

/* --- requests --- */

static int write_url(char url[KME_URL_MAX], const char *base, const char *sae, enum kme_op op,
		     const struct kme_ask *ask)
{
	char id[3 * KME_SAE_ID_MAX + 1], size[24] = "";
	int len;

	if (strlen(sae) > KME_SAE_ID_MAX)
		return -ENAMETOOLONG;
	url_encode(id, sae);
	if (op == KME_OP_STATUS) {
		len = snprintf(url, KME_URL_MAX, "%s/capabilities", base);
	} else {
		if (!ask->ids)
			snprintf(size, sizeof(size), "&size=%u", ask->bits ?: KEY_BITS);
		len = snprintf(url, KME_URL_MAX, "%s/key%s%s?remoteSystemID=%s%s", base,
			       ask->ids ? "/" : "", ask->ids ? ask->ids[0].text : "", id, size);
	}
	return len < KME_URL_MAX ? 0 : -ENAMETOOLONG;
}

/* --- a key --- */

/*
 * The ID is a number in hexadecimal. A provider that writes the one that was requested in the other case means
 * the same key, and both ends must know it by the same text.
 */
static bool take_id(const json_t *value, struct kme_keys *keys)
{
	const char *id = json_string_value(value);
	const struct kme_ask *ask = keys->ask;

	if (!kme_id_is_good(id, json_string_length(value)) || id[strspn(id, HEX_DIGITS)]) {
		kme_keys_fault(keys, KME_FAULT_ID, "its keyId must have %d to %d hexadecimal digits",
			       KME_KEY_ID_MIN, KME_KEY_ID_MAX);
		return false;
	}
	if (ask->ids && !strcasecmp(id, ask->ids[0].text))
		id = ask->ids[0].text;
	return kme_keys_set_id(keys, id, strlen(id));
}

/* The whole answer is one key. Ignores members with unknown names. */
static int judge_key(const json_t *root, struct kme_keys *keys)
{
	const json_t *id = json_object_get(root, "keyId"), *text = json_object_get(root, "key");
	struct kme_key *key;
	ssize_t len;

	if (!json_is_object(root))
		return qlink_refuse(keys->why, -EBADMSG, "must be an object with keyId and key");
	key = kme_keys_next(keys);
	if (!key)
		return 0;
	if (!json_is_string(id) || !json_is_string(text)) {
		kme_keys_fault(keys, KME_FAULT_MEMBER, "must have keyId and key, both strings");
		return 0;
	}
	if (!take_id(id, keys))
		return 0;
	len = qlink_hex_decode(json_string_value(text), json_string_length(text), key->bytes,
			       sizeof(key->bytes));
	if (len < 0)
		kme_keys_fault(keys, KME_FAULT_HEX, "must be hexadecimal, two digits for each byte");
	else
		kme_keys_take(keys, (size_t)len);
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
		err = judge_key(root, &keys);
		kme_json_close(root);
	}
	return kme_keys_end(&keys, err);
}

/* --- capabilities --- */

/* Whether one character fits the part of a pattern at its begin, which ends at @rest. */
static bool fits_one(const char *pattern, char c, const char **rest)
{
	const char *end = pattern[0] == '[' && pattern[1] ? strchr(pattern + 2, ']') : NULL;
	bool is_found = false, is_not;

	*rest = end ? end + 1 : pattern + 1;
	if (!end)
		return *pattern == '?' || *pattern == c;
	is_not = pattern[1] == '!';
	for (pattern += 1 + is_not; pattern < end; pattern++) {
		if (pattern + 2 < end && pattern[1] == '-') {
			is_found |= c >= pattern[0] && c <= pattern[2];
			pattern += 2;
		} else {
			is_found |= c == *pattern;
		}
	}
	return is_found != is_not;
}

/*
 * Whether a name fits a pattern with *, ? and [LIST]. Not fnmatch(): the pattern is a stranger's, and this takes at
 * most as many steps as the product of both lengths.
 */
static bool fits(const char *pattern, const char *name)
{
	const char *star = NULL, *again = NULL, *rest;

	while (*name) {
		if (*pattern == '*') {
			star = ++pattern;
			again = name;
		} else if (*pattern && fits_one(pattern, *name, &rest)) {
			pattern = rest;
			name++;
		} else if (star) {
			pattern = star;
			name = ++again;
		} else {
			return false;
		}
	}
	return !pattern[strspn(pattern, "*")];
}

/* Names the peers that the provider has, as "'a', 'b' and 2 more". */
static void name_peers(const json_t *list, char *text, size_t room)
{
	size_t n = json_array_size(list), len = 0, i;
	char name[40];

	text[0] = '\0';
	for (i = 0; i < n && i < NAMED_MAX; i++) {
		snprintf(name, sizeof(name), "%s", json_string_value(json_array_get(list, i)));
		field_make_printable(name, "'\"\\");
		len += (size_t)snprintf(text + len, room - len, "%s'%s'", i ? ", " : "", name);
	}
	if (n > NAMED_MAX)
		snprintf(text + len, room - len, " and %zu more", n - NAMED_MAX);
}

/* Whether the peer is among those that the provider has. */
static int find_peer(const json_t *list, const char *sae, struct qlink_why *why)
{
	const json_t *pattern;
	char names[180];
	size_t i;

	json_array_foreach(list, i, pattern) {
		if (!json_is_string(pattern))
			return qlink_refuse(why, -EBADMSG, "remoteSystemID must be an array of strings");
	}
	json_array_foreach(list, i, pattern) {
		if (fits(json_string_value(pattern), sae))
			return 0;
	}
	name_peers(list, names, sizeof(names));
	return qlink_refuse(why, -EACCES, "has no peer '%.60s', which sae names: its remoteSystemID is %s", sae,
			    *names ? names : "empty");
}

static int fill_status(const json_t *root, const char *sae, struct kme_status *status, struct qlink_why *why)
{
	const json_t *key = json_object_get(root, "key"), *list = json_object_get(root, "remoteSystemID");

	kme_status_init(status);
	if (!json_is_object(root))
		return qlink_refuse(why, -EBADMSG, "must be an object");
	if (!json_is_boolean(key))
		return qlink_refuse(why, -EBADMSG, "must have key, true or false");
	if (!json_is_array(list))
		return qlink_refuse(why, -EBADMSG, "must have remoteSystemID, an array of strings");
	if (json_is_false(key))
		return qlink_refuse(why, -EACCES, "gives no keys: its capabilities have key false");
	status->max_key_per_request = 1;
	kme_words_name(root, "localSystemID", status->master);
	snprintf(status->slave, sizeof(status->slave), "%s", sae);
	field_make_printable(status->slave, "\"\\");
	return find_peer(list, sae, why);
}

static int judge_status(const char *text, size_t len, const char *sae, struct kme_status *status,
			struct qlink_why *why)
{
	json_t *root;
	int err;

	why->text[0] = '\0';
	err = kme_json_open(text, len, &root, why);
	if (err)
		return err;
	err = fill_status(root, sae, status, why);
	kme_json_close(root);
	return err;
}

/* --- HTTP --- */

/*
 * The draft has 400 for an unknown keyId or remoteSystemID, 404 for a path, 405 for a method, 500 for a key that
 * cannot be read or wiped, and 503 for a lack of random bits. Providers add 404 for an unknown keyId, 429 and
 * others. A gateway may have lost an answer that had a key in it.
 */
static struct kme_verdict classify(enum kme_op op, long status)
{
	struct kme_verdict verdict = { .outcome = KME_OUTCOME_BROKEN };

	if (status == 200)
		verdict.outcome = KME_OUTCOME_KEYS;
	else if (status == 401 || status == 403)
		verdict.outcome = KME_OUTCOME_DENIED;
	else if (op != KME_OP_STATUS && status != 405 && ((status >= 400 && status <= 499) || status == 503))
		verdict.outcome = KME_OUTCOME_EMPTY;
	else
		verdict.may_have_burned = status >= 500 && status != 501;
	return verdict;
}

const struct kme_dialect kme_skip = {
	.media_type = "application/json",
	.url_ids_max = 1,
	.check_url = url_check,
	.write_url = write_url,
	.judge_keys = judge_keys,
	.judge_status = judge_status,
	.read_refusal = kme_words_refusal,
	.classify = classify,
};
