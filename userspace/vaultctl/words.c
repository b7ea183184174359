// SPDX-License-Identifier: GPL-2.0-or-later
/* The command line of qlink-vault. */
#include "words.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/number.h"

static const char help[] =
"usage: qlink-vault make FILE --key KEYFILE --keys N [--bytes N] [--from RANDOM]\n"
"                   [--label TEXT]\n"
"       qlink-vault import FILE --key KEYFILE --from KEYS [--bytes N] [--label TEXT]\n"
"       qlink-vault show FILE --key KEYFILE [--json]\n"
"       qlink-vault check FILE --key KEYFILE [--json]\n"
"       qlink-vault skip FILE --key KEYFILE --to ID\n"
"       qlink-vault mend FILE --key KEYFILE --side a|b\n"
"\n"
"Makes a vault, a sealed file of keys that is carried to both ends of a link by\n"
"hand, or shows how far one is spent. See qlink-vault(8).\n"
"\n"
"  -k, --key KEYFILE  seals the vault: a file of 32 random bytes or more\n"
"  -n, --keys N       how many keys, an even number\n"
"  -b, --bytes N      bytes of a key, 32 to 128\n"
"  -f, --from FILE    make: where random bytes come from; import: the keys\n"
"  -l, --label TEXT   what you call the vault\n"
"  -t, --to ID        spend all keys before this one\n"
"  -s, --side a|b     which end this is\n"
"  -j, --json         JSON\n"
"  -h, --help         this text\n"
"  -V, --version      the version\n";

static const struct option long_options[] = {
	{ "key", required_argument, NULL, 'k' },
	{ "keys", required_argument, NULL, 'n' },
	{ "bytes", required_argument, NULL, 'b' },
	{ "from", required_argument, NULL, 'f' },
	{ "label", required_argument, NULL, 'l' },
	{ "to", required_argument, NULL, 't' },
	{ "side", required_argument, NULL, 's' },
	{ "json", no_argument, NULL, 'j' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

/* The bit of each option, by its letter. */
static const struct {
	char letter;
	enum words_option bit;
	const char *name;
} bits[] = {
	{ 'k', WORDS_KEY, "--key" },
	{ 'n', WORDS_KEYS, "--keys" },
	{ 'b', WORDS_BYTES, "--bytes" },
	{ 'f', WORDS_FROM, "--from" },
	{ 'l', WORDS_LABEL, "--label" },
	{ 't', WORDS_TO, "--to" },
	{ 's', WORDS_SIDE, "--side" },
	{ 'j', WORDS_JSON, "--json" },
};

__attribute__((format(printf, 1, 2)))
static int usage_error(const char *format, ...)
{
	va_list args;

	fputs("qlink-vault: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputs("; see qlink-vault --help\n", stderr);
	return WORDS_USAGE;
}

static int take_number(const char *name, const char *text, uint64_t min, uint64_t max, uint64_t *number)
{
	struct qlink_why why;

	return qlink_parse_number(text, min, max, number, &why) ? usage_error("%s %.40s: %s", name, text, why.text) :
	       WORDS_OK;
}

/* Stores an option that has a value. */
static int take(struct words *words, int letter, const char *value)
{
	switch (letter) {
	case 'k':
		words->key = value;
		return WORDS_OK;
	case 'n':
		return take_number("--keys", value, 2, VAULT_KEYS_MAX, &words->n_keys);
	case 'b':
		return take_number("--bytes", value, VAULT_KEY_BYTES_MIN, VAULT_KEY_BYTES_MAX, &words->n_bytes);
	case 'f':
		words->from = value;
		return WORDS_OK;
	case 'l':
		words->label = value;
		return strlen(value) <= VAULT_LABEL_MAX ? WORDS_OK :
		       usage_error("--label: has %zu bytes, and may have %d", strlen(value), VAULT_LABEL_MAX);
	case 't':
		words->to = value;
		return WORDS_OK;
	case 's':
		words->has_side = vault_side_parse(value, &words->side);
		return words->has_side ? WORDS_OK : usage_error("--side %.40s: not a or b", value);
	default:
		words->json = true;
		return WORDS_OK;
	}
}

static const struct words_command *find(const struct words_command *commands, const char *name)
{
	for (; commands->name; commands++) {
		if (!strcmp(commands->name, name))
			return commands;
	}
	return NULL;
}

static int check_options(const struct words_command *command, unsigned int given)
{
	size_t i;

	for (i = 0; i < sizeof(bits) / sizeof(bits[0]); i++) {
		if (given & bits[i].bit & ~command->takes)
			return usage_error("%s takes no %s", command->name, bits[i].name);
		if (command->needs & bits[i].bit & ~given)
			return usage_error("%s needs %s", command->name, bits[i].name);
	}
	return WORDS_OK;
}

static int run(const struct words_command *commands, struct words *words, unsigned int given, int argc, char **argv)
{
	const struct words_command *command;

	if (!argc) {
		fputs(help, stderr);
		return WORDS_USAGE;
	}
	words->command = argv[0];
	command = find(commands, argv[0]);
	if (!command)
		return usage_error("%.40s: no such command", argv[0]);
	if (argc != 2)
		return usage_error(argc < 2 ? "%s needs the file of a vault" : "%s takes one file", argv[0]);
	words->file = argv[1];
	return check_options(command, given) ?: command->run(words);
}

int words_run(const struct words_command *commands, int argc, char **argv)
{
	struct words words = { NULL };
	unsigned int given = 0;
	int letter, err;
	size_t i;

	while ((letter = getopt_long(argc, argv, "k:n:b:f:l:t:s:jhV", long_options, NULL)) != -1) {
		if (letter == 'h')
			return fputs(help, stdout) == EOF;
		if (letter == 'V')
			return puts("qlink-vault " QLINK_VERSION) == EOF;
		if (letter == '?')
			return WORDS_USAGE;
		err = take(&words, letter, optarg);
		if (err)
			return err;
		for (i = 0; i < sizeof(bits) / sizeof(bits[0]); i++)
			given |= bits[i].letter == letter ? bits[i].bit : 0;
	}
	return run(commands, &words, given, argc - optind, argv + optind);
}
