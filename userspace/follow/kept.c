// SPDX-License-Identifier: GPL-2.0-or-later
/* What became of the documents that were tried last, kept in a file over restarts. */
#include "kept.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>

static int make_path(char *path, const char *folder, const char *site, const char *end, struct qlink_why *why)
{
	if (snprintf(path, PATH_MAX, "%s/%s%s", folder, site, end) < PATH_MAX)
		return 0;
	return qlink_refuse(why, -ENAMETOOLONG, "%.100s: too long for a path", folder);
}

static uint64_t number_of(const json_t *object, const char *name)
{
	json_int_t number = json_integer_value(json_object_get(object, name));

	return number > 0 ? (uint64_t)number : 0;
}

/* Both in one digest; the NUL parts them. Without memory it is empty, and the revisions count alone. */
static void digest(char *hex, const struct documents *documents)
{
	const struct document *common = &documents->common, *site = &documents->site;
	unsigned char bytes[EVP_MAX_MD_SIZE];
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	unsigned int i, len = 0;

	hex[0] = '\0';
	if (context && EVP_DigestInit_ex(context, EVP_sha256(), NULL) &&
	    EVP_DigestUpdate(context, common->text ?: "", common->len) && EVP_DigestUpdate(context, "", 1) &&
	    EVP_DigestUpdate(context, site->text ?: "", site->len) && !EVP_DigestFinal_ex(context, bytes, &len))
		len = 0;
	EVP_MD_CTX_free(context);
	for (i = 0; i < len; i++)
		snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
}

void kept_take(struct kept *kept, const struct documents *documents)
{
	kept->cluster = documents->cluster;
	kept->common = documents->common.revision;
	kept->site = documents->site.revision;
	digest(kept->content, documents);
}

int kept_read(struct kept *kept, const char *folder, const char *site, struct qlink_why *why)
{
	char path[PATH_MAX];
	json_error_t error;
	json_t *object;
	int err;

	memset(kept, 0, sizeof(*kept));
	err = make_path(path, folder, site, ".json", why);
	if (err || access(path, F_OK))
		return err;
	object = json_load_file(path, 0, &error);
	if (!object)
		return qlink_refuse(why, -EBADMSG, "%.200s: %.150s", path, error.text);
	/* It is a text: jansson's integers have a sign. */
	kept->cluster = strtoull(json_string_value(json_object_get(object, "cluster")) ?: "0", NULL, 10);
	kept->common = number_of(object, "common");
	kept->site = number_of(object, "site");
	kept->applied = number_of(object, "applied");
	snprintf(kept->content, sizeof(kept->content), "%s", json_string_value(json_object_get(object, "content")) ?: "");
	outcome_set(&kept->outcome, outcome_find(json_string_value(json_object_get(object, "outcome"))), "%s",
		    json_string_value(json_object_get(object, "why")) ?: "");
	kept->agent = json_incref(json_object_get(object, "agent"));
	json_decref(object);
	return 0;
}

static int put_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	size_t len = strlen(text);
	int err = 0;

	if (fd < 0)
		return -errno;
	errno = EIO;
	if (write(fd, text, len) != (ssize_t)len || fsync(fd))
		err = -errno;
	close(fd);
	return err;
}

int kept_write(const struct kept *kept, const char *folder, const char *site, struct qlink_why *why)
{
	char path[PATH_MAX], fresh[PATH_MAX], cluster[24];
	json_t *object;
	char *text;
	int err = make_path(path, folder, site, ".json", why) ?: make_path(fresh, folder, site, ".json.new", why);

	if (err)
		return err;
	snprintf(cluster, sizeof(cluster), "%llu", (unsigned long long)kept->cluster);
	object = json_pack("{s:s,s:I,s:I,s:s,s:I,s:s,s:s,s:O*}", "cluster", cluster, "common", (json_int_t)kept->common,
			   "site", (json_int_t)kept->site, "content", kept->content, "applied", (json_int_t)kept->applied, "outcome",
			   outcome_name(kept->outcome.kind), "why", kept->outcome.why, "agent", kept->agent);
	text = object ? json_dumps(object, JSON_INDENT(2)) : NULL;
	json_decref(object);
	mkdir(folder, 0700);
	err = text ? put_file(fresh, text) : -ENOMEM;
	free(text);
	if (!err && rename(fresh, path))
		err = -errno;
	return err ? qlink_refuse(why, err, "%.300s: %s", path, strerror(-err)) : 0;
}

bool kept_is_of(const struct kept *kept, const struct documents *documents)
{
	char content[sizeof(kept->content)];

	if (kept->cluster != documents->cluster || kept->common != documents->common.revision ||
	    kept->site != documents->site.revision)
		return false;
	digest(content, documents);
	return !strcmp(kept->content, content);
}

void kept_free(struct kept *kept)
{
	json_decref(kept->agent);
	memset(kept, 0, sizeof(*kept));
}
