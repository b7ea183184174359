/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads a file of sections and options, line by line, and says what is wrong with a line. */
#ifndef QLINKD_READER_H
#define QLINKD_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * DOC: What a file is made of
 *
 * A line that is not indented begins a section: its name and, for most, a second word.
 * Indented lines behind it are its options: a name and one word or more. "#" begins a
 * comment. Tables list the sections and their options; struct reader_option has one
 * function that takes the words of an option and stores or refuses them.
 *
 * Words are not copied: they point into the text that is read.
 */

/* Options of one section. */
#define READER_OPTIONS_MAX	24

/**
 * struct config_error - what is wrong with a file
 */
struct config_error {
	/** @text: FILE:LINE: the value, then the rule; no full stop */
	char text[512];
};

struct reader;

struct reader_option;

/**
 * struct reader_kind - a kind of value
 */
struct reader_kind {
	/** @take: takes the @n words of an option, at least one; 0, or refuses */
	int (*take)(struct reader *reader, const struct reader_option *option,
		    char **words, int n);

	/** @same: compares the member of two structures; %NULL if it is not compared */
	bool (*same)(const void *a, const void *b);
};

/* What most options are: @min and @max of the option bound the numbers. */
extern const struct reader_kind reader_text;		/* const char * */
extern const struct reader_kind reader_path;		/* const char *, absolute */
extern const struct reader_kind reader_yes;		/* uint32_t, 1 for "yes", 0 for "no" */
extern const struct reader_kind reader_number;		/* uint32_t */
extern const struct reader_kind reader_long_number;	/* uint64_t */
extern const struct reader_kind reader_seconds;		/* uint64_t of milliseconds */

/**
 * struct reader_option - an option of a section
 */
struct reader_option {
	/** @name: its first word */
	const char *name;

	/** @kind: of its value */
	const struct reader_kind *kind;

	/** @offset: of its member in the section's structure */
	size_t offset;

	/** @min: least value of a number */
	uint32_t min;

	/** @max: greatest value of a number, or most words of a list */
	uint32_t max;

	/** @is_required: every section must have it */
	bool is_required;
};

/**
 * struct reader_section - a kind of section
 */
struct reader_section {
	/** @name: the word that begins it */
	const char *name;

	/** @what: what its second word is, for an error message; %NULL if it has none */
	const char *what;

	/** @options: that it may have */
	const struct reader_option *options;

	/** @n_options: how many, at most READER_OPTIONS_MAX */
	size_t n_options;

	/** @begin: makes one with @name and sets @at of the reader; 0, or refuses */
	int (*begin)(struct reader *reader, char *name);

	/** @end: checks it as a whole, %NULL for no check; 0, or refuses */
	int (*end)(struct reader *reader);
};

/**
 * struct reader_listener - who is told what a file says, in its words
 *
 * Each is called after the words were taken, and may see them in another form than the file
 * has them in; what they return other than 0 ends the reading.
 */
struct reader_listener {
	/** @section: a section begins, with its second word or an empty text */
	int (*section)(void *arg, const struct reader_section *section, const char *name);

	/** @option: an option of that section, and the @n words behind its name */
	int (*option)(void *arg, const struct reader_option *option, char **words, int n);

	/** @arg: passed to both */
	void *arg;
};

/**
 * struct reader - a file that is being read
 */
struct reader {
	/** @sections: all kinds of sections, in the order in which an error names them */
	const struct reader_section *sections;

	/** @n_sections: how many */
	size_t n_sections;

	/** @arg: for the callbacks of sections and options */
	void *arg;

	/** @listener: is told what was taken; %NULL for nobody */
	const struct reader_listener *listener;

	/** @path: of the file, for errors */
	const char *path;

	/** @error: filled in by the first refusal */
	struct config_error *error;

	/** @line: the line being read, from 1 on; 0 before the first */
	unsigned int line;

	/** @section: the section being read, %NULL before the first */
	const struct reader_section *section;

	/** @at: its structure */
	char *at;

	/** @began: line in which it began */
	unsigned int began;

	/** @given: for each option, the line that has it, 0 for none */
	unsigned int given[READER_OPTIONS_MAX];
};

/**
 * config_error_at() - say what is wrong with a line of a file
 * @error: filled in
 * @path: of the file
 * @line: which line
 * @format: the value, then the rule, as for printf()
 *
 * Return: %-EINVAL.
 */
__attribute__((format(printf, 4, 5)))
int config_error_at(struct config_error *error, const char *path, unsigned int line,
		    const char *format, ...);

/* The same for the file that is being read, and for the line that is being read. */
#define reader_refuse_at(reader, line, ...)	\
	config_error_at((reader)->error, (reader)->path, (line), __VA_ARGS__)
#define reader_refuse(reader, ...)	reader_refuse_at(reader, (reader)->line, __VA_ARGS__)

/**
 * reader_no_memory() - say that there is no memory
 * @reader: its error is filled in
 *
 * Return: %-ENOMEM.
 */
int reader_no_memory(struct reader *reader);

/**
 * reader_one_word() - refuse an option that has more than one value
 * @reader: the reader
 * @option: the option
 * @n: how many values it has
 *
 * Return: 0, or %-EINVAL.
 */
int reader_one_word(struct reader *reader, const struct reader_option *option, int n);

/**
 * reader_take_text() - take one word, for kinds that check it further
 * @reader: the reader
 * @option: the option; its member is a const char *
 * @words: its words
 * @n: how many
 *
 * Return: 0, or %-EINVAL.
 */
int reader_take_text(struct reader *reader, const struct reader_option *option, char **words,
		     int n);

/* Compare two members: texts, of which either may be %NULL, and numbers. */
bool reader_same_text(const void *a, const void *b);
bool reader_same_u32(const void *a, const void *b);
bool reader_same_u64(const void *a, const void *b);

/**
 * reader_same() - compare all options of two sections
 * @section: the kind of both
 * @a: structure of one
 * @b: structure of the other
 *
 * Return: true if no member of an option differs.
 */
bool reader_same(const struct reader_section *section, const void *a, const void *b);

/**
 * reader_add() - add an item to an array
 * @reader: its @at becomes the new item, all zero
 * @items: the array, from reallocarray(), or %NULL
 * @n: how many items it has; counted up
 * @bytes: size of one
 *
 * Return: 0, or %-ENOMEM, which is refused.
 */
int reader_add(struct reader *reader, void **items, size_t *n, size_t bytes);

/**
 * reader_take() - read all lines
 * @reader: with sections, path and error; the rest all zero
 * @text: @len bytes and a NUL; cut into words in place
 * @len: bytes
 *
 * Stops at the first error.
 *
 * Return: 0, or a negative errno with the error filled in.
 */
int reader_take(struct reader *reader, char *text, size_t len);

/**
 * reader_load() - read a whole file into memory
 * @path: of the file
 * @max: most bytes to read; one more is read of a longer file
 * @len: bytes read
 * @error: filled in on failure
 *
 * Return: the text, which the caller frees, or %NULL with errno.
 */
char *reader_load(const char *path, size_t max, size_t *len, struct config_error *error);

#endif
