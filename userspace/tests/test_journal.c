// SPDX-License-Identifier: GPL-2.0-or-later
/* Whether the journal gets an event with its fields, and nobody else's, and the stream if it does not take it. */
#include "qlinkd/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include "tap.h"

/* Rules of others have it: it never changes. */
#define KME_DOWN_ID	"e7629558abf146e38daa03590b081d78"

/* A journal: a socket, and the stream that ends in it. */
static char folder[] = "/tmp/qlink-journal-XXXXXX", path[64];
static int at, stream[2];
static struct log now_log;

/* Says in JOURNAL_STREAM that a descriptor ends in the journal. */
static void name_stream(int fd)
{
	char text[64];
	struct stat stat;

	fstat(fd, &stat);
	snprintf(text, sizeof(text), "%ju:%ju", (uintmax_t)stat.st_dev, (uintmax_t)stat.st_ino);
	setenv("JOURNAL_STREAM", text, 1);
}

static void start(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	if (!mkdtemp(folder))
		BAIL_OUT();
	snprintf(path, sizeof(path), "%s/socket", folder);
	strcpy(addr.sun_path, path);
	at = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	CHECK_NUMBER("bind", bind(at, (struct sockaddr *)&addr, sizeof(addr)), 0);
	/* As the service manager makes it: it waits when it is full. */
	CHECK_NUMBER("stream", socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, stream), 0);
	CHECK_NUMBER("reader", fcntl(stream[0], F_SETFL, O_NONBLOCK), 0);
	log_init(&now_log, stream[1], 0);
}

static void stop(void)
{
	journal_close(&now_log.journal);
	close(at);
	close(stream[0]);
	close(stream[1]);
	unlink(path);
	CHECK_NUMBER("folder", rmdir(folder), 0);
	strcpy(strrchr(folder, '-') + 1, "XXXXXX");
	unsetenv("JOURNAL_STREAM");
}

static const char *read_text(int fd)
{
	static char text[2 * JOURNAL_ENTRY_MAX];
	ssize_t n = read(fd, text, sizeof(text) - 1);

	text[n < 0 ? 0 : n] = '\0';
	return text;
}

TEST(an_event_has_its_fields)
{
	const struct log_field fields[] = {
		{ .name = "link", .text = "qlink0" }, { .name = "kme", .text = "rack" },
		{ .name = "peer-policy", .text = "a b" }, { .name = "burned", .number = UINT64_MAX }, { .name = NULL },
	};

	start();
	name_stream(stream[1]);
	journal_open(&now_log.journal, stream[1], path);
	CHECK_NUMBER("write", log_write(&now_log, LOG_WARNING, "kme-down", fields, 0), 0);
	CHECK_TEXT("entry", read_text(at),
		   "MESSAGE=kme-down link=qlink0 kme=rack peer-policy=\"a b\" burned=18446744073709551615\n"
		   "PRIORITY=4\nSYSLOG_IDENTIFIER=qlinkd\nQLINK_EVENT=kme-down\n"
		   "MESSAGE_ID=" KME_DOWN_ID "\n"
		   "QLINK_LINK=qlink0\nQLINK_KME=rack\nQLINK_PEER_POLICY=a b\nQLINK_BURNED=18446744073709551615\n");
	CHECK_TEXT("stream", read_text(stream[0]), "");
	stop();
}

/* KMEs and peers write some values. */
TEST(a_value_begins_no_other_field)
{
	const struct log_field fields[] = {
		{ .name = "why", .text = "503\nPRIORITY=0\nQLINK_LINK=\x01" }, { .name = "link", .text = "qlink0" },
		{ .name = NULL },
	};
	const char *got;

	start();
	name_stream(stream[1]);
	journal_open(&now_log.journal, stream[1], path);
	log_write(&now_log, LOG_ERR, "kme-error", fields, 0);
	got = read_text(at);
	CHECK(strstr(got, "\nPRIORITY=3\n") && !strstr(got, "\nPRIORITY=0"), "%s", got);
	CHECK(strstr(got, "\nQLINK_WHY=503\\x0aPRIORITY=0\\x0aQLINK_LINK=\\x01\nQLINK_LINK=qlink0\n"), "%s", got);
	CHECK(strstr(got, "\nMESSAGE=") == NULL && !strncmp(got, "MESSAGE=kme-error why=\"503\\x0a", 28), "%s", got);
	stop();
}

TEST(values_of_any_length_fit_an_entry)
{
	static char text[2 * JOURNAL_ENTRY_MAX];
	const struct log_field fields[] = {
		{ .name = "why", .text = text }, { .name = "subject", .text = text }, { .name = "epoch", .number = 7 },
		{ .name = NULL },
	};
	const char *got;
	size_t len;

	start();
	name_stream(stream[1]);
	journal_open(&now_log.journal, stream[1], path);
	for (len = 0; len < sizeof(text); len += 97) {
		memset(text, '\n', len);
		CHECK_NUMBER("write", log_write(&now_log, LOG_ERR, "kme-error", fields, len * 1000), 0);
		got = read_text(at);
		CHECK(strlen(got) <= JOURNAL_ENTRY_MAX && got[strlen(got) - 1] == '\n', "%zu: %zu bytes", len, strlen(got));
		if (len < 500)
			CHECK(strstr(got, "\nQLINK_EPOCH=7\n"), "%zu: the last field", len);
	}
	stop();
}

TEST(suppressed_lines_are_counted)
{
	const struct log_field none[] = { { .name = NULL } };
	int i;

	start();
	name_stream(stream[1]);
	journal_open(&now_log.journal, stream[1], path);
	for (i = 0; i < LOG_EVENT_BURST + 3; i++) {
		log_write(&now_log, LOG_ERR, "kme-error", none, 0);
		read_text(at);
	}
	log_write(&now_log, LOG_ERR, "kme-error", none, LOG_EVENT_REFILL_MS);
	CHECK(strstr(read_text(at), "\nQLINK_SUPPRESSED_LINES=3\n"), "not counted");
	stop();
}

TEST(a_stream_that_ends_elsewhere_gets_lines)
{
	const struct log_field none[] = { { .name = NULL } };
	int other[2];

	start();
	journal_open(&now_log.journal, stream[1], path);
	log_write(&now_log, LOG_INFO, "started", none, 0);
	CHECK_TEXT("no JOURNAL_STREAM", read_text(stream[0]), "<6>started\n");
	CHECK_NUMBER("pipe", pipe2(other, O_CLOEXEC), 0);
	/* Somebody has redirected standard error. */
	name_stream(other[1]);
	journal_open(&now_log.journal, stream[1], path);
	log_write(&now_log, LOG_INFO, "stopped", none, 0);
	CHECK_TEXT("another stream", read_text(stream[0]), "<6>stopped\n");
	CHECK_TEXT("journal", read_text(at), "");
	close(other[0]);
	close(other[1]);
	stop();
}

TEST(a_journal_that_takes_nothing_loses_nothing)
{
	const struct log_field none[] = { { .name = NULL } };
	char event[24];
	int i;

	start();
	name_stream(stream[1]);
	journal_open(&now_log.journal, stream[1], path);
	/* Until its queue is full; each event has a budget of its own. */
	for (i = 0; i < 1000 && !*read_text(stream[0]); i++) {
		snprintf(event, sizeof(event), "event-%d", i);
		CHECK_NUMBER("write", log_write(&now_log, LOG_ERR, event, none, 0), 0);
	}
	CHECK(i > 1 && i < 1000, "%d events", i);
	close(at);
	at = -1;
	CHECK_NUMBER("write", log_write(&now_log, LOG_ERR, "no-journal", none, 0), 0);
	CHECK_TEXT("stream", read_text(stream[0]), "<3>no-journal\n");
	stop();
}

/* The agent goes on, and says later what it could not say. */
TEST(a_journal_that_hangs_holds_up_nobody)
{
	const struct log_field none[] = { { .name = NULL } };
	char event[24];
	int i, err = 0;

	start();
	name_stream(stream[1]);
	journal_open(&now_log.journal, stream[1], path);
	alarm(60);
	for (i = 0; i < 100000 && !err; i++) {
		snprintf(event, sizeof(event), "event-%d", i);
		err = log_write(&now_log, LOG_ERR, event, none, (uint64_t)i * 1000);
	}
	alarm(0);
	CHECK_NUMBER("full", err, -EAGAIN);
	while (*read_text(at))
		;
	CHECK_NUMBER("write", log_write(&now_log, LOG_ERR, "again", none, (uint64_t)i * 1000), 0);
	CHECK(strstr(read_text(at), "\nQLINK_SUPPRESSED_LINES=1\n"), "not counted");
	stop();
}
