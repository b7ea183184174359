// SPDX-License-Identifier: GPL-2.0-or-later
/* No copy of a key is left in memory: not in libcurl, jansson or OpenSSL. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/secret.h"
#include "common/wipe.h"
#include "kme_lab.h"
#include "tap.h"

/*
 * OpenSSL leaves decrypted text in vector registers, and ld.so saves these on the stack when it
 * binds a library function at its first call. Programs that hold keys bind all functions at the
 * start, and so does this one.
 */
__attribute__((constructor))
static void bind_now(int argc, char **argv)
{
	(void)argc;
	if (getenv("LD_BIND_NOW"))
		return;
	setenv("LD_BIND_NOW", "1", 1);
	execv("/proc/self/exe", argv);
}

#define N_KEYS	20
#define PIECE	(1UL << 20)
#define PAGE	4096UL
/* Larger mappings are address space reserved by the sanitizers, and hold no data of ours. */
#define HUGE	(1UL << 30)

static struct lab_client client;

/* Bytes to search for, disguised so that the search does not find its own copy. */
struct needle {
	uint8_t bytes[64];
	size_t len;
};

/* The first two bytes of all needles, to skip most places quickly. */
static bool is_start[65536];

/* Byte by byte, so that the search itself leaves no undisguised copy. */
static void hide(struct needle *needle, uint8_t byte)
{
	if (needle->len == 1)
		is_start[(needle->bytes[0] ^ 0xa5) << 8 | byte] = true;
	needle->bytes[needle->len++] = byte ^ 0xa5;
}

static bool is_needle(const uint8_t *at, const struct needle *needle)
{
	size_t i;

	for (i = 0; i < needle->len; i++)
		if ((at[i] ^ 0xa5) != needle->bytes[i])
			return false;
	return true;
}

static unsigned int count_in(const uint8_t *bytes, size_t len,
			     const struct needle *needles, size_t n)
{
	unsigned int found = 0;
	size_t at, i;

	for (at = 0; at + 1 < len; at++) {
		if (!is_start[bytes[at] << 8 | bytes[at + 1]])
			continue;
		for (i = 0; i < n; i++)
			if (at + needles[i].len <= len && is_needle(bytes + at, &needles[i]))
				found++;
	}
	return found;
}

/* Search a run of resident pages of at most one piece; moves @at to its end. */
static unsigned int search_run(int memory, const uint8_t *resident,
			       unsigned long start, unsigned long end,
			       unsigned long *at, const struct needle *needles,
			       size_t n)
{
	static uint8_t piece[PIECE];
	unsigned long from = *at;
	unsigned int found;
	ssize_t len = 0;

	while (*at < end && *at - from < PIECE &&
	       (resident[(*at - start) / PAGE] & 1))
		*at += PAGE;
	if (*at == from)
		*at += PAGE;
	else
		len = pread(memory, piece, *at - from, (off_t)from);
	found = len > 0 ? count_in(piece, (size_t)len, needles, n) : 0;
	/* The buffer of the search is searched too. */
	explicit_bzero(piece, sizeof(piece));
	return found;
}

/* Count copies of all needles in the writable memory of this process. */
static unsigned int search(const struct needle *needles, size_t n)
{
	int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	FILE *maps = fopen("/proc/self/maps", "re");
	static uint8_t resident[HUGE / PAGE];
	unsigned long from, to, at;
	unsigned int found = 0;
	char line[512], mode[8];

	CHECK(maps && memory >= 0, "cannot read memory");
	while (maps && fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-%lx %7s", &from, &to, mode) != 3 ||
		    mode[0] != 'r' || mode[1] != 'w' || to - from > HUGE ||
		    mincore((void *)from, to - from, resident))
			continue;
		for (at = from; at < to;)
			found += search_run(memory, resident, from, to, &at,
					    needles, n);
	}
	if (maps)
		fclose(maps);
	close(memory);
	return found;
}

static void hide_raw(struct needle *needle, const uint8_t *bytes, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		hide(needle, bytes[i]);
}

/* Whole groups of base64 are enough to search for. */
static void hide_base64(struct needle *needle, const uint8_t *bytes, size_t len)
{
	static const uint8_t digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t i;

	for (i = 0; i + 3 <= len; i += 3) {
		hide(needle, digits[bytes[i] >> 2]);
		hide(needle, digits[(bytes[i] & 3) << 4 | bytes[i + 1] >> 4]);
		hide(needle, digits[(bytes[i + 1] & 15) << 2 | bytes[i + 2] >> 6]);
		hide(needle, digits[bytes[i + 2] & 63]);
	}
}

TEST(no_copy_of_a_key_is_left_behind)
{
	static struct needle needles[2 * N_KEYS];
	size_t i, n = 0;

	lab_start("", "");
	lab_client_start(&client, 0, NULL);
	CHECK_NUMBER("got", lab_get(&client, N_KEYS), N_KEYS);
	for (i = 0; i < N_KEYS; i++) {
		hide_raw(&needles[n++], client.keys[i].bytes, 32);
		hide_base64(&needles[n++], client.keys[i].bytes, 32);
	}
	CHECK(search(needles, n) >= N_KEYS, "the search does not find the client's own keys");
	explicit_bzero(client.keys, sizeof(client.keys));
	CHECK_NUMBER("copies while the connection is open", search(needles, n), 0);
	lab_client_stop(&client);
	CHECK_NUMBER("copies when it is closed", search(needles, n), 0);
	lab_stop();
}

TEST(a_wiped_heap_behaves_like_a_heap)
{
	static const size_t sizes[] = { 0, 1, 15, QLINK_WIPE_LOCKED_BYTES - 1,
					QLINK_WIPE_LOCKED_BYTES, 100000 };
	size_t i, k, m;
	uint8_t *data;

	for (i = 0; i < COUNT(sizes); i++) {
		for (k = 0; k < COUNT(sizes); k++) {
			data = qlink_wipe_malloc(sizes[i]);
			CHECK(data && (uintptr_t)data % 16 == 0, "%zu bytes", sizes[i]);
			memset(data, 0x5a, sizes[i]);
			data = qlink_wipe_realloc(data, sizes[k]);
			CHECK(data, "%zu bytes from %zu", sizes[k], sizes[i]);
			for (m = 0; m < sizes[i] && m < sizes[k]; m++)
				if (data[m] != 0x5a)
					break;
			CHECK(m == (sizes[i] < sizes[k] ? sizes[i] : sizes[k]),
			      "byte %zu is lost from %zu to %zu", m, sizes[i], sizes[k]);
			qlink_wipe_free(data);
		}
	}
	CHECK(!qlink_wipe_calloc(SIZE_MAX / 2, 3), "an overflow");
	CHECK(!qlink_wipe_malloc(SIZE_MAX), "all memory");
	qlink_wipe_free(NULL);
}
