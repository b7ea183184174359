// SPDX-License-Identifier: GPL-2.0-or-later
/* The dialect of a vault, a file of keys that is carried by hand. */
#include "vault.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/secret.h"
#include "vault/vault.h"

/* The answer to a request for keys: this, and behind it n of struct kme_key. */
struct answer {
	size_t n;
	struct qlink_why why;
};

/* The answer to a status. */
struct state {
	struct kme_status status;
	struct qlink_why why;
};

/* --- what the thread does --- */

static int put_state(struct vault *vault, struct kme_work *work)
{
	const struct vault_layout *layout = vault_layout(vault);
	struct state *state = (struct state *)work->answer;
	struct vault_half half;

	vault_look(vault, vault_own_side(vault), &half);
	memset(state, 0, sizeof(*state));
	kme_status_init(&state->status);
	state->status.key_size = state->status.min_key_size = state->status.max_key_size =
		(int64_t)layout->key_bytes * 8;
	state->status.stored_key_count = (int64_t)half.left;
	state->status.max_key_count = (int64_t)half.n;
	state->status.max_key_per_request = KME_VAULT_BATCH;
	work->len = sizeof(*state);
	return 0;
}

/* Copies keys into the answer. */
static void put_keys(const struct vault_layout *layout, const struct vault_key *from, int n, struct kme_work *work)
{
	struct answer *answer = (struct answer *)work->answer;
	struct kme_key *to = (struct kme_key *)(answer + 1);
	int i;

	answer->n = (size_t)n;
	for (i = 0; i < n; i++) {
		memset(&to[i], 0, sizeof(to[i]));
		vault_id_write(layout, from[i].number, to[i].id.text);
		to[i].place = (uint16_t)from[i].place;
		to[i].len = (uint8_t)layout->key_bytes;
		memcpy(to[i].bytes, from[i].bytes, layout->key_bytes);
	}
	work->len = sizeof(*answer) + (size_t)n * sizeof(*to);
}

/* The IDs of a request, one a line. Returns how many; @text is cut into them. */
static size_t split(char *text, const char **ids)
{
	size_t n = 0;
	char *id, *rest;

	for (id = strtok_r(text, "\n", &rest); id && n < KME_BATCH_MAX; id = strtok_r(NULL, "\n", &rest))
		ids[n++] = id;
	return n;
}

static int give_keys(struct vault *vault, struct kme_work *work, struct vault_key *keys, struct qlink_why *why)
{
	struct answer *answer = (struct answer *)work->answer;
	const char *ids[KME_BATCH_MAX];
	char *text;
	int n;

	memset(answer, 0, sizeof(*answer));
	work->has_spent = true;
	if (!strcmp(work->request, kme_op_name(KME_OP_ENC))) {
		n = vault_take(vault, keys, (size_t)atoi(work->body), &answer->why);
	} else {
		text = strdup(work->body);
		n = text ? vault_fetch(vault, keys, ids, split(text, ids), &answer->why) : -ENOMEM;
		free(text);
	}
	if (n < 0) {
		*why = answer->why;
		return n;
	}
	put_keys(vault_layout(vault), keys, n, work);
	return 0;
}

static int work_with(struct vault *vault, struct kme_work *work, struct qlink_why *why)
{
	struct qlink_secret keys;
	int err;

	if (!strcmp(work->request, kme_op_name(KME_OP_STATUS)))
		return put_state(vault, work);
	if (qlink_secret_new(&keys, KME_BATCH_MAX * sizeof(struct vault_key)))
		return qlink_refuse(why, -ENOMEM, "vault %.200s: no locked memory for keys", work->path);
	err = give_keys(vault, work, (struct vault_key *)keys.data, why);
	qlink_secret_free(&keys);
	return err;
}

static int carry_out(struct kme_work *work, struct qlink_why *why)
{
	const struct vault_place place = {
		.path = work->path, .key_path = work->key_path, .side = (enum vault_side)work->side,
	};
	struct vault *vault;
	int err = vault_open(&vault, &place, why);

	if (err)
		return err;
	err = work_with(vault, work, why);
	if (!err && vault_put_back(vault) && !strcmp(work->request, kme_op_name(KME_OP_STATUS)))
		qlink_refuse(&((struct state *)work->answer)->why, -ESTALE, "vault %.200s: an older copy was put back: "
			     "%llu spent keys were in it again, and are wiped", work->path,
			     (unsigned long long)vault_put_back(vault));
	vault_close(vault);
	return err;
}

/* --- requests and answers --- */

/* The path was checked when it was read. */
static int check_url(const char *url, struct qlink_why *why)
{
	return url[0] == '/' ? 0 : qlink_refuse(why, -EINVAL, "must be an absolute path");
}

static int write_url(char url[KME_URL_MAX], const char *base, const char *sae, enum kme_op op,
		     const struct kme_ask *ask)
{
	(void)base;
	(void)sae;
	(void)ask;
	strcpy(url, kme_op_name(op));
	return 0;
}

static size_t write_body(char *body, const struct kme_ask *ask)
{
	size_t len = 0, i;

	if (!ask->ids)
		return (size_t)sprintf(body, "%zu", ask->n);
	for (i = 0; i < ask->n; i++)
		len += (size_t)sprintf(body + len, "%s\n", ask->ids[i].text);
	return len;
}

static int judge_keys(const char *text, size_t len, const struct kme_ask *ask, struct kme_key *keys,
		      struct kme_tally *tally, struct qlink_why *why)
{
	const struct answer *answer = (const struct answer *)text;

	memset(tally, 0, sizeof(*tally));
	memset(keys, 0, ask->n * sizeof(*keys));
	if (len < sizeof(*answer) || answer->n > ask->n || len != sizeof(*answer) + answer->n * sizeof(*keys))
		return qlink_refuse(why, -EBADMSG, "no answer of a vault");
	memcpy(keys, answer + 1, answer->n * sizeof(*keys));
	tally->sent = tally->taken = answer->n;
	*why = answer->why;
	return (int)answer->n;
}

static int judge_status(const char *text, size_t len, const char *sae, struct kme_status *status,
			struct qlink_why *why)
{
	const struct state *state = (const struct state *)text;

	(void)sae;
	if (len != sizeof(*state))
		return qlink_refuse(why, -EBADMSG, "no answer of a vault");
	*status = state->status;
	*why = state->why;
	return 0;
}

/* A vault answers or fails. */
static void read_refusal(const char *text, size_t len, struct kme_refusal *refusal)
{
	(void)text;
	(void)len;
	memset(refusal, 0, sizeof(*refusal));
}

static struct kme_verdict classify(enum kme_op op, long status)
{
	(void)op;
	(void)status;
	return (struct kme_verdict){ .outcome = KME_OUTCOME_KEYS };
}

const struct kme_dialect kme_vault = {
	.media_type = "",
	.url_ids_max = KME_BATCH_MAX,
	.held_max = KME_VAULT_BATCH,
	.work = carry_out,
	.check_url = check_url,
	.write_url = write_url,
	.write_body = write_body,
	.judge_keys = judge_keys,
	.judge_status = judge_status,
	.read_refusal = read_refusal,
	.classify = classify,
};
