/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The status of a site, as it is put into etcd. */
#ifndef FOLLOW_STANDING_H
#define FOLLOW_STANDING_H

#include <jansson.h>
#include <stdint.h>
#include <time.h>

#include "outcome.h"

/**
 * struct standing - what the status says
 */
struct standing {
	/** @site: name of the site */
	const char *site;

	/** @wanted: the newest revision of its documents, 0 for none */
	uint64_t wanted;

	/** @applied: the newest revision that the site is as, 0 for none */
	uint64_t applied;

	/** @outcome: what became of the wanted one */
	const struct outcome *outcome;

	/** @links: the protection of each link, %NULL where the kernel does not tell */
	const json_t *links;
};

/**
 * standing_text() - write the status as JSON
 * @standing: what it says
 * @now: the time that it is of
 *
 * Return: the text, which the caller frees, or %NULL without memory.
 */
char *standing_text(const struct standing *standing, time_t now);

#endif
