// SPDX-License-Identifier: GPL-2.0-or-later
/* libFuzzer on the answers of key servers that speak SKIP: whatever they send, the rules hold. */
#include "qlinkd/kme/skip.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "qlinkd/kme/memory.h"

/* One request is for one key; a client that asked for more must not be harmed either. */
#define N_KEYS	2

static const struct kme_key_id ids[N_KEYS] = { { "1726e9AE76234FB1dd1283d4dca1911e" }, { "00000002" } };

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void check_keys(const struct kme_key *keys, size_t n,
		       const struct kme_ask *ask)
{
	const uint8_t *rest = (const uint8_t *)&keys[n];
	size_t len = (ask->n - n) * sizeof(*keys), i, k;

	for (i = 0; i < n; i++) {
		must(kme_id_is_good(keys[i].id.text, strlen(keys[i].id.text)));
		must(!keys[i].id.text[strspn(keys[i].id.text, "0123456789abcdefABCDEF")]);
		must(keys[i].len >= KME_SECRET_MIN_BYTES &&
		     keys[i].len <= KME_SECRET_MAX_BYTES);
		must(!ask->ids || !strcmp(ask->ids[keys[i].place].text,
					  keys[i].id.text));
		for (k = 0; k < i; k++)
			must(strcmp(keys[i].id.text, keys[k].id.text));
	}
	for (i = 0; i < len; i++)
		must(!rest[i]);
}

static void check_ask(const char *text, size_t len, const struct kme_key_id *asked)
{
	struct kme_ask ask = { .n = N_KEYS, .ids = asked };
	struct kme_key keys[N_KEYS];
	struct kme_tally tally;
	struct qlink_why why;
	size_t bad = 0, i;
	int n;

	memset(keys, 0xee, sizeof(keys));
	n = kme_skip.judge_keys(text, len, &ask, keys, &tally, &why);
	must(strnlen(why.text, sizeof(why.text)) < sizeof(why.text));
	must(n >= 0 || why.text[0]);
	must(n <= 1 && tally.taken == (n < 0 ? 0 : (size_t)n));
	for (i = 0; i < KME_FAULT_N; i++)
		bad += tally.faults[i];
	must(n < 0 || tally.sent == tally.taken + bad);
	must(n < 0 || !bad == !why.text[0]);
	check_keys(keys, n < 0 ? 0 : (size_t)n, &ask);
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	return kme_memory_init();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct kme_status status;
	struct qlink_why why;

	check_ask((const char *)data, len, NULL);
	check_ask((const char *)data, len, ids);
	if (!kme_skip.judge_status((const char *)data, len, "SAE-B", &status, &why))
		must(status.max_key_per_request == 1 && !strcmp(status.slave, "SAE-B"));
	else
		must(why.text[0] && strnlen(why.text, sizeof(why.text)) < sizeof(why.text));
	return 0;
}
