// SPDX-License-Identifier: GPL-2.0-or-later
/* Declared links: what a file says, what is wrong with it, and how a link differs from it. */
#include "qlinkctl/links/declared.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "qlinkctl/links/compare.h"
#include "tap.h"

#define UDP	"type qlink id 7 local 192.0.2.1 remote 192.0.2.2 port 7000"

/* ---- one folder with files ---- */

static char folder[] = "/tmp/qlink-links-XXXXXX";

static void write_file(const char *name, const char *content)
{
	char path[80];
	FILE *to;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	to = fopen(path, "w");
	if (!to || fputs(content, to) == EOF || fclose(to))
		BAIL_OUT();
}

static void make_folder(void)
{
	strcpy(folder + sizeof(folder) - 7, "XXXXXX");
	if (!mkdtemp(folder))
		BAIL_OUT();
}

static void remove_folder(void)
{
	char command[80];

	snprintf(command, sizeof(command), "rm -rf %s", folder);
	if (system(command))
		BAIL_OUT();
}

/* Reads a folder with one file, and returns what was said of it with the folder cut off. */
static const char *read_one(struct declared *declared, const char *content)
{
	static char said[4096];
	size_t n = strlen("qlinkctl: ") + strlen(folder) + 1;
	const char *all;

	make_folder();
	write_file("a.conf", content);
	tap_stderr_begin();
	CHECK_NUMBER("read", declared_read(declared, folder), 0);
	all = tap_stderr_end();
	snprintf(said, sizeof(said), "%s", strlen(all) > n ? all + n : all);
	said[strcspn(said, "\n")] = '\0';
	remove_folder();
	return said;
}

TEST(a_line_has_the_words_of_ip_link_add)
{
	struct declared declared;
	const struct qlink_config *config;

	CHECK_TEXT("no error", read_one(&declared, "# site b\n"
		"\n"
		"link eth1 name qlink1 mtu 1400 address 02:00:00:00:01:01 txqueuelen 500 up type qlink id 9 \\\n"
		"peer 02:00:00:00:00:02\n"
		"qlink0 " UDP "\n"
		"# a comment inside\n"
		"\taccept hybrid2	# of two KMEs\n"
		"  rekey-ms 500\n"
		"ip link add dev qlink2 " UDP " source-ports 1\n"), "");
	CHECK_NUMBER("links", declared.n, 3);
	if (declared.n != 3)
		BAIL_OUT();
	CHECK_TEXT("name", declared.links[0].is.device.name, "qlink1");
	CHECK_TEXT("lower", declared.links[0].is.lower, "eth1");
	CHECK_NUMBER("line", declared.links[0].line, 3);
	CHECK_NUMBER("mtu", declared.links[0].is.device.mtu, 1400);
	CHECK_NUMBER("txqueuelen", declared.links[0].is.device.txqueuelen, 500);
	CHECK(declared.links[0].is.device.is_up, "not up");
	CHECK_NUMBER("address", declared.links[0].is.device.mac[4], 1);
	CHECK_NUMBER("peer", declared.links[0].is.config.peer[5], 2);
	config = &declared.links[1].is.config;
	CHECK_TEXT("name", declared.links[1].is.device.name, "qlink0");
	CHECK_NUMBER("line", declared.links[1].line, 5);
	CHECK_NUMBER("KMEs", config->accept_kmes, 2);
	CHECK_NUMBER("rekey-ms", config->rekey_ms, 500);
	CHECK_TEXT("name", declared.links[2].is.device.name, "qlink2");
	CHECK_NUMBER("source-ports", declared.links[2].is.config.source_ports, 1);
	CHECK(declared_find(&declared, "qlink2") == &declared.links[2], "qlink2 is not found");
	CHECK(!declared_find(&declared, "qlink3"), "qlink3 is found");
	declared_free(&declared);
}

struct row {
	const char *content, *said;
};

static void check_errors(const struct row *rows, size_t n)
{
	struct declared declared;
	size_t i;

	for (i = 0; i < n; i++) {
		CHECK_TEXT(rows[i].content, read_one(&declared, rows[i].content), rows[i].said);
		CHECK_NUMBER(rows[i].content, declared.n, 0);
		CHECK_NUMBER(rows[i].content, declared.n_errors, 1);
		declared_free(&declared);
	}
}

TEST(an_error_names_file_line_and_rule)
{
	static const struct row rows[] = {
		{ "qlink0 type qlink id 0\n", "a.conf:1: id \"0\": not a number from 1 to 65535" },
		{ "\n\nqlink0 " UDP "\n mut 1400\n", "a.conf:4: \"mut\": no such option" },
		{ "qlink0 " UDP "\n\n port 7001\n", "a.conf:3: port: given twice" },
		{ "qlink0 " UDP " dscp\n", "a.conf:1: dscp: has no value" },
		{ "qlink0 mtu 20 " UDP "\n", "a.conf:1: mtu \"20\": not a number from 68 to 65535" },
		{ "qlink0 mtu\n", "a.conf:1: mtu: has no value" },
		{ "qlink0 name qlink1 " UDP "\n", "a.conf:1: name: given twice" },
		{ "qlink0 qlen 4 " UDP "\n",
		  "a.conf:1: \"qlen\": neither link, name, mtu, txqueuelen, address, up nor type, and the device is named qlink0 already" },
		{ "qlink%d " UDP "\n", "a.conf:1: \"qlink%d\": not a name of a device of 1 to 15 characters" },
		{ "a-name-of-16-chars " UDP "\n",
		  "a.conf:1: \"a-name-of-16-chars\": not a name of a device of 1 to 15 characters" },
		{ UDP "\n", "a.conf:1: name: not given, that of the device to make" },
		{ "qlink0\n", "a.conf:1: type qlink: not given, and the options follow it" },
		{ "qlink0 type vlan id 5\n", "a.conf:1: type \"vlan\": must be qlink" },
		{ "qlink0 type qlink id 7\n", "a.conf:1: no underlay: give link and peer, or local, remote and port" },
		{ "qlink0 type qlink peer 02:00:00:00:00:02\n", "a.conf:1: id: not given" },
		{ "qlink0 type qlink id 7 peer 02:00:00:00:00:02\n",
		  "a.conf:1: link: not given, the device that carries the frames" },
		{ "link eth0 name q type qlink id 7\n", "a.conf:1: peer: not given, the MAC address of the other end" },
		{ "q type qlink id 7 remote 192.0.2.2 port 1\n", "a.conf:1: local: not given, an address of this machine" },
		{ "q type qlink id 7 local 192.0.2.2 port 1\n", "a.conf:1: remote: not given, the address of the other end" },
		{ "q type qlink id 7 local 192.0.2.2 remote any port 1\n", "a.conf:1: remote any: needs keepalive-ms at both ends" },
		{ "q type qlink id 7 local 192.0.2.2 remote any port 1 roam off\n",
		  "a.conf:1: remote any: needs roam, which is off" },
		{ "q " UDP " roam on\n", "a.conf:1: roam on: needs keepalive-ms at both ends" },
		{ "q type qlink id 7 local 192.0.2.2 remote 224.0.0.1 port 1\n",
		  "a.conf:1: remote 224.0.0.1: not the address of one machine" },
		{ "q type qlink id 7 local 0.0.0.0 remote 192.0.2.2 port 1\n",
		  "a.conf:1: local 0.0.0.0: not the address of one machine" },
		{ "q type qlink id 7 local fe80::1 remote 2001:db8::1 port 1\n",
		  "a.conf:1: local fe80::1: link-local, and a link has no scope" },
		{ "q type qlink id 7 local 2001:db8::1 remote ff02::1 port 1\n",
		  "a.conf:1: remote ff02::1: not the address of one machine" },
		{ "q type qlink id 7 local 2001:db8::1 remote ::ffff:192.0.2.1 port 1\n",
		  "a.conf:1: remote ::ffff:192.0.2.1: an IPv4 address in an IPv6 one" },
		{ "q type qlink id 7 local 2001:db8::1 remote 192.0.2.1 port 1\n",
		  "a.conf:1: local and remote: one is IPv4 and one IPv6" },
		{ "link eth0 name q type qlink id 7 peer 03:00:00:00:00:02\n",
		  "a.conf:1: peer 03:00:00:00:00:02: not the address of one device" },
		{ "q type qlink id 7 local 192.0.2.2 remote any\n", "a.conf:1: port: not given, the UDP port of both ends" },
		{ "link eth0 name q " UDP "\n",
		  "a.conf:1: link, peer, ethertype and local, remote, port, dev, roam exclude each other" },
	};

	check_errors(rows, COUNT(rows));
}

TEST(what_the_kernel_refuses_is_an_error)
{
	static const struct row rows[] = {
		{ "link eth0 name q type qlink id 7 peer 00:00:00:00:00:00\n",
		  "a.conf:1: peer 00:00:00:00:00:00: not the address of one device" },
		{ "q address 01:00:00:00:00:01 " UDP "\n",
		  "a.conf:1: address \"01:00:00:00:00:01\": not the address of one device" },
		{ "q type qlink id 7 local 192.0.2.2 remote 255.255.255.255 port 1\n",
		  "a.conf:1: remote 255.255.255.255: not the address of one machine" },
		{ "link eth0 name q type qlink id 7 peer 02:00:00:00:00:02 ttl 5\n",
		  "a.conf:1: dscp, ecn, ttl and fwmark are of the udp underlay: eth has no IP header" },
		{ "link eth0 name q type qlink id 7 peer 02:00:00:00:00:02 source-ports 4\n",
		  "a.conf:1: source-ports is of the udp underlay: eth has no ports" },
		{ "q " UDP " parcel-bytes 5\n", "a.conf:1: parcel-bytes 5: neither 0 nor a number from 128 to 16032" },
		{ "q " UDP " parcel constant parcel-interval-us 3000 keepalive-ms 10\n",
		  "a.conf:1: keepalive-ms 10: below 4 times parcel-interval-us 3000" },
	};

	check_errors(rows, COUNT(rows));
}

TEST(what_the_kernel_takes_is_taken)
{
	static const char *rows[] = {
		"q type qlink id 7 local 240.0.0.1 remote 240.0.0.2 port 1\n",
		"link eth0 name q type qlink id 7 peer 02:00:00:00:00:02 dscp 0 ecn off\n",
		"q " UDP " parcel-bytes 0 parcel constant keepalive-ms 10\n",
		"q " UDP " parcel-bytes 128\n",
	};
	struct declared declared;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		CHECK_TEXT(rows[i], read_one(&declared, rows[i]), "");
		CHECK_NUMBER(rows[i], declared.n, 1);
		declared_free(&declared);
	}
}

TEST(too_many_words_are_one_error)
{
	char content[4000] = "qlink0";
	struct declared declared;
	int i;

	for (i = 0; i < 300; i++)
		strcat(content, " word\n");
	strcat(content, "qlink1 " UDP "\n");
	CHECK_TEXT("said", read_one(&declared, content),
		   "a.conf:1: more than 128 words: a line that does not begin with a blank begins a link");
	CHECK_NUMBER("links", declared.n, 1);
	declared_free(&declared);
}

TEST(an_error_leaves_out_one_link_and_no_other)
{
	struct declared declared;
	char *said;

	make_folder();
	write_file("b.conf", "qlink0 " UDP "\nqlink1 type qlink id x\nqlink2 " UDP "\n");
	write_file("a.conf", "qlink0 " UDP "\n");
	write_file("c.conf.bak", "nonsense\n");
	write_file(".d.conf", "nonsense\n");
	tap_stderr_begin();
	CHECK_NUMBER("read", declared_read(&declared, folder), 0);
	said = tap_stderr_end();
	CHECK(strstr(said, "b.conf:1: qlink0: declared twice, first at "), "said: %s", said);
	CHECK(strstr(said, "a.conf:1\n"), "said: %s", said);
	CHECK(strstr(said, "b.conf:2: id \"x\""), "said: %s", said);
	CHECK_NUMBER("errors", declared.n_errors, 2);
	CHECK_NUMBER("files", declared.n_files, 2);
	CHECK_NUMBER("links", declared.n, 2);
	if (declared.n == 2)
		CHECK_TEXT("second", declared.links[1].is.device.name, "qlink2");
	declared_free(&declared);
	remove_folder();
}

TEST(a_comment_ends_with_its_line)
{
	struct declared declared;

	CHECK_TEXT("no error", read_one(&declared, "qlink0 " UDP "\n"
		"# C:\\\n"
		"qlink1 " UDP " # see also \\\n"
		"qlink2 " UDP " dscp \\\n"
		"5\n"), "");
	CHECK_NUMBER("links", declared.n, 3);
	declared_free(&declared);
}

TEST(files_of_other_systems_are_read)
{
	struct declared declared;

	CHECK_TEXT("no error", read_one(&declared, "\xef\xbb\xbfqlink0 type qlink id 7 \\\r\n"
		"local 192.0.2.1 remote 192.0.2.2\r\n\tport 7000\r\n\r\n# end\r\n"), "");
	CHECK_NUMBER("links", declared.n, 1);
	if (declared.n == 1)
		CHECK_TEXT("name", declared.links[0].is.device.name, "qlink0");
	declared_free(&declared);
}

static void write_bytes(const char *name, const void *bytes, size_t n)
{
	char path[80];
	FILE *to;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	to = fopen(path, "w");
	if (!to || fwrite(bytes, 1, n, to) != n || fclose(to))
		BAIL_OUT();
}

/* As a power failure leaves a file: what is lost must not be the policy of a link. */
TEST(a_file_with_zeros_is_damaged)
{
	static const char bytes[] = "qlink0 " UDP "\nqlink1 " UDP " rekey-ms 500\0\0\0 accept hybrid\nqlink2 " UDP "\n";
	struct declared declared;
	char *said;

	make_folder();
	write_bytes("a.conf", bytes, sizeof(bytes) - 1);
	write_bytes("b.conf", "\0\0\0", 3);
	tap_stderr_begin();
	CHECK_NUMBER("read", declared_read(&declared, folder), 0);
	said = tap_stderr_end();
	CHECK(strstr(said, "a.conf:2: a byte of value 0: "), "said: %s", said);
	CHECK(strstr(said, "b.conf:1: a byte of value 0: "), "said: %s", said);
	CHECK_NUMBER("errors", declared.n_errors, 2);
	CHECK_NUMBER("links", declared.n, 2);
	CHECK(!declared_find(&declared, "qlink1"), "qlink1 is taken");
	declared_free(&declared);
	remove_folder();
}

TEST(what_is_no_file_is_an_error)
{
	struct declared declared;
	char path[80], *said;

	make_folder();
	write_file("a.conf", "");
	snprintf(path, sizeof(path), "%s/a.conf", folder);
	if (truncate(path, (16 << 20) + 1))
		BAIL_OUT();
	snprintf(path, sizeof(path), "%s/b.conf", folder);
	if (mkfifo(path, 0600))
		BAIL_OUT();
	snprintf(path, sizeof(path), "%s/c.conf", folder);
	if (mkdir(path, 0700))
		BAIL_OUT();
	snprintf(path, sizeof(path), "%s/d.conf", folder);
	if (symlink("nowhere", path))
		BAIL_OUT();
	write_file("e.conf", "qlink0 " UDP "\n");
	tap_stderr_begin();
	CHECK_NUMBER("read", declared_read(&declared, folder), 0);
	said = tap_stderr_end();
	CHECK(strstr(said, "a.conf: larger than 16 MiB\n"), "said: %s", said);
	CHECK(strstr(said, "b.conf: not a regular file\n"), "said: %s", said);
	CHECK(strstr(said, "c.conf: not a regular file\n"), "said: %s", said);
	CHECK(strstr(said, "d.conf: No such file or directory\n"), "said: %s", said);
	CHECK_NUMBER("errors", declared.n_errors, 4);
	CHECK_NUMBER("links", declared.n, 1);
	declared_free(&declared);
	remove_folder();
}

TEST(no_folder_declares_nothing)
{
	struct declared declared;

	CHECK_NUMBER("read", declared_read(&declared, "/nonexistent/links.d"), 0);
	CHECK_NUMBER("links", declared.n, 0);
	CHECK_NUMBER("errors", declared.n_errors, 0);
	declared_free(&declared);
}

/* ---- comparison ---- */

static struct qlink_link link_of(const struct declared *declared)
{
	return (struct qlink_link){ .config = declared->links[0].is.config };
}

TEST(what_is_not_declared_does_not_count)
{
	struct comparison comparison = { 0 };
	struct declared declared;
	struct qlink_link is;

	read_one(&declared, "qlink0 " UDP " ecn off fwmark 0\n");
	is = link_of(&declared);
	is.config.present |= 1ULL << IFLA_QLINK_REKEY_MS | 1ULL << IFLA_QLINK_ACCEPT;
	/* The kernel does not show them while they are 0. */
	is.config.present &= ~(1ULL << IFLA_QLINK_ECN | 1ULL << IFLA_QLINK_FWMARK);
	compare_options(&comparison, &declared.links[0], 0, &is);
	CHECK_NUMBER("no change", comparison.change.present, 0);
	CHECK_TEXT("no text", comparison.text, "");
	declared_free(&declared);
}

TEST(what_differs_is_changed_and_said)
{
	struct comparison comparison = { 0 };
	struct qlink_device device = { .ifindex = 4, .mtu = 1400 };
	struct declared declared;
	struct qlink_link is;

	read_one(&declared, "qlink0 mtu 1300 up " UDP " accept hybrid2\n");
	is = link_of(&declared);
	is.config.port = 7001;
	is.config.accept_kmes = 1;
	compare_options(&comparison, &declared.links[0], 0, &is);
	compare_device(&comparison, &declared.links[0], &device);
	CHECK_NUMBER("changed", comparison.change.present, 1ULL << IFLA_QLINK_PORT | 1ULL << IFLA_QLINK_ACCEPT |
							    1ULL << IFLA_QLINK_ACCEPT_KMES);
	CHECK_NUMBER("port", comparison.change.port, 7000);
	CHECK_NUMBER("KMEs", comparison.change.accept_kmes, 2);
	CHECK(comparison.has_device && comparison.device.is_up, "the device does not differ");
	CHECK_NUMBER("mtu", comparison.device.mtu, 1300);
	CHECK_NUMBER("index", comparison.device.ifindex, 4);
	CHECK_TEXT("said", comparison.text,
		   "port 7001, declared 7000; accept hybrid, declared hybrid2; mtu 1400, declared 1300; state down, declared up");
	compare_cut_underlay(&comparison.change);
	CHECK_NUMBER("policy", comparison.change.present, 1ULL << IFLA_QLINK_ACCEPT | 1ULL << IFLA_QLINK_ACCEPT_KMES);
	declared_free(&declared);
}

TEST(hidden_options_are_set_with_the_mode_that_shows_them)
{
	static const char *content = "qlink0 " UDP " parcel constant parcel-interval-us 2000 parcel-queue 8\n";
	struct comparison comparison = { 0 };
	struct declared declared;
	struct qlink_link is = { 0 };

	read_one(&declared, content);
	is.config = declared.links[0].is.config;
	is.config.present &= ~(1ULL << IFLA_QLINK_PARCEL | 1ULL << IFLA_QLINK_PARCEL_INTERVAL_US |
			       1ULL << IFLA_QLINK_PARCEL_QUEUE);
	is.config.parcel = QLINK_PARCEL_MODE_OFF;
	is.config.parcel_interval_us = 0;
	is.config.parcel_queue = 0;
	compare_options(&comparison, &declared.links[0], 0, &is);
	CHECK_NUMBER("changed", comparison.change.present,
		     1ULL << IFLA_QLINK_PARCEL | 1ULL << IFLA_QLINK_PARCEL_INTERVAL_US |
		     1ULL << IFLA_QLINK_PARCEL_QUEUE);
	/* In a mode that does not use them, they count as equal. */
	declared.links[0].is.config.parcel = QLINK_PARCEL_MODE_OFF;
	comparison = (struct comparison){ 0 };
	compare_options(&comparison, &declared.links[0], 0, &is);
	CHECK_NUMBER("no change", comparison.change.present, 0);
	declared_free(&declared);
}

TEST(a_hold_is_set_where_the_mode_is_there_already)
{
	struct comparison comparison = { 0 };
	struct declared declared;
	struct qlink_link is;

	read_one(&declared, "qlink0 " UDP " parcel pack parcel-hold-us 50\n");
	is = link_of(&declared);
	is.config.present &= ~(1ULL << IFLA_QLINK_PARCEL_HOLD_US);
	is.config.parcel_hold_us = 0;
	compare_options(&comparison, &declared.links[0], 0, &is);
	CHECK_NUMBER("changed", comparison.change.present, 1ULL << IFLA_QLINK_PARCEL_HOLD_US);
	CHECK_NUMBER("hold", comparison.change.parcel_hold_us, 50);
	CHECK_TEXT("said", comparison.text, "parcel-hold-us none, declared 50");
	/* None is declared, and none is there. */
	declared.links[0].is.config.parcel_hold_us = 0;
	comparison = (struct comparison){ 0 };
	compare_options(&comparison, &declared.links[0], 0, &is);
	CHECK_NUMBER("no change", comparison.change.present, 0);
	declared_free(&declared);
}

TEST(a_lower_device_is_compared_by_its_index)
{
	struct comparison comparison = { 0 };
	struct declared declared;
	struct qlink_link is;

	read_one(&declared, "link eth9 name qlink0 type qlink id 7 peer 02:00:00:00:00:02\n");
	is = link_of(&declared);
	is.config.lower = 12;
	is.config.present |= 1ULL << IFLA_QLINK_LOWER;
	compare_options(&comparison, &declared.links[0], 12, &is);
	CHECK_NUMBER("no change", comparison.change.present, 0);
	compare_options(&comparison, &declared.links[0], 0, &is);
	CHECK_NUMBER("no change while it is missing", comparison.change.present, 0);
	compare_options(&comparison, &declared.links[0], 99999, &is);
	CHECK_NUMBER("changed", comparison.change.present, 1ULL << IFLA_QLINK_LOWER);
	CHECK_NUMBER("index", comparison.change.lower, 99999);
	CHECK_TEXT("said", comparison.text, "link another, declared eth9");
	declared_free(&declared);
}
