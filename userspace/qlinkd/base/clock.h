/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Clocks in ms. */
#ifndef QLINKD_CLOCK_H
#define QLINKD_CLOCK_H

#include <stdint.h>
#include <time.h>

/**
 * clock_ms() - read a clock
 * @clock: of clock_gettime(2), for example CLOCK_BOOTTIME
 *
 * Return: its time in ms.
 */
uint64_t clock_ms(clockid_t clock);

#endif
