// SPDX-License-Identifier: GPL-2.0
/* What the kernel counts of a link, and of its memory. */
#include "counters.h"

#include <err.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define LINK		"qlink0"
#define STATS_MAX	256
#define NAME		ETH_GSTRING_LEN

static int sock, devices, memory;
static char names[STATS_MAX][NAME];
static uint32_t n_stats;
/* Where the model's counters are among them, and those that no hostile parcel may move: the rest, but what is sent. */
static uint32_t place[MODEL_COUNTERS], still[STATS_MAX], n_still;
static uint64_t first[STATS_MAX];
static bool has_first;

static void ask(void *request)
{
	struct ifreq ifr = { .ifr_name = LINK, .ifr_data = request };

	if (ioctl(sock, SIOCETHTOOL, &ifr))
		err(1, "ethtool of " LINK);
}

static void read_names(void)
{
	struct { struct ethtool_sset_info info; uint32_t n; } set = { { ETHTOOL_GSSET_INFO, 0, 1 << ETH_SS_STATS }, 0 };
	struct { struct ethtool_gstrings head; char text[STATS_MAX][NAME]; } strings = { 0 };

	ask(&set);
	n_stats = set.n;
	if (n_stats > STATS_MAX)
		errx(1, "%u counters, at most %d", n_stats, STATS_MAX);
	strings.head = (struct ethtool_gstrings){ ETHTOOL_GSTRINGS, ETH_SS_STATS, n_stats };
	ask(&strings);
	memcpy(names, strings.text, sizeof(names));
}

/* Waits for the FPU, and keepalives and others that are sent, depend on what else the machine does. */
static void sort_name(uint32_t i)
{
	for (unsigned int which = 0; which < MODEL_COUNTERS; which++) {
		if (!strcmp(names[i], model_counter_names[which])) {
			place[which] = i;
			return;
		}
	}
	if (!strncmp(names[i], "tx_", 3) || strstr(names[i], "_fpu_wait"))
		return;
	still[n_still++] = i;
}

void counters_open(void)
{
	sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	devices = open("/proc/thread-self/net/dev", O_RDONLY | O_CLOEXEC);
	memory = open("/proc/meminfo", O_RDONLY | O_CLOEXEC);
	if (sock < 0 || devices < 0 || memory < 0)
		err(1, "counters");
	read_names();
	for (uint32_t i = 0; i < n_stats; i++)
		sort_name(i);
}

/* What follows a word in a file of /proc. */
static const char *find(int file, const char *word)
{
	static char text[1 << 16];
	ssize_t bytes = pread(file, text, sizeof(text) - 1, 0);
	const char *at;

	if (bytes < 0)
		err(1, "read %s", word);
	text[bytes] = '\0';
	at = strstr(text, word);
	if (!at)
		errx(1, "%s: not there", word);
	return at + strlen(word);
}

const char *counters_read(struct counters *counters)
{
	struct { struct ethtool_stats head; uint64_t n[STATS_MAX]; } stats;
	uint32_t i;
	char *at;

	stats.head = (struct ethtool_stats){ ETHTOOL_GSTATS, n_stats };
	ask(&stats);
	if (!has_first)
		memcpy(first, stats.n, sizeof(first));
	has_first = true;
	for (i = 0; i < MODEL_COUNTERS; i++)
		counters->n[i] = stats.n[place[i]];
	counters->frame_bytes = strtoull(find(devices, LINK ":"), &at, 10);
	counters->frames = strtoull(at, NULL, 10);
	for (i = 0; i < n_still; i++)
		if (stats.n[still[i]] != first[still[i]])
			return names[still[i]];
	return NULL;
}

uint64_t counters_kernel_kib(void) { return strtoull(find(memory, "SUnreclaim:"), NULL, 10); }
