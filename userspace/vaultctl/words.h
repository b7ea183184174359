/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line of qlink-vault. */
#ifndef QLINK_VAULT_WORDS_H
#define QLINK_VAULT_WORDS_H

#include "vault/layout.h"

/* What qlink-vault exits with. */
enum words_exit {
	WORDS_OK = 0,
	/* a file is not as it should be */
	WORDS_FAILED = 1,
	/* the command line is wrong */
	WORDS_USAGE = 2,
};

/**
 * struct words - the command line
 */
struct words {
	/** @command: the first word */
	const char *command;

	/** @file: the second word, the vault */
	const char *file;

	/** @key: of --key, %NULL without it, as are the other texts */
	const char *key;

	/** @from: of --from */
	const char *from;

	/** @label: of --label */
	const char *label;

	/** @to: of --to */
	const char *to;

	/** @n_keys: of --keys, or 0 */
	uint64_t n_keys;

	/** @n_bytes: of --bytes, or 0 */
	uint64_t n_bytes;

	/** @side: of --side */
	enum vault_side side;

	/** @has_side: there is a --side */
	bool has_side;

	/** @json: there is a --json */
	bool json;
};

/* The options, one bit each, for what a command takes and needs. */
enum words_option {
	WORDS_KEY = 1 << 0,
	WORDS_FROM = 1 << 1,
	WORDS_LABEL = 1 << 2,
	WORDS_TO = 1 << 3,
	WORDS_KEYS = 1 << 4,
	WORDS_BYTES = 1 << 5,
	WORDS_SIDE = 1 << 6,
	WORDS_JSON = 1 << 7,
};

/**
 * struct words_command - a command
 */
struct words_command {
	/** @name: the word on the command line */
	const char *name;

	/** @takes: the options it may have, of enum words_option */
	unsigned int takes;

	/** @needs: the options it must have */
	unsigned int needs;

	/** @run: runs it; returns an enum words_exit */
	int (*run)(const struct words *words);
};

/**
 * words_run() - read the command line and run the command
 * @commands: all commands; the last has no name
 * @argc: as main() has it
 * @argv: likewise
 *
 * Return: an enum words_exit.
 */
int words_run(const struct words_command *commands, int argc, char **argv);

#endif
