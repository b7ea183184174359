// SPDX-License-Identifier: GPL-2.0-or-later
/* What the log says about the KMEs of a link: each cause once, not at every retry. */
#include "kmelog.h"

#include <stdio.h>
#include <string.h>

/* How often the log says that a KME is still down, or gives the same wrong answers. */
#define REMIND_MS	60000
/* A KME that was down is back once it has not failed for so long. */
#define STAYS_UP_MS	3000

/* Whether to say this: a KME that fails does so at every retry, for the same cause. */
static bool is_news(struct kmelog_said *said, const char *why)
{
	uint64_t now = services_now();

	if (said->at && now - said->at < REMIND_MS &&
	    !strncmp(said->why, why, sizeof(said->why) - 1))
		return false;
	snprintf(said->why, sizeof(said->why), "%s", why);
	said->at = now;
	return true;
}

static void note_up(const struct link *link, unsigned int node)
{
	TELL(link->services, LOG_INFO, "kme-up", TEXT("link", link->config->device),
	     TEXT("kme", link->config->kme_names[node]));
}

static void note_doubt(const struct link *link, struct kmelog *log, unsigned int node,
		       const char *why)
{
	if (*why && is_news(&log->trouble[node], why))
		TELL(link->services, LOG_WARNING, "kme-doubtful", TEXT("link", link->config->device),
		     TEXT("kme", link->config->kme_names[node]), TEXT("why", why));
}

void kmelog_health(const struct link *link, struct kmelog *log, unsigned int node, bool is_up,
		   const struct qlink_why *why)
{
	struct kmelog_said *said = &log->down[node];

	if (is_up) {
		/* After it was said to be down, it is back once it stays up: see kmelog_check(). */
		log->up_at[node] = services_now();
		note_doubt(link, log, node, why->text);
		if (!said->at)
			note_up(link, node);
		return;
	}
	log->up_at[node] = 0;
	if (is_news(said, why->text)) {
		log->is_said_down |= 1 << node;
		TELL(link->services, LOG_WARNING, "kme-down", TEXT("link", link->config->device),
		     TEXT("kme", link->config->kme_names[node]), TEXT("why", why->text));
	}
}

/* Each connection is made anew after some seconds without a request, mostly on the same terms. */
static void note_terms(const struct link *link, struct kmelog *log, unsigned int node)
{
	const struct kme_server *server = stocks_server(link->stocks, node);

	if (log->n_terms[node] == server->n_terms)
		return;
	log->n_terms[node] = server->n_terms;
	TELL(link->services, LOG_INFO, "kme-tls", TEXT("link", link->config->device),
	     TEXT("kme", link->config->kme_names[node]), TEXT("version", server->terms.version),
	     TEXT("group", server->terms.group), TEXT("suite", server->terms.suite),
	     TEXT("subject", server->terms.subject));
}

/* Says that a KME is back, once it has not failed for a while; and on which terms we talk to it. */
void kmelog_check(const struct link *link, struct kmelog *log, uint64_t now)
{
	uint32_t i;

	for (i = 0; i < link->config->n_kmes; i++) {
		note_terms(link, log, i);
		if (!(log->is_said_down & 1 << i) || !log->up_at[i] || now - log->up_at[i] < STAYS_UP_MS)
			continue;
		log->is_said_down &= ~(1U << i);
		note_up(link, i);
	}
}

void kmelog_trouble(const struct link *link, struct kmelog *log, unsigned int node,
		    const struct kme_answer *answer)
{
	/* A KME without keys gives the same error each time. */
	if (!is_news(&log->trouble[node], answer->why.text))
		return;
	TELL(link->services, LOG_WARNING, "kme-error", TEXT("link", link->config->device),
	     TEXT("kme", link->config->kme_names[node]),
	     TEXT("request", answer->op == KME_OP_ENC ? "enc_keys" : "dec_keys"),
	     TEXT("outcome", kme_outcome_name(answer->outcome)),
	     NUMBER_OF("asked", answer->asked), NUMBER_OF("keys", answer->n_keys),
	     NUMBER_OF("burned", answer->n_burned), TEXT("why", answer->why.text));
}

void kmelog_refused(const struct link *link, struct kmelog *log, unsigned int node,
		    const struct kme_answer *answer, uint64_t n, const struct qlink_why *why)
{
	/* The cause names a key, so that it is another one each time. */
	if (!is_news(&log->refused, ""))
		return;
	TELL(link->services, LOG_WARNING, "keys-refused", TEXT("link", link->config->device),
	     TEXT("kme", link->config->kme_names[node]),
	     TEXT("request", kme_op_name(answer->op)), NUMBER_OF("keys", answer->n_keys),
	     NUMBER_OF("refused", n), TEXT("why", why->text));
}
