// SPDX-License-Identifier: GPL-2.0-or-later
/* What is refused of certificates, keys, CAs and CRLs, and in which words. */
#include "qlinkd/credentials/credentials.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tap.h"

#define PKI	"qlinkd/qlink-pki"
/* The year 2100, when what these tests make is no longer valid. */
#define LATER	4102444800

static char dir[] = "/tmp/qlink-credentials-XXXXXX";

/*
 * A root, a CA below it, and a certificate below that; CRLs of both CAs, of which the second one
 * revokes "gone". What has another key, name, date or format is made from these.
 */
static const char script[] =
	"set -e; pki=$PWD/" PKI "; cd %s; \"$pki\" ca .; \"$pki\" cert . site-a; \"$pki\" cert . site-b\n"
	"exec 2>/dev/null\n"
	"new='openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30'\n"
	"ca='-addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign'\n"
	"leaf='-addext basicConstraints=critical,CA:FALSE'\n"
	"$new -subj /CN=root $ca -keyout root.key -out root.pem\n"
	"$new -subj /CN=middle $ca -CA root.pem -CAkey root.key -keyout middle.key -out middle.pem\n"
	"for name in site gone; do\n"
	"	$new -subj /CN=$name $leaf -addext subjectAltName=DNS:$name -CA middle.pem -CAkey middle.key -keyout $name.key -out $name.leaf\n"
	"	cat $name.leaf middle.pem > $name.pem\n"
	"done\n"
	"cat site.leaf root.pem > wrong-chain.pem; cat middle.pem site.leaf > reverse.pem\n"
	"crl() { : > $1.db; echo 01 > $1.number; printf '[ca]\\ndefault_ca=c\\n[c]\\ndatabase=%%s\\ncrlnumber=%%s\\ndefault_md=sha256\\n' $1.db $1.number > $1.cnf\n"
	"	[ -z \"${2-}\" ] || openssl ca -config $1.cnf -revoke $2 -keyfile $1.key -cert $1.pem\n"
	"	openssl ca -config $1.cnf -gencrl -crldays 10 -keyfile $1.key -cert $1.pem -out $1.crl; }\n"
	"crl root; crl middle gone.leaf; cat root.crl middle.crl > both.crl\n"
	"openssl pkey -in site-a.key -aes256 -passout pass:x -out secret.key\n"
	"openssl ec -in site.key -aes256 -passout pass:x -out old-secret.key\n"
	"cp site-a.key open.key; chmod 644 open.key\n"
	"cp site-a.key group.key; chown 12345:12345 group.key; chmod 640 group.key\n"
	"cp site-a.key shared.key; chmod 640 shared.key\n"
	"cp site-a.key writable.key; chmod 620 writable.key\n"
	": > empty; chmod 600 empty; mkdir folder; mkfifo -m 600 fifo; echo no > text; chmod 600 text\n"
	"head -n 9 site-a.pem > torn.pem; head -n 9 site-a.key > torn.key; chmod 600 torn.key\n"
	"head -c 1048577 /dev/zero > long.pem\n";

__attribute__((destructor))
static void tidy(void)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -rf %s", dir);
	if (!strstr(dir, "XXXXXX") && system(command))
		fprintf(stderr, "%s: not removed\n", dir);
}

/* Once for all tests. */
static void make_files(void)
{
	static char command[8192];

	if (!strstr(dir, "XXXXXX"))
		return;
	if (!mkdtemp(dir))
		BAIL_OUT();
	snprintf(command, sizeof(command), script, dir);
	CHECK_NUMBER("files", system(command), 0);
}

static const char *path_of(const char *name)
{
	static char paths[4][96];
	static unsigned int next;
	char *path = paths[next++ % 4];

	if (!name)
		return NULL;
	snprintf(path, sizeof(paths[0]), "%s/%s", dir, name);
	return path;
}

static int load(struct credentials **to, const char *cert, const char *key, const char *ca,
		const char *crl, const char *name, time_t now, struct qlink_why *why)
{
	struct credentials_files files = { .name = name, .now = now };

	make_files();
	files.certificate = path_of(cert);
	files.key = path_of(key);
	files.ca = path_of(ca);
	files.crl = path_of(crl);
	why->text[0] = '\0';
	return credentials_load(to, &files, why);
}

/* The refusal without the folder's name. */
static const char *without_dir(const char *text)
{
	static char out[sizeof(struct qlink_why)];
	const char *at;
	size_t len = 0;

	while ((at = strstr(text, dir))) {
		len += (size_t)snprintf(out + len, sizeof(out) - len, "%.*s", (int)(at - text), text);
		text = at + strlen(dir) + 1;
	}
	snprintf(out + len, sizeof(out) - len, "%s", text);
	return out;
}

TEST(what_is_wrong_with_a_file_is_named)
{
	static const struct {
		const char *cert, *key, *ca, *crl, *want;
	} rows[] = {
		{ "nowhere", "site-a.key", "ca.pem", NULL, "certificate nowhere: does not exist" },
		{ "site-a.pem", "nowhere", "ca.pem", NULL, "key nowhere: does not exist" },
		{ "site-a.pem", "site-a.key", "nowhere", NULL, "ca nowhere: does not exist" },
		{ "site-a.pem", "site-a.key", "ca.pem", "nowhere", "crl nowhere: does not exist" },
		{ "folder", "site-a.key", "ca.pem", NULL, "certificate folder: is a folder" },
		{ "fifo", "site-a.key", "ca.pem", NULL, "certificate fifo: is no regular file" },
		{ "site-a.pem", "empty", "ca.pem", NULL, "key empty: is empty" },
		{ "long.pem", "site-a.key", "ca.pem", NULL, "certificate long.pem: has more than 1048576 bytes" },
		{ "text", "site-a.key", "ca.pem", NULL, "certificate text: is not PEM" },
		{ "site-a.pem", "text", "ca.pem", NULL, "key text: is not PEM" },
		{ "site-a.key", "site-a.key", "ca.pem", NULL, "certificate site-a.key: has no certificate, but a private key" },
		{ "site-a.pem", "site-a.key", "ca.key", NULL, "ca ca.key: has no certificate, but a private key" },
		{ "both.crl", "site-a.key", "ca.pem", NULL, "certificate both.crl: has no certificate, but something else" },
		{ "site-a.pem", "site-a.key", "ca.pem", "ca.pem", "crl ca.pem: has no CRL, but a certificate" },
		{ "torn.pem", "site-a.key", "ca.pem", NULL, "certificate torn.pem: certificate 1 is damaged: " },
		{ "site-a.pem", "torn.key", "ca.pem", NULL, "key torn.key: is damaged: " },
		{ "site-a.pem", "secret.key", "ca.pem", NULL, "key secret.key: is encrypted, and qlinkd cannot ask for its pass phrase" },
		{ "site.pem", "old-secret.key", "root.pem", NULL, "key old-secret.key: is encrypted, and qlinkd cannot ask for its pass phrase" },
		{ "site-a.pem", "site-b.key", "ca.pem", NULL, "key site-b.key: is not the key of certificate site-a.pem" },
		{ "wrong-chain.pem", "site.key", "root.pem", NULL, "certificate wrong-chain.pem: its certificate 2 has not issued number 1" },
		{ "reverse.pem", "middle.key", "root.pem", NULL, "certificate reverse.pem: its certificate 2 has not issued number 1" },
		{ "site-a.pem", "site-a.key", "ca.pem", "both.crl", "crl both.crl: has a CRL of root, which is no CA of ca.pem" },
	};
	struct credentials *made;
	struct qlink_why why;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		CHECK(load(&made, rows[i].cert, rows[i].key, rows[i].ca, rows[i].crl, NULL, 0, &why) < 0,
		      "%s: accepted", rows[i].want);
		CHECK(!strncmp(without_dir(why.text), rows[i].want, strlen(rows[i].want)),
		      "got '%s', want '%s'", without_dir(why.text), rows[i].want);
		CHECK(!made, "%s: something is left", rows[i].want);
	}
}

TEST(a_key_that_others_can_read_is_refused)
{
	static const struct {
		const char *key, *want;
	} rows[] = {
		{ "open.key", "key open.key: others can read or change it: its mode is 0644, and may be 0600 or 0640" },
		{ "writable.key", "key writable.key: others can read or change it: its mode is 0620, and may be 0600 or 0640" },
		{ "group.key", "key group.key: others can read or change it: its mode is 0640, and may be 0600" },
		{ "shared.key", "" },
		{ "site-a.key", "" },
	};
	struct credentials *made;
	struct qlink_why why;
	size_t i;

	make_files();
	for (i = 0; i < COUNT(rows); i++) {
		if (load(&made, "site-a.pem", rows[i].key, "ca.pem", NULL, NULL, 0, &why))
			CHECK_TEXT(rows[i].key, without_dir(why.text), rows[i].want);
		else
			CHECK_TEXT(rows[i].key, "", rows[i].want);
		credentials_put(made);
	}
}

TEST(the_own_certificate_must_name_the_agent)
{
	struct credentials *made;
	struct qlink_why why;

	CHECK_NUMBER("own", load(&made, "site-a.pem", "site-a.key", "ca.pem", NULL, "site-a", 0, &why), 0);
	credentials_put(made);
	CHECK_NUMBER("other", load(&made, "site-a.pem", "site-a.key", "ca.pem", NULL, "site-b", 0, &why), -EINVAL);
	CHECK_TEXT("other", without_dir(why.text), "certificate site-a.pem: is of site-a, and has no DNS name site-b, the agent's name");
	/* A common name is no DNS name. */
	CHECK_NUMBER("CN", load(&made, "middle.pem", "middle.key", "root.pem", NULL, "middle", 0, &why), -EINVAL);
	CHECK_TEXT("CN", without_dir(why.text), "certificate middle.pem: is of middle, and has no DNS name middle, the agent's name");
}

TEST(what_is_not_valid_now_is_refused_with_its_date)
{
	struct credentials *made;
	struct qlink_why why;

	CHECK_NUMBER("too late", load(&made, "site-a.pem", "site-a.key", "ca.pem", NULL, NULL, LATER, &why), -EINVAL);
	CHECK(strstr(why.text, "/site-a.pem: site-a expired on 20"), "%s", why.text);
	CHECK_NUMBER("too early", load(&made, "site-a.pem", "site-a.key", "ca.pem", NULL, NULL, 1, &why), -EINVAL);
	CHECK(strstr(why.text, "/site-a.pem: site-a is not valid before 20"), "%s", why.text);
	CHECK_NUMBER("at any time", load(&made, "site-a.pem", "site-a.key", "ca.pem", NULL, NULL, 0, &why), 0);
	credentials_put(made);
	/* Of the CRL, which is valid for ten days, in twenty. */
	CHECK_NUMBER("CRL", load(&made, "site.pem", "site.key", "root.pem", "both.crl", NULL, time(NULL) + 20 * 86400, &why), -EINVAL);
	CHECK(strstr(why.text, "/both.crl: the CRL of root expired on 20"), "%s", why.text);
}

/* Verifies the certificate of @who as a peer's that trusts what @made has. */
static int verify(const struct credentials *made, const char *who)
{
	SSL_CTX *ssl = SSL_CTX_new(TLS_method()), *other = SSL_CTX_new(TLS_method());
	X509_STORE_CTX *store = X509_STORE_CTX_new();
	STACK_OF(X509) *chain;
	int error;

	if (!ssl || !other || !store || credentials_use(made, ssl) ||
	    SSL_CTX_use_certificate_chain_file(other, path_of(who)) != 1)
		BAIL_OUT();
	SSL_CTX_get0_chain_certs(other, &chain);
	X509_STORE_CTX_init(store, SSL_CTX_get_cert_store(ssl), SSL_CTX_get0_certificate(other), chain);
	X509_STORE_CTX_set_flags(store, X509_VERIFY_PARAM_get_flags(SSL_CTX_get0_param(ssl)));
	X509_verify_cert(store);
	error = X509_STORE_CTX_get_error(store);
	X509_STORE_CTX_free(store);
	SSL_CTX_free(other);
	SSL_CTX_free(ssl);
	return error;
}

TEST(a_chain_is_sent_and_a_revoked_certificate_is_not_accepted)
{
	STACK_OF(X509) *chain;
	struct credentials *made;
	struct qlink_why why;
	SSL_CTX *ssl;

	CHECK_NUMBER("load", load(&made, "site.pem", "site.key", "root.pem", "both.crl", "site", time(NULL), &why), 0);
	CHECK_TEXT("load", why.text, "");
	ssl = SSL_CTX_new(TLS_method());
	CHECK_NUMBER("use", credentials_use(made, ssl), 0);
	SSL_CTX_get0_chain_certs(ssl, &chain);
	CHECK_NUMBER("certificates behind our own", sk_X509_num(chain), 1);
	SSL_CTX_free(ssl);
	CHECK_NUMBER("site", verify(made, "site.pem"), X509_V_OK);
	CHECK_NUMBER("gone", verify(made, "gone.pem"), X509_V_ERR_CERT_REVOKED);
	credentials_put(made);
	/* And without the CRLs it is. */
	CHECK_NUMBER("load", load(&made, "site.pem", "site.key", "root.pem", NULL, "site", time(NULL), &why), 0);
	CHECK_NUMBER("gone", verify(made, "gone.pem"), X509_V_OK);
	credentials_put(made);
}

TEST(all_that_expires_is_listed)
{
	static const struct {
		const char *use, *subject;
		bool has_serial;
	} rows[] = {
		{ "certificate", "site", true }, { "certificate", "middle", true },
		{ "ca", "root", true }, { "crl", "root", false }, { "crl", "middle", false },
	};
	const struct credentials_item *items;
	struct credentials *made;
	struct qlink_why why;
	size_t i, n;

	CHECK_NUMBER("load", load(&made, "site.pem", "site.key", "root.pem", "both.crl", NULL, 0, &why), 0);
	items = credentials_items(made, &n);
	CHECK_NUMBER("items", n, COUNT(rows));
	for (i = 0; i < n && i < COUNT(rows); i++) {
		CHECK_TEXT(rows[i].subject, items[i].use, rows[i].use);
		CHECK_TEXT(rows[i].use, items[i].subject, rows[i].subject);
		CHECK(!!items[i].serial[0] == rows[i].has_serial, "%s: serial %s", rows[i].subject, items[i].serial);
		CHECK(items[i].not_after > time(NULL) + 8 * 86400 && items[i].not_after < time(NULL) + 31 * 86400,
		      "%s: expires at %lld", rows[i].subject, (long long)items[i].not_after);
	}
	credentials_put(made);
}

TEST(the_same_files_are_the_same_and_others_are_not)
{
	static const struct {
		const char *cert, *key, *ca, *crl;
		bool is_same;
	} rows[] = {
		{ "site.pem", "site.key", "root.pem", NULL, true },
		{ "site.leaf", "site.key", "root.pem", NULL, false },
		{ "site.pem", "site.key", "ca.pem", NULL, false },
		{ "site.pem", "site.key", "root.pem", "both.crl", false },
		{ "gone.pem", "gone.key", "root.pem", NULL, false },
	};
	struct credentials *first, *made;
	struct qlink_why why;
	size_t i;

	CHECK_NUMBER("load", load(&first, "site.pem", "site.key", "root.pem", NULL, NULL, 0, &why), 0);
	for (i = 0; i < COUNT(rows); i++) {
		CHECK_NUMBER(rows[i].cert, load(&made, rows[i].cert, rows[i].key, rows[i].ca, rows[i].crl, NULL, 0, &why), 0);
		CHECK(credentials_same(first, made) == rows[i].is_same, "row %zu", i);
		credentials_put(made);
	}
	credentials_put(first);
}

/* --- a pre-shared key --- */

#define HEX32	"000102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F"

/* Writes a file for this test, and loads it. */
static int load_psk(struct credentials **to, const char *text, unsigned int mode, const char *id, enum psk_hash hash,
		    struct qlink_why *why)
{
	const struct credentials_files files = { .psk_file = path_of("psk"), .psk_id = id, .psk_hash = hash };
	FILE *file;

	make_files();
	file = fopen(files.psk_file, "we");
	if (file) {
		fputs(text, file);
		fclose(file);
		chmod(files.psk_file, mode);
	}
	why->text[0] = '\0';
	return credentials_load(to, &files, why);
}

TEST(a_pre_shared_key_is_read)
{
	static const char *const texts[] = { HEX32, HEX32 "\n", HEX32 "\r\n" };
	const struct credentials_item *items;
	struct credentials *made;
	const struct psk *psk;
	struct qlink_why why;
	size_t i, k, n;

	for (i = 0; i < COUNT(texts); i++) {
		CHECK_NUMBER("load", load_psk(&made, texts[i], 0600, "site \"a\"", PSK_HASH_SHA256, &why), 0);
		CHECK_TEXT("why", why.text, "");
		psk = credentials_psk(made);
		CHECK_NUMBER("bytes", psk->len, 32);
		for (k = 0; k < psk->len; k++)
			CHECK_NUMBER("byte", psk->key.data[k], k);
		CHECK_TEXT("name", psk->id, "site \"a\"");
		CHECK_NUMBER("hash", psk->hash, PSK_HASH_SHA256);
		items = credentials_items(made, &n);
		CHECK_NUMBER("items", n, 1);
		CHECK_TEXT("use", items[0].use, "psk-file");
		CHECK_TEXT("who", items[0].subject, "site ?a?");
		CHECK_NUMBER("expires never", items[0].not_after, 0);
		credentials_put(made);
	}
	CHECK_NUMBER("the longest", load_psk(&made, HEX32 HEX32 "\n", 0600, "a", PSK_HASH_SHA384, &why), 0);
	CHECK_NUMBER("bytes", credentials_psk(made)->len, 64);
	credentials_put(made);
	CHECK_NUMBER("certificates", load(&made, "site.pem", "site.key", "root.pem", NULL, NULL, 0, &why), 0);
	CHECK(!credentials_psk(made), "there is a key");
	credentials_put(made);
}

TEST(what_is_wrong_with_a_pre_shared_key_is_named)
{
#define DIGITS	"psk-file psk: must have 64 to 128 hexadecimal digits, two for each byte, in one line"
	static const struct {
		const char *text;
		unsigned int mode;
		const char *want;
	} rows[] = {
		{ "", 0600, "psk-file psk: is empty" },
		{ "\n", 0600, DIGITS },
		{ "0011\n", 0600, DIGITS },
		{ HEX32 "0", 0600, DIGITS },
		{ HEX32 "0g", 0600, DIGITS },
		{ HEX32 "\n\n", 0600, DIGITS },
		{ HEX32 "\n" HEX32 "\n", 0600, DIGITS },
		{ " " HEX32 "\n", 0600, DIGITS },
		{ "0x" HEX32 "\n", 0600, DIGITS },
		{ HEX32 HEX32 "00\n", 0600, DIGITS },
		{ HEX32 "\n", 0604, "psk-file psk: others can read or change it: its mode is 0604, and may be " },
		{ HEX32 "\n", 0620, "psk-file psk: others can read or change it: its mode is 0620, and may be " },
	};
	const struct credentials_files gone = { .psk_file = "/nowhere/psk", .psk_id = "a" };
	struct credentials *made;
	struct qlink_why why;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		CHECK(load_psk(&made, rows[i].text, rows[i].mode, "a", PSK_HASH_SHA384, &why) < 0, "row %zu", i);
		CHECK(!strncmp(without_dir(why.text), rows[i].want, strlen(rows[i].want)), "row %zu: '%s'", i,
		      why.text);
		CHECK(!strstr(why.text, "0102"), "the key is quoted: %s", why.text);
		CHECK(!made, "row %zu: there are credentials", i);
	}
	CHECK(credentials_load(&made, &gone, &why) < 0, "no file");
	CHECK_TEXT("why", why.text, "psk-file /nowhere/psk: does not exist");
}

TEST(pre_shared_keys_are_compared_by_all_that_they_have)
{
	static const struct {
		const char *text, *id;
		enum psk_hash hash;
		bool is_same;
	} rows[] = {
		{ HEX32, "a", PSK_HASH_SHA384, true },
		{ HEX32 "\n", "a", PSK_HASH_SHA384, true },
		{ HEX32, "b", PSK_HASH_SHA384, false },
		{ HEX32, "a", PSK_HASH_SHA256, false },
		{ HEX32 "00", "a", PSK_HASH_SHA384, false },
		{ "01" HEX32, "a", PSK_HASH_SHA384, false },
	};
	struct credentials *first, *made, *others;
	struct qlink_why why;
	size_t i;

	CHECK_NUMBER("load", load_psk(&first, HEX32, 0600, "a", PSK_HASH_SHA384, &why), 0);
	for (i = 0; i < COUNT(rows); i++) {
		CHECK_NUMBER("load", load_psk(&made, rows[i].text, 0600, rows[i].id, rows[i].hash, &why), 0);
		CHECK(credentials_same(first, made) == rows[i].is_same, "row %zu", i);
		credentials_put(made);
	}
	CHECK_NUMBER("load", load(&others, "site.pem", "site.key", "root.pem", NULL, NULL, 0, &why), 0);
	CHECK(!credentials_same(first, others) && !credentials_same(others, first), "certificates are the same");
	credentials_put(others);
	credentials_put(first);
}
