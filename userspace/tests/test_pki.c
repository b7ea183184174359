// SPDX-License-Identifier: GPL-2.0-or-later
/* Whether qlink-pki reports errors, and leaves no incomplete file. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

#define USAGE	"usage: qlink-pki [--suite 1|2] [--name NAME] ca DIR [DAYS]\n"		\
		"       qlink-pki [--suite 1|2] cert DIR NAME [DAYS]\n"			\
		"       qlink-pki [--suite 1|2] request DIR NAME\n"			\
		"       qlink-pki [--left DAYS] sign DIR NAME REQUEST [DAYS]\n"		\
		"       qlink-pki [--left DAYS] cross DIR NAME CA DOMAIN [DAYS]\n"	\
		"       qlink-pki revoke DIR NAME\n"					\
		"       qlink-pki [--left DAYS] crl DIR [DAYS]\n"

static char folder[] = "/tmp/qlink-pki.XXXXXX";

__attribute__((destructor))
static void tidy(void)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -rf %s", folder);
	if (!strstr(folder, "XXXXXX") && system(command))
		fprintf(stderr, "%s: not removed\n", folder);
}

/* Run a shell command: it must exit with @status and print @said. */
static void run(const char *command, int status, const char *said)
{
	FILE *from = popen(command, "r");
	char got[600];
	size_t len = from ? fread(got, 1, sizeof(got) - 1, from) : 0;

	got[len] = '\0';
	CHECK_NUMBER(command, from ? WEXITSTATUS(pclose(from)) : -1, status);
	CHECK_TEXT(command, got, said);
}

/* Run qlink-pki in the folder with these arguments. */
static void pki(const char *words, int status, const char *said)
{
	char command[300];

	if (strstr(folder, "XXXXXX"))
		CHECK(mkdtemp(folder), "no folder");
	snprintf(command, sizeof(command), "pki=$PWD/qlinkd/qlink-pki; cd %s && \"$pki\" %s 2>&1", folder, words);
	run(command, status, said);
}

/* The folder must hold these files, in order of their names. */
static void holds(const char *want)
{
	char command[64];

	snprintf(command, sizeof(command), "ls %s | tr '\\n' ' '", folder);
	run(command, 0, want);
}

static void in_folder(const char *command)
{
	char text[200];

	snprintf(text, sizeof(text), "cd %s && %s", folder, command);
	CHECK_NUMBER(command, system(text), 0);
}

TEST(a_failed_step_is_reported)
{
	pki("ca nowhere", 1, "qlink-pki: nowhere: not a folder\n");
	pki("cert nowhere a", 1, "qlink-pki: nowhere: not a folder\n");
	pki("cert . a", 1, "qlink-pki: ./ca.key: does not exist; make it with \"qlink-pki ca .\"\n");
	pki("cert . a_b", 1, "qlink-pki: a_b: not a DNS name\n");
	pki("cert . ca", 1, "qlink-pki: ca: not a DNS name\n");
	pki("ca . 0", 1, "qlink-pki: 0: not a number of days\n");
	pki("ca . ten", 1, "qlink-pki: ten: not a number of days\n");
	pki("ca", 2, USAGE);
	pki("cert .", 2, USAGE);
	pki("--suite 3 ca .", 1, "qlink-pki: --suite 3: not 1 or 2\n");
	pki("--suite", 1, "qlink-pki: --suite : not 1 or 2\n");
	pki("--suite 2", 2, USAGE);
	holds("");
}

TEST(no_incomplete_file_is_left)
{
	/* The key can be written, but its certificate cannot. */
	in_folder("ln -s /nowhere/at-all ca.pem");
	pki("ca .", 1, "qlink-pki: ./ca.pem: openssl failed; version 3.5 is needed\n");
	holds("");
}

TEST(existing_files_are_not_overwritten)
{
	struct stat status;
	char path[64];

	pki("ca . 30", 0, "");
	pki("ca .", 1, "qlink-pki: ./ca.key: already exists\n");
	pki("cert . a.example 3", 0, "");
	pki("cert . a.example", 1, "qlink-pki: ./a.example.key: already exists\n");
	in_folder("rm a.example.key");
	pki("cert . a.example", 1, "qlink-pki: ./a.example.pem: already exists\n");
	holds("a.example.pem ca.key ca.pem ");
	snprintf(path, sizeof(path), "%s/ca.key", folder);
	CHECK_NUMBER("stat", stat(path, &status), 0);
	CHECK_NUMBER("mode of the key", status.st_mode & 0777, 0600);
	in_folder("openssl verify -CAfile ca.pem a.example.pem >/dev/null");
	in_folder("openssl x509 -in a.example.pem -noout -checkhost a.example | grep -q 'does match'");
	in_folder("openssl x509 -in a.example.pem -noout -checkend 172800 >/dev/null");
	in_folder("! openssl x509 -in a.example.pem -noout -checkend 345600 >/dev/null");
}

static void has_key(const char *file, const char *kind)
{
	char command[200];

	snprintf(command, sizeof(command), "openssl x509 -in %s/%s -noout -text | grep -o 'Public Key Algorithm: .*'", folder, file);
	run(command, 0, kind);
}

TEST(a_suite_has_keys_of_its_own)
{
	in_folder("rm -f ca.pem ca.key *.pem *.key");
	pki("--suite 2 ca .", 0, "");
	pki("--suite 2 cert . two", 0, "");
	pki("--suite 1 cert . one", 0, "");
	has_key("ca.pem", "Public Key Algorithm: ML-DSA-87\n");
	has_key("two.pem", "Public Key Algorithm: ML-DSA-87\n");
	has_key("one.pem", "Public Key Algorithm: ML-DSA-65\n");
	in_folder("openssl verify -CAfile ca.pem one.pem two.pem >/dev/null");
}

static void clear(void)
{
	in_folder("rm -rf ./*");
}

TEST(a_request_is_signed_and_its_key_stays_where_it_was_made)
{
	clear();
	in_folder("mkdir ca site");
	pki("ca ca", 0, "");
	pki("request site a.example", 0, "");
	pki("request site a.example", 1, "qlink-pki: site/a.example.key: already exists\n");
	pki("sign ca b.example site/a.example.csr", 1, "qlink-pki: site/a.example.csr: is for CN=a.example, not for CN=b.example\n");
	pki("sign ca a.example site/none", 1, "qlink-pki: site/none: cannot be read\n");
	in_folder("sed '5s/./x/5' site/a.example.csr >site/damaged");
	pki("sign ca a.example site/damaged", 1, "qlink-pki: site/damaged: not a request that its own key has signed\n");
	in_folder("openssl req -new -newkey ed25519 -nodes -subj /CN=a.example -keyout site/other.key -out site/other 2>/dev/null");
	pki("sign ca a.example site/other", 1, "qlink-pki: site/other: its key is not ML-DSA-65 or ML-DSA-87\n");
	pki("sign ca a.example site/a.example.csr 40", 0, "ca/a.example.pem: made\n");
	pki("sign ca a.example site/a.example.csr", 1, "qlink-pki: ca/a.example.pem: already exists\n");
	in_folder("openssl verify -x509_strict -CAfile ca/ca.pem ca/a.example.pem >/dev/null");
	in_folder("[ ! -e ca/a.example.key ]");
}

/* Goes on from the one before: the certificate is valid for 40 days. */
TEST(a_certificate_is_renewed_when_few_days_are_left)
{
	pki("--left 39 sign ca a.example site/a.example.csr", 0, "ca/a.example.pem: kept\n");
	pki("--left 41 sign ca a.example site/a.example.csr", 0, "ca/a.example.pem: made\n");
	pki("--left 41 sign ca a.example site/a.example.csr", 0, "ca/a.example.pem: kept\n");
	/* Another key needs another certificate, and so does another CA. */
	in_folder("rm site/a.example.*");
	pki("request site a.example", 0, "");
	pki("--left 41 sign ca a.example site/a.example.csr", 0, "ca/a.example.pem: made\n");
	in_folder("rm ca/ca.*");
	pki("ca ca", 0, "");
	pki("--left 41 sign ca a.example site/a.example.csr", 0, "ca/a.example.pem: made\n");
	in_folder("[ \"$(ls ca/replaced | wc -l)\" = 3 ]");
	pki("--left x sign ca a.example site/a.example.csr", 1, "qlink-pki: x: not a number of days\n");
}

TEST(all_certificates_of_a_name_are_revoked)
{
	clear();
	in_folder("mkdir ca site");
	pki("ca ca", 0, "");
	pki("request site a.example", 0, "");
	pki("--left 30 crl ca", 0, "ca/ca.crl: made\n");
	pki("--left 30 crl ca", 0, "ca/ca.crl: kept\n");
	pki("--left 398 crl ca 399", 0, "ca/ca.crl: made\n");
	pki("crl ca", 1, "qlink-pki: ca/ca.crl: already exists\n");
	pki("revoke ca a.example", 1, "qlink-pki: ca/a.example.pem: does not exist\n");
	pki("sign ca a.example site/a.example.csr 9", 0, "ca/a.example.pem: made\n");
	in_folder("cp ca/a.example.pem first");
	pki("--left 10 sign ca a.example site/a.example.csr", 0, "ca/a.example.pem: made\n");
	in_folder("\"$OLDPWD/qlinkd/qlink-pki\" revoke ca a.example | grep -c revoked | grep -qx 2");
	pki("revoke ca a.example", 0, "");
	pki("--left 30 crl ca", 0, "ca/ca.crl: made\n");
	in_folder("for one in first ca/a.example.pem; do openssl verify -crl_check -CAfile ca/ca.pem -CRLfile ca/ca.crl $one 2>&1 | "
		  "grep -q 'certificate revoked' || exit; done");
	/* Its key may be stolen: a program that runs "sign" every day must not make a new certificate for it. */
	pki("--left 10 sign ca a.example site/a.example.csr", 1, "qlink-pki: ca/a.example.pem: is revoked, and has the same key; "
	    "a new certificate needs a new one\n");
	in_folder("rm site/a.example.*");
	pki("request site a.example", 0, "");
	/* One that was revoked is not kept. */
	pki("--left 10 sign ca a.example site/a.example.csr", 0, "ca/a.example.pem: made\n");
	in_folder("openssl verify -crl_check -CAfile ca/ca.pem -CRLfile ca/ca.crl ca/a.example.pem >/dev/null");
}

TEST(a_ca_certifies_another_one_for_its_domain_only)
{
	clear();
	in_folder("mkdir a b");
	pki("--name 'CA of A' ca a", 0, "");
	pki("ca b", 0, "");
	pki("cross a b b/none b.example", 1, "qlink-pki: b/none: cannot be read\n");
	pki("cross a b b/ca.pem b_example", 1, "qlink-pki: b_example: not a DNS name\n");
	pki("cross a ../b b/ca.pem b.example", 1, "qlink-pki: ../b: not letters, digits, dots and dashes\n");
	pki("cross a b b/ca.pem b.example", 0, "a/cross-b.pem: made\n");
	pki("--left 30 cross a b b/ca.pem b.example", 0, "a/cross-b.pem: kept\n");
	pki("cert b one.b.example", 0, "");
	pki("cert b one.a.example", 0, "");
	pki("cert b b.example.com", 0, "");
	pki("cross a one b/one.b.example.pem b.example", 1, "qlink-pki: b/one.b.example.pem: not the certificate of a CA\n");
	in_folder("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=classical -addext "
		  "keyUsage=critical,keyCertSign -keyout ec.key -out ec.pem 2>/dev/null");
	pki("cross a ec ec.pem b.example", 1, "qlink-pki: ec.pem: its key is not ML-DSA-65 or ML-DSA-87\n");
	in_folder("cat a/ca.pem a/cross-b.pem >trust");
	in_folder("openssl verify -x509_strict -CAfile trust b/one.b.example.pem >/dev/null");
	in_folder("for name in one.a.example b.example.com; do openssl verify -CAfile trust b/$name.pem 2>&1 | "
		  "grep -q 'permitted subtree violation' || exit; done");
	/* Another domain needs another certificate. */
	pki("--left 30 cross a b b/ca.pem a.example", 0, "a/cross-b.pem: made\n");
	in_folder("\"$OLDPWD/qlinkd/qlink-pki\" revoke a cross-b | grep -q '^a/cross-b.pem: revoked$'");
	pki("--left 30 cross a b b/ca.pem b.example", 1, "qlink-pki: a/cross-b.pem: is revoked, and has the same key; "
	    "a new certificate needs a new one\n");
	pki("ca a", 1, "qlink-pki: a/ca.key: already exists\n");
	in_folder("mkdir c");
	pki("ca c", 0, "");
	pki("cross c b b/ca.pem b.example", 1, "qlink-pki: b/ca.pem: has the name of c/ca.pem; one of both must be made anew, with \"qlink-pki --name NAME ca\"\n");
	pki("--name 'a/b' ca c", 1, "qlink-pki: --name a/b: not letters, digits, dots, dashes and blanks\n");
}
