/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The address of a key server, as an operator writes it. */
#ifndef QLINKD_KME_URL_H
#define QLINKD_KME_URL_H

#include "common/why.h"

/* The longest base URL; any request fits into KME_URL_MAX behind it. */
#define URL_BASE_MAX	500

/**
 * url_check() - check the base URL of a key server
 * @url: https://HOST, then :PORT and /PATH where they are needed
 * @why: filled in on failure with the broken rule
 *
 * Refuses what a request cannot follow: a query, a fragment, a user name, a slash at the
 * end. An IPv6 address must be in brackets.
 *
 * Context: Pure.
 * Return: 0, or %-EINVAL with @why.
 */
int url_check(const char *url, struct qlink_why *why);

/**
 * url_encode() - write free text so that it can be one segment or one value of a URL
 * @to: gets the text and a NUL, 3 bytes for each of @from at most
 * @from: the text
 *
 * Context: Pure.
 */
void url_encode(char *to, const char *from);

#endif
