// SPDX-License-Identifier: GPL-2.0-or-later
/* What keeps the agent from talking to its peer: its clock, its files, itself, the way to the peer. */
#include "service.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define DAY_S		86400
#define SOON_DAYS	14
/* Files that are newer than the clock by more than this show that it is wrong. */
#define AHEAD_S		300
/* A refusal that is older says nothing about now. */
#define RECENT_MS	60000
#define DATE_TEXT	40

static const char *date_of(long long when, char text[DATE_TEXT])
{
	time_t at = (time_t)when;
	struct tm tm;

	/* An agent of another version may count in another unit. */
	if (gmtime_r(&at, &tm))
		strftime(text, DATE_TEXT, "%Y-%m-%d %H:%M:%S UTC", &tm);
	else
		snprintf(text, DATE_TEXT, "second %lld", when);
	return text;
}

/* What to do about words of a file or a connection. */
struct words {
	/* a part of the text */
	const char *text;
	enum cause cause;
	const char *what;
	const char *command;
};

/* The first row whose text is in @said; the last row has an empty text, which is in each. */
static const struct words *find_words(const struct words *row, const char *said)
{
	while (!strstr(said, row->text))
		row++;
	return row;
}

/* ---- the clock and certificates ---- */

/* 1 if it is not valid any more, -1 if not yet. */
static int side_of(const json_t *certificate, time_t now)
{
	if (fact_number(certificate, "not_before") > now)
		return -1;
	return fact_number(certificate, "not_after") && fact_number(certificate, "not_after") < now;
}

static bool is_newer_than_clock(const char *path, time_t now)
{
	struct stat status;

	return !stat(path, &status) && status.st_mtime > now + AHEAD_S;
}

/* The first certificate of the agent itself with this use. */
static const json_t *own(const json_t *status, const char *use)
{
	const json_t *certificate;
	size_t i;

	json_array_foreach(fact(status, "certificates"), i, certificate) {
		if (json_is_null(json_object_get(certificate, "kme")) && fact_is(certificate, "use", use))
			return certificate;
	}
	return NULL;
}

/* A certificate and its CA that are both not valid, on the same side, were hardly made so. */
static void judge_clock(const struct machine *machine, struct findings *to)
{
	const json_t *certificate = own(machine->status, "certificate"), *ca = own(machine->status, "ca");
	int side = side_of(certificate, machine->now);
	bool has_newer = certificate && is_newer_than_clock(fact_text(certificate, "file"), machine->now);
	struct finding *found;
	char date[DATE_TEXT], other[DATE_TEXT];

	if (!has_newer && (!side || side_of(ca, machine->now) != side || machine->is_synchronised))
		return;
	found = findings_add(to, CAUSE_CLOCK_WRONG, "the clock of this machine is probably wrong: it says %s",
			     date_of(machine->now, date));
	if (has_newer)
		finding_saw(found, "the file %s is newer than that", fact_text(certificate, "file"));
	else
		finding_saw(found, "%s: certificate and CA are valid %s %s, and the clock is not synchronised",
			    fact_text(certificate, "file"), side < 0 ? "from" : "until",
			    date_of(fact_number(certificate, side < 0 ? "not_before" : "not_after"), other));
	finding_mend(found, "timedatectl set-ntp true   # or: timedatectl set-time 'YYYY-MM-DD HH:MM:SS'");
}

static void judge_dates(const struct machine *machine, const json_t *certificate, struct findings *to)
{
	int side = side_of(certificate, machine->now);
	long long end = fact_number(certificate, "not_after");
	const char *use = fact_text(certificate, "use"), *file = fact_text(certificate, "file");
	struct finding *found;
	char date[DATE_TEXT];

	if (!side && (!end || end > machine->now + SOON_DAYS * DAY_S))
		return;
	found = side > 0 ? findings_add(to, CAUSE_CERTIFICATE_EXPIRED, "the %s of %s has expired", use,
					fact_text(certificate, "subject")) :
		side < 0 ? findings_add(to, CAUSE_CERTIFICATE_EARLY, "the %s of %s is not valid yet", use,
					fact_text(certificate, "subject")) :
		findings_add(to, CAUSE_EXPIRES_SOON, "the %s of %s expires in %lld days", use,
			     fact_text(certificate, "subject"), (end - machine->now) / DAY_S);
	finding_saw(found, "%s: valid %s %s", file, side < 0 ? "from" : "until",
		    date_of(side < 0 ? fact_number(certificate, "not_before") : end, date));
	finding_mend(found, "qlink-pki cert FOLDER %s   # copy it to %s, then: qlinkctl reload", fact_text(certificate, "subject"),
		     file);
}

static void judge_certificates(const struct machine *machine, struct findings *to)
{
	const json_t *certificate;
	size_t i;

	judge_clock(machine, to);
	json_array_foreach(fact(machine->status, "certificates"), i, certificate)
		judge_dates(machine, certificate, to);
}

/* ---- the agent ---- */

static void judge_config(const struct machine *machine, struct findings *to)
{
	static const struct words rows[] = {
		{ "may not read it", CAUSE_FILE_UNREADABLE, "the agent may not read a file of its configuration",
		  "chown qlinkd: FILE && chmod 400 FILE   # the file that is named above" },
		{ "does not exist", CAUSE_FILE_UNREADABLE, "a file of the configuration is missing",
		  "qlink-pki cert FOLDER NAME   # and copy it to where the configuration says" },
		{ "expired on", CAUSE_CERTIFICATE_EXPIRED, "a certificate has expired",
		  "qlink-pki cert FOLDER NAME   # copy it to the file that is named above" },
		{ "is not valid before", CAUSE_CERTIFICATE_EARLY, "a certificate is not valid yet",
		  "timedatectl   # is the clock right? Else have the certificate made anew" },
		{ "has no DNS name", CAUSE_CERTIFICATE_NAME, "the agent's certificate has another name than the agent",
		  "qlink-pki cert FOLDER NAME   # with the name of the section agent" },
		{ "No such file", CAUSE_CONFIG_REFUSED, "qlinkd has no configuration",
		  "man qlinkd.conf   # write it, then: qlinkd -n" },
		{ "", CAUSE_CONFIG_REFUSED, "qlinkd refuses its configuration", "man qlinkd.conf   # correct the line, then: qlinkd -n" },
	};
	const struct words *row;
	struct finding *found;

	if (!machine->config_error[0])
		return;
	row = find_words(rows, machine->config_error);
	/* Nobody has asked what the service may read. */
	if (machine->is_own_try && row == rows)
		return;
	found = findings_add(to, row->cause, "%s", row->what);
	finding_saw(found, "qlinkd -n -c %s: %s", machine->config, machine->config_error);
	finding_mend_with(found, row->command, "", "");
}

static void judge_absence(const struct machine *machine, struct findings *to)
{
	struct finding *found;

	if (machine->agent_error == ENOENT || machine->agent_error == ECONNREFUSED) {
		judge_config(machine, to);
		found = findings_add(to, CAUSE_AGENT_DOWN, "the agent, qlinkd, does not run");
		finding_saw(found, "%s: %s%s%s", machine->control, strerror(machine->agent_error), machine->unit[0] ? "; unit: " : "",
			    machine->unit);
		finding_mend(found, "systemctl enable --now qlinkd   # if it fails: journalctl -u qlinkd");
	} else if (machine->agent_error == ETIMEDOUT) {
		found = findings_add(to, CAUSE_AGENT_SILENT, "the agent, qlinkd, does not answer");
		finding_saw(found, "%s: no answer%s%s", machine->control, machine->unit[0] ? "; unit: " : "", machine->unit);
		finding_mend(found, "systemctl restart qlinkd   # frames go on under the keys that the kernel has");
	}
}

static void judge_section(const struct facts *facts, struct findings *to)
{
	const struct machine *machine = facts->machine;
	struct finding *found;

	if (!facts->agent_link) {
		found = findings_add(to, CAUSE_LINK_UNKNOWN, "the agent's configuration has no link %s", facts->device);
		finding_saw(found, "qlinkctl status of agent %s does not list it", fact_text(machine->status, "name"));
		finding_mend(found, "qlinkctl reload   # after a section \"link %s\" was added to qlinkd.conf(5)", facts->device);
	} else if (fact_is(facts->agent_link, "phase", "no-device") && facts->link && fact_number(facts->link, "link.id") &&
		   strstr(fact_text(facts->agent_link, "why"), "device: ")) {
		found = findings_add(to, CAUSE_AGENT_ELSEWHERE, "the agent does not see %s: it is in another network namespace",
				     facts->device);
		finding_saw(found, "qlinkctl status: %s", fact_text(facts->agent_link, "why"));
		finding_mend(found, "ip link set %s netns NAMESPACE   # or run the agent in the namespace of the device",
			     facts->device);
	}
	if (!*fact_text(machine->status, "reload_refused"))
		return;
	found = findings_add(to, CAUSE_RELOAD_REFUSED, "the agent has refused to read its configuration again");
	finding_saw(found, "%s", fact_text(machine->status, "reload_refused"));
	finding_mend(found, "qlinkctl reload   # once that is mended");
}

/* ---- the way to the peer ---- */

static const struct words troubles[] = {
	{ "routed through", CAUSE_THROUGH_QLINK, "the way to the peer's agent leads through a qlink device",
	  "ip route add ADDRESS via GATEWAY dev DEVICE   # the peer's address, outside of all links" },
	{ "through-qlink", CAUSE_THROUGH_QLINK, "the way from the peer's agent leads through a qlink device",
	  "ip route add ADDRESS via GATEWAY dev DEVICE   # the peer's address, outside of all links" },
	{ "no route", CAUSE_AGENT_NO_ROUTE, "there is no route to the peer's agent", "ip route add ADDRESS via GATEWAY dev DEVICE" },
	{ "Network is unreachable", CAUSE_AGENT_NO_ROUTE, "there is no route to the peer's agent",
	  "ip route add ADDRESS via GATEWAY dev DEVICE" },
	{ "Connection refused", CAUSE_PEER_AGENT_DOWN, "no agent listens at the peer's address",
	  "systemctl enable --now qlinkd   # at the peer; its option listen must have this address" },
	{ "No route to host", CAUSE_PEER_UNREACHABLE, "the peer's host does not answer", "ping ADDRESS   # is it on, and is this its address?" },
	{ "timed out", CAUSE_PEER_UNREACHABLE, "the peer's agent does not answer",
	  "ping ADDRESS   # then firewalls on the way, for TCP port 7511" },
	{ "certificate-not-valid-now", CAUSE_PEER_CERTIFICATE, "the peer's certificate is not valid now",
	  "qlink-pki cert FOLDER PEER   # for the peer; or this clock is wrong: timedatectl" },
	{ "wrong-ca", CAUSE_PEER_CA, "the peer's certificate is of a CA that this agent does not know",
	  "qlink-pki cert FOLDER PEER   # by the CA of both; or add its CA to the file of option ca, then: qlinkctl reload" },
	{ "wrong-identity", CAUSE_PEER_NAME, "the peer has another name than the configuration says",
	  "qlinkctl reload   # after the section \"peer\" has the name of its certificate" },
	{ "refused-by-peer", CAUSE_PEER_REFUSES, "the peer refuses this agent",
	  "qlinkctl doctor   # at the peer; its log says why (peer-refused)" },
	{ "the peer refused", CAUSE_PEER_REFUSES, "the peer refuses this agent",
	  "qlinkctl doctor   # at the peer; its log says why (peer-refused)" },
	{ "wrong-suite", CAUSE_PEER_SUITE, "the peer's certificate is too weak for suite-least",
	  "qlink-pki cert --suite 2 FOLDER PEER   # for the peer; or lower suite-least at both ends" },
	{ "wrong-", CAUSE_PEER_SUITE, "the ends have no TLS in common", "qlinkd -V   # install the same version at both ends" },
	{ "", CAUSE_NO_CONNECTION, "there is no connection to the peer's agent", "qlinkctl doctor   # at the peer" },
};

/* Why there is no connection: as the end that calls knows, or else as the last caller was told. */
static const char *trouble_of(const struct facts *facts)
{
	const json_t *refused = fact(facts->machine->status, "refused_caller");
	const char *why = fact_text(facts->agent_peer, "why");

	if (fact_number(refused, "ago_ms") < RECENT_MS && !json_is_true(fact(facts->agent_peer, "dials")) && refused)
		return *fact_text(refused, "reason") ? fact_text(refused, "reason") : why;
	return why;
}

static void judge_connection(const struct facts *facts, struct findings *to)
{
	bool dials = json_is_true(fact(facts->agent_peer, "dials"));
	const char *said = trouble_of(facts);
	const struct words *row = find_words(troubles, said);
	struct finding *found;

	if (!facts->agent_peer || json_is_true(fact(facts->agent_peer, "connected")))
		return;
	found = findings_add(to, row->cause, "%s (%s)", row->what, fact_text(facts->agent_peer, "name"));
	if (*said)
		finding_saw(found, "%s %s: %s", dials ? "this agent calls" : "a caller for",
			    *fact_text(facts->agent_peer, "address") ? fact_text(facts->agent_peer, "address") : "the peer", said);
	else
		finding_saw(found, dials ? "this agent calls, and had no answer yet" :
				   "the peer is the end that calls, and nobody has called within a minute");
	finding_mend_with(found, row->command, "ADDRESS", fact_text(facts->agent_peer, "address"));
	if (row->cause == CAUSE_PEER_REFUSES || row->cause == CAUSE_NO_CONNECTION)
		found->also = 1U << LAYER_FILES | 1U << LAYER_DATES;
	/* Frames and agents may go different ways. */
	if (doctor_causes[row->cause].layer == LAYER_CHANNEL && facts->agent_route && facts->lower &&
	    fact_is(facts->agent_route, "dev", fact_text(facts->lower, "ifname")))
		found->also = 1U << LAYER_UNDERLAY;
	if (facts->remote[0] && fact_is(facts->agent_peer, "address", facts->remote))
		found->also |= 1U << LAYER_UNDERLAY | 1U << LAYER_ROUTE;
}

/* Keys that somebody installs by hand need no agent. */
static bool needs_agent(const struct facts *facts)
{
	const json_t *accept = fact(facts->link, "link.accept");

	return facts->agent_link || !facts->link || json_array_size(accept) != 1 || !fact_lists(accept, "static");
}

void service_judge(const struct facts *facts, struct findings *to)
{
	if (!needs_agent(facts))
		return;
	if (!facts->machine->status) {
		judge_absence(facts->machine, to);
		return;
	}
	judge_certificates(facts->machine, to);
	judge_section(facts, to);
	judge_connection(facts, to);
}
