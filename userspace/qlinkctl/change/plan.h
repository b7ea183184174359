/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a document changes: differences, devices, and the files as they are to be. */
#ifndef QLINKCTL_PLAN_H
#define QLINKCTL_PLAN_H

#include "devices.h"
#include "qlinkctl/site/difference.h"

/* The file of links.d that a change writes. */
#define PLAN_LINKS	"00-apply.conf"

/**
 * struct plan_file - a file that is written
 */
struct plan_file {
	/** @path: where; on the heap */
	char *path;

	/** @to: what it is to be */
	struct whole to;
};

/**
 * struct plan - a change, before it is made
 */
struct plan {
	/** @ctl: this run, whose socket is open */
	struct ctl *ctl;

	/** @config: the agent's file */
	const char *config;

	/** @links: the file of devices; on the heap */
	char *links;

	/** @document: what is wanted */
	struct site document;

	/** @now: the agent's file, and the devices as they are */
	struct site now;

	/** @next: what both are to be */
	struct site next;

	/** @declared: what the folder of devices declares */
	struct declared declared;

	/** @declares: devices that @links is to declare */
	struct site declares;

	/** @differences: what changes */
	struct differences differences;

	/** @devices: those that change */
	struct devices devices;

	/** @before: what is kept */
	struct before before;

	/** @files: in the order in which they are written; on the heap */
	struct plan_file *files;

	/** @n_files: how many */
	size_t n_files;

	/** @control: socket of the agent that has the links; points into the above, or is constant */
	const char *control;

	/** @changes_agent: the agent has to read its file again */
	bool changes_agent;

	/** @has_told_agent: it may have read its new file */
	bool has_told_agent;

	/** @changes_links: the file of devices is another one */
	bool changes_links;
};

/**
 * plan_make() - say what a document changes
 * @plan: filled in; freed with plan_free(), also on failure
 * @ctl: this run, with its options; its socket is open
 * @root: the document
 * @why: filled in on failure
 *
 * Changes nothing. What can be refused without changing anything is refused here.
 *
 * Return: 0, or a negative errno.
 */
int plan_make(struct plan *plan, struct ctl *ctl, const json_t *root, struct qlink_why *why);

/**
 * plan_free() - free all
 * @plan: empty afterwards
 */
void plan_free(struct plan *plan);

#endif
