// SPDX-License-Identifier: GPL-2.0-or-later
/* qlinkctl key: options, batches, and output without key bytes. */
#include "qlinkctl/key.h"

#include <errno.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "qlinkctl/batch.h"
#include "qlinkctl/words.h"
#include "members.h"
#include "tap.h"

#define UUID	"123e4567-e89b-12d3-a456-426614174000"

/* Split at blanks; the words point into @line. */
static char **split(char *line)
{
	static char *words[16];
	char *rest;
	int n = 0;

	for (words[0] = strtok_r(line, " ", &rest); words[n] && n < 14;)
		words[++n] = strtok_r(NULL, " ", &rest);
	words[n] = NULL;
	return words;
}

TEST(options_of_a_key_are_accepted_in_any_order)
{
	char line[] = "rx file /k blocks 1073741824 kmes 8 id " UUID " source qkd epoch 9";
	struct key_words key;
	char text[256] = "";

	CHECK_NUMBER("words", key_words_parse(split(line), &key, text, sizeof(text)), 0);
	CHECK_TEXT("no message", text, "");
	CHECK_NUMBER("direction", key.key.direction, QLINK_DIRECTION_RX);
	CHECK_NUMBER("epoch", key.key.epoch, 9);
	CHECK_NUMBER("source", key.key.source, QLINK_SOURCE_QKD);
	CHECK_NUMBER("KMEs", key.key.kmes, QLINK_KMES_MAX);
	CHECK_NUMBER("blocks", key.key.hard_blocks, QLINK_HARD_BLOCKS_MAX);
	CHECK_TEXT("path", key.path, "/k");
	CHECK(qlink_key_has_id(&key.key), "the KME key ID is missing");
}

TEST(a_key_is_static_and_without_id_by_default)
{
	char line[] = "tx epoch 1 file -";
	struct key_words key;
	char text[256];

	CHECK_NUMBER("words", key_words_parse(split(line), &key, text, sizeof(text)), 0);
	CHECK_NUMBER("source", key.key.source, QLINK_SOURCE_STATIC);
	CHECK_NUMBER("blocks", key.key.hard_blocks, 0);
	CHECK_NUMBER("KMEs, which the kernel chooses", key.key.kmes, 0);
	CHECK(!qlink_key_has_id(&key.key), "a KME key ID that was not given");
}

TEST(options_of_a_key_are_refused_with_value_and_rule)
{
	static const struct {
		const char *line;
		const char *text;
		const char *why;
	} rows[] = {
		{ "", "direction: not given: tx or rx", "nothing" },
		{ "up epoch 1 file k", "direction \"up\": not a direction: tx, rx", "no direction" },
		{ "tx file k", "epoch: not given", "no epoch" },
		{ "tx epoch 1", "file: not given", "no file" },
		{ "tx epoch 0 file k", "epoch \"0\": not a number from 1 to 281474976710655", "0 is none" },
		{ "tx epoch 281474976710656 file k",
		  "epoch \"281474976710656\": not a number from 1 to 281474976710655", "49 bits" },
		{ "tx epoch 1 blocks 1073741825 file k",
		  "blocks \"1073741825\": not a number from 1 to 1073741824", "above the limit" },
		{ "tx epoch 1 source none file k",
		  "source \"none\": not a source: qkd, hybrid, pqc, static", "no source" },
		{ "tx epoch 1 kmes 0 file k", "kmes \"0\": not a number from 1 to 8", "0 is the default" },
		{ "tx epoch 1 kmes 9 file k", "kmes \"9\": not a number from 1 to 8", "above the limit" },
		{ "tx epoch 1 id k1 file k",
		  "id \"k1\": not a UUID like " UUID, "no UUID" },
		{ "tx epoch 1 epoch 2 file k", "epoch: given twice", "twice" },
		{ "tx epoch 1 file", "file: has no value", "the line ends" },
		{ "tx epoch 1 salt 0 file k", "\"salt\": no such option of a key", "key bytes on the command line" },
	};
	struct key_words key;
	char line[200], text[256];
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		strcpy(line, rows[i].line);
		CHECK_NUMBER(rows[i].why, key_words_parse(split(line), &key, text,
							  sizeof(text)), -EINVAL);
		CHECK_TEXT(rows[i].why, text, rows[i].text);
	}
}

/* Run batch_read() on @content; its error messages go to @said. */
static int read_batch(struct batch *batch, const char *content, char **said)
{
	char path[] = "/tmp/qlink-batch-XXXXXX";
	int fd = mkstemp(path), err;
	char *at;

	if (write(fd, content, strlen(content)) < 0)
		return -1;
	close(fd);
	tap_stderr_begin();
	err = batch_read(batch, path);
	*said = tap_stderr_end();
	unlink(path);
	/* The file's name differs each time: replace it. */
	at = strstr(*said, path);
	if (at)
		memcpy(at, "/tmp/qlink-batch-......", strlen(path));
	return err;
}

TEST(batches_are_read_line_by_line)
{
	struct batch batch;
	char *said;

	CHECK_NUMBER("batch", read_batch(&batch,
		"# keys of a test\n"
		"tx epoch 1 file /a\n"
		"\n"
		"   rx\tepoch 2 source qkd kmes 2 id " UUID " blocks 9 file /b  \n"
		"tx epoch 3 file /c", &said), CTL_OK);
	CHECK_TEXT("no message", said, "");
	CHECK_NUMBER("keys", batch.n, 3);
	if (batch.n == 3) {
		CHECK_TEXT("first", batch.keys[0].path, "/a");
		CHECK_TEXT("second", batch.keys[1].path, "/b");
		CHECK_NUMBER("second", batch.keys[1].key.direction, QLINK_DIRECTION_RX);
		CHECK_TEXT("third, without an end of line", batch.keys[2].path, "/c");
	}
	batch_free(&batch);
}

TEST(batches_are_refused_with_the_line_number)
{
	static const struct {
		const char *content;
		const char *said;
		const char *why;
	} rows[] = {
		{ "tx epoch 1 file a\ntx epoch 0 file b\n",
		  "qlinkctl: /tmp/qlink-batch-......:2: epoch \"0\": not a number from 1 to 281474976710655\n",
		  "the second line" },
		{ "\n# x\ntx epoch 1 file -\n",
		  "qlinkctl: /tmp/qlink-batch-......:3: file \"-\": a batch names files\n",
		  "standard input has one key at most" },
		{ "tx epoch 1 file a b c d e f g h i j k l m\n",
		  "qlinkctl: /tmp/qlink-batch-......:1: too many words\n", "a long line" },
		{ "# nothing\n",
		  "qlinkctl: \"/tmp/qlink-batch-......\": names no key\n", "no key" },
	};
	struct batch batch;
	char *said;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		CHECK_NUMBER(rows[i].why, read_batch(&batch, rows[i].content, &said), CTL_USAGE);
		CHECK_TEXT(rows[i].why, said, rows[i].said);
		batch_free(&batch);
	}
}

TEST(a_batch_can_have_many_lines)
{
	struct batch batch;
	char *content = malloc(5000 * 40), *at = content;
	char *said;
	int i;

	for (i = 1; i <= 5000; i++)
		at += sprintf(at, "tx epoch %d file /k%d\n", i, i);
	CHECK_NUMBER("batch", read_batch(&batch, content, &said), CTL_OK);
	CHECK_NUMBER("keys", batch.n, 5000);
	CHECK_NUMBER("last", batch.keys[4999].key.epoch, 5000);
	batch_free(&batch);
	free(content);
}

TEST(json_of_a_key_has_the_documented_names)
{
	struct qlink_key key = {
		.secret = (const uint8_t *)"never read",
		.direction = QLINK_DIRECTION_TX, .epoch = 9,
		.source = QLINK_SOURCE_QKD, .kmes = 2, .state = QLINK_KEY_STATE_ACTIVE,
		.kme_key_id = { 0x12 }, .hard_blocks = 134217728,
		.frames = 10, .bytes = 1200,
	};
	json_t *object = key_json(&key);

	check_members("key", object,
		"{\"direction\":\"tx\",\"epoch\":9,\"source\":\"qkd\",\"kmes\":2,"
		"\"state\":\"active\","
		"\"kme_key_id\":\"12000000-0000-0000-0000-000000000000\","
		"\"hard_blocks\":134217728,\"frames\":10,\"bytes\":1200}");
	json_decref(object);
}

TEST(text_of_keys_is_aligned)
{
	struct qlink_key keys[] = {
		{ .direction = QLINK_DIRECTION_TX, .epoch = 9,
		  .source = QLINK_SOURCE_STATIC, .state = QLINK_KEY_STATE_ACTIVE,
		  .frames = 10, .bytes = 1200 },
		{ .direction = QLINK_DIRECTION_RX, .epoch = QLINK_EPOCH_MAX,
		  .source = QLINK_SOURCE_QKD, .kmes = 1, .state = QLINK_KEY_STATE_STAGED,
		  .kme_key_id = { 0x12 } },
		{ .direction = QLINK_DIRECTION_TX, .epoch = 10, .source = QLINK_SOURCE_HYBRID,
		  .kmes = 2, .state = QLINK_KEY_STATE_STAGED },
	};
	char *got = NULL;
	size_t len;
	FILE *to = open_memstream(&got, &len);

	key_text(keys, COUNT(keys), to);
	fclose(to);
	CHECK_TEXT("keys", got,
		"dir           epoch source  state         frames           bytes  KME key ID\n"
		"tx                9 static  active            10            1200  -\n"
		"rx  281474976710655 qkd     staged             0               0"
		"  12000000-0000-0000-0000-000000000000\n"
		"tx               10 hybrid2 staged             0               0  -\n");
	free(got);
}
