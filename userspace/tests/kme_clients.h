/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Many clients of one agent: they are on one loop, and talk to KME a of the lab. */
#ifndef QLINK_KME_CLIENTS_H
#define QLINK_KME_CLIENTS_H

#include "kme_lab.h"
#include "tap.h"

#define CLIENTS	40

/* Requests of all go one after the other. */
extern const struct lab_options clients_in_turn;

/* They share the loop of the first. */
extern struct lab_client clients[CLIENTS];

/* Starts those from @from to below @n. */
void clients_start_from(unsigned int from, unsigned int n, const struct lab_options *options);
void clients_start(unsigned int n, const struct lab_options *options);
void clients_stop(unsigned int n);

/* Starts the lab with lines for KME a, and clients that are all up. */
void clients_begin(unsigned int n, const char *more_a, const struct lab_options *options);

/* Stops both. */
void clients_end(unsigned int n);

/* Runs the first @n once, after waiting until one of them has work to do. */
void clients_run(unsigned int n);

/* How many came up, went down, and got answers. */
unsigned int clients_up(unsigned int n);
unsigned int clients_down(unsigned int n);
unsigned int clients_answers(unsigned int n);

/* Each asks for keys. */
void clients_get(unsigned int n, size_t keys);

/* A number that KME a tells in its status, as "connections" or "enc_keys". */
unsigned int clients_kme_says(const char *member);

#define WAIT_ALL(n, so) do {						\
	int64_t until_ = lab_now_ms() + LAB_DEADLINE_MS;		\
	while (!(so) && lab_now_ms() < until_)				\
		clients_run(n);						\
	CHECK((so), "never came true: %s", #so);			\
} while (0)

#endif
