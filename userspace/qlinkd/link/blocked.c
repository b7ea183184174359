// SPDX-License-Identifier: GPL-2.0-or-later
/* What keeps both ends of a link from agreeing on keys at all, in words. */
#include "blocked.h"

#include <stdio.h>

#include "preshared.h"
#include "qlinkd/agreement/policy.h"

static void note_blocked(struct link *link, const char *event)
{
	const char *policy = policy_name(link->config->policy);
	const char *peer = policy_name(link->session.peer.policy);

	if (!peer)
		peer = "unknown";
	snprintf(link->why, sizeof(link->why), "%s: our policy is %s, the peer's %s", event, policy,
		 peer);
	TELL(link->services, LOG_ERR, event, TEXT("link", link->config->device),
	     TEXT("policy", policy), TEXT("peer-policy", peer));
}

/* What keeps the ends from agreeing on keys, and what to do. */
static void note_demand(struct link *link, const char *event, const char *why)
{
	snprintf(link->why, sizeof(link->why), "%s: %s", event, why);
	TELL(link->services, LOG_ERR, event, TEXT("link", link->config->device), TEXT("why", why));
	AUDIT(link->services, "blocked", TEXT("link", link->config->device), TEXT("why", event));
}

static void note_suite(struct link *link)
{
	const struct session *session = &link->session;
	char why[160];

	snprintf(why, sizeof(why), "the connection has suite %u, suite-least here is %u, of the peer %u;"
		 " suite 2 needs ML-DSA-87 certificates at both ends", session->suite,
		 session->own.suite_least, session->peer.suite_least);
	note_demand(link, "suite-too-low", why);
}

/* The policies have a source of KMEs in common, but an end cannot put the secrets of enough into one key. */
static bool has_too_few_kmes(const struct session *session)
{
	return session->own.sources & session->peer.sources & policy_kme_sources() & ~session->sources;
}

void blocked_note_kmes(struct link *link)
{
	const struct session *session = &link->session;
	char why[200];

	if (!has_too_few_kmes(session))
		return;
	snprintf(why, sizeof(why), "a key needs secrets of %u KMEs: mix-least is %u here and %u at the peer."
		 " This end puts up to %u into one key, the peer up to %u; see mix", session->kmes_least,
		 session->own.kmes_least, session->peer.kmes_least, session->own.kmes_most,
		 session->peer.kmes_most);
	snprintf(link->why, sizeof(link->why), "too-few-kmes: %s", why);
	TELL(link->services, LOG_ERR, "too-few-kmes", TEXT("link", link->config->device), TEXT("why", why));
}

static void note_no_chain(struct link *link)
{
	const struct session *session = &link->session;
	char why[160];

	snprintf(why, sizeof(why), "a chain of keys starts anew, and chain-required is set %s; see"
		 " qlinkctl chain accept", !session->own.demands_chain ? "at the peer" :
		 session->peer.demands_chain ? "at both ends" : "here");
	note_demand(link, "no-chain", why);
}

void blocked_note(struct link *link, uint8_t note)
{
	switch (note) {
	case SESSION_NOTE_NO_VERSION:
		note_blocked(link, "no-version-in-common");
		break;
	case SESSION_NOTE_NO_SOURCE:
		note_blocked(link, "no-source-in-common");
		blocked_note_kmes(link);
		break;
	case SESSION_NOTE_NO_SUITE:
		note_suite(link);
		break;
	case SESSION_NOTE_NO_PSK:
		note_demand(link, "psk-differs", preshared_words(link->session.peer.psk));
		break;
	case SESSION_NOTE_NO_CHAIN:
		note_no_chain(link);
		break;
	case SESSION_NOTE_NO_EPOCH:
		note_blocked(link, "no-epoch-left");
		break;
	default:
		break;
	}
}
