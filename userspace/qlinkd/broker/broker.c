// SPDX-License-Identifier: GPL-2.0-or-later
/* The process of the agent that may change links in the kernel, and does nothing else. */
#include "broker.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/secret.h"
#include "libqlink/qlink.h"
#include "qlinkd/config/config.h"
#include "request.h"
#include "rings.h"

#define KEYS_BYTES	(SESSION_OFFER_MAX * QLINK_SECRET_BYTES)
/* Most keys that one netlink message deletes. */
#define DELETE_MAX	1024

struct broker {
	struct qlink_nl *nl;
	const char *path;
	struct config config;
	/* names of the devices of @config, sorted: each link asks once a second */
	const char **devices;
	/* keys as the agent wrote them, and the broker's own copy, which the agent cannot change */
	uint8_t *shared;
	struct qlink_secret keys;
	/* the last dump of records, the first that no reply has had yet, and the ifindex */
	struct qlink_record *records;
	size_t n_records, next_record;
	uint32_t records_of;
};

struct handler {
	int (*answer)(struct broker *broker, const struct request *request,
		      uint32_t ifindex, struct reply *reply);
	bool has_device;
};

static int refused(struct reply *reply, const struct qlink_error *error)
{
	return qlink_refuse(&reply->why, -error->err, "%s", qlink_error_text(error));
}

static int answer_link(struct broker *broker, const struct request *request,
		       uint32_t ifindex, struct reply *reply)
{
	struct qlink_error error;

	(void)request;
	if (qlink_link_get(broker->nl, ifindex, &reply->link, &error))
		return refused(reply, &error);
	return 0;
}

/* Reads a link and its keys, sorted by rings_sort(); the caller frees @keys. */
static int read_link(struct broker *broker, uint32_t ifindex, struct qlink_link *link,
		     struct qlink_key **keys, size_t *n, struct reply *reply)
{
	struct qlink_error error;

	if (qlink_link_get(broker->nl, ifindex, link, &error) ||
	    qlink_key_dump(broker->nl, ifindex, keys, n, &error))
		return refused(reply, &error);
	rings_sort(*keys, *n);
	return 0;
}

/*
 * A key may have gone since the dump. That is not an error, but the kernel then refuses the whole
 * message. So each half is sent again on its own, down to single keys. That is cheap: only few
 * keys go meanwhile, and they are the oldest, next to each other.
 */
static int delete_some(struct broker *broker, uint32_t ifindex, const struct qlink_key *keys,
		       size_t n, struct reply *reply)
{
	struct qlink_error error;
	int err = qlink_key_del(broker->nl, ifindex, keys, n, &error);

	if (err != -ENOENT)
		return err ? refused(reply, &error) : 0;
	if (n == 1)
		return 0;
	err = delete_some(broker, ifindex, keys, n / 2, reply);
	return err ? err : delete_some(broker, ifindex, keys + n / 2, n - n / 2, reply);
}

static int delete_keys(struct broker *broker, uint32_t ifindex,
		       const struct qlink_key *keys, size_t n, struct reply *reply)
{
	size_t at, step;
	int err = 0;

	for (at = 0; at < n && !err; at += step) {
		step = n - at < DELETE_MAX ? n - at : DELETE_MAX;
		err = delete_some(broker, ifindex, keys + at, step, reply);
	}
	return err;
}

/* Deletes the keys of a direction whose epochs are in @range and above @above. */
static int delete_range(struct broker *broker, uint32_t ifindex, uint8_t direction,
			const struct session_range *range, uint64_t above,
			struct qlink_key *keys, size_t n, struct reply *reply)
{
	size_t i, n_delete = 0;

	for (i = 0; i < n; i++) {
		if (keys[i].direction == direction && keys[i].epoch > above &&
		    keys[i].epoch >= range->first && keys[i].epoch <= range->last)
			keys[n_delete++] = keys[i];
	}
	return delete_keys(broker, ifindex, keys, n_delete, reply);
}

static int answer_rings(struct broker *broker, const struct request *request,
			uint32_t ifindex, struct reply *reply)
{
	struct session_rings *rings = &reply->rings;
	uint64_t tx_first, rx_first;
	struct qlink_link link;
	struct qlink_key *keys;
	size_t n, i, n_delete = 0;
	int err = read_link(broker, ifindex, &link, &keys, &n, reply);

	(void)request;
	if (err)
		return err;
	tx_first = rings_report(&rings->tx, &link.tx, QLINK_DIRECTION_TX, keys, n);
	rx_first = rings_report(&rings->rx, &link.rx, QLINK_DIRECTION_RX, keys, n);
	for (i = 0; i < n; i++) {
		if (keys[i].epoch < (keys[i].direction == QLINK_DIRECTION_TX ?
					     tx_first : rx_first))
			keys[n_delete++] = keys[i];
	}
	err = delete_keys(broker, ifindex, keys, n_delete, reply);
	free(keys);
	return err;
}

static int configure(struct broker *broker, uint32_t ifindex,
		     const struct qlink_config *config, struct reply *reply)
{
	struct qlink_error error;

	if (qlink_link_set(broker->nl, ifindex, config, &error))
		return refused(reply, &error);
	return 0;
}

/* How many KMEs a key needs at least. The configuration counts, whatever the agent says. */
static uint8_t least_kmes(const struct broker *broker, const struct request *request)
{
	const struct config_link *link = config_find_link(&broker->config, request->device);

	return request->least > link->mix_least ? request->least : (uint8_t)link->mix_least;
}

static bool accepts_same(const struct qlink_config *a, const struct qlink_config *b)
{
	return a->accept == b->accept && a->accept_kmes == b->accept_kmes;
}

static int answer_reconcile(struct broker *broker, const struct request *request,
			    uint32_t ifindex, struct reply *reply)
{
	const struct qlink_config config = {
		.present = 1ULL << IFLA_QLINK_ACCEPT | 1ULL << IFLA_QLINK_ACCEPT_KMES,
		.accept = request->sources,
		.accept_kmes = least_kmes(broker, request),
	};
	struct qlink_link link;
	struct qlink_key *keys;
	size_t n;
	int err = read_link(broker, ifindex, &link, &keys, &n, reply);

	if (err)
		return err;
	if (request->sources)
		n = rings_select(keys, n, &request->peer, link.rx.current_epoch);
	err = delete_keys(broker, ifindex, keys, n, reply);
	free(keys);
	/* If no source is in common, all keys are deleted, so none can be of a refused source. */
	if (!err && request->sources && !accepts_same(&link.config, &config))
		err = configure(broker, ifindex, &config, reply);
	return err;
}

static int answer_install(struct broker *broker, const struct request *request,
			  uint32_t ifindex, struct reply *reply)
{
	struct qlink_key keys[SESSION_OFFER_MAX] = { 0 };
	struct qlink_error error;
	uint8_t i;
	int err;

	for (i = 0; i < request->n; i++) {
		keys[i].secret = broker->keys.data + i * QLINK_SECRET_BYTES;
		keys[i].epoch = request->range.first + i;
		keys[i].direction = request->direction;
		keys[i].source = request->source;
		keys[i].kmes = request->kmes;
		memcpy(keys[i].kme_key_id, request->kme_key_ids[i],
		       sizeof(keys[i].kme_key_id));
	}
	err = qlink_key_install(broker->nl, ifindex, keys, request->n, &error);
	return err ? refused(reply, &error) : 0;
}

static int answer_delete(struct broker *broker, const struct request *request,
			 uint32_t ifindex, struct reply *reply)
{
	struct qlink_link link;
	struct qlink_key *keys;
	uint64_t above = 0;
	size_t n;
	int err = read_link(broker, ifindex, &link, &keys, &n, reply);

	if (err)
		return err;
	if (request->staged_only)
		above = request->direction == QLINK_DIRECTION_TX ?
				link.tx.current_epoch : link.rx.current_epoch;
	err = delete_range(broker, ifindex, request->direction, &request->range, above,
			   keys, n, reply);
	free(keys);
	return err;
}

static int answer_pace(struct broker *broker, const struct request *request,
		       uint32_t ifindex, struct reply *reply)
{
	const struct qlink_config config = {
		.present = 1ULL << IFLA_QLINK_REKEY_MS | 1ULL << IFLA_QLINK_KEYS_LOW,
		.rekey_ms = request->period_ms,
		.keys_low = request->keys_low,
	};

	return configure(broker, ifindex, &config, reply);
}

static int answer_rotate(struct broker *broker, const struct request *request,
			 uint32_t ifindex, struct reply *reply)
{
	struct qlink_error error;

	(void)request;
	if (qlink_rotate(broker->nl, ifindex, &error))
		return refused(reply, &error);
	return 0;
}

static void free_records(struct broker *broker)
{
	free(broker->records);
	broker->records = NULL;
	broker->n_records = 0;
	broker->next_record = 0;
}

/*
 * A dump has all records of a device. A request that continues after the last reply is answered
 * from it, so that the rest is not dumped again each time.
 */
static bool continues_dump(const struct broker *broker, uint64_t after, uint32_t ifindex)
{
	size_t next = broker->next_record;

	return next && broker->records_of == ifindex && broker->records[next - 1].number == after;
}

static int answer_records(struct broker *broker, const struct request *request,
			  uint32_t ifindex, struct reply *reply)
{
	struct qlink_error error;
	size_t left;

	if (!continues_dump(broker, request->after, ifindex)) {
		free_records(broker);
		if (qlink_record_dump(broker->nl, ifindex, request->after, &broker->records,
				      &broker->n_records, &error))
			return refused(reply, &error);
		broker->records_of = ifindex;
	}
	left = broker->n_records - broker->next_record;
	reply->n = (uint32_t)(left < REQUEST_RECORDS_MAX ? left : REQUEST_RECORDS_MAX);
	if (reply->n)
		memcpy(reply->records, broker->records + broker->next_record,
		       reply->n * sizeof(*reply->records));
	broker->next_record += reply->n;
	if (broker->next_record == broker->n_records)
		free_records(broker);
	return 0;
}

static int compare_devices(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Takes over @config on success. */
static int use_config(struct broker *broker, struct config *config)
{
	const char **names = calloc(config->n_links + 1, sizeof(*names));
	size_t i;

	if (!names)
		return -ENOMEM;
	for (i = 0; i < config->n_links; i++)
		names[i] = config->links[i].device;
	qsort(names, config->n_links, sizeof(*names), compare_devices);
	free(broker->devices);
	config_free(&broker->config);
	broker->devices = names;
	broker->config = *config;
	return 0;
}

static bool has_device(const struct broker *broker, const char *device)
{
	return bsearch(&device, broker->devices, broker->config.n_links,
		       sizeof(*broker->devices), compare_devices);
}

static int answer_reload(struct broker *broker, const struct request *request,
			 uint32_t ifindex, struct reply *reply)
{
	struct config_error error;
	struct config config;
	int err = config_read(&config, broker->path, &error);

	(void)ifindex;
	if (err)
		qlink_refuse(&reply->why, err, "%s", error.text);
	else if (config.digest != request->digest)
		err = qlink_refuse(&reply->why, -ESTALE, "the file has changed since it was checked");
	else if (use_config(broker, &config))
		err = qlink_refuse(&reply->why, -ENOMEM, "no memory");
	if (err)
		config_free(&config);
	return err;
}

/* Never accepts more than before, unless that were nothing, which the kernel does not take. */
static int answer_restrict(struct broker *broker, const struct request *request,
			   uint32_t ifindex, struct reply *reply)
{
	struct qlink_config config = {
		.present = 1ULL << IFLA_QLINK_ACCEPT | 1ULL << IFLA_QLINK_ACCEPT_KMES,
		.accept_kmes = least_kmes(broker, request),
	};
	struct qlink_error error;
	struct qlink_link link;

	if (qlink_link_get(broker->nl, ifindex, &link, &error))
		return refused(reply, &error);
	config.accept = link.config.accept & request->sources ?: request->sources;
	if (config.accept_kmes < link.config.accept_kmes)
		config.accept_kmes = link.config.accept_kmes;
	return accepts_same(&link.config, &config) ? 0 :
	       configure(broker, ifindex, &config, reply);
}

static const struct handler handlers[REQUEST_N] = {
	[REQUEST_LINK] = { answer_link, true },
	[REQUEST_RINGS] = { answer_rings, true },
	[REQUEST_RECONCILE] = { answer_reconcile, true },
	[REQUEST_INSTALL] = { answer_install, true },
	[REQUEST_DELETE] = { answer_delete, true },
	[REQUEST_PACE] = { answer_pace, true },
	[REQUEST_ROTATE] = { answer_rotate, true },
	[REQUEST_RECORDS] = { answer_records, true },
	[REQUEST_RELOAD] = { answer_reload, false },
	[REQUEST_RESTRICT] = { answer_restrict, true },
};

static bool ring_is_sane(const struct session_ring *ring)
{
	return ring->n_held <= SESSION_RANGES_MAX;
}

/* Finds what an intact agent never requests; the kernel checks the rest. */
static const char *find_fault(const struct request *request)
{
	if (request->type >= REQUEST_N)
		return "no such request";
	if (memchr(request->device, '\0', sizeof(request->device)) == NULL)
		return "device name without a NUL";
	if (request->direction > QLINK_DIRECTION_RX)
		return "no such direction";
	if (request->staged_only > 1)
		return "staged_only is neither 0 nor 1";
	if (request->source >= QLINK_SOURCE_STATIC ||
	    request->sources >= 1 << QLINK_SOURCE_STATIC)
		return "no such source for an agent";
	if (request->kmes > QLINK_KMES_MAX || request->least > QLINK_KMES_MAX)
		return "too many KMEs";
	if (request->n > SESSION_OFFER_MAX ||
	    (request->type == REQUEST_INSTALL && !request->n))
		return "too many keys, or no key";
	if (request->type == REQUEST_RESTRICT && !request->sources)
		return "no source";
	if (!ring_is_sane(&request->peer.tx) || !ring_is_sane(&request->peer.rx))
		return "too many ranges";
	return NULL;
}

/* The agent can write to the shared memory at any time, so the broker uses a copy. */
static void take_keys(struct broker *broker)
{
	memcpy(broker->keys.data, broker->shared, KEYS_BYTES);
	explicit_bzero(broker->shared, KEYS_BYTES);
}

static void answer(struct broker *broker, const struct request *request,
		   struct reply *reply)
{
	const struct handler *handler = &handlers[request->type];
	unsigned int ifindex = 0;

	if (handler->has_device) {
		if (!has_device(broker, request->device)) {
			reply->err = qlink_refuse(&reply->why, -EPERM,
						  "not in the configuration");
			return;
		}
		/* Look it up for each request: the device may have been replaced. */
		ifindex = if_nametoindex(request->device);
		if (!ifindex) {
			reply->err = qlink_refuse(&reply->why, -ENODEV, "no such device");
			return;
		}
	}
	reply->err = handler->answer(broker, request, ifindex, reply);
}

/* Handles a request of @len bytes. Returns NULL and fills in @reply, or returns what is wrong. */
static const char *handle(struct broker *broker, const struct request *request, size_t len,
			  struct reply *reply)
{
	const char *fault = len == sizeof(*request) ? find_fault(request) : "wrong length";

	if (fault)
		return fault;
	memset(reply, 0, sizeof(*reply));
	if (request->type == REQUEST_INSTALL)
		take_keys(broker);
	answer(broker, request, reply);
	explicit_bzero(broker->keys.data, KEYS_BYTES);
	return NULL;
}

static int serve(struct broker *broker, int fd)
{
	static struct request request;
	static struct reply reply;
	const char *fault;
	ssize_t got;

	for (;;) {
		got = recv(fd, &request, sizeof(request), 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0;
		fault = handle(broker, &request, (size_t)got, &reply);
		if (fault) {
			fprintf(stderr, "<3>broker request=%u fault=\"%s\"\n",
				request.type, fault);
			return 1;
		}
		if (send(fd, &reply, sizeof(reply), MSG_NOSIGNAL) != sizeof(reply))
			return 1;
	}
}

int broker_run(int fd, uint8_t *keys, const char *path)
{
	struct broker broker = { .path = path, .shared = keys };
	struct config_error config_error;
	struct config config;
	struct qlink_error error;
	int status = 1;

	if (qlink_secret_new(&broker.keys, KEYS_BYTES)) {
		fprintf(stderr, "<3>broker error=\"no locked memory\"\n");
		return status;
	}
	if (config_read(&config, path, &config_error))
		fprintf(stderr, "<3>config error=\"%s\"\n", config_error.text);
	else if (use_config(&broker, &config))
		fprintf(stderr, "<3>broker error=\"no memory\"\n");
	else if (qlink_nl_open(&broker.nl, &error))
		fprintf(stderr, "<3>broker error=\"%s\"\n", qlink_error_text(&error));
	else
		status = serve(&broker, fd);
	free_records(&broker);
	qlink_nl_close(broker.nl);
	config_free(&broker.config);
	free(broker.devices);
	qlink_secret_free(&broker.keys);
	return status;
}
