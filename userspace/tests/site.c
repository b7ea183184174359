// SPDX-License-Identifier: GPL-2.0-or-later
/* The stock of one end of a link, with real keys from the simulator and a clock that the test sets. */
#include "site.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "qlinkd/base/seen.h"

/* How often to look whether the client's time for something has come. */
#define SITE_LOOK_MS	10

uint64_t now;

/* The keys that each agent had before. */
static struct seen keys_seen[2];
static struct site sites[2];

static void on_changed(void *arg)
{
	struct site *site = arg;

	site->n_changed++;
}

static void on_fetched(void *arg, enum session_reason reason, const struct bytes *secrets)
{
	struct site *site = arg;
	unsigned int i;

	site->reason = reason;
	site->n_fetched++;
	for (i = 0; i < site->want_secrets; i++) {
		site->lens[i] = secrets[i].len;
		if (secrets[i].len)
			memcpy(site->secrets[i], secrets[i].data, secrets[i].len);
	}
}

static void on_health(void *arg, unsigned int node, bool is_up, const struct qlink_why *why)
{
	struct site *site = arg;

	(void)node;
	(void)why;
	*(is_up ? &site->n_up : &site->n_down) += 1;
}

static void on_trouble(void *arg, const struct kme_answer *answer)
{
	struct site *site = arg;

	site->n_trouble++;
	site->n_burned += answer->n_burned;
}

static bool on_seen(void *arg, const struct kme_answer *answer, const struct kme_key *key)
{
	struct bytes none = { NULL, 0 }, bytes = { key->bytes, key->len };
	const struct site *site = arg;

	(void)answer;
	return seen_before(&keys_seen[site - sites], 0, &bytes, &none) == 1;
}

static void on_refused(void *arg, const struct kme_answer *answer, uint64_t n,
		       const struct qlink_why *why)
{
	struct site *site = arg;

	(void)answer;
	site->n_refused += n;
	site->why = *why;
}

/* site_poll() looks itself. */
static void on_ready(void *arg)
{
	(void)arg;
}

static const struct stock_ops ops = {
	.ready = on_ready,
	.changed = on_changed, .fetched = on_fetched, .health = on_health, .trouble = on_trouble,
	.seen = on_seen, .refused = on_refused,
};

struct site *site_start(int side, const char *link)
{
	char text[4096];

	lab_conf(text, sizeof(text), side, link);
	return site_start_as(side, text);
}

struct site *site_start_as(int side, const char *text)
{
	struct site *site = &sites[side];
	struct config_error error;
	struct qlink_why why;

	memset(site, 0, sizeof(*site));
	now = 1000000;
	CHECK_NUMBER("loop", kme_loop_new(&site->loop), 0);
	CHECK(!config_parse(&site->config, text, strlen(text), "conf", &error), "%s", error.text);
	CHECK_NUMBER("stock", stock_new(&site->stock, &site->config, &site->config.links[0], 0,
					site->config.links[0].n_kmes, site->loop,
					&ops, site, now, &why), 0);
	return site;
}

void site_stop(struct site *site)
{
	seen_free(&keys_seen[site - sites]);
	stock_free(site->stock);
	kme_loop_free(site->loop);
	config_free(&site->config);
}

bool site_poll(struct site *site, int64_t start_ms)
{
	struct pollfd fd = { .fd = kme_loop_fd(site->loop), .events = POLLIN };

	if (lab_now_ms() >= start_ms + LAB_DEADLINE_MS)
		return false;
	/* The deadline may be on the link's clock or on the client's, which go at different times. */
	poll(&fd, 1, stock_deadline(site->stock) <= now ? 0 : SITE_LOOK_MS);
	kme_loop_run(site->loop);
	stock_run(site->stock, now);
	return true;
}
