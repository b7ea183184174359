/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Values as RFC 7951 has them in JSON. */
#ifndef QLINKCTL_RFC7951_H
#define QLINKCTL_RFC7951_H

#include <stdbool.h>
#include <time.h>

#include <jansson.h>

#include "libqlink/link.h"

/**
 * rfc7951_number64() - make a number of 64 bits
 * @value: the number
 *
 * Return: a string of its digits, which the caller frees.
 */
json_t *rfc7951_number64(uint64_t value);

/**
 * rfc7951_decimal() - make a decimal64
 * @value: the number
 * @digits: behind the point
 *
 * Return: a string, which the caller frees.
 */
json_t *rfc7951_decimal(double value, int digits);

/**
 * rfc7951_time() - make a date-and-time
 * @seconds: since 1970
 *
 * Return: a string, which the caller frees.
 */
json_t *rfc7951_time(time_t seconds);

/**
 * rfc7951_bits() - make a list of the names of bits that are set
 * @names: of the bits
 * @bits: which are set
 *
 * Return: the list, which the caller frees.
 */
json_t *rfc7951_bits(const struct qlink_names *names, uint32_t bits);

/**
 * rfc7951_attr() - make the value of an attribute
 * @attr: the attribute
 * @object: the struct that has its member
 *
 * Return: the value, which the caller frees.
 */
json_t *rfc7951_attr(const struct qlink_attr *attr, const void *object);

/**
 * rfc7951_counters() - make an object of counters
 * @counters: by their number
 * @names: likewise; %NULL for none of this number
 * @max: the greatest number
 *
 * Return: the object, which the caller frees. "-" stands for the "_" of a name.
 */
json_t *rfc7951_counters(const uint64_t *counters, const char *const *names, unsigned int max);

/**
 * rfc7951_ring() - make an object of the keys of a direction
 * @ring: the keys
 * @is_tx: whether they seal
 *
 * Return: the object, which the caller frees.
 */
json_t *rfc7951_ring(const struct qlink_ring *ring, bool is_tx);

/**
 * rfc7951_numbers() - copy the members of an object that are numbers, as counters
 * @to: takes them, with "-" for "_" in their names
 * @from: the object; others than numbers are passed over
 */
void rfc7951_numbers(json_t *to, const json_t *from);

#endif
