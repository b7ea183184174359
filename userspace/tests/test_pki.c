// SPDX-License-Identifier: GPL-2.0-or-later
/* Whether qlink-pki reports errors, and leaves no incomplete file. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

#define USAGE	"usage: qlink-pki [--suite 1|2] ca DIR [DAYS]\n       qlink-pki [--suite 1|2] cert DIR NAME [DAYS]\n"

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
	char got[300];
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
