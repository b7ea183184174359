/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A request that a thread of this process carries out, for a dialect that asks no server. */
#ifndef QLINKD_KME_ERRAND_H
#define QLINKD_KME_ERRAND_H

#include "http.h"

/**
 * DOC: Errands
 *
 * A dialect with @work has its requests carried out on this machine, perhaps by a disk that takes its time. Each
 * has a thread of its own, so that the loop never waits for it. The thread sees nothing but its struct kme_work.
 * An errand that takes longer than the time limit goes on, and nobody waits for it; its keys are wiped when it
 * ends.
 */

/**
 * kme_errand_start() - start a request
 * @transfer: all zero; filled in
 * @peer: the KME, whose dialect has @work
 * @url: what its @write_url wrote; copied, as is @body
 * @body: what its @write_body wrote, or %NULL
 * @room: most bytes of the answer
 * @wake: an eventfd that becomes readable when the request is over
 *
 * Return: 0; %-EBUSY if too many that nobody waits for have not ended; or another negative errno.
 */
int kme_errand_start(struct kme_transfer *transfer, struct kme_peer *peer, const char *url, const char *body,
		     size_t room, int wake);

/**
 * kme_errand_is_over() - look whether a request is over, or its time is
 * @transfer: from kme_errand_start()
 * @code: set if it is: CURLE_OK, CURLE_OPERATION_TIMEDOUT, or CURLE_FILE_COULDNT_READ_FILE for any other cause
 *
 * Return: whether kme_errand_end() is due.
 */
bool kme_errand_is_over(struct kme_transfer *transfer, CURLcode *code);

/**
 * kme_errand_deadline() - say when the time of a request is over
 * @transfer: from kme_errand_start()
 *
 * Return: CLOCK_BOOTTIME in ms.
 */
int64_t kme_errand_deadline(const struct kme_transfer *transfer);

/**
 * kme_errand_end() - take the answer
 * @transfer: as for kme_transfer_end()
 * @code: from kme_errand_is_over(), or of the transfer whose end this one shares
 * @why: filled in unless there is an answer
 *
 * Return: as kme_transfer_end().
 */
enum kme_counter kme_errand_end(struct kme_transfer *transfer, CURLcode code, struct qlink_why *why);

/**
 * kme_errand_free() - give up a request, which may still run, before kme_transfer_free()
 * @transfer: with or without an errand
 */
void kme_errand_free(struct kme_transfer *transfer);

/**
 * kme_errands_settle() - wait for requests that were given up, before a process ends
 * @ms: how long at most
 */
void kme_errands_settle(uint64_t ms);

#endif
