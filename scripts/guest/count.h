/* SPDX-License-Identifier: GPL-2.0 */
/* The guest's instruction counter: with QEMU's -icount shift=0, one instruction is one nanosecond of the clock. */
#ifndef QLINK_COUNT_H
#define QLINK_COUNT_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static inline uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

/* Idle time is not counted as instructions. */
static inline uint64_t idle(void)
{
	double up, spent;
	FILE *file = fopen("/proc/uptime", "r");

	if (!file || fscanf(file, "%lf %lf", &up, &spent) != 2) {
		perror("/proc/uptime");
		exit(1);
	}
	fclose(file);
	return spent * 1e9;
}

#endif
