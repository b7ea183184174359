/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The configuration of a site: its agent, KMEs, peers and links, as sections of options in words. */
#ifndef QLINKCTL_SITE_H
#define QLINKCTL_SITE_H

#include <stddef.h>

/**
 * DOC: One form for three
 *
 * A site is described by a document (qlink.yang, in JSON), by two kinds of files
 * (qlinkd.conf(5) and qlink-links(5)), and by what runs. Each is converted to sections of
 * options, and from them: so any two can be compared, merged and written in the form of
 * the third. The value of an option is the words that a file would have, with one blank
 * between them, in the form in which the kernel or the agent shows them.
 */

/**
 * enum site_kind - what a section is about, in the order in which files have them
 */
enum site_kind {
	/** @SITE_AGENT: the agent; there is one at most, without a name */
	SITE_AGENT,

	/** @SITE_KME: a key server, by its name in qlinkd.conf(5) */
	SITE_KME,

	/** @SITE_PEER: a peer, by the name in its certificate */
	SITE_PEER,

	/** @SITE_LINK: what the agent knows of a link, by its device */
	SITE_LINK,

	/** @SITE_DEVICE: the device of a link, by its name: the options of "ip link add" */
	SITE_DEVICE,
};

/**
 * struct site_option - an option
 */
struct site_option {
	/** @name: as in qlinkd.conf(5) or ip-link-qlink(8); on the heap */
	char *name;

	/** @value: its words, one blank between them; on the heap. Empty for an option without a value, as up */
	char *value;
};

/**
 * struct site_section - a section
 */
struct site_section {
	/** @kind: what it is about */
	enum site_kind kind;

	/** @name: of what; on the heap, empty for the agent */
	char *name;

	/** @options: in the order in which they were added; no name is there twice */
	struct site_option *options;

	/** @n_options: how many */
	size_t n_options;
};

/**
 * struct site - the configuration of a site; all zero for an empty one
 */
struct site {
	/** @sections: in the order in which they were added; no kind and name are there twice */
	struct site_section *sections;

	/** @n_sections: how many */
	size_t n_sections;
};

/**
 * site_add() - add an empty section
 * @site: the site
 * @kind: what it is about
 * @name: of what; copied
 *
 * Return: the section, valid until the next one is added; or %NULL without memory, or if there is one.
 */
struct site_section *site_add(struct site *site, enum site_kind kind, const char *name);

/**
 * site_find() - find a section
 * @site: the site
 * @kind: what it is about
 * @name: of what
 *
 * Return: the section, or %NULL.
 */
struct site_section *site_find(const struct site *site, enum site_kind kind, const char *name);

/**
 * site_remove() - remove a section
 * @site: the site
 * @section: one of its sections
 */
void site_remove(struct site *site, struct site_section *section);

/**
 * site_set() - set an option
 * @section: the section
 * @name: of the option; copied
 * @value: its words; copied. %NULL removes the option
 *
 * Return: 0, or %-ENOMEM.
 */
int site_set(struct site_section *section, const char *name, const char *value);

/**
 * site_get() - get an option
 * @section: the section
 * @name: of the option
 *
 * Return: its words, or %NULL if the section does not have it.
 */
const char *site_get(const struct site_section *section, const char *name);

/**
 * site_copy() - copy a site
 * @to: filled in; freed with site_free(), also on failure
 * @from: the site
 *
 * Return: 0, or %-ENOMEM.
 */
int site_copy(struct site *to, const struct site *from);

/**
 * site_free() - free all sections
 * @site: the site; empty afterwards
 */
void site_free(struct site *site);

#endif
