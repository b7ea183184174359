// SPDX-License-Identifier: GPL-2.0-or-later
/* How one KME serves requests of ETSI GS QKD 014 V1.1.1 or of SKIP, without sockets. */
#include "serve.h"

#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "answer.h"
#include "ask.h"
#include "common/wipe.h"
#include "skip.h"

/* The standard's messages for a 400, tables 11 to 13. */
static const char not_found[] = "one or more keys specified are not found on KME";
static const char bad_size[] = "size shall be a multiple of 8";
static const char bad_extension[] =
	"not all extension_mandatory parameters are supported";

void serve_init(struct etsi *etsi, struct channel *channel, int side)
{
	memset(etsi, 0, sizeof(*etsi));
	etsi->channel = channel;
	etsi->side = side;
	settings_init(&etsi->settings);
}

static int setting(const struct etsi *etsi, enum setting setting)
{
	return etsi->settings.value[setting];
}

static bool is_skip(const struct etsi *etsi)
{
	return setting(etsi, SETTING_DIALECT) == DIALECT_SKIP;
}

static json_t *status_number(const struct etsi *etsi, int64_t number)
{
	char text[24];

	if (setting(etsi, SETTING_STATUS_NUMBERS) == STATUS_NUMBERS)
		return json_integer(number);
	snprintf(text, sizeof(text), "%lld", (long long)number);
	return json_string(text);
}

/* 6.1; the caller is the master. */
static void serve_status(struct etsi *etsi, const struct etsi_request *request,
			 const struct sae *peer, struct sae_link *link,
			 struct etsi_reply *reply)
{
	int64_t stored = setting(etsi, SETTING_STORED_KEY_COUNT);
	static const struct {
		const char *name;
		enum setting setting;
	} rows[] = {
		{ "key_size", SETTING_KEY_SIZE },
		{ "max_key_count", SETTING_MAX_KEY_COUNT },
		{ "max_key_per_request", SETTING_MAX_KEY_PER_REQUEST },
		{ "max_key_size", SETTING_MAX_KEY_SIZE },
		{ "min_key_size", SETTING_MIN_KEY_SIZE },
		{ "max_SAE_ID_count", SETTING_MAX_SAE_ID_COUNT },
	};
	json_t *root;
	size_t i;

	root = json_pack("{s:s, s:s, s:s, s:s}", "source_KME_ID", etsi->id,
			 "target_KME_ID", etsi->other->id, "master_SAE_ID",
			 request->sae->id, "slave_SAE_ID", peer->id);
	if (stored == STORED_TRUE)
		stored = (int64_t)link->stored;
	json_object_set_new(root, "stored_key_count",
			    status_number(etsi, stored));
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		json_object_set_new(root, rows[i].name,
				    status_number(etsi, setting(etsi, rows[i].setting)));
	answer_json(etsi, reply, root);
}

static bool add_slaves(struct etsi *etsi, const struct ask *ask,
		       struct sim_key *key)
{
	size_t i;

	for (i = 0; i < ask->n_slaves; i++) {
		key->slaves[key->n_slaves] =
			channel_sae(etsi->channel, ask->slaves[i], -1, NULL);
		if (!key->slaves[key->n_slaves++])
			return false;
	}
	return true;
}

static struct sim_key *new_key(struct etsi *etsi, const struct ask *ask,
			       const struct sae *master, const struct sae *slave)
{
	struct sim_key *key =
		channel_new_key(ask->size, is_skip(etsi) ||
				setting(etsi, SETTING_KEY_IDS) == KEY_IDS_OPAQUE);

	if (!key)
		return NULL;
	key->master = master;
	key->slaves[key->n_slaves++] = slave;
	if (add_slaves(etsi, ask, key))
		return key;
	channel_drop_key(NULL, key);
	return NULL;
}

/* Takes keys out of the stock, adds them to the answer and keeps them for the slaves. */
static void give_keys(struct etsi *etsi, const struct etsi_request *request,
		      const struct sae *peer, struct sae_link *link,
		      const struct ask *ask, struct etsi_reply *reply)
{
	bool is_lost = fault_happens(&etsi->faults, FAULT_ONE_SIDE, ETSI_ENC, NULL);
	struct answer answer;
	struct sim_key *key;
	uint64_t i;

	answer_start(&answer, etsi, ETSI_ENC, ask->number);
	etsi->channel->n_batches++;
	key = TAILQ_FIRST(&etsi->channel->keys);
	i = setting(etsi, SETTING_REPEAT_KEYS) && key && ask->number;
	if (i)
		answer_add(&answer, key);
	for (; i < ask->number; i++) {
		key = new_key(etsi, ask, request->sae, peer);
		if (!key)
			break;
		link->stored--;
		answer_add(&answer, key);
		key->made_ms = request->now_ms;
		if (is_lost)
			channel_drop_key(NULL, key);
		else
			channel_keep_key(etsi->channel, key);
	}
	etsi->keys[ETSI_ENC] += i;
	answer_finish(&answer, reply);
}

/* Checks the limits and the stock; true if the request is allowed. */
static bool is_allowed(struct etsi *etsi, const struct sae_link *link,
		       struct ask *ask, struct etsi_reply *reply)
{
	uint64_t most = (uint64_t)setting(etsi, SETTING_MAX_KEY_PER_REQUEST);
	unsigned int min = (unsigned int)setting(etsi, SETTING_MIN_KEY_SIZE);
	unsigned int max = (unsigned int)setting(etsi, SETTING_MAX_KEY_SIZE);

	if (!ask->size || setting(etsi, SETTING_IGNORE_SIZE))
		ask->size = (unsigned int)setting(etsi, SETTING_KEY_SIZE);
	else if (ask->size % 8)
		return answer_error(etsi, reply, 400, bad_size);
	else if (ask->size < min || ask->size > max)
		return answer_error(etsi, reply, 400, "size is out of range");
	if (ask->number > most &&
	    setting(etsi, SETTING_OVER_LIMIT) == OVER_LIMIT_ERROR)
		return answer_error(etsi, reply, 400,
				    "number is above max_key_per_request");
	if (ask->number > most)
		ask->number = most;
	if (ask->n_slaves > (size_t)setting(etsi, SETTING_MAX_SAE_ID_COUNT))
		return answer_error(etsi, reply, 400,
				    "more additional_slave_SAE_IDs than max_SAE_ID_count");
	if (ask->has_mandatory)
		return answer_error(etsi, reply, 400, bad_extension);
	if (ask->number > link->stored) {
		/* In SKIP there is no answer with fewer keys than one. */
		if (is_skip(etsi) || setting(etsi, SETTING_DRY) != DRY_SHORT)
			return answer_error(etsi, reply, setting(etsi, SETTING_DRY) ?: 503,
					    "not enough keys in stock");
		ask->number = link->stored;
	}
	return true;
}

/* 5.2, 6.2 and 6.3. */
static void serve_enc(struct etsi *etsi, const struct etsi_request *request,
		      const struct sae *peer, struct sae_link *link,
		      struct etsi_reply *reply)
{
	struct ask ask;
	const char *wrong;
	size_t i;

	wrong = is_skip(etsi) ? skip_read_enc(&ask, request) :
		ask_read_enc(&ask, request, setting(etsi, SETTING_IGNORE_QUERY));
	if (wrong) {
		answer_error(etsi, reply, 400, wrong);
		return;
	}
	for (i = 0; i < ask.n_slaves; i++) {
		if (channel_sae(etsi->channel, ask.slaves[i], -1, NULL))
			continue;
		answer_error(etsi, reply, 400, "an additional slave SAE is not known");
		return;
	}
	if (!is_allowed(etsi, link, &ask, reply))
		return;
	if (!etsi->channel->is_up[!etsi->side]) {
		if (setting(etsi, SETTING_PEER_DOWN) == PEER_DOWN_HANG)
			reply->delivery = ETSI_HANG;
		answer_error(etsi, reply,
			     setting(etsi, SETTING_PEER_DOWN) ?: 503,
			     "the other KME does not answer");
		return;
	}
	if (setting(etsi, SETTING_KEEP_BATCHES))
		channel_drop_batches(etsi->channel, request->sae,
				     (unsigned int)setting(etsi, SETTING_KEEP_BATCHES) - 1);
	give_keys(etsi, request, peer, link, &ask, reply);
}

/* The index of the slave, or -1. */
static int slave_of(const struct sim_key *key, const struct sae *sae)
{
	unsigned int i;

	for (i = 0; i < key->n_slaves; i++)
		if (key->slaves[i] == sae)
			return (int)i;
	return -1;
}

/* True if this slave may fetch all of the keys; otherwise it gets none. */
static bool are_found(struct etsi *etsi, const struct ask_ids *ids,
		      const struct etsi_request *request,
		      const struct sae *peer, struct etsi_reply *reply)
{
	const struct sim_key *key;
	size_t i;
	int at;

	for (i = 0; i < ids->n; i++) {
		key = channel_find_key(etsi->channel, ask_id(ids, i));
		if (key && setting(etsi, SETTING_REPEAT_KEYS))
			continue;
		if (!key || key->master != peer)
			return answer_error(etsi, reply,
					    setting(etsi, SETTING_NOT_FOUND), not_found);
		at = slave_of(key, request->sae);
		if (at < 0)
			return answer_error(etsi, reply, 401,
					    "not a slave SAE of this key");
		if (key->fetched & 1U << at &&
		    !setting(etsi, SETTING_SERVE_TWICE))
			return answer_error(etsi, reply,
					    setting(etsi, SETTING_NOT_FOUND), not_found);
	}
	return true;
}

static void mark_fetched(struct etsi *etsi, struct sim_key *key,
			 const struct sae *slave)
{
	int at = slave_of(key, slave);

	if (at < 0)
		return;
	key->fetched |= 1U << at;
	if (key->fetched == (1U << key->n_slaves) - 1 &&
	    !setting(etsi, SETTING_SERVE_TWICE))
		channel_drop_key(etsi->channel, key);
}

/* If an ID is given twice, its key is found the first time only. */
static void fetch_keys(struct etsi *etsi, const struct etsi_request *request,
		       const struct ask_ids *ids, struct etsi_reply *reply)
{
	bool is_reverse = setting(etsi, SETTING_ORDER) == ORDER_REVERSE;
	struct answer answer;
	struct sim_key *key;
	size_t i;

	answer_start(&answer, etsi, ETSI_DEC, ids->n);
	for (i = 0; i < ids->n; i++) {
		key = channel_find_key(etsi->channel,
				       ask_id(ids, is_reverse ? ids->n - 1 - i : i));
		if (!key)
			continue;
		answer_add(&answer, key);
		mark_fetched(etsi, key, request->sae);
		etsi->keys[ETSI_DEC]++;
	}
	answer_finish(&answer, reply);
}

/* 5.3 and 6.4; the peer is the master. */
static void serve_dec(struct etsi *etsi, const struct etsi_request *request,
		      const struct sae *peer, struct etsi_reply *reply)
{
	struct ask_ids ids;
	const char *wrong = is_skip(etsi) ? skip_read_dec(&ids, request) : ask_read_dec(&ids, request);

	if (wrong)
		answer_error(etsi, reply, 400, wrong);
	else if (ids.n > (size_t)setting(etsi, SETTING_MAX_KEY_PER_REQUEST))
		answer_error(etsi, reply, 400,
			     "more key_IDs than max_key_per_request");
	else if (are_found(etsi, &ids, request, peer, reply))
		fetch_keys(etsi, request, &ids, reply);
	ask_free_ids(&ids);
}

static bool is_method_served(const struct etsi *etsi, enum etsi_op op,
			     enum etsi_method method)
{
	int methods = setting(etsi, SETTING_METHODS);

	if (op == ETSI_STATUS || is_skip(etsi))
		return method == ETSI_GET;
	return (method == ETSI_GET && methods != METHODS_POST) ||
	       (method == ETSI_POST && methods != METHODS_GET);
}

/*
 * The SAE that a status is about: that of the request, or the first one that the caller has a link with. In
 * SKIP it is about all of them.
 */
static struct sae *partner_of(struct etsi *etsi, const struct etsi_request *request, struct sae *asked)
{
	struct sae_link *link;

	if ((!is_skip(etsi) && setting(etsi, SETTING_STATUS_SAE) == STATUS_SAE_ASKED) || !request->sae)
		return asked;
	STAILQ_FOREACH(link, &etsi->channel->links, next) {
		if (link->sae[etsi->side] == request->sae)
			return link->sae[!etsi->side];
	}
	return asked;
}

static void serve(struct etsi *etsi, const struct etsi_request *request,
		  enum etsi_op op, const char *peer_id, struct etsi_reply *reply)
{
	struct sae *peer = channel_sae(etsi->channel, peer_id, -1, NULL);
	struct sae_link *link;

	if (!is_method_served(etsi, op, request->method)) {
		answer_error(etsi, reply, 405, "method not allowed");
		return;
	}
	if (!request->sae || request->sae->side != etsi->side) {
		answer_error(etsi, reply, 401, "this SAE is not known here");
		return;
	}
	if (op == ETSI_STATUS)
		peer = partner_of(etsi, request, peer);
	link = channel_link(etsi->channel, request->sae, peer);
	/* An additional slave has no link of its own with the master. */
	if (!peer || (!link && op != ETSI_DEC)) {
		answer_error(etsi, reply, 400, "no link with that SAE");
		return;
	}
	if (link)
		channel_count(etsi->channel, link, request->now_ms,
			      (uint64_t)setting(etsi, SETTING_MAX_KEY_COUNT));
	if (setting(etsi, SETTING_KEEP_MS))
		channel_drop_old(etsi->channel, request->now_ms, (uint64_t)setting(etsi, SETTING_KEEP_MS));
	if (op == ETSI_STATUS && is_skip(etsi))
		answer_json(etsi, reply, skip_capabilities(etsi, request->sae));
	else if (op == ETSI_STATUS)
		serve_status(etsi, request, peer, link, reply);
	else if (op == ETSI_ENC)
		serve_enc(etsi, request, peer, link, reply);
	else
		serve_dec(etsi, request, peer, reply);
}

/* With one-end: the other KME has the lock of both. A request that hangs keeps it, until its client gives up. */
static bool meets_other_end(struct etsi *etsi, enum etsi_op op, struct etsi_reply *reply)
{
	if (op == ETSI_STATUS || !setting(etsi, SETTING_ONE_END) || !etsi->channel->n_held[!etsi->side])
		return false;
	etsi->met++;
	answer_error(etsi, reply, 503, "waits for the other KME");
	reply->delivery = ETSI_HANG;
	return true;
}

void serve_request(struct etsi *etsi, const struct etsi_request *request,
		   struct etsi_reply *reply)
{
	char peer[CHANNEL_SAE_MAX + 1];
	enum etsi_op op;

	memset(reply, 0, sizeof(*reply));
	if (is_skip(etsi) ? !skip_read_path(request, peer, &op) : !ask_read_path(request->path, peer, &op)) {
		answer_error(etsi, reply, 404, "no such resource");
		return;
	}
	etsi->requests[op]++;
	if (answer_instead(etsi, reply, op) || meets_other_end(etsi, op, reply))
		return;
	serve(etsi, request, op, peer, reply);
	answer_apply_faults(etsi, reply, op);
}
