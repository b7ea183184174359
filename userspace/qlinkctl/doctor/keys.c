// SPDX-License-Identifier: GPL-2.0-or-later
/* What keeps the agents from agreeing on keys, and which keys the link has. */
#include "keys.h"

#include <string.h>

/* ---- what the ends demand of each other ---- */

static const struct demand {
	/* how the words of the agent begin */
	const char *begin;
	enum cause cause;
	const char *what;
	const char *command;
} demands[] = {
	{ "no-source-in-common", CAUSE_POLICIES_DIFFER, "the policies of both ends exclude each other",
	  "qlinkctl reload   # after both ends have a policy in qlinkd.conf(5) with a source in common" },
	{ "no-version-in-common", CAUSE_VERSIONS_DIFFER, "the agents have no version of their protocol in common",
	  "qlinkd -V   # install the same version at both ends" },
	{ "suite-too-low", CAUSE_SUITE_LOW, "the connection of the agents is too weak for suite-least",
	  "qlink-pki cert --suite 2 FOLDER NAME   # for both ends; or lower suite-least at both" },
	{ "psk-differs", CAUSE_PSK_DIFFERS, "the pre-shared secrets of both ends are not the same",
	  "sha256sum FILE   # of option psk at both ends; copy one to the other, then: qlinkctl reload" },
	{ "no-chain", CAUSE_CHAIN, "the chain of keys starts anew, and chain-required does not allow that",
	  "qlinkctl chain accept DEVICE   # at each end with chain-required, after you know why it was lost" },
	{ "no-epoch-left", CAUSE_NO_EPOCH, "no epoch is left that the kernel accepts",
	  "ip link delete DEVICE   # make the link anew, at both ends" },
	{ "id ", CAUSE_ID_TAKEN, "another link to the same peer has the same id",
	  "qlinkctl set DEVICE id ID   # one that no other link to this peer has, at both ends" },
	{ "restrict: ", CAUSE_KERNEL_REFUSES, "the kernel refuses what the policy asks for", "dmesg | grep qlink" },
	{ "install: ", CAUSE_KERNEL_REFUSES, "the kernel refuses the keys that the agents agreed on",
	  "qlinkctl set DEVICE accept hybrid,pqc   # or what the policy allows" },
	{ "rings: ", CAUSE_KERNEL_REFUSES, "the kernel does not let the agent read the link",
	  "systemctl restart qlinkd   # it needs CAP_NET_ADMIN" },
};

static void judge_demands(const struct facts *facts, struct findings *to)
{
	const char *why = fact_text(facts->agent_link, "why");
	struct finding *found;
	size_t i;

	for (i = 0; i < sizeof(demands) / sizeof(demands[0]); i++) {
		if (strncmp(why, demands[i].begin, strlen(demands[i].begin)))
			continue;
		found = findings_add(to, demands[i].cause, "%s", demands[i].what);
		finding_saw(found, "%s", why);
		finding_mend_with(found, demands[i].command, "DEVICE", facts->device);
	}
}

static bool is_phase(const struct facts *facts, const char *phase)
{
	return fact_is(facts->agent_link, "phase", phase);
}

/* Both ends speak about a link that the other one does not have. */
static void judge_id(const struct facts *facts, struct findings *to)
{
	long long unknown = fact_number(facts->agent_peer, "unknown_link_messages");
	struct finding *found;

	if (!unknown || !json_is_true(fact(facts->agent_peer, "connected")) ||
	    (!is_phase(facts, "hello") && !is_phase(facts, "pause")))
		return;
	found = findings_add(to, CAUSE_PEER_LINK_UNKNOWN, "the peer's agent has no link with the id %lld of %s",
			     fact_number(facts->agent_link, "id"), facts->device);
	finding_saw(found, "it does not answer about that id, and has sent %lld messages about another", unknown);
	finding_mend(found, "qlinkctl set %s id ID   # the same at both ends", facts->device);
}

/* ---- the KMEs ---- */

static const struct trouble {
	/* a part of the agent's words, the most special one first; judge_kme() also chooses the first row itself */
	const char *text;
	enum cause cause;
	const char *what;
	const char *command;
} troubles[] = {
	{ "swapped", CAUSE_KME_SWAPPED, "is asked with the SAE IDs of both ends swapped",
	  "qlinkctl reload   # after option sae has the SAE ID of the peer, and the certificate that of this end" },
	{ "knows no SAE", CAUSE_KME_SAE, "knows no such SAE", "qlinkctl reload   # after option sae has the SAE ID of the peer" },
	{ "is that the same SAE", CAUSE_KME_SAE, "names another SAE", "qlinkctl reload   # after option sae has the SAE ID of the peer" },
	{ "has no peer '", CAUSE_KME_SAE, "has no such peer", "qlinkctl reload   # after option sae has the name of the peer" },
	{ "does not know our", CAUSE_KME_REFUSES, "refuses this agent", "openssl x509 -noout -subject -in FILE   # the KME must know this SAE" },
	{ "does not give these keys", CAUSE_KME_REFUSES, "refuses keys to this agent", "openssl x509 -noout -subject -in FILE   # the KME must know this SAE" },
	{ "does not accept our certificate", CAUSE_KME_TLS, "does not accept this agent's certificate",
	  "openssl x509 -noout -issuer -dates -in FILE   # the KME must have that CA" },
	{ "does not have the CA", CAUSE_KME_TLS, "shows a certificate of an unknown CA",
	  "qlinkctl reload   # after option ca of this KME has its CA" },
	{ "KME's certificate", CAUSE_KME_TLS, "shows a certificate that is not valid", "openssl s_client -connect HOST:PORT   # shows it" },
	{ "KME ID", CAUSE_KME_TLS, "is another KME than its id says", "qlinkctl reload   # after option id has the name in its certificate" },
	{ "does not exist", CAUSE_KME_FILES, "cannot be asked: a file is missing", "qlinkctl reload   # once the file is there" },
	{ "may not read it", CAUSE_KME_FILES, "cannot be asked: a file cannot be read", "chown qlinkd: FILE && qlinkctl reload" },
	{ "expired on", CAUSE_KME_FILES, "cannot be asked: a certificate has expired", "qlinkctl reload   # once it is renewed" },
	{ "nobody listens", CAUSE_KME_DOWN, "is down, or its url is wrong", NULL },
	{ "no connection within", CAUSE_KME_DOWN, "cannot be reached", NULL },
	{ "cannot be found", CAUSE_KME_DOWN, "has a host in its url that cannot be found", NULL },
	{ "connect", CAUSE_KME_DOWN, "cannot be reached", NULL },
	{ "TLS", CAUSE_KME_TLS, "does not agree on TLS with this agent", NULL },
	{ "psk-id", CAUSE_KME_TLS, "does not know this agent's psk-id", NULL },
	{ "", CAUSE_KME_FAILS, "fails", NULL },
};

/* The certificate that the agent shows to a KME. */
static const json_t *shown_to(const struct machine *machine, const char *kme)
{
	const json_t *certificate;
	size_t i;

	json_array_foreach(fact(machine->status, "certificates"), i, certificate) {
		if (fact_is(certificate, "kme", kme) && fact_is(certificate, "use", "certificate"))
			return certificate;
	}
	return NULL;
}

/* The SAE that the KME does not know as our peer is ourselves. */
static bool is_own_name(const json_t *certificate, const char *why)
{
	const char *name = fact_text(certificate, "subject"), *at = strchr(why, '\'');

	return *name && at && !strncmp(at + 1, name, strlen(name)) && at[1 + strlen(name)] == '\'';
}

/* How long the keys last that are installed already. */
static long long cover_s(const struct facts *facts)
{
	return fact_number(facts->agent_link, "tx.staged") * fact_number(facts->agent_link, "period_ms") / 1000;
}

static void judge_kme(const struct facts *facts, const json_t *kme, struct findings *to)
{
	const char *why = fact_text(kme, "why"), *name = fact_text(kme, "name");
	const json_t *certificate = shown_to(facts->machine, name);
	const struct trouble *row = troubles;
	struct finding *found;

	/* What is doubtful matters where no key comes. */
	if (!fact_is(kme, "health", "down") && (!*why || fact_number(kme, "stock")))
		return;
	while (!strstr(why, row->text))
		row++;
	if (row->cause == CAUSE_KME_SAE && is_own_name(certificate, why))
		row = troubles;
	found = findings_add(to, row->cause, "KME %s %s", name, row->what);
	finding_saw(found, "%s: %s; %lld of its keys are in stock, and the staged keys of the link last for %lld s",
		    fact_text(kme, "health"), why, fact_number(kme, "stock"), cover_s(facts));
	if (certificate && fact_number(certificate, "not_after") < facts->machine->now)
		found->also = 1U << LAYER_DATES;
	if (row->command)
		finding_mend_with(found, row->command, "", "");
	else
		finding_mend(found, "qlinkctl kme check %s link %s   # once it is mended at the KME", name, facts->device);
}

/* Offers fail at the end whose KME does not have the keys that the other end names. */
static void judge_peer_kme(const struct facts *facts, struct findings *to)
{
	const char *why = fact_text(facts->agent_link, "why");
	bool is_refused = !strcmp(why, "offer-refused: kme") || !strcmp(why, "offer-refused: key-id");
	struct finding *found;

	if (!is_refused && strcmp(why, "offer-rejected: kme") && strcmp(why, "offer-rejected: key-id"))
		return;
	if (findings_have_layer(to, 1U << LAYER_KME))
		return;
	found = findings_add(to, CAUSE_PEER_KME, "%s does not get keys from its KME that the other end got from its own",
			     is_refused ? "the peer" : "this end");
	finding_saw(found, "%s; the KMEs of this end are up", why);
	finding_mend(found, "qlinkctl doctor   # at the peer; if all is well there, the two KMEs are not of one QKD link");
}

static void judge_kmes(const struct facts *facts, struct findings *to)
{
	long long least = fact_number(facts->agent_link, "mix_least"), n_up = 0;
	struct finding *found;
	const json_t *kme;
	size_t i;

	json_array_foreach(fact(facts->agent_link, "kmes"), i, kme) {
		judge_kme(facts, kme, to);
		n_up += fact_is(kme, "health", "up");
	}
	if (least > 1 && n_up < least) {
		found = findings_add(to, CAUSE_KMES_FEW, "keys need secrets of %lld KMEs, and %lld are up", least, n_up);
		finding_saw(found, "the larger mix-least of both ends is %lld", least);
		finding_mend(found, "qlinkctl status   # which KME is down; or lower mix-least at both ends");
	}
	judge_peer_kme(facts, to);
}

/* ---- stock and keys ---- */

static void judge_stock(const struct facts *facts, struct findings *to)
{
	long long stock = fact_number(facts->agent_link, "stock");
	struct finding *found;

	if (!json_array_size(fact(facts->agent_link, "kmes")) || !is_phase(facts, "ready") ||
	    fact_is(facts->agent_link, "source", "hybrid") || fact_is(facts->agent_link, "source", "qkd"))
		return;
	found = findings_add(to, CAUSE_STOCK_DRY, stock ? "there are not enough QKD keys yet to return to them" :
			     "there are no QKD keys in stock");
	finding_saw(found, "%lld keys in stock, %lld usable; new keys are %s", stock, fact_number(facts->agent_link, "usable"),
		    *fact_text(facts->agent_link, "source") ? fact_text(facts->agent_link, "source") : "not made");
	finding_mend(found, "qlinkctl top   # column REFILL/s; ask the operator of the QKD link why no keys come");
}

static void judge_session(const struct facts *facts, struct findings *to)
{
	const char *why = fact_text(facts->agent_link, "why");
	struct finding *found;

	if (!facts->agent_link || is_phase(facts, "ready"))
		return;
	found = findings_add(to, CAUSE_NO_AGREEMENT, "the agents do not agree on keys: phase %s", fact_text(facts->agent_link, "phase"));
	finding_saw(found, "qlinkctl status: %s", *why ? why : "no reason");
	finding_mend(found, "qlinkctl restart %s   # if it stays so: journalctl -u qlinkd", facts->device);
}

static void judge_ring(const struct facts *facts, struct findings *to)
{
	bool is_static = fact_lists(fact(facts->link, "link.accept"), "static");
	struct finding *found;

	if (!fact(facts->link, "link.tx") || fact_number(facts->link, "link.tx.current_epoch") ||
	    fact_number(facts->link, "link.tx.staged"))
		return;
	found = findings_add(to, CAUSE_NO_KEY, "%s has no key to seal with", facts->device);
	finding_saw(found, "its state is %s; the newest epoch was %lld; it was wiped %lld times", fact_text(facts->link, "link.state"),
		    fact_number(facts->link, "link.tx.newest_epoch"), fact_number(facts->link, "link.wipes"));
	if (is_static)
		finding_mend(found, "qlinkctl key add %s tx epoch NUMBER file PATH   # the peer gets it as rx first", facts->device);
	else
		finding_mend(found, "qlinkctl status   # the agents install keys once they agree");
}

static bool has_no_rx_key(const json_t *link)
{
	return fact(link, "link.rx") && !fact_number(link, "link.rx.current_epoch") && !fact_number(link, "link.rx.staged");
}

static void judge_grade(const struct facts *facts, struct findings *to)
{
	const json_t *lacks = fact(facts->link, "link.lacks");
	struct finding *found;

	if (fact_lists(lacks, "tx-source") || fact_lists(lacks, "rx-source")) {
		found = findings_add(to, CAUSE_LOWER_SOURCE, "keys in use are of a lower source than %s accepts", facts->device);
		finding_saw(found, "tx %s, rx %s", fact_text(facts->link, "link.tx.current_source"),
			    fact_text(facts->link, "link.rx.current_source"));
		finding_mend(found, "qlinkctl status   # better keys take over when those before them are used up");
	}
	if (fact_lists(lacks, "tx-overdue")) {
		found = findings_add(to, CAUSE_OVERDUE, "the key in use should have been replaced");
		finding_saw(found, "tx epoch %lld is in use for %lld ms, and no other is staged",
			    fact_number(facts->link, "link.tx.current_epoch"), fact_number(facts->link, "link.tx.age_ms"));
		finding_mend(found, "qlinkctl status   # why no new keys come");
	}
	/* A blocked link is not said to lack anything. */
	if (fact_lists(lacks, "no-rx-key") || has_no_rx_key(facts->link)) {
		found = findings_add(to, CAUSE_NO_RX_KEY, "%s has no key to open frames with", facts->device);
		finding_saw(found, "its newest rx epoch was %lld", fact_number(facts->link, "link.rx.newest_epoch"));
		if (fact_lists(fact(facts->link, "link.accept"), "static"))
			finding_mend(found, "qlinkctl key add %s rx epoch NUMBER file PATH   # the key that the peer has for tx",
				     facts->device);
		else
			finding_mend(found, "qlinkctl restart %s", facts->device);
	}
}

void keys_judge(const struct facts *facts, struct findings *to)
{
	judge_demands(facts, to);
	judge_id(facts, to);
	judge_kmes(facts, to);
	judge_stock(facts, to);
	judge_session(facts, to);
	judge_ring(facts, to);
	judge_grade(facts, to);
}
