// SPDX-License-Identifier: GPL-2.0-or-later
/* Reads a file of sections and options, line by line, and says what is wrong with a line. */
#include "reader.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/number.h"

#define BLANK		" \t\r"
#define WORDS_MAX	16

int config_error_at(struct config_error *error, const char *path, unsigned int line,
		    const char *format, ...)
{
	char text[400];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	snprintf(error->text, sizeof(error->text), "%.100s:%u: %s", path, line, text);
	return -EINVAL;
}

int reader_no_memory(struct reader *reader)
{
	reader_refuse(reader, "no memory");
	return -ENOMEM;
}

/* ---- values ---- */

int reader_one_word(struct reader *reader, const struct reader_option *option, int n)
{
	if (n != 1)
		return reader_refuse(reader, "%s: has %d values, and takes one", option->name, n);
	return 0;
}

int reader_take_text(struct reader *reader, const struct reader_option *option, char **words,
		     int n)
{
	int err = reader_one_word(reader, option, n);

	if (!err)
		*(const char **)(reader->at + option->offset) = words[0];
	return err;
}

static int take_path(struct reader *reader, const struct reader_option *option,
			char **words, int n)
{
	int err = reader_take_text(reader, option, words, n);

	if (!err && words[0][0] != '/')
		return reader_refuse(reader, "%s %s: not an absolute path", option->name, words[0]);
	return err;
}

static int read_number(struct reader *reader, const struct reader_option *option, char **words, int n,
		       uint64_t *number)
{
	struct qlink_why why;

	if (reader_one_word(reader, option, n))
		return -EINVAL;
	if (qlink_parse_number(words[0], option->min, option->max, number, &why))
		return reader_refuse(reader, "%s %s: %s", option->name, words[0], why.text);
	return 0;
}

static int take_number(struct reader *reader, const struct reader_option *option,
			char **words, int n)
{
	uint64_t number;
	int err = read_number(reader, option, words, n, &number);

	if (!err)
		*(uint32_t *)(reader->at + option->offset) = (uint32_t)number;
	return err;
}

static int take_long_number(struct reader *reader, const struct reader_option *option,
			char **words, int n)
{
	return read_number(reader, option, words, n, (uint64_t *)(reader->at + option->offset));
}

/* Seconds there, milliseconds here. */
static int take_seconds(struct reader *reader, const struct reader_option *option,
			char **words, int n)
{
	uint64_t number;
	int err = read_number(reader, option, words, n, &number);

	if (!err)
		*(uint64_t *)(reader->at + option->offset) = number * 1000;
	return err;
}

bool reader_same_text(const void *a, const void *b)
{
	const char *x = *(const char *const *)a, *y = *(const char *const *)b;

	return x && y ? !strcmp(x, y) : x == y;
}

bool reader_same_u32(const void *a, const void *b)
{
	return *(const uint32_t *)a == *(const uint32_t *)b;
}

bool reader_same_u64(const void *a, const void *b)
{
	return *(const uint64_t *)a == *(const uint64_t *)b;
}

bool reader_same(const struct reader_section *section, const void *a, const void *b)
{
	const struct reader_option *option = section->options;
	const char *x = a, *y = b;

	for (; option < section->options + section->n_options; option++) {
		if (option->kind->same &&
		    !option->kind->same(x + option->offset, y + option->offset))
			return false;
	}
	return true;
}

const struct reader_kind reader_text = { reader_take_text, reader_same_text };
const struct reader_kind reader_path = { take_path, reader_same_text };
static int take_yes(struct reader *reader, const struct reader_option *option, char **words, int n)
{
	uint32_t *to = (void *)((char *)reader->at + option->offset);

	if (reader_one_word(reader, option, n))
		return -EINVAL;
	*to = !strcmp(words[0], "yes");
	return *to || !strcmp(words[0], "no") ? 0 :
	       reader_refuse(reader, "%s %s: not yes or no", option->name, words[0]);
}

const struct reader_kind reader_yes = { take_yes, reader_same_u32 };
const struct reader_kind reader_number = { take_number, reader_same_u32 };
const struct reader_kind reader_long_number = { take_long_number, reader_same_u64 };
const struct reader_kind reader_seconds = { take_seconds, reader_same_u64 };

int reader_add(struct reader *reader, void **items, size_t *n, size_t bytes)
{
	char *more = reallocarray(*items, *n + 1, bytes);

	if (!more)
		return reader_no_memory(reader);
	*items = more;
	reader->at = more + *n * bytes;
	memset(reader->at, 0, bytes);
	(*n)++;
	return 0;
}

/* ---- lines ---- */

static int end_section(struct reader *reader)
{
	const struct reader_section *section = reader->section;
	size_t i;

	if (!section)
		return 0;
	for (i = 0; i < section->n_options; i++) {
		if (section->options[i].is_required && !reader->given[i])
			return reader_refuse_at(reader, reader->began, "%s: lacks %s", section->name,
					 section->options[i].name);
	}
	return section->end ? section->end(reader) : 0;
}

static int begin_section(struct reader *reader, const struct reader_section *section, char **words, int n)
{
	int err = end_section(reader);

	if (err)
		return err;
	if (n != (section->what ? 2 : 1))
		return reader_refuse(reader, "%s: must be followed by %s", section->name,
			      section->what ?: "nothing in its line");
	reader->section = section;
	reader->began = reader->line;
	memset(reader->given, 0, sizeof(reader->given));
	err = section->begin(reader, section->what ? words[1] : NULL);
	if (!err && reader->listener)
		err = reader->listener->section(reader->listener->arg, section, section->what ? words[1] : "");
	return err;
}

/* Lists the sections that there are, as in "agent, kme, peer or link". */
static const char *list_sections(const struct reader *reader, char *text, size_t room)
{
	size_t len = 0, i;

	text[0] = '\0';
	for (i = 0; i < reader->n_sections && len < room; i++)
		len += (size_t)snprintf(text + len, room - len, "%s%s",
					!i ? "" : i + 1 < reader->n_sections ? ", " : " or ",
					reader->sections[i].name);
	return text;
}

/* Lists the options of a section, for an error message about one that it does not have. */
static const char *list_options(const struct reader_section *section, char *text, size_t room)
{
	size_t len = 0, i;

	text[0] = '\0';
	for (i = 0; i < section->n_options && len < room; i++)
		len += (size_t)snprintf(text + len, room - len, "%s%s", i ? ", " : "",
					section->options[i].name);
	return text;
}

static int take_option(struct reader *reader, char **words, int n)
{
	const struct reader_section *section = reader->section;
	const struct reader_option *option;
	char names[300];
	size_t i;
	int err;

	if (!section)
		return reader_refuse(reader, "%s: before the first %s", words[0],
				     list_sections(reader, names, sizeof(names)));
	for (i = 0; i < section->n_options; i++) {
		if (!strcmp(section->options[i].name, words[0]))
			break;
	}
	if (i == section->n_options)
		return reader_refuse(reader, "%s: not an option of %s, which has %s", words[0],
			      section->name, list_options(section, names, sizeof(names)));
	option = &section->options[i];
	if (reader->given[i])
		return reader_refuse(reader, "%s: is in line %u already", option->name, reader->given[i]);
	if (n == 1)
		return reader_refuse(reader, "%s: lacks a value", option->name);
	reader->given[i] = reader->line;
	err = option->kind->take(reader, option, words + 1, n - 1);
	if (!err && reader->listener)
		err = reader->listener->option(reader->listener->arg, option, words + 1, n - 1);
	return err;
}

static int take_section(struct reader *reader, char **words, int n)
{
	char names[100];
	size_t i;

	for (i = 0; i < reader->n_sections; i++) {
		if (!strcmp(reader->sections[i].name, words[0]))
			return begin_section(reader, &reader->sections[i], words, n);
	}
	return reader_refuse(reader, "%s: not %s; options are indented", words[0],
			     list_sections(reader, names, sizeof(names)));
}

/* Splits one line into words, in place, and takes them. */
static int take_line(struct reader *reader, char *line)
{
	/* "peer" begins a section if it is not indented, and is an option of a link if it is. */
	bool is_indented = line[0] == ' ' || line[0] == '\t';
	char *words[WORDS_MAX], *save = NULL, *word;
	int n = 0;

	for (word = strtok_r(line, BLANK, &save); word && word[0] != '#';
	     word = strtok_r(NULL, BLANK, &save)) {
		if (n == WORDS_MAX)
			return reader_refuse(reader, "%s: more than %d words", words[0], WORDS_MAX);
		words[n++] = word;
	}
	if (!n)
		return 0;
	return is_indented ? take_option(reader, words, n) : take_section(reader, words, n);
}

static bool is_text(const char *line)
{
	for (; *line; line++) {
		if ((unsigned char)*line < ' ' && !strchr(BLANK, *line))
			return false;
	}
	return true;
}

int reader_take(struct reader *reader, char *text, size_t len)
{
	char *line, *next, *end = text + len;
	int err;

	for (line = text; line < end; line = next) {
		next = memchr(line, '\n', (size_t)(end - line));
		if (next)
			*next++ = '\0';
		else
			next = end + 1;
		reader->line++;
		/* A NUL in a line would hide what follows it. */
		if (strlen(line) + 1 != (size_t)(next - line) || !is_text(line))
			return reader_refuse(reader, "has a control character");
		err = take_line(reader, line);
		if (err)
			return err;
	}
	return end_section(reader);
}

char *reader_load(const char *path, size_t max, size_t *len, struct config_error *error)
{
	char *text = malloc(max + 1);
	FILE *file = text ? fopen(path, "re") : NULL;
	int err = file ? 0 : errno;

	if (file) {
		*len = fread(text, 1, max + 1, file);
		err = ferror(file) ? errno : 0;
		fclose(file);
	}
	if (!err)
		return text;
	snprintf(error->text, sizeof(error->text), "%s: %s", path, strerror(err));
	free(text);
	errno = err;
	return NULL;
}
