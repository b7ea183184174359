/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Devices in memory: the real broker and its client, without a kernel. */
#ifndef QLINK_TESTS_DEVICE_H
#define QLINK_TESTS_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "libqlink/event.h"
#include "qlinkd/config/config.h"
#include "qlinkd/services.h"

/* Unit tests cannot load a kernel module. */

#define DEVICE_KEYS	1200
#define DEVICE_RECORDS	256

struct device_key {
	uint64_t epoch;
	uint64_t first_ms;
	uint8_t source, kmes;
	uint8_t bytes[QLINK_SECRET_BYTES];
	uint8_t kme_key_id[QLINK_KME_KEY_ID_BYTES];
};

/* Keys in the order of their epochs; the first is current unless @current is 0. */
struct device_ring {
	struct device_key keys[DEVICE_KEYS];
	unsigned int n;
	uint64_t newest, current;
	/* what its keys have sealed or opened */
	uint64_t frames, bytes;
	uint8_t id[QLINK_RING_ID_BYTES];
};

/* One end's device; tests set its members. */
struct device {
	struct device_ring tx, rx;
	bool is_there;
	/* whether the kernel says that frames leave */
	bool is_up;
	uint16_t id;
	uint32_t accept, accept_kmes, rekey_ms, keys_low, wipes, hard_seconds;
	uint64_t n_records;
	unsigned int n_record_dumps;
	struct qlink_record records[DEVICE_RECORDS];
	/* whether the kernel refuses to install or to delete keys, or anything at all */
	int install_err, delete_err, any_err;
	/* how many requests there were, by enum request_type */
	unsigned int asked[REQUEST_N];
	/* called when keys to send are installed */
	void (*installed)(void *arg, const struct device_key *keys, unsigned int n);
	/* called with each answer of the broker */
	void (*answered)(void *arg);
	void *arg;
};

/* Simulated time in ms, as services_now() returns it. */
extern uint64_t device_now;

/* Whether services_now() reads the real clock instead. */
extern bool device_time_is_real;

/* The devices of both ends; each is called "qlink0". */
extern struct device devices[2];

/* Give one end @n devices "qlink0", "qlink1" … with ids from 1 on, instead of its own; return them. */
struct device *device_many(unsigned int n);

/* New devices, without keys; @config has a link "qlink0". */
void device_start(const struct config *config);

/* Have one end's broker read its configuration from a file, now and on reload. */
void device_broker_reads(unsigned int end, const char *path);
void device_broker_ends(unsigned int end);

/* Set up one end's services and broker; log lines go to @log_fd. */
void device_services(struct services *services, unsigned int end, int log_fd);

/* Replace the rings, as a wipe does. */
void device_wipe(struct device *device);

/* Delete the device and make it again, with other rings. */
void device_recreate(struct device *device);

/* Delete @n keys of a ring, from index @i on. */
void device_drop(struct device_ring *ring, unsigned int i, unsigned int n);

/* Find the key of an epoch, or NULL. */
struct device_key *device_find(struct device_ring *ring, uint64_t epoch);

/* Make the next key of a direction current, after skipping @skip keys. */
void device_rotate(struct device *device, uint8_t direction, unsigned int skip);

/* How many keys are staged. */
uint32_t device_staged(const struct device_ring *ring);

/* Fill in an event with the state of the rings. */
void device_event(const struct device *device, uint32_t kinds, struct qlink_event *event);

#endif
