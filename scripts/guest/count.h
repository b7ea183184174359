/* SPDX-License-Identifier: GPL-2.0 */
/* What the counting programs count, between count_start() and count_stop().
 *
 * Without BENCH_CPU, the guest's instructions: with QEMU's -icount shift=0, one instruction is one nanosecond of the
 * clock, and idle time is not counted.
 *
 * With BENCH_CPU=N, on any machine, what CPU N does, in interrupts and kernel threads as well: its time without what it
 * was idle, and its cycles and instructions where the machine has counters. The process stays on this CPU, so that
 * the frames do. BENCH_ALL=1 counts what all CPUs do, for peers that give them work. BENCH_MS=N counts as many frames
 * as fill N ms at the pace of the warm-up.
 */
#ifndef QLINK_COUNT_H
#define QLINK_COUNT_H

#include <errno.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define COUNT_CPUS_MAX	1024

struct count {
	uint64_t ns, idle, cycles, instructions;
};

static int count_cpu = -1, count_n_cpus;
static int count_cycles[COUNT_CPUS_MAX], count_instructions[COUNT_CPUS_MAX];
/* 0: the machine counts cycles and instructions. */
static int count_errno;

static inline uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

/* Idle time is not counted as instructions. */
static inline uint64_t uptime_idle(void)
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

/* Of CPU @cpu, or of all if it is -1; the kernel tells it in ticks of 10 ms. */
static inline uint64_t stat_idle(int cpu)
{
	unsigned long long idle, wait;
	char name[16], line[512];
	FILE *file = fopen("/proc/stat", "r");

	if (cpu < 0)
		strcpy(name, "cpu ");
	else
		snprintf(name, sizeof(name), "cpu%d ", cpu);
	while (file && fgets(line, sizeof(line), file)) {
		if (!strncmp(line, name, strlen(name)) &&
		    sscanf(line, "%*s %*u %*u %*u %llu %llu", &idle, &wait) == 2) {
			fclose(file);
			return (idle + wait) * (1000000000ull / sysconf(_SC_CLK_TCK));
		}
	}
	fprintf(stderr, "/proc/stat: has no %s\n", name);
	exit(1);
}

static inline uint64_t idle(void)
{
	if (count_cpu < 0)
		return uptime_idle();
	return stat_idle(getenv("BENCH_ALL") ? -1 : count_cpu);
}

static inline int count_counter(int cpu, uint64_t what)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_HARDWARE, .size = sizeof(attr), .config = what };
	int fd = (int)syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);

	/* A CPU that is offline counts nothing. */
	if (fd < 0 && !count_errno && errno != ENODEV)
		count_errno = errno;
	return fd;
}

/* Puts the process on CPU @cpu and counts what this CPU does. */
static inline void count_on(int cpu)
{
	int first = cpu, last = cpu, i;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set)) {
		perror("sched_setaffinity");
		exit(1);
	}
	if (getenv("BENCH_ALL")) {
		first = 0;
		last = (int)sysconf(_SC_NPROCESSORS_CONF) - 1;
	}
	count_cpu = cpu;
	for (i = first; i <= last && count_n_cpus < COUNT_CPUS_MAX; i++) {
		count_cycles[count_n_cpus] = count_counter(i, PERF_COUNT_HW_CPU_CYCLES);
		count_instructions[count_n_cpus++] = count_counter(i, PERF_COUNT_HW_INSTRUCTIONS);
	}
}

/* Call it first. */
static inline void count_open(void)
{
	const char *cpu = getenv("BENCH_CPU");

	if (cpu)
		count_on(atoi(cpu));
}

static inline uint64_t count_read(const int *counters)
{
	uint64_t sum = 0, value;
	int i;

	for (i = 0; i < count_n_cpus && !count_errno; i++)
		sum += counters[i] >= 0 && read(counters[i], &value, sizeof(value)) == sizeof(value) ? value : 0;
	return sum;
}

static inline void count_start(struct count *count)
{
	count->cycles = count_read(count_cycles);
	count->instructions = count_read(count_instructions);
	count->idle = idle();
	count->ns = now();
}

static inline void count_stop(struct count *count)
{
	count->ns = now() - count->ns;
	count->idle = idle() - count->idle;
	count->cycles = count_read(count_cycles) - count->cycles;
	count->instructions = count_read(count_instructions) - count->instructions;
}

/* Instructions, or with BENCH_CPU nanoseconds, of each of n. */
static inline double count_each(const struct count *count, double n)
{
	uint64_t cpus = count_cpu >= 0 && getenv("BENCH_ALL") ? (uint64_t)sysconf(_SC_NPROCESSORS_ONLN) : 1;
	double busy = (double)(cpus * count->ns) - (double)count->idle;

	return busy / n;
}

/* Ends a line; with BENCH_CPU, after how many a second there were, and cycles and instructions of each, or "-". */
static inline void count_end_line(const struct count *count, double n)
{
	if (count_cpu >= 0) {
		printf(" %.0f", n * 1e9 / count->ns);
		if (count_errno)
			printf(" - -");
		else
			printf(" %.0f %.0f", count->cycles / n, count->instructions / n);
	}
	printf("\n");
}

/* How many to count: many; or with BENCH_MS, as many as fill this time, as warm of them took the time since begin. */
static inline uint64_t count_enough(uint64_t many, uint64_t warm, uint64_t begin)
{
	const char *ms = getenv("BENCH_MS");

	return ms ? (uint64_t)(warm * (atof(ms) * 1e6 / (now() - begin))) + 1 : many;
}

#endif
