// SPDX-License-Identifier: GPL-2.0-or-later
/* Two clients whose KME is a vault: keys come without a server, and an operator reads what is wrong. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "qlinkd/kme/client.h"
#include "qlinkd/kme/errand.h"
#include "qlinkd/kme/loop.h"
#include "qlinkd/kme/memory.h"
#include "qlinkd/kme/vault.h"
#include "tap.h"
#include "vault_lab.h"

#define N_KEYS		400
/* Longer than anything takes that ends at all. */
#define PATIENCE_MS	30000

struct end {
	struct kme_loop *loop;
	struct kme *kme;
	struct kme_answer answer;
	struct kme_key keys[KME_BATCH_MAX];
	unsigned int n_answers, n_up, n_down;
	struct qlink_why why;
	bool is_in_call;
};

static void on_answer(void *arg, const struct kme_answer *answer)
{
	struct end *end = arg;

	CHECK(!end->is_in_call, "an answer came before the request returned");
	end->answer = *answer;
	memcpy(end->keys, answer->keys, answer->n_keys * sizeof(*answer->keys));
	end->answer.keys = end->keys;
	end->n_answers++;
}

static void on_health(void *arg, unsigned int node, enum kme_health health, const struct qlink_why *why)
{
	struct end *end = arg;

	CHECK_NUMBER("node", node, 0);
	*(health == KME_HEALTH_UP ? &end->n_up : &end->n_down) += 1;
	end->why = *why;
}

static void start(struct end *end, const char *name, unsigned int side, unsigned int timeout_ms)
{
	static const struct kme_ops ops = { .answer = on_answer, .health = on_health };
	const struct kme_node_conf node = {
		.dialect = KME_DIALECT_VAULT, .url = vaults_path(name), .key = vaults_path("key"), .side = side,
	};
	const struct kme_conf conf = {
		.sae = "peer", .nodes = &node, .n_nodes = 1, .connect_ms = 1000,
		.timeout_ms = timeout_ms ?: PATIENCE_MS, .retry_min_ms = 1, .retry_max_ms = 2,
	};
	struct qlink_why why;

	memset(end, 0, sizeof(*end));
	CHECK_NUMBER("memory", kme_memory_init(), 0);
	CHECK_NUMBER("loop", kme_loop_new(&end->loop), 0);
	CHECK(!kme_new(&conf, end->loop, &ops, end, &end->kme, &why), "client: %s", why.text);
}

static void stop(struct end *end)
{
	kme_free(end->kme);
	kme_loop_free(end->loop);
	kme_errands_settle(PATIENCE_MS);
}

static const struct kme_server *server(const struct end *end)
{
	return kme_server(end->kme, 0);
}

/* Runs a client until something is so. */
#define WAIT(end, so) do {								\
	int64_t until_ = kme_now_ms() + PATIENCE_MS;					\
	kme_run((end)->kme);								\
	while (!(so) && kme_now_ms() < until_) {					\
		struct pollfd fd_ = { .fd = kme_loop_fd((end)->loop), .events = POLLIN };	\
		poll(&fd_, 1, 2);							\
		kme_loop_run((end)->loop);						\
		kme_run((end)->kme);							\
	}										\
	CHECK((so), "never so: %s ('%s')", #so, (end)->why.text);			\
} while (0)

static void begin(void)
{
	vaults_begin();
	vaults_make("a", N_KEYS);
	vaults_copy("a", "b");
}

static void get_keys(struct end *end, size_t n)
{
	unsigned int before = end->n_answers;

	end->is_in_call = true;
	CHECK_NUMBER("get", kme_get_keys(end->kme, 0, n), 0);
	end->is_in_call = false;
	WAIT(end, end->n_answers > before);
}

static void fetch_keys(struct end *end, const struct kme_key *keys, size_t n)
{
	struct kme_key_id ids[KME_VAULT_BATCH];
	unsigned int before = end->n_answers;
	size_t i;

	for (i = 0; i < n; i++)
		ids[i] = keys[i].id;
	end->is_in_call = true;
	CHECK_NUMBER("fetch", kme_fetch_keys(end->kme, 0, ids, n), 0);
	end->is_in_call = false;
	WAIT(end, end->n_answers > before);
}

TEST(two_ends_of_a_vault_get_equal_keys_by_their_ids)
{
	struct end a, b;
	size_t i;

	begin();
	start(&a, "a", 0, 0);
	start(&b, "b", 1, 0);
	WAIT(&a, a.n_up);
	WAIT(&b, b.n_up);
	CHECK_TEXT("no doubt", a.why.text, "");
	CHECK_NUMBER("stored", server(&a)->status.stored_key_count, N_KEYS / 2);
	get_keys(&a, 200);
	CHECK_NUMBER("a batch", a.answer.n_keys, KME_VAULT_BATCH);
	fetch_keys(&b, a.keys, a.answer.n_keys);
	CHECK_NUMBER("all of it", b.answer.n_keys, KME_VAULT_BATCH);
	for (i = 0; i < KME_VAULT_BATCH; i++) {
		CHECK(!strcmp(a.keys[i].id.text, b.keys[i].id.text) && a.keys[i].len == LAB_KEY_BYTES &&
		      !memcmp(a.keys[i].bytes, b.keys[i].bytes, LAB_KEY_BYTES), "key %zu differs", i);
		CHECK_NUMBER("place", b.keys[i].place, i);
	}
	CHECK_TEXT("ID", a.keys[0].id.text, "716c696e6b207661-a-00000000");
	CHECK_TEXT("nothing wrong", b.answer.why.text, "");
	CHECK_NUMBER("enc", server(&a)->counters[KME_COUNTER_ENC], 1);
	CHECK_NUMBER("keys", server(&a)->counters[KME_COUNTER_KEYS], KME_VAULT_BATCH);
	CHECK_NUMBER("dec", server(&b)->counters[KME_COUNTER_DEC], 1);
	CHECK_NUMBER("burned", server(&b)->counters[KME_COUNTER_KEYS_BURNED], 0);
	stop(&a);
	stop(&b);
}

TEST(what_is_left_is_counted_after_each_request)
{
	struct end a;

	begin();
	start(&a, "a", 0, 0);
	WAIT(&a, a.n_up);
	get_keys(&a, 10);
	WAIT(&a, server(&a)->status.stored_key_count == N_KEYS / 2 - 10);
	CHECK_NUMBER("most", server(&a)->status.max_key_count, N_KEYS / 2);
	CHECK_NUMBER("bits", server(&a)->status.key_size, LAB_KEY_BYTES * 8);
	stop(&a);
}

TEST(a_vault_without_keys_is_up_and_empty)
{
	struct end a;
	unsigned int i;

	begin();
	start(&a, "a", 0, 0);
	WAIT(&a, a.n_up);
	for (i = 0; i < 3; i++)
		get_keys(&a, KME_VAULT_BATCH);
	get_keys(&a, KME_VAULT_BATCH);
	CHECK_NUMBER("the last ones", a.answer.n_keys, N_KEYS / 2 - 3 * KME_VAULT_BATCH);
	get_keys(&a, 1);
	CHECK_NUMBER("none", a.answer.n_keys, 0);
	CHECK_NUMBER("outcome", a.answer.outcome, KME_OUTCOME_EMPTY);
	CHECK_NUMBER("empty", server(&a)->counters[KME_COUNTER_EMPTY], 1);
	CHECK_NUMBER("down", a.n_down, 0);
	stop(&a);
}

TEST(ends_out_of_step_are_named_in_the_answer)
{
	struct end a, b;

	begin();
	start(&a, "a", 0, 0);
	start(&b, "b", 1, 0);
	WAIT(&a, a.n_up);
	WAIT(&b, b.n_up);
	get_keys(&a, 2);
	fetch_keys(&b, a.keys, 2);
	CHECK_NUMBER("first", b.answer.n_keys, 2);
	fetch_keys(&b, a.keys, 1);
	CHECK_NUMBER("again", b.answer.n_keys, 0);
	CHECK(strstr(b.answer.why.text, "the ends are out of step: the peer is at key 716c696e6b207661-a-00000000, and "
		     "this end at 716c696e6b207661-a-00000002"), "'%s'", b.answer.why.text);
	CHECK_NUMBER("down", b.n_down, 0);
	stop(&a);
	stop(&b);
}

/* What an operator does wrong, and what the log says. */
TEST(a_file_that_cannot_be_used_takes_the_kme_down_with_a_reason)
{
	static const struct {
		const char *name, *why;
		unsigned int side;
	} rows[] = {
		{ "nothing", "nothing: does not exist", 0 },
		{ "key", "key: is no vault, or cut off", 0 },
		{ "cut", "was it copied whole", 0 },
		{ "flipped", "it is sealed with another key, or its header is damaged", 0 },
		{ "used", "used.index: this end is side a, not side b as configured", 1 },
		{ "lost", "lost.index: does not exist, and keys are spent", 0 },
	};
	struct vault_key key;
	struct qlink_why why;
	struct end a;
	size_t i;

	begin();
	vaults_copy("a", "cut");
	vaults_cut("cut", 5000);
	vaults_copy("a", "flipped");
	vaults_flip("flipped", 300);
	vaults_copy("a", "used");
	CHECK_NUMBER("use", vaults_take("used", VAULT_SIDE_A, 1, &key, &why), 1);
	vaults_copy("used", "lost");
	for (i = 0; i < COUNT(rows); i++) {
		start(&a, rows[i].name, rows[i].side, 0);
		WAIT(&a, a.n_down);
		CHECK(strstr(a.why.text, rows[i].why), "%s: '%s'", rows[i].name, a.why.text);
		CHECK_NUMBER("unreachable", server(&a)->counters[KME_COUNTER_UNREACHABLE], a.n_down);
		CHECK_NUMBER("statuses", server(&a)->counters[KME_COUNTER_STATUS], a.n_down);
		stop(&a);
	}
}

TEST(a_vault_that_comes_back_is_used_again)
{
	struct end a;

	begin();
	rename(vaults_path("a"), vaults_path("away"));
	start(&a, "a", 0, 0);
	WAIT(&a, a.n_down);
	rename(vaults_path("away"), vaults_path("a"));
	WAIT(&a, a.n_up);
	get_keys(&a, 1);
	CHECK_NUMBER("keys", a.answer.n_keys, 1);
	/* It goes while it is up: the request for keys finds out. */
	rename(vaults_path("a"), vaults_path("away"));
	get_keys(&a, 1);
	CHECK_NUMBER("outcome", a.answer.outcome, KME_OUTCOME_BROKEN);
	CHECK(strstr(a.answer.why.text, "a: does not exist"), "'%s'", a.answer.why.text);
	CHECK_NUMBER("none burned", server(&a)->counters[KME_COUNTER_KEYS_BURNED], 0);
	stop(&a);
}

TEST(an_older_copy_that_was_put_back_is_a_doubt)
{
	static struct vault_key keys[600];
	struct qlink_why why;
	struct end a;

	vaults_begin();
	vaults_make("a", 2000);
	vaults_copy("a", "older");
	CHECK_NUMBER("spend", vaults_take("a", VAULT_SIDE_A, 600, keys, &why), 600);
	vaults_copy("older", "a");
	start(&a, "a", 0, 0);
	WAIT(&a, a.n_up);
	CHECK(strstr(a.why.text, "an older copy was put back: 600 spent keys were in it again, and are wiped"), "'%s'",
	      a.why.text);
	CHECK_NUMBER("left", server(&a)->status.stored_key_count, 400);
	get_keys(&a, 1);
	CHECK(strstr(a.keys[0].id.text, "-a-00000600"), "'%s'", a.keys[0].id.text);
	stop(&a);
}

/* As a disk that hangs: the lock is ours until the answer is there, so that a loop that waited would wait for ever. */
TEST(a_disk_that_gives_no_answer_does_not_hold_the_loop)
{
	unsigned int n_up;
	uint64_t before;
	struct end a;
	int fd;

	begin();
	start(&a, "a", 0, 100);
	WAIT(&a, a.n_up);
	/* A busy machine may have needed more than one try. */
	before = server(&a)->counters[KME_COUNTER_TIMEOUT];
	n_up = a.n_up;
	fd = open(vaults_path("a"), O_RDWR);
	CHECK_NUMBER("lock", flock(fd, LOCK_EX), 0);
	CHECK_NUMBER("get", kme_get_keys(a.kme, 0, 5), 0);
	WAIT(&a, a.n_answers);
	CHECK_NUMBER("outcome", a.answer.outcome, KME_OUTCOME_BROKEN);
	CHECK_TEXT("why", a.answer.why.text, "the disk gave no answer within kme-timeout-ms");
	CHECK_NUMBER("timeout", server(&a)->counters[KME_COUNTER_TIMEOUT], before + 1);
	CHECK_NUMBER("burned at most", server(&a)->counters[KME_COUNTER_KEYS_BURNED], 5);
	CHECK(a.n_down, "not down");
	close(fd);
	WAIT(&a, a.n_up > n_up);
	stop(&a);
}

/* Several links between two sites have one vault. */
TEST(links_that_share_a_vault_get_different_keys)
{
	struct end first;
	struct end second;

	begin();
	start(&first, "a", 0, 0);
	start(&second, "a", 0, 0);
	WAIT(&first, first.n_up);
	WAIT(&second, second.n_up);
	CHECK_NUMBER("first", kme_get_keys(first.kme, 0, 1), 0);
	CHECK_NUMBER("second", kme_get_keys(second.kme, 0, 1), 0);
	WAIT(&first, first.n_answers);
	WAIT(&second, second.n_answers);
	CHECK(first.answer.n_keys == 1 && second.answer.n_keys == 1 &&
	      strcmp(first.keys[0].id.text, second.keys[0].id.text), "the same key");
	stop(&first);
	stop(&second);
}

TEST(a_client_can_end_while_the_disk_works)
{
	struct end a;
	unsigned int i;

	begin();
	for (i = 0; i < 20; i++) {
		start(&a, "a", 0, 0);
		WAIT(&a, a.n_up);
		CHECK_NUMBER("get", kme_get_keys(a.kme, 0, 1), 0);
		stop(&a);
	}
	/* Each request ends before the next begins, because of the lock. */
	start(&a, "a", 0, 0);
	WAIT(&a, a.n_up);
	get_keys(&a, 1);
	CHECK_NUMBER("keys", a.answer.n_keys, 1);
	stop(&a);
}
