// SPDX-License-Identifier: GPL-2.0-or-later
/* Devices in memory: the real broker and its client, without a kernel. */
#include "device.h"

#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>

#include <openssl/rand.h>

#include "libqlink/qlink.h"
#include "qlinkd/base/clock.h"
#include "tap.h"

uint64_t device_now;
bool device_time_is_real;
struct device devices[2];
/* Of device_many(), if it was called. */
static struct device *many;
static unsigned int n_many;

static uint64_t simulated_ms(clockid_t clock)
{
	return device_time_is_real ? clock_ms(clock) : device_now;
}

#define clock_ms simulated_ms
#include "qlinkd/services.c"
#undef clock_ms

/* --- stand-ins for libqlink's calls; an ifindex is an end's number plus 1, then come many --- */

static int fail(struct qlink_error *error, int err)
{
	memset(error, 0, sizeof(*error));
	error->err = -err;
	return err;
}

static struct device *find(uint32_t ifindex)
{
	return ifindex > COUNT(devices) ? &many[ifindex - COUNT(devices) - 1] : &devices[ifindex - 1];
}

uint32_t device_staged(const struct device_ring *ring)
{
	return ring->n - !!ring->current;
}

static void describe_ring(const struct device_ring *ring, struct qlink_ring *to)
{
	memcpy(to->id, ring->id, sizeof(to->id));
	to->newest_epoch = ring->newest;
	to->current_epoch = ring->current;
	to->staged = device_staged(ring);
	to->has_source = ring->current > 0;
	if (ring->current)
		to->current_source = ring->keys[0].source;
	to->current_kmes = ring->current ? ring->keys[0].kmes : 0;
	to->usage[QLINK_SOURCE_PQC].frames = ring->frames;
	to->usage[QLINK_SOURCE_PQC].bytes = ring->bytes;
	to->age_ms = ring->current && ring->keys[0].first_ms ? device_now - ring->keys[0].first_ms : 0;
}

static int fake_link_get(struct qlink_nl *nl, uint32_t ifindex, struct qlink_link *link,
			 struct qlink_error *error)
{
	const struct device *device = find(ifindex);

	(void)nl;
	if (device->any_err)
		return fail(error, device->any_err);
	memset(link, 0, sizeof(*link));
	link->config.id = device->id;
	link->config.accept = device->accept;
	link->config.hard_seconds = device->hard_seconds;
	link->config.accept_kmes = (uint8_t)device->accept_kmes;
	link->wipes = device->wipes;
	if (device->is_up)
		link->state = QLINK_LINK_STATE_UP;
	describe_ring(&device->tx, &link->tx);
	describe_ring(&device->rx, &link->rx);
	return 0;
}

static bool accepts(const struct device *device, uint8_t source, uint8_t kmes)
{
	bool has_kme = source == QLINK_SOURCE_QKD || source == QLINK_SOURCE_HYBRID;

	return device->accept & 1U << source && (!has_kme || kmes >= device->accept_kmes);
}

/* The kernel deletes keys that it no longer accepts. */
static void refuse_keys(const struct device *device, struct device_ring *ring)
{
	unsigned int i;

	for (i = ring->n; i--; ) {
		if (!accepts(device, ring->keys[i].source, ring->keys[i].kmes))
			device_drop(ring, i, 1);
	}
}

static int fake_link_set(struct qlink_nl *nl, uint32_t ifindex,
			 const struct qlink_config *config, struct qlink_error *error)
{
	struct device *device = find(ifindex);

	(void)nl;
	if (device->any_err)
		return fail(error, device->any_err);
	if (qlink_config_has(config, IFLA_QLINK_ACCEPT))
		device->accept = config->accept;
	if (qlink_config_has(config, IFLA_QLINK_ACCEPT_KMES))
		device->accept_kmes = config->accept_kmes;
	refuse_keys(device, &device->tx);
	refuse_keys(device, &device->rx);
	if (qlink_config_has(config, IFLA_QLINK_REKEY_MS))
		device->rekey_ms = config->rekey_ms;
	if (qlink_config_has(config, IFLA_QLINK_KEYS_LOW))
		device->keys_low = config->keys_low;
	return 0;
}

static void dump_ring(const struct device_ring *ring, uint8_t direction,
		      struct qlink_key **at)
{
	unsigned int i;

	for (i = 0; i < ring->n; i++, (*at)++) {
		memset(*at, 0, sizeof(**at));
		(*at)->direction = direction;
		(*at)->epoch = ring->keys[i].epoch;
		(*at)->source = ring->keys[i].source;
		(*at)->kmes = ring->keys[i].kmes;
	}
}

static int fake_key_dump(struct qlink_nl *nl, uint32_t ifindex, struct qlink_key **keys,
			 size_t *n, struct qlink_error *error)
{
	const struct device *device = find(ifindex);
	struct qlink_key *at;

	(void)nl;
	*keys = NULL;
	*n = 0;
	if (device->any_err)
		return fail(error, device->any_err);
	*n = device->tx.n + device->rx.n;
	*keys = at = malloc((*n + 1) * sizeof(**keys));
	if (!at)
		abort();
	dump_ring(&device->tx, QLINK_DIRECTION_TX, &at);
	dump_ring(&device->rx, QLINK_DIRECTION_RX, &at);
	return 0;
}

static struct device_ring *ring_of(struct device *device, uint8_t direction)
{
	return direction == QLINK_DIRECTION_TX ? &device->tx : &device->rx;
}

struct device_key *device_find(struct device_ring *ring, uint64_t epoch)
{
	unsigned int low = 0, high = ring->n, at;

	while (low < high) {
		at = (low + high) / 2;
		if (ring->keys[at].epoch == epoch)
			return &ring->keys[at];
		if (ring->keys[at].epoch < epoch)
			low = at + 1;
		else
			high = at;
	}
	return NULL;
}

void device_drop(struct device_ring *ring, unsigned int i, unsigned int n)
{
	if (!n)
		return;
	if (ring->current && ring->keys[i].epoch <= ring->current &&
	    ring->keys[i + n - 1].epoch >= ring->current)
		ring->current = 0;
	memmove(&ring->keys[i], &ring->keys[i + n], (ring->n - i - n) * sizeof(ring->keys[0]));
	ring->n -= n;
}

static int fake_key_del(struct qlink_nl *nl, uint32_t ifindex, const struct qlink_key *keys,
			size_t n, struct qlink_error *error)
{
	struct device *device = find(ifindex);
	struct device_ring *ring;
	struct device_key *key;
	size_t i;

	(void)nl;
	if (device->any_err || device->delete_err)
		return fail(error, device->any_err ?: device->delete_err);
	for (i = 0; i < n; i++) {
		ring = ring_of(device, keys[i].direction);
		key = device_find(ring, keys[i].epoch);
		if (!key)
			return fail(error, -ENOENT);
		device_drop(ring, (unsigned int)(key - ring->keys), 1);
	}
	return 0;
}

/* The rules of kmod's PROTOCOL.md, section 4, as far as an agent can break them. */
static int refusal(const struct device *device, const struct device_ring *ring,
		   const struct qlink_key *keys, size_t n)
{
	if (device->install_err)
		return device->install_err;
	if (keys[0].epoch <= ring->newest)
		return -EEXIST;
	if (ring->newest && keys[n - 1].epoch - ring->newest > SESSION_EPOCH_LEAP)
		return -ERANGE;
	if (!accepts(device, keys[0].source, keys[0].kmes))
		return -EPERM;
	return ring->n + n > DEVICE_KEYS ? -ENOSPC : 0;
}

static int fake_key_install(struct qlink_nl *nl, uint32_t ifindex, const struct qlink_key *keys,
			    size_t n, struct qlink_error *error)
{
	struct device *device = find(ifindex);
	struct device_ring *ring = ring_of(device, keys[0].direction);
	int err = device->any_err ? device->any_err : refusal(device, ring, keys, n);
	struct device_key *key = &ring->keys[ring->n];
	size_t i;

	(void)nl;
	if (err)
		return fail(error, err);
	for (i = 0; i < n; i++, key++) {
		memset(key, 0, sizeof(*key));
		key->epoch = keys[i].epoch;
		key->source = keys[i].source;
		key->kmes = keys[i].kmes;
		memcpy(key->bytes, keys[i].secret, sizeof(key->bytes));
		memcpy(key->kme_key_id, keys[i].kme_key_id, sizeof(key->kme_key_id));
	}
	ring->n += (unsigned int)n;
	ring->newest = keys[n - 1].epoch;
	if (keys[0].direction == QLINK_DIRECTION_TX && device->installed)
		device->installed(device->arg, key - n, (unsigned int)n);
	return 0;
}

static int fake_rotate(struct qlink_nl *nl, uint32_t ifindex, struct qlink_error *error)
{
	struct device *device = find(ifindex);

	(void)nl;
	if (!device_staged(&device->tx))
		return fail(error, -ENOENT);
	device_rotate(device, QLINK_DIRECTION_TX, 0);
	return 0;
}

static int fake_record_dump(struct qlink_nl *nl, uint32_t ifindex, uint64_t after,
			    struct qlink_record **records, size_t *n, struct qlink_error *error)
{
	struct device *device = find(ifindex);
	uint64_t oldest = device->n_records > DEVICE_RECORDS ?
			  device->n_records - DEVICE_RECORDS : 0, i;

	(void)nl;
	*records = NULL;
	*n = 0;
	if (device->any_err)
		return fail(error, device->any_err);
	device->n_record_dumps++;
	if (after < oldest)
		after = oldest;
	*n = after < device->n_records ? device->n_records - after : 0;
	*records = malloc((*n + 1) * sizeof(**records));
	if (!*records)
		abort();
	for (i = 0; i < *n; i++)
		(*records)[i] = device->records[(after + i) % DEVICE_RECORDS];
	return 0;
}

static const char *fake_error_text(const struct qlink_error *error)
{
	return strerror(error->err);
}

/* --- the real broker, with functions in the place of its socket --- */

static unsigned int asked_end;

static unsigned int fake_nametoindex(const char *name)
{
	if (n_many)
		return (unsigned int)COUNT(devices) + 1 + (unsigned int)atoi(name + strlen("qlink"));
	return devices[asked_end].is_there && !strcmp(name, "qlink0") ? asked_end + 1 : 0;
}

static ssize_t to_broker(int fd, const void *data, size_t len, int flags);
static ssize_t from_broker(int fd, void *data, size_t len, int flags);

static int no_wait(struct pollfd *fds, nfds_t n, int timeout)
{
	(void)fds;
	(void)timeout;
	return (int)n;
}

#define if_nametoindex fake_nametoindex
#define qlink_error_text fake_error_text
#define qlink_link_get fake_link_get
#define qlink_link_set fake_link_set
#define qlink_key_dump fake_key_dump
#define qlink_key_del fake_key_del
#define qlink_key_install fake_key_install
#define qlink_rotate fake_rotate
#define qlink_record_dump fake_record_dump
#define send to_broker
#define recv from_broker
#define poll no_wait
#include "qlinkd/broker/broker.c"
#include "qlinkd/broker/client.c"
#undef send
#undef recv
#undef poll

static struct broker brokers[2];
static struct reply reply;

static ssize_t to_broker(int fd, const void *data, size_t len, int flags)
{
	const struct request *request = data;
	const char *fault;

	(void)flags;
	asked_end = (unsigned int)fd;
	devices[asked_end].asked[request->type]++;
	fault = handle(&brokers[asked_end], request, len, &reply);
	CHECK(!fault, "the broker would end: %s", fault);
	return (ssize_t)len;
}

static ssize_t from_broker(int fd, void *data, size_t len, int flags)
{
	(void)flags;
	if (devices[fd].answered)
		devices[fd].answered(devices[fd].arg);
	memcpy(data, &reply, len);
	return (ssize_t)len;
}

/* --- what world.c calls --- */

void device_wipe(struct device *device)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		struct device_ring *ring = i ? &device->rx : &device->tx;

		memset(ring, 0, sizeof(*ring));
		if (RAND_bytes(ring->id, sizeof(ring->id)) != 1)
			abort();
	}
	device->wipes++;
}

void device_recreate(struct device *device)
{
	device_wipe(device);
	device->wipes = 0;
}

/* The memory for key bytes that an agent shares with its broker. */
static uint8_t shared[2][KEYS_BYTES];

/* Does not touch the memory for keys. */
static void start_device(struct device *device, uint16_t id)
{
	if (RAND_bytes(device->tx.id, sizeof(device->tx.id)) != 1 ||
	    RAND_bytes(device->rx.id, sizeof(device->rx.id)) != 1)
		abort();
	device->is_there = true;
	device->id = id;
	device->accept = 1U << QLINK_SOURCE_HYBRID | 1U << QLINK_SOURCE_PQC;
	device->accept_kmes = 1;
}

struct device *device_many(unsigned int n)
{
	unsigned int i;

	/* Only the pages that hold keys are used. */
	many = mmap(NULL, n * sizeof(*many), PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (many == MAP_FAILED)
		BAIL_OUT();
	n_many = n;
	for (i = 0; i < n; i++)
		start_device(&many[i], (uint16_t)(i + 1));
	return many;
}

void device_start(const struct config *config)
{
	struct config copy;
	unsigned int i;

	for (i = 0; i < 2; i++) {
		memset(&devices[i], 0, sizeof(devices[i]));
		start_device(&devices[i], 7);
		/* The test keeps what the configuration has. */
		copy = *config;
		memset(&brokers[i].config, 0, sizeof(brokers[i].config));
		if (use_config(&brokers[i], &copy))
			abort();
		brokers[i].shared = shared[i];
		if (!brokers[i].keys.data && qlink_secret_new(&brokers[i].keys, KEYS_BYTES))
			abort();
	}
}

void device_broker_reads(unsigned int end, const char *path)
{
	struct config_error error;
	struct config config;

	brokers[end].path = path;
	CHECK_NUMBER("broker", config_read(&config, path, &error), 0);
	CHECK_NUMBER("memory", use_config(&brokers[end], &config), 0);
}

void device_broker_ends(unsigned int end)
{
	config_free(&brokers[end].config);
}

void device_services(struct services *services, unsigned int end, int log_fd)
{
	memset(services, 0, sizeof(*services));
	services->broker.fd = (int)end;
	services->broker.keys = shared[end];
	log_init(&services->log, log_fd, device_now);
}

static void note_record(struct device *device, uint8_t direction, const struct device_key *key)
{
	struct qlink_record *record = &device->records[device->n_records % DEVICE_RECORDS];

	*record = (struct qlink_record){
		.number = ++device->n_records, .epoch = key->epoch, .first_ms = key->first_ms,
		.last_ms = device_now, .frames = 1, .direction = direction,
		.source = key->source,
		.kmes = key->kmes,
	};
	memcpy(record->kme_key_id, key->kme_key_id, sizeof(record->kme_key_id));
}

void device_rotate(struct device *device, uint8_t direction, unsigned int skip)
{
	struct device_ring *ring = ring_of(device, direction);
	unsigned int gone = skip + !!ring->current;

	if (ring->current)
		note_record(device, direction, &ring->keys[0]);
	ring->current = 0;
	device_drop(ring, 0, gone);
	ring->current = ring->keys[0].epoch;
	ring->keys[0].first_ms = device_now;
}

void device_event(const struct device *device, uint32_t kinds, struct qlink_event *event)
{
	memset(event, 0, sizeof(*event));
	event->kinds = kinds;
	describe_ring(&device->tx, &event->tx);
	describe_ring(&device->rx, &event->rx);
}
