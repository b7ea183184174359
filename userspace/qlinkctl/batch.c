// SPDX-License-Identifier: GPL-2.0-or-later
/* A file that names many keys to install, one on each line. */
#include "batch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ctl.h"

/* A direction and six options with their values are 13 words; another one is too many. */
#define WORDS_MAX	14

static bool split(char *line, char **words)
{
	char *rest = line;
	int n;

	for (n = 0; n < WORDS_MAX; n++) {
		words[n] = strtok_r(n ? NULL : line, " \t\r\n", &rest);
		if (!words[n])
			return true;
	}
	return false;
}

static int batch_grow(struct batch *batch)
{
	size_t room = batch->n ? batch->n * 2 : 1;
	void *keys, *lines;

	/* There is room for a power of two: it is full when @n is one. */
	if (batch->n & (batch->n - 1))
		return 0;
	keys = reallocarray(batch->keys, room, sizeof(*batch->keys));
	if (!keys)
		return -ENOMEM;
	batch->keys = keys;
	lines = reallocarray(batch->lines, room, sizeof(*batch->lines));
	if (!lines)
		return -ENOMEM;
	batch->lines = lines;
	return 0;
}

static int take_words(struct batch *batch, char **words, const char *path,
		      unsigned int number)
{
	struct key_words *key = &batch->keys[batch->n - 1];
	char text[256];

	if (key_words_parse(words, key, text, sizeof(text)))
		return ctl_usage("%s:%u: %s", path, number, text);
	if (!strcmp(key->path, "-"))
		return ctl_usage("%s:%u: file \"-\": a batch names files", path,
				 number);
	return CTL_OK;
}

/* The line is copied, because its words must stay as long as the batch. */
static int take_line(struct batch *batch, const char *line, const char *path,
		     unsigned int number)
{
	char *words[WORDS_MAX + 1] = { NULL };
	char *copy;

	line += strspn(line, " \t\r\n");
	if (!*line || *line == '#')
		return CTL_OK;
	copy = strdup(line);
	if (!copy || batch_grow(batch)) {
		free(copy);
		return ctl_fail("%s", strerror(ENOMEM));
	}
	batch->lines[batch->n++] = copy;
	if (!split(copy, words))
		return ctl_usage("%s:%u: too many words", path, number);
	return take_words(batch, words, path, number);
}

static int read_lines(struct batch *batch, FILE *from, const char *path)
{
	unsigned int number = 0;
	size_t room = 0;
	char *line = NULL;
	int err = CTL_OK;

	while (!err && getline(&line, &room, from) >= 0)
		err = take_line(batch, line, path, ++number);
	free(line);
	if (!err && ferror(from))
		err = ctl_fail("\"%s\": %s", path, strerror(errno));
	if (!err && !batch->n)
		err = ctl_usage("\"%s\": names no key", path);
	return err;
}

int batch_read(struct batch *batch, const char *path)
{
	bool is_stdin = !strcmp(path, "-");
	FILE *from = stdin;
	int err;

	memset(batch, 0, sizeof(*batch));
	if (!is_stdin)
		from = fopen(path, "re");
	if (!from)
		return ctl_fail("\"%s\": %s", path, strerror(errno));
	err = read_lines(batch, from, path);
	if (!is_stdin)
		fclose(from);
	return err;
}

void batch_free(struct batch *batch)
{
	size_t i;

	for (i = 0; i < batch->n; i++)
		free(batch->lines[i]);
	free(batch->lines);
	free(batch->keys);
}
