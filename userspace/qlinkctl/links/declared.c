// SPDX-License-Identifier: GPL-2.0-or-later
/* The links that the files of a folder declare, in the words of "ip link add". */
#include "declared.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "qlinkctl/ctl.h"

/* Some hundred thousand links. */
#define FILE_BYTES_MAX	(16 << 20)

/* A file that is being read. */
struct reader {
	struct declared *declared;
	const char *path;
	struct statement statement;
	/* What is wrong with the lines of the words so far, as a negative errno; 0 for nothing. */
	int wrong;
};

static void complain(struct declared *declared, const char *path, unsigned int line, const char *text)
{
	declared->n_errors++;
	ctl_warn("%s:%u: %s", path, line, text);
}

const struct declared_link *declared_find(const struct declared *declared, const char *name)
{
	size_t i;

	for (i = 0; i < declared->n; i++)
		if (!strcmp(declared->links[i].is.device.name, name))
			return &declared->links[i];
	return NULL;
}

/* ---- one link ---- */

static int append(struct declared *declared, const struct declared_link *link)
{
	struct declared_link *links;

	links = reallocarray(declared->links, declared->n + 1, sizeof(*links));
	if (!links)
		return -ENOMEM;
	declared->links = links;
	links[declared->n++] = *link;
	return 0;
}

/* The first declaration of a name counts. */
static int take_link(struct reader *reader, struct declared_link *link)
{
	const struct declared_link *other = declared_find(reader->declared, link->is.device.name);
	struct qlink_why why;

	if (!other)
		return append(reader->declared, link);
	qlink_refuse(&why, -EEXIST, "%s: declared twice, first at %s:%u", link->is.device.name,
		     other->file, other->line);
	complain(reader->declared, link->file, link->line, why.text);
	return 0;
}

static void complain_of_lines(const struct reader *reader, unsigned int line)
{
	struct qlink_why why;

	if (reader->wrong == -E2BIG)
		qlink_refuse(&why, -E2BIG, "more than %d words: a line that does not begin with a blank begins a link",
			     STATEMENT_WORDS);
	else
		qlink_refuse(&why, -EILSEQ, "a byte of value 0: the file is damaged, or is no text in UTF-8");
	complain(reader->declared, reader->path, line, why.text);
}

/* The words so far are all of a link, or there is none. */
static int end_statement(struct reader *reader)
{
	struct statement *statement = &reader->statement;
	struct declared_link link = { .file = reader->path, .line = statement->lines[0] };
	unsigned int line = 0;
	struct qlink_why why;
	int err = 0;

	if (reader->wrong) {
		complain_of_lines(reader, statement->n ? link.line : 1);
	} else if (statement->n) {
		if (statement_parse(statement, &link.is, &line, &why))
			complain(reader->declared, reader->path, line, why.text);
		else
			err = take_link(reader, &link);
	}
	statement_clear(statement);
	reader->wrong = 0;
	return err;
}

/* ---- one file ---- */

/* A comment may stand between the lines of a link. */
static bool begins_link(const char *text)
{
	return !strchr(" \t\r\n#", *text);
}

/* A backslash at its end is part of it. */
static void cut_comment(char *text)
{
	static const char blanks[] = " \t\r\n";
	char *word = text + strspn(text, blanks);

	while (*word && *word != '#') {
		word += strcspn(word, blanks);
		word += strspn(word, blanks);
	}
	*word = '\0';
}

/* Cuts a backslash off the end. Returns whether there was one, so that the next line goes on. */
static bool cut_backslash(char *text)
{
	size_t n = strcspn(text, "\r\n");

	if (!n || text[n - 1] != '\\')
		return false;
	text[n - 1] = '\0';
	return true;
}

static int read_line(struct reader *reader, char *text, unsigned int line, bool *goes_on)
{
	bool is_new = begins_link(text) && !*goes_on;
	int err = is_new ? end_statement(reader) : 0;

	cut_comment(text);
	*goes_on = cut_backslash(text);
	if (!err)
		err = statement_add(&reader->statement, text, line);
	if (err != -E2BIG)
		return err;
	reader->wrong = err;
	return 0;
}

/* Some editors begin a file with it. */
static char *skip_mark(char *text)
{
	static const char mark[] = "\xef\xbb\xbf";

	return strncmp(text, mark, strlen(mark)) ? text : text + strlen(mark);
}

static int read_lines(struct reader *reader, FILE *from)
{
	bool goes_on = false, has_zero;
	unsigned int line = 0;
	char *text = NULL;
	size_t room = 0;
	ssize_t n;
	int err = 0;

	while (!err && (n = getline(&text, &room, from)) >= 0) {
		has_zero = strlen(text) != (size_t)n;
		line++;
		err = read_line(reader, line == 1 ? skip_mark(text) : text, line, &goes_on);
		/* What stands behind it would be lost without a word. */
		if (has_zero)
			reader->wrong = -EILSEQ;
	}
	if (ferror(from))
		complain(reader->declared, reader->path, line, strerror(errno));
	if (!err)
		err = end_statement(reader);
	statement_clear(&reader->statement);
	free(text);
	return err;
}

/* A pipe would never end, and nobody writes into one while a machine boots. */
static FILE *open_file(const char *path, const char **why)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat is = { 0 };
	FILE *from = NULL;

	*why = NULL;
	if (fd >= 0 && !fstat(fd, &is)) {
		if (!S_ISREG(is.st_mode))
			*why = "not a regular file";
		else if (is.st_size > FILE_BYTES_MAX)
			*why = "larger than 16 MiB";
		else
			from = fdopen(fd, "r");
	}
	if (from)
		return from;
	if (!*why)
		*why = strerror(errno);
	if (fd >= 0)
		close(fd);
	return NULL;
}

static int read_file(struct declared *declared, const char *path)
{
	struct reader reader = { .declared = declared, .path = path };
	const char *why;
	FILE *from = open_file(path, &why);
	int err;

	if (!from) {
		declared->n_errors++;
		ctl_warn("%s: %s", path, why);
		return 0;
	}
	err = read_lines(&reader, from);
	fclose(from);
	return err;
}

/* ---- the folder ---- */

static int is_conf(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return *entry->d_name != '.' && dot && !strcmp(dot, ".conf");
}

/* Unlike alphasort(), the same in each locale. */
static int by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int read_files(struct declared *declared, const char *folder, struct dirent **entries, int n)
{
	int err = 0, i;

	declared->files = calloc((size_t)n + 1, sizeof(*declared->files));
	if (!declared->files)
		return -ENOMEM;
	for (i = 0; i < n && !err; i++) {
		if (asprintf(&declared->files[declared->n_files], "%s/%s", folder, entries[i]->d_name) < 0)
			return -ENOMEM;
		err = read_file(declared, declared->files[declared->n_files++]);
	}
	return err;
}

int declared_read(struct declared *declared, const char *folder)
{
	struct dirent **entries = NULL;
	int n, i, err;

	memset(declared, 0, sizeof(*declared));
	n = scandir(folder, &entries, is_conf, by_bytes);
	if (n < 0 && errno == ENOENT)
		return 0;
	err = n < 0 ? -errno : read_files(declared, folder, entries, n);
	for (i = 0; i < n; i++)
		free(entries[i]);
	free(entries);
	if (err)
		ctl_warn("%s: %s", folder, strerror(-err));
	return err;
}

void declared_free(struct declared *declared)
{
	size_t i;

	for (i = 0; i < declared->n_files; i++)
		free(declared->files[i]);
	free(declared->files);
	free(declared->links);
	memset(declared, 0, sizeof(*declared));
}
