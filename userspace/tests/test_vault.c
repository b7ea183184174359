// SPDX-License-Identifier: GPL-2.0-or-later
/* A vault: both ends get equal keys, each once; what is wrong with a file is named. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"
#include "vault_lab.h"

#define N_KEYS	40
#define RECORD	(LAB_KEY_BYTES + VAULT_TAG_BYTES)

/* --- layout --- */

TEST(a_key_id_has_the_vault_the_side_and_the_number)
{
	const struct vault_layout layout = { .name = "\x5f\x3a\x9c\x0d\x27\xbe\x11\x44", .key_bytes = 32, .n_keys = 2000 };
	char id[VAULT_ID_ROOM];
	struct qlink_why why;
	uint64_t number = 9;

	vault_id_write(&layout, 12, id);
	CHECK_TEXT("side a", id, "5f3a9c0d27be1144-a-00000012");
	vault_id_write(&layout, 1000, id);
	CHECK_TEXT("side b", id, "5f3a9c0d27be1144-b-00000000");
	vault_id_write(&layout, 1999, id);
	CHECK_TEXT("the last", id, "5f3a9c0d27be1144-b-00000999");
	CHECK_NUMBER("read", vault_id_read(&layout, id, &number, &why), 0);
	CHECK_NUMBER("number", number, 1999);
}

TEST(an_id_that_this_vault_does_not_write_is_refused)
{
	const struct vault_layout layout = { .name = "\x5f\x3a\x9c\x0d\x27\xbe\x11\x44", .key_bytes = 32, .n_keys = 2000 };
	static const struct {
		const char *id, *why;
	} rows[] = {
		{ "5f3a9c0d27be1145-a-00000012", "of another vault than 5f3a9c0d27be1144" },
		{ "5f3a9c0d27be1144", "of another vault" },
		{ "", "of another vault" },
		{ "5f3a9c0d27be1144-", "no ID of a key" },
		{ "5f3a9c0d27be1144-c-00000012", "no ID of a key" },
		{ "5f3a9c0d27be1144-a-0000012", "no ID of a key" },
		{ "5f3a9c0d27be1144-a-000000012", "no ID of a key" },
		{ "5f3a9c0d27be1144-a-0000001x", "no ID of a key" },
		{ "5f3a9c0d27be1144-a-00001000", "no ID of a key" },
		{ "5f3a9c0d27be1144-a-+0000001", "no ID of a key" },
		{ "5f3a9c0d27be1144_a_00000012", "of another vault" },
	};
	struct qlink_why why;
	uint64_t number = 9;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		CHECK_NUMBER(rows[i].id, vault_id_read(&layout, rows[i].id, &number, &why), -ENOENT);
		CHECK(strstr(why.text, rows[i].why), "%s: '%s'", rows[i].id, why.text);
	}
	CHECK_NUMBER("number", number, 9);
}

TEST(a_header_is_read_as_it_was_written)
{
	const struct vault_layout layout = { .name = "name", .salt = "salt", .key_bytes = 48, .n_keys = 4194304,
					     .made_s = 1796000000, .label = "north to south" };
	uint8_t head[VAULT_HEAD_BYTES];
	struct vault_layout read;
	struct qlink_why why;

	vault_layout_write(&layout, head);
	CHECK_NUMBER("read", vault_layout_read(&read, head, &why), 0);
	CHECK(!memcmp(&layout, &read, sizeof(read)), "differs");
	head[11] = 2;
	CHECK_NUMBER("version", vault_layout_read(&read, head, &why), -EINVAL);
	CHECK_TEXT("version", why.text, "is a vault of version 2, and this program knows 1");
	head[0] = 'X';
	CHECK_NUMBER("magic", vault_layout_read(&read, head, &why), -EINVAL);
	CHECK_TEXT("magic", why.text, "is no vault");
}

TEST(sizes_that_no_vault_has_are_refused)
{
	static const struct {
		struct vault_layout layout;
		const char *why;
	} rows[] = {
		{ { .key_bytes = 31, .n_keys = 2 }, "keys of 31 bytes, and a vault has keys of 32 to 128" },
		{ { .key_bytes = 129, .n_keys = 2 }, "keys of 129 bytes, and a vault has keys of 32 to 128" },
		{ { .key_bytes = 32, .n_keys = 0 }, "0 keys, and a vault has an even number from 2 to 4194304" },
		{ { .key_bytes = 32, .n_keys = 3 }, "3 keys, and a vault has an even number from 2 to 4194304" },
		{ { .key_bytes = 32, .n_keys = 4194306 },
		  "4194306 keys, and a vault has an even number from 2 to 4194304" },
		{ { .key_bytes = 32, .n_keys = 2, .label = "a\nb" },
		  "a label with other characters than printable ASCII without quotes and backslashes" },
	};
	struct qlink_why why;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		CHECK_NUMBER(rows[i].why, vault_layout_check(&rows[i].layout, &why), -EINVAL);
		CHECK_TEXT("why", why.text, rows[i].why);
	}
}

/* --- two ends --- */

/* Each end has its copy. */
static void make_both(void)
{
	vaults_begin();
	vaults_make("a", N_KEYS);
	vaults_copy("a", "b");
}

TEST(what_one_end_takes_the_other_fetches_by_its_id)
{
	struct vault_key taken[4], fetched[4];
	uint64_t numbers[4];
	struct qlink_why why;
	int i;

	make_both();
	CHECK_NUMBER("a takes", vaults_take("a", VAULT_SIDE_A, 4, taken, &why), 4);
	for (i = 0; i < 4; i++)
		numbers[3 - i] = taken[i].number;
	CHECK_NUMBER("b fetches", vaults_fetch("b", VAULT_SIDE_B, N_KEYS, numbers, 4, fetched, &why), 4);
	for (i = 0; i < 4; i++) {
		CHECK_NUMBER("in order", taken[i].number, i);
		CHECK_NUMBER("by its ID", fetched[3 - i].number, taken[i].number);
		CHECK_NUMBER("place", fetched[i].place, i);
	}
	CHECK_NUMBER("b takes", vaults_take("b", VAULT_SIDE_B, 1, taken, &why), 1);
	CHECK_NUMBER("of its own half", taken[0].number, N_KEYS / 2);
	CHECK_TEXT("nothing wrong", why.text, "");
}

TEST(each_end_gets_each_key_once)
{
	static const uint64_t numbers[] = { 20, 21 };
	struct vault_key keys[N_KEYS];
	struct qlink_why why;

	make_both();
	CHECK_NUMBER("all", vaults_take("a", VAULT_SIDE_A, N_KEYS, keys, &why), N_KEYS / 2);
	CHECK_NUMBER("no more", vaults_take("a", VAULT_SIDE_A, 1, keys, &why), 0);
	CHECK_TEXT("which is nothing wrong", why.text, "");
	CHECK_NUMBER("fetch", vaults_fetch("a", VAULT_SIDE_A, N_KEYS, numbers, 2, keys, &why), 2);
	CHECK_NUMBER("fetch again", vaults_fetch("a", VAULT_SIDE_A, N_KEYS, numbers, 2, keys, &why), 0);
}

/* As a link does that offers its newest key first. */
TEST(keys_can_be_fetched_in_any_order)
{
	static const uint64_t last[] = { 39 }, first[] = { 20, 38 };
	struct vault_key keys[2];
	struct qlink_why why;

	make_both();
	CHECK_NUMBER("the last", vaults_fetch("a", VAULT_SIDE_A, N_KEYS, last, 1, keys, &why), 1);
	CHECK_NUMBER("earlier ones", vaults_fetch("a", VAULT_SIDE_A, N_KEYS, first, 2, keys, &why), 2);
}

TEST(ends_out_of_step_are_named_with_both_positions_and_mended_by_skip)
{
	static const uint64_t numbers[] = { 0, 1 }, next[] = { 7 };
	struct vault_key keys[8];
	struct vault *vault;
	struct qlink_why why;
	char want[400];
	uint64_t n;

	make_both();
	vaults_copy("a", "older");
	CHECK_NUMBER("a", vaults_take("a", VAULT_SIDE_A, 7, keys, &why), 7);
	CHECK_NUMBER("b", vaults_fetch("b", VAULT_SIDE_B, N_KEYS, (uint64_t[]){ 6 }, 1, keys, &why), 1);
	CHECK_NUMBER("b", vaults_fetch("b", VAULT_SIDE_B, N_KEYS, numbers, 2, keys, &why), 2);
	/* Side a is a new machine with an older copy. */
	CHECK_NUMBER("older", vaults_take("older", VAULT_SIDE_A, 2, keys, &why), 2);
	CHECK_NUMBER("b refuses", vaults_fetch("b", VAULT_SIDE_B, N_KEYS, numbers, 2, keys, &why), 0);
	snprintf(want, sizeof(want), "vault %s: the ends are out of step: the peer is at key %s, and this end at %s: run "
		 "\"qlink-vault skip FILE --key KEYFILE --to %s\" at the peer", vaults_path("b"), vaults_id(N_KEYS, 1),
		 vaults_id(N_KEYS, 7), vaults_id(N_KEYS, 7));
	CHECK_TEXT("why", why.text, want);
	vault = vaults_must_open("older", VAULT_SIDE_A);
	CHECK_NUMBER("skip", vault_skip(vault, 7, VAULT_SIDE_A, &n, &why), 0);
	CHECK_NUMBER("skipped", n, 5);
	vault_close(vault);
	CHECK_NUMBER("in step", vaults_take("older", VAULT_SIDE_A, 1, keys, &why), 1);
	CHECK_NUMBER("key", keys[0].number, 7);
	CHECK_NUMBER("b", vaults_fetch("b", VAULT_SIDE_B, N_KEYS, next, 1, keys, &why), 1);
}

TEST(two_ends_of_the_same_side_are_named)
{
	struct vault_key keys[2];
	struct qlink_why why;
	char want[400];

	make_both();
	CHECK_NUMBER("b fetches", vaults_fetch("b", VAULT_SIDE_A, N_KEYS, (uint64_t[]){ 3 }, 1, keys, &why), 0);
	snprintf(want, sizeof(want), "vault %s: the peer offers key %s of this end's own half: both ends are side a, and one "
		 "must be side b", vaults_path("b"), vaults_id(N_KEYS, 3));
	CHECK_TEXT("why", why.text, want);
}

/* Two programs, or two requests of one, at the same time. */
TEST(programs_that_use_a_vault_at_the_same_time_get_different_keys)
{
	unsigned int given[400] = { 0 }, i, child;
	struct vault_key key;
	struct qlink_why why;
	uint64_t number;
	int fds[2];

	vaults_begin();
	vaults_make("a", 2 * COUNT(given));
	CHECK_NUMBER("pipe", pipe(fds), 0);
	fflush(stdout);
	for (child = 0; child < 2; child++) {
		if (fork())
			continue;
		for (i = 0; i < COUNT(given) / 2; i++) {
			if (vaults_take("a", VAULT_SIDE_A, 1, &key, &why) != 1 ||
			    write(fds[1], &key.number, sizeof(key.number)) != sizeof(key.number))
				_exit(1);
		}
		_exit(0);
	}
	close(fds[1]);
	while (read(fds[0], &number, sizeof(number)) == sizeof(number))
		given[number < COUNT(given) ? number : 0]++;
	close(fds[0]);
	for (i = 0; i < COUNT(given); i++)
		CHECK(given[i] == 1, "key %u given out %u times", i, given[i]);
	while (wait(NULL) > 0)
		;
}

/* --- what is wrong with a file --- */

static void check_refused(const char *name, enum vault_side side, const char *what)
{
	struct vault *vault = NULL;
	struct qlink_why why;

	CHECK(vaults_open(&vault, name, side, &why), "opened although %s", what);
	CHECK(strstr(why.text, what), "got '%s', want '%s'", why.text, what);
}

TEST(a_damaged_record_costs_its_key_only)
{
	struct vault_key keys[4];
	struct vault_report report;
	struct vault *vault;
	struct qlink_why why;
	char want[400];

	make_both();
	vaults_flip("a", VAULT_HEAD_BYTES + 1 * RECORD + 5);
	vaults_flip("a", VAULT_HEAD_BYTES + 25 * RECORD + RECORD - 1);
	vault = vaults_must_open("a", VAULT_SIDE_A);
	CHECK_NUMBER("check", vault_check(vault, &report, &why), 0);
	CHECK_NUMBER("intact", report.intact, N_KEYS - 2);
	CHECK_NUMBER("damaged", report.damaged, 2);
	CHECK_NUMBER("first", report.first, 1);
	vault_close(vault);
	CHECK_NUMBER("take", vaults_take("a", VAULT_SIDE_A, 3, keys, &why), 3);
	CHECK_NUMBER("passed over", keys[1].number, 2);
	snprintf(want, sizeof(want), "vault %s: the record of key %s is damaged; the key is passed over", vaults_path("a"),
		 vaults_id(N_KEYS, 1));
	CHECK_TEXT("why", why.text, want);
	CHECK_NUMBER("fetch", vaults_fetch("a", VAULT_SIDE_A, N_KEYS, (uint64_t[]){ 24, 25, 26 }, 3, keys, &why), 2);
	CHECK_NUMBER("the one behind", keys[1].number, 26);
	CHECK_NUMBER("its place", keys[1].place, 2);
}

TEST(a_file_that_is_no_whole_vault_is_refused)
{
	make_both();
	check_refused("nothing", VAULT_SIDE_A, "nothing: does not exist");
	check_refused("key", VAULT_SIDE_A, "is no vault, or cut off");
	vaults_cut("a", VAULT_HEAD_BYTES + 5 * RECORD);
	check_refused("a", VAULT_SIDE_A, "has 752 bytes, and its header says 2432: was it copied whole");
	vaults_flip("b", 300);
	check_refused("b", VAULT_SIDE_A, "it is sealed with another key, or its header is damaged");
	vaults_flip("b", 300);
	vaults_flip("b", 23);
	check_refused("b", VAULT_SIDE_A, "was it copied whole");
	vaults_flip("b", 23);
	vaults_flip("b", 12);
	check_refused("b", VAULT_SIDE_A, "has a damaged header");
	CHECK_NUMBER("mkfifo", mkfifo(vaults_path("fifo"), 0600), 0);
	check_refused("fifo", VAULT_SIDE_A, "fifo: ");
}

TEST(a_key_file_that_is_wrong_or_open_to_others_is_refused)
{
	make_both();
	CHECK_NUMBER("chmod", chmod(vaults_path("key"), 0604), 0);
	check_refused("a", VAULT_SIDE_A, "key: others can read or change it: its mode is 0604, and may be 0600");
	CHECK_NUMBER("chmod", chmod(vaults_path("key"), 0600), 0);
	vaults_flip("key", 39);
	check_refused("a", VAULT_SIDE_A, "is not opened by key file");
	vaults_cut("key", 31);
	check_refused("a", VAULT_SIDE_A, "key: has 31 bytes, and needs 32 to 4096 random ones");
	unlink(vaults_path("key"));
	check_refused("a", VAULT_SIDE_A, "key: does not exist");
	CHECK_NUMBER("no index was made", access(vaults_path("a.index"), F_OK), -1);
}

TEST(an_index_belongs_to_one_end_of_one_vault)
{
	struct vault_key key;
	struct qlink_why why;

	make_both();
	CHECK_NUMBER("take", vaults_take("a", VAULT_SIDE_A, 1, &key, &why), 1);
	check_refused("a", VAULT_SIDE_B, "this end is side a, not side b as configured");
	unlink(vaults_path("b"));
	/* The same keys, sealed again. */
	vaults_make("b", N_KEYS);
	vaults_copy("a.index", "b.index");
	check_refused("b", VAULT_SIDE_A, "is of another vault; if that is gone, remove the index");
	vaults_flip("a.index", 200);
	check_refused("a", VAULT_SIDE_A, "a.index: is damaged; \"qlink-vault mend\" makes a new one");
	vaults_flip("a.index", 200);
	vaults_cut("a.index", VAULT_HEAD_BYTES + 2);
	check_refused("a", VAULT_SIDE_A, "a.index: is cut off; \"qlink-vault mend\" makes a new one");
	vaults_cut("a.index", 3);
	check_refused("a", VAULT_SIDE_A, "a.index: is cut off");
}

static int mend(const char *name, struct vault **vault, struct qlink_why *why)
{
	const struct vault_place place = { .path = vaults_path(name), .key_path = vaults_path("key") };

	return vault_mend(vault, &place, why);
}

TEST(a_lost_index_is_made_from_what_is_zeroed)
{
	struct vault_key keys[5];
	struct vault_half half;
	struct vault *vault;
	struct qlink_why why;

	make_both();
	CHECK_NUMBER("take", vaults_take("a", VAULT_SIDE_A, 5, keys, &why), 5);
	CHECK_NUMBER("fetch", vaults_fetch("a", VAULT_SIDE_A, N_KEYS, (uint64_t[]){ 22, 24 }, 2, keys, &why), 2);
	CHECK_NUMBER("intact", mend("a", &vault, &why), -EEXIST);
	CHECK(strstr(why.text, "a.index: is intact"), "'%s'", why.text);
	unlink(vaults_path("a.index"));
	check_refused("a", VAULT_SIDE_A, "a.index: does not exist, and keys are spent: bring it back, or make a new one");
	CHECK_NUMBER("mend", mend("a", &vault, &why), 0);
	vault_look(vault, VAULT_SIDE_A, &half);
	CHECK_NUMBER("own position", half.position, 5);
	CHECK_NUMBER("own left", half.left, 15);
	vault_look(vault, VAULT_SIDE_B, &half);
	CHECK_NUMBER("the peer's position", half.position, 5);
	CHECK_NUMBER("the peer's left", half.left, 15);
	vault_close(vault);
	CHECK_NUMBER("take", vaults_take("a", VAULT_SIDE_A, 1, keys, &why), 1);
	CHECK_NUMBER("key", keys[0].number, 5);
}

TEST(mend_takes_no_index_of_another_vault)
{
	struct vault_key key;
	struct vault *vault;
	struct qlink_why why;

	vaults_begin();
	vaults_make("a", N_KEYS);
	vaults_make("b", N_KEYS);
	CHECK_NUMBER("take", vaults_take("b", VAULT_SIDE_A, 1, &key, &why), 1);
	vaults_copy("b.index", "a.index");
	CHECK_NUMBER("mend", mend("a", &vault, &why), -EXDEV);
}

/* The index says what is spent, whatever the file has. */
TEST(an_older_copy_of_a_vault_gives_no_key_again)
{
	static struct vault_key keys[600];
	struct vault_report report;
	struct vault *vault;
	struct qlink_why why;

	vaults_begin();
	vaults_make("a", 2000);
	vaults_copy("a", "older");
	CHECK_NUMBER("take", vaults_take("a", VAULT_SIDE_A, 600, keys, &why), 600);
	vault = vaults_must_open("a", VAULT_SIDE_A);
	CHECK_NUMBER("not put back", vault_put_back(vault), 0);
	vault_close(vault);
	vaults_copy("older", "a");
	vault = vaults_must_open("a", VAULT_SIDE_A);
	CHECK_NUMBER("put back", vault_put_back(vault), 600);
	CHECK_NUMBER("check", vault_check(vault, &report, &why), 0);
	CHECK_NUMBER("zeroed again", report.readable, 0);
	vault_close(vault);
	CHECK_NUMBER("take", vaults_take("a", VAULT_SIDE_A, 1, keys, &why), 1);
	CHECK_NUMBER("key", keys[0].number, 600);
}

TEST(a_vault_is_never_overwritten)
{
	struct vault_layout layout = { .key_bytes = 32, .n_keys = 2 };
	struct vault_key key;
	struct qlink_why why;

	make_both();
	CHECK_NUMBER("make", vault_make(vaults_path("a"), &layout, vaults_path("key"), NULL, NULL, &why), -EEXIST);
	CHECK(strstr(why.text, "a: exists; a vault is never overwritten"), "'%s'", why.text);
	CHECK_NUMBER("take", vaults_take("a", VAULT_SIDE_A, 1, &key, &why), 1);
	unlink(vaults_path("a"));
	CHECK_NUMBER("make", vault_make(vaults_path("a"), &layout, vaults_path("key"), NULL, NULL, &why), -EEXIST);
	CHECK(strstr(why.text, "a.index: is there already; remove it if its vault is gone"), "'%s'", why.text);
}
