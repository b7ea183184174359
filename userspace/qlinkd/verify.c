// SPDX-License-Identifier: GPL-2.0-or-later
/* qlinkd -a: checks an audit log and prints what it found. */
#include "verify.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/pem.h>

#include "qlinkd/audit/check.h"
#include "qlinkd/config/config.h"

/* Breaks that are printed; more are only counted. */
#define BREAKS_MAX	100

/* ---- the key of the agent ---- */

static int complain(const char *what, const char *why)
{
	fprintf(stderr, "qlinkd: %s: %s\n", what, why);
	return 1;
}

/* The public key of a certificate; NULL after an error message. */
static EVP_PKEY *load_key(const char *path)
{
	FILE *file = fopen(path, "re");
	X509 *certificate = file ? PEM_read_X509(file, NULL, NULL, NULL) : NULL;
	EVP_PKEY *key = certificate ? X509_get_pubkey(certificate) : NULL;

	if (!file)
		complain(path, strerror(errno));
	else if (!key)
		complain(path, "not a PEM file with a certificate");
	if (file)
		fclose(file);
	X509_free(certificate);
	return key;
}

/* The certificate that the configuration names, if it can be read; the caller frees it. */
static char *find_certificate(const char *path)
{
	struct config_error error;
	struct config config;
	char *found = NULL;

	if (!config_read(&config, path, &error))
		found = strdup(config.agent.certificate);
	config_free(&config);
	return found;
}

/* ---- the check ---- */

static void print_break(void *arg, const char *text)
{
	uint64_t *n = arg;

	if ((*n)++ < BREAKS_MAX)
		fprintf(stderr, "qlinkd: %s\n", text);
}

static void print_report(const struct audit_report *report, bool has_key)
{
	const struct audit_checkpoint *checkpoint = &report->checkpoint;

	printf("%" PRIu64 " lines, %" PRIu64 " bytes in %" PRIu64 " files, %" PRIu64
	       " breaks; the last line is %" PRIu64 ", hash %s\n", report->lines, report->bytes,
	       report->files, report->breaks, report->end.number, report->end.hash);
	if (report->set_aside)
		printf("%" PRIu64 " bytes that a crash damaged are set aside, as the log says\n",
		       report->set_aside);
	if (report->has_checkpoint)
		printf("checkpoint of %s at line %" PRIu64 ", %s, signature %s\n",
		       checkpoint->agent, checkpoint->point.number, checkpoint->utc,
		       has_key ? "checked" : "not checked: name the agent's certificate by -k");
}

static int verify(const struct verify_options *options, EVP_PKEY *key)
{
	int folder = open(options->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), err;
	struct audit_report report;
	uint64_t n = 0;

	if (folder < 0)
		return complain(options->folder, strerror(errno));
	err = audit_check(folder, options->first, key, print_break, &n, &report);
	close(folder);
	if (n > BREAKS_MAX)
		fprintf(stderr, "qlinkd: and %" PRIu64 " more breaks\n", n - BREAKS_MAX);
	print_report(&report, key);
	if (err && err != -EBADMSG)
		return complain(options->folder, strerror(-err));
	return err || fflush(stdout) ? 1 : 0;
}

int verify_log(const struct verify_options *options)
{
	char *found = options->certificate ? NULL : find_certificate(options->config);
	const char *certificate = options->certificate ? options->certificate : found;
	EVP_PKEY *key = certificate ? load_key(certificate) : NULL;
	int status = certificate && !key ? 1 : verify(options, key);

	EVP_PKEY_free(key);
	free(found);
	return status;
}
