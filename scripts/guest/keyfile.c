// SPDX-License-Identifier: GPL-2.0
/* Makes key files whose bytes the host can compute, and wipes them.
 *
 * usage: keyfile make SEED FILE    44 bytes by xorshift64* (Vigna 2016) from SEED
 *        keyfile wipe FILE         overwrites them with zeros, in the same page
 *
 * Leaves no copy of the bytes in its own memory: scripts/scan-memory searches for such copies.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "keybytes.h"

static int put(const char *path, int flags, const uint8_t *bytes)
{
	int fd = open(path, flags, 0600);

	if (fd < 0 || write(fd, bytes, KEY_FILE_BYTES) != KEY_FILE_BYTES || close(fd)) {
		perror(path);
		return 1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	uint8_t bytes[KEY_FILE_BYTES] = {};
	int status;

	if (argc == 4 && !strcmp(argv[1], "make")) {
		fill(bytes, strtoull(argv[2], NULL, 0));
		status = put(argv[3], O_WRONLY | O_CREAT | O_EXCL, bytes);
		explicit_bzero(bytes, sizeof(bytes));
		return status;
	}
	if (argc == 3 && !strcmp(argv[1], "wipe"))
		return put(argv[2], O_WRONLY, bytes);
	fprintf(stderr, "usage: keyfile make SEED FILE | wipe FILE\n");
	return 2;
}
