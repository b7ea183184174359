// SPDX-License-Identifier: GPL-2.0
/* How much of a CPU is left: counts the rounds of a loop in a given time.
 *
 * usage: spin SECONDS
 *
 * Prints rounds and nanoseconds. What interrupts take is not in the kernel's own account of idle time, which looks only at
 * each tick.
 */
#define _GNU_SOURCE
#include "count.h"

int main(int argc, char **argv)
{
	uint64_t begin, end, rounds = 0;
	double seconds = argc == 2 ? atof(argv[1]) : 0;

	if (seconds <= 0) {
		fprintf(stderr, "spin: usage: spin SECONDS\n");
		return 2;
	}
	begin = now();
	do {
		rounds++;
		end = now();
	} while (end - begin < seconds * 1e9);
	printf("%llu %llu\n", (unsigned long long)rounds, (unsigned long long)(end - begin));
	return 0;
}
