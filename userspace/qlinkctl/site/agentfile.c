// SPDX-License-Identifier: GPL-2.0-or-later
/* The sections of a site that the agent's file has, and that file, qlinkd.conf(5). */
#include "agentfile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "leaf.h"

/* As many words as a line of the file may have. */
#define VALUE_BYTES	1400
/* Of a file that is only in memory, before the number of a line. */
#define NAME		"document"

/* ---- writing ---- */

static void write_section(const struct site_section *section, FILE *to)
{
	size_t i;

	fprintf(to, "%s%s%s\n", config_sections[section->kind].name, *section->name ? " " : "", section->name);
	for (i = 0; i < section->n_options; i++)
		fprintf(to, "\t%s %s\n", section->options[i].name, section->options[i].value);
}

int agentfile_write(const struct site *site, FILE *to)
{
	enum site_kind kind;
	size_t i;

	for (kind = SITE_AGENT; kind <= SITE_LINK; kind++)
		for (i = 0; i < site->n_sections; i++)
			if (site->sections[i].kind == kind)
				write_section(&site->sections[i], to);
	return ferror(to) ? -EIO : 0;
}

/* ---- hearing what a file says ---- */

/* Where the words go. */
struct hearer {
	struct site *site;
	struct site_section *section;
};

static int hear_section(void *arg, const struct reader_section *section, const char *name)
{
	struct hearer *hearer = arg;
	enum site_kind kind = (enum site_kind)(section - config_sections);

	hearer->section = site_add(hearer->site, kind, name);
	return hearer->section ? 0 : -ENOMEM;
}

/* A number without the zeros before it, because texts are compared. */
static const char *cut_zeros(const struct leaf *leaf, const char *word)
{
	while (leaf->form == LEAF_NUMBER && word[0] == '0' && word[1])
		word++;
	return word;
}

static int hear_option(void *arg, const struct reader_option *option, char **words, int n)
{
	struct hearer *hearer = arg;
	char value[VALUE_BYTES] = "";
	struct leaf leaf;
	size_t len = 0;
	int i;

	leaf_find(hearer->section->kind, option->name, &leaf);
	for (i = 0; i < n && len < sizeof(value); i++)
		len += (size_t)snprintf(value + len, sizeof(value) - len, "%s%s", i ? " " : "",
					cut_zeros(&leaf, words[i]));
	return len < sizeof(value) ? site_set(hearer->section, option->name, value) : -E2BIG;
}

/* ---- reading ---- */

static int hear(struct site *site, const char *text, size_t len, const char *path, bool is_part,
		struct config_error *error)
{
	struct hearer hearer = { .site = site };
	const struct reader_listener listener = { hear_section, hear_option, &hearer };
	const struct config_hearing hearing = { &listener, is_part };
	struct config config;
	int err = config_hear(&config, text, len, path, &hearing, error);

	config_free(&config);
	if (err && !*error->text)
		config_error_at(error, path, 0, "%s", strerror(-err));
	return err;
}

int agentfile_read(struct site *site, const char *path, struct config_error *error)
{
	size_t len = 0;
	char *text = reader_load(path, CONFIG_BYTES_MAX, &len, error);
	int err = text ? hear(site, text, len, path, false, error) : -errno;

	free(text);
	return err;
}

/* ---- judging ---- */

/* Finds what stands in a line of agentfile_write(). */
static void locate(const struct site *site, unsigned int line, struct agentfile_fault *fault)
{
	const struct site_section *section;
	enum site_kind kind;
	size_t at = 1, i;

	fault->section = NULL;
	fault->option = NULL;
	for (kind = SITE_AGENT; kind <= SITE_LINK; kind++) {
		for (i = 0; i < site->n_sections; i++) {
			section = &site->sections[i];
			if (section->kind != kind)
				continue;
			if (line >= at && line - at <= section->n_options) {
				fault->section = section;
				fault->option = line > at ? &section->options[line - at - 1] : NULL;
			}
			at += section->n_options + 1;
		}
	}
}

static void fill_fault(const struct site *site, const struct config_error *error, struct agentfile_fault *fault)
{
	unsigned int line = 0;
	int value = 0;

	sscanf(error->text, NAME ":%u: %n", &line, &value);
	locate(site, line, fault);
	snprintf(fault->text, sizeof(fault->text), "%s", error->text + value);
}

int agentfile_check(const struct site *site, bool is_part, struct site *to, struct agentfile_fault *fault)
{
	struct config_error error;
	char *text = NULL;
	size_t len = 0;
	FILE *file = open_memstream(&text, &len);
	int err = file ? agentfile_write(site, file) : -ENOMEM;

	if (file && fclose(file))
		err = -ENOMEM;
	if (!err)
		err = hear(to, text, len, NAME, is_part, &error);
	free(text);
	if (err == -EINVAL)
		fill_fault(site, &error, fault);
	return err;
}

/* A link that has all it needs: with two KMEs to mix, each number of them up to two is right. */
static int add_link(struct site *site, const struct site_section *options)
{
	struct site_section *link = site_add(site, SITE_LINK, options->name);
	const char *policy = site_get(options, "policy");
	int err = link ? site_set(link, "peer", "any") : -ENOMEM;
	size_t i;

	if (!err && (!policy || strcmp(policy, "pqc-only")))
		err = site_set(link, "mix", "a b c d");
	for (i = 0; i < options->n_options && !err; i++)
		err = site_set(link, options->options[i].name, options->options[i].value);
	return err;
}

/* The fault of a link that stands for the options is one of the options. */
static void translate(const struct site_section *options, struct agentfile_fault *fault)
{
	const char *name = fault->option ? fault->option->name : NULL;
	size_t i;

	fault->section = options;
	fault->option = NULL;
	for (i = 0; name && i < options->n_options; i++)
		if (!strcmp(options->options[i].name, name))
			fault->option = &options->options[i];
}

int agentfile_check_defaults(const struct site_section *section, struct agentfile_fault *fault)
{
	struct site site = { 0 }, ignored = { 0 };
	int err = add_link(&site, section);

	if (!err)
		err = agentfile_check(&site, true, &ignored, fault);
	if (err == -EINVAL)
		translate(section, fault);
	site_free(&site);
	site_free(&ignored);
	return err;
}
