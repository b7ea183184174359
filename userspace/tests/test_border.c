// SPDX-License-Identifier: GPL-2.0-or-later
/* Two whole agents whose CAs certify each other, each for the names of the other's sites and no others. */
#include "agents.h"

#include <stdio.h>
#include <string.h>

#include "qlinkd/peer/tls.h"

/* Agent 0 is below the CA of all tests, "qlink CA"; agent 1 below another one, in a folder of its own. */
static void two_cas(void)
{
	agents_files();
	agents_shell("rm -rf %s/b && mkdir %s/b && " AGENTS_PKI " --name 'CA of B' ca %s/b", agents_dir, agents_dir, agents_dir);
	agents_certify(1, "b");
}

/* Each CA certifies the other for a domain, and each agent trusts its own CA and what that has certified. */
static void certify_each_other(const char *domain_b)
{
	agents_shell(AGENTS_PKI " --left 1 cross %s b %s/b/ca.pem %s >/dev/null", agents_dir, agents_dir, domain_b);
	agents_shell(AGENTS_PKI " --left 1 cross %s/b a %s/ca.pem site-a >/dev/null", agents_dir, agents_dir);
	agents_shell("cd %s && cat ca.pem cross-b.pem >trust-a.pem && cat b/ca.pem b/cross-a.pem >trust-b.pem", agents_dir);
}

/* The configuration of an agent with these lines more in section agent, and the file of its own CA. */
static void configure(unsigned int i, const char *lines)
{
	const char *rest = strstr(agents_conf(i, KME, LINK), "\tlisten ");
	char text[AGENTS_TEXT];

	snprintf(text, sizeof(text), "agent\n\tname %s\n\tcertificate %s/%s.pem\n\tkey %s/%s.key\n\tca %s/trust-%c.pem\n%s%s",
		 agents_names[i], agents_dir, agents_names[i], agents_dir, agents_names[i], agents_dir, "ab"[i], lines, rest);
	agents_write(agents_paths[i], text);
	agents_reload(i);
}

static void configure_both(const char *lines)
{
	configure(0, lines);
	configure(1, lines);
}

TEST(a_name_outside_of_what_its_ca_may_certify_is_refused)
{
	two_cas();
	certify_each_other("elsewhere.example");
	agents_start(LINK);
	configure_both("");
	WAIT_FOR(agents_logged(0, "why=\"wrong-ca: permitted subtree violation\""));
	CHECK(tls_refused(agents[0].now.context, TLS_REFUSAL_CA), "not counted");
	CHECK(!agents_peer(0)->is_open, "a connection");
	CHECK(!agents_logged(1, "permitted subtree violation"), "agent 1 refuses a name that its CA permits");
	/* The CA permits the domain of the peer, and the same certificate is accepted. */
	certify_each_other("site-b");
	configure_both("");
	WAIT_FOR(agents_ready());
	/* It takes that back. */
	agents_shell("cp %s/ca.pem %s/trust-a.pem", agents_dir, agents_dir);
	agents_reload(0);
	WAIT_FOR(!agents_peer(0)->is_open);
	agents_end();
}

/* A CRL of each CA, in one file. */
static void write_crls(void)
{
	agents_shell("for ca in . b; do " AGENTS_PKI " --left 1 crl %s/$ca >/dev/null || exit; done", agents_dir);
	agents_shell("cd %s && cat ca.crl b/ca.crl >both.crl", agents_dir);
}

TEST(a_peer_that_the_other_ca_has_revoked_is_refused)
{
	char crl[128];

	two_cas();
	certify_each_other("site-b");
	write_crls();
	snprintf(crl, sizeof(crl), "\tcrl %s/both.crl\n", agents_dir);
	agents_start(LINK);
	configure_both(crl);
	WAIT_FOR(agents_ready());
	/* Agent 1's certificate lies in the folder of all tests, where its CA does not look. */
	agents_shell("cp %s/site-b.pem %s/b/ && " AGENTS_PKI " revoke %s/b site-b >/dev/null", agents_dir, agents_dir, agents_dir);
	write_crls();
	agents_reload(0);
	WAIT_FOR(!agents_peer(0)->is_open && agents_logged(0, "why=\"wrong-ca: certificate revoked\""));
	agents_end();
}
