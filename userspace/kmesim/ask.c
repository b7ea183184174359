// SPDX-License-Identifier: GPL-2.0-or-later
/* Parses the requests of a client. */
#include "ask.h"

#include <stdio.h>
#include <string.h>

#include "common/number.h"

/* The largest number that a request may contain. */
#define NUMBER_MAX	1000000

static int digit_of(char c)
{
	static const char digits[] = "0123456789abcdefABCDEF";
	const char *at = c ? strchr(digits, c) : NULL;

	if (!at)
		return -1;
	return at - digits < 16 ? (int)(at - digits) : (int)(at - digits) - 6;
}

bool ask_decode(const char *from, size_t len, char *to, size_t room)
{
	size_t i, n = 0;
	int high, low;

	for (i = 0; i < len; i++) {
		if (n + 1 >= room)
			return false;
		if (from[i] != '%') {
			to[n++] = from[i];
			continue;
		}
		high = i + 2 < len ? digit_of(from[i + 1]) : -1;
		low = high < 0 ? -1 : digit_of(from[i + 2]);
		if (low < 0 || !(high | low))
			return false;
		to[n++] = (char)(high << 4 | low);
		i += 2;
	}
	to[n] = '\0';
	return n > 0;
}

bool ask_read_path(const char *path, char *peer, enum etsi_op *op)
{
	static const char prefix[] = "/api/v1/keys/";
	static const char *const ops[] = { "/status", "/enc_keys", "/dec_keys" };
	size_t len, i;

	if (strncmp(path, prefix, sizeof(prefix) - 1))
		return false;
	path += sizeof(prefix) - 1;
	len = strcspn(path, "/");
	for (i = 0; i < ETSI_OP_N; i++) {
		if (strcmp(path + len, ops[i]))
			continue;
		*op = (enum etsi_op)i;
		return ask_decode(path, len, peer, CHANNEL_SAE_MAX + 1);
	}
	return false;
}

bool ask_query(const char *query, const char *name, char *value, size_t room)
{
	size_t name_len = strlen(name), len;

	for (; query && *query; query += len + (query[len] == '&')) {
		len = strcspn(query, "&");
		if (len > name_len && !strncmp(query, name, name_len) &&
		    query[name_len] == '=')
			return ask_decode(query + name_len + 1, len - name_len - 1, value, room);
	}
	return false;
}

const char *ask_read_size(struct ask *ask, const char *query)
{
	struct qlink_why why;
	uint64_t number;
	char text[32];

	if (ask_query(query, "size", text, sizeof(text))) {
		if (qlink_parse_number(text, 1, NUMBER_MAX, &number, &why))
			return "size must be an integer above 0";
		ask->size = (unsigned int)number;
	}
	return NULL;
}

static const char *read_enc_query(struct ask *ask, const char *query)
{
	struct qlink_why why;
	char text[32];

	if (ask_query(query, "number", text, sizeof(text))) {
		if (qlink_parse_number(text, 1, NUMBER_MAX, &ask->number, &why))
			return "number must be an integer above 0";
	}
	return ask_read_size(ask, query);
}

/* An optional integer above 0; false if the member exists and is something else. */
static bool read_integer(const json_t *root, const char *name, uint64_t *number)
{
	const json_t *value = json_object_get(root, name);

	if (!value)
		return true;
	if (!json_is_integer(value) || json_integer_value(value) < 1 ||
	    json_integer_value(value) > NUMBER_MAX)
		return false;
	*number = (uint64_t)json_integer_value(value);
	return true;
}

static const char *read_slaves(struct ask *ask, const json_t *list)
{
	json_t *id;
	size_t i;

	if (list && !json_is_array(list))
		return "additional_slave_SAE_IDs must be an array of strings";
	json_array_foreach(list, i, id) {
		if (!json_is_string(id) || !json_string_length(id) ||
		    json_string_length(id) > CHANNEL_SAE_MAX)
			return "additional_slave_SAE_IDs must be an array of strings";
		if (ask->n_slaves == CHANNEL_SLAVES_MAX - 1)
			return "more additional_slave_SAE_IDs than max_SAE_ID_count";
		strcpy(ask->slaves[ask->n_slaves++], json_string_value(id));
	}
	return NULL;
}

static const char *read_enc_object(struct ask *ask, const json_t *root)
{
	const json_t *mandatory = json_object_get(root, "extension_mandatory");
	const json_t *optional = json_object_get(root, "extension_optional");
	uint64_t size = 0;

	if (!json_is_object(root))
		return "the body must be a JSON object";
	if (!read_integer(root, "number", &ask->number))
		return "number must be an integer above 0";
	if (!read_integer(root, "size", &size))
		return "size must be an integer above 0";
	ask->size = (unsigned int)size;
	if ((mandatory && !json_is_array(mandatory)) ||
	    (optional && !json_is_array(optional)))
		return "extensions must be arrays of objects";
	ask->has_mandatory = json_array_size(mandatory) > 0;
	return read_slaves(ask, json_object_get(root, "additional_slave_SAE_IDs"));
}

/* A missing body is treated as an empty object, because all members are optional. */
static json_t *load_body(const struct etsi_request *request)
{
	if (!request->body_len)
		return json_object();
	return json_loadb(request->body, request->body_len,
			  JSON_REJECT_DUPLICATES, NULL);
}

const char *ask_read_enc(struct ask *ask, const struct etsi_request *request,
			 bool ignore_query)
{
	const char *wrong;
	json_t *root;

	memset(ask, 0, sizeof(*ask));
	ask->number = 1;
	if (request->method == ETSI_GET)
		return ignore_query ? NULL : read_enc_query(ask, request->query);
	root = load_body(request);
	wrong = read_enc_object(ask, root);
	json_decref(root);
	return wrong;
}

static const char *read_ids(struct ask_ids *ids, const json_t *root)
{
	json_t *list = json_object_get(root, "key_IDs"), *object, *id;
	size_t i;

	if (!json_is_array(list) || !json_array_size(list))
		return "key_IDs must be an array of objects, one at least";
	json_array_foreach(list, i, object) {
		id = json_object_get(object, "key_ID");
		if (!json_is_string(id))
			return "key_ID must be a string";
		json_array_append(ids->list, id);
	}
	return NULL;
}

const char *ask_read_dec(struct ask_ids *ids,
			 const struct etsi_request *request)
{
	const char *wrong = NULL;
	char id[CHANNEL_ID_MAX + 1];
	json_t *root;

	ids->list = json_array();
	if (request->method != ETSI_GET) {
		root = load_body(request);
		wrong = read_ids(ids, root);
		json_decref(root);
	} else if (ask_query(request->query, "key_ID", id, sizeof(id))) {
		json_array_append_new(ids->list, json_string(id));
	} else {
		wrong = "key_ID must be in the query";
	}
	ids->n = json_array_size(ids->list);
	return wrong;
}

const char *ask_id(const struct ask_ids *ids, size_t at)
{
	return json_string_value(json_array_get(ids->list, at));
}

void ask_free_ids(struct ask_ids *ids)
{
	json_decref(ids->list);
	ids->list = NULL;
}
