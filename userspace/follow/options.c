// SPDX-License-Identifier: GPL-2.0-or-later
/* The configuration of qlink-follow, see qlink-follow(8). */
#include "options.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/private.h"
#include "qlinkd/config/reader.h"

#define DEFAULT_FILE		"/etc/qlink/follow.conf"
#define DEFAULT_FOLDER		"/etc/qlink/follow"
#define DEFAULT_PREFIX		"/qlink"
#define DEFAULT_STATE		"/var/lib/qlink/follow"
#define DEFAULT_TTL_MS		60000
#define DEFAULT_CONFIRM_MS	30000
#define FILE_MAX		65536
#define NAME_LETTERS		"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* ---- values ---- */

/* Whether a URL is of this host itself, whose own traffic nobody else reads. */
static bool is_loopback(const char *url)
{
	static const char *const hosts[] = { "http://127.0.0.1", "http://[::1]", "http://localhost" };
	size_t i, len;

	for (i = 0; i < sizeof(hosts) / sizeof(*hosts); i++) {
		len = strlen(hosts[i]);
		if (!strncmp(url, hosts[i], len) && (!url[len] || url[len] == ':'))
			return true;
	}
	return false;
}

static int take_endpoints(struct reader *reader, const struct reader_option *option, char **words, int n)
{
	struct options *options = (void *)reader->at;
	int i;

	if (n > OPTIONS_ENDPOINTS_MAX)
		return reader_refuse(reader, "%s: has %d URLs, and takes %d at most", option->name, n,
				     OPTIONS_ENDPOINTS_MAX);
	for (i = 0; i < n; i++) {
		if (strncmp(words[i], "https://", 8) && !is_loopback(words[i]))
			return reader_refuse(reader, "%s %s: must begin with https://, or with http:// and an address of "
					     "this host itself", option->name, words[i]);
		if (strchr(words[i] + 8, '/'))
			return reader_refuse(reader, "%s %s: has a path; the port must be the last part", option->name,
					     words[i]);
		options->endpoints[i] = words[i];
	}
	options->n_endpoints = (uint32_t)n;
	return 0;
}

static int take_prefix(struct reader *reader, const struct reader_option *option, char **words, int n)
{
	int err = reader_take_text(reader, option, words, n);
	size_t len = strlen(words[0]);

	if (!err && (words[0][0] != '/' || len < 2 || words[0][len - 1] == '/'))
		return reader_refuse(reader, "%s %s: must begin with / and not end with it", option->name, words[0]);
	return err;
}

static const struct reader_kind kind_endpoints = { take_endpoints, NULL };
static const struct reader_kind kind_prefix = { take_prefix, NULL };

/* ---- sections ---- */

static int begin(struct reader *reader, char *name)
{
	(void)name;
	reader->at = reader->arg;
	return 0;
}

static int end_etcd(struct reader *reader)
{
	const struct options *options = (void *)reader->at;

	if (!options->certificate != !options->key)
		return reader_refuse_at(reader, reader->began, "etcd: has %s and lacks %s, which it needs",
					options->key ? "key" : "certificate", options->key ? "certificate" : "key");
	if (!options->user != !options->password_file)
		return reader_refuse_at(reader, reader->began, "etcd: has %s and lacks %s, which it needs",
					options->user ? "user" : "password-file",
					options->user ? "password-file" : "user");
	return 0;
}

#define OPTION(word, value, member, least, most) \
	{ .name = (word), .kind = &(value), .offset = offsetof(struct options, member), .min = (least), .max = (most) }

static const struct reader_option etcd_options[] = {
	{ .name = "endpoints", .kind = &kind_endpoints, .is_required = true },
	OPTION("ca", reader_path, ca, 0, 0),
	OPTION("certificate", reader_path, certificate, 0, 0),
	OPTION("key", reader_path, key, 0, 0),
	OPTION("user", reader_text, user, 0, 0),
	OPTION("password-file", reader_path, password_file, 0, 0),
	OPTION("prefix", kind_prefix, prefix, 0, 0),
	OPTION("ttl", reader_seconds, ttl_ms, 5, 86400),
};

static const struct reader_option apply_options[] = {
	OPTION("confirm", reader_seconds, confirm_ms, 1, 3600),
	OPTION("prune", reader_yes, prune, 0, 0),
	OPTION("control", reader_path, control, 0, 0),
	OPTION("config", reader_path, config, 0, 0),
	OPTION("folder", reader_path, folder, 0, 0),
	OPTION("pending", reader_path, pending, 0, 0),
	OPTION("state", reader_path, state, 0, 0),
};

static const struct reader_section sections[] = {
	{ "etcd", NULL, etcd_options, sizeof(etcd_options) / sizeof(*etcd_options), begin, end_etcd },
	{ "apply", NULL, apply_options, sizeof(apply_options) / sizeof(*apply_options), begin, NULL },
};

/* ---- the whole ---- */

/* The name is part of a key and of names of files. */
static int check_site(const char *site, struct qlink_why *why)
{
	if (*site && strlen(site) <= OPTIONS_NAME_MAX && !site[strspn(site, NAME_LETTERS ".-_")] &&
	    strchr(NAME_LETTERS, site[0]))
		return 0;
	return qlink_refuse(why, -EINVAL, "site %.40s: must have at most %d letters, digits and -._, and begin with a letter "
			    "or a digit", site, OPTIONS_NAME_MAX);
}

static int check_secret(const char *what, const char *path, struct qlink_why *why)
{
	struct stat stats;

	if (!path)
		return 0;
	if (stat(path, &stats))
		return qlink_refuse(why, -errno, "%s %s: %s", what, path, strerror(errno));
	if (qlink_is_open_to_others(&stats))
		return qlink_refuse(why, -EACCES, "%s %s: others can read or change it; chmod 600", what, path);
	return 0;
}

static int check(const struct options *options, const char *path, struct qlink_why *why)
{
	if (!options->n_endpoints)
		return qlink_refuse(why, -EINVAL, "%s: lacks a section etcd with endpoints", path);
	return check_secret("key", options->key, why) ?: check_secret("password-file", options->password_file, why);
}

static void set_defaults(struct options *options, const char *site)
{
	memset(options, 0, sizeof(*options));
	options->site = site;
	options->prefix = DEFAULT_PREFIX;
	options->state = DEFAULT_STATE;
	options->ttl_ms = DEFAULT_TTL_MS;
	options->confirm_ms = DEFAULT_CONFIRM_MS;
}

int options_read(struct options *options, const char *site, const char *path, struct qlink_why *why)
{
	char own[sizeof(DEFAULT_FOLDER) + OPTIONS_NAME_MAX + 8];
	struct config_error error;
	struct reader reader = {
		.sections = sections, .n_sections = sizeof(sections) / sizeof(*sections), .arg = options,
		.error = &error,
	};
	size_t len;

	set_defaults(options, site);
	if (check_site(site, why))
		return -EINVAL;
	snprintf(own, sizeof(own), DEFAULT_FOLDER "/%s.conf", site);
	if (!path)
		path = access(own, F_OK) ? DEFAULT_FILE : own;
	reader.path = path;
	options->text = reader_load(reader.path, FILE_MAX, &len, &error);
	if (!options->text)
		return qlink_refuse(why, -errno, "%.390s", error.text);
	if (len > FILE_MAX)
		return qlink_refuse(why, -EFBIG, "%.300s: has more than %d bytes", reader.path, FILE_MAX);
	options->text[len] = '\0';
	if (reader_take(&reader, options->text, len))
		return qlink_refuse(why, -EINVAL, "%.390s", error.text);
	return check(options, reader.path, why);
}

void options_free(struct options *options)
{
	free(options->text);
	options->text = NULL;
}
