/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Devices that lie in memory: the real broker and its client, without a kernel. */
#ifndef QLINK_TESTS_DEVICE_H
#define QLINK_TESTS_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "libqlink/event.h"
#include "qlinkd/config/config.h"
#include "qlinkd/services.h"

/* Nobody can load a kernel module where unit tests run. */

#define DEVICE_KEYS	1200
#define DEVICE_RECORDS	256

struct device_key {
	uint64_t epoch;
	uint64_t first_ms;
	uint8_t source;
	uint8_t bytes[QLINK_SECRET_BYTES];
	uint8_t kme_key_id[QLINK_KME_KEY_ID_BYTES];
};

/* Keys in the order of their epochs; the first is the current one if @current is not 0. */
struct device_ring {
	struct device_key keys[DEVICE_KEYS];
	unsigned int n;
	uint64_t newest, current;
	uint8_t id[QLINK_RING_ID_BYTES];
};

/* One end's device; what the simulated world does to it, it does to these members. */
struct device {
	struct device_ring tx, rx;
	bool is_there;
	uint16_t id;
	uint32_t accept, rekey_ms, keys_low, wipes;
	uint64_t n_records;
	unsigned int n_record_dumps;
	struct qlink_record records[DEVICE_RECORDS];
	/* whether the kernel refuses to install or to delete keys, or anything at all */
	int install_err, delete_err, any_err;
	/* what was asked so far, by enum request_type */
	unsigned int asked[REQUEST_N];
	/* called once keys are there to send */
	void (*installed)(void *arg, const struct device_key *keys, unsigned int n);
	/* called with each answer of the broker */
	void (*answered)(void *arg);
	void *arg;
};

/* Simulated time in ms: what services_now() says. */
extern uint64_t device_now;

/* The devices of both ends; each is called "qlink0". */
extern struct device devices[2];

/* New devices, without keys; @config has a link "qlink0". */
void device_start(const struct config *config);

/* Services of one end, with its broker; log lines go to @log_fd. */
void device_services(struct services *services, unsigned int end, int log_fd);

/* New rings, as after a wipe. */
void device_wipe(struct device *device);

/* Take away keys of a ring from its @i-th on. */
void device_drop(struct device_ring *ring, unsigned int i, unsigned int n);

/* Key of an epoch, or NULL. */
struct device_key *device_find(struct device_ring *ring, uint64_t epoch);

/* The next key takes over in @ring, @skip others before it are passed over. */
void device_rotate(struct device *device, uint8_t direction, unsigned int skip);

/* How many keys wait. */
uint32_t device_staged(const struct device_ring *ring);

/* As an event tells the rings. */
void device_tell(const struct device *device, uint32_t kinds, struct qlink_event *event);

#endif
