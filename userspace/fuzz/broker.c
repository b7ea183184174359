// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libFuzzer on requests to the broker, the only part of the agent that changes the
 * kernel. Whatever the other part requests, the broker calls the kernel only about
 * devices of the configuration, and only for what an agent needs.
 *
 * An input is the keys that the link has, then requests one after the other. This file
 * defines libqlink's calls itself: a fuzzer has no kernel.
 */
#define if_nametoindex fuzz_nametoindex
#include "qlinkd/broker/broker.c"

#define KEYS_MAX	64
/* Index of the only device of the configuration that exists. */
#define IFINDEX		5
/* Its mix_least. */
#define LEAST		2

static struct qlink_key held[KEYS_MAX];
static size_t n_held;
static struct qlink_link link_now;
static struct broker broker;

static void must(bool holds)
{
	if (!holds)
		abort();
}

static int fail(struct qlink_error *error, int err)
{
	memset(error, 0, sizeof(*error));
	error->err = -err;
	return err;
}

unsigned int fuzz_nametoindex(const char *name)
{
	must(config_find_link(&broker.config, name));
	return strcmp(name, "qlink0") ? 0 : IFINDEX;
}

/* --- libqlink's calls --- */

int qlink_nl_open(struct qlink_nl **nl, struct qlink_error *error)
{
	(void)nl;
	return fail(error, -ENOENT);
}

void qlink_nl_close(struct qlink_nl *nl)
{
	(void)nl;
}

const char *qlink_error_text(const struct qlink_error *error)
{
	return strerror(error->err);
}

int qlink_link_get(struct qlink_nl *nl, uint32_t ifindex, struct qlink_link *link,
		   struct qlink_error *error)
{
	(void)nl;
	(void)error;
	must(ifindex == IFINDEX);
	*link = link_now;
	return 0;
}

int qlink_link_set(struct qlink_nl *nl, uint32_t ifindex, const struct qlink_config *config,
		   struct qlink_error *error)
{
	const uint64_t pace = 1ULL << IFLA_QLINK_REKEY_MS | 1ULL << IFLA_QLINK_KEYS_LOW;
	const uint64_t accept = 1ULL << IFLA_QLINK_ACCEPT | 1ULL << IFLA_QLINK_ACCEPT_KMES;

	(void)nl;
	(void)error;
	must(ifindex == IFINDEX);
	/* Neither peer nor underlay; static keys, which are for tests, are never accepted, nor keys of
	 * fewer KMEs than the configuration says.
	 */
	must(config->present == pace || config->present == accept);
	must(config->accept < 1U << QLINK_SOURCE_STATIC);
	must(config->present == pace ||
	     (config->accept_kmes >= LEAST && config->accept_kmes <= QLINK_KMES_MAX));
	return 0;
}

int qlink_rotate(struct qlink_nl *nl, uint32_t ifindex, struct qlink_error *error)
{
	(void)nl;
	must(ifindex == IFINDEX);
	return fail(error, -ENOENT);
}

int qlink_key_install(struct qlink_nl *nl, uint32_t ifindex, const struct qlink_key *keys,
		      size_t n, struct qlink_error *error)
{
	size_t i;

	(void)nl;
	(void)error;
	must(ifindex == IFINDEX && n && n <= SESSION_OFFER_MAX);
	for (i = 0; i < n; i++) {
		must(keys[i].secret >= broker.keys.data &&
		     keys[i].secret + QLINK_SECRET_BYTES <= broker.keys.data + KEYS_BYTES);
		must(keys[i].direction <= QLINK_DIRECTION_RX &&
		     keys[i].source < QLINK_SOURCE_STATIC && keys[i].kmes <= QLINK_KMES_MAX);
		/* The keys are out of the reach of the agent, and its own copy is wiped. */
		must(keys[i].secret[0] == 'k' && !broker.shared[i * QLINK_SECRET_BYTES]);
	}
	return 0;
}

static bool is_held(const struct qlink_key *key)
{
	size_t i;

	for (i = 0; i < n_held; i++) {
		if (held[i].direction == key->direction && held[i].epoch == key->epoch)
			return true;
	}
	return false;
}

int qlink_key_del(struct qlink_nl *nl, uint32_t ifindex, const struct qlink_key *keys, size_t n,
		  struct qlink_error *error)
{
	size_t i;

	(void)nl;
	must(ifindex == IFINDEX && n);
	for (i = 0; i < n; i++)
		must(is_held(&keys[i]));
	/* Sometimes a key is gone by now. */
	return keys[0].epoch % 4 ? 0 : fail(error, -ENOENT);
}

int qlink_key_dump(struct qlink_nl *nl, uint32_t ifindex, struct qlink_key **keys, size_t *n,
		   struct qlink_error *error)
{
	(void)nl;
	must(ifindex == IFINDEX);
	*keys = malloc(sizeof(held));
	if (!*keys)
		return fail(error, -ENOMEM);
	memcpy(*keys, held, n_held * sizeof(held[0]));
	*n = n_held;
	return 0;
}

int qlink_record_dump(struct qlink_nl *nl, uint32_t ifindex, uint64_t after,
		      struct qlink_record **records, size_t *n, struct qlink_error *error)
{
	(void)nl;
	must(ifindex == IFINDEX);
	*n = after % (2 * REQUEST_RECORDS_MAX);
	*records = calloc(*n + 1, sizeof(**records));
	return *records ? 0 : fail(error, -ENOMEM);
}

/* --- the fuzzer --- */

static const uint8_t *take_held(const uint8_t *data, size_t *len)
{
	uint16_t epoch;

	memset(&link_now, 0, sizeof(link_now));
	for (n_held = 0; *len > 3 && n_held < KEYS_MAX; n_held++) {
		if (data[0] > 1)
			break;
		memcpy(&epoch, data + 1, sizeof(epoch));
		held[n_held] = (struct qlink_key){ .direction = data[0], .epoch = epoch };
		link_now.rx.current_epoch = epoch / 2;
		data += 3;
		*len -= 3;
	}
	return data;
}

static void check_reply(const struct request *request, const struct reply *reply)
{
	size_t i;

	must(reply->err <= 0 && reply->n <= REQUEST_RECORDS_MAX);
	must(memchr(reply->why.text, '\0', sizeof(reply->why.text)));
	if (request->type == REQUEST_RINGS && !reply->err)
		must(reply->rings.tx.n_held <= SESSION_RANGES_MAX &&
		     reply->rings.rx.n_held <= SESSION_RANGES_MAX);
	for (i = 0; i < KEYS_BYTES; i++)
		must(!broker.keys.data[i]);
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const char text[] =
		"agent\n name a\n certificate /a.pem\n key /a.key\n ca /ca.pem\n listen 127.0.0.1:7\n"
		"peer b\n address 127.0.0.1:8\n"
		"link qlink0\n peer b\n policy pqc-only\n"
		"link qlink1\n peer b\n policy pqc-only\n";
	static uint8_t shared[KEYS_BYTES];
	struct config_error error;
	struct config config;

	(void)argc;
	(void)argv;
	broker.shared = shared;
	broker.path = "/nonexistent";
	if (config_parse(&config, text, sizeof(text) - 1, "conf", &error)) {
		fprintf(stderr, "%s\n", error.text);
		abort();
	}
	config.links[0].mix_least = LEAST;
	must(!use_config(&broker, &config));
	must(!qlink_secret_new(&broker.keys, KEYS_BYTES));
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct request request;
	static struct reply reply;
	size_t step;

	for (data = take_held(data, &len); len; data += step, len -= step) {
		step = len < sizeof(request) ? len : sizeof(request);
		memcpy(&request, data, step);
		memset(broker.shared, 'k', KEYS_BYTES);
		/* After a fault the broker exits. */
		if (handle(&broker, &request, step, &reply))
			break;
		check_reply(&request, &reply);
	}
	return 0;
}
